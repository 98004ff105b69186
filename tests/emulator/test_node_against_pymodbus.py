"""The emulated node on `emu://` against pymodbus's server: bytes in, bytes out, over the same sequences of requests.

pymodbus's own request handler frames, decodes and does the requests, on a store with the node's addresses and limits.
The node's registers change by requests alone here, and are compared after every one of them.

Where pymodbus leaves the specification (Application Protocol V1.1b3, Serial Line V1.02), `departure` says by which
clause and what the clause asks for, and that is what the node has to answer then. Nothing is compared of what is a
device's own affair: counters (8 with 2 and 11 … 20, function 11), which pymodbus does not keep; the server's id (17),
whose form is free; listening only (8 with 4) and queues (24), where pymodbus is known to be wrong
(`tests/protocol/test_modbus_against_pymodbus.py`).
"""

from __future__ import annotations

import asyncio
import functools
import struct
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import NoSuchIdException
from pymodbus.framer import FramerType
from pymodbus.pdu.device import ModbusDeviceIdentification
from pymodbus.server import ModbusSerialServer
from pymodbus.server.requesthandler import ServerRequestHandler
from pymodbus.simulator import DataType, SimData, SimDevice

from emulator.ports.protocol_emu import port_on
from rig.protocol import append_crc, has_valid_crc
from tests.emulator.still_node import StillWorld
from tests.protocol.raw_requests import frames, sensible_frames

UNIT = 1
ADDRESSES = 0x10000
TABLES = {1: "coil", 2: "discrete", 4: "input", 5: "coil", 15: "coil"}
"""By function; what is not here is about holding registers."""


# -- ours --------------------------------------------------------------------------------------------


class Ours:
    """The node at the end of a port."""

    def __init__(self) -> None:
        self.world = StillWorld()
        self.port = port_on(self.world, baudrate=115_200, parity="N", timeout=0.1)  # type: ignore[arg-type]

    def exchange(self, frame: bytes) -> bytes:
        self.port.write(frame)
        return self.port.read(300)

    @property
    def tables(self) -> dict[str, dict[int, int]]:
        return self.world.tables


# -- theirs ------------------------------------------------------------------------------------------


class Store:
    """A store for pymodbus's requests: addresses and limits of the node, written down once more without its code."""

    def __init__(self, tables: dict[str, dict[int, int]]) -> None:
        self.tables = tables

    def device_ids(self) -> list[int]:
        return [UNIT]

    def is_there(self, function: int, address: int, count: int) -> bool:
        table = self.tables[TABLES.get(function, "holding")]
        return all(place in table for place in range(address, address + count))

    async def async_getValues(self, unit: int, function: int, address: int, count: int = 1) -> list[Any] | ExcCodes:
        if unit != UNIT:
            raise NoSuchIdException
        if not self.is_there(function, address, count):
            return ExcCodes.ILLEGAL_ADDRESS
        table = self.tables[TABLES.get(function, "holding")]
        return [table[place] for place in range(address, address + count)]

    async def async_setValues(self, unit: int, function: int, address: int, values: Sequence[int]) -> ExcCodes | None:
        if unit != UNIT:
            raise NoSuchIdException
        if not self.is_there(function, address, len(values)):
            return ExcCodes.ILLEGAL_ADDRESS
        name = TABLES.get(function, "holding")
        if name == "holding" and not all(map(_is_within_limits, range(address, address + len(values)), values)):
            return ExcCodes.ILLEGAL_VALUE
        self.tables[name].update(zip(range(address, address + len(values)), map(int, values), strict=True))
        return None


def _is_within_limits(address: int, raw: int) -> bool:
    (tag,) = [tag for tag in _press_tags() if tag.table == "holding" and tag.address == address]
    assert tag.count == 1, "this store knows no limits of values in two registers"
    assert tag.type in ("u16", "i16")
    if tag.type == "i16" and raw >= 0x8000:
        raw -= ADDRESSES
    value = raw * Decimal(repr(tag.scale)) + Decimal(repr(tag.offset))
    low, high = tag.limits or (-ADDRESSES, ADDRESSES)
    return Decimal(repr(low)) <= value <= Decimal(repr(high))


