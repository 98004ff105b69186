"""The runner: trusts no controller, and leaves the press safe whatever happens."""

from __future__ import annotations

import itertools
import math
import signal
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from rig.bench import Bench, open_press
from rig.clock import SECOND_NS
from rig.controller import make_controller
from rig.controller.api import Inputs
from rig.controller.runner import Runner
from rig.errors import ControllerError, NoAnswer, UsageError
from rig.recipe import load_recipe
from rig.schedule import PollSchedule


class Scripted:
    """A controller that does what the test says."""

    def __init__(self, scan: Callable[[int, Inputs], Any]) -> None:
        self.scans = 0
        self.seen: list[Inputs] = []
        self._scan = scan

    def scan(self, inputs: Inputs, now_ns: int) -> Mapping[str, Any]:
        self.scans += 1
        self.seen.append(inputs)
        return self._scan(self.scans, inputs)  # type: ignore[no-any-return]


ON = {"heating_enable": True, "cooling_enable": True, "coolant_flow_setpoint_l_min": 60.0}


def safe(bench: Bench) -> bool:
    bank = bench.virtual.world.node.bank
    return bank["heating_enable"] is False and bank["fast_open"] is True


def divide_by_zero(scan: int, inputs: Inputs) -> Mapping[str, Any]:
    return ON if scan < 5 else {"cooling_enable": bool(1 // 0)}


def never_return(scan: int, inputs: Inputs) -> Mapping[str, Any]:
    while scan > 5:
        try:
            while True:
                pass
        except Exception:
            continue
    return ON


@pytest.mark.parametrize(
    ("scan", "message"),
    [
        (divide_by_zero, r"raised ZeroDivisionError in scan 4 \(.*test_runner.py:\d+\)"),
        (never_return, "did not return from scan 5 within 0.2 s"),
        (lambda scan, inputs: ON if scan < 5 else None, "returned NoneType"),
        (lambda scan, inputs: ON if scan < 5 else 42, "returned int"),
        (lambda scan, inputs: ON if scan < 5 else {"heating_enabled": True}, "did you mean heating_enable"),
        (lambda scan, inputs: ON if scan < 5 else {7: True}, "no tag or group named 7"),
        (lambda scan, inputs: ON if scan < 5 else {"exit_thickness_um": 1.0}, "cannot be written"),
        (lambda scan, inputs: ON if scan < 5 else {"heat_1_upper_setpoint_c": math.nan}, "= NaN in scan 4"),
        (lambda scan, inputs: ON if scan < 5 else {"heat_1_upper_setpoint_c": 900.0}, "outside 0 … 160"),
        (lambda scan, inputs: ON if scan < 5 else {"heat_1_upper_setpoint_c": "hot"}, "not a number"),
    ],
    ids=[
        "raises",
        "never-returns",
        "none",
        "number",
        "unknown-tag",
        "no-name",
        "sensed",
        "nan",
        "limits",
        "text",
    ],
)
def test_controller_that_goes_wrong_ends_the_run_with_a_safe_press_and_a_recording(
    scan: Callable[[int, Inputs], Any], message: str
) -> None:
    with open_press("emu://?start=warm") as bench:
        with (
            pytest.raises(ControllerError, match=message),
            Runner(bench, Scripted(scan), scan_limit_s=0.2) as runner,
        ):
            runner.run_for(5)
        assert safe(bench)
        assert bench.recorder is not None
        recording = bench.recorder.recording()
        assert len(recording.tags.time_ns) >= 4
        assert any(event.kind == "safe_state" for event in recording.events)


def test_scans_come_every_100_ms_of_press_time() -> None:
    with open_press("emu://") as bench:
        times: list[int] = []
        runner = Runner(bench, Scripted(lambda scan, inputs: {}), on_scan=lambda r: times.append(r.inputs.time_ns))
        runner.run_for(3)
    steps = [b - a for a, b in itertools.pairwise(times)]
    assert runner.scans == 30
    # the first poll also lets the line be silent behind the identification
    assert all(abs(step - 100_000_000) < 2_000_000 for step in steps)
    assert runner.missed_deadlines == 0


def test_longer_scans_are_as_long_and_poll_as_often_per_second_as_the_controller_wants() -> None:
    class Slow(Scripted):
        poll_schedule = PollSchedule({"kneader": 50, "tail": 10})

    with open_press("emu://line?start=warm") as bench:
        times: list[int] = []
        controller = Slow(lambda scan, inputs: {"controller_heartbeat": scan + 1})
        runner = Runner(bench, controller, period_ns=SECOND_NS, on_scan=lambda r: times.append(r.inputs.time_ns))
        runner.run_for(20.0)
        assert runner.scans == 20
        assert all(abs(b - a - SECOND_NS) < 20_000_000 for a, b in itertools.pairwise(times))
        assert bench.value("first_out_alarm") != "comms_watchdog"
        asked = {name: health.requests for name, health in bench.health.items()}
    # every 50 scans of 0.1 s are every 5 scans of 1 s
    assert asked["kneader"] == pytest.approx(4, abs=1)
    assert asked["tail"] == pytest.approx(20, abs=1)


def test_requests_of_the_operator_are_seen_by_exactly_one_scan() -> None:
    with open_press("emu://") as bench:
        controller = Scripted(lambda scan, inputs: {})
        runner = Runner(bench, controller)
        runner.run_for(0.5)
        runner.request("start", "reset")
        runner.run_for(0.5)
    assert [sorted(inputs.operator) for inputs in controller.seen if inputs.operator] == [["reset", "start"]]


def test_panel_has_only_its_buttons() -> None:
    with open_press("emu://") as bench, pytest.raises(UsageError, match="the panel has no 'faster'"):
        Runner(bench, Scripted(lambda scan, inputs: {})).request("faster")


def test_only_changes_are_written_and_everything_is_refreshed_once_per_second() -> None:
    with open_press("emu://") as bench:
        runner = Runner(bench, Scripted(lambda scan, inputs: {"cooling_enable": True}))
        runner.run_for(2.0)
        writes = runner.bench.master.requests - runner.scans
        # two requests of the identification, and a write in scans 0, 10
        assert writes <= 2 + 2
        bench.virtual.world.node.bank.publish("cooling_enable", False)
        runner.run_for(1.1)
        assert bench.value("cooling_enable") is True, "a command that the node lost was not written again"


def test_inputs_grow_old_while_nobody_answers_and_the_run_ends_after_5_seconds() -> None:
    with open_press("emu://", retries=0, timeout_s=0.05) as bench:
        controller = Scripted(lambda scan, inputs: {})
        runner = Runner(bench, controller)
        runner.run_for(1)
        bench.virtual.world.bus.baud = 1200  # the node is set to another rate: silence
        with pytest.raises(NoAnswer):
            runner.run_for(20)
        ages = [bench.clock.now_ns - inputs.time_ns for inputs in controller.seen]
        assert runner.failed_polls == 50
        assert ages[-1] > 4_000_000_000


def test_ordinary_scan_of_a_producing_press_is_one_read_and_one_write() -> None:
    with open_press("emu://?start=warm", record=False) as bench:
        runner = Runner(bench, make_controller(load_recipe("reference")))
        runner.run_for(1)
        runner.request("start")
        runner.run_until_state("produce", within_s=3600)
        requests = []
        for _ in range(100):
            before = bench.master.requests
            runner.step()
            requests.append(bench.master.requests - before)
    # ten times all coils are refreshed as well; a mark, a diverter now and then
    assert requests.count(2) >= 85
    assert max(requests) == 3


def test_alarm_of_somebody_else_goes_off_in_time_and_finds_its_handler_again() -> None:
    rung: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda signum, frame: rung.append(signum))
    try:
        mine = signal.getsignal(signal.SIGALRM)
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with open_press("emu://", record=False) as bench:
            runner = Runner(bench, Scripted(lambda scan, inputs: {}), scan_limit_s=0.1)
            runner.run_until(lambda: bool(rung), within_s=1e6)
        assert signal.getsignal(signal.SIGALRM) is mine
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        assert rung == [signal.SIGALRM]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def test_alarm_that_is_not_due_yet_is_set_again_behind_the_run() -> None:
    before = signal.signal(signal.SIGALRM, lambda signum, frame: None)
    try:
        signal.setitimer(signal.ITIMER_REAL, 3600.0, 60.0)
        with open_press("emu://", record=False) as bench:
            Runner(bench, Scripted(lambda scan, inputs: {})).run_for(1)
        left_s, interval_s = signal.getitimer(signal.ITIMER_REAL)
        assert 3500.0 < left_s < 3600.0
        assert interval_s == 60.0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
