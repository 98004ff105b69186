"""Failure modes and effects: every fault in every phase, by what it was noticed, after how long, and what it did.

Nothing here is claimed: each row is what came out of a run in which this fault, and nothing else, began in this phase.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np

from rig.scenario import Event, Played, Scenario, Stage, event_of
from rig.virtual import FAULT_KINDS

__all__ = ["BEGINS_S", "Row", "fmea", "write_csv"]

BEGINS_S: Final = 1.0
LASTS_S: Final = 60.0
FRAMES: Final = 100
"""So many frames a fault of the wire strikes, where it strikes frames."""
WORDS: Final = {"alarm_word": "interlock", "warning_word": "warning"}
NOTICING: Final = ("bus", "port", "node", "health")
"""Events by which the rig's client shows that it has noticed something on the line."""


@dataclass(frozen=True, slots=True)
class Row:
    """One fault in one phase.

    Attributes:
        fault: kind of it.
        target: place that it struck; empty where it has none.
        phase: state in which it began.
        noticed_by: interlock, warning, alarm of the controller, or client; empty if nobody has noticed.
        noticed_after_s: how long after it began, s; None if nobody has.
        ended_in: state of the controller a minute later.
        nearest: requirement that came nearest to a violation, or was broken worst.
        margin: of it; None if none was put to the test.
        broken: ids of what was broken.
        showed: it changed anything at all.
    """

    fault: str
    target: str
    phase: str
    noticed_by: str
    noticed_after_s: float | None
    ended_in: str
    nearest: str
    margin: float | None
    broken: str
    showed: bool


def fmea(
    stage: Stage, phases: Sequence[str], kinds: Sequence[str], on_row: Callable[[Row], None] = lambda row: None
) -> list[Row]:
    """Let every fault begin in every phase.

    Args:
        stage: where they are played.
        phases: states that runs begin in.
        kinds: of faults.
        on_row: called for every row.
    """
    targets = stage.bench(Scenario(state="warm")).virtual.fault_targets
    rows = []
    for phase in phases:
        usual = {(by, what) for _, by, what in _noticed(stage.play(Scenario(phase, LASTS_S)))}
        for kind in kinds:
            played = stage.play(Scenario(phase, LASTS_S, (_event(kind, targets(kind)),)))
            rows.append(_row(played, kind, phase, usual))
            on_row(rows[-1])
    return rows


def _event(kind: str, targets: Sequence[str]) -> Event:
    options: dict[str, str | int] = {}
    if targets:
        options["target"] = targets[0]
    if FAULT_KINDS[kind].get("directions"):
        options["times"] = FRAMES
    return event_of(BEGINS_S, "fault", kind, options)


def _row(played: Played, kind: str, phase: str, usual: set[tuple[str, str]]) -> Row:
    from_ns = played.begun_ns + round(BEGINS_S * 1e9)
    noticed = [
        (time_ns, by, what) for time_ns, by, what in _noticed(played) if time_ns >= from_ns and (by, what) not in usual
    ]
    first = min(noticed, default=None)
    judged = [(verdict.margin, verdict.rule) for verdict in played.verdicts if verdict.margin is not None]
    margin, nearest = min(judged, default=(None, ""))
    [event] = played.scenario.events
    return Row(
        kind,
        str(event.option("target") or ""),
        phase,
        "" if first is None else f"{first[1]} {first[2]}".strip(),
        None if first is None else round((first[0] - from_ns) * 1e-9, 1),
        played.state,
        nearest,
        None if margin is None else round(margin, 3),
        " ".join(played.broken),
        not played.void,
    )


def _noticed(played: Played) -> Iterator[tuple[int, str, str]]:
    """When who has noticed what."""
    tags = played.recording.tags
    for word, by in WORDS.items():
        if not len(tags) or word not in tags:
            continue
        values = np.nan_to_num(tags[word]).astype(np.int64)
        for place, bit in enumerate(tags.channel(word).bits):
            rows = np.flatnonzero((values >> place) & 1)
            if len(rows):
                yield int(tags.time_ns[rows[0]]), by, bit
    for event in played.recording.events:
        if event.kind == "state" and event.text in ("fault", "emergency_stop"):
            yield event.time_ns, "controller", played.message.partition(":")[0]
        elif event.kind in NOTICING:
            yield event.time_ns, "client", event.kind


def write_csv(rows: Sequence[Row], path: Path) -> None:
    """Write rows as a table for spreadsheets."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([field.name for field in fields(Row)])
        for row in rows:
            writer.writerow(
                ["" if value is None else value for value in (getattr(row, one.name) for one in fields(Row))]
            )
