"""The register bank: what is read as bytes is what is read as values; gaps are refused."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.image import Layout
from emulator.node import Bank
from rig.protocol import ModbusError
from rig.protocol.registers_file import default_registers


@pytest.fixture(scope="module")
def bank() -> Bank:
    filled = Bank(Layout(default_registers(), "press"), {})
    for tag in default_registers().tags.values():
        if tag.type in ("u16", "i16", "u32", "i32", "f32") and tag.limits:
            filled.publish(tag.name, tag.limits[0] + 0.37 * min(tag.limits[1] - tag.limits[0], 1000.0))
        elif tag.type == "bool":
            filled.publish(tag.name, tag.address % 3 == 0)
    return filled


@given(table=st.sampled_from(["input", "holding"]), address=st.integers(0, 140), count=st.integers(1, 125))
def test_register_bytes_are_the_registers_high_byte_first(bank: Bank, table: str, address: int, count: int) -> None:
    read = {"input": bank.read_input_registers, "holding": bank.read_holding_registers}[table]
    try:
        expected = struct.pack(f">{count}H", *read(address, count))
    except ModbusError:
        with pytest.raises(ModbusError, match="illegal data address"):
            bank.register_bytes(table, address, count)  # type: ignore[arg-type]
    else:
        assert bank.register_bytes(table, address, count) == expected  # type: ignore[arg-type]


@given(table=st.sampled_from(["coil", "discrete"]), address=st.integers(0, 15), count=st.integers(1, 15))
def test_bit_bytes_are_the_bits_lowest_first(bank: Bank, table: str, address: int, count: int) -> None:
    read = {"coil": bank.read_coils, "discrete": bank.read_discrete_inputs}[table]
    try:
        expected = read(address, count)
    except ModbusError:
        with pytest.raises(ModbusError):
            bank.bit_bytes(table, address, count)  # type: ignore[arg-type]
    else:
        payload = bank.bit_bytes(table, address, count)  # type: ignore[arg-type]
        assert len(payload) == (count + 7) // 8
        assert [payload[place // 8] >> place % 8 & 1 for place in range(8 * len(payload))] == [
            *expected, *(0,) * (8 * len(payload) - count)
        ]  # fmt: skip


def test_gaps_belong_to_no_request(bank: Bank) -> None:
    assert len(bank.register_bytes("input", 0, 82)) == 164
    for address, count in ((81, 2), (82, 1), (99, 1), (99, 2), (121, 2), (60_000, 1)):
        with pytest.raises(ModbusError):
            bank.register_bytes("input", address, count)


def test_refused_write_changes_nothing(bank: Bank) -> None:
    before = bank.register_bytes("holding", 0, 29)
    for values in ((500, 9000), (500,) * 30):
        with pytest.raises(ModbusError):
            bank.write_registers(0, values)
    assert bank.register_bytes("holding", 0, 29) == before
    bank.write_registers(0, (100, 110))
    assert bank["heat_1_upper_setpoint_c"] == 10.0
