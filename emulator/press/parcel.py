"""A block of parcels for one step: heat through their layers, then strain in the gap.

The two are split: heat with the thickness and pressure of the start of the step,
then mechanics at the mean temperature of the step, the moduli at its ends.
`load` and `store` carry a parcel between its slot in the state and a lane of a block.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, Protocol, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.block import LANES, Block, block_type, copy_row
from emulator.material.constants import MaterialConstants
from emulator.material.thermal import conduct
from emulator.material.viscoelastic import (
    apply_strain,
    correct,
    deform,
    linearise,
    modulus_factor,
    network_modulus,
    prepare,
    stress_in_series,
)
from emulator.press.constants import MachineConstants
from emulator.press.state import Ints, Parcel, Strains, strains_type

Floats = NDArray[np.float64]

OPEN_GAP = 1.0  # m: no belts around the sheet
PRESSURE_ACTS = 1e3  # Pa: above it time counts as rolling time


class Work(Protocol):
    """Scratch of the kernels as compiled code sees it; nothing in it is remembered from step to step."""

    lanes: Block
    """Parcels as lanes."""
    sample: Block
    """A single sample in the laboratory."""
    layers: Block
    """Layers of one parcel as lanes."""
    strains: Strains
    """Layer strains of the sample."""
    slots: Ints
    """Where the parcels in the lanes belong, [LANES]."""


def work(layers: int) -> Sequence[Work]:
    """Fresh scratch for sheet of so many layers, as an array of one record."""
    return cast(Sequence[Work], np.zeros(1, _work_type(layers)))


@functools.cache
def _work_type(layers: int) -> np.dtype[Any]:
    block = block_type(layers)
    return np.dtype(
        [
            ("lanes", block),
            ("sample", block),
            ("layers", block),
            ("strains", strains_type(layers)),
            ("slots", np.int64, (LANES,)),
        ],
        align=True,
    )


@njit(cache=True, error_model="numpy")
def load(parcel: Parcel, strains: Strains, w: Block, lane: int) -> None:
    """Put a parcel into a lane."""
    n = parcel.H.size
    for j in range(n):
        w.H[j][lane] = parcel.H[j]
        w.T[j][lane] = parcel.T[j]
    for i in range(parcel.e.size):
        w.e[i][lane] = parcel.e[i]
    for j in range(n):
        w.dz[j][lane] = strains.h[j] if parcel.layered > 0 else parcel.h / n
    w.mass[lane] = parcel.mass
    w.stiff[lane] = parcel.stiff
    w.melt[lane] = parcel.melt
    w.h[lane] = parcel.h
    w.h_0[lane] = parcel.h
    w.p_0[lane] = parcel.p
    w.b_0[lane] = parcel.b
    w.T_0[lane] = parcel.T_mean


@njit(cache=True, error_model="numpy")
def store(parcel: Parcel, w: Block, lane: int) -> None:
    """Take a parcel back from its lane."""
    for j in range(parcel.H.size):
        parcel.H[j] = w.H[j][lane]
        parcel.T[j] = w.T[j][lane]
    for i in range(parcel.e.size):
        parcel.e[i] = w.e[i][lane]
    parcel.h = w.h[lane]
    parcel.p = w.p[lane]
    parcel.b = w.b_0[lane]
    parcel.T_mean = w.T_1[lane]


@njit(cache=True, error_model="numpy")
def load_history(parcel: Parcel, w: Block, lane: int) -> None:
    """What the press remembers of a parcel between its belts."""
    w.h_1[lane] = parcel.h_1
    w.p_1[lane] = parcel.p_1
    w.dt_1[lane] = parcel.dt_1
    w.h_min[lane] = parcel.h_min
    w.p_max[lane] = parcel.p_max
    w.t_p[lane] = parcel.t_p
    w.t_gap[lane] = parcel.t_gap
    w.crown[lane] = parcel.crown
    w.wedge[lane] = parcel.wedge


@njit(cache=True, error_model="numpy")
def store_history(parcel: Parcel, w: Block, lane: int) -> None:
    """The counterpart of `load_history`."""
    parcel.h_1 = w.h_0[lane]
    parcel.p_1 = w.p_0[lane]
    parcel.dt_1 = w.dt[lane]
    parcel.h_min = w.h_min[lane]
    parcel.p_max = w.p_max[lane]
    parcel.t_p = w.t_p[lane]
    parcel.t_gap = w.t_gap[lane]
    parcel.crown = w.crown[lane]
    parcel.wedge = w.wedge[lane]


@njit(cache=True, error_model="numpy")
def split_into_layers(parcel: Parcel, strains: Strains) -> None:
    """From now on every layer carries its own strain; it starts with the parcel's."""
    n = parcel.H.size
    parcel.layered = 1
    for j in range(n):
        strains.b[j] = parcel.b
        strains.h[j] = parcel.h / n
        for i in range(parcel.e.size):
            strains.e[j, i] = parcel.e[i]


