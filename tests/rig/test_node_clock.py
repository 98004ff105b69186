"""The age of a poll by the node's own clock."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rig.node_clock import JITTER_NS, NodeClock

MS = 1_000_000
POLL_MS = 100


def polls(clock: NodeClock, first_ms: int, count: int, *, offset_ms: int, drift: float = 0.0) -> list[int]:
    """Ages in ms of polls that come on time, from a node whose clock is `offset_ms` ahead of ours and drifts."""
    ages = []
    for number in range(count):
        now_ms = first_ms + number * POLL_MS
        sample_ms = int(now_ms * (1.0 + drift)) + offset_ms
        now_ns = now_ms * MS
        ages.append((now_ns - clock.sensed_ns({"sample_time_ms": sample_ms % (1 << 32)}, now_ns)) // MS)
    return ages


@given(st.integers(0, 1 << 32), st.floats(-1e-4, 1e-4))
def test_polls_on_time_are_fresh_whatever_the_node_thinks_what_time_it_is(offset_ms: int, drift: float) -> None:
    assert set(polls(NodeClock(), 1000, 300, offset_ms=offset_ms, drift=drift)) == {0}


def test_a_day_of_clocks_that_run_apart_is_fresh() -> None:
    clock = NodeClock()
    for hour in range(24):
        assert set(polls(clock, hour * 3_600_000 + 1000, 20, offset_ms=0, drift=-1e-4)) == {0}


@given(st.integers(JITTER_NS // MS + 3, 5000), st.integers(0, 1 << 31))
def test_an_answer_that_is_so_much_older_is_dated_so_much_back(age_ms: int, offset_ms: int) -> None:
    clock = NodeClock()
    polls(clock, 10_000, 50, offset_ms=offset_ms)
    now_ms = 20_000
    sensed_ns = clock.sensed_ns({"sample_time_ms": now_ms - age_ms + offset_ms}, now_ms * MS)
    assert abs((now_ms * MS - sensed_ns) // MS - age_ms) <= 2
    assert clock.restarts == 0


def test_a_node_that_stands_still_grows_old() -> None:
    clock = NodeClock()
    polls(clock, 1000, 10, offset_ms=0)
    ages = [3000 + 100 * n - clock.sensed_ns({"sample_time_ms": 1900}, (3000 + 100 * n) * MS) // MS for n in range(5)]
    assert ages == [1100, 1200, 1300, 1400, 1500]


@given(st.integers(5_000, 1 << 31), st.integers(500, 60_000))
def test_a_node_that_has_started_anew_is_fresh_and_counted(uptime_ms: int, away_ms: int) -> None:
    clock = NodeClock()
    polls(clock, 1000, 10, offset_ms=uptime_ms)
    back_ms = 1900 + away_ms
    assert clock.sensed_ns({"sample_time_ms": away_ms // 2}, back_ms * MS) == back_ms * MS
    assert clock.restarts == 1


def test_the_counter_of_the_node_wraps_after_49_days() -> None:
    clock = NodeClock()
    assert set(polls(clock, 1000, 100, offset_ms=(1 << 32) - 5000)) == {0}
    assert clock.restarts == 0


def test_without_the_nodes_time_a_poll_counts_as_fresh() -> None:
    assert NodeClock().sensed_ns({"mode": "off"}, 123) == 123
