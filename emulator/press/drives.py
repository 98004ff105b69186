"""Two drives, one per belt: speed loop, torque limit, friction of the rollers, brake.

    J dw/dt = T_m - T_load,  T_load = mu_r N R + idle     (docs/model.md, drive)

Friction opposes motion and holds at rest: it takes at most the momentum there is.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.press import commands as at
from emulator.press.constants import TICK_S, MachineConstants
from emulator.press.state import Plant

Floats = NDArray[np.float64]

LOOP_S = 0.03  # response time of the speed loop
RESET_S = 0.2  # its integral time


@njit(cache=True, error_model="numpy")
def tick_drives(plant: Plant, u: Floats, c: MachineConstants) -> None:
    """Move both belts' speeds by one tick under the line force of the last sheet step."""
    N = 0.0
    for i in range(6):
        N += plant.force[i]
    gain = c.J / LOOP_S
    brake = u[at.BRAKE] > 0.5
    for side in range(2):
        omega = plant.speed[side] / c.R  # rad/s
        T_m = 0.0  # N m
        if u[at.DRIVES_ON + side] > 0.5 and not brake:
            wanted = min(max(u[at.SPEED + side], 0.0), c.speed_max)
            most = c.ramp * TICK_S
            ramp = plant.speed_ramp[side]
            ramp += min(max(wanted - ramp, -most), most)
            plant.speed_ramp[side] = ramp
            error = ramp / c.R - omega
            limit = c.torque_max * u[at.TORQUE_SCALE + side]
            free = gain * error + plant.drive_integral[side]
            T_m = min(max(free, -limit), limit)
            if free == T_m or error * free < 0.0:  # no wind-up at the limit
                plant.drive_integral[side] += gain * error * TICK_S / RESET_S
        else:
            plant.speed_ramp[side] = plant.speed[side]
            plant.drive_integral[side] = 0.0
        T_load = c.mu_r * u[at.FRICTION_SCALE + side] * N * c.R + c.torque_idle
        if brake:
            T_load += c.torque_brake
        moved = omega + T_m / c.J * TICK_S
        held = T_load / c.J * TICK_S
        if abs(moved) <= held:
            moved = 0.0
        elif moved > 0.0:
            moved -= held
        else:
            moved += held
        plant.speed[side] = moved * c.R
        plant.torque[side] = T_m
