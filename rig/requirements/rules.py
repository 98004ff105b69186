"""Requirements as signal temporal logic: read from rig/requirements/rules/, and judged on a recording.

A requirement says what must hold (`then`), and when (`given`; always, if left out). It is **not exercised** by a run in
which `given` was never true, or had no time to look back as far as it does, and that is never green. Its margin is the
smallest one while it was exercised, as part of what counts as comfortable (`rig.stl`); what the end of the run left
open does not count.

It is not asked either where the recording has a gap as far as it looks (nobody read the press then), unless it is about
gaps; nor from the moment on at which a fault acts that excuses it: it says so itself (`excused_by`), or it is about the
press, and a reading that it goes by is made to lie.
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

from rig.recipe import Recipe
from rig.stl import Formula, FormulaError, Judge, Trace, parse
from rig.stl.formula import horizon_s, memory_s, names_of

__all__ = [
    "SEVERITIES",
    "ActingFault",
    "Rule",
    "RuleStatus",
    "RuleVerdict",
    "judge_rules",
    "load_rules",
    "recipe_constants",
    "worst_of",
]

Severity = Literal["safety", "equipment", "quality", "hygiene"]
SEVERITIES: Final[tuple[Severity, ...]] = ("safety", "equipment", "quality", "hygiene")
RuleStatus = Literal["fail", "pass", "not exercised", "not judged"]
FIELDS: Final = {"id", "title", "text", "source", "then"}
MAY_HAVE: Final = {"given", "each", "about", "excused_by"}
ABOUT: Final = ("controller", "press")
SECOND_NS: Final = 1_000_000_000
SLACK_NS: Final = 1000
"""Times are sums of steps that are not whole."""
EDGES: Final = ("left", "right")
SIDES: Final = ("upper", "lower")
DERIVED: Final[Mapping[str, tuple[str, ...]]] = {
    "press_open": tuple(f"{at}_{edge}_clearance_um" for at in ("entry", "taper_end", "cold") for edge in EDGES),
    "belts_moving": tuple(f"belt_{side}_speed_m_min" for side in SIDES),
    "tension_ready": tuple(f"belt_{side}_tension_kn_m" for side in SIDES),
    "coolant_flowing": ("coolant_flow_l_min",),
}
"""Discrete inputs, and the readings that the node makes them from."""
ABOUT_GAPS: Final = "gap_s"
LONGEST_GAP_S: Final = 0.25
"""Samples further apart than this, and than 2.5 usual distances, have a gap between them."""
EVERY_SENSOR: Final = "all"
WORST_FIRST: Final[tuple[RuleStatus, ...]] = ("fail", "pass", "not exercised", "not judged")


@dataclass(frozen=True, slots=True)
class ActingFault:
    """A fault that acted in a run.

    Attributes:
        kind: name in the catalogue.
        target: place that it struck; empty where it has none.
        from_ns: bench time from which it acted.
        lies: readings that it made lie, by tag; `all` stands for every one.
    """

    kind: str
    target: str
    from_ns: int
    lies: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Case:
    """A requirement at one of its places.

    Attributes:
        given: when it must hold; None for always.
        then: what must hold.
        signals: that it is about, and those that the node makes some of them from.
        back_s: how far it looks back, what has no end left out; s.
        ahead_s: how far it looks ahead, likewise.
    """

    given: Formula | None
    then: Formula
    signals: frozenset[str]
    back_s: float
    ahead_s: float

    @classmethod
    def of(cls, given: Formula | None, then: Formula) -> Case:
        """From its formulas."""
        parts = [then] if given is None else [given, then]
        back = [seconds for seconds in map(memory_s, parts) if np.isfinite(seconds)]
        ahead = [seconds for seconds in map(horizon_s, parts) if np.isfinite(seconds)]
        named = {name for part in parts for name in names_of(part)}
        signals = frozenset(named.union(*(DERIVED.get(name, ()) for name in named)))
        return cls(given, then, signals, max(back, default=0.0), max(ahead, default=0.0))


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
        excused_by: kinds of faults under which nobody can keep it.
        cases: for each of the places that it is about.
    """

    id: str
    title: str
    text: str
    severity: Severity
    source: str
    about: str
    given: str | None
    then: str
    excused_by: tuple[str, ...]
    cases: tuple[Case, ...]


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
            cases.append(Case.of(None if given is None else parse(_filled(given, place)), parse(_filled(then, place))))
        except FormulaError as error:
            raise FormulaError(f"{where}, {name}: {error}") from None
    return Rule(
        name,
        table["title"],
        table["text"],
        severity,
        table["source"],
        about,
        given,
        then,
        tuple(table.get("excused_by", ())),
        tuple(cases),
    )


def _filled(text: str, place: Mapping[str, str]) -> str:
    for word, value in place.items():
        text = text.replace(f"{{{word}}}", value)
    return " ".join(text.split())


def recipe_constants(recipe: Recipe) -> dict[str, float]:
    """What requirements may say of a recipe, by name (`recipe.speed_m_min`); what it leaves open is not a number."""
    press = {f"recipe.{name}": value for name, value in recipe.press.model_dump().items()}
    known = {"recipe.melting_point_c": recipe.composition.polyolefin_melting_point_c, **press}
    return {name: np.nan if value is None else float(value) for name, value in known.items()}


