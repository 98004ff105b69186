"""The register map as people read it: one value, one line per tag, and the table in docs/protocol.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rig.protocol.registers import BIT_TABLES, Node, RegisterMap, Tag, Value
from rig.protocol.registers_file import default_registers

__all__ = ["list_tags", "register_table", "show_value"]

TABLE_TITLES = {
    "input": "Input registers (read by function 4)",
    "holding": "Holding registers (functions 3, 6, 16, 22, 23)",
    "coil": "Coils (functions 1, 5, 15)",
    "discrete": "Discrete inputs (function 2)",
}


def show_value(tag: Tag, value: Value) -> str:
    """A value with its unit, as a person writes it."""
    if isinstance(value, frozenset):
        return ", ".join(bit for bit in tag.bits if bit in value) or "-"
    if isinstance(value, bool):
        return "on" if value else "off"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    return f"{text} {tag.unit}".rstrip()


def list_tags(tags: Iterable[Tag]) -> Iterator[str]:
    """One line per tag, in columns."""
    rows = [(tag.name, f"{tag.table} {tag.address}", tag.type, _range(tag), tag.description) for tag in tags]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False)]
        yield "  ".join([*cells, row[4]])


def _range(tag: Tag) -> str:
    if tag.limits is None:
        return tag.unit
    return f"{tag.limits[0]:g} … {tag.limits[1]:g} {tag.unit}".rstrip()


def register_table() -> str:
    """All tags as Markdown tables: one per Modbus table of every node, then what other wirings have elsewhere."""
    usual = default_registers()
    lines: list[str] = []
    for node in usual.nodes.values():
        lines += [*_node_tables(usual, node), ""]
    for wiring, description in usual.wirings.items():
        if wiring == usual.wiring:
            continue
        registers = default_registers(wiring)
        lines += [f"## Wiring `{wiring}`", "", f"{description[0].upper()}{description[1:]}.", ""]
        lines += ["| address | node | what it is |", "| --- | --- | --- |"]
        lines += [f"| {node.address} | `{node.name}` | {node.description} |" for node in registers.nodes.values()]
        lines += [
            "",
            f"Node `{registers.main.name}` has what is not listed here, where it has it in `{usual.wiring}`.",
            "",
        ]
        for node in registers.satellites:
            lines += [*_node_tables(registers, node), ""]
    return "\n".join(lines)


def _node_tables(registers: RegisterMap, node: Node) -> Iterator[str]:
    """The tables of a node that has such tags."""
    yield f"Node `{node.name}`, address {node.address}: {node.description}."
    for table, title in TABLE_TITLES.items():
        tags = [tag for tag in registers.tags.values() if (tag.table, tag.node) == (table, node.name)]
        if not tags:
            continue
        yield from ("", f"### {title}" if node is registers.main else f"#### {title} of `{node.name}`", "")
        if table in BIT_TABLES:
            yield from ("| address | tag | meaning |", "| --- | --- | --- |")
            yield from (f"| {tag.address} | `{tag.name}` | {_meaning(tag)} |" for tag in tags)
            continue
        yield from ("| address | tag | type | scale | range | meaning |", "| --- | --- | --- | --- | --- | --- |")
        for tag in sorted(tags, key=lambda tag: tag.address):
            cells = (_addresses(tag), f"`{tag.name}`", tag.type, _scale(tag), _range(tag), _meaning(tag))
            yield f"| {' | '.join(cells)} |"


def _addresses(tag: Tag) -> str:
    return str(tag.address) if tag.count == 1 else f"{tag.address} … {tag.address + tag.count - 1}"


def _scale(tag: Tag) -> str:
    return "" if tag.scale == 1.0 else f"{tag.scale:g}"


def _meaning(tag: Tag) -> str:
    parts = [tag.description]
    if tag.bits:
        parts.append("bits " + ", ".join(f"{index} {bit}" for index, bit in enumerate(tag.bits)))
    if tag.values:
        parts.append(", ".join(f"{raw} = {name}" for name, raw in tag.values.items()))
    if tag.safe_range is not None and tag.safe_range != tag.limits:
        parts.append(f"safe range {tag.safe_range[0]:g} … {tag.safe_range[1]:g}")
    if tag.safe_value is not None:
        value = tag.safe_value
        parts.append(f"safe state: {('on' if value else 'off') if isinstance(value, bool) else format(value, 'g')}")
    return "; ".join(parts)
