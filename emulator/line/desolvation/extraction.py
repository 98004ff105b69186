"""Diffusion of the process solvent out of a plane sheet, through a liquid film at both faces.

With y the solvent's part of the liquid in the pores, z the place across half the thickness L, and y_b the part in
the bath:

    dy/dt = D d2y/dz2,   -D dy/dz = k_f (y - y_b) at the faces,   Fo = D t/L^2,   Bi = k_f L/D

In one bath the mean excess decays as that of any plate (`emulator.line.plate`). A sheet that goes from bath to bath
carries an amplitude per mode (`Modes`): a mode forgets the past by itself, so steps of any length are exact while the
bath does not change, and what leaves the sheet is a difference of sums (docs/model.md, extraction).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from emulator.line.plate import eigenvalues, weights

__all__ = ["MODES", "Modes", "modes", "soak"]

Floats = NDArray[np.float64]

GROUPS = (0, 1, 2, 3, 4, 5, 7, 10, 15, 24, 40, 70, 130)
"""Series terms from one entry to the next share one amplitude; the first ones stand alone. All beyond the last are
one more."""
MODES = len(GROUPS)
"""Amplitudes that a piece of sheet carries."""


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
    weight = weights(bi, z)
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
