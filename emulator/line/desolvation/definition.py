"""Desolvation as data: baths, dryer, and the liquids that can be in them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import Field, model_validator

from emulator.config import load_definition
from emulator.material.constants import GAS_CONSTANT
from emulator.material.definition import Finite, Fraction, NonNegative, Positive, Section
from emulator.units import KELVIN

__all__ = ["EXTRACTANTS", "Desolvation", "Extractant", "ExtractantName", "load_desolvation"]

ExtractantName = Literal["heptane", "decane", "dichloromethane"]
EXTRACTANTS: Final[tuple[ExtractantName, ...]] = get_args(ExtractantName)

ATMOSPHERE_PA: Final = 101325.0
BAR_PA: Final = 1e5
COLD_K, WARM_K = 25.0 + KELVIN, 50.0 + KELVIN
AGREES: Final = 0.05
"""Part by which the vapour pressure at the boiling point may differ from an atmosphere."""


class Extractant(Section):
    """A volatile liquid that takes the process solvent out of the sheet."""

    molar_mass_g_mol: Positive
    density_kg_m3: Positive
    diffusivity_25c_m2_s: Positive
    diffusivity_50c_m2_s: Positive
    surface_tension_mn_m: Positive
    surface_tension_at_c: Finite
    surface_tension_slope_mn_mk: Annotated[float, Field(le=0.0)]
    antoine_a: Finite
    antoine_b: Positive
    antoine_c: Finite
    boiling_point_c: Finite
    heat_of_vaporisation_kj_kg: Positive
    vapour_diffusivity_m2_s: Positive
    lower_explosive_limit_percent: Annotated[float, Field(gt=0.0, le=100.0)]

    @model_validator(mode="after")
    def _boils_where_it_says(self) -> Self:
        pressure = self.vapour_pressure_pa(self.boiling_point_c + KELVIN)
        if abs(pressure / ATMOSPHERE_PA - 1.0) > AGREES:
            raise ValueError(
                f"boiling_point_c and antoine_a, _b, _c do not fit: at {self.boiling_point_c:g} degC they give "
                f"{pressure / ATMOSPHERE_PA:.2f} atmospheres"
            )
        return self

    @property
    def molar_mass_kg_mol(self) -> float:
        """Molar mass."""
        return self.molar_mass_g_mol * 1e-3

    def diffusivity_m2_s(self, temperature_k: float) -> float:
        """Of the process solvent in the free liquid, Arrhenius through the two values."""
        bend = math.log(self.diffusivity_50c_m2_s / self.diffusivity_25c_m2_s) / (1.0 / COLD_K - 1.0 / WARM_K)
        return self.diffusivity_25c_m2_s * math.exp(bend * (1.0 / COLD_K - 1.0 / temperature_k))

    def surface_tension_n_m(self, temperature_k: float) -> float:
        """Surface tension; never below that of a liquid about to lose its surface, 1 mN/m."""
        above = temperature_k - KELVIN - self.surface_tension_at_c
        return max(self.surface_tension_mn_m + self.surface_tension_slope_mn_mk * above, 1.0) * 1e-3

    def vapour_pressure_pa(self, temperature_k: float) -> float:
        """Saturated vapour (Antoine)."""
        return float(BAR_PA * 10.0 ** (self.antoine_a - self.antoine_b / (temperature_k + self.antoine_c)))

    def vapour_density_kg_m3(self, temperature_k: float) -> float:
        """Saturated vapour as an ideal gas."""
        return self.vapour_pressure_pa(temperature_k) * self.molar_mass_kg_mol / (GAS_CONSTANT * temperature_k)


class Baths(Section):
    """The baths in a row; sheet and extractant go against each other."""

    count: Annotated[int, Field(ge=1, le=12)]
    path_m: Positive
    volume_m3: Positive
    flow_m3_s: NonNegative
    fresh_solvent_fraction: Fraction
    temperature_c: Annotated[float, Field(ge=0.0, le=90.0)]
    temperature_lag_s: Positive


class Sheet(Section):
    """Transport in and at the sheet."""

    diffusivity_ratio: Annotated[float, Field(gt=0.0, le=1.0)]
    liquid_film_um: Positive
    evaporation_critical_fraction: Fraction


class Collapse(Section):
    """What surface tension does to the web as it dries."""

    pore_radius_nm: Positive
    reference_area_ratio: Annotated[float, Field(ge=1.0)]
    pore_radius_exponent: NonNegative
    transverse_modulus_mpa: Positive
    reference_polymer_fraction: Annotated[float, Field(gt=0.0, lt=1.0)]
    modulus_exponent: NonNegative


class Dryer(Section):
    """The hot-air dryer."""

    path_m: Positive
    conductance_w_m2k: Positive
    air_temperature_c: Annotated[float, Field(ge=0.0, le=150.0)]
    air_flow_m3_s: NonNegative
    air_lag_s: Positive
    volume_m3: Positive
    pressure_pa: Positive
    air_heat_capacity_j_kgk: Positive
    air_diffusivity_m2_s: Positive


class Interlock(Section):
    """Vapour in the dryer, as parts of the lower explosive limit."""

    warning_fraction: Annotated[float, Field(gt=0.0, lt=1.0)]
    trip_fraction: Annotated[float, Field(gt=0.0, lt=1.0)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.warning_fraction >= self.trip_fraction:
            raise ValueError("warning_fraction must be smaller than trip_fraction")
        return self


class Desolvation(Section):
    """The station; `load_desolvation` makes one from a file."""

    name: str
    description: str
    baths: Baths
    sheet: Sheet
    collapse: Collapse
    dryer: Dryer
    interlock: Interlock
    heptane: Extractant
    decane: Extractant
    dichloromethane: Extractant

    def extractant(self, name: ExtractantName) -> Extractant:
        """The liquid of this name."""
        return {"heptane": self.heptane, "decane": self.decane, "dichloromethane": self.dichloromethane}[name]


def load_desolvation(name_or_path: str | Path = "reference") -> Desolvation:
    """The shipped station, or one's own by path; raises ConfigError."""
    return load_definition(name_or_path, "desolvation", Desolvation)
