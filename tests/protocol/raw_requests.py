"""Raw requests for servers: of the form of requests and sound, or lengthened, cut, damaged, or nothing of the kind.

The addresses, quantities and values are those at which a node of this press decides one way or another.
"""

from __future__ import annotations

import struct

from hypothesis import strategies as st

from rig.protocol.crc import append_crc
from rig.protocol.registers_file import default_registers

__all__ = ["blocks", "frames", "read_write", "sensible_frames", "write_registers"]

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


def write_coils(address: int, bits: list[bool]) -> bytes:
    size = (len(bits) + 7) // 8
    number = sum(bit << place for place, bit in enumerate(bits))
    return struct.pack(">BHHB", 15, address, len(bits), size) + number.to_bytes(size, "little")


def write_registers(address: int, numbers: list[int]) -> bytes:
    return struct.pack(f">BHHB{len(numbers)}H", 16, address, len(numbers), 2 * len(numbers), *numbers)


def read_write(address: int, count: int, written: int, numbers: list[int]) -> bytes:
    size = len(numbers)
    return struct.pack(f">BHHHHB{size}H", 23, address, count, written, size, 2 * size, *numbers)


holding = st.one_of(st.integers(0, 30), places)
sound = st.one_of(
    *(pdu(code, ">HH", places, counts) for code in (1, 2, 3, 4)),
    pdu(5, ">HH", places, st.sampled_from((0, 0xFF00, 1, 0xFFFF))),
    pdu(6, ">HH", holding, values),
    st.builds(write_coils, st.integers(0, 12), st.lists(st.booleans(), max_size=20)),
    st.builds(write_registers, holding, few_words),
    pdu(22, ">HHH", holding, words, words),
    st.builds(read_write, holding, counts, holding, few_words),
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


# -- requests that a node of the press does, as a rule -------------------------------------------------


def _edges() -> dict[int, tuple[int, ...]]:
    """Raw values at and beside the limits of every holding register of the press's node."""
    edges: dict[int, tuple[int, ...]] = {}
    for tag in default_registers().tags.values():
        if tag.node == "press" and tag.table == "holding" and tag.limits is not None:
            low, high = (round((limit - tag.offset) / tag.scale) for limit in tag.limits)
            legal = low, (2 * low + high) // 3, (low + high) // 2, high
            edges[tag.address] = tuple(raw & 0xFFFF for raw in (*legal, *legal, low - 1, high + 1))
    return edges


EDGES = _edges()
places_held = st.integers(0, max(EDGES))


@st.composite
def written(draw: st.DrawFn) -> tuple[int, list[int]]:
    """An address, and values for the registers from there on."""
    address = draw(places_held)
    end = min(address + draw(st.integers(1, 5)), max(EDGES) + 1)
    return address, [draw(st.sampled_from(EDGES[place])) for place in range(address, end)]


few = st.integers(1, 12)
sensible = st.one_of(
    pdu(1, ">HH", st.integers(0, 3), few),
    pdu(2, ">HH", st.integers(0, 3), few),
    pdu(3, ">HH", st.integers(0, 20), few),
    pdu(4, ">HH", st.integers(0, 72), few),
    pdu(5, ">HH", few, st.sampled_from((0, 0xFF00))),
    written().map(lambda span: struct.pack(">BHH", 6, span[0], span[1][0])),
    st.builds(write_coils, st.integers(0, 3), st.lists(st.booleans(), min_size=1, max_size=9)),
    st.builds(write_coils, st.just(0), st.sampled_from((1960, 1968, 1969, 1976)).map(lambda size: [True] * size)),
    written().map(lambda span: write_registers(*span)),
    st.sampled_from((122, 123)).map(lambda size: write_registers(0, [0] * size)),
    pdu(22, ">HHH", places_held, st.sampled_from((0, 0x00FF, 0x0F0F, 0xFFFF)), st.sampled_from((0, 1, 0x0200, 0x00F0))),
    st.builds(lambda address, count, span: read_write(address, count, *span), places_held, few, written()),
    pdu(8, ">HH", st.just(0), words),
    pdu(43, ">BBB", st.just(14), st.integers(1, 4), st.integers(0, 6)),
)
sensible_frames = st.builds(
    lambda unit, body: append_crc(bytes((unit,)) + body), st.sampled_from((1,) * 9 + (0,)), sensible
)
"""Whole requests to the node and to all, most of which can be done."""
