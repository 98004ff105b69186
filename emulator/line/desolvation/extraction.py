"""Diffusion of the process solvent out of a plane sheet, through a liquid film at both faces.

With y the solvent's part of the liquid in the pores, z the place across half the thickness L, and y_b the part in
the bath:

    dy/dt = D d2y/dz2,   -D dy/dz = k_f (y - y_b) at the faces,   Fo = D t/L^2,   Bi = k_f L/D

The mean excess decays as psi(Fo, Bi) = sum w_n exp(-z_n^2 Fo), z tan z = Bi. `residual` is that for one bath. A
sheet that goes from bath to bath carries an amplitude per mode (`Modes`): a mode forgets the past by itself, so
steps of any length are exact while the bath does not change, and what leaves the sheet is a difference of sums
(docs/model.md, extraction).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["MODES", "Modes", "eigenvalues", "modes", "residual", "soak"]

Floats = NDArray[np.float64]

SHORT = 0.05
"""Fourier number below which the sheet is a half-space: the far face is felt by less than 2e-9."""
SERIES_TERMS = 8
"""Enough above that: the last exponent is -150 and more, or Bi is small and the first term is all there is."""
NEWTON = 6
"""Steps that bring the start below to machine precision at every Bi."""
SMALL = 0.02
ASYMPTOTIC = 6.0

GROUPS = (0, 1, 2, 3, 4, 5, 7, 10, 15, 24, 40, 70, 130)
"""Series terms from one entry to the next share one amplitude; the first ones stand alone. All beyond the last are
one more."""
MODES = len(GROUPS)
"""Amplitudes that a piece of sheet carries."""


def eigenvalues(biot: Floats, count: int) -> Floats:
    """The first roots of z tan z = Bi, [..., count]; Bi > 0, infinite where the faces have the bath's concentration."""
    bi = np.asarray(biot, np.float64)[..., None]
    n = np.arange(count)
    with np.errstate(invalid="ignore"):
        first = np.where(np.isinf(bi), 0.5 * math.pi, np.sqrt(bi / (1.0 + bi * (4.0 / math.pi**2))))
    z = np.where(n == 0, first, n * math.pi)
    for _ in range(NEWTON):
        # atan(Bi/z) falls with z, which makes z - n pi - atan(Bi/z) rise and bend down: Newton does not overshoot
        with np.errstate(invalid="ignore"):
            slope = np.where(np.isinf(bi), 1.0, 1.0 + bi / (z * z + bi * bi))
        z = z - (z - n * math.pi - np.arctan2(bi, z)) / slope
    return np.asarray(z)


def _weights(biot: Floats, z: Floats) -> Floats:
    """Part of the solvent in each mode of a sheet that comes evenly filled."""
    bi = np.asarray(biot, np.float64)[..., None]
    with np.errstate(invalid="ignore"):
        part = np.where(np.isinf(bi), 1.0, 1.0 / (z * z / (bi * bi) + 1.0 + 1.0 / bi))
    return np.asarray(2.0 / (z * z) * part)


def residual(fourier: float, biot: float = math.inf) -> float:
    """Part of the solvent's excess over the bath that is left, 0 … 1, after D t/L^2 = `fourier` >= 0, at any Bi > 0."""
    if fourier <= 0.0:
        return 1.0
    if fourier < SHORT:
        return 1.0 - _half_space(fourier, biot)
    z = eigenvalues(np.array(biot), SERIES_TERMS)
    return float((_weights(np.array(biot), z) * np.exp(-z * z * fourier)).sum())


def _half_space(fourier: float, biot: float) -> float:
    """Part that has left a sheet so thick that its faces do not know of each other."""
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


@dataclass(frozen=True, slots=True)
class Modes:
    """How a sheet empties: rates per unit of Fourier number, and parts of the solvent, which sum to 1; [..., MODES]."""

    rate: Floats
    part: Floats


def modes(biot: Floats | float) -> Modes:
    """The modes of sheets with these Biot numbers, an array of any shape.

    Terms of the series that die within 1e-3 of D t/L^2 are taken together in groups, each with the mean life of its
    terms, so that nothing of the solvent is left out and short times come out right as well.
    """
    bi = np.asarray(biot, np.float64)
    z = eigenvalues(bi, GROUPS[-1])
    weight = _weights(bi, z)
    life = weight / (z * z)
    starts = np.array(GROUPS[:-1])
    part = np.add.reduceat(weight, starts, axis=-1)
    rate = part / np.add.reduceat(life, starts, axis=-1)
    rest = np.maximum(1.0 - part.sum(axis=-1, keepdims=True), 0.0)
    # terms fall like 1/n^2 or faster: half of the rest is within twice the place where it begins
    fast = np.broadcast_to((2.0 * math.pi * GROUPS[-1]) ** 2, rest.shape)
    part = np.concatenate([part, rest], axis=-1)
    return Modes(np.concatenate([rate, fast], axis=-1), part / part.sum(axis=-1, keepdims=True))


def soak(amplitude: Floats, sheet: Modes, fourier: Floats | float, bath: Floats | float) -> Floats:
    """Amplitudes [..., MODES] after a further D dt/L^2 = `fourier` in a bath with this part of solvent; exact.

    Their sum is the mean part of solvent in the liquid of the sheet; what it fell by went into the bath.
    """
    goal = sheet.part * np.asarray(bath)[..., None]
    return np.asarray(goal + (amplitude - goal) * np.exp(-sheet.rate * np.asarray(fourier)[..., None]))
