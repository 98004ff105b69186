"""The firmware in the virtual press (`emu://?node=firmware`): the same press, with the program of the real board."""

from __future__ import annotations

import dataclasses
from importlib import resources
from pathlib import Path

import pytest

from emulator.config import ConfigError
from emulator.wire.settings import LineSettings
from emulator.world import World, WorldConfig
from rig.bench import Bench, open_press
from rig.protocol import ExceptionCode, ExceptionResponse, ReadWriteMultipleRegisters, encode_frame
from tests.firmware.pair import needs_compiler, needs_engine

pytestmark = [needs_compiler, needs_engine]

SECOND = 1_000_000_000
FIRMWARE = "emu://?node=firmware"


def wait(bench: Bench, seconds: float) -> None:
    end_ns = bench.clock.now_ns + round(seconds * SECOND)
    while bench.clock.now_ns < end_ns:
        bench.clock.sleep_until(min(bench.clock.now_ns + SECOND // 10, end_ns))
        bench.poll()


def settle(bench: Bench) -> None:
    """The firmware answers some microseconds later than the node in Python: go on to the same time."""
    bench.clock.sleep_until(-(-bench.clock.now_ns // (SECOND // 10)) * (SECOND // 10))


def moment(bench: Bench) -> tuple[object, ...]:
    world = bench.virtual.world
    return world.now_ns, world.truth_vector().tobytes(), world.node.bank.state.image.tobytes()


@pytest.mark.parametrize("start", ["cold", "running"])
def test_a_press_with_the_firmware_is_bit_for_bit_the_press_with_the_node_in_python(start: str) -> None:
    with open_press(f"emu://?start={start}") as python, open_press(f"{FIRMWARE}&start={start}") as firmware:
        for bench in (python, firmware):
            bench.write(cooling_enable=True, hydraulics_enable=True, coolant_flow_setpoint_l_min=70)
            bench.write(tension_enable=True, belt_upper_tension_setpoint_kn_m=60, belt_lower_tension_setpoint_kn_m=60)
        for _ in range(6):
            for bench in (python, firmware):
                wait(bench, 1.0)
                settle(bench)
            assert moment(firmware) == moment(python)
        for bench in (python, firmware):
            bench.virtual.world.contacts.guard_open = True
            wait(bench, 0.5)
            settle(bench)
        assert moment(firmware) == moment(python)
        assert firmware.value("first_out_alarm") == "guard_open"


@pytest.mark.parametrize("begins_ns", [5_000_000, 30_000_000, 40_000_000])
def test_a_long_request_is_heard_also_while_a_scan_goes_by(begins_ns: int) -> None:
    with open_press(FIRMWARE) as bench:
        world, line = bench.virtual.world, LineSettings(115_200)
        world.run_until(2 * SECOND + begins_ns)
        # the longest there is takes 22 ms of the 50 between two scans
        world.bus.transmit(encode_frame(1, ReadWriteMultipleRegisters(0, 1, 0xFF00, (0,) * 121)), line)
        world.run_until(3 * SECOND)
        assert world.bus.read(256) == encode_frame(1, ExceptionResponse(23, ExceptionCode.ILLEGAL_DATA_ADDRESS))


def test_a_fork_goes_on_as_its_origin_does() -> None:
    with open_press(f"{FIRMWARE}&start=running") as bench:
        wait(bench, 0.5)
        with bench.fork() as fork:
            for one in (bench, fork):
                wait(one, 1.0)
            assert moment(fork) == moment(bench)
            fork.write(feed_enable=False)
            wait(fork, 0.2)
            assert bench.value("status_word") != fork.value("status_word")


def test_exchanges_in_one_go_are_those_in_pieces() -> None:
    seen = []
    for in_one_go in (True, False):
        with open_press(f"{FIRMWARE}&start=running") as bench:
            if not in_one_go:
                bench.master._in_one_go = None
            for turn in range(40):
                bench.clock.sleep_until(bench.clock.now_ns + 11 * SECOND // 500)  # every way of meeting a scan
                bench.poll()
                bench.write(coolant_flow_setpoint_l_min=60 + turn)
            assert bench.recorder is not None
            frames = [(frame.start_ns, frame.end_ns, frame.data) for frame in bench.recorder.recording().frames]
            seen.append((frames, bench.virtual.world.bus.state.counters, *moment(bench)))
    assert len(seen[0][0]) >= 160
    assert seen[0] == seen[1]


def test_a_snapshot_goes_on_as_its_origin_does() -> None:
    with open_press(FIRMWARE) as bench:
        bench.write(cooling_enable=True)
        wait(bench, 0.5)
        origin = bench.virtual.world
        restored = World.restore(origin.snapshot())
        end_ns = origin.now_ns + SECOND
        for world in (origin, restored):
            world.run_until(end_ns)
        assert restored.node.bank.state.image.tobytes() == origin.node.bank.state.image.tobytes()
        assert restored.node.bank["cooling_enable"] is True


def test_a_state_of_another_build_is_refused() -> None:
    world = World(WorldConfig(node="firmware"))
    assert world.node.state.chip is not None
    world.node.state.chip.program = "another"
    with pytest.raises(ConfigError, match="another build"):
        world.fork()


def test_a_node_that_loses_its_supply_starts_anew() -> None:
    world = World(WorldConfig(node="firmware"))
    world.run_until(5 * SECOND)
    world.node.switch_off()
    world.run_until(6 * SECOND)
    assert world.node.commands.brake
    world.node.switch_on(world.now_ns)
    world.run_until(8 * SECOND + SECOND // 2)
    assert world.node.bank["uptime_s"] == 2
    assert not world.node.commands.brake


def test_other_sensors_than_it_was_made_for_are_refused(tmp_path: Path) -> None:
    shipped = resources.files("emulator") / "data" / "sensors" / "reference.toml"
    text = shipped.read_text(encoding="utf-8").replace("low = -50.0", "low = -40.0")
    other = tmp_path / "other.toml"
    other.write_text(text, encoding="utf-8")
    config = dataclasses.replace(WorldConfig(node="firmware"), sensors=str(other))
    with pytest.raises(ConfigError, match="made for the sensors"):
        World(config)
