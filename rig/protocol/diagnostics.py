"""Functions 8 and 11: what a server on a serial line knows of the line (Application Protocol V1.1b3, 6.8 and 6.9).

A server counts what it hears and says. A client reads the counters one by one, clears them, asks for its own words
back, or makes the server listen without a word until communications are restarted.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Self

from rig.protocol.errors import ExceptionCode, ModbusError, RemoteProtocolError
from rig.protocol.grammar import MAX_PDU
from rig.protocol.shapes import Bare

__all__ = [
    "Diagnose",
    "DiagnoseResponse",
    "GetCommEventCounter",
    "GetCommEventCounterResponse",
    "SerialDiagnostics",
    "SubFunction",
    "diagnose",
]

_HEAD: Final = struct.Struct(">BH")
_COUNTER: Final = struct.Struct(">BHH")
_NOTHING: Final = b"\x00\x00"
_CLEAR_LOG: Final = b"\xff\x00"
_WORD: Final = 0xFFFF


class SubFunction(IntEnum):
    """What to diagnose (section 6.8.1); 5 to 9, 19 and all above 20 are reserved."""

    RETURN_QUERY_DATA = 0
    RESTART_COMMUNICATIONS = 1
    RETURN_DIAGNOSTIC_REGISTER = 2
    CHANGE_ASCII_DELIMITER = 3
    FORCE_LISTEN_ONLY = 4
    CLEAR_COUNTERS = 10
    BUS_MESSAGE_COUNT = 11
    BUS_ERROR_COUNT = 12
    EXCEPTION_COUNT = 13
    SERVER_MESSAGE_COUNT = 14
    NO_RESPONSE_COUNT = 15
    NAK_COUNT = 16
    BUSY_COUNT = 17
    OVERRUN_COUNT = 18
    CLEAR_OVERRUN_COUNTER = 20


@dataclass(slots=True)
class SerialDiagnostics:
    """What a server has heard and said since power-on or since its counters were cleared.

    Attributes:
        bus_messages: sound frames on the line, whoever they were for.
        bus_errors: frames that were not.
        exceptions: requests that were declined.
        server_messages: requests to this server, broadcasts included.
        no_responses: those of them that it did not answer.
        overruns: bytes that its UART lost.
        events: requests that were done, but for those that ask for this number (function 11).
        listen_only: nothing is done or answered until communications are restarted.
    """

    bus_messages: int = 0
    bus_errors: int = 0
    exceptions: int = 0
    server_messages: int = 0
    no_responses: int = 0
    overruns: int = 0
    events: int = 0
    listen_only: bool = False

    def clear(self) -> None:
        """Every counter to 0."""
        self.bus_messages = self.bus_errors = self.exceptions = self.server_messages = 0
        self.no_responses = self.overruns = self.events = 0


@dataclass(frozen=True, slots=True)
class _Diagnosis:
    """Sub-function and data, the same in request and answer."""

    function: ClassVar[int] = 8

    sub_function: int
    data: bytes = _NOTHING

    def problem(self) -> str | None:
        """Say which limit of the specification this breaks, if any."""
        if not 0 <= self.sub_function <= _WORD:
            return f"sub-function is {self.sub_function}, expected 0 to 65535 (V1.1b3, section 6.8)"
        if len(self.data) % 2 or not 2 <= len(self.data) <= MAX_PDU - _HEAD.size:
            return f"data has {len(self.data)} bytes, expected 2 to 250 and an even number (V1.1b3, section 6.8)"
        if self.sub_function != SubFunction.RETURN_QUERY_DATA and len(self.data) != len(_NOTHING):
            return f"data has {len(self.data)} bytes, expected 2 for sub-function {self.sub_function} (section 6.8.1)"
        return None

    def pack(self) -> bytes:
        """Make the PDU without looking at the limits."""
        return _HEAD.pack(self.function, self.sub_function) + self.data

    @classmethod
    def unpack(cls, pdu: bytes) -> Self:
        """Read the PDU back without looking at the limits."""
        _, sub_function = _HEAD.unpack_from(pdu)
        return cls(sub_function, pdu[_HEAD.size :])

    @property
    def value(self) -> int:
        """The data as a number: a counter or the diagnostic register."""
        return int.from_bytes(self.data[:2], "big")


class Diagnose(_Diagnosis):
    """Function 8 (section 6.8)."""

    __slots__ = ()


class DiagnoseResponse(_Diagnosis):
    """Answer to function 8: the request again, or the number that was asked for (section 6.8)."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class GetCommEventCounter(Bare):
    """Function 11 (section 6.9)."""

    function: ClassVar[int] = 11
    section: ClassVar[str] = "6.9"


