"""The manuals of both controllers show the transitions that the code has."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rig.controller import TRANSITIONS, Event, State
from rig.controller import line as line_controller
from rig.controller.line.states import GUARDED as LINE_GUARDED
from rig.controller.states import GUARDED

DOCS = Path(__file__).parents[2] / "docs"


class Manual(NamedTuple):
    """A page, and the table that it is about."""

    page: str
    transitions: Mapping[Any, Any]
    guarded: Any
    events: type[Enum]
    states: type[Enum]

    def block(self, name: str) -> str:
        """The text between a pair of `<!-- name -->` marks."""
        return (DOCS / self.page).read_text(encoding="utf-8").split(f"<!-- {name} -->\n")[1]


MANUALS = (
    Manual("controller.md", TRANSITIONS, GUARDED, Event, State),
    Manual("line.md", line_controller.TRANSITIONS, LINE_GUARDED, line_controller.LineEvent, line_controller.LineState),
)


@pytest.fixture(params=MANUALS, ids=lambda manual: manual.page)
def manual(request: pytest.FixtureRequest) -> Manual:
    found: Manual = request.param
    return found


def test_manual_shows_every_transition_and_no_other(manual: Manual) -> None:
    rows = ["| in state | when | to |", "| --- | --- | --- |"]
    rows += [f"| any | `{event.name}` | {target} |" for event, target in manual.guarded]
    rows += [
        f"| {state} | `{event.name}` | {to} |" for state, rules in manual.transitions.items() for event, to in rules
    ]
    assert manual.block("transitions") == "\n".join(rows) + "\n"


def test_manual_explains_every_event(manual: Manual) -> None:
    rows = ["| event | means that |", "| --- | --- |"]
    rows += [f"| `{event.name}` | {event.value} |" for event in manual.events]
    assert manual.block("events") == "\n".join(rows) + "\n"


def test_manual_says_what_every_state_does(manual: Manual) -> None:
    told = [line.split("|")[1].strip() for line in manual.block("states").splitlines()[2:]]
    assert told == [state.value for state in manual.states]
