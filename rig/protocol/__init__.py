"""Modbus RTU without I/O and without a clock.

Bytes and times in, events and deadlines out. Three roles share one grammar and one contract:

    role.receive(data, now)    bytes whose last one was complete at `now`
    role.next_event()          the oldest event not yet taken, or None
    role.deadline()            when to call `expire` at the latest, or None
    role.expire(now)           let time pass
    role.send(..., now)        the bytes to put on the line (client and server)

`now` and all other times are integer nanoseconds of whatever clock the driver has. The rules come
from the Modbus Application Protocol V1.1b3 and Modbus over Serial Line V1.02.
"""

from rig.protocol.client import Client
from rig.protocol.crc import append_crc, crc16, has_valid_crc
from rig.protocol.datastore import DataStore, PackedDataStore, SerialDataStore, respond
from rig.protocol.diagnostics import (
    Diagnose,
    DiagnoseResponse,
    GetCommEventCounter,
    GetCommEventCounterResponse,
    SerialDiagnostics,
    SubFunction,
)
from rig.protocol.errors import (
    ExceptionCode,
    LocalProtocolError,
    ModbusError,
    ProtocolError,
    RemoteProtocolError,
)
from rig.protocol.events import (
    BadFrame,
    BytesDiscarded,
    ClientEvent,
    ExceptionReceived,
    FrameFault,
    ListenerEvent,
    RequestObserved,
    RequestReceived,
    RequestUnanswered,
    ResponseBroken,
    ResponseObserved,
    ResponseReceived,
    ResponseTimeout,
    ServerEvent,
    TurnaroundElapsed,
)
from rig.protocol.framing import Framing, is_frame
from rig.protocol.grammar import BROADCAST, MAX_FRAME, MAX_PDU, MAX_UNIT, request_length, response_length
from rig.protocol.identification import (
    IdentificationCode,
    ReadDeviceIdentification,
    ReadDeviceIdentificationResponse,
    identify,
)
from rig.protocol.listener import Listener
from rig.protocol.packing import pack_bits, pack_registers
from rig.protocol.pdu import (
    AnyRequest,
    NormalResponse,
    Request,
    Response,
    decode_request,
    decode_response,
    encode_frame,
    encode_pdu,
)
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
from rig.protocol.server import Server, ServerCounters, request_to
from rig.protocol.timing import LineTiming, Parity

__all__ = [
    "BROADCAST",
    "MAX_FRAME",
    "MAX_PDU",
    "MAX_UNIT",
    "AnyRequest",
    "BadFrame",
    "BytesDiscarded",
    "Client",
    "ClientEvent",
    "DataStore",
    "Diagnose",
    "DiagnoseResponse",
    "ExceptionCode",
    "ExceptionReceived",
    "ExceptionResponse",
    "FrameFault",
    "Framing",
    "GetCommEventCounter",
    "GetCommEventCounterResponse",
    "IdentificationCode",
    "InvalidRequest",
    "LineTiming",
    "Listener",
    "ListenerEvent",
    "LocalProtocolError",
    "MaskWriteRegister",
    "MaskWriteRegisterResponse",
    "ModbusError",
    "NormalResponse",
    "PackedDataStore",
    "Parity",
    "ProtocolError",
    "RawRequest",
    "RawResponse",
    "ReadCoils",
    "ReadCoilsResponse",
    "ReadDeviceIdentification",
    "ReadDeviceIdentificationResponse",
    "ReadDiscreteInputs",
    "ReadDiscreteInputsResponse",
    "ReadFifoQueue",
    "ReadFifoQueueResponse",
    "ReadHoldingRegisters",
    "ReadHoldingRegistersResponse",
    "ReadInputRegisters",
    "ReadInputRegistersResponse",
    "ReadWriteMultipleRegisters",
    "ReadWriteMultipleRegistersResponse",
    "RemoteProtocolError",
    "ReportServerId",
    "ReportServerIdResponse",
    "Request",
    "RequestObserved",
    "RequestReceived",
    "RequestUnanswered",
    "Response",
    "ResponseBroken",
    "ResponseObserved",
    "ResponseReceived",
    "ResponseTimeout",
    "SerialDataStore",
    "SerialDiagnostics",
    "Server",
    "ServerCounters",
    "ServerEvent",
    "SubFunction",
    "TurnaroundElapsed",
    "WriteMultipleCoils",
    "WriteMultipleCoilsResponse",
    "WriteMultipleRegisters",
    "WriteMultipleRegistersResponse",
    "WriteSingleCoil",
    "WriteSingleCoilResponse",
    "WriteSingleRegister",
    "WriteSingleRegisterResponse",
    "append_crc",
    "crc16",
    "decode_request",
    "decode_response",
    "encode_frame",
    "encode_pdu",
    "has_valid_crc",
    "identify",
    "is_frame",
    "pack_bits",
    "pack_registers",
    "request_length",
    "request_to",
    "respond",
    "response_length",
]
