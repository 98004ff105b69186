"""Several nodes on one line: temperature controllers and the gauge as nodes of their own."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pymodbus import FramerType
from pymodbus.client import ModbusSerialClient

from emulator.config import ConfigError
from emulator.definitions import Definitions
from emulator.ports.serve import Places, open_endpoints
from emulator.ports.url import parse_url
from emulator.satellites import WiringFile, make_satellites
from emulator.wire.faults import Fault
from emulator.wire.settings import LineSettings
from emulator.world import World, WorldConfig
from rig.protocol import (
    Diagnose,
    ReadDeviceIdentification,
    ReadHoldingRegisters,
    ReadInputRegisters,
    ReportServerId,
    Request,
    SubFunction,
    WriteMultipleCoils,
    WriteMultipleRegisters,
    WriteSingleRegister,
    decode_response,
    encode_frame,
    is_frame,
)
from rig.protocol.registers_file import default_registers
from tests.emulator.served import in_thread

LINE = LineSettings(115_200, parity="N")
MS = 1_000_000
SECOND = 1000 * MS
REGISTERS = default_registers("multi-drop")
PRESS, HEAT, COLD, GAUGE = (node.address for node in REGISTERS.nodes.values())
SETPOINT = REGISTERS["heat_1_upper_setpoint_c"].address


@functools.cache
def begun(start: str) -> World:
    world = World(WorldConfig(start=start, wiring="multi-drop", seed=3))
    world.run_until(SECOND)
    return world


class Line:
    """A press with several nodes and somebody who asks them."""

    def __init__(self, start: str = "cold") -> None:
        self.world = begun(start).fork()

    def send(self, frame: bytes, wait_ns: int = 50 * MS) -> bytes:
        self.world.bus.transmit(frame, LINE)
        self.run(wait_ns)
        return self.world.bus.read(300)

    def ask(self, request: Request, unit: int) -> Any:
        answer = self.send(encode_frame(unit, request))
        return decode_response(answer[1:-2], request) if answer else None

    def count(self, unit: int, sub_function: SubFunction) -> int:
        return int(self.ask(Diagnose(sub_function), unit).value)

    def run(self, time_ns: int) -> None:
        self.world.run_until(self.world.now_ns + time_ns)

    def live(self, seconds: float) -> None:
        """Time goes by while a master talks to everybody twice a second."""
        for _ in range(round(2 * seconds)):
            for unit in (PRESS, HEAT, COLD, GAUGE):
                self.send(encode_frame(unit, ReadInputRegisters(REGISTERS["mode"].address if unit == 1 else 1, 1)))
            self.run(300 * MS)

    def value(self, tag: str) -> Any:
        at = REGISTERS[tag]
        banks = {node.unit: node.bank for node in self.world.nodes}
        return banks[REGISTERS.nodes[at.node].address][tag]

    def write(self, tag: str, value: float) -> None:
        at = REGISTERS[tag]
        request: Request
        if at.table == "coil":
            request = WriteMultipleCoils(at.address, (bool(value),))
        else:
            request = WriteSingleRegister(at.address, at.encode(value)[0])
        assert self.ask(request, REGISTERS.nodes[at.node].address) is not None

    def drive(self, place: int) -> float:
        """What the I/O node lets through to a heater or valve."""
        return float(self.world.node.commands.zone_output[place])


@pytest.mark.parametrize(
    ("unit", "turnaround_ns"), [(PRESS, 1_500_000), (HEAT, 6 * MS), (COLD, 9 * MS), (GAUGE, 3 * MS)]
)
def test_a_unit_answers_to_its_address_alone_and_after_its_own_turnaround(unit: int, turnaround_ns: int) -> None:
    line = Line()
    bus = line.world.bus
    bus.transmit(encode_frame(unit, ReadInputRegisters(100 if unit == PRESS else 0, 1)), LINE)
    heard_ns = bus.due_ns
    assert heard_ns is not None
    line.world.run_until(heard_ns)
    assert [reply.unit for reply in bus.state.replies] == [unit]
    assert bus.state.replies[0].start_ns - heard_ns == turnaround_ns


def test_nobody_answers_to_an_address_that_is_not_there() -> None:
    assert Line().ask(ReadInputRegisters(0, 1), 13) is None


def test_every_unit_says_who_it_is() -> None:
    line = Line()
    models, ids = set(), set()
    for unit in (PRESS, HEAT, COLD, GAUGE):
        models.add(dict(line.ask(ReadDeviceIdentification(), unit).objects)[1])
        ids.add(line.ask(ReportServerId(), unit).data)
    assert models == {b"DBP-600", b"MLT-10", b"MLT-4", b"TG-3"}
    assert len(ids) == 4
    assert [line.value(f"{node.name}_role") for node in REGISTERS.satellites] == [
        node.name for node in REGISTERS.satellites
    ]
    assert line.value("wiring") == "multi-drop"


def test_what_is_moved_is_nowhere_else() -> None:
    line = Line()
    at = REGISTERS["heat_1_upper_temperature_c"]
    assert line.ask(ReadInputRegisters(at.address, 1), HEAT).values[0] in range(190, 320)
    assert line.ask(ReadInputRegisters(0, 1), PRESS).code == 2
    assert line.ask(ReadInputRegisters(30, 1), COLD).code == 2


def test_each_unit_counts_what_it_heard_and_said() -> None:
    line = Line()
    for unit in (HEAT, COLD):
        line.ask(Diagnose(SubFunction.CLEAR_COUNTERS), unit)
    line.ask(ReadInputRegisters(0, 1), HEAT)
    line.ask(ReadInputRegisters(999, 1), HEAT)
    assert line.count(HEAT, SubFunction.EXCEPTION_COUNT) == 1
    assert line.count(COLD, SubFunction.EXCEPTION_COUNT) == 0
    assert line.count(HEAT, SubFunction.SERVER_MESSAGE_COUNT) == 4
    assert line.count(COLD, SubFunction.SERVER_MESSAGE_COUNT) == 2
    assert line.count(COLD, SubFunction.BUS_MESSAGE_COUNT) == 7


def test_a_broadcast_reaches_every_unit_that_has_the_register_and_nobody_answers() -> None:
    line = Line()
    assert line.ask(WriteMultipleRegisters(0, (300, 310)), 0) is None
    assert (line.value("heat_1_upper_setpoint_c"), line.value("cold_1_lower_setpoint_c")) == (30.0, 31.0)
    assert line.ask(ReadHoldingRegisters(0, 1), 0) is None
    for unit in (PRESS, HEAT, COLD, GAUGE):
        assert line.count(unit, SubFunction.NO_RESPONSE_COUNT) == 1


def test_controllers_measure_four_times_a_second_and_the_gauge_with_every_scan_of_the_press() -> None:
    line = Line()
    line.run(10 * SECOND)
    assert line.value("heat_controller_heartbeat") == 1 + 4 * 11
    assert line.value("thickness_gauge_heartbeat") == 1 + 20 * 11
    assert line.value("cold_controller_sample_time_ms") == 11_000


def test_loops_hold_the_zones_while_the_run_contact_is_closed() -> None:
    line = Line("warm")
    for tag in REGISTERS.expand(["zone_setpoints", "drum_setpoints"]):
        line.write(tag.name, 15.0 if tag.name.startswith("cold") else 112.0)
    assert line.drive(0) == 0.0
    line.write("coolant_flow_setpoint_l_min", 120.0)
    line.write("cooling_enable", True)
    line.write("heating_enable", True)
    line.live(20)
    assert 0.0 < line.drive(0) < 0.5
    assert 0.0 < line.drive(8) < 1.0
    assert line.value("heat_1_upper_output_percent") == pytest.approx(100.0 * line.drive(0), abs=0.1)
    assert line.value("heat_1_upper_temperature_c") == pytest.approx(112.0, abs=0.6)
    assert "running" in line.value("heat_controller_status_word")
    assert line.value("mode") == "energised"
    line.write("heating_enable", False)
    line.run(50 * MS)
    assert line.drive(0) == 0.0
    line.run(250 * MS)
    assert "running" not in line.value("heat_controller_status_word")
    assert line.value("heat_1_upper_output_percent") == 0.0


def heated() -> Line:
    line = Line("running")
    line.live(1)
    assert line.drive(0) > 0.0
    assert line.value("alarm_word") == frozenset()
    return line


def test_a_heat_controller_without_supply_lets_go_of_its_heaters_and_trips_over_temperature() -> None:
    line = heated()
    line.world.bus.inject(Fault("brown_out", 2.0, unit=HEAT))
    line.run(50 * MS)
    assert line.drive(0) == 0.0
    assert line.drive(8) > 0.0
    line.live(1)
    assert line.value("first_out_alarm") == "over_temperature"
    assert line.ask(ReadInputRegisters(0, 1), HEAT) is None
    for unit in (COLD, GAUGE):
        assert line.ask(ReadInputRegisters(0, 1), unit) is not None
    line.live(2)
    assert line.value("heat_1_upper_setpoint_c") == 20.0
    assert line.value("heat_controller_heartbeat") < 20
    assert line.value("heat_controller_sample_time_ms") < 4000
    line.write("alarm_reset", True)
    line.run(100 * MS)
    assert line.value("alarm_word") == frozenset()


def test_a_gauge_without_supply_sees_no_sheet_and_trips_nothing() -> None:
    line = heated()
    assert line.value("sheet_at_exit") is True
    line.world.bus.inject(Fault("brown_out", 1.0, unit=GAUGE))
    line.run(100 * MS)
    assert line.value("sheet_at_exit") is False
    assert line.value("alarm_word") == frozenset()
    assert line.drive(0) > 0.0
    line.live(2)
    assert line.value("sheet_at_exit") is True


def test_an_io_node_without_supply_opens_the_contactor_of_heaters_and_valves() -> None:
    line = heated()
    line.world.bus.inject(Fault("brown_out", 1.0, unit=PRESS))
    line.run(SECOND // 2)
    assert not line.world.node.commands.zone_output.any()
    assert "running" not in line.value("heat_controller_status_word")
    assert line.ask(ReadInputRegisters(0, 1), HEAT) is not None


def test_a_cut_alarm_wire_trips_over_temperature_and_cannot_be_reset_before_it_is_mended() -> None:
    line = heated()
    line.world.contacts.alarm_wire_cut = True
    line.live(1)
    assert line.value("first_out_alarm") == "over_temperature"
    assert line.drive(0) == 0.0
    assert "over_temperature" not in line.value("heat_controller_status_word")
    line.write("alarm_reset", True)
    line.run(100 * MS)
    assert line.value("alarm_word") == {"over_temperature"}
    line.world.contacts.alarm_wire_cut = False
    line.run(100 * MS)
    line.write("alarm_reset", True)
    line.run(100 * MS)
    assert line.value("alarm_word") == frozenset()


def test_a_zone_that_is_too_hot_drops_the_relay_of_its_controller() -> None:
    line = Line("warm")
    line.world.disturbances.change({"heater_stuck_on": 1.0})
    line.run(600 * SECOND)
    assert line.value("heat_4_upper_temperature_c") > 155.0
    assert {"over_temperature", "hot"} <= line.value("heat_controller_status_word")
    assert line.value("first_out_alarm") == "over_temperature"


def test_silence_makes_a_controller_go_back_to_safe_setpoints_until_somebody_writes() -> None:
    line = Line()
    line.write("heat_1_upper_setpoint_c", 90.0)
    line.write("cold_1_upper_setpoint_c", 12.0)
    line.live(4)
    assert line.value("heat_1_upper_setpoint_c") == 90.0
    line.run(6 * SECOND)
    assert line.value("heat_1_upper_setpoint_c") == 20.0
    assert line.value("cold_1_upper_setpoint_c") == 12.0  # cold is safe
    line.ask(ReadInputRegisters(0, 1), HEAT)
    line.run(SECOND)
    assert "setpoints_lost" in line.value("heat_controller_status_word")
    line.write("heat_1_upper_setpoint_c", 80.0)
    line.run(SECOND)
    assert "setpoints_lost" not in line.value("heat_controller_status_word")
    assert line.value("heat_1_upper_setpoint_c") == 80.0


def test_answers_of_two_units_at_once_are_garbled() -> None:
    line = Line()
    bus = line.world.bus
    bus.transmit(encode_frame(HEAT, ReadInputRegisters(0, 23)), LINE)
    line.run(8 * MS)  # too impatient a master: the answer has not begun yet
    bus.transmit(encode_frame(GAUGE, ReadInputRegisters(0, 11)), LINE)
    line.run(50 * MS)
    heard = [reply.data for reply in bus.state.replies]
    assert bus.state.counters.collisions == 1
    assert not any(map(is_frame, heard))


def fingerprint(world: World) -> bytes:
    """Everything that can be seen of it, after questions to everybody."""
    for _ in range(12):
        for unit in (PRESS, HEAT, COLD, GAUGE):
            world.bus.transmit(encode_frame(unit, ReadInputRegisters(100 if unit == PRESS else 0, 5)), LINE)
            world.run_until(world.now_ns + 37 * MS)
    return world.bus.read(4096) + world.truth.vector().tobytes() + world.snapshot()


@pytest.mark.parametrize("before_ms", [0, 130, 2777])
def test_forks_and_snapshots_go_on_bit_for_bit(before_ms: int) -> None:
    origin = begun("running").fork()
    origin.bus.inject(Fault("brown_out", 0.7, unit=HEAT, after_s=0.3))
    origin.bus.transmit(encode_frame(COLD, ReadInputRegisters(0, 9)), LINE)
    origin.run_until(origin.now_ns + before_ms * MS)
    fork, restored = origin.fork(), World.restore(origin.snapshot())
    assert fingerprint(fork) == fingerprint(restored) == fingerprint(origin)


def test_another_seed_gives_every_node_other_noise() -> None:
    world = begun("running")
    other = world.fork(seed=4)
    same = world.fork()
    for one in (other, same):
        one.run_until(one.now_ns + SECOND)
    for left, right in zip(other.nodes, same.nodes, strict=True):
        assert not np.array_equal(left.state.sensors.memory, right.state.sensors.memory)


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("emu://?wiring=star", "wiring is 'star'; it must be one of one-node, multi-drop"),
        ("emu://?wiring=multi-drop&node=firmware", "the firmware is made for wiring 'one-node'"),
    ],
)
def test_wirings_that_cannot_be_are_one_clear_error(url: str, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        parse_url(url)


def test_a_scan_period_that_is_no_multiple_of_the_press_s_is_refused() -> None:
    definitions = Definitions.load(WorldConfig(wiring="multi-drop"))
    *controllers, gauge = definitions.wiring.satellite
    wiring = WiringFile(satellite=(*controllers, gauge.model_copy(update={"scan_period_ms": 70})))
    with pytest.raises(ConfigError, match="thickness_gauge: scan_period_ms is 70; it must be a multiple"):
        make_satellites(wiring, definitions.node, REGISTERS, definitions.sensors.sensor, 0, "virtual")


def test_pymodbus_reads_two_units_of_one_pseudo_terminal(tmp_path: Path) -> None:
    link = tmp_path / "press"
    with open_endpoints(Places(link=link)) as endpoints, in_thread(begun("cold").fork(), endpoints):
        client = ModbusSerialClient(str(link), framer=FramerType.RTU, baudrate=115_200, parity="N", timeout=2)
        assert client.connect()
        for _ in range(3):
            assert client.read_input_registers(0, count=1, device_id=HEAT).registers == [1]
            assert client.read_input_registers(0, count=1, device_id=GAUGE).registers == [3]
        client.write_register(SETPOINT, 777, device_id=HEAT)
        assert client.read_holding_registers(SETPOINT, count=1, device_id=HEAT).registers == [777]
        assert client.read_holding_registers(SETPOINT, count=1, device_id=COLD).registers == [150]
        client.close()
