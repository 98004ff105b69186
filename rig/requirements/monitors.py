"""One monitor per claim: from sensors alone, and from the truth of the film where a bench offers it.

| claim | from sensors | from the truth |
| --- | --- | --- |
| CLM-1 | largest measured r of good sheet | largest r of the parcels of good sheet |
| CLM-2 | smallest measured k of good sheet | smallest k of the parcels of good sheet |
| CLM-3 | belt speeds (mean of 10 s) while good sheet was in the press, and the line force of every roller group with sheet under it | every parcel was pressed |
| CLM-4 | line forces at the end of the taper and in the cold section, with sheet under them, while good sheet was between | no parcel was released between hot and cold |
| CLM-5 | zone temperatures that good sheet met, its temperature at the end of the cold section | belt temperatures that the parcels met, their temperature at the end of the cold section |
"""  # noqa: E501 - a table

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from rig.recipe import COLD_LIMIT_C, HOT_WINDOW_BELOW_MELTING_K
from rig.requirements.claims import CLAIMS, LINE_FORCE_LIMIT_KN, Claim
from rig.requirements.film import FilmTruth, good_sheet, truth_of_good_sheet
from rig.requirements.tracking import SheetTracker, Stations
from rig.requirements.verdict import Judgement, Verdict, combine

if TYPE_CHECKING:
    from rig.controller.api import QualityRecord
    from rig.trace import Samples

__all__ = ["NO_GOOD_SHEET", "SensorUncertainty", "judge"]

NO_GOOD_SHEET = "no good sheet was made"

SPEED_MEAN_OVER_S = 10.0
"""Belt speeds are compared as means over so many seconds: one count of the encoder is 0.1 % at 1 m/min."""
FORCE_MEAN_OVER_S = 1.0
"""Line forces are judged as means over so many seconds; opening and closing a press takes longer."""
STANDSTILL_M_MIN = 0.05
"""Below this the belts stand, and a difference in % of their speed means nothing."""
GROUPS = ("entry", "taper_end", "cold")

_SPEEDS = ("belt_upper_speed_m_min", "belt_lower_speed_m_min")


class _PieceOfSheet(Protocol):
    @property
    def start_m(self) -> float: ...


class _TemperedSheet(_PieceOfSheet, Protocol):
    @property
    def hot_min_c(self) -> float: ...
    @property
    def hot_max_c(self) -> float: ...
    @property
    def cold_end_c(self) -> float: ...


Row = TypeVar("Row", bound=_PieceOfSheet)
Strip = TypeVar("Strip", bound=_TemperedSheet)


@dataclass(frozen=True, slots=True)
class SensorUncertainty:
    """Expanded uncertainties (k = 2) of what quality records do not state themselves.

    Attributes:
        temperature_k: thermocouples and pyrometers against belt and sheet, K.
        line_force_kn: load cells of one roller group, both sides together, kN.
        belt_mismatch_percent: difference of two mean belt speeds, % of their mean.
    """

    temperature_k: float = 2.0
    line_force_kn: float = 0.3
    belt_mismatch_percent: float = 0.05


def judge(
    quality: Sequence[QualityRecord] | None,
    tags: Samples | None,
    *,
    melting_point_c: float,
    truth: Sequence[FilmTruth] | None = None,
    stations: Stations | None = None,
    uncertainty: SensorUncertainty | None = None,
) -> tuple[Verdict, ...]:
    """Judge CLM-1 to CLM-5 for one run, by the rules of `rig.requirements.verdict`.

    Args:
        quality: what the controller found out about the sheet; None if it has no quality gate. Then
            everything counts as product, and only the truth can judge it.
        tags: what was recorded through the wire; None if nothing was.
        melting_point_c: Tm of the polyolefin, °C.
        truth: what became of the film; None on a real press.
        stations: where the roller groups are; the reference machine if not given.
        uncertainty: of what quality records do not state themselves.

    Returns:
        One verdict per claim, in their order.
    """
    stations, uncertainty = stations or Stations(), uncertainty or SensorUncertainty()
    good = None if quality is None else good_sheet(quality)
    if good is not None and not good:
        nothing = Judgement(False, note=NO_GOOD_SHEET)
        return tuple(combine(claim, nothing, None) for claim in CLAIMS.values())
    film = truth
    if truth is not None and good is not None:
        film = truth_of_good_sheet(good, truth)
    run = None if tags is None or good is None else _Run(tags, good, stations, uncertainty)
    return (
        _recovery(CLAIMS["CLM-1"], good, run, film),
        _coefficient(CLAIMS["CLM-2"], good, run, film),
        _press(CLAIMS["CLM-3"], run, film),
        _unreleased(CLAIMS["CLM-4"], run, film),
        _temperatures(CLAIMS["CLM-5"], good, run, film, melting_point_c, uncertainty),
    )