@dataclass(frozen=True, slots=True)
class GetCommEventCounterResponse:
    """Answer to function 11 (section 6.9).

    Attributes:
        busy: a command that was sent before is still being done.
        events: requests that have been done.
    """

    function: ClassVar[int] = 11

    busy: bool
    events: int

    def problem(self) -> str | None:
        """Nothing can be wrong with it beyond what does not fit on the wire."""
        return None

    def pack(self) -> bytes:
        """Make the PDU."""
        return _COUNTER.pack(self.function, _WORD if self.busy else 0, self.events)

    @classmethod
    def unpack(cls, pdu: bytes) -> Self:
        """Read the PDU back.

        Raises:
            RemoteProtocolError: the status is neither busy nor ready.
        """
        _, status, events = _COUNTER.unpack(pdu)
        if status not in (0, _WORD):
            raise RemoteProtocolError(f"status is 0x{status:04X}, expected 0x0000 or 0xFFFF (section 6.9)")
        return cls(status == _WORD, events)


_COUNTS: Final[Mapping[int, Callable[[SerialDiagnostics], int]]] = {
    SubFunction.RETURN_DIAGNOSTIC_REGISTER: lambda known: int(known.listen_only),
    SubFunction.BUS_MESSAGE_COUNT: lambda known: known.bus_messages,
    SubFunction.BUS_ERROR_COUNT: lambda known: known.bus_errors,
    SubFunction.EXCEPTION_COUNT: lambda known: known.exceptions,
    SubFunction.SERVER_MESSAGE_COUNT: lambda known: known.server_messages,
    SubFunction.NO_RESPONSE_COUNT: lambda known: known.no_responses,
    SubFunction.NAK_COUNT: lambda known: 0,
    SubFunction.BUSY_COUNT: lambda known: 0,
    SubFunction.OVERRUN_COUNT: lambda known: known.overruns,
}


def diagnose(request: Diagnose, known: SerialDiagnostics) -> DiagnoseResponse:
    """Do what is asked, and make the answer; one that makes the server listen only is not to be sent.

    Args:
        request: what is asked.
        known: the server's counters, which are read, cleared or set to listen only.

    Raises:
        ModbusError: a sub-function that is reserved or has no meaning here (1), data that it cannot have (3).
    """
    asked, data = request.sub_function, request.data
    count = _COUNTS.get(asked)
    if asked == SubFunction.RETURN_QUERY_DATA:
        return DiagnoseResponse(asked, data)
    if asked == SubFunction.RESTART_COMMUNICATIONS:
        if data not in (_NOTHING, _CLEAR_LOG):
            raise ModbusError(ExceptionCode.ILLEGAL_DATA_VALUE, "data is neither 0x0000 nor 0xFF00")
        known.clear()
        known.listen_only = False
        return DiagnoseResponse(asked, data)
    if count is None and asked not in (
        SubFunction.FORCE_LISTEN_ONLY,
        SubFunction.CLEAR_COUNTERS,
        SubFunction.CLEAR_OVERRUN_COUNTER,
    ):
        raise ModbusError(ExceptionCode.ILLEGAL_FUNCTION, f"sub-function {asked} has no meaning here")
    if data != _NOTHING:
        raise ModbusError(ExceptionCode.ILLEGAL_DATA_VALUE, "data is not 0x0000")
    if count is not None:
        return DiagnoseResponse(asked, (count(known) & _WORD).to_bytes(2, "big"))
    if asked == SubFunction.FORCE_LISTEN_ONLY:
        known.listen_only = True
    elif asked == SubFunction.CLEAR_COUNTERS:
        known.clear()
    else:
        known.overruns = 0
    return DiagnoseResponse(asked, data)
