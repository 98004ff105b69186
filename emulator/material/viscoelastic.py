"""Stress, relaxation and recovery of the sheet: nine Maxwell arms and a network.

The sheet is compressed by the Hencky strain eps = ln(h0/h). One step solves the
linear law of every arm exactly for a constant strain rate, so steps far longer
than the fast relaxation times stay accurate:

    e+ = e q + f d_eps,  q = exp(-z),  f = (1 - q)/z,  z = dt/tau + max(0, ln(b1/b0))

The last term is the freeze-in: modulus gained on cooling is born free of
stress; on heating modulus is lost and the strain stays (docs/model.md, mechanics).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.constants import MaterialConstants
from emulator.material.lanes import decay, exp, log, sinh_over
from emulator.material.tile import Tile
from emulator.material.vector import Vector, absolute, any_of, broadcast, least, most, read, where, write

Floats = NDArray[np.float64]

SPEEDUP_TOLERANCE = 0.02
CONVERGED = 1e-8  # a Newton step below this leaves an error of its square
CLOSE = 1e-5  # and one of Chebyshev's that of its cube
ITERATIONS = 50


@njit(cache=True, error_model="numpy")
def modulus_factor(T: Vector, m: MaterialConstants) -> Vector:
    """b(T): modulus at temperature T [K] over that at 25 degC."""
    linear = least(most(1.0 - m.b_slope * (T - 298.15), m.b_min), m.b_max)
    return linear / (1.0 + exp((T - m.S_T) * m.per_S_w)) * m.per_S_25


@njit(cache=True, error_model="numpy")
def network_modulus(b: Vector, m: MaterialConstants) -> Vector:
    """E_N [Pa] at modulus factor b."""
    return m.E_Nmin + (m.E_N25 - m.E_Nmin) * b


@njit(cache=True, error_model="numpy")
def stress_speedup(sigma: Vector, T: Vector, m: MaterialConstants) -> Vector:
    """1/a_s = sinh(x)/x, x = sigma V A/(kB T): relaxation is faster under stress (Eyring)."""
    return sinh_over(absolute(sigma) * m.VA_kB / T)


@njit(cache=True, error_model="numpy")
def prepare(w: Tile, m: MaterialConstants) -> None:
    """Modulus factor at the end of the step and speed-up by the stress at its start, from `T_mean`, `T_1`, `b`, `e`."""
    stress = broadcast(0.0)
    for i in range(m.arms):
        stress = stress + m.E[i] * read(w.e[i])
    stress = stress * read(w.b)
    T_1 = read(w.T_1)
    write(w.b_1, modulus_factor(T_1 - read(w.melt), m))
    write(w.S_0, stress)
    write(w.speedup, stress_speedup(stress, 0.5 * (read(w.T_mean) + T_1), m))


@njit(cache=True, error_model="numpy")
def age(w: Tile, m: MaterialConstants) -> None:
    """What temperature alone makes of the step, from `T_mean`, `T_1`, `b`, `b_1`: `rate`, `gained`, and the network.

    `rate` is dt times the relaxation of the arms without stress over that at `T_ref`.
    """
    arms = m.arms
    dt, b_0, b_1 = read(w.dt), read(w.b), read(w.b_1)
    inverse = 2.0 / (read(w.T_mean) + read(w.T_1)) - 1.0 / m.T_ref
    E_N = network_modulus(b_1, m)
    gained, gained_N = broadcast(0.0), broadcast(0.0)
    if any_of(b_1 > b_0):  # on heating nothing is gained
        gained = most(log(b_1 / b_0), 0.0)
        gained_N = most(log(E_N / network_modulus(b_0, m)), 0.0)
    write(w.rate, dt * exp(-m.Ea_R * inverse))
    write(w.gained, gained)
    q, f = decay(dt * exp(-m.EaN_R * inverse) * m.per_tau_N + gained_N)
    write(w.q[arms], q)
    write(w.f[arms], f)
    write(w.S0_network, E_N * read(w.e[arms]) * q)
    write(w.S1_network, E_N * f)


@njit(cache=True, error_model="numpy")
def linearise(w: Tile, m: MaterialConstants) -> None:
    """Coefficients of the step, after `age`: `q`, `f`, and the stress at its end, `S0` + `S1` d_eps [Pa]."""
    b_1, stiff = read(w.b_1), read(w.stiff)
    rate, gained = read(w.rate) * read(w.speedup), read(w.gained)
    S0 = broadcast(0.0)
    S1 = broadcast(0.0)
    for i in range(m.arms):
        q, f = decay(rate * m.per_tau[i] + gained)
        write(w.q[i], q)
        write(w.f[i], f)
        S0 = S0 + m.E[i] * read(w.e[i]) * q
        S1 = S1 + m.E[i] * f
    S0 = S0 * b_1
    S1 = S1 * b_1
    write(w.S0_arms, S0)
    write(w.S1_arms, S1)
    write(w.S0, stiff * (S0 + read(w.S0_network)))
    write(w.S1, stiff * (S1 + read(w.S1_network)))


@njit(cache=True, error_model="numpy")
def correct(w: Tile, m: MaterialConstants) -> bool:
    """Speed-up by the mean stress of the step, where it differs; returns whether it does in any lane.

    Relaxation depends on stress: where that moves, the step is to be taken again.
    """
    speedup = read(w.speedup)
    after = read(w.S0_arms) + read(w.S1_arms) * read(w.d_eps)
    T = 0.5 * (read(w.T_mean) + read(w.T_1))
    middle = stress_speedup(0.5 * (read(w.S_0) + after), T, m)
    moved = absolute(middle - speedup) > SPEEDUP_TOLERANCE * speedup
    write(w.speedup, where(moved, middle, speedup))
    return bool(any_of(moved))


@njit(cache=True, error_model="numpy")
def strain_under_belts(w: Tile) -> None:
    """Strain increment `d_eps` and pressure `p` [Pa] of sheet `h` thick in the gap `g` of compliance `C`.

    Solves S0 + S1 d_eps = (h exp(-d_eps) - g)/(2 C). If that would need
    tension the sheet is free; above `p_limit` the press gives way at that pressure.

    Chebyshev's iteration: a Newton step and its correction by the curvature, which is known for nothing,
    cube the error and save an exponential.
    """
    h, g, S0, S1, p_limit = read(w.h), read(w.g), read(w.S0), read(w.S1), read(w.p_limit)
    stiffness = 0.5 / read(w.C)
    free = -S0 / S1
    touches = h * exp(-free) > g
    d_eps = broadcast(0.0)
    thickness = h
    still = broadcast(1.0)  # a lane that has arrived stays, whatever the others still do
    for _ in range(ITERATIONS):
        misfit = S0 + S1 * d_eps - (thickness - g) * stiffness
        per_slope = 1.0 / (S1 + thickness * stiffness)
        step = misfit * per_slope
        change = still * (step * (1.0 - 0.5 * step * (thickness * stiffness * per_slope)))
        d_eps = d_eps - change
        far = absolute(change) > CLOSE
        if not any_of(far & touches):
            break
        still = where(far, 1.0, 0.0)
        thickness = h * exp(-d_eps)
    p = most(S0 + S1 * d_eps, 0.0)
    too_much = p > p_limit
    d_eps = where(too_much, (p_limit - S0) / S1, d_eps)
    write(w.d_eps, where(touches, d_eps, free))
    write(w.p, where(touches, where(too_much, p_limit, p), 0.0))


@njit(cache=True, error_model="numpy")
def apply_strain(w: Tile, m: MaterialConstants) -> None:
    """Update strains, thickness and modulus factor for the strain increment of the step."""
    d_eps = read(w.d_eps)
    for i in range(m.arms + 1):
        write(w.e[i], read(w.e[i]) * read(w.q[i]) + read(w.f[i]) * d_eps)
    write(w.h, read(w.h) * exp(-d_eps))
    write(w.b, read(w.b_1))


@njit(cache=True, error_model="numpy")
def deform(w: Tile, m: MaterialConstants) -> None:
    """Strain of every lane over the step into its gap; the layers share one strain."""
    prepare(w, m)
    age(w, m)
    linearise(w, m)
    strain_under_belts(w)
    if correct(w, m):
        linearise(w, m)
        strain_under_belts(w)
    apply_strain(w, m)


@njit(cache=True, error_model="numpy")
def stress_in_series(w: Tile, layers: Sequence[Tile], n: int) -> Vector:
    """Stress [Pa] common to the n layers that fits the gap `g` [m] of compliance `C` [m/Pa]; fills their `d_eps`.

    Solves sum h_j exp(-d_j) - g = 2 C sigma with d_j = (sigma - S0_j)/S1_j (docs/model.md, layers in series). Without
    contact the stress is 0; above `p_limit` [Pa] it is that.
    """
    g, C = read(w.g), read(w.C)
    sigma = broadcast(0.0)
    still = broadcast(1.0)
    for iteration in range(ITERATIONS):
        misfit = -g - 2.0 * C * sigma
        slope = -2.0 * C
        for j in range(n):
            v = layers[j]
            S1 = read(v.S1)
            thickness = read(v.h) * exp((read(v.S0) - sigma) / S1)
            misfit = misfit + thickness
            slope = slope - thickness / S1
        if iteration == 0:
            still = where(misfit > 0.0, 1.0, 0.0)  # the others are free
        change = still * misfit / slope
        sigma = sigma - change
        far = absolute(change) > CONVERGED * absolute(sigma)
        if not any_of(far):
            break
        still = where(far, 1.0, 0.0)
    sigma = least(sigma, read(w.p_limit))
    for j in range(n):
        v = layers[j]
        write(v.d_eps, (sigma - read(v.S0)) / read(v.S1))
    return sigma


@njit(cache=True, error_model="numpy")
def deform_layers(w: Tile, layers: Sequence[Tile], n: int, m: MaterialConstants) -> Vector:
    """Strain of every layer of every lane over the step into the gap of w at one stress, which is returned [Pa].

    Layers are tiles of their own with `dt`, `stiff`, `melt`, `h`, `b`, `e`, `T_mean` and `T_1`.
    """
    for j in range(n):
        prepare(layers[j], m)
        age(layers[j], m)
        linearise(layers[j], m)
    sigma = stress_in_series(w, layers, n)
    again = False
    for j in range(n):
        again |= correct(layers[j], m)
    if again:
        for j in range(n):
            linearise(layers[j], m)
        sigma = stress_in_series(w, layers, n)
    for j in range(n):
        apply_strain(layers[j], m)
    return sigma
