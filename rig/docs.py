"""The parts of docs/ that are made from their sources: the tables of registers, faults and rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from rig.cli_faults import GROUPS, amount_words, strikes
from rig.protocol.docs import register_table
from rig.requirements import load_rules
from rig.requirements.rules import SEVERITIES

__all__ = ["PAGES", "refreshed"]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a page that is made.

    Attributes:
        begin: line before it.
        end: line behind it.
        make: makes it.
    """

    begin: str
    end: str
    make: Callable[[], str]


def fault_tables() -> str:
    """One Markdown table per group of the catalogue."""
    return "\n".join(line for group in GROUPS for line in _group(group)) + "\n"


def _group(group: str) -> Iterator[str]:
    from rig.virtual import FAULT_KINDS  # noqa: PLC0415 - heavy, and the other pages do not need it

    if group == "wire":  # has a page section of its own
        return
    yield f"### {group}\n"
    yield "| fault | strikes | amount: usual (range) | what happens | noticed |"
    yield "| --- | --- | --- | --- | --- |"
    for name, kind in FAULT_KINDS.items():
        if kind["group"] == group:
            ends = "" if kind["reversible"] else "; stays until it is mended"
            noticed = f"{kind['noticed_when']}: {', '.join(kind['noticed_by'])}"
            yield f"| `{name}` | {strikes(kind)} | {amount_words(kind)} | {kind['meaning']}{ends} | {noticed} |"
    yield ""


def rule_tables() -> str:
    """One Markdown table per severity."""
    lines: list[str] = []
    for severity in SEVERITIES:
        lines += [
            f"### {severity}\n",
            "| rule | what must hold | when | formula | source |",
            "| --- | --- | --- | --- | --- |",
        ]
        for rule in load_rules().values():
            if rule.severity == severity:
                given = "always" if rule.given is None else f"`{_code(rule.given)}`"
                about = " *(press)*" if rule.about == "press" else ""
                title = f"**{rule.title}**{about}: {rule.text}"
                lines.append(f"| {rule.id} | {title} | {given} | `{_code(rule.then)}` | {rule.source} |")
        lines.append("")
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


PAGES: Final[Mapping[str, Part]] = {
    "protocol.md": Part(
        "<!-- registers: made from rig/protocol/registers.toml by `make docs` -->",
        "<!-- end of registers -->",
        register_table,
    ),
    "faults.md": Part(
        "<!-- faults: made from emulator/faults/catalogue.py by `make docs` -->",
        "<!-- end of faults -->",
        fault_tables,
    ),
    "rules.md": Part(
        "<!-- rules: made from rig/requirements/rules/ by `make docs` -->",
        "<!-- end of rules -->",
        rule_tables,
    ),
}
"""Pages with a part that is made, by name."""


def refreshed(page: str, text: str) -> str:
    """A page with its part made anew.

    Args:
        page: name in `PAGES`.
        text: the page as it is.

    Raises:
        ValueError: the page has no place for the part.
    """
    part = PAGES[page]
    before, begin, rest = text.partition(part.begin)
    _, end, after = rest.partition(part.end)
    if not begin or not end:
        raise ValueError(f"the document has no {part.begin!r} … {part.end!r}")
    return f"{before}{begin}\n\n{part.make()}\n{end}{after}"
