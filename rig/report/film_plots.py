"""The film along the run, sensor against truth, and the machine along its length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rig.report import colours
from rig.report.figures import INK, MUTED, drawing, legend, limit_line, new_figure, thin, to_svg
from rig.report.geometry import PressGeometry
from rig.report.plots import Plot
from rig.report.summary import RunData
from rig.requirements import CLAIMS, Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from rig.controller.api import QualityRecord

__all__ = ["film_plots"]


def film_plots(data: RunData) -> tuple[Plot, ...]:
    """Film quality along the run, and the profile along the machine."""
    with drawing():
        plots = (_quality(data), _profile(data.profile, data.geometry) if data.profile else None)
    return tuple(plot for plot in plots if plot is not None)


def _quality(data: RunData) -> Plot | None:
    if not data.quality and not data.film:
        return None
    figure, (upper, lower) = new_figure(5.0, (1.0, 1.0))
    records = sorted(data.quality, key=lambda record: record.start_m)
    for axes, claim, measured, spread, true, symbol in (
        (upper, CLAIMS["CLM-1"], "recovery_percent", "recovery_uncertainty_percent", "recovery_percent", "r"),
        (lower, CLAIMS["CLM-2"], "rolling_coefficient", "rolling_coefficient_uncertainty", "rolling_coefficient", "k"),
    ):  # fmt: skip
        _scrap(axes, records)
        if data.film:
            rows = sorted(data.film, key=lambda row: row.start_m)
            x, y = thin(_column(rows, "start_m"), _column(rows, true))
            axes.plot(x, y, color=INK, linewidth=1.1, label="truth")
        if records:
            x, y = _column(records, "start_m") + _column(records, "length_m") / 2, _column(records, measured)
            half = _column(records, spread)
            axes.fill_between(x, y - half, y + half, color=colours.SERIES[1], alpha=0.22, linewidth=0)
            axes.plot(x, y, ".", color=colours.SERIES[1], markersize=4, label="sensors")
        _view(axes, claim, data, measured)
        limit_line(axes, claim.limit, f"limit {claim.limit_text}")
        axes.set_ylabel(f"{symbol} in {claim.unit}")
    legend(upper)
    lower.set_xlabel("Sheet since the start of the run in m")
    caption = (
        "Elastic recovery r and rolling coefficient k of each piece of sheet, as the controller works "
        "them out from its sensors (the band is its uncertainty), and as the virtual press knows them. "
        "Grey: sheet sent to scrap."
    )
    svg = to_svg(figure, "quality", "Elastic recovery and rolling coefficient along the sheet, with their limits")
    return Plot("Film quality along the run", caption, svg)


def _view(axes: Axes, claim: Claim, data: RunData, measured: str) -> None:
    """Keep limit and good sheet in view; scrap may leave it."""
    good = [getattr(record, measured) for record in data.quality if record.good]
    known = [value for value in good or [getattr(row, measured) for row in data.film or ()] if np.isfinite(value)]
    low, high = min([*known, claim.limit]), max([*known, claim.limit])
    room = 0.35 * (high - low) or 1.0
    axes.set_ylim(max(low - room, 0.0), high + room)


def _scrap(axes: Axes, records: Sequence[QualityRecord]) -> None:
    """Shade stretches of sheet that were not let pass."""
    begin: float | None = None
    stretches: list[tuple[float, float]] = []
    for record in records:
        if not record.good and begin is None:
            begin = record.start_m
        if record.good and begin is not None:
            stretches.append((begin, record.start_m))
            begin = None
    if begin is not None:
        stretches.append((begin, records[-1].start_m + records[-1].length_m))
    for index, (start, end) in enumerate(stretches):
        label = "scrap" if index == 0 else None
        axes.axvspan(start, end, color=MUTED, alpha=0.14, linewidth=0, label=label)


def _profile(profile: Mapping[str, NDArray[np.float64]], geometry: PressGeometry) -> Plot | None:
    x_m = profile["x_m"]
    if not len(x_m):
        return None
    figure, (thickness, temperature, pressure) = new_figure(6.2, (1.0, 1.2, 0.9))
    for axes in (thickness, temperature, pressure):
        axes.axvspan(geometry.entry_length_m, geometry.heat_end_m, color=colours.HEAT[1], alpha=0.10, linewidth=0)
        axes.axvspan(geometry.heat_end_m, geometry.exit_m, color=colours.COLD[0], alpha=0.12, linewidth=0)
        axes.axvline(geometry.taper_end_m, color=MUTED, linewidth=0.8, linestyle=(0, (1, 2)))
    for place, text in (
        ((geometry.entry_length_m + geometry.heat_end_m) / 2, "heat rolling"),
        ((geometry.heat_end_m + geometry.exit_m) / 2, "cold pressing"),
    ):
        thickness.annotate(
            text, (place, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3), textcoords="offset points",
            ha="center", fontsize=9, color=INK,
        )  # fmt: skip
    _along(thickness, profile, "gap_um", MUTED, "clearance", gain=1e-3, style=(0, (4, 2)))
    _along(thickness, profile, "thickness_um", colours.SERIES[2], "sheet", gain=1e-3)
    _along(temperature, profile, "belt_upper_temperature_c", colours.HEAT[2], "upper belt")
    _along(temperature, profile, "belt_lower_temperature_c", colours.HEAT[0], "lower belt", style=(0, (3, 2)))
    _along(temperature, profile, "sheet_temperature_c", colours.SERIES[2], "sheet, mean")
    _along(pressure, profile, "pressure_mpa", colours.SERIES[3], None)
    thickness.set(ylabel="Thickness in mm", ylim=(0, None))
    temperature.set(ylabel="Temperature in °C")
    pressure.set(ylabel="Pressure in MPa", ylim=(0, None), xlabel="Place along the press in m")
    for axes in (thickness, temperature):
        legend(axes)
    caption = (
        "One moment of production along the machine: the sheet thins down the taper (to the dotted line) "
        "and stays under pressure through the cold section. Only a virtual press can show this."
    )
    svg = to_svg(figure, "profile", "Thickness, temperature and pressure along the press")
    return Plot("Along the machine", caption, svg)


def _along(
    axes: Axes,
    profile: Mapping[str, NDArray[np.float64]],
    name: str,
    colour: str,
    label: str | None,
    *,
    gain: float = 1.0,
    style: str | tuple[int, tuple[int, int]] = "-",
) -> None:
    values = profile.get(name)
    if values is None or not np.isfinite(values).any():
        return
    order = np.argsort(profile["x_m"], kind="stable")
    x, y = thin(profile["x_m"][order], values[order] * gain)
    axes.plot(x, y, color=colour, label=label, linestyle=style)


def _column(rows: Sequence[object], name: str) -> NDArray[np.float64]:
    return np.array([getattr(row, name) for row in rows], np.float64)
