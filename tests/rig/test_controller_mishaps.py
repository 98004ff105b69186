"""What the reference controller does when things go wrong in ways that are easy to overlook."""

from __future__ import annotations

import copy
import math

import pytest

from rig.controller import ReferenceController, State, make_controller
from rig.recipe import load_recipe
from tests.rig.test_controller_fakes import REGISTERS, Clocked, given, names_on
from tests.rig.test_controller_quality import judged
from tests.rig.test_controller_sequence import in_state

HOT = {"heat_1_upper_temperature_c": 118.0, "tension_ready": True}
STOPPED = given(alarm_word=frozenset({"emergency_stop"}), **HOT)


def controller_in(state: State) -> ReferenceController:
    controller = make_controller()
    controller.now_state = state
    return controller


def test_input_that_is_missing_does_not_raise() -> None:
    values = given()
    del values["ambient_temperature_c"]
    Clocked(make_controller()).scan(values)


def test_piece_whose_clearance_showed_zero_is_scrap() -> None:
    assert not judged(minimum_um=0.0).good


def test_piece_whose_temperature_nobody_saw_is_scrap() -> None:
    assert not judged(hot_min_c=math.inf, hot_max_c=-math.inf).good


@pytest.mark.parametrize("state", [State.FAULT, State.EMERGENCY_STOP])
def test_trouble_is_left_only_by_the_operators_reset(state: State) -> None:
    clock = Clocked(controller_in(state))
    alarm = "emergency_stop" if state is State.EMERGENCY_STOP else "coolant_loss"
    clock.scan(given(alarm_word=frozenset({alarm}), **HOT))
    clock.scan_for(1.0, given(**HOT))
    assert clock.controller.state == state


def test_reset_with_the_cause_still_there_releases_nothing() -> None:
    clock = Clocked(make_controller())
    for _ in range(30):
        clock.scan(given(), beat=False)
    assert clock.controller.state == "fault"
    clock.scan(given(), "reset", beat=False)
    assert clock.controller.state == "fault"


def test_inputs_that_stay_unusable_lead_to_fault() -> None:
    clock = Clocked(controller_in(State.PRODUCE))
    clock.scan_for(5.0, given(heat_1_upper_temperature_c=math.nan))
    assert clock.controller.state == "fault"


def test_abort_is_not_lost_while_inputs_are_late() -> None:
    clock = Clocked(controller_in(State.PRODUCE))
    clock.scan(given())
    clock.scan(given(), "abort", age_s=0.8)
    clock.scan(given())
    assert clock.controller.state == "fault"


def test_blind_controller_drives_no_belts() -> None:
    clock = Clocked(controller_in(State.PRODUCE))
    clock.scan(given(**HOT))
    clock.scan_for(0.5, given(**HOT))
    clock.scan(given(**HOT), age_s=2.0)
    assert "drives_enable" not in names_on(clock.outputs)


def test_controller_that_starts_on_a_press_that_has_run_is_not_wound_up() -> None:
    clock = Clocked(make_controller())
    ran = {"belt_upper_position_m": 1000.0, "belt_lower_position_m": 1000.0}
    clock.scan_for(1.0, given(belt_upper_edge_position_mm=1.0, **ran))
    assert abs(clock.controller.trackers["upper"].integral_deg) < 0.01


def test_open_press_is_not_fed() -> None:
    clock = Clocked(controller_in(State.PRODUCE))
    clock.scan_for(0.5, given(belts_moving=True, coolant_flowing=True, tension_ready=True, press_open=True))
    assert "feed_enable" not in names_on(clock.outputs)


def test_piece_that_was_sent_to_scrap_is_not_recorded_as_product() -> None:
    run = in_state("produce")
    run.step("hold")
    seen = len(run.controller.quality())
    for _ in range(1500):
        run.step()
    made = run.controller.quality()[seen:]
    assert run.clock.outputs["scrap_divert"] is True
    assert made, "no piece was judged"
    assert not [record for record in made if record.good]


def test_no_more_sheet_is_fed_than_the_recipe_says() -> None:
    run = copy.deepcopy(in_state("thread"))
    sheet = run.controller.recipe.sheet.model_copy(update={"length_m": 2.0})
    run.controller.recipe = run.controller.recipe.model_copy(update={"sheet": sheet})
    run.until("run_out")
    for _ in range(10):
        run.step()
    fed_m = sum(tail - head for head, tail in run.press.stretches)
    assert 1.9 < fed_m < 2.2


def test_trimmed_clearance_stays_in_the_safe_range() -> None:
    recipe = load_recipe("reference")
    press = recipe.press.model_copy(update={"clearance_um": 450.0})
    controller = make_controller(recipe.model_copy(update={"press": press}))
    controller.now_state, controller.thickness.trim_um = State.CLOSE, -40.0
    outputs = Clocked(controller).scan(given())
    low, high = REGISTERS["taper_end_left_clearance_setpoint_um"].safe_range or (0.0, 0.0)
    setpoint = outputs["taper_end_left_clearance_setpoint_um"]
    assert isinstance(setpoint, float)
    assert low <= setpoint <= high


