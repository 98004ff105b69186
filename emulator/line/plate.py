"""A plate that is cooled on both faces: the series solution, its eigenvalues found once for each Biot number."""

from __future__ import annotations

import functools
import math

__all__ = ["TERMS", "mean_excess"]

TERMS = 12
"""Of the series; enough from a Fourier number of 0.01 on, where the thirteenth is below 1e-6."""


@functools.lru_cache(maxsize=512)
def _terms(biot: float) -> tuple[tuple[float, float], ...]:
    """Eigenvalues z with z tan z = Bi, and the part of each in the mean."""
    found = []
    for n in range(TERMS):
        low, high = n * math.pi, (n + 0.5) * math.pi
        for _ in range(60):
            z = 0.5 * (low + high)
            if z * math.sin(z) > biot * math.cos(z) if n % 2 == 0 else z * math.sin(z) < biot * math.cos(z):
                high = z
            else:
                low = z
        sine = math.sin(z)
        found.append((z, 2.0 * sine * sine / (z * (z + sine * math.cos(z)))))
    return tuple(found)


def mean_excess(biot: float, fourier: float) -> float:
    """Mean temperature of a plate over that of its surroundings, as part of what it was at the start.

    Args:
        biot: h L / k with the half thickness L; more than 0.
        fourier: a t / L².

    Source: the plane wall with convection (Carslaw and Jaeger, 2nd ed., 3.11).
    """
    if fourier <= 0.0:
        return 1.0
    # a sheet whose thickness wanders by a thousandth needs no eigenvalues of its own
    total = sum(part * math.exp(-z * z * fourier) for z, part in _terms(float(f"{biot:.3g}")))
    return min(total, 1.0)
