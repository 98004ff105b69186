"""A bench between two requests goes on from a snapshot as it would have: in every state of a controller."""

from __future__ import annotations

import copy
import functools
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.bench import Bench, open_press
from rig.controller import make_controller
from rig.controller.api import Controller
from rig.controller.runner import Runner
from rig.errors import UsageError
from rig.moments import Moment, catch_moments
from rig.recipe import load_recipe

SECONDS = 3.0


@functools.cache
def moments() -> dict[str, Moment]:
    with open_press("emu://?start=warm&seed=4") as bench:
        return catch_moments(bench, make_controller(load_recipe("reference"))).moments


def story(bench: Bench, controller: Controller, seconds: float) -> str:
    """What a controller and a press live through from here, as a fingerprint."""
    Runner(bench, controller).run_for(seconds)
    assert bench.recorder is not None
    return bench.recorder.trace_hash()


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_bench_goes_on_from_a_snapshot_in_every_state_of_the_controller(data: st.DataObject) -> None:
    caught = moments()
    assert {"preheat", "close", "thread", "produce", "hold", "run_out", "cool"} <= set(caught)
    state = data.draw(st.sampled_from(sorted(caught)))
    bench, controller = caught[state].copies()
    if data.draw(st.booleans()):
        bench.virtual.disturb(coolant_flow_scale=data.draw(st.sampled_from([0.0, 0.5])))
    if data.draw(st.booleans()):
        bench.virtual.push_emergency_stop()
    with bench:
        Runner(bench, controller).run_for(data.draw(st.integers(0, 40)) / 10)
        raw = bench.snapshot()
        twin = bench.fork()
        with Bench.restore(raw) as restored, twin:
            assert restored.snapshot() == raw
            expected = story(twin, copy.deepcopy(controller), SECONDS)
            assert story(restored, copy.deepcopy(controller), SECONDS) == expected


ELSEWHERE = """
import sys
from pathlib import Path
from rig.bench import Bench
bench = Bench.restore(Path(sys.argv[1]).read_bytes())
for _ in range(20):
    bench.clock.sleep_until(bench.clock.now_ns + 100_000_000)
    bench.poll()
bench.write(belt_upper_speed_setpoint_m_min=1.1)
print(bench.recorder.trace_hash())
"""


def test_bench_goes_on_in_another_process(tmp_path: Path) -> None:
    with open_press("emu://?start=running&seed=2") as bench:
        bench.write(belt_upper_speed_setpoint_m_min=1.2)
        bench.poll()
        path = tmp_path / "bench.snapshot"
        path.write_bytes(bench.snapshot())
        hashes = [
            subprocess.run(
                [sys.executable, "-c", ELSEWHERE, str(path)], capture_output=True, text=True, check=True
            ).stdout.strip()
            for _ in range(2)
        ]
        twin = bench.fork()
        for _ in range(20):
            twin.clock.sleep_until(twin.clock.now_ns + 100_000_000)
            twin.poll()
        twin.write(belt_upper_speed_setpoint_m_min=1.1)
        assert twin.recorder is not None
        assert hashes == [twin.recorder.trace_hash()] * 2


def test_restored_bench_still_owes_the_safe_state() -> None:
    with open_press("emu://?start=running") as bench:
        bench.write(feed_enable=True)
        restored = Bench.restore(bench.snapshot())
    world = restored.virtual.world
    restored.close()
    assert world.node.bank["feed_enable"] is False


def test_snapshot_of_a_press_alone_is_no_bench() -> None:
    with open_press("emu://") as bench, pytest.raises(UsageError, match="of a press alone"):
        Bench.restore(bench.virtual.world.snapshot())


def test_what_is_no_snapshot_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="not a snapshot"):
        Bench.restore(b"hello")
