"""What a report is made of, as plain data, and its machine-readable form.

The pytest plugin and the CLI fill a `RunSummary`; `write_verdicts_json`, `write_html` and
`print_summary` show it. None of them judges anything.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from rig.health import NodeHealth, added_up
from rig.requirements import (
    CLAIMS,
    NO_LINE,
    Claim,
    Judgement,
    Rule,
    RuleVerdict,
    Status,
    Verdict,
    load_rules,
    worst_of,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rig.controller.api import QualityRecord
    from rig.report.geometry import PressGeometry
    from rig.requirements import FilmTruth
    from rig.trace import Recording

__all__ = [
    "FORMAT",
    "Headline",
    "NodeRow",
    "Outcome",
    "RequirementRow",
    "RuleRow",
    "RunData",
    "RunSummary",
    "TestResult",
    "headline",
    "node_rows",
    "requirement_rows",
    "rule_rows",
    "skip_reasons",
    "write_verdicts_json",
]

FORMAT = 1
"""Version of `verdicts.json`."""

Outcome = Literal["passed", "failed", "error", "skipped", "xfailed", "xpassed"]
INTERRUPTED = "interrupted"
"""Reason of a test that Ctrl-C ended."""
BAD_OUTCOMES: tuple[Outcome, ...] = ("failed", "error")
_WORST_FIRST: tuple[Status, ...] = ("fail", "disagree", "not judged", "pass")


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test of the run.

    Attributes:
        nodeid: as pytest names it.
        title: the test in words.
        outcome: what came out.
        reason: why it failed or was skipped, else empty.
        virtual_s: press time that passed in it, seconds.
        wall_s: time that it took, seconds.
        recordings: names of the files it left in the report's folder.
        verdicts: those that count for the requirements; a test that makes bad film on purpose leaves
            them out.
        replay: command that runs exactly this test again, with its seed.
        resume: command that opens the press as it was before the test failed, or empty.
        resume_about: which moment that is, in words.
        nodes: how the nodes of its presses were doing, as their master saw it.
        rules: what came out for the rules of `rig.requirements.rules`, on all its presses together.
        faults: kinds of faults that were injected in it.
    """

    __test__: ClassVar[bool] = False

    nodeid: str
    title: str
    outcome: Outcome
    reason: str = ""
    virtual_s: float = 0.0
    wall_s: float = 0.0
    recordings: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    replay: str = ""
    resume: str = ""
    resume_about: str = ""
    nodes: tuple[NodeHealth, ...] = ()
    rules: tuple[RuleVerdict, ...] = ()
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunData:
    """The one run whose curves the report shows.

    Attributes:
        recording: everything recorded.
        quality: the controller's records; empty if it has no quality gate.
        film: what became of the film; None on a real press.
        profile: quantities along the machine at one moment (`x_m`, `thickness_um`,
            `sheet_temperature_c`, `belt_upper_temperature_c`, `belt_lower_temperature_c`,
            `pressure_mpa`, `gap_um`); None on a real press.
        geometry: of the press.
        melting_point_c: Tm of the polyolefin.
        title: what run this is, such as the test's title.
    """

    recording: Recording
    quality: Sequence[QualityRecord]
    film: Sequence[FilmTruth] | None
    profile: Mapping[str, NDArray[np.float64]] | None
    geometry: PressGeometry
    melting_point_c: float
    title: str = ""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run of the rig.

    Attributes:
        run_id: names the run and its folder.
        press_url: what was opened.
        controller: what was tested.
        profile: how thorough the run was.
        seed: replays it.
        identity: what the press said it is (`virtual`, `real`).
        virtual_s: press time in all tests together, seconds.
        wall_s: time the run took, seconds.
        tests: all of them, in the order they ran.
        versions: of the programs that took part.
        started: wall-clock date of the run, empty where runs must be repeatable to the bit.
        files: further files in the report's folder (`junit.xml`, …).
        data: the run whose curves are shown, if any.
    """

    run_id: str
    press_url: str
    controller: str
    profile: str
    seed: int
    identity: str
    virtual_s: float
    wall_s: float
    tests: tuple[TestResult, ...]
    versions: Mapping[str, str] = field(default_factory=dict)
    started: str = ""
    files: tuple[str, ...] = ()
    data: RunData | None = None

    def count(self, *outcomes: Outcome) -> int:
        """How many tests had one of these outcomes."""
        return sum(test.outcome in outcomes for test in self.tests)


@dataclass(frozen=True, slots=True)
class NodeRow:
    """A node on the line in all tests of a run, and the test in which it left most requests without a good answer."""

    health: NodeHealth
    worst: TestResult | None


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """A requirement, the verdict that decides it, and the test that it comes from."""

    claim: Claim
    verdict: Verdict | None
    test: TestResult | None
    judged: int

    @property
    def status(self) -> Status:
        """Of the deciding verdict; `not judged` without one."""
        return self.verdict.status if self.verdict else "not judged"

    @property
    def evidence(self) -> str:
        """Of the deciding verdict, or why there is none."""
        if self.verdict:
            return self.verdict.evidence
        return NO_LINE if self.claim.about == "film" else "no test of this run judged it"


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule in all tests of a run.

    Attributes:
        rule: what must hold.
        verdict: the worst that came out.
        test: where; None if no test judged it.
        tests: how many tests exercised it.
        faults: kinds of faults that were injected in those.
    """

    rule: Rule
    verdict: RuleVerdict
    test: TestResult | None
    tests: int
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Headline:
    """The first line of the report."""

    status: Status
    text: str
    detail: str


