"""Presses in full production for every example: alike, independent, and kept on disk by content."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator import user_cache, warm
from emulator.world import World, WorldConfig
from rig import running
from rig.bench import Bench
from rig.cli import main
from rig.clock import SECOND_NS
from rig.controller.runner import Runner

Running = Callable[..., AbstractContextManager[Bench]]
Producing = Callable[..., AbstractContextManager[Runner]]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), flow=st.sampled_from([0.0, 0.5, 1.0]))
def test_every_example_has_a_press_of_its_own(running_press: Running, seed: int, flow: float) -> None:
    with running_press(seed=seed) as bench:
        assert bench.virtual.disturbances["coolant_flow_scale"] == 1.0
        assert bench.virtual.world.config.seed == seed
        assert bench.value("sheet_at_exit") is True
        bench.virtual.disturb(coolant_flow_scale=flow)
        bench.clock.sleep_until(bench.clock.now_ns + 2 * SECOND_NS)
        bench.poll()


def test_seed_makes_the_noise_and_nothing_else(running_press: Running) -> None:
    with running_press(seed=1) as one, running_press(seed=1) as again, running_press(seed=2) as other:
        assert one.virtual.signals() == other.virtual.signals()
        for bench in (one, again, other):
            bench.clock.sleep_until(SECOND_NS)
        assert one.poll() == again.poll() != other.poll()


def test_controller_produces_from_the_first_scan_on(producing_press: Producing) -> None:
    traces = []
    for _ in range(2):
        with producing_press() as runner:
            assert runner.state == "produce"
            runner.run_for(10)
            assert runner.state == "produce"
            assert runner.bench.value("mode") == "energised"
            assert runner.bench.recorder is not None
            traces.append(runner.bench.recorder.trace_hash())
    assert traces[0] == traces[1]


def test_moment_from_the_disk_goes_on_like_the_one_that_was_lived(
    producing_press: Producing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(user_cache.VARIABLE, str(tmp_path))

    def life() -> str:
        running._producing.cache_clear()
        with producing_press() as runner:
            runner.run_for(5)
            assert runner.bench.recorder is not None
            return runner.bench.recorder.trace_hash()

    lived = life()
    (kept,) = tmp_path.glob("produce-*")
    assert life() == lived
    kept.write_bytes(kept.read_bytes()[:-9])  # damaged: lived again, and replaced
    assert life() == lived
    assert len(kept.read_bytes()) > 100_000


def test_warm_state_from_the_disk_is_the_one_that_was_computed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(user_cache.VARIABLE, str(tmp_path))

    def snapshot() -> bytes:
        warm.settled.cache_clear()
        world = World(WorldConfig(start="running", seed=3))
        world.run_until(SECOND_NS)
        return world.snapshot()

    computed = snapshot()
    (kept,) = tmp_path.glob("running-*")
    assert snapshot() == computed
    for damaged in (b"", kept.read_bytes()[:1000], b"x" + kept.read_bytes()[1:]):
        kept.write_bytes(damaged)
        assert snapshot() == computed
    monkeypatch.setenv(user_cache.VARIABLE, "off")
    assert snapshot() == computed


MAKE = "from emulator.world import World, WorldConfig; print(len(World(WorldConfig(start='warm')).snapshot()))"


def test_processes_that_make_the_same_state_at_the_same_time_do_not_disturb_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(user_cache.VARIABLE, str(tmp_path))
    makers = [
        subprocess.Popen([sys.executable, "-c", MAKE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = {maker.communicate() for maker in makers}
    assert len(said) == 1
    assert [path.suffix for path in tmp_path.iterdir()] == [".state"]


def test_oldest_states_go_when_there_is_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(user_cache.VARIABLE, str(tmp_path))
    monkeypatch.setattr(user_cache, "LARGEST_TOTAL", 2500)
    for name in "abc":
        user_cache.store(name, bytes(1000))
    assert user_cache.load("a") is None
    assert user_cache.load("b") is not None
    assert user_cache.load("c") is not None


def test_folder_that_cannot_be_written_only_costs_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv(user_cache.VARIABLE, str(tmp_path / "file" / "cache"))
    user_cache.store("a", b"x")
    assert user_cache.load("a") is None


def test_cache_is_shown_and_cleared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(user_cache.VARIABLE, str(tmp_path))
    user_cache.store("warm-1", bytes(2048))
    assert main(["cache"]) == 0
    assert f"2 KiB  in 1 warm states in {tmp_path}" in capsys.readouterr().out
    assert main(["cache", "--clear"]) == 0
    assert "removed 1 warm states" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []
