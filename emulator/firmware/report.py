"""How large the firmware is, and how deep its stack can get, against what the chip has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from emulator.firmware.build import BuildError, build
from emulator.firmware.chip_state import FLASH, RAM
from emulator.firmware.elf import Program
from emulator.firmware.stack import StackBound, stack_bound

__all__ = ["HANDLERS", "Size", "describe", "measure"]

HANDLERS: Final = ("systick_handler", "uart0_handler", "timer0_handler")
IO_BLOCK_SIZE: Final = 2048
"""Bytes of RAM that stand apart for the node's I/O; see firmware_stubs/boards/lm3s6965/io.h."""


@dataclass(frozen=True, slots=True)
class Size:
    """What the program takes.

    Attributes:
        sections: bytes by section, of those that are in memory.
        flash: bytes of flash.
        ram: bytes of RAM, stack and I/O block included.
        io_block: bytes of RAM that the linker script keeps apart for the I/O.
        stack_room: bytes that the linker script leaves for the stack.
        stack: how much of it can be used.
    """

    sections: dict[str, int]
    flash: int
    ram: int
    io_block: int
    stack_room: int
    stack: StackBound


def measure(board: str = "lm3s6965") -> Size:
    """Build a program for the LM3S6965 and measure it.

    Args:
        board: one of `emulator.firmware.build.BOARDS` that is for this chip.

    Raises:
        BuildError: it does not compile, or its stack can get deeper than the room that it has.
    """
    program = Program(build(board))
    placed = [section for section in program.sections if section.address is not None and section.size]
    stack = stack_bound(program, "main", HANDLERS)
    io_block = IO_BLOCK_SIZE if "io_send" in program.symbols else 0
    size = Size(
        {section.name: section.size for section in placed},
        sum(len(section.data) for section in placed),
        sum(section.size for section in placed if (section.address or 0) >= RAM[0]) + io_block,
        io_block,
        next(section.size for section in placed if section.name == ".stack"),
        stack,
    )
    if stack.size > size.stack_room:
        raise BuildError(f"the stack can need {stack.size} bytes, and has {size.stack_room}")
    return size


def describe(size: Size) -> Iterator[str]:
    """The size as people read it."""
    for name, count in size.sections.items():
        yield f"  {name:10} {count:7,} B"
    if size.io_block:
        yield f"  {'I/O block':10} {size.io_block:7,} B"
    yield f"  flash {size.flash:,} of {FLASH[1]:,} B ({size.flash / FLASH[1]:.0%}), RAM {size.ram:,} of {RAM[1]:,} B"
    yield f"  stack at most {size.stack.size:,} of {size.stack_room:,} B, by the calls in the linked program:"
    for what, path in (("loop", size.stack.main), ("interrupt", size.stack.handler)):
        yield f"    {what:9} " + " > ".join(f"{name} {frame}" for name, frame in path)
