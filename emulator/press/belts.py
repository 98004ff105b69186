"""Two endless belts as rings of nodes that move with the steel.

A node carries its temperature around the loop: plates, exit drum, return run,
entry drum. That memory decides how the press warms up and what a stop or a
speed step does. Nodes do not mix, so nothing is smeared by transport.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.press.constants import BINS_PER_M, ENTRY_DRUM, EXIT_DRUM, FIRST_ZONE, SECTIONS, MachineConstants
from emulator.press.geometry import along_press, station_clearance
from emulator.press.state import Plant

Floats = NDArray[np.float64]


class Belts(NamedTuple):
    """Both rings for the kernels: their temperatures are state, the rest is map and scratch."""

    T: Floats  # [2, nodes] K
    section: NDArray[np.int64]  # section of each bin of the loop
    heat: Floats  # [2, nodes] J, what the sheet gave in this step
    cover: Floats  # [nodes] part of each upper node that lies on sheet


@njit(cache=True, error_model="numpy")
def locate(x: float, belt_s: float, nodes: int, c: MachineConstants) -> tuple[int, int, float]:
    """Nodes around x [m] of a belt whose node 0 is at belt_s [m], and the weight of the second."""
    u = (x - belt_s) / c.ds
    u -= nodes * math.floor(u / nodes)
    i = int(u)
    if i >= nodes:
        i = 0
        u = 0.0
    j = i + 1
    if j == nodes:
        j = 0
    return i, j, u - i


@njit(cache=True, error_model="numpy")
def temperature_at(T: Floats, belt_s: float, x: float, c: MachineConstants) -> float:
    """Belt temperature [K] at x [m] from the press entry; T [nodes] of one side."""
    i, j, w = locate(x, belt_s, T.size, c)
    return float((1.0 - w) * T[i] + w * T[j])


@njit(cache=True, error_model="numpy")
def sample(T: Floats, belt_s: float, x: float, length: float, c: MachineConstants) -> float:
    """Mean belt temperature [K] under a parcel of this length [m]; T [nodes] of one side."""
    points = max(1, round(length / c.ds))
    total = 0.0
    for k in range(points):
        i, j, w = locate(x + length * ((k + 0.5) / points - 0.5), belt_s, T.size, c)
        total += (1.0 - w) * T[i] + w * T[j]
    return total / points


@njit(cache=True, error_model="numpy")
def spread(amount: float, out: Floats, belt_s: float, x: float, length: float, c: MachineConstants) -> None:
    """Add an amount to the nodes under a parcel with the weights `sample` reads them with."""
    points = max(1, round(length / c.ds))
    for k in range(points):
        i, j, w = locate(x + length * ((k + 0.5) / points - 0.5), belt_s, out.size, c)
        out[i] += (1.0 - w) * amount / points
        out[j] += w * amount / points


@njit(cache=True, error_model="numpy")
def step_belts(belts: Belts, plant: Plant, dt: float, energy: Floats, c: MachineConstants) -> None:
    """Exchange of both belts with the sheet, each other and what they run over, for dt [s].

    Uses up and zeroes `belts.heat` and `belts.cover`. Every joule that leaves a node is
    booked to a plate, a drum or the surroundings.
    """
    _exchange_facing(belts, plant, dt, c)
    nodes = belts.T.shape[1]
    target = np.empty(SECTIONS)
    part = np.empty(SECTIONS)
    taken = np.empty(SECTIONS)
    for section in range(SECTIONS):
        part[section] = 1.0 - math.exp(-c.h_section[section] * dt / c.C_area)
    per_joule = 1.0 / c.C_node
    for side in range(2):
        for section in range(SECTIONS):
            target[section] = c.T_ambient
            taken[section] = 0.0
        for zone in range(6):
            target[FIRST_ZONE + zone] = plant.plate_T[2 * zone + side]
        target[ENTRY_DRUM] = plant.drum_T[side]
        target[EXIT_DRUM] = plant.drum_T[2 + side]
        T = belts.T[side]
        heat = belts.heat[side]
        s = plant.belt_s[side]
        total = 0.0
        for i in range(nodes):
            if s >= c.loop:
                s -= c.loop
            section = belts.section[int(s * BINS_PER_M)]
            T_i = T[i] + heat[i] * per_joule
            heat[i] = 0.0
            change = (target[section] - T_i) * part[section]
            T[i] = T_i + change
            taken[section] += change
            total += T_i + change
            s += c.ds
        plant.belt_mean[side] = total / nodes
        for section in range(SECTIONS):
            joules = c.C_node * taken[section]
            if section == ENTRY_DRUM:
                plant.drum_T[side] -= joules / c.C_drum
            elif section == EXIT_DRUM:
                plant.drum_T[2 + side] -= joules / c.C_drum
            elif FIRST_ZONE <= section < FIRST_ZONE + 6:
                zone = section - FIRST_ZONE
                plant.plate_T[2 * zone + side] -= joules / (c.C_plate if zone < 4 else c.C_cold)
            else:
                energy[6] -= joules


@njit(cache=True, error_model="numpy")
def _exchange_facing(belts: Belts, plant: Plant, dt: float, c: MachineConstants) -> None:
    """Heat from belt to belt where no sheet lies between: contact when closed, else through the air gap."""
    nodes = belts.cover.size
    entry = station_clearance(plant.clearance, 0)
    taper = station_clearance(plant.clearance, 1)
    cold = station_clearance(plant.clearance, 2)
    upper = belts.T[0]
    lower = belts.T[1]
    s = plant.belt_s[0]
    for i in range(nodes):
        if s >= c.loop:
            s -= c.loop
        bare = 1.0 - min(belts.cover[i], 1.0)
        if s < c.press_end and bare > 0.0:
            g = along_press(s, entry, taper, cold, c)
            U = min(c.h_closed, c.k_gap / max(g, 1e-6))
            a, b, w = locate(s, plant.belt_s[1], nodes, c)
            Q = bare * U * c.ds * c.width * dt * (upper[i] - (1.0 - w) * lower[a] - w * lower[b])
            belts.heat[0, i] -= Q
            belts.heat[1, a] += (1.0 - w) * Q
            belts.heat[1, b] += w * Q
        belts.cover[i] = 0.0
        s += c.ds
