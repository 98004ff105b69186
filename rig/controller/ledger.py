"""The sheet ledger: follows every piece of sheet through the press by the belts' encoders.

A piece is 0.1 m of belt travel. What a piece meets on its way is noted from sensors alone: thickness
at the entry, zone temperatures, achieved clearance, time under pressure, and what both gauges behind
the press show when it passes them. `quality` makes r and k of it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from rig.controller.machine_facts import MachineFacts

__all__ = ["PIECE_M", "Ledger", "Piece", "Reading"]

PIECE_M = 0.1
"""Length of a piece, m of belt travel: six seconds at 1 m/min, enough samples to average gauge noise."""
PRESSED_KN = 1.0
"""A roller group counts as pressing above this force, kN: three times the load cells' noise."""
COVERED_PART = 0.5
"""Below this part of a group under sheet, its force says little about the pressure."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What the ledger needs of one scan, from sensors.

    Attributes:
        time_ns: bench time.
        position_m: mean of both belt encoders.
        entry_thickness_um: 0 without sheet.
        exit_thickness_um: 0 without sheet.
        recovered_thickness_um: 0 without sheet.
        exit_temperature_c: sheet surface at the gauge behind the exit.
        ambient_c: air around the press.
        entry_clearance_um, taper_clearance_um, cold_clearance_um: means of left and right.
        entry_force_kn, heat_force_kn, cold_force_kn: sums of left and right.
        heat_zones_c: (lowest, highest) plate temperature per heat zone, both sides, first zone first.
    """

    time_ns: int
    position_m: float
    entry_thickness_um: float
    exit_thickness_um: float
    recovered_thickness_um: float
    exit_temperature_c: float
    ambient_c: float
    entry_clearance_um: float
    taper_clearance_um: float
    cold_clearance_um: float
    entry_force_kn: float
    heat_force_kn: float
    cold_force_kn: float
    heat_zones_c: tuple[tuple[float, float], ...]

    @classmethod
    def of(cls, values: Mapping[str, float], time_ns: int, zones: int) -> Reading:
        """Gather a reading from tag values."""

        def both(name: str) -> tuple[float, float]:
            return values[name.format("left")], values[name.format("right")]

        plates = [
            (values[f"heat_{zone}_upper_temperature_c"], values[f"heat_{zone}_lower_temperature_c"])
            for zone in range(1, zones + 1)
        ]
        return cls(
            time_ns=time_ns,
            position_m=0.5 * (values["belt_upper_position_m"] + values["belt_lower_position_m"]),
            entry_thickness_um=values["sheet_entry_thickness_um"],
            exit_thickness_um=values["exit_thickness_um"],
            recovered_thickness_um=values["recovered_thickness_um"],
            exit_temperature_c=values["sheet_exit_temperature_c"],
            ambient_c=values["ambient_temperature_c"],
            entry_clearance_um=sum(both("entry_{}_clearance_um")) / 2,
            taper_clearance_um=sum(both("taper_end_{}_clearance_um")) / 2,
            cold_clearance_um=sum(both("cold_{}_clearance_um")) / 2,
            entry_force_kn=sum(both("entry_{}_line_force_kn")),
            heat_force_kn=sum(both("taper_end_{}_line_force_kn")),
            cold_force_kn=sum(both("cold_{}_line_force_kn")),
            heat_zones_c=tuple((min(pair), max(pair)) for pair in plates),
        )


@dataclass(slots=True)
class Mean:
    """A running mean."""

    total: float = 0.0
    count: int = 0

    def add(self, value: float) -> None:
        """Take a value in."""
        self.total += value
        self.count += 1

    @property
    def value(self) -> float:
        """The mean so far; NaN without values."""
        return self.total / self.count if self.count else math.nan


@dataclass(slots=True)
class Piece:
    """One piece of sheet and what it has met; units as in `Reading`.

    `front_m` is the belt position at which its front passed the entry.
    """

    number: int
    front_m: float
    entry: Mean = field(default_factory=Mean)
    exit: Mean = field(default_factory=Mean)
    recovered: Mean = field(default_factory=Mean)
    exit_temperature: Mean = field(default_factory=Mean)
    ambient: Mean = field(default_factory=Mean)
    minimum_um: float = math.inf
    spring_back_um: float = 0.0
    pressure_s: float = 0.0
    unpressed_s: float = 0.0
    hot_min_c: float = math.inf
    hot_max_c: float = -math.inf
    released_ns: int = -1
    exit_age_s: float = 0.0
    recovered_age_s: float = 0.0

    def place_m(self, position_m: float) -> float:
        """Where its middle is, m from the entry."""
        return position_m - self.front_m - PIECE_M / 2


