"""What the web is to do: stores are filled, the web is led through them, and speeds follow one another without a break.

A store is filled before anything draws from it: an empty one pulls at its web until that breaks. Then its dancer
makes up for speeds that are never quite the same.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rig.controller.api import Value
from rig.controller.line.facts import LineFacts
from rig.controller.line.names import STATUS, number, shows
from rig.controller.line.setpoints import CASTS, Web
from rig.controller.line.states import LineState
from rig.products import Product

__all__ = ["STORED_PART", "WebDriver"]

STORED_PART = 0.9
"""A store with so much of what its dancer wants is filled."""
MELT_BAR = 1.0
"""Pressure before the die that says that melt comes."""
MELT_S = 60.0
"""So long it must have come before its sheet is led through the store: the first is thin and badly mixed."""
FEED_STEP = 0.01
"""The feeders follow the haul-off in steps of this part."""
MOST_FEED_PART = 1.6
CAST_RAMP_M_MIN_S = 0.004
"""Ramp of the haul-off: feeders are seconds behind it, and sheet shall keep its thickness; the store bears the rest."""
BROKEN = ("web_break", "torn", "sagged")
LOOP_FILLS = (LineState.THREAD, LineState.PRODUCE, LineState.HOLD, LineState.RUN_OUT)


@dataclass(slots=True)
class WebDriver:
    """What is known of the web, and what follows.

    Args:
        product: what is made.
        facts: the line.

    Attributes:
        before: there is a web before the press.
        behind: there is one behind it.
        store_filled: the store has held what it should; from then on its dancer trims the haul-off.
        loop_filled: the same of the loop; from then on the drive behind the press runs.
        cast_m_min: speed of the haul-off, as it is commanded; 0 while no sheet is made.
        melt_ns: since when melt comes; -1 while none does.
    """

    product: Product
    facts: LineFacts
    before: bool = False
    behind: bool = False
    store_filled: bool = False
    loop_filled: bool = False
    cast_m_min: float = 0.0
    melt_ns: int = -1

    def begin(self) -> None:
        """A new start: nothing is known to be through."""
        self.before = self.behind = self.store_filled = self.loop_filled = False
        self.melt_ns = -1

    def look(
        self, state: LineState, values: Mapping[str, Value], now_ns: int, period_s: float, speed_m_min: float
    ) -> Web:
        """What the web is to do from now on.

        Args:
            state: of the line.
            values: inputs.
            now_ns: bench time.
            period_s: since the last look, s.
            speed_m_min: of the press, or what it will be.
        """
        casts = state in CASTS
        if casts:
            step = CAST_RAMP_M_MIN_S * period_s if self.cast_m_min > 0.0 else math.inf
            self.cast_m_min += min(max(speed_m_min - self.cast_m_min, -step), step)
            self.store_filled |= number(values, "store_stored_m") >= STORED_PART * self.facts.store_wanted_m
        else:
            self.cast_m_min = 0.0
        if state in LOOP_FILLS and self.behind:
            self.loop_filled |= number(values, "loop_stored_m") >= STORED_PART * self.facts.loop_wanted_m
        return Web(
            speed_m_min=round(speed_m_min, 3),
            cast_m_min=round(self.cast_m_min, 3),
            feed_part=self._feed_part(values),
            store_follows=self.store_filled,
            thread_store=casts and self._threads_store(values, now_ns),
            thread_tail=state is LineState.PRODUCE and self._threads_tail(values),
            tail_runs=self.loop_filled or state is LineState.CLEAR,
            cut=state is LineState.CLEAR,
        )

    def _feed_part(self, values: Mapping[str, Value]) -> float:
        """The feeders deliver what the haul-off takes, so that the sheet keeps its thickness while dancers trim."""
        drawn = number(values, "caster_speed_m_min")
        if not drawn > 0.5 * self.cast_m_min:
            drawn = self.cast_m_min  # it is only starting
        part = round(drawn / self.product.press.speed_m_min / FEED_STEP) * FEED_STEP
        return min(part, MOST_FEED_PART)

    def _threads_store(self, values: Mapping[str, Value], now_ns: int) -> bool:
        """Whether people lead the web through the store: once good sheet comes, until it is through."""
        if self.before:
            return False
        if not number(values, "kneader_die_pressure_bar") >= MELT_BAR:
            self.melt_ns = -1
            return False
        if self.melt_ns < 0:
            self.melt_ns = now_ns
        cooled_s = self.facts.cooling_m / self.cast_m_min * 60.0
        if (now_ns - self.melt_ns) * 1e-9 < MELT_S + cooled_s:
            return False
        self.before = not shows(values.get(STATUS["caster"]), "web_break")
        return not self.before

    def _threads_tail(self, values: Mapping[str, Value]) -> bool:
        """Whether people lead it through behind the press, until it is through."""
        if self.behind:
            return False
        word = values.get(STATUS["tail"])
        self.behind = word is not None and not any(shows(word, bit) for bit in BROKEN)
        return not self.behind
