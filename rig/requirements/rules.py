"""Requirements as signal temporal logic: read from rig/requirements/rules/, and judged on a recording.

A requirement says what must hold (`then`), and when (`given`; always, if left out). It is **not exercised** by a run in
which `given` was never true, or had no time to look back as far as it does, and that is never green. Its margin is the
smallest one while it was exercised, as part of what counts as comfortable (`rig.stl`); what the end of the run left
open does not count.
"""

from __future__ import annotations

import itertools
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

import numpy as np

from rig.stl import Formula, FormulaError, Trace, parse, robustness
from rig.stl.formula import memory_s

__all__ = ["SEVERITIES", "Rule", "RuleStatus", "RuleVerdict", "judge_rules", "load_rules", "worst_of"]

Severity = Literal["safety", "equipment", "quality", "hygiene"]
SEVERITIES: Final[tuple[Severity, ...]] = ("safety", "equipment", "quality", "hygiene")
RuleStatus = Literal["fail", "pass", "not exercised", "not judged"]
FIELDS: Final = {"id", "title", "text", "source", "then"}
MAY_HAVE: Final = {"given", "each", "about"}
ABOUT: Final = ("controller", "press")
WORST_FIRST: Final[tuple[RuleStatus, ...]] = ("fail", "pass", "not exercised", "not judged")


@dataclass(frozen=True, slots=True)
class Rule:
    """One requirement.

    Attributes:
        id: such as `SAF-01`.
        title: a few words.
        text: the sentence that must hold.
        severity: what is at stake.
        source: where it comes from.
        about: who has to see to it: the controller, or the press with its node, whatever controls it.
        given: when it must hold; None for always.
        then: what must hold.
        cases: `given` and `then` for each of the places that it is about.
    """

    id: str
    title: str
    text: str
    severity: Severity
    source: str
    about: str
    given: str | None
    then: str
    cases: tuple[tuple[Formula | None, Formula], ...]


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """What came out for one requirement on one run.

    Attributes:
        rule: its id.
        status: what came out.
        margin: smallest while it was exercised, 1 is comfortable; None where there is none.
        time_s: bench time of the smallest margin, s; of the first violation, if it failed.
        exercised_s: for how long it was, s.
        note: why it was not judged; empty otherwise.
    """

    rule: str
    status: RuleStatus
    margin: float | None = None
    time_s: float | None = None
    exercised_s: float = 0.0
    note: str = ""


@cache
def load_rules() -> Mapping[str, Rule]:
    """All requirements that come with the rig, by id.

    Raises:
        FormulaError: one is malformed; says which and how.
    """
    found: dict[str, Rule] = {}
    folder = resources.files("rig.requirements") / "rules"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml"):
            for rule in read_rules(file.read_text(encoding="utf-8"), file.name):
                if rule.id in found:
                    raise FormulaError(f"{file.name}: there are two requirements {rule.id}")
                found[rule.id] = rule
    return found


