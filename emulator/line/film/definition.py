"""Film laws and laboratory as data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from emulator.config import load_definition
from emulator.material.definition import Finite, Fraction, NonNegative, Positive, Section

__all__ = ["Film", "Instrument", "Instruments", "load_film"]


class Pores(Section):
    """The solid and the way through it."""

    fibril_diameter_nm: Positive
    tortuosity_exponent: NonNegative


class Gurley(Section):
    """Air permeability test."""

    air_volume_ml: Positive
    area_cm2: Positive
    overpressure_pa: Positive
    pressure_pa: Positive
    molecular_speed_m_s: Positive
    air_viscosity_pa_s: Positive


class Puncture(Section):
    """Puncture by a needle."""

    force_gf_per_um: Positive
    reference_area_ratio: Annotated[float, Field(ge=1.0)]
    area_exponent: NonNegative


class Shrinkage(Section):
    """Free film in the oven for an hour."""

    fraction_105c: Fraction
    reference_strain: Positive
    crosslinked_share: Fraction
    activation_energy_kj_mol: NonNegative
    most: Annotated[float, Field(gt=0.0, lt=1.0)]


class Shutdown(Section):
    """Pores melt shut."""

    temperature_c: Finite
    crosslinked_gain_k: NonNegative
    width_k: Positive
    impedance_decades: Positive


class Meltdown(Section):
    """The film loses its integrity."""

    temperature_c: Finite
    most_gain_k: NonNegative
    elastomer_scale: Positive
    width_k: Positive


class Impedance(Section):
    """A cell with the film in it, heated at a constant rate."""

    electrolyte_ohm_m: Positive
    ramp_k_min: Positive
    start_c: Finite
    end_c: Finite
    threshold_factor: Annotated[float, Field(gt=1.0)]

    @model_validator(mode="after")
    def _upwards(self) -> Self:
        if self.end_c <= self.start_c:
            raise ValueError("end_c must be greater than start_c")
        return self


class Instrument(Section):
    """An instrument of the laboratory.

    Attributes:
        absolute: standard deviation of one specimen, in the unit measured; added to the relative one as squares.
        relative: the same as a part of the reading.
        resolution: last digit, in the unit measured; 0 for none.
        specimens: of a sample that are measured; their mean is told.
    """

    absolute: NonNegative
    relative: NonNegative
    resolution: NonNegative
    specimens: Annotated[int, Field(ge=1)]


class Instruments(Section):
    """Of the film laboratory."""

    thickness: Instrument
    porosity: Instrument
    gurley: Instrument
    puncture: Instrument
    shrinkage: Instrument
    temperature: Instrument


class Film(Section):
    """Film laws and laboratory; `load_film` makes them from a file."""

    name: str
    description: str
    pores: Pores
    gurley: Gurley
    puncture: Puncture
    shrinkage: Shrinkage
    shutdown: Shutdown
    meltdown: Meltdown
    impedance: Impedance
    instruments: Instruments

    @model_validator(mode="after")
    def _melts_after_it_has_shut(self) -> Self:
        if self.meltdown.temperature_c <= self.shutdown.temperature_c + self.shutdown.crosslinked_gain_k:
            raise ValueError("meltdown.temperature_c must be above shutdown.temperature_c and its crosslinked_gain_k")
        return self


def load_film(name_or_path: str | Path = "reference") -> Film:
    """The shipped laws, or one's own by path; raises ConfigError."""
    return load_definition(name_or_path, "film", Film)
