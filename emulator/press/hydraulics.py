"""Clearance actuators: six of them, rate limited, with a fast opening that needs no pressure."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.press import commands as at
from emulator.press.constants import TICK_S, MachineConstants
from emulator.press.state import Plant

Floats = NDArray[np.float64]


@njit(cache=True, error_model="numpy")
def tick_hydraulics(plant: Plant, u: Floats, c: MachineConstants) -> None:
    """Move pressure and clearances by one tick; u is the packed input vector."""
    dump = u[at.DUMP] > 0.5
    on = u[at.HYDRAULICS_ON] > 0.5
    target = c.pressure if on and not dump else 0.0
    plant.hydraulic_pressure[0] += (target - plant.hydraulic_pressure[0]) * c.pressure_blend
    can_move = on and plant.hydraulic_pressure[0] > 0.5 * c.pressure
    for i in range(6):
        here = plant.clearance[i]
        if dump:
            plant.clearance[i] = min(here + c.dump_rate * TICK_S, c.clearance_max)
        elif can_move:
            wanted = u[at.CLEARANCE + i] + u[at.CLEARANCE_OFFSET + i]
            wanted = min(max(wanted, c.clearance_min), c.clearance_max)
            wanted = c.resolution * math.floor(wanted / c.resolution + 0.5)
            most = c.clearance_rate * TICK_S
            plant.clearance[i] = here + min(max(wanted - here, -most), most)
