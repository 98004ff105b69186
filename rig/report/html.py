"""The report as one HTML file: verdicts first, then the press, the curves, and every test.

Nothing is loaded from anywhere: style and pictures are inside, links go to files in the same folder.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import ceil, isfinite, isnan
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from rig.health import Condition
from rig.report.film_plots import film_plots
from rig.report.picture import press_picture
from rig.report.plots import Plot, time_plots
from rig.report.summary import (
    NodeRow,
    RequirementRow,
    RuleRow,
    RunSummary,
    TestResult,
    headline,
    node_rows,
    requirement_rows,
    rule_rows,
    skip_reasons,
)
from rig.report.view import view_of
from rig.requirements import Judgement, RuleStatus, Status
from rig.requirements.rules import SEVERITIES

__all__ = ["write_html"]

STATUS_WORDS = {
    "pass": "holds",
    "fail": "does not hold",
    "disagree": "holds, doubtful",
    "not judged": "not judged",
}
RULE_WORDS: dict[RuleStatus, str] = {
    "pass": "holds",
    "fail": "broken",
    "not exercised": "not put to the test",
    "not judged": "not judged",
}
STATUS_SIGNS = {"pass": "✓", "fail": "✗", "disagree": "≠", "not judged": "?"}
NODE_STATUS: dict[Condition, Status] = {
    Condition.GOOD: "pass",
    Condition.DEGRADED: "disagree",
    Condition.LOST: "fail",
}
OUTCOME_SIGNS = {"passed": "✓", "failed": "✗", "error": "✗", "skipped": "–", "xfailed": "✓", "xpassed": "≠"}


def write_html(run: RunSummary, out_dir: str | Path) -> Path:
    """Write `report.html` into a folder, and `press.svg`, its picture of the press, beside it.

    Args:
        run: what to show.
        out_dir: existing folder; the files that tests name are expected beside the report.

    Returns:
        The path written.
    """
    environment = Environment(
        loader=PackageLoader("rig.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"duration": duration, "number": number, "file": quote, "breakable": breakable}
    plots: Sequence[Plot] = (*film_plots(run.data), *time_plots(run.data)) if run.data else ()
    picture = press_picture(run.data.geometry, view_of(run.data)) if run.data else ""
    page = environment.get_template("report.html.j2").render(
        run=run,
        top=headline(run),
        rows=[_row(row) for row in requirement_rows(run)],
        picture=Markup(picture) if picture else None,
        plots=[(plot.title, plot.caption, Markup(plot.svg)) for plot in plots],
        tests=sorted(run.tests, key=_failures_first),
        words=STATUS_WORDS,
        signs=STATUS_SIGNS,
        rule_words=RULE_WORDS,
        outcome_signs=OUTCOME_SIGNS,
        skips=skip_reasons(run),
        nodes=[_node(row) for row in node_rows(run)],
        severities=_severities(rule_rows(run)),
        facts=_facts(run),
    )
    if picture:
        (Path(out_dir) / "press.svg").write_text(picture, encoding="utf-8")
    target = Path(out_dir) / "report.html"
    target.write_text(page, encoding="utf-8")
    return target


def duration(seconds: float) -> str:
    """Seconds for people: `12 ms`, `0.4 s`, `12 min 5 s`, `3 h 20 min`."""
    if 0.0 < seconds < 0.1:
        return f"{ceil(seconds * 1e3)} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def number(value: float | None, digits: int = 3) -> str:
    """A value with a few digits, a true minus sign, and a dash for nothing."""
    if value is None or isnan(value):
        return "—"
    return f"{value:.{digits}g}".replace("-", "−")


def breakable(text: str) -> Markup:
    """A path or a module's name that may go on in the next line behind a sign, not in the middle of a word."""
    return Markup("<wbr>").join(re.split(r"(?<=[:/.?&=_])(?=[^\W\d_])", text))


def _failures_first(test: TestResult) -> int:
    return {"failed": 0, "error": 0, "xpassed": 1, "skipped": 2}.get(test.outcome, 3)


