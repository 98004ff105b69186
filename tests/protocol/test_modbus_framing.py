"""Frames are found whatever is around them, however they are cut, and nothing is lost or invented."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pymodbus.framer import FramerRTU

from rig.protocol import (
    BadFrame,
    FrameFault,
    Framing,
    InvalidRequest,
    LineTiming,
    Listener,
    ReadCoils,
    ReadDiscreteInputs,
    ReadHoldingRegisters,
    ReadHoldingRegistersResponse,
    ReadInputRegisters,
    Request,
    RequestObserved,
    RequestReceived,
    Response,
    Server,
    WriteMultipleRegisters,
    append_crc,
    encode_frame,
)
from rig.protocol.client import _AnswerReader
from rig.protocol.framing import Frame, Framer
from rig.protocol.server import _LineReader
from tests.protocol.modbus_messages import (
    CHAR_NS,
    PAUSE_NS,
    START_NS,
    TIMING,
    events,
    exchanges,
    feed,
    modest,
    requests,
    settle,
    split,
)

OURS = 17
framings = st.sampled_from(Framing)


def server(framing: Framing = Framing.LENGTH) -> Server:
    return Server([OURS], TIMING, framing=framing)


def seen(role: Any) -> list[Any]:
    return [event.request for event in events(role) if isinstance(event, RequestReceived)]


def is_sound(frame: bytes) -> bool:
    """By somebody else's CRC."""
    return FramerRTU.check_CRC(frame[:-2], int.from_bytes(frame[-2:], "big"))


@modest
@given(st.data(), requests, framings)
def test_request_cut_anywhere_is_the_same_request(data: st.DataObject, request: Request, framing: Framing) -> None:
    role = server(framing)
    frame = encode_frame(OURS, request)
    end = feed(role, data.draw(split(frame)))
    settle(role, end)
    (event,) = events(role)
    assert event == RequestReceived(OURS, request, frame, event.start_ns, event.end_ns)
    assert event.end_ns == end
    assert event.start_ns == end - len(frame) * CHAR_NS


@modest
@given(requests)
def test_request_is_known_with_its_last_byte(request: Request) -> None:
    role = server()
    frame = encode_frame(OURS, request)
    now = feed(role, [frame[:-1]])
    assert role.next_event() is None
    feed(role, [frame[-1:]], now)
    assert seen(role) == [request]
    assert role.deadline() is None


@modest
@given(st.data(), requests, st.binary(min_size=1, max_size=20))
def test_data_behind_a_request_does_not_change_it(data: st.DataObject, request: Request, trailing: bytes) -> None:
    role = server()
    frame = encode_frame(OURS, request)
    end = feed(role, data.draw(split(frame + trailing)))
    settle(role, end)
    assert seen(role)[:1] == [request]


@modest
@given(st.data(), st.binary(min_size=1, max_size=300), requests, framings)
def test_after_garbage_and_a_pause_exactly_the_request_is_seen(
    data: st.DataObject, garbage: bytes, request: Request, framing: Framing
) -> None:
    role = server(framing)
    end = feed(role, data.draw(split(garbage)))
    if data.draw(st.booleans(), label="the driver looks during the pause"):
        role.expire(end + PAUSE_NS)
    assume(not role.counters.requests)  # the garbage held no request
    feed(role, data.draw(split(encode_frame(OURS, request))), end + PAUSE_NS)
    settle(role, end + 10 * PAUSE_NS + 300 * CHAR_NS)
    requests_seen = [event for event in events(role) if isinstance(event, RequestReceived)]
    assume(all(event.start_ns >= end for event in requests_seen))
    assert [event.request for event in requests_seen] == [request]


@modest
@given(st.data(), st.binary(min_size=1, max_size=30), requests)
def test_request_behind_garbage_without_a_pause_is_found(data: st.DataObject, garbage: bytes, request: Request) -> None:
    role = server()
    frame = encode_frame(OURS, request)
    end = feed(role, data.draw(split(garbage + frame)))
    settle(role, end)
    taken = events(role)
    assume(not any(isinstance(event, RequestReceived) and event.raw != frame for event in taken))
    assert [event.request for event in taken if isinstance(event, RequestReceived)] == [request]
    assert b"".join(event.raw for event in taken if isinstance(event, BadFrame)) == garbage


