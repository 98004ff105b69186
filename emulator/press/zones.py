"""Zone plates and drums between their heaters, the coolant and the surroundings.

    C dT/dt = P - UA (T - T_amb) - UA_c valve flow (T - T_coolant) - (heat to the belt)

The heat to the belt is booked by `belts.step_belts`; here is the rest, every tick
(docs/model.md, zone plate). The step is implicit in T, so no gain is too large.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.press import commands as at
from emulator.press.constants import TICK_S, MachineConstants
from emulator.press.state import Plant

Floats = NDArray[np.float64]


@njit(cache=True, error_model="numpy")
def _lump(T: float, C: float, P: float, UA: float, T_amb: float, UA_c: float, T_c: float) -> tuple[float, float, float]:
    """One implicit tick: new temperature [K], heat lost to ambient and to the coolant [J]."""
    new = (C * T / TICK_S + P + UA * T_amb + UA_c * T_c) / (C / TICK_S + UA + UA_c)
    return new, UA * (new - T_amb) * TICK_S, UA_c * (new - T_c) * TICK_S


@njit(cache=True, error_model="numpy")
def tick_zones(plant: Plant, energy: Floats, u: Floats, c: MachineConstants) -> None:
    """Move plates, drums and coolant by one tick; energy is the ledger of `state.LEDGER`."""
    flow = min(max(u[at.COOLANT_FLOW], 0.0), 1.0) * max(u[at.COOLANT_SCALE], 0.0)
    plant.coolant[0] += (flow - plant.coolant[0]) * c.flow_blend
    flow = plant.coolant[0]
    T_c = c.T_coolant + u[at.COOLANT_OFFSET]
    plant.coolant[1] = T_c
    cooled = 0.0
    for i in range(12):
        output = min(max(u[at.ZONE + i] * u[at.HEATER_SCALE + i], 0.0), 1.0)
        if u[at.STUCK_ON + i] > 0.5:
            output = 1.0
        if i < 8:
            P = c.P_plate * output
            plant.heater_power[i] = P
            energy[0] += P * TICK_S
            C, UA, UA_c = c.C_plate, c.UA_plate, 0.0
        else:
            P = 0.0
            C, UA, UA_c = c.C_cold, c.UA_cold, c.UA_coolant * output * flow
        plant.plate_T[i], lost, taken = _lump(plant.plate_T[i], C, P, UA, c.T_ambient, UA_c, T_c)
        energy[4] += lost
        cooled += taken
    for i in range(4):
        P = 0.0
        UA_c = c.UA_drum_coolant * flow
        if i < 2:
            P = c.P_drum * min(max(u[at.DRUM + i] * u[at.DRUM_SCALE + i], 0.0), 1.0)
            UA_c = 0.0
            plant.heater_power[8 + i] = P
            energy[1] += P * TICK_S
        plant.drum_T[i], lost, taken = _lump(plant.drum_T[i], c.C_drum, P, c.UA_drum, c.T_ambient, UA_c, T_c)
        energy[5] += lost
        cooled += taken
    energy[3] += cooled
    plant.coolant[2] = cooled / TICK_S
