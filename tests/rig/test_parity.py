"""The same tests on every kind of port: nothing above the port may know what answers.

Each test runs on `emu://`, on a pseudo-terminal and on TCP, the last two served by another process.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import minimalmodbus
import pytest
from pymodbus.client import ModbusSerialClient

from rig.bench import Bench, open_press
from rig.controller.api import Inputs
from rig.controller.runner import Runner
from rig.errors import ControllerError, NotArmed, OutsideSafeRange, PortError, RequestRefused
from rig.protocol import ReadInputRegisters

SPEED = 4.0


def emulate(*words: str) -> tuple[subprocess.Popen[str], str]:
    """Start `press-rig emulate` and wait until it says where the press is."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rig", "emulate", "--speed", str(SPEED), *words],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("press on "):
            return process, line.split()[2].rstrip(",;")
    raise AssertionError(f"press-rig emulate ended with {process.wait()}")


def end(process: subprocess.Popen[str]) -> int:
    process.terminate()
    assert process.stdout is not None
    process.stdout.read()
    process.stdout.close()
    return process.wait(timeout=20)


@pytest.fixture(scope="module", params=["emu", "pty", "tcp"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, float]]:
    """URL of a warm press, and how fast its time passes."""
    if request.param == "emu":
        yield "emu://?start=warm", 1.0
        return
    words = ["--tcp", "127.0.0.1:0"]
    if request.param == "pty":
        words = ["--link", str(tmp_path_factory.mktemp("pty") / "press")]
    process, url = emulate("--start", "warm", *words)
    yield url, SPEED
    assert end(process) == 0


@pytest.fixture
def bench(served: tuple[str, float]) -> Iterator[Bench]:
    url, speed = served
    with open_press(url, speed=speed, timeout_s=2.0) as opened:
        yield opened
        opened.write(emergency_stop=False, alarm_reset=True)


def wait(bench: Bench, seconds: float) -> None:
    bench.clock.sleep_until(bench.clock.now_ns + round(seconds * 1e9))


def test_press_says_what_it_is(bench: Bench) -> None:
    assert bench.identity == "virtual"
    assert bench.value("press_model") == "DBP-600"


def test_setpoints_come_back_as_written(bench: Bench) -> None:
    bench.write(heat_1_upper_setpoint_c=101.5, coolant_flow_setpoint_l_min=33.3, scrap_mark=True)
    assert bench.read("heat_1_upper_setpoint_c", "coolant_flow_setpoint_l_min", "scrap_mark") == {
        "heat_1_upper_setpoint_c": 101.5,
        "coolant_flow_setpoint_l_min": 33.3,
        "scrap_mark": True,
    }


def test_time_passes(bench: Bench) -> None:
    before = bench.number("sample_time_ms")
    wait(bench, 2.0)
    assert 1900 <= bench.number("sample_time_ms") - before <= 3500


def test_coolant_flows_when_its_pump_is_on(bench: Bench) -> None:
    bench.write(cooling_enable=True, coolant_flow_setpoint_l_min=60)
    wait(bench, 8.0)
    assert bench.number("coolant_flow_l_min") == pytest.approx(60, abs=3)
    assert bench.value("coolant_flowing") is True


def test_emergency_stop_by_wire_trips_and_resets(bench: Bench) -> None:
    bench.write(emergency_stop=True)
    wait(bench, 0.5)
    assert bench.value("mode") == "emergency_stop"
    bench.write(emergency_stop=False, alarm_reset=True)
    wait(bench, 0.5)
    assert bench.value("alarm_word") == frozenset()


def test_illegal_address_is_refused(bench: Bench) -> None:
    with pytest.raises(RequestRefused, match="illegal data address"):
        bench.master.exchange(ReadInputRegisters(60000, 2), 1)
    assert bench.value("press_model") == "DBP-600"


class Cooling:
    """Cools; then falls over."""

    def __init__(self) -> None:
        self.scans = 0

    def scan(self, inputs: Inputs, now_ns: int) -> Mapping[str, Any]:
        self.scans += 1
        if self.scans > 5:
            raise ValueError("a bug")
        return {"heating_enable": True, "cooling_enable": True, "coolant_flow_setpoint_l_min": 60.0}


def test_controller_that_falls_over_leaves_the_press_safe(bench: Bench) -> None:
    bench.write(cooling_enable=True, coolant_flow_setpoint_l_min=60, emergency_stop=False, alarm_reset=True)
    wait(bench, 8.0)
    with pytest.raises(ControllerError, match="ValueError in scan 5"), Runner(bench, Cooling()) as runner:
        runner.run_for(3)
    assert bench.read("heating_enable", "fast_open") == {"heating_enable": False, "fast_open": True}
    bench.write(fast_open=False)


def test_press_that_claims_to_be_real_is_only_moved_when_armed_and_left_safe(tmp_path: Path) -> None:
    process, url = emulate("--identity", "real", "--link", str(tmp_path / "press"))
    try:
        with open_press(url, speed=SPEED, timeout_s=2.0) as bench:
            assert bench.identity == "real"
            with pytest.raises(NotArmed):
                bench.write(cooling_enable=True)
        with (
            pytest.raises(KeyboardInterrupt),
            open_press(url, speed=SPEED, timeout_s=2.0, armed=True) as bench,
        ):
            with pytest.raises(OutsideSafeRange):
                bench.write(entry_left_clearance_setpoint_um=300)
            bench.write(cooling_enable=True, coolant_flow_setpoint_l_min=60, heating_enable=True)
            raise KeyboardInterrupt
        with open_press(url, speed=SPEED, timeout_s=2.0) as bench:
            assert bench.read("heating_enable", "fast_open", "scrap_divert") == {
                "heating_enable": False,
                "fast_open": True,
                "scrap_divert": True,
            }
    finally:
        assert end(process) == 0


def test_port_in_use_is_told(tmp_path: Path) -> None:
    process, url = emulate("--link", str(tmp_path / "press"))
    try:
        with (
            open_press(url, speed=SPEED, timeout_s=2.0),
            pytest.raises(PortError, match="in use by another program"),
        ):
            open_press(url)
    finally:
        assert end(process) == 0


def test_press_that_goes_away_is_a_port_error(tmp_path: Path) -> None:
    process, url = emulate("--link", str(tmp_path / "press"))
    bench = open_press(url, speed=SPEED, timeout_s=2.0)
    assert end(process) == 0
    with pytest.raises(PortError, match="went away"):
        bench.poll()
    bench.close()


def test_masters_that_nobody_here_wrote_can_talk_to_the_press(tmp_path: Path) -> None:
    process, url = emulate("--start", "warm", "--link", str(tmp_path / "press"))
    try:
        client = ModbusSerialClient(url, baudrate=115200, parity="N")
        assert client.connect()
        registers = client.read_input_registers(0, count=82, device_id=1).registers
        assert len(registers) == 82
        assert abs(registers[0] - 1120) < 20  # 112.0 °C
        assert not client.write_register(27, 500, device_id=1).isError()
        assert client.read_holding_registers(27, count=1, device_id=1).registers == [500]
        assert client.write_register(0, 9000, device_id=1).exception_code == 3
        client.close()
        instrument = minimalmodbus.Instrument(url, 1)
        instrument.serial.baudrate = 115200
        assert abs(instrument.read_register(0, 1, functioncode=4) - 112.0) < 2.0
        assert instrument.read_bit(0, functioncode=2) == 1
        instrument.serial.close()
    finally:
        assert end(process) == 0
