"""What each state wants of the machine, when it has reached its goal, and how long it may take.

| state | wants | goal |
| --- | --- | --- |
| idle | nothing | |
| preheat | tension, then moving belts, then heat; never a hot belt that stands | zones and drums at temperature |
| tension_track | production speed | both belts at speed, centred, zones still at temperature |
| close | clearances of the recipe, without sheet | all stations there |
| thread | feed | sheet at the last gauge |
| produce | feed | the recipe's length is fed |
| hold | creep speed, everything else as in produce | |
| run_out | no feed | the tail has passed the last gauge |
| open | open press, no heat | press open |
| cool | moving belts, coolant | zones and drums cool enough to stand |
| fault | open at once, no heat, no feed; hot belts creep on if the cause allows | |
| emergency_stop | open at once, nothing moves | |
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from rig.controller.machine_facts import MachineFacts
from rig.controller.names import Values, cold_plates_c, entry_drums_c, heat_plates_c, temperatures_c
from rig.controller.states import State
from rig.recipe import Recipe

if TYPE_CHECKING:
    from rig.controller.reference import ReferenceController

__all__ = ["HOT_C", "HOT_FOR_S", "MOVING_FOR_S", "Wishes", "goal_reached", "hottest_c", "time_limit_s", "wishes_in"]

MOVING_FOR_S = 5.5
"""Belts that stop and go must not switch the heaters' contactors as often."""
AT_TEMPERATURE_K = 1.5
"""A zone is at temperature within this of its setpoint."""
DRUM_NEAR_K = 10.0
"""The entry drums only preheat the belts; at speed their heaters do not quite reach the setpoint."""
AT_TEMPERATURE_S = 60.0
"""So long must all zones be at temperature: the belts have gone round by then at least in part."""
AT_SPEED_PART = 0.03
"""The rollers' resistance ripples with the nips; a belt within this of its setpoint is at speed."""
CENTRED_MM = 2.0
"""Less than half of the warning limit of 5 mm."""
CENTRED_S = 60.0
AT_CLEARANCE_UM = 15.0
AT_CLEARANCE_S = 3.0
MARGIN_M = 0.3
"""Travel on top of a path, for gauges that look a little further."""
COOL_C = 50.0
"""A press below this may stand still."""
HOT_C = 60.0
"""A press above this must not."""
HOT_FOR_S = 60.0
"""What was hot counts as hot for so long, so that a thermocouple that comes and goes does not switch the drives."""
PREHEAT_LIMIT_S = 3.0 * 3600.0
TRACK_LIMIT_S = 3600.0
CLOSE_LIMIT_S = 120.0
OPEN_LIMIT_S = 120.0
COOL_LIMIT_S = 6.0 * 3600.0


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a state wants."""

    cool: bool = False
    hydraulics: bool = False
    tension: bool = False
    drive: bool = False
    speed_m_min: float = 0.0
    heat: bool = False
    close: bool = False
    feed: bool = False
    fast_open: bool = False


def wishes_in(state: State, recipe: Recipe, facts: MachineFacts, values: Values, *, hot: bool, moving: bool) -> Wishes:
    """What a state wants, given what is sensed.

    Args:
        state: of the controller.
        recipe: what to make.
        facts: the machine.
        values: inputs.
        hot: the press is hot, or was so in the last `HOT_FOR_S`.
        moving: belts have moved and coolant has flowed for the last `MOVING_FOR_S`.
    """
    return _wishes(
        state,
        recipe.press.speed_m_min,
        facts.creep_speed_m_min,
        facts.cool_speed_m_min,
        moving=moving,
        tensioned=values["tension_ready"] > 0.5,
        closed=values["press_open"] < 0.5,
        hot=hot,
    )


@lru_cache(maxsize=256)
def _wishes(
    state: State,
    speed_m_min: float,
    creep_m_min: float,
    cool_m_min: float,
    *,
    moving: bool,
    tensioned: bool,
    closed: bool,
    hot: bool,
) -> Wishes:
    base = Wishes(cool=True, hydraulics=True, tension=True, drive=True, speed_m_min=speed_m_min)
    match state:
        case State.IDLE:
            return Wishes()
        case State.PREHEAT:
            return replace(base, drive=tensioned, speed_m_min=creep_m_min, heat=moving)
        case State.TENSION_TRACK:
            return replace(base, heat=moving)
        case State.CLOSE:
            return replace(base, heat=moving, close=True)
        case State.THREAD | State.PRODUCE:
            return replace(base, heat=moving, close=True, feed=closed)
        case State.HOLD:
            return replace(base, heat=moving, close=True, feed=closed, speed_m_min=creep_m_min)
        case State.RUN_OUT:
            return replace(base, heat=moving, close=True)
        case State.OPEN:
            return base
        case State.COOL:
            return replace(base, drive=tensioned, speed_m_min=cool_m_min)
        case State.FAULT:
            return replace(base, drive=tensioned and hot, speed_m_min=creep_m_min, fast_open=True)
        case State.EMERGENCY_STOP:
            return replace(base, drive=False, speed_m_min=0.0, fast_open=True)


def hottest_c(values: Values) -> float:
    """Temperature of the hottest plate or drum."""
    return max(temperatures_c(values))


def goal_reached(controller: ReferenceController, values: Values) -> tuple[bool, float]:
    """Whether the goal of the controller's state is reached now, and for how long it must be, s."""
    recipe = controller.recipe
    match controller.now_state:
        case State.PRODUCE:
            return False, 0.0  # ends when the recipe's length is fed
        case State.PREHEAT:
            return at_temperature(recipe, values), AT_TEMPERATURE_S
        case State.TENSION_TRACK:
            return at_temperature(recipe, values) and on_track(recipe, values), CENTRED_S
        case State.CLOSE:
            return at_clearance(recipe, values), AT_CLEARANCE_S
        case State.THREAD:
            # what a run before has left on the table may pass the gauge first
            fed_m = controller.last_position_m - controller.started_m
            there = values["sheet_at_recovered_gauge"] > 0.5 and fed_m >= path_m(controller.facts) - MARGIN_M
            return there and at_speed(recipe, values), 1.0
        case State.RUN_OUT:
            sheet = max(values[name] for name in ("sheet_at_entry", "sheet_at_exit", "sheet_at_recovered_gauge"))
            travelled_m = controller.last_position_m - controller.entered_m
            return sheet < 0.5 and travelled_m >= path_m(controller.facts), 2.0
        case State.OPEN:
            return values["press_open"] > 0.5, 1.0
        case State.COOL:
            return hottest_c(values) < COOL_C and values["press_open"] > 0.5, 1.0
        case _:
            return False, 0.0


