"""When each state of the line has reached its goal, how long that must hold, and how long the state may take.

| state | goal |
| --- | --- |
| heat | barrel, oven, dryer, clip oven and curing room at temperature, press ready for sheet |
| fill | the store before the press holds what its dancer wants |
| thread | the press produces, its gate lets sheet pass, and all is at temperature |
| run_out | the press is open, and the loop is empty but for its end |
| clear | what was in the stations has been wound |
| cure | every roll that was taken off has been measured |
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from rig.controller.api import Value
from rig.controller.line.names import number
from rig.controller.line.states import LineState
from rig.controller.line.web import STORED_PART

if TYPE_CHECKING:
    from rig.controller.line.controller import LineController

__all__ = ["goal", "time_limit_s", "waits_for"]

NEAR_K: Final = {
    "kneader_barrel": 5.0,
    "stretcher_zone_1_air": 1.5,
    "stretcher_zone_2_air": 1.5,
    "stretcher_zone_3_air": 1.5,
    "stretcher_draw_air": 1.5,
    "desolvator_bath": 5.0,
    "desolvator_dryer_air": 5.0,
    "heat_setter_air": 1.5,
}
"""Temperatures before sheet is made, by the first part of their tags: so near to the set point."""
LOOP_END_M: Final = 0.6
"""The dancer stops the drive before it pulls the web's end out; less than this does not leave the loop by itself."""
LOOP_EMPTY_S: Final = 60.0
MARGIN: Final = 1.15
FORGOTTEN_S: Final = 600.0
"""A roll that nobody has measured so long after the curing room was empty will not be measured any more."""
LIMITS_S: Final = {LineState.HEAT: 4.0 * 3600.0, LineState.FILL: 3600.0, LineState.CLEAR: 4.0 * 3600.0}
READY: Final = ("thread", "hold", "produce")
"""States of the press in which it takes sheet."""
OVER: Final = ("open", "cool", "idle")


def waits_for(controller: LineController, values: Mapping[str, Value]) -> Iterator[str]:
    """What is not at temperature yet, in words."""
    for name, near_k in NEAR_K.items():
        shown, wanted = values.get(f"{name}_temperature_c"), controller.outputs.get(f"{name}_setpoint_c")
        if not isinstance(shown, (int, float)) or not isinstance(wanted, (int, float)):
            yield f"{name}_temperature_c unknown"
        elif abs(shown - wanted) > near_k:
            yield f"{name}_temperature_c {shown:.0f} of {wanted:.0f} °C"
    if controller.press.state not in READY:
        yield f"press: {controller.press.state}"


def goal(controller: LineController, values: Mapping[str, Value]) -> tuple[bool, float]:
    """Whether the goal of the state is reached now, and for how long it must be, s."""
    match controller.now_state:
        case LineState.HEAT:
            return next(waits_for(controller, values), "") == "", 60.0
        case LineState.FILL:
            return number(values, "store_stored_m") >= STORED_PART * controller.facts.store_wanted_m, 2.0
        case LineState.THREAD:
            producing = controller.press.state == "produce" and controller.outputs.get("scrap_divert") is False
            return producing and next(waits_for(controller, values), "") == "", 1.0
        case LineState.RUN_OUT:
            empty = not controller.web.behind or number(values, "loop_stored_m") < LOOP_END_M
            return controller.press.state in OVER and empty, LOOP_EMPTY_S if controller.web.behind else 0.0
        case LineState.CLEAR:
            return controller.cleared_m >= MARGIN * controller.behind_loop_m, 0.0
        case LineState.CURE:
            # the laboratory shows its last roll only: of two at once, one is never seen
            settled_s = FORGOTTEN_S if controller.book.unmeasured else 30.0
            return number(values, "winder_rolls_curing") == 0.0, settled_s
        case _:
            return False, 0.0


def time_limit_s(controller: LineController) -> float:
    """How long the state may take, s; infinite where the press watches it, or nothing says when it ends."""
    return LIMITS_S.get(controller.now_state, math.inf)
