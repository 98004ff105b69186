"""Belt tension by hydraulic take-up, steering, and the lateral walk of the belts."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.press import commands as at
from emulator.press.constants import TICK_S, MachineConstants
from emulator.press.state import Plant

Floats = NDArray[np.float64]


@njit(cache=True, error_model="numpy")
def tick_tension(plant: Plant, u: Floats, c: MachineConstants) -> None:
    """First-order take-up: without its command, or with a leak, the tension goes."""
    for side in range(2):
        wanted = 0.0
        if u[at.TENSION_ON] > 0.5:
            wanted = min(max(u[at.TENSION], 0.0), c.tension_max) * u[at.TENSION_SCALE + side]
        plant.tension[side] += (wanted - plant.tension[side]) * c.tension_blend


@njit(cache=True, error_model="numpy")
def tick_tracking(plant: Plant, u: Floats, c: MachineConstants) -> None:
    """dy/dt = v (kappa theta + theta_0 + wedge): an integrator of steering angle over travel."""
    wedge = 0.0  # mean clearance difference left to right over the width, rad
    for station in range(3):
        wedge += (plant.clearance[2 * station + 1] - plant.clearance[2 * station]) / (3.0 * c.width)
    most = c.theta_rate * TICK_S
    for side in range(2):
        wanted = min(max(u[at.STEERING + side], -c.theta_max), c.theta_max)
        theta = plant.steering[side] + min(max(wanted - plant.steering[side], -most), most)
        plant.steering[side] = theta
        walk = c.kappa * (theta + u[at.STEERING_DISTURBANCE + side]) + c.theta_0[side] + c.wedge_gain * wedge
        y = plant.tracking[side] + plant.speed[side] * walk * TICK_S
        plant.tracking[side] = min(max(y, -c.y_max), c.y_max)
