"""Frames of Modbus TCP: a header (MBAP) in front of what stands between address and CRC on a serial line.

    transaction (2 bytes) · protocol (2, always 0) · length of what follows (2) · unit (1) · PDU (1 … 253)

After "MODBUS Messaging on TCP/IP Implementation Guide V1.0b", 3.1.3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["LONGEST", "PATH_UNAVAILABLE", "SILENT", "Adu", "MbapError", "exception", "split"]

HEADER: Final = struct.Struct(">HHHB")
LONGEST: Final = 260
"""Bytes of the longest frame."""
PATH_UNAVAILABLE: Final = 0x0A
"""Exception of a gateway that cannot reach such a unit at all."""
SILENT: Final = 0x0B
"""Exception of a gateway whose unit did not answer."""


class MbapError(ValueError):
    """A length that cannot be: where the next frame begins is not known."""


@dataclass(frozen=True, slots=True)
class Adu:
    """A request or an answer.

    Attributes:
        transaction: number that the client has given to it.
        unit: address on the serial line.
        pdu: function code and data, at least one byte.
    """

    transaction: int
    unit: int
    pdu: bytes

    def encode(self) -> bytes:
        """As it goes over TCP."""
        return HEADER.pack(self.transaction, 0, len(self.pdu) + 1, self.unit) + self.pdu


def exception(asked: Adu, code: int) -> Adu:
    """The answer that something does not work."""
    return Adu(asked.transaction, asked.unit, bytes([asked.pdu[0] | 0x80, code]))


def split(data: bytearray) -> Iterator[Adu]:
    """Take whole frames from the front of a buffer; those of another protocol are dropped, as the guide says.

    Raises:
        MbapError: a frame's length cannot be.
    """
    while len(data) >= HEADER.size:
        transaction, protocol, length, unit = HEADER.unpack_from(data)
        if not 2 <= length <= LONGEST - 6:
            raise MbapError(f"a frame cannot have a length of {length}")
        end = length + 6
        if len(data) < end:
            return
        pdu = bytes(data[HEADER.size : end])
        del data[:end]
        if protocol == 0:
            yield Adu(transaction, unit, pdu)
