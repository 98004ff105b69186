"""The hunt: finds what is broken, with the smallest scenario, and finds nothing where nothing is."""

from __future__ import annotations

import itertools

from rig.controller import make_controller
from rig.controller.api import Controller, Inputs, Value
from rig.properties import PEOPLE
from rig.recipe import Recipe
from rig.scenario import Scenario, Stage
from rig.search import Budget, Hunt, Progress
from rig.virtual import FAULT_KINDS


class HeatsOn:
    """Forgets to take back the heat when a person is in danger."""

    def __init__(self, recipe: Recipe) -> None:
        self.inner = make_controller(recipe)
        self.state = "idle"
        self.heated = False

    def scan(self, inputs: Inputs, now_ns: int) -> dict[str, Value]:
        outputs = dict(self.inner.scan(inputs, now_ns))
        self.state = str(self.inner.state)
        if self.state == "emergency_stop":
            outputs["heating_enable"] = self.heated
        self.heated = bool(outputs["heating_enable"])
        return outputs


def make_heats_on(recipe: Recipe) -> Controller:
    return HeatsOn(recipe)


def test_heat_that_goes_on_in_an_emergency_is_found_with_one_event() -> None:
    hunt = Hunt(Stage(make_heats_on), Budget(seconds=120.0, findings=1), wanted=("SAF-14",))
    (finding,) = hunt.run()
    assert finding.requirement == "SAF-14"
    assert [event.name for event in finding.scenario.events] in (["push_emergency_stop"], ["open_guard"])
    assert finding.scenario.breaks == ("SAF-14",)
    assert "SAF-14" in Stage(make_heats_on).play(finding.scenario).broken


def test_a_hunt_of_the_same_seed_plays_the_same(stage: Stage) -> None:
    def planned(seed: int) -> list[Scenario]:
        return [scenario for _, scenario in itertools.islice(Hunt(stage, Budget(), seed=seed)._planned(), 200)]

    assert planned(1) == planned(1)
    assert planned(1) != planned(2)


def test_what_is_excused_is_not_found(stage: Stage) -> None:
    told: list[int] = []

    def note(progress: Progress) -> None:
        told.append(progress.runs)

    budget = Budget(seconds=60.0, runs=20)
    hunt = Hunt(Stage(make_heats_on), budget, excused=lambda played, name: True, on_progress=note)
    assert hunt.run() == []
    assert told == list(range(1, 21))
    first = itertools.islice(Hunt(Stage(make_heats_on), budget)._planned(), 20)
    tried = {(scenario.state, event.name) for _, scenario in first for event in scenario.events}
    assert tried <= hunt.progress.covered


def test_a_short_hunt_has_tried_some_of_everything(stage: Stage) -> None:
    events = [
        event for _, scenario in itertools.islice(Hunt(stage, Budget())._planned(), 300) for event in scenario.events
    ]
    assert {event.name for event in events} >= {*(name for _, name in PEOPLE), *FAULT_KINDS}


def test_everything_is_tried_in_every_state(stage: Stage) -> None:
    hunt = Hunt(stage, Budget())
    planned = {(scenario.state, event.name) for _, scenario in hunt._planned() for event in scenario.events}
    happens = [*(name for _, name in PEOPLE), *FAULT_KINDS]
    assert planned >= set(itertools.product(stage.states(), happens))
