"""Shrinking: few events, round numbers, and what is left still shows the same."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rig.controller import make_controller
from rig.controller.api import Controller, Inputs, Value
from rig.properties import scenarios
from rig.recipe import Recipe
from rig.scenario import Scenario, Stage, event_of, shrink
from rig.scenario.play import KEEPS_RUNNING
from tests.search.test_scenario_files import targets


class TwoFaults:
    """Falls over when a guard is open while a plate is far off; either alone does nothing."""

    def __init__(self, recipe: Recipe) -> None:
        self.inner = make_controller(recipe)
        self.state = "idle"

    def scan(self, inputs: Inputs, now_ns: int) -> dict[str, Value]:
        values = inputs.values
        if values and not values["guards_closed"] and float(str(values["heat_2_upper_temperature_c"])) < 60.0:
            raise RuntimeError("planted")
        outputs = dict(self.inner.scan(inputs, now_ns))
        self.state = str(self.inner.state)
        return outputs


def make_two_faults(recipe: Recipe) -> Controller:
    return TwoFaults(recipe)


def test_a_planted_bug_of_two_faults_shrinks_to_exactly_these_two() -> None:
    stage = Stage(make_two_faults, rules=())
    crowd = Scenario(
        "warm", 58.7,
        (
            event_of(3.3, "button", "start"),
            event_of(11.7, "fault", "sensor_noise", {"target": "belt_upper_speed_m_min", "amount": 3.0}),
            event_of(14.9, "fault", "thermocouple_shorted", {"target": "heat_2_upper_temperature_c", "for_s": 30.0}),
            event_of(17.2, "fault", "delayed", {"amount": 0.03, "times": 10}),
            event_of(23.4, "hand", "open_guard"),
            event_of(40.0, "hand", "close_guard"),
        ),
        seed=3,
    )  # fmt: skip
    tries = 0

    def still_shows(scenario: Scenario) -> bool:
        nonlocal tries
        tries += 1
        return KEEPS_RUNNING in stage.play(scenario).broken

    assert still_shows(crowd)
    smallest = shrink(crowd, still_shows)
    assert {event.name for event in smallest.events} == {"thermocouple_shorted", "open_guard"}
    assert smallest.events[0].at_s == smallest.events[1].at_s == 0.0
    assert dict(smallest.events[0].options) in ({}, {"target": "heat_2_upper_temperature_c"})
    assert (smallest.seed, smallest.lasts_s) == (0, 1.0)
    assert tries < 100


@given(scenarios(("warm", "produce"), targets, most_events=5), st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_left_still_shows_it_and_is_never_larger(scenario: Scenario, data: st.DataObject) -> None:
    kept = data.draw(st.sets(st.sampled_from([event.name for event in scenario.events]))) if scenario.events else set()

    def still_shows(smaller: Scenario) -> bool:
        return kept <= {event.name for event in smaller.events}

    smallest = shrink(scenario, still_shows)
    assert still_shows(smallest)
    assert len(smallest.events) == len(kept)
    assert smallest.lasts_s <= scenario.lasts_s
    assert not smallest.recovers


def test_without_time_a_scenario_stays_as_it_is() -> None:
    scenario = Scenario("warm", 30.0, (event_of(1.0, "button", "start"),))
    assert shrink(scenario, lambda smaller: True, lambda: False) == scenario