def at_temperature(recipe: Recipe, values: Values) -> bool:
    """Whether all heat zones and entry drums are at the recipe's temperature, and the cold zones not above theirs."""
    target_c = recipe.press.heat_temperature_c
    hot = all(abs(plate_c - target_c) < AT_TEMPERATURE_K for plate_c in heat_plates_c(values))
    hot = hot and all(abs(drum_c - target_c) < DRUM_NEAR_K for drum_c in entry_drums_c(values))
    return hot and max(cold_plates_c(values)) < recipe.press.cold_temperature_c + AT_TEMPERATURE_K


def at_speed(recipe: Recipe, values: Values) -> bool:
    """Whether both belts run at the recipe's speed."""
    wanted = recipe.press.speed_m_min
    return all(abs(values[f"belt_{side}_speed_m_min"] - wanted) < AT_SPEED_PART * wanted for side in ("upper", "lower"))


def on_track(recipe: Recipe, values: Values) -> bool:
    """Whether both belts run at the recipe's speed, centred and tensioned."""
    centred = all(abs(values[f"belt_{side}_edge_position_mm"]) < CENTRED_MM for side in ("upper", "lower"))
    return centred and values["tension_ready"] > 0.5 and at_speed(recipe, values)


def at_clearance(recipe: Recipe, values: Values) -> bool:
    """Whether all stations stand at the recipe's clearances."""
    wanted = {
        "entry": recipe.press.entry_clearance_um,
        "taper_end": recipe.press.clearance_um,
        "cold": recipe.press.clearance_um,
    }
    return all(
        abs(values[f"{station}_{edge}_clearance_um"] - clearance_um) < AT_CLEARANCE_UM
        for station, clearance_um in wanted.items()
        for edge in ("left", "right")
    )


def path_m(facts: MachineFacts) -> float:
    """Way of the sheet from the entry past the last gauge, m."""
    return facts.pressing_length_m + facts.recovered_gauge_m + MARGIN_M


def time_limit_s(state: State, recipe: Recipe, facts: MachineFacts) -> float:
    """How long a state may take, s; infinite where nothing says when it ends."""
    if state is State.PRODUCE:
        return math.inf  # ends when the recipe's length is fed
    if state in PASSAGES:
        return 1.5 * path_m(facts) / recipe.press.speed_m_min * 60.0 + 120.0
    return LIMITS_S.get(state, math.inf)


PASSAGES = (State.THREAD, State.RUN_OUT)
"""States that last as long as the sheet's way through the press."""
LIMITS_S: Mapping[State, float] = {
    State.PREHEAT: PREHEAT_LIMIT_S,
    State.TENSION_TRACK: TRACK_LIMIT_S,
    State.CLOSE: CLOSE_LIMIT_S,
    State.OPEN: OPEN_LIMIT_S,
    State.COOL: COOL_LIMIT_S,
}
