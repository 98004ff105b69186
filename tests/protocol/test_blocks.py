"""Blocks: one table-driven decode says what the tags say one by one."""

from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.protocol.blocks import Block
from rig.protocol.packing import pack_bits
from rig.protocol.registers import BIT_TABLES, Tag, TagType
from rig.protocol.registers_file import default_registers

REGISTERS = default_registers()
TABLES = ("input", "holding", "discrete", "coil")


def blocks(table: str) -> tuple[Block, ...]:
    return REGISTERS.blocks([tag for tag in REGISTERS.tags.values() if tag.table == table], gap=40)


def same(one: object, other: object) -> bool:
    """Equal in type and bits; NaN is NaN."""
    if isinstance(one, float) and isinstance(other, float):
        return struct.pack("<d", one) == struct.pack("<d", other) or (one != one and other != other)
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("table", TABLES)
@given(data=st.data())
def test_block_says_what_its_tags_say_one_by_one(table: str, data: st.DataObject) -> None:
    for block in blocks(table):
        largest = 1 if table in BIT_TABLES else 0xFFFF
        raw = data.draw(st.lists(st.integers(0, largest), min_size=block.count, max_size=block.count))
        bits = table in BIT_TABLES
        payload = pack_bits([bool(bit) for bit in raw]) if bits else struct.pack(f">{len(raw)}H", *raw)
        decoded = block.decode(payload)
        assert decoded.values.keys() == {tag.name for tag in block.tags}
        words = {tag: raw[tag.address - block.address :][: tag.count] for tag in block.tags}
        for tag in block.tags:
            assert same(decoded.values[tag.name], tag.decode(words[tag])), tag.name
        for tag, number in zip(block.numeric, decoded.numbers, strict=True):
            expected = words[tag][0] if tag.type in ("enum", "bitfield") else tag.decode(words[tag])
            assert isinstance(expected, (int, float))
            assert same(float(number), float(expected)), tag.name


def made_up(kind: TagType, scale: float, offset: float) -> Tag:
    like = REGISTERS["uptime_s" if "32" in kind else "exit_thickness_um"]
    return replace(like, name="made_up", address=7, type=kind, scale=scale, offset=offset)


SCALES = [(0.1, 0.0), (0.01, 0.0), (0.001, 0.0), (0.5, 0.0), (0.1, -40.0), (2.0, 0.0)]


@pytest.mark.parametrize("kind", ["u16", "i16"])
@pytest.mark.parametrize(
    ("scale", "offset"), [(0.1, 0.0), (0.01, 0.0), (0.001, 0.0), (0.5, 0.0), (0.1, -40.0), (2.0, 0.0)]
)
def test_every_word_has_the_value_that_its_tag_gives_it(kind: TagType, scale: float, offset: float) -> None:
    tag = made_up(kind, scale, offset)
    decode = Block("press", "input", 7, 1, (tag,)).decode
    for raw in range(0x10000):
        values, numbers = decode(struct.pack(">H", raw))
        assert values["made_up"] == tag.decode([raw]) == numbers[0]


@given(raw=st.integers(0, 2**32 - 1), kind=st.sampled_from(["u32", "i32"]), digits=st.integers(0, 4))
def test_double_words_too(raw: int, kind: TagType, digits: int) -> None:
    tag = made_up(kind, 10.0**-digits, 0.0)
    value = Block("press", "input", 7, 2, (tag,)).decode(struct.pack(">I", raw)).values["made_up"]
    assert same(value, tag.decode([raw >> 16, raw & 0xFFFF]))


CONTACTS = REGISTERS.expand(["contacts"])


@given(states=st.fixed_dictionaries({tag.name: st.booleans() for tag in CONTACTS}), spare=st.integers(0, 15))
def test_mirrored_bits_are_those_of_the_discrete_inputs(states: dict[str, bool], spare: int) -> None:
    word = REGISTERS["contacts_word"]
    (mirror,) = REGISTERS.reads([*CONTACTS, word])
    (plain,) = REGISTERS.reads(CONTACTS)
    raw = sum(states[tag.name] << place for place, tag in enumerate(CONTACTS))
    # bits without a name say nothing
    decoded = mirror.decode(struct.pack(">H", raw | spare << len(CONTACTS)))
    values, numbers = plain.decode(pack_bits([states[tag.name] for tag in CONTACTS]))
    assert values == states
    assert decoded.values == states | {"contacts_word": frozenset(name for name, on in states.items() if on)}
    assert all(type(decoded.values[tag.name]) is bool for tag in CONTACTS)
    assert mirror.numeric == (word, *plain.numeric)
    assert decoded.numbers == [raw | spare << len(CONTACTS), *numbers]


def test_values_of_one_mirrored_answer_are_not_those_of_the_next() -> None:
    (block,) = REGISTERS.reads([*CONTACTS, REGISTERS["contacts_word"]])
    first = block.decode(b"\x00\x01")
    first.values["emergency_stop_released"] = False
    assert block.decode(b"\x00\x01").values["emergency_stop_released"] is True


def test_values_of_one_answer_are_not_those_of_the_next() -> None:
    (block,) = blocks("discrete")
    first = block.decode(b"\x01\x00").values
    first["emergency_stop_released"] = False
    assert block.decode(b"\x01\x00").values["emergency_stop_released"] is True
