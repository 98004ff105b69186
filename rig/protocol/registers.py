"""The register map: named, scaled quantities ("tags") and where they live on the wire.

`registers.toml` beside this module is the one source; this module is the vocabulary to speak about
it. A tag turns engineering values into raw 16-bit registers (or one bit) and back, and says what a
value may be. Reading and checking the file is `registers_file`'s job.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from rig.protocol.blocks import Block, merged

__all__ = [
    "BIT_TABLES",
    "Block",
    "Node",
    "RegisterMap",
    "Table",
    "Tag",
    "TagType",
    "TagValueError",
    "Value",
]

Table = Literal["coil", "discrete", "input", "holding"]
TagType = Literal["bool", "u16", "i16", "u32", "i32", "f32", "bitfield", "enum", "string"]
Value = bool | int | float | str | frozenset[str]
"""A tag's engineering value: enums are their name, bitfields the set of bit names that are on."""

BIT_TABLES: tuple[Table, ...] = ("coil", "discrete")
RAW_RANGE: Mapping[str, tuple[int, int]] = {
    "u16": (0, 0xFFFF),
    "i16": (-0x8000, 0x7FFF),
    "u32": (0, 0xFFFF_FFFF),
    "i32": (-0x8000_0000, 0x7FFF_FFFF),
    "bitfield": (0, 0xFFFF),
    "enum": (0, 0xFFFF),
}
DIGITS = 6
"""Decimals of an engineering value: finer than any scale on the wire."""
ASKED_ONCE = ("identification", "wiring", "roles")
"""Groups that say who is there: they never change, and are read when a press is opened."""
NUMERIC_TYPES = ("u16", "i16", "u32", "i32", "f32")


class TagValueError(ValueError):
    """A value that a tag cannot hold: wrong kind, not finite, outside its limits or safe range."""


@dataclass(frozen=True, slots=True)
class Node:
    """One station on the serial bus."""

    name: str
    address: int
    description: str


