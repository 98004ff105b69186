"""A press caught in the states of its life, and why it was not caught in others."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from rig import moments
from rig.bench import open_press
from rig.controller import Inputs, Value
from rig.moments import Caught, catch_moments


class GivesUp:
    """Goes to `fault` half a second after its start, and says why."""

    state = "idle"
    message = ""
    scans = 0

    def scan(self, inputs: Inputs, now_ns: int) -> Mapping[str, Value]:
        if "start" in inputs.operator:
            self.state = "preheat"
        self.scans += self.state == "preheat"
        if self.scans > 5:
            self.state, self.message = "fault", "the coffee is cold"
        return {}


class Sleeps:
    """Never leaves `idle`."""

    state = "idle"

    def scan(self, inputs: Inputs, now_ns: int) -> Mapping[str, Value]:
        return {}


def lived(controller: GivesUp | Sleeps) -> Caught:
    with open_press("emu://", record=False) as bench:
        return catch_moments(bench, controller)


def test_life_that_ends_early_says_where_and_what_the_controller_said() -> None:
    caught = lived(GivesUp())
    assert set(caught.moments) == {"idle", "fault"}
    assert caught.missing("idle") == ""
    assert caught.missing("produce") == (
        "the controller did not get to this state: it went to fault on the way to produce: the coffee is cold"
    )


def test_controller_that_does_not_start_is_waited_for_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moments, "PRODUCE_WITHIN_S", 60)
    caught = lived(Sleeps())
    assert "state produce did not come within 60 s; the controller is in state 'idle'" in caught.missing("hold")


def test_state_that_a_whole_life_did_not_show_is_told() -> None:
    assert "never in this state" in Caught().missing("siesta")
