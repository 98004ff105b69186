"""Heat treatment: what crosslinks, what heat closes. Heat setting itself is `gel.Web` held under clamps.

First-order oxidation of the elastomer's double bonds; a film is so thin that oxygen is everywhere in it. An
elastomer without double bonds does not crosslink, whatever is done to it (docs/model.md, heat treatment).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from emulator.config import load_definition
from emulator.material.constants import GAS_CONSTANT
from emulator.material.definition import Finite, NonNegative, Positive, Section
from emulator.units import KELVIN

__all__ = [
    "AIR_OXYGEN",
    "ElastomerName",
    "HeatTreatment",
    "closed_pores",
    "conversion",
    "crosslinking_rate",
    "load_heat_treatment",
    "oxygen_factor",
    "thinner_by_closure",
]

ElastomerName = Literal["unsaturated", "saturated"]
AIR_OXYGEN: Final = 0.21
"""By volume."""
REFERENCE_K: Final = 85.0 + KELVIN


class Crosslinking(Section):
    """Kinetics, for the reference content of double bonds in air."""

    rate_85c_per_s: Positive
    activation_energy_kj_mol: NonNegative
    reference_double_bonds_mol_kg: Positive
    oxygen_half_fraction: Annotated[float, Field(gt=0.0, le=1.0)]


class Elastomer(Section):
    """What the kinetics ask of an elastomer."""

    double_bonds_mol_kg: NonNegative


class Setting(Section):
    """The clip oven in the line."""

    path_m: Positive
    air_lag_s: Positive
    hottest_c: Finite


class Curing(Section):
    """The room in which wound rolls stand in hot air."""

    air_lag_s: Positive
    hottest_c: Finite
    rolls: Annotated[int, Field(ge=1, le=100)]


class Pores(Section):
    """How pores melt shut."""

    closure_width_k: Positive
    closure_time_s: Positive


class HeatTreatment(Section):
    """The station; `load_heat_treatment` makes one from a file."""

    name: str
    description: str
    crosslinking: Crosslinking
    unsaturated: Elastomer
    saturated: Elastomer
    setting: Setting
    curing: Curing
    pores: Pores

    def elastomer(self, name: ElastomerName) -> Elastomer:
        """The elastomer of this name."""
        return {"unsaturated": self.unsaturated, "saturated": self.saturated}[name]


def load_heat_treatment(name_or_path: str | Path = "reference") -> HeatTreatment:
    """The shipped station, or one's own by path; raises ConfigError."""
    return load_definition(name_or_path, "heat_treatment", HeatTreatment)


def oxygen_factor(station: HeatTreatment, oxygen_fraction: float) -> float:
    """Rate in a gas with so much oxygen over that in air: proportional where it is scarce, level where it is not."""
    half = station.crosslinking.oxygen_half_fraction
    return oxygen_fraction / (oxygen_fraction + half) * (AIR_OXYGEN + half) / AIR_OXYGEN


def crosslinking_rate(
    station: HeatTreatment, elastomer: ElastomerName, temperature_k: float, oxygen_fraction: float = AIR_OXYGEN
) -> float:
    """Rate constant [1/s]; 0.0 of an elastomer without double bonds or a gas without oxygen."""
    c = station.crosslinking
    inverse = 1.0 / temperature_k - 1.0 / REFERENCE_K
    hotter = math.exp(-c.activation_energy_kj_mol * 1e3 / GAS_CONSTANT * inverse)
    bonds = station.elastomer(elastomer).double_bonds_mol_kg / c.reference_double_bonds_mol_kg
    return c.rate_85c_per_s * hotter * bonds * oxygen_factor(station, oxygen_fraction)


def conversion(alpha: float, rate_per_s: float, dt_s: float) -> float:
    """Part of the double bonds that has reacted, `dt_s` after it was `alpha`; exact at a constant rate."""
    return alpha - (1.0 - alpha) * math.expm1(-rate_per_s * dt_s)


def closed_pores(station: HeatTreatment, temperature_k: float, shutdown_k: float, seconds: float) -> float:
    """Part of the pores, 0 … 1, that melts shut in so long; film shuts down at `shutdown_k`."""
    above = (temperature_k - shutdown_k) / station.pores.closure_width_k
    share = 1.0 / (1.0 + math.exp(-max(min(above, 700.0), -700.0)))
    return share * -math.expm1(-seconds / station.pores.closure_time_s)


def thinner_by_closure(thickness_m: float, porosity: float, closed: float) -> tuple[float, float]:
    """Thickness [m] and porosity of clamped film that has lost so much of its pores; its solid stays."""
    left = porosity * (1.0 - closed)
    return thickness_m * (1.0 - porosity) / (1.0 - left), left
