"""The way back: snapshots of a virtual press from the last minute, for when something goes wrong.

A ring of them hangs on a bench and takes one whenever the bench is about to ask or tell the press something and
some seconds of press time have passed. Taking one changes nothing and costs a third of a millisecond.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from rig.clock import SECOND_NS

if TYPE_CHECKING:
    from rig.bench import Bench

__all__ = ["DEFAULT_SECONDS", "Rewind"]

DEFAULT_SECONDS = 60.0
EVERY_S = 5.0
"""Press time between two snapshots."""


class Rewind:
    """Snapshots of one bench; the first is taken at once.

    Args:
        bench: must be able to fork.
        seconds: how far back they go, s of press time.
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
        self.notes = notes
        self._bench = bench
        self._reach_ns = round(seconds * SECOND_NS)
        self._every_ns = round(every_s * SECOND_NS)
        self._kept: deque[tuple[int, bytes]] = deque()
        self._next_ns = bench.clock.now_ns
        bench.on_request = self.look
        self.look()

    def look(self) -> None:
        """Take a snapshot if it is time."""
        now_ns = self._bench.clock.now_ns
        if now_ns < self._next_ns:
            return
        self._next_ns = now_ns + self._every_ns
        self._kept.append((now_ns, self._bench.snapshot(self.notes())))
        # the oldest is from before the time asked for, not from after
        while len(self._kept) > 1 and self._kept[1][0] <= now_ns - self._reach_ns:
            self._kept.popleft()

    def oldest(self) -> tuple[float, bytes]:
        """How long ago, in s of press time, and the snapshot from then."""
        time_ns, data = self._kept[0]
        return (self._bench.clock.now_ns - time_ns) / SECOND_NS, data
