"""How old a poll is, told by the node's own clock.

Every image of the input registers carries the time at which the node sampled it (`sample_time_ms`). An answer that was
delayed on the way, or is the answer to an earlier request, shows an earlier time than it should: without this it would
pass for fresh. The smallest difference between both clocks seen so far is the way without delay.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rig.protocol.registers import Value

__all__ = ["NodeClock"]

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


class NodeClock:
    """The node's clock as a master sees it.

    Attributes:
        restarts: how often the node has started anew.
    """

    def __init__(self) -> None:
        self.restarts = 0
        self._heard_ns: int | None = None
        self._ahead_ns = 0  # bench time less node time, on the shortest way
        self._turns_ns = 0

    def sensed_ns(self, values: Mapping[str, Value], now_ns: int) -> int:
        """When the values of a poll were sampled, as far as that matters: `now_ns` if they are fresh.

        Args:
            values: what was polled, by tag name; without `sample_time_ms` they count as fresh.
            now_ns: when the answer was complete.
        """
        sample_ms = values.get("sample_time_ms")
        if not isinstance(sample_ms, (int, float)):
            return now_ns
        sample_ns = int(sample_ms) * MS_NS
        if self._heard_ns is None:
            return self._begin(sample_ns, now_ns)
        elapsed_ns = now_ns - self._heard_ns
        least_ns = self._ahead_ns + int(DRIFT * elapsed_ns)
        age_ns = now_ns - sample_ns - self._turns_ns - least_ns
        if -EARLY_NS < age_ns - TURN_NS <= JITTER_NS:
            self._turns_ns += TURN_NS
            age_ns -= TURN_NS
        if age_ns > JITTER_NS:
            if sample_ns > elapsed_ns + RESTART_NS:
                return now_ns - age_ns
            self.restarts += 1
            return self._begin(sample_ns, now_ns)
        self._ahead_ns = least_ns + min(age_ns, 0)
        self._heard_ns = now_ns
        return now_ns

    def _begin(self, sample_ns: int, now_ns: int) -> int:
        """From now on the node's clock is compared with this sample."""
        self._turns_ns = 0
        self._ahead_ns = now_ns - sample_ns
        self._heard_ns = now_ns
        return now_ns
