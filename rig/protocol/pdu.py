"""From message to PDU and back: two tables, function code to class.

The limits are checked here and nowhere else on the way in or out, and the error says whose fault it
is: encoding raises `LocalProtocolError`, decoding raises `RemoteProtocolError`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from rig.protocol.crc import append_crc
from rig.protocol.diagnostics import (
    Diagnose,
    DiagnoseResponse,
    GetCommEventCounter,
    GetCommEventCounterResponse,
    SubFunction,
)
from rig.protocol.errors import ExceptionCode, LocalProtocolError, RemoteProtocolError
from rig.protocol.grammar import EXCEPTION_FLAG
from rig.protocol.identification import ReadDeviceIdentification, ReadDeviceIdentificationResponse
from rig.protocol.packing import BYTES
from rig.protocol.requests import (
    InvalidRequest,
    MaskWriteRegister,
    RawRequest,
    ReadCoils,
    ReadDiscreteInputs,
    ReadFifoQueue,
    ReadHoldingRegisters,
    ReadInputRegisters,
    ReadWriteMultipleRegisters,
    ReportServerId,
    WriteMultipleCoils,
    WriteMultipleRegisters,
    WriteSingleCoil,
    WriteSingleRegister,
)
from rig.protocol.responses import (
    ExceptionResponse,
    MaskWriteRegisterResponse,
    RawResponse,
    ReadCoilsResponse,
    ReadDiscreteInputsResponse,
    ReadFifoQueueResponse,
    ReadHoldingRegistersResponse,
    ReadInputRegistersResponse,
    ReadWriteMultipleRegistersResponse,
    ReportServerIdResponse,
    WriteMultipleCoilsResponse,
    WriteMultipleRegistersResponse,
    WriteSingleCoilResponse,
    WriteSingleRegisterResponse,
)

__all__ = [
    "AnyRequest",
    "Awaited",
    "NormalResponse",
    "Request",
    "Response",
    "awaited_after",
    "decode_request",
    "decode_response",
    "encode_frame",
    "encode_pdu",
    "receive_request",
]

Request: TypeAlias = (
    ReadCoils
    | ReadDiscreteInputs
    | ReadHoldingRegisters
    | ReadInputRegisters
    | WriteSingleCoil
    | WriteSingleRegister
    | WriteMultipleCoils
    | WriteMultipleRegisters
    | MaskWriteRegister
    | ReadWriteMultipleRegisters
    | ReadDeviceIdentification
    | Diagnose
    | GetCommEventCounter
    | ReportServerId
    | ReadFifoQueue
)
"""A request that keeps the rules."""

AnyRequest: TypeAlias = Request | RawRequest | InvalidRequest
"""Anything that stands for a request: sent raw, or received and to be declined."""

NormalResponse: TypeAlias = (
    ReadCoilsResponse
    | ReadDiscreteInputsResponse
    | ReadHoldingRegistersResponse
    | ReadInputRegistersResponse
    | WriteSingleCoilResponse
    | WriteSingleRegisterResponse
    | WriteMultipleCoilsResponse
    | WriteMultipleRegistersResponse
    | MaskWriteRegisterResponse
    | ReadWriteMultipleRegistersResponse
    | ReadDeviceIdentificationResponse
    | DiagnoseResponse
    | GetCommEventCounterResponse
    | ReportServerIdResponse
    | ReadFifoQueueResponse
    | RawResponse
)
"""An answer that does what was asked."""

Response: TypeAlias = NormalResponse | ExceptionResponse

_REQUESTS: Final[Mapping[int, Callable[[bytes], Request]]] = {
    1: ReadCoils.unpack,
    2: ReadDiscreteInputs.unpack,
    3: ReadHoldingRegisters.unpack,
    4: ReadInputRegisters.unpack,
    5: WriteSingleCoil.unpack,
    6: WriteSingleRegister.unpack,
    8: Diagnose.unpack,
    11: GetCommEventCounter.unpack,
    15: WriteMultipleCoils.unpack,
    16: WriteMultipleRegisters.unpack,
    17: ReportServerId.unpack,
    22: MaskWriteRegister.unpack,
    23: ReadWriteMultipleRegisters.unpack,
    24: ReadFifoQueue.unpack,
    43: ReadDeviceIdentification.unpack,
}

_RESPONSES: Final[Mapping[int, Callable[[bytes], Response]]] = {
    1: ReadCoilsResponse.unpack,
    2: ReadDiscreteInputsResponse.unpack,
    3: ReadHoldingRegistersResponse.unpack,
    4: ReadInputRegistersResponse.unpack,
    5: WriteSingleCoilResponse.unpack,
    6: WriteSingleRegisterResponse.unpack,
    8: DiagnoseResponse.unpack,
    11: GetCommEventCounterResponse.unpack,
    15: WriteMultipleCoilsResponse.unpack,
    16: WriteMultipleRegistersResponse.unpack,
    17: ReportServerIdResponse.unpack,
    22: MaskWriteRegisterResponse.unpack,
    23: ReadWriteMultipleRegistersResponse.unpack,
    24: ReadFifoQueueResponse.unpack,
    43: ReadDeviceIdentificationResponse.unpack,
}


def encode_pdu(message: Request | RawRequest | Response) -> bytes:
    """Make the PDU of a request or response: function code and data.

    Raises:
        LocalProtocolError: the message breaks a limit of the specification or does not fit its fields.
    """
    problem = message.problem()
    if problem is not None:
        raise LocalProtocolError(f"{type(message).__name__}: {problem}")
    try:
        return message.pack()
    except (struct.error, ValueError, TypeError) as error:
        raise LocalProtocolError(
            f"{message!r} does not fit on the wire, expected addresses and registers from 0 to 65535: {error}"
        ) from error


def encode_frame(unit: int, message: Request | RawRequest | Response) -> bytes:
    """Make the whole frame: address, PDU, CRC.

    Args:
        unit: address, 0 to 255.
        message: request or response.

    Raises:
        LocalProtocolError: see `encode_pdu`, or the address is no byte.
    """
    if not 0 <= unit <= 0xFF:
        raise LocalProtocolError(f"unit is {unit}, expected 0 to 255")
    return append_crc(BYTES[unit] + encode_pdu(message))


class Awaited(NamedTuple):
    """The answer to a request, as far as it is known beforehand.

    Attributes:
        head: the first bytes of the frame.
        length: bytes of the whole frame.
        decode: makes the answer of the bytes between head and CRC.
    """

    head: bytes
    length: int
    decode: Callable[[bytes], NormalResponse]


def awaited_after(unit: int, request: Request | RawRequest) -> Awaited | None:
    """What comes back if all goes well; None for requests whose answer may look one way or another."""
    await_ = _AWAITED.get(type(request))
    return None if await_ is None else await_(BYTES[unit], request)


def _await_registers(unit: bytes, request: ReadHoldingRegisters | ReadInputRegisters) -> Awaited:
    kind = ReadInputRegistersResponse if request.function == 4 else ReadHoldingRegistersResponse
    size = 2 * request.count
    return Awaited(unit + BYTES[request.function] + BYTES[size], 5 + size, kind.of_payload)


def _await_bits(unit: bytes, request: ReadCoils | ReadDiscreteInputs) -> Awaited:
    kind = ReadDiscreteInputsResponse if request.function == 2 else ReadCoilsResponse
    count, size = request.count, (request.count + 7) // 8

    def decode(payload: bytes) -> NormalResponse:
        return kind.of_payload(payload, 8 * size).first(count)

    return Awaited(unit + BYTES[request.function] + BYTES[size], 5 + size, decode)


def _await_written(unit: bytes, request: WriteMultipleCoils | WriteMultipleRegisters) -> Awaited:
    kind = WriteMultipleRegistersResponse if request.function == 16 else WriteMultipleCoilsResponse
    return _awaited_echo(unit, kind, request.address, len(request.values))


@lru_cache(maxsize=256)
def _awaited_echo(
    unit: bytes, kind: type[WriteMultipleRegistersResponse | WriteMultipleCoilsResponse], address: int, count: int
) -> Awaited:
    """What is written changes, where it is written hardly ever."""
    answer = kind(address, count)
    return Awaited(unit + answer.pack(), 8, lambda _: answer)


_AWAITED: Final[Mapping[type, Callable[[bytes, Any], Awaited]]] = {
    ReadCoils: _await_bits,
    ReadDiscreteInputs: _await_bits,
    ReadHoldingRegisters: _await_registers,
    ReadInputRegisters: _await_registers,
    WriteMultipleCoils: _await_written,
    WriteMultipleRegisters: _await_written,
}


def decode_request(pdu: bytes) -> Request:
    """Read a request.

    Raises:
        RemoteProtocolError: unknown function (its `code` is 1), illegal count, value or length
            (its `code` is 3).
    """
    unpack = _REQUESTS.get(pdu[0]) if pdu else None
    if unpack is None:
        given = pdu[0] if pdu else "missing"
        raise RemoteProtocolError(
            f"function code is {given}, expected one of {sorted(_REQUESTS)}", ExceptionCode.ILLEGAL_FUNCTION
        )
    try:
        request = unpack(pdu)
    except struct.error as error:
        raise _wrong_length("request", pdu) from error
    problem = request.problem()
    if problem is not None:
        raise RemoteProtocolError(problem)
    return request


def receive_request(pdu: bytes) -> Request | InvalidRequest:
    """Read a request like `decode_request`, but never raise: a bad one is handed on to be declined.

    Args:
        pdu: at least one byte.
    """
    # the reads of a poll come again and again; what is written changes
    return _read_again(pdu) if len(pdu) == READ_SIZE else _read_once(pdu)


def _read_once(pdu: bytes) -> Request | InvalidRequest:
    try:
        return decode_request(pdu)
    except RemoteProtocolError as error:
        return InvalidRequest(pdu, error.code, str(error))


READ_SIZE: Final = 5
"""Bytes of a request to read: function code, address, count."""
_read_again = lru_cache(maxsize=256)(_read_once)


def decode_response(pdu: bytes, request: AnyRequest | None = None) -> Response:
    """Read an answer.

    Args:
        pdu: function code and data.
        request: what was asked. When given, the answer has to fit it, and coils are cut to the
            number asked for.

    Raises:
        RemoteProtocolError: not a sound answer, or not one to this request.
    """
    if not pdu:
        raise RemoteProtocolError("answer is empty, expected a function code")
    function = pdu[0]
    if request is not None and function & ~EXCEPTION_FLAG != request.function:
        raise RemoteProtocolError(f"answer has function code {function}, expected {request.function}")
    if function & EXCEPTION_FLAG:
        return ExceptionResponse.unpack(pdu)
    unpack = _RESPONSES.get(function)
    if unpack is None:
        if isinstance(request, RawRequest | InvalidRequest):
            return RawResponse(pdu)
        known = sorted(_RESPONSES)
        raise RemoteProtocolError(f"answer has function code {function}, expected one of {known}")
    try:
        response = unpack(pdu)
    except struct.error as error:
        raise _wrong_length("answer", pdu) from error
    problem = response.problem()
    if problem is not None:
        raise RemoteProtocolError(problem)
    fit = _FITS.get(type(request))
    return response if fit is None else fit(response, request)


def _wrong_length(what: str, pdu: bytes) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"{what} with function code {pdu[0]} has {len(pdu)} bytes, which is no length it can have"
    )


def _fit_registers(response: Any, request: Any) -> Any:
    expected = request.read_count if request.function == 23 else request.count
    if response.count != expected:
        raise RemoteProtocolError(f"answer has {response.count} registers, expected {expected}")
    return response


def _fit_bits(response: Any, request: Any) -> Any:
    expected = (request.count + 7) // 8
    if response.count != 8 * expected:
        raise RemoteProtocolError(f"answer has {response.count // 8} bytes of bits, expected {expected}")
    return response.first(request.count)


def _fit_written(response: Any, request: Any) -> Any:
    if (response.address, response.count) != (request.address, len(request.values)):
        raise RemoteProtocolError(
            f"answer says {response.count} from {response.address} on were written, "
            f"expected {len(request.values)} from {request.address} on"
        )
    return response


def _fit_echo(response: Any, request: Any) -> Any:
    if response.pack() != request.pack():
        raise RemoteProtocolError(f"answer is {response}, expected the echo of {request}")
    return response


def _fit_identification(response: Any, request: Any) -> Any:
    if response.code != request.code:
        raise RemoteProtocolError(f"answer has identification code {response.code}, expected {request.code}")
    return response


def _fit_diagnosis(response: Any, request: Any) -> Any:
    if response.sub_function != request.sub_function:
        raise RemoteProtocolError(f"answer has sub-function {response.sub_function}, expected {request.sub_function}")
    if request.sub_function == SubFunction.RETURN_QUERY_DATA and response.data != request.data:
        raise RemoteProtocolError(f"answer has data {response.data.hex()}, expected the echo of {request.data.hex()}")
    return response


_FITS: Final[Mapping[type, Callable[[Any, Any], Response]]] = {
    ReadCoils: _fit_bits,
    ReadDiscreteInputs: _fit_bits,
    ReadHoldingRegisters: _fit_registers,
    ReadInputRegisters: _fit_registers,
    WriteSingleCoil: _fit_echo,
    WriteSingleRegister: _fit_echo,
    WriteMultipleCoils: _fit_written,
    WriteMultipleRegisters: _fit_written,
    MaskWriteRegister: _fit_echo,
    ReadWriteMultipleRegisters: _fit_registers,
    ReadDeviceIdentification: _fit_identification,
    Diagnose: _fit_diagnosis,
}
"""How to check an answer against its request, once their function codes agree. To a raw request any
answer with its function code fits."""
