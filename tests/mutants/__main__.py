"""`make mutants`: let the search loose on every broken controller, and say which it has found, by what, and how fast.

python -m tests.mutants                        all, on all cores
python -m tests.mutants heat_in_cool --seconds 300
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from tests.mutants.catalogue import load_mutants
from tests.mutants.trial import Result, hunt, leave_interrupts

OUT = Path("out/mutants")
WANTED_PART = 0.95
WANTED_SECONDS = 20.0
WANTED_EVENTS = 3


def main(argv: Sequence[str] | None = None) -> int:
    """Returns 0 if enough were found."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__.splitlines()[0])
    parser.add_argument("mutant", nargs="*", help="names (default: all)")
    parser.add_argument("--seconds", type=float, default=120.0, help="for each at most (default: 120)")
    parser.add_argument("--shrink", type=float, default=10.0, help="seconds for making a scenario small (default: 10)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one per core)")
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder for scenarios and table (default: {OUT})")
    arguments = parser.parse_args(argv)
    unknown = [name for name in arguments.mutant if name not in load_mutants()]
    if unknown:
        parser.error(f"there is no mutant {', '.join(unknown)}; there are {', '.join(load_mutants())}")
    return _tell(_all(arguments.mutant or list(load_mutants()), arguments))


def _all(names: Sequence[str], arguments: argparse.Namespace) -> list[Result]:
    arguments.out.mkdir(parents=True, exist_ok=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    order = list(load_mutants())
    results: list[Result] = []
    with (
        Progress(*columns, console=Console(stderr=True)) as progress,
        ProcessPoolExecutor(arguments.jobs, get_context("spawn"), leave_interrupts) as pool,
    ):
        task = progress.add_task("mutants", total=len(names))
        waiting = [
            pool.submit(hunt, name, arguments.seconds, arguments.shrink, arguments.seed, arguments.out)
            for name in names
        ]
        for done in as_completed(waiting):
            result = done.result()
            results = sorted([*results, result], key=lambda one: order.index(one.mutant))
            # after each, so that a run that is cut short has told what it found
            (arguments.out / "mutants.json").write_text(json.dumps([asdict(one) for one in results], indent=2))
            progress.update(task, advance=1, description=f"{result.mutant}: {result.requirement or 'not found'}")
    return results


def _tell(results: Sequence[Result]) -> int:
    mutants = load_mutants()
    table = Table("", "mutant", "mistake", "requirement", "scenarios", "s", "events")
    for result in results:
        mutant = mutants[result.mutant]
        mark = "[green]✓[/]" if result.requirement else "[dim]–[/]" if mutant.unseen else "[bold red]✗[/]"
        told = (result.requirement or mutant.unseen or "not found", f"{result.runs}", f"{result.seconds:.1f}")
        table.add_row(mark, result.mutant, mutant.title, *told, f"{result.events}" if result.requirement else "")
    Console(width=None if sys.stdout.isatty() else 160).print(table)
    meant = [result for result in results if not mutants[result.mutant].unseen]
    found = [result for result in meant if result.requirement]
    if not found:
        print("nothing found")
        return 1
    seconds, events = median(one.seconds for one in found), median(one.events for one in found)
    print(
        f"{len(found)} of {len(meant)} found ({len(found) / len(meant):.0%}, goal {WANTED_PART:.0%}); "
        f"median {seconds:.1f} s (goal {WANTED_SECONDS:g}), {events:g} events (goal {WANTED_EVENTS})"
    )
    enough = len(found) >= WANTED_PART * len(meant) and seconds <= WANTED_SECONDS and events <= WANTED_EVENTS
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
