"""The way back: snapshots of a virtual press, for when something turns out to have gone wrong.

A ring of them hangs on a bench and takes one whenever the bench is about to ask or tell the press something and
some seconds of press time have passed. Taking one changes nothing and costs a third of a millisecond.

What went wrong may lie long before the moment at which somebody notices: requirements are judged when a run is over.
So the ring reaches back to the beginning and thins out with age: the last minute is there every few seconds, and
further back the gap between two is at most an eighth of their age. A day takes some hundred snapshots, 30 MB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rig.clock import SECOND_NS

if TYPE_CHECKING:
    from rig.bench import Bench

__all__ = ["DEFAULT_SECONDS", "Kept", "Rewind"]

DEFAULT_SECONDS = 60.0
EVERY_S = 5.0
"""Press time between two snapshots."""
PER_AGE = 8
"""Further back than asked for, the gap between two snapshots is at most their age over this."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A snapshot and the bench time, in ns, that it is from."""

    time_ns: int
    data: bytes


class Rewind:
    """Snapshots of one bench; the first is taken at once.

    Args:
        bench: must be able to fork.
        seconds: how far before something they are to go, s of press time.
        notes: what is to be known of each, asked when it is taken.
        every_s: press time between two, s.
    """

    def __init__(
        self,
        bench: Bench,
        seconds: float = DEFAULT_SECONDS,
        notes: Callable[[], Mapping[str, str]] = dict,
        every_s: float = EVERY_S,
    ) -> None:
        self.bench = bench
        self.notes = notes
        self._reach_ns = round(seconds * SECOND_NS)
        self._every_ns = round(every_s * SECOND_NS)
        self._kept: list[Kept] = []
        self._next_ns = bench.clock.now_ns
        bench.on_request = self.look
        self.look()

    def look(self) -> None:
        """Take a snapshot if it is time."""
        now_ns = self.bench.clock.now_ns
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + self._every_ns
        self._kept.append(Kept(now_ns, self.bench.snapshot(self.notes())))
        self._thin(now_ns)

    def _thin(self, now_ns: int) -> None:
        """Forget those without which the gap is still small for its age; never the first."""
        kept = self._kept
        index = 1
        while index < len(kept) - 1 and kept[index].time_ns < now_ns - self._reach_ns:
            gap_ns = kept[index + 1].time_ns - kept[index - 1].time_ns
            if gap_ns * PER_AGE <= now_ns - kept[index + 1].time_ns:
                del kept[index]
            else:
                index += 1

    def __len__(self) -> int:
        return len(self._kept)

    def before(self, time_s: float | None = None) -> Kept:
        """The last snapshot from at least the seconds asked for before a moment, or the first there is.

        Args:
            time_s: bench time of the moment, s; now if not given.
        """
        time_ns = self.bench.clock.now_ns if time_s is None else round(time_s * SECOND_NS)
        early_enough = [kept for kept in self._kept if kept.time_ns <= time_ns - self._reach_ns]
        return early_enough[-1] if early_enough else self._kept[0]
