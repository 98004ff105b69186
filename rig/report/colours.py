"""Colours that mean the same everywhere in a report: temperatures, series, states."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

__all__ = ["COLD", "HEAT", "SERIES", "STATES", "TEMPERATURE_STOPS", "ink_on", "temperature_colour"]

TEMPERATURE_STOPS: Sequence[tuple[float, str]] = (
    (5.0, "#2563c9"),
    (25.0, "#7db2e0"),
    (60.0, "#e9d8a6"),
    (95.0, "#f2a541"),
    (120.0, "#dd4f2a"),
    (150.0, "#9b1c31"),
)
"""°C -> colour, from chilled to hot; readable on light and on dark paper."""

HEAT = ("#f2a541", "#e8823a", "#dd4f2a", "#b3263a")
COLD = ("#3f8fd6", "#2563c9")
SERIES = ("#d1603d", "#2f7fc1", "#2a9d76", "#8a63c7", "#c99a1d")
"""Colours of curves, apart for people who see red and green alike."""
STATES = (
    "#8fa3b8", "#e0a545", "#c98bb9", "#5aa9d6", "#4fae82", "#8c83d4", "#d98068", "#b5ae6a",
    "#4c79a5", "#a8744f", "#86b7b0", "#7d5a86",
)  # fmt: skip
"""As many as the reference controller has states."""


def temperature_colour(temperature_c: float) -> str:
    """Colour of a temperature in °C, as `#rrggbb`."""
    stops = TEMPERATURE_STOPS
    if not temperature_c > stops[0][0]:  # NaN too
        return stops[0][1]
    for (low_c, low), (high_c, high) in pairwise(stops):
        if temperature_c <= high_c:
            part = (temperature_c - low_c) / (high_c - low_c)
            mixed = (round(a + (b - a) * part) for a, b in zip(_rgb(low), _rgb(high), strict=True))
            return "#" + "".join(f"{channel:02x}" for channel in mixed)
    return stops[-1][1]


def ink_on(colour: str) -> str:
    """Black or white, whichever reads better on `colour`."""
    red, green, blue = _rgb(colour)
    return "#16202b" if 0.299 * red + 0.587 * green + 0.114 * blue > 155 else "#ffffff"


def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
