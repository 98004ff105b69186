"""The gap between the belts: set clearance along the press, and how far belts give way.

Rollers stand at x = 0, pitch, 2 pitch, …; between them the belt bridges, and its
compliance grows with the fourth power of the pitch (docs/model.md, belt span).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.press.constants import MachineConstants

Floats = NDArray[np.float64]


@njit(cache=True, error_model="numpy")
def station_clearance(clearance: Floats, station: int) -> float:
    """Mean of left and right clearance [m] at a station; clearance [6]."""
    return float(0.5 * (clearance[2 * station] + clearance[2 * station + 1]))


@njit(cache=True, error_model="numpy")
def smallest_clearance(clearance: Floats) -> float:
    """Smallest station clearance [m]."""
    return min(station_clearance(clearance, 0), station_clearance(clearance, 1), station_clearance(clearance, 2))


@njit(cache=True, error_model="numpy")
def along_press(x: float, entry: float, taper: float, cold: float, c: MachineConstants) -> float:
    """A quantity of the three stations at x [m]: linear to the taper end, level, cold after one pitch."""
    if x < c.taper_end:
        return entry + (taper - entry) * max(x, 0.0) / c.taper_end
    if x < c.heat_end:
        return taper
    return taper + (cold - taper) * min((x - c.heat_end) / c.pitch, 1.0)


@njit(cache=True, error_model="numpy")
def zone_at(x: float, c: MachineConstants) -> int:
    """Zone 0..5 at x [m] from the first plate on; the ends belong to the outer zones."""
    if x < c.heat_end:
        return min(int(4.0 * (x - c.heat_start) / (c.heat_end - c.heat_start)), 3)
    return min(4 + int(2.0 * (x - c.heat_end) / (c.press_end - c.heat_end)), 5)


@njit(cache=True, error_model="numpy")
def span_compliance(tension: float, c: MachineConstants) -> float:
    """C_m [m/Pa] of one belt span at belt tension [N/m]: clamped beam and string side by side."""
    return 1.0 / (c.bending + c.string * max(tension, 0.0))


@njit(cache=True, error_model="numpy")
def local_compliance(x: float, C_m: float, c: MachineConstants) -> float:
    """C(x) [m/Pa] of one side: the nip, and between nips the belt span."""
    s = math.sin(math.pi * x / c.pitch)
    return c.C_n + C_m * s * s
