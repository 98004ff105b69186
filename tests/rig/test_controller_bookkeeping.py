"""The ledger's running totals against bookkeeping piece by piece, on lives that no real press has.

`Book` goes through all pieces in every scan and does by hand what the ledger has by subtraction.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.controller import load_machine_facts
from rig.controller.ledger import COVERED_PART, PIECE_M, PRESSED_KN, Ledger, Piece, Reading

FACTS = load_machine_facts()
START = Reading(
    time_ns=0, position_m=50.0, entry_thickness_um=3000.0, exit_thickness_um=630.0, recovered_thickness_um=640.0,
    exit_temperature_c=16.0, ambient_c=25.0, entry_clearance_um=3200.0, taper_clearance_um=600.0,
    cold_clearance_um=600.0,
    entry_force_kn=100.0, heat_force_kn=120.0, cold_force_kn=200.0, heat_zones_c=((117.0, 119.0),) * 4,
)  # fmt: skip


@dataclass
class Book:
    """All pieces in one list, each judged by where it is."""

    pieces: list[Piece] = field(default_factory=list)
    finished: list[Piece] = field(default_factory=list)
    count: int = 0
    last_ns: int = -1
    pressure_pa: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def scan(self, reading: Reading) -> None:
        elapsed_s = (reading.time_ns - self.last_ns) * 1e-9 if self.last_ns >= 0 else 0.0
        self.last_ns = reading.time_ns
        if reading.entry_thickness_um > 0.0:
            self._enter(reading)
        places = [piece.place_m(reading.position_m) for piece in self.pieces]
        achieved = self._achieved(reading, places)
        contact_m = 0.0
        opening_um = reading.entry_clearance_um - reading.taper_clearance_um
        if self.pieces and opening_um > 0.0:
            part = (reading.entry_clearance_um - self.pieces[-1].entry.value) / opening_um
            contact_m = min(max(part, 0.0), 1.0) * FACTS.taper_end_m
        for piece, place_m in zip(self.pieces, places, strict=True):
            if place_m >= FACTS.pressing_length_m:
                self._on_table(piece, place_m - FACTS.pressing_length_m, reading)
            elif place_m >= contact_m:
                self._in_press(piece, place_m, achieved, reading, elapsed_s)
        last_m = FACTS.pressing_length_m + FACTS.recovered_gauge_m
        while self.pieces and self.pieces[0].place_m(reading.position_m) - PIECE_M / 2 > last_m:
            self.finished.append(self.pieces.pop(0))

    def _enter(self, reading: Reading) -> None:
        behind_m = reading.position_m - self.pieces[-1].front_m if self.pieces else math.inf
        if behind_m >= PIECE_M:
            front_m = self.pieces[-1].front_m + PIECE_M if behind_m < 2 * PIECE_M else reading.position_m
            self.pieces.append(Piece(self.count, front_m))
            self.count += 1
        self.pieces[-1].entry.add(reading.entry_thickness_um)

    def _achieved(self, reading: Reading, places: list[float]) -> list[tuple[float, float]]:
        achieved = []
        for group, (start_m, end_m, clearance_um, force_kn) in enumerate(
            (
                (FACTS.taper_end_m, FACTS.heat_end_m, reading.taper_clearance_um, reading.heat_force_kn),
                (FACTS.heat_end_m, FACTS.pressing_length_m, reading.cold_clearance_um, reading.cold_force_kn),
            )
        ):
            covered_m = PIECE_M * sum(start_m <= place_m < end_m for place_m in places)
            if covered_m >= COVERED_PART * (end_m - start_m):
                wider = max(self.pieces[0].entry.value / clearance_um, 1.0)
                width_m = min(FACTS.feed_width_m * wider, FACTS.working_width_m)
                self.pressure_pa[group] = force_kn * 1e3 / (width_m * min(covered_m, end_m - start_m))
            nip_pa = FACTS.nip_pressure_factor * self.pressure_pa[group]
            spring_um = 2.0 * FACTS.nip_compliance_m_pa * nip_pa * 1e6
            achieved.append((clearance_um + spring_um, spring_um))
        return achieved

    def _in_press(
        self, piece: Piece, place_m: float, achieved: list[tuple[float, float]], reading: Reading, elapsed_s: float
    ) -> None:
        force_kn = reading.entry_force_kn
        if place_m >= FACTS.taper_end_m:
            cold = place_m >= FACTS.heat_end_m
            force_kn = reading.cold_force_kn if cold else reading.heat_force_kn
            if achieved[cold][1] > 0.0 and achieved[cold][0] < piece.minimum_um:
                piece.minimum_um, piece.spring_back_um = achieved[cold]
        if force_kn > PRESSED_KN:
            piece.pressure_s += elapsed_s
        else:
            piece.unpressed_s += elapsed_s
        zone = FACTS.heat_zone_at(place_m)
        if zone is not None:
            piece.hot_min_c = min(piece.hot_min_c, reading.heat_zones_c[zone - 1][0])
            piece.hot_max_c = max(piece.hot_max_c, reading.heat_zones_c[zone - 1][1])

    def _on_table(self, piece: Piece, behind_m: float, reading: Reading) -> None:
        if piece.released_ns < 0:
            piece.released_ns = reading.time_ns
        age_s = (reading.time_ns - piece.released_ns) * 1e-9
        if abs(behind_m - FACTS.exit_gauge_m) <= PIECE_M / 2 and reading.exit_thickness_um > 0.0:
            piece.exit.add(reading.exit_thickness_um)
            piece.exit_age_s = age_s
        if abs(behind_m - FACTS.recovered_gauge_m) <= PIECE_M / 2 and reading.recovered_thickness_um > 0.0:
            piece.recovered.add(reading.recovered_thickness_um)
            piece.recovered_age_s = age_s


around = st.integers(-40, 40).map(lambda steps: steps / 10)
changes = st.fixed_dictionaries(
    {},
    optional={
        "entry_thickness_um": st.sampled_from([0.0, 3000.0, 3050.0, 2400.0]),
        "exit_thickness_um": st.sampled_from([0.0, 625.0, 640.0]),
        "recovered_thickness_um": st.sampled_from([0.0, 650.0]),
        "entry_clearance_um": st.sampled_from([3200.0, 3600.0, 600.0, 6000.0]),
        "taper_clearance_um": around.map(lambda off: 600.0 + off),
        "cold_clearance_um": around.map(lambda off: 600.0 + off),
        "entry_force_kn": st.sampled_from([0.0, 100.0]),
        "heat_force_kn": st.sampled_from([0.0, 110.0, 140.0]),
        "cold_force_kn": st.sampled_from([0.0, 180.0, 220.0]),
        "heat_zones_c": st.lists(st.tuples(around, around), min_size=4, max_size=4).map(
            lambda zones: tuple((115.0 + min(zone), 115.0 + max(zone)) for zone in zones)
        ),
    },
)
legs = st.lists(
    st.tuples(
        st.sampled_from([0.004, 0.004, 0.03, 0.09, 0.0, 0.35, 3.0, -0.002, -0.7]),  # m per scan
        st.integers(1, 60),  # scans
        changes,
    ),
    min_size=1,
    max_size=15,
)


@settings(max_examples=30, deadline=None)  # the book takes its time
@given(legs)
def test_totals_and_extremes_are_those_of_every_piece_by_itself(
    legs: list[tuple[float, int, dict[str, object]]],
) -> None:
    ledger, book, finished = Ledger(FACTS), Book(), []
    reading = START
    for step_m, scans, changed in [(0.09, 100, {}), *legs, (0.09, 130, {})]:
        reading = replace(reading, **changed)
        for _ in range(scans):
            reading = replace(reading, time_ns=reading.time_ns + 100_000_000, position_m=reading.position_m + step_m)
            finished += ledger.scan(reading)
            book.scan(reading)
        ledger = copy.deepcopy(ledger)
    assert [piece.number for piece in finished] == [piece.number for piece in book.finished]
    for mine, theirs in zip(finished, book.finished, strict=True):
        for name in (
            *("front_m", "entry", "exit", "recovered", "minimum_um", "spring_back_um", "hot_min_c", "hot_max_c"),
            *("released_ns", "exit_age_s", "recovered_age_s"),
        ):
            assert getattr(mine, name) == getattr(theirs, name), (mine.number, name)
        assert mine.pressure_s == pytest.approx(theirs.pressure_s, rel=1e-9, abs=1e-9)
        assert mine.unpressed_s == pytest.approx(theirs.unpressed_s, rel=1e-9, abs=1e-9)
