"""The record of pieces that have come to their end, on a roll or as scrap: what the genealogy of film is read from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from emulator.line.sheet import Pieces, detached, joined, no_pieces

__all__ = ["CAPACITY", "CHUNK", "EndedState", "add", "since"]

CHUNK: Final = 64
CAPACITY: Final = 2048
"""Pieces that are kept at the least; older ones are forgotten, so whoever wants all reads now and then."""


@dataclass(slots=True)
class EndedState:
    """The record.

    Attributes:
        full: chunks of `CHUNK` pieces, the oldest first.
        recent: what has come since, fewer than a chunk.
        count: pieces ended since the start.
    """

    full: list[Pieces] = field(default_factory=list)
    recent: Pieces = field(default_factory=no_pieces)
    count: int = 0


def add(record: EndedState, pieces: Pieces) -> None:
    """Pieces have come to their end."""
    record.count += len(pieces)
    recent = joined(record.recent, pieces)
    while len(recent) >= CHUNK:
        record.full = [*record.full[-(CAPACITY // CHUNK) :], detached(recent[:CHUNK])]
        recent = recent[CHUNK:]
    record.recent = detached(recent)


def since(record: EndedState, number: int = 0) -> Pieces:
    """Pieces from number `number` on, counted from the start of the line, as far as they are kept; a copy."""
    kept = len(record.full) * CHUNK + len(record.recent)
    first = max(number - (record.count - kept), 0)
    chunks = [*record.full[first // CHUNK :], record.recent]
    return joined(no_pieces(), *chunks)[first - (len(record.full) - len(chunks) + 1) * CHUNK :]
