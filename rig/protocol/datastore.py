"""What a server's answer is: from a request and the data behind it, and nothing else.

The checks come in the order of the state diagrams of the Application Protocol V1.1b3, section 6:
is the function known (exception 1), are quantity and value legal (3), do the addresses exist (2),
does doing it succeed (4). The first two are the protocol's, the last two the store's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, Protocol, TypeVar

from rig.protocol.diagnostics import (
    Diagnose,
    GetCommEventCounter,
    GetCommEventCounterResponse,
    SerialDiagnostics,
    diagnose,
)
from rig.protocol.errors import ExceptionCode, LocalProtocolError, ModbusError
from rig.protocol.identification import ReadDeviceIdentification, identify
from rig.protocol.pdu import NormalResponse, Request, Response
from rig.protocol.requests import (
    InvalidRequest,
    MaskWriteRegister,
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

__all__ = ["DataStore", "PackedDataStore", "SerialDataStore", "respond"]

_ADDRESSES = 0x10000

_T = TypeVar("_T")


class DataStore(Protocol):
    """The data of one unit.

    Every method may raise `ModbusError`, which becomes the exception response: 2 for an address that
    does not exist, 3 for a value that is not allowed, 4 if doing it failed, 6 if busy. A write that
    raises has written nothing. Reading has no side effect. Counts are at least 1, and
    `address + count` is at most 65536.
    """

    def read_coils(self, address: int, count: int) -> Sequence[bool]:
        """Return `count` coils."""
        ...

    def read_discrete_inputs(self, address: int, count: int) -> Sequence[bool]:
        """Return `count` discrete inputs."""
        ...

    def read_holding_registers(self, address: int, count: int) -> Sequence[int]:
        """Return `count` holding registers, each 0 to 65535."""
        ...

    def read_input_registers(self, address: int, count: int) -> Sequence[int]:
        """Return `count` input registers, each 0 to 65535."""
        ...

    def write_coils(self, address: int, values: Sequence[bool]) -> None:
        """Switch coils."""
        ...

    def write_registers(self, address: int, values: Sequence[int]) -> None:
        """Write holding registers, each 0 to 65535."""
        ...

    def device_identification(self) -> Mapping[int, bytes]:
        """Return the identification objects by id; empty if the device has none."""
        ...


class PackedDataStore(DataStore, Protocol):
    """A data store that can also give what it holds as it goes over the wire.

    `respond` reads through these two if they are there; the rules are those of `DataStore`.
    """

    def register_bytes(self, table: Literal["holding", "input"], address: int, count: int) -> bytes:
        """Return `count` registers, two bytes each, the high one first."""
        ...

    def bit_bytes(self, table: Literal["coil", "discrete"], address: int, count: int) -> bytes:
        """Return `count` bits, the first in the lowest bit of the first byte, the last byte filled with 0."""
        ...


class SerialDataStore(DataStore, Protocol):
    """A data store of a server that also says what it knows of the line, of itself, and of queues.

    `respond` asks for these where they are there; without one its functions do not exist (exception 1).
    """

    @property
    def diagnostics(self) -> SerialDiagnostics:
        """The server's counters (functions 8 and 11)."""
        ...

    def server_id(self) -> bytes:
        """Return id, run indicator and what else there is to say (function 17)."""
        ...

    def read_fifo_queue(self, address: int) -> Sequence[int]:
        """Return up to 31 registers of the queue at an address, the oldest first (function 24)."""
        ...


def respond(request: Request | InvalidRequest, store: DataStore) -> Response:
    """Do what a request asks and make the answer.

    Args:
        request: as it came out of `RequestReceived`.
        store: the data of the unit that was asked.

    Returns:
        The answer; an `ExceptionResponse` if the request breaks the specification or the store
        raises `ModbusError`. Any other error of the store is a bug and comes out as it is.

    Raises:
        LocalProtocolError: the store returned another number of values than it was asked for.
    """
    if isinstance(request, InvalidRequest):
        return ExceptionResponse(request.function, request.code)
    if request.problem() is not None:
        return ExceptionResponse(request.function, ExceptionCode.ILLEGAL_DATA_VALUE)
    try:
        return _ANSWERS[type(request)](request, store)
    except ModbusError as error:
        return ExceptionResponse(request.function, error.code)


