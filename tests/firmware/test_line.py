"""The firmware on the line: where frames begin and end, and when it answers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.firmware.host import HostNode
from rig.protocol import Diagnose, ReadHoldingRegisters, SubFunction, WriteSingleRegister, encode_frame
from tests.firmware.pair import TIMING, needs_compiler

pytestmark = needs_compiler

CHAR_NS, SILENCE_NS, TURNAROUND_NS = TIMING.char_ns, TIMING.t3_5_ns, 1_500_000
READ = encode_frame(1, ReadHoldingRegisters(0, 2))
ANSWER = bytes.fromhex("01 03 04 00 c8 00 c8")


@pytest.fixture(scope="module")
def library() -> HostNode:
    return HostNode()


@pytest.fixture
def node(library: HostNode) -> HostNode:
    library.power_on()
    return library


def test_an_answer_begins_turnaround_after_the_silence_behind_the_request(node: HostNode) -> None:
    node.hear(READ, 0)
    complete_ns = len(READ) * CHAR_NS + SILENCE_NS
    assert node.due_ns == complete_ns
    assert node.attend(complete_ns - 1) == b""
    assert node.attend(complete_ns) == b""
    assert node.due_ns == complete_ns + TURNAROUND_NS
    assert node.attend(complete_ns + TURNAROUND_NS - 1) == b""
    assert node.attend(complete_ns + TURNAROUND_NS)[:-2] == ANSWER
    assert node.due_ns is None


def test_who_looks_late_gets_the_answer_as_of_the_same_time(node: HostNode) -> None:
    node.hear(READ, 0)
    assert node.attend(10**9)[:-2] == ANSWER


@given(st.lists(st.integers(1, 7), unique=True, max_size=4), st.integers(0, SILENCE_NS - 1))
@settings(deadline=None, max_examples=50)
def test_pauses_below_three_and_a_half_characters_do_not_end_a_frame(cuts: list[int], pause_ns: int) -> None:
    node = _shared()
    start_ns = 0
    for first, last in zip([0, *sorted(cuts)], [*sorted(cuts), len(READ)], strict=True):
        node.hear(READ[first:last], start_ns)
        start_ns += (last - first) * CHAR_NS + pause_ns
    assert node.attend(10**9)[:-2] == ANSWER


@given(st.integers(1, 7))
@settings(deadline=None, max_examples=7)
def test_a_pause_of_three_and_a_half_characters_ends_a_frame(cut: int) -> None:
    node = _shared()
    node.hear(READ[:cut], 0)
    node.hear(READ[cut:], cut * CHAR_NS + SILENCE_NS)
    assert node.attend(10**9) == b""


def test_frames_are_told_apart_by_their_times_even_if_nobody_looked_in_between(node: HostNode) -> None:
    node.hear(encode_frame(0, WriteSingleRegister(0, 300)), 0)
    node.hear(READ, 8 * CHAR_NS + SILENCE_NS)
    assert node.attend(10**9)[:7] == bytes.fromhex("01 03 04 01 2c 00 c8")


def test_two_requests_without_silence_between_them_are_no_frame(node: HostNode) -> None:
    node.hear(READ + READ, 0)
    assert node.attend(10**9) == b""


def test_more_bytes_than_a_frame_has_are_passed_over_up_to_the_next_silence(node: HostNode) -> None:
    node.hear(bytes(300) + READ, 0)
    assert node.attend(10**9) == b""
    node.hear(READ, 2 * 10**9)
    assert node.attend(3 * 10**9)[:-2] == ANSWER


def test_a_damaged_byte_spoils_its_frame_and_is_counted(node: HostNode) -> None:
    def count(sub_function: SubFunction, now_ns: int) -> int:
        node.hear(encode_frame(1, Diagnose(sub_function)), now_ns)
        return int.from_bytes(node.attend(now_ns + 10**9)[4:6], "big")

    for second, overrun in ((10, False), (20, True)):
        node.hear(READ, second * 10**9)
        node.hear_damaged(second * 10**9 + 9 * CHAR_NS, overrun=overrun)
        assert node.attend((second + 1) * 10**9) == b""
    assert count(SubFunction.BUS_ERROR_COUNT, 30 * 10**9) == 2
    assert count(SubFunction.OVERRUN_COUNT, 32 * 10**9) == 1


def _shared() -> HostNode:
    if not _SHARED:
        _SHARED.append(HostNode())
    _SHARED[0].power_on()
    return _SHARED[0]


_SHARED: list[HostNode] = []
