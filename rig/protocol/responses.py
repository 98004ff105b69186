"""What a server can answer: one immutable class per function, and the exception response.

Answers to reads have `values` and, for whoever wants to decode many at once, `payload`: the bytes in
which the values came (registers two bytes each, high byte first; bits from the lowest up).

A read answer says how many *bytes* of coils follow, not how many coils. `unpack` therefore gives
multiples of eight; `rig.protocol.decode_response` cuts them to what was asked when it is told the
request. Section numbers are those of the Application Protocol V1.1b3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from rig.protocol.errors import ExceptionCode, RemoteProtocolError
from rig.protocol.grammar import EXCEPTION_FLAG, MAX_PDU
from rig.protocol.packing import pack_registers, unpack_registers
from rig.protocol.payloads import Bits, Registers
from rig.protocol.shapes import CoilAt, MasksAt, RegisterAt, Span, outside

__all__ = [
    "ExceptionResponse",
    "MaskWriteRegisterResponse",
    "RawResponse",
    "ReadCoilsResponse",
    "ReadDiscreteInputsResponse",
    "ReadFifoQueueResponse",
    "ReadHoldingRegistersResponse",
    "ReadInputRegistersResponse",
    "ReadWriteMultipleRegistersResponse",
    "ReportServerIdResponse",
    "WriteMultipleCoilsResponse",
    "WriteMultipleRegistersResponse",
    "WriteSingleCoilResponse",
    "WriteSingleRegisterResponse",
]


_QUEUE_HEAD: Final = struct.Struct(">BHH")


class ReadCoilsResponse(Bits):
    """Answer to function 1 (section 6.1)."""

    __slots__ = ()

    function: ClassVar[int] = 1


class ReadDiscreteInputsResponse(Bits):
    """Answer to function 2 (section 6.2)."""

    __slots__ = ()

    function: ClassVar[int] = 2


class ReadHoldingRegistersResponse(Registers):
    """Answer to function 3 (section 6.3)."""

    __slots__ = ()

    function: ClassVar[int] = 3


class ReadInputRegistersResponse(Registers):
    """Answer to function 4 (section 6.4)."""

    __slots__ = ()

    function: ClassVar[int] = 4


class ReadWriteMultipleRegistersResponse(Registers):
    """Answer to function 23: what was read after writing (section 6.17)."""

    __slots__ = ()

    function: ClassVar[int] = 23


@dataclass(frozen=True, slots=True)
class WriteSingleCoilResponse(CoilAt):
    """Answer to function 5: the request again (section 6.5)."""

    function: ClassVar[int] = 5


@dataclass(frozen=True, slots=True)
class WriteSingleRegisterResponse(RegisterAt):
    """Answer to function 6: the request again (section 6.6)."""

    function: ClassVar[int] = 6


@dataclass(frozen=True, slots=True)
class WriteMultipleCoilsResponse(Span):
    """Answer to function 15: where writing began and how many were written (section 6.11)."""

    function: ClassVar[int] = 15
    max_count: ClassVar[int] = 1968
    section: ClassVar[str] = "6.11"


@dataclass(frozen=True, slots=True)
class WriteMultipleRegistersResponse(Span):
    """Answer to function 16: where writing began and how many were written (section 6.12)."""

    function: ClassVar[int] = 16
    max_count: ClassVar[int] = 123
    section: ClassVar[str] = "6.12"


@dataclass(frozen=True, slots=True)
class MaskWriteRegisterResponse(MasksAt):
    """Answer to function 22: the request again (section 6.16)."""

    function: ClassVar[int] = 22


@dataclass(frozen=True, slots=True)
class ReportServerIdResponse:
    """Answer to function 17 (section 6.13).

    Attributes:
        data: the server's id, its run indicator (0xFF on, 0x00 off) and what else it says; only the server knows where
            its id ends.
    """

    function: ClassVar[int] = 17

    data: bytes

    def problem(self) -> str | None:
        """Say which limit of the specification this breaks, if any."""
        return outside("number of bytes", len(self.data), MAX_PDU - 2, "6.13")

    def pack(self) -> bytes:
        """Make the PDU without looking at the limits."""
        return bytes((self.function, len(self.data))) + self.data

    @classmethod
    def unpack(cls, pdu: bytes) -> Self:
        """Read the PDU back.

        Raises:
            RemoteProtocolError: byte count and data do not agree.
        """
        if len(pdu) < 2 or pdu[1] != len(pdu) - 2:
            raise RemoteProtocolError(f"byte count does not fit a PDU of {len(pdu)} bytes (section 6.13)")
        return cls(pdu[2:])


@dataclass(frozen=True, slots=True)
class ReadFifoQueueResponse:
    """Answer to function 24: what is in the queue, the oldest first (section 6.18).

    Attributes:
        values: up to 31 registers.
    """

    function: ClassVar[int] = 24
    max_count: ClassVar[int] = 31

    values: tuple[int, ...]

    def problem(self) -> str | None:
        """Say which limit of the specification this breaks, if any."""
        if len(self.values) <= self.max_count:
            return None
        return f"queue has {len(self.values)} registers, expected 0 to {self.max_count} (V1.1b3, section 6.18)"

    def pack(self) -> bytes:
        """Make the PDU without looking at the limits."""
        count = len(self.values)
        return _QUEUE_HEAD.pack(self.function, 2 + 2 * count, count) + pack_registers(self.values)

    @classmethod
    def unpack(cls, pdu: bytes) -> Self:
        """Read the PDU back.

        Raises:
            RemoteProtocolError: byte count, queue count and data do not agree.
        """
        _, byte_count, count = _QUEUE_HEAD.unpack_from(pdu)
        data = pdu[_QUEUE_HEAD.size :]
        if byte_count != 2 + 2 * count or len(data) != 2 * count:
            raise RemoteProtocolError(
                f"byte count is {byte_count} and queue count {count} with {len(data)} bytes of data (section 6.18)"
            )
        return cls(unpack_registers(data))


@dataclass(frozen=True, slots=True)
class ExceptionResponse:
    """The server declines (section 7).

    Attributes:
        function: function code of the declined request, without the exception flag.
        code: why.
    """

    function: int
    code: ExceptionCode

    def problem(self) -> str | None:
        """Say what the wire cannot carry, if anything."""
        if not 0 <= self.function < EXCEPTION_FLAG:
            return f"function code is {self.function}, expected 0 to 127 (V1.1b3, section 7)"
        if not 0 <= self.code <= 0xFF:
            return f"exception code is {int(self.code)}, expected 0 to 255 (V1.1b3, section 7)"
        return None

    def pack(self) -> bytes:
        """Make the PDU."""
        return bytes((self.function | EXCEPTION_FLAG, self.code))

    @classmethod
    def unpack(cls, pdu: bytes) -> Self:
        """Read the PDU back."""
        if len(pdu) != 2:
            raise RemoteProtocolError(f"exception response has {len(pdu)} bytes, expected 2 (section 7)")
        return cls(pdu[0] & ~EXCEPTION_FLAG, ExceptionCode(pdu[1]))


@dataclass(frozen=True, slots=True)
class RawResponse:
    """Any PDU as an answer: for functions unknown here and for servers that misbehave on purpose.

    Attributes:
        pdu: function code and data, 1 to 253 bytes.
    """

    pdu: bytes

    @property
    def function(self) -> int:
        """The function code without the exception flag."""
        return self.pdu[0] & ~EXCEPTION_FLAG

    def problem(self) -> str | None:
        """Only what no frame can carry is a problem here."""
        if 1 <= len(self.pdu) <= MAX_PDU:
            return None
        return f"PDU has {len(self.pdu)} bytes, expected 1 to {MAX_PDU} (V1.1b3, section 4.1)"

    def pack(self) -> bytes:
        """Return the PDU."""
        return self.pdu
