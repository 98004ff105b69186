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
DEVICE_PAGES: Final = (0x4000_0000, 0x4000_4000, 0x4003_0000, 0x400F_E000, 0xE000_E000)
"""Peripherals that are plain memory: watchdog, port A, timer 0, system control, core."""


@dataclass(slots=True, eq=False)
class ChipState:
    """All that makes the future of a chip that sleeps.

    Attributes:
        ram: its memory.
        devices: the pages of the peripherals, one after the other.
        tick_ns: when SysTick last began anew, since power-on.
        due_ns: when the timer runs out, since power-on; None if it does not run.
        stack: the stack pointer over a sleep; 0 for a chip that was not started.
        program: digest of what is in its flash.
    """

    ram: Bytes = field(default_factory=lambda: np.zeros(RAM[1], np.uint8))
    devices: Bytes = field(default_factory=lambda: np.zeros(PAGE * len(DEVICE_PAGES), np.uint8))
    tick_ns: int = 0
    due_ns: int | None = None
    stack: int = 0
    program: str = ""
