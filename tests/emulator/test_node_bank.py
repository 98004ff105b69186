"""The register bank: what is read as bytes is what is read as values; gaps are refused."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.image import Layout, decode, show
from emulator.node import Bank
from rig.protocol import ModbusError
from rig.protocol.registers import Tag, TagValueError
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


def test_refused_write_changes_nothing(bank: Bank) -> None:
    before = bank.register_bytes("holding", 0, 29)
    for values in ((500, 9000), (500,) * 30):
        with pytest.raises(ModbusError):
            bank.write_registers(0, values)
    assert bank.register_bytes("holding", 0, 29) == before
    bank.write_registers(0, (100, 110))
    assert bank["heat_1_upper_setpoint_c"] == 10.0


HOLDING = [tag for tag in default_registers().tags.values() if tag.table == "holding"]


@given(tag=st.sampled_from(HOLDING), raw=st.integers(0, 0xFFFF), near=st.integers(-2, 2), edge=st.sampled_from([0, 1]))
def test_a_write_is_refused_exactly_when_the_tag_refuses_the_value(
    bank: Bank, tag: Tag, raw: int, near: int, edge: int
) -> None:
    assert tag.limits is not None
    at_the_edge = (round((tag.limits[edge] - tag.offset) / tag.scale) + near) & 0xFFFF
    for value in (raw, at_the_edge):
        try:
            tag.check(tag.decode([value]))
        except TagValueError:
            with pytest.raises(ModbusError, match=f"illegal data value: {tag.name}"):
                bank.write_registers(tag.address, [value])
        else:
            bank.write_registers(tag.address, [value])
            assert bank.read_holding_registers(tag.address, 1) == (value,)


NUMBERS = [tag for tag in default_registers().tags.values() if tag.type in ("u16", "i16", "u32", "i32")]


@settings(deadline=None)  # the first example compiles
@given(tag=st.sampled_from(NUMBERS), raw=st.integers(0, 0xFFFF_FFFF), value=st.floats(-1e6, 1e6))
def test_compiled_code_reads_and_writes_numbers_as_their_tags_do(tag: Tag, raw: int, value: float) -> None:
    layout = Layout(default_registers(), "press")
    number, image = np.array(layout.number(tag.name)), np.zeros(layout.size, np.uint8)
    words = struct.pack(">HH", raw >> 16, raw & 0xFFFF)[: 2 * tag.count]
    place = layout.place(tag.name)
    image[place : place + 2 * tag.count] = np.frombuffer(words, np.uint8)
    assert decode(image, number) == tag.decode(struct.unpack(f">{tag.count}H", words))
    show(image, number, value)
    shown = struct.unpack(f">{tag.count}H", image[place : place + 2 * tag.count].tobytes())
    assert shown == tag.encode_number(value)
    assert np.count_nonzero(image) == np.count_nonzero(image[place : place + 2 * tag.count]), "a neighbour was touched"