@functools.cache
def _press_tags() -> tuple[Any, ...]:
    return tuple(StillWorld().node.bank.layout.tags.values())


class Handler(ServerRequestHandler):
    """pymodbus's request handler, whose answers go nowhere but here."""

    said = b""

    def handle_later(self) -> None:
        """The test does it at once."""

    def send(self, data: bytes, addr: Any = None) -> None:
        self.said += data

    async def exchange(self, frame: bytes) -> bytes:
        self.said = b""
        self.callback_data(frame)
        await self.handle_request()
        return self.said


class Theirs:
    """pymodbus's server."""

    def __init__(self, tables: dict[str, dict[int, int]]) -> None:
        self.store = Store(tables)
        self._loop = _loop()
        self._handler: Handler = self._loop.run_until_complete(self._make())

    async def _make(self) -> Handler:
        identity = ModbusDeviceIdentification(info=dict(StillWorld().node.bank.device_identification()))
        nothing = SimDevice(0, simdata=[SimData(0, values=0, datatype=DataType.REGISTERS)])
        server = ModbusSerialServer(
            nothing,
            framer=FramerType.RTU,
            identity=identity,
            port="none",
            broadcast_enable=True,
            ignore_missing_devices=True,
        )
        server.context = self.store  # type: ignore[assignment]
        return Handler(server, None, None, None)

    def exchange(self, frame: bytes) -> bytes:
        return self._loop.run_until_complete(self._handler.exchange(frame))


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


# -- where they differ -------------------------------------------------------------------------------


class Departure(NamedTuple):
    """pymodbus does something else than the specification.

    Attributes:
        clause: of the specification.
        answer: what the clause asks for; nothing is done beside it.
    """

    clause: str
    answer: bytes


FIXED_LENGTHS = {1: 5, 2: 5, 3: 5, 4: 5, 5: 5, 6: 5, 22: 7}
COUNTED_AT = {15: 5, 16: 5, 23: 9}
"""Where the byte count stands in the PDU."""
QUANTITIES = {1: 2000, 2: 2000, 3: 125, 4: 125, 15: 1968}
WRITES = (5, 6, 15, 16, 22)


def departure(frame: bytes, store: Store) -> Departure | None:
    """Where pymodbus leaves the specification on this frame, if it does."""
    unit, function = frame[0], frame[1]
    if function & 0x80:
        return Departure("V1.1b3 4.1: codes from 128 on are exceptions, so this is no request", b"")
    if unit not in (0, UNIT):
        return Departure("V1.02 2.2: a server answers to its own address only", b"")
    found = _departure_of_request(unit, frame[1:-2], store)
    if unit == 0 and (found is not None or function not in WRITES):
        return Departure("V1.02 2.1: a broadcast is a write and is not answered", b"")
    return found


def _departure_of_request(unit: int, pdu: bytes, store: Store) -> Departure | None:
    function = pdu[0]

    def declined(code: int, clause: str) -> Departure:
        return Departure(clause, append_crc(bytes((unit, function | 0x80, code))))

    if function == 8:
        return _departure_of_diagnosis(unit, pdu)
    if function == 43:
        return _departure_of_identification(unit, pdu, store)
    if function not in FIXED_LENGTHS and function not in COUNTED_AT:
        return declined(1, "V1.1b3 7: exception 1 for a function that the server does not have")
    at = COUNTED_AT.get(function)
    length = FIXED_LENGTHS[function] if at is None else at + 1 + (pdu[at] if len(pdu) > at else 0)
    if len(pdu) != length:
        return declined(3, "V1.1b3 7: exception 3 for another length than implied; V1.02 2.5.1.1: silence ends a frame")
    first, second = struct.unpack_from(">HH", pdu, 1)
    if function in QUANTITIES and not 1 <= second <= QUANTITIES[function]:
        return declined(3, "V1.1b3 6.1 … 6.4, 6.11: exception 3 for a quantity out of range")
    if function == 5 and second not in (0, 0xFF00):
        return declined(3, "V1.1b3 6.5: exception 3 for what is neither on nor off")
    if function == 23:
        (quantity,) = struct.unpack_from(">H", pdu, 7)
        if not 1 <= second <= 125 or not 1 <= quantity <= 121 or pdu[9] != 2 * quantity:
            return declined(3, "V1.1b3 6.17: exception 3 for a quantity out of range")
        if not store.is_there(3, first, second):
            return declined(2, "V1.1b3 6.17: both addresses are looked at before anything is written")
    return None


