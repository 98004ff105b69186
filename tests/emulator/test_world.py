"""A world: same seed, same bits; a fork goes on like its origin."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.config import ConfigError
from emulator.world import World, WorldConfig
from rig.bench import open_press
from rig.recipe import RecipeError

SECOND = 1_000_000_000

STORY = """
from rig.bench import open_press
with open_press("emu://?start=warm&seed={seed}") as bench:
    bench.write(cooling_enable=True, coolant_flow_setpoint_l_min=60, tension_enable=True, drives_enable=True,
                belt_upper_speed_setpoint_m_min=1, belt_lower_speed_setpoint_m_min=1,
                belt_upper_tension_setpoint_kn_m=60, belt_lower_tension_setpoint_kn_m=60)
    for scan in range(1, 51):
        bench.clock.sleep_until(scan * 100_000_000)
        bench.poll()
    print(bench.recorder.trace_hash())
"""


def trace_hash(seed: int, hash_seed: str) -> str:
    run = subprocess.run(
        [sys.executable, "-c", STORY.format(seed=seed)],
        capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": hash_seed, "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    return run.stdout.strip()


def test_same_seed_gives_the_same_trace_in_another_process() -> None:
    first, again, other = trace_hash(5, "1"), trace_hash(5, "2"), trace_hash(6, "1")
    assert first == again
    assert first != other


@settings(max_examples=10, deadline=None)
@given(before_ms=st.integers(0, 3000), after_ms=st.integers(1, 3000), request_before=st.booleans())
def test_fork_goes_on_like_its_origin_bit_for_bit(before_ms: int, after_ms: int, request_before: bool) -> None:
    with open_press("emu://?start=running&seed=1") as bench:
        world = bench.virtual.world
        bench.clock.sleep_until(bench.clock.now_ns + before_ms * 1_000_000)
        if request_before:
            # a request that is still on the wire is part of the state
            bench.port.write(bytes.fromhex("01 04 0000 0052"))
        fork = world.fork()
        until_ns = world.now_ns + after_ms * 1_000_000
        world.run_until(until_ns)
        fork.run_until(until_ns)
        assert fork.now_ns == world.now_ns
        assert np.array_equal(fork.node.bank.state.image, world.node.bank.state.image)
        assert fork.node.state.memory == world.node.state.memory
        assert np.array_equal(fork.node.state.sensors.memory, world.node.state.sensors.memory)
        assert fork.bus.state == world.bus.state
        assert np.array_equal(fork.truth.vector(), world.truth.vector())
        for (name, mine), (_, theirs) in zip(fork.press.state.arrays(), world.press.state.arrays(), strict=True):
            assert np.array_equal(mine, theirs), name


def test_fork_and_origin_share_nothing_that_changes() -> None:
    with open_press("emu://?start=running") as bench:
        world = bench.virtual.world
        fork = world.fork()
        before = fork.truth.vector().copy()
        bench.virtual.disturb(coolant_flow_scale=0.0)
        bench.virtual.push_emergency_stop()
        world.run_until(world.now_ns + 5 * SECOND)
        assert np.array_equal(fork.truth.vector(), before)
        assert fork.disturbances.coolant_flow_scale == 1.0
        assert not fork.contacts.emergency_stop_pressed


def test_press_does_not_depend_on_who_looks_when() -> None:
    one, two = World(WorldConfig(start="warm")), World(WorldConfig(start="warm"))
    one.run_until(2 * SECOND)
    for step in range(1, 201):
        two.run_until(step * 10_000_000)
        two.truth.signals()
    assert np.array_equal(one.node.bank.state.image, two.node.bank.state.image)


def test_adding_a_sensor_does_not_change_the_noise_of_the_others() -> None:
    from emulator.random import stream_key

    names = list(World(WorldConfig()).node.sensors.names)
    keys = [stream_key(0, f"sensor.{name}") for name in names]
    assert len(set(keys)) == len(keys)
    assert stream_key(0, f"sensor.{names[0]}") == keys[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": "lukewarm"}, "start is 'lukewarm'; it must be one of cold, warm, running"),
        ({"identity": "imaginary"}, "identity is 'imaginary'"),
        ({"seed": -1}, "seed is -1"),
        ({"machine": "nowhere"}, "no machine is called 'nowhere'"),
        ({"material": "cheese"}, "no material is called 'cheese'"),
    ],
)
def test_world_that_cannot_be_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        World(WorldConfig(**change))  # type: ignore[arg-type]


def test_unknown_recipe_is_refused() -> None:
    with pytest.raises(RecipeError, match="no recipe named 'soup'"):
        World(WorldConfig(recipe="soup"))


def test_running_press_stays_where_it_is() -> None:
    with open_press("emu://?start=running", record=False) as bench:
        before = bench.read("zone_temperatures", "exit_thickness_um")
        for _ in range(300):
            bench.clock.sleep_until(bench.clock.now_ns + SECOND)
            bench.value("mode")
        after = bench.read("zone_temperatures", "exit_thickness_um")
        assert bench.value("mode") == "energised"
        assert {name for name, value in after.items() if abs(float(value) - float(before[name])) > 8.0} == set()  # type: ignore[arg-type]
        zones = [name for name in before if name.endswith("temperature_c")]
        assert max(abs(float(after[name]) - float(before[name])) for name in zones) < 1.0  # type: ignore[arg-type]
