"""Heat in the sheet: enthalpy is the state, temperature follows from it.

The melting peak makes the heat capacity jump within a few kelvin, so a scheme
that steps temperatures loses energy there. Here each layer carries its
enthalpy H, only fluxes change it, and T(H) is a table: whatever leaves one layer
arrives in the next, to rounding (docs/model.md, heat).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.block import Block, copy_row
from emulator.material.constants import MaterialConstants

Floats = NDArray[np.float64]

THETA = 0.55  # weight of the new time level: second order in effect, and damps the first contact

# Columns of the table over enthalpy: temperature and conductivity, each with its step to the next row.
T_HERE, T_STEP, K_HERE, K_STEP, CP_HERE = 0, 1, 2, 3, 4


@njit(cache=True, error_model="numpy")
def temperature_at(H: float, m: MaterialConstants) -> float:
    """Temperature [K] at specific enthalpy H [J/kg], linear between table rows."""
    u = (H - m.H_first) * m.per_H_step
    i = min(max(int(u), 0), m.table.shape[0] - 1)
    return float(m.table[i, T_HERE] + (u - i) * m.table[i, T_STEP])


@njit(cache=True, error_model="numpy")
def enthalpy_at(T: float, m: MaterialConstants) -> float:
    """Specific enthalpy [J/kg] of the table at temperature T [K]: the inverse of `temperature_at`."""
    low = 0
    high = m.table.shape[0]
    while high - low > 1:
        middle = (low + high) // 2
        if m.table[middle, T_HERE] > T:
            high = middle
        else:
            low = middle
    part = (T - m.table[low, T_HERE]) / m.table[low, T_STEP]
    return float(m.H_first + (low + part) / m.per_H_step)


@njit(cache=True, error_model="numpy")
def density(T: float, m: MaterialConstants) -> float:
    """Density [kg/m3] at temperature T [K]."""
    return m.rho_0 * (1.0 - m.expansion * (T - m.T_0))


@njit(cache=True, error_model="numpy")
def conduct(w: Block, n: int, lanes: int, m: MaterialConstants, layered: bool) -> None:
    """Heat through the n layers of so many lanes over `dt`; updates `H`, `T`, `T_1`, `Q_up` and `Q_low`.

    Linearly implicit: heat capacity and conductivity of the start of the step, one
    tridiagonal system for the temperature changes, then fluxes into H. `layered`: layers have
    the thicknesses `dz`; else each has its part of `h`, and `dz` is not looked at.
    """
    last = m.table.shape[0] - 1
    for j in range(n):
        H, cp, k = w.H[j], w.cp[j], w.G[j]
        for lane in range(lanes):
            u = (H[lane] - m.H_first) * m.per_H_step
            i = min(max(int(u), 0), last)
            cp[lane] = m.table[i, CP_HERE]
            k[lane] = m.table[i, K_HERE] + (u - i) * m.table[i, K_STEP]
    _couple(w, n, lanes, m, layered)
    _solve(w, n, lanes)
    _exchange(w, n, lanes)
    for lane in range(lanes):
        w.T_1[lane] = 0.0
    for j in range(n):
        H, T = w.H[j], w.T[j]
        for lane in range(lanes):
            u = (H[lane] - m.H_first) * m.per_H_step
            i = min(max(int(u), 0), last)
            T[lane] = m.table[i, T_HERE] + (u - i) * m.table[i, T_STEP]
        for lane in range(lanes):
            w.T_1[lane] += T[lane]
    for lane in range(lanes):
        w.T_1[lane] *= 1.0 / n


@njit(cache=True, error_model="numpy")
def _couple(w: Block, n: int, lanes: int, m: MaterialConstants, layered: bool) -> None:
    """Conductances [W/K]: in `G` conductivities become those to the next layer below; faces with their bodies.

    Contact is in series with half a layer; the body cools as it gives heat.
    """
    for lane in range(lanes):
        w.area[lane] = w.mass[lane] / (m.rho_0 * (1.0 - m.expansion * (w.T_0[lane] - m.T_0)) * w.h[lane])
        w.per_step[lane] = w.mass[lane] / (n * w.dt[lane])
        gain = THETA * w.dt[lane] / w.C_face[lane]
        half = 0.5 * w.h[lane] / n
        first = w.dz[0][lane] * 0.5 if layered else half
        final = w.dz[n - 1][lane] * 0.5 if layered else half
        U = w.area[lane] / (1.0 / w.h_up[lane] + first / w.G[0][lane])
        w.U_up[lane] = U / (1.0 + gain * U)
        U = w.area[lane] / (1.0 / w.h_low[lane] + final / w.G[n - 1][lane])
        w.U_low[lane] = U / (1.0 + gain * U)
        w.flux[lane] = 0.5 * w.area[lane] * n / w.h[lane]
    if layered:
        for j in range(n - 1):
            for lane in range(lanes):
                resistance = w.dz[j][lane] / w.G[j][lane] + w.dz[j + 1][lane] / w.G[j + 1][lane]
                w.G[j][lane] = 2.0 * w.area[lane] / resistance
    else:
        for j in range(n - 1):
            k, k_next = w.G[j], w.G[j + 1]
            for lane in range(lanes):
                k[lane] = w.flux[lane] * (k[lane] + k_next[lane])


@njit(cache=True, error_model="numpy")
def _solve(w: Block, n: int, lanes: int) -> None:
    """Temperature changes `d` [K] of the layers by elimination from top to bottom and back."""
    for lane in range(lanes):
        w.flux[lane] = w.U_up[lane] * (w.T_up[lane] - w.T[0][lane])
        w.moves[lane] = w.U_up[lane]
        w.gained[lane] = 0.0
        w.rate[lane] = 0.0
    # Row j is worked on in rows of its own: where they lie is known when this is compiled, so loops become vectors.
    for j in range(n):
        copy_row(w.cp[j], w.cp_here, lanes)
        copy_row(w.T[j], w.T_here, lanes)
        if j < n - 1:
            copy_row(w.G[j], w.G_here, lanes)
            copy_row(w.T[j + 1], w.T_next, lanes)
        else:
            copy_row(w.U_low, w.G_here, lanes)
            copy_row(w.T_low, w.T_next, lanes)
        for lane in range(lanes):
            G = w.G_here[lane]
            below = G * (w.T_here[lane] - w.T_next[lane])
            coupling = THETA * w.moves[lane]
            factor = coupling * w.gained[lane]
            pivot = 1.0 / (w.per_step[lane] * w.cp_here[lane] + coupling + THETA * G - factor * coupling)
            w.rate[lane] = w.flux[lane] - below + factor * w.rate[lane]
            w.gained[lane] = pivot
            w.flux[lane] = below
            w.moves[lane] = G
        copy_row(w.gained, w.A[j], lanes)
        copy_row(w.rate, w.d[j], lanes)
    for lane in range(lanes):
        w.rate[lane] *= w.gained[lane]
    copy_row(w.rate, w.d[n - 1], lanes)
    for j in range(n - 2, -1, -1):
        copy_row(w.d[j], w.d_here, lanes)
        copy_row(w.G[j], w.G_here, lanes)
        copy_row(w.A[j], w.A_here, lanes)
        for lane in range(lanes):
            w.rate[lane] = (w.d_here[lane] + THETA * w.G_here[lane] * w.rate[lane]) * w.A_here[lane]
        copy_row(w.rate, w.d[j], lanes)


@njit(cache=True, error_model="numpy")
def _exchange(w: Block, n: int, lanes: int) -> None:
    """Heat [J] over every boundary, out of one layer and into the next."""
    for lane in range(lanes):
        w.Q_up[lane] = w.dt[lane] * w.U_up[lane] * (w.T_up[lane] - w.T[0][lane] - THETA * w.d[0][lane])
        w.Q_low[lane] = w.dt[lane] * w.U_low[lane] * (w.T_low[lane] - w.T[n - 1][lane] - THETA * w.d[n - 1][lane])
        w.flux[lane] = w.Q_up[lane]
        w.moves[lane] = n / w.mass[lane]
    for lane in range(lanes):
        w.T_here[lane] = w.T[0][lane] + THETA * w.d[0][lane]
    for j in range(n - 1):
        copy_row(w.T[j + 1], w.T_next, lanes)
        copy_row(w.d[j + 1], w.d_here, lanes)
        copy_row(w.G[j], w.G_here, lanes)
        for lane in range(lanes):
            below = w.T_next[lane] + THETA * w.d_here[lane]
            out = w.dt[lane] * w.G_here[lane] * (w.T_here[lane] - below)
            w.rate[lane] = (w.flux[lane] - out) * w.moves[lane]
            w.flux[lane] = out
            w.T_here[lane] = below
        H = w.H[j]
        for lane in range(lanes):
            H[lane] += w.rate[lane]
    for lane in range(lanes):
        w.H[n - 1][lane] += (w.flux[lane] + w.Q_low[lane]) * w.moves[lane]
