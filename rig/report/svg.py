"""Small pieces of SVG for hand-drawn pictures. All coordinates are in pixels of the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

__all__ = ["arrow_arc", "bracket", "gradient", "label"]


def gradient(
    name: str, start: float, end: float, stops: Sequence[tuple[float, str]], *, of_object: bool = False
) -> str:
    """A horizontal colour gradient; stops are (0 … 1, colour). With `of_object` it spans what it fills."""
    inner = "".join(f'<stop offset="{offset:.4f}" stop-color="{colour}"/>' for offset, colour in stops)
    units = "objectBoundingBox" if of_object else "userSpaceOnUse"
    return (
        f'<linearGradient id="{name}" gradientUnits="{units}" x1="{start:.1f}" x2="{end:.1f}" y1="0" y2="0">'
        f"{inner}</linearGradient>"
    )


def label(x: float, y: float, text: str, anchor: str = "middle", kind: str = "") -> str:
    """A word; `anchor` is start, middle or end, `kind` a class of the picture's style."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" class="{kind}">{escape(text)}</text>'


def bracket(left: float, right: float, y: float, text: str) -> str:
    """A line with end ticks that point down, and its word on it in the middle."""
    middle, half = (left + right) / 2, 4.0 * len(text) + 6
    return (
        f'<path class="thin" d="M{left:.1f},{y + 6:.1f} V{y:.1f} H{middle - half:.1f} '
        f'M{middle + half:.1f},{y:.1f} H{right:.1f} V{y + 6:.1f}"/>' + label(middle, y + 4, text)
    )


def arrow_arc(x: float, y: float, radius: float, *, clockwise: bool) -> str:
    """An arrow along the top of a circle, to show which way it turns."""
    spread = 0.62 if clockwise else -0.62
    (from_x, from_y), (to_x, to_y) = (
        (x + radius * math.sin(angle), y - radius * math.cos(angle)) for angle in (-spread, spread)
    )
    # the head points along the circle
    ahead = spread + (0.2 if clockwise else -0.2)
    tip = (x + radius * math.sin(ahead), y - radius * math.cos(ahead))
    wings = [
        (x + (radius + width) * math.sin(spread), y - (radius + width) * math.cos(spread)) for width in (4.5, -4.5)
    ]
    head = " ".join(f"{a:.1f},{b:.1f}" for a, b in (wings[0], tip, wings[1]))
    return (
        f'<path d="M{from_x:.1f},{from_y:.1f} A{radius:.1f},{radius:.1f} 0 0 {int(clockwise)} '
        f'{to_x:.1f},{to_y:.1f}" fill="none" stroke="#16202b" stroke-opacity="0.7" stroke-width="2"/>'
        f'<polygon points="{head}" fill="#16202b" fill-opacity="0.7"/>'
    )