def requirement_rows(run: RunSummary) -> tuple[RequirementRow, ...]:
    """One row per claim: the worst verdict that any test gave, by status, then by margin."""
    rows = []
    for claim in CLAIMS.values():
        found = [(verdict, test) for test in run.tests for verdict in test.verdicts if verdict.requirement == claim.id]
        verdict, test = min(found, key=lambda pair: _badness(pair[0])) if found else (None, None)
        rows.append(RequirementRow(claim, verdict, test, len(found)))
    return tuple(rows)


def rule_rows(run: RunSummary) -> tuple[RuleRow, ...]:
    """One row per rule: the worst that came out in any test; none where nobody judged rules."""
    found: dict[str, list[tuple[RuleVerdict, TestResult]]] = {}
    for test in run.tests:
        for verdict in test.rules:
            found.setdefault(verdict.rule, []).append((verdict, test))
    rows = []
    for name, rule in load_rules().items() if found else ():
        pairs = found.get(name, [])
        worst = worst_of([verdict for verdict, _ in pairs]) if pairs else RuleVerdict(name, "not judged")
        exercised = [test for verdict, test in pairs if verdict.status in ("pass", "fail")]
        where = next(
            (test for verdict, test in pairs if (verdict.status, verdict.margin) == (worst.status, worst.margin)), None
        )
        kinds = sorted({kind for test in exercised for kind in test.faults})
        rows.append(RuleRow(rule, worst, where, len(exercised), tuple(kinds)))
    return tuple(rows)


def node_rows(run: RunSummary) -> tuple[NodeRow, ...]:
    """One row per node that was asked."""
    rows = []
    for total in added_up({node.name: node for node in test.nodes} for test in run.tests):
        failures = {
            number: node.failures
            for number, test in enumerate(run.tests)
            for node in test.nodes
            if node.name == total.name and node.failures
        }
        worst = max(failures, key=lambda number: failures[number], default=None)
        rows.append(NodeRow(total, None if worst is None else run.tests[worst]))
    return tuple(rows)


def headline(run: RunSummary) -> Headline:
    """Say in one line how it went; nothing is green that was not judged, but film is not asked of a press alone."""
    rows = requirement_rows(run)
    bad = run.count(*BAD_OUTCOMES)
    failed = [row.claim.id for row in rows if row.status == "fail"]
    failed += [row.rule.id for row in rule_rows(run) if row.verdict.status == "fail"]
    unjudged = [row for row in rows if row.status == "not judged"]
    of_film = [row for row in unjudged if row.claim.about == "film"]
    doubtful = [row for row in rows if row.status == "disagree"]
    tests = ", ".join(
        f"{run.count(outcome)} {outcome}"
        for outcome in ("passed", "failed", "error", "skipped", "xfailed", "xpassed")
        if run.count(outcome)
    )
    detail = f"{_tests(len(run.tests))}: {tests}" if run.tests else "no test ran"
    if failed:
        names = ", ".join(failed)
        verb = "does" if len(failed) == 1 else "do"
        return Headline("fail", f"{names} {verb} not hold", detail)
    if bad and all(test.reason == INTERRUPTED for test in run.tests if test.outcome in BAD_OUTCOMES):
        return Headline("fail", "Interrupted before the end", detail)
    if bad:
        return Headline("fail", f"{_tests(bad)} failed", detail)
    if unjudged != of_film:
        names = ", ".join(row.claim.id for row in unjudged)
        return Headline("not judged", f"{names} not judged", detail)
    if doubtful:
        names = ", ".join(row.claim.id for row in doubtful)
        return Headline("disagree", f"All requirements hold, but sensors and truth disagree on {names}", detail)
    if of_film:
        names = " and ".join(row.claim.id for row in of_film)
        hold = f"All {len(rows) - len(of_film)} requirements of a press hold"
        return Headline("pass", f"{hold}; {names} not judged, they take a line", detail)
    return Headline("pass", f"All {len(rows)} requirements hold", detail)


