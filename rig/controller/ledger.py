"""The sheet ledger: follows every piece of sheet through the press by the belts' encoders.

What a piece meets on its way is noted from sensors alone: thickness at the entry, zone temperatures,
achieved clearance, time under pressure, and what both gauges behind the press show when it passes
them. `quality` makes r and k of it.

A scan does not go through all pieces. They lie in one row, oldest first, and `reached` counts for the
beginning of each section how many have got there; a scan moves these counts on, and adds to totals of
the roller groups (see `rig.controller.sections`).
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter

from rig.controller.machine_facts import MachineFacts
from rig.controller.pieces import HALF_M, PIECE_M, Piece, Stay
from rig.controller.sections import COLD, ENTRY, HEAT, Section, note_clearance, note_temperatures, sections_of

__all__ = ["PIECE_M", "Ledger", "Piece", "Reading"]

PRESSED_KN = 1.0
"""A roller group counts as pressing above this force, kN: three times the load cells' noise."""
COVERED_PART = 0.5
"""Below this part of a group under sheet, its force says little about the pressure."""
ROUNDING_M = 1e-6
"""Belt positions so near to the end of a section are looked at exactly."""
SINGLE_TAGS = (
    "belt_upper_position_m", "belt_lower_position_m",
    "sheet_entry_thickness_um", "exit_thickness_um", "recovered_thickness_um", "sheet_exit_temperature_c",
    "ambient_temperature_c",
    *(f"{group}_{edge}_clearance_um" for group in ("entry", "taper_end", "cold") for edge in ("left", "right")),
    *(f"{group}_{edge}_line_force_kn" for group in ("entry", "taper_end", "cold") for edge in ("left", "right")),
)  # fmt: skip
"""What a reading is made from, in this order; then come the plates of the heat zones."""


@dataclass(slots=True)
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
        (
            upper_m, lower_m, entry_um, exit_um, recovered_um, exit_c, ambient_c,
            entry_left_um, entry_right_um, taper_left_um, taper_right_um, cold_left_um, cold_right_um,
            entry_left_kn, entry_right_kn, heat_left_kn, heat_right_kn, cold_left_kn, cold_right_kn,
            *plates_c,
        ) = _gather(zones)(values)  # fmt: skip
        return cls(
            time_ns,
            0.5 * (upper_m + lower_m),
            entry_um,
            exit_um,
            recovered_um,
            exit_c,
            ambient_c,
            (entry_left_um + entry_right_um) / 2,
            (taper_left_um + taper_right_um) / 2,
            (cold_left_um + cold_right_um) / 2,
            entry_left_kn + entry_right_kn,
            heat_left_kn + heat_right_kn,
            cold_left_kn + cold_right_kn,
            tuple([(a, b) if a <= b else (b, a) for a, b in zip(plates_c[::2], plates_c[1::2], strict=True)]),
        )