def _departure_of_diagnosis(unit: int, pdu: bytes) -> Departure | None:
    known = (0, 1, 2, 4, *range(10, 19), 20)
    asked = int.from_bytes(pdu[1:3], "big")
    if len(pdu) < 5 or len(pdu) % 2 == 0:
        return Departure("V1.1b3 6.8, 7: exception 3 for data that is no words", append_crc(bytes((unit, 0x88, 3))))
    if asked == 0 and len(pdu) > 5:
        return Departure("V1.1b3 6.8: the query's data comes back, N words", append_crc(bytes((unit,)) + pdu))
    if len(pdu) > 5:
        return Departure("V1.1b3 6.8.1: one word of data", append_crc(bytes((unit, 0x88, 3))))
    if asked not in known:
        return Departure("V1.1b3 6.8: exception 1 for a sub-function", append_crc(bytes((unit, 0x88, 1))))
    if asked and int.from_bytes(pdu[3:], "big") not in ((0, 0xFF00) if asked == 1 else (0,)):
        return Departure("V1.1b3 6.8.1: exception 3 for data that it cannot have", append_crc(bytes((unit, 0x88, 3))))
    return None


def _departure_of_identification(unit: int, pdu: bytes, store: Store) -> Departure | None:
    if len(pdu) > 1 and pdu[1] != 14:
        return Departure("V1.1b3 6.19: exception 1 for another interface", append_crc(bytes((unit, 0xAB, 1))))
    if len(pdu) != 4 or pdu[2] == 0:
        return Departure("V1.1b3 6.21, 7: exception 3 for code or length", append_crc(bytes((unit, 0xAB, 3))))
    highest = {1: 2, 2: 6, 3: 255}.get(pdu[2])
    if highest is not None and pdu[3] > highest:
        # what a stream gives from its first object on
        again = Theirs(store.tables).exchange(append_crc(bytes((unit, 43, 14, pdu[2], 0))))
        return Departure("V1.1b3 6.21: a stream from an object that is not in it begins at the first", again)
    return None


# -- the comparison ----------------------------------------------------------------------------------


class Both:
    """The two servers with the same registers."""

    def __init__(self) -> None:
        self.ours = Ours()
        self.theirs = Theirs(self.ours.tables)

    def exchange(self, frame: bytes) -> tuple[bytes, bytes]:
        """What they answer; theirs by the specification where pymodbus departs from it."""
        store = self.theirs.store
        answer = self.ours.exchange(frame)
        known = departure(frame, store) if has_valid_crc(frame) else None
        expected = self.theirs.exchange(frame) if known is None else known.answer
        assert answer.hex(" ") == expected.hex(" "), (frame.hex(" "), known)
        assert self.ours.tables == store.tables, frame.hex(" ")
        return answer, expected


def is_comparable(frame: bytes) -> bool:
    """What pymodbus has an answer to, and that is not a device's own affair."""
    if frame[1] in (11, 17, 24):
        return False
    return frame[1] != 8 or frame[2:4] in (b"\0\0", b"\0\1", b"\0\x0a") or frame[2:4] > b"\0\x14"


sequences = st.lists(st.one_of(sensible_frames, frames.filter(is_comparable)), min_size=12, max_size=40)


@given(sequences)
@settings(deadline=None, max_examples=150)
def test_answers_and_registers_are_those_of_pymodbus_over_any_sequence(sent: list[bytes]) -> None:
    both = Both()
    for frame in sent:
        both.exchange(frame)


