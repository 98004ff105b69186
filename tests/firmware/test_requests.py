"""What the firmware answers: byte by byte what the node in Python answers."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from rig.protocol.crc import append_crc
from tests.firmware.pair import Pair, needs_compiler

pytestmark = needs_compiler

words = st.integers(0, 0xFFFF)
places = st.one_of(
    st.integers(0, 130), st.sampled_from((28, 29, 82, 83, 99, 100, 121, 122, 0x7FFF, 0xFFFE, 0xFFFF)), words
)
counts = st.one_of(
    st.integers(0, 40), st.sampled_from((83, 121, 122, 123, 124, 125, 126, 1968, 1969, 2000, 2001)), words
)
values = st.one_of(
    st.sampled_from((0, 1, 19, 20, 200, 500, 1600, 1601, 2000, 6000, 60000, 60001, 0xFE0C, 0xFFFF)), words
)
few_words = st.lists(values, max_size=30)


def pdu(code: int, form: str, *parts: st.SearchStrategy[int]) -> st.SearchStrategy[bytes]:
    return st.tuples(*parts).map(lambda numbers: bytes((code,)) + struct.pack(form, *numbers))


def _write_coils(address: int, bits: list[bool]) -> bytes:
    size = (len(bits) + 7) // 8
    number = sum(bit << place for place, bit in enumerate(bits))
    return struct.pack(">BHHB", 15, address, len(bits), size) + number.to_bytes(size, "little")


def _write_registers(address: int, numbers: list[int]) -> bytes:
    return struct.pack(f">BHHB{len(numbers)}H", 16, address, len(numbers), 2 * len(numbers), *numbers)


def _read_write(address: int, count: int, written: int, numbers: list[int]) -> bytes:
    size = len(numbers)
    return struct.pack(f">BHHHHB{size}H", 23, address, count, written, size, 2 * size, *numbers)


holding = st.one_of(st.integers(0, 30), places)
sound = st.one_of(
    *(pdu(code, ">HH", places, counts) for code in (1, 2, 3, 4)),
    pdu(5, ">HH", places, st.sampled_from((0, 0xFF00, 1, 0xFFFF))),
    pdu(6, ">HH", holding, values),
    st.builds(_write_coils, st.integers(0, 12), st.lists(st.booleans(), max_size=20)),
    st.builds(_write_registers, holding, few_words),
    pdu(22, ">HHH", holding, words, words),
    st.builds(_read_write, holding, counts, holding, few_words),
    pdu(8, ">HH", st.integers(0, 21), st.sampled_from((0, 0, 0, 0xFF00, 1))),
    pdu(8, ">HH", st.just(1), st.sampled_from((0, 0xFF00))),
    st.binary(max_size=9).map(lambda data: bytes((8, 0, 0)) + data),
    st.sampled_from((bytes((11,)), bytes((17,)))),
    pdu(24, ">H", st.one_of(st.integers(30, 50), places)),
    pdu(43, ">BBB", st.sampled_from((13, 14)), st.integers(0, 5), st.one_of(st.integers(0, 8), st.integers(0, 255))),
)
"""PDUs that have the form of a request, if not always its sense."""


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A PDU that lost or gained bytes, or has another one somewhere."""
    data = bytearray(draw(sound))
    match draw(st.integers(0, 2)):
        case 0:
            del data[draw(st.integers(1, len(data))) :]
        case 1:
            data += draw(st.binary(min_size=1, max_size=4))
        case _:
            data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


any_pdu = st.one_of(sound, sound, sound, damaged(), st.binary(min_size=1, max_size=253))
units = st.sampled_from((1, 1, 1, 1, 1, 0, 2, 247, 255))
frames = st.builds(lambda unit, body: append_crc(bytes((unit,)) + body[:253]), units, any_pdu)


@st.composite
def spoilt(draw: st.DrawFn) -> bytes:
    """A frame whose check is wrong, as a rule."""
    frame = bytearray(draw(frames))
    frame[draw(st.integers(0, len(frame) - 1))] ^= 1 << draw(st.integers(0, 7))
    return bytes(frame)


blocks = st.one_of(frames, frames, frames, frames, spoilt(), st.binary(min_size=1, max_size=300))


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
    pair.exchange(append_crc(b"\x01" + _read_write(0, 2, 0, [250, 251])))
    answer = pair.exchange(append_crc(b"\x01" + _read_write(0, 2, 1, [300])))
    assert answer[:7] == struct.pack(">BBBHH", 1, 23, 4, 250, 300)


def test_one_wrong_value_among_many_leaves_all_registers_as_they_were() -> None:
    pair = Pair()
    before = pair.firmware.image
    answer = pair.exchange(append_crc(b"\x01" + _write_registers(0, [200, 201, 1601])))
    assert answer[:3] == b"\x01\x90\x03"
    assert pair.firmware.image == before
