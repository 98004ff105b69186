"""The example exchanges printed in the specifications, byte for byte."""

from __future__ import annotations

from typing import Any

import pytest

from rig.protocol import (
    Diagnose,
    DiagnoseResponse,
    ExceptionCode,
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
    WriteMultipleCoils,
    WriteMultipleCoilsResponse,
    WriteMultipleRegisters,
    WriteMultipleRegistersResponse,
    WriteSingleCoil,
    WriteSingleCoilResponse,
    WriteSingleRegister,
    WriteSingleRegisterResponse,
    append_crc,
    decode_request,
    decode_response,
    encode_frame,
    encode_pdu,
    has_valid_crc,
)


def bits(text: str) -> tuple[bool, ...]:
    return tuple(letter == "1" for letter in text.replace(" ", ""))


EXAMPLES = [
    pytest.param(
        ReadCoils(0x13, 19),
        "01 0013 0013",
        ReadCoilsResponse(bits("10110011 11010110 101")),
        "01 03 CD 6B 05",
        id="6.1",
    ),
    pytest.param(
        ReadDiscreteInputs(0xC4, 22),
        "02 00C4 0016",
        ReadDiscreteInputsResponse(bits("00110101 11011011 101011")),
        "02 03 AC DB 35",
        id="6.2",
    ),
    pytest.param(
        ReadHoldingRegisters(0x6B, 3),
        "03 006B 0003",
        ReadHoldingRegistersResponse((0x022B, 0x0000, 0x0064)),
        "03 06 022B 0000 0064",
        id="6.3",
    ),
    pytest.param(ReadInputRegisters(8, 1), "04 0008 0001", ReadInputRegistersResponse((10,)), "04 02 000A", id="6.4"),
    pytest.param(
        WriteSingleCoil(0xAC, True),
        "05 00AC FF00",
        WriteSingleCoilResponse(0xAC, True),
        "05 00AC FF00",
        id="6.5",
    ),
    pytest.param(
        WriteSingleRegister(1, 3), "06 0001 0003", WriteSingleRegisterResponse(1, 3), "06 0001 0003", id="6.6"
    ),
    pytest.param(
        Diagnose(0, bytes.fromhex("A537")),
        "08 0000 A537",
        DiagnoseResponse(0, bytes.fromhex("A537")),
        "08 0000 A537",
        id="6.8",
    ),
    pytest.param(GetCommEventCounter(), "0B", GetCommEventCounterResponse(True, 0x0108), "0B FFFF 0108", id="6.9"),
    pytest.param(
        ReadFifoQueue(0x04DE), "18 04DE", ReadFifoQueueResponse((0x01B8, 0x1284)), "18 0006 0002 01B8 1284", id="6.18"
    ),
    pytest.param(
        WriteMultipleCoils(0x13, bits("10110011 10")),
        "0F 0013 000A 02 CD01",
        WriteMultipleCoilsResponse(0x13, 10),
        "0F 0013 000A",
        id="6.11",
    ),
    pytest.param(
        WriteMultipleRegisters(1, (0x000A, 0x0102)),
        "10 0001 0002 04 000A 0102",
        WriteMultipleRegistersResponse(1, 2),
        "10 0001 0002",
        id="6.12",
    ),
    pytest.param(
        MaskWriteRegister(4, 0xF2, 0x25),
        "16 0004 00F2 0025",
        MaskWriteRegisterResponse(4, 0xF2, 0x25),
        "16 0004 00F2 0025",
        id="6.16",
    ),
    pytest.param(
        ReadWriteMultipleRegisters(3, 6, 0x0E, (0xFF, 0xFF, 0xFF)),
        "17 0003 0006 000E 0003 06 00FF 00FF 00FF",
        ReadWriteMultipleRegistersResponse((0x00FE, 0x0ACD, 0x0001, 0x0003, 0x000D, 0x00FF)),
        "17 0C 00FE 0ACD 0001 0003 000D 00FF",
        id="6.17",
    ),
    pytest.param(
        ReadDeviceIdentification(IdentificationCode.BASIC, 0),
        "2B 0E 01 00",
        ReadDeviceIdentificationResponse(
            IdentificationCode.BASIC,
            0x01,
            ((0, b"Company identification"), (1, b"Product code "), (2, b"V2.11")),
        ),
        "2B 0E 01 01 00 00 03 0016"
        + b"Company identification".hex()
        # the printed text has two letters more than its printed length of 0x0D
        + "010D"
        + b"Product code ".hex()
        + "0205"
        + b"V2.11".hex(),
        id="6.21",
    ),
    pytest.param(
        ReadCoils(0x04A1, 1),
        "01 04A1 0001",
        ExceptionResponse(1, ExceptionCode.ILLEGAL_DATA_ADDRESS),
        "81 02",
        id="7",
    ),
]


@pytest.mark.parametrize(("request_", "request_hex", "response", "response_hex"), EXAMPLES)
def test_printed_exchange_is_encoded_and_decoded(
    request_: Any, request_hex: str, response: Any, response_hex: str
) -> None:
    assert encode_pdu(request_) == bytes.fromhex(request_hex)
    assert decode_request(bytes.fromhex(request_hex)) == request_
    assert encode_pdu(response) == bytes.fromhex(response_hex)
    assert decode_response(bytes.fromhex(response_hex), request_) == response


def test_printed_crc_goes_out_low_byte_first() -> None:
    assert append_crc(bytes.fromhex("02 07")) == bytes.fromhex("02 07 41 12")  # Serial Line V1.02, 6.2.2
    assert has_valid_crc(bytes.fromhex("02 07 41 12"))
    assert not has_valid_crc(bytes.fromhex("02 07 12 41"))


def test_frame_known_from_countless_manuals() -> None:
    assert encode_frame(1, ReadHoldingRegisters(0, 10)) == bytes.fromhex("01 03 0000 000A C5CD")


def test_printed_mask_example() -> None:
    assert MaskWriteRegister(4, 0xF2, 0x25).apply(0x12) == 0x17
