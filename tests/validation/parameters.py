"""The parameter tables of docs/model.md: the one place where sources and ranges of the parameters stand.

A row reads `key` symbol | value unit | source | low … high [basis] | r at the ends | k at the ends. A range
`× low … × high` scales all values of a list; `—` is a number without a range: a definition, a count, or a setting.
The last two columns are results, written by `python -m tests.validation.sensitivity --update-docs`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

MODEL = Path(__file__).resolve().parents[2] / "docs" / "model.md"
NOTHING = "—"
ENDS = " … "
ROW = re.compile(r"^\| `(?P<key>\w+\.\w+)`(?P<rest>.*)\|$")


@dataclass(frozen=True)
class Parameter:
    """One row. `low` and `high` are factors if `scales`; the effects are None where the table has none."""

    key: str
    values: tuple[float, ...]
    unit: str
    source: str
    span: tuple[float, float] | None
    scales: bool
    basis: str
    r: tuple[float, float] | None
    k: tuple[float, float] | None

    @property
    def section(self) -> str:
        """Table of the data file."""
        return self.key.partition(".")[0]

    @property
    def name(self) -> str:
        """Key in that table."""
        return self.key.partition(".")[2]

    def at(self, end: int) -> float | list[float]:
        """Value at the low end (0) or the high end (1) of the range, as the data file has it."""
        assert self.span is not None
        if self.scales:
            return [self.span[end] * value for value in self.values]
        return self.span[end]

    @property
    def tags(self) -> list[str]:
        """Tags of the value and of its range."""
        return [self.source, *(tag for tag in self.basis.split(", ") if tag)]


def read_parameters(path: Path = MODEL) -> list[Parameter]:
    """Every row, in the order of the document."""
    return [_parameter(line) for line in path.read_text(encoding="utf-8").splitlines() if ROW.match(line)]


def rewritten(text: str, cells: Callable[[Parameter], tuple[str, str]]) -> str:
    """The document with the last two columns of every row replaced."""
    lines = []
    for line in text.splitlines():
        if ROW.match(line):
            kept = [cell.strip() for cell in line.strip().strip("|").split("|")][:4]
            line = f"| {' | '.join([*kept, *cells(_parameter(line))])} |"  # noqa: PLW2901
        lines.append(line)
    return "\n".join(lines) + "\n"


def effect_text(effect: Sequence[float] | None) -> str:
    """Changes at both ends as people write them."""
    if effect is None:
        return NOTHING
    return " / ".join(_signed(value) for value in effect)


def _signed(value: float) -> str:
    text = f"{value:+.2f}".replace("-", "−")
    return "0" if text in {"+0.00", "−0.00"} else text


def _parameter(line: str) -> Parameter:
    match = ROW.match(line)
    assert match
    name, value, source, span, r, k = (cell.strip() for cell in line.strip().strip("|").split("|"))
    del name
    *first, last = value.split(", ")
    number, _, unit = last.partition(" ")
    ends, _, basis = span.partition(" [")
    return Parameter(
        match["key"],
        tuple(float(v) for v in [*first, number]),
        unit,
        source,
        None if ends == NOTHING else _pair(ends.replace("× ", ""), ENDS),
        ends.startswith("×"),
        basis.rstrip("]"),
        _pair(r, " / ") if r not in {"", NOTHING} else None,
        _pair(k, " / ") if k not in {"", NOTHING} else None,
    )


def _pair(text: str, between: str) -> tuple[float, float]:
    low, high = text.replace("−", "-").split(between)
    return float(low), float(high)
