"""The map as a picture: r, k, exit temperature and peak pressure side by side, the limits in each of them.

What lies outside the operating window is veiled, so the window reads at a glance; what the press cannot hold is
hatched, not hidden.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rig.errors import UsageError
from rig.explore.data import OperatingMap
from rig.recipe import COLD_LIMIT_C
from rig.report import colours
from rig.requirements import CLAIMS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["PICTURE_FILE", "draw_map"]

PICTURE_FILE = "operating-window.png"
FINE = 241
"""Points per side between which limits and window are found, by linear interpolation of the map."""
DPI = 110
AT_LIMIT = 0.999
"""Pressure is capped at the design pressure: it is reached where this share of it is."""
INK, MUTED, PAPER = "#16202b", "#5b6875", "#ffffff"
STYLE: dict[Any, Any] = {
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.8,
    "axes.labelcolor": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "text.color": INK,
    "hatch.color": INK,
    "hatch.linewidth": 0.5,
}
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Panel:
    """One quantity: its column, title, colours from low to high, and the levels to choose from."""

    column: str
    title: str
    palette: tuple[str, ...]
    ladder: tuple[float, ...]


PANELS = (
    Panel(
        "r_percent",
        "Elastic recovery r in %",
        ("#fdf1e4", "#f2b48a", "#d1603d", "#7d2e1c"),
        (0, 2, 5, 10, 15, 20, 30, 40, 50, 60, 80, 100, 150, 200, 300, 500),
    ),
    Panel(
        "k_times_min",
        "Rolling coefficient k in times·min",
        ("#f0f7f2", "#a6d5c0", "#2a9d76", "#12523c"),
        (0, 1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 40, 60, 100, 200),
    ),
    Panel(
        "exit_temperature_c",
        "Sheet temperature at the exit in °C",
        ("#dcebf9", "#8fbce6", "#e9d8a6", "#f2a541", "#dd4f2a"),
        (0, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 60, 70, 80, 100, 120, 150),
    ),
    Panel(
        "peak_pressure_mpa",
        "Peak pressure in MPa",
        ("#f5f1fb", "#c5b1e6", "#8a63c7", "#43276f"),
        (0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 15, 20),
    ),
)


def draw_map(result: OperatingMap, folder: Path) -> Path:
    """Draw a map, complete or not; returns the path of the PNG.

    Raises:
        UsageError: the folder cannot be written to.
    """
    from matplotlib import rc_context  # noqa: PLC0415 - slow to import

    path = folder / PICTURE_FILE
    with rc_context(STYLE):
        figure = _figure(result)
        try:
            _save(figure, path)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}; choose another --out") from error
    return path


def _save(figure: Figure, path: Path) -> None:
    """As a PNG with a palette: a third of the size, and nobody sees the difference."""
    from PIL import Image  # noqa: PLC0415

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, facecolor=PAPER)
    with Image.open(buffer) as image:
        image.convert("RGB").quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE).save(
            path, optimize=True
        )


def _figure(result: OperatingMap) -> Figure:
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(9.6, 8.4))
    grid = {"left": 0.07, "right": 0.985, "top": 0.915, "bottom": 0.135, "wspace": 0.14, "hspace": 0.2}
    rows = figure.subplots(2, 2, sharex=True, sharey=True, gridspec_kw=grid)
    fine = _Fine(result)
    for axes, panel in zip(rows.flat, PANELS, strict=True):
        _draw(axes, panel, fine)
        axes.set_title(panel.title)
    for axes in rows[1]:
        axes.set_xlabel(result.x.variable.label)
    for axes in rows[:, 0]:
        axes.set_ylabel(result.y.variable.label)
    figure.text(0.07, 0.975, _title(result), fontsize=11.5, weight="bold", va="center")
    figure.legend(
        handles=_legend(fine), loc="lower center", ncols=4, frameon=False, fontsize=8.5, bbox_to_anchor=(0.53, 0.0)
    )
    return figure


def _title(result: OperatingMap) -> str:
    header = result.header
    text = f"Operating window: machine {header['machine']['name']}, gel {header['material']['name']}, "
    text += f"recipe {header['recipe']['name']}"
    text += "".join(f", {name} {value:g}" for name, value in header["set"].items())
    count = int(result.computed.sum())
    return text if result.complete else f"{text} ({count} of {result.computed.size} points)"


class _Fine:
    """A map between its points: bilinear for quantities, nearest for what the press can hold."""

    def __init__(self, result: OperatingMap) -> None:
        self.map = result
        self.x = np.linspace(result.x.values[0], result.x.values[-1], FINE)
        self.y = np.linspace(result.y.values[0], result.y.values[-1], FINE)
        self._columns = _place(result.x.values, self.x)
        self._rows = _place(result.y.values, self.y)
        self.values = {name: self._between(values) for name, values in result.values.items()}
        self.lost = self._nearest(np.where(result.computed, result.values["held"] == 0.0, np.nan))
        margins = np.array(list(result.margins(self.values).values()))
        # NaN wherever a margin is: nothing was computed there
        self.margin: Floats = margins.min(axis=0)

    def _between(self, values: Floats) -> Floats:
        (i, u), (j, v) = self._rows, self._columns
        u = u[:, None]
        low = values[i][:, j] * (1 - v) + values[i][:, j + 1] * v
        high = values[i + 1][:, j] * (1 - v) + values[i + 1][:, j + 1] * v
        return np.asarray(low * (1 - u) + high * u)

    def _nearest(self, values: Floats) -> Floats:
        (i, u), (j, v) = self._rows, self._columns
        return np.asarray(values[i + (u > 0.5)][:, j + (v > 0.5)])


def _place(values: tuple[float, ...], at: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Interval that each place lies in, and how far along."""
    nodes = np.array(values)
    index = np.clip(np.searchsorted(nodes, at, side="right") - 1, 0, len(nodes) - 2)
    return index, np.clip((at - nodes[index]) / (nodes[index + 1] - nodes[index]), 0.0, 1.0)


