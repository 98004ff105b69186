"""A whole run on a fake press, from idle to idle, and the operator's requests on the way."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache

import pytest

from rig.controller import (
    QualityRecord,
    ReferenceController,
    State,
    Value,
    load_machine_facts,
    make_controller,
)
from rig.recipe import Recipe, check_claims, list_recipes, load_recipe
from tests.rig.test_controller_fakes import Clocked, FakePress, check_outputs, given, names_on

ORDER = [
    "idle", "preheat", "tension_track", "close", "thread", "produce", "run_out", "open", "cool", "idle",
]  # fmt: skip
ABOVE_CONTACT_UM = 3000.0


def short(length_m: float = 12.0, **press: float) -> Recipe:
    """The reference recipe with little sheet, and other settings where given."""
    recipe = load_recipe("reference")
    return recipe.model_copy(
        update={
            "sheet": recipe.sheet.model_copy(update={"length_m": length_m}),
            "press": recipe.press.model_copy(update={"speed_m_min": 3.0, **press}),
        }
    )


@dataclass
class Run:
    """A controller on a fake press, with what it did."""

    controller: ReferenceController = field(default_factory=lambda: make_controller(short()))
    press: FakePress = field(default_factory=FakePress)
    states: list[str] = field(default_factory=list)
    watch: list[Callable[[str, Mapping[str, Value], Mapping[str, Value]], None]] = field(
        default_factory=lambda: [in_order]
    )

    def __post_init__(self) -> None:
        self.clock = Clocked(self.controller)

    def step(self, *operator: str) -> None:
        seen = dict(self.press.values)
        outputs = self.clock.scan(seen, *operator)
        check_outputs(outputs)
        for look in self.watch:
            look(self.controller.state, seen, outputs)
        if not self.states or self.states[-1] != self.controller.state:
            self.states.append(self.controller.state)
        self.press.follow(outputs)

    def until(self, *states: str, within_s: float = 3000.0) -> None:
        for _ in range(round(within_s * 10)):
            if self.controller.state in states:
                return
            self.step()
        pytest.fail(f"not in {states} within {within_s:g} s: {' → '.join(self.states)}")


def in_order(state: str, seen: Mapping[str, Value], outputs: Mapping[str, Value]) -> None:
    """Tension before belts, belts before heat, a closed press before sheet."""
    on = names_on(outputs)
    if "heating_enable" in on:
        assert seen["belts_moving"], f"heating belts that stand, in {state}"
        assert seen["coolant_flowing"], f"heating without coolant, in {state}"
    if "feed_enable" in on:
        taper = seen["taper_end_left_clearance_um"]
        assert isinstance(taper, float)
        assert taper < ABOVE_CONTACT_UM, f"feeding an open press, in {state}"
    if state in ("fault", "emergency_stop"):
        assert not on & {"heating_enable", "feed_enable"}
        assert "fast_open" in on
    if state == "preheat" and "drives_enable" in on:
        assert seen["tension_ready"], "driving slack belts"


@cache
def finished() -> tuple[tuple[str, ...], tuple[QualityRecord, ...]]:
    run = Run()
    run.step()
    run.step("start")
    run.until("cool")
    run.until("idle")
    return tuple(run.states), tuple(run.controller.quality())


def test_states_of_a_run_come_in_their_order() -> None:
    assert list(finished()[0]) == ORDER


def test_run_of_good_sheet_is_recorded_as_good_without_a_gap() -> None:
    records = finished()[1]
    assert len(records) == pytest.approx(120, abs=2)
    starts = [record.start_m for record in records]
    assert starts == pytest.approx([0.1 * number for number in range(len(records))])
    middle = records[20:-20]
    assert all(record.good for record in middle), {record.reason for record in middle}
    assert all(record.entry_thickness_um == 3000.0 for record in middle)


@cache
def caught(state: str) -> Run:
    """A run in one of its states, to be copied."""
    run = Run()
    run.step()
    run.step("start")
    run.until(state)
    for _ in range(30):
        run.step()
    return run


def in_state(state: str) -> Run:
    return copy.deepcopy(caught(state))


REJECTED = [
    name
    for name in list_recipes()
    if check_claims(load_recipe(name), pressing_length_m=load_machine_facts().pressing_length_m)
]
MOVING = ("preheat", "tension_track", "close", "thread", "produce")


@pytest.mark.parametrize("state", MOVING)
def test_stop_leads_home_from_everywhere(state: str) -> None:
    run = in_state(state)
    run.step("stop")
    run.until("idle")
    assert "fault" not in run.states
    if state in ("thread", "produce"):
        assert run.states[-4:] == ["run_out", "open", "cool", "idle"]


@pytest.mark.parametrize("state", MOVING)
def test_abort_opens_the_press_at_once_and_stays_until_it_is_reset(state: str) -> None:
    run = in_state(state)
    run.step("abort")
    assert run.controller.state == "fault"
    for _ in range(600):
        run.step()
    assert run.press.values["press_open"]
    assert run.controller.state == "fault"
    assert "aborted" in run.controller.message
    run.step("start")
    assert run.controller.state == "fault"
    run.step("reset")
    run.step()
    assert run.controller.state in ("cool", "idle")


@pytest.mark.parametrize("state", MOVING)
@pytest.mark.parametrize(
    ("danger", "expected"),
    [
        ("emergency_stop", "emergency_stop"),
        ("guard_open", "emergency_stop"),
        ("coolant_loss", "fault"),
        ("tension_loss", "fault"),
    ],
)
def test_interlock_is_followed_within_the_same_scan(state: str, danger: str, expected: str) -> None:
    run = in_state(state)
    run.press.values["alarm_word"] = frozenset({danger})
    run.step()
    assert run.controller.state == expected
    on = names_on(run.clock.outputs)
    assert not on & {"heating_enable", "feed_enable"}
    assert "fast_open" in on
    if danger != "coolant_loss":
        assert "drives_enable" not in on


def test_nothing_starts_again_without_reset_and_start() -> None:
    run = in_state("produce")
    run.press.values["alarm_word"] = frozenset({"coolant_loss"})
    for _ in range(50):
        run.step("start", "resume")
    assert run.controller.state == "fault"
    run.step("reset")
    assert "alarm_reset" in names_on(run.clock.outputs)
    run.press.values["alarm_word"] = frozenset()
    run.step()
    assert "alarm_reset" not in names_on(run.clock.outputs)
    assert run.controller.state == "cool"
    run.step("start")
    assert run.controller.state == "preheat"


def test_hold_and_resume_go_back_to_producing() -> None:
    run = in_state("produce")
    run.step("hold")
    for _ in range(200):
        run.step()
    assert run.controller.state == "hold"
    run.step("resume")
    run.until("produce", within_s=600)


def test_there_are_recipes_to_refuse() -> None:
    assert len(REJECTED) >= 2
    assert "reference" not in REJECTED


@pytest.mark.parametrize("name", REJECTED)
def test_recipe_against_the_claims_is_refused_before_anything_moves(name: str) -> None:
    run = Run(make_controller(load_recipe(name)))
    for _ in range(50):
        run.step("start")
        assert not names_on(run.clock.outputs) & {"heating_enable", "drives_enable", "feed_enable"}
    assert run.states == ["idle"]
    assert "recipe rejected, CLM-" in run.controller.message


@pytest.mark.parametrize("name", REJECTED)
def test_recipe_against_the_claims_starts_when_asked_on_purpose(name: str) -> None:
    run = Run(make_controller(load_recipe(name), enforce_claims=False))
    run.step("start")
    assert run.controller.state == "preheat"


@pytest.mark.parametrize("state", MOVING)
def test_copy_goes_on_like_the_original(state: str) -> None:
    one, other = in_state(state), in_state(state)
    other.controller = copy.deepcopy(one.controller)
    other.clock.controller = other.controller
    for _ in range(300):
        one.step()
        other.step()
        assert one.clock.outputs == other.clock.outputs
    assert one.controller.quality() == other.controller.quality()


def test_heartbeat_changes_with_every_scan_and_is_never_zero() -> None:
    controller = make_controller()
    controller.scans = 65530
    clock = Clocked(controller)
    beats = [clock.scan(given())["controller_heartbeat"] for _ in range(12)]
    assert 0 not in beats
    assert all(a != b for a, b in itertools.pairwise(beats))


@pytest.mark.parametrize("state", [state for state in State if state not in (State.FAULT, State.EMERGENCY_STOP)])
def test_state_that_takes_too_long_becomes_a_fault_or_has_no_limit(state: State) -> None:
    controller = make_controller()
    controller.now_state = state
    clock = Clocked(controller)
    hot_c = controller.recipe.press.heat_temperature_c
    # hot, and closed like nothing that a state waits for
    seen = given(press_open=False) | {
        name: hot_c for name in given() if name.startswith("heat") and name.endswith("temperature_c")
    }
    clock.scan(seen)
    before = controller.state
    clock.now_ns += 7 * 3600 * 1_000_000_000
    clock.scan(seen)
    endless = {"idle", "produce", "hold"}
    assert controller.state == (before if before in endless else "fault")
    assert ("state_timeout" in controller.alarms.active) == (before not in endless)
