"""Drying: the extractant boils off, the web collapses under its surface tension, vapour gathers in the dryer.

The sheet is at the wet-bulb temperature of the extractant, where the heat from the air is what evaporation takes
(Lewis: vapour goes like heat). Surface tension in the pores then pulls the web together (docs/model.md, drying).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from emulator.line.desolvation.definition import Collapse, Desolvation, Dryer, Extractant
from emulator.material.constants import GAS_CONSTANT
from emulator.units import KELVIN

__all__ = [
    "Dried",
    "WetBulb",
    "collapsed",
    "evaporated",
    "lel_fraction",
    "pore_radius_m",
    "residual_solvent_fraction",
    "vapour_after",
    "wet_bulb",
]

AIR_KG_MOL = 28.97e-3
LEWIS_EXPONENT = 2.0 / 3.0
MOST_STEPS = 60
SLOPE_OVER_K = 1e-4
CLOSE_K = 1e-9
COLDEST_K = 180.0


class WetBulb(NamedTuple):
    """Wet sheet in warm air."""

    temperature_k: float
    flux_kg_m2s: float
    """Evaporation of one face; 0.0 where the air is saturated."""


def wet_bulb(dryer: Dryer, liquid: Extractant, air_k: float, vapour_kg_m3: float) -> WetBulb:
    """Temperature and evaporation of wet sheet in air of `air_k` that has so much vapour already."""
    air_density = dryer.pressure_pa * AIR_KG_MOL / (GAS_CONSTANT * air_k)
    lewis = dryer.air_diffusivity_m2_s / liquid.vapour_diffusivity_m2_s
    transfer = dryer.conductance_w_m2k / (air_density * dryer.air_heat_capacity_j_kgk) / lewis**LEWIS_EXPONENT
    latent = liquid.heat_of_vaporisation_kj_kg * 1e3

    def flux(face_k: float) -> float:
        return float(transfer * (liquid.vapour_density_kg_m3(face_k) - vapour_kg_m3))

    # from where it boils on it takes all the heat there is
    low, high = COLDEST_K, min(air_k, liquid.boiling_point_c + KELVIN)
    if flux(air_k) <= 0.0:
        return WetBulb(air_k, 0.0)

    def surplus(face_k: float) -> float:
        return latent * flux(face_k) - dryer.conductance_w_m2k * (air_k - face_k)

    face_k = _root(surplus, low, high)
    return WetBulb(face_k, dryer.conductance_w_m2k * (air_k - face_k) / latent)


def _root(rises: Callable[[float], float], low: float, high: float) -> float:
    """Where a function that rises passes 0, or the upper end where it does not: Newton's way with a bracket."""
    if rises(high) <= 0.0:
        return high
    face = 0.5 * (low + high)
    for _ in range(MOST_STEPS):
        off = rises(face)
        if off > 0.0:
            high = face
        else:
            low = face
        slope = (rises(face + SLOPE_OVER_K) - off) / SLOPE_OVER_K
        step = -off / slope if slope > 0.0 else math.inf
        there = face + step
        if not low < there < high:
            there = 0.5 * (low + high)
        if abs(there - face) < CLOSE_K:
            return there
        face = there
    return face


def evaporated(liquid_kg: float, filled_kg: float, rate_kg_s: float, critical_fraction: float, dt_s: float) -> float:
    """Extractant [kg] that leaves a piece in `dt_s`; it has `liquid_kg` of `filled_kg`, and wet it loses `rate_kg_s`.

    At a constant rate while the face is wet, below the critical fraction in proportion to what is left. Exact for
    any step.
    """
    if rate_kg_s <= 0.0 or liquid_kg <= 0.0:
        return 0.0
    critical = critical_fraction * filled_kg
    wet_s = max(liquid_kg - critical, 0.0) / rate_kg_s
    if wet_s >= dt_s:
        return rate_kg_s * dt_s
    if critical <= 0.0:
        return liquid_kg
    left = min(liquid_kg, critical)
    return liquid_kg - left * math.exp(-(dt_s - wet_s) * rate_kg_s / critical)


def vapour_after(
    vapour_kg_m3: float, evaporation_kg: float, air_flow_m3_s: float, volume_m3: float, dt_s: float
) -> tuple[float, float]:
    """Vapour in the dryer's air [kg/m3] and what was exhausted [kg] after `dt_s` in which so much evaporated."""
    turns = air_flow_m3_s * dt_s / volume_m3
    kept = -math.expm1(-turns) / turns if turns > 0.0 else 1.0
    change = kept * (evaporation_kg / volume_m3 - turns * vapour_kg_m3)
    return vapour_kg_m3 + change, evaporation_kg - change * volume_m3


def lel_fraction(dryer: Dryer, liquid: Extractant, vapour_kg_m3: float, air_k: float) -> float:
    """Vapour as part of the lower explosive limit: what the interlock watches."""
    pressure = vapour_kg_m3 * GAS_CONSTANT * air_k / liquid.molar_mass_kg_mol
    return pressure / dryer.pressure_pa / (0.01 * liquid.lower_explosive_limit_percent)


def pore_radius_m(collapse: Collapse, area_ratio: float) -> float:
    """Radius of the pores of wet sheet stretched to this area ratio: they grow with it, as a trend."""
    wider = (area_ratio / collapse.reference_area_ratio) ** collapse.pore_radius_exponent
    return float(collapse.pore_radius_nm * 1e-9 * wider)


class Dried(NamedTuple):
    """What drying leaves."""

    pressure_pa: float
    """Capillary pressure on the web."""
    thickness_ratio: float
    """Dry over wet."""
    porosity: float


def collapsed(
    station: Desolvation,
    surface_tension_n_m: float,
    polymer_fraction: float,
    solvent_fraction: float = 0.0,
    area_ratio: float | None = None,
) -> Dried:
    """Web of this volume fraction of polymer after drying; p_c = 2 gamma/r_p, s = 1/(1 + p_c/E_z).

    Args:
        station: whose numbers.
        surface_tension_n_m: of the extractant at the temperature of the wet sheet.
        polymer_fraction: by volume of the wet sheet.
        solvent_fraction: of process solvent left, by volume of the wet sheet; it stays in the pores.
        area_ratio: to which the sheet was stretched before; the reference if left out, 1 if it was not.
    """
    c = station.collapse
    radius = pore_radius_m(c, c.reference_area_ratio if area_ratio is None else area_ratio)
    stiffer = (polymer_fraction / c.reference_polymer_fraction) ** c.modulus_exponent
    pressure = 2.0 * surface_tension_n_m / radius
    free = 1.0 / (1.0 + pressure / (c.transverse_modulus_mpa * 1e6 * stiffer))
    solid = polymer_fraction + solvent_fraction
    ratio = max(free, min(solid, 1.0))  # at the least what does not evaporate
    return Dried(pressure, ratio, max(1.0 - solid / ratio, 0.0))


def residual_solvent_fraction(polymer_kg: float, solvent_kg: float) -> float:
    """Process solvent in the dry film by weight."""
    return solvent_kg / (polymer_kg + solvent_kg)
