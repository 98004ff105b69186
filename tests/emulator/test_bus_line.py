"""Times of bytes, frames and answers, and what the line does to them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.bus import INPUT_BUFFER, Bus, LineSettings, garbled
from emulator.state import copied
from rig.protocol import LineTiming, append_crc, has_valid_crc
from tests.emulator.fakes import TURNAROUND_NS, FakeNode, FakeWorld, read_answer, read_request

LINE = LineSettings()
SECOND_NS = 1_000_000_000
SETTINGS = st.builds(
    LineSettings,
    st.sampled_from([300, 1200, 9600, 19200, 38400, 115200, 921600]),
    parity=st.sampled_from("NEO"),
    stop_bits=st.sampled_from([1, 2]),
)


def listen(world: FakeWorld, seconds: float = 1.0) -> bytes:
    """Whatever arrives in the next while."""
    world.run_until(world.now_ns + round(seconds * SECOND_NS))
    return world.bus.read(10_000)


class TestTime:
    @given(SETTINGS, st.integers(0, 300))
    def test_settings_take_the_time_of_the_protocol(self, line: LineSettings, count: int) -> None:
        timing = LineTiming(line.baud, 8, line.parity, int(line.stop_bits))  # type: ignore[arg-type]
        assert line.span_ns(count) == timing.frame_ns(count)
        assert line.silence_ns == timing.t3_5_ns
        assert line.char_ns == timing.char_ns

    @given(SETTINGS, st.integers(0, 5000))
    def test_count_is_the_inverse_of_span(self, line: LineSettings, count: int) -> None:
        assert line.count_in(line.span_ns(count)) == count
        assert line.count_in(line.span_ns(count + 1) - 1) == count

    @given(SETTINGS)
    def test_every_byte_comes_at_its_time(self, line: LineSettings) -> None:
        world = FakeWorld()
        sent_ns = world.bus.transmit(read_request(), line)
        assert sent_ns == line.span_ns(8)
        assert world.bus.due_ns == sent_ns + line.silence_ns
        assert world.bus.arrival_ns(1) is None

        world.run_until(world.bus.due_ns)
        assert world.bus.due_ns is None
        start_ns = world.now_ns + TURNAROUND_NS
        answer = read_answer()
        for count in (1, 2, 60, len(answer)):
            arrival_ns = world.bus.arrival_ns(count)
            assert arrival_ns == start_ns + line.span_ns(count)
            assert world.bus.arrived(arrival_ns - 1) == count - 1
            assert world.bus.arrived(arrival_ns) == count
        assert world.bus.arrival_ns(len(answer) + 1) is None
        assert listen(world, 10) == answer

    def test_the_node_is_asked_once_and_at_the_end_of_the_silence(self) -> None:
        world = FakeWorld()
        world.bus.transmit(read_request(), LINE)
        due_ns = world.bus.due_ns
        listen(world)
        assert [time_ns for time_ns, _ in world.node.heard] == [due_ns]

    def test_one_exchange_is_one_wake_up(self) -> None:
        world = FakeWorld()
        world.bus.transmit(read_request(), LINE)
        assert len(world.env._queue) == 1
        listen(world)
        assert len(world.env._queue) == 0


class TestFrames:
    @given(st.integers(1, 7), st.integers(0, 10_000_000))
    def test_a_pause_ends_a_frame_from_three_and_a_half_characters_on(self, cut: int, pause_ns: int) -> None:
        world, request = FakeWorld(), read_request()
        world.run_until(world.bus.transmit(request[:cut], LINE) + pause_ns)
        world.bus.transmit(request[cut:], LINE)
        whole = pause_ns < LINE.silence_ns
        assert listen(world) == (read_answer() if whole else b"")
        # either way the line is free again
        world.bus.transmit(request, LINE)
        assert listen(world) == read_answer()

    def test_writes_follow_one_another_without_pause(self) -> None:
        world, request = FakeWorld(), read_request()
        for byte in request:
            end_ns = world.bus.transmit(bytes([byte]), LINE)
        assert end_ns == pytest.approx(LINE.span_ns(8), abs=8)
        assert listen(world) == read_answer()

    def test_two_requests_without_pause_are_one_bad_frame(self) -> None:
        world = FakeWorld()
        world.bus.transmit(read_request() + read_request(), LINE)
        assert listen(world) == b""

    def test_a_master_that_never_falls_silent_is_no_frame_and_takes_no_memory(self) -> None:
        world = FakeWorld()
        for _ in range(100):
            sent_ns = world.bus.transmit(read_request() * 100, LINE)
            world.run_until(sent_ns)
        assert len(world.bus.state.request) < 6000
        assert listen(world) == b""
        world.bus.transmit(read_request(), LINE)
        assert listen(world) == read_answer()
        assert len(world.node.heard) == 1

    def test_broadcasts_and_other_addresses_are_not_answered(self) -> None:
        world = FakeWorld()
        for unit in (0, 2):
            world.bus.transmit(read_request(unit=unit), LINE)
            assert listen(world) == b""

    def test_each_node_answers_for_itself(self) -> None:
        world = FakeWorld()
        world.bus = Bus(world.agenda, [FakeNode(1), FakeNode(2)])
        for unit in (1, 2):
            world.bus.transmit(read_request(unit=unit), LINE)
            assert listen(world) == read_answer(unit=unit)

    def test_addresses_are_unique(self) -> None:
        with pytest.raises(ValueError, match="two nodes on the bus have address 1"):
            Bus(FakeWorld().agenda, [FakeNode(1), FakeNode(1)])

    @given(st.lists(st.integers(1, 200), min_size=1))
    def test_reading_in_pieces_loses_nothing(self, sizes: list[int]) -> None:
        world = FakeWorld()
        world.bus.transmit(read_request(), LINE)
        world.run_until(SECOND_NS)
        parts = [world.bus.read(size) for size in sizes]
        parts.append(world.bus.read(1000))
        assert b"".join(parts) == read_answer()
        assert world.bus.state.replies == []

    def test_a_master_that_never_reads_loses_what_does_not_fit(self) -> None:
        world = FakeWorld()
        for _ in range(40):
            world.bus.transmit(read_request(), LINE)
            world.run_until(world.now_ns + SECOND_NS)
        assert len(world.bus.read(10_000)) == INPUT_BUFFER
        assert world.bus.state.counters.lost_bytes == 40 * 125 - INPUT_BUFFER
        world.bus.transmit(read_request(), LINE)
        assert listen(world) == read_answer()


class TestSettings:
    @pytest.mark.parametrize(
        ("line", "understood"),
        [
            (LineSettings(9600), True),
            (LineSettings(9600, parity="N", stop_bits=2), True),
            (LineSettings(9750), True),
            (LineSettings(19200), False),
            (LineSettings(9300), False),
            (LineSettings(9600, data_bits=7), False),
        ],
    )
    def test_a_node_of_fixed_baud_rate(self, line: LineSettings, understood: bool) -> None:
        world = FakeWorld()
        world.bus = Bus(world.agenda, [world.node], baud=9600)
        world.bus.transmit(read_request(5), line)
        assert listen(world) == (read_answer(5) if understood else b"")
        assert world.bus.state.counters.not_understood == (not understood)
        world.bus.transmit(read_request(5), LineSettings(9600))
        assert listen(world) == read_answer(5)

    def test_changing_settings_within_a_frame_spoils_it(self) -> None:
        world, request = FakeWorld(), read_request()
        world.bus.transmit(request[:4], LINE)
        world.bus.transmit(request[4:], LineSettings(9600))
        assert listen(world) == b""

    def test_changing_settings_within_an_answer_spoils_the_rest(self) -> None:
        world, answer = FakeWorld(), read_answer()
        world.bus.transmit(read_request(), LINE)
        world.run_until(world.bus.due_ns or 0)
        world.run_until(world.bus.arrival_ns(50) or 0)
        world.bus.retune(LineSettings(9600))
        got = listen(world)
        assert got[:50] == answer[:50]
        assert all(a != b for a, b in zip(got[50:], answer[50:], strict=True))


class TestFaults:
    @given(st.integers(4, 256), st.binary(min_size=254, max_size=254))
    def test_garbled_bytes_are_no_frame(self, length: int, body: bytes) -> None:
        frame = append_crc(body[: length - 2])
        assert has_valid_crc(frame)
        assert not has_valid_crc(garbled(frame, 0, length))

    @given(st.integers(1, 124))
    def test_a_collision_garbles_both(self, count: int) -> None:
        world, answer = FakeWorld(), read_answer()
        world.bus.transmit(read_request(), LINE)
        world.run_until(world.bus.due_ns or 0)
        world.run_until(world.bus.arrival_ns(count) or 0)
        world.bus.transmit(read_request(), LINE)
        got = listen(world)
        assert got[:count] == answer[:count]
        wrong = [index for index in range(125) if got[index] != answer[index]]
        # a byte's time is rounded up, so that the eighth may reach a nanosecond into the next
        assert wrong in [list(range(count, min(count + size, 125))) for size in (8, 9)]
        assert len(got) == 125, "the second request was not understood"
        assert world.bus.state.counters.collisions == 1
        world.bus.transmit(read_request(), LINE)
        assert listen(world) == answer

    def test_a_break_spoils_request_and_answer(self) -> None:
        world, answer = FakeWorld(), read_answer()
        world.bus.transmit(read_request(), LINE)
        world.bus.begin_break()
        world.run_until(SECOND_NS)
        world.bus.end_break()
        assert listen(world) == b""

        world.bus.transmit(read_request(), LINE)
        world.run_until(world.bus.due_ns or 0)
        world.run_until(world.bus.arrival_ns(10) or 0)
        world.bus.begin_break()
        world.bus.transmit(read_request(), LINE)
        got = listen(world)
        world.bus.end_break()
        assert got[:10] == answer[:10]
        assert all(a != b for a, b in zip(got[10:], answer[10:], strict=True))
        assert listen(world) == b""
        world.bus.transmit(read_request(), LINE)
        assert listen(world) == answer
        assert world.bus.state.counters.breaks == 2

    @given(st.integers(0, LINE.span_ns(8) + 1))
    def test_discarded_output_does_not_leave(self, after_ns: int) -> None:
        world, seen = FakeWorld(), []
        world.bus.on_frame = lambda *frame: seen.append(frame)
        world.bus.transmit(read_request(), LINE)
        world.run_until(after_ns)
        left = LINE.count_in(after_ns) + (LINE.span_ns(LINE.count_in(after_ns)) < after_ns)
        world.bus.discard_output()
        assert world.bus.out_waiting(world.now_ns) <= 1
        got = listen(world)
        assert got == (read_answer() if left >= 8 else b"")
        assert [frame[3] for frame in seen[:1]] == ([read_request()[:left]] if left else [])


class TestCapture:
    def test_every_frame_with_its_times(self) -> None:
        world, seen = FakeWorld(), []
        world.bus.on_frame = lambda *frame: seen.append(frame)
        world.run_until(5)
        world.bus.transmit(read_request(2), LINE)
        assert listen(world) == read_answer(2)
        request_end = 5 + LINE.span_ns(8)
        start = request_end + LINE.silence_ns + TURNAROUND_NS
        assert seen == [
            (5, request_end, "request", read_request(2), ""),
            (start, start + LINE.span_ns(9), "response", read_answer(2), ""),
        ]

    def test_an_answer_that_nobody_reads_is_reported_too(self) -> None:
        world, seen = FakeWorld(), []
        world.bus.on_frame = lambda *frame: seen.append(frame[2])
        world.bus.transmit(read_request(), LINE)
        world.run_until(world.bus.due_ns or 0)
        world.bus.report_frames()
        assert seen == ["request"], "the answer has not ended"
        world.run_until(SECOND_NS)
        world.bus.report_frames()
        world.bus.read(1000)
        assert seen == ["request", "response"]

    def test_faulty_frames_say_why(self) -> None:
        world, seen = FakeWorld(), []
        world.bus.on_frame = lambda *frame: seen.append((frame[2], frame[4]))
        world.bus.begin_break()
        world.run_until(1000)
        world.bus.end_break()
        listen(world)
        world.bus.transmit(read_request(), LineSettings(data_bits=7))
        listen(world)
        assert seen == [("unknown", "break"), ("request", "other line settings")]


class TestFork:
    @given(st.data())
    def test_a_fork_goes_on_like_its_origin(self, data: st.DataObject) -> None:
        world = FakeWorld()
        steps = st.lists(
            st.tuples(
                st.integers(0, 80_000_000),
                st.one_of(
                    st.binary(max_size=3).map(lambda b: ("transmit", b)),
                    st.just(("transmit", read_request())),
                    st.just(("transmit", read_request()[:5])),
                    st.integers(0, 200).map(lambda n: ("read", n)),
                    st.sampled_from([("begin_break",), ("end_break",), ("discard_output",), ("discard_input",)]),
                ),
            ),
            max_size=6,
        )

        def act(target: FakeWorld, plan: list[Any]) -> list[Any]:
            out: list[Any] = []
            for pause_ns, (name, *values) in plan:
                target.run_until(target.now_ns + pause_ns)
                if name == "transmit":
                    values.append(LINE)
                out.append((target.now_ns, getattr(target.bus, name)(*values)))
            target.run_until(target.now_ns + SECOND_NS)
            return [*out, target.bus.read(1000), target.bus.state]

        act_first = data.draw(steps)
        for pause_ns, (name, *values) in act_first:
            world.run_until(world.now_ns + pause_ns)
            getattr(world.bus, name)(*values, *([LINE] if name == "transmit" else []))
        twin = FakeWorld()
        twin.env._now = world.now_ns
        twin.bus = world.bus.with_state(copied(world.bus.state), twin.agenda, [twin.node])
        plan = data.draw(steps)
        assert act(twin, plan) == act(world, plan)
