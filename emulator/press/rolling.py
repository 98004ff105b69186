"""One parcel through the press with belts of given temperature: the material alone.

The same steps as in the full press, without the belts' heat balance, drives and
actuators. It answers "what would this clearance, speed and temperature do to the
sheet" in a millisecond, and is what an independent solution is compared with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.constants import MaterialConstants
from emulator.material.definition import Material
from emulator.material.vector import LANES, least, most, read, write
from emulator.pointer import call_at
from emulator.press.commands import INPUT_COUNT, MISSING_ROLLER
from emulator.press.compiled import kernel_constants
from emulator.press.constants import MachineConstants
from emulator.press.feed import fresh_parcel
from emulator.press.geometry import find_gap
from emulator.press.loading import load, store
from emulator.press.machine import Machine
from emulator.press.parcel import Work, approach, load_layers, note, split_into_layers, store_layers, work
from emulator.press.release import laboratory_thickness, recovered_truth, release_truth
from emulator.press.state import FILM_COLUMNS, PLANT, LayerStrains, Parcels, Plant, parcel_type, strains_type

Floats = NDArray[np.float64]

TRACE_COLUMNS = ("x_m", "thickness_m", "pressure_pa", "mean_temperature_k", "core_temperature_k")


@dataclass(frozen=True, slots=True)
class Pass:
    """How one parcel is rolled; belt temperature is linear between the given places."""

    belt_x_m: Floats
    belt_temperature_k: Floats
    entry_clearance_m: float = 3.2e-3
    taper_clearance_m: float = 0.6e-3
    cold_clearance_m: float = 0.6e-3
    speed_m_s: float = 1.0 / 60.0
    tension_n_m: float = 72e3
    feed_thickness_m: float = 3.0e-3
    feed_temperature_k: float = 298.15
    rest_s: float = 600.0
    """Time from release to the reading of the recovered thickness."""


@dataclass(frozen=True, slots=True)
class Rolled:
    """Outcome: truth by `FILM_COLUMNS`, and the way there, rows of `TRACE_COLUMNS`."""

    truth: dict[str, float]
    trace: Floats


def ideal_belt(machine: Machine, heat_k: float, cold_k: float, speed_m_s: float) -> tuple[Floats, Floats]:
    """Places and temperatures of a belt that enters hot and cools in the cold zones, with no sheet."""
    belts = machine.belts
    tau = belts.density_kg_m3 * belts.heat_capacity_j_kgk * belts.thickness_mm * 1e-3
    tau /= belts.plate_conductance_w_m2k
    cold = np.linspace(machine.heat_end_m, machine.press_length_m, 200)
    temperature = cold_k + (heat_k - cold_k) * np.exp(-(cold - machine.heat_end_m) / speed_m_s / tau)
    return np.concatenate([[0.0], cold]), np.concatenate([[heat_k], temperature])


def roll(machine: Machine, material: Material, how: Pass, step_m: float | None = None) -> Rolled:
    """Roll one parcel; `step_m` overrides the step of the machine file."""
    return roll_parcel(machine, material, how, step_m)[1]


def roll_parcel(machine: Machine, material: Material, how: Pass, step_m: float | None = None) -> tuple[Any, Rolled]:
    """The same, with the parcel as it leaves the belts, before it has recovered: an array of one."""
    machines, materials = kernel_constants(machine, material)
    longest = min(machines[0].step_m, how.speed_m_s * machine.numerics.step_max_s)
    steps = math.ceil(machine.press_length_m / (step_m or longest))
    trace = np.zeros((steps, len(TRACE_COLUMNS)))
    truth = np.zeros(len(FILM_COLUMNS))
    conditions = np.array([how.speed_m_s, how.feed_thickness_m, how.feed_temperature_k, how.rest_s])
    layers = machine.numerics.layer_count
    parcels: Any = np.zeros(1, parcel_type(layers))
    strains: Any = np.zeros(1, strains_type(layers))
    _roll(
        parcels,
        strains,
        _plant(how),
        machines,
        materials,
        work(layers),
        np.asarray(how.belt_x_m, np.float64),
        np.asarray(how.belt_temperature_k, np.float64),
        conditions,
        trace,
        truth,
    )
    return parcels, Rolled(dict(zip(FILM_COLUMNS, truth.tolist(), strict=True)), trace)


def _plant(how: Pass) -> Any:
    """Clearances and tension of the pass, as far as the gap asks for them."""
    plants = np.zeros(1, PLANT)
    plants["clearance"] = np.repeat([how.entry_clearance_m, how.taper_clearance_m, how.cold_clearance_m], 2)
    plants["tension"] = how.tension_n_m
    return plants


@njit(cache=True, error_model="numpy")
def _roll(
    parcels: Parcels,
    strains: LayerStrains,
    plants: Sequence[Plant],
    machines: Sequence[MachineConstants],
    materials: Sequence[MaterialConstants],
    works: Sequence[Work],
    belt_x: Floats,
    belt_T: Floats,
    conditions: Floats,
    trace: Floats,
    truth: Floats,
) -> None:
    parcel = parcels[0]
    plant = plants[0]
    c = machines[0]
    m = materials[0]
    work = works[0]
    w = work.tile
    v, h0, T_feed, rest = conditions
    fresh_parcel(parcel, h0, T_feed, 0.0, c, m)
    layered = v > c.layered_speed
    if layered:
        split_into_layers(parcel, strains[0])
    for lane in range(LANES):
        work.slots[lane] = 0
    load(parcels, work.slots, w)
    if layered:
        load_layers(strains, work, c)
    undisturbed = np.zeros(INPUT_COUNT)
    undisturbed[MISSING_ROLLER] = -1.0
    steps = trace.shape[0]
    dx = c.press_end / steps
    write(w.dt, dx / v)
    write(w.C_face, np.inf)
    k = 0
    for step in range(steps):
        middle = (step + 0.5) * dx
        while k < belt_x.size - 2 and belt_x[k + 1] < middle:
            k += 1
        along = min(max((middle - belt_x[k]) / (belt_x[k + 1] - belt_x[k]), 0.0), 1.0)
        T_b = belt_T[k] + along * (belt_T[k + 1] - belt_T[k])
        x = (step + 1) * dx
        write(w.T_up, T_b)
        write(w.T_low, T_b)
        write(w.x_0, step * dx)
        write(w.x, x)
        write(w.h_0, read(w.h))
        write(w.p_0, read(w.p))
        find_gap(w, plant, undisturbed, c)
        approach(w, c, m)
        call_at(c.step_tile, (w, work, layered, c, m))
        note(w, c)
        if w.p[0] > 0.0 and c.heat_start <= x < c.heat_end:
            write(w.hot_min, least(read(w.hot_min), T_b))
            write(w.hot_max, most(read(w.hot_max), T_b))
        trace[step, 0] = x
        trace[step, 1] = w.h[0]
        trace[step, 2] = w.p[0]
        trace[step, 3] = w.T_mean[0]
        trace[step, 4] = w.T[parcel.H.size // 2][0]
    write(w.belt_seen, T_b)
    store(parcels, work.slots, w)
    if layered:
        store_layers(strains, work, w, c)
    release_truth(parcel, truth, m)
    recovered_truth(laboratory_thickness(parcels, strains, 0, 0.0, rest, c, m, work), truth)
