"""The register map: what the file may say, and what tags make of values."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.protocol.docs import register_table
from rig.protocol.registers import BIT_TABLES, Tag, TagValueError
from rig.protocol.registers_file import RegisterMapError, default_registers, load_registers, parse_registers

HEADER = """
format = 3
[nodes.press]
address = 1
[lists]
side = ["upper", "lower"]
"""
TAG: dict[str, Any] = {
    "name": "speed_m_min", "table": "holding", "address": 0, "type": "u16", "scale": 0.001, "unit": "m/min",
    "limits": [0, 10], "safe_range": [0, 3], "description": "speed",
}  # fmt: skip


def toml(*tags: dict[str, Any]) -> str:
    def text(value: Any) -> str:
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key} = {text(item)}" for key, item in value.items()) + "}"
        return repr(value).replace("'", '"')

    lines = [HEADER]
    for tag in tags:
        lines.append("[[tag]]")
        lines += [f"{key} = {text(value)}" for key, value in tag.items() if value is not None]
    return "\n".join(lines)


NUMBERS = [tag for tag in default_registers().tags.values() if tag.type in ("u16", "i16", "u32", "i32")]


def test_shipped_map_holds_what_a_press_needs() -> None:
    registers = default_registers()
    assert len(registers.tags) >= 90
    assert {tag.table for tag in registers.tags.values()} == {"coil", "discrete", "input", "holding"}
    assert {tag.type for tag in registers.tags.values()} >= {
        "u16",
        "i16",
        "u32",
        "f32",
        "bitfield",
        "string",
        "bool",
    }
    assert len(registers.groups["zone_temperatures"]) == 12


@given(tag=st.sampled_from(NUMBERS), data=st.data())
def test_numbers_come_back_within_half_a_step(tag: Tag, data: st.DataObject) -> None:
    assert tag.limits is not None
    value = data.draw(st.floats(*tag.limits))
    back = tag.decode(tag.encode(value))
    assert isinstance(back, (int, float))
    assert abs(back - value) <= abs(tag.scale) * 0.5 + 1e-6


@given(tag=st.sampled_from(NUMBERS), raw=st.integers(0, 2**32 - 1))
def test_every_raw_number_comes_back_as_itself(tag: Tag, raw: int) -> None:
    words = (raw >> 16, raw & 0xFFFF) if tag.count == 2 else (raw & 0xFFFF,)
    value = tag.decode(words)
    assert isinstance(value, (int, float))
    assert tag.encode_number(value) == words


@given(bits=st.sets(st.sampled_from(default_registers()["alarm_word"].bits)))
def test_bitfields_come_back_as_their_names(bits: set[str]) -> None:
    tag = default_registers()["alarm_word"]
    assert tag.decode(tag.encode(frozenset(bits))) == bits


def test_enum_codes_that_the_map_does_not_name_are_shown_as_unknown() -> None:
    assert default_registers()["press_identity"].decode([7]) == "unknown(7)"


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 10.001, "fast", True, None])
def test_values_that_a_tag_cannot_hold_are_refused(value: Any) -> None:
    with pytest.raises(TagValueError, match="belt_upper_speed_setpoint_m_min"):
        default_registers()["belt_upper_speed_setpoint_m_min"].encode(value)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"unit": "furlong"}, "unknown unit 'furlong'"),
        ({"limits": [0, 100]}, "outside what u16 with scale 0.001 can hold"),
        ({"safe_range": [0, 20]}, "safe_range is outside limits"),
        ({"safe_range": None}, "needs a safe_range"),
        ({"safe_value": 5}, "safe_value is outside safe_range"),
        ({"default": 11}, "default: speed_m_min: 11 is outside"),
        ({"limits": None}, "a number needs limits"),
        ({"limits": [3, 1]}, r"limits is \[3, 1\], it must be \[low, high\]"),
        ({"type": "u24"}, "type is 'u24'"),
        ({"type": "bool"}, "type bool does not fit table holding"),
        ({"table": "coils"}, "table is 'coils'"),
        ({"scale": 0}, "scale is 0"),
        ({"address": -1}, "address is -1"),
        ({"address": 65536}, "ends beyond 65535"),
        ({"type": "u32", "address": 65535}, "ends beyond 65535"),
        ({"node": "oven"}, "node 'oven' does not exist"),
        ({"colour": "red"}, "unknown key colour"),
        ({"description": ""}, "has no description"),
        ({"for_each": "wheel"}, "the list 'wheel', which does not exist"),
        ({"for_each": "side"}, "the name must contain {side}"),
        ({"type": "bitfield", "limits": None, "safe_range": None, "scale": None}, "1 … 16 bits"),
        ({"name": "Speed!"}, "lower case letters"),
    ],
)
def test_map_that_breaks_a_rule_is_refused_by_tag_and_rule(change: dict[str, Any], rule: str) -> None:
    with pytest.raises(RegisterMapError, match=rule) as caught:
        parse_registers(toml(TAG | change), "map.toml")
    assert str(caught.value).startswith("map.toml: tag ")


def test_overlapping_tags_are_refused() -> None:
    wide = TAG | {"name": "distance_m", "type": "u32", "unit": "m", "address": 4, "limits": [0, 1000]}
    other = TAG | {"address": 5}
    with pytest.raises(RegisterMapError, match="speed_m_min: holding address 5 is taken by distance_m"):
        parse_registers(toml(wide, other), "map.toml")


def test_tag_defined_twice_is_refused() -> None:
    with pytest.raises(RegisterMapError, match="defined twice"):
        parse_registers(toml(TAG, TAG | {"address": 1}), "map.toml")


def test_file_that_is_no_map_is_refused(tmp_path: Any) -> None:
    with pytest.raises(RegisterMapError, match="cannot be read"):
        load_registers(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("format = ")
    with pytest.raises(RegisterMapError, match="not valid TOML"):
        load_registers(broken)
    with pytest.raises(RegisterMapError, match="format is 99"):
        parse_registers("format = 99", "map.toml")


WORD: dict[str, Any] = {
    "name": "contacts_word", "table": "input", "address": 2, "type": "bitfield", "mirrors": "contacts",
    "description": "contacts once more",
}  # fmt: skip
CONTACT: dict[str, Any] = {"table": "discrete", "type": "bool", "group": "contacts", "description": "a contact"}


def contacts(count: int) -> list[dict[str, Any]]:
    """So many discrete inputs, the last first in the file."""
    return [CONTACT | {"name": f"contact_{place}", "address": place} for place in reversed(range(count))]


def test_register_that_mirrors_a_group_has_its_discrete_inputs_for_bits_lowest_address_first() -> None:
    registers = parse_registers(toml(WORD, *contacts(16)), "map.toml")
    assert registers["contacts_word"].bits == tuple(f"contact_{place}" for place in range(16))
    assert registers.mirrors == {registers["contacts_word"]: tuple(registers[f"contact_{i}"] for i in range(16))}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"mirrors": "doors"}, "mirrors the group 'doors', which does not exist"),
        ({"mirrors": "contacts_word"}, "'contacts_word', which is not all discrete inputs of node press"),
        ({"mirrors": 3}, "mirrors the group 3, which does not exist"),
        ({"bits": ["a"]}, "it takes no `bits`"),
        ({"table": "holding"}, "only a bitfield of the table input mirrors"),
        ({"type": "u16", "limits": [0, 1]}, "only a bitfield of the table input mirrors"),
    ],
)
def test_mirror_that_breaks_a_rule_is_refused(change: dict[str, Any], rule: str) -> None:
    with pytest.raises(RegisterMapError, match=f"map.toml: tag contacts_word: .*{rule}"):
        parse_registers(toml(WORD | change, *contacts(3)), "map.toml")


def test_mirror_of_more_than_a_register_holds_or_beside_another_is_refused() -> None:
    with pytest.raises(RegisterMapError, match="mirrors 17 discrete inputs, 16 fit into a register"):
        parse_registers(toml(WORD, *contacts(17)), "map.toml")
    with pytest.raises(RegisterMapError, match="which another register mirrors too"):
        parse_registers(toml(WORD, WORD | {"name": "other_word", "address": 3}, *contacts(2)), "map.toml")


def test_reading_merges_neighbours_and_writing_never_touches_what_was_not_asked_for() -> None:
    registers = default_registers()
    everything = registers.blocks([tag for tag in registers.tags.values() if tag.table == "input"], gap=8)
    assert len(everything) == 2
    tags = registers.expand(["heat_1_upper_setpoint_c", "heat_2_upper_setpoint_c"])
    assert [block.count for block in registers.blocks(tags)] == [1, 1]
    assert [block.count for block in registers.blocks(tags, gap=8)] == [3]


def test_discrete_inputs_come_from_their_mirror_where_that_saves_a_request() -> None:
    registers = default_registers()

    def tables(*names: str) -> list[str]:
        return [block.table for block in registers.reads(registers.expand(names), gap=8)]

    assert tables("guards_closed") == ["discrete"]
    assert tables("contacts", "contacts_word") == ["input"]
    assert tables("guards_closed", "watchdog_remaining_s") == ["input"]
    assert tables("contacts", "zone_temperatures") == ["discrete", "input"]
    assert tables("contacts", "commands") == ["coil", "discrete"]


def test_map_without_a_mirror_reads_the_discrete_inputs_themselves() -> None:
    registers = default_registers()
    plain = replace(registers, tags={tag.name: tag for tag in registers.tags.values() if not tag.mirrors})
    polled = plain.polled
    assert plain.reads(polled, gap=8) == plain.blocks(polled, gap=8)
    assert [block.table for block in plain.reads(polled, gap=8)] == ["discrete", "input"]


@given(names=st.sets(st.sampled_from(sorted(default_registers().tags)), min_size=1))
def test_reads_are_never_more_than_blocks_and_say_every_tag_once(names: set[str]) -> None:
    registers = default_registers()
    tags = registers.expand(names)
    reads = registers.reads(tags, gap=8)
    said = [tag.name for block in reads for tag in (*block.tags, *block.mirrored)]
    assert len(set(said)) == len(said)
    assert names <= set(said) <= names | {"contacts_word"}
    assert len(reads) <= len(registers.blocks(tags, gap=8))


@given(names=st.sets(st.sampled_from(sorted(default_registers().tags)), min_size=1))
def test_blocks_cover_every_tag_once_and_fit_into_a_request(names: set[str]) -> None:
    registers = default_registers()
    blocks = registers.blocks(registers.expand(names), gap=8)
    assert sorted(tag.name for block in blocks for tag in block.tags) == sorted(names)
    assert all(block.count <= (2000 if block.table in BIT_TABLES else 125) for block in blocks)


def test_unknown_tag_is_told_with_its_nearest_names() -> None:
    with pytest.raises(KeyError, match=r"did you mean .*exit_thickness_um"):
        default_registers()["exit_thicknes_um"]


def test_documented_table_names_tags_and_no_groups() -> None:
    assert "`exit_thickness_um`" in register_table()
    assert "`zone_temperatures`" not in register_table()
