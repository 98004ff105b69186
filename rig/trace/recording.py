"""What was recorded, as plain data: tables of samples, frames on the wire, events.

A `Recording` is the one shape that monitors, reports and file formats work on, whether it comes
fresh from a `Recorder` or out of a file.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rig.trace.channels import ChannelInfo

__all__ = ["Direction", "Event", "Frame", "Recording", "Samples"]

Direction = Literal["request", "response", "unknown"]
"""Which way a frame went: from the master, to the master, or nobody could tell (noise, foreign bytes)."""

_HASHED_ROWS = 4096
"""Rows that are copied at a time for the fingerprint."""


class Frame(NamedTuple):
    """Bytes that followed one another on the wire without a pause.

    Attributes:
        start_ns: bench time of the first start bit.
        end_ns: bench time of the last stop bit.
        direction: see `Direction`.
        data: as they were on the wire, faults included.
        comment: what is worth saying about it (an injected fault, a bad CRC), often empty.
    """

    start_ns: int
    end_ns: int
    direction: Direction
    data: bytes
    comment: str = ""


class Event(NamedTuple):
    """Something that happened at one moment.

    Attributes:
        time_ns: bench time.
        kind: `state` (of the controller), `operator`, `alarm`, `deadline`, `fault`, `identity`, …
        text: what happened; for `state` the name of the new state.
    """

    time_ns: int
    kind: str
    text: str


@dataclass(frozen=True, eq=False)
class Samples:
    """A table of numbers: one row per moment, one column per channel.

    Attributes:
        channels: what the columns are.
        time_ns: bench time of each row, never decreasing; shape (rows,).
        values: engineering values; enums and bitfields as raw codes, booleans as 0 and 1, NaN where
            nothing was known yet; shape (rows, channels).
    """

    channels: tuple[ChannelInfo, ...]
    time_ns: NDArray[np.int64]
    values: NDArray[np.float64]

    @classmethod
    def empty(cls, channels: Iterable[ChannelInfo] = ()) -> Samples:
        """A table without rows."""
        columns = tuple(channels)
        return cls(columns, np.empty(0, np.int64), np.empty((0, len(columns))))

    def followed_by(self, later: Samples) -> Samples:
        """One table of both, as of a bench and then of its fork.

        Raises:
            ValueError: the channels are not the same, or `later` begins before this ends.
        """
        if self.channels != later.channels:
            raise ValueError("the tables have different channels, so one cannot follow the other")
        if len(self) and len(later) and later.time_ns[0] < self.time_ns[-1]:
            raise ValueError("the later table begins before the earlier one ends")
        time_ns = np.concatenate([self.time_ns, later.time_ns])
        return Samples(self.channels, time_ns, np.concatenate([self.values, later.values]))

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {channel.name: index for index, channel in enumerate(self.channels)}

    @property
    def time_s(self) -> NDArray[np.float64]:
        """Bench time of each row in seconds."""
        return np.multiply(self.time_ns, 1e-9, dtype=np.float64)

    def __len__(self) -> int:
        return len(self.time_ns)

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """The column of this name.

        Raises:
            KeyError: no such channel.
        """
        return self.values[:, self._index(name)]

    def channel(self, name: str) -> ChannelInfo:
        """What the column of this name is."""
        return self.channels[self._index(name)]

    def _index(self, name: str) -> int:
        try:
            return self._columns[name]
        except KeyError:
            raise KeyError(f"the recording has no channel named {name!r}") from None


@dataclass(frozen=True, eq=False)
class Recording:
    """Everything that one run left behind.

    Attributes:
        tags: what was sensed and commanded through the wire.
        truth: what only a virtual press can tell; a table without columns on a real one.
        frames: on the wire, oldest first.
        events: oldest first.
    """

    tags: Samples
    truth: Samples
    frames: Sequence[Frame] = ()
    events: tuple[Event, ...] = ()

    @property
    def duration_s(self) -> float:
        """From the first to the last thing recorded, in seconds."""
        times = [int(table.time_ns[index]) for table in (self.tags, self.truth) if len(table) for index in (0, -1)]
        times += [event.time_ns for event in self.events]
        times += [frame.start_ns for frame in self.frames[:1]] + [frame.end_ns for frame in self.frames[-1:]]
        return (max(times) - min(times)) * 1e-9 if times else 0.0

    def trace_hash(self) -> str:
        """A fingerprint of everything recorded, equal for equal recordings in every process.

        Covers channel names and units, times, the bits of every value (all NaN count as one), frames
        and events; 32 hexadecimal digits.
        """
        digest = hashlib.blake2b(digest_size=16)
        for table in (self.tags, self.truth):
            names = "\n".join(f"{channel.name}\t{channel.unit}" for channel in table.channels).encode()
            digest.update(struct.pack("<QQ", len(names), len(table)))
            digest.update(names)
            for start in range(0, len(table), _HASHED_ROWS):
                digest.update(table.time_ns[start : start + _HASHED_ROWS].astype("<i8").tobytes())
            for start in range(0, len(table), _HASHED_ROWS):
                values = table.values[start : start + _HASHED_ROWS]
                digest.update(np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes())
        digest.update(struct.pack("<QQ", len(self.frames), len(self.events)))
        for frame in self.frames:
            direction, comment = frame.direction.encode(), frame.comment.encode()
            sizes = len(direction), len(frame.data), len(comment)
            digest.update(struct.pack("<qqIII", frame.start_ns, frame.end_ns, *sizes))
            digest.update(direction + frame.data + comment)
        for event in self.events:
            kind, text = event.kind.encode(), event.text.encode()
            digest.update(struct.pack("<qII", event.time_ns, len(kind), len(text)) + kind + text)
        return digest.hexdigest()
