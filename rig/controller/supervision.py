"""Watching the inputs and the machine: stale data, a frozen node, impossible values, slow states.

An alarm is latched with its text and time; the first one since the last reset is the first cause.
The node's own interlocks are not repeated here: they act without the controller.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from rig.controller.api import Inputs
from rig.controller.names import HEARTBEATS, PRESSING, PROMPT, SLOW, ZONE_PLATES, Values, needed, zone_plates_c

__all__ = ["CLOSING_FORCE_KN", "FRESH_FOR_S", "FRESH_S", "STALE", "Alarms", "Watch", "usable"]

FRESH_S = 0.5
"""The press's state, and what moves, is not acted on when it is older than this: outputs stay as they are."""
FRESH_FOR_S = ((FRESH_S, PROMPT), (1.0, PRESSING), (5.0, SLOW))
"""How old an input may be that is acted on, s; where each is read at its own time (a slow line, several nodes)."""
STALE = 3.0
"""So many times as old is an alarm: 1.5 s for the press's state; the node's watchdog (2 s) is about to act as well."""
FROZEN_S = 1.0
"""The node's heartbeat counts every 50 ms; standing still for so long it is frozen."""
SILENT_S = 2.0
"""A temperature controller or gauge of its own that shows nothing new for so long is not there."""
TEMPERATURES_C = (-20.0, 200.0)
"""A plate outside this range is a broken thermocouple."""
DEVIATION_K = 15.0
"""A heat zone so far from its setpoint for `DEVIATION_S` in production is not controlled any more."""
DEVIATION_S = 60.0
STANDING_M_MIN = 0.05
STANDING_S = 1.5
"""Belts that are told to move and have stood for so long are not driven any more: a drive or the mains has failed."""
OPENED_SCANS = 2
"""A press that was closed and shows that it is open in so many scans has opened by itself."""
THIN_PART = 0.8
"""A gauge behind the press that shows less than this part of the clearance is wrong."""
CLOSING_FORCE_KN = 200.0
"""More force than this on a roller group without sheet: something is between the belts."""


@dataclass(slots=True)
class Alarms:
    """Latched alarms, oldest first: name -> what happened."""

    active: dict[str, str] = field(default_factory=dict)

    def raise_(self, name: str, text: str) -> None:
        """Latch an alarm; one that is latched already keeps its first text."""
        self.active.setdefault(name, text)

    @property
    def first(self) -> str:
        """The first cause: name and text, empty without alarms."""
        return next((f"{name}: {text}" for name, text in self.active.items()), "")

    def reset(self) -> None:
        """Forget all; a cause that is still there raises its alarm again."""
        self.active.clear()


def usable(values: Mapping[str, object]) -> bool:
    """Whether all needed inputs are there and finite numbers."""
    try:
        # one that is not finite shows in the sum, and one that is no number is a TypeError
        return math.isfinite(sum(needed(values)))  # type: ignore[arg-type]
    except (KeyError, TypeError, OverflowError):
        return False


