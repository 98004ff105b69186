"""A line without a limit of the baud rate: answers as soon as they are known, and the same answers as ever."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.bus import Bus, LineSettings
from emulator.ports import paced
from emulator.ports.paced import serve
from emulator.ports.pty import PtyEndpoint
from emulator.state import copied
from emulator.wire.faults import fault_from
from rig.cli_snapshot import add_where, serving
from rig.protocol import ReadHoldingRegisters, WriteMultipleRegisters, WriteSingleRegister, append_crc, encode_frame
from tests.emulator.fakes import FakeWorld, read_answer, read_request

LINE = LineSettings(115_200)
TURNS = 50
UNITS = st.sampled_from([0, 1, 2])
REQUESTS = st.one_of(
    st.builds(read_request, st.integers(1, 125), st.integers(0, 500), UNITS),
    st.builds(
        lambda unit, address, value: encode_frame(unit, WriteSingleRegister(address, value)),
        UNITS, st.integers(0, 500), st.integers(0, 0xFFFF),
    ),
    st.builds(
        lambda unit, values: encode_frame(unit, WriteMultipleRegisters(7, tuple(values))),
        UNITS, st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=20),
    ),
    st.just(append_crc(bytes([1, 0x63, 0]))),
    st.just(append_crc(bytes([1, 0x84, 2]))),
    st.just(encode_frame(1, ReadHoldingRegisters(0, 5))[:-1] + b"\x00"),
    st.binary(min_size=1, max_size=20),
)  # fmt: skip


def unlimited(adapter: str = "ideal", baud: int | None = None) -> FakeWorld:
    world = FakeWorld()
    world.bus = Bus(world.agenda, [world.node], baud, adapter)
    world.bus.at_once = True
    return world


def asked(world: FakeWorld, data: bytes, line: LineSettings = LINE) -> bytes:
    """What has come when everything is quiet."""
    world.bus.transmit(data, line)
    world.run_until(world.now_ns + 1_000_000_000)
    return world.bus.read(4096)


def asked_now(world: FakeWorld, data: bytes, line: LineSettings = LINE) -> bytes:
    """What comes without time passing."""
    world.bus.transmit(data, line)
    return world.bus.read(4096)


class TestLine:
    @given(st.lists(REQUESTS, max_size=8))
    def test_answers_are_those_of_a_line_that_takes_its_time(self, requests: list[bytes]) -> None:
        fast, slow = unlimited(), FakeWorld()
        for data in requests:
            assert asked(fast, data) == asked(slow, data)
        assert [what for _, what in fast.node.heard] == [what for _, what in slow.node.heard]
        assert fast.node.registers == slow.node.registers
        assert fast.bus.state.counters == slow.bus.state.counters

    def test_a_whole_request_is_answered_without_time_passing(self) -> None:
        world = unlimited()
        assert asked_now(world, read_request()) == read_answer()
        assert world.bus.due_ns is None
        assert asked_now(world, read_request()) == read_answer()

    def test_a_request_in_two_parts_is_answered_with_its_last_byte(self) -> None:
        world = unlimited()
        for part in (read_request()[:3], read_request()[3:]):
            assert world.bus.read(1000) == b""
            world.bus.transmit(part, LINE)
        assert world.bus.read(1000) == read_answer()

    def test_bytes_that_are_no_request_end_with_silence(self) -> None:
        world = unlimited()
        assert asked_now(world, b"\x01\x02\x03") == b""
        world.run_until(LINE.silence_ns)
        assert asked_now(world, read_request()) == read_answer()

    def test_two_requests_without_silence_are_one_bad_frame(self) -> None:
        assert asked(unlimited(), 2 * read_request()) == b""

    def test_faults_strike(self) -> None:
        world = unlimited()
        world.bus.inject(fault_from("lost_bytes", {"amount": 5, "nth": 1}))
        assert len(asked(world, read_request())) == len(read_answer()) - 5
        assert asked_now(world, read_request()) == read_answer()

    def test_a_delayed_answer_is_late_by_its_delay(self) -> None:
        world = unlimited()
        world.bus.inject(fault_from("delayed", {"amount": 0.5, "nth": 1}))
        assert asked_now(world, read_request()) == b""
        world.run_until(499_999_999)
        assert world.bus.read(1000) == b""
        world.run_until(500_000_000)
        assert world.bus.read(1000) == read_answer()

    def test_answers_that_nobody_has_read_yet_cannot_collide(self) -> None:
        world = unlimited()
        world.bus.transmit(read_request(), LINE)
        world.run_until(LINE.char_ns // 2)
        assert asked_now(world, read_request()) == 2 * read_answer()
        assert world.bus.state.counters.collisions == 0

    def test_another_baud_rate_than_that_of_the_nodes_is_not_understood(self) -> None:
        world = unlimited(baud=9600)
        assert asked(world, read_request()) == b""
        assert world.bus.state.counters.not_understood == 1
        assert asked_now(world, read_request(), LineSettings(9600)) == read_answer()

    @pytest.mark.parametrize("adapter", ["ftdi-16ms", "ideal+echo"])
    def test_the_adapter_stays_what_it_is(self, adapter: str) -> None:
        at_once = asked_now(unlimited(adapter), read_request())
        assert at_once == (b"" if adapter == "ftdi-16ms" else read_request() + read_answer())

    def test_who_watches_sees_every_frame(self) -> None:
        world, seen = unlimited(), []
        world.bus.on_frame = lambda start_ns, end_ns, direction, data, comment: seen.append(data)
        asked_now(world, read_request())
        assert seen == [read_request(), read_answer()]

    def test_a_fork_has_a_line_that_takes_its_time(self) -> None:
        world, other = unlimited(), FakeWorld()
        fork = world.bus.with_state(copied(world.bus.state), other.agenda, [other.node])
        assert fork.transmit(read_request(), LINE) == LINE.span_ns(8)


class TestServed:
    @pytest.fixture
    def served(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeWorld], bytes]:
        """What a client on a pseudo-terminal gets while the wall clock stands still."""
        monkeypatch.setattr(paced, "time", SimpleNamespace(monotonic_ns=lambda: 0))
        monkeypatch.setattr(paced, "TICK_NS", 1_000_000)

        def run(world: FakeWorld, **options: Any) -> bytes:
            endpoint, got, turns = PtyEndpoint(), bytearray(), iter(range(TURNS))
            client = os.open(endpoint.url, os.O_RDWR | os.O_NOCTTY)
            os.set_blocking(client, False)
            os.write(client, read_request())

            def stop() -> bool:
                with contextlib.suppress(BlockingIOError):
                    got.extend(os.read(client, 4096))
                return len(got) >= len(read_answer()) or next(turns, None) is None

            counters = serve(world, [endpoint], stop=stop, **options)  # type: ignore[arg-type]
            os.close(client)
            endpoint.close()
            assert (counters.received_bytes, counters.sent_bytes) == (8, len(got))
            return bytes(got)

        return run

    @pytest.mark.parametrize("adapter", ["ideal", "ideal+echo"])
    def test_the_answer_needs_no_time(self, served: Callable[..., bytes], adapter: str) -> None:
        echo = read_request() if adapter == "ideal+echo" else b""
        assert served(unlimited(adapter), baud_limit=False) == echo + read_answer()

    def test_the_limit_is_there_unless_told_otherwise(self, served: Callable[..., bytes]) -> None:
        assert served(unlimited()) == b""

    @pytest.mark.parametrize(("words", "limit"), [([], True), (["--no-baud-limit"], False)])
    def test_the_command_line_says_which(self, words: list[str], limit: bool) -> None:
        parser = argparse.ArgumentParser()
        add_where(parser)
        assert serving(parser.parse_args(words)).baud_limit is limit
