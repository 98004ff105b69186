"""How the nodes on a line are doing, as their master sees it: counters, response times, and one word.

A node is `good`; `degraded` from the first request that it leaves without a usable answer until it has answered some
in a row; `lost` once it has left several in a row. The master counts, the bench shows (`bench.health`), and a report
adds up what several benches saw.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["LOST_AFTER", "Condition", "NodeHealth", "Pace", "ResponseTimes", "added_up", "told"]

LOST_AFTER = 5
"""So many requests in a row without a usable answer: the node is lost."""
GOOD_AFTER = 20
"""So many usable answers in a row: it is good again."""
FIRST_GUESS_NS = 10_000_000
"""What an answer takes beyond its time on the line before any was heard: silence, and a node that is not in a hurry."""
FOLD_MASK = 0xFFF
"""Response times are counted when this many and one have come together."""
SHARPNESS = 4
"""Response times are counted in 2**4 classes per octave: what is told of them is right within 3 %."""


class Condition(StrEnum):
    """A node in one word."""

    GOOD = "good"
    DEGRADED = "degraded"
    LOST = "lost"


@dataclass(slots=True)
class Pace:
    """How long a node lets its master wait, and how often it is asked while it says nothing.

    Attributes:
        mean_ns: time of an exchange beyond its bytes on the line, smoothed, ns.
        deviation_ns: how much that varies, smoothed, ns.
        silent_scans: scans in a row in which it was asked and nothing came.
        next_scan: number of the scan in which it is asked again.
    """

    mean_ns: int = FIRST_GUESS_NS
    deviation_ns: int = 0
    silent_scans: int = 0
    next_scan: int = 0

    @property
    def overhead_ns(self) -> int:
        """What to plan for an exchange beyond its bytes, ns."""
        return self.mean_ns + 2 * self.deviation_ns


class ResponseTimes:
    """Durations of exchanges, in classes that grow with them: constant memory however long the run."""

    __slots__ = ("_counts", "_fresh", "add")

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()
        # counting is left for when somebody asks: in a scan, a duration is only put down
        self._fresh: list[int] = []
        self.add = self._fresh.append
        """Count a duration in ns; `fold` now and then."""

    def fold(self) -> None:
        """Count what was put down."""
        for duration_ns, count in Counter(self._fresh).items():
            self._counts[_class_of(duration_ns)] += count
        self._fresh.clear()

    def __len__(self) -> int:
        """How many there were."""
        return self._counts.total() + len(self._fresh)

    def quantile_ms(self, part: float) -> float | None:
        """The duration that `part` (0 … 1) of them do not exceed, ms; None where there is none."""
        self.fold()
        wanted, seen = part * self._counts.total(), 0
        for number in sorted(self._counts):
            seen += self._counts[number]
            if seen >= wanted:
                return _middle_ns(number) * 1e-6
        return None

    def include(self, other: ResponseTimes) -> None:
        """Add what another has counted."""
        other.fold()
        self._counts += other._counts


def _class_of(duration_ns: int) -> int:
    """Number of the class that a duration is in."""
    shift = duration_ns.bit_length() - SHARPNESS - 1
    return (shift << SHARPNESS) + (duration_ns >> shift) if shift > 0 else duration_ns


def _middle_ns(number: int) -> int:
    """The middle of a class of durations, ns."""
    if number < 2 << SHARPNESS:
        return number
    shift = (number >> SHARPNESS) - 1
    return ((2 * (number - (shift << SHARPNESS)) + 1) << shift) // 2


@dataclass(slots=True)
class NodeHealth:
    """What a master knows of one node.

    Attributes:
        name: of the node in the register map.
        unit: its address.
        requests: sent to it, those sent again included.
        answers: usable ones.
        retries: requests that were sent again.
        timeouts: requests that nothing answered.
        bad_answers: requests that something answered that cannot be trusted.
        crc_errors: frames with a wrong check sum that came while it had the line.
        exceptions: requests that it declined with a Modbus exception.
        discards: how often something late or unasked was thrown away.
        discarded_bytes: late, unasked or damaged bytes that came while it had the line.
        losses: how often it was lost.
        failures_in_a_row: requests since the last answer of any kind.
        condition: the node in one word.
        oldest_ns: age of the oldest of its values that a controller had to go on with, ns; None where there was none.
        since_ns: bench time since which it is in that condition, ns.
        response: durations from the first byte of a request to the last of its answer.
        pace: what to plan with.
        on_change: told when the condition has changed.
    """

    name: str
    unit: int
    requests: int = 0
    answers: int = 0
    retries: int = 0
    timeouts: int = 0
    bad_answers: int = 0
    crc_errors: int = 0
    exceptions: int = 0
    discards: int = 0
    discarded_bytes: int = 0
    losses: int = 0
    failures_in_a_row: int = 0
    condition: Condition = Condition.GOOD
    since_ns: int = 0
    oldest_ns: int | None = None
    response: ResponseTimes = field(default_factory=ResponseTimes)
    pace: Pace = field(default_factory=Pace)
    on_change: Callable[[NodeHealth], object] | None = field(default=None, repr=False, compare=False)
    _answers_in_a_row: int = 0

    def answered(self, duration_ns: int, wire_ns: int, now_ns: int) -> None:
        """A usable answer came.

        Args:
            duration_ns: from the first byte of the request to the last of the answer, ns.
            wire_ns: what their bytes take on the line, ns.
            now_ns: bench time, ns.
        """
        self.answers += 1
        self.response.add(duration_ns)
        if not self.answers & FOLD_MASK:
            self.response.fold()
        pace = self.pace
        off_ns = duration_ns - wire_ns - pace.mean_ns
        pace.mean_ns += off_ns >> 3
        pace.deviation_ns += (abs(off_ns) - pace.deviation_ns) >> 2
        if self.condition is not Condition.GOOD:
            self._alive(now_ns)

    def declined(self, now_ns: int) -> None:
        """It answered with a Modbus exception: it is there."""
        self.exceptions += 1
        if self.condition is not Condition.GOOD:
            self._alive(now_ns)

    def failed(self, now_ns: int, *, bad: bool) -> None:
        """No answer came that can be used; `bad` if something came."""
        if bad:
            self.bad_answers += 1
        else:
            self.timeouts += 1
        self.failures_in_a_row += 1
        self._answers_in_a_row = 0
        if self.condition is Condition.GOOD:
            self._change(Condition.DEGRADED, now_ns)
        elif self.condition is Condition.DEGRADED and self.failures_in_a_row >= LOST_AFTER:
            self.losses += 1
            self._change(Condition.LOST, now_ns)

    def discarded(self, count: int) -> None:
        """Bytes came that are late, or that nobody asked for."""
        self.discards += 1
        self.discarded_bytes += count

    def aged(self, age_ns: int) -> None:
        """A controller goes on with a value of it that is so old, ns."""
        if self.oldest_ns is None or age_ns > self.oldest_ns:
            self.oldest_ns = age_ns

    def _alive(self, now_ns: int) -> None:
        self.failures_in_a_row = 0
        self._answers_in_a_row += 1
        if self._answers_in_a_row >= GOOD_AFTER:
            self._change(Condition.GOOD, now_ns)
        elif self.condition is Condition.LOST:
            self._change(Condition.DEGRADED, now_ns)

    def _change(self, condition: Condition, now_ns: int) -> None:
        self.condition, self.since_ns = condition, now_ns
        if self.on_change is not None:
            self.on_change(self)

    @property
    def failures(self) -> int:
        """Requests without an answer that says what was asked for."""
        return self.timeouts + self.bad_answers + self.exceptions

    @property
    def clean(self) -> bool:
        """Whether nothing ever went wrong with it."""
        return not (self.timeouts or self.bad_answers or self.exceptions or self.discarded_bytes)

    def __str__(self) -> str:
        troubles = (
            (self.timeouts, "without answer"),
            (self.bad_answers, "with a bad answer"),
            (self.exceptions, "declined"),
        )
        went_wrong = ", ".join(f"{count} {what}" for count, what in troubles if count)
        return f"{self.name} {self.condition}: {self.requests} requests{', ' if went_wrong else ''}{went_wrong}"

    def figures(self) -> dict[str, Any]:
        """All of it as plain data, for files that machines read; response times in ms, None where there was none."""
        response = self.response
        return {
            "node": self.name,
            "unit": self.unit,
            "condition": self.condition.value,
            "since_s": self.since_ns * 1e-9,
            **{name: getattr(self, name) for name in COUNTERS},
            "oldest_data_s": None if self.oldest_ns is None else self.oldest_ns * 1e-9,
            "response_ms": {
                "min": response.quantile_ms(0.0),
                "median": response.quantile_ms(0.5),
                "p99": response.quantile_ms(0.99),
                "max": response.quantile_ms(1.0),
            },
        }


COUNTERS = (
    "requests", "answers", "retries", "timeouts", "bad_answers", "crc_errors", "exceptions", "discards",
    "discarded_bytes", "losses",
)  # fmt: skip
"""What is counted, by name in `NodeHealth`."""
_WORST_LAST = (Condition.GOOD, Condition.DEGRADED, Condition.LOST)


def added_up(several: Iterable[Mapping[str, NodeHealth]]) -> tuple[NodeHealth, ...]:
    """What several benches saw of each node, together; the condition is the worst of those at their ends."""
    total: dict[str, NodeHealth] = {}
    for healths in several:
        for name, health in healths.items():
            here = total.setdefault(name, NodeHealth(health.name, health.unit))
            for counter in COUNTERS:
                setattr(here, counter, getattr(here, counter) + getattr(health, counter))
            here.response.include(health.response)
            if health.oldest_ns is not None:
                here.aged(health.oldest_ns)
            if _WORST_LAST.index(health.condition) > _WORST_LAST.index(here.condition):
                here.condition, here.since_ns = health.condition, health.since_ns
    return tuple(total.values())


def told(healths: Iterable[NodeHealth]) -> str:
    """Which nodes are not good, in a few words: `zone_1 lost, gauge degraded`; empty if all are."""
    return ", ".join(
        f"{health.name} {health.condition}" for health in healths if health.condition is not Condition.GOOD
    )
