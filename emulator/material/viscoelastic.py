"""Stress, relaxation and recovery of the sheet: nine Maxwell arms and a network.

The sheet is compressed by the Hencky strain eps = ln(h0/h). One step solves the
linear law of every arm exactly for a constant strain rate, so steps far longer
than the fast relaxation times stay accurate:

    e+ = e q + f d_eps,  q = exp(-z),  f = (1 - q)/z,  z = dt/tau + max(0, ln(b1/b0))

The last term is the freeze-in: modulus gained on cooling is born free of
stress; on heating modulus is lost and the strain stays (docs/model.md, mechanics).

Functions that take a block (`emulator.material.block`) work on its first `lanes` lanes.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.block import Block, copy_row
from emulator.material.constants import MaterialConstants
from emulator.material.lanes import exp, log, sinh_over

Floats = NDArray[np.float64]

SPEEDUP_TOLERANCE = 0.02
CONVERGED = 1e-8  # a Newton step below this leaves an error of its square
SMALL = 0.05  # below it the series of (1 - exp(-z))/z keeps more digits than the formula


@njit(cache=True, error_model="numpy")
def modulus_factor(T: float, m: MaterialConstants) -> float:
    """b(T): modulus at temperature T [K] over that at 25 degC."""
    linear = min(max(1.0 - m.b_slope * (T - 298.15), m.b_min), m.b_max)
    return linear / (1.0 + exp((T - m.S_T) * m.per_S_w)) * m.per_S_25


@njit(cache=True, error_model="numpy")
def network_modulus(b: float, m: MaterialConstants) -> float:
    """E_N [Pa] at modulus factor b."""
    return m.E_Nmin + (m.E_N25 - m.E_Nmin) * b


@njit(cache=True, error_model="numpy")
def stress_speedup(sigma: float, T: float, m: MaterialConstants) -> float:
    """1/a_s = sinh(x)/x, x = sigma V A/(kB T): relaxation is faster under stress (Eyring)."""
    return sinh_over(abs(sigma) * m.VA_kB / T)


@njit(cache=True, error_model="numpy")
def prepare(w: Block, lanes: int, m: MaterialConstants) -> None:
    """Modulus factor at the end of the step and speed-up by the stress at its start, from `T_0`, `T_1`, `b_0`, `e`."""
    arms = m.arms
    for lane in range(lanes):
        w.S0_arms[lane] = 0.0
    for i in range(arms):
        e, E = w.e[i], m.E[i]
        for lane in range(lanes):
            w.S0_arms[lane] += E * e[lane]
    for lane in range(lanes):
        w.b_1[lane] = modulus_factor(w.T_1[lane] - w.melt[lane], m)
        w.moves[lane] = w.b_0[lane] * w.S0_arms[lane]  # stress of the arms at the start
        w.speedup[lane] = stress_speedup(w.moves[lane], 0.5 * (w.T_0[lane] + w.T_1[lane]), m)


@njit(cache=True, error_model="numpy")
def linearise(w: Block, lanes: int, m: MaterialConstants) -> None:
    """Coefficients of the step: `q`, `f`, and the stress at its end, `S0` + `S1` d_eps [Pa]."""
    arms = m.arms
    for lane in range(lanes):
        inverse = 2.0 / (w.T_0[lane] + w.T_1[lane]) - 1.0 / m.T_ref
        w.rate[lane] = w.dt[lane] * w.speedup[lane] * exp(-m.Ea_R * inverse)
        gained = log(w.b_1[lane] / w.b_0[lane])
        w.gained[lane] = max(gained, 0.0)
        w.S0_arms[lane] = 0.0
        w.S1_arms[lane] = 0.0
        E_N0 = network_modulus(w.b_0[lane], m)
        E_N1 = network_modulus(w.b_1[lane], m)
        gained = max(log(E_N1 / E_N0), 0.0)
        z = w.dt[lane] * exp(-m.EaN_R * inverse) * m.per_tau_N + gained
        w.q[arms][lane], w.f[arms][lane] = decay(z)
        w.flux[lane] = E_N1
    for i in range(arms):
        E, per_tau = m.E[i], m.per_tau[i]
        copy_row(w.e[i], w.e_here, lanes)
        for lane in range(lanes):
            q, f = decay(w.rate[lane] * per_tau + w.gained[lane])
            w.q_here[lane] = q
            w.f_here[lane] = f
            w.S0_arms[lane] += E * w.e_here[lane] * q
            w.S1_arms[lane] += E * f
        copy_row(w.q_here, w.q[i], lanes)
        copy_row(w.f_here, w.f[i], lanes)
    for lane in range(lanes):
        w.S0_arms[lane] *= w.b_1[lane]
        w.S1_arms[lane] *= w.b_1[lane]
        w.S0[lane] = w.stiff[lane] * (w.S0_arms[lane] + w.flux[lane] * w.e[arms][lane] * w.q[arms][lane])
        w.S1[lane] = w.stiff[lane] * (w.S1_arms[lane] + w.flux[lane] * w.f[arms][lane])


@njit(cache=True, error_model="numpy")
def decay(z: float) -> tuple[float, float]:
    """Decay q = exp(-z) and gain f = (1 - q)/z for z >= 0, without loss of digits."""
    series = 1.0 - z * (0.5 - z * (1.0 / 6.0 - z * (1.0 / 24.0 - z * (1.0 / 120.0 - z * (1.0 / 720.0)))))
    q = exp(-z)
    small = z < SMALL
    f = series if small else (1.0 - q) / z
    return (1.0 - z * series if small else q), f


@njit(cache=True, error_model="numpy")
def correct(w: Block, lanes: int, m: MaterialConstants) -> int:
    """Speed-up by the mean stress of the step, where it differs; returns in how many lanes it does.

    Relaxation depends on stress: where that moves, the step is to be taken again.
    """
    again = 0
    for lane in range(lanes):
        after = w.S0_arms[lane] + w.S1_arms[lane] * w.d_eps[lane]
        T = 0.5 * (w.T_0[lane] + w.T_1[lane])
        middle = stress_speedup(0.5 * (w.moves[lane] + after), T, m)
        moved = abs(middle - w.speedup[lane]) > SPEEDUP_TOLERANCE * w.speedup[lane]
        w.speedup[lane] = middle if moved else w.speedup[lane]
        again += 1 if moved else 0
    return again


@njit(cache=True, error_model="numpy")
def strain_under_belts(w: Block, lanes: int) -> None:
    """Strain increment `d_eps` and pressure `p` [Pa] of sheet `h` thick in the gap `g` of compliance `C`.

    Solves S0 + S1 d_eps = (h exp(-d_eps) - g)/(2 C) by Newton. If that would need
    tension the sheet is free; above `p_limit` the press gives way at that pressure.
    """
    for lane in range(lanes):
        w.d_eps[lane] = 0.0
        w.rate[lane] = 1.0  # this lane still moves
        w.flux[lane] = 0.5 / w.C[lane]
    for _ in range(50):
        moving = 0
        for lane in range(lanes):
            thickness = w.h[lane] * exp(-w.d_eps[lane])
            misfit = w.S0[lane] + w.S1[lane] * w.d_eps[lane] - (thickness - w.g[lane]) * w.flux[lane]
            change = w.rate[lane] * misfit / (w.S1[lane] + thickness * w.flux[lane])
            w.d_eps[lane] -= change
            far = abs(change) > CONVERGED
            w.rate[lane] = 1.0 if far else 0.0
            moving += 1 if far else 0
        if moving == 0:
            break
    for lane in range(lanes):
        free = -w.S0[lane] / w.S1[lane]
        touches = w.h[lane] * exp(-free) > w.g[lane]
        p = max(w.S0[lane] + w.S1[lane] * w.d_eps[lane], 0.0)
        too_much = p > w.p_limit[lane]
        d_eps = (w.p_limit[lane] - w.S0[lane]) / w.S1[lane] if too_much else w.d_eps[lane]
        p = w.p_limit[lane] if too_much else p
        w.d_eps[lane] = d_eps if touches else free
        w.p[lane] = p if touches else 0.0


@njit(cache=True, error_model="numpy")
def apply_strain(w: Block, lanes: int, m: MaterialConstants) -> None:
    """Update strains, thickness and modulus factor for the strain increment of the step."""
    for i in range(m.arms + 1):
        e, q, f = w.e[i], w.q[i], w.f[i]
        for lane in range(lanes):
            e[lane] = e[lane] * q[lane] + f[lane] * w.d_eps[lane]
    for lane in range(lanes):
        w.h[lane] *= exp(-w.d_eps[lane])
        w.b_0[lane] = w.b_1[lane]


@njit(cache=True, error_model="numpy")
def deform(w: Block, lanes: int, m: MaterialConstants) -> None:
    """Strain of every lane over the step into its gap; the layers share one strain."""
    prepare(w, lanes, m)
    linearise(w, lanes, m)
    strain_under_belts(w, lanes)
    if correct(w, lanes, m) > 0:
        linearise(w, lanes, m)
        strain_under_belts(w, lanes)
    apply_strain(w, lanes, m)


@njit(cache=True, error_model="numpy")
def stress_in_series(w: Block, n: int, g: float, C: float, p_limit: float) -> float:
    """Stress [Pa] common to the first n lanes, layers of one parcel, that fits their gap g [m] of compliance C [m/Pa].

    Solves sum h_j exp(-d_j) - g = 2 C sigma with d_j = (sigma - S0_j)/S1_j, and fills `d_eps`
    (docs/model.md, layers in series). Without contact the stress is 0; above p_limit [Pa] it is that.
    """
    sigma = 0.0
    for _ in range(50):
        misfit = -g - 2.0 * C * sigma
        slope = -2.0 * C
        for j in range(n):
            thickness = w.h[j] * exp((w.S0[j] - sigma) / w.S1[j])
            misfit += thickness
            slope -= thickness / w.S1[j]
        if sigma == 0.0 and misfit <= 0.0:
            break  # free
        change = misfit / slope
        sigma -= change
        if abs(change) <= CONVERGED * abs(sigma):
            break
    sigma = min(sigma, p_limit)
    for j in range(n):
        w.d_eps[j] = (sigma - w.S0[j]) / w.S1[j]
    return sigma
