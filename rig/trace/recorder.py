"""The recorder: takes what happens on a bench as it happens, cheaply and in constant memory.

It never asks for the time and never decides when to sample: whoever calls it says when something
happened. A bench hands over the numbers that its client has decoded anyway, and says once what it has
commanded; so a row is the commanded row, copied, and the sensed numbers packed over it by `struct`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from math import nan
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rig.trace.channels import ChannelInfo, tag_channels, text_tags
from rig.trace.recording import Event, Recording, Samples
from rig.trace.store import FrameLog, Table

if TYPE_CHECKING:
    from rig.protocol.registers import RegisterMap, Tag, Value

__all__ = ["SAMPLE_PERIOD_NS", "Places", "Recorder"]

SAMPLE_PERIOD_NS = 100_000_000
"""How often a bench is meant to record: 10 Hz."""

TIME_BYTES = 8
"""A row begins with its time."""
_UNKNOWN_CODE = re.compile(r"unknown\((\d+)\)")

Places = tuple[tuple[struct.Struct, int, slice], ...]
"""How numbers go into a row: runs of neighbouring columns, each with its packer, byte offset, and which numbers."""


class Recorder:
    """Collects one run.

    Args:
        registers: whose tags are recorded.
        truth: the signals that `truth_sample` takes, in the order of its vectors.

    Attributes:
        frame: records bytes on the wire; arguments as in `Frame`.
    """

    def __init__(self, registers: RegisterMap, truth: Sequence[ChannelInfo] = ()) -> None:
        self._layout = _layout(registers)
        self._truth_channels = tuple(truth)
        self._tags = Table(len(self._layout.channels))
        self._truth = Table(len(self._truth_channels))
        self._commanded = np.full(len(self._layout.channels), nan)
        self._frames = FrameLog()
        self.frame = self._frames.append
        self._events: list[Event] = []
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
        layout = self._layout
        row = [layout.number(column, values[name]) if name in values else nan for name, column in layout.columns]
        array, index = self._tags.append(time_ns)
        array[index, 1:] = row
        for name in layout.texts:
            text = values.get(name)
            if isinstance(text, str) and self._texts.get(name) != text:
                self._texts[name] = text
                self.event(time_ns, "identity", f"{name} = {text}")

    def places(self, tags: Iterable[Tag]) -> Places:
        """Where the numbers of `tags`, in this order, go in a row; for `sensed`."""
        return self._layout.places(tuple(tag.name for tag in tags))

    def sensed(self, time_ns: int, places: Places, numbers: Sequence[float]) -> None:
        """Record what was sensed, and what is commanded.

        Args:
            time_ns: when it was sampled; never less than in the call before.
            places: of the numbers, from `places`.
            numbers: enums and bitfields as raw codes.

        Raises:
            ValueError: time went backwards.
        """
        array, index = self._tags.append(time_ns)
        array[index, 1:] = self._commanded
        buffer, start = self._tags.buffer, index * self._tags.row_bytes
        for packer, offset, run in places:
            packer.pack_into(buffer, start + offset, *numbers[run])

    def hold(self, places: Places, numbers: Sequence[float]) -> None:
        """From now on these are in every row that `sensed` records, until it records newer ones in their place.

        Args:
            places: of the numbers, from `places`.
            numbers: as in `sensed`.
        """
        buffer = self._commanded.data.cast("B")
        for packer, offset, run in places:
            packer.pack_into(buffer, offset - TIME_BYTES, *numbers[run])

    def commanded(self, values: Mapping[str, Value]) -> None:
        """From now on these are in every row that `sensed` records.

        Raises:
            TypeError: a value is not of its tag's kind.
        """
        for name, value in values.items():
            column = self._layout.column.get(name)
            if column is not None:
                self._commanded[column] = self._layout.number(column, value)

    def truth_sample(self, time_ns: int, vector: ArrayLike) -> None:
        """Record the truth signals.

        Args:
            time_ns: when; never less than in the call before.
            vector: one number per truth channel, in their units; shape (channels,).

        Raises:
            ValueError: the vector has another length, or time went backwards.
        """
        numbers = np.asarray(vector, dtype=np.float64)
        if numbers.shape != (len(self._truth_channels),):
            raise ValueError(
                f"a truth sample has {len(self._truth_channels)} numbers, one per channel, not shape {numbers.shape}"
            )
        self.truth_row(time_ns)[:] = numbers

    def truth_row(self, time_ns: int) -> NDArray[np.float64]:
        """Begin a truth sample that the caller fills at once; one number per truth channel.

        Raises:
            ValueError: time went backwards.
        """
        array, index = self._truth.append(time_ns)
        return array[index, 1:]

    def event(self, time_ns: int, kind: str, text: str) -> None:
        """Record something that happened; arguments as in `Event`."""
        self._events.append(Event(time_ns, kind, text))

    def recording(self) -> Recording:
        """Everything so far; the recorder goes on without changing it."""
        return Recording(
            tags=Samples(self._layout.channels, *self._tags.arrays()),
            truth=Samples(self._truth_channels, *self._truth.arrays()),
            frames=self._frames.frames(),
            events=tuple(sorted(self._events, key=lambda event: event.time_ns)),
        )

    def trace_hash(self) -> str:
        """Fingerprint of everything so far, see `Recording.trace_hash`."""
        return self.recording().trace_hash()


class _Layout:
    """The columns of the tags of a register map."""

    def __init__(self, registers: RegisterMap) -> None:
        self.channels = tag_channels(registers)
        self.texts = text_tags(registers)
        self.columns = tuple((channel.name, column) for column, channel in enumerate(self.channels))
        self.column = dict(self.columns)
        self._codes: dict[int, dict[object, float]] = {
            column: {name: float(code) for name, code in channel.values.items()}
            for column, channel in enumerate(self.channels)
            if channel.type in ("enum", "bitfield")
        }
        self._places: dict[tuple[str, ...], Places] = {}

    def number(self, column: int, value: Value) -> float:
        """What stands in a column for an engineering value."""
        codes = self._codes.get(column)
        if codes is None:
            if isinstance(value, (str, frozenset)):
                raise TypeError(f"tag {self.channels[column].name}: {value!r} is not a number")
            return float(value)
        code = codes.get(value)
        if code is None:
            # remembered, so that each set of bits is worked out once
            code = codes[value] = _code(self.channels[column], value)
        return code

    def places(self, names: tuple[str, ...]) -> Places:
        """Runs of neighbouring columns for numbers that come in the order of `names`."""
        places = self._places.get(names)
        if places is None:
            runs: list[list[int]] = []
            for number, name in enumerate(names):
                if runs and self.column[name] == self.column[names[runs[-1][-1]]] + 1:
                    runs[-1].append(number)
                else:
                    runs.append([number])
            places = self._places[names] = tuple(
                (
                    struct.Struct(f"{len(run)}d"),
                    TIME_BYTES + 8 * self.column[names[run[0]]],
                    slice(run[0], run[-1] + 1),
                )
                for run in runs
            )
        return places


_layout = lru_cache(maxsize=8)(_Layout)


def _code(channel: ChannelInfo, value: object) -> float:
    """Raw code of a bitfield's set of names, of an enum's name, or of what already is a number."""
    if isinstance(value, (set, frozenset)) and channel.type == "bitfield" and value <= set(channel.bits):
        return float(sum(1 << index for index, bit in enumerate(channel.bits) if bit in value))
    if isinstance(value, str) and (match := _UNKNOWN_CODE.fullmatch(value)):
        return float(match[1])
    if isinstance(value, (int, float)):
        return float(value)
    raise TypeError(f"tag {channel.name}: {value!r} is not one of its {channel.type} values")
