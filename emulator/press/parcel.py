"""One parcel of sheet for one step: heat through its layers, then strain in the gap.

The two are split: heat with the thickness and pressure of the start of the step,
then mechanics at the mean temperature of the step, the arms at its ends.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.constants import MaterialConstants
from emulator.material.record import as_table
from emulator.material.thermal import conduct, density
from emulator.material.viscoelastic import (
    apply_strain,
    arm_stress,
    arm_stress_after,
    linearise,
    modulus_factor,
    strain_under_belts,
    stress_speedup,
)
from emulator.press.constants import MachineConstants
from emulator.press.state import ARMS, LAYERS, Parcel

Floats = NDArray[np.float64]

OPEN_GAP = 1.0  # m: no belts around the sheet
SPEEDUP_TOLERANCE = 0.02
PRESSURE_ACTS = 1e3  # Pa: above it time counts as rolling time


class Work(NamedTuple):
    """Scratch of the kernels; holds nothing from step to step."""

    layers: Floats  # [3, LAYERS]
    q: Floats  # [ARMS + 1]
    f: Floats  # [ARMS + 1]
    e: Floats  # [ARMS]
    H: Floats  # [LAYERS]
    T: Floats  # [LAYERS]


def work() -> Sequence[Work]:
    """Fresh scratch, as an array of one record."""
    return as_table(
        Work(
            np.zeros((3, LAYERS)),
            np.zeros(ARMS + 1),
            np.zeros(ARMS + 1),
            np.zeros(ARMS),
            np.zeros(LAYERS),
            np.zeros(LAYERS),
        )
    )


@njit(cache=True, error_model="numpy")
def mean(values: Floats) -> float:
    """Mean of a small vector."""
    total = 0.0
    for value in values:
        total += value
    return total / values.size


@njit(cache=True, error_model="numpy")
def deform(
    e: Floats,
    e_N: float,
    h: float,
    T: float,
    b0: float,
    b1: float,
    g: float,
    C: float,
    p_limit: float,
    dt: float,
    m: MaterialConstants,
    w: Work,
) -> tuple[float, float, float]:
    """Strain of one parcel over dt [s] into the gap g [m] of compliance C [m/Pa].

    Updates the arm strains e in place. Returns thickness [m], pressure [Pa] and network strain.
    """
    stress = arm_stress(e, b0, m)
    speedup = stress_speedup(stress, T, m)
    S0, S1 = linearise(e, e_N, T, b0, b1, speedup, dt, m, w.q, w.f)
    d_eps, p = strain_under_belts(h, g, C, S0, S1, p_limit)
    # Relaxation depends on stress: where that moves, step again with the mean of the step.
    middle = stress_speedup(0.5 * (stress + arm_stress_after(e, b1, d_eps, m, w.q, w.f)), T, m)
    if abs(middle - speedup) > SPEEDUP_TOLERANCE * speedup:
        S0, S1 = linearise(e, e_N, T, b0, b1, middle, dt, m, w.q, w.f)
        d_eps, p = strain_under_belts(h, g, C, S0, S1, p_limit)
    e_N = apply_strain(e, e_N, d_eps, w.q, w.f)
    return h * math.exp(-d_eps), p, e_N


@njit(cache=True, error_model="numpy")
def step_pressed(
    parcel: Parcel,
    T_up: float,
    T_low: float,
    g0: float,
    g: float,
    C: float,
    C_face: float,
    dt: float,
    c: MachineConstants,
    m: MaterialConstants,
    w: Work,
) -> tuple[float, float]:
    """A parcel between the belts for dt [s]; returns the heat [J] it took from upper and lower.

    T_up and T_low [K] are belts of heat capacity C_face [J/K] under the parcel, g0 and g [m]
    the gap at the ends of the step, and C [m/Pa] its compliance at the end.
    """
    T = parcel.T
    h = parcel.h
    p = parcel.p
    T_before = mean(T)
    if p > 0.0:
        if parcel.dt_1 > 0.0:  # pressure at the middle of the step, if it goes on as it went
            p = max(p + 0.5 * (p - parcel.p_1) * dt / parcel.dt_1, 0.0)
        h_up = h_low = c.h_base + c.h_pressure * p
    else:
        h_low = c.h_closed
        h_up = min(c.h_closed, c.k_gap / max(g - h, 1e-9))
        if h > g:  # contact begins within the step
            touching = min((h - g) / (g0 - g), 1.0) if g0 > g else 1.0
            h_up += touching * (c.h_base - h_up)
            h_low += touching * (c.h_base - h_low)
    area = parcel.mass / (density(T_before, m) * h)
    Q_up, Q_low = conduct(parcel.H, T, parcel.mass, area, h, T_up, T_low, h_up, h_low, C_face, dt, m, w.layers)
    T_after = mean(T)
    b = modulus_factor(T_after, m)
    h, p, parcel.e_N = deform(
        parcel.e, parcel.e_N, h, 0.5 * (T_before + T_after), parcel.b, b, g, C, c.p_limit, dt, m, w
    )
    parcel.b = b
    parcel.h_min = min(parcel.h_min, h, _between(parcel, h, dt))
    parcel.h_1 = parcel.h
    parcel.p_1 = parcel.p
    parcel.dt_1 = dt
    parcel.h = h
    parcel.p = p
    parcel.p_max = max(parcel.p_max, p)
    if p > PRESSURE_ACTS:
        parcel.t_p += dt
    elif parcel.t_p > 0.0:
        parcel.t_gap += dt
    return Q_up, Q_low


@njit(cache=True, error_model="numpy")
def _between(parcel: Parcel, h: float, dt: float) -> float:
    """Smallest thickness [m] between the last steps and this one, ending at h [m] after dt [s].

    Steps pass a nip at any phase, and its bottom is narrow: the parabola through three
    steps finds it to a tenth of a micrometre where the steps themselves miss it by ten.
    """
    if parcel.dt_1 <= 0.0 or parcel.h > parcel.h_1 or parcel.h > h:
        return h
    before = (parcel.h - parcel.h_1) / parcel.dt_1
    after = (h - parcel.h) / dt
    curvature = (after - before) / (parcel.dt_1 + dt)
    if curvature <= 0.0:
        return h
    slope = (before * dt + after * parcel.dt_1) / (parcel.dt_1 + dt)
    return parcel.h - 0.25 * slope * slope / curvature


@njit(cache=True, error_model="numpy")
def length_of(parcel: Parcel, h: float, c: MachineConstants) -> float:
    """Length along the belt [m]: what thinning does not put into width goes into length."""
    if c.spread >= 1.0:
        return parcel.length0
    return float(parcel.length0 * (parcel.h0 / h) ** (1.0 - c.spread))


@njit(cache=True, error_model="numpy")
def step_free(
    e: Floats,
    e_N: float,
    H: Floats,
    T: Floats,
    h: float,
    b0: float,
    mass: float,
    dt: float,
    c: MachineConstants,
    m: MaterialConstants,
    w: Work,
) -> tuple[float, float, float, float]:
    """A released parcel in air for dt [s]: it cools or warms, and recovers free of stress.

    Updates e, H and T in place. Returns thickness [m], network strain, modulus factor
    and the heat [J] given to the air.
    """
    T_before = mean(T)
    area = mass / (density(T_before, m) * h)
    Q_up, Q_low = conduct(H, T, mass, area, h, c.T_ambient, c.T_ambient, c.h_air, c.h_air, math.inf, dt, m, w.layers)
    T_after = mean(T)
    b = modulus_factor(T_after, m)
    h, _, e_N = deform(e, e_N, h, 0.5 * (T_before + T_after), b0, b, OPEN_GAP, 1.0, math.inf, dt, m, w)
    return h, e_N, b, -(Q_up + Q_low)
