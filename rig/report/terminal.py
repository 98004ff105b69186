"""The verdicts in the terminal, at the end of a run."""

from __future__ import annotations

from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from rig.report.html import STATUS_SIGNS, duration, number
from rig.report.summary import (
    BAD_OUTCOMES,
    RequirementRow,
    RunSummary,
    headline,
    requirement_rows,
    rule_rows,
    skip_reasons,
)
from rig.requirements import Judgement

__all__ = ["print_summary"]

STYLES = {"pass": "bold green", "fail": "bold red", "disagree": "bold yellow", "not judged": "bold yellow"}


def print_summary(run: RunSummary, folder: str | Path | None = None, console: Console | None = None) -> None:
    """Print verdicts, failed tests with their replay commands, and where the files are.

    Args:
        run: what to show.
        folder: where report and recordings are; paths are left out without it.
        console: where to print; standard output if not given.
    """
    console = console or Console()
    top = headline(run)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("requirement", "limit"):
        table.add_column(name, no_wrap=True)
    for name in ("sensors", "truth", "margin"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in requirement_rows(run):
        table.add_row(*_cells(row))
    console.print(table)
    _print_rules(run, console)
    for test in run.tests:
        if test.outcome in BAD_OUTCOMES:
            console.print(Text(f"✗ {test.title}", style="red"))
            if test.reason:
                console.print(Text(f"  {test.reason.splitlines()[0]}"), soft_wrap=True)
            if test.replay:
                console.print(Text(f"  replay: {test.replay}", style="dim"), soft_wrap=True)
        elif test.resume:
            console.print(Text(f"✗ {test.title}: a requirement is red", style="red"))
        if test.resume:
            console.print(Text(f"  rewind: {test.resume}", style="dim"), soft_wrap=True)
            console.print(Text(f"          {test.resume_about}", style="dim"), soft_wrap=True)
    for reason, tests in skip_reasons(run):
        console.print(Text(f"– {tests} skipped: {reason}", style="yellow"), soft_wrap=True)
    pace = f"{duration(run.virtual_s)} of press time in {duration(run.wall_s)}"
    body = Text(f"{STATUS_SIGNS[top.status]} {top.text}", style=STYLES[top.status])
    body.append(f"\n{top.detail}; {pace}", style="default")
    console.print(Panel(body, border_style=STYLES[top.status], expand=False))
    if folder is not None:
        for name in ("report.html", "verdicts.json", *run.files):
            path = Path(folder) / name
            if path.exists():
                console.print(Text(str(path)), soft_wrap=True)


def _print_rules(run: RunSummary, console: Console) -> None:
    """One line on the rules, and one for each that is broken."""
    rows = rule_rows(run)
    if not rows:
        return
    held = sum(row.verdict.status == "pass" for row in rows)
    broken = [row for row in rows if row.verdict.status == "fail"]
    rest = len(rows) - held - len(broken)
    style = STYLES["fail" if broken else "pass"]
    line = Text(f"{STATUS_SIGNS['fail' if broken else 'pass']} {held} of {len(rows)} rules held", style=style)
    line.append(f", {rest} were not put to the test (press-rig rules)" if rest else "", style="default")
    console.print(line)
    for row in broken:
        where = f" in “{row.test.title}” at {row.verdict.time_s:.1f} s" if row.test and row.verdict.time_s else ""
        console.print(Text(f"✗ {row.rule.id} {row.rule.title}{where}", style="red"), soft_wrap=True)


def _cells(row: RequirementRow) -> tuple[Text, ...]:
    verdict = row.verdict
    sensor, truth = (verdict.sensor, verdict.truth) if verdict else (None, None)
    margin = number(verdict.margin if verdict else None)
    return (
        Text(f"{STATUS_SIGNS[row.status]} {row.claim.id} {row.claim.title}", style=STYLES[row.status]),
        Text(row.claim.limit_text),
        Text(_value(sensor)),
        Text(_value(truth)),
        Text(margin),
    )


def _value(judgement: Judgement | None) -> str:
    if judgement is None:
        return "—"
    if judgement.value is None:
        return "yes" if judgement.passed else "no"
    spread = f" ± {number(judgement.uncertainty, 2)}" if judgement.uncertainty else ""
    return f"{number(judgement.value)}{spread}"