def _facts(run: RunSummary) -> list[tuple[str, str]]:
    faster = f" ({run.virtual_s / run.wall_s:,.0f} × real time)" if run.wall_s > 0 and run.virtual_s > 0 else ""
    facts = [
        ("Press", f"{run.press_url} ({run.identity or 'unidentified'})"),
        ("Controller", run.controller),
        ("Press time", duration(run.virtual_s)),
        ("Wall time", f"{duration(run.wall_s)}{faster}"),
        ("Profile", run.profile),
        ("Seed", str(run.seed)),
        ("Run", run.run_id),
        ("Date", run.started),
    ]
    return [(name, value) for name, value in facts if value]


def _row(row: RequirementRow) -> dict[str, Any]:
    verdict = row.verdict
    return {
        "claim": row.claim,
        "status": row.status,
        "test": row.test,
        "judged": row.judged,
        "sensor": verdict.sensor if verdict else None,
        "truth": verdict.truth if verdict else None,
        "margin": verdict.margin if verdict else None,
        "unit": row.claim.unit,
        "evidence": row.evidence,
        "bar": _bar(row),
    }


def _severities(rows: Sequence[RuleRow]) -> list[tuple[str, list[RuleRow], int, int]]:
    """Rules by severity: rows with the broken ones first, how many were put to the test, and how many are broken."""
    found: list[tuple[str, list[RuleRow], int, int]] = []
    for severity in SEVERITIES:
        mine = sorted(
            (row for row in rows if row.rule.severity == severity), key=lambda row: row.verdict.status != "fail"
        )
        broken = sum(row.verdict.status == "fail" for row in mine)
        if mine:
            found.append((severity, mine, broken + sum(row.verdict.status == "pass" for row in mine), broken))
    return found


def _node(row: NodeRow) -> dict[str, Any]:
    """A node's row of cells: heading, number, and what is small below it."""
    health = row.health
    good = f"{100.0 * health.answers / health.requests:.1f} %" if health.requests else ""
    middle, late = health.response.quantile_ms(0.5), health.response.quantile_ms(0.99)
    oldest = "—" if health.oldest_ns is None else duration(health.oldest_ns * 1e-9)
    counts = {
        "Sent again": (health.retries, ""),
        "No answer": (health.timeouts, f"lost {health.losses} ×" if health.losses else ""),
        "Bad answer": (health.bad_answers, f"{health.crc_errors} × bad CRC" if health.crc_errors else ""),
        "Declined": (health.exceptions, ""),
        "Late, discarded": (health.discards, ""),
    }
    return {
        "name": health.name.replace("_", " "),
        "unit": health.unit,
        "condition": health.condition.value,
        "status": NODE_STATUS[health.condition],
        "worst": row.worst.title if row.worst else "",
        "cells": [
            ("Requests", f"{health.requests:,}", ""),
            ("Answers", f"{health.answers:,}", good),
            *((name, f"{count:,}" if count else "–", more) for name, (count, more) in counts.items()),
            ("Response p50", f"{number(middle)} ms" if middle is not None else "—", ""),
            ("p99", f"{number(late)} ms" if late is not None else "—", ""),
            ("Oldest data", oldest, ""),
        ],
    }


def _bar(row: RequirementRow) -> dict[str, float | None] | None:
    """Where to draw values on a bar with the limit in the middle, in % of its length; None without any."""
    verdict = row.verdict
    if verdict is None:
        return None
    sensor, truth = _margin(verdict.sensor), _margin(verdict.truth)
    known = [abs(margin) for margin in (sensor, truth) if margin is not None]
    if not known:
        return None
    spread = (verdict.sensor.uncertainty if verdict.sensor else None) or 0.0
    reach = 1.15 * (max(known) + spread) or 1.0

    def place(margin: float | None) -> float | None:
        return None if margin is None else 50.0 + 50.0 * margin / reach

    return {
        "sensor": place(sensor),
        "truth": place(truth),
        "left": place(None if sensor is None else sensor - spread),
        "width": 100.0 * spread / reach,
    }


def _margin(judgement: Judgement | None) -> float | None:
    if judgement is None or judgement.margin is None or not isfinite(judgement.margin):
        return None
    return judgement.margin
