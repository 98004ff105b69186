"""The validation report: one HTML file with everything in it, for a process engineer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, StrictUndefined
from markupsafe import Markup

from tests.validation.comparison import Comparison, Number, raised


@dataclass(frozen=True)
class _Shown:
    anchor: int
    title: str
    what: str
    numbers: Sequence[Number]
    svg: Markup
    notes: Sequence[str]
    holds: bool


def write_report(groups: Mapping[str, Sequence[Comparison]], facts: Mapping[str, str], target: Path) -> Path:
    """Write the comparisons by group; returns the path written."""
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(Path(__file__).parent), PackageLoader("rig.report")]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["value"] = shown
    shown_groups = []
    anchor = 0
    for group, comparisons in groups.items():
        items = []
        for c in comparisons:
            anchor += 1
            items.append(_Shown(anchor, c.title, c.what, c.numbers, Markup(c.svg), c.notes, c.holds))
        shown_groups.append((group, items))
    everything = [c for comparisons in groups.values() for c in comparisons]
    headline, detail = verdict(everything)
    page = environment.get_template("report.html.j2").render(
        headline=headline,
        detail=detail,
        holds=all(c.holds for c in everything),
        facts=list(facts.items()),
        groups=shown_groups,
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page, encoding="utf-8")
    return target


def verdict(comparisons: Sequence[Comparison]) -> tuple[str, str]:
    """One line for the top, and one below it."""
    broken = [c for c in comparisons if not c.holds]
    judged = sum(number.judged for c in comparisons for number in c.numbers)
    detail = f"{judged} limits in {len(comparisons)} comparisons"
    if not broken:
        return "Every limit of the model is kept", detail
    count = sum(not number.holds for c in broken for number in c.numbers)
    word = "limit is" if count == 1 else "limits are"
    return f"{count} {word} broken", f"{detail}; broken in: {', '.join(c.title for c in broken)}"


def shown(value: float) -> str:
    """A value for people: three to four digits, a true minus sign, powers of ten where they help."""
    if not isfinite(value):
        return "—"
    if value == 0.0:
        return "0"
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}".replace("-", "−").replace(",", " ")
    if 1e-3 <= abs(value) < 1e5:
        return f"{value:.4g}".replace("-", "−")
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa}·{raised(int(exponent))}".replace("-", "−")
