"""A plate between two equal faces, in one dimension: sheet that is cooled, sheet that is washed.

With u the excess of temperature or concentration over the surroundings, z the place across half the thickness L:

    du/dt = a d2u/dz2,   -a du/dz = h u at the faces,   Fo = a t/L^2,   Bi = h L/a

(for heat h is the conductance over the heat capacity per volume). The mean excess of a plate that was even at the start
decays as psi(Fo, Bi) = sum w_n exp(-z_n^2 Fo), z tan z = Bi (Carslaw and Jaeger, 2nd ed., 3.11; Crank, 2nd ed., 4.3.6).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["eigenvalues", "mean_excess", "weights"]

Floats = NDArray[np.float64]

SHORT = 0.05
"""Fourier number below which the plate is a half-space: the far face is felt by less than 2e-9."""
SERIES_TERMS = 8
"""Enough above that: the last exponent is -150 and more, or Bi is small and the first term is all there is."""
NEWTON = 6
"""Steps that bring the start below to machine precision at every Bi."""
SMALL = 0.02
ASYMPTOTIC = 6.0


def eigenvalues(biot: Floats, count: int) -> Floats:
    """The first roots of z tan z = Bi, [..., count]; Bi > 0, infinite where nothing resists at the faces."""
    bi = np.asarray(biot, np.float64)[..., None]
    whole = np.arange(count) * math.pi
    endless = np.isinf(bi)
    with np.errstate(invalid="ignore"):
        first = np.where(endless, 0.5 * math.pi, np.sqrt(bi / (1.0 + bi * (4.0 / math.pi**2))))
        z = np.where(whole == 0.0, first, whole)
        squared, some_endless = bi * bi, endless.any()
        for _ in range(NEWTON):
            # atan(Bi/z) falls with z, which makes z - n pi - atan(Bi/z) rise and bend down: Newton does not overshoot
            slope = 1.0 + bi / (z * z + squared)
            if some_endless:
                slope = np.where(endless, 1.0, slope)
            z = z - (z - whole - np.arctan2(bi, z)) / slope
    return np.asarray(z)


def weights(biot: Floats, z: Floats) -> Floats:
    """Part of each eigenvalue's mode in the mean of a plate that was even at the start, [..., count]."""
    bi = np.asarray(biot, np.float64)[..., None]
    with np.errstate(invalid="ignore"):
        part = np.where(np.isinf(bi), 1.0, 1.0 / (z * z / (bi * bi) + 1.0 + 1.0 / bi))
    return np.asarray(2.0 / (z * z) * part)


def mean_excess(fourier: float, biot: float = math.inf) -> float:
    """Part of the mean excess that is left, 0 … 1, at `fourier` >= 0 and any Bi > 0."""
    if fourier <= 0.0:
        return 1.0
    if fourier < SHORT:
        return 1.0 - _half_space(fourier, biot)
    z = eigenvalues(np.array(biot), SERIES_TERMS)
    return float((weights(np.array(biot), z) * np.exp(-z * z * fourier)).sum())


def _half_space(fourier: float, biot: float) -> float:
    """Part that has left a plate so thick that its faces do not know of each other."""
    root = math.sqrt(fourier)
    if math.isinf(biot):
        return 2.0 * root / math.sqrt(math.pi)
    s = biot * root
    if s < SMALL:  # the closed form would be a difference of nearly equal numbers
        third = 4.0 / (3.0 * math.sqrt(math.pi))
        return s * s * (1.0 - s * (third - s * (0.5 - s * (8.0 / (15.0 * math.sqrt(math.pi)))))) / biot
    return (_erfcx(s) - 1.0 + 2.0 * s / math.sqrt(math.pi)) / biot


def _erfcx(s: float) -> float:
    """exp(s^2) erfc(s), also where the one overflows and the other vanishes."""
    if s < ASYMPTOTIC:
        return math.exp(s * s) * math.erfc(s)
    u = 0.5 / (s * s)
    return (1.0 - u * (1.0 - 3.0 * u * (1.0 - 5.0 * u * (1.0 - 7.0 * u * (1.0 - 9.0 * u))))) / (s * math.sqrt(math.pi))
