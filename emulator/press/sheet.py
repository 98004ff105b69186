"""The web of sheet as a ring of parcels: carried along under the belts, released, run off the table.

A parcel keeps its mass. Under the belts it moves with them, or more slowly while
it is still thick if part of the thinning goes into length (docs/model.md, volume
balance: v = v_b (h_exit/h)^(1 - beta)). Parcels are stepped a block at a time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.block import LANES, Block
from emulator.material.constants import MaterialConstants
from emulator.material.thermal import density
from emulator.press.belts import Belts, place_lanes, sample, spread
from emulator.press.constants import FIRST_ZONE, MachineConstants
from emulator.press.geometry import gap_of_lanes, zone_at
from emulator.press.outline import call_step_block, call_step_layers
from emulator.press.parcel import (
    PRESSURE_ACTS,
    Work,
    approach,
    length_of,
    load,
    load_history,
    note,
    split_into_layers,
    store,
    store_history,
)
from emulator.press.release import advance_released, is_due, release
from emulator.press.state import Parcel, Parcels, Plant, Progress, Record, Strains

Floats = NDArray[np.float64]


@njit(cache=True, error_model="numpy")
def step_sheet(
    parcels: Parcels,
    strains: Sequence[Strains],
    plant: Plant,
    belts: Belts,
    progress: Progress,
    record: Record,
    now_ns: int,
    dt: float,
    u: Floats,
    c: MachineConstants,
    m: MaterialConstants,
    work: Work,
) -> None:
    """Move every parcel by the pending travel in dt [s] ending now, and integrate it.

    Leaves in `belts` the heat and the cover, in `plant` line forces and loading.
    """
    _step_table(parcels, strains, progress, record, now_ns, c, m, work)
    plant.force[:] = 0.0
    plant.loading[:] = 0.0
    ring = progress.ring
    if ring[1] > ring[2]:
        _step_press(parcels, strains, plant, belts, progress, record, now_ns, dt, u, c, m, work)
    if plant.loading[2] > 0.0:
        plant.loading[1] /= plant.loading[2]
    plant.loading[2] = 1.0 if plant.loading[0] >= c.p_limit else 0.0
    run_off(parcels, strains, progress, record, now_ns, c, m, work)


@njit(cache=True, error_model="numpy")
def _step_table(
    parcels: Parcels,
    strains: Sequence[Strains],
    progress: Progress,
    record: Record,
    now_ns: int,
    c: MachineConstants,
    m: MaterialConstants,
    work: Work,
) -> None:
    """Carry released sheet along, and let it recover where a step is due."""
    travel = progress.pending_travel[2]
    slot = progress.ring[0]
    due = 0
    for _ in range(progress.ring[2]):
        parcel = parcels[slot]
        parcel.x += travel
        if is_due(parcel, now_ns):
            work.slots[due] = slot
            due += 1
            if due == LANES:
                advance_released(parcels, strains, due, now_ns, record.energy, c, m, work)
                due = 0
        slot += 1
        if slot == parcels.size:
            slot = 0
    if due > 0:
        advance_released(parcels, strains, due, now_ns, record.energy, c, m, work)


@njit(cache=True, error_model="numpy")
def _step_press(
    parcels: Parcels,
    strains: Sequence[Strains],
    plant: Plant,
    belts: Belts,
    progress: Progress,
    record: Record,
    now_ns: int,
    dt: float,
    u: Floats,
    c: MachineConstants,
    m: MaterialConstants,
    work: Work,
) -> None:
    """Everything between the belts, a block at a time; parcels that reach the end are released."""
    w = work.lanes
    travel = progress.pending_travel[2]
    speed = travel / dt
    h_exit = grip_thickness(parcels, progress, c)
    half = 1.0 - math.exp(-0.5 * c.h_section[FIRST_ZONE] * dt / c.C_area)
    first = progress.ring[2]
    count = progress.ring[1]
    while first < count:
        lanes = min(LANES, count - first)
        layered = False
        for lane in range(lanes):
            slot = (progress.ring[0] + first + lane) % parcels.size
            work.slots[lane] = slot
            parcel = parcels[slot]
            if speed > c.layered_speed and parcel.layered == 0:
                split_into_layers(parcel, strains[slot])
            layered |= parcel.layered > 0
            load(parcel, strains[slot], w, lane)
            load_history(parcel, w, lane)
            _carry(parcel, w, lane, travel * carried(parcel.h, h_exit, c), dt, c)
        gap_of_lanes(w, lanes, plant, u, c)
        place_lanes(w, lanes, plant, belts.cover.size, c)
        for lane in range(lanes):
            _face_belts(w, lane, plant, belts, half, c)
        approach(w, lanes, c, m)
        call_step_block(c.step_block, w, lanes, layered, c, m)
        for lane in range(lanes):
            slot = work.slots[lane]
            if parcels[slot].layered > 0:
                call_step_layers(c.step_layers, w, lane, strains[slot], work.layers, c, m)
        note(w, lanes, c)
        for lane in range(lanes):
            slot = work.slots[lane]
            parcel = parcels[slot]
            store(parcel, w, lane)
            store_history(parcel, w, lane)
            _meet(parcel, w, lane, plant, belts, c, m)
            parcel.x = w.x_0[lane] + travel * carried(w.h_0[lane], h_exit, c)
            if parcel.x >= c.press_end:
                release(parcel, strains[slot], now_ns - int(1e9 * (dt - w.dt[lane])), record, c, m, work)
                progress.ring[2] += 1
        first += lanes


@njit(inline="always", error_model="numpy")
def _carry(parcel: Parcel, w: Block, lane: int, move: float, dt: float, c: MachineConstants) -> None:
    """Where the parcel goes in this step; for one that leaves, the part of the step before the exit."""
    x = parcel.x + move
    leaves = x >= c.press_end
    w.x_0[lane] = parcel.x
    w.x[lane] = c.press_end if leaves else x
    w.dt[lane] = dt * (c.press_end - parcel.x) / move if leaves else dt
    w.length[lane] = length_of(parcel, parcel.h, c)


@njit(inline="always", error_model="numpy")
def _face_belts(w: Block, lane: int, plant: Plant, belts: Belts, half: float, c: MachineConstants) -> None:
    """Belts above and below a lane, at the middle of the step as their plates move them by the part `half`."""
    x, length = w.x[lane], w.length[lane]
    T_up = sample(belts.T[0], w.on_up[lane], length, c)
    T_low = sample(belts.T[1], w.on_low[lane], length, c)
    if x >= c.heat_start:
        plate = 2 * zone_at(x, c)
        T_up += half * (plant.plate_T[plate] - T_up)
        T_low += half * (plant.plate_T[plate + 1] - T_low)
    w.T_up[lane] = T_up
    w.T_low[lane] = T_low
    w.C_face[lane] = c.C_area * c.width * length


@njit(inline="always", error_model="numpy")
def _meet(
    parcel: Parcel, w: Block, lane: int, plant: Plant, belts: Belts, c: MachineConstants, m: MaterialConstants
) -> None:
    """What the step of a lane leaves behind on the belts, the rollers and the parcel's own story."""
    x, length = w.x[lane], w.length[lane]
    area = parcel.mass / (density(parcel.T_mean, m) * parcel.h)
    spread(-w.Q_up[lane], belts.heat[0], w.on_up[lane], length, c)
    spread(-w.Q_low[lane], belts.heat[1], w.on_low[lane], length, c)
    spread(area / (c.ds * c.width), belts.cover, w.on_up[lane], length, c)
    parcel.belt_seen = 0.5 * (w.T_up[lane] + w.T_low[lane])
    p = parcel.p
    if p > PRESSURE_ACTS and c.heat_start <= x < c.heat_end:
        plate = 2 * zone_at(x, c)
        parcel.hot_min = min(parcel.hot_min, plant.plate_T[plate], plant.plate_T[plate + 1])
        parcel.hot_max = max(parcel.hot_max, plant.plate_T[plate], plant.plate_T[plate + 1])
    loading = plant.loading  # peak pressure, force, pressed area, smallest thickness
    if p > 0.0:
        bear(plant, w, lane, area, c)
        loading[0] = max(loading[0], p)
        loading[1] += p * area
        loading[2] += area
    loading[3] = parcel.h if loading[3] == 0.0 else min(loading[3], parcel.h)


