"""What the film is bought for, as functions of its structure (docs/model.md, film)."""

from __future__ import annotations

import math
from typing import Final

from emulator.line.film.definition import Film
from emulator.material.constants import GAS_CONSTANT
from emulator.units import KELVIN

__all__ = [
    "gurley_s",
    "hydraulic_diameter_m",
    "macmullin_number",
    "meltdown_k",
    "porosity_of",
    "puncture_n",
    "shrinkage",
    "shutdown_k",
    "tortuosity_squared",
]

GRAM_FORCE_N: Final = 9.80665e-3
REFERENCE_K: Final = 105.0 + KELVIN


def porosity_of(mass_per_area_kg_m2: float, thickness_m: float, solid_density_kg_m3: float) -> float:
    """Porosity by weighing, as the laboratory does it."""
    return 1.0 - mass_per_area_kg_m2 / (thickness_m * solid_density_kg_m3)


def hydraulic_diameter_m(film: Film, porosity: float) -> float:
    """Of pores between fibrils: four times pore volume over surface."""
    return film.pores.fibril_diameter_nm * 1e-9 * porosity / (1.0 - porosity)


def tortuosity_squared(film: Film, porosity: float) -> float:
    """How much longer the way through is, squared; needs a porosity above 0."""
    return float(porosity**-film.pores.tortuosity_exponent)


def macmullin_number(film: Film, porosity: float) -> float:
    """Resistance of soaked film over that of as much electrolyte."""
    return tortuosity_squared(film, porosity) / porosity


def gurley_s(film: Film, thickness_m: float, porosity: float) -> float:
    """Time for 100 mL of air through the film; infinite without pores.

    Slip and viscous flow side by side. Pores are smaller than the mean free path of air, so slip carries nearly all.
    """
    if porosity <= 0.0:
        return math.inf
    g = film.gurley
    d = hydraulic_diameter_m(film, porosity)
    slip = d * g.molecular_speed_m_s / 3.0
    viscous = d * d * g.pressure_pa / (32.0 * g.air_viscosity_pa_s)
    way = thickness_m * tortuosity_squared(film, porosity)
    amount = g.air_volume_ml * 1e-6 * g.pressure_pa
    return amount * way / (g.area_cm2 * 1e-4 * porosity * g.overpressure_pa * (slip + viscous))


def puncture_n(film: Film, thickness_m: float, porosity: float, area_ratio: float) -> float:
    """Force that a needle needs: so much per micrometre of solid, more where it is more oriented."""
    p = film.puncture
    solid_um = thickness_m * 1e6 * (1.0 - porosity)
    oriented = (area_ratio / p.reference_area_ratio) ** p.area_exponent
    return float(p.force_gf_per_um * solid_um * oriented * GRAM_FORCE_N)


def shrinkage(film: Film, residual_strain: float, conversion: float, temperature_k: float = REFERENCE_K) -> float:
    """Part by which free film becomes shorter in an hour.

    Args:
        film: whose laws.
        residual_strain: what stretching left and heat setting did not take (`gel.residual_strain`).
        conversion: of the elastomer.
        temperature_k: of the oven.
    """
    s = film.shrinkage
    hotter = math.exp(-s.activation_energy_kj_mol * 1e3 / GAS_CONSTANT * (1.0 / temperature_k - 1.0 / REFERENCE_K))
    free = s.fraction_105c * max(residual_strain, 0.0) / s.reference_strain
    return min(free * (1.0 - conversion * s.crosslinked_share) * hotter, s.most)


def shutdown_k(film: Film, conversion: float) -> float:
    """Where pores melt shut."""
    return film.shutdown.temperature_c + film.shutdown.crosslinked_gain_k * conversion + KELVIN


def meltdown_k(film: Film, conversion: float, elastomer_fraction: float) -> float:
    """Where the film breaks up; `elastomer_fraction` by weight of its solids, `conversion` of its double bonds.

    An elastomer without double bonds has no conversion, and gains nothing.
    """
    m = film.meltdown
    gain = -math.expm1(-conversion * elastomer_fraction / m.elastomer_scale)
    return m.temperature_c + m.most_gain_k * gain + KELVIN
