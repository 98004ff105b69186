"""CLM-1, CLM-2 and CLM-5: what good sheet is, by its quality records and by the truth of its parcels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Protocol, TypeVar

from rig.recipe import COLD_LIMIT_C, HOT_WINDOW_BELOW_MELTING_K
from rig.requirements.claims import Claim
from rig.requirements.film import FilmTruth
from rig.requirements.run import Run, SensorUncertainty
from rig.requirements.verdict import Judgement, Verdict, combine

if TYPE_CHECKING:
    from rig.controller.api import QualityRecord

__all__ = ["coefficient", "entered_truly", "first", "no_parcels", "recovery", "temperatures"]


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


def recovery(
    claim: Claim, good: Sequence[QualityRecord] | None, run: Run | None, film: Sequence[FilmTruth] | None
) -> Verdict:
    """CLM-1: the worst recovery of good sheet."""
    sensor = true = None
    if good is not None:
        sensor = _worst(
            claim, good, lambda p: p.recovery_percent, lambda p: p.recovery_uncertainty_percent, _entered(run)
        )
    if film is not None:
        true = _worst(claim, film, lambda row: row.recovery_percent, lambda row: 0.0, entered_truly)
    return combine(claim, sensor, true)


def coefficient(
    claim: Claim, good: Sequence[QualityRecord] | None, run: Run | None, film: Sequence[FilmTruth] | None
) -> Verdict:
    """CLM-2: the worst rolling coefficient of good sheet."""
    sensor = true = None
    if good is not None:
        sensor = _worst(
            claim, good, lambda p: p.rolling_coefficient, lambda p: p.rolling_coefficient_uncertainty, _entered(run)
        )
    if film is not None:
        true = _worst(claim, film, lambda row: row.rolling_coefficient, lambda row: 0.0, entered_truly)
    return combine(claim, sensor, true)


def _entered(run: Run | None) -> Callable[[QualityRecord], float]:
    """When a piece came into the press, s; without a recording that tells, when its record was made."""
    if run is None or run.tracker is None:
        return lambda piece: piece.time_ns * 1e-9
    tracker = run.tracker
    return lambda piece: tracker.entered_s(piece.start_m)


def entered_truly(row: FilmTruth) -> float:
    """When a parcel came into the press, s."""
    return row.entered_s


def first(bad: Sequence[Row], entered: Callable[[Row], float]) -> float | None:
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
        return no_parcels()
    # a margin that is no number is not on the good side
    violated_s = first([row for row in rows if not claim.margin(value_of(row)) >= 0], entered)
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


def no_parcels() -> Judgement:
    """The truth was asked, and none of it is about good sheet."""
    return Judgement(False, note="none of the parcels that were followed lies in good sheet")


# ------------------------------------------------------------------ CLM-5: the temperatures


def temperatures(
    claim: Claim,
    good: Sequence[QualityRecord] | None,
    run: Run | None,
    film: Sequence[FilmTruth] | None,
    melting_point_c: float,
    uncertainty: SensorUncertainty,
) -> Verdict:
    """CLM-5: how near good sheet came to the edges of the hot window and to the cold limit."""
    sensor = true = None
    if good is not None:
        sensor = _window(claim, good, melting_point_c, uncertainty.temperature_k, _entered(run))
    if film is not None:
        true = _window(claim, film, melting_point_c, 0.0, entered_truly)
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
        return no_parcels()
    low_c, high_c = (melting_point_c - below for below in HOT_WINDOW_BELOW_MELTING_K)
    outside = [
        row
        for row in rows
        if not (low_c <= row.hot_min_c and row.hot_max_c <= high_c and row.cold_end_c <= COLD_LIMIT_C)
    ]
    violated_s = first(outside, entered)
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
