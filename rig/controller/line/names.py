"""The inputs of the stations that the line controller acts on, and how often it wants them.

They are in no poll of the press: a group per node, each read once per second, the laboratory every ten.
"""

from __future__ import annotations

from typing import Final

from rig.schedule import PollSchedule

__all__ = ["LABORATORY", "SCHEDULE", "STATIONS", "STATUS", "shows"]

STATIONS: Final = ("kneader", "caster", "tail", "stretcher", "desolvator", "heat_setter", "winder")
"""Nodes of the line, which are also groups of tags."""
STATUS: Final = {name: f"{name}_status_word" for name in STATIONS}
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


def shows(values: object, bit: str) -> bool:
    """Whether a status word has this bit; one that was never read has none."""
    return isinstance(values, frozenset) and bit in values
