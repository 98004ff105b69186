"""What a comparison hands back: numbers with their limits, and a picture.

Comparisons are plain functions. They take how hard to look (`Effort`), and return a `Comparison`; pytest
asserts its numbers, `python -m tests.validation` prints them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rig.report.figures import CARD, INK, drawing, to_svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]


class Effort(Enum):
    """How hard to look: `QUICK` is what `make test` affords."""

    QUICK = "quick"
    FULL = "full"


@dataclass(frozen=True)
class Number:
    """One result; without a limit it is for information."""

    name: str
    value: float
    unit: str = ""
    at_most: float | None = None
    at_least: float | None = None

    @property
    def judged(self) -> bool:
        """Whether it has a limit."""
        return self.at_most is not None or self.at_least is not None

    @property
    def holds(self) -> bool:
        """Within its limits; a number that is none never is."""
        if not self.judged:
            return True
        low = -math.inf if self.at_least is None else self.at_least
        high = math.inf if self.at_most is None else self.at_most
        return low <= self.value <= high

    @property
    def limit_text(self) -> str:
        """The limits as people write them."""
        if self.at_least is not None and self.at_most is not None:
            return f"{_limit(self.at_least)} … {_limit(self.at_most)}"
        if self.at_most is not None:
            return f"≤ {_limit(self.at_most)}"
        return f"≥ {_limit(self.at_least)}" if self.at_least is not None else "—"


def _limit(value: float) -> str:
    """All its digits, which are few, and powers of ten as `raised` writes them."""
    text = f"{value:g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = raised(int(exponent)) if mantissa == "1" else f"{mantissa}·{raised(int(exponent))}"
    return text.replace("-", "−")


def raised(exponent: int) -> str:
    """A power of ten: `10⁻⁶`."""
    return "10" + str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


@dataclass(frozen=True)
class Comparison:
    """One comparison, ready to be read."""

    title: str
    what: str
    """What is held against what, and how to read the picture."""
    numbers: Sequence[Number]
    svg: str
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def holds(self) -> bool:
        """Every limit is kept."""
        return all(number.holds for number in self.numbers)


Compare = Callable[[Effort], Comparison]


def panels(draw: Callable[..., None], count: int, name: str, description: str, height_in: float = 3.3) -> str:
    """A row of axes, drawn on by `draw(*axes)`, as inline SVG in the style of the reports."""
    from matplotlib.figure import Figure

    with drawing():
        figure: Figure = Figure(figsize=(9.6, height_in), layout="constrained")
        axes: Sequence[Axes] = figure.subplots(1, count, squeeze=False)[0]
        draw(*axes)
        for one in axes:
            _tidy(one)
        return to_svg(figure, name, description)


def _tidy(axes: Axes) -> None:
    """Legends stand clear of curves behind them, and labels of logarithmic axes clear of one another."""
    if (legend := axes.get_legend()) is not None:
        legend.set_frame_on(True)
        legend.get_frame().set(facecolor=CARD, edgecolor="none", alpha=0.85)
    for axis, scale in ((axes.xaxis, axes.get_xscale()), (axes.yaxis, axes.get_yscale())):
        if scale == "log":
            _label_decades(axis)


def _label_decades(axis: Axis) -> None:
    from matplotlib.ticker import FuncFormatter, NullFormatter

    low, high = sorted(axis.get_view_interval())
    if not 0.9e-3 <= low <= high <= 2e3:
        axis.set_minor_formatter(NullFormatter())
        return
    # numbers that people read as they are; between powers of ten only where there are few of these
    between = {0: (2, 3, 4, 6, 8), 1: (2, 5)}.get(int(math.log10(high / low)), ())

    def label(value: float, _: object = None) -> str:
        digit = round(value / 10 ** math.floor(math.log10(value) + 1e-9))
        return f"{value:g}" if digit in (1, *between) else ""

    axis.set_major_formatter(FuncFormatter(label))
    axis.set_minor_formatter(FuncFormatter(label))


def mark(axes: Axes, x: float, text: str) -> None:
    """A dashed upright line with its name on the right of its upper end."""
    axes.axvline(x, color=INK, linewidth=0.8, linestyle=(0, (5, 3)))
    axes.annotate(
        text, (x, 0.99), xycoords=("data", "axes fraction"), xytext=(4, 0), textcoords="offset points",
        fontsize=8.5, va="top",
    )  # fmt: skip


def order_of(step: Sequence[float], error: Sequence[float]) -> float:
    """Observed order of convergence: slope of log error over log step, least squares."""
    return float(np.polyfit(np.log(step), np.log(np.maximum(error, 1e-300)), 1)[0])


def orders(step: Sequence[float], error: Sequence[float]) -> list[float]:
    """Order between neighbouring steps."""
    return [
        math.log(b / a) / math.log(y / x)
        for (x, y), (a, b) in zip(pairwise(step), pairwise(error), strict=True)
        if a > 0.0 and b > 0.0
    ]


def draw_convergence(axes: Axes, step: Sequence[float], error: Sequence[float], colour: str, label: str) -> None:
    """Errors over steps, log-log, with the fitted line."""
    slope = order_of(step, error)
    x = np.asarray(step)
    fit = np.exp(np.polyval(np.polyfit(np.log(x), np.log(np.maximum(error, 1e-300)), 1), np.log(x)))
    axes.loglog(x, error, "o", color=colour, markersize=4.5, label=f"{label}, order {slope:.2f}")
    axes.loglog(x, fit, color=colour, linewidth=0.9, alpha=0.7)
