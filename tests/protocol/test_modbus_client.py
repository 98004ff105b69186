"""The client: one request out, its answer in, everything else reported."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rig.protocol import (
    BadFrame,
    BytesDiscarded,
    Client,
    ExceptionCode,
    ExceptionReceived,
    ExceptionResponse,
    FrameFault,
    Framing,
    LocalProtocolError,
    RawRequest,
    RawResponse,
    ReadHoldingRegisters,
    ReadHoldingRegistersResponse,
    ReadInputRegisters,
    ReadInputRegistersResponse,
    Request,
    Response,
    ResponseBroken,
    ResponseReceived,
    ResponseTimeout,
    TurnaroundElapsed,
    WriteMultipleRegisters,
    WriteSingleRegister,
    append_crc,
    encode_frame,
)
from tests.protocol.modbus_messages import (
    CHAR_NS,
    PAUSE_NS,
    START_NS,
    TIMING,
    events,
    exchanges,
    feed,
    modest,
    settle,
    split,
)

UNIT = 17
TIMEOUT_NS = 200_000_000
ASK = ReadHoldingRegisters(0, 2)
ANSWER = ReadHoldingRegistersResponse((1, 2))
ANSWER_FRAME = encode_frame(UNIT, ANSWER)


def asking(request: Request | RawRequest = ASK, framing: Framing = Framing.LENGTH) -> tuple[Client, int]:
    """A client that waits for an answer, and when its request has left."""
    client = Client(TIMING, response_timeout_ns=TIMEOUT_NS, framing=framing)
    frame = client.send(request, UNIT, START_NS)
    return client, START_NS + TIMING.frame_ns(len(frame))


@modest
@given(st.data(), exchanges, st.sampled_from(Framing))
def test_answer_cut_anywhere_ends_the_exchange(
    data: st.DataObject, exchange: tuple[Request, Response], framing: Framing
) -> None:
    request, response = exchange
    client, sent = asking(request, framing)
    frame = encode_frame(UNIT, response)
    end = feed(client, data.draw(split(frame)), sent + PAUSE_NS)
    if framing is Framing.SILENCE:
        settle(client, end)
    (event,) = events(client)
    assert isinstance(event, ResponseReceived | ExceptionReceived)
    assert (event.unit, event.request, event.response) == (UNIT, request, response)
    assert (event.sent_ns, event.end_ns) == (START_NS, end)
    assert event.start_ns == end - len(frame) * CHAR_NS
    assert client.is_idle
    assert client.deadline() is None


@modest
@given(st.data(), st.binary(min_size=1, max_size=20), st.binary(max_size=20), exchanges)
def test_answer_survives_noise_around_it(
    data: st.DataObject, before: bytes, behind: bytes, exchange: tuple[Request, Response]
) -> None:
    request, response = exchange
    client, sent = asking(request)
    end = feed(client, data.draw(split(before + encode_frame(UNIT, response) + behind)), sent)
    settle(client, end)
    taken = events(client)
    answers = [event for event in taken if isinstance(event, ResponseReceived | ExceptionReceived)]
    assume(all(event.start_ns >= sent + len(before) * CHAR_NS - 2 * CHAR_NS for event in answers))
    assert [event.response for event in answers] == [response]


@modest
@given(st.integers(1, len(ANSWER_FRAME) - 1), st.integers(PAUSE_NS, TIMEOUT_NS // 2))
def test_pause_inside_an_answer_does_not_break_it(cut: int, pause_ns: int) -> None:
    client, now = asking()
    now = feed(client, [ANSWER_FRAME[:cut]], now)
    deadline = client.deadline()
    assert deadline == now + PAUSE_NS
    client.expire(deadline)
    assert client.deadline() == START_NS + TIMING.frame_ns(8) + TIMEOUT_NS  # asked once, not again
    feed(client, [ANSWER_FRAME[cut:]], now + pause_ns)
    (event,) = events(client)
    assert isinstance(event, ResponseReceived)
    assert event.response == ANSWER


def test_no_answer_is_a_timeout_counted_from_the_end_of_the_request() -> None:
    client, sent = asking()
    deadline = sent + TIMEOUT_NS
    assert client.deadline() == deadline
    client.expire(deadline - 1)
    assert events(client) == []
    client.expire(deadline)
    assert events(client) == [ResponseTimeout(UNIT, ASK, START_NS, deadline)]
    assert client.is_idle


def test_half_an_answer_is_a_bad_frame_and_a_timeout() -> None:
    client, sent = asking()
    feed(client, [ANSWER_FRAME[:5]], sent)
    client.expire(sent + TIMEOUT_NS)
    bad, timeout = events(client)
    assert isinstance(bad, BadFrame)
    assert (bad.fault, bad.raw) == (FrameFault.INCOMPLETE, ANSWER_FRAME[:5])
    assert isinstance(timeout, ResponseTimeout)


def test_damaged_answer_ends_the_exchange_after_the_pause() -> None:
    client, sent = asking()
    damaged = ANSWER_FRAME[:-1] + bytes([ANSWER_FRAME[-1] ^ 1])
    end = feed(client, [damaged], sent)
    assert not client.is_idle
    settle(client, end)
    (event,) = events(client)
    assert isinstance(event, ResponseBroken)
    assert (event.request, event.raw, event.end_ns) == (ASK, damaged, end)
    assert client.is_idle


def test_damaged_bytes_followed_by_the_answer_are_only_a_bad_frame() -> None:
    client, sent = asking()
    damaged = ANSWER_FRAME[:-1] + bytes([ANSWER_FRAME[-1] ^ 1])
    feed(client, [damaged + ANSWER_FRAME], sent)
    bad, answer = events(client)
    assert isinstance(bad, BadFrame)
    assert (bad.fault, bad.raw) == (FrameFault.CRC, damaged)
    assert isinstance(answer, ResponseReceived)


@pytest.mark.parametrize(
    ("frame", "fault"),
    [
        (encode_frame(18, ANSWER), FrameFault.WRONG_UNIT),
        (encode_frame(UNIT, ReadInputRegistersResponse((1, 2))), FrameFault.WRONG_FUNCTION),
        (encode_frame(UNIT, ExceptionResponse(4, ExceptionCode.ILLEGAL_FUNCTION)), FrameFault.WRONG_FUNCTION),
        (encode_frame(UNIT, ReadHoldingRegistersResponse((1, 2, 3))), FrameFault.MALFORMED),
        (append_crc(bytes([UNIT, 3, 3, 0, 1, 2])), FrameFault.MALFORMED),
    ],
)
@pytest.mark.parametrize("framing", Framing)
def test_sound_frame_that_is_not_the_answer_is_reported_and_waiting_goes_on(
    frame: bytes, fault: FrameFault, framing: Framing
) -> None:
    client, sent = asking(framing=framing)
    now = settle(client, feed(client, [frame], sent))
    (bad,) = events(client)
    assert isinstance(bad, BadFrame)
    assert (bad.fault, bad.raw) == (fault, frame)
    settle(client, feed(client, [ANSWER_FRAME], now))
    (answer,) = events(client)
    assert isinstance(answer, ResponseReceived)


def test_answer_after_the_timeout_is_discarded_even_if_the_driver_looks_late() -> None:
    client, sent = asking()
    late = sent + TIMEOUT_NS + 1
    client.receive(ANSWER_FRAME, late)
    timeout, discarded = events(client)
    assert isinstance(timeout, ResponseTimeout)
    assert discarded == BytesDiscarded(ANSWER_FRAME, late)


def test_unsolicited_bytes_are_reported_at_once() -> None:
    client = Client(TIMING)
    client.receive(b"\x01\x02", START_NS)
    client.receive(b"", START_NS)
    assert events(client) == [BytesDiscarded(b"\x01\x02", START_NS)]


def test_bytes_behind_the_answer_are_discarded_not_kept_for_the_next_exchange() -> None:
    client, sent = asking()
    now = feed(client, [ANSWER_FRAME + b"\x11\x03\x04"], sent)
    _, discarded = events(client)
    assert discarded == BytesDiscarded(b"\x11\x03\x04", now)
    client.send(ASK, UNIT, now + PAUSE_NS)
    feed(client, [ANSWER_FRAME], now + 2 * PAUSE_NS)
    (answer,) = events(client)
    assert isinstance(answer, ResponseReceived)


def test_second_request_while_one_is_out_is_refused() -> None:
    client, _ = asking()
    with pytest.raises(LocalProtocolError, match="still out"):
        client.send(ASK, UNIT, START_NS)


@pytest.mark.parametrize("unit", [-1, 248, 255])
def test_unit_outside_the_specification_is_refused(unit: int) -> None:
    with pytest.raises(LocalProtocolError, match="0 to 247"):
        Client(TIMING).send(ASK, unit, START_NS)


def test_illegal_count_is_refused_and_leaves_the_client_idle() -> None:
    client = Client(TIMING)
    with pytest.raises(LocalProtocolError, match="count is 126, expected 1 to 125"):
        client.send(ReadHoldingRegisters(0, 126), UNIT, START_NS)
    assert client.is_idle


def test_broadcast_waits_for_the_turnaround_and_expects_no_answer() -> None:
    client = Client(TIMING, turnaround_ns=100_000_000)
    request = WriteMultipleRegisters(0, (1,))
    frame = client.send(request, 0, START_NS)
    assert frame[0] == 0
    deadline = START_NS + TIMING.frame_ns(len(frame)) + 100_000_000
    assert client.deadline() == deadline
    client.receive(b"\x01", deadline - 1)
    client.expire(deadline)
    assert events(client) == [
        BytesDiscarded(b"\x01", deadline - 1),
        TurnaroundElapsed(request, START_NS, deadline),
    ]
    assert client.is_idle


def test_broadcast_of_a_read_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match="nobody answers"):
        Client(TIMING).send(ReadInputRegisters(0, 1), 0, START_NS)


def test_raw_request_goes_out_as_it_is_and_its_answer_comes_back() -> None:
    client, sent = asking(RawRequest(b"\x03\x00\x00\x00\x7e"))
    feed(client, [encode_frame(UNIT, ExceptionResponse(3, ExceptionCode.ILLEGAL_DATA_VALUE))], sent)
    (declined,) = events(client)
    assert isinstance(declined, ExceptionReceived)
    client, sent = asking(RawRequest(b"\x41"))
    settle(client, feed(client, [append_crc(bytes([UNIT, 0x41, 9]))], sent))
    (answer,) = events(client)
    assert isinstance(answer, ResponseReceived)
    assert answer.response == RawResponse(b"\x41\x09")


@modest
@given(st.lists(st.tuples(st.binary(max_size=300), st.integers(0, TIMEOUT_NS // 3)), max_size=10))
def test_client_never_raises_and_every_exchange_ends_once(steps: list[tuple[bytes, int]]) -> None:
    client, now = asking(WriteSingleRegister(1, 2))
    for data, wait in steps:
        now += wait
        client.receive(data, now)
        assert len(client._framer.state.buffer) <= 256
    client.expire(now + 2 * TIMEOUT_NS)
    ends = [
        event
        for event in events(client)
        if isinstance(event, ResponseReceived | ExceptionReceived | ResponseBroken | ResponseTimeout)
    ]
    assert len(ends) == 1
    assert client.is_idle
