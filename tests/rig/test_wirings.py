"""A press with several nodes on the line, from the bench upwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.ports.protocol_emu import Serial
from emulator.ports.serve import Places, open_endpoints
from emulator.world import World, WorldConfig
from rig.bench import Bench, open_press
from rig.clock import SECOND_NS, VirtualClock
from rig.controller import Inputs, make_controller
from rig.controller.runner import Runner
from rig.controller.supervision import Alarms, Watch
from rig.errors import NoAnswer, NotArmed, OtherWiring, UsageError
from rig.port import open_port
from rig.protocol.registers_file import default_registers
from rig.recipe import load_recipe
from rig.sniff.choose import tags_like
from rig.sniff.meaning import Meaning
from tests.emulator.served import in_thread

URL = "emu://?wiring=multi-drop"


def wired(wiring: str, url: str = URL, before: Callable[[World], object] = lambda world: None) -> Bench:
    """A bench on a virtual press that it does not know for one, as at the other end of a cable."""
    port = open_port(url, "emu", 115_200, 0.02)
    assert isinstance(port, Serial)
    before(port.world)
    clock: Any = VirtualClock(port.world)
    return Bench(port, "/dev/ttyUSB7", clock=clock, virtual=None, wiring=wiring)


def brown_out(unit: int, seconds: float = 100.0) -> Callable[[World], object]:
    from emulator.wire.faults import Fault

    return lambda world: world.bus.inject(Fault("brown_out", seconds, unit=unit))


def test_a_virtual_press_says_by_itself_how_it_is_wired() -> None:
    with open_press(URL) as bench:
        assert bench.registers.wiring == "multi-drop"
        assert bench.value("wiring") == "multi-drop"
        assert set(bench.poll()) == {tag.name for tag in bench.registers.polled}
    with open_press("emu://") as bench:
        assert bench.registers.wiring == "one-node"


def test_what_a_url_and_an_argument_say_about_the_wiring_must_agree() -> None:
    with pytest.raises(UsageError, match="is wired one-node, and not multi-drop"):
        open_press("emu://", wiring="multi-drop")
    with pytest.raises(UsageError, match="no wiring 'star'; it is one of one-node, multi-drop"):
        open_press("/dev/ttyUSB7", wiring="star")


@pytest.mark.parametrize(("told", "there"), [("", "multi-drop"), ("multi-drop", "one-node")])
def test_a_press_that_is_wired_otherwise_is_one_clear_error(told: str, there: str) -> None:
    with pytest.raises(OtherWiring, match=f"is wired {there}, .* Open it with --wiring {there}") as caught:
        wired(told, f"emu://?wiring={there}")
    assert caught.value.exit_code == 3


def test_nodes_that_do_not_answer_are_named_with_their_addresses() -> None:
    def both(world: World) -> None:
        brown_out(11)(world)
        brown_out(21)(world)

    with pytest.raises(NoAnswer, match=r"heat_controller at address 11 and thickness_gauge at address 21 do not"):
        wired("multi-drop", before=both)


def test_nodes_that_stand_at_each_others_address_are_found_out() -> None:
    def swap(world: World) -> None:
        heat, cold, _ = world.satellites
        heat.units, cold.units = cold.units, heat.units

    with pytest.raises(OtherWiring, match="at address 11 is not the heat_controller: it says that it is cold_con"):
        wired("multi-drop", before=swap)


def test_on_a_cable_a_press_of_several_nodes_is_read_and_written_as_any_other() -> None:
    with wired("multi-drop") as bench:
        bench.write(heat_2_lower_setpoint_c=77.0, cold_1_upper_setpoint_c=9.5, watchdog_timeout_s=3.0)
        assert bench.read("heat_2_lower_setpoint_c", "cold_1_upper_setpoint_c", "watchdog_timeout_s") == {
            "heat_2_lower_setpoint_c": 77.0,
            "cold_1_upper_setpoint_c": 9.5,
            "watchdog_timeout_s": 3.0,
        }


def test_the_envelope_keeps_writes_from_every_node_of_a_press_that_is_not_virtual() -> None:
    with open_press(f"{URL}&identity=real") as bench, pytest.raises(NotArmed):
        bench.write(heat_2_lower_setpoint_c=77.0)


def test_the_safe_state_reaches_all_nodes_and_those_that_answer_where_one_does_not() -> None:
    with open_press(URL) as bench:
        banks = {node.unit: node.bank for node in bench.virtual.world.nodes}
        bench.write(heat_1_upper_setpoint_c=90.0, entry_left_clearance_setpoint_um=900.0, fast_open=False)
        bench.virtual.inject("brown_out", amount=2.0, unit=12)
        bench.write(entry_drum_upper_setpoint_c=80.0)
        assert bench.safe_state()  # the cold controller takes no part in it
        assert (banks[11]["heat_1_upper_setpoint_c"], banks[11]["entry_drum_upper_setpoint_c"]) == (20.0, 20.0)
        bench.write(heat_1_upper_setpoint_c=90.0, fast_open=False)
        bench.virtual.inject("brown_out", amount=60.0, unit=11)
        assert not bench.safe_state()
        assert banks[1]["fast_open"] is True
        assert banks[1]["entry_left_clearance_setpoint_um"] == 6000.0
        assert bench.recorder is not None
        assert any("node heat_controller not reached" in event.text for event in bench.recorder.recording().events)


def test_a_write_to_several_nodes_does_what_can_be_done_and_tells_what_could_not() -> None:
    with open_press(URL) as bench:
        bench.virtual.inject("brown_out", amount=60.0, unit=11)
        with pytest.raises(NoAnswer):
            bench.write(heat_1_upper_setpoint_c=90.0, cold_1_upper_setpoint_c=9.0, cooling_enable=True)
        nodes = {node.unit: node.bank for node in bench.virtual.world.nodes}
        assert nodes[12]["cold_1_upper_setpoint_c"] == 9.0
        assert nodes[1]["cooling_enable"] is True
        held = {tag.name for tag in bench.client.held()}
        assert held == {"cold_1_upper_setpoint_c", "cooling_enable"}


def test_the_hands_of_a_press_of_one_node_find_no_alarm_wire() -> None:
    with open_press("emu://") as bench, pytest.raises(UsageError, match="has no alarm wire"):
        bench.virtual.cut_alarm_wire()
    with open_press(URL) as bench:
        bench.virtual.cut_alarm_wire()
        bench.clock.sleep_until(SECOND_NS)
        assert bench.value("first_out_alarm") == "over_temperature"


def test_the_controller_brings_such_a_press_into_production_and_forks_go_on_bit_for_bit() -> None:
    with open_press(f"{URL}&start=warm") as bench:
        controller = make_controller(recipe=load_recipe("reference"))
        runner = Runner(bench, controller)
        runner.run_for(0.5)
        runner.request("start")
        runner.run_until_state("produce", within_s=1800)
        assert runner.missed_deadlines == runner.failed_polls == 0
        with bench.fork() as fork, Bench.restore(bench.snapshot()) as restored:
            seen = []
            for one in (fork, restored):
                for _ in range(20):
                    values = one.poll()
                seen.append((values, one.virtual.vector().tobytes(), one.clock.now_ns))
            assert seen[0] == seen[1]


def test_a_node_that_shows_nothing_new_is_an_alarm_of_the_controller() -> None:
    watch, alarms = Watch(), Alarms()
    values = {"heat_controller_heartbeat": 1.0, "cold_controller_heartbeat": 1.0, "thickness_gauge_heartbeat": 1.0}
    for tenth in range(40):
        now = {**values, "heat_controller_heartbeat": tenth // 3, "cold_controller_heartbeat": tenth // 3}
        watch.others(now, tenth * SECOND_NS // 10, alarms)
        assert bool(alarms.active) == (tenth > 20)
    assert alarms.first == "node_silent: the thickness_gauge has shown nothing new for 2 s"
    watch.others({}, 0, Alarms())


def test_the_sniffer_knows_the_tags_of_all_nodes_by_their_units() -> None:
    maps = [default_registers(wiring) for wiring in default_registers().wirings]
    meaning = Meaning(*maps)
    seen = {}
    for unit, address in ((1, 62), (11, 5), (12, 5), (21, 8)):
        seen[unit] = [reading.name for reading in meaning._span(unit, "input", address, (1,), is_written=False)]
    assert seen == {
        1: ["exit_thickness_um"],
        11: ["heat_1_upper_temperature_c"],
        12: ["cold_1_upper_temperature_c"],
        21: ["exit_thickness_um"],
    }
    assert tags_like(["heat_controller*"], *maps) == {
        f"heat_controller_{what}" for what in ("role", "status_word", "heartbeat", "sample_time_ms")
    }


def test_a_served_press_of_several_nodes_is_opened_on_its_pseudo_terminal(tmp_path: Path) -> None:
    link = tmp_path / "press"
    world = World(WorldConfig(wiring="multi-drop"))
    with open_endpoints(Places(link=link)) as endpoints, in_thread(world, endpoints):
        with pytest.raises(OtherWiring):
            open_press(str(link))
        with open_press(str(link), wiring="multi-drop") as bench:
            values = bench.poll()
    assert set(values) == {tag.name for tag in bench.registers.polled}
    assert values["heat_1_upper_temperature_c"] == pytest.approx(25.0, abs=2.0)


def test_a_node_that_dies_holds_no_scan_up_keeps_nothing_from_the_press_and_gets_its_commands_back() -> None:
    with open_press("emu://?start=warm&wiring=multi-drop") as bench:
        ages_s: list[float] = []

        class Watching:
            scans = 0

            def scan(self, inputs: Inputs, now_ns: int) -> dict[str, Any]:
                self.scans += 1
                ages_s.append(inputs.age_s("heat_1_upper_temperature_c", now_ns))
                return {
                    "controller_heartbeat": self.scans,
                    "coolant_flow_setpoint_l_min": float(self.scans % 7 + 50),
                    "heat_1_upper_setpoint_c": 100.0 + self.scans % 5,
                }

        with Runner(bench, Watching()) as runner:
            runner.run_for(3.0)
            assert max(ages_s[1:]) < 1.0
            bench.virtual.inject("brown_out", amount=10.0, unit=11)
            for _ in range(100):
                runner.step()
                assert bench.virtual.world.node.bank["coolant_flow_setpoint_l_min"] == runner.scans % 7 + 50
            assert runner.missed_deadlines == 0
            assert ages_s[-1] > 9.0
            assert bench.health["heat_controller"].condition == "lost"
            assert bench.health["heat_controller"].requests < 100
            assert bench.health["press"].condition == "good"
            assert "comms_watchdog" not in str(bench.value("alarm_word"))
            runner.run_for(6.0)
            assert ages_s[-1] < 1.0
            assert bench.value("heat_1_upper_setpoint_c") == 100.0 + runner.scans % 5
