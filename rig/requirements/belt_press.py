"""CLM-3 and CLM-4: how the press rolled good sheet, by belts and load cells and by the truth of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rig.requirements.claims import LINE_FORCE_LIMIT_KN, Claim
from rig.requirements.film import FilmTruth
from rig.requirements.run import GROUPS, Run, mean_over
from rig.requirements.sheet import entered_truly, first, no_parcels
from rig.requirements.verdict import Judgement, Verdict, combine

if TYPE_CHECKING:
    from rig.trace import Samples

__all__ = ["press", "unreleased"]

SPEED_MEAN_OVER_S = 10.0
"""Belt speeds are compared as means over so many seconds: one count of the encoder is 0.1 % at 1 m/min."""
USUAL_PERIOD_S = 0.1
STANDSTILL_M_MIN = 0.05
"""Below this the belts stand, and a difference in % of their speed means nothing."""
AT_ENTRY, BEHIND_TAPER = GROUPS[:1], GROUPS[1:]
"""Every roller group belongs to one claim: CLM-3 that the press takes the sheet, CLM-4 that it does not let go."""
SPEEDS = ("belt_upper_speed_m_min", "belt_lower_speed_m_min")


def press(claim: Claim, run: Run | None, film: Sequence[FilmTruth] | None, true_run: Run | None) -> Verdict:
    """CLM-3: the belts run together, the entry group presses, and no parcel met no pressure."""
    sensor = None if run is None else _press_in(claim, run)
    true = None
    if film is not None:
        unpressed = [row for row in film if not row.max_pressure_mpa > 0]
        note = f"sheet at {unpressed[0].start_m:.2f} m met no pressure" if unpressed else "all sheet was pressed"
        true = Judgement(not unpressed, note=note, violated_s=first(unpressed, entered_truly)) if film else no_parcels()
        if true_run is not None:
            true = _both(true, _press_in(claim, true_run))
    return combine(claim, sensor, true)


def _both(parcels: Judgement, machine: Judgement) -> Judgement:
    """What became of the sheet and what the machine did, as one judgement that shows the machine's numbers."""
    times = [seen.violated_s for seen in (parcels, machine) if seen.violated_s is not None]
    return replace(
        machine,
        passed=parcels.passed and machine.passed,
        note=f"{machine.note}; {parcels.note}",
        violated_s=min(times, default=None),
    )


def _press_in(claim: Claim, run: Run) -> Judgement:
    if lost := run.missing([*SPEEDS, *_forces(AT_ENTRY)]):
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
    uncertainty = run.uncertainty.belt_mismatch_percent * _fewer_readings(run.tags)
    weakest = run.weakest(AT_ENTRY, while_good)
    if isinstance(weakest, str):
        return Judgement(False, value, margin, uncertainty, weakest)
    group, force_kn, time_s, fell_s = weakest
    apart = rows[mismatch[rows] > claim.limit]
    times = [*run.tags.time_s[apart][:1].tolist(), *([] if fell_s is None else [fell_s])]
    note = f"belts at {run.tags.time_s[row]:.0f} s; {group} group at least {force_kn:.1f} kN, at {time_s:.0f} s"
    return Judgement(
        passed=margin >= 0 and force_kn >= LINE_FORCE_LIMIT_KN,
        value=value,
        margin=margin,
        uncertainty=uncertainty,
        note=note,
        violated_s=min(times, default=None),
    )


def _fewer_readings(tags: Samples) -> float:
    """How much the uncertainty of a mean grows where the belts were read less than 10 times per second."""
    period_s = (tags.time_s[-1] - tags.time_s[0]) / (len(tags) - 1)
    return float(np.sqrt(max(period_s / USUAL_PERIOD_S, 1.0)))


def _mismatch_percent(tags: Samples) -> NDArray[np.float64]:
    """Difference of the belts' mean speeds in % of their mean; NaN where they stand; shape (rows,)."""
    upper, lower = (mean_over(SPEED_MEAN_OVER_S, tags[name], tags.time_s) for name in SPEEDS)
    speed = (upper + lower) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        percent = 100.0 * np.abs(upper - lower) / speed
    return np.where(speed > STANDSTILL_M_MIN, percent, np.nan)


def unreleased(claim: Claim, run: Run | None, film: Sequence[FilmTruth] | None, true_run: Run | None) -> Verdict:
    """CLM-4: from the end of the taper through the cold section the rollers press, and let go of no parcel."""
    sensor = None if run is None else _unreleased_in(claim, run)
    true = None
    if film is not None:
        released = [row for row in film if row.pressure_released_between]
        note = f"released at {released[0].start_m:.2f} m" if released else f"held for all {len(film)} parcels"
        true = Judgement(not released, note=note, violated_s=first(released, entered_truly)) if film else no_parcels()
        if true_run is not None:
            true = _both(true, _unreleased_in(claim, true_run))
    # two ripples read at two moments, far from the limit: what they say is compared, not their size
    return combine(claim, sensor, true, agree=True)


def _unreleased_in(claim: Claim, run: Run) -> Judgement:
    if lost := run.missing(_forces(BEHIND_TAPER)):
        return Judgement(False, note=lost)
    assert run.tracker is not None
    between = run.tracker.pieces_between(run.good, run.stations.taper_end_m, run.stations.cold_m)
    weakest = run.weakest(BEHIND_TAPER, between)
    if isinstance(weakest, str):
        return Judgement(False, note=weakest)
    group, force_kn, time_s, fell_s = weakest
    margin = claim.margin(force_kn)
    return Judgement(margin >= 0, force_kn, margin, run.uncertainty.line_force_kn, f"{group} at {time_s:.0f} s", fell_s)


def _forces(groups: Sequence[str]) -> list[str]:
    return [f"{group}_{side}_line_force_kn" for group in groups for side in ("left", "right")]
