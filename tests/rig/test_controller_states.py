"""The table of states: complete, without dead ends, and with one way into anything dangerous."""

from __future__ import annotations

from itertools import product

import pytest

from rig.controller import TRANSITIONS, Event, State
from rig.controller.states import GUARDED, next_state

TROUBLE = {State.FAULT, State.EMERGENCY_STOP}


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_state_answers_every_event(state: State, event: Event) -> None:
    assert state in TRANSITIONS
    assert isinstance(next_state(state, frozenset({event})), State)


def reachable(start: State) -> set[State]:
    seen, todo = {start}, [start]
    while todo:
        state = todo.pop()
        for event in Event:
            target = next_state(state, frozenset({event}))
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


@pytest.mark.parametrize("start", State)
def test_every_state_can_be_reached_and_left_from_everywhere(start: State) -> None:
    assert reachable(start) == set(State)


@pytest.mark.parametrize("state", State)
def test_danger_and_trips_stand_above_the_table(state: State) -> None:
    everything = frozenset(Event)
    assert next_state(state, everything) is State.EMERGENCY_STOP
    tripped = next_state(state, everything - {Event.EMERGENCY})
    assert tripped is (State.EMERGENCY_STOP if state is State.EMERGENCY_STOP else State.FAULT)


@pytest.mark.parametrize("state", sorted(TROUBLE))
@pytest.mark.parametrize("event", [event for event in Event if event not in dict(GUARDED)])
def test_only_a_release_leads_out_of_trouble(state: State, event: Event) -> None:
    left = next_state(state, frozenset({event})) is not state
    assert left == (event is Event.RELEASED)


def test_sheet_is_fed_only_after_the_press_has_closed() -> None:
    into_thread = {s for s in State for e in Event if next_state(s, frozenset({e})) is State.THREAD}
    into_produce = {s for s in State for e in Event if next_state(s, frozenset({e})) is State.PRODUCE}
    assert into_thread - {State.THREAD} == {State.CLOSE, State.HOLD}
    assert into_produce - {State.PRODUCE} == {State.THREAD}


def test_nothing_but_a_start_leads_out_of_idle() -> None:
    leads = {e for e in Event if next_state(State.IDLE, frozenset({e})) not in {State.IDLE, *TROUBLE}}
    assert leads == {Event.START}


@pytest.mark.parametrize("state", State)
def test_no_event_changes_nothing(state: State) -> None:
    assert next_state(state, frozenset()) is state


@pytest.mark.parametrize("state", State)
def test_no_rule_of_the_table_is_hidden_by_one_above_it(state: State) -> None:
    events = [event for event, _ in TRANSITIONS[state]]
    assert len(events) == len(set(events))