def _draw(axes: Axes, panel: Panel, fine: _Fine) -> None:
    from matplotlib.colors import BoundaryNorm, LinearSegmentedColormap  # noqa: PLC0415

    result = fine.map
    axes.set(xlim=(fine.x[0], fine.x[-1]), ylim=(fine.y[0], fine.y[-1]))
    values = fine.values[panel.column]
    if np.isfinite(values).any():
        levels = _levels(panel.ladder, values)
        palette = LinearSegmentedColormap.from_list(panel.column, panel.palette)
        norm = BoundaryNorm(levels, palette.N, extend="neither")
        axes.contourf(fine.x, fine.y, values, levels, cmap=palette, norm=norm)
        limits = [limit.value for limit in _limits(fine) if limit.column == panel.column]  # drawn in bold below
        inner = [level for level in levels if np.nanmin(values) < level < np.nanmax(values) and level not in limits]
        if inner:
            lines = axes.contour(fine.x, fine.y, values, inner, colors=INK, linewidths=0.5, alpha=0.55)
            for text in axes.clabel(lines, fmt="%g", fontsize=8, inline_spacing=2):
                text.set(color=INK, alpha=1.0)
        if np.nanmin(fine.margin, initial=0.0) < 0.0:
            axes.contourf(fine.x, fine.y, fine.margin, [-np.inf, 0.0], colors=[PAPER], alpha=0.5)
    if np.nanmax(fine.lost, initial=0.0) > 0.0:
        axes.contourf(fine.x, fine.y, fine.lost, [0.5, 1.5], colors="none", hatches=["////"])
    for line in _limits(fine):
        line.draw(axes)
    _level_line(axes, fine, fine.margin, 0.0, INK, "-", 2.6)
    x, y = result.own_point
    if fine.x[0] <= x <= fine.x[-1] and fine.y[0] <= y <= fine.y[-1]:
        axes.plot(x, y, "*", color=PAPER, markeredgecolor=INK, markersize=13, clip_on=False, zorder=5)


