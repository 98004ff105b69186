"""Reads `registers.toml` and refuses a map that cannot be true.

Every error names the file, the tag and the rule that it breaks, so that whoever edits the map finds
the line: overlapping addresses, limits that the type cannot hold, unknown units, lists that do not
exist, safe values outside the limits.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from rig.protocol.registers import (
    BIT_TABLES,
    NUMERIC_TYPES,
    RAW_RANGE,
    Node,
    RegisterMap,
    Table,
    Tag,
    TagType,
)
from rig.protocol.wirings import RegisterMapError, parse_wirings

__all__ = ["UNITS", "RegisterMapError", "default_registers", "load_registers", "parse_registers"]

UNITS = frozenset({
    "", "°C", "%", "µm", "mm", "m", "m/min", "N", "kN", "kN/m", "bar", "A", "N·m", "L/min", "kg/h", "1/min",
    "s", "ms", "deg",
})  # fmt: skip
"""Units a tag may have; `emulator` knows how each relates to SI."""

FORMAT = 3
LAST_ADDRESS = 0xFFFF
KEYS = {
    "name", "for_each", "node", "group", "table", "address", "type", "length", "scale", "offset", "unit",
    "limits", "safe_range", "safe_value", "default", "description", "bits", "values", "mirrors",
}  # fmt: skip
LARGEST_BITFIELD = 16
WORDS: Mapping[str, int] = {"u32": 2, "i32": 2, "f32": 2}


@cache
def default_registers(wiring: str = "") -> RegisterMap:
    """The register map that comes with the rig.

    Args:
        wiring: which nodes there are and what lives where, by name; the usual one if empty.

    Raises:
        RegisterMapError: there is no such wiring.
    """
    text = (resources.files("rig.protocol") / "registers.toml").read_text(encoding="utf-8")
    return parse_registers(text, "registers.toml", wiring)


def load_registers(path: str | Path, wiring: str = "") -> RegisterMap:
    """Read a register map from a file.

    Args:
        path: of the file.
        wiring: as for `default_registers`.

    Raises:
        RegisterMapError: the file cannot be read, is not TOML, or breaks a rule.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RegisterMapError(f"{path}: cannot be read: {error}") from error
    return parse_registers(text, str(path), wiring)


