"""Neighbouring tags that one request reads or writes, and what the bytes of an answer say of them.

Decoding is the inner loop of every poll, so it is a table made once per block: one `struct` call takes
all numbers out of the bytes, one pass of divisions scales them, and names (of enums, of bits) come out
of dictionaries that remember what they have seen. The rule: the result is that of `Tag.decode`, bit for
bit and type for type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import truediv
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from rig.protocol.packing import unpack_bits, unpack_registers

if TYPE_CHECKING:
    from rig.protocol.registers import Table, Tag, Value

__all__ = ["Block", "Decoded", "merged"]

CODES = {"u16": "H", "i16": "h", "u32": "I", "i32": "i", "f32": "f", "enum": "H", "bitfield": "H"}
"""Struct code of each type, all big-endian, high word first."""
DECIMAL_SCALES = {10.0**-digits: 10**digits for digits in range(5)}
"""Scales for which raw / divisor is the nearest float to the decimal value, and so what rounding gives."""
REMEMBERED = 4096
"""Different contents of a block of bits, or of a register that mirrors bits, that are remembered at the most."""


class Decoded(NamedTuple):
    """What a block says.

    Attributes:
        values: engineering values by tag name.
        numbers: the same as numbers, in the order of `Block.numeric`: enums and bitfields as raw codes,
            booleans as 0 and 1.
    """

    values: dict[str, Value]
    numbers: Sequence[float]


@dataclass(frozen=True)
class Block:
    """Neighbouring tags that one request can read or write.

    Attributes:
        tags: what stands in the block, in order of address.
        mirrored: discrete inputs that are to be taken out of the registers among `tags` that mirror them.
    """

    node: str
    table: Table
    address: int
    count: int
    tags: tuple[Tag, ...]
    mirrored: tuple[Tag, ...] = ()

    @cached_property
    def numeric(self) -> tuple[Tag, ...]:
        """The tags that are not text, in order of address, then the mirrored ones."""
        return (*_numeric(self.tags), *self.mirrored)

    @cached_property
    def decode(self) -> Callable[[bytes], Decoded]:
        """Takes the bytes of an answer: registers high byte first, or bits from the lowest up.

        The dictionary in the result is the caller's own; `numbers` is not to be changed.
        """
        return _Bits(self).decode if self.table in ("coil", "discrete") else _Registers(self).decode


class _Registers:
    """Decodes a block of registers."""

    def __init__(self, block: Block) -> None:
        layout, position = ">", block.address
        numeric = _numeric(block.tags)
        for tag in numeric:
            layout += f"{2 * (tag.address - position)}x{CODES[tag.type]}"
            position = tag.address + tag.count
        self._unpack = Struct(f"{layout}{2 * (block.address + block.count - position)}x").unpack
        self._names = tuple(tag.name for tag in numeric)
        # with room for all that is told: filling a copy is cheaper than letting a new one grow
        self._blank: dict[str, Value] = dict.fromkeys((*self._names, *(tag.name for tag in block.mirrored)), 0.0)
        self._divisors = [_divisor(tag) or 1 for tag in numeric]
        plain = [(index, tag) for index, tag in enumerate(numeric) if tag.type != "f32"]
        self._whole = [(tag.name, index) for index, tag in plain if tag.type in INTEGERS and _divisor(tag) == 1]
        self._named = [(tag.name, index, _Names(tag)) for index, tag in plain if tag.type not in INTEGERS]
        self._odd = [(tag, index) for index, tag in plain if tag.type in INTEGERS and _divisor(tag) is None]
        shown = [(index, _Mirrored(tag, block.mirrored)) for index, tag in plain if tag.mirrors is not None]
        self._mirrored = [(index, mirrored) for index, mirrored in shown if mirrored.places]
        self._texts = [(tag, 2 * (tag.address - block.address)) for tag in block.tags if tag.type == "string"]

    def decode(self, payload: bytes) -> Decoded:
        raw = self._unpack(payload)
        numbers = list(map(truediv, raw, self._divisors))
        values = self._blank.copy()
        values.update(zip(self._names, numbers, strict=True))
        for name, index in self._whole:
            values[name] = raw[index]
        for name, index, names in self._named:
            values[name] = names[raw[index]]
        for tag, index in self._odd:
            values[tag.name] = numbers[index] = tag.scaled(raw[index])
        for tag, start in self._texts:
            values[tag.name] = tag.decode(unpack_registers(payload[start : start + 2 * tag.count]))
        for index, mirrored in self._mirrored:
            bits = mirrored[raw[index]]
            values.update(bits.values)
            numbers += bits.numbers
        return Decoded(values, numbers)


class _Bits:
    """Decodes a block of bits; the bits of a press seldom change, so whole answers are remembered."""

    def __init__(self, block: Block) -> None:
        self._places = [(tag.name, tag.address - block.address) for tag in block.tags]
        self._seen: dict[bytes, Decoded] = {}

    def decode(self, payload: bytes) -> Decoded:
        seen = self._seen.get(payload)
        if seen is None:
            bits = unpack_bits(payload)
            values: dict[str, Value] = {name: bits[index] for name, index in self._places}
            seen = Decoded(values, [float(bits[index]) for _, index in self._places])
            if len(self._seen) < REMEMBERED:
                self._seen[payload] = seen
        return Decoded(seen.values.copy(), seen.numbers)


class _Names(dict[int, "Value"]):
    """What the raw codes of an enum or a bitfield mean, worked out once each."""

    def __init__(self, tag: Tag) -> None:
        super().__init__()
        self._tag = tag

    def __missing__(self, raw: int) -> Value:
        value = self[raw] = self._tag.decode((raw,))
        return value


class _Mirrored(dict[int, Decoded]):
    """What the raw contents of a register say of the discrete inputs that it mirrors, worked out once each."""

    def __init__(self, register: Tag, tags: Iterable[Tag]) -> None:
        super().__init__()
        self.places = [(tag.name, register.bits.index(tag.name)) for tag in tags if tag.group == register.mirrors]

    def __missing__(self, raw: int) -> Decoded:
        values: dict[str, Value] = {name: bool(raw >> place & 1) for name, place in self.places}
        decoded = Decoded(values, [float(raw >> place & 1) for _, place in self.places])
        if len(self) < REMEMBERED:
            self[raw] = decoded
        return decoded


INTEGERS = ("u16", "i16", "u32", "i32")


def _numeric(tags: Iterable[Tag]) -> tuple[Tag, ...]:
    return tuple(tag for tag in tags if tag.type != "string")


def _divisor(tag: Tag) -> int | None:
    """What a tag's raw value is to be divided by; None if it is scaled in another way."""
    if tag.type not in INTEGERS:
        return 1
    return DECIMAL_SCALES.get(tag.scale) if tag.offset == 0.0 else None


def merged(
    tags: Iterable[Tag],
    *,
    gap: int,
    longest: Callable[[Tag], int],
    exists: Callable[[tuple[str, Table, int]], bool],
) -> Iterator[Block]:
    """Tags merged into as few blocks as possible; see `RegisterMap.blocks`."""
    run: list[Tag] = []
    for tag in sorted(set(tags), key=lambda tag: (tag.node, tag.table, tag.address)):
        if run:
            first, last = run[0], run[-1]
            elsewhere = (tag.node, tag.table) != (last.node, last.table)
            end = last.address + last.count
            between = ((tag.node, tag.table, address) for address in range(end, tag.address))
            apart = tag.address - end > gap or not all(map(exists, between))
            if elsewhere or apart or tag.address + tag.count - first.address > longest(tag):
                yield _block(run)
                run = []
        run.append(tag)
    if run:
        yield _block(run)


def _block(run: Sequence[Tag]) -> Block:
    first, last = run[0], run[-1]
    return Block(first.node, first.table, first.address, last.address + last.count - first.address, tuple(run))
