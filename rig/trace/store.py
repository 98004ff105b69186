"""Where a recording lies while it grows: in memory at first, in a temporary file when it gets long.

A table of numbers and a log of frames, both append-only and both of constant size in memory: what does
not fit into one chunk is written to a file without a name, which the system removes with its last user.
Nothing is allocated before the first entry, so a recorder that records nothing costs nothing. What was
handed out does not change when the store goes on.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Sequence
from itertools import chain
from typing import IO, Any, overload

import numpy as np
from numpy.typing import NDArray

from rig.trace.recording import Direction, Frame

__all__ = ["CHUNK_BYTES", "FrameLog", "Frames", "Table"]

CHUNK_BYTES = 1 << 22
"""Size of the part of a table that is kept in memory: 4 MiB, some 3 minutes of a producing press."""
FIRST_ROWS = 128
"""Some 13 s of a producing press: what an example lives, and 100 KB."""
CHUNK_FRAMES = 8192
"""Frames that are kept in memory as such: some 4 minutes."""

HEAD = np.dtype(
    [("start_ns", "<i8"), ("end_ns", "<i8"), ("place", "<i8"), ("size", "<u2"), ("comment", "<u2"), ("direction", "u1")]
)
"""What the file of heads has of each frame; `place` is where in the file of bodies its data and comment are."""
DIRECTIONS: tuple[Direction, ...] = ("request", "response", "unknown")


class Table:
    """Rows of a time and `width` numbers.

    Attributes:
        rows: how many there are.
        last_ns: time of the last one; None without rows.
        row_bytes: size of a row, its time included.
        buffer: the array that the last row was begun in, as bytes; for whoever packs numbers into it.
    """

    def __init__(self, width: int) -> None:
        self.rows = 0
        self.last_ns: int | None = None
        self.row_bytes = 8 * (width + 1)
        self.buffer = memoryview(bytearray())
        self._columns = width + 1
        self._chunk_rows = max(CHUNK_BYTES // (8 * self._columns), FIRST_ROWS)
        self._chunk = np.empty((0, self._columns))
        self._times = self._chunk.view(np.int64)
        self._filled = 0
        self._spilled = 0
        self._file: IO[bytes] | None = None

    def append(self, time_ns: int) -> tuple[NDArray[np.float64], int]:
        """Begin a row; the caller fills it.

        Returns:
            The array and the row in it; numbers go into columns 1 … width.

        Raises:
            ValueError: time went backwards.
        """
        if self.last_ns is not None and time_ns < self.last_ns:
            raise ValueError(f"sample at {time_ns} ns after one at {self.last_ns} ns: time went backwards")
        row = self._filled
        if row == len(self._chunk):
            self._make_room()
            row = self._filled
        self._times[row, 0] = time_ns
        self.last_ns = time_ns
        self._filled = row + 1
        self.rows += 1
        return self._chunk, row

    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Times, shape (rows,), and numbers, shape (rows, width), both read-only."""
        table: NDArray[np.float64] = self._chunk[: self._filled].view()
        if self._file is not None:
            self._write(self._file)
            # a plain array on the file's pages: memmap's own class would follow every slice
            table = np.asarray(np.memmap(self._file, np.float64, "r", shape=(self.rows, self._columns)))
        times: NDArray[np.int64] = table.view(np.int64)[:, 0]
        values = table[:, 1:]
        times.flags.writeable = values.flags.writeable = False
        return times, values

    def _make_room(self) -> None:
        if len(self._chunk) < self._chunk_rows:
            larger = np.empty((min(max(2 * len(self._chunk), FIRST_ROWS), self._chunk_rows), self._columns))
            larger[: self._filled] = self._chunk
            self._chunk = larger
        else:
            if self._file is None:
                self._file = _nameless(self)
            self._write(self._file)
            self._spilled += self._filled
            self._filled = 0
            self._chunk = np.empty_like(self._chunk)  # views on the old one may be out
        self._times = self._chunk.view(np.int64)
        self.buffer = self._chunk.data.cast("B")

    def _write(self, file: IO[bytes]) -> None:
        file.seek(self._spilled * self._columns * 8)
        file.write(self._chunk[: self._filled].data)
        file.flush()


