"""Closed forms of docs/model.md as plain functions of SI numbers."""

from __future__ import annotations

import math

import numpy as np
from scipy.integrate import quad
from scipy.linalg import expm
from scipy.optimize import brentq

from tests.oracles.parameters import BOLTZMANN, Floats


def slab(biot: float, fourier: Floats, place: float, terms: int = 60) -> Floats:
    """Part of the first temperature difference left at place z/L (0 centre, 1 face) of a slab with Robin faces."""
    total = np.zeros_like(fourier)
    for n in range(terms):
        z = brentq(lambda q: q * math.sin(q) - biot * math.cos(q), n * math.pi, (n + 0.5) * math.pi, xtol=1e-14)
        C = 4.0 * math.sin(z) / (2.0 * z + math.sin(2.0 * z))
        total = total + C * np.exp(-z * z * fourier) * math.cos(z * place)
    return total


def slab_mean(biot: float, fourier: Floats, terms: int = 60) -> Floats:
    """The same, mean over the thickness."""
    total = np.zeros_like(fourier)
    for n in range(terms):
        z = brentq(lambda q: q * math.sin(q) - biot * math.cos(q), n * math.pi, (n + 0.5) * math.pi, xtol=1e-14)
        C = 4.0 * math.sin(z) / (2.0 * z + math.sin(2.0 * z))
        total = total + C * np.exp(-z * z * fourier) * math.sin(z) / z
    return total


def slab_in_layers(layers: int, k: float, rho_c: float, thickness: float, h: float, times: Floats) -> Floats:
    """The slab cut into layers, exact in time: part of the first difference left in each, [times, layers]."""
    dz = thickness / layers
    face, inner = 1.0 / (1.0 / h + 0.5 * dz / k), k / dz
    A = np.zeros((layers, layers))
    for j in range(layers):
        for other in (j - 1, j + 1):
            U = inner if 0 <= other < layers else face
            A[j, j] -= U
            if 0 <= other < layers:
                A[j, other] += U
    A /= rho_c * dz
    return np.array([expm(A * t) @ np.ones(layers) for t in times])


def span_compliance(pitch: float, thickness: float, E: float, poisson: float, tension: float) -> float:
    """C_m in m/Pa of one belt between two rollers, clamped beam and string side by side; tension N/m."""
    plate = E * thickness**3 / 12.0 / (1.0 - poisson**2)
    return 1.0 / (384.0 * plate / pitch**4 + 8.0 * tension / pitch**2)


def maxwell_hold(E: float, tau: float, E_N: float, strain: float, t: Floats) -> Floats:
    """Stress of an arm beside a spring, strained at t = 0 and held."""
    return E * strain * np.exp(-t / tau) + E_N * strain


def maxwell_ramp_hold(E: float, tau: float, E_N: float, strain: float, ramp: float, t: Floats) -> Floats:
    """The same, strained at a constant rate over a time `ramp` that ends at t = 0."""
    return E * strain * tau / ramp * (1.0 - math.exp(-ramp / tau)) * np.exp(-t / tau) + E_N * strain


def free_recovery(E: float, tau: float, E_N: float, strain: float, stress: float, t: Floats) -> Floats:
    """Strain that is left a time t after release from a hold that ended at this stress."""
    first = strain - stress / (E + E_N)
    return np.asarray(first * np.exp(-t * E_N / (tau * (E + E_N))))


def freeze_in(strain: float, E_N: float, E_new: float) -> float:
    """r in % right after release of a sheet whose second network was born stress-free in the rolled state."""
    return 100.0 * (math.exp(strain * E_N / (E_N + E_new)) - 1.0)


def eyring_flow(E: float, tau: float, rate: Floats, VA: float, T: float) -> Floats:
    """Steady stress of one arm at a strain rate: viscosity E tau, thinned by stress."""
    scale = VA / (BOLTZMANN * T)
    return np.asarray(np.arcsinh(E * tau * rate * scale) / scale)


def gaskell() -> tuple[float, float, float, float]:
    """Newtonian roll nip fed by a bank: lambda, H/H0, p_max / ((mu U/H0) sqrt(2R/H0)), (F/W) / (mu U R/H0).

    With x = s sqrt(2 R H0) and H0 half the gap, dp/ds = 3 (mu U/H0) sqrt(2R/H0) (s^2 - lambda^2)/(1 + s^2)^3.
    Pressure starts from nothing far upstream and ends flat and at nothing at s = lambda.
    """

    def slope(s: float, lam: float) -> float:
        return (s * s - lam * lam) / (1.0 + s * s) ** 3

    lam = float(brentq(lambda x: quad(slope, -np.inf, x, args=(x,))[0], 0.1, 1.0, xtol=1e-13))
    peak = quad(slope, -np.inf, -lam, args=(lam,))[0]
    # the integral of p ds is minus that of s dp: s p is nothing at both ends
    load = -quad(lambda s: s * slope(s, lam), -np.inf, lam)[0]
    return lam, 1.0 + lam * lam, 3.0 * peak, 6.0 * load
