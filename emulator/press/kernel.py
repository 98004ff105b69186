"""One compiled call per advance: ticks of the fixed grid, steps of belts and sheet between them.

Actuators, drives and plates move every tick. Belts and sheet move when enough has
gathered: a couple of millimetres of travel, a time limit, or a change of clearance.
What has gathered is part of the state, so the result does not depend on how the
caller slices time.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.press.belts import step_belts
from emulator.press.constants import TICK_NS, TICK_S, MachineConstants
from emulator.press.drives import tick_drives
from emulator.press.feed import feed_sheet
from emulator.press.geometry import station_clearance
from emulator.press.hydraulics import tick_hydraulics
from emulator.press.parts import Parts
from emulator.press.sheet import step_sheet
from emulator.press.state import Plant, Progress
from emulator.press.tension import tick_tension, tick_tracking
from emulator.press.truth import observe
from emulator.press.zones import tick_zones

Floats = NDArray[np.float64]

CLEARANCE_STEP = 20e-6  # m: a larger change of clearance calls for a step


@njit(cache=True, error_model="numpy")
def advance(ticks: int, p: Parts, signals: Floats) -> None:
    """Advance the press by so many ticks under constant inputs, then fill the signals."""
    plant, progress, u, c = p.plant, p.progress, p.u, p.c
    for _ in range(ticks):
        tick_hydraulics(plant, u, c)
        tick_tension(plant, u, c)
        tick_drives(plant, u, c)
        tick_tracking(plant, u, c)
        tick_zones(plant, p.record.energy, u, c)
        progress.tick[0] += 1
        progress.pending_ticks[0] += 1
        upper = plant.speed[0] * TICK_S
        lower = plant.speed[1] * TICK_S
        progress.pending_travel[0] += upper
        progress.pending_travel[1] += lower
        progress.pending_travel[2] += 0.5 * (upper + lower)
        if _step_due(plant, progress, 0.5 * (upper + lower), c):
            _step(p)
    observe(p, signals)


@njit(cache=True, error_model="numpy")
def _step_due(plant: Plant, progress: Progress, next_travel: float, c: MachineConstants) -> bool:
    if progress.pending_ticks[0] >= c.step_ticks or progress.pending_travel[2] + next_travel > c.step_m:
        return True
    for station in range(3):
        moved = station_clearance(plant.clearance, station) - progress.stepped_clearance[station]
        if abs(moved) >= CLEARANCE_STEP:
            return True
    return False


@njit(inline="always", error_model="numpy")  # called once: one body less to compile
def _step(p: Parts) -> None:
    """Belts and sheet over everything that has gathered since the last step."""
    plant, progress, c = p.plant, p.progress, p.c
    dt = progress.pending_ticks[0] * TICK_S
    now_ns = progress.tick[0] * TICK_NS
    for side in range(2):
        travel = progress.pending_travel[side]
        plant.belt_travel[side] += travel
        s = plant.belt_s[side] + travel
        while s >= c.loop:
            s -= c.loop
        plant.belt_s[side] = s
    step_sheet(p, now_ns, dt)
    feed_sheet(p, now_ns, dt)
    step_belts(p.belts, plant, dt, p.record.energy, c)
    progress.pending_ticks[0] = 0
    for station in range(3):
        progress.pending_travel[station] = 0.0
        progress.stepped_clearance[station] = station_clearance(plant.clearance, station)
