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

from emulator.material.constants import MaterialConstants

Floats = NDArray[np.float64]

THETA = 0.55  # weight of the new time level: second order in effect, and damps the first contact


@njit(cache=True, error_model="numpy")
def lookup(H: float, table: Floats, m: MaterialConstants) -> float:
    """A property at specific enthalpy H [J/kg], linear between table entries."""
    u = (H - m.H_first) / m.H_step
    i = min(max(int(u), 0), table.size - 2)
    return float(table[i] + (u - i) * (table[i + 1] - table[i]))


@njit(cache=True, error_model="numpy")
def enthalpy_at(T: float, m: MaterialConstants) -> float:
    """Specific enthalpy [J/kg] of the table at temperature T [K]: the inverse of `lookup`."""
    low = 0
    high = m.T_of_H.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if m.T_of_H[middle] > T:
            high = middle
        else:
            low = middle
    part = (T - m.T_of_H[low]) / (m.T_of_H[low + 1] - m.T_of_H[low])
    return float(m.H_first + m.H_step * (low + part))


@njit(cache=True, error_model="numpy")
def density(T: float, m: MaterialConstants) -> float:
    """Density [kg/m3] at temperature T [K]."""
    return m.rho_0 * (1.0 - m.expansion * (T - m.T_0))


@njit(cache=True, error_model="numpy")
def conduct(
    H: Floats,
    T: Floats,
    mass: float,
    area: float,
    h: float,
    T_up: float,
    T_low: float,
    h_up: float,
    h_low: float,
    C_face: float,
    dt: float,
    m: MaterialConstants,
    work: Floats,
) -> tuple[float, float]:
    """Heat conduction through one parcel over dt; updates H and T [layers] in place.

    `mass` [kg], `area` [m2] and thickness `h` [m] are of the parcel; `h_up`, `h_low`
    [W/(m2 K)] couple its faces to bodies at `T_up`, `T_low` [K] whose heat capacity
    is `C_face` [J/K] each (infinite for air). `work` is scratch, [3, layers].
    Returns the heat [J] taken from the upper and from the lower body.

    Linearly implicit: heat capacity and conductivity of the start of the step, one
    tridiagonal system for the temperature changes, then fluxes into H.
    """
    n = H.size
    dz = h / n
    m_layer = mass / n
    gain = THETA * dt
    C = work[0]  # eliminated diagonal over dt, W/K
    d = work[1]  # temperature change, K
    G = work[2]  # conductance to the next layer, W/K

    # Faces: contact in series with half a layer; the body cools as it gives heat.
    k_first = lookup(H[0], m.k_of_H, m)
    U_up = area / (1.0 / h_up + 0.5 * dz / k_first) if h_up > 0.0 else 0.0
    U_up /= 1.0 + gain * U_up / C_face

    inverse_step = 1.0 / m.H_step
    k_here = k_first
    U_above = U_up
    flux_above = U_up * (T_up - T[0])  # explicit part, W, downwards
    U_low = 0.0
    for j in range(n):
        u = (H[j] - m.H_first) * inverse_step
        i = min(max(int(u), 0), m.T_of_H.size - 2)
        C_j = m_layer * m.H_step / (m.T_of_H[i + 1] - m.T_of_H[i])
        if j < n - 1:
            k_next = lookup(H[j + 1], m.k_of_H, m)
            G_j = area * 0.5 * (k_here + k_next) / dz
            flux_below = G_j * (T[j] - T[j + 1])
            k_here = k_next
        else:
            U_low = area / (1.0 / h_low + 0.5 * dz / k_here) if h_low > 0.0 else 0.0
            U_low /= 1.0 + gain * U_low / C_face
            G_j = U_low
            flux_below = U_low * (T[j] - T_low)
        diagonal = C_j / dt + THETA * (U_above + G_j)
        right = flux_above - flux_below
        if j > 0:
            factor = THETA * U_above / C[j - 1]
            diagonal -= factor * THETA * U_above
            right += factor * d[j - 1]
        C[j] = diagonal
        d[j] = right
        G[j] = G_j
        U_above = G_j
        flux_above = flux_below
    d[n - 1] /= C[n - 1]
    for j in range(n - 2, -1, -1):
        d[j] = (d[j] + THETA * G[j] * d[j + 1]) / C[j]

    Q_up = dt * U_up * (T_up - T[0] - THETA * d[0])
    Q_low = dt * U_low * (T_low - T[n - 1] - THETA * d[n - 1])
    Q_in = Q_up
    per_mass = 1.0 / m_layer
    for j in range(n):
        Q_out = -Q_low
        if j < n - 1:
            Q_out = dt * G[j] * (T[j] - T[j + 1] + THETA * (d[j] - d[j + 1]))
        H[j] += (Q_in - Q_out) * per_mass
        Q_in = Q_out
    for j in range(n):
        T[j] = lookup(H[j], m.T_of_H, m)
    return Q_up, Q_low
