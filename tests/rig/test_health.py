"""How a node is doing, in counters and in one word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.health import GOOD_AFTER, LOST_AFTER, Condition, NodeHealth, ResponseTimes, added_up, told

durations = st.lists(st.integers(1, 10**9), min_size=1, max_size=200)


@given(durations)
def test_quantiles_of_response_times_are_right_within_a_class(drawn: list[int]) -> None:
    times = ResponseTimes()
    for duration_ns in drawn:
        times.add(duration_ns)
    ordered = sorted(drawn)
    assert len(times) == len(drawn)
    assert times.quantile_ms(0.0) == pytest.approx(ordered[0] * 1e-6, rel=0.032, abs=1e-6)
    assert times.quantile_ms(0.5) == pytest.approx(ordered[(len(drawn) - 1) // 2] * 1e-6, rel=0.032, abs=1e-6)
    assert times.quantile_ms(1.0) == pytest.approx(ordered[-1] * 1e-6, rel=0.032, abs=1e-6)


def test_a_node_is_degraded_by_one_failure_lost_by_several_and_good_after_many_answers() -> None:
    story: list[str] = []
    node = NodeHealth("zone_1", 5, on_change=lambda health: story.append(f"{health.since_ns} {health.condition}"))
    for now in range(LOST_AFTER):
        node.failed(now, bad=False)
    for now in range(100, 100 + GOOD_AFTER):
        node.answered(20_000_000, 15_000_000, now)
    node.declined(200)
    assert story == ["0 degraded", f"{LOST_AFTER - 1} lost", "100 degraded", f"{99 + GOOD_AFTER} good"]
    assert (node.losses, node.timeouts, node.exceptions, node.failures_in_a_row) == (1, LOST_AFTER, 1, 0)


def test_an_exception_is_a_sign_of_life() -> None:
    node = NodeHealth("zone_1", 5)
    for now in range(LOST_AFTER):
        node.failed(now, bad=True)
    node.declined(7)
    assert node.condition is Condition.DEGRADED


@given(st.lists(durations, min_size=1, max_size=4))
def test_what_several_benches_saw_adds_up(drawn: list[list[int]]) -> None:
    benches = []
    for durations_ns in drawn:
        node = NodeHealth("press", 1, requests=len(durations_ns) + 1)
        for duration_ns in durations_ns:
            node.answered(duration_ns, 1, 0)
        node.failed(3, bad=False)
        node.discarded(5)
        node.aged(max(durations_ns))
        benches.append({"press": node})
    [total] = added_up(benches)
    assert total.answers == len(total.response) == sum(map(len, drawn))
    assert total.timeouts == len(drawn)
    assert total.condition is Condition.DEGRADED
    assert told([total]) == "press degraded"
    assert (total.discards, total.discarded_bytes, total.failures) == (len(drawn), 5 * len(drawn), len(drawn))
    assert total.oldest_ns == max(map(max, drawn))
    assert total.figures()["response_ms"]["max"] == pytest.approx(max(map(max, drawn)) * 1e-6, rel=0.032, abs=1e-6)


@given(st.integers(1_000_000, 20_000_000), st.integers(0, 2_000_000))
def test_what_is_planned_for_a_node_follows_what_it_takes(usual_ns: int, jitter_ns: int) -> None:
    node = NodeHealth("gauge", 9)
    for number in range(100):
        node.answered(5_000_000 + usual_ns + (jitter_ns if number % 2 else -jitter_ns), 5_000_000, number)
    planned_ns = node.pace.overhead_ns
    assert usual_ns + 0.5 * jitter_ns - 1000 <= planned_ns <= usual_ns + 4 * jitter_ns + 1000
