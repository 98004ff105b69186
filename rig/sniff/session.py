"""The whole run: from the options to the lines and the exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from rig.errors import PortError
from rig.protocol.registers_file import default_registers
from rig.sniff.choose import Choice, tags_like
from rig.sniff.decode import Damage, Decoder, Exchange, Item, Outcome
from rig.sniff.meaning import Meaning, Reading
from rig.sniff.show import JsonShow, Show, TextShow
from rig.sniff.source import NEVER_NS, USUAL_LINE, LineSettings, Source, open_source
from rig.sniff.statistics import Statistics

__all__ = ["CLEAN", "ERRORS_SEEN", "SniffOptions", "decoded", "sniff"]

CLEAN, ERRORS_SEEN, INTERRUPTED = 0, 1, 130


@dataclass(frozen=True)
class SniffOptions:
    """What is asked for.

    Attributes:
        source: port or recording.
        line: what is said about the line.
        timeout_s: an answer after so long is late, s.
        seconds: for how long, s; None until Ctrl-C, or for the whole recording.
        count: after so many exchanges it is enough; None without end.
        units: only these addresses; empty for all.
        functions: only these function codes; empty for all.
        tags: only tags of these names or groups, `*` and `?` as in file names; empty for all.
        changes: only tags that have another value than before.
        raw: the bytes too.
        json: an object per line.
        summary: the statistics only.
    """

    source: str
    line: LineSettings = USUAL_LINE
    timeout_s: float = 1.0
    seconds: float | None = None
    count: int | None = None
    units: tuple[int, ...] = ()
    functions: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    changes: bool = False
    raw: bool = False
    json: bool = False
    summary: bool = False


def sniff(options: SniffOptions, stream: TextIO | None = None) -> int:
    """Listen, and tell what is said.

    Args:
        options: what is asked for.
        stream: where to; None for standard output.

    Returns:
        0 if the line was clean; 1 if something went wrong on it, or not one frame was among what was heard; 130 if a
        recording was interrupted. Exceptions are answers like others.

    Raises:
        UsageError: no such source, no recording, unknown tags.
        PortError: the port is missing, busy, or went away; the statistics have been told then.
    """
    maps = [default_registers(wiring) for wiring in default_registers().wirings]
    chosen = tags_like(options.tags, *maps)
    choice = Choice(options.units, options.functions, chosen, options.changes)
    source = open_source(options.source, options.line, options.seconds)
    meaning = Meaning(*maps)
    kind = JsonShow if options.json else TextShow
    show: Show = kind(meaning, stream or sys.stdout, raw=options.raw)
    statistics = Statistics(source.timing)
    interrupted = False
    show.begin(source)
    try:
        _tell(decoded(source, options.timeout_s, statistics), options, choice, meaning, show, statistics)
    except KeyboardInterrupt:
        interrupted = not source.is_live  # a live line is always ended so
    except PortError:
        show.end(statistics, source)
        raise
    finally:
        source.chunks.close()
    show.end(statistics, source)
    if interrupted:
        return INTERRUPTED
    unreadable = statistics.line_bytes > 0 and not statistics.whole_frames
    return ERRORS_SEEN if statistics.errors or unreadable else CLEAN


def decoded(source: Source, timeout_s: float, statistics: Statistics) -> Iterator[Item]:
    """What happens at a source, each as soon as it is certain; bytes are counted in `statistics`."""
    timeout_ns = round(timeout_s * 1e9) if source.has_times else NEVER_NS
    decoder = Decoder(
        source.timing,
        gap_ns=source.gap_ns,
        timeout_ns=timeout_ns,
        joins=source.is_live,
        has_times=source.has_times,
    )
    now_ns = 0
    try:
        for data, now_ns in source.chunks:
            if data:
                statistics.heard(len(data), now_ns)
                yield from decoder.take(data, now_ns)
            else:
                yield from decoder.wait(now_ns)
    except (KeyboardInterrupt, PortError):
        yield from decoder.end(now_ns, is_cut=True)
        raise
    yield from decoder.end(now_ns, is_cut=source.is_live)


def _tell(
    items: Iterator[Item], options: SniffOptions, choice: Choice, meaning: Meaning, show: Show, statistics: Statistics
) -> None:
    left = options.count
    for item in items:
        statistics.whole_frames |= not isinstance(item, Damage)
        if not choice.wants(item):
            continue
        statistics.add(item)
        if not options.summary:
            readings: list[Reading] = []
            if not isinstance(item, Damage):
                readings = choice.narrow(item.unit, meaning.readings(item))
            if readings or not choice.is_narrow or _is_trouble(item):
                show.item(item, readings)
        if left is not None and isinstance(item, Exchange):
            left -= 1
            if not left:
                return


def _is_trouble(item: Item) -> bool:
    """What is told even to those who asked for certain tags."""
    return not isinstance(item, Exchange) or item.outcome.is_error or item.outcome is Outcome.DECLINED
