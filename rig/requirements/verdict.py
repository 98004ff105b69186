"""What a monitor says: a judgement from sensors, one from the truth, and a verdict on both.

The rules, the same for every claim:

1. A claim is about **good sheet**: what the controller let pass as product. Scrap may be anything.
2. The sensors are judged for the worst piece of good sheet, at its measured value; the stated
   uncertainty is reported beside the margin and never helps to pass.
3. On a virtual press the truth of the same sheet is judged too. A verdict is green only if both
   pass: a controller that believes its sensors wrongly does not get away with it.
4. Sensor and truth *agree* if they say the same and differ by no more than the stated expanded
   uncertainty (k = 2). A pass without agreement is a pass for the wrong reason; reports show it.
5. No good sheet, no number, or no samples where there must be some: the claim fails, with the reason.
   Silence is never green.
6. What nobody could observe (no quality gate and no truth) is not judged: `passed` is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Literal

from rig.requirements.claims import Claim

__all__ = ["Judgement", "Status", "Verdict", "combine"]

Status = Literal["pass", "disagree", "fail", "not judged"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """One observer's view of one claim.

    Attributes:
        passed: the claim holds as far as this observer can tell.
        value: what was observed, in the claim's unit; None where there is no single number.
        margin: distance to the limit, positive on the good side; None without a value.
        uncertainty: expanded (k = 2), in the claim's unit; None if unknown, 0 for the truth.
        note: which piece, which sensor, or why there is no value.
        violated_s: bench time by which the first violation had not begun yet, s: the first bad sample, or the moment
            when the first bad sheet came into the press. None if the claim holds or nobody can tell.
    """

    passed: bool
    value: float | None = None
    margin: float | None = None
    uncertainty: float | None = None
    note: str = ""
    violated_s: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came out for one requirement.

    Attributes:
        requirement: its id, such as `CLM-1`.
        title: its title.
        passed: True, False, or None if it could not be judged.
        sensor: judgement from sensors alone; None if there were none to go by.
        truth: judgement from the virtual press's truth; None on a real press.
        agree: see rule 4; None unless both are there.
        margin: the smaller of both margins, in `unit`.
        uncertainty: of the sensors' value, expanded (k = 2), in `unit`.
        unit: of values, margin and uncertainty.
        limit: such as `≤ 20 %`.
        evidence: one line for people.
    """

    requirement: str
    title: str
    passed: bool | None
    sensor: Judgement | None
    truth: Judgement | None
    agree: bool | None
    margin: float | None
    uncertainty: float | None
    unit: str
    limit: str
    evidence: str

    @property
    def status(self) -> Status:
        """`pass`, `fail`, `not judged`, or `disagree`: passed, but sensors and truth do not agree."""
        if self.passed is None:
            return "not judged"
        if not self.passed:
            return "fail"
        return "disagree" if self.agree is False else "pass"

    @property
    def violated_s(self) -> float | None:
        """The earlier of both judgements' `violated_s`; None where neither has one."""
        times = [seen.violated_s for seen in (self.sensor, self.truth) if seen and seen.violated_s is not None]
        return min(times, default=None)


def combine(
    claim: Claim,
    sensor: Judgement | None,
    truth: Judgement | None,
    *,
    agree: bool | None = None,
    unjudged: str = "nothing to judge it by",
) -> Verdict:
    """Make a verdict of both judgements by the rules above.

    Args:
        claim: what was judged.
        sensor: from sensors.
        truth: from the truth.
        agree: whether the numbers agree, where the claim knows better than the two values do; it is
            still only agreement if both judgements say the same.
        unjudged: why there is no judgement, where there is none.
    """
    present = [judgement for judgement in (sensor, truth) if judgement is not None]
    margins = [judgement.margin for judgement in present if judgement.margin is not None]
    return Verdict(
        requirement=claim.id,
        title=claim.title,
        passed=all(judgement.passed for judgement in present) if present else None,
        sensor=sensor,
        truth=truth,
        agree=_agree(sensor, truth, agree),
        margin=min(margins) if margins else None,
        uncertainty=sensor.uncertainty if sensor else None,
        unit=claim.unit,
        limit=claim.limit_text,
        evidence=_evidence(claim, sensor, truth) or unjudged,
    )


def _agree(sensor: Judgement | None, truth: Judgement | None, numbers: bool | None) -> bool | None:
    if sensor is None or truth is None:
        return None
    if sensor.passed != truth.passed:
        return False
    if numbers is not None:
        return numbers
    if sensor.value is None or truth.value is None or sensor.uncertainty is None:
        return True  # nothing but the verdicts to compare
    return abs(sensor.value - truth.value) <= sensor.uncertainty


def _evidence(claim: Claim, sensor: Judgement | None, truth: Judgement | None) -> str:
    parts = []
    if sensor is not None:
        parts.append(_sentence("sensors", claim.unit, sensor))
        if sensor.margin is not None and sensor.uncertainty and 0 <= sensor.margin < sensor.uncertainty:
            parts.append("the margin is smaller than the uncertainty")
    if truth is not None:
        parts.append(_sentence("truth", claim.unit, truth))
    return "; ".join(parts)


def _sentence(who: str, unit: str, judgement: Judgement) -> str:
    text = who
    if judgement.value is not None and isfinite(judgement.value):
        text += f" {judgement.value:.3g}"
        if judgement.uncertainty:
            text += f" ± {judgement.uncertainty:.2g}"
        text += f" {unit}"
    return f"{text} ({judgement.note})" if judgement.note else text
