"""The smallest controller worth running: it warms the press up, keeps it warm, and cools it down.

    idle ──start──▶ warm ──stop──▶ cool ──(cold)──▶ idle          anything wrong ──▶ fault ──reset──▶ idle

It never closes the press and never feeds sheet. Read it as a pattern: look at the inputs, decide on a
state, return what that state commands. No I/O, no clock, no waiting; the runner calls `scan` ten times
a second and writes what comes back.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rig.controller import Inputs, Value
from rig.recipe import Recipe, load_recipe

ZONES = tuple(f"heat_{number}_{side}" for number in (1, 2, 3, 4) for side in ("upper", "lower"))
DRUMS = ("entry_drum_upper", "entry_drum_lower")
OLDEST_NS = 500_000_000
"""Inputs older than half a second say nothing about the press any more."""
SPEED_M_MIN = {"warm": 0.5, "cool": 3.0}
"""Slow while warm, so that the heat stays in the plates; fast to carry it to the coolant."""
COLD_C = 50.0
"""A press below this may stand still."""
COOLANT_L_MIN = 100.0
DANGERS = ("emergency_stop_released", "guards_closed")


@dataclass(slots=True)
class WarmUp:
    """Keeps an open press at the recipe's temperature, on belts that move."""

    recipe: Recipe
    state: str = "idle"
    scans: int = 0

    def scan(self, inputs: Inputs, now_ns: int) -> Mapping[str, Value]:
        """One scan; see `rig.controller.api.Controller`."""
        self.scans += 1
        values = inputs.values
        fresh = bool(values) and now_ns - inputs.time_ns <= OLDEST_NS
        healthy = fresh and not values.get("alarm_word") and all(values.get(name) is True for name in DANGERS)
        plates = [values.get(f"{name}_temperature_c") for name in (*ZONES, *DRUMS)]
        cold = all(isinstance(value, (int, float)) and value < COLD_C for value in plates)
        self.state = self._next(inputs.operator, fresh, healthy, cold)
        # tension before belts, belts and coolant before heat: each waits for what it needs
        run = self.state in ("warm", "cool")
        drive = run and values.get("tension_ready") is True
        moving = values.get("belts_moving") is True and values.get("coolant_flowing") is True
        speed_m_min = SPEED_M_MIN[self.state] if drive else 0.0
        heat_c = self.recipe.press.heat_temperature_c
        return {
            "controller_heartbeat": self.scans % 65535 + 1,
            "alarm_reset": fresh and "reset" in inputs.operator,
            "fast_open": self.state == "fault",
            "cooling_enable": True,
            "coolant_flow_setpoint_l_min": COOLANT_L_MIN,
            "tension_enable": run,
            "drives_enable": drive,
            "heating_enable": self.state == "warm" and drive and moving,
            **{f"{name}_setpoint_c": heat_c for name in (*ZONES, *DRUMS)},
            **{f"belt_{s}_tension_setpoint_kn_m": self.recipe.press.tension_kn_m for s in ("upper", "lower")},
            **{f"belt_{s}_speed_setpoint_m_min": speed_m_min for s in ("upper", "lower")},
            **{f"belt_{s}_steering_setpoint_deg": steer(values, s) for s in ("upper", "lower")},
        }

    def _next(self, asked: frozenset[str], fresh: bool, healthy: bool, cold: bool) -> str:
        if self.state == "fault":
            return "idle" if healthy and "reset" in asked else "fault"
        if not healthy:
            # before the first poll there is nothing to be afraid of, and nothing runs
            return "idle" if self.state == "idle" and not fresh else "fault"
        if self.state in ("idle", "cool") and "start" in asked:
            return "warm"
        if self.state == "warm" and asked & {"stop", "abort"}:
            return "cool"
        return "idle" if self.state == "cool" and cold else self.state


def steer(values: Mapping[str, Value], side: str) -> float:
    """Steering angle in degrees: 0.04° per mm that the belt is off centre, within the drum's ±0.5°."""
    edge_mm = values.get(f"belt_{side}_edge_position_mm")
    if isinstance(edge_mm, bool) or not isinstance(edge_mm, (int, float)) or not math.isfinite(edge_mm):
        return 0.0
    return round(min(max(-0.04 * edge_mm, -0.45), 0.45), 3)


def make(recipe: Recipe | None = None) -> WarmUp:
    """What `press-rig hil --controller examples.my_controller.controller:make` calls."""
    return WarmUp(recipe or load_recipe("reference"))
