"""The firmware's I/O: a node that is a chip, told of bytes, counts and contacts, and asked for outputs and answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emulator.firmware.chip import IO_PLACE, Chip
from emulator.firmware.chip_state import RAM, ChipState
from emulator.firmware.elf import Program
from emulator.firmware.node_map import SENT_COMMANDS

__all__ = ["ChipNode"]

VIRTUAL: Final = 0x56495254
IDENTITY, CONTACTS, COUNTS = IO_PLACE // 4, IO_PLACE // 4 + 1, IO_PLACE // 4 + 2
"""Places in RAM, in words."""
COMMANDS: Final = IO_PLACE // 8 + 128
"""Place in RAM, in doubles."""
CONTACT_EMERGENCY_STOP_PRESSED: Final = 1
CONTACT_GUARD_OPEN: Final = 2


class ChipNode:
    """The node as its firmware on a microcontroller.

    Args:
        program: the linked firmware.
        image_size: bytes of its registers and bits, which stand first in its memory.
        character_ns: duration of a character on the line.
        state: of the chip; None for one without power.
    """

    def __init__(self, program: Program, image_size: int, character_ns: int, state: ChipState | None = None) -> None:
        self.chip = Chip(program, state)
        self._character_ns = character_ns
        ram = self.chip.state.ram
        first = program.symbols["node"].address - RAM[0]
        self._image = ram[first : first + image_size]
        self._words = ram.view(np.uint32)
        self._commands = ram.view(np.float64)[COMMANDS : COMMANDS + SENT_COMMANDS]

    def sense(self, counts: NDArray[np.uint32], *, emergency_stop: bool = False, guard: bool = False) -> None:
        """What the I/O modules have for the next scan."""
        self._words[COUNTS : COUNTS + len(counts)] = counts
        self._words[CONTACTS] = CONTACT_EMERGENCY_STOP_PRESSED * emergency_stop | CONTACT_GUARD_OPEN * guard

    def power_on(self, identity: str = "virtual", before_scan: Callable[[], None] | None = None) -> None:
        """Switch on; the first scan is part of it. The node's time begins at 0.

        Args:
            identity: what `press_identity` shows: `virtual` or `real`.
            before_scan: is called when the program's memory is ready, and nothing was done yet.
        """
        self._words[IDENTITY] = VIRTUAL if identity == "virtual" else 0
        self.chip.power_on(before_scan)

    def hear(self, data: bytes, start_ns: int) -> None:
        """Bytes come without pause, the first begins at `start_ns`, since power-on."""
        self.chip.receive(data, start_ns + len(data) * self._character_ns, self._character_ns)

    def attend(self, now_ns: int) -> bytes:
        """Let time pass until `now_ns`, since power-on.

        Returns:
            What the node has sent.
        """
        self.chip.run_until(now_ns)
        return self.chip.machine.take()

    def scan(self, now_ns: int) -> None:
        """Let time pass until `now_ns`, when a scan is due."""
        self.chip.run_until(now_ns)

    @property
    def commands(self) -> NDArray[np.float64]:
        """What the actuators are told, SI, shape (SENT_COMMANDS,)."""
        return self._commands

    @property
    def registers(self) -> NDArray[np.uint8]:
        """All registers and bits, laid out as in `emulator.image.Layout`: the program's own memory."""
        return self._image

    @property
    def image(self) -> bytes:
        """The same as they are now."""
        return self._image.tobytes()
