"""A parcel as it leaves the press between ideal belts, before it has recovered."""

from __future__ import annotations

from typing import Any

from emulator.config import Machine, Material
from emulator.press.rolling import Pass, roll_parcel

__all__ = ["rolled_parcel"]


def rolled_parcel(machine: Machine, material: Material, how: Pass) -> tuple[Any, float]:
    """What `rolling.roll` rolls, and its thickness [m] after `how.rest_s` by the press's own recovery."""
    parcels, rolled = roll_parcel(machine, material, how)
    return parcels, rolled.truth["t_600_m"]
