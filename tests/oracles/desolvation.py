"""Extraction and crosslinking again, by SciPy's stiff solver on the equations as they stand in docs/model.md.

Diffusion by finite volumes that narrow towards the face (method of lines), baths as equations beside it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.integrate import solve_ivp

from tests.oracles.parameters import GAS, Floats

CELLS = 60
NARROWING = 0.9


def _cells() -> tuple[Floats, Floats]:
    """Widths of the cells from the middle (0) to the face (1), and the ways between their centres."""
    width = NARROWING ** np.arange(CELLS)
    width = width / width.sum()
    return width, 0.5 * (width[1:] + width[:-1])


def _diffusion(y: Floats, face: float, biot: float) -> Floats:
    """dy/dFo of each cell; `face` is the bath's part."""
    width, way = _cells()
    flux = np.zeros(CELLS + 1)
    flux[1:-1] = (y[:-1] - y[1:]) / way
    flux[-1] = (y[-1] - face) / (0.5 * width[-1] + (0.0 if math.isinf(biot) else 1.0 / biot))
    return np.asarray((flux[:-1] - flux[1:]) / width)


def sheet_in_bath(rate: float, biot: float, bath: Callable[[float], float], times: Floats) -> Floats:
    """Mean part of solvent in a sheet, full at t = 0, in a bath whose part changes; `rate` is D/L^2 in 1/s."""
    width, _ = _cells()
    found = solve_ivp(
        lambda t, y: rate * _diffusion(y, bath(t), biot),
        (0.0, float(times[-1])),
        np.ones(CELLS),
        method="BDF",
        t_eval=times,
        rtol=1e-8,
        atol=1e-10,
        jac=lambda t, y: rate * _jacobian(biot),
    )
    return np.asarray(width @ found.y)


def _jacobian(biot: float) -> Floats:
    return np.array([_diffusion(column, 0.0, biot) for column in np.eye(CELLS)]).T


def lots_through_baths(
    rate: float,
    biot: float,
    baths: Sequence[float],
    volume: float,
    flow: float,
    fresh: float,
    liquid: float,
    stay: float,
    lots: int,
) -> tuple[Floats, Floats]:
    """Lots of sheet, `liquid` m3 in each, go from bath to bath every `stay` seconds while the extractant flows against.

    Returns the mean part of solvent in each lot as it leaves the last bath, and the parts in the baths at the end.
    """
    width, _ = _cells()
    n = len(baths)
    y = np.array(baths, np.float64)
    inside: list[Floats] = []
    out = []
    linear = _jacobian(biot)
    for turn in range(lots + n + 1):
        if len(inside) == n:
            gone = inside.pop()
            if gone.size:
                out.append(float(width @ gone))
            if len(out) == lots:
                break
        inside.insert(0, np.ones(CELLS) if turn < lots else np.zeros(0))
        places = [i for i, sheet in enumerate(inside) if sheet.size]
        size = n + CELLS * len(places)
        A = np.zeros((size, size))
        constant = np.zeros(size)
        for i in range(n):
            A[i, i] -= flow / volume
            if i + 1 < n:
                A[i, i + 1] += flow / volume
            else:
                constant[i] = flow / volume * fresh
        for k, i in enumerate(places):
            own = slice(n + k * CELLS, n + (k + 1) * CELLS)
            A[own, own] = rate * linear
            A[own, i] = rate * _diffusion(np.zeros(CELLS), 1.0, biot)
            A[i, own] -= liquid / volume * (width @ A[own, own])
            A[i, i] -= liquid / volume * float(width @ A[own, i])
        start = np.concatenate([y, *(inside[i] for i in places)])
        found = solve_ivp(
            lambda t, s, A=A, constant=constant: A @ s + constant,
            (0.0, stay),
            start,
            method="BDF",
            jac=A,
            rtol=1e-7,
            atol=1e-10,
        )
        y = found.y[:n, -1]
        for k, i in enumerate(places):
            inside[i] = found.y[n + k * CELLS : n + (k + 1) * CELLS, -1]
    return np.array(out), y


def conversion(
    rate_85c: float, activation: float, temperature: Callable[[float], float], oxygen: Callable[[float], float],
    times: Floats,
) -> Floats:  # fmt: skip
    """Reacted part of the double bonds while temperature [K] and the factor of oxygen change."""

    def rates(t: float, alpha: Floats) -> Floats:
        k = rate_85c * math.exp(-activation / GAS * (1.0 / temperature(t) - 1.0 / 358.15))
        return np.asarray(k * oxygen(t) * (1.0 - alpha))

    found = solve_ivp(
        rates, (0.0, float(times[-1])), [0.0], t_eval=times, method="BDF", rtol=1e-9, atol=1e-12, max_step=600.0
    )
    return np.asarray(found.y[0])
