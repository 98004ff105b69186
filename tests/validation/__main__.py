"""`make validate`: every comparison of the press model, with a report.

Writes `report.html`; the exit code is 1 if a limit is broken.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context

import numpy
import scipy
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from rig.clock import wall_s
from tests.validation.catalogue import CATALOGUE, wants_workers
from tests.validation.comparison import Comparison, Effort
from tests.validation.report import shown, verdict, write_report
from tests.validation.words import ended_in_words, folder, jobs


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.validation", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer cases: what `make test` runs")
    parser.add_argument("--out", type=folder, default="out/validation", help="folder (default: %(default)s)")
    parser.add_argument(
        "--jobs", type=jobs, default=min(2, os.cpu_count() or 1), help="processes (default: %(default)s)"
    )
    parser.add_argument("only", nargs="*", help="part of the names of the comparisons to make; all if left out")
    arguments = parser.parse_args(words)
    return ended_in_words(lambda: validate(arguments))


def validate(arguments: argparse.Namespace) -> int:
    """Make what was asked for and write the report; returns the exit code."""
    effort = Effort.QUICK if arguments.quick else Effort.FULL
    console = Console()
    chosen = {
        group: [compare for compare in compares if _chosen(compare, arguments.only)]
        for group, compares in CATALOGUE.items()
    }
    if not any(chosen.values()):
        known = ", ".join(compare.__name__ for compares in CATALOGUE.values() for compare in compares)
        console.print(f"No comparison is called like {' or '.join(arguments.only)}; there are {known}.", soft_wrap=True)
        return 2
    started_s = wall_s()
    done = _run(chosen, effort, arguments.jobs, console)
    took_s = wall_s() - started_s
    facts = {
        "Effort": "quick" if effort is Effort.QUICK else "full",
        "Time": f"{took_s:.0f} s on {arguments.jobs} processes",
        "Date": datetime.datetime.now(tz=datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Python": f"{platform.python_version()}, NumPy {numpy.__version__}, SciPy {scipy.__version__}",
    }
    path = write_report(done, facts, arguments.out / "report.html")
    everything = [c for comparisons in done.values() for c in comparisons]
    headline, detail = verdict(everything)
    holds = all(c.holds for c in everything)
    console.print(Text(f"{'✓' if holds else '✗'} {headline}", style="bold green" if holds else "bold red"))
    console.print(f"{detail}; {took_s:.0f} s\n{path}", soft_wrap=True)
    return 0 if holds else 1


def _chosen(compare: Callable[..., Comparison], only: list[str]) -> bool:
    return not only or any(part in compare.__name__ for part in only)


def _run(
    chosen: dict[str, list[Callable[..., Comparison]]], effort: Effort, jobs: int, console: Console
) -> dict[str, list[Comparison]]:
    """All comparisons: whole ones go to the workers at once, large ones hand out their cases."""
    count = sum(len(compares) for compares in chosen.values())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    results: dict[str, Comparison] = {}
    # a fresh interpreter per worker: forking one with threads of its own is asking for trouble
    with (
        ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool,
        Progress(*columns, console=console, transient=True) as progress,
        _nothing_more_after_ctrl_c(pool),
    ):
        bar = progress.add_task("compiling and starting", total=count)
        waiting: dict[str, Future[Comparison]] = {
            compare.__name__: pool.submit(compare, effort)
            for compares in chosen.values()
            for compare in compares
            if not wants_workers(compare)
        }
        for compares in chosen.values():
            for compare in compares:
                name = compare.__name__
                progress.update(bar, description=name.replace("_", " "))
                if wants_workers(compare):
                    result = partial(compare, effort, partial(pool.map, chunksize=1))()
                else:
                    result = waiting[name].result()
                results[name] = result
                progress.advance(bar)
                _tell(result, console)
    return {
        group: [results[compare.__name__] for compare in compares] for group, compares in chosen.items() if compares
    }


@contextmanager
def _nothing_more_after_ctrl_c(pool: ProcessPoolExecutor) -> Iterator[None]:
    """Drop what no worker has begun; the terminal has interrupted the workers too."""
    try:
        yield
    except KeyboardInterrupt:
        workers = list(pool._processes.values())
        pool.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.terminate()
        raise


def _tell(comparison: Comparison, console: Console) -> None:
    sign, style = ("✓", "green") if comparison.holds else ("✗", "red")
    console.print(Text(f"{sign} {comparison.title}", style=style))
    for number in comparison.numbers:
        if not number.holds:
            limit = f"{shown(number.value)} {number.unit}, limit {number.limit_text}"
            console.print(Text(f"    {number.name}: {limit}", style="red"), soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
