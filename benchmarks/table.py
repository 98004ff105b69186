"""Results for people: a table that fits into 80 columns, green where a goal is met and yellow where not."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks.catalogue import BENCHMARKS
from benchmarks.results import Result

__all__ = ["show"]

MET, MISSED = "green", "yellow"


def show(console: Console, results: Mapping[str, Result], title: str, *, verbose: bool) -> None:
    """Print results in the order of the catalogue, and what each of them means where asked for."""
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column("entry")
    for column in ("median", "min … max", "goal"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    for name, result in results.items():
        entry = BENCHMARKS[name]
        met = entry.met_by(result.median)
        style = "" if met is None else MET if met else MISSED
        table.add_row(
            name,
            Text(number(result.median), style),
            f"{number(result.min)} … {number(result.max)}",
            Text(f"{entry.goal} {'✓' if met else '✗'}" if met is not None else "", style),
            result.unit,
        )
    console.print(table)
    if verbose:
        for name in results:
            console.print(Text.assemble((name, "bold"), f"  {BENCHMARKS[name].what}"))


def number(value: float) -> str:
    """Three digits, and no more precision than that where there are more."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
