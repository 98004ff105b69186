"""The web of sheet as a ring of parcels: carried along under the belts, released, run off the table.

A parcel keeps its mass. Under the belts it moves with them, or more slowly while
it is still thick if part of the thinning goes into length (docs/model.md, volume
balance: v = v_b (h_exit/h)^(1 - beta)). Parcels are stepped a tile at a time.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.constants import MaterialConstants
from emulator.material.lanes import power
from emulator.material.thermal import density
from emulator.material.tile import Tile
from emulator.material.vector import (
    LANES,
    Vector,
    any_of,
    element,
    first_lanes,
    largest,
    least,
    most,
    places,
    read,
    total,
    where,
    write,
)
from emulator.pointer import call_at
from emulator.press.belts import Belts, ring_place, sample, spread
from emulator.press.constants import FIRST_ZONE, MachineConstants
from emulator.press.geometry import find_gap, zone_at
from emulator.press.loading import load, store
from emulator.press.parcel import (
    AREA,
    BEARINGS,
    FORCE,
    PEAK,
    PRESSURE_ACTS,
    THINNEST,
    approach,
    length_of,
    load_layers,
    note,
    ring_size,
    split_into_layers,
    store_layers,
)
from emulator.press.parts import Parts
from emulator.press.release import advance_released, is_due, release
from emulator.press.state import Parcel, Plant, Record

Floats = NDArray[np.float64]

# plain numbers would each be a type of its own for the compiler, and what they are handed to be compiled again
NONE: Any = np.int64(0)
ONE: Any = np.int64(1)


@njit(inline="always", error_model="numpy")  # called once: one body less to compile
def step_sheet(p: Parts, now_ns: int, dt: float) -> None:
    """Move every parcel by the pending travel in dt [s] ending now, and integrate it.

    Leaves in `belts` the heat and the cover, in `plant` line forces and loading.
    """
    _step_table(p, now_ns)
    _step_press(p, now_ns, dt)
    p.plant.loading[2] = 1.0 if p.plant.loading[0] >= p.c.p_limit else 0.0
    run_off(p, now_ns)


@njit(cache=True, error_model="numpy")
def _step_table(p: Parts, now_ns: int) -> None:
    """Carry released sheet along, and let it recover where a step is due."""
    parcels, ring = p.parcels, p.progress.ring
    travel = p.progress.pending_travel[2]
    slot = ring[0]
    due = NONE
    for _ in range(ring[2]):
        parcel = parcels[slot]
        parcel.x += travel
        if is_due(parcel, now_ns):
            p.work.slots[due] = slot
            due += 1
            if due == LANES:
                advance_released(p, due, now_ns)
                due = NONE
        slot += 1
        if slot == ring_size(parcels):
            slot = 0
    if due > 0:
        advance_released(p, due, now_ns)


@njit(cache=True, error_model="numpy")
def _step_press(p: Parts, now_ns: int, dt: float) -> None:
    """Everything between the belts, a tile at a time; parcels that reach the end are released."""
    parcels, plant, ring, c, m, work = p.parcels, p.plant, p.progress.ring, p.c, p.m, p.work
    w = work.tile
    travel = p.progress.pending_travel[2]
    fast = travel > c.layered_speed * dt
    h_exit = grip_thickness(p)
    half = 1.0 - math.exp(-0.5 * c.h_section[FIRST_ZONE] * dt / c.C_area)
    clear(work.tally)
    head, first, count = ring[0], ring[2], ring[1]
    while first < count:
        lanes = min(LANES, count - first)
        layered = False
        slot = (head + first) % ring_size(parcels)
        for lane in range(LANES):
            work.slots[lane] = slot
            if fast and parcels[slot].layered == 0:
                split_into_layers(parcels[slot], p.strains[slot])
            layered |= parcels[slot].layered > 0
            if lane + 1 < lanes:
                slot = slot + 1 if slot + 1 < ring_size(parcels) else 0
        load(parcels, work.slots, w)
        if layered:
            load_layers(p.strains, work, c)
        _carry(w, travel, h_exit, dt, c)
        find_gap(w, plant, p.u, c)
        _face_belts(w, plant, p.belts, half, c)
        approach(w, c, m)
        call_at(c.step_tile, (w, work, layered, c, m))
        note(w, c)
        _meet(w, lanes, plant, p.belts, c, m)
        _bear(w, lanes, work.tally, c, m)
        write(w.x, read(w.x_0) + travel * carried(read(w.h_0), h_exit, c))
        store(parcels, work.slots, w)
        if layered:
            store_layers(p.strains, work, w, c)
        for lane in range(lanes):
            if w.x[lane] >= c.press_end:
                release(p, (head + first + lane) % ring_size(parcels), now_ns - int(1e9 * (dt - w.dt[lane])))
                ring[2] += 1
        first += lanes
    _add_up(plant, work.tally)


@njit(cache=True, error_model="numpy")
def _carry(w: Tile, travel: float, h_exit: float, dt: float, c: MachineConstants) -> None:
    """Where the parcels go in this step; for one that leaves, the part of the step before the exit."""
    x_0, h = read(w.x), read(w.h)
    move = travel * carried(h, h_exit, c)
    x = x_0 + move
    leaves = x >= c.press_end
    write(w.x_0, x_0)
    write(w.x, where(leaves, c.press_end, x))
    write(w.dt, where(leaves, dt * (c.press_end - x_0) / move, dt))
    write(w.length, length_of(read(w.length0), read(w.h0), h, c))
    write(w.h_0, h)
    write(w.p_0, read(w.p))


@njit(cache=True, error_model="numpy")
def _face_belts(w: Tile, plant: Plant, belts: Belts, half: float, c: MachineConstants) -> None:
    """Belts above and below the lanes, at the middle of the step as their plates move them by the part `half`."""
    x, length = read(w.x), read(w.length)
    nodes = belts.cover.size
    on_up = ring_place(x, plant.belt_s[0], nodes, c)
    on_low = ring_place(x, plant.belt_s[1], nodes, c)
    T_up = sample(belts.T[0], on_up, length, c)
    T_low = sample(belts.T[1], on_low, length, c)
    heated = where(x >= c.heat_start, half, 0.0)
    plate = 2.0 * zone_at(x, c)
    write(w.on_up, on_up)
    write(w.on_low, on_low)
    write(w.T_up, T_up + heated * (element(plant.plate_T, places(plate)) - T_up))
    write(w.T_low, T_low + heated * (element(plant.plate_T, places(plate + 1.0)) - T_low))
    write(w.C_face, c.C_area * c.width * length)


@njit(cache=True, error_model="numpy")
def _area(w: Tile, m: MaterialConstants) -> Vector:
    """Area [m2] of the sheet at the end of the step."""
    return read(w.mass) / (density(read(w.T_mean), m) * read(w.h))


@njit(cache=True, error_model="numpy")
def _meet(w: Tile, lanes: int, plant: Plant, belts: Belts, c: MachineConstants, m: MaterialConstants) -> None:
    """What the step of the first so many lanes leaves behind on the belts, and of them on the sheet."""
    x, length, on_up = read(w.x), read(w.length), read(w.on_up)
    there = first_lanes(lanes)
    spread(where(there, -read(w.Q_up), 0.0), belts.heat[0], on_up, length, c)
    spread(where(there, -read(w.Q_low), 0.0), belts.heat[1], read(w.on_low), length, c)
    spread(where(there, _area(w, m) / (c.ds * c.width), 0.0), belts.cover, on_up, length, c)
    write(w.belt_seen, 0.5 * (read(w.T_up) + read(w.T_low)))
    hot = (read(w.p) > PRESSURE_ACTS) & (x >= c.heat_start) & (x < c.heat_end)
    if any_of(hot):
        plate = 2.0 * zone_at(x, c)
        upper, lower = element(plant.plate_T, places(plate)), element(plant.plate_T, places(plate + 1.0))
        write(w.hot_min, least(read(w.hot_min), where(hot, least(upper, lower), np.inf)))
        write(w.hot_max, most(read(w.hot_max), where(hot, most(upper, lower), 0.0)))


@njit(cache=True, error_model="numpy")
def _bear(w: Tile, lanes: int, tally: Floats, c: MachineConstants, m: MaterialConstants) -> None:
    """Book the first so many lanes to loading and bearings.

    Where the right gap is wider than the left by a wedge, pressure varies linearly over the
    sheet width W [m], dp/dy = -wedge/(2 C width), and the left bearings take more.
    """
    there = first_lanes(lanes)
    write(tally[THINNEST], least(read(tally[THINNEST]), where(there, read(w.h), np.inf)))
    p = where(there, read(w.p), 0.0)
    pressed = p > 0.0
    if not any_of(pressed):
        return
    x, area = read(w.x), _area(w, m)
    force = p * area
    write(tally[PEAK], most(read(tally[PEAK]), p))
    write(tally[FORCE], read(tally[FORCE]) + force)
    write(tally[AREA], read(tally[AREA]) + where(pressed, area, 0.0))
    W = least(area / read(w.length), c.width)
    tilt = read(w.wedge_g) / (2.0 * read(w.C) * c.width) * W * W / (12.0 * c.width)
    left = force * least(most(0.5 + where(pressed, tilt / p, 0.0), 0.0), 1.0)
    right = force - left
    begin = -np.inf
    for group in range(3):
        end = c.taper_end if group == 0 else c.heat_end if group == 1 else np.inf
        inside = (x >= begin) & (x < end)
        row = BEARINGS + 2 * group
        write(tally[row], read(tally[row]) + where(inside, left, 0.0))
        write(tally[row + 1], read(tally[row + 1]) + where(inside, right, 0.0))
        begin = end


@njit(cache=True, error_model="numpy")
def clear(tally: Floats) -> None:
    """Nothing booked yet."""
    for row in range(tally.shape[0]):
        write(tally[row], 0.0)
    write(tally[THINNEST], np.inf)


@njit(cache=True, error_model="numpy")
def _add_up(plant: Plant, tally: Floats) -> None:
    """Loading (peak pressure, mean pressure, overforce flag, smallest thickness) and line forces of the step."""
    area = total(read(tally[AREA]))
    plant.loading[0] = largest(read(tally[PEAK]))
    plant.loading[1] = total(read(tally[FORCE])) / area if area > 0.0 else 0.0
    thinnest = -largest(-read(tally[THINNEST]))
    plant.loading[3] = thinnest if thinnest < np.inf else 0.0
    for bearing in range(6):
        plant.force[bearing] = total(read(tally[BEARINGS + bearing]))


@njit(cache=True, error_model="numpy")
def grip_thickness(p: Parts) -> float:
    """Thickness [m] of the thinnest parcel under pressure: that one moves with the belt. 0 if none."""
    ring = p.progress.ring
    thinnest = 0.0
    if p.c.spread < 1.0:
        for k in range(ring[2], ring[1]):
            parcel = p.parcels[(ring[0] + k) % ring_size(p.parcels)]
            if parcel.p > 0.0 and (thinnest == 0.0 or parcel.h < thinnest):
                thinnest = parcel.h
    return thinnest


@njit(cache=True, error_model="numpy")
def carried(h: Vector, h_exit: float, c: MachineConstants) -> Vector:
    """Speed of sheet of thickness h [m] over the belt's."""
    if c.spread >= 1.0 or h_exit == 0.0:
        return 1.0 + 0.0 * h
    return least(1.0, power(h_exit / h, 1.0 - c.spread))


@njit(cache=True, error_model="numpy")
def run_off(p: Parts, now_ns: int) -> None:
    """Take parcels off the end of the table, the oldest first."""
    parcels, ring = p.parcels, p.progress.ring
    while ring[2] > 0 and parcels[ring[0]].x >= p.c.table_end:
        if parcels[ring[0]].updated_ns < now_ns:
            p.work.slots[0] = ring[0]
            advance_released(p, ONE, now_ns)
        take_out(parcels[ring[0]], p.record)
        ring[0] = (ring[0] + 1) % ring_size(parcels)
        ring[1] -= 1
        ring[2] -= 1


@njit(cache=True, error_model="numpy")
def take_out(parcel: Parcel, record: Record) -> None:
    """Book mass and heat of a parcel that leaves the model."""
    total = 0.0
    for j in range(parcel.H.size):
        total += parcel.H[j]
    record.energy[8] += parcel.mass * total / parcel.H.size
    record.mass[1] += parcel.mass
