"""The runner on a line that fails: it goes on without new inputs, finds its port again, takes nothing old for new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from rig.bench import Bench, open_press
from rig.controller.api import Inputs
from rig.controller.runner import Runner
from rig.errors import PortError
from rig.running import producing_press


class Watching:
    """A controller that commands the same all the time and keeps what it saw."""

    def __init__(self, **outputs: Any) -> None:
        self.ages_s: list[float] = []
        self.outputs = outputs

    def scan(self, inputs: Inputs, now_ns: int) -> Mapping[str, Any]:
        self.ages_s.append((now_ns - inputs.time_ns) * 1e-9)
        return self.outputs


@pytest.fixture
def bench() -> Iterator[Bench]:
    with open_press("emu://?start=warm") as opened:
        yield opened


def events(bench: Bench, kind: str) -> list[str]:
    assert bench.recorder is not None
    return [event.text for event in bench.recorder.recording().events if event.kind == kind]


def test_a_pulled_adapter_that_comes_back_is_a_gap_and_not_the_end(bench: Bench) -> None:
    controller = Watching(cooling_enable=True)
    with Runner(bench, controller) as runner:
        runner.run_for(1.0)
        bench.virtual.inject("unplugged", amount=3.0)
        runner.run_for(10.0)
        assert 2.9 <= max(controller.ages_s) <= 6.0
        assert controller.ages_s[-1] < 0.1
        assert bench.virtual.world.node.bank["cooling_enable"] is True
    told = events(bench, "port")
    assert "disconnected" in told[0] or "Errno 5" in told[0]
    assert told[-1].startswith("back after")


def test_an_adapter_that_stays_away_ends_the_run_with_a_port_error(bench: Bench) -> None:
    with Runner(bench, Watching()) as runner:
        runner.run_for(1.0)
        bench.virtual.inject("unplugged", amount=1000.0)
        with pytest.raises(PortError, match="did not come back within 20 s"):
            runner.run_for(60.0)
    assert bench.clock.now_ns < 30_000_000_000


def test_commands_are_written_again_when_the_port_is_back(bench: Bench) -> None:
    with Runner(bench, Watching(cooling_enable=True)) as runner:
        runner.run_for(1.0)
        bench.virtual.inject("unplugged", amount=1.0)
        bench.virtual.inject("brown_out", amount=0.5)
        runner.run_for(5.0)
        assert bench.virtual.world.node.bank["cooling_enable"] is True


def test_a_node_that_has_started_anew_is_noticed_and_gets_all_commands(bench: Bench) -> None:
    with Runner(bench, Watching(cooling_enable=True, coolant_flow_setpoint_l_min=60.0)) as runner:
        runner.run_for(1.0)
        bench.virtual.inject("brown_out", amount=0.3)
        runner.run_for(2.0)
        assert bench.virtual.world.node.bank["coolant_flow_setpoint_l_min"] == 60.0
    assert events(bench, "node") == ["started anew"]


def test_answers_that_are_old_are_not_passed_for_new(bench: Bench) -> None:
    controller = Watching()
    with Runner(bench, controller) as runner:
        runner.run_for(1.0)
        assert max(controller.ages_s[1:]) == 0.0
        bench.virtual.inject("stale", times=None)
        runner.run_for(1.0)
        assert min(controller.ages_s[-7:]) >= 0.09
        bench.virtual.withdraw()
        runner.run_for(0.5)
        assert controller.ages_s[-1] == 0.0


def test_the_reference_controller_gives_up_when_the_node_has_started_anew() -> None:
    with producing_press() as runner:
        runner.bench.virtual.inject("brown_out", amount=0.3)
        runner.run_for(5.0)
        assert runner.state == "fault"
        assert "node_restarted" in runner.said()
        assert runner.bench.virtual.world.node.bank["drives_enable"] is False
        assert runner.bench.virtual.world.node.bank["heating_enable"] is False


def test_the_reference_controller_gives_up_when_its_port_is_away() -> None:
    with producing_press() as runner:
        runner.bench.virtual.inject("unplugged", amount=4.0)
        runner.run_for(10.0)
        assert runner.state == "fault"
        assert "stale_data" in runner.said()
        # the press's own watchdog had acted before the port was back
        assert "comms_watchdog" in str(runner.bench.virtual.world.node.bank["alarm_word"])


@pytest.mark.parametrize(
    "kind", ["lost_frame", "garbled", "truncated", "delayed", "split", "foreign", "inserted_bytes"]
)
def test_no_trouble_on_the_line_holds_a_scan_up(bench: Bench, kind: str) -> None:
    controller = Watching(cooling_enable=True)
    with Runner(bench, controller) as runner:
        runner.run_for(1.0)
        bench.virtual.inject(kind, probability=0.3, times=None)
        runner.run_for(20.0)
        assert runner.missed_deadlines == 0
        assert bench.virtual.line_counters["struck"] > 20


def test_a_poll_that_is_not_answered_is_given_up_within_its_scan(bench: Bench) -> None:
    with Runner(bench, Watching()) as runner:
        runner.run_for(1.0)
        before_ns = bench.clock.now_ns
        bench.virtual.inject("lost_frame")
        runner.run_for(0.1)
        assert runner.failed_polls == 1
        assert bench.clock.now_ns - before_ns < 200_000_000
        runner.run_for(0.1)
        assert runner.failed_polls == 1


def test_a_slow_line_gets_the_time_that_it_takes() -> None:
    with open_press("emu://?start=warm", baudrate=9600) as slow, Runner(slow, Watching()) as runner:
        runner.run_for(3.0)
        assert runner.failed_polls == 0
