"""The stations before the press as data: every number, with its bounds.

Numbers come from `emulator/data/extruders` and `emulator/data/castings`, where each carries its provenance. Units are
part of the names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from emulator.config import load_definition
from emulator.material.definition import Finite, Fraction, NonNegative, Positive, Section

__all__ = ["COMPONENTS", "Casting", "Extruder", "load_casting", "load_extruder"]

COMPONENTS = ("polyolefin", "elastomer", "solvent", "antioxidant")
"""What is kneaded, in the order of every composition."""

FourPositive = tuple[Positive, Positive, Positive, Positive]
FourFractions = tuple[Fraction, Fraction, Fraction, Fraction]


class Feeders(Section):
    """One feeder per component, in the order of `COMPONENTS`."""

    capacity_kg_h: FourPositive
    lag_s: FourPositive
    ripple_fraction: FourFractions


class Screw(Section):
    """The screws and the melt in their channels."""

    diameter_mm: Positive
    channel_depth_mm: Positive
    fastest_rpm: Positive
    spin_up_s: Positive
    plug_mass_kg: Positive
    mixing_mass_kg: Positive
    mixing_tanks: Annotated[int, Field(ge=1, le=20)]
    strain_to_mix: Positive
    dissolving_temperature_c: Finite
    dissolving_width_k: Positive
    torque_limit_nm: Positive

    @property
    def tank_mass_kg(self) -> float:
        """Melt in each of the mixing tanks."""
        return self.mixing_mass_kg / self.mixing_tanks

    @property
    def hold_up_kg(self) -> float:
        """All melt in the extruder."""
        return self.plug_mass_kg + self.mixing_mass_kg


class Barrel(Section):
    """The heated barrel with a temperature controller of its own."""

    heat_capacity_kj_k: Positive
    conductance_w_k: Positive
    ambient_loss_w_k: NonNegative
    heater_power_kw: Positive
    gain_w_k: Positive


class Melt(Section):
    """How the melt flows."""

    consistency_pa_s: Positive
    flow_index: Annotated[float, Field(gt=0.05, le=1.0)]
    reference_temperature_c: Finite
    reference_solids_fraction: Annotated[float, Field(gt=0.0, lt=1.0)]
    solids_exponent: NonNegative
    activation_energy_kj_mol: NonNegative


class Die(Section):
    """The slit die."""

    width_mm: Positive
    gap_mm: Positive
    land_mm: Positive
    pressure_limit_mpa: Positive


class Extruder(Section):
    """Feeders, screws, barrel and die."""

    name: str
    description: str
    feeders: Feeders
    screw: Screw
    barrel: Barrel
    melt: Melt
    die: Die


class Cooling(Section):
    """Chill roll and bath."""

    contact_length_m: Positive
    conductance_w_m2k: Positive
    coolant_lag_s: Positive
    lowest_coolant_c: Finite
    highest_coolant_c: Finite


class Structure(Section):
    """What the quench leaves in the sheet."""

    reference_quench_c: Finite
    melting_shift_k_per_k: Finite
    modulus_change_per_k: Finite
    neck_in_fraction: Annotated[float, Field(ge=0.0, lt=0.5)]


class HaulOff(Section):
    """The drive that draws the sheet from the die."""

    speed_lag_s: Positive
    fastest_m_min: Positive


class Accumulator(Section):
    """The store of sheet between haul-off and press."""

    capacity_m: Positive
    start_m: NonNegative
    end_zone_m: Positive
    tension_n: Positive
    strength_kpa: Positive
    air_conductance_w_m2k: NonNegative
    ambient_c: Finite

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.start_m > self.capacity_m:
            raise ValueError("start_m must not exceed capacity_m")
        if 2.0 * self.end_zone_m > self.capacity_m:
            raise ValueError("end_zone_m must be at most half of capacity_m")
        return self


class Casting(Section):
    """From the die to the press."""

    name: str
    description: str
    cooling: Cooling
    structure: Structure
    haul_off: HaulOff
    accumulator: Accumulator


def load_extruder(name_or_path: str | Path) -> Extruder:
    """Read an extruder by shipped name (`reference`) or by path.

    Raises:
        ConfigError: it cannot be used; the message says file, key and rule.
    """
    return load_definition(name_or_path, "extruder", Extruder)


def load_casting(name_or_path: str | Path) -> Casting:
    """Read a casting unit by shipped name (`reference`) or by path.

    Raises:
        ConfigError: it cannot be used; the message says file, key and rule.
    """
    return load_definition(name_or_path, "casting", Casting)
