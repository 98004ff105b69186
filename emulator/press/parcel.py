"""Pieces of sheet for one step: heat through their layers, then strain in the gap.

The two are split: heat with the thickness and pressure of the start of the step,
then mechanics at the mean temperature of the step, the moduli at its ends.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Protocol, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.constants import MaterialConstants
from emulator.material.lanes import exp, log, power
from emulator.material.thermal import conduct
from emulator.material.tile import Tile, tile_type
from emulator.material.vector import LANES, Vector, any_of, broadcast, flags, least, most, read, where, write
from emulator.material.viscoelastic import deform, deform_layers, network_modulus
from emulator.press.constants import MachineConstants
from emulator.press.state import SHELF, Ints, LayerStrains, Parcel, Parcels, Strains, parcel_type

Floats = NDArray[np.float64]

OPEN_GAP = 1.0  # m: no belts around the sheet
PRESSURE_ACTS = 1e3  # Pa: above it time counts as rolling time


class Work(Protocol):
    """Scratch of the kernels as compiled code sees it; nothing in it is remembered from step to step."""

    tile: Tile
    """Parcels in the press or on the table."""
    sample: Tile
    """A sample in the laboratory."""
    layers: Sequence[Tile]
    """Layers of the parcels in one of them that carry their own strain, each layer a tile."""
    slots: Ints
    """Where the parcels in the lanes belong, [LANES]; lanes left over repeat the last one."""
    tally: Floats
    """Sums over the sheet, lane by lane, [rows, LANES]."""


@functools.cache  # one for all presses: compiled code does not give way to another thread
def work(layers: int) -> Sequence[Work]:
    """Scratch for sheet of so many layers, as an array of one record."""
    tile = tile_type(parcel_type(layers), layers)
    form = np.dtype(
        [
            ("tile", tile),
            ("sample", tile),
            ("layers", tile, (layers,)),
            ("slots", np.int64, (LANES,)),
            ("tally", np.float64, (TALLY, LANES)),
        ],
        align=True,
    )
    line = 64  # bytes of a cache line: rows of a tile do not lie across two
    memory = np.zeros(form.itemsize + line, np.uint8)
    start = -memory.ctypes.data % line
    return cast(Sequence[Work], memory[start : start + form.itemsize].view(form))


# Rows of `Work.tally`.
PEAK, FORCE, AREA, THINNEST, BEARINGS = 0, 1, 2, 3, 4
TALLY = BEARINGS + 6


@njit(cache=True, error_model="numpy")
def ring_size(parcels: Parcels) -> int:
    """How many slots the ring has; the shelf begins there."""
    return parcels.size - SHELF


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
def load_layers(strains: LayerStrains, work: Work, c: MachineConstants) -> None:
    """Layers of the parcels in the lanes, as tiles of their own."""
    for lane in range(LANES):
        source = strains[work.slots[lane]]
        for j in range(c.layers):
            v = work.layers[j]
            v.b[lane] = source.b[j]
            v.h[lane] = source.h[j]
            for i in range(source.e.shape[1]):
                v.e[i][lane] = source.e[j, i]


@njit(cache=True, error_model="numpy")
def store_layers(strains: LayerStrains, work: Work, w: Tile, c: MachineConstants) -> None:
    """The counterpart of `load_layers`, for the parcels that have layers with a strain of their own."""
    for lane in range(LANES):
        if w.layered[lane] == 0:
            continue
        target = strains[work.slots[lane]]
        for j in range(c.layers):
            v = work.layers[j]
            target.b[j] = v.b[lane]
            target.h[j] = v.h[lane]
            for i in range(target.e.shape[1]):
                target.e[j, i] = v.e[i][lane]


@njit(cache=True, error_model="numpy")
def step_tile(w: Tile, layers: Sequence[Tile], layered: bool, c: MachineConstants, m: MaterialConstants) -> None:
    """Heat and strain of every lane for `dt`.

    Reads the faces' temperatures, conductances and `C_face`, and the gap at the end of the step with its compliance.
    `layered`: there are lanes whose layers carry a strain of their own, in `layers`.
    """
    n = c.layers
    if layered:
        own = flags(w.layered)
        for j in range(n):
            write(w.dz[j], where(own, read(layers[j].h), read(w.h) * (1.0 / n)))
    conduct(w, n, m, layered)
    if layered:
        _layers_in_series(w, layers, n, m)
    else:
        deform(w, m)
    write(w.T_mean, read(w.T_1))


@njit(cache=True, error_model="numpy")
def _layers_in_series(w: Tile, layers: Sequence[Tile], n: int, m: MaterialConstants) -> None:
    """Strain where layers carry their own, at equal stress; the others keep one strain."""
    own = flags(w.layered)
    h_0 = read(w.h)
    deform(w, m)
    for j in range(n):
        v = layers[j]
        write(v.dt, read(w.dt))
        write(v.stiff, read(w.stiff))
        write(v.melt, read(w.melt))
        write(v.T_mean, read(w.T_was[j]))
        write(v.T_1, read(w.T[j]))
    sigma = deform_layers(w, layers, n, m)
    h = broadcast(0.0)
    softness = broadcast(0.0)
    for j in range(n):
        v = layers[j]
        h = h + read(v.h)
        softness = softness + read(v.h) / read(v.S1)
    for i in range(m.arms + 1):
        total = broadcast(0.0)
        for j in range(n):
            total = total + read(layers[j].e[i])
        write(w.e[i], where(own, total * (1.0 / n), read(w.e[i])))
    write(w.h, where(own, h, read(w.h)))
    write(w.p, where(own, sigma, read(w.p)))
    write(w.S1, where(own, h / softness, read(w.S1)))
    write(w.d_eps, where(own, log(h_0 / h), read(w.d_eps)))


@njit(cache=True, error_model="numpy")
def approach(w: Tile, c: MachineConstants, m: MaterialConstants) -> None:
    """Thickness for the heat, and contact conductances of the faces: by pressure, lying on, or through the air gap.

    Pressure and thickness are those of the middle of the step, if they go on as they went; where contact has
    begun in the step before, nothing does.
    """
    p, h, g, dt_1, p_1 = read(w.p), read(w.h), read(w.g), read(w.dt_1), read(w.p_1)
    goes_on = (dt_1 > 0.0) & ((p_1 > 0.0) | (p <= 0.0))
    ahead = where(goes_on, 0.5 * read(w.dt) / dt_1, 0.0)
    write(w.h_middle, h * exp(ahead * log(h / read(w.h_1))))
    under_pressure = c.h_base + c.h_pressure * most(p + ahead * (p - p_1), 0.0)
    pressed = p > 0.0
    h_up = where(pressed, under_pressure, least(c.h_closed, c.k_gap / most(g - h, 1e-9)))
    h_low = where(pressed, under_pressure, c.h_closed)
    begins = (p <= 0.0) & (h > g)
    if any_of(begins):
        part, conductance = _first_contact(w, c, m)
        h_up = where(begins, h_up + part * (conductance - h_up), h_up)
        h_low = where(begins, h_low + part * (conductance - h_low), h_low)
    write(w.h_up, h_up)
    write(w.h_low, h_low)


@njit(cache=True, error_model="numpy")
def _first_contact(w: Tile, c: MachineConstants, m: MaterialConstants) -> tuple[Vector, Vector]:
    """Part of the step in contact, and conductance then, for lanes on which the belts close within the step.

    Nothing tells their pressure yet, so that is estimated: moduli that live as long as the step, against the belts.
    """
    h, g, g_0, b = read(w.h), read(w.g), read(w.g_0), read(w.b)
    rate = 0.5 * read(w.dt) * exp(-m.Ea_R * (1.0 / read(w.T_mean) - 1.0 / m.T_ref))
    modulus = network_modulus(b, m)
    for i in range(m.arms):
        modulus = modulus + b * m.E[i] / (1.0 + rate * m.per_tau[i])
    p = least((h - g) / (2.0 * read(w.C) + h / (read(w.stiff) * modulus)), read(w.p_limit))
    at_once = h > g_0  # the sheet is nipped as it comes
    part = where(at_once, 1.0, (h - g) / (g_0 - g))
    return part, c.h_base + c.h_pressure * where(at_once, p, 0.5 * p)


@njit(cache=True, error_model="numpy")
def note(w: Tile, c: MachineConstants) -> None:
    """Bring the history of every lane up to the end of the step, and make that the start of the next."""
    h, p, h_0, p_0, dt = read(w.h), read(w.p), read(w.h_0), read(w.p_0), read(w.dt)
    h_min, t_p = read(w.h_min), read(w.t_p)
    bottom = _between(read(w.h_1), read(w.dt_1), h_0, h, dt)
    # a parabola across a corner of the gap goes too deep; no sheet is thinner than its gap and the nip's give
    floor = least(read(w.g_0), read(w.g)) + 2.0 * c.C_n * least(p_0, p)
    lowest = least(h, most(bottom, floor))
    # at the design pressure the sheet creeps on until the belts leave it: it is thinnest in a corner, not in a bow
    p_limit = read(w.p_limit)
    gave_way = p_0 >= p_limit
    if any_of(gave_way | (read(w.p_1) >= p_limit)):
        in_corner = where(p < p_limit, least(h, _corner(w)), h)
        lowest = where(gave_way, in_corner, where(read(w.p_1) >= p_limit, h, lowest))
    deepest = lowest < h_min
    # the sheet follows a deviation of the gap across the width as far as it is soft against the belts
    follows = 1.0 / (1.0 + 2.0 * read(w.C) * read(w.S1) / h)
    follows = where(p > 0.0, follows, 0.0)
    bow = 2.0 * (c.bow * p * c.pitch - c.crown)
    write(w.crown, where(deepest, follows * bow, read(w.crown)))
    write(w.wedge, where(deepest, follows * read(w.wedge_g), read(w.wedge)))
    write(w.h_min, least(lowest, h_min))
    write(w.p_max, most(read(w.p_max), p))
    acting = where(p > PRESSURE_ACTS, dt, 0.0)
    write(w.t_gap, read(w.t_gap) + where(t_p > 0.0, dt - acting, 0.0))
    write(w.t_p, t_p + acting)
    write(w.h_1, h_0)
    write(w.p_1, p_0)
    write(w.dt_1, dt)


@njit(cache=True, error_model="numpy")
def _between(h_1: Vector, dt_1: Vector, h_0: Vector, h: Vector, dt: Vector) -> Vector:
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
    return where((dt_1 > 0.0) & (h_0 <= h_1) & (h_0 <= h) & (curvature > 0.0), bottom, h)


@njit(cache=True, error_model="numpy")
def _corner(w: Tile) -> Vector:
    """Thickness [m] at which lanes leave the design pressure within the step: where their creep meets the belts."""
    limit, h_0, dt_1, S1 = read(w.p_limit), read(w.h_0), read(w.dt_1), read(w.S1)
    went_on = (read(w.p_1) >= limit) & (dt_1 > 0.0)
    # where there is none to go on, the strain of this step at the design pressure
    begun = h_0 * (exp(-read(w.d_eps) - (limit - read(w.p)) / S1) - 1.0)
    creep = where(went_on, (h_0 - read(w.h_1)) * read(w.dt) / dt_1, begun)
    belts_0 = read(w.g_0) + 2.0 * read(w.C_0) * limit
    belts = read(w.g) + 2.0 * read(w.C) * limit
    part = least(most((h_0 - belts_0) / (belts - belts_0 - creep), 0.0), 1.0)
    return h_0 + part * least(creep, 0.0)


@njit(cache=True, error_model="numpy")
def length_of(length0: Vector, h0: Vector, h: Vector, c: MachineConstants) -> Vector:
    """Length along the belt [m] at thickness h [m]: what thinning does not put into width goes into length."""
    if c.spread >= 1.0:
        return length0 + 0.0 * h
    return length0 * power(h0 / h, 1.0 - c.spread)


@njit(cache=True, error_model="numpy")
def put_in_air(w: Tile, c: MachineConstants) -> None:
    """Air at both faces, and no belts around: the sheet recovers free of stress.

    The heat given to the air in a step is then -(`Q_up` + `Q_low`).
    """
    write(w.T_up, c.T_ambient)
    write(w.T_low, c.T_ambient)
    write(w.h_up, c.h_air)
    write(w.h_low, c.h_air)
    write(w.C_face, np.inf)
    write(w.g, OPEN_GAP)
    write(w.C, 1.0)
    write(w.p_limit, np.inf)
