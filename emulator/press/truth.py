"""Fill the truth vector of `signals.SIGNALS` from the state."""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.press import commands as at
from emulator.press.belts import Belts, temperature_at
from emulator.press.constants import MachineConstants
from emulator.press.geometry import smallest_clearance
from emulator.press.parcel import length_of, ring_size
from emulator.press.parts import Parts
from emulator.press.release import surface_temperature
from emulator.press.signals import index
from emulator.press.state import Parcels, Plant, Progress

Floats = NDArray[np.float64]

PLATE: Final = index("heat_1_upper_plate_temperature_k")
BELT: Final = index("heat_1_upper_belt_temperature_k")
DRUM: Final = index("entry_drum_upper_temperature_k")
PLACE: Final = index("entry_upper_belt_temperature_k")
HEATER: Final = index("heat_1_upper_heater_power_w")
CLEARANCE: Final = index("entry_left_clearance_m")
FORCE: Final = index("entry_left_line_force_n")
HYDRAULIC: Final = index("hydraulic_pressure_pa")
LOADING: Final = index("sheet_pressure_peak_pa")
SPEED: Final = index("upper_belt_speed_m_s")
MISMATCH: Final = index("speed_mismatch_fraction")
TORQUE: Final = index("upper_drive_torque_nm")
CURRENT: Final = index("upper_drive_current_a")
TENSION: Final = index("upper_belt_tension_n_m")
TAKE_UP: Final = index("upper_take_up_travel_m")
TRACKING: Final = index("upper_belt_tracking_m")
STEERING: Final = index("upper_steering_angle_rad")
COOLANT: Final = index("coolant_flow_fraction")
TRAVEL: Final = index("belt_travel_m")
FEED_ACTIVE: Final = index("feed_active")
COUNT: Final = index("parcels_in_press")
AT_ENTRY: Final = index("entry_sheet_present")
SMALLEST: Final = index("smallest_sheet_thickness_m")
AT_EXIT: Final = index("exit_sheet_present")
AT_RECOVERED: Final = index("recovered_sheet_present")
CROWN: Final = index("exit_sheet_crown_m")
RELEASED: Final = index("released_count")

STANDSTILL = 1e-4  # m/s: no speed mismatch below


@njit(cache=True, error_model="numpy")
def observe(p: Parts, out: Floats) -> None:
    """Write every signal."""
    record = p.record
    _observe_thermal(p.plant, p.belts, p.c, out)
    _observe_mechanics(p.plant, p.c, out)
    _observe_sheet(p, out)
    out[RELEASED] = record.film_count[0]
    for offset in range(5):
        out[RELEASED + 1 + offset] = 0.0
    measured = record.measured[0]
    if measured > 0:
        film = record.film[(measured - 1) % record.film.shape[0]]
        out[RELEASED + 1] = film[0]
        out[RELEASED + 2] = film[1]
        out[RELEASED + 3] = film[3]
        out[RELEASED + 4] = film[4]
        out[RELEASED + 5] = film[5]


@njit(cache=True, error_model="numpy")
def _observe_thermal(plant: Plant, belts: Belts, c: MachineConstants, out: Floats) -> None:
    heat = (c.heat_end - c.heat_start) / 4.0
    cold = (c.press_end - c.heat_end) / 2.0
    for i in range(12):
        zone = i // 2
        x = c.heat_start + (zone + 0.5) * heat if zone < 4 else c.heat_end + (zone - 3.5) * cold
        out[PLATE + i] = plant.plate_T[i]
        out[BELT + i] = temperature_at(belts.T[i % 2], plant.belt_s[i % 2], x, c)
    for i in range(4):
        out[DRUM + i] = plant.drum_T[i]
    for side in range(2):
        T = belts.T[side]
        s = plant.belt_s[side]
        out[PLACE + side] = temperature_at(T, s, 0.0, c)
        out[PLACE + 2 + side] = temperature_at(T, s, c.press_end, c)
        out[PLACE + 4 + side] = temperature_at(T, s, 0.5 * (c.loop + c.press_end), c)
    for i in range(10):
        out[HEATER + i] = plant.heater_power[i]
    flow = plant.coolant[0]
    out[COOLANT] = flow
    out[COOLANT + 1] = plant.coolant[1]
    out[COOLANT + 2] = plant.coolant[1] + plant.coolant[2] / (max(flow, 1e-2) * c.flow_heat)


