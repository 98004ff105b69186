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
from emulator.material.tile import Tile
from emulator.material.vector import (
    Places,
    Vector,
    broadcast,
    four_columns,
    least,
    most,
    number_of,
    places,
    read,
    root,
    write,
)

Floats = NDArray[np.float64]

THETA = 0.55  # weight of the new time level: second order in effect, and damps the first contact

# Columns of the table over enthalpy: temperature and its step to the next row, conductivity and heat capacity between.
T_HERE, T_STEP, K_HERE, CP_HERE = 0, 1, 2, 3


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
def density(T: Vector, m: MaterialConstants) -> Vector:
    """Density [kg/m3] at temperature T [K]."""
    return m.rho_0 * (1.0 - m.expansion * (T - m.T_0))


@njit(cache=True, error_model="numpy")
def _row(H: Vector, m: MaterialConstants) -> tuple[Vector, Places]:
    """Place in the table at enthalpy H: part of the row passed, and the row."""
    u = (H - m.H_first) * m.per_H_step
    row = places(least(most(u, 0.0), float(m.table.shape[0] - 1)))
    return u - number_of(row), row


@njit(cache=True, error_model="numpy")
def _look_up(w: Tile, n: int, m: MaterialConstants) -> None:
    """Temperature `T`, conductivity (into `G`) and heat capacity `cp` of every layer, their mean `T_mean`."""
    total = broadcast(0.0)
    for j in range(n):
        part, row = _row(read(w.H[j]), m)
        T, T_step, k, cp = four_columns(m.table, row, T_HERE)
        T = T + part * T_step
        write(w.T[j], T)
        write(w.G[j], k)
        write(w.cp[j], cp)
        total = total + T
    write(w.T_mean, total * (1.0 / n))


@njit(cache=True, error_model="numpy")
def conduct(w: Tile, n: int, m: MaterialConstants, layered: bool) -> None:
    """Heat through the n layers of every lane over `dt`; updates `H`, `T`, `T_mean`, `T_1`, `Q_up` and `Q_low`.

    Linearly implicit: heat capacity and conductivity of the start of the step, one
    tridiagonal system for the temperature changes, then fluxes into H. `layered`: layers have
    the thicknesses `dz`, and get `T_was`; else each has its part of `h`, and `dz` is not looked at.

    `T` and `T_1` at the end are those of the changes. They differ from the table's at the new H by what
    the heat capacity changes within the step, which nothing adds up: the next step looks up anew.
    """
    _look_up(w, n, m)
    if layered:
        for j in range(n):
            write(w.T_was[j], read(w.T[j]))
    U_up, U_low = _couple(w, n, m, layered)
    change = _eliminate(w, n, U_up, U_low)
    total = _exchange(w, n, U_up, U_low, change)
    write(w.T_1, read(w.T_mean) + total * (1.0 / n))


@njit(cache=True, error_model="numpy")
def _couple(w: Tile, n: int, m: MaterialConstants, layered: bool) -> tuple[Vector, Vector]:
    """Conductances [W/K]: in `G` conductivities become those to the next layer below; returns those of the faces.

    Contact is in series with half a layer; the body cools as it gives heat.

    Layers have equal masses, so that energy closes; the equations have layers of equal thickness, each with the
    density of its own temperature (docs/model.md, heat). Conducting by sqrt(rho_j/rho_mean) better in the denser
    layers follows them to 0.01 K; without it the core is 0.2 K early.
    """
    thinner = 1.0 - m.expansion * (read(w.T_mean) - m.T_0)
    h = read(w.h_middle)
    area = read(w.mass) / (m.rho_0 * thinner * h)
    way = root(thinner) * h  # that conductivities of the table are for
    longer = way / read(w.h)
    gain = THETA * read(w.dt) / read(w.C_face)
    half = 0.5 / n * way
    first = 0.5 * longer * read(w.dz[0]) if layered else half
    final = 0.5 * longer * read(w.dz[n - 1]) if layered else half
    k = read(w.G[0])
    U_up = area / (1.0 / read(w.h_up) + first / k)
    U_low = area / (1.0 / read(w.h_low) + final / read(w.G[n - 1]))
    if layered:
        twice = 2.0 * area / longer
        for j in range(n - 1):
            k_next = read(w.G[j + 1])
            write(w.G[j], twice / (read(w.dz[j]) / k + read(w.dz[j + 1]) / k_next))
            k = k_next
    else:
        per_k = 0.5 * n * area / way
        for j in range(n - 1):
            k_next = read(w.G[j + 1])
            write(w.G[j], per_k * (k + k_next))
            k = k_next
    return U_up / (1.0 + gain * U_up), U_low / (1.0 + gain * U_low)


