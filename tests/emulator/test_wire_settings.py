"""Nodes that keep their parity, and nodes that mind pauses within a request."""

from __future__ import annotations

from typing import Any

import pytest
import serial
from hypothesis import given
from hypothesis import strategies as st

from emulator.bus import Bus, LineSettings
from emulator.ports.url import UrlError, parse_url
from emulator.state import copied
from emulator.world import World, WorldConfig
from rig.protocol import LineTiming, ReadInputRegisters, encode_frame
from tests.emulator.fakes import FakeWorld, read_answer, read_request

SECOND_NS = 1_000_000_000


def world_with(parity: str | None = None, gaps: str = "lax") -> FakeWorld:
    world = FakeWorld()
    world.bus = Bus(world.agenda, [world.node], parity=parity, gaps=gaps)
    return world


def asked_in_two(world: FakeWorld, line: LineSettings, pause_ns: int) -> bytes:
    """What comes of a request with a pause in its middle."""
    world.run_until(world.bus.transmit(read_request()[:3], line) + pause_ns)
    world.bus.transmit(read_request()[3:], line)
    world.run_until(world.now_ns + 10 * SECOND_NS)
    return world.bus.read(1000)


@given(st.integers(300, 1_000_000), st.sampled_from("NEO"), st.sampled_from((1, 2)), st.integers(0, 256))
def test_the_line_takes_the_time_that_the_protocol_expects(baud: int, parity: Any, stop_bits: int, count: int) -> None:
    line, timing = LineSettings(baud, 8, parity, stop_bits), LineTiming(baud, 8, parity, stop_bits)
    assert (line.char_ns, line.pause_ns, line.silence_ns) == (timing.char_ns, timing.t1_5_ns, timing.t3_5_ns)
    assert line.span_ns(count) == timing.frame_ns(count)
    assert line.count_in(line.span_ns(count)) == count


def test_one_and_a_half_stop_bits_are_counted_in_halves() -> None:
    assert LineSettings(1000, 5, "N", 1.5).char_ns == 7_500_000
    assert LineSettings(1000, 5, "N", 1.5).silence_ns == 26_250_000


@pytest.mark.parametrize("kept", ["N", "E", "O"])
@pytest.mark.parametrize("sent", ["N", "E", "O", "M", "S"])
def test_nodes_understand_the_parity_that_they_keep_and_mark_as_none(kept: str, sent: str) -> None:
    world = world_with(parity=kept)
    world.bus.transmit(read_request(), LineSettings(parity=sent))
    world.run_until(SECOND_NS)
    is_understood = sent == kept or (kept, sent) == ("N", "M")
    assert (world.bus.read(1000) == read_answer()) == is_understood
    assert world.bus.state.counters.not_understood == (not is_understood)


def test_another_number_of_stop_bits_is_understood() -> None:
    world = world_with(parity="E")
    world.bus.transmit(read_request(), LineSettings(parity="E", stop_bits=2))
    world.run_until(SECOND_NS)
    assert world.bus.read(1000) == read_answer()


@given(st.sampled_from((1200, 9600, 19_200, 38_400, 115_200)), st.integers(-2, 2), st.sampled_from(("lax", "strict")))
def test_a_request_with_a_pause_of_more_than_one_and_a_half_characters_is_discarded_where_gaps_are_strict(
    baud: int, more_ns: int, gaps: str
) -> None:
    line = LineSettings(baud)
    allowed_ns = LineTiming(baud, 8, "E", 1).t1_5_ns
    answer = asked_in_two(world_with(gaps=gaps), line, allowed_ns + more_ns)
    assert answer == (read_answer() if gaps == "lax" or more_ns <= 0 else b"")


def test_a_discarded_request_leaves_nothing_behind() -> None:
    world = world_with(gaps="strict")
    assert asked_in_two(world, LineSettings(), LineSettings().silence_ns - 1) == b""
    assert asked_in_two(world, LineSettings(), 0) == read_answer()


def test_a_copy_keeps_parity_and_strictness() -> None:
    world = world_with(parity="E", gaps="strict")
    twin = FakeWorld()
    twin.bus = world.bus.with_state(copied(world.bus.state), twin.agenda, [twin.node])
    assert (twin.bus.parity, twin.bus.gaps) == ("E", "strict")
    assert asked_in_two(twin, LineSettings(), LineSettings().silence_ns - 1) == b""


def test_the_url_says_what_a_press_keeps() -> None:
    world = World(parse_url("emu://?parity=E&gaps=strict&baud=19200"))
    request = encode_frame(1, ReadInputRegisters(0, 1))
    for parity, length in (("N", 0), ("E", 7)):
        world.bus.transmit(request, LineSettings(parity=parity))
        world.run_until(world.now_ns + SECOND_NS // 5)
        assert len(world.bus.read(100)) == length
    restored = World.restore(world.snapshot())
    assert (restored.bus.parity, restored.bus.gaps) == ("E", "strict")


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("parity=X", "parity is 'X'; it must be one of N, E, O"),
        ("gaps=none", "gaps is 'none'; it must be one of lax, strict"),
        ("node=firmware&gaps=strict", "the firmware minds no pauses"),
    ],
)
def test_what_cannot_be_is_told(query: str, says: str) -> None:
    with pytest.raises(UrlError, match=says):
        parse_url(f"emu://?{query}")
    assert issubclass(UrlError, serial.SerialException)
    assert WorldConfig().parity is None
