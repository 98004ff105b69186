"""Masters that nobody here wrote, on emu://."""

from __future__ import annotations

from collections.abc import Iterator

import minimalmodbus
import pytest
import serial
from pymodbus import FramerType
from pymodbus.client import ModbusSerialClient

from emulator.ports import register
from emulator.ports.protocol_emu import Serial
from tests.emulator.fakes import FakeWorld


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


def test_minimalmodbus() -> None:
    port = serial.serial_for_url("emu://", baudrate=19200, timeout=0.5)
    instrument = minimalmodbus.Instrument(port, 1)
    assert instrument.read_registers(5, 60) == list(range(5, 65))
    instrument.write_registers(0, [42])
    assert instrument.read_register(0) == 42
    instrument.address = 2
    with pytest.raises(minimalmodbus.NoResponseError):
        instrument.read_register(0)
