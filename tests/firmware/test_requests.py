"""What the firmware answers: byte by byte what the node in Python answers."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from rig.protocol.crc import append_crc
from tests.firmware.pair import Pair, needs_compiler
from tests.protocol.raw_requests import blocks, read_write, write_registers

pytestmark = needs_compiler


@given(st.lists(blocks, min_size=4, max_size=20))
@settings(deadline=None, max_examples=400)
def test_answers_and_registers_are_those_of_the_node_in_python(sent: list[bytes]) -> None:
    pair = Pair()
    for block in sent:
        pair.exchange(block)


def test_every_function_and_sub_function_of_one_byte_is_answered_alike() -> None:
    pair = Pair()
    for code in range(256):
        for body in (b"", b"\x00", b"\x0e", b"\x00\x00\x00\x01", b"\x0e\x01\x00", b"\x00\x00\x00\x01\x02\x00\x00"):
            pair.exchange(append_crc(bytes((1, code)) + body))
            pair.exchange(append_crc(bytes((0, code)) + body))


def test_every_address_of_every_table_is_read_alike() -> None:
    pair = Pair()
    for code in (1, 2, 3, 4):
        for address in (*range(130), 0xFFFF):
            for count in (1, 2, 16):
                pair.exchange(append_crc(struct.pack(">BBHH", 1, code, address, count)))


def test_every_value_near_the_limits_of_every_holding_register_is_taken_or_refused_alike() -> None:
    pair = Pair()
    edges = {edge + step for edge in (0, 20, 500, 800, 1200, 1600, 2000, 6000, 10000, 60000) for step in (-1, 0, 1)}
    for address in range(30):
        for value in sorted(edges):
            for sign in (1, -1):
                pair.exchange(append_crc(struct.pack(">BBHH", 1, 6, address, sign * value & 0xFFFF)))


def test_a_read_and_write_in_one_request_writes_first() -> None:
    pair = Pair()
    pair.exchange(append_crc(b"\x01" + read_write(0, 2, 0, [250, 251])))
    answer = pair.exchange(append_crc(b"\x01" + read_write(0, 2, 1, [300])))
    assert answer[:7] == struct.pack(">BBBHH", 1, 23, 4, 250, 300)


def test_one_wrong_value_among_many_leaves_all_registers_as_they_were() -> None:
    pair = Pair()
    before = pair.firmware.image
    answer = pair.exchange(append_crc(b"\x01" + write_registers(0, [200, 201, 1601])))
    assert answer[:3] == b"\x01\x90\x03"
    assert pair.firmware.image == before
