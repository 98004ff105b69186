"""Curves of one run over time, as inline SVG.

Time is in minutes of bench time. A plot whose channels were not recorded, or never had a value, is
left out rather than shown empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rig.recipe import COLD_LIMIT_C, HOT_WINDOW_BELOW_MELTING_K
from rig.report import colours
from rig.report.figures import INK, PAPER, drawing, legend, limit_line, new_figure, thin, to_svg
from rig.report.summary import RunData

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rig.trace import Recording, Samples

__all__ = ["Plot", "time_plots"]

NS_PER_MIN = 60e9
Dashes = str | tuple[int, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Plot:
    """A finished picture: SVG, and the words that go with it."""

    title: str
    caption: str
    svg: str


def time_plots(data: RunData) -> tuple[Plot, ...]:
    """States, zone temperatures, clearances and forces, thickness gauges."""
    with drawing():
        plots = (_states(data), _temperatures(data), _clearances(data), _gauges(data))
    return tuple(plot for plot in plots if plot is not None)


def _states(data: RunData) -> Plot | None:
    events = data.recording.events
    changes = [event for event in events if event.kind == "state"]
    if not changes:
        return None
    begin, end = _span_min(data.recording)
    figure, (axes,) = new_figure(1.6)
    axes.grid(visible=False)
    names = list(dict.fromkeys(event.text for event in changes))
    edges = [*(event.time_ns / NS_PER_MIN for event in changes), end]
    named, shown = set(), {name: colours.STATES[index % len(colours.STATES)] for index, name in enumerate(names)}
    for event, (start, stop) in zip(changes, pairwise(edges), strict=True):
        colour = shown[event.text]
        axes.broken_barh(
            [(start, max(stop - start, 0.0))], (0.0, 1.0), facecolors=colour, edgecolor=PAPER, linewidth=1.2
        )
        if stop - start > 0.0095 * (end - begin) * len(event.text):
            named.add(event.text)
            axes.text(
                (start + stop) / 2, 0.5, event.text.replace("_", " "), ha="center", va="center",
                fontsize=9, color=colours.ink_on(colour),
            )  # fmt: skip
    marks = {
        "operator": ("v", colours.SERIES[1]),
        "alarm": ("X", colours.SERIES[0]),
        "deadline": ("|", INK),
        "fault": ("D", colours.SERIES[3]),
    }
    for kind, (marker, colour) in marks.items():
        times = [event.time_ns / NS_PER_MIN for event in events if event.kind == kind]
        if times:
            axes.plot(times, [1.3] * len(times), marker, color=colour, markersize=6, label=kind, clip_on=False)
    # states that are over before their name fits in are explained beside
    for name, colour in shown.items():
        if name not in named:
            axes.broken_barh([], (0.0, 1.0), facecolors=colour, label=name.replace("_", " "))
    axes.set(ylim=(0.0, 1.55), xlim=(begin, end), yticks=[], xlabel="Time in min")
    axes.spines["left"].set_visible(False)
    legend(axes)
    caption = "What the controller was doing, with operator requests, alarms and missed deadlines above."
    return Plot("Controller states", caption, to_svg(figure, "states", f"Controller states: {', '.join(names)}"))


def _temperatures(data: RunData) -> Plot | None:
    tags = data.recording.tags
    figure, (axes,) = new_figure(3.5)
    drawn = 0
    for zone in data.geometry.zones:
        palette = colours.HEAT if zone.section == "heat" else colours.COLD
        colour = palette[(int(zone.name.rpartition("_")[2]) - 1) % len(palette)]
        for side, style in (("upper", "-"), ("lower", (0, (3, 2)))):
            label = zone.name.replace("_", " ") if side == "upper" else None
            drawn += _curve(axes, tags, f"{zone.name}_{side}_temperature_c", colour, label, style=style)
    if not drawn:
        return None
    low_c, high_c = (data.melting_point_c - below for below in HOT_WINDOW_BELOW_MELTING_K)
    axes.axhspan(low_c, high_c, color=colours.HEAT[1], alpha=0.12, linewidth=0)
    axes.annotate(
        f"hot window {low_c:g} … {high_c:g} °C", (0.996, high_c), xycoords=("axes fraction", "data"),
        xytext=(0, 3), textcoords="offset points", fontsize=8.5, color=INK, ha="right",
    )  # fmt: skip
    limit_line(axes, COLD_LIMIT_C, f"cold limit {COLD_LIMIT_C:g} °C")
    axes.set(ylabel="Temperature in °C", xlabel="Time in min", xlim=_span_min(data.recording))
    legend(axes)
    caption = "Zone plates; solid above the sheet, dashed below it. Heat rolling must stay in the shaded window."
    return Plot("Zone temperatures", caption, to_svg(figure, "temperatures", "Zone temperatures over time in °C"))


def _clearances(data: RunData) -> Plot | None:
    tags = data.recording.tags
    figure, (upper, lower) = new_figure(4.4, (1.0, 1.0))
    drawn = 0
    for colour, group in zip(colours.SERIES, ("entry", "taper_end", "cold"), strict=False):
        label = group.replace("_", " ")
        drawn += _mean_curve(upper, tags, f"{group}_{{}}_clearance_um", colour, label, total=False, gain=1e-3)
        drawn += _mean_curve(lower, tags, f"{group}_{{}}_line_force_kn", colour, label, total=True, gain=1.0)
    if not drawn:
        return None
    upper.set(ylabel="Clearance in mm", xlim=_span_min(data.recording), ylim=(0, None))
    lower.set(ylabel="Line force in kN", xlabel="Time in min", ylim=(0, None))
    legend(upper)
    caption = "Roller clearance (mean of left and right) and force of each roller group (left and right together)."
    svg = to_svg(figure, "clearances", "Clearances in mm and line forces in kN over time")
    return Plot("Clearance and force", caption, svg)


def _gauges(data: RunData) -> Plot | None:
    tags = data.recording.tags
    figure, (upper, lower) = new_figure(4.0, (0.8, 1.2))
    drawn = _curve(upper, tags, "sheet_entry_thickness_um", colours.SERIES[3], "entry", gain=1e-3, hide_zero=True)
    drawn += _curve(lower, tags, "exit_thickness_um", colours.SERIES[1], "exit", hide_zero=True)
    drawn += _curve(lower, tags, "recovered_thickness_um", colours.SERIES[0], "recovered", hide_zero=True)
    if not drawn:
        return None
    upper.set(ylabel="Before, in mm", xlim=_span_min(data.recording))
    lower.set(ylabel="After, in µm", xlabel="Time in min")
    upper.margins(y=0.6)
    for axes in (upper, lower):
        legend(axes)
    caption = "Thickness gauges: ahead of the entry, behind the exit, and at the end of the run-out table."
    return Plot("Sheet thickness", caption, to_svg(figure, "gauges", "Sheet thickness over time"))


# ------------------------------------------------------------------ helpers


def _span_min(recording: Recording) -> tuple[float, float]:
    times = recording.tags.time_ns
    if not len(times):
        return 0.0, 1.0
    begin, end = float(times[0]) / NS_PER_MIN, float(times[-1]) / NS_PER_MIN
    if begin < 0.01 * end:
        begin = 0.0  # the first poll comes a scan after the press
    return begin, max(end, begin + 1e-3)


def _curve(
    axes: Axes,
    tags: Samples,
    name: str,
    colour: str,
    label: str | None,
    *,
    style: Dashes = "-",
    gain: float = 1.0,
    hide_zero: bool = False,
) -> int:
    """Draw one tag; 1 if there was anything to draw."""
    if name not in tags:
        return 0
    values = np.where(tags[name] == 0.0, np.nan, tags[name]) if hide_zero else tags[name]
    return _draw(axes, tags, values * gain, colour, label, style=style)


def _mean_curve(axes: Axes, tags: Samples, pattern: str, colour: str, label: str, *, total: bool, gain: float) -> int:
    names = [pattern.format(side) for side in ("left", "right")]
    if not all(name in tags for name in names):
        return 0
    both = tags[names[0]] + tags[names[1]]
    return _draw(axes, tags, (both if total else both / 2) * gain, colour, label)


def _draw(
    axes: Axes,
    tags: Samples,
    values: NDArray[np.float64],
    colour: str,
    label: str | None,
    *,
    style: Dashes = "-",
) -> int:
    if not np.isfinite(values).any():
        return 0
    x, y = thin(tags.time_ns / NS_PER_MIN, values)
    axes.plot(x, y, color=colour, label=label, linestyle=style)
    return 1
