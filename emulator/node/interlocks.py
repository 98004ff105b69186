"""Hard interlocks: what the node does by itself, whatever the controller wants.

Each row of `INTERLOCKS` names a danger, how long it must last, and what it takes away; `find_causes` says when it
is there. Causes are judged on what the node senses. A tripped interlock stays latched until its cause is gone *and*
the controller writes `alarm_reset`; the first one to trip since the last reset is kept as the first-out alarm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = [
    "INTERLOCKS", "INTERLOCK_STATE", "Inhibits", "Interlock", "InterlockState", "Limits", "Sensed", "find_causes",
    "judge",
]  # fmt: skip

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Limits(Protocol):
    """Where the interlocks trip. Engineering units, as on the wire."""

    zone_temperature_c: float
    line_force_kn: float
    tension_fraction: float
    edge_position_mm: float
    speed_difference_percent: float
    coolant_flow_l_min: float


class Sensed(NamedTuple):
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


class Inhibits(NamedTuple):
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
        delay_s: how long the cause must last before the interlock trips.
        takes_away: what is inhibited while it is latched.
        why: the danger.
    """

    name: str
    delay_s: float
    takes_away: Inhibits
    why: str


STOP = Inhibits(drives=True)
BRAKE = Inhibits(drives=True, brake=True)
KEEP_MOVING = Inhibits()
"""Heaters off and press open, but belts may move: a hot belt that stands still is damaged."""

INTERLOCKS: Final[tuple[Interlock, ...]] = (
    Interlock("emergency_stop", 0.0, BRAKE, "somebody is in danger"),
    Interlock("over_temperature", 0.5, KEEP_MOVING, "film burns, belts lose their temper"),
    Interlock("over_force", 0.2, KEEP_MOVING, "rollers and frame break"),
    Interlock("tension_loss", 1.0, STOP, "a slack belt folds and is destroyed"),
    Interlock("mistracking", 0.2, STOP, "the belt runs into the frame"),
    Interlock("speed_mismatch", 1.0, STOP, "the belts shear the sheet and scratch each other"),
    Interlock("coolant_loss", 3.0, KEEP_MOVING, "cold section and bearings overheat"),
    Interlock("comms_watchdog", 0.0, STOP, "nobody controls the press"),
    Interlock("guard_open", 0.0, BRAKE, "hands can reach a nip"),
)

_PLACE: Final = {row.name: place for place, row in enumerate(INTERLOCKS)}
EMERGENCY_STOP: Final = _PLACE["emergency_stop"]
OVER_TEMPERATURE: Final = _PLACE["over_temperature"]
OVER_FORCE: Final = _PLACE["over_force"]
TENSION_LOSS: Final = _PLACE["tension_loss"]
MISTRACKING: Final = _PLACE["mistracking"]
SPEED_MISMATCH: Final = _PLACE["speed_mismatch"]
COOLANT_LOSS: Final = _PLACE["coolant_loss"]
COMMS_WATCHDOG: Final = _PLACE["comms_watchdog"]
GUARD_OPEN: Final = _PLACE["guard_open"]

_COUNT: Final = len(INTERLOCKS)
_DELAYS_NS: Final = np.array([round(row.delay_s * 1e9) for row in INTERLOCKS])
_TAKES_AWAY: Final = np.array([row.takes_away for row in INTERLOCKS], dtype=np.int64)

HEATING: Final = Inhibits._fields.index("heating")
FEEDING: Final = Inhibits._fields.index("feeding")
DRIVES: Final = Inhibits._fields.index("drives")
BRAKING: Final = Inhibits._fields.index("brake")
OPENING: Final = Inhibits._fields.index("closed")
"""Places in `InterlockState.inhibits`."""

NOT_PRESENT: Final = -1
INTERLOCK_STATE: Final = np.dtype(
    [
        ("present", np.int64, (_COUNT,)),  # 1 where the cause is there
        ("since_ns", np.int64, (_COUNT,)),  # time since when it is there, NOT_PRESENT if it is not
        ("latched", np.int64, (_COUNT,)),  # 1 where tripped
        ("first_out", np.int64),  # number of the row from 1, 0: none
        ("inhibits", np.int64, (len(Inhibits._fields),)),  # 1 where something is taken away
    ],
    align=True,
)
"""Per row of `INTERLOCKS`."""


class InterlockState(Protocol):
    """The latches as compiled code sees them; what the fields are stands at `INTERLOCK_STATE`."""

    present: Ints
    since_ns: Ints
    latched: Ints
    first_out: int
    inhibits: Ints


@njit(cache=True, error_model="numpy")
def find_causes(present: Ints, s: Sensed, x: Limits) -> None:
    """Which dangers are there now."""
    present[EMERGENCY_STOP] = s.emergency_stop
    present[OVER_TEMPERATURE] = s.hottest_c > x.zone_temperature_c
    present[OVER_FORCE] = s.largest_force_kn > x.line_force_kn
    present[TENSION_LOSS] = s.tension_wanted and s.smallest_tension_fraction < x.tension_fraction
    present[MISTRACKING] = s.largest_edge_mm > x.edge_position_mm
    present[SPEED_MISMATCH] = s.belts_driven and s.speed_difference_percent > x.speed_difference_percent
    present[COOLANT_LOSS] = s.cooling_needed and s.coolant_flow_l_min < x.coolant_flow_l_min
    present[COMMS_WATCHDOG] = s.watchdog_expired
    present[GUARD_OPEN] = s.guard_open


@njit(cache=True, error_model="numpy")
def judge(state: InterlockState, now_ns: int, reset: bool) -> None:
    """Advance the latches by one scan, from `state.present` to `state.inhibits`.

    Args:
        state: changed in place.
        now_ns: time of the scan, ns.
        reset: the controller asks to release interlocks whose cause is gone.
    """
    for what in range(_TAKES_AWAY.shape[1]):
        state.inhibits[what] = 0
    tripped = False
    for row in range(_COUNT):
        if state.present[row] == 0:
            state.since_ns[row] = NOT_PRESENT
            if reset:
                state.latched[row] = 0
        else:
            if state.since_ns[row] < 0:
                state.since_ns[row] = now_ns
            if state.latched[row] == 0 and now_ns - state.since_ns[row] >= _DELAYS_NS[row]:
                state.latched[row] = 1
                if state.first_out == 0:
                    state.first_out = row + 1
        if state.latched[row] != 0:
            tripped = True
            for what in range(_TAKES_AWAY.shape[1]):
                state.inhibits[what] |= _TAKES_AWAY[row, what]
    if reset and not tripped:
        state.first_out = 0
