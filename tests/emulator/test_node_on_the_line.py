"""What the node knows of the line, of itself and of the last forces: functions 8, 11, 17 and 24, and listening only."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.wire.faults import Fault
from emulator.wire.settings import LineSettings
from emulator.world import World, WorldConfig
from rig.protocol import (
    Diagnose,
    ExceptionCode,
    ExceptionResponse,
    GetCommEventCounter,
    GetCommEventCounterResponse,
    ReadFifoQueue,
    ReadFifoQueueResponse,
    ReadInputRegisters,
    ReportServerId,
    ReportServerIdResponse,
    Request,
    SubFunction,
    WriteSingleCoil,
    append_crc,
    decode_response,
    encode_frame,
)

LINE = LineSettings(115_200, parity="N")
SECOND_NS = 1_000_000_000


class Line:
    """A press and somebody who asks it."""

    def __init__(self, start: str = "cold") -> None:
        self.world = World(WorldConfig(start=start))
        self.world.run_until(SECOND_NS)

    def send(self, frame: bytes) -> bytes:
        self.world.bus.transmit(frame, LINE)
        self.world.run_until(self.world.now_ns + SECOND_NS // 10)
        return self.world.bus.read(300)

    def ask(self, request: Request, unit: int = 1) -> Any:
        answer = self.send(encode_frame(unit, request))
        return decode_response(answer[1:-2], request) if answer else None

    def count(self, sub_function: SubFunction) -> int:
        return int(self.ask(Diagnose(sub_function)).value)


def test_counters_tell_what_happened_on_the_line() -> None:
    line = Line()
    line.ask(Diagnose(SubFunction.CLEAR_COUNTERS))
    line.ask(ReadInputRegisters(0, 10))
    line.ask(ReadInputRegisters(5000, 1))  # declined
    line.ask(ReadInputRegisters(0, 1), unit=9)  # for another unit
    line.ask(WriteSingleCoil(0, False), unit=0)  # to all
    line.send(b"\x01\x04\x00\x00\x00\x01\x00\x00")  # wrong CRC
    assert line.count(SubFunction.BUS_MESSAGE_COUNT) == 5  # itself included
    assert line.count(SubFunction.BUS_ERROR_COUNT) == 1
    assert line.count(SubFunction.EXCEPTION_COUNT) == 1
    assert line.count(SubFunction.NO_RESPONSE_COUNT) == 1
    assert line.count(SubFunction.SERVER_MESSAGE_COUNT) == 8


def test_a_byte_that_the_uart_lost_is_counted_as_an_overrun() -> None:
    line = Line()
    line.world.bus.inject(Fault("overrun"))
    assert line.ask(ReadInputRegisters(0, 10)) is None
    assert line.count(SubFunction.OVERRUN_COUNT) == 1
    assert line.count(SubFunction.BUS_ERROR_COUNT) == 1


def test_events_are_requests_that_were_done() -> None:
    line = Line()
    line.ask(Diagnose(SubFunction.CLEAR_COUNTERS))
    before = line.ask(GetCommEventCounter()).events
    line.ask(ReadInputRegisters(0, 1))
    line.ask(ReadInputRegisters(5000, 1))
    assert line.ask(GetCommEventCounter()) == GetCommEventCounterResponse(False, before + 1)


def test_a_node_that_only_listens_does_nothing_and_its_watchdog_trips() -> None:
    line = Line("running")
    assert line.world.node.bank["mode"] == "energised"
    assert line.ask(Diagnose(SubFunction.FORCE_LISTEN_ONLY)) is None
    for _ in range(100):
        assert line.ask(WriteSingleCoil(0, True)) is None
    assert "comms_watchdog" in str(line.world.node.bank["alarm_word"])
    assert line.ask(Diagnose(SubFunction.RESTART_COMMUNICATIONS)) is None
    assert line.ask(ReadInputRegisters(0, 1)) is not None


def test_the_node_says_what_it_is_and_that_it_runs() -> None:
    answer = Line().ask(ReportServerId())
    assert isinstance(answer, ReportServerIdResponse)
    model, running, version = answer.data.partition(b"\xff")
    assert model.isascii()
    assert running
    assert version.isascii()


def test_the_queue_of_a_force_holds_every_scan_since_power_on_up_to_31_and_keeps_them() -> None:
    line = Line("running")
    address = line.world.registers.tags["entry_left_line_force_kn"].address
    first = line.ask(ReadFifoQueue(address))
    assert isinstance(first, ReadFifoQueueResponse)
    assert len(first.values) == 21  # a second of scans, the first at 0
    again = line.ask(ReadFifoQueue(address))
    assert again.values[: len(first.values)] == first.values
    for _ in range(20):
        newest = line.ask(ReadFifoQueue(address)).values
    assert len(newest) == 31
    raw = line.ask(ReadInputRegisters(address, 1)).values[0]
    assert raw in line.ask(ReadFifoQueue(address)).values


def test_there_is_no_queue_but_for_the_forces() -> None:
    assert Line().ask(ReadFifoQueue(0)) == ExceptionResponse(24, ExceptionCode.ILLEGAL_DATA_ADDRESS)


@pytest.mark.parametrize(("kind", "code"), [("busy", 6), ("failure", 4)])
def test_a_node_that_cannot_says_so_and_does_nothing(kind: str, code: int) -> None:
    line = Line()
    tag = line.world.registers.tags["cooling_enable"]
    line.world.bus.inject(Fault(kind))
    assert line.ask(WriteSingleCoil(tag.address, True)) == ExceptionResponse(5, ExceptionCode(code))
    assert line.world.node.bank["cooling_enable"] is False
    assert line.ask(WriteSingleCoil(tag.address, True)) is not None
    assert line.world.node.bank["cooling_enable"] is True


def test_counters_are_kept_in_a_snapshot() -> None:
    line = Line()
    line.ask(ReadInputRegisters(5000, 1))
    line.world = World.restore(line.world.snapshot())
    assert line.count(SubFunction.EXCEPTION_COUNT) == 1


def test_power_on_counts_anew_and_does_not_listen_only() -> None:
    line = Line()
    line.ask(Diagnose(SubFunction.FORCE_LISTEN_ONLY))
    line.world.bus.inject(Fault("brown_out", 0.1))
    line.world.run_until(line.world.now_ns + SECOND_NS)
    assert line.count(SubFunction.BUS_MESSAGE_COUNT) == 1


def test_a_long_query_comes_back() -> None:
    line = Line()
    frame = append_crc(b"\x01\x08\x00\x00" + bytes(range(100)))
    assert line.send(frame) == frame
