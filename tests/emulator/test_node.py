"""The node on the wire: watchdog, heartbeat, reset, temperature loops, and one consistent image."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.image import Layout
from emulator.node.bank import Bank
from emulator.world import World, WorldConfig
from rig.bench import Bench, open_press
from rig.errors import RequestRefused
from rig.protocol import (
    ExceptionResponse,
    MaskWriteRegister,
    ModbusError,
    ReadDeviceIdentification,
    ReadHoldingRegisters,
    ReadInputRegisters,
    ReadWriteMultipleRegisters,
    WriteMultipleRegisters,
    WriteSingleRegister,
)
from rig.protocol.registers_file import default_registers

SECOND = 1_000_000_000


@pytest.fixture
def bench() -> Iterator[Bench]:
    with open_press("emu://?start=warm") as opened:
        yield opened


def wait(bench: Bench, seconds: float, *, polling: bool = True) -> None:
    end_ns = bench.clock.now_ns + round(seconds * SECOND)
    while polling and bench.clock.now_ns < end_ns - SECOND // 2:
        bench.clock.sleep_until(bench.clock.now_ns + SECOND // 2)
        bench.value("mode")
    bench.clock.sleep_until(end_ns)


def energise(bench: Bench) -> None:
    bench.write(
        cooling_enable=True, coolant_flow_setpoint_l_min=60, hydraulics_enable=True, tension_enable=True,
        belt_upper_tension_setpoint_kn_m=60, belt_lower_tension_setpoint_kn_m=60,
    )  # fmt: skip
    wait(bench, 10)
    bench.write(belt_upper_speed_setpoint_m_min=1, belt_lower_speed_setpoint_m_min=1, drives_enable=True)


def test_silence_trips_the_watchdog_of_an_energised_press(bench: Bench) -> None:
    energise(bench)
    wait(bench, 3)
    assert bench.value("alarm_word") == frozenset()
    wait(bench, 3, polling=False)
    assert bench.value("first_out_alarm") == "comms_watchdog"
    assert bench.value("mode") == "tripped"
    assert bench.value("drives_enable") is False, "a command that was taken away is still there"


def test_silence_does_not_trip_a_press_at_rest(bench: Bench) -> None:
    wait(bench, 60, polling=False)
    assert bench.value("alarm_word") == frozenset()


def test_heartbeat_once_begun_must_go_on(bench: Bench) -> None:
    energise(bench)
    bench.write(controller_heartbeat=1)
    wait(bench, 5)
    assert bench.value("first_out_alarm") == "comms_watchdog"


def test_heartbeat_of_zero_ends_its_supervision(bench: Bench) -> None:
    energise(bench)
    bench.write(controller_heartbeat=1)
    bench.write(controller_heartbeat=0)
    wait(bench, 5)
    assert bench.value("alarm_word") == frozenset()


def test_reset_releases_and_starts_nothing(bench: Bench) -> None:
    energise(bench)
    bench.virtual.push_emergency_stop()
    wait(bench, 2)
    assert bench.value("mode") == "emergency_stop"
    bench.write(alarm_reset=True)
    wait(bench, 1)
    assert bench.value("mode") == "emergency_stop", "reset although the button is pressed"
    bench.virtual.release_emergency_stop()
    bench.write(alarm_reset=True)
    wait(bench, 1)
    assert bench.value("alarm_reset") is False
    assert bench.value("alarm_word") == frozenset()
    assert bench.value("mode") == "ready"
    wait(bench, 5)
    assert bench.value("belts_moving") is False


def test_emergency_stop_by_wire_is_latched_like_the_button(bench: Bench) -> None:
    energise(bench)
    bench.write(emergency_stop=True)
    wait(bench, 1)
    assert bench.value("first_out_alarm") == "emergency_stop"
    bench.write(emergency_stop=False, alarm_reset=True)
    wait(bench, 1)
    assert bench.value("alarm_word") == frozenset()


def test_zone_loops_hold_their_setpoints(bench: Bench) -> None:
    energise(bench)
    zones = {f"heat_{number}_{side}_setpoint_c": 110.0 for number in range(1, 5) for side in ("upper", "lower")}
    bench.write(
        zones | {f"entry_drum_{side}_setpoint_c": 110.0 for side in ("upper", "lower")} | {"heating_enable": True}
    )
    wait(bench, 1500)
    temperatures = [value for name, value in bench.read("zone_temperatures").items() if name.startswith("heat")]
    assert all(isinstance(value, float) and abs(value - 110.0) < 1.0 for value in temperatures), temperatures


def test_writes_outside_the_limits_are_refused_and_change_nothing(bench: Bench) -> None:
    before = bench.read("zone_setpoints", "clearance_setpoints")
    with pytest.raises(RequestRefused, match="illegal data value"):
        bench.master.exchange(WriteMultipleRegisters(0, (500, 9000)), 1)
    with pytest.raises(RequestRefused, match="illegal data address"):
        bench.master.exchange(WriteMultipleRegisters(28, (1, 1)), 1)
    with pytest.raises(RequestRefused, match="illegal data address"):
        bench.master.exchange(ReadInputRegisters(80, 10), 1)
    assert bench.read("zone_setpoints", "clearance_setpoints") == before


COMMANDS = default_registers().groups["commands"]
HEARTBEAT = default_registers()["controller_heartbeat"].address


def test_mask_write_and_read_write(bench: Bench) -> None:
    bench.master.exchange(WriteSingleRegister(HEARTBEAT, 0x0012), 1)
    bench.master.exchange(MaskWriteRegister(HEARTBEAT, 0x00F2, 0x0025), 1)
    assert bench.value("controller_heartbeat") == 0x0017
    answer = bench.master.exchange(ReadWriteMultipleRegisters(HEARTBEAT, 1, HEARTBEAT, (7,)), 1)
    assert answer.values == (7,)
    assert bench.master.exchange(ReadHoldingRegisters(HEARTBEAT, 1), 1).values == (7,)


def test_node_identifies_itself(bench: Bench) -> None:
    answer = bench.master.exchange(ReadDeviceIdentification(1, 0), 1)
    assert b"press-rig" in dict(answer.objects).values()
    assert bench.identification["press_identity"] == "virtual"


@functools.cache
def pressing(start: str) -> World:
    world = World(WorldConfig(start=start))
    world.run_until(world.now_ns + SECOND)
    return world


@settings(max_examples=40, deadline=None)
@given(
    start=st.sampled_from(["cold", "warm", "running"]),
    hands=st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=4),
    coils=st.dictionaries(st.sampled_from(COMMANDS), st.booleans(), max_size=4),
    coolant=st.sampled_from([0.0, 1.0]),
    tension=st.sampled_from([0.5, 1.0]),
    scans=st.integers(0, 60),
)
def test_word_of_contacts_says_at_every_scan_what_the_discrete_inputs_say(
    start: str,
    hands: list[tuple[bool, bool]],
    coils: dict[str, bool],
    coolant: float,
    tension: float,
    scans: int,
) -> None:
    world = pressing(start).fork()
    bank, contacts = world.node.bank, world.registers.groups["contacts"]
    world.disturbances.coolant_flow_scale = coolant
    world.disturbances.tension_scale = (tension, 1.0)
    for name, on in coils.items():
        bank.publish(name, on)
    for button, guard in hands:
        world.contacts.emergency_stop_pressed, world.contacts.guard_open = button, guard
        for _ in range(1 + scans):
            world.run_until(world.now_ns + 50_000_000)
            word = bank["contacts_word"]
            assert word == frozenset(name for name in contacts if bank[name])
        assert ("emergency_stop_released" in word, "guards_closed" in word) == (not button, not guard)


def test_word_and_contacts_agree_before_the_first_scan() -> None:
    world = World(WorldConfig())
    bank = world.node.bank
    assert bank["contacts_word"] == frozenset(name for name in world.registers.groups["contacts"] if bank[name])


def test_uptime_and_sample_time_never_tear(bench: Bench) -> None:
    last = -1
    for _ in range(300):
        bench.clock.sleep_until(bench.clock.now_ns + 77_000_000)
        sample_ms = bench.number("sample_time_ms")
        assert sample_ms >= last
        assert 0 <= bench.clock.now_ns / 1e6 - sample_ms < 120
        last = sample_ms


@settings(max_examples=40, deadline=None)
@given(
    garbage=st.lists(st.binary(min_size=1, max_size=40), max_size=6),
    pauses_ms=st.lists(st.integers(0, 20), min_size=6, max_size=6),
)
def test_no_bytes_move_an_actuator_or_stop_the_node_from_answering(garbage: list[bytes], pauses_ms: list[int]) -> None:
    with open_press("emu://?start=cold", record=False) as bench:
        world = bench.virtual.world
        coils, holding = world.node.bank.bit_bytes("coil", 0, 11), world.node.bank.register_bytes("holding", 0, 29)
        for noise, pause_ms in zip(garbage, pauses_ms, strict=False):
            bench.port.write(noise)
            bench.clock.sleep_until(bench.clock.now_ns + pause_ms * 1_000_000)
        bench.clock.sleep_until(bench.clock.now_ns + SECOND)
        bench.port.reset_input_buffer()
        assert bench.value("mode") == "off"
        assert world.node.bank.bit_bytes("coil", 0, 11) == coils
        assert world.node.bank.register_bytes("holding", 0, 29) == holding


def test_request_that_the_store_declines_becomes_its_exception() -> None:
    node = World(WorldConfig()).node
    answer = node.answer(ReadHoldingRegisters(500, 1), 0)
    assert isinstance(answer, ExceptionResponse)
    assert answer.code == 2


def test_addresses_without_a_tag_are_refused_also_between_tags() -> None:
    bank = Bank(Layout(default_registers(), "press"), {})
    assert len(bank.register_bytes("input", 0, 83)) == 2 * 83
    assert len(bank.bit_bytes("discrete", 0, 12)) == 2
    # 83 to 99 are free
    for address, count in ((0, 84), (83, 1), (80, 21), (99, 2), (100, 24), (123, 1), (60_000, 2)):
        with pytest.raises(ModbusError, match="illegal data address"):
            bank.register_bytes("input", address, count)
    assert bank.register_bytes("input", 100, 22)
