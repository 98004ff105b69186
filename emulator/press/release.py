"""After the press: recovery in air, the laboratory sample, and the truth about finished sheet.

The recovered thickness t is defined 600 s after release (docs/model.md, process
specification). Every parcel that leaves the press is therefore also followed as
a sample laid aside in the same air, while the sheet itself runs on. Samples wait on a shelf until there is one for
every lane: the laboratory follows eight for the price of one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.constants import MaterialConstants
from emulator.material.thermal import temperature_at
from emulator.material.vector import LANES, any_of, flags, read, write
from emulator.pointer import call_at
from emulator.press.constants import MachineConstants
from emulator.press.loading import load, store
from emulator.press.parcel import Work, load_layers, put_in_air, ring_size, store_layers
from emulator.press.parts import Parts
from emulator.press.state import LayerStrains, Parcel, Parcels

Floats = NDArray[np.float64]

RECOVERY_S = 600.0
STEP_FIRST_S = 0.005
STEP_GROWTH = 0.15  # of the time since release: recovery follows its logarithm
STEP_LAST_S = 20.0


@njit(cache=True, error_model="numpy")
def free_step(age: float) -> float:
    """Length of a step [s] at this time since release [s]."""
    return min(max(STEP_GROWTH * age, STEP_FIRST_S), STEP_LAST_S)


@njit(cache=True, error_model="numpy")
def recover(
    parcels: Parcels,
    strains: LayerStrains,
    age: float,
    until: float,
    c: MachineConstants,
    m: MaterialConstants,
    work: Work,
) -> None:
    """Samples of the parcels in `work.slots` recover freely from `age` to `until` [s] since release.

    Leaves their thickness in `work.sample`. The parcels themselves are left as they are.
    """
    w = work.sample
    load(parcels, work.slots, w)
    layered = bool(any_of(flags(w.layered)))
    if layered:
        load_layers(strains, work, c)
    put_in_air(w, c)
    while age < until:
        dt = free_step(age)
        if age + 1.5 * dt > until:
            dt = until - age
            age = until
        else:
            age += dt
        write(w.dt, dt)
        write(w.h_middle, read(w.h))
        call_at(c.step_tile, (w, work, layered, c, m))


@njit(cache=True, error_model="numpy")
def laboratory_thickness(
    parcels: Parcels,
    strains: LayerStrains,
    slot: int,
    age: float,
    until: float,
    c: MachineConstants,
    m: MaterialConstants,
    work: Work,
) -> float:
    """Thickness [m] of the parcel in a slot after free recovery from `age` to `until` [s] since release."""
    for lane in range(LANES):
        work.slots[lane] = slot
    recover(parcels, strains, age, until, c, m, work)
    return float(work.sample.h[0])


@njit(cache=True, error_model="numpy")
def measure(
    parcels: Parcels,
    strains: LayerStrains,
    count: int,
    film: Floats,
    first: int,
    c: MachineConstants,
    m: MaterialConstants,
    work: Work,
) -> None:
    """Complete the truth about the first parcels on the shelf: rows of the ring `film` from number `first` on.

    One step serves all lanes, so a parcel gets the same bits in whatever company.
    """
    for lane in range(LANES):
        work.slots[lane] = ring_size(parcels) + min(lane, count - 1)
    recover(parcels, strains, 0.0, RECOVERY_S, c, m, work)
    for lane in range(count):
        recovered_truth(work.sample.h[lane], film[(first + lane) % film.shape[0]])


@njit(cache=True, error_model="numpy")
def measure_shelf(
    parcels: Parcels,
    strains: LayerStrains,
    film: Floats,
    machines: Sequence[MachineConstants],
    materials: Sequence[MaterialConstants],
    works: Sequence[Work],
) -> None:
    """`measure` as many as the film has rows, from Python."""
    measure(parcels, strains, film.shape[0], film, 0, machines[0], materials[0], works[0])


@njit(cache=True, error_model="numpy")
def is_due(parcel: Parcel, now_ns: int) -> bool:
    """Whether a step of the released parcel is due."""
    age = 1e-9 * (parcel.updated_ns - parcel.exit_ns)
    return 1e-9 * (now_ns - parcel.updated_ns) >= free_step(age)


@njit(cache=True, error_model="numpy")
def advance_released(p: Parts, count: int, now_ns: int) -> None:
    """Bring the released parcels in the first `count` of `work.slots` up to now, each in one step."""
    parcels, work, c, m = p.parcels, p.work, p.c, p.m
    w = work.tile
    layered = False
    for lane in range(LANES):
        if lane >= count:
            work.slots[lane] = work.slots[count - 1]
        parcel = parcels[work.slots[lane]]
        w.dt[lane] = 1e-9 * (now_ns - parcel.updated_ns)
        layered |= parcel.layered > 0
    load(parcels, work.slots, w)
    if layered:
        load_layers(p.strains, work, c)
    put_in_air(w, c)
    write(w.h_middle, read(w.h))
    call_at(c.step_tile, (w, work, layered, c, m))
    store(parcels, work.slots, w)
    if layered:
        store_layers(p.strains, work, w, c)
    for lane in range(count):
        parcels[work.slots[lane]].updated_ns = now_ns
        p.record.energy[7] -= w.Q_up[lane] + w.Q_low[lane]


@njit(cache=True, error_model="numpy")
def release(p: Parts, slot: int, exit_ns: int) -> None:
    """The parcel in a slot leaves the press: keep its truth (`state.FILM_COLUMNS`), and a sample for the laboratory."""
    parcel, record = p.parcels[slot], p.record
    parcel.p = 0.0
    parcel.h_exit = parcel.h
    parcel.released = 1
    parcel.exit_ns = exit_ns
    parcel.updated_ns = exit_ns
    shelf = ring_size(p.parcels)
    waiting = record.film_count[0] - record.measured[0]
    # a layered parcel makes its company go another way through the arithmetic: no sample waits for one
    if waiting == LANES or (waiting > 0 and p.parcels[shelf].layered != parcel.layered):
        measure(p.parcels, p.strains, waiting, record.film, record.measured[0], p.c, p.m, p.work)
        record.measured[0] = record.film_count[0]
        waiting = 0
    p.parcels[shelf + waiting] = parcel
    p.strains[shelf + waiting] = p.strains[slot]
    n = record.film_count[0] % record.film.shape[0]
    record.film_count[0] += 1
    release_truth(parcel, record.film[n], p.m)
    record.film_ids[n, 0] = parcel.serial
    record.film_ids[n, 1] = parcel.entry_ns
    record.film_ids[n, 2] = exit_ns


@njit(cache=True, error_model="numpy")
def surface_temperature(parcel: Parcel, m: MaterialConstants) -> float:
    """Mean temperature [K] of the outermost layers."""
    return 0.5 * (temperature_at(parcel.H[0], m) + temperature_at(parcel.H[parcel.H.size - 1], m))


@njit(cache=True, error_model="numpy")
def release_truth(parcel: Parcel, film: Floats, m: MaterialConstants) -> None:
    """Truth by `state.FILM_COLUMNS` about a parcel at the exit, but for its recovery."""
    film[0] = parcel.h0
    film[1] = parcel.h_min
    film[2] = parcel.h
    film[3] = 0.0
    film[4] = 0.0
    film[5] = 0.0
    film[6] = parcel.t_p
    film[7] = parcel.p_max
    film[8] = parcel.T_mean
    film[9] = surface_temperature(parcel, m)
    film[10] = parcel.hot_min if parcel.hot_max > 0.0 else 0.0
    film[11] = parcel.hot_max
    film[12] = parcel.belt_seen
    film[13] = parcel.t_gap
    film[14] = parcel.crown
    film[15] = parcel.wedge


@njit(cache=True, error_model="numpy")
def recovered_truth(t_600: float, film: Floats) -> None:
    """And what is true of it because it recovers to t_600 [m]."""
    h0, t0, t_p = film[0], film[1], film[6]
    film[3] = t_600
    film[4] = 100.0 * (t_600 - t0) / t0
    film[5] = h0 / t_600 * t_p / 60.0
