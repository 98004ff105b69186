"""A sheet material as data: every number of the material laws, with its bounds.

Numbers come from `emulator/data/materials/*.toml`, where each carries its
provenance. Units are part of the names.
"""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Section(BaseModel):
    """One table of a definition file: frozen, and no key it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Composition(Section):
    """What the gel is made of."""

    solids_fraction: Annotated[float, Field(ge=0.05, le=0.60)]
    resin_melting_point_c: Annotated[float, Field(ge=80.0, le=200.0)]
    gel_melting_point_c: Annotated[float, Field(ge=60.0, le=200.0)]


class Flory(Section):
    """Depression of the melting point by the solvent."""

    lamella_melting_point_c: Finite
    slope_per_k: NonNegative
    polymer_density_kg_m3: Positive
    oil_density_kg_m3: Positive

    def melting_point_k(self, solids_fraction: float) -> float:
        """Melting point of a gel of this solids fraction (docs/model.md, gel melting)."""
        polymer = solids_fraction / self.polymer_density_kg_m3
        phi = polymer / (polymer + (1.0 - solids_fraction) / self.oil_density_kg_m3)
        return 1.0 / (1.0 / (self.lamella_melting_point_c + 273.15) + self.slope_per_k * (1.0 - phi))


class Thermal(Section):
    """Conductivity, density and heat capacity with the melting peak."""

    reference_temperature_k: Positive
    expansion_per_k: NonNegative
    polymer_conductivity_w_mk: Positive
    polymer_conductivity_slope_w_mk2: Finite
    polymer_conductivity_min_w_mk: Positive
    oil_conductivity_w_mk: Positive
    polymer_heat_capacity_j_kgk: Positive
    polymer_heat_capacity_slope_j_kgk2: NonNegative
    polymer_heat_capacity_max_j_kgk: Positive
    oil_heat_capacity_j_kgk: Positive
    oil_heat_capacity_slope_j_kgk2: NonNegative
    crystallinity: Fraction
    heat_of_fusion_kj_kg: NonNegative
    melting_peak_below_gel_k: Finite
    melting_peak_sigma_k: Positive


class Mechanics(Section):
    """Nine Maxwell arms and a slow network, softened by temperature."""

    arm_modulus_25c_mpa: Annotated[tuple[Positive, ...], Field(min_length=9, max_length=9)]
    arm_relaxation_time_s: Annotated[tuple[Positive, ...], Field(min_length=9, max_length=9)]
    reference_temperature_c: Finite
    arm_activation_energy_kj_mol: NonNegative
    network_modulus_25c_mpa: Positive
    network_modulus_min_mpa: Positive
    network_relaxation_time_s: Positive
    network_activation_energy_kj_mol: NonNegative
    activation_volume_m3: NonNegative
    stress_amplification: NonNegative
    softening_below_gel_k: Finite
    softening_width_k: Positive
    softening_slope: Finite
    softening_factor_min: Positive
    softening_factor_max: Positive

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.network_modulus_min_mpa > self.network_modulus_25c_mpa:
            raise ValueError("network_modulus_min_mpa must not exceed network_modulus_25c_mpa")
        if self.softening_factor_min > 1.0 or self.softening_factor_max < 1.0:
            raise ValueError("softening_factor_min and softening_factor_max must enclose 1")
        return self


class Material(Section):
    """A sheet material; `load_material` makes one from a file."""

    name: str
    description: str
    composition: Composition
    flory: Flory
    thermal: Thermal
    mechanics: Mechanics

    @property
    def gel_melting_point_k(self) -> float:
        """Melting point of the gel."""
        return self.composition.gel_melting_point_c + 273.15

    @property
    def polymer_volume_fraction(self) -> float:
        """Volume fraction of the resin in the gel."""
        polymer = self.composition.solids_fraction / self.flory.polymer_density_kg_m3
        oil = (1.0 - self.composition.solids_fraction) / self.flory.oil_density_kg_m3
        return polymer / (polymer + oil)

    def at_solids(self, solids_fraction: float) -> Material:
        """The same resin and oil at another solids fraction.

        Moduli grow with its square, the stress on the solid skeleton falls with
        its square, and the melting point moves by the Flory formula.
        """
        composition = self.composition.model_dump() | {"solids_fraction": solids_fraction}
        Composition.model_validate(composition)  # refuse the impossible before dividing by it
        ratio = solids_fraction / self.composition.solids_fraction
        moduli = ratio * ratio
        mechanics = self.mechanics.model_dump()
        mechanics["arm_modulus_25c_mpa"] = tuple(e * moduli for e in self.mechanics.arm_modulus_25c_mpa)
        mechanics["network_modulus_25c_mpa"] *= moduli
        mechanics["network_modulus_min_mpa"] *= moduli
        mechanics["stress_amplification"] /= moduli
        shift = self.flory.melting_point_k(solids_fraction) - self.flory.melting_point_k(
            self.composition.solids_fraction
        )
        composition["gel_melting_point_c"] += shift
        return self.model_copy(
            update={
                "composition": Composition.model_validate(composition),
                "mechanics": Mechanics.model_validate(mechanics),
            }
        )
