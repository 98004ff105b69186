"""The press cut into sections, each of one roller group and at most one heat zone.

All pieces in a section meet the same at the same time. So a piece's time under pressure is the
difference of a running total between its two ends, and a piece that came in earlier has met all that
a later one has: extremes are carried from the newest piece backwards, as far as they are news.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rig.controller.machine_facts import MachineFacts
from rig.controller.pieces import Piece

__all__ = ["COLD", "ENTRY", "HEAT", "Section", "note_clearance", "note_temperatures", "sections_of"]

ENTRY, HEAT, COLD = range(3)
"""Roller groups: the taper, the rest of the heat section, the cold section."""


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of the press.

    Attributes:
        end_m: where it ends and the next one begins, m from the entry.
        group: roller group that presses there.
        zone: heat zone (from 0) that heats there, or None.
    """

    end_m: float
    group: int
    zone: int | None


def sections_of(facts: MachineFacts) -> tuple[Section, ...]:
    """The sections of a press from the entry to the exit."""
    zone_m = facts.heat_length_m / facts.heat_zone_count
    zones = [facts.entry_length_m + number * zone_m for number in range(facts.heat_zone_count)]
    ends = sorted({*zones, facts.taper_end_m, facts.heat_end_m, facts.pressing_length_m})
    sections = []
    start_m = 0.0
    for end_m in ends:
        middle_m = 0.5 * (start_m + end_m)
        group = ENTRY if middle_m < facts.taper_end_m else HEAT if middle_m < facts.heat_end_m else COLD
        zone = facts.heat_zone_at(middle_m)
        sections.append(Section(end_m, group, None if zone is None else zone - 1))
        start_m = end_m
    return tuple(sections)


def note_clearance(pieces: Sequence[Piece], first: int, last: int, clearance_um: float, spring_back_um: float) -> None:
    """Let the pieces `first` … `last` (newest) of a section meet a clearance with its spring-back, µm."""
    for index in range(last, first - 1, -1):
        stay = pieces[index].stay
        if stay.minimum_um <= clearance_um:
            return
        stay.minimum_um, stay.spring_back_um = clearance_um, spring_back_um


def note_temperatures(pieces: Sequence[Piece], first: int, last: int, low_c: float, high_c: float) -> None:
    """Let the pieces `first` … `last` (newest) of a section meet plate temperatures, °C."""
    for index in range(last, first - 1, -1):
        stay = pieces[index].stay
        if stay.low_c <= low_c and stay.high_c >= high_c:
            return
        stay.low_c = min(stay.low_c, low_c)
        stay.high_c = max(stay.high_c, high_c)
