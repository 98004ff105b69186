"""The press against the independent implementation on SciPy, at equal accuracy.

Equal accuracy: r of the reference parcel within 0.1 points of a tight solution of the same equations. The emulator
is taken as it ships. Of the solver's settings the quickest is taken that is good enough: tolerance and number of
layers are loosened as far as they go (LSODA with a vectorised Jacobian; BDF and Radau take longer). Both include the
ten minutes of recovery after release that r needs.
"""

from __future__ import annotations

import functools
import time

from benchmarks import closed_loop
from benchmarks.errors import Unable
from tests.oracles.parcel import LAYERS
from tests.validation.drawn import Case, reference

__all__ = ["parcel_vs_scipy", "plant_vs_scipy"]

WITHIN_POINTS = 0.1
TIGHT = 1e-9
TRIED = tuple((rtol, layers) for rtol in (3e-3, 1e-3, 3e-4, 1e-4, 1e-5, 1e-6) for layers in (5, LAYERS))
PARCEL_REPEATS = 20


def plant_vs_scipy() -> float:
    """How many parcels the whole press passes while the solver passes one."""
    return _solver_s() * closed_loop.plant() * closed_loop.plant_passes_per_s()


def parcel_vs_scipy() -> float:
    """How many parcels the emulator passes one by one while the solver passes one."""
    case, _, _ = _settings()
    begun = time.perf_counter()
    for _ in range(PARCEL_REPEATS):
        case.emulator()
    ours = (time.perf_counter() - begun) / PARCEL_REPEATS
    return _solver_s() / ours


def _solver_s() -> float:
    case, rtol, layers = _settings()
    begun = time.perf_counter()
    case.independent(rtol, layers=layers)
    return time.perf_counter() - begun


@functools.cache
def _settings() -> tuple[Case, float, int]:
    """The case, and the quickest tolerance and number of layers at which the solver is good enough."""
    case = reference()
    tight = case.independent(TIGHT).r_percent
    ours = case.emulator().truth["r_percent"]
    if abs(ours - tight) > WITHIN_POINTS:
        raise Unable(f"the emulator is off by {ours - tight:+.2f} points of r, so there is no equal accuracy")
    for rtol, layers in TRIED:
        if abs(case.independent(rtol, layers=layers).r_percent - tight) <= WITHIN_POINTS:
            return case, rtol, layers
    raise Unable("no tolerance tried is good enough")
