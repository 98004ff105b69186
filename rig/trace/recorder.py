"""The recorder: takes what happens on a bench as it happens, cheaply.

It never asks for the time and never decides when to sample: whoever calls it says when something
happened. A sample of all tags costs a few microseconds, because the row is fetched by one
`itemgetter` and packed by one `struct` straight into the table.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from math import nan
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from rig.trace.channels import ChannelInfo, tag_channels, text_tags
from rig.trace.recording import Direction, Event, Frame, Recording, Samples

if TYPE_CHECKING:
    from rig.protocol.registers import RegisterMap, Value

__all__ = ["SAMPLE_PERIOD_NS", "Recorder"]

SAMPLE_PERIOD_NS = 100_000_000
"""How often a bench is meant to call `Recorder.sample`: 10 Hz."""

_FIRST_ROWS = 1024
_UNKNOWN_CODE = re.compile(r"unknown\((\d+)\)")


class Recorder:
    """Collects one run.

    Args:
        registers: whose tags `sample` takes.
        truth: the signals that `truth_sample` takes, in the order of its vectors.
    """

    def __init__(self, registers: RegisterMap, truth: Sequence[ChannelInfo] = ()) -> None:
        self._tags = _Rows(tag_channels(registers))
        self._truth = _Rows(tuple(truth))
        self._frames: list[Frame] = []
        self._events: list[Event] = []
        self._names = tuple(channel.name for channel in self._tags.channels)
        self._fetch = _getter(self._names)
        self._coded: list[tuple[int, ChannelInfo, dict[object, float]]] = [
            (index, channel, {name: float(code) for name, code in channel.values.items()})
            for index, channel in enumerate(self._tags.channels)
            if channel.type in ("enum", "bitfield")
        ]
        self._text_tags = text_tags(registers)
        self._texts: dict[str, str] = {}

    def sample(self, time_ns: int, values: Mapping[str, Value]) -> None:
        """Record all tags.

        Args:
            time_ns: when they were sampled; never less than in the call before.
            values: engineering values by tag name. A tag that is missing is recorded as not known;
                names that are not tags of the register map are not recorded.

        Raises:
            ValueError: time went backwards.
            TypeError: a value is not of its tag's kind.
        """
        try:
            row = list(self._fetch(values))
        except KeyError:
            row = [values.get(name, nan) for name in self._names]
        for index, channel, codes in self._coded:
            value = row[index]
            code = codes.get(value)
            if code is None:
                # remembered, so that each set of bits is worked out once
                code = codes[value] = _code(channel, value)
            row[index] = code
        try:
            self._tags.append(time_ns, row)
        except struct.error:
            name, value = next(
                (name, value)
                for name, value in zip(self._names, row, strict=True)
                if isinstance(value, (str, frozenset))
            )
            raise TypeError(f"tag {name}: {value!r} is not a number") from None
        for name in self._text_tags:
            text = values.get(name)
            if isinstance(text, str) and self._texts.get(name) != text:
                self._texts[name] = text
                self.event(time_ns, "identity", f"{name} = {text}")

    def truth_sample(self, time_ns: int, vector: ArrayLike) -> None:
        """Record the truth signals.

        Args:
            time_ns: when; never less than in the call before.
            vector: one number per truth channel, in their units; shape (channels,).

        Raises:
            ValueError: the vector has another length, or time went backwards.
        """
        self._truth.append_array(time_ns, np.asarray(vector, dtype=np.float64))

    def frame(self, start_ns: int, end_ns: int, direction: Direction, data: bytes, comment: str = "") -> None:
        """Record bytes on the wire; arguments as in `Frame`."""
        self._frames.append(Frame(start_ns, end_ns, direction, bytes(data), comment))

    def event(self, time_ns: int, kind: str, text: str) -> None:
        """Record something that happened; arguments as in `Event`."""
        self._events.append(Event(time_ns, kind, text))

    def recording(self) -> Recording:
        """Everything so far; the recorder goes on without changing it."""
        return Recording(
            tags=self._tags.samples(),
            truth=self._truth.samples(),
            frames=tuple(sorted(self._frames, key=lambda frame: frame.start_ns)),
            events=tuple(sorted(self._events, key=lambda event: event.time_ns)),
        )

    def trace_hash(self) -> str:
        """Fingerprint of everything so far, see `Recording.trace_hash`."""
        return self.recording().trace_hash()


class _Rows:
    """A table that grows: doubles its arrays when they are full, packs rows in place."""

    def __init__(self, channels: tuple[ChannelInfo, ...]) -> None:
        self.channels = channels
        self._count = 0
        self._last_ns: int | None = None
        self._pack = struct.Struct(f"{len(channels)}d")
        self._allocate(np.empty(_FIRST_ROWS, np.int64), np.empty((_FIRST_ROWS, len(channels))))

    def append(self, time_ns: int, row: Sequence[Any]) -> None:
        self._make_room(time_ns)
        if row:
            self._pack.pack_into(self._bytes, self._count * self._pack.size, *row)
        self._commit(time_ns)

    def append_array(self, time_ns: int, row: np.ndarray[Any, np.dtype[np.float64]]) -> None:
        if row.shape != (len(self.channels),):
            raise ValueError(f"a truth sample has {len(self.channels)} numbers, one per channel, not shape {row.shape}")
        self._make_room(time_ns)
        self._values[self._count] = row
        self._commit(time_ns)

    def samples(self) -> Samples:
        time_ns, values = self._time_ns[: self._count].view(), self._values[: self._count].view()
        time_ns.flags.writeable = values.flags.writeable = False
        return Samples(self.channels, time_ns, values)

    def _make_room(self, time_ns: int) -> None:
        if self._last_ns is not None and time_ns < self._last_ns:
            raise ValueError(f"sample at {time_ns} ns after one at {self._last_ns} ns: time went backwards")
        if self._count == len(self._time_ns):
            self._allocate(
                np.concatenate([self._time_ns, np.empty_like(self._time_ns)]),
                np.concatenate([self._values, np.empty_like(self._values)]),
            )

    def _commit(self, time_ns: int) -> None:
        self._time_ns[self._count] = time_ns
        self._last_ns = time_ns
        self._count += 1

    def _allocate(self, time_ns: Any, values: Any) -> None:
        self._time_ns, self._values = time_ns, values
        self._bytes = memoryview(values).cast("B") if self.channels else memoryview(bytearray())


def _getter(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    if not names:
        return lambda values: ()
    if len(names) == 1:
        return lambda values: (values[names[0]],)
    getter: Callable[[Mapping[str, Any]], Sequence[Any]] = itemgetter(*names)
    return getter


def _code(channel: ChannelInfo, value: object) -> float:
    """Raw code of a bitfield's set of names, of an enum's name, or of what already is a number."""
    if isinstance(value, (set, frozenset)) and channel.type == "bitfield" and value <= set(channel.bits):
        return float(sum(1 << index for index, bit in enumerate(channel.bits) if bit in value))
    if isinstance(value, str) and (match := _UNKNOWN_CODE.fullmatch(value)):
        return float(match[1])
    if isinstance(value, (int, float)):
        return float(value)
    raise TypeError(f"tag {channel.name}: {value!r} is not one of its {channel.type} values")
