"""What the engine asks of the chip around the processor, in compiled functions: time, SysTick, and the UART.

They are called for every block of code and every register that is touched, so they are no Python, and share one array
of whole numbers (`Machine.memory`). Time is cycles since power-on: each block of code adds what it takes (`cycles`), so
the program reads a clock that goes on while it runs. A program that runs too long is stopped.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
from collections.abc import Mapping
from typing import Any, Final

import llvmlite.binding
import numpy as np
from numba import carray, cfunc, types  # type: ignore[attr-defined]
from numpy.typing import NDArray

from emulator.firmware.cycles import REFILL_CYCLES

__all__ = ["HANGS", "RESETS", "Machine"]

NOW, END, LIMIT, STOPPED, WAITING, TAKEN, SENT, CAUSES, FULL, BEGAN = range(10)
"""Places in the memory: cycles since power-on, where the last block of code ended, when the program is stopped, why it
was; of the UART, bytes that have come, those of them that were read, bytes sent, interrupts, with how many bytes sent
it is full, and when the first of them began."""
DONE, TICK, PERIOD, DUE, LOAD, LEFT, INTEGER, FRACTION, FORMAT = range(10, 19)
"""What it remembers while the chip sleeps: when the processor was or will be done, when SysTick last began anew, its
period (0 if it does not run), when the timer runs out (`NEVER` if it does not run), what the timer begins with; of the
UART, when the last byte sent has left, its divisor, and the format of a character."""
KEPT: Final = slice(DONE, FORMAT + 1)
NEVER: Final = -1
BYTES: Final = 32
ROOM: Final = 1024
"""Bytes that can wait to be read, and as many that can wait to be looked at."""
COSTS: Final = BYTES + 2 * ROOM
"""Cycles of all code before each half-word of flash; see `cycles.total_cycles`."""

HANGS, RESETS = 1, 2
"""Why the program was stopped: it does not go to sleep, or it asked for a reset."""
INT_RECEIVE, INT_TRANSMIT = 1 << 4, 1 << 5
DR_OVERRUN: Final = 1 << 11
BUSY, RECEIVE_EMPTY, TRANSMIT_FULL = 1 << 3, 1 << 4, 1 << 5
DR, FR, IBRD, FBRD, LCRH, MIS = 0x00, 0x18, 0x24, 0x28, 0x2C, 0x40
TIMER_CTL, TIMER_TAILR = 0x0C, 0x28
SYST_CSR, SYST_RVR, SYST_CVR, ICSR, AIRCR = 0x010, 0x014, 0x018, 0xD04, 0xD0C
TICK_PENDING: Final = 1 << 26
RESET_REQUEST: Final = 0x05FA0004
"""Offsets and bits of registers; firmware_stubs/boards/lm3s6965/chip.h says more."""
CODE_END: Final = 0x2000_0000
MAY_ALL, MAY_READ_AND_WRITE = 7, 3
BLOCKS: Final = 8
"""The engine's number for a hook on blocks of code."""
PAGES: Final = 1 << 17
"""The same for one that says what a page is for."""


