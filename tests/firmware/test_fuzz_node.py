"""Any bytes at any time: the node's firmware under sanitizers neither ends nor forgets how to answer."""

from __future__ import annotations

import functools
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.firmware.host import IMAGE_SIZE
from emulator.firmware.node_map import SENT_COMMANDS, make_node
from rig.protocol import ReadInputRegisters, WriteMultipleCoils, encode_frame, is_frame
from rig.protocol.registers_file import default_registers
from tests.firmware.pair import TIMING, needs_compiler
from tests.firmware.sanitized import Sanitized
from tests.protocol.raw_requests import blocks

pytestmark = needs_compiler

CHANNELS = len(make_node().sensors.names)
READ = encode_frame(1, ReadInputRegisters(100, 2))
READ_ANSWER = b"\x01\x04\x04VP" + default_registers().format.to_bytes(2, "big")


class Process(Sanitized):
    """The node's firmware."""

    def power_on(self) -> None:
        self.tell(b"P")

    def scan(self, now_ns: int, counts: np.ndarray, contacts: int) -> tuple[bytes, bytes]:
        """Returns commands and image."""
        out = self.tell(struct.pack("=cqI", b"S", now_ns, contacts) + counts.tobytes(), 8 * SENT_COMMANDS + IMAGE_SIZE)
        return out[: 8 * SENT_COMMANDS], out[8 * SENT_COMMANDS :]


process = functools.cache(Process)
boards = pytest.mark.parametrize("board", ["host-ubsan", "host-asan"])
pauses_ns = st.one_of(st.integers(0, 4_000_000), st.sampled_from((0, 0, TIMING.t3_5_ns - 1, TIMING.t3_5_ns, 10**9)))
chunks = st.one_of(blocks, st.binary(max_size=20), st.binary(min_size=250, max_size=600))


@boards
@given(st.lists(st.tuples(pauses_ns, chunks, st.booleans()), max_size=20))
@settings(deadline=None, max_examples=60)
def test_after_any_bytes_at_any_time_the_next_request_is_answered(
    board: str, heard: list[tuple[int, bytes, bool]]
) -> None:
    node = process(board)
    node.power_on()
    now_ns = 0
    for pause_ns, data, looks in heard:
        now_ns += pause_ns
        node.hear(data, now_ns)
        now_ns += len(data) * TIMING.char_ns
        if looks:
            answer = node.attend(now_ns)
            assert not answer or is_frame(answer)
    now_ns += 10**9
    node.attend(now_ns)
    node.hear(READ, now_ns)
    assert node.attend(now_ns + 10**9)[:-2] == READ_ANSWER


@boards
@given(
    st.lists(st.binary(min_size=1, max_size=300).filter(lambda data: not is_frame(data)), max_size=10),
    st.integers(0, 2**32 - 1),
)
@settings(deadline=None, max_examples=30)
def test_no_actuator_moves_without_a_valid_request(board: str, noise: list[bytes], count: int) -> None:
    node = process(board)
    node.power_on()
    counts = np.full(CHANNELS, count, np.uint32)
    before, _ = node.scan(0, counts, 0)
    now_ns = 0
    for data in noise:
        node.hear(data, now_ns)
        now_ns += len(data) * TIMING.char_ns + TIMING.t3_5_ns
        assert node.attend(now_ns + 10**7) == b""
    after, _ = node.scan(now_ns, counts, 0)
    assert after == before


@boards
@given(st.lists(st.tuples(st.integers(0, 2**62), st.lists(st.integers(0, 2**32 - 1)), st.integers(0, 2**32 - 1))))
@settings(deadline=None, max_examples=60)
def test_any_counts_contacts_and_times_are_survived(board: str, scans: list[tuple[int, list[int], int]]) -> None:
    node = process(board)
    node.power_on()
    node.hear(encode_frame(1, WriteMultipleCoils(0, (True,) * 10)), 0)
    node.attend(10**9)
    for now_ns, some, contacts in sorted(scans, key=lambda scan: scan[0]):
        node.scan(now_ns, np.resize(np.array([*some, 0], np.uint32), CHANNELS), contacts)
