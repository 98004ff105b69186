"""Which sheet was where, worked out from recorded tags alone.

Sheet in the press moves with the belts. So a piece that leaves the press when the belts have run
`b` metres was at a station `d` metres before the exit when they had run `b - d`. That, the counted
length of sheet and the sheet switch at the entry say at every sample what lies under each station.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from rig.controller.api import QualityRecord
    from rig.trace import Samples

__all__ = ["SheetTracker", "Stations"]

EDGE_M = 0.15
"""Sheet counts as present at a station only this far, in metres, behind its beginning and before its end."""

_NEEDED = ("belt_upper_position_m", "belt_lower_position_m", "sheet_length_m", "sheet_at_entry")


@dataclass(frozen=True, slots=True)
class Stations:
    """Where the middles of a press's roller groups are, in metres from the entry (the sheet switch) on.

    The default is the reference machine: 0.25 m of entry, 2.4 m of heat section of which the first
    60 % taper, 1.5 m of cold section. The entry group carries the taper, the taper-end group the
    rest of the heat section, the cold group the cold section.
    """

    entry_m: float = 0.845
    taper_end_m: float = 2.17
    cold_m: float = 3.4
    exit_m: float = 4.15


class SheetTracker:
    """Follows sheet through one recording.

    Args:
        tags: recorded tags; see `possible` for what must be among them.
        stations: where the roller groups are.
    """

    def __init__(self, tags: Samples, stations: Stations) -> None:
        self._stations = stations
        upper, lower = tags["belt_upper_position_m"], tags["belt_lower_position_m"]
        run_m = _filled((upper + lower) / 2)
        self._run_m = np.maximum.accumulate(run_m)
        self._time_s = tags.time_s
        self._at_entry = np.nan_to_num(tags["sheet_at_entry"]) > 0.5
        length_m = np.maximum.accumulate(_filled(tags["sheet_length_m"]))
        self._length_m = length_m - (length_m[0] if len(length_m) else 0.0)

    @staticmethod
    def possible(tags: Samples) -> bool:
        """Whether the recording holds what following the sheet needs."""
        return len(tags) > 1 and all(name in tags and not np.isnan(tags[name]).all() for name in _NEEDED)

    def present_at(self, position_m: float) -> NDArray[np.bool_]:
        """Samples at which sheet, of whatever kind, certainly was at a position; shape (rows,)."""
        here = np.ones(len(self._run_m), bool)
        for offset in (-EDGE_M, 0.0, EDGE_M):
            entered = self._rows_at_run(self._run_m - max(position_m + offset, 0.0))
            here &= np.where(entered >= 0, self._at_entry[np.maximum(entered, 0)], False)
        return here

    def pieces_between(self, pieces: Sequence[QualityRecord], first_m: float, last_m: float) -> NDArray[np.bool_]:
        """Samples at which any of these pieces was between two positions; shape (rows,)."""
        inside = np.zeros(len(self._run_m), bool)
        for begin_m, end_m in _joined(pieces):
            begin_run, end_run = self._run_at_exit(begin_m), self._run_at_exit(end_m)
            earliest = begin_run - (self._stations.exit_m - first_m)
            latest = end_run - (self._stations.exit_m - last_m)
            inside |= (self._run_m >= earliest) & (self._run_m <= latest)
        return inside

    def entered_s(self, sheet_m: float) -> float:
        """Bench time when this metre of sheet came into the press, s; the beginning of the recording if before it."""
        row = self._rows_at_run(np.array([self._run_at_exit(sheet_m) - self._stations.exit_m]))[0]
        return float(self._time_s[max(row, 0)])

    def _run_at_exit(self, sheet_m: float) -> float:
        """How far the belts had run when this metre of sheet left; past the end it goes on evenly."""
        row = int(np.searchsorted(self._length_m, sheet_m, side="left"))
        if row < len(self._length_m):
            return float(self._run_m[row])
        return float(self._run_m[-1] + sheet_m - self._length_m[-1])

    def _rows_at_run(self, run_m: NDArray[np.float64]) -> NDArray[np.intp]:
        """Last row at which the belts had run no further; -1 before the recording began."""
        return np.searchsorted(self._run_m, run_m, side="right") - 1


def _joined(pieces: Sequence[QualityRecord]) -> list[tuple[float, float]]:
    """Stretches of sheet without a gap, in metres, from pieces in the order of the sheet."""
    stretches: list[tuple[float, float]] = []
    for piece in pieces:
        end_m = piece.start_m + piece.length_m
        if stretches and piece.start_m <= stretches[-1][1] + 1e-6:
            stretches[-1] = (stretches[-1][0], max(end_m, stretches[-1][1]))
        else:
            stretches.append((piece.start_m, end_m))
    return stretches


def _filled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unknown samples take the last known value, those at the beginning the first one."""
    known = ~np.isnan(values)
    if known.all() or not known.any():
        return values
    rows = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    return values[np.where(rows < 0, np.argmax(known), rows)]