@modest
@given(st.data(), st.lists(requests, min_size=2, max_size=5))
def test_requests_back_to_back_are_all_seen(data: st.DataObject, several: list[Request]) -> None:
    role = server()
    stream = b"".join(encode_frame(OURS, request) for request in several)
    settle(role, feed(role, data.draw(split(stream))))
    assert seen(role) == several
    assert role.counters.bus_errors == 0


@modest
@given(st.data(), st.lists(exchanges, min_size=1, max_size=4), requests, st.booleans())
def test_traffic_of_other_units_is_skipped_as_a_whole(
    data: st.DataObject, others: list[tuple[Request, Response]], request: Request, has_pauses: bool
) -> None:
    role = server()
    frames = [encode_frame(18, message) for exchange in others for message in exchange]
    frames.append(encode_frame(OURS, request))
    now = START_NS
    for frame in frames:
        now = feed(role, data.draw(split(frame)), now) + (PAUSE_NS if has_pauses else 0)
    settle(role, now)
    assert seen(role) == [request]
    assert role.counters.bus_errors == 0
    assert role.counters.bus_messages == len(frames)


@modest
@given(st.data(), requests, framings)
def test_damaged_request_is_never_taken_whole(data: st.DataObject, request: Request, framing: Framing) -> None:
    role = server(framing)
    frame = bytearray(encode_frame(OURS, request))
    where = data.draw(st.integers(0, len(frame) - 1))
    frame[where] ^= data.draw(st.integers(1, 255))
    settle(role, feed(role, data.draw(split(bytes(frame)))))
    for event in events(role):
        if isinstance(event, RequestReceived):  # a piece whose CRC happens to fit
            assert event.raw != frame
            assert event.raw in frame
            assert is_sound(event.raw)
    assert role.counters.bus_errors > 0


@modest
@given(
    st.lists(st.tuples(st.binary(max_size=40) | requests.map(lambda r: encode_frame(OURS, r)), st.integers(0, 3))),
    framings,
)
def test_no_byte_is_lost_moved_or_given_twice(pieces: list[tuple[bytes, int]], framing: Framing) -> None:
    framer = Framer(_LineReader(frozenset([OURS])), TIMING, framing)
    now, frames = START_NS, []
    for piece, half_pauses in pieces:
        now += len(piece) * CHAR_NS
        frames += framer.feed(piece, now)
        now += half_pauses * PAUSE_NS // 2
        frames += framer.expire(now)
    frames += framer.flush()
    assert b"".join(frame.raw for frame in frames) == b"".join(piece for piece, _ in pieces)
    assert all(is_sound(frame.raw) for frame in frames if frame.fault is None)
    times = [time for frame in frames for time in (frame.start_ns, frame.end_ns)]
    assert times == sorted(times)


@modest
@given(
    st.lists(
        st.tuples(
            st.binary(max_size=600) | exchanges.map(lambda e: encode_frame(OURS, e[0]) + encode_frame(OURS, e[1])),
            st.integers(-10 * PAUSE_NS, 10 * PAUSE_NS),
            st.booleans(),
        ),
        max_size=12,
    ),
    framings,
)
def test_server_never_raises_and_never_piles_up_bytes(steps: list[tuple[bytes, int, bool]], framing: Framing) -> None:
    role = server(framing)
    now = START_NS
    for data, wait, expires in steps:
        now += wait  # even a clock that runs backwards
        role.receive(data, now)
        if expires:
            role.expire(now)
        deadline = role.deadline()
        # without bytes or a call of `expire`, what was due stays due
        assert deadline is None or deadline > now or wait < 0 or not (data or expires)
        assert len(role._framer.state.buffer) <= 256
        assert sum(size for size, _, _ in role._framer.state.arrivals) == len(role._framer.state.buffer)
        for event in events(role):
            assert isinstance(event, BadFrame) or is_sound(event.raw)
            assert event.start_ns <= event.end_ns


class Searching(Framer):
    """Looks at everything byte by byte."""

    def _take_likely(self, data: bytes, now: int, last: int, out: list[Frame]) -> bool:
        return False