@dataclass(slots=True)
class Watch:
    """What supervision remembers between scans; times in ns, -1 for never."""

    heartbeat: float = -1.0
    heartbeat_ns: int = -1
    deviation_ns: int = -1
    standing_ns: int = -1
    opened_scans: int = 0
    state: str = ""
    state_ns: int = 0
    uptime_s: float = 0.0
    heard: dict[str, tuple[float, int]] = field(default_factory=dict)
    """Heartbeat of other nodes, and when it was new, ns."""

    def restart(self, uptime_s: float, alarms: Alarms) -> None:
        """An alarm if the node has started anew: it has forgotten every command, and nothing starts by itself."""
        if uptime_s < self.uptime_s:
            alarms.raise_("node_restarted", f"the node has started anew {uptime_s:.0f} s ago and lost all commands")
        self.uptime_s = uptime_s

    def age(self, inputs: Inputs, now_ns: int, alarms: Alarms) -> float:
        """Age of the inputs, as a multiple of what they may be to be acted on; an alarm if they are stale."""
        age_s = (now_ns - inputs.time_ns) * 1e-9
        worst = age_s / FRESH_S
        if worst > STALE:
            alarms.raise_("stale_data", f"no data from the press for {age_s:.1f} s")
        if inputs.times_ns:
            for fresh_s, names in FRESH_FOR_S:
                age_s = inputs.oldest_s(names, now_ns)
                worst = max(worst, age_s / fresh_s)
                if STALE * fresh_s < age_s < math.inf:
                    oldest = max(names, key=lambda name: inputs.age_s(name, now_ns))
                    alarms.raise_("stale_data", f"{oldest} is {age_s:.1f} s old")
        return worst

    def node(self, heartbeat: float, now_ns: int, alarms: Alarms) -> None:
        """An alarm if the node answers but has stopped scanning."""
        if heartbeat != self.heartbeat or self.heartbeat_ns < 0:
            self.heartbeat, self.heartbeat_ns = heartbeat, now_ns
        elif (now_ns - self.heartbeat_ns) * 1e-9 > FROZEN_S:
            alarms.raise_("node_frozen", "the node answers, but its heartbeat stands still")

    def others(self, values: Values, now_ns: int, alarms: Alarms) -> None:
        """An alarm if a node beside the I/O node is silent or frozen: its values are old, whatever they show."""
        if HEARTBEATS[0][1] not in values:
            return  # everything is on one node
        for node, tag in HEARTBEATS:
            heartbeat, (last, since_ns) = values.get(tag, -1.0), self.heard.get(node, (-1.0, now_ns))
            if heartbeat != last:
                self.heard[node] = (heartbeat, now_ns)
            elif (now_ns - since_ns) * 1e-9 > SILENT_S:
                alarms.raise_("node_silent", f"the {node} has shown nothing new for {SILENT_S:g} s")

    def plausible(self, values: Values, alarms: Alarms) -> None:
        """Alarms for sensor values that cannot be."""
        low_c, high_c = TEMPERATURES_C
        plates_c = zone_plates_c(values)
        if min(plates_c) < low_c or max(plates_c) > high_c:
            wrong = next(name for name in ZONE_PLATES if not low_c <= values[name] <= high_c)
            zone = wrong.removesuffix("_temperature_c")
            alarms.raise_("sensor_implausible", f"{zone} shows {values[wrong]:.0f} °C")
        thinnest_um = min(values["taper_end_left_clearance_um"], values["taper_end_right_clearance_um"])
        for gauge in ("exit_thickness_um", "recovered_thickness_um"):
            thickness_um = values[gauge]
            if 0.0 < thickness_um < THIN_PART * thinnest_um < THIN_PART * 2000.0:
                alarms.raise_("sensor_implausible", f"{gauge} shows {thickness_um:.0f} µm, below the clearance")

    def zones(self, deviation_k: float, now_ns: int, alarms: Alarms) -> None:
        """An alarm if a heat zone has left its setpoint for good; call in production."""
        if deviation_k <= DEVIATION_K:
            self.deviation_ns = -1
        elif self.deviation_ns < 0:
            self.deviation_ns = now_ns
        elif (now_ns - self.deviation_ns) * 1e-9 > DEVIATION_S:
            alarms.raise_("zone_deviation", f"a heat zone is {deviation_k:.0f} K off its setpoint")

    def driven(self, told_m_min: float, slowest_m_min: float, now_ns: int, alarms: Alarms) -> None:
        """An alarm if a belt stands that is told to move: sheet would pile up, and hot belts stand."""
        if told_m_min <= STANDING_M_MIN or slowest_m_min > STANDING_M_MIN:
            self.standing_ns = -1
        elif self.standing_ns < 0:
            self.standing_ns = now_ns
        elif (now_ns - self.standing_ns) * 1e-9 > STANDING_S:
            alarms.raise_("belt_stands", f"a belt stands that is told to move at {told_m_min:.1f} m/min")

    def closed(self, is_open: bool, alarms: Alarms) -> None:
        """An alarm if the press has opened by itself; call where it is to be closed."""
        self.opened_scans = self.opened_scans + 1 if is_open else 0
        if self.opened_scans >= OPENED_SCANS:
            alarms.raise_("press_opened", "the press has opened, though it is told to be closed")

    def slow(self, state: str, now_ns: int, limit_s: float, alarms: Alarms) -> float:
        """Time in this state, s; an alarm beyond the limit."""
        if state != self.state:
            self.state, self.state_ns = state, now_ns
        spent_s = (now_ns - self.state_ns) * 1e-9
        if spent_s > limit_s:
            alarms.raise_("state_timeout", f"state {state} takes longer than {limit_s:.0f} s")
        return spent_s