@njit(inline="always", error_model="numpy")
def bear(plant: Plant, w: Block, lane: int, area: float, c: MachineConstants) -> None:
    """Book the force on a lane of this area [m2] to the bearings of its roller group.

    Where the right gap is wider than the left by a wedge, pressure varies linearly over the
    sheet width W [m], dp/dy = -wedge/(2 C width), and the left bearings take more.
    """
    x, p = w.x[lane], w.p[lane]
    W = min(area / w.length[lane], c.width)
    tilt = w.wedge_g[lane] / (2.0 * w.C[lane] * c.width) * W * W / (12.0 * c.width)
    left = min(max(0.5 + tilt / p, 0.0), 1.0)
    group = 0 if x < c.taper_end else 1 if x < c.heat_end else 2
    plant.force[2 * group] += p * area * left
    plant.force[2 * group + 1] += p * area * (1.0 - left)


@njit(cache=True, error_model="numpy")
def grip_thickness(parcels: Parcels, progress: Progress, c: MachineConstants) -> float:
    """Thickness [m] of the thinnest parcel under pressure: that one moves with the belt. 0 if none."""
    thinnest = 0.0
    if c.spread < 1.0:
        for k in range(progress.ring[2], progress.ring[1]):
            parcel = parcels[(progress.ring[0] + k) % parcels.size]
            if parcel.p > 0.0 and (thinnest == 0.0 or parcel.h < thinnest):
                thinnest = parcel.h
    return thinnest


@njit(inline="always", error_model="numpy")
def carried(h: float, h_exit: float, c: MachineConstants) -> float:
    """Speed of sheet of thickness h [m] over the belt's."""
    if c.spread >= 1.0 or h_exit == 0.0:
        return 1.0
    return float(min(1.0, (h_exit / h) ** (1.0 - c.spread)))


@njit(cache=True, error_model="numpy")
def run_off(
    parcels: Parcels,
    strains: Sequence[Strains],
    progress: Progress,
    record: Record,
    now_ns: int,
    c: MachineConstants,
    m: MaterialConstants,
    work: Work,
) -> None:
    """Take parcels off the end of the table, the oldest first."""
    ring = progress.ring
    while ring[2] > 0 and parcels[ring[0]].x >= c.table_end:
        if parcels[ring[0]].updated_ns < now_ns:
            work.slots[0] = ring[0]
            advance_released(parcels, strains, 1, now_ns, record.energy, c, m, work)
        take_out(parcels[ring[0]], record)
        ring[0] = (ring[0] + 1) % parcels.size
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
