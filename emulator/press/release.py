"""After the press: recovery in air, the laboratory sample, and the truth about finished sheet.

The recovered thickness t is defined 600 s after release (docs/model.md, process
specification). Every parcel that leaves the press is therefore also followed as
a sample laid aside in the same air, while the sheet itself runs on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.block import Block
from emulator.material.constants import MaterialConstants
from emulator.press.constants import MachineConstants
from emulator.press.outline import call_step_block, call_step_layers
from emulator.press.parcel import Work, load, put_in_air, store
from emulator.press.state import Parcel, Parcels, Record, Strains

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
def laboratory_thickness(
    parcel: Parcel, strains: Strains, age: float, until: float, c: MachineConstants, m: MaterialConstants, work: Work
) -> float:
    """Thickness [m] of the parcel after free recovery to `until` [s] since release.

    `age` [s] is its time since release now. The parcel itself is left as it is.
    """
    w = work.sample
    sample = work.strains
    layered = parcel.layered > 0
    load(parcel, strains, w, 0)
    if layered:
        for j in range(parcel.H.size):
            sample.h[j] = strains.h[j]
            sample.b[j] = strains.b[j]
            for i in range(parcel.e.size):
                sample.e[j, i] = strains.e[j, i]
    put_in_air(w, 1, c)
    while age < until:
        dt = free_step(age)
        if age + 1.5 * dt > until:
            dt = until - age
            age = until
        else:
            age += dt
        w.dt[0] = dt
        call_step_block(c.step_block, w, 1, layered, c, m)
        if layered:
            call_step_layers(c.step_layers, w, 0, sample, work.layers, c, m)
            for j in range(parcel.H.size):
                w.dz[j][0] = sample.h[j]
        w.h_0[0] = w.h[0]
        w.T_0[0] = w.T_1[0]
    return float(w.h[0])


@njit(cache=True, error_model="numpy")
def is_due(parcel: Parcel, now_ns: int) -> bool:
    """Whether a step of the released parcel is due."""
    age = 1e-9 * (parcel.updated_ns - parcel.exit_ns)
    return 1e-9 * (now_ns - parcel.updated_ns) >= free_step(age)


@njit(cache=True, error_model="numpy")
def advance_released(
    parcels: Parcels,
    strains: Sequence[Strains],
    count: int,
    now_ns: int,
    energy: Floats,
    c: MachineConstants,
    m: MaterialConstants,
    work: Work,
) -> None:
    """Bring the released parcels in the first `count` of `work.slots` up to now, each in one step."""
    w: Block = work.lanes
    layered = False
    for lane in range(count):
        slot = work.slots[lane]
        parcel = parcels[slot]
        load(parcel, strains[slot], w, lane)
        w.dt[lane] = 1e-9 * (now_ns - parcel.updated_ns)
        layered |= parcel.layered > 0
    put_in_air(w, count, c)
    call_step_block(c.step_block, w, count, layered, c, m)
    for lane in range(count):
        slot = work.slots[lane]
        parcel = parcels[slot]
        if parcel.layered > 0:
            call_step_layers(c.step_layers, w, lane, strains[slot], work.layers, c, m)
        store(parcel, w, lane)
        parcel.updated_ns = now_ns
        energy[7] -= w.Q_up[lane] + w.Q_low[lane]


@njit(cache=True, error_model="numpy")
def release(
    parcel: Parcel,
    strains: Strains,
    exit_ns: int,
    record: Record,
    c: MachineConstants,
    m: MaterialConstants,
    work: Work,
) -> None:
    """A parcel leaves the press: keep its truth (`state.FILM_COLUMNS`)."""
    parcel.p = 0.0
    parcel.h_exit = parcel.h
    parcel.released = 1
    parcel.exit_ns = exit_ns
    parcel.updated_ns = exit_ns
    t_600 = laboratory_thickness(parcel, strains, 0.0, RECOVERY_S, c, m, work)
    n = record.film_count[0] % record.film.shape[0]
    record.film_count[0] += 1
    release_truth(parcel, t_600, record.film[n])
    record.film_ids[n, 0] = parcel.serial
    record.film_ids[n, 1] = parcel.entry_ns
    record.film_ids[n, 2] = exit_ns


@njit(cache=True, error_model="numpy")
def release_truth(parcel: Parcel, t_600: float, film: Floats) -> None:
    """Truth by `state.FILM_COLUMNS` about a parcel at the exit that recovers to t_600 [m]."""
    t0 = parcel.h_min
    film[0] = parcel.h0
    film[1] = t0
    film[2] = parcel.h
    film[3] = t_600
    film[4] = 100.0 * (t_600 - t0) / t0
    film[5] = parcel.h0 / t_600 * parcel.t_p / 60.0
    film[6] = parcel.t_p
    film[7] = parcel.p_max
    film[8] = parcel.T_mean
    film[9] = 0.5 * (parcel.T[0] + parcel.T[parcel.T.size - 1])
    film[10] = parcel.hot_min if parcel.hot_max > 0.0 else 0.0
    film[11] = parcel.hot_max
    film[12] = parcel.belt_seen
    film[13] = parcel.t_gap
    film[14] = parcel.crown
    film[15] = parcel.wedge
