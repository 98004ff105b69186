"""What a client can ask: one frozen dataclass per function.

A request may be *built* with a count that the specification forbids, so that such a request can be
talked about; it can never be *encoded* (`rig.protocol.encode_pdu` raises `LocalProtocolError`) and a
decoded one never arrives (it becomes an `InvalidRequest`). `problem()` is the one place for the
limits; section numbers are those of the Application Protocol V1.1b3.

Addresses and counts are those on the wire: the first register has address 0.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from rig.protocol.errors import ExceptionCode, RemoteProtocolError
from rig.protocol.grammar import EXCEPTION_FLAG, MAX_PDU
from rig.protocol.packing import pack_bits, pack_registers, unpack_bits, unpack_registers
from rig.protocol.shapes import Bare, CoilAt, MasksAt, RegisterAt, Span, outside

__all__ = [
    "InvalidRequest",
    "MaskWriteRegister",
    "RawRequest",
    "ReadCoils",
    "ReadDiscreteInputs",
    "ReadFifoQueue",
    "ReadHoldingRegisters",
    "ReadInputRegisters",
    "ReadWriteMultipleRegisters",
    "ReportServerId",
    "WriteMultipleCoils",
    "WriteMultipleRegisters",
    "WriteSingleCoil",
    "WriteSingleRegister",
]

_POINTER: Final = struct.Struct(">BH")
_WRITE_HEAD: Final = struct.Struct(">BHHB")
_READ_WRITE_HEAD: Final = struct.Struct(">BHHHHB")


@dataclass(frozen=True, slots=True)
class ReadCoils(Span):
    """Function 1: read 1 to 2000 coils (section 6.1)."""

    function: ClassVar[int] = 1
    max_count: ClassVar[int] = 2000
    section: ClassVar[str] = "6.1"


@dataclass(frozen=True, slots=True)
class ReadDiscreteInputs(Span):
    """Function 2: read 1 to 2000 discrete inputs (section 6.2)."""

    function: ClassVar[int] = 2
    max_count: ClassVar[int] = 2000
    section: ClassVar[str] = "6.2"


@dataclass(frozen=True, slots=True)
class ReadHoldingRegisters(Span):
    """Function 3: read 1 to 125 holding registers (section 6.3)."""

    function: ClassVar[int] = 3
    max_count: ClassVar[int] = 125
    section: ClassVar[str] = "6.3"


@dataclass(frozen=True, slots=True)
class ReadInputRegisters(Span):
    """Function 4: read 1 to 125 input registers (section 6.4)."""

    function: ClassVar[int] = 4
    max_count: ClassVar[int] = 125
    section: ClassVar[str] = "6.4"


@dataclass(frozen=True, slots=True)
class WriteSingleCoil(CoilAt):
    """Function 5: switch one coil (section 6.5)."""

    function: ClassVar[int] = 5


@dataclass(frozen=True, slots=True)
class WriteSingleRegister(RegisterAt):
    """Function 6: write one holding register (section 6.6)."""

    function: ClassVar[int] = 6


@dataclass(frozen=True, slots=True)
class WriteMultipleCoils:
    """Function 15: switch 1 to 1968 coils (section 6.11)."""

    function: ClassVar[int] = 15
    max_count: ClassVar[int] = 1968

    address: int
    values: tuple[bool, ...]

    def problem(self) -> str | None:
        """Say which limit of the specification this breaks, if any."""
        return outside("number of coils", len(self.values), self.max_count, "6.11")

    def pack(self) -> bytes:
        """Make the PDU without looking at the limits."""
        data = pack_bits(self.values)
        return _WRITE_HEAD.pack(self.function, self.address, len(self.values), len(data)) + data

    @classmethod
    def unpack(cls, pdu: bytes) -> Self:
        """Read the PDU back.

        Raises:
            RemoteProtocolError: count, byte count and data do not agree.
        """
        _, address, count, byte_count = _WRITE_HEAD.unpack_from(pdu)
        data = pdu[_WRITE_HEAD.size :]
        _check_byte_count(byte_count, (count + 7) // 8, len(data))
        return cls(address, unpack_bits(data)[:count])


@dataclass(frozen=True, slots=True)
class WriteMultipleRegisters:
    """Function 16: write 1 to 123 holding registers (section 6.12)."""

    function: ClassVar[int] = 16
    max_count: ClassVar[int] = 123

    address: int
    values: tuple[int, ...]

    def problem(self) -> str | None:
        """Say which limit of the specification this breaks, if any."""
        return outside("number of registers", len(self.values), self.max_count, "6.12")

    def pack(self) -> bytes:
        """Make the PDU without looking at the limits."""
        count = len(self.values)
        return _WRITE_HEAD.pack(self.function, self.address, count, 2 * count) + pack_registers(self.values)

    @classmethod
    def unpack(cls, pdu: bytes) -> Self:
        """Read the PDU back.

        Raises:
            RemoteProtocolError: count, byte count and data do not agree.
        """
        _, address, count, byte_count = _WRITE_HEAD.unpack_from(pdu)
        data = pdu[_WRITE_HEAD.size :]
        _check_byte_count(byte_count, 2 * count, len(data))
        return cls(address, unpack_registers(data))


@dataclass(frozen=True, slots=True)
class MaskWriteRegister(MasksAt):
    """Function 22: register = (register AND and_mask) OR (or_mask AND NOT and_mask) (section 6.16)."""

    function: ClassVar[int] = 22

    def apply(self, register: int) -> int:
        """Return what `register` becomes."""
        return (register & self.and_mask) | (self.or_mask & ~self.and_mask & 0xFFFF)


@dataclass(frozen=True, slots=True)
class ReadWriteMultipleRegisters:
    """Function 23: write 1 to 121 holding registers, then read 1 to 125 (section 6.17)."""

    function: ClassVar[int] = 23
    max_count: ClassVar[int] = 125
    max_write_count: ClassVar[int] = 121

    read_address: int
    read_count: int
    write_address: int
    values: tuple[int, ...]

    def problem(self) -> str | None:
        """Say which limit of the specification this breaks, if any."""
        return outside("read_count", self.read_count, self.max_count, "6.17") or outside(
            "number of registers to write", len(self.values), self.max_write_count, "6.17"
        )

    def pack(self) -> bytes:
        """Make the PDU without looking at the limits."""
        count = len(self.values)
        head = _READ_WRITE_HEAD.pack(
            self.function, self.read_address, self.read_count, self.write_address, count, 2 * count
        )
        return head + pack_registers(self.values)

    @classmethod
    def unpack(cls, pdu: bytes) -> Self:
        """Read the PDU back.

        Raises:
            RemoteProtocolError: write count, byte count and data do not agree.
        """
        _, read_address, read_count, write_address, count, byte_count = _READ_WRITE_HEAD.unpack_from(pdu)
        data = pdu[_READ_WRITE_HEAD.size :]
        _check_byte_count(byte_count, 2 * count, len(data))
        return cls(read_address, read_count, write_address, unpack_registers(data))


@dataclass(frozen=True, slots=True)
class ReportServerId(Bare):
    """Function 17: what a server says about itself in its own words (section 6.13)."""

    function: ClassVar[int] = 17
    section: ClassVar[str] = "6.13"


@dataclass(frozen=True, slots=True)
class ReadFifoQueue:
    """Function 24: read a queue of up to 31 registers, and leave it as it is (section 6.18)."""

    function: ClassVar[int] = 24

    address: int

    def problem(self) -> str | None:
        """Nothing can be wrong with it beyond what does not fit on the wire."""
        return None

    def pack(self) -> bytes:
        """Make the PDU."""
        return _POINTER.pack(self.function, self.address)

    @classmethod
    def unpack(cls, pdu: bytes) -> Self:
        """Read the PDU back."""
        _, address = _POINTER.unpack(pdu)
        return cls(address)


@dataclass(frozen=True, slots=True)
class RawRequest:
    """Any PDU, sent as it is: how a test asks what a well-behaved client never would.

    Attributes:
        pdu: function code and data, 1 to 253 bytes.
    """

    pdu: bytes

    @property
    def function(self) -> int:
        """The function code, the first byte."""
        return self.pdu[0]

    def problem(self) -> str | None:
        """Only what no frame can carry is a problem here."""
        if not 1 <= len(self.pdu) <= MAX_PDU:
            return f"PDU has {len(self.pdu)} bytes, expected 1 to {MAX_PDU} (V1.1b3, section 4.1)"
        if self.pdu[0] >= EXCEPTION_FLAG:
            return f"function code is {self.pdu[0]}, expected 0 to 127 (V1.1b3, section 4.1)"
        return None

    def pack(self) -> bytes:
        """Return the PDU."""
        return self.pdu


@dataclass(frozen=True, slots=True)
class InvalidRequest:
    """What a server received in a sound frame and has to decline.

    Attributes:
        pdu: function code and data as received, at least the function code.
        code: what to decline it with.
        reason: which rule it breaks, for people.
    """

    pdu: bytes
    code: ExceptionCode
    reason: str

    @property
    def function(self) -> int:
        """The function code, the first byte."""
        return self.pdu[0]

    def problem(self) -> str | None:
        """Say why it is declined."""
        return self.reason


def _check_byte_count(byte_count: int, expected: int, received: int) -> None:
    if byte_count != expected or byte_count != received:
        raise RemoteProtocolError(
            f"byte count is {byte_count} with {received} bytes of data, expected {expected} for the count"
        )