@njit(cache=True, error_model="numpy")
def _observe_mechanics(plant: Plant, c: MachineConstants, out: Floats) -> None:
    for i in range(6):
        out[CLEARANCE + i] = plant.clearance[i]
        out[FORCE + i] = plant.force[i]
    out[HYDRAULIC] = plant.hydraulic_pressure[0]
    for i in range(3):
        out[LOADING + i] = plant.loading[i]
    faster = max(plant.speed[0], plant.speed[1])
    out[MISMATCH] = (plant.speed[0] - plant.speed[1]) / faster if faster > STANDSTILL else 0.0
    for side in range(2):
        out[SPEED + side] = plant.speed[side]
        out[TORQUE + side] = plant.torque[side]
        out[CURRENT + side] = c.current * abs(plant.torque[side]) / c.torque_max
        out[TENSION + side] = plant.tension[side]
        growth = 0.5 * c.expansion * c.loop * (plant.belt_mean[side] - 298.15)
        out[TAKE_UP + side] = growth + c.stretch * plant.tension[side]
        out[TRACKING + side] = plant.tracking[side]
        out[STEERING + side] = plant.steering[side]
    out[TRAVEL] = 0.5 * (plant.belt_travel[0] + plant.belt_travel[1])


@njit(cache=True, error_model="numpy")
def _observe_sheet(p: Parts, out: Floats) -> None:
    parcels, plant, progress, u, c = p.parcels, p.plant, p.progress, p.u, p.c
    released = progress.ring[2]
    inside = progress.ring[1] - released
    for offset in range(3):
        out[AT_ENTRY + offset] = 0.0
    if inside > 0:
        youngest = parcels[(progress.ring[0] + progress.ring[1] - 1) % ring_size(parcels)]
        if youngest.x <= 3.0 * c.parcel:
            out[AT_ENTRY] = 1.0
            out[AT_ENTRY + 1] = youngest.h0
            out[AT_ENTRY + 2] = youngest.T_mean
    out[COUNT] = inside
    out[COUNT + 1] = released
    out[FEED_ACTIVE] = 1.0 if u[at.FEED] > 0.5 and out[AT_ENTRY] > 0.5 else 0.0
    out[SMALLEST] = plant.loading[3]
    out[SMALLEST + 1] = smallest_clearance(plant.clearance)
    for offset in range(4):
        out[AT_EXIT + offset] = 0.0
    out[CROWN] = 0.0
    out[CROWN + 1] = 0.0
    out[AT_RECOVERED] = 0.0
    out[AT_RECOVERED + 1] = 0.0
    slot = _parcel_at(parcels, progress, c.exit_gauge, c)
    if slot >= 0:
        parcel = parcels[slot]
        out[AT_EXIT] = 1.0
        out[AT_EXIT + 1] = parcel.h
        out[AT_EXIT + 2] = surface_temperature(parcel, p.m)
        out[AT_EXIT + 3] = parcel.T_mean
        out[CROWN] = parcel.crown
        out[CROWN + 1] = parcel.wedge
    slot = _parcel_at(parcels, progress, c.recovered_gauge, c)
    if slot >= 0:
        out[AT_RECOVERED] = 1.0
        out[AT_RECOVERED + 1] = parcels[slot].h


@njit(cache=True, error_model="numpy")
def _parcel_at(parcels: Parcels, progress: Progress, x: float, c: MachineConstants) -> int:
    """Slot of the released parcel that lies at x [m], or -1: parcels are ordered along the line."""
    low = 0  # the last parcel known to be at or beyond x
    high = progress.ring[2]  # the first known to be before it
    if high == 0:
        return -1
    while high - low > 1:
        middle = (low + high) // 2
        if parcels[(progress.ring[0] + middle) % ring_size(parcels)].x >= x:
            low = middle
        else:
            high = middle
    for k in (low, high):
        if k < progress.ring[2]:
            slot = (progress.ring[0] + k) % ring_size(parcels)
            parcel = parcels[slot]
            if abs(parcel.x - x) <= 0.51 * length_of(parcel.length0, parcel.h0, parcel.h_exit, c):
                return int(slot)
    return -1