@njit(cache=True, error_model="numpy")
def step_block(w: Block, lanes: int, layered: bool, c: MachineConstants, m: MaterialConstants) -> None:
    """Heat and common strain of so many lanes for `dt`; `step_layers` replaces the strain of layered ones.

    Reads the faces' temperatures, conductances and `C_face`, and the gap at the end of the step with its compliance.
    """
    if layered:
        for j in range(c.layers):
            copy_row(w.T[j], w.T_was[j], lanes)
    conduct(w, c.layers, lanes, m, layered)
    deform(w, lanes, m)


@njit(cache=True, error_model="numpy")
def approach(w: Block, lanes: int, c: MachineConstants, m: MaterialConstants) -> None:
    """Contact conductances of the faces: by pressure, lying on, or through the air gap above."""
    for lane in range(lanes):
        p = w.p_0[lane]
        # pressure at the middle of the step, if it goes on as it went
        slope = (p - w.p_1[lane]) / w.dt_1[lane] if w.dt_1[lane] > 0.0 else 0.0
        under_pressure = c.h_base + c.h_pressure * max(p + 0.5 * slope * w.dt[lane], 0.0)
        pressed = p > 0.0
        w.h_up[lane] = under_pressure if pressed else min(c.h_closed, c.k_gap / max(w.g[lane] - w.h[lane], 1e-9))
        w.h_low[lane] = under_pressure if pressed else c.h_closed
    for lane in range(lanes):
        if w.p_0[lane] == 0.0 and w.h[lane] > w.g[lane]:
            _begin_contact(w, lane, c, m)


@njit(cache=True, error_model="numpy")
def _begin_contact(w: Block, lane: int, c: MachineConstants, m: MaterialConstants) -> None:
    """Conductances of a lane on which the belts close within the step.

    Nothing tells its pressure yet, so that is estimated: moduli that live as long as the step, against the belts.
    """
    h, g, g_0 = w.h[lane], w.g[lane], w.g_0[lane]
    inverse = 1.0 / w.T_0[lane] - 1.0 / m.T_ref
    rate = 0.5 * w.dt[lane] * math.exp(-m.Ea_R * inverse)
    modulus = network_modulus(w.b_0[lane], m)
    for i in range(m.arms):
        modulus += w.b_0[lane] * m.E[i] / (1.0 + rate * m.per_tau[i])
    p = min((h - g) / (2.0 * w.C[lane] + h / (w.stiff[lane] * modulus)), w.p_limit[lane])
    if h > g_0:
        part, mean_p = 1.0, p  # the sheet is nipped at once
    else:
        part, mean_p = (h - g) / (g_0 - g), 0.5 * p
    pressed = c.h_base + c.h_pressure * mean_p
    w.h_up[lane] += part * (pressed - w.h_up[lane])
    w.h_low[lane] += part * (pressed - w.h_low[lane])


