"""Watching the inputs and the machine: stale data, a frozen node, impossible values, slow states.

An alarm is latched with its text and time; the first one since the last reset is the first cause.
The node's own interlocks are not repeated here: they act without the controller.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from rig.controller.api import Inputs

__all__ = ["CLOSING_FORCE_KN", "FRESH_S", "STALE_S", "Alarms", "Watch", "numbers", "usable"]

FRESH_S = 0.5
"""Data older than this are not acted on: outputs stay as they are."""
STALE_S = 1.5
"""Data older than this are an alarm; the node's watchdog (2 s) is about to act as well."""
FROZEN_S = 1.0
"""The node's heartbeat counts every 50 ms; standing still for so long it is frozen."""
TEMPERATURES_C = (-20.0, 200.0)
"""A plate outside this range is a broken thermocouple."""
DEVIATION_K = 15.0
"""A heat zone so far from its setpoint for `DEVIATION_S` in production is not controlled any more."""
DEVIATION_S = 60.0
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


def numbers(inputs: Inputs) -> dict[str, float]:
    """The numeric inputs, as floats; enums and bitfields left out."""
    return {name: float(value) for name, value in inputs.values.items() if isinstance(value, (int, float))}


def usable(values: Mapping[str, float], needed: frozenset[str]) -> bool:
    """Whether all needed inputs are there and finite."""
    return all(math.isfinite(values.get(name, math.nan)) for name in needed)


@dataclass(slots=True)
class Watch:
    """What supervision remembers between scans; times in ns, -1 for never."""

    heartbeat: float = -1.0
    heartbeat_ns: int = -1
    deviation_ns: int = -1
    state: str = ""
    state_ns: int = 0

    def age(self, inputs: Inputs, now_ns: int, alarms: Alarms) -> float:
        """Age of the inputs in s; an alarm if they are stale."""
        age_s = (now_ns - inputs.time_ns) * 1e-9
        if age_s > STALE_S:
            alarms.raise_("stale_data", f"no data from the press for {age_s:.1f} s")
        return age_s

    def node(self, heartbeat: float, now_ns: int, alarms: Alarms) -> None:
        """An alarm if the node answers but has stopped scanning."""
        if heartbeat != self.heartbeat or self.heartbeat_ns < 0:
            self.heartbeat, self.heartbeat_ns = heartbeat, now_ns
        elif (now_ns - self.heartbeat_ns) * 1e-9 > FROZEN_S:
            alarms.raise_("node_frozen", "the node answers, but its heartbeat stands still")

    def plausible(self, values: Mapping[str, float], zones: tuple[str, ...], alarms: Alarms) -> None:
        """Alarms for sensor values that cannot be."""
        low_c, high_c = TEMPERATURES_C
        for zone in zones:
            temperature_c = values[f"{zone}_temperature_c"]
            if not low_c <= temperature_c <= high_c:
                alarms.raise_("sensor_implausible", f"{zone} shows {temperature_c:.0f} °C")
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

    def slow(self, state: str, now_ns: int, limit_s: float, alarms: Alarms) -> float:
        """Time in this state, s; an alarm beyond the limit."""
        if state != self.state:
            self.state, self.state_ns = state, now_ns
        spent_s = (now_ns - self.state_ns) * 1e-9
        if spent_s > limit_s:
            alarms.raise_("state_timeout", f"state {state} takes longer than {limit_s:.0f} s")
        return spent_s