steps = st.lists(
    st.tuples(
        st.one_of(
            exchanges.map(lambda e: encode_frame(OURS, e[1])),
            exchanges.map(lambda e: encode_frame(OURS, e[0])),
            exchanges.map(lambda e: encode_frame(OURS, e[1])[:5]),
            exchanges.map(lambda e: encode_frame(OURS, e[1])[5:]),
            exchanges.map(lambda e: encode_frame(OURS, e[1]) + b"\x00"),
            st.binary(max_size=6),
            st.binary(max_size=300),
        ),
        st.integers(-PAUSE_NS, 2 * PAUSE_NS),
        st.sampled_from(["", "", "", "expire", "flush"]),
    ),
    max_size=10,
)


@modest
@given(exchanges, st.integers(1, 255), steps, st.booleans())
def test_the_short_way_gives_what_the_search_gives(
    exchange: tuple[Request, Response], cut: int, plan: list[tuple[bytes, int, str]], hold: bool
) -> None:
    answer = encode_frame(OURS, exchange[1])
    reader = _AnswerReader(OURS, exchange[0].function)
    quick, slow = (kind(reader, TIMING, Framing.LENGTH, hold=hold) for kind in (Framer, Searching))
    now = START_NS
    for data, wait, then in [*plan, (answer[:cut], 0, ""), (answer[cut:], 0, "")]:
        now += wait + len(data) * CHAR_NS
        assert quick.feed(data, now) == slow.feed(data, now)
        if then:
            found = [getattr(framer, then)(*([now + PAUSE_NS] if then == "expire" else [])) for framer in (quick, slow)]
            assert found[0] == found[1]
        assert quick.deadline() == slow.deadline()
        assert quick.state.buffer == slow.state.buffer


@modest
@given(
    st.lists(
        st.tuples(st.binary(max_size=300) | exchanges.map(lambda e: encode_frame(OURS, e[0])), st.integers(0, 99))
    ),
    framings,
)
def test_a_block_is_what_lies_between_two_silences(blocks: list[tuple[bytes, int]], framing: Framing) -> None:
    by_block, by_time = server(framing), server(framing)
    now = START_NS
    for data, wait in blocks:
        now += PAUSE_NS + wait + len(data) * CHAR_NS
        by_block.receive_block(data, now)
        by_time.receive(data, now)
        by_time.expire(now + PAUSE_NS)
        assert events(by_block) == events(by_time)
        assert by_block.deadline() is None
    assert by_block.counters == by_time.counters


@pytest.mark.parametrize("framing", Framing)
def test_endless_noise_is_reported_in_large_pieces(framing: Framing) -> None:
    role = server(framing)
    settle(role, feed(role, [b"\x55"] * 2000))
    taken = events(role)
    assert sum(len(event.raw) for event in taken) == 2000
    assert len(taken) < 20
    assert {event.fault for event in taken} == {FrameFault.TOO_LONG}


def test_pause_ends_an_unfinished_frame() -> None:
    role = server()
    frame = encode_frame(OURS, WriteMultipleRegisters(0, (1, 2, 3)))
    end = feed(role, [frame[:-4]])
    deadline = end + PAUSE_NS
    assert role.deadline() == deadline
    role.expire(deadline - 1)
    assert role.next_event() is None
    role.expire(deadline)
    event = role.next_event()
    assert isinstance(event, BadFrame)
    assert (event.fault, event.raw) == (FrameFault.INCOMPLETE, frame[:-4])
    assert role.deadline() is None
    assert role.counters.bus_errors == 1


def test_rest_of_a_frame_behind_a_pause_does_not_complete_it() -> None:
    frame = encode_frame(OURS, ReadHoldingRegisters(0, 1))
    for framing in Framing:
        role = server(framing)
        end = feed(role, [frame[:4]])
        settle(role, feed(role, [frame[4:]], end + PAUSE_NS))
        assert seen(role) == []


def test_longer_pause_can_be_allowed_where_the_system_makes_pauses() -> None:
    role = Server([OURS], TIMING, gap_ns=20_000_000)
    frame = encode_frame(OURS, ReadHoldingRegisters(0, 1))
    end = feed(role, [frame[:4]])
    feed(role, [frame[4:]], end + 16_000_000)
    assert seen(role) == [ReadHoldingRegisters(0, 1)]


