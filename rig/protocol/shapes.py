"""The PDU shapes that several functions share, requests and answers alike.

Each shape knows its fields and its limits: `problem()` says which limit of the specification is
broken, `pack()` and `unpack()` go to the wire and back without asking. Section numbers are those of
the Application Protocol V1.1b3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from rig.protocol.errors import RemoteProtocolError

__all__ = ["Bare", "CoilAt", "MasksAt", "RegisterAt", "Span", "outside"]

_TWO_WORDS: Final = struct.Struct(">BHH")
_THREE_WORDS: Final = struct.Struct(">BHHH")

_COIL_ON: Final = 0xFF00
_COIL_OFF: Final = 0x0000


def outside(name: str, given: int, limit: int, section: str) -> str | None:
    """Say that `given` is not from 1 to `limit`, or None if it is."""
    if 1 <= given <= limit:
        return None
    return f"{name} is {given}, expected 1 to {limit} (V1.1b3, section {section})"


@dataclass(frozen=True, slots=True)
class Bare:
    """A function code and nothing else."""

    function: ClassVar[int]
    section: ClassVar[str]

    def problem(self) -> str | None:
        """There is nothing in it that could be wrong."""
        return None

    def pack(self) -> bytes:
        """Make the PDU."""
        return bytes((self.function,))

    @classmethod
    def unpack(cls, pdu: bytes) -> Self:
        """Read the PDU back.

        Raises:
            RemoteProtocolError: there is something behind the function code.
        """
        if len(pdu) != 1:
            raise RemoteProtocolError(f"PDU has {len(pdu)} bytes, expected 1 (section {cls.section})")
        return cls()


@dataclass(frozen=True, slots=True)
class Span:
    """`count` neighbours from `address` on."""

    function: ClassVar[int]
    max_count: ClassVar[int]
    section: ClassVar[str]

    address: int
    count: int

    def problem(self) -> str | None:
        """Say which limit of the specification this breaks, if any."""
        if 1 <= self.count <= self.max_count:
            return None  # asked of every message; nearly always so
        return outside("count", self.count, self.max_count, self.section)

    def pack(self) -> bytes:
        """Make the PDU without looking at the limits."""
        return _TWO_WORDS.pack(self.function, self.address, self.count)

    @classmethod
    def unpack(cls, pdu: bytes) -> Self:
        """Read the PDU back without looking at the limits."""
        _, address, count = _TWO_WORDS.unpack(pdu)
        return cls(address, count)


@dataclass(frozen=True, slots=True)
class CoilAt:
    """One coil and its state."""

    function: ClassVar[int]

    address: int
    value: bool

    def problem(self) -> str | None:
        """Nothing can be wrong with it beyond what does not fit on the wire."""
        return None

    def pack(self) -> bytes:
        """Make the PDU."""
        return _TWO_WORDS.pack(self.function, self.address, _COIL_ON if self.value else _COIL_OFF)

    @classmethod
    def unpack(cls, pdu: bytes) -> Self:
        """Read the PDU back.

        Raises:
            RemoteProtocolError: the value is neither on nor off.
        """
        _, address, value = _TWO_WORDS.unpack(pdu)
        if value not in (_COIL_ON, _COIL_OFF):
            raise RemoteProtocolError(f"coil value is 0x{value:04X}, expected 0xFF00 or 0x0000 (section 6.5)")
        return cls(address, value == _COIL_ON)


@dataclass(frozen=True, slots=True)
class RegisterAt:
    """One register and its value."""

    function: ClassVar[int]

    address: int
    value: int

    def problem(self) -> str | None:
        """Nothing can be wrong with it beyond what does not fit on the wire."""
        return None

    def pack(self) -> bytes:
        """Make the PDU."""
        return _TWO_WORDS.pack(self.function, self.address, self.value)

    @classmethod
    def unpack(cls, pdu: bytes) -> Self:
        """Read the PDU back."""
        _, address, value = _TWO_WORDS.unpack(pdu)
        return cls(address, value)


@dataclass(frozen=True, slots=True)
class MasksAt:
    """One register and two masks for it."""

    function: ClassVar[int]

    address: int
    and_mask: int
    or_mask: int

    def problem(self) -> str | None:
        """Nothing can be wrong with it beyond what does not fit on the wire."""
        return None

    def pack(self) -> bytes:
        """Make the PDU."""
        return _THREE_WORDS.pack(self.function, self.address, self.and_mask, self.or_mask)

    @classmethod
    def unpack(cls, pdu: bytes) -> Self:
        """Read the PDU back."""
        _, address, and_mask, or_mask = _THREE_WORDS.unpack(pdu)
        return cls(address, and_mask, or_mask)
