"""Hard interlocks: what the node does by itself, whatever the controller wants.

Each row of `INTERLOCKS` names a cause, how long it must last, and what it takes away. Causes are
judged on what the node senses. A tripped interlock stays latched until its cause is gone *and* the
controller writes `alarm_reset`; the first one to trip since the last reset is kept as the first-out
alarm.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["INTERLOCKS", "Inhibits", "Interlock", "InterlockState", "Limits", "Sensed", "judge"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Where the interlocks trip. Engineering units, as on the wire."""

    zone_temperature_c: float
    line_force_kn: float
    tension_fraction: float
    edge_position_mm: float
    speed_difference_percent: float
    coolant_flow_l_min: float


@dataclass(slots=True)
class Sensed:
    """What the interlocks look at, refreshed by every scan of the node."""

    emergency_stop: bool = False
    guard_open: bool = False
    hottest_c: float = 0.0
    largest_force_kn: float = 0.0
    smallest_tension_fraction: float = 1.0
    tension_wanted: bool = False
    largest_edge_mm: float = 0.0
    speed_difference_percent: float = 0.0
    belts_driven: bool = False
    coolant_flow_l_min: float = 0.0
    cooling_needed: bool = False
    watchdog_expired: bool = False


@dataclass(frozen=True, slots=True)
class Inhibits:
    """What an interlock takes away while it is latched."""

    heating: bool = True
    feeding: bool = True
    drives: bool = False
    brake: bool = False
    closed: bool = True


@dataclass(frozen=True, slots=True)
class Interlock:
    """One row of the table.

    Attributes:
        name: bit name in `alarm_word` and value of `first_out_alarm`.
        cause: true while the press is in the dangerous condition.
        delay_s: how long the cause must last before the interlock trips.
        takes_away: what is inhibited while it is latched.
        why: the danger.
    """

    name: str
    cause: Callable[[Sensed, Limits], bool]
    delay_s: float
    takes_away: Inhibits
    why: str


STOP = Inhibits(drives=True)
BRAKE = Inhibits(drives=True, brake=True)
KEEP_MOVING = Inhibits()
"""Heaters off and press open, but belts may move: a hot belt that stands still is damaged."""

INTERLOCKS: tuple[Interlock, ...] = (
    Interlock("emergency_stop", lambda s, _: s.emergency_stop, 0.0, BRAKE, "somebody is in danger"),
    Interlock("over_temperature", lambda s, x: s.hottest_c > x.zone_temperature_c, 0.5, KEEP_MOVING,
              "film burns, belts lose their temper"),
    Interlock("over_force", lambda s, x: s.largest_force_kn > x.line_force_kn, 0.2, KEEP_MOVING,
              "rollers and frame break"),
    Interlock("tension_loss", lambda s, x: s.tension_wanted and s.smallest_tension_fraction < x.tension_fraction,
              1.0, STOP, "a slack belt folds and is destroyed"),
    Interlock("mistracking", lambda s, x: s.largest_edge_mm > x.edge_position_mm, 0.2, STOP,
              "the belt runs into the frame"),
    Interlock("speed_mismatch", lambda s, x: s.belts_driven and s.speed_difference_percent > x.speed_difference_percent,
              1.0, STOP, "the belts shear the sheet and scratch each other"),
    Interlock("coolant_loss", lambda s, x: s.cooling_needed and s.coolant_flow_l_min < x.coolant_flow_l_min,
              3.0, KEEP_MOVING, "cold section and bearings overheat"),
    Interlock("comms_watchdog", lambda s, _: s.watchdog_expired, 0.0, STOP, "nobody controls the press"),
    Interlock("guard_open", lambda s, _: s.guard_open, 0.0, BRAKE, "hands can reach a nip"),
)  # fmt: skip


@dataclass(slots=True)
class InterlockState:
    """Latches and the time since when each cause has been present, ns (-1: it is not)."""

    latched: list[bool] = field(default_factory=lambda: [False] * len(INTERLOCKS))
    since_ns: list[int] = field(default_factory=lambda: [-1] * len(INTERLOCKS))
    first_out: str = "none"


def judge(state: InterlockState, sensed: Sensed, limits: Limits, now_ns: int, *, reset: bool) -> Inhibits:
    """Advance the latches by one scan.

    Args:
        state: changed in place.
        sensed: what the node senses now.
        limits: where the interlocks trip.
        now_ns: time of the scan, ns.
        reset: the controller asks to release interlocks whose cause is gone.

    Returns:
        What is inhibited until the next scan.
    """
    heating = feeding = drives = brake = closed = False
    for index, interlock in enumerate(INTERLOCKS):
        present = interlock.cause(sensed, limits)
        if not present:
            state.since_ns[index] = -1
            if reset:
                state.latched[index] = False
        else:
            if state.since_ns[index] < 0:
                state.since_ns[index] = now_ns
            if not state.latched[index] and now_ns - state.since_ns[index] >= interlock.delay_s * 1e9:
                state.latched[index] = True
                if state.first_out == "none":
                    state.first_out = interlock.name
        if state.latched[index]:
            takes = interlock.takes_away
            heating |= takes.heating
            feeding |= takes.feeding
            drives |= takes.drives
            brake |= takes.brake
            closed |= takes.closed
    if reset and not any(state.latched):
        state.first_out = "none"
    return Inhibits(heating, feeding, drives, brake, closed)
