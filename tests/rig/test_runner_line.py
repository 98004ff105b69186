"""The runner on a line that fails: it goes on without new inputs, finds its port again, takes nothing old for new."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from rig.bench import Bench, open_press
from rig.controller import make_controller
from rig.controller.api import Inputs
from rig.controller.runner import Runner
from rig.errors import ControllerError, PortError
from rig.running import producing_press
from rig.schedule import PollSchedule


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
        oldest_ns = bench.health["press"].oldest_ns
        assert oldest_ns is not None
        # the report's figure is what the controller saw, but for the time from look to decision
        assert oldest_ns * 1e-9 == pytest.approx(max(controller.ages_s), abs=0.01)
        assert bench.virtual.world.node.bank["cooling_enable"] is True
    told = events(bench, "port")
    assert "disconnected" in told[0] or "Errno 5" in told[0]
    assert told[-1].startswith("back after")


@pytest.mark.parametrize("device", ["ttyUSB*", ""])
def test_an_adapter_that_comes_back_under_another_name_is_found_where_any_name_of_it_will_do(device: str) -> None:
    controller = Watching(cooling_enable=True)
    with open_press(f"emu://?start=warm#{device}") as bench, Runner(bench, controller) as runner:
        runner.run_for(1.0)
        bench.virtual.inject("unplugged", amount=2.0, device="ttyUSB1")
        runner.run_for(8.0)
        assert controller.ages_s[-1] < 0.1
        assert events(bench, "port")[-1].startswith("back after")
        with bench.fork() as twin, Runner(twin, controller) as other:
            twin.virtual.inject("unplugged", amount=0.5, device="ttyACM0")
            if device:
                with pytest.raises(PortError, match="did not come back"):
                    other.run_for(30.0)
            else:
                other.run_for(8.0)
                assert controller.ages_s[-1] < 0.1


def test_an_adapter_that_comes_back_under_another_name_is_not_found_under_its_old_one() -> None:
    with open_press("emu://?start=warm#ttyUSB0") as bench, Runner(bench, Watching()) as runner:
        runner.run_for(1.0)
        bench.virtual.inject("unplugged", amount=1.0, device="ttyUSB1")
        with pytest.raises(PortError, match=r"did not come back within 20 s.*No such file or directory.*ttyUSB0"):
            runner.run_for(60.0)


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


def test_on_a_slow_line_scans_keep_their_time_and_commands_are_written_again_slice_by_slice() -> None:
    with open_press("emu://?start=warm", baudrate=19_200) as slow, Runner(slow, make_controller()) as runner:
        runner.run_for(1.0)
        runner.request("start")
        runner.run_for(2.0)
        written: list[set[str]] = []
        write = slow.write

        def watched(values: Mapping[str, Any], until_ns: int | None = None) -> None:
            written.append(set(values))
            write(values, until_ns=until_ns)

        slow.write = watched  # type: ignore[method-assign]
        oldest_s: dict[str, float] = {}
        for _ in range(100):
            begin_ns = slow.clock.now_ns
            runner.step()
            assert slow.clock.now_ns - begin_ns <= 200_000_000  # from the end of one scan to that of the next
            for tag in slow.registers.polled:
                oldest_s[tag.group] = max(oldest_s.get(tag.group, 0.0), slow.age_s(tag.name))
        assert (runner.state, runner.missed_deadlines, runner.failed_polls) == ("preheat", 0, 0)
        for start in range(0, 90, 10):
            second = written[start : start + 10]
            assert set().union(*second) >= set(runner.commanded)
            assert max(map(len, second)) < 0.8 * len(runner.commanded)
    assert oldest_s["node"] <= 0.2
    assert oldest_s["belt_speeds"] <= 0.5
    assert oldest_s["zone_temperatures"] <= 3.0
    assert max(oldest_s.values()) <= 6.0


def test_a_controller_says_how_often_it_wants_what_and_what_cannot_be_is_its_error(bench: Bench) -> None:
    class Choosy(Watching):
        poll_schedule = PollSchedule({"zone_temperatures": 20}, spare=False)

    seen_s: list[float] = []
    with Runner(bench, Choosy(), on_scan=lambda _: seen_s.append(bench.age_s("heat_1_upper_temperature_c"))) as runner:
        runner.run_for(6.0)
        assert 1.9 <= max(seen_s) <= 2.1
        assert runner.inputs.age_s("node_heartbeat", bench.clock.now_ns) < 0.1
    Choosy.poll_schedule = PollSchedule({"zone_temperature": 20})
    with pytest.raises(ControllerError, match="did you mean zone_temperatures"):
        Runner(bench, Choosy())


def test_what_was_never_read_is_infinitely_old_and_the_age_of_the_oldest_is_that_of_all() -> None:
    inputs = Inputs({"fast": 1.0, "slow": 2.0}, 900, times_ns={"fast": 10**9, "slow": 0})
    assert inputs.age_s("fast", 2 * 10**9) == 1.0
    assert inputs.oldest_s(("fast", "slow"), 2 * 10**9) == 2.0
    assert inputs.age_s("never", 0) == inputs.oldest_s(("fast", "never"), 0) == float("inf")
    of_one_time = Inputs({"fast": 1.0, "slow": 2.0}, 10**9)
    assert of_one_time.oldest_s(("fast", "slow"), 3 * 10**9) == 2.0


@pytest.mark.parametrize(
    ("name", "fresh_s"), [("node_heartbeat", 0.5), ("cold_left_clearance_um", 1.0), ("heat_2_upper_temperature_c", 5.0)]
)
def test_the_reference_controller_holds_on_what_is_old_and_gives_up_on_what_is_stale(name: str, fresh_s: float) -> None:
    with producing_press() as runner:
        runner.run_for(0.5)
        controller, inputs, now_ns = runner.controller, runner.inputs, runner.bench.clock.now_ns

        def aged(age_s: float) -> Inputs:
            times_ns = dict.fromkeys(inputs.values, now_ns) | {name: now_ns - round(age_s * 1e9)}
            return Inputs(inputs.values, now_ns, times_ns=times_ns)

        before = dict(controller.scan(aged(0.9 * fresh_s), now_ns))
        held = dict(controller.scan(aged(1.1 * fresh_s), now_ns))
        assert {**held, "controller_heartbeat": 0} == {**before, "controller_heartbeat": 0}
        assert runner.state == "produce"
        controller.scan(aged(3.1 * fresh_s), now_ns)
        assert runner.state == "fault"
        assert name in runner.said()
