"""Answers that are their requests again, told from requests that are sent again: by their times."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rig.bench import open_press
from rig.protocol import (
    ExceptionCode,
    ExceptionResponse,
    LineTiming,
    ReadHoldingRegisters,
    ReadHoldingRegistersResponse,
    WriteSingleCoil,
    WriteSingleRegister,
    encode_frame,
)
from rig.sniff.decode import Damage, Decoder, Exchange, Item, Outcome, Stray

MS = 1_000_000
TIMING = LineTiming(115_200)
WRITE = encode_frame(1, WriteSingleRegister(27, 3))
ASK, ANSWER = encode_frame(1, ReadHoldingRegisters(0, 1)), encode_frame(1, ReadHoldingRegistersResponse((7,)))


def heard(*frames: tuple[float, bytes], end: float = 5000.0, timeout: float = 1000.0) -> list[Item]:
    """What is told of frames that end at these times, ms; then the line is silent."""
    decoder = Decoder(TIMING, gap_ns=5 * MS, timeout_ns=round(timeout * MS), joins=False)
    items: list[Item] = []
    for at, data in frames:
        items += decoder.take(data, round(at * MS))
    items += decoder.wait(round(end * MS))
    return [*items, *decoder.end(round(end * MS), is_cut=False)]


def outcomes(items: list[Item]) -> list[tuple[str, float | None]]:
    """How each request ended, and after how many ms its answer began."""
    told: list[tuple[str, float | None]] = []
    for item in items:
        if isinstance(item, Exchange):
            delay_ns = item.delay_ns
            told.append((item.outcome.value, None if delay_ns is None else round(delay_ns / MS + 0.7)))
        else:
            told.append((type(item).__name__, None))
    return told


def doubts(items: list[Item]) -> list[bool]:
    return [item.in_doubt for item in items if isinstance(item, Exchange)]


USUAL = [(at, WRITE) for at in (10, 13, 110, 113, 210, 213)]
"""Three writes, answered within 3 ms."""


def test_a_write_asked_again_after_its_answer_was_lost_is_not_the_answer() -> None:
    items = heard(*USUAL, (1000, WRITE), (1250, WRITE), (1253, WRITE), (2000, ASK), (2003, ANSWER))
    assert outcomes(items)[3:] == [("no answer", None), ("answered", 3), ("answered", 3)]
    assert doubts(items) == [False] * 6


def test_a_write_asked_three_times_is_unanswered_twice() -> None:
    items = heard(*USUAL, (1000, WRITE), (1250, WRITE), (1500, WRITE), (1503, WRITE))
    assert outcomes(items)[3:] == [("no answer", None), ("no answer", None), ("answered", 3)]


def test_writes_after_one_that_was_asked_again_are_paired_with_their_answers() -> None:
    items = heard((1000, WRITE), (1250, WRITE), (1253, WRITE), (1400, WRITE), (1403, WRITE), (1500, WRITE))
    assert outcomes(items) == [("no answer", None), ("answered", 3), ("answered", 3), ("no answer", None)]


def test_before_any_answer_was_heard_that_is_told_as_doubtful() -> None:
    items = heard((1000, WRITE), (1250, WRITE), (1253, WRITE), (2000, ASK), (2003, ANSWER))
    assert outcomes(items) == [("no answer", None), ("answered", 3), ("answered", 3)]
    assert doubts(items) == [False, True, False]


def test_a_late_answer_that_nothing_follows_is_the_answer_and_in_doubt() -> None:
    for follows in ([(600, ASK), (603, ANSWER)], []):
        items = heard(*USUAL, (300, WRITE), (500, WRITE), *follows)
        assert outcomes(items)[3] == ("answered", 200)
        assert doubts(items)[3] is True


def test_a_node_that_takes_long_for_its_writes_is_believed_once_it_is_known() -> None:
    frames = [(at + late, WRITE) for at in range(0, 4000, 400) for late in (10, 90)]
    items = heard(*frames)
    assert outcomes(items) == [("answered", 80)] * 10
    assert doubts(items) == [False] * 10


@given(st.lists(st.tuples(st.integers(2, 25), st.integers(2, 300)), min_size=1, max_size=20))
def test_equal_writes_that_are_all_answered_soon_are_all_paired(steps: list[tuple[int, int]]) -> None:
    now, frames = 100, []
    for turnaround, idle in steps:
        frames += [(now, WRITE), (now + turnaround, WRITE)]
        now += turnaround + idle
    items = heard(*frames, end=20_000)
    assert outcomes(items) == [("answered", turnaround) for turnaround, _ in steps]
    assert not any(doubts(items))


def test_a_write_asked_again_after_a_damaged_answer_is_asked_again() -> None:
    broken = WRITE[:-1] + b"\x00"
    items = heard(*USUAL, (1000, WRITE), (1003, broken), (1250, WRITE), (1253, WRITE), (2000, ASK), (2003, ANSWER))
    assert outcomes(items)[3:] == [("Damage", None), ("answer damaged", None), ("answered", 3), ("answered", 3)]


def test_a_write_that_is_declined_when_asked_again_is_declined() -> None:
    declined = encode_frame(1, ExceptionResponse(6, ExceptionCode.SERVER_DEVICE_BUSY))
    items = heard(
        *USUAL, (1000, WRITE), (1003, declined), (1100, WRITE), (1103, WRITE), (1200, WRITE), (1203, declined)
    )
    assert [told for told, _ in outcomes(items)[3:]] == ["declined", "answered", "declined"]


def test_after_the_timeout_the_same_frame_is_the_request_again() -> None:
    items = heard((10, WRITE), (1300, WRITE), (1303, WRITE))
    assert outcomes(items) == [("no answer", None), ("answered", 3)]
    assert not any(doubts(items))


def test_writes_to_several_nodes_and_of_several_values_are_kept_apart() -> None:
    other = encode_frame(2, WriteSingleCoil(0, True))
    items = heard(*USUAL, (1000, WRITE), (1250, other), (1253, other), (1300, WRITE), (1303, WRITE))
    assert outcomes(items)[3:] == [("no answer", None), ("answered", 3), ("answered", 3)]


frame = st.sampled_from((WRITE, encode_frame(1, WriteSingleRegister(27, 4)), ASK, ANSWER, b"\x01\x06\x00"))


@given(st.lists(st.tuples(st.integers(2, 700), frame), max_size=25))
def test_every_frame_is_told_once_whatever_comes_when(steps: list[tuple[int, bytes]]) -> None:
    now, frames = 0, []
    for pause, data in steps:
        now += pause
        frames.append((now, data))
    items = heard(*frames, end=now + 10_000)
    told: list[Any] = []
    for item in items:
        match item:
            case Exchange(request=request, response=response):
                told.append((request.start_ns, request.raw))
                told += [] if response is None else [(response.start_ns, response.raw)]
                assert (response is not None) == (item.outcome is Outcome.ANSWERED)
            case Stray(response=response):
                told.append((response.start_ns, response.raw))
            case Damage(frame=bad):
                told.append((bad.start_ns, bad.raw))
    assert b"".join(data for _, data in sorted(told)) == b"".join(data for _, data in frames)


def test_single_writes_on_a_line_that_loses_answers_are_heard_as_they_were() -> None:
    items: list[Item] = []
    with open_press("emu://", record=False) as bench:
        bus = bench.virtual.world.bus
        decoder = Decoder(LineTiming(115_200), gap_ns=5 * MS, timeout_ns=1000 * MS, joins=False)

        def hear(start_ns: int, end_ns: int, direction: str, data: bytes, comment: str) -> None:
            items.extend(decoder.take(data, end_ns))

        bus.on_frame = hear
        write = WriteSingleRegister(bench.registers["controller_heartbeat"].address, 3)
        for number in range(12):
            if number in (4, 7, 8):
                bench.virtual.inject("lost_frame", direction="response")
            bench.master.exchange(write, 1)
            bench.clock.sleep_until(bench.clock.now_ns + 20 * MS)
        items.extend(decoder.end(bench.clock.now_ns, is_cut=False))
    told = [item.outcome for item in items if isinstance(item, Exchange)]
    assert told.count(Outcome.ANSWERED) == 12
    assert told.count(Outcome.UNANSWERED) == 3
    assert not any(doubts(items))
