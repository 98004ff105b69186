"""What a request and its answer say: tags of the register map where they are known, and words for the rest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rig.protocol import (
    BROADCAST,
    Diagnose,
    DiagnoseResponse,
    ExceptionResponse,
    GetCommEventCounterResponse,
    IdentificationCode,
    InvalidRequest,
    MaskWriteRegister,
    RawResponse,
    ReadCoilsResponse,
    ReadDeviceIdentification,
    ReadDeviceIdentificationResponse,
    ReadDiscreteInputsResponse,
    ReadFifoQueue,
    ReadFifoQueueResponse,
    ReadHoldingRegistersResponse,
    ReadInputRegistersResponse,
    ReadWriteMultipleRegisters,
    ReadWriteMultipleRegistersResponse,
    ReportServerIdResponse,
    Request,
    RequestObserved,
    Response,
    SubFunction,
    WriteMultipleCoils,
    WriteMultipleRegisters,
    WriteSingleCoil,
    WriteSingleRegister,
)
from rig.protocol.docs import show_value
from rig.protocol.registers import RegisterMap, Table, Tag, Value
from rig.sniff.decode import Exchange, Outcome, Stray

__all__ = ["Meaning", "Reading", "exception_words", "function_name"]

_FUNCTIONS: Final[Mapping[int, str]] = {
    1: "read coils",
    2: "read discrete inputs",
    3: "read holding registers",
    4: "read input registers",
    5: "write single coil",
    6: "write single register",
    8: "diagnose",
    11: "get comm event counter",
    15: "write multiple coils",
    16: "write multiple registers",
    17: "report server id",
    22: "mask write register",
    23: "read and write registers",
    24: "read fifo queue",
    43: "read device identification",
}
_EXCEPTIONS: Final[Mapping[int, str]] = {
    1: "illegal function: the unit does not know it",
    2: "illegal data address: there is no such register or bit",
    3: "illegal data value: outside what is allowed there, or an illegal quantity",
    4: "server device failure: the unit could not do it",
    5: "acknowledge: the unit has begun, and needs time",
    6: "server device busy: ask again later",
    8: "memory parity error: the unit's memory is damaged",
    10: "gateway path unavailable: the gateway is set up wrongly or overloaded",
    11: "gateway target failed to respond: nobody is there behind the gateway",
}
_OBJECTS: Final[Mapping[int, str]] = {
    0: "vendor", 1: "product code", 2: "revision", 3: "vendor url", 4: "product", 5: "model", 6: "application",
}  # fmt: skip
_READ_TABLES: Final[Mapping[int, Table]] = {1: "coil", 2: "discrete", 3: "holding", 4: "input", 23: "holding"}


def function_name(function: int) -> str:
    """The name of a function code."""
    return _FUNCTIONS.get(function, f"function {function}")


def exception_words(code: int) -> str:
    """What an exception code means."""
    return f"exception {code}, {_EXCEPTIONS.get(code, 'which no specification lists')}"


@dataclass(frozen=True, slots=True)
class Reading:
    """One quantity that was read or written.

    Attributes:
        name: of the tag; table and address where no tag is known.
        table: where it lives.
        address: where in the table.
        value: in engineering units; raw where no tag is known.
        tag: what is known of it.
        is_written: it was written, not read.
    """

    name: str
    table: Table
    address: int
    value: Value | list[Value]
    tag: Tag | None
    is_written: bool

    @property
    def unit(self) -> str:
        """Of the value; often empty."""
        return "" if self.tag is None else self.tag.unit

    @property
    def text(self) -> str:
        """The value with its unit, for people."""
        if isinstance(self.value, list):
            return f"[{' '.join(map(_number, self.value))}] {self.unit}".rstrip() if self.value else "empty"
        return _raw(self.value) if self.tag is None else show_value(self.tag, self.value)


class Meaning:
    """Reads requests and answers with the eyes of register maps: those of all wirings, for it cannot know which it is.

    What a place means is what the first map says that has something there.
    """

    def __init__(self, *maps: RegisterMap) -> None:
        self._tags: dict[tuple[int, Table], dict[int, Tag]] = {}
        for registers in maps:
            for tag in registers.tags.values():
                unit = registers.nodes[tag.node].address
                for address in {unit, BROADCAST}:
                    self._tags.setdefault((address, tag.table), {}).setdefault(tag.address, tag)

    def readings(self, item: Exchange | Stray) -> Iterator[Reading]:
        """What was written, and then what was read; of an exchange that failed, nothing was."""
        if isinstance(item, Stray):
            if item.late_for is not None:
                yield from self._read(item.late_for, item.response.response)
            return
        if item.outcome in (Outcome.ANSWERED, Outcome.NONE_DUE):
            yield from self._written(item.unit, item.request.request)
        if item.response is not None:
            yield from self._read(item.request, item.response.response)

    def _written(self, unit: int, request: Request | InvalidRequest) -> Iterator[Reading]:
        match request:
            case WriteSingleCoil():
                yield from self._span(unit, "coil", request.address, (request.value,), is_written=True)
            case WriteSingleRegister():
                yield from self._span(unit, "holding", request.address, (request.value,), is_written=True)
            case WriteMultipleCoils():
                yield from self._span(unit, "coil", request.address, request.values, is_written=True)
            case WriteMultipleRegisters():
                yield from self._span(unit, "holding", request.address, request.values, is_written=True)
            case ReadWriteMultipleRegisters():
                yield from self._span(unit, "holding", request.write_address, request.values, is_written=True)

    def _read(self, observed: RequestObserved, response: Response) -> Iterator[Reading]:
        request: Any = observed.request
        match response:
            case (
                ReadCoilsResponse()
                | ReadDiscreteInputsResponse()
                | ReadHoldingRegistersResponse()
                | ReadInputRegistersResponse()
            ):
                table = _READ_TABLES[response.function]
                yield from self._span(observed.unit, table, request.address, response.values, is_written=False)
            case ReadWriteMultipleRegistersResponse():
                yield from self._span(observed.unit, "holding", request.read_address, response.values, is_written=False)
            case ReadFifoQueueResponse():
                yield self._queue(observed.unit, request.address, response.values)

    def _span(
        self, unit: int, table: Table, address: int, values: Sequence[int], *, is_written: bool
    ) -> Iterator[Reading]:
        """Neighbouring registers or bits; a tag of which only a part is there is shown raw."""
        tags = self._tags.get((unit, table), {})
        index = 0
        while index < len(values):
            place = address + index
            tag = tags.get(place)
            if tag is not None and index + tag.count <= len(values):
                value = tag.decode(values[index : index + tag.count])
                yield Reading(tag.name, table, place, value, tag, is_written)
                index += tag.count
            else:
                yield Reading(f"{table} {place}", table, place, values[index], None, is_written)
                index += 1

    def _queue(self, unit: int, address: int, values: Sequence[int]) -> Reading:
        """A queue has the address of the input register whose past it holds."""
        tag = self._tags.get((unit, "input"), {}).get(address)
        if tag is None or tag.count != 1:
            return Reading(f"queue {address}", "input", address, list(values), None, False)
        return Reading(tag.name, "input", address, [tag.decode((value,)) for value in values], tag, False)

    # -- words --------------------------------------------------------------------------------------

    def asked(self, request: Request | InvalidRequest) -> str:
        """What is asked, in words."""
        name = function_name(request.function)
        match request:
            case InvalidRequest():
                return f"{name}, which nobody can do: {request.reason}"
            case WriteSingleCoil() | WriteSingleRegister() | ReadFifoQueue():
                return f"{name} {request.address}"
            case MaskWriteRegister():
                return f"{name} {request.address}"
            case WriteMultipleCoils() | WriteMultipleRegisters():
                return f"{name} {_range(request.address, len(request.values))}"
            case ReadWriteMultipleRegisters():
                read, written = (
                    _range(request.read_address, request.read_count),
                    _range(request.write_address, len(request.values)),
                )
                return f"{name}: read {read}, write {written}"
            case Diagnose():
                return f"{name}: {_sub_function(request.sub_function)}"
            case ReadDeviceIdentification():
                code = IdentificationCode(request.code).name.lower()
                return f"{name}: {code} from object {request.object_id} on"
        if request.function in _READ_TABLES:
            span: Any = request
            return f"{name} {_range(span.address, span.count)}"
        return name

    def told(self, item: Exchange | Stray) -> str:
        """What was answered beyond registers and bits, in words; often nothing."""
        if isinstance(item, Exchange) and isinstance(item.request.request, MaskWriteRegister):
            request = item.request.request
            tag = self._tags.get((item.unit, "holding"), {}).get(request.address)
            where = tag.name if tag is not None else f"holding {request.address}"
            masks = f"{where}: and {_raw(request.and_mask)}, or {_raw(request.or_mask)}"
            return masks if item.outcome is not Outcome.DECLINED else f"{masks}; {self._told(item.response)}"
        return self._told(item.response)

    def _told(self, observed: Any) -> str:
        if observed is None:
            return ""
        match observed.response:
            case ExceptionResponse(code=code):
                return exception_words(int(code))
            case DiagnoseResponse() as response:
                if response.sub_function == SubFunction.RETURN_QUERY_DATA:
                    return f"data {response.data.hex(' ')}"
                return f"{_sub_function(response.sub_function)} {response.value}"
            case GetCommEventCounterResponse() as response:
                return f"{response.events} events, {'busy' if response.busy else 'not busy'}"
            case ReportServerIdResponse(data=data):
                return _text(data)
            case ReadDeviceIdentificationResponse() as response:
                objects = [
                    f"{_OBJECTS.get(number, f'object {number}')} {_text(value)}" for number, value in response.objects
                ]
                more = [f"more from object {response.next_object_id} on"] if response.more_follows else []
                return ", ".join(objects + more)
            case RawResponse(pdu=pdu):
                return f"data {pdu[1:].hex(' ')}"
            case _:
                return ""


def _range(address: int, count: int) -> str:
    return str(address) if count == 1 else f"{address} … {address + count - 1}"


def _raw(value: Value) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value} (0x{value:04X})"


def _number(value: Value) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _sub_function(number: int) -> str:
    try:
        return SubFunction(number).name.lower().replace("_", " ")
    except ValueError:
        return f"sub-function {number}"


def _text(data: bytes) -> str:
    """Text as it stands there; bytes that are none by their number."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}" for byte in data)