@njit(cache=True, error_model="numpy")
def step_layers(w: Block, lane: int, strains: Strains, v: Block, c: MachineConstants, m: MaterialConstants) -> None:
    """Strain of a layered parcel in a lane of w, its layers as lanes of v: equal stress, each its own strain.

    Replaces what the common strain has done to `h`, `p`, `e`, `b_0`, `S1` and `d_eps` of the lane.
    """
    n = c.layers
    arms = m.arms + 1
    for j in range(n):
        v.dt[j] = w.dt[lane]
        v.stiff[j] = w.stiff[lane]
        v.melt[j] = w.melt[lane]
        v.h[j] = strains.h[j]
        v.T_0[j] = w.T_was[j][lane]
        v.T_1[j] = w.T[j][lane]
        v.b_0[j] = strains.b[j]
        for i in range(arms):
            v.e[i][j] = strains.e[j, i]
    prepare(v, n, m)
    linearise(v, n, m)
    g, C, p_limit = w.g[lane], w.C[lane], w.p_limit[lane]
    sigma = stress_in_series(v, n, g, C, p_limit)
    if correct(v, n, m) > 0:
        linearise(v, n, m)
        sigma = stress_in_series(v, n, g, C, p_limit)
    softness = 0.0
    apply_strain(v, n, m)
    h = 0.0
    for j in range(n):
        strains.h[j] = v.h[j]
        strains.b[j] = v.b_0[j]
        h += v.h[j]
        softness += v.h[j] / v.S1[j]
        for i in range(arms):
            strains.e[j, i] = v.e[i][j]
    for i in range(arms):
        mean = 0.0
        for j in range(n):
            mean += v.e[i][j]
        w.e[i][lane] = mean / n
    w.h[lane] = h
    w.p[lane] = sigma
    w.S1[lane] = h / softness
    w.d_eps[lane] = math.log(w.h_0[lane] / h)
    w.b_0[lane] = modulus_factor(w.T_1[lane] - w.melt[lane], m)


@njit(cache=True, error_model="numpy")
def note(w: Block, lanes: int, c: MachineConstants) -> None:
    """Bring the history of every lane up to the end of the step."""
    for lane in range(lanes):
        h, p = w.h[lane], w.p[lane]
        bottom = _between(w.h_1[lane], w.dt_1[lane], w.h_0[lane], h, w.dt[lane])
        # a parabola across a corner of the gap goes too deep; no sheet is thinner than its gap and the nip's give
        least = min(w.g_0[lane], w.g[lane]) + 2.0 * c.C_n * min(w.p_0[lane], p)
        lowest = min(h, max(bottom, least))
        deepest = lowest < w.h_min[lane]
        # the sheet follows a deviation of the gap across the width as far as it is soft against the belts
        follows = 1.0 / (1.0 + 2.0 * w.C[lane] * w.S1[lane] / h)
        bow = 2.0 * (c.bow * p * c.pitch - c.crown)
        pressed = p > 0.0
        w.crown[lane] = (follows * bow if pressed else 0.0) if deepest else w.crown[lane]
        w.wedge[lane] = (follows * w.wedge_g[lane] if pressed else 0.0) if deepest else w.wedge[lane]
        w.h_min[lane] = lowest if deepest else w.h_min[lane]
        w.p_max[lane] = max(w.p_max[lane], p)
        acts = p > PRESSURE_ACTS
        had_begun = w.t_p[lane] > 0.0
        w.t_gap[lane] += w.dt[lane] if had_begun and not acts else 0.0
        w.t_p[lane] += w.dt[lane] if acts else 0.0


@njit(cache=True, error_model="numpy")
def _between(h_1: float, dt_1: float, h_0: float, h: float, dt: float) -> float:
    """Smallest thickness [m] between the last steps and this one, ending at h [m] after dt [s].

    Steps pass a nip at any phase, and its bottom is narrow: the parabola through three
    steps finds it to a tenth of a micrometre where the steps themselves miss it by ten.
    """
    span = dt_1 + dt
    before = (h_0 - h_1) / dt_1
    after = (h - h_0) / dt
    curvature = (after - before) / span
    slope = (before * dt + after * dt_1) / span
    bottom = h_0 - 0.25 * slope * slope / curvature
    return bottom if dt_1 > 0.0 and h_0 <= h_1 and h_0 <= h and curvature > 0.0 else h


@njit(cache=True, error_model="numpy")
def length_of(parcel: Parcel, h: float, c: MachineConstants) -> float:
    """Length along the belt [m]: what thinning does not put into width goes into length."""
    if c.spread >= 1.0:
        return parcel.length0
    return float(parcel.length0 * (parcel.h0 / h) ** (1.0 - c.spread))


@njit(cache=True, error_model="numpy")
def put_in_air(w: Block, lanes: int, c: MachineConstants) -> None:
    """Air at both faces, and no belts around: the sheet recovers free of stress.

    The heat given to the air in a step is then -(`Q_up` + `Q_low`).
    """
    for lane in range(lanes):
        w.T_up[lane] = c.T_ambient
        w.T_low[lane] = c.T_ambient
        w.h_up[lane] = c.h_air
        w.h_low[lane] = c.h_air
        w.C_face[lane] = math.inf
        w.g[lane] = OPEN_GAP
        w.C[lane] = 1.0
        w.p_limit[lane] = math.inf
