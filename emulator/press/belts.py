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
    LANES,
    Places,
    Vector,
    add_at,
    any_of,
    broadcast,
    element,
    floor,
    lane_numbers,
    least,
    most,
    places,
    read,
    total,
    where,
    write,
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
def _point(u: Vector, k: float, points: Vector, length: Vector, nodes: int, c: MachineConstants) -> Vector:
    """Place of point k under parcels at places u."""
    if not any_of(points > 1.0):  # parcels as short as the nodes are: their middle
        return u
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
    k = 0.0
    while any_of(points > k):
        part, before, behind = _beside(_point(u, k, points, length, T.size, c), T.size)
        T_before = element(T, before)
        sum_T = sum_T + where(points > k, T_before + part * (element(T, behind) - T_before), 0.0)
        k += 1.0
    return sum_T / points


@njit(cache=True, error_model="numpy")
def spread(amount: Vector, out: Floats, u: Vector, length: Vector, c: MachineConstants) -> None:
    """Add amounts to the nodes under parcels with the weights `sample` reads them with."""
    points = _points(length, c)
    share = amount / points
    k = 0.0
    while any_of(points > k):
        part, before, behind = _beside(_point(u, k, points, length, out.size, c), out.size)
        here = where(points > k, share, 0.0)
        further = part * here
        add_at(out, before, here - further)
        add_at(out, behind, further)
        k += 1.0


@njit(cache=True, error_model="numpy")
def step_belts(belts: Belts, plant: Plant, dt: float, energy: Floats, c: MachineConstants) -> None:
    """Exchange of both belts with the sheet, each other and what they run over, for dt [s].

    Uses up and zeroes `belts.heat` and `belts.cover`. Every joule that leaves a node is
    booked to a plate, a drum or the surroundings.
    """
    nodes = belts.T.shape[1]
    _exchange_facing(belts, plant, dt, c)
    first = (math.ceil(-plant.belt_s[0] / c.ds), math.ceil(-plant.belt_s[1] / c.ds))  # nodes of the section
    last = (first[0] + nodes, first[1] + nodes)
    plant.belt_mean[:] = 0.0
    for section in range(SECTIONS):
        part = 1.0 - math.exp(-c.h_section[section] * dt / c.C_area)
        ends = last
        if section < SECTIONS - 1:
            s = c.section_end[section]
            ends = (math.ceil((s - plant.belt_s[0]) / c.ds), math.ceil((s - plant.belt_s[1]) / c.ds))
        for side in range(2):
            taken = _run_over(belts, side, first[side], ends[side], _target(section, side, plant, c), part, plant, c)
            _book(c.C_node * taken, section, side, plant, energy, c)
        first = ends
    plant.belt_mean[0] /= nodes
    plant.belt_mean[1] /= nodes


@njit(cache=True, error_model="numpy")
def _target(section: int, side: int, plant: Plant, c: MachineConstants) -> float:
    """Temperature [K] of what a belt runs over in a section."""
    if FIRST_ZONE <= section < FIRST_ZONE + 6:
        return float(plant.plate_T[2 * (section - FIRST_ZONE) + side])
    if section == ENTRY_DRUM:
        return float(plant.drum_T[side])
    if section == EXIT_DRUM:
        return float(plant.drum_T[2 + side])
    return float(c.T_ambient)


@njit(cache=True, error_model="numpy")
def _run_over(
    belts: Belts, side: int, first: int, end: int, target: float, part: float, plant: Plant, c: MachineConstants
) -> float:
    """Nodes first up to end take their heat and come the part nearer to the target [K]; returns the sum of that [K].

    Adds up their temperatures in `belt_mean`.
    """
    T, heat = belts.T[side], belts.heat[side]
    per_joule = 1.0 / c.C_node
    low = first % T.size
    high = low + end - first
    taken = 0.0
    while low < high:
        stop = min(high, T.size)
        changes, sums = broadcast(0.0), broadcast(0.0)
        i = low
        while i + LANES <= stop:
            T_here, heat_here = T[i : i + LANES], heat[i : i + LANES]
            warmed = read(T_here) + read(heat_here) * per_joule
            change = (target - warmed) * part
            write(T_here, warmed + change)
            write(heat_here, 0.0)
            changes = changes + change
            sums = sums + (warmed + change)
            i += LANES
        taken += total(changes)
        plant.belt_mean[side] += total(sums)
        while i < stop:
            warmed_node = T[i] + heat[i] * per_joule
            change_node = (target - warmed_node) * part
            T[i] = warmed_node + change_node
            heat[i] = 0.0
            taken += change_node
            plant.belt_mean[side] += T[i]
            i += 1
        low, high = FIRST_NODE, high - T.size  # what goes beyond the last node goes on at the first
    return taken


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
    upper, lower, cover = belts.T[0], belts.T[1], belts.cover
    from_upper, to_lower = belts.heat[0], belts.heat[1]
    nodes = cover.size
    # both rings have the same spacing: every upper node lies at the same part between two lower ones
    shift = ring_place(plant.belt_s[0], plant.belt_s[1], nodes, c)
    below = int(shift)
    w = shift - below
    i = math.ceil(-plant.belt_s[0] / c.ds) % nodes
    s = plant.belt_s[0] + i * c.ds
    s -= c.loop * math.floor(s / c.loop)
    while s < c.press_end:
        a = i + below if i + below < nodes else i + below - nodes
        if i + LANES < nodes and a + LANES < nodes and s + (LANES - 1) * c.ds < c.press_end:
            here, under, behind = slice(i, i + LANES), slice(a, a + LANES), slice(a + 1, a + 1 + LANES)
            T_under = (1.0 - w) * read(lower[under]) + w * read(lower[behind])
            Q = _facing(s + c.ds * lane_numbers(), read(cover[here]), read(upper[here]) - T_under, plant, dt, c)
            write(from_upper[here], read(from_upper[here]) - Q)
            write(to_lower[under], read(to_lower[under]) + (1.0 - w) * Q)
            write(to_lower[behind], read(to_lower[behind]) + w * Q)
            i += LANES
            s += LANES * c.ds
        else:
            b = next_node(a, nodes)
            Q_node = _facing(s, cover[i], upper[i] - ((1.0 - w) * lower[a] + w * lower[b]), plant, dt, c)
            from_upper[i] -= Q_node
            to_lower[a] += (1.0 - w) * Q_node
            to_lower[b] += w * Q_node
            i = next_node(i, nodes)
            s += c.ds
    cover[:] = 0.0


@njit(cache=True, error_model="numpy")
def _facing(s: Vector, cover: Vector, warmer: Vector, plant: Plant, dt: float, c: MachineConstants) -> Vector:
    """Heat [J] from upper nodes at s [m] to the lower belt in dt [s]; they are `warmer` [K] than that."""
    entry, taper, cold = station_clearances(plant.clearance)
    U = least(c.h_closed, c.k_gap / most(along_press(s, entry, taper, cold, c), 1e-6))
    return most(1.0 - cover, 0.0) * U * (c.ds * c.width * dt) * warmer
