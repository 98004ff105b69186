"""One mutant before the search, in a process of its own."""

from __future__ import annotations

import signal
from dataclasses import dataclass, replace
from pathlib import Path

from rig.scenario import Stage, write_scenario
from rig.search import Budget, Hunt
from tests.mutants.catalogue import load_mutants
from tests.mutants.loader import factory_of

__all__ = ["Result", "hunt", "leave_interrupts"]


@dataclass(frozen=True, slots=True)
class Result:
    """What the search has to say of one mutant.

    Attributes:
        mutant: its name.
        requirement: that it breaks, by id; empty if nothing was found.
        runs: scenarios that were played until then.
        seconds: of one core until then, its start-up in it; making the scenario small not.
        events: in the smallest scenario.
        why: in words.
    """

    mutant: str
    requirement: str
    runs: int
    seconds: float
    events: int
    why: str


def hunt(name: str, seconds: float, shrink_s: float, seed: int, out: Path) -> Result:
    """Search for a scenario that a mutant breaks."""
    search = Hunt(Stage(factory_of(load_mutants()[name])), Budget(seconds, shrink_s=shrink_s, findings=1), seed=seed)
    found = search.run()
    if not found:
        return Result(name, "", search.progress.runs, search.progress.seconds, 0, "")
    [finding] = found[:1]
    told = replace(finding.scenario, title=load_mutants()[name].title, controller=f"tests.mutants:{name}")
    write_scenario(told, out / f"{name}.toml")
    why = finding.played.why(finding.requirement)
    return Result(name, finding.requirement, finding.runs, finding.seconds, len(told.events), why)


def leave_interrupts() -> None:
    """Ctrl-C is for the process that people see."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
