"""What a program says on UART 1: text for people, taken in by compiled functions, as it is asked for every byte."""

from __future__ import annotations

import functools
import importlib
from typing import Any, Final

import numpy as np
from numba import carray, cfunc, types  # type: ignore[attr-defined]
from numpy.typing import NDArray

__all__ = ["Console"]

DR: Final = 0x00
ROOM: Final = 4096
"""Characters that can wait to be looked at; what comes after them is lost."""


class Console:
    """Takes every character at once: nobody waits for it."""

    def __init__(self) -> None:
        self._memory: NDArray[np.int64] = np.zeros(1 + ROOM, np.int64)

    def connect(self, engine: Any, address: int, size: int) -> None:
        """Stand at an address of the Unicorn engine."""
        library: Any = importlib.import_module("unicorn.unicorn_py3.unicorn").uclib
        read, write = _callbacks()
        memory = self._memory.ctypes.data
        status = library.uc_mmio_map(engine._uch, address, size, read, memory, write, memory)
        if status:
            raise RuntimeError(f"the engine takes no device: error {status}")

    def take(self) -> bytes:
        """What was said."""
        count = int(self._memory[0])
        self._memory[0] = 0
        return self._memory[1 : 1 + count].astype(np.uint8).tobytes()


@functools.cache
def _callbacks() -> tuple[int, int]:
    """Where the compiled functions stand."""
    words = types.CPointer(types.int64)
    read: Any = cfunc(types.uint64(types.voidptr, types.uint64, types.uint32, words), cache=True)(_read)
    write: Any = cfunc(types.void(types.voidptr, types.uint64, types.uint32, types.uint64, words), cache=True)(_write)
    _KEPT.extend((read, write))
    return read.address, write.address


_KEPT: Final[list[Any]] = []  # compiled functions live as long as somebody holds them


def _read(_engine: Any, _offset: int, _size: int, _data: Any) -> int:
    return 0


def _write(_engine: Any, offset: int, _size: int, value: int, data: Any) -> None:
    memory = carray(data, 1 + ROOM)
    if offset == DR and memory[0] < ROOM:
        memory[0] += 1
        memory[memory[0]] = value & 0xFF
