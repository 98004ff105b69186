"""All that makes the future of the firmware's chip, as a part of the state of a world."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["DEVICE_PAGES", "FLASH", "PAGE", "RAM", "ChipState"]

Bytes = NDArray[np.uint8]

FLASH: Final = (0x0000_0000, 256 * 1024)
"""First byte and number of bytes of the LM3S6965's flash."""
RAM: Final = (0x2000_0000, 64 * 1024)
"""The same of its RAM."""
PAGE: Final = 0x1000
DEVICE_PAGES: Final = (0x4000_0000, 0x4000_4000, 0x400F_E000)
"""Peripherals that are plain memory: watchdog, port A, system control."""


@dataclass(slots=True, eq=False)
class ChipState:
    """All that makes the future of a chip that sleeps.

    Attributes:
        ram: its memory.
        devices: the pages of the peripherals, one after the other.
        registers: the same of clock, timer and UART; see `emulator.firmware.machine.KEPT`.
        stack: the stack pointer over a sleep; 0 for a chip that was not started.
        program: digest of what is in its flash.
    """

    ram: Bytes = field(default_factory=lambda: np.zeros(RAM[1], np.uint8))
    devices: Bytes = field(default_factory=lambda: np.zeros(PAGE * len(DEVICE_PAGES), np.uint8))
    registers: NDArray[np.int64] = field(default_factory=lambda: np.zeros(9, np.int64))
    stack: int = 0
    program: str = ""