def skip_reasons(run: RunSummary) -> tuple[tuple[str, str], ...]:
    """Why tests were skipped, and how many tests (`3 tests`) for each reason, the most first."""
    reasons = Counter(test.reason or "no reason given" for test in run.tests if test.outcome == "skipped")
    return tuple((reason, _tests(count)) for reason, count in reasons.most_common())


def _tests(count: int) -> str:
    return f"{count} test{'s' if count != 1 else ''}"


def write_verdicts_json(run: RunSummary, path: str | Path) -> Path:
    """Write the verdicts for machines: headline, requirements, tests; NaN and infinity become null.

    Returns:
        The path written.
    """
    top = headline(run)
    document = {
        "format": FORMAT,
        "run": {
            "id": run.run_id,
            "press_url": run.press_url,
            "controller": run.controller,
            "profile": run.profile,
            "seed": run.seed,
            "identity": run.identity,
            "started": run.started,
            "virtual_s": run.virtual_s,
            "wall_s": run.wall_s,
            "versions": dict(run.versions),
        },
        "status": top.status,
        "headline": top.text,
        "requirements": [
            {
                "id": row.claim.id,
                "title": row.claim.title,
                "text": row.claim.text,
                "limit": row.claim.limit_text,
                "status": row.status,
                "test": row.test.nodeid if row.test else None,
                "evidence": row.evidence,
                "verdict": _verdict(row.verdict) if row.verdict else None,
            }
            for row in requirement_rows(run)
        ],
        "rules": [
            {
                "id": row.rule.id,
                "title": row.rule.title,
                "text": row.rule.text,
                "severity": row.rule.severity,
                "source": row.rule.source,
                "test": row.test.nodeid if row.test else None,
                "tests_exercising": row.tests,
                "faults": list(row.faults),
                **_rule(row.verdict),
            }
            for row in rule_rows(run)
        ],
        "nodes": [
            {**row.health.figures(), "worst_test": row.worst.nodeid if row.worst else None} for row in node_rows(run)
        ],
        "tests": [
            {
                "nodeid": test.nodeid,
                "title": test.title,
                "outcome": test.outcome,
                "reason": test.reason,
                "virtual_s": test.virtual_s,
                "wall_s": test.wall_s,
                "recordings": list(test.recordings),
                "replay": test.replay,
                "resume": test.resume,
                "resume_about": test.resume_about,
                "verdicts": [_verdict(verdict) for verdict in test.verdicts],
                "nodes": [node.figures() for node in test.nodes],
                "faults": list(test.faults),
                "rules": {verdict.rule: _rule(verdict) for verdict in test.rules},
            }
            for test in run.tests
        ],
    }
    target = Path(path)
    text = json.dumps(_finite(document), indent=2, ensure_ascii=False, allow_nan=False)
    target.write_text(text + "\n", encoding="utf-8")
    return target


def _badness(verdict: Verdict) -> tuple[int, float]:
    return _WORST_FIRST.index(verdict.status), verdict.margin if verdict.margin is not None else 0.0


def _rule(verdict: RuleVerdict) -> dict[str, Any]:
    return {
        "status": verdict.status,
        "margin": verdict.margin,
        "time_s": verdict.time_s,
        "exercised_s": verdict.exercised_s,
        "note": verdict.note,
    }


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "requirement": verdict.requirement,
        "status": verdict.status,
        "passed": verdict.passed,
        "agree": verdict.agree,
        "margin": verdict.margin,
        "uncertainty": verdict.uncertainty,
        "unit": verdict.unit,
        "violated_s": verdict.violated_s,
        "sensor": _judgement(verdict.sensor),
        "truth": _judgement(verdict.truth),
        "evidence": verdict.evidence,
    }


def _judgement(judgement: Judgement | None) -> dict[str, Any] | None:
    if judgement is None:
        return None
    names = ("passed", "value", "margin", "uncertainty", "note", "violated_s")
    return {name: getattr(judgement, name) for name in names}


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return value
