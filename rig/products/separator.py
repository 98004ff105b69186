"""What makes a film a battery separator at all, whatever product it is, and what makes its elastomer show.

The limits of CLM-6 and CLM-7: recipes are held against them before the start (`rig.products.claims`), film after it
(`rig.requirements.separator`). A product's own targets are narrower.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from rig.products.definition import Target

__all__ = ["SEPARATOR", "SHUTDOWN_WINDOW_K", "UNCROSSLINKED_MELTDOWN_ABOVE_K", "room_percent"]

SEPARATOR: Final[Mapping[str, Target]] = {
    "thickness_um": Target(at_least=4.0, at_most=60.0),
    "porosity_percent": Target(at_least=25.0, at_most=70.0),
    "gurley_s": Target(at_most=1000.0),
    "puncture_n": Target(at_least=1.5),
    "shrinkage_105c_percent": Target(at_most=5.0),
    "residual_solvent_percent": Target(at_most=1.0),
}
"""By the names of `FILM_PROPERTIES`: what cells of any kind are made with. Nothing in it asks for crosslinking."""
SHUTDOWN_WINDOW_K: Final = Target(at_least=5.0)
"""Meltdown less shutdown: pores have to stay shut for a while before the film breaks up."""
UNCROSSLINKED_MELTDOWN_ABOVE_K: Final = 15.0
"""Film of polyolefin that nothing crosslinks breaks up at most so far above the melting point."""


def room_percent(limits: Target, value: float) -> float:
    """Distance to the nearer limit in % of that limit, negative beyond it; NaN of NaN.

    Of 20 µm between 4 and 60 µm it is 66.7 %: (60 - 20)/60, which is less than (20 - 4)/4.
    """
    if math.isnan(value):
        return value
    rooms = [100.0 * (value / limits.low - 1.0)] if math.isfinite(limits.low) else []
    if math.isfinite(limits.high):
        rooms.append(100.0 * (1.0 - value / limits.high))
    return min(rooms)
