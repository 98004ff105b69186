"""One run seen from its good sheet: recorded tags, and on a virtual press the true signals in their place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rig.requirements.claims import LINE_FORCE_LIMIT_KN
from rig.requirements.tracking import SheetTracker, Stations

if TYPE_CHECKING:
    from rig.controller.api import QualityRecord
    from rig.trace import Samples

__all__ = ["GROUPS", "Run", "SensorUncertainty", "mean_over"]

GROUPS = ("entry", "taper_end", "cold")
FORCE_MEAN_OVER_S = 1.0
"""Line forces are judged as means over so many seconds; opening and closing a press takes longer."""


@dataclass(frozen=True, slots=True)
class SensorUncertainty:
    """Expanded uncertainties (k = 2) of what quality records do not state themselves.

    Attributes:
        temperature_k: thermocouples and pyrometers against belt and sheet, K.
        line_force_kn: load cells of one roller group, both sides together, kN.
        belt_mismatch_percent: difference of two mean belt speeds, % of their mean, at 10 readings per second.
    """

    temperature_k: float = 2.0
    line_force_kn: float = 0.3
    belt_mismatch_percent: float = 0.05


SIGNAL_OF_TAG = {
    **{f"belt_{side}_speed_m_min": f"{side}_belt_speed_m_min" for side in ("upper", "lower")},
    **{
        f"{group}_{side}_line_force_kn": f"{name}_{side}_line_force_kn"
        for group, name in (("entry", "entry"), ("taper_end", "heat"), ("cold", "cold"))
        for side in ("left", "right")
    },
}
"""What a virtual press calls the quantities that CLM-3 and CLM-4 are judged by."""
EXACT = SensorUncertainty(0.0, 0.0, 0.0)


class Run:
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

    def with_truth(self, signals: Samples) -> Run | None:
        """The same run with the true belt speeds and line forces; None if they were not recorded."""
        if not len(signals) or any(name not in signals for name in SIGNAL_OF_TAG.values()):
            return None
        tags = self.tags
        # what was true when the tags were sampled, or last before it
        rows = np.maximum(np.searchsorted(signals.time_ns, tags.time_ns, side="right") - 1, 0)
        values = tags.values.copy()
        for column, channel in enumerate(tags.channels):
            if signal := SIGNAL_OF_TAG.get(channel.name):
                values[:, column] = signals[signal][rows]
        return Run(replace(tags, values=values), self.good, self.stations, EXACT)

    def missing(self, names: Sequence[str]) -> str:
        """Why these cannot be judged in this recording; empty if they can."""
        lost = [name for name in names if name not in self.tags]
        if lost:
            return f"not recorded: {', '.join(lost)}"
        return "" if self.tracker else "the recording does not tell where the sheet was"

    def line_force_kn(self, group: str) -> NDArray[np.float64]:
        """Of both sides of a roller group, kN; shape (rows,)."""
        both_sides = self.tags[f"{group}_left_line_force_kn"] + self.tags[f"{group}_right_line_force_kn"]
        return mean_over(FORCE_MEAN_OVER_S, both_sides, self.tags.time_s)

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


def mean_over(seconds: float, values: NDArray[np.float64], time_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the known samples of the last `seconds`, NaN if there is none; shape (rows,)."""
    known = ~np.isnan(values)
    total = np.concatenate([[0.0], np.cumsum(np.where(known, values, 0.0))])
    count = np.concatenate([[0], np.cumsum(known)])
    first = np.searchsorted(time_s, time_s - seconds, side="right")
    end = np.arange(1, len(values) + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean: NDArray[np.float64] = (total[end] - total[first]) / (count[end] - count[first])
    return mean