@dataclass(frozen=True, eq=False)
class Tag:
    """One named quantity on the wire.

    Engineering value = raw * scale + offset, in `unit`. `count` is the number of 16-bit registers
    (1 for a bit). `limits` is what the node accepts or can show; `safe_range` what an armed bench
    may write to a press that is not virtual; `safe_value` what the safe state commands. `mirrors` is
    the group of discrete inputs that a bitfield shows once more; its bits have their names.
    """

    name: str
    node: str
    table: Table
    address: int
    count: int
    type: TagType
    scale: float
    offset: float
    unit: str
    limits: tuple[float, float] | None
    safe_range: tuple[float, float] | None
    safe_value: float | bool | None
    default: float | bool | str | None
    description: str
    group: str
    bits: tuple[str, ...] = ()
    values: Mapping[str, int] = field(default_factory=dict)
    mirrors: str | None = None

    @cached_property
    def writable(self) -> bool:
        """True for what a controller can command."""
        return self.table in ("coil", "holding")

    @property
    def access(self) -> str:
        """`read` or `read-write`."""
        return "read-write" if self.writable else "read"

    @cached_property
    def is_number(self) -> bool:
        """True for what has a unit, a scale and an offset, or could have."""
        return self.type in NUMERIC_TYPES

    @cached_property
    def _names(self) -> Mapping[int, str]:
        return {raw: name for name, raw in self.values.items()}

    def check(self, value: Value) -> None:
        """Check that `value` is one that this tag can hold and its limits allow.

        Raises:
            TagValueError: says tag, value, and what is allowed.
        """
        if self.is_number and self.limits is not None and (type(value) is float or type(value) is int):
            low, high = self.limits
            if low <= value <= high:
                return  # as a rule; below is what all else is
        if self.type == "bool":
            if not isinstance(value, bool) and value not in (0, 1):
                raise TagValueError(f"{self.name}: {value!r} is not true or false")
        elif self.type == "enum":
            if value not in self.values:
                raise TagValueError(f"{self.name}: {value!r} is not one of {', '.join(self.values)}")
        elif self.type == "bitfield":
            if not isinstance(value, (set, frozenset)) or not value <= set(self.bits):
                raise TagValueError(f"{self.name}: {value!r} is not a set of bits out of {', '.join(self.bits)}")
        elif self.type == "string":
            if not isinstance(value, str) or len(value) > 2 * self.count or not value.isascii():
                raise TagValueError(f"{self.name}: {value!r} is not ASCII text of at most {2 * self.count} characters")
        else:
            if isinstance(value, (bool, str)) or not isinstance(value, (int, float)):
                raise TagValueError(f"{self.name}: {value!r} is not a number")
            if not math.isfinite(value):
                raise TagValueError(f"{self.name}: {value!r} is not a finite number")
            if self.limits is not None and not self.limits[0] <= value <= self.limits[1]:
                low, high = self.limits
                raise TagValueError(f"{self.name}: {value:g} is outside {low:g} … {high:g} {self.unit}".rstrip())

    def encode(self, value: Value) -> tuple[int, ...]:
        """Raw registers (or one bit) for an engineering value.

        Raises:
            TagValueError: the value is not one that this tag can hold.
        """
        self.check(value)
        if self.is_number:
            return self.encode_number(value)  # type: ignore[arg-type]  # as `check` has found
        if self.type == "bool":
            return (int(bool(value)),)
        if self.type == "enum":
            return (self.values[str(value)],)
        if self.type == "bitfield":
            assert isinstance(value, (set, frozenset))
            return (sum(1 << index for index, bit in enumerate(self.bits) if bit in value),)
        return struct.unpack(f">{self.count}H", str(value).encode("ascii").ljust(2 * self.count, b"\0"))

    def encode_number(self, value: float) -> tuple[int, ...]:
        """Raw registers for a number, clipped to what the type can show (as a transmitter does)."""
        if self.type == "f32":
            high, low = struct.unpack(">HH", struct.pack(">f", value))
            return (high, low)
        smallest, largest = RAW_RANGE[self.type]
        raw = round((value - self.offset) / self.scale) if math.isfinite(value) else largest
        if not smallest <= raw <= largest:
            raw = min(max(raw, smallest), largest)
        if self.count == 2:
            raw &= 0xFFFF_FFFF
            return (raw >> 16, raw & 0xFFFF)
        return (raw & 0xFFFF,)

    def decode(self, raw: Sequence[int]) -> Value:
        """Engineering value of raw registers (or one bit).

        An enum code that the map does not name comes back as `unknown(code)`.
        """
        first = raw[0]
        match self.type:
            case "u16":
                return self.scaled(first)
            case "i16":
                return self.scaled(first - 0x10000 if first & 0x8000 else first)
            case "bool":
                return bool(first)
            case "u32":
                return self.scaled((first << 16) | raw[1])
            case "i32":
                number = (first << 16) | raw[1]
                return self.scaled(number - 0x1_0000_0000 if first & 0x8000 else number)
            case "f32":
                value: float = struct.unpack(">f", struct.pack(">HH", first, raw[1]))[0]
                return value
            case "enum":
                return self._names.get(first, f"unknown({first})")
            case "bitfield":
                return frozenset(bit for index, bit in enumerate(self.bits) if first >> index & 1)
            case "string":
                return struct.pack(f">{self.count}H", *raw[: self.count]).rstrip(b"\0").decode("ascii", "replace")

    def scaled(self, raw: int) -> int | float:
        """Engineering value of a raw number."""
        if self.scale == 1.0 and self.offset == 0.0:
            return raw
        # scales are decimal fractions: rounding gives 115.2 and not 115.20000000000002
        return round(raw * self.scale + self.offset, DIGITS)


