"""How deep the stack of the firmware can get, read from the linked program.

Every function's frame is what its code pushes and takes off the stack pointer, and its calls are the branches in its
code, those of the compiler's runtime included. A call through a pointer may go to any function whose address stands in
a table or in code. The deepest path from `main` and the deepest handler of an interrupt, which do not interrupt one
another, make the bound; recursion or a stack that is moved by a register would be an error.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from emulator.firmware.elf import Program, Symbol

__all__ = ["StackBound", "StackError", "stack_bound"]

EXCEPTION_FRAME: Final = 8 * 4 + 4
"""What the core pushes for an interrupt: eight registers, and a word to keep the stack aligned."""
POINTER_TABLES: Final = (".rodata", ".vectors")


class StackError(ValueError):
    """The program does something with its stack that has no bound."""


@dataclass(frozen=True, slots=True)
class StackBound:
    """How deep the stack can get.

    Attributes:
        size: bytes in all.
        main: functions of the deepest path of the loop, with the bytes of each.
        handler: the same of the deepest interrupt.
    """

    size: int
    main: tuple[tuple[str, int], ...]
    handler: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class _Function:
    name: str
    frame: int
    calls: set[int]
    calls_pointers: bool


def stack_bound(program: Program, root: str, handlers: tuple[str, ...]) -> StackBound:
    """The bound of a program.

    Args:
        program: the linked program.
        root: the function that everything begins with.
        handlers: interrupts, of which one at a time runs.

    Raises:
        StackError: there is none.
    """
    pointed = _pointed(program)
    functions = {symbol.address: _read(program, symbol) for symbol in program.functions}
    # what is only ever entered by the core is called by nobody, though its address stands in the vectors
    pointed -= {program.symbols[name].address for name in (root, *handlers)} | {program.entry}
    main = _deepest(program.symbols[root].address, functions, pointed)
    handler = max((_deepest(program.symbols[name].address, functions, pointed) for name in handlers), key=_size)
    return StackBound(_size(main) + EXCEPTION_FRAME + _size(handler), main, handler)


def _size(path: tuple[tuple[str, int], ...]) -> int:
    return sum(frame for _, frame in path)


def _deepest(start: int, functions: Mapping[int, _Function], pointed: set[int]) -> tuple[tuple[str, int], ...]:
    known: dict[int, tuple[tuple[str, int], ...]] = {}
    active: list[int] = []

    def visit(address: int) -> tuple[tuple[str, int], ...]:
        if address in known:
            return known[address]
        if address in active:
            raise StackError(f"{functions[address].name} calls itself")
        function = functions.get(address)
        if function is None:
            raise StackError(f"there is a call to 0x{address:08x}, where no function begins")
        active.append(address)
        called = function.calls | (pointed if function.calls_pointers else set())
        below = max((visit(other) for other in sorted(called)), key=_size, default=())
        active.pop()
        known[address] = ((function.name, function.frame), *below)
        return known[address]

    return visit(start)


def _pointed(program: Program) -> set[int]:
    """Functions whose address stands somewhere."""
    starts = {symbol.address for symbol in program.functions}
    found: set[int] = set()
    for section in program.sections:
        if section.name in POINTER_TABLES:
            for (word,) in struct.iter_unpack("<I", section.data[: len(section.data) // 4 * 4]):
                if word & 1 and word - 1 in starts:
                    found.add(word - 1)
    return found


def _instructions(code: bytes) -> Iterator[tuple[int, int, int]]:
    """Offset, first and second half-word (0 for short ones) of every Thumb instruction."""
    offset = 0
    while offset + 2 <= len(code):
        first = int.from_bytes(code[offset : offset + 2], "little")
        if first >> 11 in (0b11101, 0b11110, 0b11111) and offset + 4 <= len(code):
            yield offset, first, int.from_bytes(code[offset + 2 : offset + 4], "little")
            offset += 4
        else:
            yield offset, first, 0
            offset += 2


def _read(program: Program, symbol: Symbol) -> _Function:
    """Frame and calls of a function. Constants between its instructions are read as if they were some, which can only
    make the frame larger; code that has a table of branches in it was checked not to be there by `-fno-jump-tables`.
    """
    function = _Function(symbol.name, 0, set(), False)
    end = symbol.address + symbol.size
    for offset, first, second in _instructions(program.content(symbol.address, symbol.size)):
        function.frame += _pushed(first, second, symbol.name)
        if first & 0xFF87 == 0x4780 or (first & 0xFF87 == 0x4700 and first >> 3 & 0xF != 14):  # blx register
            function.calls_pointers = True
        elif first >> 11 == 0b11110 and second & 0x9000 == 0x9000:  # bl, b.w
            target = symbol.address + offset + 4 + _distance(first, second)
            if second & 0x4000 or not symbol.address <= target < end:
                function.calls.add(target)
        elif first >> 11 == 0b11100:  # b
            target = symbol.address + offset + 4 + 2 * ((first & 0x7FF ^ 0x400) - 0x400)
            if not symbol.address <= target < end:
                function.calls.add(target)
    return function


def _distance(first: int, second: int) -> int:
    """How far bl or b.w goes."""
    sign, j1, j2 = first >> 10 & 1, second >> 13 & 1, second >> 11 & 1
    high = sign << 24 | (1 ^ j1 ^ sign) << 23 | (1 ^ j2 ^ sign) << 22
    distance = high | (first & 0x3FF) << 12 | (second & 0x7FF) << 1
    return distance - (1 << 25) if sign else distance


def _pushed(first: int, second: int, name: str) -> int:
    """Bytes that an instruction takes off the stack pointer."""
    if first & 0xFE00 == 0xB400:  # push
        return 4 * (first & 0x1FF).bit_count()
    if first & 0xFF80 == 0xB080:  # sub sp, #
        return 4 * (first & 0x7F)
    if first == 0xE92D:  # push.w
        return 4 * second.bit_count()
    if first == 0xF84D and second & 0x0FFF == 0x0D04:  # str register, [sp, #-4]!
        return 4
    if first & 0xFFF0 == 0xE960 and first & 0xF == 13:  # strd registers, [sp, #-n]!
        return 4 * (second & 0xFF)
    if first & 0xFBEF == 0xF1AD and second & 0x0F00 == 0x0D00:  # sub.w sp, sp, #modified
        return _modified(first >> 10 & 1, second)
    if first & 0xFBFF == 0xF2AD and second & 0x0F00 == 0x0D00:  # subw sp, sp, #
        return (first >> 10 & 1) << 11 | (second >> 12 & 7) << 8 | second & 0xFF
    if first & 0xFF87 == 0x4485 or (first & 0xFFEF == 0xEBAD and second & 0x0F00 == 0x0D00):  # add or sub sp, register
        raise StackError(f"{name} moves the stack pointer by a register")
    return 0


def _modified(i: int, second: int) -> int:
    """The number that a modified immediate stands for."""
    code = i << 11 | (second >> 12 & 7) << 8 | second & 0xFF
    if code >> 10 == 0:
        byte = code & 0xFF
        return (byte, byte << 16 | byte, byte << 24 | byte << 8, byte * 0x01010101)[code >> 8 & 3]
    value, turn = 0x80 | code & 0x7F, code >> 7
    return (value >> turn | value << (32 - turn)) & 0xFFFFFFFF