def _read_coils(request: ReadCoils, store: DataStore) -> ReadCoilsResponse:
    address, count = request.address, request.count
    _check_span(address, count)
    if (packed := getattr(store, "bit_bytes", None)) is not None:
        return ReadCoilsResponse.of_payload(_sized(packed("coil", address, count), (count + 7) // 8), count)
    return ReadCoilsResponse(_counted(store.read_coils(address, count), count))


def _read_discrete_inputs(request: ReadDiscreteInputs, store: DataStore) -> ReadDiscreteInputsResponse:
    address, count = request.address, request.count
    _check_span(address, count)
    if (packed := getattr(store, "bit_bytes", None)) is not None:
        return ReadDiscreteInputsResponse.of_payload(
            _sized(packed("discrete", address, count), (count + 7) // 8), count
        )
    return ReadDiscreteInputsResponse(_counted(store.read_discrete_inputs(address, count), count))


def _read_holding(request: ReadHoldingRegisters, store: DataStore) -> ReadHoldingRegistersResponse:
    address, count = request.address, request.count
    _check_span(address, count)
    if (packed := getattr(store, "register_bytes", None)) is not None:
        return ReadHoldingRegistersResponse.of_payload(_sized(packed("holding", address, count), 2 * count))
    return ReadHoldingRegistersResponse(_counted(store.read_holding_registers(address, count), count))


def _read_input(request: ReadInputRegisters, store: DataStore) -> ReadInputRegistersResponse:
    address, count = request.address, request.count
    _check_span(address, count)
    if (packed := getattr(store, "register_bytes", None)) is not None:
        return ReadInputRegistersResponse.of_payload(_sized(packed("input", address, count), 2 * count))
    return ReadInputRegistersResponse(_counted(store.read_input_registers(address, count), count))


def _write_coil(request: WriteSingleCoil, store: DataStore) -> WriteSingleCoilResponse:
    store.write_coils(request.address, (request.value,))
    return WriteSingleCoilResponse(request.address, request.value)


def _write_register(request: WriteSingleRegister, store: DataStore) -> WriteSingleRegisterResponse:
    store.write_registers(request.address, (request.value,))
    return WriteSingleRegisterResponse(request.address, request.value)


def _write_coils(request: WriteMultipleCoils, store: DataStore) -> WriteMultipleCoilsResponse:
    _check_span(request.address, len(request.values))
    store.write_coils(request.address, request.values)
    return WriteMultipleCoilsResponse(request.address, len(request.values))


def _write_registers(request: WriteMultipleRegisters, store: DataStore) -> WriteMultipleRegistersResponse:
    _check_span(request.address, len(request.values))
    store.write_registers(request.address, request.values)
    return WriteMultipleRegistersResponse(request.address, len(request.values))


def _mask_write(request: MaskWriteRegister, store: DataStore) -> MaskWriteRegisterResponse:
    (register,) = _counted(store.read_holding_registers(request.address, 1), 1)
    store.write_registers(request.address, (request.apply(register),))
    return MaskWriteRegisterResponse(request.address, request.and_mask, request.or_mask)


def _read_write(request: ReadWriteMultipleRegisters, store: DataStore) -> ReadWriteMultipleRegistersResponse:
    _check_span(request.read_address, request.read_count)
    _check_span(request.write_address, len(request.values))
    # Both addresses are checked before anything is done (section 6.17). Reading once for nothing is
    # how to ask the store whether the first exists, before the write cannot be taken back.
    store.read_holding_registers(request.read_address, request.read_count)
    store.write_registers(request.write_address, request.values)
    values = store.read_holding_registers(request.read_address, request.read_count)
    return ReadWriteMultipleRegistersResponse(_counted(values, request.read_count))


def _identify(request: ReadDeviceIdentification, store: DataStore) -> NormalResponse:
    return identify(request, store.device_identification())


def _part_of(store: DataStore, name: str) -> Any:
    part = getattr(store, name, None)
    if part is None:
        raise ModbusError(ExceptionCode.ILLEGAL_FUNCTION, f"this device has no {name}")
    return part


def _diagnose(request: Diagnose, store: DataStore) -> NormalResponse:
    return diagnose(request, _part_of(store, "diagnostics"))


def _count_events(request: GetCommEventCounter, store: DataStore) -> NormalResponse:
    return GetCommEventCounterResponse(False, _part_of(store, "diagnostics").events & 0xFFFF)


def _report_server(request: ReportServerId, store: DataStore) -> NormalResponse:
    return ReportServerIdResponse(_part_of(store, "server_id")())


def _read_queue(request: ReadFifoQueue, store: DataStore) -> NormalResponse:
    return ReadFifoQueueResponse(tuple(_part_of(store, "read_fifo_queue")(request.address)))


_ANSWERS: Final[Mapping[type, Callable[[Any, DataStore], NormalResponse]]] = {
    ReadCoils: _read_coils,
    ReadDiscreteInputs: _read_discrete_inputs,
    ReadHoldingRegisters: _read_holding,
    ReadInputRegisters: _read_input,
    WriteSingleCoil: _write_coil,
    WriteSingleRegister: _write_register,
    WriteMultipleCoils: _write_coils,
    WriteMultipleRegisters: _write_registers,
    MaskWriteRegister: _mask_write,
    ReadWriteMultipleRegisters: _read_write,
    ReadDeviceIdentification: _identify,
    Diagnose: _diagnose,
    GetCommEventCounter: _count_events,
    ReportServerId: _report_server,
    ReadFifoQueue: _read_queue,
}


def _check_span(address: int, count: int) -> None:
    if address + count > _ADDRESSES:
        raise ModbusError(ExceptionCode.ILLEGAL_DATA_ADDRESS, f"{count} from {address} on end beyond address 65535")


def _counted(values: Sequence[_T], count: int) -> tuple[_T, ...]:
    if len(values) != count:
        raise LocalProtocolError(f"the store returned {len(values)} values, expected {count}")
    return tuple(values)


def _sized(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise LocalProtocolError(f"the store returned {len(data)} bytes, expected {size}")
    return data
