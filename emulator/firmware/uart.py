"""The chip's UART as the firmware sees it, answered by compiled functions: it is asked for every byte."""

from __future__ import annotations

import functools
import importlib
from typing import Any, Final

import numpy as np
from numba import carray, cfunc, types  # type: ignore[attr-defined]
from numpy.typing import NDArray

__all__ = ["INT_RECEIVE", "INT_TRANSMIT", "Uart"]

INT_RECEIVE: Final = 1 << 4
INT_TRANSMIT: Final = 1 << 5
DR_OVERRUN: Final = 1 << 11
RECEIVE_EMPTY: Final = 1 << 4
TRANSMIT_FULL: Final = 1 << 5
DR, FR, MIS = 0x00, 0x18, 0x40
"""Offsets of its registers: data, flags, masked interrupts."""

WAITING, TAKEN, SENT, CAUSES, FULL, BYTES = 0, 1, 2, 3, 4, 5
"""Places in its memory: bytes that have come, those of them that were read, bytes sent, interrupts, with how many bytes
sent it is full, then the bytes."""
ROOM: Final = 1024
"""Bytes that can wait to be read, and as many that can wait to be looked at."""
SIZE: Final = BYTES + 2 * ROOM


class Uart:
    """What goes in and out of the chip.

    Args:
        fifo: bytes that it takes before it is full. A real one takes 16; taking a whole answer saves interrupts.

    Attributes:
        memory: see `WAITING` and its neighbours; empty while the chip sleeps.
    """

    def __init__(self, fifo: int = ROOM) -> None:
        self.fifo = fifo
        self.memory: NDArray[np.int64] = np.zeros(SIZE, np.int64)
        self.memory[FULL] = fifo

    def connect(self, engine: Any, address: int, size: int) -> None:
        """Stand at an address of the Unicorn engine, by its C interface: that of Python calls Python for every byte."""
        library: Any = importlib.import_module("unicorn.unicorn_py3.unicorn").uclib
        read, write = _callbacks()
        memory = self.memory.ctypes.data
        status = library.uc_mmio_map(engine._uch, address, size, read, memory, write, memory)
        if status:
            raise RuntimeError(f"the engine takes no UART: error {status}")

    def come(self, data: bytes, *, overrun: bool) -> None:
        """Bytes have come, and wait to be read; `overrun`: one was lost behind them."""
        memory = self.memory
        memory[BYTES : BYTES + len(data)] = np.frombuffer(data, np.uint8)
        if overrun and data:
            memory[BYTES + len(data) - 1] |= DR_OVERRUN
        memory[WAITING], memory[TAKEN], memory[CAUSES] = len(data), 0, INT_RECEIVE

    @property
    def is_full(self) -> bool:
        """Whether it takes no more bytes."""
        return bool(self.memory[SENT] >= self.memory[FULL])

    def ask_for_more(self) -> None:
        """What it has is on the line: there is room again."""
        self.memory[CAUSES] = INT_TRANSMIT
        self.memory[FULL] = self.memory[SENT] + self.fifo

    def take(self) -> bytes:
        """What was sent."""
        count = int(self.memory[SENT])
        self.memory[SENT], self.memory[FULL] = 0, self.fifo
        return self.memory[BYTES + ROOM : BYTES + ROOM + count].astype(np.uint8).tobytes()

    def clear(self) -> None:
        """As after a reset."""
        self.memory[:] = 0
        self.memory[FULL] = self.fifo


@functools.cache
def _callbacks() -> tuple[int, int]:
    """Where the compiled functions stand."""
    words = types.CPointer(types.int64)
    read: Any = cfunc(types.uint64(types.voidptr, types.uint64, types.uint32, words), cache=True)(_read)
    write: Any = cfunc(types.void(types.voidptr, types.uint64, types.uint32, types.uint64, words), cache=True)(_write)
    _KEPT.extend((read, write))
    return read.address, write.address


_KEPT: Final[list[Any]] = []  # compiled functions live as long as somebody holds them


def _read(_engine: Any, offset: int, _size: int, data: Any) -> int:
    memory = carray(data, SIZE)
    waits = memory[TAKEN] < memory[WAITING]
    if offset == FR:
        full = TRANSMIT_FULL if memory[SENT] >= memory[FULL] else 0
        return full if waits else full | RECEIVE_EMPTY
    if offset == MIS:
        return int(memory[CAUSES])
    if offset == DR and waits:
        memory[TAKEN] += 1
        return int(memory[BYTES + memory[TAKEN] - 1])
    return 0


def _write(_engine: Any, offset: int, _size: int, value: int, data: Any) -> None:
    memory = carray(data, SIZE)
    if offset == DR and memory[SENT] < ROOM:
        memory[BYTES + ROOM + memory[SENT]] = value & 0xFF
        memory[SENT] += 1
