"""The node's registers as bytes: where each tag stands, and how compiled code reads and writes it.

One array of bytes holds all four tables as they go on the wire: input and holding registers two bytes each, high
byte first; discrete inputs and coils eight to a byte, the first in the lowest bit. `Layout` says where; it is made
from the register map, which alone knows addresses, types and scales.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from rig.protocol.registers import BIT_TABLES, DIGITS, RAW_RANGE, RegisterMap, Table, Tag

__all__ = [
    "NUMBER_COLUMNS", "Layout", "bit", "decode", "encode", "put", "put_bit", "put_f32", "put_word", "show", "word",
]  # fmt: skip

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

NUMBER_COLUMNS: Final = ("place", "count", "scale", "offset", "smallest", "largest")
"""A number as compiled code knows it: place in bytes, count of registers, engineering = raw * scale + offset, and
the range of raw values."""
DECIMALS: Final = 10.0**DIGITS
"""Engineering values are rounded to so many parts, as `Tag.decode` does: 115.2 and not 115.20000000000002."""
TABLES: Final[tuple[Table, ...]] = ("input", "holding", "discrete", "coil")


class Layout:
    """Where the tags of one node stand in its image.

    Attributes:
        registers: the register map.
        tags: the node's tags by name.
        spans: first byte and number of bytes of each table.
        size: bytes of the whole image.
    """

    def __init__(self, registers: RegisterMap, node: str) -> None:
        self.registers = registers
        self.tags = {tag.name: tag for tag in registers.tags.values() if tag.node == node}
        self.spans: dict[Table, tuple[int, int]] = {}
        first = 0
        for table in TABLES:
            end = max((tag.address + tag.count for tag in self.tags.values() if tag.table == table), default=0)
            size = (end + 7) // 8 if table in BIT_TABLES else 2 * end
            self.spans[table] = (first, size)
            first += size
        self.size = first

    def place(self, name: str) -> int:
        """Where a tag stands: byte of a register, number of a bit."""
        tag = self.tags[name]
        first = self.spans[tag.table][0]
        return 8 * first + tag.address if tag.table in BIT_TABLES else first + 2 * tag.address

    def number(self, name: str) -> tuple[float, ...]:
        """`NUMBER_COLUMNS` of a scaled number.

        Raises:
            ValueError: the tag is of another type.
        """
        tag: Tag = self.tags[name]
        if tag.type not in RAW_RANGE:
            raise ValueError(f"{name} is a {tag.type}, not a scaled number")
        return float(self.place(name)), float(tag.count), tag.scale, tag.offset, *map(float, RAW_RANGE[tag.type])


@njit(cache=True, error_model="numpy")
def bit(image: Bytes, place: int) -> bool:
    """A bit."""
    return bool((image[place >> 3] >> (place & 7)) & 1)


@njit(cache=True, error_model="numpy")
def put_bit(image: Bytes, place: int, value: bool) -> None:
    """Set or clear a bit."""
    mask = 1 << (place & 7)
    if value:
        image[place >> 3] |= mask
    else:
        image[place >> 3] &= 0xFF - mask


@njit(cache=True, error_model="numpy")
def put_word(image: Bytes, place: int, raw: int) -> None:
    """One register."""
    image[place] = (raw >> 8) & 0xFF
    image[place + 1] = raw & 0xFF


@njit(cache=True, error_model="numpy")
def word(image: Bytes, place: int) -> int:
    """What one register shows."""
    return (int(image[place]) << 8) | int(image[place + 1])


@njit(cache=True, error_model="numpy")
def put_f32(image: Bytes, place: int, value: float) -> None:
    """Two registers with a 32-bit float."""
    raw = int(np.float32(value).view(np.uint32))
    put_word(image, place, raw >> 16)
    put_word(image, place + 2, raw)


@njit(cache=True, error_model="numpy")
def encode(number: Floats, value: float) -> float:
    """Raw value of a number, a whole one, clipped to what its type can show as a transmitter does."""
    return float(min(max(np.rint((value - number[3]) / number[2]), number[4]), number[5]))


@njit(cache=True, error_model="numpy")
def put(image: Bytes, number: Floats, raw: float) -> None:
    """Write the raw value of a number."""
    place = int(number[0])
    word = int(raw)
    if number[1] == 2.0:
        put_word(image, place, word >> 16)
        place += 2
    put_word(image, place, word)


@njit(cache=True, error_model="numpy")
def show(image: Bytes, number: Floats, value: float) -> None:
    """Write a number given in engineering units."""
    put(image, number, encode(number, value))


@njit(cache=True, error_model="numpy")
def decode(image: Bytes, number: Floats) -> float:
    """Engineering value of a number."""
    place = int(number[0])
    raw = 0
    for i in range(2 * int(number[1])):
        raw = (raw << 8) | int(image[place + i])
    if raw > number[5]:
        raw -= 1 << (16 * int(number[1]))
    if number[2] == 1.0 and number[3] == 0.0:
        return float(raw)
    return float(np.rint((raw * number[2] + number[3]) * DECIMALS) / DECIMALS)
