"""From what a state wants to what is commanded: the outputs that change only when the wishes do."""

from __future__ import annotations

from rig.controller.api import Value
from rig.controller.goals import Wishes
from rig.controller.machine_facts import MachineFacts
from rig.controller.names import COLD_ZONES, HEAT_ZONES, SIDES
from rig.recipe import Recipe

__all__ = ["settings"]

REST_C = 20.0
"""Setpoint of what is not heated."""


def settings(
    recipe: Recipe, facts: MachineFacts, wishes: Wishes, clearance_um: float, speed_m_min: float
) -> dict[str, Value]:
    """Enables and setpoints.

    Args:
        recipe: what to make.
        facts: the machine.
        wishes: of the state.
        clearance_um: at the end of the taper and in the cold section when the press is closed.
        speed_m_min: of both belts when they are driven.
    """
    press = recipe.press
    hot_c = press.heat_temperature_c if wishes.heat else REST_C
    open_um = facts.open_clearance_um
    outputs: dict[str, Value] = {
        "heating_enable": wishes.heat,
        "cooling_enable": wishes.cool,
        "hydraulics_enable": wishes.hydraulics,
        "tension_enable": wishes.tension,
        "drives_enable": wishes.drive,
        "feed_enable": wishes.feed,
        "fast_open": wishes.fast_open,
        "coolant_flow_setpoint_l_min": facts.coolant_flow_l_min,
    }
    for zone in HEAT_ZONES:
        outputs[f"{zone}_setpoint_c"] = hot_c
    for zone in COLD_ZONES:
        outputs[f"{zone}_setpoint_c"] = press.cold_temperature_c
    for edge in ("left", "right"):
        outputs[f"entry_{edge}_clearance_setpoint_um"] = press.entry_clearance_um if wishes.close else open_um
        for station in ("taper_end", "cold"):
            outputs[f"{station}_{edge}_clearance_setpoint_um"] = clearance_um if wishes.close else open_um
    for side in SIDES:
        outputs[f"entry_drum_{side}_setpoint_c"] = hot_c
        outputs[f"belt_{side}_speed_setpoint_m_min"] = speed_m_min if wishes.drive else 0.0
        outputs[f"belt_{side}_tension_setpoint_kn_m"] = press.tension_kn_m
    return outputs