class Machine:
    """The chip around the processor.

    Args:
        costs: cycles of all code before each half-word of flash.
        fifo: bytes that the UART takes before it is full. A real one takes 16; taking a whole answer saves interrupts.

    Attributes:
        memory: see `NOW` and its neighbours.
    """

    def __init__(self, costs: NDArray[np.int64], fifo: int = ROOM) -> None:
        self.fifo = fifo
        self.memory: NDArray[np.int64] = np.zeros(COSTS + len(costs), np.int64)
        self.memory[COSTS:] = costs
        self.clear()

    def connect(self, engine: Any, places: Mapping[str, int], size: int) -> None:
        """Stand in the Unicorn engine, by its C interface: that of Python calls Python for everything.

        Args:
            engine: the engine.
            places: addresses of `uart`, `timer` and `core`.
            size: bytes that each of them takes.
        """
        library: Any = importlib.import_module("unicorn.unicorn_py3.unicorn").uclib
        calls, memory = _callbacks(), self.memory.ctypes.data
        for name, address in places.items():
            read, write = calls[f"read_{name}"], calls[f"write_{name}"]
            _check(library.uc_mmio_map(engine._uch, address, size, read, memory, write, memory))
        self._hook = ctypes.c_size_t()
        everywhere = ctypes.c_uint64(1), ctypes.c_uint64(0)
        for kind, call in ((BLOCKS, "block"), (PAGES, "page")):
            function, place = ctypes.c_void_p(calls[call]), ctypes.c_void_p(memory)
            _check(library.uc_hook_add(engine._uch, ctypes.byref(self._hook), kind, function, place, *everywhere))

    def come(self, data: bytes, *, overrun: bool) -> None:
        """Bytes have come, and wait to be read; `overrun`: one was lost behind them."""
        memory = self.memory
        memory[BYTES : BYTES + len(data)] = np.frombuffer(data, np.uint8)
        if overrun and data:
            memory[BYTES + len(data) - 1] |= DR_OVERRUN
        memory[WAITING], memory[TAKEN], memory[CAUSES] = len(data), 0, INT_RECEIVE

    @property
    def has_sent(self) -> bool:
        """Whether there is something to `take`."""
        return bool(self.memory[SENT])

    @property
    def is_full(self) -> bool:
        """Whether the UART takes no more bytes."""
        return bool(self.memory[SENT] >= self.memory[FULL])

    def ask_for_more(self) -> None:
        """What the UART has is on the line: there is room again."""
        self.memory[CAUSES] = INT_TRANSMIT
        self.memory[FULL] = self.memory[SENT] + self.fifo

    def take(self) -> bytes:
        """What was sent; `memory[BEGAN]` says when the first of them began."""
        count = int(self.memory[SENT])
        self.memory[SENT], self.memory[FULL] = 0, self.fifo
        return self.memory[BYTES + ROOM : BYTES + ROOM + count].astype(np.uint8).tobytes()

    def clear(self) -> None:
        """As after a reset."""
        self.memory[:COSTS] = 0
        self.memory[FULL], self.memory[DUE] = self.fifo, NEVER


def _check(status: int) -> None:
    if status:
        raise RuntimeError(f"the engine takes no device: error {status}")


@functools.cache
def _callbacks() -> dict[str, int]:
    """Where the compiled functions stand."""
    library: Any = importlib.import_module("unicorn.unicorn_py3.unicorn").uclib
    llvmlite.binding.add_symbol("uc_emu_stop", ctypes.cast(library.uc_emu_stop, ctypes.c_void_p).value)
    memory = types.CPointer(types.int64)
    read = types.uint64(types.voidptr, types.uint64, types.uint32, memory)
    write = types.void(types.voidptr, types.uint64, types.uint32, types.uint64, memory)
    entry = types.CPointer(types.uint64)
    made: dict[str, Any] = {
        "block": cfunc(types.void(types.voidptr, types.uint64, types.uint32, memory), cache=True)(_block),
        "page": cfunc(types.boolean(types.voidptr, types.uint64, types.intc, entry, memory), cache=True)(_page),
        "read_uart": cfunc(read, cache=True)(_read_uart),
        "write_uart": cfunc(write, cache=True)(_write_uart),
        "read_timer": cfunc(read, cache=True)(_read_timer),
        "write_timer": cfunc(write, cache=True)(_write_timer),
        "read_core": cfunc(read, cache=True)(_read_core),
        "write_core": cfunc(write, cache=True)(_write_core),
    }
    _FUNCTIONS.extend(made.values())
    return {name: function.address for name, function in made.items()}


_FUNCTIONS: Final[list[Any]] = []  # compiled functions live as long as somebody holds them
_stop: Final[Any] = types.ExternalFunction("uc_emu_stop", types.intc(types.voidptr))