def test_pause_shorter_than_3_5_characters_ends_nothing() -> None:
    slow = LineTiming(9_600)
    frame = encode_frame(OURS, ReadHoldingRegisters(0, 1))
    for framing in Framing:
        for gap_ns, expected in [(slow.t3_5_ns - 1, 1), (slow.t3_5_ns, 0)]:
            role = Server([OURS], slow, framing=framing)
            role.receive(frame[:4], START_NS)
            role.receive(frame[4:], START_NS + gap_ns + 4 * slow.char_ns)
            role.expire(START_NS + 10 * slow.t3_5_ns)
            assert len(seen(role)) == expected


def test_answer_that_contains_a_request_to_us_is_not_searched() -> None:
    trap = encode_frame(OURS, ReadHoldingRegisters(0, 1))
    words = tuple(int.from_bytes(trap[i : i + 2], "big") for i in range(0, len(trap), 2))
    role = server()
    for chunk_length in (1, 3, 256):
        frame = encode_frame(18, ReadHoldingRegistersResponse(words))
        feed(role, [frame[i : i + chunk_length] for i in range(0, len(frame), chunk_length)])
    assert events(role) == []
    assert role.counters.bus_messages == 3


def test_strict_silence_loses_a_request_to_one_stray_byte_and_length_does_not() -> None:
    frame = encode_frame(OURS, ReadHoldingRegisters(0, 1))
    lost, found = server(Framing.SILENCE), server(Framing.LENGTH)
    for role in (lost, found):
        settle(role, feed(role, [b"\x00" + frame]))
    assert seen(lost) == []
    assert seen(found) == [ReadHoldingRegisters(0, 1)]


def test_unknown_function_ends_with_the_pause() -> None:
    role = server()
    frame = append_crc(bytes([OURS, 0x41, 1, 2, 3]))
    end = feed(role, [frame])
    assert role.next_event() is None
    settle(role, end)
    (request,) = seen(role)
    assert isinstance(request, InvalidRequest)
    assert request.function == 0x41


@modest
@given(requests, st.data())
def test_copied_server_goes_on_like_the_original(request: Request, data: st.DataObject) -> None:
    frame = encode_frame(OURS, request)
    cut = data.draw(st.integers(1, len(frame) - 1))
    role = server()
    now = feed(role, [frame[:cut]])
    other = copy.deepcopy(role)
    for each in (role, other):
        feed(each, [frame[cut:]], now)
    assert events(role) == events(other) != []


@modest
@given(st.binary(min_size=5, max_size=60), requests)
def test_request_in_pieces_after_garbage_and_a_pause_is_known_with_its_last_byte(
    garbage: bytes, request: Request
) -> None:
    role = server()
    end = feed(role, [garbage])
    role.expire(end + PAUSE_NS)
    events(role)
    frame = encode_frame(OURS, request)
    feed(role, [frame[:3], frame[3:]], end + PAUSE_NS)
    assert seen(role) == [request]


def beginnings_that_look_like_answers() -> list[bytes]:
    """Sound requests whose first five bytes are, by chance, a sound answer without data."""
    found = []
    for unit in range(1, 248):
        for function, most in ((1, 2000), (2, 2000), (3, 125), (4, 125)):
            answer = append_crc(bytes([unit, function, 0]))
            address, count = int.from_bytes(answer[2:4], "big"), (answer[4] << 8) + 1
            if unit != OURS and count <= most:
                request = {
                    1: ReadCoils,
                    2: ReadDiscreteInputs,
                    3: ReadHoldingRegisters,
                    4: ReadInputRegisters,
                }
                found.append(encode_frame(unit, request[function](address, count)))
                assert found[-1].startswith(answer)
    return found


def test_less_likely_reading_is_not_believed_while_the_likelier_one_still_grows() -> None:
    frames = beginnings_that_look_like_answers()
    assert frames
    for frame in frames:
        node, listener = server(), Listener(TIMING)
        for role in (node, listener):
            feed(role, [frame[i : i + 1] for i in range(len(frame))])
        assert events(node) == []
        assert (node.counters.bus_messages, node.deadline()) == (1, None)
        (event,) = events(listener)
        assert isinstance(event, RequestObserved)
        assert event.raw == frame