@dataclass(slots=True)
class Ledger:
    """All pieces between the entry and the end of the run-out table.

    Attributes:
        facts: lengths of the machine.
        pieces: oldest first.
        count: pieces begun since the first sheet of this run.
        last_ns: time of the last reading; -1 before the first.
        last_m: belt position then.
        pressure_pa: mean pressure in the heat and in the cold roller group when sheet last lay under
            enough of it to tell; 0 before that.
    """

    facts: MachineFacts
    pieces: deque[Piece] = field(default_factory=deque)
    count: int = 0
    last_ns: int = -1
    last_m: float = 0.0
    pressure_pa: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def scan(self, reading: Reading) -> list[Piece]:
        """Take one reading in.

        Returns:
            Pieces that have passed the second gauge since the last scan, oldest first.
        """
        elapsed_s = (reading.time_ns - self.last_ns) * 1e-9 if self.last_ns >= 0 else 0.0
        self.last_ns, self.last_m = reading.time_ns, reading.position_m
        if reading.entry_thickness_um > 0.0:
            self._enter(reading)
        finished = []
        contact_m = self._contact_m(reading)
        press_m = self.facts.pressing_length_m
        places = [piece.place_m(reading.position_m) for piece in self.pieces]
        achieved = self._achieved(places, reading)
        for piece, place_m in zip(self.pieces, places, strict=True):
            if place_m < press_m:
                if place_m >= contact_m:
                    self._in_press(piece, place_m, achieved, reading, elapsed_s)
            else:
                self._on_table(piece, place_m - press_m, reading)
        while self.pieces and self._passed(self.pieces[0], reading.position_m):
            finished.append(self.pieces.popleft())
        return finished

    def _passed(self, piece: Piece, position_m: float) -> bool:
        gauge_m = self.facts.pressing_length_m + self.facts.recovered_gauge_m
        return piece.place_m(position_m) - PIECE_M / 2 > gauge_m

    def _enter(self, reading: Reading) -> None:
        """Note sheet at the entry; begin the next piece when the last one is inside."""
        if not self.pieces or reading.position_m - self.pieces[-1].front_m >= PIECE_M:
            front_m = reading.position_m
            if self.pieces and front_m - self.pieces[-1].front_m < 2 * PIECE_M:
                front_m = self.pieces[-1].front_m + PIECE_M  # pieces of one sheet lie end to end
            self.pieces.append(Piece(self.count, front_m))
            self.count += 1
        self.pieces[-1].entry.add(reading.entry_thickness_um)

    def _contact_m(self, reading: Reading) -> float:
        """Where in the taper the belts begin to press, m from the entry."""
        opening = reading.entry_clearance_um - reading.taper_clearance_um
        entry_um = self.pieces[-1].entry.value if self.pieces else 0.0
        if opening <= 0.0:
            return 0.0
        fraction = (reading.entry_clearance_um - entry_um) / opening
        return min(max(fraction, 0.0), 1.0) * self.facts.taper_end_m

    def _achieved(self, places: list[float], reading: Reading) -> tuple[tuple[float, float], ...]:
        """(smallest clearance, spring-back in it) of the heat and of the cold roller group, µm.

        The frame sensor shows the clearance without load. At a nip 2 C_n p come on top of it; p there is
        the group's force over the area of the sheet that lies under it, times the machine's nip factor.
        """
        facts = self.facts
        entry_um = self.pieces[0].entry.value if self.pieces else 0.0
        groups = (
            (facts.taper_end_m, facts.heat_end_m, reading.taper_clearance_um, reading.heat_force_kn),
            (facts.heat_end_m, facts.pressing_length_m, reading.cold_clearance_um, reading.cold_force_kn),
        )
        achieved = []
        for number, (start_m, end_m, clearance_um, force_kn) in enumerate(groups):
            covered_m = PIECE_M * sum(start_m <= place_m < end_m for place_m in places)
            if covered_m >= COVERED_PART * (end_m - start_m):
                width_m = min(facts.feed_width_m * max(entry_um / clearance_um, 1.0), facts.working_width_m)
                self.pressure_pa[number] = force_kn * 1e3 / (width_m * min(covered_m, end_m - start_m))
            nip_pa = facts.nip_pressure_factor * self.pressure_pa[number]
            spring_back_um = 2.0 * facts.nip_compliance_m_pa * nip_pa * 1e6
            achieved.append((clearance_um + spring_back_um, spring_back_um))
        return tuple(achieved)

    def _in_press(
        self,
        piece: Piece,
        place_m: float,
        achieved: tuple[tuple[float, float], ...],
        reading: Reading,
        elapsed_s: float,
    ) -> None:
        facts = self.facts
        if place_m < facts.taper_end_m:
            force_kn = reading.entry_force_kn
        else:
            hot = place_m < facts.heat_end_m
            force_kn = reading.heat_force_kn if hot else reading.cold_force_kn
            smallest_um, spring_back_um = achieved[0 if hot else 1]
            if spring_back_um > 0.0 and smallest_um < piece.minimum_um:
                piece.minimum_um, piece.spring_back_um = smallest_um, spring_back_um
        if force_kn > PRESSED_KN:
            piece.pressure_s += elapsed_s
        else:
            piece.unpressed_s += elapsed_s
        zone = facts.heat_zone_at(place_m)
        if zone is not None:
            low_c, high_c = reading.heat_zones_c[zone - 1]
            piece.hot_min_c = min(piece.hot_min_c, low_c)
            piece.hot_max_c = max(piece.hot_max_c, high_c)

    def _on_table(self, piece: Piece, behind_m: float, reading: Reading) -> None:
        if piece.released_ns < 0:
            piece.released_ns = reading.time_ns
        age_s = (reading.time_ns - piece.released_ns) * 1e-9
        if abs(behind_m - self.facts.exit_gauge_m) <= PIECE_M / 2 and reading.exit_thickness_um > 0.0:
            piece.exit.add(reading.exit_thickness_um)
            piece.exit_temperature.add(reading.exit_temperature_c)
            piece.ambient.add(reading.ambient_c)
            piece.exit_age_s = age_s
        if abs(behind_m - self.facts.recovered_gauge_m) <= PIECE_M / 2 and reading.recovered_thickness_um > 0.0:
            piece.recovered.add(reading.recovered_thickness_um)
            piece.recovered_age_s = age_s
