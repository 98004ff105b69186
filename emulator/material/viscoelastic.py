"""Stress, relaxation and recovery of the sheet: nine Maxwell arms and a network.

The sheet is compressed by the Hencky strain eps = ln(h0/h). One step solves the
linear law of every arm exactly for a constant strain rate, so steps far longer
than the fast relaxation times stay accurate:

    e+ = e q + f d_eps,  q = exp(-z),  f = (1 - q)/z,  z = dt/tau + max(0, ln(b1/b0))

The last term is the freeze-in: modulus gained on cooling is born free of
stress; on heating modulus is lost and the strain stays (docs/model.md, mechanics).
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.constants import MaterialConstants

Floats = NDArray[np.float64]


@njit(cache=True, error_model="numpy")
def modulus_factor(T: float, m: MaterialConstants) -> float:
    """b(T): modulus at temperature T [K] over that at 25 degC."""
    linear = min(max(1.0 - m.b_slope * (T - 298.15), m.b_min), m.b_max)
    return linear / (1.0 + math.exp((T - m.S_T) / m.S_w)) / m.S_25


@njit(cache=True, error_model="numpy")
def network_modulus(b: float, m: MaterialConstants) -> float:
    """E_N [Pa] at modulus factor b."""
    return m.E_Nmin + (m.E_N25 - m.E_Nmin) * b


@njit(cache=True, error_model="numpy")
def decay(z: float) -> tuple[float, float]:
    """Decay q = exp(-z) and gain f = (1 - q)/z for z >= 0, without loss of digits."""
    if z > 40.0:
        return 0.0, 1.0 / z
    if z < 1e-2:
        f = 1.0 - z * (0.5 - z * (1.0 / 6.0 - z * (1.0 / 24.0 - z * (1.0 / 120.0 - z / 720.0))))
        return 1.0 - z * f, f
    q = math.exp(-z)
    return q, (1.0 - q) / z


@njit(cache=True, error_model="numpy")
def stress_speedup(sigma: float, T: float, m: MaterialConstants) -> float:
    """1/a_s = sinh(x)/x, x = sigma V A/(kB T): relaxation is faster under stress (Eyring)."""
    x = abs(sigma) * m.VA_kB / T
    if x < 1e-3:
        return 1.0 + x * x / 6.0
    x = min(x, 300.0)
    return math.sinh(x) / x


@njit(cache=True, error_model="numpy")
def arm_stress(e: Floats, b: float, m: MaterialConstants) -> float:
    """Stress of the nine arms [Pa]; e [arms]."""
    total = 0.0
    for i in range(e.size):
        total += m.E[i] * e[i]
    return b * total


@njit(cache=True, error_model="numpy")
def arm_stress_after(e: Floats, b: float, d_eps: float, m: MaterialConstants, q: Floats, f: Floats) -> float:
    """Stress of the nine arms [Pa] after the strain increment of a step with coefficients q and f."""
    total = 0.0
    for i in range(e.size):
        total += m.E[i] * (e[i] * q[i] + f[i] * d_eps)
    return b * total


@njit(cache=True, error_model="numpy")
def linearise(
    e: Floats,
    e_N: float,
    T: float,
    b0: float,
    b1: float,
    speedup: float,
    dt: float,
    m: MaterialConstants,
    q: Floats,
    f: Floats,
) -> tuple[float, float]:
    """Coefficients of one step: stress at its end is S0 + S1 d_eps [Pa].

    T [K] is the mean over the step, b0 and b1 the modulus factors at its ends.
    Fills q and f [arms + 1], the network last.
    """
    n = e.size
    inverse = 1.0 / T - 1.0 / m.T_ref
    rate = dt * speedup * math.exp(-m.Ea_R * inverse)
    gained = math.log(b1 / b0) if b1 > b0 else 0.0
    S0 = 0.0
    S1 = 0.0
    for i in range(n):
        q[i], f[i] = decay(rate / m.tau[i] + gained)
        S0 += m.E[i] * e[i] * q[i]
        S1 += m.E[i] * f[i]
    E_N0 = network_modulus(b0, m)
    E_N1 = network_modulus(b1, m)
    gained = math.log(E_N1 / E_N0) if b1 > b0 else 0.0
    q[n], f[n] = decay(dt * math.exp(-m.EaN_R * inverse) / m.tau_N + gained)
    return b1 * S0 + E_N1 * e_N * q[n], b1 * S1 + E_N1 * f[n]


@njit(cache=True, error_model="numpy")
def strain_under_belts(h: float, g: float, C: float, S0: float, S1: float, p_limit: float) -> tuple[float, float]:
    """Strain increment d_eps and pressure [Pa] of a sheet h [m] thick in a gap g [m] of compliance C [m/Pa].

    Solves S0 + S1 d_eps = (h exp(-d_eps) - g)/(2 C) by Newton. If that would need
    tension the sheet is free; above `p_limit` [Pa] the press gives way at that pressure.
    """
    free = -S0 / S1
    if h * math.exp(-free) <= g:
        return free, 0.0
    stiffness = 0.5 / C
    d = 0.0
    for _ in range(50):
        thickness = h * math.exp(-d)
        change = (S0 + S1 * d - (thickness - g) * stiffness) / (S1 + thickness * stiffness)
        d -= change
        if abs(change) < 1e-13:
            break
    p = S0 + S1 * d
    if p > p_limit:
        return (p_limit - S0) / S1, p_limit
    return d, max(p, 0.0)


@njit(cache=True, error_model="numpy")
def apply_strain(e: Floats, e_N: float, d_eps: float, q: Floats, f: Floats) -> float:
    """Update the arm strains in place for the strain increment; returns the network strain."""
    n = e.size
    for i in range(n):
        e[i] = e[i] * q[i] + f[i] * d_eps
    return float(e_N * q[n] + f[n] * d_eps)
