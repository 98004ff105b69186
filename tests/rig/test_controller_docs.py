"""docs/controller.md shows the transitions that the code has."""

from __future__ import annotations

from pathlib import Path

from rig.controller import TRANSITIONS, Event, State
from rig.controller.states import GUARDED

MANUAL = Path(__file__).parents[2] / "docs" / "controller.md"


def block(name: str) -> str:
    """The text between a pair of `<!-- name -->` marks."""
    return MANUAL.read_text(encoding="utf-8").split(f"<!-- {name} -->\n")[1]


def drawn() -> str:
    rows = ["| in state | when | to |", "| --- | --- | --- |"]
    rows += [f"| any | `{event.name}` | {target} |" for event, target in GUARDED]
    rows += [f"| {state} | `{event.name}` | {to} |" for state, rules in TRANSITIONS.items() for event, to in rules]
    return "\n".join(rows) + "\n"


def explained() -> str:
    rows = ["| event | means that |", "| --- | --- |"]
    return "\n".join(rows + [f"| `{event.name}` | {event.value} |" for event in Event]) + "\n"


def test_manual_shows_every_transition_and_no_other() -> None:
    assert block("transitions") == drawn()


def test_manual_explains_every_event() -> None:
    assert block("events") == explained()


def test_manual_says_what_every_state_does() -> None:
    told = [line.split("|")[1].strip() for line in block("states").splitlines()[2:]]
    assert told == [state.value for state in State]
