"""The ledger follows sheet by belt travel alone, and notes what each piece met."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from rig.controller import load_machine_facts
from rig.controller.ledger import PIECE_M, Ledger, Piece, Reading

FACTS = load_machine_facts()
STILL = Reading(
    time_ns=0, position_m=0.0, entry_thickness_um=0.0, exit_thickness_um=0.0, recovered_thickness_um=0.0,
    exit_temperature_c=16.0, ambient_c=25.0, entry_clearance_um=3200.0, taper_clearance_um=600.0,
    cold_clearance_um=600.0,
    entry_force_kn=100.0, heat_force_kn=120.0, cold_force_kn=200.0, heat_zones_c=((117.0, 119.0),) * 4,
)  # fmt: skip


@dataclass
class Line:
    """Sheet of constant speed through a ledger."""

    speed_m_min: float = 1.0
    length_m: float = 3.0
    start_m: float = 0.0
    ledger: Ledger = field(default_factory=lambda: Ledger(FACTS))
    done: list[Piece] = field(default_factory=list)

    def run(self, travel_m: float, **changes: Any) -> list[Piece]:
        """Run so far, readings changed as given; `at` (travel, changes) acts from there on."""
        step_m = self.speed_m_min / 60.0 * 0.1
        exit_m = FACTS.pressing_length_m
        for count in range(round(travel_m / step_m)):
            run_m = count * step_m

            def sheet(place_m: float, run_m: float = run_m) -> bool:
                return 0.0 <= run_m - place_m < self.length_m

            reading = replace(
                STILL,
                time_ns=count * 100_000_000,
                position_m=self.start_m + run_m,
                entry_thickness_um=3000.0 if sheet(0.0) else 0.0,
                exit_thickness_um=630.0 if sheet(exit_m + FACTS.exit_gauge_m) else 0.0,
                recovered_thickness_um=640.0 if sheet(exit_m + FACTS.recovered_gauge_m) else 0.0,
                **{name: value(run_m) if callable(value) else value for name, value in changes.items()},
            )
            self.done += self.ledger.scan(reading)
        return self.done


@pytest.mark.parametrize("speed_m_min", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("start_m", [0.0, 1234.5])
def test_time_under_pressure_is_the_way_from_contact_to_exit_over_the_speed(speed_m_min: float, start_m: float) -> None:
    pieces = Line(speed_m_min, start_m=start_m).run(13.0)
    # the taper from 3.2 to 0.6 mm reaches the sheet of 3.0 mm after 1/13 of its length
    pressed_m = FACTS.pressing_length_m - FACTS.taper_end_m / 13.0
    for piece in pieces[3:-3]:
        assert piece.pressure_s == pytest.approx(pressed_m / speed_m_min * 60.0, abs=0.5)
        assert piece.unpressed_s == 0.0


def test_pieces_lie_end_to_end_and_all_of_them_come_out() -> None:
    pieces = Line(length_m=3.0).run(13.0)
    assert [piece.number for piece in pieces] == list(range(30))
    gaps = [b.front_m - a.front_m for a, b in itertools.pairwise(pieces)]
    assert gaps == pytest.approx([PIECE_M] * 29)


def test_gauges_are_read_when_the_piece_is_there_and_its_age_is_known() -> None:
    pieces = Line(1.0).run(13.0)
    piece = pieces[10]
    assert piece.entry.value == 3000.0
    assert piece.exit.value == 630.0
    assert piece.recovered.value == 640.0
    half_piece_s = PIECE_M / 2 * 60.0
    assert piece.exit_age_s == pytest.approx(FACTS.exit_gauge_m * 60.0, abs=half_piece_s + 0.2)
    assert piece.recovered_age_s == pytest.approx(FACTS.recovered_gauge_m * 60.0, abs=half_piece_s + 0.2)
    assert 50 <= piece.recovered.count <= 70


def test_achieved_clearance_is_the_sensor_and_the_spring_back_in_closed_form() -> None:
    piece = Line().run(13.0)[10]
    width_m = min(FACTS.feed_width_m * 3000.0 / 600.0, FACTS.working_width_m)
    groups = {"heat": (120e3, FACTS.heat_end_m - FACTS.taper_end_m), "cold": (200e3, FACTS.cold_length_m)}
    pressures = [force / (width_m * length_m) for force, length_m in groups.values()]
    spring_um = 2e6 * FACTS.nip_compliance_m_pa * FACTS.nip_pressure_factor * min(pressures)
    assert piece.spring_back_um == pytest.approx(spring_um)
    assert piece.minimum_um == pytest.approx(600.0 + spring_um)


def test_minimum_is_the_smallest_on_the_way_and_not_the_last() -> None:
    # the clearance dips while belts run from 6.0 to 6.2 m: sheet that entered 2 … 3.5 m earlier meets it
    pieces = Line(length_m=6.0).run(
        17.0,
        taper_clearance_um=lambda run_m: 570.0 if 6.0 <= run_m < 6.2 else 600.0,
        cold_clearance_um=600.0,
    )
    dipped = [piece.front_m for piece in pieces if piece.minimum_um < 595.0]
    heat_m = FACTS.heat_end_m - FACTS.taper_end_m
    assert len(dipped) == pytest.approx((heat_m + 0.2) / PIECE_M, abs=2)
    assert min(dipped) == pytest.approx(6.0 - FACTS.heat_end_m, abs=0.2)


def test_temperatures_are_the_extremes_of_the_zones_it_passed() -> None:
    zones = ((114.0, 116.0), (116.0, 118.0), (117.0, 121.0), (118.0, 119.0))
    piece = Line().run(13.0, heat_zones_c=zones)[10]
    assert (piece.hot_min_c, piece.hot_max_c) == (114.0, 121.0)


def test_pressure_that_was_away_is_noted_for_the_sheet_that_lost_it() -> None:
    pieces = Line(length_m=8.0).run(19.0, cold_force_kn=lambda run_m: 0.0 if 7.0 <= run_m < 7.1 else 200.0)
    lost = [piece.front_m for piece in pieces if piece.unpressed_s > 1.0]
    # what was in the cold section then, or came into it
    assert min(lost) == pytest.approx(7.0 - FACTS.pressing_length_m, abs=0.2)
    assert max(lost) == pytest.approx(7.1 - FACTS.heat_end_m, abs=0.2)


def test_second_sheet_is_counted_on_after_a_gap() -> None:
    line = Line(length_m=1.0)
    line.run(12.0)
    first = line.ledger.count
    line.start_m = 20.0
    line.run(12.0)
    assert line.ledger.count == 2 * first
    assert [piece.number for piece in line.done] == list(range(2 * first))
    assert math.isclose(line.done[first].front_m, 20.0)
