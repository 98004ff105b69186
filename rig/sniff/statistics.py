"""Counts, answer times and the load of the line, in constant memory however long one listens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import exp, floor, log

from rig.protocol import FrameFault, LineTiming
from rig.sniff.decode import Damage, Exchange, Item, Outcome, Stray

__all__ = ["Durations", "Statistics", "Tally"]

_STEPS = 100
"""Steps per factor of e: a percentile is right within half a percent."""


class Durations:
    """Many durations, of which percentiles are asked.

    Attributes:
        count: how many.
        longest_ns: the longest one, ns.
    """

    def __init__(self) -> None:
        self.count = 0
        self.longest_ns = 0
        self._steps: Counter[int] = Counter()

    def add(self, duration_ns: int) -> None:
        """Count one, from 0 on."""
        self.count += 1
        self.longest_ns = max(self.longest_ns, duration_ns)
        self._steps[floor(log(duration_ns) * _STEPS) if duration_ns > 0 else -1] += 1

    def percentile_ns(self, percent: float) -> float | None:
        """So many percent are no longer than this, ns within half a percent; None without any."""
        left = self.count * percent / 100.0
        for step in sorted(self._steps):
            left -= self._steps[step]
            if left <= 0.0:
                return min(exp((step + 0.5) / _STEPS), self.longest_ns) if step >= 0 else 0.0
        return None


@dataclass
class Tally:
    """What happened between the master and one unit with one function.

    Attributes:
        outcomes: requests by how they ended.
        late: answers after their request had been given up.
        stray: answers that nobody asked for.
        delays: from the end of a request to the begin of its answer.
        periods: between requests of the same kind.
    """

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    late: int = 0
    stray: int = 0
    delays: Durations = field(default_factory=Durations)
    periods: Durations = field(default_factory=Durations)

    @property
    def requests(self) -> int:
        """How many requests."""
        return self.outcomes.total()

    @property
    def errors(self) -> int:
        """Requests that the line failed, and answers that came late or unasked."""
        return sum(count for outcome, count in self.outcomes.items() if outcome.is_error) + self.late + self.stray

    @property
    def error_percent(self) -> float:
        """Share of the requests that the line failed, %."""
        failed = sum(count for outcome, count in self.outcomes.items() if outcome.is_error)
        return 100.0 * failed / self.requests if self.requests else 0.0


class Statistics:
    """Of a whole run.

    Attributes:
        tallies: by unit and function.
        faults: pieces of the stream that were no frame, by what was wrong.
        exceptions: by unit, function and code.
        damaged_bytes: in these pieces.
        doubts: answers that may as well be their requests once more.
        line_bytes: all bytes heard, damaged ones included.
        whole_frames: whether there was a frame at all among them.
        first_ns: when the first byte began; None before.
        last_ns: when the last one ended.
    """

    def __init__(self, timing: LineTiming) -> None:
        self._timing = timing
        self.tallies: dict[tuple[int, int], Tally] = {}
        self.faults: Counter[FrameFault] = Counter()
        self.exceptions: Counter[tuple[int, int, int]] = Counter()
        self.damaged_bytes = 0
        self.doubts = 0
        self.line_bytes = 0
        self.whole_frames = False
        self.first_ns: int | None = None
        self.last_ns = 0

    def heard(self, count: int, end_ns: int) -> None:
        """Count bytes on the line, the last of which was complete at `end_ns`."""
        if self.first_ns is None:
            self.first_ns = end_ns - self._timing.frame_ns(count)
        self.line_bytes += count
        self.last_ns = max(self.last_ns, end_ns)

    def add(self, item: Item) -> None:
        """Count what happened."""
        if isinstance(item, Damage):
            if not item.is_joining:
                self.faults[item.frame.fault] += 1
                self.damaged_bytes += len(item.frame.raw)
            return
        tally = self.tallies.setdefault((item.unit, item.function), Tally())
        if isinstance(item, Stray):
            tally.late += item.late_for is not None
            tally.stray += item.late_for is None
            return
        self._exchange(item, tally)

    def _exchange(self, item: Exchange, tally: Tally) -> None:
        tally.outcomes[item.outcome] += 1
        self.doubts += item.in_doubt
        if item.delay_ns is not None:
            tally.delays.add(item.delay_ns)
        if item.period_ns is not None:
            tally.periods.add(max(0, item.period_ns))
        if item.outcome is Outcome.DECLINED and item.response is not None:
            code: int = item.response.raw[2]
            self.exceptions[item.unit, item.function, code] += 1

    @property
    def frames(self) -> int:
        """Whole frames heard."""
        return sum(tally.requests + tally.delays.count + tally.late + tally.stray for tally in self.tallies.values())

    @property
    def errors(self) -> int:
        """Everything that went wrong on the line; an answer that came damaged is one error, not two."""
        damaged = sum(tally.outcomes[Outcome.DAMAGED] for tally in self.tallies.values())
        return sum(tally.errors for tally in self.tallies.values()) - damaged + self.faults.total()

    @property
    def duration_s(self) -> float:
        """From the first byte to the last, s."""
        return 0.0 if self.first_ns is None else (self.last_ns - self.first_ns) * 1e-9

    @property
    def load_percent(self) -> float:
        """Share of the time in which somebody was talking, % (at most 100: bytes may come faster than the line)."""
        duration_s = self.duration_s
        busy_s = self._timing.frame_ns(self.line_bytes) * 1e-9
        return min(100.0, 100.0 * busy_s / duration_s) if duration_s > 0.0 else 0.0

    def rows(self) -> Iterator[tuple[int, int, Tally]]:
        """Unit, function and tally, in order."""
        for unit, function in sorted(self.tallies):
            yield unit, function, self.tallies[unit, function]
