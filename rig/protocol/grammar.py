"""How long a frame is, told from its first bytes.

RTU frames carry no length of their own, so whoever wants to end one before the line falls silent
has to know every function. This module is the one place where that stands: two tables of shapes,
read by client, server and listener alike (Application Protocol V1.1b3, section 6).

A length is that of the whole frame: address, PDU and CRC.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = [
    "BROADCAST",
    "BROADCAST_FUNCTIONS",
    "ENCAPSULATED_INTERFACE",
    "EXCEPTION_FLAG",
    "MAX_FRAME",
    "MAX_PDU",
    "MAX_UNIT",
    "MEI_READ_DEVICE_IDENTIFICATION",
    "MIN_FRAME",
    "MORE",
    "NONE",
    "request_length",
    "response_length",
]

MAX_FRAME: Final = 256
"""Longest frame in bytes (Serial Line V1.02, section 2.5.1)."""
MAX_PDU: Final = 253
"""Longest PDU in bytes: a frame less address and CRC (V1.1b3, section 4.1)."""
MIN_FRAME: Final = 4
"""Shortest frame: address, function, CRC."""
MAX_UNIT: Final = 247
"""Highest address of a server (Serial Line V1.02, section 2.2)."""
BROADCAST: Final = 0
"""The address that all servers listen to and none answers."""
EXCEPTION_FLAG: Final = 0x80
"""Added to the function code of a declined request."""
ENCAPSULATED_INTERFACE: Final = 43
READ_FIFO_QUEUE: Final = 24
MEI_READ_DEVICE_IDENTIFICATION: Final = 14

BROADCAST_FUNCTIONS: Final = frozenset({5, 6, 15, 16, 22})
"""A broadcast is a write: nobody could read an answer (Serial Line V1.02, section 2.1)."""

MORE: Final = 0
"""Too few bytes to tell the length."""
NONE: Final = -1
"""No frame of known length starts here."""


class _Shape(NamedTuple):
    """`base` bytes and, if `count_at` is set, as many more as the byte at that offset says."""

    base: int
    count_at: int = 0


_REQUESTS: Final[Mapping[int, _Shape]] = {
    1: _Shape(8),
    2: _Shape(8),
    3: _Shape(8),
    4: _Shape(8),
    5: _Shape(8),
    6: _Shape(8),
    8: _Shape(8),  # with one word of data; sub-function 0 may have more, which only silence can end
    11: _Shape(4),
    15: _Shape(9, count_at=6),
    16: _Shape(9, count_at=6),
    17: _Shape(4),
    22: _Shape(10),
    23: _Shape(13, count_at=10),
    24: _Shape(6),
}

_RESPONSES: Final[Mapping[int, _Shape]] = {
    1: _Shape(5, count_at=2),
    2: _Shape(5, count_at=2),
    3: _Shape(5, count_at=2),
    4: _Shape(5, count_at=2),
    5: _Shape(8),
    6: _Shape(8),
    8: _Shape(8),
    11: _Shape(8),
    15: _Shape(8),
    16: _Shape(8),
    17: _Shape(5, count_at=2),
    22: _Shape(10),
    23: _Shape(5, count_at=2),
}

_IDENTIFICATION_REQUEST_LENGTH = 7
_EXCEPTION_LENGTH = 5


def request_length(data: bytes, start: int = 0) -> int:
    """Tell how long the request is that starts at `data[start]`.

    Returns:
        Bytes of the whole frame (at most `MAX_FRAME`), `MORE` or `NONE`. The frame need not be
        complete yet.
    """
    available = len(data) - start
    if available < 2:
        return MORE if available < 1 or data[start] <= MAX_UNIT else NONE
    if data[start] > MAX_UNIT:
        return NONE
    function = data[start + 1]
    shape = _REQUESTS.get(function)
    if shape is not None:
        return _measure(shape, data, start, available)
    if function == ENCAPSULATED_INTERFACE:
        if available < 3:
            return MORE
        if data[start + 2] == MEI_READ_DEVICE_IDENTIFICATION:
            return _IDENTIFICATION_REQUEST_LENGTH
    return NONE


def response_length(data: bytes, start: int = 0) -> int:
    """Tell how long the answer is that starts at `data[start]`; see `request_length`."""
    available = len(data) - start
    if available < 1:
        return MORE
    if not BROADCAST < data[start] <= MAX_UNIT:
        return NONE
    if available < 2:
        return MORE
    function = data[start + 1]
    shape = _RESPONSES.get(function)
    if shape is not None:
        return _measure(shape, data, start, available)
    if function & EXCEPTION_FLAG:
        return _EXCEPTION_LENGTH
    if function == ENCAPSULATED_INTERFACE:
        return _measure_identification(data, start, available)
    if function == READ_FIFO_QUEUE:
        return _measure_queue(data, start, available)
    return NONE


def _measure(shape: _Shape, data: bytes, start: int, available: int) -> int:
    base, count_at = shape
    if not count_at:
        return base
    if available <= count_at:
        return MORE
    length = base + data[start + count_at]
    return length if length <= MAX_FRAME else NONE


def _measure_queue(data: bytes, start: int, available: int) -> int:
    """The one answer whose byte count has two bytes (section 6.18)."""
    if available < 4:
        return MORE
    length = 6 + int.from_bytes(data[start + 2 : start + 4], "big")
    return length if length <= MAX_FRAME else NONE


def _measure_identification(data: bytes, start: int, available: int) -> int:
    """Walk the objects: each says its own length, only their number stands in front (section 6.21)."""
    if available < 3:
        return MORE
    if data[start + 2] != MEI_READ_DEVICE_IDENTIFICATION:
        return NONE
    if available < 8:
        return MORE
    offset = 8
    for _ in range(data[start + 7]):
        if offset + 2 + 2 > MAX_FRAME:
            return NONE
        if available < offset + 2:
            return MORE
        offset += 2 + data[start + offset + 1]
    return offset + 2 if offset + 2 <= MAX_FRAME else NONE
