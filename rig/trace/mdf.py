"""Recordings to and from ASAM MDF4, the format that measurement tools read.

| channel group | what it holds |
| --- | --- |
| `tags` | the integers that went over the wire, with scale, unit and description; enums with their names |
| `truth` | what only a virtual press can tell, as 64-bit floats |
| `frames` | wire timing: direction, length and duration of each frame (the bytes are in the capture) |
| `events` | kind and text of each event |

asammdf takes a third of a second to import, so it is imported when a file is written or read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rig.trace.channels import ChannelInfo
from rig.trace.recording import Direction, Event, Frame, Recording, Samples

if TYPE_CHECKING:
    from asammdf import MDF, Signal

__all__ = ["RecordingError", "read_recording", "write_mdf"]

_STORAGE: Mapping[str, Any] = {
    "bool": np.uint8,
    "u16": np.uint16,
    "i16": np.int16,
    "u32": np.uint32,
    "i32": np.int32,
    "f32": np.float32,
    "f64": np.float64,
    "enum": np.uint16,
    "bitfield": np.uint16,
}
_TYPES = {np.dtype(_STORAGE[name]).str: name for name in ("bool", "u16", "i16", "u32", "i32", "f32", "f64")}
_DIRECTIONS: tuple[Direction, ...] = ("unknown", "request", "response")
_BITS = "\nbits: "
_BOOL = "\n0 or 1"
_DECIMALS = 6  # scales are decimal fractions: 115.2, not 115.20000000000002


class RecordingError(ValueError):
    """A file that is not a recording of this rig; the message says which file and why."""


def write_mdf(
    recording: Recording,
    path: str | Path,
    *,
    start: datetime | None = None,
    comment: str = "",
) -> Path:
    """Write a recording as MDF 4.10.

    Args:
        recording: what to write.
        path: file to write; asammdf wants the suffix `.mf4`.
        start: wall-clock time at bench time 0; the epoch if not given, as virtual runs have no date.
        comment: on the whole file, such as the run and its seed.

    Returns:
        The path written.

    Raises:
        ValueError: the path has another suffix.
    """
    from asammdf import MDF  # noqa: PLC0415 - slow to import

    target = Path(path)
    if target.suffix != ".mf4":
        raise ValueError(f"{target}: an MDF4 file is named *.mf4")
    with MDF(version="4.10") as mdf:
        mdf.header.start_time = start or datetime.fromtimestamp(0, UTC)
        mdf.header.comment = f"{comment}\ntrace hash {recording.trace_hash()}".strip()
        for name, table in (("tags", recording.tags), ("truth", recording.truth)):
            if len(table) and table.channels:
                _append(mdf, name, [_signal(table, index) for index in range(len(table.channels))])
        if recording.frames:
            _append(mdf, "frames", _frame_signals(recording.frames))
        if recording.events:
            _append(mdf, "events", _event_signals(recording.events))
        mdf.save(target, overwrite=True, compression=1)
    return target


def read_recording(path: str | Path) -> Recording:
    """Read what `write_mdf` wrote.

    Frames come back with their times, direction and length, but with zeros for their bytes: those
    are in the capture beside it.

    Raises:
        RecordingError: no such file, or not a recording.
    """
    from asammdf import MDF  # noqa: PLC0415 - slow to import

    source = Path(path)
    if not source.is_file():
        raise RecordingError(f"{source}: no such file")
    try:
        mdf = MDF(source)
    except Exception as error:  # asammdf has no error type of its own for files that are not MDF
        raise RecordingError(f"{source}: not an MDF file: {error}") from error
    with mdf:
        groups = _groups(mdf)
        if not groups.keys() & {"tags", "truth", "events", "frames"}:
            raise RecordingError(f"{source}: holds none of the channel groups tags, truth, frames, events")
        return Recording(
            tags=_read_samples(mdf, groups.get("tags")),
            truth=_read_samples(mdf, groups.get("truth")),
            frames=_read_frames(mdf, groups.get("frames")),
            events=_read_events(mdf, groups.get("events")),
        )


# ------------------------------------------------------------------ writing


def _append(mdf: MDF, name: str, signals: list[Signal]) -> None:
    mdf.append(signals, acq_name=name, comment=name, common_timebase=True)


def _signal(table: Samples, index: int) -> Signal:
    from asammdf import Signal  # noqa: PLC0415 - slow to import

    channel, values = table.channels[index], table.values[:, index]
    storage = _STORAGE[channel.type]
    raw, invalid = _raw(channel, values, storage)
    comment = channel.description
    if channel.bits:
        comment += _BITS + ", ".join(channel.bits)
    if channel.type == "bool":
        comment += _BOOL
    return Signal(
        raw,
        table.time_s,
        unit=channel.unit,
        name=channel.name,
        conversion=_conversion(channel),
        comment=comment,
        invalidation_bits=invalid if invalid.any() else None,
    )


def _raw(channel: ChannelInfo, values: NDArray[np.float64], storage: Any) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Wire integers of engineering values, and where there is none that could be written."""
    if np.issubdtype(storage, np.floating):
        return values.astype(storage), np.zeros(len(values), bool)
    limits = np.iinfo(storage)
    codes = np.round((values - channel.offset) / channel.scale)
    fits = (codes >= limits.min) & (codes <= limits.max)  # false for NaN
    return np.where(fits, codes, 0).astype(storage), ~fits


