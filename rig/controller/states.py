"""The controller's states and what leads from one to the next, as a table.

Read it like the manual: in each state the rules are tried from top to bottom, and the first event
that has happened decides. Two rules hold in every state and stand above the table: a person in
danger (`EMERGENCY`) leads to `EMERGENCY_STOP`, anything else that went wrong (`TRIP`) to `FAULT`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum, auto

__all__ = ["GUARDED", "TRANSITIONS", "Event", "State", "next_state"]


class State(StrEnum):
    """Where the controller is in the life of a production run."""

    IDLE = auto()
    PREHEAT = auto()
    TENSION_TRACK = auto()
    CLOSE = auto()
    THREAD = auto()
    PRODUCE = auto()
    HOLD = auto()
    RUN_OUT = auto()
    OPEN = auto()
    COOL = auto()
    FAULT = auto()
    EMERGENCY_STOP = auto()


class Event(Enum):
    """What can happen between two scans."""

    EMERGENCY = "the node reports an emergency stop or an open guard"
    TRIP = "another interlock of the node, or an alarm of the controller"
    START = "the operator asks to start, and the recipe is accepted"
    STOP = "the operator asks to stop"
    HOLD = "the operator asks to hold"
    RESUME = "the operator asks to resume"
    RELEASED = "the operator has asked to reset, and no alarm is left"
    FED = "the recipe's length of sheet is fed"
    DONE = "the goal of the state is reached"


TRANSITIONS: Mapping[State, tuple[tuple[Event, State], ...]] = {
    State.IDLE: ((Event.START, State.PREHEAT),),
    State.PREHEAT: ((Event.STOP, State.COOL), (Event.DONE, State.TENSION_TRACK)),
    State.TENSION_TRACK: ((Event.STOP, State.COOL), (Event.DONE, State.CLOSE)),
    State.CLOSE: ((Event.STOP, State.OPEN), (Event.DONE, State.THREAD)),
    State.THREAD: (
        (Event.STOP, State.RUN_OUT),
        (Event.FED, State.RUN_OUT),
        (Event.HOLD, State.HOLD),
        (Event.DONE, State.PRODUCE),
    ),
    State.PRODUCE: ((Event.STOP, State.RUN_OUT), (Event.FED, State.RUN_OUT), (Event.HOLD, State.HOLD)),
    State.HOLD: ((Event.STOP, State.RUN_OUT), (Event.FED, State.RUN_OUT), (Event.RESUME, State.THREAD)),
    State.RUN_OUT: ((Event.DONE, State.OPEN),),
    State.OPEN: ((Event.DONE, State.COOL),),
    State.COOL: ((Event.START, State.PREHEAT), (Event.DONE, State.IDLE)),
    State.FAULT: ((Event.RELEASED, State.COOL),),
    State.EMERGENCY_STOP: ((Event.RELEASED, State.COOL),),
}

GUARDED: tuple[tuple[Event, State], ...] = (
    (Event.EMERGENCY, State.EMERGENCY_STOP),
    (Event.TRIP, State.FAULT),
)
"""The rules above the table, in every state."""


def next_state(state: State, events: frozenset[Event]) -> State:
    """The state after this scan's events; the same state if none of them matters in it."""
    if not events:
        return state
    for event, target in GUARDED:
        if event in events:
            # an emergency stop is not downgraded to a fault by what follows from it
            return state if state is State.EMERGENCY_STOP else target
    for event, target in TRANSITIONS[state]:
        if event in events:
            return target
    return state
