"""How fast the rig is here, side by side in one run; writes out/bench.json.

Every entry is measured several times in turn with the others, so that a slow moment of the machine hits all of
them; the table shows median, smallest and largest. `--list` says what the entries are and how good they are meant
to be; docs/performance.md says more.
"""

from __future__ import annotations

import argparse
import difflib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from benchmarks.catalogue import BENCHMARKS
from benchmarks.errors import Unable
from benchmarks.results import Result, make_writable, write
from benchmarks.table import show
from rig.virtual import COMPILE_NOTE

ROUNDS = 5
MOST_ROUNDS = 1000


def main(words: Sequence[str] | None = None) -> int:
    """Measure what was asked for; returns the exit code."""
    arguments = _parser().parse_args(words)
    console = Console()
    if arguments.list:
        for name, entry in BENCHMARKS.items():
            goal = f"{entry.goal} {entry.unit}".strip()
            console.print(Text.assemble((name, "bold"), f"  {goal}: {entry.what}"))
        return 0
    try:
        make_writable(arguments.out)
    except OSError as error:
        print(f"{arguments.out} cannot be written: {error.strerror}; choose another --out", file=sys.stderr)
        return 2
    if COMPILE_NOTE:
        console.print(COMPILE_NOTE)
    begun = time.perf_counter()
    taken, unable, complete = measure(arguments.only or list(BENCHMARKS), arguments.rounds, console)
    results = {name: Result.of(values, BENCHMARKS[name].unit) for name, values in taken.items() if values}
    rounds = "1 round" if arguments.rounds == 1 else f"{arguments.rounds} rounds"
    title = f"press-rig, {rounds} in {time.perf_counter() - begun:.0f} s"
    if results:
        show(console, results, title if complete else f"{title}, interrupted", verbose=arguments.verbose)
    for name, why in unable.items():
        console.print(f"{name}: not measured, {why}")
    if results:
        write(results, arguments.out)
        console.print(f"written: {arguments.out}")
    else:
        console.print(f"{'' if complete else 'interrupted: '}nothing was measured, so nothing is written")
    return 0 if complete else 130


def measure(
    chosen: Sequence[str], rounds: int, console: Console
) -> tuple[dict[str, list[float]], dict[str, str], bool]:
    """Take all measurements, in turn.

    Returns:
        What was measured, what could not be and why, and whether nobody interrupted.
    """
    taken: dict[str, list[float]] = {name: [] for name in chosen}
    unable: dict[str, str] = {}
    plan = [(0, name) for name in chosen if BENCHMARKS[name].warms_up]
    plan += [(number, name) for number in range(1, rounds + 1) for name in chosen]
    plan = [(number, name) for number, name in plan if number <= BENCHMARKS[name].most_rounds]
    with _progress(console) as progress:
        task = progress.add_task("", total=len(plan))
        try:
            for number, name in plan:
                progress.update(task, description=f"{f'round {number}' if number else 'warming up'}: {name}")
                if name not in unable:
                    try:
                        value = BENCHMARKS[name].measure()
                    except Unable as why:
                        unable[name] = str(why)
                    else:
                        taken[name] += [value] if number else []
                progress.advance(task)
        except KeyboardInterrupt:
            return taken, unable, False
    return taken, unable, True


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<34}"),
        BarColumn(20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rounds", type=_rounds, default=ROUNDS, help=f"measurements of each entry (default: {ROUNDS})"
    )
    parser.add_argument("--out", type=Path, default=Path("out/bench.json"), help="default: out/bench.json")
    parser.add_argument("--verbose", action="store_true", help="say what each entry is")
    parser.add_argument("--list", action="store_true", help="say what can be measured, and measure nothing")
    parser.add_argument("only", nargs="*", type=_entry, metavar="entry", help="only these entries (default: all)")
    return parser


def _rounds(word: str) -> int:
    if not (word.isascii() and word.isdigit() and 1 <= int(word) <= MOST_ROUNDS):
        raise argparse.ArgumentTypeError(f"{word!r} is no number of rounds; it must be 1 … {MOST_ROUNDS}")
    return int(word)


def _entry(word: str) -> str:
    if word not in BENCHMARKS:
        near = difflib.get_close_matches(word, BENCHMARKS, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(BENCHMARKS)}"
        raise argparse.ArgumentTypeError(f"nothing to measure is called {word!r}; {hint}")
    return word


if __name__ == "__main__":
    sys.exit(main())
