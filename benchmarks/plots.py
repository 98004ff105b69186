"""Two things that numbers alone do not show, as PNG and CSV in out/bench and, with --docs, in docs/.

`long-run`: a virtual second costs the same CPU time and no memory, however long the run has been (closed loop with
reference controller and recording). `cost`: what the press alone costs grows linearly with parcels x layers.
"""

from __future__ import annotations

import argparse
import csv
import math
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks.errors import Unable
from benchmarks.long_run import STRETCH_S, Sample, long_run
from benchmarks.scaling import POINTS, Cost, costs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HOURS = 24.0
DOCS = Path(__file__).parents[1] / "docs"
INK, MUTED, GRID, PAPER = "#16202b", "#5b6875", "#dfe4e9", "#ffffff"
COLOURS = ("#b3263a", "#1f6fb2", "#2a9d76")
STYLE: dict[Any, Any] = {
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "text.color": INK,
    "legend.frameon": False,
}
DPI = 110
Row = TypeVar("Row", Sample, Cost)


def main(words: Sequence[str] | None = None) -> int:
    """Measure and draw; returns the exit code."""
    arguments = _parser().parse_args(words)
    console = Console(soft_wrap=True)
    written: list[Path] = []
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
        if arguments.only != "cost":
            samples = list(
                _watched(console, "long run", long_run(arguments.hours), round(arguments.hours * 3600 / STRETCH_S))
            )
            written += _keep("long-run", samples, draw_long_run, arguments.out)
        if arguments.only != "long-run":
            written += _keep("cost", list(_watched(console, "cost", costs(), POINTS)), draw_cost, arguments.out)
        if arguments.docs:
            written += [Path(shutil.copy(path, DOCS / path.name)) for path in written]
    except OSError as error:
        print(f"{error.filename} cannot be written: {error.strerror}; choose another --out", file=sys.stderr)
        return 2
    except Unable as why:
        print(f"not drawn: {why}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; nothing was drawn of what was being measured", file=sys.stderr)
        return 130
    for path in written:
        console.print(str(path), highlight=False)
    return 0


def draw_long_run(samples: Sequence[Sample]) -> Figure:
    """Cost and memory over press time, one under the other."""
    figure, (upper, lower) = _figure(2, 4.6)
    hours = [sample.virtual_h for sample in samples]
    upper.plot(hours, [1e-3 * sample.cpu_us_per_virtual_s for sample in samples], color=COLOURS[0], linewidth=1.3)
    upper.set(ylabel="CPU ms per virtual s")
    upper.set_title("Production in closed loop, everything recorded: time and memory over the length of the run")
    lower.plot(hours, [sample.memory_mb for sample in samples], color=COLOURS[1], linewidth=1.3)
    lower.set(ylabel="memory in MB", xlabel="virtual time in h", xlim=(0.0, hours[-1]))
    for axes in (upper, lower):
        axes.set_ylim(0.0, 1.1 * axes.dataLim.ymax)
    return figure


def draw_cost(points: Sequence[Cost]) -> Figure:
    """Cost over parcels x layers, and the plane through all points: a share per parcel, and one per layer of it."""
    figure, (axes,) = _figure(1, 3.6)
    parcels = np.array([point.parcels for point in points], np.float64)
    layers = np.array([point.layers for point in points], np.float64)
    cost_us = np.array([point.cpu_us_per_virtual_s for point in points])
    terms = np.stack([np.ones_like(parcels), parcels, parcels * layers], axis=1)
    # relative deviations: small presses count as much as large ones
    (fixed, per_parcel, per_layer), *_ = np.linalg.lstsq(terms / cost_us[:, None], np.ones_like(cost_us))
    for colour, count in zip(COLOURS, sorted(set(layers.tolist())), strict=False):
        chosen = layers == count
        axes.plot(parcels[chosen] * count, cost_us[chosen], "o", color=colour, markersize=5)
        ends = np.array([0.0, parcels[chosen].max()])
        fitted = fixed + ends * (per_parcel + per_layer * count)
        axes.plot(ends * count, fitted, color=colour, linewidth=1.1, label=f"{count:g} layers")
    axes.set(xlabel="parcels × layers", ylabel="CPU µs per virtual s", xlim=(0.0, None), ylim=(0.0, None))
    axes.set_title(
        f"The press alone in production: {fixed:.0f} µs + parcels × ({1e3 * per_parcel:.0f} ns + layers × "
        f"{1e3 * per_layer:.0f} ns) per virtual s"
    )
    axes.legend(loc="upper left")
    return figure


def _figure(rows: int, height_in: float) -> tuple[Figure, list[Axes]]:
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    figure = Figure(figsize=(9.6, height_in), layout="constrained")
    return figure, list(figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0])


def _keep(name: str, rows: Sequence[Row], draw: Callable[[Sequence[Row]], Figure], folder: Path) -> list[Path]:
    from matplotlib import rc_context  # noqa: PLC0415 - slow to import

    table, picture = folder / f"performance-{name}.csv", folder / f"performance-{name}.png"
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(asdict(rows[0])), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: f"{value:.6g}" for key, value in asdict(row).items()} for row in rows)
    with rc_context(STYLE):
        draw(rows).savefig(picture, dpi=DPI, facecolor=PAPER)
    return [table, picture]


def _watched(console: Console, what: str, rows: Iterable[Row], total: int) -> Iterator[Row]:
    """The rows, with a progress bar."""
    columns = (
        TextColumn("{task.description}"), BarColumn(20), MofNCompleteColumn(),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        yield from progress.track(rows, total=total, description=what)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.plots", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("only", nargs="?", choices=("long-run", "cost"), help="only one of them (default: both)")
    parser.add_argument("--hours", type=_hours, default=HOURS, help=f"length of the long run (default: {HOURS:g})")
    parser.add_argument("--out", type=Path, default=Path("out/bench"), help="default: out/bench")
    parser.add_argument("--docs", action="store_true", help="copy what was made into docs/")
    return parser


def _hours(word: str) -> float:
    try:
        hours = float(word)
    except ValueError:
        hours = math.nan
    if not 0.5 <= hours <= 1000.0:
        raise argparse.ArgumentTypeError(f"{word!r} is no length of a run; it must be 0.5 … 1000 hours")
    return hours


if __name__ == "__main__":
    sys.exit(main())
