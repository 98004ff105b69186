"""How it is told: lines for people, in colour on a terminal, or one JSON object per line for programs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rig.protocol import BROADCAST, FrameFault
from rig.protocol.registers import Tag, Value
from rig.sniff.decode import Damage, Exchange, Item, Outcome, Stray
from rig.sniff.meaning import Meaning, Reading, exception_words, function_name
from rig.sniff.source import Source
from rig.sniff.statistics import Statistics, Tally

__all__ = ["JsonShow", "Show", "TextShow"]

_MS = 1e-6
_SHOWN_BYTES = 32
_NARROWEST = 40
_FILE_WIDTH = 160
"""Characters of the widest table; a file has room."""
_FAULTS = {
    FrameFault.CRC: "bad CRC",
    FrameFault.INCOMPLETE: "incomplete frame",
    FrameFault.TOO_LONG: "too many bytes without a pause",
    FrameFault.MALFORMED: "malformed frame",
}
_IN_DOUBT = "or asked again, after an answer that was lost"
_STYLES = {
    Outcome.ANSWERED: "", Outcome.NONE_DUE: "", Outcome.OPEN: "dim",
    Outcome.DECLINED: "yellow", Outcome.DAMAGED: "bold red", Outcome.UNANSWERED: "bold red",
}  # fmt: skip


class Show(Protocol):
    """Tells what happens."""

    def begin(self, source: Source) -> None:
        """Listening begins."""
        ...

    def item(self, item: Item, readings: Sequence[Reading]) -> None:
        """Something has happened; `readings` are the wanted ones."""
        ...

    def end(self, statistics: Statistics, source: Source) -> None:
        """Listening is over."""
        ...


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """The reader of a pipe has gone, which the command line takes for a good end."""
        raise BrokenPipeError


class TextShow:
    """For people."""

    def __init__(self, meaning: Meaning, stream: TextIO, *, raw: bool = False) -> None:
        self._meaning = meaning
        self._stream = stream
        self._console = _Console(file=stream, highlight=False, soft_wrap=True)
        self._wraps = self._console.is_terminal
        if not self._wraps:
            self._console.width = _FILE_WIDTH
        self._raw = raw
        self._times, self._is_live = True, False

    def begin(self, source: Source) -> None:
        """What is listened to."""
        timing = source.timing
        line = f"{timing.baudrate} bit/s, 8{timing.parity}{timing.stop_bits}"
        hint = "; Ctrl-C ends and sums up" if source.is_live else ""
        note = f"; {source.note}" if source.note else ""
        self._times, self._is_live = source.has_times, source.is_live
        self._console.print(Text(f"{source.name}: {line}{note}{hint}", "dim"))

    def item(self, item: Item, readings: Sequence[Reading]) -> None:
        """One line on what happened, and one more on what was said."""
        if isinstance(item, Damage):
            self._damage(item)
        else:
            self._exchange(item, readings)
        if self._is_live:
            self._stream.flush()

    def _exchange(self, item: Exchange | Stray, readings: Sequence[Reading]) -> None:
        head = self._head(item.start_ns, item.unit)
        if isinstance(item, Exchange):
            head.append(self._meaning.asked(item.request.request), "bold")
            told = self._meaning.told(item)
            head.append(f"  {_ending(item, told)}".rstrip(), _STYLES[item.outcome])
        else:
            late = item.late_for is not None
            name = function_name(item.function)
            head.append(f"{'late answer' if late else 'answer that nobody asked for'}: {name}", "bold red")
            head.append(f"  {self._meaning.told(item)}".rstrip())
        if self._times:
            head.append(_timing(item), "dim")
        if isinstance(item, Exchange) and item.in_doubt:
            head.append(f"  {_IN_DOUBT}", "yellow")
        self._line(head)
        if self._raw:
            self._bytes(item)
        if readings:
            self._readings(readings)

    def _line(self, line: Text) -> None:
        if self._wraps:
            self._console.print(line)
        else:
            self._stream.write(f"{line.plain}\n")  # a recording has many lines, and no colours in a file

    def _head(self, start_ns: int, unit: int | None) -> Text:
        head = Text()
        head.append(f"{_s(start_ns):12.6f} s  " if self._times else "", "cyan")
        if unit is not None:
            head.append("all units  " if unit == BROADCAST else f"unit {unit}  ", "blue")
        return head

    def _damage(self, item: Damage) -> None:
        head, raw = self._head(item.start_ns, item.unit), item.frame.raw
        if item.is_joining:
            head.append(f"listening began within a frame: {_count(len(raw), 'byte')}", "dim")
        else:
            detail = f": {item.frame.detail}" if item.frame.fault is FrameFault.MALFORMED else ""
            head.append(f"{_FAULTS.get(item.frame.fault, item.frame.fault.value)}{detail}", "bold red")
            head.append(f"  {_count(len(raw), 'byte')}: ")
            head.append(_hex(raw if self._raw else raw[:_SHOWN_BYTES]))
            head.append("" if self._raw or len(raw) <= _SHOWN_BYTES else " …")
        self._line(head)

    def _bytes(self, item: Exchange | Stray) -> None:
        for sign, frame in _frames(item):
            self._line(Text(f"    {sign} {_hex(frame)}", "dim"))

    def _readings(self, readings: Iterable[Reading]) -> None:
        """As many to a line as the terminal takes; in a file, all in one line that can be searched."""
        parts = [(reading, f" {':= ' if reading.is_written else ''}{reading.text}") for reading in readings]
        if not self._wraps:
            self._stream.write(
                "".join(["   ", *(f" {reading.name}{value} " for reading, value in parts)]).rstrip() + "\n"
            )
            return
        room = max(_NARROWEST, self._console.width)
        line = Text("   ")
        for reading, value in parts:
            part = Text(" ")
            part.append(reading.name, "green" if reading.tag is not None else "dim")
            part.append(f"{value} ")
            if line.cell_len + part.cell_len > room and line.cell_len > 3:
                self._console.print(line)
                line = Text("   ")
            line.append(part)
        line.rstrip()
        self._console.print(line)

    def end(self, statistics: Statistics, source: Source) -> None:
        """The statistics."""
        self._console.print()
        if not statistics.tallies:
            self._console.print(Text(_nothing(statistics, source), "bold red" if statistics.line_bytes else "yellow"))
        else:
            self._console.print(_table(statistics, times=source.has_times), soft_wrap=False)
        words = [_count(statistics.frames, "frame"), _count(statistics.line_bytes, "byte")]
        if source.has_times and statistics.line_bytes:
            words += [f"{statistics.duration_s:.3f} s", f"bus load {statistics.load_percent:.1f} %"]
        self._console.print(", ".join(words))
        for (unit, function, code), count in sorted(statistics.exceptions.items()):
            declined = f"unit {unit}, {function_name(function)}: {_count(count, 'time')} {exception_words(code)}"
            self._console.print(Text(declined, "yellow"))
        if statistics.doubts:
            told = f"{_count(statistics.doubts, 'answer')} of those that are their requests again in doubt"
            self._console.print(Text(f"{told}: {_IN_DOUBT}", "yellow"))
        if statistics.errors:
            self._console.print(Text(_errors(statistics), "bold red"))
        elif statistics.tallies:
            self._console.print(Text("no errors on the line", "green"))


class JsonShow:
    """For programs: an object per line, the statistics last."""

    def __init__(self, meaning: Meaning, stream: TextIO, *, raw: bool = False) -> None:
        self._meaning = meaning
        self._stream = stream
        self._raw = raw
        self._times, self._is_live = True, False

    def begin(self, source: Source) -> None:
        """The line."""
        self._times, self._is_live = source.has_times, source.is_live
        timing = source.timing
        self._say(
            type="source", name=source.name, baudrate=timing.baudrate, parity=timing.parity,
            stop_bits=timing.stop_bits, live=source.is_live, timed=source.has_times, note=source.note or None,
        )  # fmt: skip

    def item(self, item: Item, readings: Sequence[Reading]) -> None:
        """What happened."""
        said: dict[str, Any] = {"time_s": round(_s(item.start_ns), 9)} if self._times else {}
        said |= {"unit": item.unit, "function": item.function}
        if isinstance(item, Damage):
            frame = item.frame
            kind = "joined" if item.is_joining else "damage"
            fault = frame.fault.name.lower()
            self._say(type=kind, **said, fault=fault, detail=frame.detail, bytes=len(frame.raw), raw=frame.raw.hex())
            return
        said["name"] = function_name(item.function)
        if isinstance(item, Exchange):
            said |= {"type": "exchange", "outcome": item.outcome.name.lower()}
            said["asked"] = self._meaning.asked(item.request.request)
            said["in_doubt"] = item.in_doubt
            if item.outcome is Outcome.DECLINED and item.response is not None:
                said["exception"] = item.response.raw[2]
            if self._times:
                said |= {"delay_ms": _ms(item.delay_ns), "period_ms": _ms(item.period_ns)}
        else:
            said |= {"type": "stray", "late": item.late_for is not None}
            if self._times:
                said["delay_ms"] = _ms(item.delay_ns)
        said["told"] = self._meaning.told(item) or None
        said["tags"] = [_reading(reading) for reading in readings]
        if self._raw:
            said |= {"request_raw" if sign == ">" else "response_raw": raw.hex() for sign, raw in _frames(item)}
        self._say(**said)

    def end(self, statistics: Statistics, source: Source) -> None:
        """The statistics."""
        times = source.has_times
        functions = [
            {"unit": unit, "function": function, "name": function_name(function), **_tally(tally, times=times)}
            for unit, function, tally in statistics.rows()
        ]
        exceptions = [
            {"unit": unit, "function": function, "code": code, "count": count, "words": exception_words(code)}
            for (unit, function, code), count in sorted(statistics.exceptions.items())
        ]
        timed = {
            "duration_s": round(statistics.duration_s, 9), "load_percent": round(statistics.load_percent, 3),
        } if times else {}  # fmt: skip
        self._say(
            type="summary", frames=statistics.frames, bytes=statistics.line_bytes, **timed, errors=statistics.errors,
            damage={fault.name.lower(): count for fault, count in statistics.faults.items()},
            damaged_bytes=statistics.damaged_bytes, in_doubt=statistics.doubts,
            functions=functions, exceptions=exceptions,
        )  # fmt: skip

    def _say(self, **said: Any) -> None:
        print(json.dumps(said, ensure_ascii=False, allow_nan=False), file=self._stream, flush=self._is_live)


# -- words --------------------------------------------------------------------------------------------


def _ending(item: Exchange, told: str) -> str:
    match item.outcome:
        case Outcome.UNANSWERED | Outcome.DAMAGED:
            return f"{item.outcome.value}  {told}"
        case Outcome.OPEN:
            return "listening ended before an answer"
        case _:
            return told


def _timing(item: Exchange | Stray) -> str:
    parts = []
    if item.delay_ns is not None:
        parts.append(f"  answer after {item.delay_ns * _MS:.3f} ms")
    if isinstance(item, Exchange) and item.period_ns is not None:
        parts.append(f"  every {item.period_ns * _MS:.3f} ms")
    return "".join(parts)


def _frames(item: Exchange | Stray) -> Iterable[tuple[str, bytes]]:
    if isinstance(item, Exchange):
        yield ">", item.request.raw
    if item.response is not None:
        yield "<", item.response.raw


def _hex(data: bytes) -> str:
    return data.hex(" ")


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _nothing(statistics: Statistics, source: Source) -> str:
    if not statistics.line_bytes:
        return "nothing was said; check the wiring, and that a master is at work"
    others = "; or --unit and --function leave nothing" if not statistics.faults else ""
    check = "check --baudrate, --parity, --stopbits and that A and B are not crossed" if source.is_live else (
        "is it Modbus RTU?"
    )  # fmt: skip
    return f"not one frame in {_count(statistics.line_bytes, 'byte')}; {check}{others}"


def _errors(statistics: Statistics) -> str:
    tallies = statistics.tallies.values()
    damage = [f"{count} × {_FAULTS.get(fault, fault.value)}" for fault, count in statistics.faults.items()]
    counts = {
        "without an answer": sum(tally.outcomes[Outcome.UNANSWERED] for tally in tallies),
        "late": sum(tally.late for tally in tallies),
        "that nobody asked for": sum(tally.stray for tally in tallies),
    }
    others = [f"{count} {words}" for words, count in counts.items() if count]
    return f"{_count(statistics.errors, 'error')} on the line: {', '.join(damage + others)}"


def _table(statistics: Statistics, *, times: bool) -> Table:
    """A row per unit and function; what never happened has no column."""
    rows = list(statistics.rows())
    counts: dict[str, tuple[list[int], str]] = {
        "answered": ([tally.outcomes[Outcome.ANSWERED] for *_, tally in rows], ""),
        "declined": ([tally.outcomes[Outcome.DECLINED] for *_, tally in rows], "yellow"),
        "damaged": ([tally.outcomes[Outcome.DAMAGED] for *_, tally in rows], "bold red"),
        "no answer": ([tally.outcomes[Outcome.UNANSWERED] for *_, tally in rows], "bold red"),
        "late": ([tally.late for *_, tally in rows], "bold red"),
        "stray": ([tally.stray for *_, tally in rows], "bold red"),
    }
    shown = {name: column for name, column in counts.items() if any(column[0]) or name == "answered"}
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("unit", no_wrap=True)
    table.add_column("function", overflow="fold")
    columns = ["requests", *shown, "errors"]
    columns += ["answer p50", "p99", "max", "period p50"] if times else []
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for index, (unit, function, tally) in enumerate(rows):
        cells = [str(tally.requests)]
        cells += [_counted(numbers[index], style) for numbers, style in shown.values()]
        cells.append(f"{tally.error_percent:.1f} %")
        if times:
            delays, periods = tally.delays, tally.periods
            longest_ns = delays.longest_ns if delays.count else None
            cells += [_ms_text(delays.percentile_ns(50)), _ms_text(delays.percentile_ns(99)), _ms_text(longest_ns)]
            cells.append(_ms_text(periods.percentile_ns(50)))
        table.add_row("all" if unit == BROADCAST else str(unit), f"{function_name(function)} ({function})", *cells)
    return table


def _counted(count: int, style: str) -> str:
    if not count:
        return "–"
    return f"[{style}]{count}[/]" if style else str(count)


def _s(time_ns: int) -> float:
    """Seconds; the first frame may begin a rounding error before the recording."""
    return max(0.0, time_ns * 1e-9)


def _ms(duration_ns: float | None) -> float | None:
    return None if duration_ns is None else round(duration_ns * _MS, 6)


def _ms_text(duration_ns: float | None) -> str:
    return "–" if duration_ns is None else f"{duration_ns * _MS:.2f} ms"


def _tally(tally: Tally, *, times: bool) -> dict[str, Any]:
    counted: dict[str, Any] = {"requests": tally.requests}
    counted |= {outcome.name.lower(): tally.outcomes[outcome] for outcome in Outcome}
    counted |= {"late": tally.late, "stray": tally.stray, "error_percent": round(tally.error_percent, 3)}
    if times:
        delays, periods = tally.delays, tally.periods
        counted["delay_ms"] = {
            "p50": _ms(delays.percentile_ns(50)), "p99": _ms(delays.percentile_ns(99)),
            "max": _ms(delays.longest_ns) if delays.count else None,
        }  # fmt: skip
        counted["period_ms"] = {"p50": _ms(periods.percentile_ns(50))}
    return counted


def _reading(reading: Reading) -> dict[str, Any]:
    value = reading.value
    plain = [_plain(reading.tag, one) for one in value] if isinstance(value, list) else _plain(reading.tag, value)
    return {
        "name": reading.name, "value": plain, "unit": reading.unit or None, "table": reading.table,
        "address": reading.address, "known": reading.tag is not None, "written": reading.is_written,
    }  # fmt: skip


def _plain(tag: Tag | None, value: Value) -> Any:
    """A value as JSON has it: sets as lists in the order of the bits, what is no number as null."""
    if isinstance(value, frozenset):
        return [bit for bit in tag.bits if bit in value] if tag is not None else sorted(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
