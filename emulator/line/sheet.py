"""Sheet on its way to the press, as pieces: what each is made of and how it became so."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emulator.line.definition import COMPONENTS

__all__ = ["PIECE", "Pieces", "no_pieces", "thickness_m"]

PIECE = np.dtype(
    [
        ("serial", np.int64),  # counted from the start of the line
        ("lot", np.int64),  # of the raw materials
        ("die_ns", np.int64),  # when its front left the die
        ("length_m", np.float64),
        ("width_m", np.float64),
        ("mass_kg", np.float64, (len(COMPONENTS),)),
        ("mixing", np.float64),  # degree of mixing, 0 … 1
        ("melt_k", np.float64),
        ("thickness_m", np.float64),  # at 25 °C
        ("thickness_cv", np.float64),  # standard deviation across the width over the mean
        ("temperature_k", np.float64),
        ("cooled", np.float64),  # Fourier number since the die
        ("travelled_m", np.float64),  # since the die
        ("gel_melting_k", np.float64),
        ("modulus_scale", np.float64),  # over that of the material's data
        ("splice", np.int64),  # 1: holds a joint
    ],
    align=True,
)

Pieces = NDArray[np.void]
"""Records of `PIECE`, shape (n,), the oldest first."""


def no_pieces() -> Pieces:
    """None of them, shape (0,)."""
    return np.zeros(0, PIECE)


def thickness_m(mass_kg: float, density_kg_m3: float, width_m: float, length_m: float) -> float:
    """Of a piece of sheet."""
    return mass_kg / (density_kg_m3 * width_m * length_m)
