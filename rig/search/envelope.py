"""Where a search has been: heat, speed, pressure and what was wrong, in boxes that are counted."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise, product
from typing import Final

import numpy as np

from rig.scenario import Played
from rig.virtual import FAULT_KINDS

__all__ = ["AXES", "GROUPS", "Box", "boxes", "boxes_of", "labels"]

Box = tuple[str, str, str, str]
"""Kind of fault, heat, speed, pressure."""
SOUND: Final = "no fault"
GROUPS: Final = (SOUND, *dict.fromkeys(str(known["group"]) for known in FAULT_KINDS.values()))
AXES: Final[tuple[tuple[str, str, tuple[float, ...]], ...]] = (
    ("heat_2_upper_temperature_c", "°C", (40.0, 80.0, 105.0, 115.0, 125.0)),
    ("belt_upper_speed_m_min", "m/min", (0.05, 0.5, 0.9, 1.1, 2.0)),
    ("entry_left_line_force_kn", "kN", (1.0, 20.0, 60.0, 150.0)),
)
"""Signal, unit and the edges between its boxes."""
EVERY: Final = 10
"""One of so many samples is looked at: one a second."""


def labels(edges: tuple[float, ...]) -> tuple[str, ...]:
    """Names of the boxes between edges."""
    between = [f"{low:g} … {high:g}" for low, high in pairwise(edges)]
    return (f"< {edges[0]:g}", *between, f"> {edges[-1]:g}")


def boxes() -> list[Box]:
    """All there are."""
    heat, speed, force = (labels(edges) for _, _, edges in AXES)
    return list(product(GROUPS, heat, speed, force))


def boxes_of(played: Played) -> Counter[Box]:
    """Seconds that a run has spent in each box, by the last fault that had begun."""
    tags = played.recording.tags
    if not len(tags) or any(name not in tags for name, _, _ in AXES):
        return Counter()
    rows = slice(None, None, EVERY)
    places = []
    for name, _, edges in AXES:
        names = labels(edges)
        places.append([names[place] for place in np.searchsorted(edges, np.nan_to_num(tags[name][rows]))])
    seconds = (tags.time_ns[rows] - played.begun_ns) * 1e-9
    faults = [
        (event.at_s, FAULT_KINDS[event.name]["group"]) for event in played.scenario.events if event.kind == "fault"
    ]
    groups = [next((str(group) for at_s, group in reversed(faults) if at_s <= now_s), SOUND) for now_s in seconds]
    return Counter(zip(groups, *places, strict=True))
