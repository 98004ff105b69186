"""The inputs of the stations that the line controller acts on, and how often it wants them.

They are in no poll of the press: a group per node, each read once per second, the laboratory every ten.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from rig.controller.api import Value
from rig.schedule import PollSchedule

__all__ = ["FOLLOWED", "LABORATORY", "SCHEDULE", "STATIONS", "STATUS", "number", "shows"]

STATIONS: Final = ("kneader", "caster", "tail", "stretcher", "desolvator", "heat_setter", "winder")
"""Nodes of the line, which are also groups of tags."""
STATUS: Final = {name: f"{name}_status_word" for name in STATIONS}
FOLLOWED: Final = (
    "kneader_polyolefin_kg_h",
    "caster_speed_m_min",
    "store_stored_m",
    "tail_speed_m_min",
    "loop_stored_m",
    "winder_roll",
    "winder_roll_length_m",
)
"""What the books are kept by; a group is read at once, so one of each says that all of it is there."""
EVERY_SCANS: Final = 10
LABORATORY_EVERY_SCANS: Final = 100
SCHEDULE: Final = PollSchedule({**dict.fromkeys(STATIONS, EVERY_SCANS), "laboratory": LABORATORY_EVERY_SCANS})
LABORATORY: Final = {
    "thickness_um": "laboratory_thickness_um",
    "porosity_percent": "laboratory_porosity_percent",
    "gurley_s": "laboratory_gurley_s",
    "puncture_n": "laboratory_puncture_n",
    "shrinkage_105c_percent": "laboratory_shrinkage_percent",
    "shutdown_c": "laboratory_shutdown_c",
    "meltdown_c": "laboratory_meltdown_c",
}
"""Tag by property of the film; residual solvent is not measured."""


def shows(word: object, bit: str) -> bool:
    """Whether a status word has this bit; one that was never read has none."""
    return isinstance(word, frozenset) and bit in word


def number(values: Mapping[str, Value], name: str) -> float:
    """A numeric input; not a number where it was never read."""
    value = values.get(name)
    return float(value) if isinstance(value, (int, float)) else math.nan
