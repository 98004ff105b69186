"""Sheet drawn into the press: every full parcel length becomes a parcel."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.constants import MaterialConstants
from emulator.material.thermal import density, enthalpy_at
from emulator.material.viscoelastic import modulus_factor
from emulator.press import commands as at
from emulator.press.constants import MachineConstants
from emulator.press.geometry import smallest_clearance
from emulator.press.parcel import ring_size
from emulator.press.parts import Parts
from emulator.press.sheet import carried, grip_thickness, take_out
from emulator.press.state import Parcel

Floats = NDArray[np.float64]


@njit(cache=True, error_model="numpy")
def feed_sheet(p: Parts, now_ns: int, dt: float) -> None:
    """Draw sheet in over the pending travel in dt [s].

    The press draws in when it is commanded to and grips the sheet somewhere: when the
    smallest clearance is below the thickness that arrives.
    """
    progress, u, c = p.progress, p.u, p.c
    h0 = u[at.FEED_THICKNESS] * u[at.FEED_SCALE]
    if u[at.RIPPLE] != 0.0:
        h0 *= 1.0 + u[at.RIPPLE] * math.sin(2.0 * math.pi * progress.fed[0] / u[at.RIPPLE_LENGTH])
    if u[at.FEED] < 0.5 or smallest_clearance(p.plant.clearance) >= h0:
        progress.feed[0] = 0.0
        return
    drawn = progress.pending_travel[2] * carried(h0, grip_thickness(p), c)
    progress.feed[0] += drawn
    progress.fed[0] += drawn
    while progress.feed[0] >= c.parcel:
        progress.feed[0] -= c.parcel
        x = progress.feed[0] + 0.5 * c.parcel
        since = dt * x / drawn
        _insert(p, x, h0, now_ns - int(1e9 * since))


@njit(cache=True, error_model="numpy")
def _insert(p: Parts, x: float, h0: float, entry_ns: int) -> None:
    """A fresh parcel at the young end of the ring, free of stress."""
    parcels, ring, record, u = p.parcels, p.progress.ring, p.record, p.u
    if ring[1] == ring_size(parcels):  # cannot happen with the capacity of config; the oldest leaves early
        take_out(parcels[ring[0]], record)
        ring[0] = (ring[0] + 1) % ring_size(parcels)
        ring[1] -= 1
        ring[2] = max(ring[2] - 1, 0)
    parcel = parcels[(ring[0] + ring[1]) % ring_size(parcels)]
    ring[1] += 1
    fresh_parcel(parcel, h0, u[at.FEED_TEMPERATURE], u[at.SOLIDS], p.c, p.m)
    if u[at.FEED_STIFFNESS] != 1.0 or u[at.FEED_MELTING] != 0.0:
        parcel.stiff *= u[at.FEED_STIFFNESS]
        parcel.melt += u[at.FEED_MELTING]
        parcel.b = modulus_factor(parcel.T_mean - parcel.melt, p.m)
    parcel.serial = ring[3]
    ring[3] += 1
    parcel.entry_ns = entry_ns
    parcel.x = x
    record.energy[2] += parcel.mass * parcel.H[0]
    record.mass[0] += parcel.mass


@njit(cache=True, error_model="numpy")
def fresh_parcel(
    parcel: Parcel, h0: float, T: float, deviation: float, c: MachineConstants, m: MaterialConstants
) -> None:
    """Fill a slot with sheet of thickness h0 [m] at T [K], free of stress, at the entry.

    `deviation` is the relative deviation of its solids fraction from the material's.
    """
    parcel.exit_ns = 0
    parcel.updated_ns = 0
    parcel.released = 0
    parcel.layered = 0
    parcel.stiff, parcel.melt = of_other_solids(deviation, m)
    parcel.x = 0.0
    parcel.mass = density(T, m) * h0 * c.feed_width * c.parcel
    parcel.length0 = c.parcel
    parcel.h0 = h0
    parcel.h = h0
    parcel.h_min = h0
    parcel.h_1 = h0
    parcel.p_1 = 0.0
    parcel.dt_1 = 0.0
    parcel.h_exit = 0.0
    parcel.crown = 0.0
    parcel.wedge = 0.0
    parcel.p = 0.0
    parcel.p_max = 0.0
    parcel.t_p = 0.0
    parcel.t_gap = 0.0
    parcel.b = modulus_factor(T - parcel.melt, m)
    parcel.T_mean = T
    parcel.hot_min = np.inf
    parcel.hot_max = 0.0
    parcel.belt_seen = T
    for j in range(parcel.e.size):
        parcel.e[j] = 0.0
    H = enthalpy_at(T, m)
    for j in range(parcel.H.size):
        parcel.H[j] = H


@njit(cache=True, error_model="numpy")
def of_other_solids(deviation: float, m: MaterialConstants) -> tuple[float, float]:
    """Scale of the moduli, and shift of the gel melting point [K], where the solids fraction deviates by this part.

    Moduli go with the square of the solids, the melting point by Flory (docs/model.md, gel melting).
    """
    if deviation == 0.0:
        return 1.0, 0.0
    solids = min(max(m.solids * (1.0 + deviation), 1e-3), 0.999)
    odds = m.phi / (1.0 - m.phi) * (solids / (1.0 - solids)) / (m.solids / (1.0 - m.solids))
    phi = odds / (1.0 + odds)
    melting = 1.0 / (1.0 / m.Tm_gel + m.flory_slope * (m.phi - phi))
    ratio = solids / m.solids
    return ratio * ratio, melting - m.Tm_gel