@njit(cache=True, error_model="numpy")
def _reduced(
    w: Tile,
    j: int,
    inner: int,
    G: Vector,
    per_step: Vector,
    flux: Vector,
    coupling: Vector,
    pivot: Vector,
    rate: Vector,
) -> tuple[Vector, Vector, Vector, Vector]:
    """Row j without its outer neighbour: what the row of its inner neighbour needs of it."""
    passed = G * (read(w.T[j]) - read(w.T[inner]))
    factor = coupling * pivot
    rate = flux - passed + factor * rate
    pivot = 1.0 / (per_step * read(w.cp[j]) + coupling + THETA * G - factor * coupling)
    write(w.A[j], pivot)
    write(w.d[j], rate)
    return passed, THETA * G, pivot, rate


@njit(cache=True, error_model="numpy")
def _eliminate(w: Tile, n: int, U_up: Vector, U_low: Vector) -> Vector:
    """From both faces to the middle: pivots into `A`, right sides into `d`; returns the temperature change [K] there.

    Two eliminations that do not wait for each other take half the time, and equal faces leave equal halves.
    """
    per_step = read(w.mass) / (float(n) * read(w.dt))
    nothing = broadcast(0.0)
    up = U_up * (read(w.T_up) - read(w.T[0])), THETA * U_up, nothing, nothing
    low = U_low * (read(w.T_low) - read(w.T[n - 1])), THETA * U_low, nothing, nothing
    middle = n // 2
    for k in range(n - 1 - middle):
        i = n - 1 - k
        up = _reduced(w, k, k + 1, read(w.G[k]), per_step, *up)
        low = _reduced(w, i, i - 1, read(w.G[i - 1]), per_step, *low)
    if n % 2 == 0:
        up = _reduced(w, middle - 1, middle, read(w.G[middle - 1]), per_step, *up)
    flux, coupling, pivot, rate = up
    flux_low, coupling_low, pivot_low, rate_low = low
    factor, factor_low = coupling * pivot, coupling_low * pivot_low
    gained = (flux + factor * rate) + (flux_low + factor_low * rate_low)
    own = (coupling - factor * coupling) + (coupling_low - factor_low * coupling_low)
    return gained / (per_step * read(w.cp[middle]) + own)


@njit(cache=True, error_model="numpy")
def _resolved(
    w: Tile, j: int, inner: int, G: Vector, dt: Vector, per_mass: Vector, change: Vector, T: Vector, gained: Vector
) -> tuple[Vector, Vector, Vector]:
    """Temperature change of row j from that of its inner neighbour, which is at T and has `gained` so far [J]."""
    change = (read(w.d[j]) + THETA * G * change) * read(w.A[j])
    T_0 = read(w.T[j])
    T_outer = T_0 + THETA * change
    write(w.T[j], T_0 + change)
    inward = dt * G * (T_outer - T)
    write(w.H[inner], read(w.H[inner]) + (gained + inward) * per_mass)
    return change, T_outer, -inward


@njit(cache=True, error_model="numpy")
def _exchange(w: Tile, n: int, U_up: Vector, U_low: Vector, change: Vector) -> Vector:
    """From the middle to both faces: temperature changes, and heat [J] out of one layer and into the next.

    Returns the sum of the changes [K].
    """
    dt = read(w.dt)
    per_mass = float(n) / read(w.mass)
    middle = n // 2
    T_0 = read(w.T[middle])
    T = T_0 + THETA * change
    write(w.T[middle], T_0 + change)
    total = change
    nothing = broadcast(0.0)
    up = change, T, nothing
    low = change, T, nothing
    if n % 2 == 0:
        up = _resolved(w, middle - 1, middle, read(w.G[middle - 1]), dt, per_mass, *up)
        total = total + up[0]
    for k in range(n - 2 - middle, -1, -1):
        i = n - 1 - k
        up = _resolved(w, k, k + 1, read(w.G[k]), dt, per_mass, *up)
        low = _resolved(w, i, i - 1, read(w.G[i - 1]), dt, per_mass, *low)
        total = total + (up[0] + low[0])
    into = dt * U_up * (read(w.T_up) - up[1])
    write(w.Q_up, into)
    write(w.H[0], read(w.H[0]) + (up[2] + into) * per_mass)
    into = dt * U_low * (read(w.T_low) - low[1])
    write(w.Q_low, into)
    write(w.H[n - 1], read(w.H[n - 1]) + (low[2] + into) * per_mass)
    return total
