"""Strategies and small tools that the Modbus tests share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from rig.protocol import (
    AnyRequest,
    Diagnose,
    DiagnoseResponse,
    ExceptionCode,
    ExceptionResponse,
    GetCommEventCounter,
    GetCommEventCounterResponse,
    IdentificationCode,
    LineTiming,
    MaskWriteRegister,
    MaskWriteRegisterResponse,
    ReadCoils,
    ReadCoilsResponse,
    ReadDeviceIdentification,
    ReadDeviceIdentificationResponse,
    ReadDiscreteInputs,
    ReadDiscreteInputsResponse,
    ReadFifoQueue,
    ReadFifoQueueResponse,
    ReadHoldingRegisters,
    ReadHoldingRegistersResponse,
    ReadInputRegisters,
    ReadInputRegistersResponse,
    ReadWriteMultipleRegisters,
    ReadWriteMultipleRegistersResponse,
    ReportServerId,
    ReportServerIdResponse,
    Request,
    Response,
    WriteMultipleCoils,
    WriteMultipleCoilsResponse,
    WriteMultipleRegisters,
    WriteMultipleRegistersResponse,
    WriteSingleCoil,
    WriteSingleCoilResponse,
    WriteSingleRegister,
    WriteSingleRegisterResponse,
)

TIMING = LineTiming(115_200)
CHAR_NS = TIMING.char_ns
PAUSE_NS = TIMING.t3_5_ns
START_NS = 1_000_000_000

# The machine that runs this is shared; how long one example takes says nothing.
modest = settings(deadline=None, max_examples=60)

words = st.integers(0, 0xFFFF)
units = st.integers(1, 247)


def bits(most: int = 40) -> st.SearchStrategy[tuple[bool, ...]]:
    return st.lists(st.booleans(), min_size=1, max_size=most).map(tuple)


def registers(most: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.lists(words, min_size=1, max_size=most).map(tuple)


identification_objects = st.dictionaries(st.integers(0, 255), st.binary(max_size=60), min_size=1, max_size=3)

requests: st.SearchStrategy[Request] = st.one_of(
    st.builds(ReadCoils, words, st.integers(1, 2000)),
    st.builds(ReadDiscreteInputs, words, st.integers(1, 2000)),
    st.builds(ReadHoldingRegisters, words, st.integers(1, 125)),
    st.builds(ReadInputRegisters, words, st.integers(1, 125)),
    st.builds(WriteSingleCoil, words, st.booleans()),
    st.builds(WriteSingleRegister, words, words),
    st.builds(WriteMultipleCoils, words, bits()),
    st.builds(WriteMultipleRegisters, words, registers(123)),
    st.builds(MaskWriteRegister, words, words, words),
    st.builds(ReadWriteMultipleRegisters, words, st.integers(1, 125), words, registers(121)),
    st.builds(Diagnose, st.just(0), words.map(lambda word: word.to_bytes(2, "big"))),
    st.builds(Diagnose, st.sampled_from([1, 2, 4, *range(10, 19), 20])),
    st.builds(GetCommEventCounter),
    st.builds(ReportServerId),
    st.builds(ReadFifoQueue, words),
    st.builds(ReadDeviceIdentification, st.sampled_from(IdentificationCode), st.integers(0, 255)),
)


def answers_to(request: Request) -> st.SearchStrategy[Response]:
    """Answers that fit a request."""

    def exactly(count: int, values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
        few = st.lists(values, min_size=1, max_size=8)
        return few.map(lambda some: tuple(some[index % len(some)] for index in range(count)))

    match request:
        case ReadCoils(_, count):
            return st.builds(ReadCoilsResponse, exactly(count, st.booleans()))
        case ReadDiscreteInputs(_, count):
            return st.builds(ReadDiscreteInputsResponse, exactly(count, st.booleans()))
        case ReadHoldingRegisters(_, count):
            return st.builds(ReadHoldingRegistersResponse, exactly(count, words))
        case ReadInputRegisters(_, count):
            return st.builds(ReadInputRegistersResponse, exactly(count, words))
        case WriteSingleCoil(address, value):
            return st.just(WriteSingleCoilResponse(address, value))
        case WriteSingleRegister(address, word):
            return st.just(WriteSingleRegisterResponse(address, word))
        case WriteMultipleCoils(address, coils):
            return st.just(WriteMultipleCoilsResponse(address, len(coils)))
        case WriteMultipleRegisters(address, values):
            return st.just(WriteMultipleRegistersResponse(address, len(values)))
        case MaskWriteRegister(address, and_mask, or_mask):
            return st.just(MaskWriteRegisterResponse(address, and_mask, or_mask))
        case ReadWriteMultipleRegisters(_, count):
            return st.builds(ReadWriteMultipleRegistersResponse, exactly(count, words))
        case Diagnose(0, data):
            return st.just(DiagnoseResponse(0, data))
        case Diagnose(sub_function):
            return words.map(lambda word: DiagnoseResponse(sub_function, word.to_bytes(2, "big")))
        case GetCommEventCounter():
            return st.builds(GetCommEventCounterResponse, st.booleans(), words)
        case ReportServerId():
            return st.binary(min_size=3, max_size=40).map(lambda data: ReportServerIdResponse(data + b"\xff"))
        case ReadFifoQueue():
            return st.lists(words, max_size=31).map(lambda values: ReadFifoQueueResponse(tuple(values)))
        case ReadDeviceIdentification(code):
            return st.builds(
                ReadDeviceIdentificationResponse,
                st.just(code),
                st.just(0x83),
                identification_objects.map(lambda objects: tuple(sorted(objects.items()))),
            )


def exceptions_to(request: AnyRequest) -> st.SearchStrategy[ExceptionResponse]:
    return st.builds(ExceptionResponse, st.just(request.function), st.sampled_from(list(ExceptionCode)))


exchanges: st.SearchStrategy[tuple[Request, Response]] = requests.flatmap(
    lambda request: st.tuples(st.just(request), answers_to(request) | exceptions_to(request))
)


@st.composite
def split(draw: st.DrawFn, data: bytes) -> list[bytes]:
    """Cut bytes anywhere: whole, byte by byte, or at random places."""
    way = draw(st.sampled_from(["whole", "bytes", "random"]))
    if way == "whole" or len(data) < 2:
        return [data]
    if way == "bytes":
        return [data[index : index + 1] for index in range(len(data))]
    cuts = sorted(draw(st.sets(st.integers(1, len(data) - 1), max_size=5)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def feed(role: Any, chunks: Sequence[bytes], start: int = START_NS) -> int:
    """Give chunks to a role as a line without pauses would; return when the last byte was complete."""
    now = start
    for chunk in chunks:
        now += len(chunk) * CHAR_NS
        role.receive(chunk, now)
    return now


def events(role: Any) -> list[Any]:
    """Take all events."""
    taken = []
    while (event := role.next_event()) is not None:
        taken.append(event)
    return taken


def settle(role: Any, now: int) -> int:
    """Let the line be silent until nothing is unfinished; return a time after that."""
    later = now + PAUSE_NS
    role.expire(later)
    return later
