"""The gap between the belts: set clearance along the press, and how far belts give way.

Rollers stand at x = 0, pitch, 2 pitch, …; between them the belt bridges, and its
compliance grows with the fourth power of the pitch (docs/model.md, belt span).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.lanes import sin_pi, sin_squared_pi
from emulator.material.tile import Tile
from emulator.material.vector import Vector, absolute, floor, least, most, read, where, write
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
def station_clearances(clearance: Floats) -> tuple[float, float, float]:
    """Mean clearance [m] at the entry, the end of the taper and in the cold section; clearance [6]."""
    entry = 0.5 * (clearance[0] + clearance[1])
    taper = 0.5 * (clearance[2] + clearance[3])
    cold = 0.5 * (clearance[4] + clearance[5])
    return entry, taper, cold


@njit(cache=True, error_model="numpy")
def smallest_clearance(clearance: Floats) -> float:
    """Smallest station clearance [m]."""
    entry, taper, cold = station_clearances(clearance)
    return min(entry, taper, cold)


@njit(cache=True, error_model="numpy")
def along_press(x: Vector, entry: float, taper: float, cold: float, c: MachineConstants) -> Vector:
    """A quantity of the three stations at x [m]: linear to the taper end, level, cold after one pitch."""
    tapering = entry + (taper - entry) / c.taper_end * most(x, 0.0)
    level = taper + (cold - taper) * least(most((x - c.heat_end) * (1.0 / c.pitch), 0.0), 1.0)
    return where(x < c.taper_end, tapering, level)


@njit(cache=True, error_model="numpy")
def zone_at(x: Vector, c: MachineConstants) -> Vector:
    """Zone 0..5 at x [m] from the first plate on, a whole number; the ends belong to the outer zones."""
    hot = most((x - c.heat_start) * (4.0 / (c.heat_end - c.heat_start)), 0.0)
    cold = 4.0 + (x - c.heat_end) * (2.0 / (c.press_end - c.heat_end))
    return floor(where(x < c.heat_end, least(hot, 3.0), least(cold, 5.0)))


@njit(cache=True, error_model="numpy")
def span_compliance(tension: float, c: MachineConstants, pitches: float = 1.0) -> float:
    """C_m [m/Pa] of one belt span over so many pitches at belt tension [N/m]: clamped beam and string side by side."""
    square = pitches * pitches
    return 1.0 / (c.bending / (square * square) + c.string / square * max(tension, 0.0))


@njit(cache=True, error_model="numpy")
def local_compliance(x: Vector, C_m: float, c: MachineConstants) -> Vector:
    """C(x) [m/Pa] of one side: the nip, and between nips the belt span."""
    return c.C_n + C_m * sin_squared_pi(x * (1.0 / c.pitch))


@njit(cache=True, error_model="numpy")
def find_gap(w: Tile, plant: Plant, u: Floats, c: MachineConstants) -> None:
    """Gap at both ends of the step, its wedge and its compliance, for lanes that went from `x_0` to `x`."""
    clearance = plant.clearance
    entry, taper, cold = station_clearances(clearance)
    tension = 0.5 * (plant.tension[0] + plant.tension[1])
    x = read(w.x)
    g = along_press(x, entry, taper, cold, c)
    wedge = along_press(x, clearance[1] - clearance[0], clearance[3] - clearance[2], clearance[5] - clearance[4], c)
    x_0 = read(w.x_0)
    C_m = span_compliance(tension, c)
    C_0 = local_compliance(x_0, C_m, c)
    C = local_compliance(x, C_m, c)
    if u[at.RUNOUT] != 0.0:
        turned = c.roller_turn * plant.belt_travel[0] / math.pi
        g = g + u[at.RUNOUT] * sin_pi(turned + 2.0 * GOLDEN_TURN / c.pitch * x)
    missing = u[at.MISSING_ROLLER]
    if missing >= 0.0:
        place = c.pitch * round(missing / c.pitch)
        C_wide = span_compliance(tension, c, 2.0)
        C_0 = _without_roller(x_0, place, C_0, C_wide, c)
        C = _without_roller(x, place, C, C_wide, c)
    write(w.g_0, along_press(x_0, entry, taper, cold, c))
    write(w.g, g)
    write(w.wedge_g, wedge)
    write(w.C_0, C_0)
    write(w.C, C)
    write(w.p_limit, c.p_limit)


@njit(cache=True, error_model="numpy")
def _without_roller(x: Vector, place: float, C: Vector, C_wide: float, c: MachineConstants) -> Vector:
    """Compliance [m/Pa] at x where the pair of rollers at a place [m] is missing: one span of twice the pitch."""
    off = (x - place) * (1.0 / c.pitch)
    return where(absolute(off) < 1.0, c.C_n + C_wide * sin_squared_pi(0.5 * (off + 1.0)), C)
