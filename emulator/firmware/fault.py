"""What a firmware did that no program may, said with function and line.

Nothing is watched while all goes well: when the engine has stopped at an instruction, that one is executed again with
somebody who looks at what it reads and writes.
"""

from __future__ import annotations

import importlib
from contextlib import suppress
from typing import Any, Final

from emulator.firmware.chip_state import FLASH, RAM
from emulator.firmware.elf import Program

__all__ = ["FirmwareFault", "failed", "gave_up", "hangs"]

STACK_REACH: Final = 1024
"""Bytes below the stack's room in which its end is still what was meant."""


class FirmwareFault(RuntimeError):
    """The firmware did what no program may; says which, where, and what."""


def hangs(program: Program, address: int, patience_ms: int) -> FirmwareFault:
    """It did not go to sleep for so long, and was stopped at an address."""
    return FirmwareFault(
        f"{_named(program)} hangs in {program.where(address)}: it does not go to sleep for {patience_ms} ms; "
        "on the board its watchdog would start it anew"
    )


def gave_up(program: Program, address: int) -> FirmwareFault:
    """It has asked for a reset, as its fault handler does."""
    return FirmwareFault(f"{_named(program)} has given up and asked for a reset in {program.where(address)}")


def failed(program: Program, engine: Any, status: int, address: int) -> FirmwareFault:
    """The engine has stopped at an instruction.

    Args:
        program: what is in the flash.
        engine: the Unicorn engine, stopped; it is not to go on.
        status: its error; 0 if the program went where nothing is to be done.
        address: of the instruction.
    """
    arm: Any = importlib.import_module("unicorn.arm_const")
    if program.function_at(address) is None:
        caller = program.where((engine.reg_read(arm.UC_ARM_REG_LR) & ~1) - 2)
        what = f"failed behind a call in {caller}: it went to 0x{address:08x}, where no code is"
    else:
        what = f"failed in {program.where(address)}: {_why(engine, status, address)}"
    return FirmwareFault(f"{_named(program)} {what}; on the board it would be a hard fault")


def _named(program: Program) -> str:
    return f"the firmware ({program.path.name})"


def _why(engine: Any, status: int, address: int) -> str:
    unicorn: Any = importlib.import_module("unicorn")
    if status == unicorn.UC_ERR_INSN_INVALID:
        return "what stands there is no instruction"
    access = _access(engine, unicorn, address)
    if access is None:
        return str(unicorn.UcError(status)) if status else "it stopped there"
    place, writes = access
    if RAM[0] - STACK_REACH <= place < RAM[0]:
        return f"its stack runs over, to 0x{place:08x}"
    if FLASH[0] <= place < FLASH[0] + FLASH[1]:
        return f"it writes to 0x{place:08x}, which is flash"
    return f"it {'writes to' if writes else 'reads from'} 0x{place:08x}, where the chip has nothing"


def _access(engine: Any, unicorn: Any, address: int) -> tuple[int, bool] | None:
    """Where the instruction at an address reads or writes what it may not, and whether it writes; None if nowhere."""
    seen: list[tuple[int, bool]] = []

    def look(_engine: Any, kind: int, place: int, _size: int, _value: int, _data: Any) -> bool:
        seen.append((place, kind in (unicorn.UC_MEM_WRITE_UNMAPPED, unicorn.UC_MEM_WRITE_PROT)))
        return False

    engine.hook_add(unicorn.UC_HOOK_MEM_UNMAPPED | unicorn.UC_HOOK_MEM_PROT, look)
    with suppress(unicorn.UcError):
        engine.emu_start(address | 1, 0, count=1)
    return seen[0] if seen else None
