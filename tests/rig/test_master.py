"""The master on a line in virtual time: when an exchange ends, and what is late or cut short."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.agenda import Priority
from emulator.bus import LineSettings
from emulator.ports.protocol_emu import Serial
from rig.clock import VirtualClock
from rig.errors import BadAnswer, BusError, NoAnswer, RequestRefused
from rig.master import Master
from rig.protocol import ReadHoldingRegisters, ReadHoldingRegistersResponse, WriteSingleRegister
from tests.emulator.fakes import TURNAROUND_NS, FakeWorld

LINE = LineSettings(115_200, 8, "N", 1)
START_NS = LINE.span_ns(8) + LINE.silence_ns + TURNAROUND_NS
"""When the answer to a request of 8 bytes at time 0 begins."""
END_NS = START_NS + LINE.span_ns(125)
"""When the answer with 60 registers ends."""


class Bench:
    def __init__(self, timeout_s: float = 0.25) -> None:
        self.world = FakeWorld()
        port: Any = Serial(None, baudrate=LINE.baud, timeout=timeout_s)
        port.port = "emu://"
        port.attach(self.world)
        port.open()
        self.port = port
        self.frames: list[tuple[str, bytes, str]] = []
        self.master = Master(
            port,
            VirtualClock(self.world),
            timeout_s=timeout_s,
            retries=0,
            on_frame=lambda _start, _end, direction, data, comment: self.frames.append((direction, data, comment)),
        )


@pytest.mark.parametrize("count", [1, 60, 125])
def test_an_exchange_ends_with_the_last_byte_of_its_answer(count: int) -> None:
    bench = Bench()
    answer = bench.master.exchange(ReadHoldingRegisters(0, count), 1)
    assert answer == ReadHoldingRegistersResponse(tuple(range(count)))
    assert bench.world.now_ns == START_NS + LINE.span_ns(5 + 2 * count)
    assert [frame[0] for frame in bench.frames] == ["request", "response"]


def test_a_refusal_is_not_waited_for_longer_than_it_takes() -> None:
    bench = Bench()
    with pytest.raises(RequestRefused, match="illegal data address"):
        bench.master.exchange(ReadHoldingRegisters(65_500, 60), 1)
    assert bench.world.now_ns == START_NS + LINE.span_ns(5)


def test_an_answer_that_is_cut_short_is_bad_after_the_timeout() -> None:
    bench = Bench()
    bus = bench.world.bus

    def cut() -> None:
        bus.state.replies[0].data = bus.state.replies[0].data[:50]
        bus.state.replies[0].end_ns = START_NS + LINE.span_ns(50)

    bench.world.agenda.at(START_NS, Priority.FAULT, cut)
    with pytest.raises(BadAnswer, match="ended too early"):
        bench.master.exchange(ReadHoldingRegisters(0, 60), 1)
    assert bench.world.now_ns >= 250_000_000
    assert bench.master.exchange(ReadHoldingRegisters(0, 2), 1).values == (0, 1)  # type: ignore[union-attr]


def test_garbled_answers_are_bad_and_leave_nothing_behind() -> None:
    bench = Bench()
    bench.world.agenda.at(START_NS + LINE.span_ns(60), Priority.FAULT, bench.world.bus.begin_break)
    with pytest.raises(BadAnswer):
        bench.master.exchange(ReadHoldingRegisters(0, 60), 1)
    bench.world.bus.end_break()
    bench.world.run_until(bench.world.now_ns + 10_000_000)
    bench.master.exchange(WriteSingleRegister(3, 77), 1)
    assert bench.master.exchange(ReadHoldingRegisters(3, 1), 1).values == (77,)  # type: ignore[union-attr]


def test_what_comes_after_an_answer_was_given_up_is_noted_before_the_next_request() -> None:
    # the line takes longer for the answer than the master waits
    bench = Bench(timeout_s=0.012)
    with pytest.raises(BadAnswer):
        bench.master.exchange(ReadHoldingRegisters(0, 125), 1)
    bench.world.run_until(bench.world.now_ns + 100_000_000)
    bench.port.reset_input_buffer()
    bench.master.exchange(ReadHoldingRegisters(0, 1), 1)
    directions = [direction for direction, _, _ in bench.frames]
    assert directions[0] == "request"
    assert directions[-2:] == ["request", "response"]
    assert "request" not in directions[1:-2]
    assert "late or unasked" in [comment for _, _, comment in bench.frames[1:-2]]


@pytest.mark.parametrize("request_", [ReadHoldingRegisters(0, 60), ReadHoldingRegisters(65_500, 60)])
@pytest.mark.parametrize("disturbed_ns", [None, 1, LINE.span_ns(8), START_NS - TURNAROUND_NS, START_NS + 1, END_NS])
def test_an_exchange_in_one_go_is_the_same_as_one_in_pieces(
    request_: ReadHoldingRegisters, disturbed_ns: int | None
) -> None:
    seen = []
    for in_one_go in (True, False):
        bench = Bench()
        if not in_one_go:
            bench.master._in_one_go = None
        bench.world.agenda.at(START_NS + 2, Priority.SCAN, lambda: None)
        if disturbed_ns is not None:
            bench.world.agenda.at(disturbed_ns, Priority.FAULT, bench.world.bus.begin_break)
            bench.world.agenda.at(disturbed_ns + 1_000_000, Priority.FAULT, bench.world.bus.end_break)
        try:
            outcome: object = bench.master.exchange(request_, 1)
        except BusError as error:
            outcome = str(error)
        seen.append((outcome, bench.frames, bench.world.now_ns, bench.world.bus.state, bench.port.state))
    assert seen[0] == seen[1]


def test_a_unit_that_is_not_there_is_silence() -> None:
    bench = Bench()
    with pytest.raises(NoAnswer, match="no answer within 250 ms"):
        bench.master.exchange(ReadHoldingRegisters(0, 1), 2)
    assert bench.world.now_ns == 250_000_000