def _block(engine: Any, address: int, size: int, data: Any) -> None:
    """A block of code begins."""
    memory = carray(data, COSTS + (1 << 17))
    end = address + size
    memory[NOW] += memory[COSTS + (end >> 1)] - memory[COSTS + (address >> 1)]
    if address != memory[END]:
        memory[NOW] += REFILL_CYCLES
    memory[END] = end
    if memory[NOW] > memory[LIMIT]:
        memory[STOPPED] = HANGS
        _stop(engine)


def _page(_engine: Any, address: int, _access: int, data: Any, _memory: Any) -> bool:
    """The engine meets a page: where it is and what may be done there.

    Code is only in flash. The engine looks up code behind every store to a page that may hold some, which takes as long
    as 20 instructions; that the chip's own map allows code in RAM is not made use of.
    """
    entry = carray(data, 2)
    entry[0], entry[1] = address, MAY_ALL if address < CODE_END else MAY_READ_AND_WRITE
    return True


def _read_uart(_engine: Any, offset: int, _size: int, data: Any) -> int:
    memory = carray(data, COSTS)
    waits = memory[TAKEN] < memory[WAITING]
    if offset == FR:
        flags = TRANSMIT_FULL if memory[SENT] >= memory[FULL] else 0
        if memory[NOW] < memory[LEFT]:
            flags |= BUSY
        return flags if waits else flags | RECEIVE_EMPTY
    if offset == MIS:
        return int(memory[CAUSES])
    if offset == DR and waits:
        memory[TAKEN] += 1
        return int(memory[BYTES + memory[TAKEN] - 1])
    return 0


def _write_uart(_engine: Any, offset: int, _size: int, value: int, data: Any) -> None:
    memory = carray(data, COSTS)
    if offset == DR and memory[SENT] < ROOM:
        begins = max(memory[NOW], memory[LEFT])
        if memory[SENT] == 0:
            memory[BEGAN] = begins
        form = memory[FORMAT]
        half_bits = 2 * (7 + (form >> 5 & 3)) + 2 * (form >> 1 & 1) + 2 * (form >> 3 & 1)
        # of a bit: 16 times the divisor, which has 6 binary places
        memory[LEFT] = begins + (half_bits * (memory[INTEGER] * 64 + memory[FRACTION])) // 8
        memory[BYTES + ROOM + memory[SENT]] = value & 0xFF
        memory[SENT] += 1
    elif offset == IBRD:
        memory[INTEGER] = value
    elif offset == FBRD:
        memory[FRACTION] = value
    elif offset == LCRH:
        memory[FORMAT] = value


def _read_timer(_engine: Any, offset: int, _size: int, data: Any) -> int:
    memory = carray(data, COSTS)
    if offset == TIMER_CTL:
        return int(memory[DUE] != NEVER)
    return int(memory[LOAD]) if offset == TIMER_TAILR else 0


def _write_timer(_engine: Any, offset: int, _size: int, value: int, data: Any) -> None:
    memory = carray(data, COSTS)
    if offset == TIMER_TAILR:
        memory[LOAD] = value
    elif offset == TIMER_CTL:
        memory[DUE] = memory[NOW] + memory[LOAD] if value & 1 else NEVER


def _read_core(_engine: Any, offset: int, _size: int, data: Any) -> int:
    memory = carray(data, COSTS)
    period, passed = memory[PERIOD], memory[NOW] - memory[TICK]
    if offset == ICSR:
        return TICK_PENDING if 0 < period <= passed else 0
    if offset == SYST_CVR and period:
        left = period - 1 - (passed - period if passed >= period else passed)
        return int(left & 0xFFFFFFFF)
    return 0


def _write_core(engine: Any, offset: int, _size: int, value: int, data: Any) -> None:
    memory = carray(data, COSTS)
    if offset == SYST_RVR:
        memory[PERIOD] = value + 1
    elif offset == AIRCR and value == RESET_REQUEST:
        memory[STOPPED] = RESETS
        _stop(engine)
