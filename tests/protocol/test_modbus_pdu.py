"""Requests and responses go to bytes and back; limits are named, and so is who broke them."""

from __future__ import annotations

import copy
import pickle
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.protocol import (
    ExceptionCode,
    ExceptionResponse,
    IdentificationCode,
    LocalProtocolError,
    ModbusError,
    RawRequest,
    RawResponse,
    ReadCoils,
    ReadCoilsResponse,
    ReadDeviceIdentification,
    ReadDeviceIdentificationResponse,
    ReadDiscreteInputs,
    ReadHoldingRegisters,
    ReadHoldingRegistersResponse,
    ReadInputRegisters,
    ReadWriteMultipleRegisters,
    RemoteProtocolError,
    Request,
    Response,
    WriteMultipleCoils,
    WriteMultipleRegisters,
    WriteSingleCoil,
    WriteSingleRegister,
    WriteSingleRegisterResponse,
    decode_request,
    decode_response,
    encode_frame,
    encode_pdu,
    request_length,
    response_length,
)
from rig.protocol.payloads import Bits, Registers
from tests.protocol.modbus_messages import exchanges, modest, requests


@modest
@given(requests)
def test_request_survives_the_wire(request: Request) -> None:
    assert decode_request(encode_pdu(request)) == request


@modest
@given(exchanges)
def test_answer_survives_the_wire_when_the_request_is_known(exchange: tuple[Request, Response]) -> None:
    request, response = exchange
    assert decode_response(encode_pdu(response), request) == response


@modest
@given(exchanges)
def test_length_is_told_from_every_prefix_or_not_at_all(exchange: tuple[Request, Response]) -> None:
    for message, length_of in zip(exchange, (request_length, response_length), strict=True):
        frame = encode_frame(17, message)
        told = [length_of(frame[:end]) for end in range(len(frame) + 1)]
        assert set(told) <= {0, len(frame)}
        assert told == sorted(told)  # once told, it stays
        assert told[-1] == len(frame)
        assert length_of(b"\x11\x03" + frame, 2) == len(frame)


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        (ReadCoils(0, 0), "1 to 2000"),
        (ReadCoils(0, 2001), "1 to 2000"),
        (ReadDiscreteInputs(0, 2001), "1 to 2000"),
        (ReadHoldingRegisters(0, 126), "1 to 125"),
        (ReadInputRegisters(0, -1), "1 to 125"),
        (ReadHoldingRegisters(65_536, 1), "0 to 65535"),
        (WriteSingleRegister(0, 65_536), "0 to 65535"),
        (WriteSingleRegister(-1, 0), "0 to 65535"),
        (WriteMultipleCoils(0, ()), "1 to 1968"),
        (WriteMultipleCoils(0, (True,) * 1969), "1 to 1968"),
        (WriteMultipleRegisters(0, ()), "1 to 123"),
        (WriteMultipleRegisters(0, (0,) * 124), "1 to 123"),
        (WriteMultipleRegisters(0, (1.5,)), "0 to 65535"),  # type: ignore[arg-type]
        (ReadWriteMultipleRegisters(0, 126, 0, (0,)), "1 to 125"),
        (ReadWriteMultipleRegisters(0, 1, 0, (0,) * 122), "1 to 121"),
        (ReadDeviceIdentification(5), "1 to 4"),  # type: ignore[arg-type]
        (ReadDeviceIdentification(IdentificationCode.BASIC, 256), "0 to 255"),
        (RawRequest(b""), "1 to 253"),
        (RawRequest(bytes(254)), "1 to 253"),
        (RawRequest(b"\x83"), "0 to 127"),
        (RawResponse(b""), "1 to 253"),
        (ReadCoilsResponse(()), "1 to 2000"),
        (ReadHoldingRegistersResponse((0,) * 126), "1 to 125"),
        (ExceptionResponse(128, ExceptionCode.ILLEGAL_FUNCTION), "0 to 127"),
        (ReadDeviceIdentificationResponse(IdentificationCode.BASIC, 1, ((0, bytes(245)),)), "at most 253"),
    ],
)
def test_illegal_message_is_the_callers_fault_and_the_limit_is_named(message: Any, limit: str) -> None:
    with pytest.raises(LocalProtocolError, match=limit):
        encode_pdu(message)