def clock_in(state: State) -> Clocked:
    controller = make_controller()
    controller.now_state = state
    return Clocked(controller)


def test_reset_does_not_wait_for_inputs_to_come_back() -> None:
    clock = clock_in(State.PRODUCE)
    clock.scan(given(**HOT))
    clock.scan(given(**HOT), age_s=2.0)
    clock.scan(given(**HOT), "reset", age_s=3.0)
    for _ in range(50):
        clock.scan(given(**HOT), age_s=600.0)
    clock.scan_for(0.5, given(**HOT))
    assert clock.controller.state == "fault"


def test_reset_that_failed_releases_nothing_ten_minutes_later() -> None:
    clock = clock_in(State.PRODUCE)
    clock.scan(STOPPED)
    clock.scan(STOPPED, "reset")
    clock.scan_for(600.0, STOPPED)
    assert clock.controller.state == "emergency_stop"
    clock.scan_for(0.5, given(**HOT))
    assert clock.controller.state == "emergency_stop"


@pytest.mark.parametrize("age_s", [0.8, 2.0])
def test_reset_pulse_is_not_held_while_inputs_are_late(age_s: float) -> None:
    clock = clock_in(State.FAULT)
    tripped = given(alarm_word=frozenset({"coolant_loss"}), **HOT)
    clock.scan(tripped)
    clock.scan(tripped, "reset")
    clock.scan(tripped, age_s=age_s)
    assert "alarm_reset" not in names_on(clock.outputs)


def test_clock_that_is_set_back_gives_no_negative_speed() -> None:
    clock = clock_in(State.COOL)
    clock.now_ns = 10_000_000_000
    clock.scan(given(**HOT))
    clock.now_ns = 0
    speed = clock.scan(given(**HOT))["belt_upper_speed_setpoint_m_min"]
    assert isinstance(speed, float)
    assert speed >= 0.0


def test_belts_that_stand_though_they_are_told_to_move_trip() -> None:
    controller = controller_in(State.HOLD)
    clocked = Clocked(controller)
    moving = given(belt_upper_speed_m_min=0.5, belt_lower_speed_m_min=0.5, press_open=False, **HOT)
    one_stands = given(belt_upper_speed_m_min=0.0, belt_lower_speed_m_min=0.5, press_open=False, **HOT)
    for _ in range(30):
        clocked.scan(moving)
    for _ in range(14):
        assert clocked.scan(one_stands)["drives_enable"]
    clocked.scan(moving)
    for _ in range(14):
        clocked.scan(one_stands)
    assert controller.now_state is State.HOLD
    for _ in range(4):
        outputs = clocked.scan(one_stands)
    assert controller.now_state is State.FAULT
    assert controller.message.startswith("belt_stands: a belt stands that is told to move")
    assert not outputs["feed_enable"]
    assert not outputs["heating_enable"]


def test_a_press_that_opens_by_itself_trips_and_is_not_fed_again() -> None:
    controller = controller_in(State.HOLD)
    clocked = Clocked(controller)
    moving = {"belt_upper_speed_m_min": 0.5, "belt_lower_speed_m_min": 0.5, **HOT}
    closed, opened = given(press_open=False, **moving), given(press_open=True, **moving)
    for _ in range(3):
        clocked.scan(closed)
    clocked.scan(opened)
    clocked.scan(closed)
    assert controller.now_state is State.HOLD
    clocked.scan(opened)
    clocked.scan(opened)
    assert controller.now_state is State.FAULT
    assert controller.message.startswith("press_opened")
    assert not clocked.scan(closed)["feed_enable"]


def test_a_thermocouple_that_comes_and_goes_does_not_switch_the_drives() -> None:
    clocked = Clocked(controller_in(State.FAULT))
    shorted = given(heat_1_upper_temperature_c=150.0, tension_ready=True)
    sound = given(heat_1_upper_temperature_c=25.0, tension_ready=True)
    assert clocked.scan(shorted)["drives_enable"]
    drives = [clocked.scan(shorted if scan % 30 == 0 else sound)["drives_enable"] for scan in range(200)]
    assert all(drives)
    rest = [clocked.scan(sound)["drives_enable"] for _ in range(700)]
    assert rest == sorted(rest, reverse=True)
    assert not rest[-1]


def test_belts_that_stop_and_go_do_not_switch_the_heat_as_often() -> None:
    clocked = Clocked(controller_in(State.TENSION_TRACK))
    moving = given(
        belts_moving=True, coolant_flowing=True, belt_upper_speed_m_min=1.0, belt_lower_speed_m_min=1.0, **HOT
    )
    still = given(
        belts_moving=False, coolant_flowing=True, belt_upper_speed_m_min=0.3, belt_lower_speed_m_min=0.3, **HOT
    )
    assert clocked.scan(moving)["heating_enable"]
    heats = [clocked.scan(still if scan % 20 == 0 else moving)["heating_enable"] for scan in range(200)]
    assert not any(heats)
    again = [clocked.scan(moving)["heating_enable"] for _ in range(60)]
    assert again == sorted(again)
    assert again[-1]
