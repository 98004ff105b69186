from __future__ import annotations

import pytest
import simpy
from hypothesis import given
from hypothesis import strategies as st

from emulator.agenda import Agenda, NestedRunError, Priority


def make_agenda() -> Agenda:
    return Agenda(simpy.Environment(initial_time=0))


@given(st.permutations(list(Priority)))
def test_order_at_one_instant_is_that_of_priorities_not_of_history(order: list[Priority]) -> None:
    agenda, called = make_agenda(), []
    for priority in order:
        agenda.at(10, priority, lambda p=priority: called.append(p))  # type: ignore[misc]
    agenda.run_until(10)
    assert called == sorted(Priority)


def test_run_until_includes_its_end_and_stops_there() -> None:
    agenda, called = make_agenda(), []
    for time_ns in (5, 10, 11):
        agenda.at(time_ns, Priority.SCAN, lambda t=time_ns: called.append((t, agenda.now_ns)))  # type: ignore[misc]
    agenda.run_until(10)
    assert called == [(5, 5), (10, 10)]
    assert agenda.now_ns == 10
    assert agenda.next_ns() == 11


def test_a_callback_may_schedule_for_the_same_instant() -> None:
    agenda, called = make_agenda(), []
    agenda.at(3, Priority.BUS, lambda: agenda.at(3, Priority.OBSERVER, lambda: called.append(agenda.now_ns)))
    agenda.run_until(3)
    assert called == [3]
    assert agenda.next_ns() is None


def test_the_past_is_refused() -> None:
    agenda = make_agenda()
    agenda.run_until(10)
    with pytest.raises(ValueError, match="it is 10 ns already"):
        agenda.at(9, Priority.BUS, lambda: None)
    with pytest.raises(ValueError, match="it is 10 ns already"):
        agenda.run_until(9)


def test_running_from_inside_is_refused() -> None:
    agenda = make_agenda()
    agenda.at(1, Priority.OPERATOR, lambda: agenda.run_until(5))
    with pytest.raises(NestedRunError, match="schedule what comes next"):
        agenda.run_until(2)
    assert not agenda.running
    agenda.run_until(5)

    def process(env: simpy.Environment):  # type: ignore[no-untyped-def]
        yield env.timeout(1)
        agenda.run_until(20)

    agenda.env.process(process(agenda.env))
    with pytest.raises(NestedRunError):
        agenda.run_until(10)