def _conversion(channel: ChannelInfo) -> dict[str, object] | None:
    if channel.values:
        pairs = enumerate(channel.values.items())
        table: dict[str, object] = {}
        for index, (name, code) in pairs:
            table[f"val_{index}"] = code
            table[f"text_{index}"] = name
        return table
    if channel.scale != 1.0 or channel.offset != 0.0:
        return {"a": channel.scale, "b": channel.offset}
    return None


def _frame_signals(frames: Sequence[Frame]) -> list[Signal]:
    from asammdf import Signal  # noqa: PLC0415 - slow to import

    time_s = np.array([frame.start_ns for frame in frames], np.int64) * 1e-9
    codes = np.array([_DIRECTIONS.index(frame.direction) for frame in frames], np.uint8)
    lengths = np.array([len(frame.data) for frame in frames], np.uint16)
    duration_us = np.array([frame.end_ns - frame.start_ns for frame in frames], np.int64) * 1e-3
    direction = _conversion(ChannelInfo("direction", values={name: i for i, name in enumerate(_DIRECTIONS)}))
    return [
        Signal(codes, time_s, name="frame_direction", conversion=direction, comment="As the master sees it"),
        Signal(lengths, time_s, name="frame_length_bytes", unit="B", comment="Bytes on the wire, CRC included"),
        Signal(
            duration_us,
            time_s,
            name="frame_duration_us",
            unit="µs",
            comment="First start bit to last stop bit",
        ),
    ]


def _event_signals(events: Sequence[Event]) -> list[Signal]:
    from asammdf import Signal  # noqa: PLC0415 - slow to import

    time_s = np.array([event.time_ns for event in events], np.int64) * 1e-9
    kinds = np.array([event.kind.encode() or b" " for event in events])
    texts = np.array([event.text.encode() or b" " for event in events])
    return [
        Signal(kinds, time_s, name="event_kind", encoding="utf-8", comment="state, operator, alarm, deadline, …"),
        Signal(texts, time_s, name="event_text", encoding="utf-8", comment="What happened"),
    ]


# ------------------------------------------------------------------ reading


def _read_samples(mdf: MDF, group: int | None) -> Samples:
    if group is None:
        return Samples.empty()
    signals = _signals(mdf, group)
    channels = tuple(_channel(signal) for signal in signals)
    columns = [_values(channel, signal) for channel, signal in zip(channels, signals, strict=True)]
    return Samples(channels, _time_ns(signals[0]), np.column_stack(columns))


def _read_frames(mdf: MDF, group: int | None) -> tuple[Frame, ...]:
    if group is None:
        return ()
    directions, lengths, durations = _signals(mdf, group)
    starts = _time_ns(directions).tolist()
    ends = _time_ns(directions) + np.round(durations.samples * 1e3).astype(np.int64)
    rows = zip(starts, ends.tolist(), directions.samples.tolist(), lengths.samples.tolist(), strict=True)
    return tuple(Frame(start, end, _DIRECTIONS[code], bytes(length)) for start, end, code, length in rows)


def _read_events(mdf: MDF, group: int | None) -> tuple[Event, ...]:
    if group is None:
        return ()
    kinds, texts = _signals(mdf, group)
    rows = zip(_time_ns(kinds).tolist(), kinds.samples, texts.samples, strict=True)
    return tuple(Event(time_ns, _text(kind), _text(text)) for time_ns, kind, text in rows)


def _groups(mdf: Any) -> dict[str, int]:
    return {str(group.channel_group.acq_name): index for index, group in enumerate(mdf.groups)}


def _signals(mdf: MDF, group: int) -> list[Signal]:
    """All channels of a group but its time, raw and with invalid samples kept."""
    count = len(mdf.groups[group].channels)
    return [mdf.get(group=group, index=index, raw=True, ignore_invalidation_bits=True) for index in range(1, count)]


def _channel(signal: Signal) -> ChannelInfo:
    samples, conversion = signal.samples, signal.conversion
    description, _, bits = str(signal.comment).partition(_BITS)
    channel = ChannelInfo(signal.name, signal.unit, description, _TYPES[samples.dtype.newbyteorder("=").str])
    if bits:
        return replace(channel, type="bitfield", bits=tuple(bits.split(", ")))
    if description.endswith(_BOOL):
        return replace(channel, type="bool", description=description.removesuffix(_BOOL))
    if conversion is None:
        return channel
    blocks = conversion.referenced_blocks or {}
    if blocks:
        values = {
            _text(block): int(conversion[f"val_{key.removeprefix('text_')}"])
            for key, block in blocks.items()
            if key.startswith("text_") and block
        }
        return replace(channel, type="enum", values=values)
    return replace(channel, scale=float(conversion["a"]), offset=float(conversion["b"]))


def _values(channel: ChannelInfo, signal: Signal) -> NDArray[np.float64]:
    values = np.asarray(signal.samples, np.float64)
    if channel.scale != 1.0 or channel.offset != 0.0:
        values = np.round(values * channel.scale + channel.offset, _DECIMALS)
    if signal.invalidation_bits is not None:
        values = np.where(signal.invalidation_bits, np.nan, values)
    return values


def _time_ns(signal: Signal) -> NDArray[np.int64]:
    return np.round(np.asarray(signal.timestamps, np.float64) * 1e9).astype(np.int64)


def _text(value: Any) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.rstrip("\0").strip(" ")
