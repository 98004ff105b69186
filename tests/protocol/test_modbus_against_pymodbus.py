"""An implementation nobody here wrote reads what we write, and we read what it writes.

Known to differ, and kept out by name:

* pymodbus allows 2000 coils in one write, the specification 1968;
* its identification answers always claim conformity 0x83, so ours do here;
* an identification answer it has read counts its objects twice when encoded again;
* it passes no reserved function or exception code on, so only listed ones are compared;
* it takes the answer with a queue (function 24) for two bytes shorter than it is, and answers a request to listen only
  (function 8, sub-function 4), which nobody does.
"""

from __future__ import annotations

from typing import Any

import pymodbus.pdu.bit_message as bit
import pymodbus.pdu.diag_message as diag
import pymodbus.pdu.file_message as file
import pymodbus.pdu.mei_message as mei
import pymodbus.pdu.other_message as other
import pymodbus.pdu.register_message as reg
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.exceptionresponse import ExceptionResponse as TheirException

from rig.protocol import (
    Diagnose,
    DiagnoseResponse,
    ExceptionResponse,
    GetCommEventCounter,
    GetCommEventCounterResponse,
    IdentificationCode,
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
    SubFunction,
    WriteMultipleCoils,
    WriteMultipleCoilsResponse,
    WriteMultipleRegisters,
    WriteMultipleRegistersResponse,
    WriteSingleCoil,
    WriteSingleCoilResponse,
    WriteSingleRegister,
    WriteSingleRegisterResponse,
    decode_request,
    decode_response,
    encode_frame,
    encode_pdu,
    has_valid_crc,
    identify,
)
from tests.protocol.modbus_messages import exchanges, identification_objects, modest, requests, units

SERVER_SIDE = FramerRTU(DecodePDU(True))
CLIENT_SIDE = FramerRTU(DecodePDU(False))

SPANS: dict[type, type] = {
    ReadCoils: bit.ReadCoilsRequest,
    ReadDiscreteInputs: bit.ReadDiscreteInputsRequest,
    ReadHoldingRegisters: reg.ReadHoldingRegistersRequest,
    ReadInputRegisters: reg.ReadInputRegistersRequest,
    WriteMultipleCoilsResponse: bit.WriteMultipleCoilsResponse,
    WriteMultipleRegistersResponse: reg.WriteMultipleRegistersResponse,
}
BITS: dict[type, type] = {
    ReadCoilsResponse: bit.ReadCoilsResponse,
    ReadDiscreteInputsResponse: bit.ReadDiscreteInputsResponse,
}
REGISTERS: dict[type, type] = {
    ReadHoldingRegistersResponse: reg.ReadHoldingRegistersResponse,
    ReadInputRegistersResponse: reg.ReadInputRegistersResponse,
    ReadWriteMultipleRegistersResponse: reg.ReadWriteMultipleRegistersResponse,
}


DIAGNOSES: dict[tuple[int, str], type] = {
    (kind.sub_function_code, direction): kind
    for direction in ("Request", "Response")
    for name, kind in vars(diag).items()
    if name.endswith(direction) and issubclass(kind, diag.DiagnosticBase)
}


