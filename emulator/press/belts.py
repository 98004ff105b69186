"""Two endless belts as rings of nodes that move with the steel.

A node carries its temperature around the loop: plates, exit drum, return run,
entry drum. That memory decides how the press warms up and what a stop or a
speed step does. Nodes do not mix, so nothing is smeared by transport.

Places on a ring are counted in nodes: node i of a belt whose node 0 is at s is at s + i ds from the press entry.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.vector import (
    Places,
    Vector,
    add_at,
    broadcast,
    element,
    floor,
    largest,
    most,
    places,
    where,
)
from emulator.press.constants import ENTRY_DRUM, EXIT_DRUM, FIRST_ZONE, SECTIONS, MachineConstants
from emulator.press.geometry import along_press, station_clearances
from emulator.press.state import Plant

Floats = NDArray[np.float64]


FIRST_NODE: Any = np.int64(0)  # 0 itself would be a type of its own for the compiler, and _run_over be compiled twice


class Belts(NamedTuple):
    """Both rings for the kernels: their temperatures are state, the rest is scratch."""

    T: Floats  # [2, nodes] K
    heat: Floats  # [2, nodes] J, what the sheet gave in this step
    cover: Floats  # [nodes] part of each upper node that lies on sheet


@njit(cache=True, error_model="numpy")
def ring_place(x: Vector, belt_s: float, nodes: int, c: MachineConstants) -> Vector:
    """Place of x [m] on the ring of a belt whose node 0 is at belt_s [m], in nodes, 0 up to nodes."""
    u = (x - belt_s) * (1.0 / c.ds)
    u = u - float(nodes) * floor(u * (1.0 / nodes))
    return where(u < float(nodes), u, 0.0)


@njit(inline="always", error_model="numpy")
def next_node(i: int, nodes: int) -> int:
    """The node after i on the ring."""
    return i + 1 if i + 1 < nodes else 0


@njit(cache=True, error_model="numpy")
def temperature_at(T: Floats, belt_s: float, x: float, c: MachineConstants) -> float:
    """Belt temperature [K] at x [m] from the press entry; T [nodes] of one side."""
    u = ring_place(x, belt_s, T.size, c)
    i = int(u)
    w = u - i
    return float((1.0 - w) * T[i] + w * T[next_node(i, T.size)])


@njit(cache=True, error_model="numpy")
def _points(length: Vector, c: MachineConstants) -> Vector:
    """At how many points sheet of this length [m] along the belt meets it."""
    return most(floor(length * (1.0 / c.ds) + 0.5), 1.0)


@njit(cache=True, error_model="numpy")
def _point(u: Vector, k: int, points: Vector, length: Vector, nodes: int, c: MachineConstants) -> Vector:
    """Place of point k under parcels at places u."""
    v = u + length * (1.0 / c.ds) * ((k + 0.5) / points - 0.5)
    v = where(v < 0.0, v + float(nodes), v)
    return where(v >= float(nodes), v - float(nodes), v)


@njit(cache=True, error_model="numpy")
def _beside(v: Vector, nodes: int) -> tuple[Vector, Places, Places]:
    """Way from the node before place v to the one behind, and both."""
    before = floor(v)
    behind = where(before + 1.0 < float(nodes), before + 1.0, 0.0)
    return v - before, places(before), places(behind)


@njit(cache=True, error_model="numpy")
def sample(T: Floats, u: Vector, length: Vector, c: MachineConstants) -> Vector:
    """Mean belt temperature [K] under parcels at places u and of this length [m]; T [nodes] of one side."""
    points = _points(length, c)
    sum_T = broadcast(0.0)
    for k in range(int(largest(points))):
        part, before, behind = _beside(_point(u, k, points, length, T.size, c), T.size)
        T_before = element(T, before)
        sum_T = sum_T + where(points > float(k), T_before + part * (element(T, behind) - T_before), 0.0)
    return sum_T / points


@njit(cache=True, error_model="numpy")
def spread(amount: Vector, out: Floats, u: Vector, length: Vector, c: MachineConstants) -> None:
    """Add amounts to the nodes under parcels with the weights `sample` reads them with."""
    points = _points(length, c)
    share = amount / points
    for k in range(int(largest(points))):
        part, before, behind = _beside(_point(u, k, points, length, out.size, c), out.size)
        here = where(points > float(k), share, 0.0)
        further = part * here
        add_at(out, before, here - further)
        add_at(out, behind, further)


@njit(cache=True, error_model="numpy")
def step_belts(belts: Belts, plant: Plant, dt: float, energy: Floats, c: MachineConstants) -> None:
    """Exchange of both belts with the sheet, each other and what they run over, for dt [s].

    Uses up and zeroes `belts.heat` and `belts.cover`. Every joule that leaves a node is
    booked to a plate, a drum or the surroundings.
    """
    nodes = belts.T.shape[1]
    _exchange_facing(belts, plant, dt, c)
    per_joule = 1.0 / c.C_node
    for side in range(2):
        T = belts.T[side]
        heat = belts.heat[side]
        first = math.ceil(-plant.belt_s[side] / c.ds)  # the first node of the section
        for section in range(SECTIONS):
            end = math.ceil((c.section_end[section] - plant.belt_s[side]) / c.ds)
            if section == SECTIONS - 1:
                end = math.ceil(-plant.belt_s[side] / c.ds) + nodes
            part = 1.0 - math.exp(-c.h_section[section] * dt / c.C_area)
            target = c.T_ambient
            if FIRST_ZONE <= section < FIRST_ZONE + 6:
                target = plant.plate_T[2 * (section - FIRST_ZONE) + side]
            elif section == ENTRY_DRUM:
                target = plant.drum_T[side]
            elif section == EXIT_DRUM:
                target = plant.drum_T[2 + side]
            low = first % nodes
            high = low + end - first
            taken = 0.0
            while low < high:
                taken += _run_over(T, heat, low, min(high, nodes), target, part, per_joule)
                low, high = FIRST_NODE, high - nodes  # what goes beyond the last node goes on at the first
            _book(c.C_node * taken, section, side, plant, energy, c)
            first = end
        plant.belt_mean[side] = _total(T, FIRST_NODE, nodes) / nodes


@njit(cache=True, error_model="numpy")
def _run_over(T: Floats, heat: Floats, low: int, high: int, target: float, part: float, per_joule: float) -> float:
    """Nodes low up to high take their heat and come the part nearer to the target [K]; returns the sum of that [K]."""
    for i in range(low, high):
        warmed = T[i] + heat[i] * per_joule
        change = (target - warmed) * part
        T[i] = warmed + change
        heat[i] = change
    taken = _total(heat, low, high)
    heat[low:high] = 0.0
    return taken


@njit(cache=True, error_model="numpy")
def _total(values: Floats, low: int, high: int) -> float:
    """Sum in four strands: additions do not wait for each other."""
    a = b = c = d = 0.0
    i = low
    while i + 4 <= high:
        a += values[i]
        b += values[i + 1]
        c += values[i + 2]
        d += values[i + 3]
        i += 4
    while i < high:
        a += values[i]
        i += 1
    return (a + b) + (c + d)


@njit(cache=True, error_model="numpy")
def _book(joules: float, section: int, side: int, plant: Plant, energy: Floats, c: MachineConstants) -> None:
    """Take the heat [J] that one belt got in a section from what it ran over there."""
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
    entry, taper, cold = station_clearances(plant.clearance)
    upper = belts.T[0]
    lower = belts.T[1]
    # both rings have the same spacing: every upper node lies at the same part between two lower ones
    shift = ring_place(plant.belt_s[0], plant.belt_s[1], nodes, c)
    below = int(shift)
    w = shift - below
    i = math.ceil(-plant.belt_s[0] / c.ds) % nodes
    s = plant.belt_s[0] + i * c.ds
    s -= c.loop * math.floor(s / c.loop)
    while s < c.press_end:
        bare = 1.0 - belts.cover[i]
        if bare > 0.0:
            g = along_press(s, entry, taper, cold, c)
            U = min(c.h_closed, c.k_gap / max(g, 1e-6))
            a = i + below if i + below < nodes else i + below - nodes
            b = next_node(a, nodes)
            Q = bare * U * c.ds * c.width * dt * (upper[i] - (1.0 - w) * lower[a] - w * lower[b])
            belts.heat[0, i] -= Q
            belts.heat[1, a] += (1.0 - w) * Q
            belts.heat[1, b] += w * Q
        i = next_node(i, nodes)
        s += c.ds
    belts.cover[:] = 0.0
