"""The bench: one interface, typed trouble, and a press that is left safe."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rig.bench import open_press
from rig.errors import (
    NoAnswer,
    NotArmed,
    OtherRegisterMap,
    OutsideSafeRange,
    PortError,
    RequestRefused,
    UnknownTag,
    UsageError,
)
from rig.hil import with_query
from rig.identify import check_register_map
from rig.protocol.registers import RegisterMap
from rig.protocol.registers_file import default_registers


def test_reading_a_group_gives_its_tags_in_engineering_units() -> None:
    with open_press("emu://?start=warm") as bench:
        zones = bench.read("zone_temperatures")
    assert list(zones) == list(bench.registers.groups["zone_temperatures"])
    assert zones["heat_1_upper_temperature_c"] == pytest.approx(112.0, abs=1.5)
    assert zones["cold_2_lower_temperature_c"] == pytest.approx(15.0, abs=1.5)


def test_poll_of_everything_takes_one_request() -> None:
    with open_press("emu://") as bench:
        before = bench.master.requests
        values = bench.poll()
        assert bench.master.requests - before == 1
    assert {"mode", "belts_moving", "exit_thickness_um"} <= set(values)
    assert set(values) == {tag.name for tag in bench.registers.polled}


def test_poll_and_recording_show_what_is_done_to_the_press_by_hand() -> None:
    with open_press("emu://") as bench:
        for act, name, state in (
            (bench.virtual.push_emergency_stop, "emergency_stop_released", False),
            (bench.virtual.open_guard, "guards_closed", False),
            (bench.virtual.release_emergency_stop, "emergency_stop_released", True),
            (bench.virtual.close_guard, "guards_closed", True),
        ):
            assert bench.poll()[name] is not state
            act()
            bench.clock.sleep_until(bench.clock.now_ns + 100_000_000)
            assert bench.poll()[name] is state
            assert bench.value(name) is state
        assert bench.recorder is not None
        tags = bench.recorder.recording().tags
    assert tags["emergency_stop_released"].tolist() == [1, 0, 0, 0, 0, 1, 1, 1]
    assert tags["guards_closed"].tolist() == [1, 1, 1, 0, 0, 0, 0, 1]


def test_time_is_virtual_and_starts_with_the_press() -> None:
    with open_press("emu://") as bench:
        assert bench.clock.now_ns < 100_000_000
        assert bench.clock.sleep_until(3600 * 10**9) == 0
        assert bench.value("uptime_s") == 3600


@pytest.mark.parametrize(
    ("url", "kind", "message"),
    [
        ("emu://?strat=warm", UsageError, "parameter 'strat' is unknown"),
        ("emu://?start=tepid", UsageError, "cold, warm, running"),
        ("emu://?seed=one", UsageError, "seed is 'one'"),
        ("emu://?machine=none", UsageError, "no machine is called 'none'"),
        ("emu://?recipe=none", UsageError, "no recipe named 'none'"),
        ("emulator://", UsageError, "unknown scheme 'emulator'"),
        ("/dev/ttyNoSuchPress", PortError, "does not exist"),
        ("socket://127.0.0.1:1", PortError, "nobody listens"),
    ],
)
def test_press_that_cannot_be_opened_is_told_in_one_sentence(url: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        open_press(url)
    assert "\n" not in str(caught.value)


def test_wrong_baud_rate_is_silence_and_the_message_says_what_to_check() -> None:
    with pytest.raises(NoAnswer, match="line settings: the bench uses 115200 baud"):
        open_press("emu://?baud=19200")
    with open_press("emu://?baud=19200", baudrate=19200) as bench:
        assert bench.identity == "virtual"


def serve(monkeypatch: pytest.MonkeyPatch, registers: RegisterMap) -> None:
    """Virtual presses have nodes with this map from now on; the bench keeps its own."""
    monkeypatch.setattr("emulator.world.default_registers", lambda *wiring: registers)


@pytest.mark.parametrize("theirs", [1, 4])
def test_node_with_another_register_map_is_refused_before_anything_else_is_asked(
    monkeypatch: pytest.MonkeyPatch, theirs: int
) -> None:
    ours = default_registers()
    # as it is between map 1 and 2: what a poll ends with is not there
    contacts = ours.tags["contacts_word"]
    serve(monkeypatch, replace(ours, format=theirs, tags=ours.tags | {contacts.name: replace(contacts, address=400)}))
    with pytest.raises(OtherRegisterMap) as caught:
        open_press("emu://")
    assert f"has register map version {theirs}, and this rig wants version {ours.format}" in str(caught.value)
    assert f"Bring the node's program to version {ours.format}" in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_device_with_other_registers_is_no_press_and_none_of_them_is_shown() -> None:
    readings = {
        "press_identity": "unknown(707)",
        "register_map_version": 714,
        "press_model": "\0\x1b[2J",
        "node_version": "",
    }
    with pytest.raises(OtherRegisterMap, match=r"no press.*press_identity is unknown\(707\).*node address 1") as caught:
        check_register_map(readings, default_registers(), "/dev/ttyUSB0")
    assert str(caught.value).isprintable()


def test_node_that_does_not_say_what_it_is_is_no_press(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = default_registers()
    moved = {
        name: replace(ours.tags[name], address=ours.tags[name].address + 300) for name in ours.groups["identification"]
    }
    serve(monkeypatch, replace(ours, tags={**ours.tags, **moved}))
    with pytest.raises(RequestRefused, match=r"no press that this rig knows.*node address 1 on this line"):
        open_press("emu://")


def test_unknown_tag_is_told_with_its_nearest_names() -> None:
    with open_press("emu://") as bench, pytest.raises(UnknownTag, match="did you mean zone_temperatures"):
        bench.read("zone_temperature")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("zone_temperatures", 1, "no tag or group"),
        ("exit_thickness_um", 1, "cannot be written"),
        ("heating_enable", 3, "not true or false"),
        ("belt_upper_speed_setpoint_m_min", 99, "outside 0 … 10 m/min"),
        ("belt_upper_speed_setpoint_m_min", float("nan"), "not a finite number"),
    ],
)
def test_write_that_cannot_be_is_refused_before_the_wire(name: str, value: float, message: str) -> None:
    with open_press("emu://") as bench:
        before = bench.master.requests
        with pytest.raises(UsageError, match=message):
            bench.write({name: value})
        assert bench.master.requests == before


def test_press_that_is_not_virtual_refuses_writes_until_armed() -> None:
    with open_press("emu://?identity=real") as bench:
        assert bench.identity == "real"
        with pytest.raises(NotArmed, match="--arm"):
            bench.write(cooling_enable=True)
        bench.arm()
        bench.write(cooling_enable=True)
        with pytest.raises(OutsideSafeRange, match="safe range 0 … 8 m/min"):
            bench.write(belt_upper_speed_setpoint_m_min=9)


def test_leaving_the_bench_commands_the_safe_state() -> None:
    with pytest.raises(RuntimeError, match="the test fell over"), open_press("emu://?start=warm") as bench:
        bench.write(heating_enable=True, cooling_enable=True, coolant_flow_setpoint_l_min=60)
        coils = bench.virtual.world.node.bank
        assert coils["heating_enable"] is True
        raise RuntimeError("the test fell over")
    assert coils["heating_enable"] is False
    assert coils["fast_open"] is True
    assert coils["scrap_divert"] is True


def test_bench_that_never_wrote_leaves_the_press_alone() -> None:
    with open_press("emu://") as bench:
        bank = bench.virtual.world.node.bank
    assert bank["fast_open"] is False


@pytest.mark.parametrize("seed", ["x", 1.5, -1, 2**63])
def test_fork_with_what_is_no_seed_is_told(seed: Any) -> None:
    with open_press("emu://") as bench, pytest.raises(UsageError, match=r"no fork: seed is .* a whole number 0 …"):
        bench.fork(seed=seed)


def test_wire_is_recorded_with_the_times_of_the_line() -> None:
    with open_press("emu://") as bench:
        bench.poll()
        assert bench.recorder is not None
        frames = bench.recorder.recording().frames
    assert [frame.direction for frame in frames[-4:]] == ["request", "response", "request", "response"]
    assert all(frame.end_ns > frame.start_ns for frame in frames)
    starts = [frame.start_ns for frame in frames]
    assert starts == sorted(starts)


def test_query_of_a_virtual_press_can_be_changed_and_other_urls_stay() -> None:
    assert with_query("emu://", start="warm") == "emu://?start=warm"
    assert with_query("emu://?seed=3&start=cold", start="warm") == "emu://?seed=3&start=warm"
    assert with_query("/dev/ttyUSB0", start="warm") == "/dev/ttyUSB0"
    assert with_query("emu://?seed=1#ttyUSB*", start="warm") == "emu://?seed=1&start=warm#ttyUSB*"
    assert with_query("emu://?adapter=ideal+echo&machine=a%20b.toml") == "emu://?adapter=ideal+echo&machine=a%20b.toml"


def test_absurd_disturbance_is_refused_whole_and_changes_nothing() -> None:
    with open_press("emu://") as bench:
        with pytest.raises(UsageError, match="disturbance: drive_torque_scale is -1; it must be 0 … 10"):
            bench.virtual.disturb(coolant_flow_scale=0.5, drive_torque_scale=(1.0, -1.0))
        assert bench.virtual.disturbances["coolant_flow_scale"] == 1.0
        bench.virtual.disturb(coolant_flow_scale=0.5, drive_torque_scale=0.5, tension_scale=(1.0, 0.9))
        assert bench.virtual.disturbances["drive_torque_scale"].tolist() == [0.5, 0.5]
        bench.virtual.disturbances["drive_torque_scale"][0] = float("nan")
        assert bench.virtual.disturbances["drive_torque_scale"].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("way", ["in one go", "piece by piece"])
def test_an_interrupt_while_an_answer_is_awaited_leaves_the_safe_state_to_be_commanded(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_press("emu://?start=warm") as bench:
        bench.write(controller_heartbeat=1, heating_enable=True)
        master = bench.client._master
        whole, at = (master._in_one_go, "_in_one_go") if way == "in one go" else (master.port.read, "read")
        holder = master if way == "in one go" else master.port
        if way == "piece by piece":
            monkeypatch.setattr(master, "_in_one_go", None)

        def interrupted(*_asked: object) -> bytes:
            monkeypatch.setattr(holder, at, whole)
            raise KeyboardInterrupt

        monkeypatch.setattr(holder, at, interrupted)
        with pytest.raises(KeyboardInterrupt):
            bench.read("mode")
        bench.safe_state()
        assert bench.value("heating_enable") is False
