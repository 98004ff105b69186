"""The gap between the belts: set clearance along the press, and how far belts give way.

Rollers stand at x = 0, pitch, 2 pitch, …; between them the belt bridges, and its
compliance grows with the fourth power of the pitch (docs/model.md, belt span).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.block import Block
from emulator.material.lanes import sin_squared_pi
from emulator.press import commands as at
from emulator.press.constants import MachineConstants
from emulator.press.state import Plant

Floats = NDArray[np.float64]

GOLDEN_TURN = 0.381966  # of a turn: no two rollers near each other are in phase


@njit(cache=True, error_model="numpy")
def station_clearance(clearance: Floats, station: int) -> float:
    """Mean of left and right clearance [m] at a station; clearance [6]."""
    return float(0.5 * (clearance[2 * station] + clearance[2 * station + 1]))


@njit(cache=True, error_model="numpy")
def smallest_clearance(clearance: Floats) -> float:
    """Smallest station clearance [m]."""
    return min(station_clearance(clearance, 0), station_clearance(clearance, 1), station_clearance(clearance, 2))


@njit(inline="always", error_model="numpy")
def along_press(x: float, entry: float, taper: float, cold: float, c: MachineConstants) -> float:
    """A quantity of the three stations at x [m]: linear to the taper end, level, cold after one pitch."""
    tapering = entry + (taper - entry) * max(x, 0.0) / c.taper_end
    level = taper + (cold - taper) * min(max((x - c.heat_end) / c.pitch, 0.0), 1.0)
    return tapering if x < c.taper_end else level


@njit(inline="always", error_model="numpy")
def zone_at(x: float, c: MachineConstants) -> int:
    """Zone 0..5 at x [m] from the first plate on; the ends belong to the outer zones."""
    if x < c.heat_end:
        return min(int(4.0 * (x - c.heat_start) / (c.heat_end - c.heat_start)), 3)
    return min(4 + int(2.0 * (x - c.heat_end) / (c.press_end - c.heat_end)), 5)


@njit(cache=True, error_model="numpy")
def span_compliance(tension: float, c: MachineConstants, pitches: float = 1.0) -> float:
    """C_m [m/Pa] of one belt span over so many pitches at belt tension [N/m]: clamped beam and string side by side."""
    square = pitches * pitches
    return 1.0 / (c.bending / (square * square) + c.string / square * max(tension, 0.0))


@njit(inline="always", error_model="numpy")
def local_compliance(x: float, C_m: float, c: MachineConstants) -> float:
    """C(x) [m/Pa] of one side: the nip, and between nips the belt span."""
    return c.C_n + C_m * sin_squared_pi(x / c.pitch)


@njit(cache=True, error_model="numpy")
def gap_of_lanes(w: Block, lanes: int, plant: Plant, u: Floats, c: MachineConstants) -> None:
    """Gap at both ends of the step, its wedge and its compliance, for lanes that went from `x_0` to `x`."""
    clearance = plant.clearance
    entry = station_clearance(clearance, 0)
    taper = station_clearance(clearance, 1)
    cold = station_clearance(clearance, 2)
    wedge_entry = clearance[1] - clearance[0]
    wedge_taper = clearance[3] - clearance[2]
    wedge_cold = clearance[5] - clearance[4]
    tension = 0.5 * (plant.tension[0] + plant.tension[1])
    C_m = span_compliance(tension, c)
    for lane in range(lanes):
        x = w.x[lane]
        w.g_0[lane] = along_press(w.x_0[lane], entry, taper, cold, c)
        w.g[lane] = along_press(x, entry, taper, cold, c)
        w.wedge_g[lane] = along_press(x, wedge_entry, wedge_taper, wedge_cold, c)
        w.C[lane] = local_compliance(x, C_m, c)
        w.p_limit[lane] = c.p_limit
    runout = u[at.RUNOUT]
    if runout != 0.0:
        turned = c.roller_turn * plant.belt_travel[0]
        for lane in range(lanes):
            w.g[lane] += runout * math.sin(turned + 2.0 * math.pi * GOLDEN_TURN * w.x[lane] / c.pitch)
    missing = u[at.MISSING_ROLLER]
    if missing >= 0.0:
        place = c.pitch * round(missing / c.pitch)
        C_wide = span_compliance(tension, c, 2.0)
        for lane in range(lanes):
            off = (w.x[lane] - place) / c.pitch
            if abs(off) < 1.0:
                w.C[lane] = c.C_n + C_wide * sin_squared_pi(0.5 * (off + 1.0))
