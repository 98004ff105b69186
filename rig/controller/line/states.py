"""The states of the line and what leads from one to the next, as a table.

Read like that of the press (`rig.controller.states`), beside which it runs: in each state the rules are tried from top
to bottom, and the first event that has happened decides. Above the table stand a person in danger (`EMERGENCY`) and
anything else that went wrong (`TRIP`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum, auto

__all__ = ["TRANSITIONS", "LineEvent", "LineState", "next_state"]


class LineState(StrEnum):
    """Where the line is in the life of a shift."""

    IDLE = auto()
    HEAT = auto()
    FILL = auto()
    THREAD = auto()
    PRODUCE = auto()
    HOLD = auto()
    RUN_OUT = auto()
    CLEAR = auto()
    CURE = auto()
    FAULT = auto()
    EMERGENCY_STOP = auto()


class LineEvent(Enum):
    """What can happen between two scans."""

    EMERGENCY = "the press is in its emergency stop"
    TRIP = "the press is in fault, or a station is"
    START = "the operator asks to start, and product and press recipe are accepted"
    STOP = "the operator asks to stop"
    HOLD = "the operator asks to hold"
    RESUME = "the operator asks to resume"
    RELEASED = "the operator has asked to reset, and neither press nor station is in fault any more"
    PRESS_DONE = "the press feeds no more: the length is made, or it was told to stop"
    DONE = "the goal of the state is reached"


TRANSITIONS: Mapping[LineState, tuple[tuple[LineEvent, LineState], ...]] = {
    LineState.IDLE: ((LineEvent.START, LineState.HEAT),),
    LineState.HEAT: ((LineEvent.STOP, LineState.CURE), (LineEvent.DONE, LineState.FILL)),
    LineState.FILL: ((LineEvent.STOP, LineState.RUN_OUT), (LineEvent.DONE, LineState.THREAD)),
    LineState.THREAD: (
        (LineEvent.STOP, LineState.RUN_OUT),
        (LineEvent.PRESS_DONE, LineState.RUN_OUT),
        (LineEvent.HOLD, LineState.HOLD),
        (LineEvent.DONE, LineState.PRODUCE),
    ),
    LineState.PRODUCE: (
        (LineEvent.STOP, LineState.RUN_OUT),
        (LineEvent.PRESS_DONE, LineState.RUN_OUT),
        (LineEvent.HOLD, LineState.HOLD),
    ),
    LineState.HOLD: (
        (LineEvent.STOP, LineState.RUN_OUT),
        (LineEvent.PRESS_DONE, LineState.RUN_OUT),
        (LineEvent.RESUME, LineState.THREAD),
    ),
    LineState.RUN_OUT: ((LineEvent.DONE, LineState.CLEAR),),
    LineState.CLEAR: ((LineEvent.DONE, LineState.CURE),),
    LineState.CURE: ((LineEvent.START, LineState.HEAT), (LineEvent.DONE, LineState.IDLE)),
    LineState.FAULT: ((LineEvent.RELEASED, LineState.CURE),),
    LineState.EMERGENCY_STOP: ((LineEvent.RELEASED, LineState.CURE),),
}

GUARDED: tuple[tuple[LineEvent, LineState], ...] = (
    (LineEvent.EMERGENCY, LineState.EMERGENCY_STOP),
    (LineEvent.TRIP, LineState.FAULT),
)
"""The rules above the table, in every state."""


def next_state(state: LineState, events: frozenset[LineEvent]) -> LineState:
    """The state after this scan's events; the same state if none of them matters in it."""
    for event, target in GUARDED:
        if event in events:
            # an emergency stop is not downgraded to a fault by what follows from it
            return state if state is LineState.EMERGENCY_STOP else target
    return next((target for event, target in TRANSITIONS[state] if event in events), state)
