"""The film laboratory: readings with the instruments' uncertainty, and the impedance trace of a film being heated.

Readings draw from named streams (`emulator.random`), one per instrument, counted by sample: another sample more
changes no reading of another.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emulator.line.film.definition import Film, Instrument
from emulator.line.film.properties import macmullin_number
from emulator.random import normal
from emulator.units import KELVIN

__all__ = ["Trace", "Transitions", "base_impedance_ohm_m2", "impedance_trace", "reading", "transitions"]

Floats = NDArray[np.float64]

TRACE_STEP_K = 0.5


def reading(instrument: Instrument, true: float, key: int, counter: int) -> float:
    """What the laboratory says of sample `counter`: the mean of its specimens, as the instrument shows them.

    `key` is that of the instrument's stream. What is infinite reads so.
    """
    if not math.isfinite(true):
        return true
    spread = math.hypot(instrument.absolute, instrument.relative * true)
    shown = 0.0
    for specimen in range(instrument.specimens):
        one = true + spread * normal(key, counter * instrument.specimens + specimen)
        if instrument.resolution > 0.0:
            one = round(one / instrument.resolution) * instrument.resolution
        shown += one
    return shown / instrument.specimens


def base_impedance_ohm_m2(film: Film, thickness_m: float, porosity: float) -> float:
    """Resistance times area of soaked film before it shuts down."""
    return film.impedance.electrolyte_ohm_m * thickness_m * macmullin_number(film, porosity)


class Trace(NamedTuple):
    """Impedance of a cell with the film while it is heated."""

    time_s: Floats
    temperature_k: Floats
    impedance_ohm_m2: Floats


def impedance_trace(film: Film, thickness_m: float, porosity: float, shutdown_k: float, meltdown_k: float) -> Trace:
    """The logarithm rises by `impedance_decades` around shutdown and falls back around meltdown.

    `shutdown_k` is where the rise has reached the threshold by which it is read, `meltdown_k` where it has fallen
    below it again. Raises ValueError without pores: there is nothing to conduct.
    """
    if porosity <= 0.0:
        raise ValueError("film without pores conducts at no temperature; give a porosity above 0")
    i = film.impedance
    warm = np.arange(i.start_c, i.end_c + 0.5 * TRACE_STEP_K, TRACE_STEP_K) + KELVIN
    decades = film.shutdown.impedance_decades
    # how far on the rise the threshold is, in widths from its middle
    share = math.log10(i.threshold_factor) / decades
    offset = math.log(share / (1.0 - share))
    rise = _step(warm, shutdown_k - offset * film.shutdown.width_k, film.shutdown.width_k)
    fall = _step(warm, meltdown_k + offset * film.meltdown.width_k, film.meltdown.width_k)
    base = base_impedance_ohm_m2(film, thickness_m, porosity)
    time = (warm - warm[0]) / i.ramp_k_min * 60.0
    return Trace(time, warm, base * 10.0 ** (decades * rise * (1.0 - fall)))


def _step(temperature_k: Floats, middle_k: float, width_k: float) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-(temperature_k - middle_k) / width_k)))


class Transitions(NamedTuple):
    """What is read from a trace; None where it does not happen within it."""

    shutdown_k: float | None
    meltdown_k: float | None


def transitions(film: Film, trace: Trace) -> Transitions:
    """Where the impedance first exceeds the threshold, and where it falls below it again."""
    level = np.log10(trace.impedance_ohm_m2 / (trace.impedance_ohm_m2[0] * film.impedance.threshold_factor))
    shut = _crossing(trace.temperature_k, level, 0)
    if shut is None:
        return Transitions(None, None)
    melted = _crossing(trace.temperature_k, -level, int(np.argmax(level > 0.0)))
    return Transitions(shut, melted)


def _crossing(temperature_k: Floats, level: Floats, first: int) -> float | None:
    """Where the level goes from below 0 to above, from place `first` on, linear between points."""
    above = np.flatnonzero((level[first + 1 :] > 0.0) & (level[first:-1] <= 0.0))
    if above.size == 0:
        return None
    k = first + int(above[0])
    part = -level[k] / (level[k + 1] - level[k])
    return float(temperature_k[k] + part * (temperature_k[k + 1] - temperature_k[k]))