# ------------------------------------------------------------------ CLM-1, CLM-2: the film


def _recovery(
    claim: Claim, good: Sequence[QualityRecord] | None, run: _Run | None, film: Sequence[FilmTruth] | None
) -> Verdict:
    sensor = true = None
    if good is not None:
        sensor = _worst(
            claim, good, lambda p: p.recovery_percent, lambda p: p.recovery_uncertainty_percent, _entered(run)
        )
    if film is not None:
        true = _worst(claim, film, lambda row: row.recovery_percent, lambda row: 0.0, _entered_truly)
    return combine(claim, sensor, true)


def _coefficient(
    claim: Claim, good: Sequence[QualityRecord] | None, run: _Run | None, film: Sequence[FilmTruth] | None
) -> Verdict:
    sensor = true = None
    if good is not None:
        sensor = _worst(
            claim, good, lambda p: p.rolling_coefficient, lambda p: p.rolling_coefficient_uncertainty, _entered(run)
        )
    if film is not None:
        true = _worst(claim, film, lambda row: row.rolling_coefficient, lambda row: 0.0, _entered_truly)
    return combine(claim, sensor, true)


def _entered(run: _Run | None) -> Callable[[QualityRecord], float]:
    """When a piece came into the press, s; without a recording that tells, when its record was made."""
    if run is None or run.tracker is None:
        return lambda piece: piece.time_ns * 1e-9
    tracker = run.tracker
    return lambda piece: tracker.entered_s(piece.start_m)


def _entered_truly(row: FilmTruth) -> float:
    return row.entered_s


def _first(bad: Sequence[Row], entered: Callable[[Row], float]) -> float | None:
    """When the first of these came into the press, s; None if there are none or nobody knows."""
    return min((time_s for row in bad if isfinite(time_s := entered(row))), default=None)


def _worst(
    claim: Claim,
    rows: Sequence[Row],
    value_of: Callable[[Row], float],
    uncertainty_of: Callable[[Row], float],
    entered: Callable[[Row], float],
) -> Judgement:
    """Judge by the row that is nearest to, or furthest beyond, the limit."""
    if not rows:
        return _no_parcels()
    # a margin that is no number is not on the good side
    violated_s = _first([row for row in rows if not claim.margin(value_of(row)) >= 0], entered)
    if unknown := next((row for row in rows if not isfinite(value_of(row))), None):
        return Judgement(False, note=f"no number for the sheet at {unknown.start_m:.2f} m", violated_s=violated_s)
    worst = min(rows, key=lambda row: claim.margin(value_of(row)))
    value = value_of(worst)
    margin = claim.margin(value)
    return Judgement(
        passed=margin >= 0,
        value=value,
        margin=margin,
        uncertainty=uncertainty_of(worst),
        note=f"sheet at {worst.start_m:.2f} m, worst of {len(rows)}",
        violated_s=violated_s,
    )


def _no_parcels() -> Judgement:
    return Judgement(False, note="none of the parcels that were followed lies in good sheet")


# ------------------------------------------------------------------ CLM-3, CLM-4: the press


