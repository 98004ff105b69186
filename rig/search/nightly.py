"""The nightly search: hunts with one seed after another until the time is up, and what is new since the nights before.

A night can be interrupted and goes on where it was: the folder holds which seed comes next, and all that was found.
Nothing is told that cannot be repeated: what is found is played twice more, and must break the same with the same bits.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import asdict, dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from rig.clock import date_text, wall_s
from rig.errors import UsageError
from rig.hil import load_factory
from rig.scenario import Scenario, Stage, read_scenario, write_scenario
from rig.search.hunt import Budget, Hunt

__all__ = ["KEY", "Found", "Leg", "Night", "Nights", "run_night"]

LEG: Final = Budget(seconds=300.0, shrink_s=60.0)
"""Of a hunt with one seed; then what it has found is written."""
STATE: Final = "nights.json"
KEY: Final = "|"
"""Between the parts of a box's name."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something that was found, as it is kept.

    Attributes:
        requirement: that it breaks.
        key: what it has in common with others that break the same in the same way.
        file: of the scenario, in the folder of the nights.
        why: in words.
        repeats: it broke the same with the same bits, twice.
    """

    requirement: str
    key: str
    file: str
    why: str
    repeats: bool


@dataclass(frozen=True, slots=True)
class Leg:
    """What a hunt with one seed has come to."""

    seed: int
    runs: int
    seconds: float
    virtual_s: float
    pairs: int
    of_pairs: int
    margins: dict[str, float]
    boxes: dict[str, int]
    found: tuple[tuple[str, str, Scenario, bool], ...]


@dataclass(slots=True)
class Night:
    """One night.

    Attributes:
        begun: date and time.
        controller: that was searched.
        runs: scenarios that were played.
        seconds: of all cores.
        virtual_s: press time.
        pairs: most pairs of state and event that one seed has tried.
        of_pairs: how many there are.
        margins: smallest of each requirement.
        new: found for the first time.
        known: found before.
        boxes: seconds of press time in each box of the operating envelope.
    """

    begun: str
    controller: str
    runs: int = 0
    seconds: float = 0.0
    virtual_s: float = 0.0
    pairs: int = 0
    of_pairs: int = 0
    margins: dict[str, float] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    boxes: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Nights:
    """All nights of a folder: what was found in any of them, and where the next one goes on."""

    next_seed: int = 0
    found: dict[str, Found] = field(default_factory=dict)
    nights: list[Night] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> Nights:
        """From a folder; empty if there is nothing yet.

        Raises:
            UsageError: what is there cannot be read.
        """
        path = folder / STATE
        if not path.exists():
            return cls()
        try:
            table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            found = {key: Found(**one) for key, one in table["found"].items()}
            return cls(table["next_seed"], found, [Night(**night) for night in table["nights"]])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(f"{path} cannot be read ({error}); give another --out, or remove it") from error

    def write(self, folder: Path) -> None:
        """Into a folder, all at once."""
        new = folder / f"{STATE}.new"
        new.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False), encoding="utf-8")
        new.replace(folder / STATE)


def hunt_leg(controller: str, seed: int, budget: Budget) -> Leg:
    """A hunt with one seed, in a process of its own."""
    stage = Stage(load_factory(controller))
    hunt = Hunt(stage, budget, seed=seed)
    found = []
    for finding in hunt.run():
        first, again = stage.play(finding.scenario), stage.play(finding.scenario)
        repeats = finding.requirement in first.broken and first.digest == again.digest
        told = replace(finding.scenario, controller=controller)
        found.append((finding.requirement, finding.played.why(finding.requirement), told, repeats))
    progress = hunt.progress
    return Leg(
        seed, progress.runs, progress.seconds, progress.virtual_s, len(progress.covered), progress.pairs,
        progress.margins, {KEY.join(box): count for box, count in progress.boxes.items()}, tuple(found),
    )  # fmt: skip


def key_of(requirement: str, scenario: Scenario) -> str:
    """What violations have in common that are told once: the requirement, and what happens, wherever and whenever."""
    return " ".join([requirement, *sorted({event.name for event in scenario.events})])


def known_keys(folder: Path) -> Iterator[str]:
    """Of scenarios that were kept as regressions."""
    for file in sorted(folder.glob("*.toml")):
        scenario = read_scenario(file)
        for requirement in scenario.breaks:
            yield key_of(requirement, scenario)


def run_night(
    controller: str,
    folder: Path,
    seconds: float,
    jobs: int,
    regressions: Path,
    *,
    leg: Budget = LEG,
    most_legs: int = 1_000_000,
    on_leg: Callable[[Night, Leg], None] = lambda night, leg: None,
) -> Night:
    """Search until the time is up.

    Args:
        controller: `package.module:factory`.
        folder: of all nights.
        seconds: of wall-clock time.
        jobs: processes.
        regressions: folder with scenarios that are known.
        leg: what one seed gets.
        most_legs: so many seeds are enough.
        on_leg: called when a seed has been searched.

    Raises:
        UsageError: the folder cannot be used, or there is no such controller.
    """
    load_factory(controller)
    nights, night = Nights.read(folder), Night(date_text(), controller)
    nights.nights.append(night)
    known = {*nights.found, *known_keys(regressions)}
    end_s = wall_s() + seconds
    with ProcessPoolExecutor(jobs, get_context("spawn"), _leave_interrupts) as pool:
        running: set[Future[Leg]] = set()
        begun = 0
        while True:
            left_s = end_s - wall_s()
            while len(running) < jobs and left_s > 0.0 and begun < most_legs:
                budget = replace(leg, seconds=min(leg.seconds, left_s))
                running.add(pool.submit(hunt_leg, controller, nights.next_seed, budget))
                nights.next_seed += 1
                begun += 1
            if not running:
                break
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                come = future.result()
                _take(come, night, nights, known, folder)
                nights.write(folder)
                on_leg(night, come)
    nights.write(folder)
    return night


def _take(leg: Leg, night: Night, nights: Nights, known: set[str], folder: Path) -> None:
    night.runs += leg.runs
    night.seconds += leg.seconds
    night.virtual_s += leg.virtual_s
    night.pairs, night.of_pairs = max(night.pairs, leg.pairs), leg.of_pairs
    for name, margin in leg.margins.items():
        night.margins[name] = min(night.margins.get(name, margin), margin)
    for box, count in leg.boxes.items():
        night.boxes[box] = night.boxes.get(box, 0) + count
    for requirement, why, scenario, repeats in leg.found:
        key = key_of(requirement, scenario)
        told = night.known if key in known else night.new
        if key not in told and key not in night.new:
            told.append(key)
        if key not in nights.found:
            file = f"{key.replace(' ', '-')}.toml"
            write_scenario(scenario, folder / file)
            nights.found[key] = Found(requirement, key, file, why, repeats)


def _leave_interrupts() -> None:
    """Ctrl-C is for the process that people see."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