def parse_registers(text: str, where: str, wiring: str = "") -> RegisterMap:
    """Make a map from TOML text.

    Args:
        text: what stands in the file.
        where: names it in errors.
        wiring: as for `default_registers`.

    Raises:
        RegisterMapError: the text is not TOML or breaks a rule, or there is no such wiring.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RegisterMapError(f"{where}: not valid TOML: {error}") from error
    if data.get("format") != FORMAT:
        raise RegisterMapError(f"{where}: format is {data.get('format')!r}, this rig reads format {FORMAT}")
    nodes = _nodes(data.get("nodes"), where)
    lists: Mapping[str, list[str]] = data.get("lists", {})
    entries = data.get("tag")
    if not isinstance(entries, list) or not entries:
        raise RegisterMapError(f"{where}: holds no [[tag]]")
    tags: dict[str, Tag] = {}
    for entry in entries:
        for tag in _tags(entry, nodes, lists, where):
            if tag.name in tags:
                raise RegisterMapError(f"{where}: tag {tag.name}: defined twice")
            tags[tag.name] = tag
    _check_overlaps(tags.values().__iter__(), where)
    wirings = parse_wirings(data.get("wirings"), nodes, tags, lists, where)
    if wiring and wiring not in wirings:
        raise RegisterMapError(f"{where}: there is no wiring {wiring!r}; known: {', '.join(wirings)}")
    chosen = wirings[wiring or next(iter(wirings))]
    vital, every_scans, on_request = _polling(data.get("polling", {}), {tag.group for tag in tags.values()}, where)
    tags = chosen.applied(tags)
    return RegisterMap(
        FORMAT,
        {name: node for name, node in nodes.items() if name in chosen.nodes},
        {name: _with_mirrored(tag, tags.values(), where) for name, tag in tags.items()},
        chosen.name,
        {other.name: other.description for other in wirings.values()},
        vital,
        every_scans,
        on_request,
    )


def _nodes(data: Any, where: str) -> dict[str, Node]:
    if not isinstance(data, dict) or not data:
        raise RegisterMapError(f"{where}: holds no [nodes.…]")
    nodes: dict[str, Node] = {}
    for name, entry in data.items():
        address = entry.get("address") if isinstance(entry, dict) else None
        if not isinstance(address, int) or isinstance(address, bool) or not 1 <= address <= 247:
            raise RegisterMapError(f"{where}: node {name}: address is {address!r}, it must be 1 … 247")
        if any(other.address == address for other in nodes.values()):
            raise RegisterMapError(f"{where}: node {name}: address {address} is taken by another node")
        nodes[name] = Node(name, address, str(entry.get("description", "")))
    return nodes


def _polling(data: Any, groups: Collection[str], where: str) -> tuple[frozenset[str], dict[str, int], frozenset[str]]:
    """The vital groups, the intervals of groups in scans, and the groups that are in no poll."""
    if not isinstance(data, dict) or set(data) - {"vital", "every_scans", "on_request"}:
        raise RegisterMapError(f"{where}: polling: it has `vital`, `every_scans` and `on_request`, nothing else")
    vital, every, asked = data.get("vital", []), data.get("every_scans", {}), data.get("on_request", [])
    if not isinstance(vital, list) or not isinstance(every, dict) or not isinstance(asked, list):
        raise RegisterMapError(
            f"{where}: polling: vital and on_request are lists of groups, every_scans a table of them"
        )
    for group in (*vital, *every, *asked):
        if group not in groups:
            raise RegisterMapError(f"{where}: polling: no tag is of group {group!r}")
    for group, scans in every.items():
        if not isinstance(scans, int) or isinstance(scans, bool) or scans < 1:
            raise RegisterMapError(f"{where}: polling: every_scans of {group} is {scans!r}, it must be 1 or more")
        if group in vital:
            raise RegisterMapError(f"{where}: polling: {group} is vital, it takes no every_scans")
    for group in asked:
        if group in vital or group in every:
            raise RegisterMapError(f"{where}: polling: {group} is on_request, it is neither vital nor in every_scans")
    return frozenset(vital), dict(every), frozenset(asked)


def _tags(entry: Any, nodes: Mapping[str, Node], lists: Any, where: str) -> Iterator[Tag]:
    """All tags that one [[tag]] entry stands for."""
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise RegisterMapError(f"{where}: a [[tag]] has no name")
    name: str = entry["name"]

    def broken(rule: str) -> RegisterMapError:
        return RegisterMapError(f"{where}: tag {name}: {rule}")

    unknown = set(entry) - KEYS
    if unknown:
        raise broken(f"unknown key {', '.join(sorted(unknown))}; known: {', '.join(sorted(KEYS))}")
    members = [""]
    placeholder = ""
    if "for_each" in entry:
        placeholder = "{" + str(entry["for_each"]) + "}"
        members = lists.get(entry["for_each"])
        if not isinstance(members, list) or not members:
            raise broken(f"for_each names the list {entry['for_each']!r}, which does not exist")
        if placeholder not in name:
            raise broken(f"for_each is {entry['for_each']!r}, so the name must contain {placeholder}")
    address = entry.get("address")
    if not isinstance(address, int) or isinstance(address, bool) or address < 0:
        raise broken(f"address is {address!r}, it must be a whole number from 0")
    for member in members:
        filled = {
            key: value.replace(placeholder, member) if placeholder and isinstance(value, str) else value
            for key, value in entry.items()
        }
        tag = _tag(filled, filled["name"], address, nodes, where)
        if filled.get("node") == entry.get("node"):
            address += tag.count
        yield tag


def _tag(entry: Mapping[str, Any], name: str, address: int, nodes: Mapping[str, Node], where: str) -> Tag:
    def broken(rule: str) -> RegisterMapError:
        return RegisterMapError(f"{where}: tag {name}: {rule}")

    if not name.isidentifier() or name != name.lower():
        raise broken("a name is lower case letters, digits and _")
    table: Any = entry.get("table")
    kind: Any = entry.get("type")
    if table not in get_args(Table):
        raise broken(f"table is {table!r}, it must be one of {', '.join(get_args(Table))}")
    if kind not in get_args(TagType):
        raise broken(f"type is {kind!r}, it must be one of {', '.join(get_args(TagType))}")
    if (kind == "bool") != (table in BIT_TABLES):
        raise broken(f"type {kind} does not fit table {table}: coils and discrete inputs are bool, registers are not")
    node = entry.get("node", next(iter(nodes)))
    if node not in nodes:
        raise broken(f"node {node!r} does not exist; known: {', '.join(nodes)}")
    unit = entry.get("unit", "")
    if unit not in UNITS:
        raise broken(f"unknown unit {unit!r}; known: {', '.join(sorted(UNITS - {''}))}")
    count = _count(entry, kind, broken)
    if address + count - 1 > LAST_ADDRESS:
        raise broken(f"address {address} with {count} registers ends beyond {LAST_ADDRESS}")
    scale, offset = entry.get("scale", 1.0), entry.get("offset", 0.0)
    for key, number in (("scale", scale), ("offset", offset)):
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
            raise broken(f"{key} is {number!r}, it must be a number")
    if scale == 0:
        raise broken("scale is 0")
    if kind not in ("u16", "i16", "u32", "i32") and (scale != 1.0 or offset != 0.0):
        raise broken(f"type {kind} takes no scale or offset")
    mirrors = entry.get("mirrors")
    if mirrors is not None and (kind, table) != ("bitfield", "input"):
        raise broken("only a bitfield of the table input mirrors discrete inputs")
    if mirrors is not None and "bits" in entry:
        raise broken("what it mirrors are its bits: it takes no `bits`")
    if kind == "bitfield" and mirrors is None and not 1 <= len(entry.get("bits", ())) <= LARGEST_BITFIELD:
        raise broken(f"a bitfield names 1 … {LARGEST_BITFIELD} bits in `bits`")
    if kind == "enum" and not entry.get("values"):
        raise broken("an enum names its values in `values`")
    description = entry.get("description")
    if not isinstance(description, str) or not description:
        raise broken("has no description")
    tag = Tag(
        name=name,
        node=node,
        table=table,
        address=address,
        count=count,
        type=kind,
        scale=float(scale),
        offset=float(offset),
        unit=unit,
        limits=_pair(entry, "limits", broken),
        safe_range=_pair(entry, "safe_range", broken),
        safe_value=entry.get("safe_value"),
        default=entry.get("default"),
        description=description,
        group=str(entry.get("group", name)),
        bits=tuple(entry.get("bits", ())),
        values=dict(entry.get("values", {})),
        mirrors=mirrors,
    )
    _check_ranges(tag, broken)
    return tag


def _with_mirrored(tag: Tag, tags: Collection[Tag], where: str) -> Tag:
    """The tag; if it mirrors a group, then with the discrete inputs of that group as its bits."""
    if tag.mirrors is None:
        return tag

    def broken(rule: str) -> RegisterMapError:
        return RegisterMapError(f"{where}: tag {tag.name}: {rule}")

    mirrored = sorted((other for other in tags if other.group == tag.mirrors), key=lambda other: other.address)
    if not mirrored:
        raise broken(f"mirrors the group {tag.mirrors!r}, which does not exist")
    if any((other.node, other.table) != (tag.node, "discrete") for other in mirrored):
        raise broken(f"mirrors the group {tag.mirrors!r}, which is not all discrete inputs of node {tag.node}")
    if sum(other.mirrors == tag.mirrors for other in tags) > 1:
        raise broken(f"mirrors the group {tag.mirrors!r}, which another register mirrors too")
    if len(mirrored) > LARGEST_BITFIELD:
        raise broken(f"mirrors {len(mirrored)} discrete inputs, {LARGEST_BITFIELD} fit into a register")
    return replace(tag, bits=tuple(other.name for other in mirrored))


def _count(entry: Mapping[str, Any], kind: str, broken: Any) -> int:
    if kind != "string":
        return WORDS.get(kind, 1)
    length = entry.get("length")
    if not isinstance(length, int) or not 1 <= length <= 60:
        raise broken(f"length is {length!r}, a string has 1 … 60 registers (two characters each)")
    return length


def _pair(entry: Mapping[str, Any], key: str, broken: Any) -> tuple[float, float] | None:
    pair = entry.get(key)
    if pair is None:
        return None
    if (
        not isinstance(pair, list)
        or len(pair) != 2
        or any(isinstance(end, bool) or not isinstance(end, (int, float)) for end in pair)
        or not pair[0] < pair[1]
    ):
        raise broken(f"{key} is {pair!r}, it must be [low, high]")
    return float(pair[0]), float(pair[1])


def _check_ranges(tag: Tag, broken: Any) -> None:
    """Limits fit the type; safe range, safe value and default fit the limits."""
    if tag.type in NUMERIC_TYPES:
        if tag.limits is None:
            raise broken("a number needs limits")
        if tag.type in RAW_RANGE:
            ends = sorted(raw * tag.scale + tag.offset for raw in RAW_RANGE[tag.type])
            if tag.limits[0] < ends[0] - 1e-9 or tag.limits[1] > ends[1] + 1e-9:
                raise broken(
                    f"limits {tag.limits[0]:g} … {tag.limits[1]:g} are outside what {tag.type} with scale "
                    f"{tag.scale:g} can hold ({ends[0]:g} … {ends[1]:g})"
                )
    elif tag.limits is not None or tag.safe_range is not None:
        raise broken(f"type {tag.type} takes no limits")
    if not tag.writable and (tag.safe_range is not None or tag.safe_value is not None or tag.default is not None):
        raise broken(f"table {tag.table} cannot be written: it takes no safe_range, safe_value or default")
    if tag.table == "holding" and tag.type in NUMERIC_TYPES and tag.safe_range is None:
        raise broken("a holding register needs a safe_range")
    if tag.safe_range is not None and tag.limits is not None and not _inside(tag.safe_range, tag.limits):
        raise broken("safe_range is outside limits")
    for key, value in (("safe_value", tag.safe_value), ("default", tag.default)):
        if value is not None:
            try:
                tag.check(value)
            except ValueError as error:
                raise broken(f"{key}: {error}") from error
    if (
        tag.safe_value is not None
        and tag.safe_range is not None
        and not _inside((float(tag.safe_value),) * 2, tag.safe_range)
    ):
        raise broken("safe_value is outside safe_range")


def _inside(inner: tuple[float, float], outer: tuple[float, float]) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _check_overlaps(tags: Iterator[Tag], where: str) -> None:
    taken: dict[tuple[str, str, int], str] = {}
    for tag in tags:
        for address in range(tag.address, tag.address + tag.count):
            other = taken.setdefault((tag.node, tag.table, address), tag.name)
            if other != tag.name:
                raise RegisterMapError(f"{where}: tag {tag.name}: {tag.table} address {address} is taken by {other}")