def test_largest_messages_fill_the_frame_and_no_more() -> None:
    largest = [
        WriteMultipleCoils(0, (True,) * 1968),
        WriteMultipleRegisters(0, (0xFFFF,) * 123),
        ReadWriteMultipleRegisters(0, 125, 0, (1,) * 121),
    ]
    for request in largest:
        frame = encode_frame(1, request)
        assert len(frame) <= 256
        assert request_length(frame) == len(frame)
        assert decode_request(frame[1:-2]) == request
    assert len(encode_frame(1, ReadHoldingRegistersResponse((0,) * 125))) == 255


@pytest.mark.parametrize(
    ("pdu", "code"),
    [
        ("", ExceptionCode.ILLEGAL_FUNCTION),
        ("07", ExceptionCode.ILLEGAL_FUNCTION),
        ("00 0000 0001", ExceptionCode.ILLEGAL_FUNCTION),
        ("2B 0D 01 00", ExceptionCode.ILLEGAL_FUNCTION),
        ("03 0000 0000", ExceptionCode.ILLEGAL_DATA_VALUE),
        ("03 0000 007E", ExceptionCode.ILLEGAL_DATA_VALUE),
        ("01 0000 07D1", ExceptionCode.ILLEGAL_DATA_VALUE),
        ("03 0000 00", ExceptionCode.ILLEGAL_DATA_VALUE),
        ("03 0000 0001 00", ExceptionCode.ILLEGAL_DATA_VALUE),
        ("05 0000 FF01", ExceptionCode.ILLEGAL_DATA_VALUE),
        ("0F 0000 0009 01 FF", ExceptionCode.ILLEGAL_DATA_VALUE),
        ("0F 0000 0000 00", ExceptionCode.ILLEGAL_DATA_VALUE),
        ("10 0000 0002 02 0001", ExceptionCode.ILLEGAL_DATA_VALUE),
        ("10 0000 0001 02 0001 00", ExceptionCode.ILLEGAL_DATA_VALUE),
        ("10 0000 0000 00", ExceptionCode.ILLEGAL_DATA_VALUE),
        ("10 0000", ExceptionCode.ILLEGAL_DATA_VALUE),
        ("16 0000 0000", ExceptionCode.ILLEGAL_DATA_VALUE),
        ("17 0000 0000 0000 0001 02 0001", ExceptionCode.ILLEGAL_DATA_VALUE),
        ("17 0000 0001 0000 0002 02 0001", ExceptionCode.ILLEGAL_DATA_VALUE),
        ("2B 0E 05 00", ExceptionCode.ILLEGAL_DATA_VALUE),
        ("2B 0E 01", ExceptionCode.ILLEGAL_DATA_VALUE),
        ("2B", ExceptionCode.ILLEGAL_DATA_VALUE),
    ],
)
def test_illegal_request_is_the_clients_fault_and_knows_its_exception(pdu: str, code: ExceptionCode) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decode_request(bytes.fromhex(pdu))
    assert caught.value.code is code


