"""What faults do to the bytes of one frame: from its bytes to the pieces that come out.

Every function is a function of the bytes, the fault's amount and random numbers; none knows a bus or a time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from rig.protocol import append_crc

__all__ = ["DAMAGE", "FLAGGED", "Draw", "Piece", "garbled", "random_bytes"]

Draw = Callable[[], float]
"""The next number of a random stream, uniform in (0, 1)."""

SECOND_NS: Final = 1_000_000_000
FLAGGED: Final = frozenset({"framing_error", "parity_error"})
"""Damage that the receiving UART notices; a node does not take the frame."""


class Piece(NamedTuple):
    """Bytes in a row, and how long after the end of what came before they begin."""

    data: bytes
    delay_ns: int = 0


def garbled(data: bytes, first: int, last: int) -> bytes:
    """Bytes of which those from `first` up to `last` (exclusive) are something else now.

    Always the same something, so that runs repeat; and garbling twice does not restore.
    """
    middle = bytes([(byte + (0x55 + 0x1D * index | 1)) & 0xFF for index, byte in enumerate(data[first:last], first)])
    return data[:first] + middle + data[last:]


def random_bytes(count: int, draw: Draw) -> bytes:
    """Bytes of a random stream."""
    return bytes([int(256 * draw()) for _ in range(count)])


def _noise(data: bytes, rate: float, draw: Draw) -> list[Piece]:
    bits = int.from_bytes(data, "big")
    # from one flipped bit to the next, however far that is: a good line costs one random number
    place = -1
    while True:
        place += 1 + int(math.log(draw()) / math.log1p(-rate))
        if place >= 8 * len(data):
            return [Piece(bits.to_bytes(len(data), "big"))]
        bits ^= 1 << place


def _place(data: bytes, count: int, draw: Draw) -> int:
    """Where so many bytes in a row may begin."""
    return int(draw() * (max(len(data) - count, 0) + 1))


def _lose(data: bytes, count: float, draw: Draw) -> list[Piece]:
    place = _place(data, int(count), draw)
    return [Piece(data[:place] + data[place + int(count) :])]


def _truncate(data: bytes, count: float, draw: Draw) -> list[Piece]:
    return [Piece(data[: max(len(data) - int(count), 0)])]


def _duplicate(data: bytes, count: float, draw: Draw) -> list[Piece]:
    place = _place(data, int(count), draw)
    return [Piece(data[: place + int(count)] + data[place:])]


def _insert(data: bytes, count: float, draw: Draw) -> list[Piece]:
    place = _place(data, 0, draw)
    return [Piece(data[:place] + random_bytes(int(count), draw) + data[place:])]


def _lose_frame(data: bytes, amount: float, draw: Draw) -> list[Piece]:
    return []


def _garble(data: bytes, amount: float, draw: Draw) -> list[Piece]:
    return [Piece(garbled(data, 0, len(data)))]


def _no_stop_bit(data: bytes, amount: float, draw: Draw) -> list[Piece]:
    place = _place(data, 1, draw)
    return [Piece(data[:place] + b"\0" + data[place + 1 :])]


def _wrong_parity(data: bytes, amount: float, draw: Draw) -> list[Piece]:
    place = _place(data, 1, draw)
    flipped = bytes([data[place] ^ 1 << int(8 * draw())])
    return [Piece(data[:place] + flipped + data[place + 1 :])]


def _overrun(data: bytes, amount: float, draw: Draw) -> list[Piece]:
    return _lose(data, 1, draw)


def _address(data: bytes, unit: float, draw: Draw) -> list[Piece]:
    return [Piece(append_crc(bytes([int(unit)]) + data[1:-2]))]


def _delay(data: bytes, delay_s: float, draw: Draw) -> list[Piece]:
    return [Piece(data, round(delay_s * SECOND_NS))]


def _split(data: bytes, pause_s: float, draw: Draw) -> list[Piece]:
    place = 1 + int(draw() * (len(data) - 1))
    return [Piece(data[:place]), Piece(data[place:], round(pause_s * SECOND_NS))]


def _foreign(data: bytes, unit: float, draw: Draw) -> list[Piece]:
    return [*_address(data, unit, draw), Piece(data)]


DAMAGE: Final[dict[str, Callable[[bytes, float, Draw], list[Piece]]]] = {
    "noise": _noise,
    "garbled": _garble,
    "lost_frame": _lose_frame,
    "lost_bytes": _lose,
    "truncated": _truncate,
    "duplicated_bytes": _duplicate,
    "inserted_bytes": _insert,
    "framing_error": _no_stop_bit,
    "parity_error": _wrong_parity,
    "overrun": _overrun,
    "wrong_unit": _address,
    "delayed": _delay,
    "split": _split,
    "foreign": _foreign,
}
"""By kind of fault, from bytes, amount and random stream to what comes out. `merged` and `stale` are not among them:
they need what was on the line before."""
