"""The emu:// port: pyserial's interface, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
import serial
import simpy
from hypothesis import given
from hypothesis import strategies as st

from emulator.agenda import Priority
from emulator.bus import LineSettings
from emulator.ports import register
from emulator.ports.protocol_emu import OUTPUT_BUFFER, Serial, port_on
from emulator.ports.url import parse_url
from emulator.state import copied
from tests.emulator.fakes import TURNAROUND_NS, FakeWorld, read_answer, read_request

SECOND_NS = 1_000_000_000
LINE = LineSettings(19200, 8, "N", 1)
ANSWER = read_answer()
START_NS = LINE.span_ns(8) + LINE.silence_ns + TURNAROUND_NS
"""When the answer to a request at time 0 begins."""


@pytest.fixture(autouse=True)
def fake_worlds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Serial, "world_factory", staticmethod(FakeWorld))


def open_port(**settings: Any) -> Serial:
    port = Serial(None, **{"baudrate": 19200} | settings)
    port.port = "emu://"
    port.attach(FakeWorld())  # type: ignore[arg-type]
    port.open()
    return port


def now(port: Serial) -> int:
    return port.world.now_ns


class TestReading:
    @given(st.lists(st.integers(1, 40), min_size=1, max_size=20))
    def test_each_read_ends_with_the_arrival_of_its_last_byte(self, sizes: list[int]) -> None:
        port = open_port(timeout=1.0)
        port.write(read_request())
        got = b""
        for size in sizes:
            if len(got) + size > len(ANSWER):
                break
            got += port.read(size)
            assert now(port) == START_NS + LINE.span_ns(len(got))
        assert got == ANSWER[: len(got)]

    @given(st.integers(1, 1_000_000).map(lambda us: us / 1e6), st.integers(1, 200))
    def test_a_timeout_ends_a_read_to_the_nanosecond(self, timeout: float, size: int) -> None:
        port = open_port(timeout=timeout)
        port.write(read_request())
        got = port.read(size)
        limit_ns = round(timeout * SECOND_NS)
        there = [n for n in range(126) if START_NS + LINE.span_ns(n) <= limit_ns or n == 0]
        assert got == ANSWER[: min(size, there[-1])]
        assert now(port) == (limit_ns if len(got) < size else START_NS + LINE.span_ns(size))

    def test_bytes_that_are_there_take_no_time(self) -> None:
        port = open_port(timeout=1.0)
        port.write(read_request())
        port.world.run_until(SECOND_NS)
        assert port.read(200 - 75) == ANSWER
        assert now(port) == SECOND_NS

    def test_timeout_zero_takes_what_is_there(self) -> None:
        port = open_port(timeout=0)
        port.write(read_request())
        port.world.run_until(START_NS + LINE.span_ns(7))
        assert port.read(100) == ANSWER[:7]
        assert now(port) == START_NS + LINE.span_ns(7)

    def test_polling_with_timeout_zero_gets_there(self) -> None:
        port = open_port(timeout=0)
        port.write(read_request())
        got, polls = b"", 0
        while len(got) < len(ANSWER):
            got += port.read(200)
            polls += 1
        assert got == ANSWER
        assert polls < 200

    @given(st.integers(1, 600).map(lambda tenths: tenths / 1e4), st.integers(1, 124))
    def test_an_inter_byte_timeout_ends_a_read_after_a_pause(self, gap: float, size: int) -> None:
        port = open_port(timeout=1.0, inter_byte_timeout=gap)
        port.write(read_request())
        gap_ns = round(gap * SECOND_NS)
        got = port.read(size + 100 if size > 62 else size)
        if gap_ns < LINE.span_ns(1) - 1:
            assert got == ANSWER[:1] if size > 1 else ANSWER[:size]
        elif size > 62 and size + 100 > 125:
            assert got == ANSWER
            assert now(port) == START_NS + LINE.span_ns(125) + gap_ns
        else:
            assert got == ANSWER[:size]
            assert now(port) == START_NS + LINE.span_ns(size)

    def test_an_inter_byte_timeout_does_not_hurry_the_first_byte(self) -> None:
        port = open_port(timeout=0.3, inter_byte_timeout=0.001)
        assert port.read(1) == b""
        assert now(port) == 300_000_000

    def test_no_timeout_waits_for_the_bytes(self) -> None:
        port = open_port(timeout=None)
        port.write(read_request())
        assert port.read(125) == ANSWER

    def test_no_timeout_and_no_bytes_is_an_error_in_the_end(self) -> None:
        port = open_port(timeout=None)
        port.write(read_request(1))
        with pytest.raises(serial.SerialException, match=r"read\(8\) without a timeout: 7 bytes .* set a timeout"):
            port.read(8)
        assert now(port) == 600 * SECOND_NS
        assert port.read(7) == read_answer(1), "what has come is not lost"

    def test_read_until_has_one_timeout_for_all(self) -> None:
        port = open_port(timeout=0.05)
        port.write(read_request())
        got = port.read_until(b"\xff\xff\xff")
        assert got == ANSWER[: LINE.count_in(50_000_000 - START_NS)]
        assert now(port) == 50_000_000

    def test_lines_can_be_iterated(self) -> None:
        port = open_port(timeout=0.2)
        port.write(read_request())
        lines = list(port)
        assert b"".join(lines) == ANSWER
        assert lines[0].endswith(b"\n")

    def test_readall_reads_to_the_timeout(self) -> None:
        port = open_port(timeout=0.2)
        port.write(read_request())
        assert port.readall() == ANSWER


class TestPolling:
    def test_looking_once_takes_no_time(self) -> None:
        port = open_port()
        port.write(read_request())
        assert port.in_waiting == 0
        assert now(port) == 0

    def test_looking_again_takes_a_character_and_twice_as_long_each_time_up_to_a_millisecond(self) -> None:
        port = open_port(baudrate=115_200)
        char_ns = LineSettings(115_200, parity=port.parity).char_ns
        looks = [(port.in_waiting, now(port)) for _ in range(7)]
        steps = [b - a for (_, a), (_, b) in pairwise(looks)]
        assert looks[0] == (0, 0)
        assert steps == [char_ns, 2 * char_ns, 4 * char_ns, 8 * char_ns, 1_000_000, 1_000_000]

    def test_whoever_sends_or_gets_something_looks_closely_again(self) -> None:
        port = open_port()
        port.timeout = 0
        for begin in (lambda: port.write(b"x"), port.reset_input_buffer):
            assert [port.in_waiting for _ in range(5)] == [0] * 5
            begin()
            before_ns = now(port)
            assert [port.in_waiting for _ in range(2)] == [0, 0]
            assert now(port) == before_ns + LINE.char_ns

    def test_a_copy_looks_as_closely_as_its_origin(self) -> None:
        port = open_port(baudrate=115_200)
        assert [port.in_waiting for _ in range(4)] == [0] * 4
        twin = port_on(FakeWorld(start_ns=now(port)), port.state)  # type: ignore[arg-type]
        assert [(twin.in_waiting, now(twin)) for _ in range(2)] == [(port.in_waiting, now(port)) for _ in range(2)]

    def test_a_count_that_stands_still_means_that_the_answer_is_whole(self) -> None:
        # this is how pymodbus ends a frame
        port = open_port()
        port.write(read_request())
        counts = [port.in_waiting]
        while not counts[-1] or counts[-1] != counts[-2]:
            counts.append(port.in_waiting)
        assert counts[-1] == len(ANSWER)
        assert port.read_all() == ANSWER

    def test_waiting_for_output_to_leave_ends(self) -> None:
        port = open_port()
        port.write(read_request())
        counts = [port.out_waiting]
        while counts[-1]:
            counts.append(port.out_waiting)
        assert counts == [8, 7, 6, 5, 4, 3, 2, 1, 0]


class TestWriting:
    def test_a_write_takes_no_time_and_flush_does(self) -> None:
        port = open_port()
        assert port.write(read_request()) == 8
        assert now(port) == 0
        port.flush()
        assert now(port) == LINE.span_ns(8)
        port.flush()
        assert now(port) == LINE.span_ns(8)

    def test_a_full_buffer_blocks(self) -> None:
        port = open_port()
        data = bytes(3 * OUTPUT_BUFFER)
        assert port.write(data) == len(data)
        assert port.out_waiting <= OUTPUT_BUFFER
        assert now(port) >= LINE.span_ns(2 * OUTPUT_BUFFER)
        port.flush()
        assert now(port) == pytest.approx(LINE.span_ns(3 * OUTPUT_BUFFER), abs=10)

    def test_a_full_buffer_times_out(self) -> None:
        port = open_port(write_timeout=0.25)
        with pytest.raises(serial.SerialTimeoutException):
            port.write(bytes(3 * OUTPUT_BUFFER))
        assert now(port) == 250_000_000

    def test_write_timeout_zero_takes_what_fits(self) -> None:
        port = open_port(write_timeout=0)
        assert port.write(bytes(OUTPUT_BUFFER + 10)) == OUTPUT_BUFFER
        assert port.write(b"x") == 0
        assert now(port) == 0

    def test_discarded_output_never_leaves(self) -> None:
        port = open_port(timeout=0.2)
        port.write(read_request())
        port.reset_output_buffer()
        assert port.read(1) == b""

    def test_a_break_lasts_as_long_as_asked(self) -> None:
        port = open_port(timeout=0.2)
        port.send_break(0.01)
        assert now(port) == 10_000_000
        port.write(read_request())
        assert port.read(1) == b"", "a request right behind a break is one frame with it"
        port.break_condition = True
        port.break_condition = False
        port.read(1)
        port.write(read_request())
        assert port.read(125) == ANSWER


class TestSettings:
    def test_a_changed_baud_rate_changes_the_time(self) -> None:
        port = open_port(timeout=1.0)
        port.baudrate = 9600
        port.write(read_request())
        port.flush()
        assert now(port) == LineSettings(9600, 8, "N", 1).span_ns(8)
        assert port.read(125) == ANSWER

    def test_a_change_spoils_what_is_on_its_way(self) -> None:
        port = open_port(timeout=1.0)
        port.write(read_request())
        first = port.read(50)
        port.parity = "E"
        rest = port.read(75)
        assert first == ANSWER[:50]
        assert len(rest) == 75
        assert rest != ANSWER[50:]

    def test_baud_rate_zero_is_refused(self) -> None:
        port = open_port()
        with pytest.raises(ValueError, match="baud rate: 0"):
            port.baudrate = 0
        with pytest.raises(ValueError, match="baud rate: 0"):
            Serial("emu://", baudrate=0)


class TestOpening:
    @pytest.fixture(autouse=True)
    def registered(self) -> Iterator[None]:
        before = list(serial.protocol_handler_packages)
        register()
        register()
        assert serial.protocol_handler_packages.count("emulator.ports") == 1
        yield
        serial.protocol_handler_packages[:] = before

    def test_two_ports_share_nothing(self) -> None:
        one = serial.serial_for_url("emu://", timeout=0.5)
        two = serial.serial_for_url("emu://", timeout=0.5)
        one.write(read_request())
        assert one.read(125) == ANSWER
        assert one.world is not two.world
        assert two.world.now_ns == 0

    def test_no_world_before_it_is_opened(self) -> None:
        port = serial.serial_for_url("emu://", do_not_open=True)
        with pytest.raises(serial.PortNotOpenError):
            _ = port.world
        port.open()
        assert port.world.now_ns == 0

    def test_closing_does_not_switch_the_press_off(self) -> None:
        port = serial.serial_for_url("emu://", timeout=0.5)
        world = port.world
        port.write(read_request())
        port.read(10)
        port.close()
        assert port.world is world
        port.open()
        assert port.world is world
        world.run_until(SECOND_NS)
        port.reset_input_buffer()
        port.write(read_request())
        assert port.read(125) == ANSWER

    def test_another_url_is_another_press(self) -> None:
        port = serial.serial_for_url("emu://", timeout=0.5)
        world = port.world
        port.port = "emu://?seed=2"
        assert port.is_open
        assert port.world is not world
        assert port.world.config.seed == 2

    def test_a_url_says_what_the_world_is_made_from(self) -> None:
        port = serial.serial_for_url(
            "emu://?machine=pitch60&material=g20&recipe=too-cold&seed=7&start=warm&baud=9600&identity=real"
        )
        config = port.world.config
        assert (config.machine, config.material, config.recipe) == ("pitch60", "g20", "too-cold")
        assert (config.seed, config.start, config.baud, config.identity) == (7, "warm", 9600, "real")

    def test_the_line_is_a_place_and_a_parameter(self) -> None:
        assert parse_url("emu://").line == ""
        assert parse_url("emu://line").line == parse_url("emu://?line=reference").line == "reference"
        config = parse_url("emu://line?line=my/line.toml&start=running")
        assert (config.line, config.start) == ("my/line.toml", "running")

    @pytest.mark.parametrize(
        ("url", "complaint"),
        [
            ("emu://?sed=1", "parameter 'sed' is unknown; expected emu:// with any of .*seed=…&start="),
            ("emu://?seed=1&seed=2", "'seed' is there twice"),
            ("emu://?seed=", "'seed' has no value"),
            ("emu://?seed", "malformed query"),
            ("emu://?seed=-1", "seed is '-1', which is not a whole number from 0"),
            ("emu://?seed=1e3", "seed is '1e3', which is not a whole number"),
            ("emu://?seed=99999999999999999999999", "not a whole number"),
            ("emu://?baud=0", "baud is '0', which is not a whole number from 300 to 4,000,000"),
            ("emu://?start=hot", "start is 'hot'; it must be one of cold, warm, running"),
            ("emu://?identity=fake", "identity is 'fake'"),
            ("emu://press?seed=1", "'press' names a place"),
            ("emu:///dev/ttyS0", "'/dev/ttyS0' names a place"),
            ("emu://?seed=1#a/b", "'#a/b' is no name of a device"),
            ("emu://line#%20", "'#%20' is no name of a device"),
            ("emu://line/2", "'line/2' names a place"),
        ],
    )
    def test_a_wrong_url_is_explained(self, url: str, complaint: str) -> None:
        with pytest.raises(serial.SerialException, match=complaint) as error:
            serial.serial_for_url(url)
        assert isinstance(error.value, ValueError)
        assert url in str(error.value)
        assert "\n" not in str(error.value)

    def test_what_the_world_refuses_is_explained(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(config: Any) -> Any:
            raise ValueError("no machine is called 'x'")

        monkeypatch.setattr(Serial, "world_factory", staticmethod(refuse))
        with pytest.raises(serial.SerialException, match=r"'emu://\?machine=x': no machine is called 'x'"):
            serial.serial_for_url("emu://?machine=x")

    def test_another_world_can_be_put_behind_an_open_port(self) -> None:
        port = open_port(timeout=0.5)
        port.write(read_request())
        port.read(20)
        twin = FakeWorld()
        twin.env._now = now(port)
        twin.bus = port.world.bus.with_state(copied(port.world.bus.state), twin.agenda, [twin.node])
        rest = port.read(105)
        port.attach(twin)  # type: ignore[arg-type]
        assert port.read(105) == rest


class TestNesting:
    def in_process(self, port: Serial, call: Callable[[], Any]) -> None:
        def process(env: simpy.Environment):  # type: ignore[no-untyped-def]
            yield env.timeout(5)
            call()

        port.world.env.process(process(port.world.env))

    def in_callback(self, port: Serial, call: Callable[[], Any]) -> None:
        port.world.agenda.at(5, Priority.OPERATOR, call)

    @pytest.mark.parametrize("place", ["in_process", "in_callback"])
    def test_waiting_inside_the_simulation_is_refused(self, place: str) -> None:
        port = open_port(timeout=1.0)
        getattr(self, place)(port, lambda: port.read(1))
        with pytest.raises(serial.SerialException, match="from inside its simulation"):
            port.world.run_until(10)

    @pytest.mark.parametrize("place", ["in_process", "in_callback"])
    def test_what_does_not_wait_is_allowed(self, place: str) -> None:
        port = open_port(timeout=1.0)
        getattr(self, place)(port, lambda: port.write(read_request()))
        port.world.run_until(10)
        assert port.read(125) == ANSWER

    def test_an_exception_of_the_model_comes_out_of_read(self) -> None:
        port = open_port(timeout=1.0)

        def fail() -> None:
            raise ArithmeticError("the model has left its range")

        port.world.agenda.at(5, Priority.PLANT, fail)
        with pytest.raises(ArithmeticError, match="has left its range"):
            port.read(1)
        assert port.read(1) == b""