@cache
def _gather(zones: int) -> Callable[[Mapping[str, float]], tuple[float, ...]]:
    """Takes the tags of a reading out of a mapping, in one go."""
    plates = (f"heat_{zone}_{side}_temperature_c" for zone in range(1, zones + 1) for side in ("upper", "lower"))
    return itemgetter(*SINGLE_TAGS, *plates)


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
        sections: of the press, from the entry on.
        spans: per roller group the numbers of its first section and of the first one behind it.
        reached: how many of `pieces` have reached each section, and last the exit. The first section
            begins for a piece where the belts touch it.
        gauged: how many of `pieces` have passed the first and the second gauge.
        pressed_ns: total time with pressure, per roller group.
        unpressed_ns: total time without.
        next_m: belt position before which no piece comes to the end of its section.
    """

    facts: MachineFacts
    pieces: list[Piece] = field(default_factory=list)
    count: int = 0
    last_ns: int = -1
    last_m: float = 0.0
    pressure_pa: list[float] = field(default_factory=lambda: [0.0, 0.0])
    sections: tuple[Section, ...] = field(init=False)
    spans: tuple[tuple[int, int], ...] = field(init=False)
    reached: list[int] = field(init=False)
    gauged: list[int] = field(default_factory=lambda: [0, 0])
    pressed_ns: list[int] = field(default_factory=lambda: [0, 0, 0])
    unpressed_ns: list[int] = field(default_factory=lambda: [0, 0, 0])
    next_m: float = math.inf

    def __post_init__(self) -> None:
        self.sections = sections_of(self.facts)
        groups = [section.group for section in self.sections]
        self.spans = tuple((bisect_left(groups, group), bisect_right(groups, group)) for group in (ENTRY, HEAT, COLD))
        self.reached = [0] * (len(self.sections) + 1)

    def scan(self, reading: Reading) -> list[Piece]:
        """Take one reading in.

        Returns:
            Pieces that have passed the second gauge since the last scan, oldest first.
        """
        position_m = reading.position_m
        elapsed_ns = reading.time_ns - self.last_ns if self.last_ns >= 0 else 0
        backwards = position_m < self.last_m
        self.last_ns, self.last_m = reading.time_ns, position_m
        if reading.entry_thickness_um > 0.0:
            self._enter(reading)
        if not self.pieces:
            return []
        if backwards:
            self._line_up()
        self._touch(position_m, self._contact_m(reading))
        if position_m >= self.next_m:
            self._move_on(position_m, reading.time_ns)
        self._meet(reading, elapsed_ns)
        if self.reached[-1]:
            self._measure(reading)
        return self._finished(position_m)

    # -- where the pieces are -------------------------------------------------------------------------

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
        if opening <= 0.0:
            return 0.0
        fraction = (reading.entry_clearance_um - self.pieces[-1].entry.value) / opening
        return min(max(fraction, 0.0), 1.0) * self.facts.taper_end_m

    def _line_up(self) -> None:
        """Belts have gone backwards (or the encoders began anew): all pieces are placed again."""
        for index in range(self.reached[-1], self.reached[0]):
            self._settle(index)
        self.reached = [0] * len(self.reached)
        self.gauged = [0, 0]

    def _touch(self, position_m: float, contact_m: float) -> None:
        """Bring pieces into the first section where the belts touch them, and back where they let go again."""
        pieces, reached = self.pieces, self.reached
        while reached[0] < len(pieces) and pieces[reached[0]].place_m(position_m) >= contact_m:
            piece = pieces[reached[0]]
            reached[0] += 1
            self._begin_stay(piece, 0)
        while reached[0] > 0 and pieces[reached[0] - 1].place_m(position_m) < contact_m:
            index = reached[0] - 1
            self._settle(index)
            for number, count in enumerate(reached):
                reached[number] = min(count, index)

    def _move_on(self, position_m: float, time_ns: int) -> None:
        """Bring pieces that have come to the end of their section into the next one."""
        pieces, reached, sections = self.pieces, self.reached, self.sections
        for number, section in enumerate(sections):
            while (index := reached[number + 1]) < reached[number]:
                piece = pieces[index]
                if piece.place_m(position_m) < section.end_m:
                    break
                piece.settle(self.pressed_ns[section.group], self.unpressed_ns[section.group])
                reached[number + 1] += 1
                if number + 1 < len(sections):
                    self._begin_stay(piece, number + 1)
                elif piece.released_ns < 0:
                    piece.released_ns = time_ns
        self.next_m = math.inf
        for number in range(len(sections)):
            if reached[number + 1] < reached[number]:
                self._expect(pieces[reached[number + 1]], number)

    def _begin_stay(self, piece: Piece, number: int) -> None:
        group = self.sections[number].group
        piece.stay = Stay(self.pressed_ns[group], self.unpressed_ns[group])
        self._expect(piece, number)

    def _expect(self, piece: Piece, number: int) -> None:
        """Remember when a piece comes to the end of its section."""
        end_m = piece.front_m + HALF_M + self.sections[number].end_m - ROUNDING_M
        self.next_m = min(self.next_m, end_m)

    def _settle(self, index: int) -> None:
        """End the stay of a piece wherever in the press it is."""
        number = max(number for number, count in enumerate(self.reached) if count > index)
        group = self.sections[number].group
        self.pieces[index].settle(self.pressed_ns[group], self.unpressed_ns[group])

    # -- what they meet -------------------------------------------------------------------------------

    def _meet(self, reading: Reading, elapsed_ns: int) -> None:
        """Let the pieces in the press meet what the sensors show."""
        forces_kn = (reading.entry_force_kn, reading.heat_force_kn, reading.cold_force_kn)
        for group, force_kn in enumerate(forces_kn):
            if force_kn > PRESSED_KN:
                self.pressed_ns[group] += elapsed_ns
            else:
                self.unpressed_ns[group] += elapsed_ns
        pieces, reached, zones_c = self.pieces, self.reached, reading.heat_zones_c
        achieved = self._achieved(reading)
        for number, section in enumerate(self.sections):
            first, last = reached[number + 1], reached[number] - 1
            if first > last:
                continue
            # most readings are no news even for the newest piece: look before calling
            stay = pieces[last].stay
            if section.group != ENTRY:
                clearance_um, spring_back_um = achieved[section.group - HEAT]
                if clearance_um < stay.minimum_um and spring_back_um > 0.0:
                    note_clearance(pieces, first, last, clearance_um, spring_back_um)
            if section.zone is not None:
                low_c, high_c = zones_c[section.zone]
                if low_c < stay.low_c or high_c > stay.high_c:
                    note_temperatures(pieces, first, last, low_c, high_c)

    def _achieved(self, reading: Reading) -> tuple[tuple[float, float], tuple[float, float]]:
        """(smallest clearance, spring-back in it) of the heat and of the cold roller group, µm."""
        facts = self.facts
        heat_m, cold_m = facts.heat_end_m - facts.taper_end_m, facts.pressing_length_m - facts.heat_end_m
        return (
            self._achieved_in(HEAT, heat_m, reading.taper_clearance_um, reading.heat_force_kn),
            self._achieved_in(COLD, cold_m, reading.cold_clearance_um, reading.cold_force_kn),
        )

    def _achieved_in(self, group: int, length_m: float, clearance_um: float, force_kn: float) -> tuple[float, float]:
        """The same of one group.

        The frame sensor shows the clearance without load. At a nip 2 C_n p come on top of it; p there is
        the group's force over the area of the sheet that lies under it, times the machine's nip factor.
        """
        facts = self.facts
        first, last = self.spans[group]
        covered_m = PIECE_M * (self.reached[first] - self.reached[last])
        if covered_m >= COVERED_PART * length_m > 0.0:
            entry_um = self.pieces[0].entry.value
            width_m = min(facts.feed_width_m * max(entry_um / clearance_um, 1.0), facts.working_width_m)
            self.pressure_pa[group - HEAT] = force_kn * 1e3 / (width_m * min(covered_m, length_m))
        nip_pa = facts.nip_pressure_factor * self.pressure_pa[group - HEAT]
        spring_back_um = 2.0 * facts.nip_compliance_m_pa * nip_pa * 1e6
        return clearance_um + spring_back_um, spring_back_um

    def _measure(self, reading: Reading) -> None:
        """Let the gauges behind the exit measure the pieces that lie under them."""
        facts, time_ns = self.facts, reading.time_ns
        if reading.exit_thickness_um > 0.0:
            for piece in self._under_gauge(0, facts.exit_gauge_m):
                piece.exit.add(reading.exit_thickness_um)
                piece.exit_temperature.add(reading.exit_temperature_c)
                piece.ambient.add(reading.ambient_c)
                piece.exit_age_s = (time_ns - piece.released_ns) * 1e-9
        if reading.recovered_thickness_um > 0.0:
            for piece in self._under_gauge(1, facts.recovered_gauge_m):
                piece.recovered.add(reading.recovered_thickness_um)
                piece.recovered_age_s = (time_ns - piece.released_ns) * 1e-9

    def _under_gauge(self, gauge: int, gauge_m: float) -> list[Piece]:
        """Released pieces under a gauge that is `gauge_m` behind the exit."""
        pieces, position_m, press_m = self.pieces, self.last_m, self.facts.pressing_length_m
        under = []
        for index in range(self.gauged[gauge], self.reached[-1]):
            piece = pieces[index]
            beyond_m = piece.place_m(position_m) - press_m - gauge_m
            if beyond_m < -HALF_M:
                break
            if beyond_m > HALF_M:
                self.gauged[gauge] = index + 1
            else:
                under.append(piece)
        return under

    def _finished(self, position_m: float) -> list[Piece]:
        """Take out the pieces that have passed the second gauge."""
        gauge_m = self.facts.pressing_length_m + self.facts.recovered_gauge_m
        pieces, count = self.pieces, 0
        while count < len(pieces) and pieces[count].place_m(position_m) - HALF_M > gauge_m:
            count += 1
        if count == 0:
            return []
        finished = pieces[:count]
        del pieces[:count]
        self.reached = [number - count for number in self.reached]
        self.gauged = [max(number - count, 0) for number in self.gauged]
        return finished