@dataclass(frozen=True, eq=False)
class RegisterMap:
    """All tags of a press, by name and by group.

    Attributes:
        format: version of the map.
        nodes: who is on the line, the I/O node first.
        tags: by name.
        wiring: name of the wiring that nodes and tags are of; empty for the only one.
        wirings: what each wiring of the file is, by name.
        vital: groups that tell the state and the interlocks of the press's own node.
        every_scans: how often a group is to be read where the line is too slow for everything, in scans; 1 for groups
            that are not named.
        on_request: groups that are in no poll: they are read when somebody asks for them.
    """

    format: int
    nodes: Mapping[str, Node]
    tags: Mapping[str, Tag]
    wiring: str = ""
    wirings: Mapping[str, str] = field(default_factory=dict)
    vital: frozenset[str] = frozenset()
    every_scans: Mapping[str, int] = field(default_factory=dict)
    on_request: frozenset[str] = frozenset()

    @cached_property
    def main(self) -> Node:
        """The I/O node, which is in every wiring and says what the press is."""
        return next(iter(self.nodes.values()))

    @cached_property
    def satellites(self) -> tuple[Node, ...]:
        """The nodes beside the I/O node."""
        return tuple(node for node in self.nodes.values() if node is not self.main)

    @cached_property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Tag names by group, in the order of the file."""
        groups: dict[str, list[str]] = {}
        for tag in self.tags.values():
            groups.setdefault(tag.group, []).append(tag.name)
        return {name: tuple(members) for name, members in groups.items()}

    @cached_property
    def mirrors(self) -> Mapping[Tag, tuple[Tag, ...]]:
        """Discrete inputs by the input register that shows them once more, lowest bit first."""
        return {tag: tuple(map(self.__getitem__, tag.bits)) for tag in self.tags.values() if tag.mirrors is not None}

    @cached_property
    def polled(self) -> tuple[Tag, ...]:
        """What the press senses, and what its nodes say of themselves again and again."""
        left = self.on_request.union(ASKED_ONCE)
        return tuple(tag for tag in self.tags.values() if not tag.writable and tag.group not in left)

    @cached_property
    def safe_state(self) -> Mapping[str, Value]:
        """What the safe state commands: every tag with a safe value."""
        return {tag.name: tag.safe_value for tag in self.tags.values() if tag.safe_value is not None}

    def __getitem__(self, name: str) -> Tag:
        """The tag of this name.

        Raises:
            KeyError: no such tag; the message names the nearest ones.
        """
        try:
            return self.tags[name]
        except KeyError:
            raise KeyError(self.explain_unknown(name)) from None

    def explain_unknown(self, name: object) -> str:
        """One sentence on a name that is neither tag nor group, with the nearest known names."""
        from difflib import get_close_matches  # noqa: PLC0415 - only when something is wrong

        near = get_close_matches(str(name), [*self.tags, *self.groups], n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else "; `press-rig tags` lists them all"
        return f"no tag or group named {name!r}{hint}"

    def expand(self, names: Iterable[str]) -> tuple[Tag, ...]:
        """Tags of the given tag and group names, in the order given, each once.

        Raises:
            KeyError: a name that is neither.
        """
        found: dict[str, Tag] = {}
        for name in names:
            members = self.groups.get(name, (name,))
            for member in members:
                found[member] = self[member]
        return tuple(found.values())

    def blocks(
        self, tags: Iterable[Tag], *, gap: int = 0, longest: int = 120, longest_bits: int = 1900
    ) -> tuple[Block, ...]:
        """Merge tags into as few requests as possible, the I/O node's first.

        Args:
            tags: what to read or write.
            gap: registers or bits in between that may be read along, where there are any (0 for writes).
            longest: registers in one request at the most (125 in a read, 121 in a write with read).
            longest_bits: bits in one request at the most.
        """
        blocks = merged(
            tags,
            gap=gap,
            longest=lambda tag: longest_bits if tag.table in BIT_TABLES else longest,
            exists=self._places.__contains__,
        )
        order = [*self.nodes]
        return tuple(sorted(blocks, key=lambda block: order.index(block.node)))

    @cached_property
    def _places(self) -> frozenset[tuple[str, Table, int]]:
        """Every register and bit that there is: a node refuses a read that touches another."""
        return frozenset(
            (tag.node, tag.table, tag.address + step) for tag in self.tags.values() for step in range(tag.count)
        )

    def reads(self, tags: Iterable[Tag], *, gap: int = 0) -> tuple[Block, ...]:
        """The fewest requests that read tags.

        Discrete inputs come out of the register that mirrors them where that saves a request; the register need not
        be among the tags.

        Args:
            tags: what to read.
            gap: registers or bits in between that may be read along.
        """
        wanted = set(tags)
        blocks = self.blocks(wanted, gap=gap)
        told: set[Tag] = set()
        for register, mirrored in self.mirrors.items():
            asked = wanted.intersection(mirrored)
            others = (wanted - asked) | {register}
            if asked and len(fewer := self.blocks(others, gap=gap)) < len(blocks):
                wanted, blocks = others, fewer
                told |= asked
        return tuple(replace(block, mirrored=tuple(self._mirrored(block, told))) for block in blocks)

    def _mirrored(self, block: Block, asked: Container[Tag]) -> Iterator[Tag]:
        """What of `asked` the registers of a block mirror."""
        return (tag for register in block.tags for tag in self.mirrors.get(register, ()) if tag in asked)
