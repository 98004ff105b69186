"""The mechanics of the press for sheet that is out of it: free in an oven, drawn, or held by clamps.

The same laws (`emulator.material.viscoelastic`), on sheet so thin that one temperature tells all. What a piece of
sheet has to carry for them is its strains: nine arms and the network, and the modulus factor that these belong to.
Sheet that leaves the press brings them along (`Web.of_parcels`), so what rolling has stored comes back in the oven
by the law that stored it.

In the press the strain is a compression through the thickness. Drawing sheet in both directions is the same
deformation: the stress in the plane is the one that the law gives for a compression by ln(lambda_md lambda_td).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.line.sheet import Pieces
from emulator.material.constants import REFERENCE_K, MaterialConstants, material_constants
from emulator.material.definition import Material
from emulator.material.thermal import CP_HERE, K_HERE, enthalpy_at
from emulator.material.tile import ARMS, Tile, tile_type
from emulator.material.vector import LANES, read, write
from emulator.material.viscoelastic import age, apply_strain, correct, linearise, modulus_factor, prepare
from emulator.press.state import parcel_type

__all__ = [
    "Followed",
    "Web",
    "follow",
    "modulus_factors",
    "release",
    "release_through",
    "residual_strain",
    "set_in_clamps",
    "time_steps",
]

Floats = NDArray[np.float64]

STEP_FIRST_S: Final = 0.005
STEP_GROWTH: Final = 0.15  # of the time since the start: recovery follows its logarithm
STEP_LAST_S: Final = 2.0
HELD_LAST_S: Final = 60.0
MOST_GROWING: Final = 96
"""More steps than there are until they are of `STEP_LAST_S`."""
COOLING_S: Final = 5.0
COOLING_STEPS: Final = 40
FREE: Final = math.inf
"""Strain increment that stands for "as it likes"."""


@dataclass(frozen=True)
class Web:
    """Pieces of sheet side by side, arrays [n]; strains [n, arms + 1], the network last."""

    thickness_m: Floats
    temperature_k: Floats
    strain: Floats
    modulus_factor: Floats
    """That the strains belong to; 1 at 25 degC."""
    stiffness: Floats
    """Scale of all moduli."""
    melt_k: Floats
    """Shift of the melting point from that of the material."""

    @classmethod
    def at_rest(cls, material: Material, thickness_m: Floats | float, temperature_k: float, melt_k: float = 0.0) -> Web:
        """Sheet free of stress."""
        h = np.atleast_1d(np.asarray(thickness_m, np.float64))
        temperature = np.full(h.size, temperature_k)
        shift = np.full(h.size, melt_k)
        b = modulus_factors(material, temperature, shift)
        return cls(h, temperature, np.zeros((h.size, ARMS + 1)), b, np.ones(h.size), shift)

    @classmethod
    def of_parcels(cls, parcels: Any) -> Web:
        """Sheet as it left the press: an array of parcels (`emulator.press.state`).

        Of a parcel in layers these are the means.
        """
        return cls(
            np.array(parcels["h"], np.float64),
            np.array(parcels["T_mean"], np.float64),
            np.array(parcels["e"], np.float64),
            np.array(parcels["b"], np.float64),
            np.array(parcels["stiff"], np.float64),
            np.array(parcels["melt"], np.float64),
        )

    @classmethod
    def of_pieces(cls, pieces: Pieces) -> Web:
        """Pieces of the line (`emulator.line.sheet`) behind the press."""
        return cls(
            pieces["thickness_m"].copy(),
            pieces["temperature_k"].copy(),
            pieces["strain"].copy(),
            pieces["modulus_factor"].copy(),
            pieces["stiffness"].copy(),
            pieces["melting_shift_k"].copy(),
        )

    def put_into(self, pieces: Pieces) -> None:
        """Give the pieces what the web has become: strains and what belongs to them, thickness and temperature."""
        pieces["thickness_m"], pieces["temperature_k"] = self.thickness_m, self.temperature_k
        pieces["strain"], pieces["modulus_factor"] = self.strain, self.modulus_factor
        pieces["stiffness"], pieces["melting_shift_k"] = self.stiffness, self.melt_k

    def with_melting_point(self, material: Material, melting_k: float) -> Web:
        """The same sheet, its melting point moved: what solvent lowers, its loss gives back."""
        return replace(self, melt_k=np.full(self.thickness_m.size, melting_k - material.gel_melting_point_k))


class Followed(NamedTuple):
    """What became of a web, and its stress [Pa] at the end of each step, [steps, n]; compression counts."""

    web: Web
    stress_pa: Floats


def modulus_factors(material: Material, temperature_k: Floats, melt_k: Floats) -> Floats:
    """b(T), [n]: moduli over those at 25 degC."""
    out = np.empty(temperature_k.size)
    _factors(np.asarray(temperature_k - melt_k, np.float64), material_constants(material), out)
    return out


@njit(cache=True, error_model="numpy")
def _factors(T: Floats, materials: Sequence[MaterialConstants], out: Floats) -> None:  # noqa: N803 - as in the laws
    for i in range(T.size):
        out[i] = modulus_factor(T[i], materials[0])


def residual_strain(material: Material, web: Web) -> Floats:
    """Strain [n] that sheet at 25 degC springs back by when the clamps let go."""
    m = material.mechanics
    moduli = np.array([*m.arm_modulus_25c_mpa, m.network_modulus_25c_mpa])
    return np.asarray(web.strain @ moduli / moduli.sum())


def time_steps(seconds: float, longest_s: float = STEP_LAST_S) -> Floats:
    """Steps that grow with the time since the start up to the longest, and add up to `seconds`."""
    steps = np.empty(MOST_GROWING + int(seconds / longest_s))
    return steps[: _time_steps(seconds, longest_s, steps)]


@njit(cache=True, error_model="numpy")
def _time_steps(seconds: float, longest: float, steps: Floats) -> int:
    count = 0
    passed = 0.0
    while passed < seconds:
        dt = min(max(STEP_GROWTH * passed, STEP_FIRST_S), longest)
        if passed + 1.5 * dt > seconds:
            dt = seconds - passed
            passed = seconds
        else:
            passed += dt
        steps[count] = dt
        count += 1
    return count


def follow(material: Material, web: Web, dt_s: Floats, temperature_k: Floats, strain: Floats | None) -> Followed:
    """Sheet through given steps.

    Args:
        material: whose laws.
        web: the sheet before.
        dt_s: steps, [steps].
        temperature_k: at the end of each, [steps, n].
        strain: increment of the compression in each, [steps, n]; None where the sheet is free of stress. Zero is
            sheet in clamps.
    """
    tiles = _loaded(web)
    n = web.thickness_m.size
    given = np.full((dt_s.size, n), FREE) if strain is None else np.broadcast_to(strain, (dt_s.size, n))
    hot = np.broadcast_to(temperature_k, (dt_s.size, n))
    stress = np.zeros((dt_s.size, tiles.size * LANES))
    _follow(tiles, _in_lanes(hot), np.asarray(dt_s, np.float64), _in_lanes(given), material_constants(material), stress)
    return Followed(_unloaded(tiles, web), stress[:, :n])


def set_in_clamps(material: Material, web: Web, temperature_k: float, seconds: float) -> Web:
    """Heat setting: held hot, then cooled to 25 degC in the clamps.

    What relaxes meanwhile is gone; what crystallises on cooling is born free of stress and holds the shape.
    """
    holding = time_steps(seconds, HELD_LAST_S)
    steps = holding.size + COOLING_STEPS
    dt, hot = np.full(steps, COOLING_S / COOLING_STEPS), np.full((steps, 1), temperature_k)
    dt[: holding.size] = holding
    hot[holding.size :, 0] = np.linspace(temperature_k, REFERENCE_K, COOLING_STEPS + 1)[1:]
    return follow(material, web, dt, hot, np.zeros((steps, 1))).web


def release(material: Material, web: Web, air_k: float, conductance_w_m2k: float, seconds: float) -> Web:
    """Sheet without constraint in air of this temperature: it warms, and what is stored in it comes back."""
    return release_through(material, web, [(air_k, seconds)], conductance_w_m2k)


def release_through(
    material: Material, web: Web, zones: Sequence[tuple[float, float]], conductance_w_m2k: float
) -> Web:
    """The same through zones of (air temperature [K], seconds), one after the other."""
    tiles = _loaded(web)
    stays = np.array(zones, np.float64)
    steps = np.empty((len(zones) * MOST_GROWING + int(stays[:, 1].sum() / STEP_LAST_S), 2))
    count = _zone_steps(stays, steps)
    _release(tiles, steps[:count], conductance_w_m2k, material_constants(material))
    return _unloaded(tiles, web)


@njit(cache=True, error_model="numpy")
def _zone_steps(zones: Floats, steps: Floats) -> int:
    """Steps as `_time_steps`, with the air of each; they go on growing from zone to zone. Returns how many."""
    count = 0
    before = 0.0
    for air, seconds in zones:
        passed = 0.0
        while passed < seconds:
            dt = min(max(STEP_GROWTH * (before + passed), STEP_FIRST_S), STEP_LAST_S)
            if passed + 1.5 * dt > seconds:
                dt = seconds - passed
                passed = seconds
            else:
                passed += dt
            steps[count, 0], steps[count, 1] = dt, air
            count += 1
        before += seconds
    return count


_TILE: Final = tile_type(parcel_type(1), 1)


def _loaded(web: Web) -> Any:
    """Tiles with the pieces in their lanes; lanes left over repeat the last one."""
    tiles = np.zeros(-(-web.thickness_m.size // LANES), _TILE)
    for name, values in (
        ("h", web.thickness_m),
        ("stiff", web.stiffness),
        ("melt", web.melt_k),
        ("b", web.modulus_factor),
        ("T_mean", web.temperature_k),
    ):
        tiles[name] = _filled(values).reshape(-1, LANES)
    tiles["e"] = _filled(web.strain).reshape(-1, LANES, ARMS + 1).transpose(0, 2, 1)
    return tiles


def _filled(values: Floats) -> Floats:
    """[n, ...] with the last piece repeated until lanes are full."""
    n = len(values)
    if n % LANES == 0:
        return values
    out = np.empty((n - n % LANES + LANES, *values.shape[1:]))
    out[:n], out[n:] = values, values[-1]
    return out


def _unloaded(tiles: Any, web: Web) -> Web:
    n = web.thickness_m.size
    return replace(
        web,
        thickness_m=tiles["h"].reshape(-1)[:n].copy(),
        temperature_k=tiles["T_mean"].reshape(-1)[:n].copy(),
        strain=np.moveaxis(tiles["e"], 1, 2).reshape(-1, ARMS + 1)[:n].copy(),
        modulus_factor=tiles["b"].reshape(-1)[:n].copy(),
    )


def _in_lanes(rows: Floats) -> Floats:
    """[steps, n] with the last piece repeated until lanes are full."""
    steps, n = rows.shape
    out = np.empty((steps, n + -n % LANES))
    out[:, :n], out[:, n:] = rows, rows[:, -1:]
    return out


@njit(cache=True, error_model="numpy")
def _follow(
    tiles: Sequence[Tile],
    temperature: Floats,
    dt: Floats,
    strain: Floats,
    materials: Sequence[MaterialConstants],
    stress: Floats,
) -> None:
    m = materials[0]
    for i in range(temperature.shape[1] // LANES):
        w = tiles[i]
        first = i * LANES
        for k in range(dt.size):
            write(w.dt, dt[k])
            for lane in range(LANES):
                w.T_1[lane] = temperature[k, first + lane]
            _step(w, strain[k], first, m)
            for lane in range(LANES):
                stress[k, first + lane] = w.S0[lane] + w.S1[lane] * w.d_eps[lane]


@njit(cache=True, error_model="numpy")
def _release(tiles: Sequence[Tile], steps: Floats, conductance: float, materials: Sequence[MaterialConstants]) -> None:
    """Steps and the air in each, rows of (s, K)."""
    m = materials[0]
    free = np.full(LANES, FREE)
    for i in range(tiles.size):  # type: ignore[attr-defined]
        w = tiles[i]
        for k in range(steps.shape[0]):
            dt, air = steps[k]
            write(w.dt, dt)
            for lane in range(LANES):
                w.T_1[lane] = _warmed(w.T_mean[lane], air, conductance, w.h[lane], dt, m)
            _step(w, free, 0, m)


@njit(cache=True, error_model="numpy")
def _warmed(T: float, air: float, conductance: float, h: float, dt: float, m: MaterialConstants) -> float:  # noqa: N803
    """Temperature [K] after `dt` [s] in air of sheet that is h [m] thick and at T.

    Its mean is behind the face by a third of half the thickness; the heat capacity is that at the middle of the
    step, for the melting peak moves it.
    """
    row = _row(T, m)
    U = 1.0 / (1.0 / conductance + h / (6.0 * m.table[row, K_HERE]))  # noqa: N806 - conductance
    uptake = 2.0 * U * dt / (m.rho_0 * (1.0 - m.expansion * (T - m.T_0)) * h)
    middle = air + (T - air) * math.exp(-0.5 * uptake / m.table[row, CP_HERE])
    return float(air + (T - air) * math.exp(-uptake / m.table[_row(middle, m), CP_HERE]))


@njit(cache=True, error_model="numpy")
def _row(T: float, m: MaterialConstants) -> int:  # noqa: N803 - as in the laws
    """Row of the enthalpy table at T [K]."""
    return int(min(max(int((enthalpy_at(T, m) - m.H_first) * m.per_H_step), 0), m.table.shape[0] - 1))


@njit(cache=True, error_model="numpy")
def _step(w: Tile, strain: Floats, first: int, m: MaterialConstants) -> None:
    """One step to `T_1`, strained as given from place `first` on."""
    prepare(w, m)
    age(w, m)
    linearise(w, m)
    _increment(w, strain, first)
    if correct(w, m):
        linearise(w, m)
        _increment(w, strain, first)
    apply_strain(w, m)
    write(w.T_mean, read(w.T_1))


@njit(cache=True, error_model="numpy")
def _increment(w: Tile, strain: Floats, first: int) -> None:
    """Strain as given, or as sheet that is free takes it."""
    for lane in range(LANES):
        given = strain[first + lane]
        w.d_eps[lane] = -w.S0[lane] / w.S1[lane] if given == FREE else given
