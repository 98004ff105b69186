"""The firmware's host build from Python: the C node in this process, for comparison with the Python node."""

from __future__ import annotations

import ctypes
import shutil
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emulator.firmware.build import build
from emulator.firmware.node_map import SENT_COMMANDS, make_node
from rig.protocol import LineTiming

__all__ = ["HostNode"]

NEVER_NS: Final = (1 << 63) - 1
MAX_FRAME: Final = 256
CONTACT_EMERGENCY_STOP_PRESSED: Final = 1
CONTACT_GUARD_OPEN: Final = 2


class HostNode:
    """The firmware on this machine. Every instance has a program, and so a memory, of its own.

    Args:
        identity: what `press_identity` shows: `virtual` or `real`.
        timing: the line.
    """

    def __init__(self, identity: str = "virtual", timing: LineTiming | None = None) -> None:
        self._is_virtual = identity == "virtual"
        self._timing = timing or LineTiming(115_200)
        self._library = _load(build("host"))
        self._answer = ctypes.create_string_buffer(MAX_FRAME)
        self.power_on()

    def power_on(self) -> None:
        """Switch on; the node's time begins at 0."""
        self._library.host_power_on(self._is_virtual, self._timing.char_ns, self._timing.t3_5_ns)

    def hear(self, data: bytes, start_ns: int) -> None:
        """Bytes come without pause, the first begins at `start_ns`."""
        self._library.host_hear(data, len(data), start_ns)

    def hear_damaged(self, now_ns: int, *, overrun: bool = False) -> None:
        """A byte that ended at `now_ns` was damaged, or lost in the UART."""
        self._library.host_hear_damaged(overrun, now_ns)

    @property
    def due_ns(self) -> int | None:
        """When `attend` has something to do, ns; None without."""
        due_ns: int = self._library.host_due_ns()
        return None if due_ns == NEVER_NS else due_ns

    def attend(self, now_ns: int) -> bytes:
        """Let time pass until `now_ns`.

        Returns:
            What the node sends from now on.
        """
        size = self._library.host_attend(now_ns, self._answer)
        return self._answer.raw[:size]

    def scan(
        self, now_ns: int, counts: NDArray[np.uint32], *, emergency_stop: bool = False, guard: bool = False
    ) -> None:
        """One scan.

        Args:
            now_ns: time since power-on.
            counts: of every channel of the ADC (`emulator.firmware.adc.counts_of`).
            emergency_stop: the button is pressed.
            guard: a guard is open.
        """
        contacts = CONTACT_EMERGENCY_STOP_PRESSED * emergency_stop | CONTACT_GUARD_OPEN * guard
        self._library.host_scan(now_ns, counts.ctypes.data, contacts)

    @property
    def commands(self) -> NDArray[np.float64]:
        """What the actuators are told, SI, shape (SENT_COMMANDS,)."""
        address = self._library.host_commands()
        return np.frombuffer(ctypes.string_at(address, 8 * SENT_COMMANDS), np.float64)

    @property
    def image(self) -> bytes:
        """All registers and bits, laid out as in `emulator.image.Layout`."""
        return ctypes.string_at(self._library.host_image(), IMAGE_SIZE)


IMAGE_SIZE: Final = make_node().bank.layout.size


def _load(path: Path) -> ctypes.CDLL:
    """Load a library a second time: under another name it has memory of its own."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copy(path, folder)
        library = ctypes.CDLL(copy)
    library.host_power_on.argtypes = ctypes.c_bool, ctypes.c_int64, ctypes.c_int64
    library.host_power_on.restype = None
    library.host_hear.argtypes = ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int64
    library.host_hear.restype = None
    library.host_hear_damaged.argtypes = ctypes.c_bool, ctypes.c_int64
    library.host_hear_damaged.restype = None
    library.host_due_ns.restype = ctypes.c_int64
    library.host_attend.argtypes = ctypes.c_int64, ctypes.c_char_p
    library.host_attend.restype = ctypes.c_size_t
    library.host_scan.argtypes = ctypes.c_int64, ctypes.c_void_p, ctypes.c_uint32
    library.host_scan.restype = None
    library.host_commands.restype = ctypes.c_void_p
    library.host_image.restype = ctypes.c_void_p
    return library