def judge_rules(
    trace: Trace, rules: Iterable[Rule] | None = None, faults: Sequence[ActingFault] = ()
) -> tuple[RuleVerdict, ...]:
    """Hold a run against requirements.

    Args:
        trace: of the run.
        rules: those to judge; all that come with the rig if not given.
        faults: that acted in it.

    Returns:
        One verdict per requirement, in their order.
    """
    wanted = load_rules().values() if rules is None else rules
    seen = _Seen(trace)
    return tuple(_judge(rule, seen, faults) for rule in wanted)


class _Seen:
    """A trace, what is known of it already, and where it has gaps."""

    def __init__(self, trace: Trace) -> None:
        self.trace, self.judge = trace, Judge(trace)
        steps_ns = np.diff(trace.time_ns)
        longest_ns = max(LONGEST_GAP_S * SECOND_NS, 2.5 * float(np.median(steps_ns))) if len(steps_ns) else 0.0
        self.gaps = np.flatnonzero(steps_ns > longest_ns)

    def looked_at(self, case: Case) -> Any:
        """Where all that it looks at was recorded; what looks back without end is content with what there is."""
        time_ns = self.trace.time_ns
        back_ns, ahead_ns = round(case.back_s * SECOND_NS) - SLACK_NS, round(case.ahead_s * SECOND_NS)
        seen = time_ns - time_ns[0] >= back_ns
        if ABOUT_GAPS not in case.signals:
            for gap in self.gaps:  # there are few
                seen &= (time_ns + ahead_ns <= time_ns[gap]) | (time_ns - back_ns >= time_ns[gap + 1])
        return seen


def _judge(rule: Rule, seen: _Seen, faults: Sequence[ActingFault]) -> RuleVerdict:
    if not len(seen.trace.time_ns):
        return RuleVerdict(rule.id, "not judged", note="nothing was recorded")
    try:
        return worst_of([_case(rule, case, seen, faults) for case in rule.cases])
    except FormulaError as error:
        return RuleVerdict(rule.id, "not judged", note=str(error))


def worst_of(verdicts: Sequence[RuleVerdict]) -> RuleVerdict:
    """The worst of several verdicts on one requirement, with the longest time for which it was exercised."""
    worst = min(verdicts, key=_badness)
    longest_s = max(verdict.exercised_s for verdict in verdicts)
    return RuleVerdict(worst.rule, worst.status, worst.margin, worst.time_s, longest_s, worst.note)


def _badness(verdict: RuleVerdict) -> tuple[int, float]:
    return WORST_FIRST.index(verdict.status), np.inf if verdict.margin is None else verdict.margin


def _case(rule: Rule, case: Case, seen: _Seen, faults: Sequence[ActingFault]) -> RuleVerdict:
    name, trace = rule.id, seen.trace
    wanted = seen.looked_at(case)
    given = None if case.given is None else seen.judge.margins(case.given)
    if given is not None:
        wanted &= given.low >= 0.0
        if not wanted.any():
            return RuleVerdict(name, "not exercised")
    low, high = seen.judge.margins(case.then)
    if given is not None:
        low, high = np.maximum(-given.high, low), np.maximum(-given.low, high)
    excuse = min((fault for fault in faults if _excuses(fault, rule, case)), key=lambda one: one.from_ns, default=None)
    note = ""
    if excuse is not None:
        wanted &= trace.time_ns < excuse.from_ns
        note = f"not asked from {excuse.from_ns * 1e-9:.1f} s on: {excuse.kind} {excuse.target}".rstrip()
    exercised_s = _seconds(wanted, trace)
    broken = np.flatnonzero(wanted & (high < 0.0))
    if len(broken):
        first = int(broken[0])
        return RuleVerdict(name, "fail", float(high[broken].min()), trace.time_ns[first] * 1e-9, exercised_s, note)
    told = np.flatnonzero(wanted & np.isfinite(low))
    told = told[low[told] >= 0.0]  # where it is less it may still be kept: what comes was not recorded
    if not len(told):
        return RuleVerdict(name, "not exercised", exercised_s=exercised_s, note=note)
    closest = int(told[np.argmin(low[told])])
    return RuleVerdict(name, "pass", float(low[closest]), trace.time_ns[closest] * 1e-9, exercised_s, note)


def _excuses(fault: ActingFault, rule: Rule, case: Case) -> bool:
    if fault.kind in rule.excused_by:
        return True
    # a controller is held to what it was shown, the press to what is true
    return rule.about == "press" and (EVERY_SENSOR in fault.lies or not fault.lies.isdisjoint(case.signals))


def _seconds(wanted: Any, trace: Trace) -> float:
    """For how long something was so, s; the last sample counts as long as the one before."""
    if len(trace.time_ns) < 2:
        return 0.0
    steps = np.diff(trace.time_ns) * 1e-9
    return float(np.append(steps, steps[-1])[wanted].sum())
