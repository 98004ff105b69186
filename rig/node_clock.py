"""How old a poll is, told by the node's own clock.

Every image of the input registers carries the time at which the node sampled it (`sample_time_ms`). An answer that was
delayed on the way, or is the answer to an earlier request, shows an earlier time than it should: without this it would
pass for fresh. The smallest difference between both clocks seen so far is the way without delay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rig.protocol.registers import Value

__all__ = ["SAMPLE_TIME", "NodeClock"]

SAMPLE_TIME: Final = "sample_time_ms"
"""The tag of the I/O node's own time; with a node's name before it that of another."""
MS_NS: Final = 1_000_000
TURN_NS: Final = (1 << 32) * MS_NS
"""The node's clock begins anew after so long: 49.7 days."""
EARLY_NS: Final = 10_000_000_000
"""The first poll may have been so late that later ones seem to come so much too early."""
DRIFT: Final = 2e-4
"""Two clocks run apart by less than so much, both of them quartz within 100 ppm."""
JITTER_NS: Final = 75_000_000
"""Polls this much older than the freshest count as fresh: a scan of the node, and some waiting on the line."""
RESTART_NS: Final = 100_000_000
"""A node that has started anew shows less time than has passed since it was last heard, give or take this."""


@dataclass(slots=True)
class NodeClock:
    """The node's clock as a master sees it.

    Attributes:
        restarts: how often the node has started anew.
        heard_ns: when it was last heard in time, ns; None before.
        ahead_ns: bench time less node time, on the shortest way, ns.
        turns_ns: for how long the node's clock has counted before it began anew, ns.
    """

    restarts: int = 0
    heard_ns: int | None = None
    ahead_ns: int = 0
    turns_ns: int = 0

    def sensed_ns(self, values: Mapping[str, Value], now_ns: int, tag: str = SAMPLE_TIME) -> int:
        """When the values of a poll were sampled, as far as that matters: `now_ns` if they are fresh.

        Args:
            values: what was polled, by tag name; without `tag` they count as fresh.
            now_ns: when the answer came.
            tag: the node's own time, ms.
        """
        sample_ms = values.get(tag)
        if not isinstance(sample_ms, (int, float)):
            return now_ns
        sample_ns = int(sample_ms) * MS_NS
        if self.heard_ns is None:
            return self._begin(sample_ns, now_ns)
        elapsed_ns = now_ns - self.heard_ns
        least_ns = self.ahead_ns + int(DRIFT * elapsed_ns)
        age_ns = now_ns - sample_ns - self.turns_ns - least_ns
        if -EARLY_NS < age_ns - TURN_NS <= JITTER_NS:
            self.turns_ns += TURN_NS
            age_ns -= TURN_NS
        if age_ns > JITTER_NS:
            if sample_ns > elapsed_ns + RESTART_NS:
                return now_ns - age_ns
            self.restarts += 1
            return self._begin(sample_ns, now_ns)
        self.ahead_ns = least_ns + min(age_ns, 0)
        self.heard_ns = now_ns
        return now_ns

    def _begin(self, sample_ns: int, now_ns: int) -> int:
        """From now on the node's clock is compared with this sample."""
        self.turns_ns = 0
        self.ahead_ns = now_ns - sample_ns
        self.heard_ns = now_ns
        return now_ns
