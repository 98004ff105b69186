"""Masters that nobody here wrote: on emu://, and on everything that a press can be served at."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import minimalmodbus
import pytest
import serial
from pymodbus import FramerType
from pymodbus.client import ModbusSerialClient, ModbusTcpClient

from emulator.ports import register
from emulator.ports.protocol_emu import Serial
from emulator.ports.serve import Places, open_endpoints
from tests.emulator.fakes import FakeWorld
from tests.emulator.served import address_of, in_thread


@pytest.fixture(autouse=True)
def fake_press(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(Serial, "world_factory", staticmethod(FakeWorld))
    before = list(serial.protocol_handler_packages)
    register()
    yield
    serial.protocol_handler_packages[:] = before


def test_pymodbus() -> None:
    client = ModbusSerialClient("emu://", framer=FramerType.RTU, baudrate=19200, timeout=1)
    assert client.connect()
    for count in (1, 60, 125):
        assert client.read_holding_registers(3, count=count, device_id=1).registers == list(range(3, 3 + count))
    client.write_registers(10, [7, 8, 9], device_id=1)
    assert client.read_holding_registers(9, count=5, device_id=1).registers == [9, 7, 8, 9, 13]
    client.close()


def test_pymodbus_sees_the_same_at_the_same_virtual_times_whatever_the_wall_clock_does() -> None:
    def session() -> list[object]:
        client = ModbusSerialClient("emu://", framer=FramerType.RTU, baudrate=115_200, parity="N", timeout=1)
        assert client.connect()
        seen: list[object] = []
        for count in (1, 60, 125):
            seen += client.read_holding_registers(3, count=count, device_id=1).registers
            seen.append(client.socket.world.now_ns)  # type: ignore[union-attr]
        client.close()
        return seen

    assert session() == session()


def test_pymodbus_needs_few_looks_for_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    # it sleeps a millisecond between them, in real time
    looks: list[int] = []
    look = Serial.in_waiting.fget  # type: ignore[attr-defined]
    monkeypatch.setattr(Serial, "in_waiting", property(lambda port: looks.append(1) or look(port)))
    client = ModbusSerialClient("emu://", framer=FramerType.RTU, baudrate=115_200, parity="N", timeout=1)
    assert client.connect()
    client.read_holding_registers(3, count=60, device_id=1)
    client.close()
    assert len(looks) < 40


def test_minimalmodbus() -> None:
    port = serial.serial_for_url("emu://", baudrate=19200, timeout=0.5)
    instrument = minimalmodbus.Instrument(port, 1)
    assert instrument.read_registers(5, 60) == list(range(5, 65))
    instrument.write_registers(0, [42])
    assert instrument.read_register(0) == 42
    instrument.address = 2
    with pytest.raises(minimalmodbus.NoResponseError):
        instrument.read_register(0)


class Served:
    """A fake press at a pseudo-terminal, at Modbus TCP and at RFC 2217."""

    def __init__(self, link: Path, urls: list[str], gateway: tuple[str, int]) -> None:
        self.link = str(link)
        self.rfc2217 = urls[2]
        self.host, self.port = gateway


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    link = tmp_path / "press"
    places = Places(link=link, modbus_tcp="0", rfc2217="0")
    with open_endpoints(places) as endpoints, in_thread(FakeWorld(), endpoints, speed=4.0):
        yield Served(link, [endpoint.url for endpoint in endpoints], address_of(endpoints[1]))


def test_pymodbus_on_a_pseudo_terminal(served: Served) -> None:
    client = ModbusSerialClient(served.link, framer=FramerType.RTU, baudrate=115_200, parity="N", timeout=1)
    assert client.connect()
    assert client.read_holding_registers(3, count=60, device_id=1).registers == list(range(3, 63))
    client.close()


def test_pymodbus_on_modbus_tcp(served: Served) -> None:
    client = ModbusTcpClient(served.host, port=served.port, timeout=2)
    assert client.connect()
    for count in (1, 60, 125):
        assert client.read_holding_registers(3, count=count, device_id=1).registers == list(range(3, 3 + count))
    client.write_registers(10, [7, 8, 9], device_id=1)
    assert client.read_holding_registers(9, count=5, device_id=1).registers == [9, 7, 8, 9, 13]
    assert client.read_holding_registers(0, count=1, device_id=9).exception_code == 0x0B
    client.close()


def test_minimalmodbus_on_a_pseudo_terminal(served: Served) -> None:
    instrument = minimalmodbus.Instrument(served.link, 1)
    instrument.serial.baudrate = 115_200
    instrument.serial.timeout = 1.0
    assert instrument.read_registers(5, 60) == list(range(5, 65))
    instrument.write_registers(0, [42])
    assert instrument.read_register(0) == 42
    instrument.serial.close()


@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # pyserial 3.5
def test_minimalmodbus_on_rfc2217(served: Served) -> None:
    with serial.serial_for_url(served.rfc2217, 57_600, timeout=1) as port:
        instrument = minimalmodbus.Instrument(port, 1)
        assert instrument.read_registers(5, 60) == list(range(5, 65))


@pytest.mark.parametrize("way", ["tcp", "rtu"])
def test_libmodbus(served: Served, way: str) -> None:
    mbpoll = shutil.which("mbpoll")
    if mbpoll is None:
        pytest.skip("mbpoll, libmodbus' command line client, is not installed (Debian: apt-get install mbpoll)")
    words = ["-m", "tcp", "-p", str(served.port)] if way == "tcp" else ["-m", "rtu", "-b", "115200", "-P", "none"]
    place = served.host if way == "tcp" else served.link
    done = subprocess.run(
        [mbpoll, *words, "-a", "1", "-0", "-r", "20", "-c", "3", "-1", "-q", place],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    values = [line.split()[-1] for line in done.stdout.splitlines() if line.startswith("[")]
    assert values == ["20", "21", "22"]