@pytest.mark.parametrize(
    ("pdu", "request_"),
    [
        ("", None),
        ("07 00", None),
        ("03 04 0001", None),
        ("03 03 000102", None),
        ("03 00", None),
        ("81", None),
        ("81 02 00", None),
        ("06 0001", None),
        ("01 FB" + "00" * 251, None),
        ("2B 0E 01 01 00 00 01 00 05 41", None),
        ("2B 0E 01 01 00 00 01 00 01 41 42", None),
        ("2B 0E 01 01 00 00 02 00 01 41", None),
        ("2B 0E 01", None),
        ("2B 0D 01 01 00 00 00", None),
        ("04 02 0001", ReadHoldingRegisters(0, 1)),
        ("84 02", ReadHoldingRegisters(0, 1)),
        ("03 02 0001", ReadHoldingRegisters(0, 2)),
        ("17 02 0001", ReadWriteMultipleRegisters(0, 2, 0, (1,))),
        ("01 01 FF", ReadCoils(0, 9)),
        ("05 0001 0000", WriteSingleCoil(1, True)),
        ("06 0001 0003", WriteSingleRegister(1, 4)),
        ("10 0001 0003", WriteMultipleRegisters(1, (1, 2))),
        ("0F 0002 0002", WriteMultipleCoils(1, (True, True))),
        ("2B 0E 02 01 00 00 00", ReadDeviceIdentification()),
    ],
)
def test_answer_that_is_unsound_or_to_something_else_is_the_servers_fault(pdu: str, request_: Any) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_response(bytes.fromhex(pdu), request_)


@modest
@given(st.binary(max_size=260), requests)
def test_decoders_raise_nothing_but_remote_protocol_error(pdu: bytes, request: Request) -> None:
    for decode in (decode_request, decode_response, lambda data: decode_response(data, request)):
        with suppress(RemoteProtocolError):
            decode(pdu)


def test_coils_come_in_whole_bytes_when_the_request_is_unknown() -> None:
    response = decode_response(bytes.fromhex("01 01 05"))
    assert response == ReadCoilsResponse((True, False, True, False, False, False, False, False))


@modest
@given(exchanges)
def test_values_and_payload_say_the_same(exchange: tuple[Request, Response]) -> None:
    request, response = exchange
    if not isinstance(response, Bits | Registers):
        return
    assert encode_pdu(response)[2:] == response.payload
    came = decode_response(encode_pdu(response), request)
    assert isinstance(came, Bits | Registers)
    assert came.payload == response.payload
    assert came.values == response.values
    assert came.count == response.count == len(response.values)


def test_padding_that_is_not_zero_is_not_kept() -> None:
    response = decode_response(bytes.fromhex("01 02 FF FF"), ReadCoils(0, 11))
    assert isinstance(response, ReadCoilsResponse)
    assert response.payload == b"\xff\x07"
    assert response == ReadCoilsResponse((True,) * 11)


def test_any_answer_with_its_function_code_fits_a_raw_request() -> None:
    assert decode_response(b"\x41\x01\x02", RawRequest(b"\x41")) == RawResponse(b"\x41\x01\x02")
    assert decode_response(b"\x06\x00\x01\x00\x03", RawRequest(b"\x06")) == WriteSingleRegisterResponse(1, 3)


def test_unlisted_exception_code_is_still_an_exception() -> None:
    response = decode_response(b"\x83\x42")
    assert isinstance(response, ExceptionResponse)
    assert response.code == 0x42
    assert response.code.name == "RESERVED_42"
    assert encode_pdu(response) == b"\x83\x42"
    with pytest.raises(ValueError, match="256"):
        ExceptionCode(256)


@modest
@given(exchanges)
def test_messages_are_values(exchange: tuple[Request, Response]) -> None:
    for message in exchange:
        assert pickle.loads(pickle.dumps(message)) == message
        assert copy.deepcopy(message) == message
        hash(message)


def test_errors_keep_what_they_say_when_rebuilt_from_their_arguments() -> None:
    remote = RemoteProtocolError("why", ExceptionCode.ILLEGAL_FUNCTION)
    declined = ModbusError(ExceptionCode.SERVER_DEVICE_BUSY, "heating up")
    for error in (remote, declined):
        again = type(error)(*error.args)  # type: ignore[arg-type]
        assert (str(again), again.code) == (str(error), error.code)
    assert str(declined) == "exception 6, server device busy: heating up"
    assert str(ModbusError(ExceptionCode.ILLEGAL_FUNCTION)) == "exception 1, illegal function"