def _levels(ladder: tuple[float, ...], values: Floats) -> list[float]:
    """The rungs that the values span; the outer two go around them."""
    low, high = np.nanmin(values), np.nanmax(values)
    first = max((i for i, rung in enumerate(ladder) if rung <= low), default=0)
    last = min((i for i, rung in enumerate(ladder) if rung >= high), default=len(ladder) - 1)
    levels = list(ladder[first : max(last, first + 1) + 1])
    levels[0], levels[-1] = min(levels[0], low), max(levels[-1], high)
    return levels


@dataclass(frozen=True, slots=True)
class _Limit:
    """A claim's limit: where a quantity has a value, or a place on an axis."""

    label: str
    colour: str
    style: Any
    fine: _Fine
    column: str = ""
    value: float = 0.0
    axis: str = ""

    @property
    def reached(self) -> bool:
        """Whether the limit lies within the map."""
        values = self.fine.values[self.column] if self.column else np.array([self.value])
        return bool(np.isfinite(values).any() and np.nanmin(values) <= self.value <= np.nanmax(values))

    def draw(self, axes: Axes) -> None:
        if self.axis == "x":
            axes.axvline(self.value, color=self.colour, linestyle=self.style, linewidth=2.0)
        elif self.axis == "y":
            axes.axhline(self.value, color=self.colour, linestyle=self.style, linewidth=2.0)
        else:
            _level_line(axes, self.fine, self.fine.values[self.column], self.value, self.colour, self.style, 2.0)


def _limits(fine: _Fine) -> list[_Limit]:
    result = fine.map
    dashed, dotted, mixed = (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2))
    design = result.design_pressure_mpa
    limits = [
        _Limit(f"CLM-1: r {CLAIMS['CLM-1'].limit_text}", "#8c2f14", dashed, fine, "r_percent", CLAIMS["CLM-1"].limit),
        _Limit(f"CLM-2: k {CLAIMS['CLM-2'].limit_text}", "#0b5a40", mixed, fine, "k_times_min", CLAIMS["CLM-2"].limit),
        _Limit(f"CLM-5: exit ≤ {COLD_LIMIT_C:g} °C", colours.COLD[1], dashed, fine, "exit_temperature_c", COLD_LIMIT_C),
        _Limit(f"design pressure {design:g} MPa", "#5b3798", mixed, fine, "peak_pressure_mpa", AT_LIMIT * design),
    ]
    for name, axis in ((result.x, "x"), (result.y, "y")):
        if name.name == "hot_temperature_c":
            low, high = result.hot_window_c
            text = f"CLM-5: hot window {low:g} … {high:g} °C"
            limits += [
                _Limit(text, "#b3263a", dotted, fine, value=edge, axis=axis)
                for edge in (low, high)
                if name.values[0] <= edge <= name.values[-1]
            ]
    return limits


def _level_line(axes: Axes, fine: _Fine, values: Floats, level: float, colour: str, style: Any, width: float) -> None:
    if not (np.isfinite(values).any() and np.nanmin(values) < level < np.nanmax(values)):
        return
    with warnings.catch_warnings():
        # between points that are not there, a level may lie in a range that no cell spans
        warnings.filterwarnings("ignore", message="No contour levels were found")
        axes.contour(fine.x, fine.y, values, [level], colors=[colour], linewidths=width, linestyles=[style])


def _legend(fine: _Fine) -> list[Any]:
    from matplotlib.lines import Line2D  # noqa: PLC0415
    from matplotlib.patches import Patch  # noqa: PLC0415

    lines: dict[str, Any] = {}
    for limit in _limits(fine):
        label = limit.label if limit.reached else f"{limit.label} (not reached)"
        lines.setdefault(label, Line2D([], [], color=limit.colour, linestyle=limit.style, linewidth=2.0, label=label))
    star = Line2D(
        [], [], marker="*", color="none", markerfacecolor=PAPER, markeredgecolor=INK, markersize=12, label="the recipe"
    )
    return [
        *lines.values(),
        Line2D([], [], color=INK, linewidth=2.6, label="inside: all claims hold"),
        Patch(facecolor="none", edgecolor=MUTED, hatch="////", label="the press cannot hold it"),
        star,
    ]
