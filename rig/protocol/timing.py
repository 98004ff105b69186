"""How long things take on the line, in integer nanoseconds.

Durations are rounded up and always computed from the bit count, never by adding rounded characters:
a frame of 256 bytes must not be off by 256 rounding errors.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

from rig.protocol.errors import LocalProtocolError

__all__ = ["FASTEST_BAUD", "SLOWEST_BAUD", "LineTiming", "Parity", "half_characters_ns", "pauses_ns"]

Parity = Literal["N", "E", "O"]

SLOWEST_BAUD: Final = 300
FASTEST_BAUD: Final = 4_000_000
"""What serial adapters can be set to, bit/s."""

_SECOND_NS = 1_000_000_000
_FIXED_ABOVE_BAUD = 19_200


@lru_cache(maxsize=4096)
def half_characters_ns(count: int, half_bits: int, baudrate: int) -> int:
    """Duration of so many halves of characters, ns, rounded up.

    Args:
        count: how many halves.
        half_bits: twice the bits of one character, start and stop bits included: a port can have 1.5 stop bits.
        baudrate: bit/s.
    """
    return -(-count * half_bits * _SECOND_NS // (4 * baudrate))


def pauses_ns(half_bits: int, baudrate: int) -> tuple[int, int]:
    """Longest pause inside a frame and shortest between two (t1.5, t3.5), ns; arguments as in `half_characters_ns`."""
    if baudrate > _FIXED_ABOVE_BAUD:
        return 750_000, 1_750_000
    return half_characters_ns(3, half_bits, baudrate), half_characters_ns(7, half_bits, baudrate)


@dataclass(frozen=True, slots=True)
class LineTiming:
    """Times of one serial line (Serial Line V1.02, section 2.5.1).

    Attributes:
        baudrate: bits per second.
        data_bits: 8; RTU has no other.
        parity: `"N"`, `"E"` or `"O"`. The specification's default is even.
        stop_bits: 1 or 2.
        bits: bits of one character, start bit included.
        char_ns: duration of one character.
        t1_5_ns: longest pause inside a frame: 1.5 characters, 750 µs above 19200 baud.
        t3_5_ns: shortest pause between frames: 3.5 characters, 1750 µs above 19200 baud.

    Raises:
        LocalProtocolError: a line that RTU cannot run on.
    """

    baudrate: int
    data_bits: int = 8
    parity: Parity = "N"
    stop_bits: int = 1
    bits: int = field(init=False, repr=False)
    char_ns: int = field(init=False, repr=False)
    t1_5_ns: int = field(init=False, repr=False)
    t3_5_ns: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.baudrate <= 0:
            raise LocalProtocolError(f"baudrate is {self.baudrate}, expected more than 0")
        if self.data_bits != 8:
            raise LocalProtocolError(f"data_bits is {self.data_bits}, expected 8 for RTU")
        if self.parity not in ("N", "E", "O"):
            raise LocalProtocolError(f"parity is {self.parity!r}, expected 'N', 'E' or 'O'")
        if self.stop_bits not in (1, 2):
            raise LocalProtocolError(f"stop_bits is {self.stop_bits}, expected 1 or 2")
        set_field = object.__setattr__  # the dataclass is frozen; these follow from the fields above
        set_field(self, "bits", 1 + self.data_bits + (self.parity != "N") + self.stop_bits)
        set_field(self, "char_ns", self.frame_ns(1))
        pause_ns, silence_ns = pauses_ns(2 * self.bits, self.baudrate)
        set_field(self, "t1_5_ns", pause_ns)
        set_field(self, "t3_5_ns", silence_ns)

    def frame_ns(self, length: int) -> int:
        """Duration of `length` bytes sent without pause, in ns."""
        return half_characters_ns(2 * length, 2 * self.bits, self.baudrate)
