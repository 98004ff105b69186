"""The listener pairs what goes by, from both directions in one stream."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.protocol import (
    BadFrame,
    ExceptionCode,
    ExceptionResponse,
    FrameFault,
    Framing,
    InvalidRequest,
    Listener,
    RawResponse,
    ReadHoldingRegisters,
    ReadHoldingRegistersResponse,
    Request,
    RequestObserved,
    RequestUnanswered,
    Response,
    ResponseObserved,
    WriteSingleRegister,
    WriteSingleRegisterResponse,
    append_crc,
    encode_frame,
)
from tests.protocol.modbus_messages import (
    PAUSE_NS,
    START_NS,
    TIMING,
    events,
    exchanges,
    feed,
    modest,
    settle,
    split,
    units,
)

TIMEOUT_NS = 300_000_000
ASK = ReadHoldingRegisters(0, 2)
ANSWER = ReadHoldingRegistersResponse((1, 2))


def listener(framing: Framing = Framing.LENGTH) -> Listener:
    return Listener(TIMING, response_timeout_ns=TIMEOUT_NS, framing=framing)


def paired(taken: list[Any]) -> list[tuple[int, Any, Any]]:
    assert not any(isinstance(event, BadFrame | RequestUnanswered) for event in taken)
    return [
        (event.unit, event.request.request if event.request else None, event.response)
        for event in taken
        if isinstance(event, ResponseObserved)
    ]


@modest
@given(st.data(), st.lists(st.tuples(units, exchanges), min_size=1, max_size=4))
def test_exchanges_back_to_back_in_one_stream_are_paired(
    data: st.DataObject, several: list[tuple[int, tuple[Request, Response]]]
) -> None:
    role = listener()
    stream = b"".join(encode_frame(unit, message) for unit, exchange in several for message in exchange)
    settle(role, feed(role, data.draw(split(stream))))
    expected = [(unit, request, response) for unit, (request, response) in several]
    assert paired(events(role)) == expected


@modest
@given(st.data(), st.lists(st.tuples(units, exchanges), min_size=1, max_size=4), st.sampled_from(Framing))
def test_exchanges_with_pauses_are_paired_and_timed(
    data: st.DataObject, several: list[tuple[int, tuple[Request, Response]]], framing: Framing
) -> None:
    role = listener(framing)
    now, times = START_NS, []
    for unit, exchange in several:
        for message in exchange:
            start = now + PAUSE_NS
            now = feed(role, data.draw(split(encode_frame(unit, message))), start)
            times.append((start, now))
    settle(role, now)
    taken = events(role)
    assert [(event.start_ns, event.end_ns) for event in taken] == times
    assert len(paired(taken)) == len(several)


@modest
@given(st.data(), units, exchanges)
def test_answer_is_known_with_its_last_byte(data: st.DataObject, unit: int, exchange: tuple[Request, Response]) -> None:
    request, response = exchange
    role = listener()
    now = feed(role, [encode_frame(unit, request)])
    feed(role, data.draw(split(encode_frame(unit, response))), now + PAUSE_NS)
    _, answered = events(role)
    assert isinstance(answered, ResponseObserved)
    assert answered.response == response


def test_second_identical_write_is_the_answer_and_the_third_the_next_request() -> None:
    role = listener()
    frame = encode_frame(1, WriteSingleRegister(1, 2))
    feed(role, [frame] * 3)
    first, second, third = events(role)
    assert isinstance(first, RequestObserved)
    assert isinstance(second, ResponseObserved)
    assert second.response == WriteSingleRegisterResponse(1, 2)
    assert second.request is first
    assert isinstance(third, RequestObserved)


@pytest.mark.parametrize("looks", [True, False])
def test_identical_write_after_the_timeout_is_a_retry(looks: bool) -> None:
    role = listener()
    frame = encode_frame(1, WriteSingleRegister(1, 2))
    end = feed(role, [frame])
    assert role.deadline() == end + TIMEOUT_NS
    if looks:
        role.expire(end + TIMEOUT_NS)
    feed(role, [frame], end + TIMEOUT_NS + 1)
    first, unanswered, second = events(role)
    assert isinstance(first, RequestObserved)
    assert unanswered == RequestUnanswered(first, end + TIMEOUT_NS)
    assert isinstance(second, RequestObserved)


def test_next_request_before_an_answer_leaves_the_first_unanswered() -> None:
    role = listener()
    end = feed(role, [encode_frame(1, ASK), encode_frame(2, ASK), encode_frame(2, ANSWER)])
    first, unanswered, second, answer = events(role)
    assert isinstance(unanswered, RequestUnanswered)
    assert unanswered.request is first
    assert isinstance(answer, ResponseObserved)
    assert answer.request is second
    assert answer.end_ns == end
    assert role.deadline() is None


def test_broadcast_waits_for_no_answer() -> None:
    role = listener()
    feed(role, [encode_frame(0, WriteSingleRegister(1, 2))])
    (event,) = events(role)
    assert isinstance(event, RequestObserved)
    assert role.deadline() is None


def test_answer_without_its_request_is_reported_alone() -> None:
    role = listener()
    settle(role, feed(role, [encode_frame(1, ANSWER)]))
    (event,) = events(role)
    assert isinstance(event, ResponseObserved)
    assert (event.response, event.request) == (ANSWER, None)


def test_unknown_function_is_paired_with_its_exception_and_with_its_answer() -> None:
    question = append_crc(b"\x01\x41\x07")
    for answer, expected in [
        (
            encode_frame(1, ExceptionResponse(0x41, ExceptionCode.ILLEGAL_FUNCTION)),
            ExceptionResponse(0x41, ExceptionCode.ILLEGAL_FUNCTION),
        ),
        (append_crc(b"\x01\x41\x08"), RawResponse(b"\x41\x08")),
    ]:
        role = listener()
        now = settle(role, feed(role, [question]))
        settle(role, feed(role, [answer], now))
        asked, answered = events(role)
        assert isinstance(asked, RequestObserved)
        assert isinstance(asked.request, InvalidRequest)
        assert isinstance(answered, ResponseObserved)
        assert answered.response == expected
        assert answered.request is asked


def test_declined_illegal_request_is_still_a_pair() -> None:
    role = listener()
    declined = ExceptionResponse(3, ExceptionCode.ILLEGAL_DATA_VALUE)
    feed(role, [append_crc(bytes([1, 3, 0, 0, 0, 0])), encode_frame(1, declined)])
    asked, answered = events(role)
    assert isinstance(asked.request, InvalidRequest)
    assert (answered.response, answered.request) == (declined, asked)


def test_noise_is_reported_and_pairing_goes_on() -> None:
    role = listener()
    settle(role, feed(role, [encode_frame(1, ASK), b"\xff\xff\xff", encode_frame(1, ANSWER)]))
    asked, noise, answered = events(role)
    assert isinstance(noise, BadFrame)
    assert noise.raw == b"\xff\xff\xff"
    assert answered.request is asked


def test_sound_frame_that_is_neither_is_malformed() -> None:
    role = listener()
    settle(role, feed(role, [append_crc(b"\x01\x83\x02\x00")]))
    (event,) = events(role)
    assert isinstance(event, BadFrame)
    assert event.fault is FrameFault.MALFORMED


@modest
@given(st.lists(st.tuples(st.binary(max_size=300), st.integers(0, TIMEOUT_NS)), max_size=10))
def test_listener_never_raises(steps: list[tuple[bytes, int]]) -> None:
    role, now = listener(), START_NS
    for data, wait in steps:
        now += wait
        role.receive(data, now)
        role.expire(now)
        assert len(role._framer.state.buffer) <= 256
