"""Playing scenarios: they begin where they say, things happen when they say, and every run is the same bit for bit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.controller import make_controller
from rig.controller.api import Controller, Inputs, Value
from rig.errors import UsageError
from rig.properties import scenarios
from rig.recipe import Recipe
from rig.requirements import load_rules
from rig.requirements.rules import judge_rules
from rig.scenario import Scenario, Stage, event_of
from rig.scenario.play import KEEPS_RUNNING, RECOVERS
from rig.stl import trace_of

STOP = event_of(2.0, "button", "stop")


def test_a_scenario_begins_in_its_state_and_events_come_at_their_time(stage: Stage) -> None:
    played = stage.play(Scenario("produce", 5.0, (STOP, event_of(4.0, "hand", "open_guard"))))
    begun_ns = int(played.recording.tags.time_ns[0])
    told = [(event.kind, event.text, (event.time_ns - begun_ns) * 1e-9) for event in played.recording.events]
    states = [(text, at_s) for kind, text, at_s in told if kind == "state"]
    assert [text for text, _ in states] == ["produce", "run_out", "emergency_stop"]
    assert states[1][1] == pytest.approx(2.0, abs=0.2)
    assert states[2][1] == pytest.approx(4.0, abs=0.4)
    assert played.recording.tags.time_ns[-1] - begun_ns == pytest.approx(5e9, abs=0.2e9)


def test_nothing_is_broken_without_a_cause(stage: Stage) -> None:
    for state in stage.states():
        assert stage.play(Scenario(state, 10.0)).broken == (), state


@given(st.data())
@settings(max_examples=12, deadline=None)
def test_a_scenario_is_the_same_bit_for_bit_whatever_was_played_before(stage: Stage, data: st.DataObject) -> None:
    targets = stage.bench(Scenario("warm")).virtual.fault_targets
    drawn = scenarios(("warm", "produce", "hold"), targets, lengths_s=(10.0,), recovers=False)
    first, second = data.draw(drawn), data.draw(drawn)
    digest = stage.play(first).digest
    stage.play(second)
    assert stage.play(first).digest == digest


def test_the_seed_changes_the_noise(stage: Stage) -> None:
    assert stage.play(Scenario("produce", 2.0)).digest != stage.play(Scenario("produce", 2.0, seed=1)).digest


def test_a_press_that_tripped_produces_again_when_everything_is_mended(stage: Stage) -> None:
    played = stage.play(Scenario("preheat", 5.0, (event_of(1.0, "hand", "push_emergency_stop"),), recovers=True))
    assert (played.broken, played.state) == ((), "produce")


class Stubborn:
    """A controller that stays where it is once it has tripped."""

    def __init__(self, recipe: Recipe) -> None:
        self.inner = make_controller(recipe)
        self.state = "idle"

    def scan(self, inputs: Inputs, now_ns: int) -> dict[str, Value]:
        if self.state == "emergency_stop":
            inputs = Inputs(
                {**inputs.values, "guards_closed": False, "alarm_word": frozenset({"guard_open"})}, inputs.time_ns
            )
        outputs = dict(self.inner.scan(inputs, now_ns))
        self.state = str(self.inner.state)
        return outputs


def test_a_press_that_never_produces_again_breaks_a_requirement() -> None:
    def make(recipe: Recipe) -> Controller:
        return Stubborn(recipe)

    played = Stage(make, rules=()).play(Scenario("warm", 3.0, (event_of(1.0, "hand", "open_guard"),), recovers=True))
    assert played.broken == (RECOVERS,)
    assert "does not produce; it is in state 'emergency_stop'" in played.why(RECOVERS)


def test_a_controller_that_raises_breaks_a_requirement() -> None:
    class Fragile(Stubborn):
        def scan(self, inputs: Inputs, now_ns: int) -> dict[str, Value]:
            if "stop" in inputs.operator:
                raise ZeroDivisionError("no belts")
            return super().scan(inputs, now_ns)

    def make(recipe: Recipe) -> Controller:
        return Fragile(recipe)

    played = Stage(make, rules=()).play(Scenario("warm", 5.0, (STOP,)))
    assert played.broken == (KEEPS_RUNNING,)
    assert "raised ZeroDivisionError" in played.why(KEEPS_RUNNING)


def test_a_state_that_the_controller_never_comes_to_is_told(stage: Stage) -> None:
    with pytest.raises(UsageError, match=r"begins in 'dance'.*there are cold, warm, idle"):
        stage.play(Scenario("dance"))


def test_scenarios_need_a_virtual_press() -> None:
    with pytest.raises(UsageError, match="/dev/ttyUSB0 is none; give emu://"):
        Stage(make_controller, press="/dev/ttyUSB0")


@pytest.mark.xfail(
    strict=True, reason="open: inputs that are late again and again are held, and no trip is seen in them"
)
def test_reference_controller_follows_a_trip_while_answers_come_late(stage: Stage) -> None:
    late = event_of(194.0, "fault", "delayed", {"amount": 0.06, "times": 100})
    played = stage.play(Scenario("tension_track", 200.0, (late,), seed=2))
    # without the excuse that the rule has for this
    [verdict] = judge_rules(trace_of(played.recording), [load_rules()["SAF-27"]])
    assert verdict.status == "pass"
