"""matplotlib figures as inline SVG that follows the page's colours and fonts.

Figures are drawn with marker colours for ink, muted ink, grid, page and card; in the SVG these
become CSS variables, so one picture serves the light and the dark page. Text stays text.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["CARD", "GRID", "INK", "MUTED", "PAPER", "drawing", "legend", "limit_line", "new_figure", "thin", "to_svg"]

INK, MUTED, GRID, PAPER, CARD = "#010203", "#020304", "#030405", "#040506", "#050607"
_VARIABLES = {INK: "var(--ink)", MUTED: "var(--muted)", GRID: "var(--line)", PAPER: "var(--paper)", CARD: "var(--card)"}
_WIDTH_IN = 9.6
_LEFT_IN, _RIGHT_IN, _TOP_IN, _BOTTOM_IN, _BETWEEN_IN = 0.66, 1.2, 0.22, 0.5, 0.2
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "press-rig",
    "font.size": 9.5,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "text.color": INK,
    "figure.facecolor": "none",
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.3,
    "lines.solid_capstyle": "round",
}


@contextmanager
def drawing() -> Iterator[None]:
    """Everything drawn inside has the report's style."""
    from matplotlib import rc_context  # noqa: PLC0415 - slow to import

    with rc_context(_STYLE):
        yield


def new_figure(height_in: float, ratios: Sequence[float] = (1.0,)) -> tuple[Figure, list[Axes]]:
    """A figure as wide as the page with one column of axes that share x.

    The margins are fixed, so that the time axes of all figures lie under one another.

    Args:
        height_in: height in inches (the page is 9.6 wide).
        ratios: relative heights of the axes, from the top.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    figure = Figure(figsize=(_WIDTH_IN, height_in))
    grid = {
        "left": _LEFT_IN / _WIDTH_IN,
        "right": 1 - _RIGHT_IN / _WIDTH_IN,
        "bottom": _BOTTOM_IN / height_in,
        "top": 1 - _TOP_IN / height_in,
        "hspace": _BETWEEN_IN * len(ratios) / (height_in - _BOTTOM_IN - _TOP_IN),
    }
    axes = figure.subplots(len(ratios), 1, sharex=True, squeeze=False, height_ratios=list(ratios), gridspec_kw=grid)
    figure.align_ylabels(axes[:, 0].tolist())
    return figure, list(axes[:, 0])


def legend(axes: Axes) -> None:
    """Explain the curves at the right of the axes, if any has a label."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(loc="upper left", bbox_to_anchor=(1.005, 1.02), borderaxespad=0.0)


def limit_line(axes: Axes, value: float, text: str) -> None:
    """A dashed horizontal line for a limit, with its text at the right end."""
    axes.axhline(value, color=INK, linewidth=1.0, linestyle=(0, (5, 3)), zorder=1.5)
    axes.annotate(
        text, (0.996, value), xycoords=("axes fraction", "data"), xytext=(0, 3), textcoords="offset points",
        color=INK, fontsize=8.5, ha="right",
        # curves that pass behind the text do not strike it through
        bbox={"facecolor": CARD, "edgecolor": "none", "alpha": 0.8, "pad": 0.5},
    )  # fmt: skip


def thin(
    x: NDArray[np.float64], y: NDArray[np.float64], points: int = 900
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fewer points that draw the same curve: the lowest and highest of each stretch; shapes (n,)."""
    if len(x) <= points:
        return x, y
    edges = np.linspace(0, len(x), points // 2 + 1).astype(int)
    keep: set[int] = {0, len(x) - 1}
    for first, end in pairwise(edges.tolist()):
        part = y[first:end]
        if np.isnan(part).all():
            keep.add(first)
        else:
            keep |= {int(first + np.nanargmin(part)), int(first + np.nanargmax(part))}
            if np.isnan(part).any():
                keep.add(int(first + np.argmax(np.isnan(part))))
    rows = np.array(sorted(keep))
    return x[rows], y[rows]


def to_svg(figure: Figure, name: str, description: str) -> str:
    """The figure as an `<svg>` element.

    Args:
        figure: made by `new_figure`.
        name: unique on the page; begins every id in the SVG.
        description: for people who cannot see it.
    """
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\sxmlns(:xlink)?="[^"]*"', "", svg)
    svg = svg.replace("xlink:href=", "href=")
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", svg)
    svg = re.sub(r"font-family: [^;\"]*", "font-family: var(--sans)", svg)
    svg = re.sub(r"font: ([^;\"']*?px) [^;\"]*", r"font: \1 var(--sans)", svg)
    for marker, variable in _VARIABLES.items():
        svg = svg.replace(marker, variable)
    label = description.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return re.sub(
        r'<svg height="[^"]*"([^>]*?) width="[^"]*"|<svg width="[^"]*" height="[^"]*"([^>]*?)',
        lambda match: f'<svg role="img" aria-label="{label}"{match[1] or match[2] or ""}',
        svg,
        count=1,
    )
