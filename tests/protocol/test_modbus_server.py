"""The server answers what is for it, as the state diagrams say, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.protocol import (
    Client,
    Diagnose,
    ExceptionCode,
    ExceptionReceived,
    ExceptionResponse,
    GetCommEventCounter,
    IdentificationCode,
    InvalidRequest,
    LocalProtocolError,
    MaskWriteRegister,
    MaskWriteRegisterResponse,
    ModbusError,
    RawRequest,
    RawResponse,
    ReadCoils,
    ReadCoilsResponse,
    ReadDeviceIdentification,
    ReadDeviceIdentificationResponse,
    ReadDiscreteInputs,
    ReadDiscreteInputsResponse,
    ReadFifoQueue,
    ReadHoldingRegisters,
    ReadHoldingRegistersResponse,
    ReadInputRegisters,
    ReadInputRegistersResponse,
    ReadWriteMultipleRegisters,
    ReadWriteMultipleRegistersResponse,
    ReportServerId,
    Request,
    RequestReceived,
    ResponseReceived,
    Server,
    WriteMultipleCoils,
    WriteMultipleCoilsResponse,
    WriteMultipleRegisters,
    WriteMultipleRegistersResponse,
    WriteSingleCoil,
    WriteSingleCoilResponse,
    WriteSingleRegister,
    WriteSingleRegisterResponse,
    append_crc,
    encode_frame,
    encode_pdu,
    identify,
    pack_bits,
    pack_registers,
    respond,
)
from tests.protocol.modbus_messages import (
    PAUSE_NS,
    START_NS,
    TIMING,
    events,
    feed,
    modest,
    requests,
    settle,
    words,
)

OURS = 17


@dataclass
class Memory:
    """A store with addresses 0 to 9 that remembers what was done to it, in order."""

    bits: list[bool] = field(default_factory=lambda: [False] * 10)
    words: list[int] = field(default_factory=lambda: list(range(100, 110)))
    identification: dict[int, bytes] = field(default_factory=dict)
    broken: bool = False
    log: list[str] = field(default_factory=list)

    def _check(self, what: str, address: int, count: int) -> None:
        if address + count > 10:
            raise ModbusError(ExceptionCode.ILLEGAL_DATA_ADDRESS)
        if self.broken:
            raise ModbusError(ExceptionCode.SERVER_DEVICE_FAILURE)
        self.log.append(what)

    def read_coils(self, address: int, count: int) -> Sequence[bool]:
        self._check("read coils", address, count)
        return self.bits[address : address + count]

    def read_discrete_inputs(self, address: int, count: int) -> Sequence[bool]:
        self._check("read inputs", address, count)
        return [not bit for bit in self.bits[address : address + count]]

    def read_holding_registers(self, address: int, count: int) -> Sequence[int]:
        self._check("read registers", address, count)
        return self.words[address : address + count]

    def read_input_registers(self, address: int, count: int) -> Sequence[int]:
        self._check("read input registers", address, count)
        return [word + 1 for word in self.words[address : address + count]]

    def write_coils(self, address: int, values: Sequence[bool]) -> None:
        self._check("write coils", address, len(values))
        self.bits[address : address + len(values)] = values

    def write_registers(self, address: int, values: Sequence[int]) -> None:
        self._check("write registers", address, len(values))
        self.words[address : address + len(values)] = values

    def device_identification(self) -> Mapping[int, bytes]:
        return self.identification


def receive(frame: bytes) -> tuple[Server, list[RequestReceived]]:
    server = Server([OURS], TIMING)
    settle(server, feed(server, [frame]))
    return server, [event for event in events(server) if isinstance(event, RequestReceived)]


def test_every_function_reads_and_writes_the_store() -> None:
    store = Memory()
    assert respond(WriteMultipleCoils(1, (True, True)), store) == WriteMultipleCoilsResponse(1, 2)
    assert respond(WriteSingleCoil(2, False), store) == WriteSingleCoilResponse(2, False)
    assert respond(ReadCoils(0, 3), store) == ReadCoilsResponse((False, True, False))
    assert respond(ReadDiscreteInputs(0, 3), store) == ReadDiscreteInputsResponse((True, False, True))
    assert respond(WriteMultipleRegisters(0, (5, 6)), store) == WriteMultipleRegistersResponse(0, 2)
    assert respond(WriteSingleRegister(1, 0x12), store) == WriteSingleRegisterResponse(1, 0x12)
    assert respond(MaskWriteRegister(1, 0xF2, 0x25), store) == MaskWriteRegisterResponse(1, 0xF2, 0x25)
    assert respond(ReadHoldingRegisters(0, 3), store) == ReadHoldingRegistersResponse((5, 0x17, 102))
    assert respond(ReadInputRegisters(0, 1), store) == ReadInputRegistersResponse((6,))


def test_function_23_writes_before_it_reads() -> None:
    request = ReadWriteMultipleRegisters(0, 3, 1, (7, 8))
    assert respond(request, Memory()) == ReadWriteMultipleRegistersResponse((100, 7, 8))


@pytest.mark.parametrize(
    "request_", [ReadWriteMultipleRegisters(9, 2, 0, (7,)), ReadWriteMultipleRegisters(0, 1, 9, (7, 8))]
)
def test_function_23_writes_nothing_if_either_address_is_bad(request_: Request) -> None:
    store = Memory()
    assert respond(request_, store) == ExceptionResponse(23, ExceptionCode.ILLEGAL_DATA_ADDRESS)
    assert "write registers" not in store.log


@modest
@given(words, words, words)
def test_mask_takes_each_bit_from_the_register_or_from_or_mask(register: int, and_mask: int, or_mask: int) -> None:
    result = MaskWriteRegister(0, and_mask, or_mask).apply(register)
    for bit in range(16):
        source = register if and_mask >> bit & 1 else or_mask
        assert result >> bit & 1 == source >> bit & 1
    assert result <= 0xFFFF


@pytest.mark.parametrize("last", [ReadCoils(65_535, 2), WriteMultipleRegisters(65_535, (1, 2))])
def test_span_beyond_the_last_address_never_reaches_the_store(last: Request) -> None:
    store = Memory(broken=True)  # would answer 4
    assert respond(last, store) == ExceptionResponse(last.function, ExceptionCode.ILLEGAL_DATA_ADDRESS)


def test_checks_come_in_the_order_function_quantity_address_execution() -> None:
    broken = Memory(broken=True)
    cases = [
        (RawRequest(b"\x41"), 1),
        (RawRequest(encode_pdu(ReadCoils(60_000, 1))[:3] + b"\x00\x00"), 3),
        (ReadCoils(60_000, 1), 2),
        (ReadCoils(0, 1), 4),
    ]
    for request, code in cases:
        _, (event,) = receive(encode_frame(OURS, request))
        assert respond(event.request, broken) == ExceptionResponse(request.function, ExceptionCode(code))


def test_request_built_with_an_illegal_count_is_declined_too() -> None:
    assert respond(ReadCoils(0, 0), Memory()) == ExceptionResponse(1, ExceptionCode.ILLEGAL_DATA_VALUE)


def test_store_that_returns_too_little_is_a_bug_and_said_so() -> None:
    class Short(Memory):
        def read_coils(self, address: int, count: int) -> Sequence[bool]:
            return [True]

    with pytest.raises(LocalProtocolError, match="returned 1 values, expected 2"):
        respond(ReadCoils(0, 2), Short())


class Packed(Memory):
    """The same, and it can say it in bytes."""

    def register_bytes(self, table: str, address: int, count: int) -> bytes:
        read = self.read_holding_registers if table == "holding" else self.read_input_registers
        return pack_registers(read(address, count))

    def bit_bytes(self, table: str, address: int, count: int) -> bytes:
        return pack_bits((self.read_coils if table == "coil" else self.read_discrete_inputs)(address, count))


@modest
@given(requests)
def test_a_store_that_gives_bytes_is_answered_for_alike(request: Request) -> None:
    plain, packed = Memory(), Packed()
    assert encode_pdu(respond(request, packed)) == encode_pdu(respond(request, plain))
    assert packed.log == plain.log


@pytest.mark.parametrize("kind", [ReadCoils, ReadDiscreteInputs, ReadHoldingRegisters, ReadInputRegisters])
@pytest.mark.parametrize("count", [1, 9])
def test_reads_of_bytes_answer_like_reads_of_values(kind: type[ReadCoils], count: int) -> None:
    plain, packed = Memory(bits=[True, False] * 5), Packed(bits=[True, False] * 5)
    assert respond(kind(1, count), packed) == respond(kind(1, count), plain)


def test_bytes_of_the_wrong_number_are_a_bug_too() -> None:
    class Short(Packed):
        def register_bytes(self, table: str, address: int, count: int) -> bytes:
            return b"\x00"

    with pytest.raises(LocalProtocolError, match="returned 1 bytes, expected 4"):
        respond(ReadInputRegisters(0, 2), Short())


@pytest.mark.parametrize("pdu", ["03 0000 0000", "03 0000 007E", "10 0000 0002 02 0001", "05 0000 1234"])
def test_complete_request_with_an_illegal_quantity_is_answered_with_exception_3(pdu: str) -> None:
    server, (event,) = receive(append_crc(bytes([OURS]) + bytes.fromhex(pdu)))
    assert isinstance(event.request, InvalidRequest)
    assert event.request.reason
    response = respond(event.request, Memory())
    assert response == ExceptionResponse(bytes.fromhex(pdu)[0], ExceptionCode.ILLEGAL_DATA_VALUE)
    frame = server.send(response, event, event.end_ns + PAUSE_NS)
    assert frame == encode_frame(OURS, response)
    assert (server.counters.answers, server.counters.exceptions) == (1, 1)


def test_request_of_the_wrong_length_is_answered_with_exception_3() -> None:
    _, (event,) = receive(append_crc(bytes([OURS, 3, 0, 0, 0])))
    assert respond(event.request, Memory()) == ExceptionResponse(3, ExceptionCode.ILLEGAL_DATA_VALUE)


@pytest.mark.parametrize("request_", [Diagnose(0), GetCommEventCounter(), ReportServerId(), ReadFifoQueue(3)])
def test_functions_of_the_line_are_unknown_to_a_store_that_has_nothing_to_say_about_it(request_: Request) -> None:
    assert respond(request_, Memory()) == ExceptionResponse(request_.function, ExceptionCode.ILLEGAL_FUNCTION)


@pytest.mark.parametrize("function", [0, 7, 9, 12, 20, 0x41, 0x7F])
def test_unknown_function_is_answered_with_exception_1(function: int) -> None:
    _, (event,) = receive(append_crc(bytes([OURS, function, 0, 0])))
    assert respond(event.request, Memory()) == ExceptionResponse(function, ExceptionCode.ILLEGAL_FUNCTION)


def test_exception_response_to_ourselves_is_no_request() -> None:
    server, heard = receive(encode_frame(OURS, ExceptionResponse(3, ExceptionCode.ILLEGAL_FUNCTION)))
    assert heard == []
    assert server.counters.bus_errors == 0


def test_bad_crc_is_silence_and_counted() -> None:
    frame = bytearray(encode_frame(OURS, WriteSingleRegister(1, 2)))
    frame[-1] ^= 0x10
    server, heard = receive(bytes(frame))
    assert heard == []
    assert (server.counters.bus_errors, server.counters.bus_messages) == (1, 0)


def test_broadcast_write_is_handled_without_an_answer() -> None:
    request = WriteSingleRegister(1, 2)
    server, (event,) = receive(encode_frame(0, request))
    assert event.is_broadcast
    assert server.send(respond(request, Memory()), event, event.end_ns) == b""
    assert (server.counters.broadcasts, server.counters.answers) == (1, 0)


@pytest.mark.parametrize(
    "frame",
    [
        encode_frame(0, ReadCoils(0, 1)),
        append_crc(bytes([0, 3, 0, 0, 0, 0])),
        append_crc(bytes([0, 0x41])),
        append_crc(bytes([0, 5, 0, 0, 1, 1])),
    ],
)
def test_broadcast_that_is_no_sound_write_is_ignored(frame: bytes) -> None:
    server, heard = receive(frame)
    assert heard == []
    assert server.counters.ignored_broadcasts == 1


@modest
@given(requests, st.integers(1, 247).filter(lambda unit: unit != OURS))
def test_requests_to_others_are_ignored_silently(request: Request, unit: int) -> None:
    server, heard = receive(encode_frame(unit, request))
    assert heard == []
    assert server.counters.bus_errors == 0


def test_one_server_can_answer_for_several_units() -> None:
    server = Server([1, 2], TIMING)
    feed(server, [encode_frame(unit, ReadCoils(0, 1)) for unit in (1, 2, 3)])
    assert [event.unit for event in events(server)] == [1, 2]


@pytest.mark.parametrize("units", [[], [0], [248]])
def test_server_without_a_possible_address_is_refused(units: list[int]) -> None:
    with pytest.raises(LocalProtocolError, match="1 to 247"):
        Server(units, TIMING)


def test_answer_to_another_function_or_before_the_end_of_the_request_is_refused() -> None:
    server, (event,) = receive(encode_frame(OURS, ReadCoils(0, 1)))
    with pytest.raises(LocalProtocolError, match="function 6, expected 1"):
        server.send(WriteSingleRegisterResponse(0, 0), event, event.end_ns)
    with pytest.raises(LocalProtocolError, match="after"):
        server.send(ReadCoilsResponse((True,)), event, event.end_ns - 1)
    assert server.send(RawResponse(b"\x06"), event, event.end_ns) == append_crc(bytes([OURS, 6]))


@modest
@given(requests)
def test_client_and_server_understand_each_other(request: Request) -> None:
    store = Memory(identification={0: b"maker", 0x80: b"x" * 200, 0x81: b"y" * 200})
    client, server = Client(TIMING), Server([OURS], TIMING)
    frame = client.send(request, OURS, START_NS)
    now = feed(server, [frame])
    (event,) = events(server)
    answer = server.send(respond(event.request, store), event, now + PAUSE_NS)
    feed(client, [answer], now + PAUSE_NS)
    (outcome,) = events(client)
    assert isinstance(outcome, ResponseReceived | ExceptionReceived)
    assert outcome.request == request


OBJECTS = {
    0: b"maker",
    1: b"press",
    2: b"1.0",
    4: b"rig",
    0x80: b"a" * 200,
    0x90: b"b" * 44,
    0xFF: b"c" * 244,
}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (IdentificationCode.BASIC, [0, 1, 2]),
        (IdentificationCode.REGULAR, [0, 1, 2, 4]),
        (IdentificationCode.EXTENDED, [0, 1, 2, 4, 0x80, 0x90, 0xFF]),
    ],
)
def test_identification_is_streamed_until_nothing_follows(code: IdentificationCode, expected: list[int]) -> None:
    request: ReadDeviceIdentification | None = ReadDeviceIdentification(code)
    read: list[tuple[int, bytes]] = []
    while request is not None:
        response = identify(request, OBJECTS)
        assert len(encode_pdu(response)) <= 253
        assert response.conformity == 0x83
        read += response.objects
        request = response.next_request()
    assert read == [(number, OBJECTS[number]) for number in expected]


def test_identification_stream_from_an_unknown_object_begins_at_the_first() -> None:
    response = identify(ReadDeviceIdentification(IdentificationCode.REGULAR, 3), OBJECTS)
    assert response.objects[0] == (0, b"maker")


def test_category_above_what_the_device_has_gives_what_it_has() -> None:
    response = identify(ReadDeviceIdentification(IdentificationCode.EXTENDED), {0: b"maker", 1: b"press"})
    assert response == ReadDeviceIdentificationResponse(
        IdentificationCode.EXTENDED, 0x81, ((0, b"maker"), (1, b"press"))
    )


@pytest.mark.parametrize(
    ("request_", "objects", "code"),
    [
        (ReadDeviceIdentification(IdentificationCode.INDIVIDUAL, 5), OBJECTS, 2),
        (ReadDeviceIdentification(), {}, 1),
        (ReadDeviceIdentification(), {0: bytes(245)}, 4),
    ],
)
def test_identification_that_cannot_be_given_is_declined(
    request_: ReadDeviceIdentification, objects: dict[int, bytes], code: int
) -> None:
    assert respond(request_, Memory(identification=objects)) == ExceptionResponse(43, ExceptionCode(code))


def test_single_object_is_read_alone() -> None:
    response = identify(ReadDeviceIdentification(IdentificationCode.INDIVIDUAL, 2), OBJECTS)
    assert response.objects == ((2, b"1.0"),)
    assert response.next_request() is None