class FrameLog:
    """Frames in the order in which they became known."""

    def __init__(self) -> None:
        # five entries per frame, without an object around them for the garbage collector to look after
        self._recent: list[int | str | bytes] = []
        self._full = 5 * CHUNK_FRAMES
        self._count = 0
        self._size = 0
        self._files: tuple[IO[bytes], IO[bytes]] | None = None

    def append(self, start_ns: int, end_ns: int, direction: Direction, data: bytes, comment: str = "") -> None:
        """Take a frame in; arguments as in `Frame`."""
        recent = self._recent
        recent += (start_ns, end_ns, direction, bytes(data), comment)
        if len(recent) >= self._full:
            self._spill()

    def frames(self) -> Sequence[Frame]:
        """All frames so far, by start."""
        recent = [Frame(*fields) for fields in zip(*self._columns(), strict=True)]
        if self._files is None:
            return tuple(sorted(recent, key=_start_ns))
        return Frames(*self._files, self._count, recent)

    def _columns(self) -> list[list[Any]]:
        """Starts, ends, directions, bytes and comments of the recent frames."""
        return [self._recent[field::5] for field in range(5)]

    def _spill(self) -> None:
        if self._files is None:
            self._files = _nameless(self), _nameless(self)
        starts, ends, directions, bodies, comments = self._columns()
        texts = [comment.encode() for comment in comments]
        rows = np.empty(len(starts), HEAD)
        rows["start_ns"] = starts
        rows["end_ns"] = ends
        rows["size"] = [len(data) for data in bodies]
        rows["comment"] = [len(text) for text in texts]
        rows["direction"] = [DIRECTIONS.index(direction) for direction in directions]
        lengths = rows["size"].astype(np.int64) + rows["comment"]
        rows["place"] = self._size + np.cumsum(lengths) - lengths
        packed = b"".join(chain.from_iterable(zip(bodies, texts, strict=True)))
        for file, content in zip(self._files, (rows.tobytes(), packed), strict=True):
            file.write(content)
            file.flush()
        self._count += len(rows)
        self._size += len(packed)
        self._recent.clear()


class Frames(Sequence[Frame]):
    """Frames by start, most of them in two files; each is read when it is asked for."""

    def __init__(self, heads: IO[bytes], bodies: IO[bytes], count: int, recent: Sequence[Frame]) -> None:
        self._heads = np.asarray(np.memmap(heads, HEAD, "r", shape=(count,)))
        self._bodies = np.asarray(np.memmap(bodies, np.uint8, "r"))
        self._recent = recent
        starts = [self._heads["start_ns"], np.array([frame.start_ns for frame in recent], np.int64)]
        self._order = np.argsort(np.concatenate(starts), kind="stable")

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Frame, ...]: ...
    def __getitem__(self, index: int | slice) -> Frame | tuple[Frame, ...]:
        if isinstance(index, slice):
            return tuple(self._frame(int(number)) for number in self._order[index])
        return self._frame(int(self._order[index]))

    def _frame(self, number: int) -> Frame:
        if number >= len(self._heads):
            return self._recent[number - len(self._heads)]
        start_ns, end_ns, place, size, comment, direction = self._heads[number].item()
        text = self._bodies[place : place + size + comment].tobytes()
        return Frame(start_ns, end_ns, DIRECTIONS[direction], text[:size], text[size:].decode())


def _nameless(owner: object) -> IO[bytes]:
    """A file that is gone with its owner and the last array on its pages."""
    file = tempfile.TemporaryFile(prefix="press-rig-")  # noqa: SIM115 - lives as long as its owner
    weakref.finalize(owner, file.close)
    return file


def _start_ns(frame: Frame) -> int:
    return frame.start_ns
