"""Thickness loop and tracker against small models of what they control."""

from __future__ import annotations

import math
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.controller.thickness import TRIM_LIMIT_UM, ThicknessLoop
from rig.controller.tracking import LIMIT_DEG, RATE_DEG_S, Tracker

TRANSPORT_M = 2.76
STEP_M = 1.0 / 60.0 * 0.1


def respond(offset_um: float, *, gain: float, lag_m: float, travel_m: float) -> list[float]:
    """Gauge readings of first order plus dead time, both in metres of belt; the target is 0."""
    loop = ThicknessLoop(TRANSPORT_M)
    loop.reset(0.0)
    rolled = offset_um
    on_the_way = deque([offset_um] * round(TRANSPORT_M / STEP_M))
    seen = []
    for step in range(round(travel_m / STEP_M)):
        rolled += (offset_um + gain * loop.trim_um - rolled) * (1.0 - math.exp(-STEP_M / lag_m))
        on_the_way.append(rolled)
        seen.append(on_the_way.popleft())
        loop.scan(step * STEP_M, seen[-1], 0.0)
    return seen


@pytest.mark.parametrize("offset_um", [-25.0, 12.0, 30.0])
def test_loop_converges_without_overshoot_through_the_delay_of_the_gauge(offset_um: float) -> None:
    seen = respond(offset_um, gain=1.0, lag_m=1e-4, travel_m=20.0)
    assert abs(seen[-1]) < 0.5
    assert min(value / offset_um for value in seen) > -1e-6


@pytest.mark.parametrize("offset_um", [-25.0, 12.0, 30.0])
def test_lag_that_the_predictor_does_not_know_costs_less_than_the_noise_of_the_gauge(
    offset_um: float,
) -> None:
    seen = respond(offset_um, gain=1.0, lag_m=0.1, travel_m=20.0)
    assert abs(seen[-1]) < 0.5
    overshoot_um = -min(value * math.copysign(1.0, offset_um) for value in seen)
    assert overshoot_um < 2.0


@given(
    offset_um=st.floats(-25.0, 25.0).filter(lambda value: abs(value) > 1.0),
    gain=st.floats(0.7, 1.2),
    lag_m=st.floats(0.02, 0.5),
)
def test_loop_stays_calm_when_the_press_is_not_like_its_model(offset_um: float, gain: float, lag_m: float) -> None:
    seen = respond(offset_um, gain=gain, lag_m=lag_m, travel_m=60.0)
    assert abs(seen[-1]) < 0.05 * abs(offset_um) + 0.1
    assert min(value / offset_um for value in seen) > -0.45


def test_trim_is_limited_and_comes_back_at_once() -> None:
    loop = ThicknessLoop(TRANSPORT_M)
    loop.reset(0.0)
    position_m = 0.0
    while position_m < 50.0:
        loop.scan(position_m, 500.0, 0.0)
        position_m += 0.05
    assert loop.trim_um == -TRIM_LIMIT_UM
    # the error turns: the first corrections already leave the limit
    for _ in range(6):
        loop.scan(position_m, -20.0, 0.0)
        position_m += 0.05
    assert loop.trim_um > -TRIM_LIMIT_UM


def test_belts_that_stand_change_no_trim() -> None:
    loop = ThicknessLoop(TRANSPORT_M)
    loop.reset(5.0)
    first = loop.scan(5.0, 20.0, 0.0)
    assert {loop.scan(5.0, 20.0, 0.0) for _ in range(100)} == {first}


@pytest.mark.parametrize("walk", [0.3, 0.6, 1.0])
@pytest.mark.parametrize("speed_m_min", [0.3, 1.0, 8.0])
def test_belt_that_drifts_is_centred_by_the_steering(walk: float, speed_m_min: float) -> None:
    tracker, edge_m, angle_rad, worst_mm = Tracker(), 0.004, 0.0, 0.0
    travel_m = speed_m_min / 60.0 * 0.1
    for _ in range(round(60.0 / travel_m)):
        angle_rad = math.radians(tracker.steer(1e3 * edge_m, travel_m, 0.1))
        edge_m += travel_m * (walk * angle_rad + 120e-6)
        worst_mm = max(worst_mm, abs(1e3 * edge_m))
    assert abs(1e3 * edge_m) < 0.5
    assert worst_mm < 4.5


@given(st.lists(st.tuples(st.floats(-30.0, 30.0), st.floats(0.0, 0.02)), min_size=1, max_size=200))
def test_steering_keeps_its_range_and_its_rate(walked: list[tuple[float, float]]) -> None:
    tracker, last = Tracker(), 0.0
    for edge_mm, travel_m in walked:
        angle = tracker.steer(edge_mm, travel_m, 0.1)
        assert abs(angle) <= LIMIT_DEG
        assert abs(angle - last) <= RATE_DEG_S * 0.1 + 1e-12
        last = angle


def test_belt_that_stands_is_not_steered() -> None:
    tracker = Tracker()
    assert {tracker.steer(5.0, 0.0, 0.1) for _ in range(50)} == {0.0}
    assert tracker.integral_deg == 0.0