def theirs(message: Any, unit: int) -> Any:
    """The same message as an object of pymodbus."""
    kind = type(message)
    if kind in SPANS:
        return SPANS[kind](address=message.address, count=message.count, dev_id=unit)
    if kind in BITS:
        return BITS[kind](bits=list(message.values), dev_id=unit)
    if kind in REGISTERS:
        return REGISTERS[kind](registers=list(message.values), dev_id=unit)
    match message:
        case WriteSingleCoil(address, value):
            return bit.WriteSingleCoilRequest(address=address, bits=[value], dev_id=unit)
        case WriteSingleCoilResponse(address, value):
            return bit.WriteSingleCoilResponse(address=address, bits=[value], dev_id=unit)
        case WriteSingleRegister(address, value):
            return reg.WriteSingleRegisterRequest(address=address, registers=[value], dev_id=unit)
        case WriteSingleRegisterResponse(address, value):
            return reg.WriteSingleRegisterResponse(address=address, registers=[value], dev_id=unit)
        case WriteMultipleCoils(address, values):
            return bit.WriteMultipleCoilsRequest(address=address, bits=list(values), dev_id=unit)
        case WriteMultipleRegisters(address, values):
            return reg.WriteMultipleRegistersRequest(address=address, registers=list(values), dev_id=unit)
        case MaskWriteRegister(address, and_mask, or_mask):
            return reg.MaskWriteRegisterRequest(address, and_mask, or_mask, dev_id=unit)
        case MaskWriteRegisterResponse(address, and_mask, or_mask):
            return reg.MaskWriteRegisterResponse(address, and_mask, or_mask, dev_id=unit)
        case ReadWriteMultipleRegisters(read_address, count, write_address, values):
            return reg.ReadWriteMultipleRegistersRequest(read_address, count, write_address, list(values), dev_id=unit)
        case ReadDeviceIdentification(code, object_id):
            return mei.ReadDeviceInformationRequest(int(code), object_id, dev_id=unit)
        case ReadDeviceIdentificationResponse(code):
            return mei.ReadDeviceInformationResponse(int(code), dict(message.objects), dev_id=unit)
        case Diagnose(sub_function, data):
            return DIAGNOSES[sub_function, "Request"](message=data, dev_id=unit)
        case DiagnoseResponse(sub_function, data):
            return DIAGNOSES[sub_function, "Response"](message=data, dev_id=unit)
        case GetCommEventCounter():
            return other.GetCommEventCounterRequest(dev_id=unit)
        case GetCommEventCounterResponse(busy, events):
            return other.GetCommEventCounterResponse(status=not busy, count=events, dev_id=unit)
        case ReportServerId():
            return other.ReportDeviceIdRequest(dev_id=unit)
        case ReportServerIdResponse(data):
            return other.ReportDeviceIdResponse(data[:-1], data[-1] == 0xFF, dev_id=unit)
        case ReadFifoQueue(address):
            return file.ReadFifoQueueRequest(address, dev_id=unit)
        case ReadFifoQueueResponse(values):
            return file.ReadFifoQueueResponse(list(values), dev_id=unit)
        case ExceptionResponse(function, code):
            return TheirException(function, int(code), device_id=unit)
    raise AssertionError(f"{message!r} has no counterpart")


@modest
@given(units, requests)
def test_requests_are_the_same_bytes_and_read_the_same_both_ways(unit: int, request: Request) -> None:
    expected = CLIENT_SIDE.buildFrame(theirs(request, unit))
    assert encode_frame(unit, request) == expected
    assert has_valid_crc(expected)
    assert decode_request(expected[1:-2]) == request
    used, read = SERVER_SIDE.handleFrame(expected, unit, 0)
    assert used == len(expected)
    assert type(read) is type(theirs(request, unit))
    assert read is not None
    assert bytes([read.function_code]) + read.encode() == encode_pdu(request)


@modest
@given(units, exchanges)
def test_answers_are_the_same_bytes_and_read_the_same_both_ways(unit: int, exchange: tuple[Request, Response]) -> None:
    request, response = exchange
    assume(not (isinstance(response, DiagnoseResponse) and response.sub_function == SubFunction.FORCE_LISTEN_ONLY))
    expected = SERVER_SIDE.buildFrame(theirs(response, unit))
    assert encode_frame(unit, response) == expected
    assert decode_response(expected[1:-2], request) == response
    if isinstance(response, ReadFifoQueueResponse):
        return
    used, read = CLIENT_SIDE.handleFrame(expected, unit, 0)
    assert used == len(expected)
    assert type(read) is type(theirs(response, unit))
    assert read is not None
    if isinstance(read, mei.ReadDeviceInformationResponse):
        read.number_of_objects = 0
    assert bytes([read.function_code]) + read.encode() == encode_pdu(response)


@modest
@given(st.dictionaries(st.integers(0, 255), st.binary(max_size=120), min_size=1, max_size=6))
def test_long_identification_is_cut_at_the_same_object(objects: dict[int, bytes]) -> None:
    ours = identify(ReadDeviceIdentification(IdentificationCode.EXTENDED), objects)
    other = mei.ReadDeviceInformationResponse(3, dict(sorted(objects.items())))
    other.conformity = ours.conformity
    assert encode_pdu(ours) == b"\x2b" + other.encode()


@modest
@given(identification_objects)
def test_our_identification_streams_are_read_whole(objects: dict[int, bytes]) -> None:
    response = identify(ReadDeviceIdentification(IdentificationCode.EXTENDED), objects)
    _, read = CLIENT_SIDE.handleFrame(encode_frame(1, response), 1, 0)
    assert isinstance(read, mei.ReadDeviceInformationResponse)
    assert read.information == objects


@pytest.mark.parametrize("data", [b"", b"\x00", b"123456789", bytes(range(256))])
def test_crc_agrees(data: bytes) -> None:
    assert has_valid_crc(data + FramerRTU.compute_CRC(data).to_bytes(2, "big"))
