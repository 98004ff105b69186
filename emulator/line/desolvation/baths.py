"""Baths in a row: the sheet goes from the first to the last, the extractant from the last to the first.

The sheet's pores stay full: for every volume of solvent that leaves, as much extractant enters, and the baths keep
their level. With y_i the solvent's part in bath i by volume, V its volume, F the flow, and q_i what the sheet gives:

    V dy_i/dt = F (y_(i+1) - y_i) + q_i,    y_(n+1) what the fresh extractant brings
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from emulator.line.desolvation.definition import Desolvation, Extractant

__all__ = ["Flowed", "biot", "flow_through", "fourier_rate"]


class Flowed(NamedTuple):
    """What a step makes of the baths."""

    solvent: list[float]
    """Part in each bath by volume, first bath of the sheet first."""
    overflow_m3: float
    """Solvent that left the first bath with the spent extractant."""
    fresh_m3: float
    """Solvent that came into the last one."""


def fourier_rate(station: Desolvation, liquid: Extractant, thickness_m: float, temperature_k: float) -> float:
    """D/L^2 [1/s] of wet sheet so thick in this liquid: what a second adds to its Fourier number."""
    half = 0.5 * thickness_m
    return station.sheet.diffusivity_ratio * liquid.diffusivity_m2_s(temperature_k) / (half * half)


def biot(station: Desolvation, thickness_m: float) -> float:
    """k_f L/D of wet sheet so thick.

    A liquid film moves with the sheet, and diffusion through it is free: k_f = D_free/film. So Bi is the same in
    every bath, and a sheet keeps its modes from bath to bath.
    """
    return 0.5 * thickness_m / (station.sheet.diffusivity_ratio * station.sheet.liquid_film_um * 1e-6)


def flow_through(
    solvent: Sequence[float],
    volume_m3: float,
    flow_m3_s: float,
    fresh_fraction: float,
    released_m3: Sequence[float],
    dt_s: float,
) -> Flowed:
    """The baths after `dt_s`, during which the sheet gave them `released_m3` of solvent each, evenly.

    Bath after bath from the fresh end, each with the mean of what flowed in: exact in a bath for any step, and
    nothing is lost between them.
    """
    rate = flow_m3_s / volume_m3
    fresh = flow_m3_s * fresh_fraction * dt_s
    # mean over the step of what a bath remembers: (1 - exp(-rate dt))/(rate dt)
    kept = -math.expm1(-rate * dt_s) / (rate * dt_s) if rate * dt_s > 0.0 else 1.0
    after = list(solvent)
    arriving = fresh
    for i in reversed(range(len(after))):
        change = kept * (arriving + released_m3[i] - flow_m3_s * dt_s * after[i])
        after[i] += change / volume_m3
        arriving += released_m3[i] - change
    return Flowed(after, arriving, fresh)
