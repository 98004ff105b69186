"""How many cycles the program's instructions take on a Cortex-M3: the model of its CPU time.

The engine executes instructions and knows nothing of time. So every half-word of the program has a price, the most
that the Cortex-M3 manual (DDI 0337, section 18.2, instruction timing) gives for its instruction: 1 for arithmetic, 2
for a load or store, 1 and one per register for several, 5 and 7 for long products, 12 for a division; a jump that is
taken costs 3 more. Flash has no wait states at 50 MHz, and loads never overlap, so a real chip is a little faster.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emulator.firmware.elf import Program

__all__ = ["EXCEPTION_CYCLES", "REFILL_CYCLES", "cycles_of", "total_cycles"]

REFILL_CYCLES: Final = 3
"""The pipeline is filled anew behind a jump that is taken: one to three cycles."""
EXCEPTION_CYCLES: Final = 12 + 12
"""Into an interrupt and back."""
LOAD, LONG_PRODUCT, LONG_SUM, DIVISION = 2, 5, 7, 12


def cycles_of(first: int, second: int) -> int:
    """Cycles of a Thumb instruction, without filling the pipeline anew.

    Args:
        first: its first half-word.
        second: its second one; 0 for a short one.
    """
    return _short(first) if first >> 11 < 0b11101 else _long(first, second)


def _short(first: int) -> int:
    if first >> 11 == 0b01001 or 0b0101 <= first >> 12 <= 0b1001:
        return LOAD
    if first & 0xF600 == 0xB400:  # push, pop; with lr or pc
        return 1 + (first & 0x1FF).bit_count()
    if first >> 12 == 0b1100:  # several
        return 1 + (first & 0xFF).bit_count()
    return 1


def _long(first: int, second: int) -> int:
    kind = first >> 4 & 0x7F
    if first >> 9 == 0b1110100:
        if first & 0x40:  # two registers; tables of branches are not used
            return 1 + LOAD
        return 1 + second.bit_count()
    if first >> 9 == 0b1111100:
        return LOAD
    if first >> 7 == 0b111110110:  # product: with a sum, 2
        return 1 if second >> 12 == 0xF else 2
    if first >> 7 == 0b111110111:
        if kind & 0b1101 == 0b1001:
            return DIVISION
        return LONG_SUM if first & 0x40 else LONG_PRODUCT
    return 1


def total_cycles(program: Program, size: int) -> NDArray[np.int64]:
    """Cycles of all that stands before each half-word of the flash, so that differences are those of pieces of code.

    Args:
        program: the linked program.
        size: bytes of flash.

    Returns:
        Shape (size / 2 + 1,).
    """
    prices = np.zeros(size // 2 + 1, np.int64)
    marks = sorted(program.code_marks)
    places = [address for address, _ in marks]
    for section in program.sections:
        if section.address is None or not section.data or section.address >= size:
            continue
        offset, end = 0, len(section.data) // 2 * 2
        while offset < end:
            address = section.address + offset
            mark = bisect_right(places, address) - 1
            if mark < 0 or not marks[mark][1]:
                offset += 2
                continue
            (first,) = struct.unpack_from("<H", section.data, offset)
            is_long = first >> 11 >= 0b11101 and offset + 4 <= end
            second = struct.unpack_from("<H", section.data, offset + 2)[0] if is_long else 0
            prices[address // 2 + 1] = cycles_of(first, second)
            offset += 4 if is_long else 2
    return np.cumsum(prices)