class _Run:
    """Recorded tags seen from the good sheet."""

    def __init__(
        self,
        tags: Samples,
        good: Sequence[QualityRecord],
        stations: Stations,
        uncertainty: SensorUncertainty,
    ) -> None:
        self.tags, self.good, self.stations, self.uncertainty = tags, good, stations, uncertainty
        self.tracker = SheetTracker(tags, stations) if SheetTracker.possible(tags) else None
        self.station_m = dict(zip(GROUPS, (stations.entry_m, stations.taper_end_m, stations.cold_m), strict=True))

    def missing(self, names: Sequence[str]) -> str:
        lost = [name for name in names if name not in self.tags]
        if lost:
            return f"not recorded: {', '.join(lost)}"
        return "" if self.tracker else "the recording does not tell where the sheet was"

    def line_force_kn(self, group: str) -> NDArray[np.float64]:
        both_sides = self.tags[f"{group}_left_line_force_kn"] + self.tags[f"{group}_right_line_force_kn"]
        return _mean_over(FORCE_MEAN_OVER_S, both_sides, self.tags.time_s)

    def weakest(
        self, groups: Sequence[str], while_good: NDArray[np.bool_]
    ) -> tuple[str, float, float, float | None] | str:
        """What presses least under sheet, or what is wrong.

        Returns:
            Group with the smallest force, that force in kN, its time in s, and when the first group fell below the
            limit, in s, if one did.
        """
        assert self.tracker is not None
        found: list[tuple[float, str, float]] = []
        fell: list[float] = []
        for group in groups:
            rows = np.flatnonzero(while_good & self.tracker.present_at(self.station_m[group]))
            force_kn = self.line_force_kn(group)[rows]
            if not len(rows) or np.isnan(force_kn).any():
                return f"line force of {group} is not known while good sheet was in the press"
            row = int(np.argmin(force_kn))
            found.append((float(force_kn[row]), group, float(self.tags.time_s[rows[row]])))
            fell += self.tags.time_s[rows[force_kn < LINE_FORCE_LIMIT_KN]][:1].tolist()
        force, group, time_s = min(found)
        return group, force, time_s, min(fell, default=None)


def _press(claim: Claim, run: _Run | None, film: Sequence[FilmTruth] | None) -> Verdict:
    sensor = None if run is None else _press_by_sensors(claim, run)
    true = None
    if film is not None:
        unpressed = [row for row in film if not row.max_pressure_mpa > 0]
        note = f"sheet at {unpressed[0].start_m:.2f} m met no pressure" if unpressed else "all sheet was pressed"
        first_s = _first(unpressed, _entered_truly)
        true = Judgement(not unpressed, note=note, violated_s=first_s) if film else _no_parcels()
    return combine(claim, sensor, true)


def _press_by_sensors(claim: Claim, run: _Run) -> Judgement:
    forces = [f"{group}_{side}_line_force_kn" for group in GROUPS for side in ("left", "right")]
    if lost := run.missing([*_SPEEDS, *forces]):
        return Judgement(False, note=lost)
    assert run.tracker is not None
    while_good = run.tracker.pieces_between(run.good, 0.0, run.stations.exit_m)
    mismatch = _mismatch_percent(run.tags)
    rows = np.flatnonzero(while_good & np.isfinite(mismatch))
    if not len(rows):
        return Judgement(False, note="no sample of running belts with good sheet in the press")
    row = int(rows[np.argmax(mismatch[rows])])
    value = float(mismatch[row])
    margin = claim.margin(value)
    weakest = run.weakest(GROUPS, while_good)
    if isinstance(weakest, str):
        return Judgement(False, value, margin, run.uncertainty.belt_mismatch_percent, weakest)
    group, force_kn, time_s, fell_s = weakest
    apart = rows[mismatch[rows] > claim.limit]
    times = [*run.tags.time_s[apart][:1].tolist(), *([] if fell_s is None else [fell_s])]
    note = f"belts at {run.tags.time_s[row]:.0f} s; weakest group {group}, {force_kn:.1f} kN at {time_s:.0f} s"
    return Judgement(
        passed=margin >= 0 and force_kn >= LINE_FORCE_LIMIT_KN,
        value=value,
        margin=margin,
        uncertainty=run.uncertainty.belt_mismatch_percent,
        note=note,
        violated_s=min(times, default=None),
    )


def _mismatch_percent(tags: Samples) -> NDArray[np.float64]:
    """Difference of the belts' mean speeds in % of their mean; NaN where they stand; shape (rows,)."""
    upper, lower = (_mean_over(SPEED_MEAN_OVER_S, tags[name], tags.time_s) for name in _SPEEDS)
    speed = (upper + lower) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        percent = 100.0 * np.abs(upper - lower) / speed
    return np.where(speed > STANDSTILL_M_MIN, percent, np.nan)


