"""Wirings: which node shows what, and what the file may not say about it."""

from __future__ import annotations

import pytest

from rig.protocol.registers_file import RegisterMapError, default_registers, parse_registers

MULTI_DROP = default_registers("multi-drop")
MAP = """
format = 3
[nodes.press]
address = 1
[nodes.gauge]
address = 2
[lists]
place = ["entry", "exit"]
[wirings.one]
[wirings.two]
[wirings.two.moved]
gauge = ["{place}_um"]
[[tag]]
name = "wiring"
table = "input"
address = 9
type = "enum"
description = "which"
values = { one = 1, two = 2 }
[[tag]]
name = "{place}_um"
for_each = "place"
table = "input"
address = 3
type = "u16"
unit = "µm"
limits = [0, 9]
description = "thickness"
[[tag]]
name = "gauge_beat"
node = "gauge"
table = "input"
address = 0
type = "u32"
limits = [0, 9]
description = "beat"
"""


def test_the_usual_wiring_has_one_node_with_everything() -> None:
    registers = default_registers()
    assert registers.wiring == "one-node"
    assert [*registers.nodes] == ["press"]
    assert {tag.node for tag in registers.tags.values()} == {"press"}
    assert registers is not default_registers("multi-drop")


def test_every_tag_of_the_usual_wiring_is_in_the_others_as_well() -> None:
    usual = default_registers().tags
    assert usual.keys() < MULTI_DROP.tags.keys()
    for name, tag in usual.items():
        other = MULTI_DROP[name]
        assert (other.table, other.type, other.scale, other.limits) == (tag.table, tag.type, tag.scale, tag.limits)
        assert other.node != "press" or other.address == tag.address


def test_what_is_moved_stands_gapless_behind_what_its_node_has() -> None:
    two = parse_registers(MAP, "map", "two")
    assert [(tag.name, tag.node, tag.address) for tag in two.tags.values() if tag.node == "gauge"] == [
        ("entry_um", "gauge", 2),
        ("exit_um", "gauge", 3),
        ("gauge_beat", "gauge", 0),
    ]
    assert "gauge_beat" not in parse_registers(MAP, "map").tags


def test_a_poll_of_many_nodes_asks_the_io_node_first_and_reads_along_nothing_that_is_not_there() -> None:
    sensed = [tag for tag in MULTI_DROP.tags.values() if not tag.writable]
    blocks = MULTI_DROP.reads(sensed, gap=8)
    assert [block.node for block in blocks] == sorted(
        (block.node for block in blocks), key=list(MULTI_DROP.nodes).index
    )
    there = {(tag.node, tag.table, tag.address + step) for tag in MULTI_DROP.tags.values() for step in range(tag.count)}
    for block in blocks:
        for address in range(block.address, block.address + block.count):
            assert (block.node, block.table, address) in there


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("gauge = [", "oven = [", "wiring two: moves tags to 'oven'; it can be one of gauge"),
        ('["{place}_um"]', '["{place}_mm"]', "wiring two: moves 'entry_mm', which is no tag of node press"),
        ('["{place}_um"]', '["{place}_um", "exit_um"]', "wiring two: moves exit_um twice"),
        ("[wirings.one]", "[wirings.one]\ncolour = 1", "wiring one: it has description, moved, nodes and nothing else"),
        ("[wirings.one]", "[wirings.one]\nnodes = ['oven']", "wiring one: has node 'oven'; it can be one of gauge"),
        ("{ one = 1, two = 2 }", "{ one = 1 }", "tag wiring: its values must be the wirings one, two"),
    ],
)
def test_wirings_that_cannot_be_are_refused_with_the_rule(old: str, new: str, rule: str) -> None:
    assert old in MAP
    with pytest.raises(RegisterMapError, match=f"map: {rule}"):
        parse_registers(MAP.replace(old, new), "map")


def test_a_wiring_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(RegisterMapError, match="no wiring 'star'; known: one-node, multi-drop"):
        default_registers("star")