def _frame(text: str, unit: int = UNIT) -> bytes:
    return append_crc(bytes([unit]) + bytes.fromhex(text))


@pytest.mark.parametrize(
    ("frame", "clause"),
    [
        (_frame("81 00"), "V1.1b3 4.1"),
        (_frame("08 00 01 00 00", unit=9), "V1.02 2.2"),
        (_frame("03 00 00 00 00", unit=0), "V1.02 2.1"),
        (_frame("17 00 00 00 01 00 00 00 01 02 00 07", unit=0), "V1.02 2.1"),
        (_frame("09 00 00"), "V1.1b3 7: exception 1"),
        (_frame("03 00 00"), "V1.1b3 7: exception 3"),
        (_frame("10 00 00 00 01 04 00 07"), "V1.1b3 7: exception 3"),
        (_frame("03 00 00 00 00"), "V1.1b3 6.1"),
        (_frame("02 00 00 07 D1"), "V1.1b3 6.1"),
        (_frame("04 00 00 00 7E"), "V1.1b3 6.1"),
        (_frame("0F 00 00 00 00 00"), "V1.1b3 6.1"),
        (_frame("05 00 00 00 01"), "V1.1b3 6.5"),
        (_frame("17 00 00 00 7E 00 00 00 01 02 00 07"), "V1.1b3 6.17"),
        (_frame("17 FF 00 00 01 00 00 00 01 02 00 07"), "V1.1b3 6.17: both"),
        (_frame("08 00 00"), "V1.1b3 6.8, 7"),
        (_frame("08 00 00 01 02 03 04"), "V1.1b3 6.8: the query"),
        (_frame("08 00 0A 00 00 00 00"), "V1.1b3 6.8.1: one word"),
        (_frame("08 00 15 00 00"), "V1.1b3 6.8: exception 1"),
        (_frame("08 00 01 00 07"), "V1.1b3 6.8.1: exception 3"),
        (_frame("2B 0D 00 00"), "V1.1b3 6.19"),
        (_frame("2B 0E 00 00"), "V1.1b3 6.21, 7"),
        (_frame("2B 0E 01 05"), "V1.1b3 6.21: a stream"),
    ],
)
def test_pymodbus_departs_as_listed_and_the_node_does_not(frame: bytes, clause: str) -> None:
    both = Both()
    known = departure(frame, both.theirs.store)
    assert known is not None
    assert known.clause.startswith(clause)
    both.exchange(frame)
    before = both.ours.tables
    told = both.theirs.exchange(frame)
    assert (told, both.theirs.store.tables) != (known.answer, before), "it does as specified: take it off the list"


def test_what_is_compared_is_done_or_declined_and_not_only_departed_from() -> None:
    both = Both()
    answered = [
        both.exchange(_frame(text))[0][1:3].hex()
        for text in (
            "06 00 00 05 DC",  # 150.0 °C
            "06 00 00 06 41",  # one step above the limit
            "06 00 00 06 40",
            "10 00 00 00 02 04 00 64 00 C8",
            "10 00 1C 00 02 04 00 64 00 C8",  # the second register is not there
            "16 00 1B F0 F0 0A 5A",
            "03 00 00 00 1D",
            "03 00 00 00 1E",
            "0F 00 00 00 0B 02 FF 07",
            "0F 00 00 00 0C 02 FF 0F",
            "05 00 02 00 00",
            "01 00 00 00 0B",
            "02 00 00 00 0C",
            "04 00 00 00 53",
            "17 00 00 00 02 00 00 00 01 02 00 07",
            "08 00 00 12 34",
            "2B 0E 03 00",
            "2B 0E 04 05",
            "2B 0E 04 70",
        )
    ]
    assert answered == [
        "0600", "8603", "0600", "1000", "9002", "1600", "033a", "8302", "0f00", "8f02", "0500", "0102", "0202", "04a6",
        "1704", "0800", "2b0e", "2b0e", "ab02",
    ]  # fmt: skip
    assert both.ours.tables["holding"][0] == 7
