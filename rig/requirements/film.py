"""The film as a virtual press knows it: what became of each parcel of sheet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rig.controller.api import QualityRecord

__all__ = ["FilmTruth", "good_sheet", "truth_of_good_sheet"]


@dataclass(frozen=True, slots=True)
class FilmTruth:
    """What became of one parcel of sheet; only a virtual press can tell.

    Attributes:
        start_m: where the parcel begins, in metres of sheet since the first sheet of this run.
        h0_um: thickness before rolling.
        t0_um: smallest clearance it went through, spring-back included.
        exit_thickness_um: thickness right behind the exit.
        recovered_thickness_um: thickness 600 s after release.
        recovery_percent: r = 100 (t - t0) / t0.
        rolling_coefficient: k, in times·min.
        pressure_time_min: minutes under pressure.
        max_pressure_mpa: highest pressure it met.
        hot_min_c: lowest belt temperature it met in the heat section.
        hot_max_c: highest one.
        cold_end_c: its mean temperature at the end of the cold section.
        pressure_released_between: the pressure went away between the heat and the cold section.
        entered_s: bench time when it came into the press, s; NaN if that is not known.
    """

    start_m: float
    h0_um: float
    t0_um: float
    exit_thickness_um: float
    recovered_thickness_um: float
    recovery_percent: float
    rolling_coefficient: float
    pressure_time_min: float
    max_pressure_mpa: float
    hot_min_c: float
    hot_max_c: float
    cold_end_c: float
    pressure_released_between: bool
    entered_s: float = nan


def good_sheet(quality: Iterable[QualityRecord]) -> tuple[QualityRecord, ...]:
    """The pieces that the controller let pass as product, in the order of the sheet."""
    return tuple(sorted((record for record in quality if record.good), key=lambda record: record.start_m))


def truth_of_good_sheet(good: Sequence[QualityRecord], truth: Iterable[FilmTruth]) -> tuple[FilmTruth, ...]:
    """The parcels that begin inside a good piece, in the order of the sheet.

    A parcel across the border of a piece counts for the piece that it begins in.
    """
    rows = sorted(truth, key=lambda row: row.start_m)
    inside, index = [], 0
    for row in rows:
        while index < len(good) and row.start_m >= good[index].start_m + good[index].length_m:
            index += 1
        if index < len(good) and row.start_m >= good[index].start_m:
            inside.append(row)
    return tuple(inside)
