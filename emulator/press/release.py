"""After the press: recovery in air, the laboratory sample, and the truth about finished sheet.

The recovered thickness t is defined 600 s after release (docs/model.md, process
specification). Every parcel that leaves the press is therefore also followed as
a sample laid aside in the same air, while the sheet itself runs on.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.constants import MaterialConstants
from emulator.press.constants import MachineConstants
from emulator.press.parcel import Work, mean, step_free
from emulator.press.state import Parcel, Record

Floats = NDArray[np.float64]

RECOVERY_S = 600.0
STEP_FIRST_S = 0.02
STEP_GROWTH = 0.06  # of the time since release: recovery follows its logarithm
STEP_LAST_S = 4.0


@njit(cache=True, error_model="numpy")
def free_step(age: float) -> float:
    """Length of a step [s] at this time since release [s]."""
    return min(max(STEP_GROWTH * age, STEP_FIRST_S), STEP_LAST_S)


@njit(cache=True, error_model="numpy")
def laboratory_thickness(
    parcel: Parcel, age: float, until: float, c: MachineConstants, m: MaterialConstants, w: Work
) -> float:
    """Thickness [m] of the parcel after free recovery to `until` [s] since release.

    `age` [s] is its time since release now. The parcel itself is left as it is.
    """
    for j in range(w.e.size):
        w.e[j] = parcel.e[j]
    for j in range(w.H.size):
        w.H[j] = parcel.H[j]
        w.T[j] = parcel.T[j]
    h = parcel.h
    e_N = parcel.e_N
    b = parcel.b
    while age < until:
        dt = free_step(age)
        if age + 1.5 * dt > until:
            dt = until - age
            age = until
        else:
            age += dt
        h, e_N, b, _ = step_free(w.e, e_N, w.H, w.T, h, b, parcel.mass, dt, c, m, w)
    return h


@njit(cache=True, error_model="numpy")
def step_released(
    parcel: Parcel, now_ns: int, c: MachineConstants, m: MaterialConstants, w: Work, energy: Floats
) -> None:
    """Bring the released parcel up to now, if a step is due."""
    dt = 1e-9 * (now_ns - parcel.updated_ns)
    age = 1e-9 * (parcel.updated_ns - parcel.exit_ns)
    if dt < free_step(age):
        return
    advance_released(parcel, now_ns, c, m, w, energy)


@njit(cache=True, error_model="numpy")
def advance_released(
    parcel: Parcel, now_ns: int, c: MachineConstants, m: MaterialConstants, w: Work, energy: Floats
) -> None:
    """Bring the released parcel up to now in one step."""
    dt = 1e-9 * (now_ns - parcel.updated_ns)
    if dt <= 0.0:
        return
    h, e_N, b, lost = step_free(parcel.e, parcel.e_N, parcel.H, parcel.T, parcel.h, parcel.b, parcel.mass, dt, c, m, w)
    parcel.h = h
    parcel.e_N = e_N
    parcel.b = b
    parcel.updated_ns = now_ns
    energy[7] += lost


@njit(cache=True, error_model="numpy")
def release(parcel: Parcel, exit_ns: int, record: Record, c: MachineConstants, m: MaterialConstants, w: Work) -> None:
    """A parcel leaves the press: keep its truth (`state.FILM_COLUMNS`)."""
    parcel.p = 0.0
    parcel.h_exit = parcel.h
    parcel.released = 1
    parcel.exit_ns = exit_ns
    parcel.updated_ns = exit_ns
    t_600 = laboratory_thickness(parcel, 0.0, RECOVERY_S, c, m, w)
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
    film[8] = mean(parcel.T)
    film[9] = 0.5 * (parcel.T[0] + parcel.T[parcel.T.size - 1])
    film[10] = parcel.hot_min if parcel.hot_max > 0.0 else 0.0
    film[11] = parcel.hot_max
    film[13] = parcel.t_gap
    film[12] = parcel.belt_seen