def _mean_over(seconds: float, values: NDArray[np.float64], time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the known samples of the last `seconds`, NaN if there is none; shape (rows,)."""
    known = ~np.isnan(values)
    total = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    count = np.concatenate([[0], np.cumsum(known)])
    first = np.searchsorted(time_s, time_s - seconds, side="right")
    end = np.arange(1, len(values) + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean: NDArray[np.float64] = (total[end] - total[first]) / (count[end] - count[first])
    return mean


def _unreleased(claim: Claim, run: _Run | None, film: Sequence[FilmTruth] | None) -> Verdict:
    sensor = None if run is None else _unreleased_by_sensors(claim, run)
    true = None
    if film is not None:
        released = [row for row in film if row.pressure_released_between]
        note = f"released at {released[0].start_m:.2f} m" if released else f"held for all {len(film)} parcels"
        first_s = _first(released, _entered_truly)
        true = Judgement(not released, note=note, violated_s=first_s) if film else _no_parcels()
    return combine(claim, sensor, true)


def _unreleased_by_sensors(claim: Claim, run: _Run) -> Judgement:
    groups = GROUPS[1:]
    if lost := run.missing([f"{group}_{side}_line_force_kn" for group in groups for side in ("left", "right")]):
        return Judgement(False, note=lost)
    assert run.tracker is not None
    between = run.tracker.pieces_between(run.good, run.stations.taper_end_m, run.stations.cold_m)
    weakest = run.weakest(groups, between)
    if isinstance(weakest, str):
        return Judgement(False, note=weakest)
    group, force_kn, time_s, fell_s = weakest
    margin = claim.margin(force_kn)
    note = f"{group} at {time_s:.0f} s"
    return Judgement(margin >= 0, force_kn, margin, run.uncertainty.line_force_kn, note, fell_s)


# ------------------------------------------------------------------ CLM-5: the temperatures


def _temperatures(
    claim: Claim,
    good: Sequence[QualityRecord] | None,
    run: _Run | None,
    film: Sequence[FilmTruth] | None,
    melting_point_c: float,
    uncertainty: SensorUncertainty,
) -> Verdict:
    sensor = true = None
    if good is not None:
        sensor = _window(claim, good, melting_point_c, uncertainty.temperature_k, _entered(run))
    if film is not None:
        true = _window(claim, film, melting_point_c, 0.0, _entered_truly)
    agree = None
    if good and film:
        seen, were = _extremes(good), _extremes(film)
        agree = all(abs(a - b) <= uncertainty.temperature_k for a, b in zip(seen, were, strict=True))
    return combine(claim, sensor, true, agree=agree)


def _extremes(rows: Sequence[Strip]) -> tuple[float, float, float]:
    return (
        min(row.hot_min_c for row in rows),
        max(row.hot_max_c for row in rows),
        max(row.cold_end_c for row in rows),
    )


def _window(
    claim: Claim,
    rows: Sequence[Strip],
    melting_point_c: float,
    uncertainty_k: float,
    entered: Callable[[Strip], float],
) -> Judgement:
    if not rows:
        return _no_parcels()
    low_c, high_c = (melting_point_c - below for below in HOT_WINDOW_BELOW_MELTING_K)
    outside = [
        row
        for row in rows
        if not (low_c <= row.hot_min_c and row.hot_max_c <= high_c and row.cold_end_c <= COLD_LIMIT_C)
    ]
    violated_s = _first(outside, entered)
    if unknown := next(
        (row for row in rows if not all(map(isfinite, (row.hot_min_c, row.hot_max_c, row.cold_end_c)))), None
    ):
        return Judgement(False, note=f"no temperature for the sheet at {unknown.start_m:.2f} m", violated_s=violated_s)
    hot_min_c, hot_max_c, cold_end_c = _extremes(rows)
    value, which = min(
        (hot_min_c - low_c, f"hot from {hot_min_c:.1f} °C, lower edge {low_c:g} °C"),
        (high_c - hot_max_c, f"hot up to {hot_max_c:.1f} °C, upper edge {high_c:g} °C"),
        (COLD_LIMIT_C - cold_end_c, f"cold end {cold_end_c:.1f} °C, limit {COLD_LIMIT_C:g} °C"),
    )
    margin = claim.margin(value)
    return Judgement(margin >= 0, value, margin, uncertainty_k, which, violated_s)