def read_rules(text: str, where: str) -> Iterator[Rule]:
    """Requirements from the text of a file.

    Args:
        text: TOML: `severity`, and tables `requirement`.
        where: name of the file, for messages.

    Raises:
        FormulaError: it is malformed; says where and how.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FormulaError(f"{where} cannot be read: {error}") from None
    severity = tables.get("severity")
    if severity not in SEVERITIES:
        raise FormulaError(f"{where}: severity is {severity!r}; it must be one of {', '.join(SEVERITIES)}")
    for table in tables.get("requirement", []):
        yield _rule(table, severity, where)


def _rule(table: Mapping[str, Any], severity: Severity, where: str) -> Rule:
    name = table.get("id", "a requirement without an id")
    missing, unknown = FIELDS - table.keys(), table.keys() - FIELDS - MAY_HAVE
    if missing or unknown:
        told = f"lacks {', '.join(sorted(missing))}" if missing else f"has no {', '.join(sorted(unknown))}"
        raise FormulaError(f"{where}, {name}: a requirement {told}")
    about = table.get("about", ABOUT[0])
    if about not in ABOUT:
        raise FormulaError(f"{where}, {name}: it is about {about!r}; it must be one of {', '.join(ABOUT)}")
    each: Mapping[str, Sequence[str]] = table.get("each", {})
    given, then = table.get("given"), table["then"]
    cases = []
    for words in itertools.product(*each.values()):
        place = dict(zip(each, words, strict=True))
        try:
            cases.append((None if given is None else parse(_filled(given, place)), parse(_filled(then, place))))
        except FormulaError as error:
            raise FormulaError(f"{where}, {name}: {error}") from None
    return Rule(name, table["title"], table["text"], severity, table["source"], about, given, then, tuple(cases))


def _filled(text: str, place: Mapping[str, str]) -> str:
    for word, value in place.items():
        text = text.replace(f"{{{word}}}", value)
    return " ".join(text.split())


def judge_rules(trace: Trace, rules: Iterable[Rule] | None = None) -> tuple[RuleVerdict, ...]:
    """Hold a run against requirements.

    Args:
        trace: of the run.
        rules: those to judge; all that come with the rig if not given.

    Returns:
        One verdict per requirement, in their order.
    """
    wanted = load_rules().values() if rules is None else rules
    return tuple(_judge(rule, trace) for rule in wanted)


def _judge(rule: Rule, trace: Trace) -> RuleVerdict:
    if not len(trace.time_ns):
        return RuleVerdict(rule.id, "not judged", note="nothing was recorded")
    try:
        cases = [_case(rule.id, given, then, trace) for given, then in rule.cases]
    except FormulaError as error:
        return RuleVerdict(rule.id, "not judged", note=str(error))
    return worst_of(cases)


def worst_of(verdicts: Sequence[RuleVerdict]) -> RuleVerdict:
    """The worst of several verdicts on one requirement, with the longest time for which it was exercised."""
    worst = min(verdicts, key=_badness)
    longest_s = max(verdict.exercised_s for verdict in verdicts)
    return RuleVerdict(worst.rule, worst.status, worst.margin, worst.time_s, longest_s, worst.note)


def _badness(verdict: RuleVerdict) -> tuple[int, float]:
    return WORST_FIRST.index(verdict.status), np.inf if verdict.margin is None else verdict.margin


def _case(name: str, given: Formula | None, then: Formula, trace: Trace) -> RuleVerdict:
    then_low, then_high = robustness(then, trace)
    if given is None:
        wanted = np.ones(len(then_low), bool)
        low, high = then_low, then_high
    else:
        given_low, given_high = robustness(given, trace)
        wanted = given_low >= 0.0
        low, high = np.maximum(-given_high, then_low), np.maximum(-given_low, then_high)
    wanted &= _remembers(trace, given, then)
    exercised_s = _seconds(wanted, trace)
    broken = np.flatnonzero(wanted & (high < 0.0))
    if len(broken):
        first = int(broken[0])
        return RuleVerdict(name, "fail", float(high[broken].min()), trace.time_ns[first] * 1e-9, exercised_s)
    told = np.flatnonzero(wanted & np.isfinite(low))
    if not len(told):
        return RuleVerdict(name, "not exercised", exercised_s=exercised_s)
    closest = int(told[np.argmin(low[told])])
    if low[closest] < 0.0:  # it may still be kept: what comes was not recorded
        told = told[low[told] >= 0.0]
        if not len(told):
            return RuleVerdict(name, "not exercised", exercised_s=exercised_s)
        closest = int(told[np.argmin(low[told])])
    return RuleVerdict(name, "pass", float(low[closest]), trace.time_ns[closest] * 1e-9, exercised_s)


def _remembers(trace: Trace, *formulas: Formula | None) -> Any:
    """Where all that formulas look back on was recorded; what looks back without end needs no more than there is."""
    back_s = [memory_s(formula) for formula in formulas if formula is not None]
    needed_s = max((seconds for seconds in back_s if np.isfinite(seconds)), default=0.0)
    return (trace.time_ns - trace.time_ns[0]) * 1e-9 >= needed_s - 1e-6


def _seconds(wanted: Any, trace: Trace) -> float:
    """For how long something was so, s; the last sample counts as long as the one before."""
    if len(trace.time_ns) < 2:
        return 0.0
    steps = np.diff(trace.time_ns) * 1e-9
    return float(np.append(steps, steps[-1])[wanted].sum())
