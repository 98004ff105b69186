"""What the picture shows, taken from a run: from the truth where there is one, else from tags."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rig.report.picture import PressView
from rig.report.summary import RunData
from rig.trace import Samples

__all__ = ["view_of"]

Floats = NDArray[np.float64]

_FAR_M = 2.0  # further than any picture reaches
_SIDES = ("upper", "lower")


def view_of(data: RunData) -> PressView:
    """The press in the middle of production: halfway through the samples with sheet at both ends."""
    tags = data.recording.tags
    row = _moment(tags)
    if row is None:
        return PressView()
    zones = [f"{zone.name}_{side}" for zone in data.geometry.zones for side in _SIDES]
    drums = [f"{drum}_{side}" for drum in ("entry_drum", "exit_drum") for side in _SIDES]
    forces = [_pair(tags, row, f"{group}_{{}}_line_force_kn", 2.0) for group in ("entry", "taper_end", "cold")]
    clearances = [_pair(tags, row, f"{group}_{{}}_clearance_um", 1e-3) for group in ("entry", "taper_end", "cold")]
    entry, taper, cold = (value if np.isfinite(value) else 6.0 for value in clearances)
    speed = np.nanmean([_at(tags, row, f"belt_{side}_speed_m_min", 0.0) for side in _SIDES])
    return PressView(
        zone_c={zone: _at(tags, row, f"{zone}_temperature_c") for zone in zones},
        drum_c={drum: _at(tags, row, f"{drum}_temperature_c") for drum in drums},
        clearance_mm=(entry, taper, cold),
        force_kn=(forces[0], forces[1], forces[2]) if np.isfinite(forces).all() else None,
        thickness_mm=_thickness(data, row, (entry, taper, cold)),
        sheet_c=_sheet_temperature(data, row),
        belt_c=_belt_temperature(data, row),
        speed_m_min=float(speed) if speed > 0 else None,
    )


def _moment(tags: Samples) -> int | None:
    """Row to show; None if nothing was recorded."""
    if not len(tags):
        return None
    wanted = np.ones(len(tags), bool)
    for name in ("exit_thickness_um", "sheet_entry_thickness_um"):
        if name in tags:
            seen = wanted & (np.nan_to_num(tags[name]) > 0)
            wanted = seen if seen.any() else wanted
    rows = np.flatnonzero(wanted)
    return int(rows[len(rows) // 2]) if not wanted.all() else len(tags) - 1


def _thickness(data: RunData, row: int, clearance_mm: tuple[float, float, float]) -> tuple[Floats, Floats]:
    tags, geometry = data.recording.tags, data.geometry
    before = _at(tags, row, "sheet_entry_thickness_um") * 1e-3
    behind = _at(tags, row, "exit_thickness_um") * 1e-3
    recovered = _at(tags, row, "recovered_thickness_um") * 1e-3
    x_m, inside = _profile(data, "thickness_um")
    if len(x_m):
        inside = inside * 1e-3
    elif before > 0:
        x_m = np.linspace(0.0, geometry.exit_m, 84)
        places = (0.0, geometry.taper_end_m, geometry.heat_end_m, geometry.exit_m)
        gap = np.interp(x_m, places, (clearance_mm[0], clearance_mm[1], clearance_mm[1], clearance_mm[2]))
        inside = np.minimum(gap, before)
    else:
        return np.empty(0), np.empty(0)
    points = list(zip(x_m.tolist(), inside.tolist(), strict=True))
    if before > 0:
        points = [(-_FAR_M, before), (x_m[0] - 1e-3, before), *points]
    if behind > 0 and x_m[-1] < geometry.exit_m + geometry.exit_gauge_m:
        points += [(geometry.exit_m + geometry.exit_gauge_m, behind)]
        points += [(geometry.exit_m + _FAR_M, recovered if recovered > 0 else behind)]
    return np.array([x for x, _ in points]), np.array([mm for _, mm in points])


def _sheet_temperature(data: RunData, row: int) -> tuple[Floats, Floats]:
    tags, geometry = data.recording.tags, data.geometry
    x_m, inside = _profile(data, "sheet_temperature_c")
    if not len(x_m):
        x_m, inside = _zone_means(data, row)
    ends = [
        (min(0.0, x_m[0] - 0.05), _at(tags, row, "sheet_entry_temperature_c")),
        (geometry.exit_m + geometry.exit_gauge_m, _at(tags, row, "sheet_exit_temperature_c")),
    ]
    points = [(x, c) for x, c in [ends[0], *zip(x_m, inside, strict=True), ends[1]] if np.isfinite(c)]
    points.sort()
    return np.array([x for x, _ in points]), np.array([c for _, c in points])


def _belt_temperature(data: RunData, row: int) -> tuple[Floats, Floats]:
    tags, geometry = data.recording.tags, data.geometry
    upper_x, upper = _profile(data, "belt_upper_temperature_c")
    _, lower = _profile(data, "belt_lower_temperature_c")
    x_m, inside = (upper_x, (upper + lower) / 2) if len(upper_x) else _zone_means(data, row)
    entry = _pair(tags, row, "belt_{}_entry_temperature_c", 1.0, _SIDES)
    leave = _pair(tags, row, "belt_{}_exit_temperature_c", 1.0, _SIDES)
    points = [(0.0, entry), *zip(x_m, inside, strict=True), (geometry.exit_m, leave)]
    points = sorted((x, c) for x, c in points if np.isfinite(c))
    return np.array([x for x, _ in points]), np.array([c for _, c in points])


def _profile(data: RunData, name: str) -> tuple[Floats, Floats]:
    """A quantity along the machine, by rising x, where it is known; empty arrays without a profile."""
    if not data.profile or name not in data.profile:
        return np.empty(0), np.empty(0)
    order = np.argsort(data.profile["x_m"], kind="stable")
    x_m, values = data.profile["x_m"][order], data.profile[name][order]
    known = np.isfinite(values)
    return x_m[known], values[known]


def _zone_means(data: RunData, row: int) -> tuple[Floats, Floats]:
    """Mean of upper and lower plate at the middle of each zone."""
    tags, zones = data.recording.tags, data.geometry.zones
    means = [_pair(tags, row, f"{zone.name}_{{}}_temperature_c", 1.0, _SIDES) for zone in zones]
    return np.array([zone.middle_m for zone in zones]), np.array(means)


def _pair(tags: Samples, row: int, pattern: str, gain: float, sides: tuple[str, str] = ("left", "right")) -> float:
    """Mean of both sides times `gain`."""
    return gain * sum(_at(tags, row, pattern.format(side)) for side in sides) / 2


def _at(tags: Samples, row: int, name: str, default: float = np.nan) -> float:
    return float(tags[name][row]) if name in tags else default
