"""The web of sheet as a ring of parcels: carried along under the belts, released, run off the table.

A parcel keeps its mass. Under the belts it moves with them, or more slowly while
it is still thick if part of the thinning goes into length (docs/model.md, volume
balance: v = v_b (h_exit/h)^(1 - beta)).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.constants import MaterialConstants
from emulator.material.thermal import density
from emulator.press.belts import Belts, sample, spread
from emulator.press.constants import FIRST_ZONE, MachineConstants
from emulator.press.geometry import (
    along_press,
    local_compliance,
    span_compliance,
    station_clearance,
    zone_at,
)
from emulator.press.parcel import PRESSURE_ACTS, Work, length_of, mean, step_pressed
from emulator.press.release import advance_released, release, step_released
from emulator.press.state import Parcel, Parcels, Plant, Progress, Record

Floats = NDArray[np.float64]


@njit(cache=True, error_model="numpy")
def step_sheet(
    parcels: Parcels,
    plant: Plant,
    belts: Belts,
    progress: Progress,
    record: Record,
    now_ns: int,
    dt: float,
    c: MachineConstants,
    m: MaterialConstants,
    w: Work,
) -> None:
    """Move every parcel by the pending travel in dt [s] ending now, and integrate it.

    Leaves in `belts` the heat and the cover, in `plant` line forces and loading.
    """
    travel = progress.pending_travel[2]
    entry = station_clearance(plant.clearance, 0)
    taper = station_clearance(plant.clearance, 1)
    cold = station_clearance(plant.clearance, 2)
    C_m = span_compliance(0.5 * (plant.tension[0] + plant.tension[1]), c)
    h_exit = grip_thickness(parcels, progress, c)
    half = 1.0 - math.exp(-0.5 * c.h_section[FIRST_ZONE] * dt / c.C_area)
    for group in range(6):
        plant.force[group] = 0.0
    peak = 0.0
    force = 0.0
    pressed_area = 0.0
    smallest = 0.0
    i = progress.ring[0]
    count = progress.ring[1]
    released = progress.ring[2]
    for k in range(count):
        parcel = parcels[i]
        i += 1
        if i == parcels.size:
            i = 0
        x_old = parcel.x
        if k < released:
            parcel.x = x_old + travel
            step_released(parcel, now_ns, c, m, w, record.energy)
            continue
        move = travel * carried(parcel.h, h_exit, c)
        x = x_old + move
        span = dt
        leaves = x >= c.press_end
        if leaves:  # the part of the step before the exit
            span = dt * (c.press_end - x_old) / move
            x = c.press_end
        length = length_of(parcel, parcel.h, c)
        T_up = sample(belts.T[0], plant.belt_s[0], x, length, c)
        T_low = sample(belts.T[1], plant.belt_s[1], x, length, c)
        if x >= c.heat_start:  # belts at the middle of the step, as their plates move them
            plate = 2 * zone_at(x, c)
            T_up += half * (plant.plate_T[plate] - T_up)
            T_low += half * (plant.plate_T[plate + 1] - T_low)
        C = local_compliance(x, C_m, c)
        g = along_press(x, entry, taper, cold, c)
        g0 = along_press(x_old, entry, taper, cold, c)
        Q_up, Q_low = step_pressed(parcel, T_up, T_low, g0, g, C, c.C_area * c.width * length, span, c, m, w)
        area = parcel.mass / (density(parcel.T[parcel.T.size // 2], m) * parcel.h)
        spread(-Q_up, belts.heat[0], plant.belt_s[0], x, length, c)
        spread(-Q_low, belts.heat[1], plant.belt_s[1], x, length, c)
        spread(area / (c.ds * c.width), belts.cover, plant.belt_s[0], x, length, c)
        parcel.belt_seen = 0.5 * (T_up + T_low)
        p = parcel.p
        if p > PRESSURE_ACTS and c.heat_start <= x < c.heat_end:
            first = 2 * zone_at(x, c)
            parcel.hot_min = min(parcel.hot_min, plant.plate_T[first], plant.plate_T[first + 1])
            parcel.hot_max = max(parcel.hot_max, plant.plate_T[first], plant.plate_T[first + 1])
        if p > 0.0:
            bear(plant, x, p, area, C, min(area / length, c.width), c)
            force += p * area
            pressed_area += area
            peak = max(peak, p)
        smallest = parcel.h if smallest == 0.0 else min(smallest, parcel.h)
        parcel.x = x_old + move
        if leaves:
            release(parcel, now_ns - int(1e9 * (dt - span)), record, c, m, w)
            progress.ring[2] += 1
    plant.loading[0] = peak
    plant.loading[1] = force / pressed_area if pressed_area > 0.0 else 0.0
    plant.loading[2] = 1.0 if peak >= c.p_limit else 0.0
    plant.loading[3] = smallest
    run_off(parcels, progress, record, now_ns, c, m, w)


@njit(cache=True, error_model="numpy")
def bear(plant: Plant, x: float, p: float, area: float, C: float, W: float, c: MachineConstants) -> None:
    """Book the force of a parcel under pressure p [Pa] to the bearings of its roller group.

    Where the right gap is wider than the left by a wedge, pressure varies linearly over the
    sheet width W [m], dp/dy = -wedge/(2 C width), and the left bearings take more.
    """
    wedge = along_press(
        x,
        plant.clearance[1] - plant.clearance[0],
        plant.clearance[3] - plant.clearance[2],
        plant.clearance[5] - plant.clearance[4],
        c,
    )
    tilt = wedge / (2.0 * C * c.width) * W * W / (12.0 * c.width)
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


@njit(cache=True, error_model="numpy")
def carried(h: float, h_exit: float, c: MachineConstants) -> float:
    """Speed of sheet of thickness h [m] over the belt's."""
    if c.spread >= 1.0 or h_exit == 0.0:
        return 1.0
    return float(min(1.0, (h_exit / h) ** (1.0 - c.spread)))


@njit(cache=True, error_model="numpy")
def run_off(
    parcels: Parcels,
    progress: Progress,
    record: Record,
    now_ns: int,
    c: MachineConstants,
    m: MaterialConstants,
    w: Work,
) -> None:
    """Take parcels off the end of the table, the oldest first."""
    ring = progress.ring
    while ring[2] > 0 and parcels[ring[0]].x >= c.table_end:
        advance_released(parcels[ring[0]], now_ns, c, m, w, record.energy)
        take_out(parcels[ring[0]], record)
        ring[0] = (ring[0] + 1) % parcels.size
        ring[1] -= 1
        ring[2] -= 1


@njit(cache=True, error_model="numpy")
def take_out(parcel: Parcel, record: Record) -> None:
    """Book mass and heat of a parcel that leaves the model."""
    record.energy[8] += parcel.mass * mean(parcel.H)
    record.mass[1] += parcel.mass
