"""A product as data: what is set at every station from the extruder to the film's oven, and what the film shall be.

The press recipe (`rig.recipe.Recipe`) is the part of it that the press controller gets: `Product.press_recipe`.
Units are part of the names; ranges are those of the plant, not of good film (`rig.products.claims` judges that).
"""

from __future__ import annotations

import functools
import math
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rig.recipe import Composition, PressSettings, Recipe, Sheet

__all__ = [
    "FILM_PROPERTIES",
    "POLYMER_DENSITY_KG_M3",
    "SOLVENT_DENSITY_KG_M3",
    "Casting",
    "Desolvation",
    "FilmProperty",
    "FilmTargets",
    "HeatTreatment",
    "Kneading",
    "Product",
    "Soak",
    "Stretching",
    "Target",
]

POLYMER_DENSITY_KG_M3: Final = 950.0
SOLVENT_DENSITY_KG_M3: Final = 860.0
"""Of the paraffin oils that gels are made of; a few per cent either way changes no verdict on a recipe."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)


Celsius = Annotated[float, Field(ge=0.0, le=250.0)]


class Kneading(_Table):
    """The extruder; how much it delivers follows from sheet and speed (`Product.feeds_kg_h`)."""

    barrel_temperature_c: Annotated[float, Field(ge=140.0, le=250.0)]
    screw_speed_rpm: Annotated[float, Field(ge=20.0, le=400.0)]
    antioxidant_fraction: Annotated[float, Field(ge=0.0, le=0.02)]
    """kg per kg of gel, on top of the composition."""


class Casting(_Table):
    """From the die to the press."""

    sheet_thickness_um: Annotated[float, Field(ge=500.0, le=5500.0)]
    sheet_width_mm: Annotated[float, Field(ge=50.0, le=600.0)]
    quench_temperature_c: Annotated[float, Field(ge=5.0, le=60.0)]
    entry_temperature_c: Annotated[float, Field(ge=5.0, le=80.0)]
    """Of the sheet where the press takes it."""


class Soak(_Table):
    """A time at a temperature of the air."""

    temperature_c: Celsius
    seconds: Annotated[float, Field(gt=0.0, le=172800.0)]


class Stretching(_Table):
    """The simultaneous biaxial stretcher: first without constraint through `preheat`, then drawn."""

    preheat: Annotated[tuple[Soak, ...], Field(min_length=1)]
    temperature_c: Celsius
    ratio_md: Annotated[float, Field(ge=1.0, le=10.0)]
    ratio_td: Annotated[float, Field(ge=1.0, le=10.0)]
    rate_md_per_s: Annotated[float, Field(ge=0.005, le=5.0)]
    rate_td_per_s: Annotated[float, Field(ge=0.005, le=5.0)]
    """Rates of the logarithmic strain."""

    @model_validator(mode="after")
    def _draws(self) -> Stretching:
        if self.area_ratio <= 1.0:
            raise ValueError("ratio_md and ratio_td are both 1: nothing is stretched, one of them must be above 1")
        return self

    @property
    def area_ratio(self) -> float:
        """Area after over area before."""
        return self.ratio_md * self.ratio_td


class Desolvation(_Table):
    """Baths and dryer."""

    order: Literal["stretch-first", "desolvate-first"]
    """Whether the stretcher stands before the baths or behind them."""
    extractant: Literal["heptane", "decane", "dichloromethane"]
    bath_temperature_c: Annotated[float, Field(ge=0.0, le=90.0)]
    extractant_flow_l_min: Annotated[float, Field(ge=0.5, le=60.0)]
    dryer_temperature_c: Annotated[float, Field(ge=20.0, le=150.0)]


class HeatTreatment(_Table):
    """Heat setting in clamps, then ovens with hot air for the wound film; without `crosslinking` it is only set."""

    set_temperature_c: Celsius
    set_seconds: Annotated[float, Field(gt=0.0, le=3600.0)]
    crosslinking: tuple[Soak, ...] = ()


class Target(_Table):
    """What a property of the film shall be: `target` with `tolerance` to both sides, or bounds."""

    target: float | None = None
    tolerance: Annotated[float, Field(gt=0.0)] | None = None
    at_least: float | None = None
    at_most: float | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Target:
        centred, bounded = self.target is not None, self.at_least is not None or self.at_most is not None
        if centred == bounded or centred != (self.tolerance is not None):
            raise ValueError("give target and tolerance, or at_least and/or at_most")
        if self.low >= self.high:
            raise ValueError(f"at_least {self.low:g} is not below at_most {self.high:g}: no film can meet both")
        return self

    @property
    def low(self) -> float:
        """Smallest value that is good; minus infinity where there is none."""
        if self.target is not None:
            return self.target - (self.tolerance or 0.0)
        return -math.inf if self.at_least is None else self.at_least

    @property
    def high(self) -> float:
        """Largest value that is good; infinity where there is none."""
        if self.target is not None:
            return self.target + (self.tolerance or 0.0)
        return math.inf if self.at_most is None else self.at_most

    def miss(self, value: float) -> float:
        """How far a value is outside, in its unit: negative below, positive above, 0.0 inside; NaN of NaN."""
        if math.isnan(value):
            return value
        return min(value - self.low, 0.0) or max(value - self.high, 0.0)

    def __str__(self) -> str:
        if self.target is not None:
            return f"{self.target:g} ± {self.tolerance:g}"
        if math.isinf(self.low):
            return f"≤ {self.high:.5g}"
        return f"≥ {self.low:.5g}" if math.isinf(self.high) else f"{self.low:.5g} … {self.high:.5g}"


class FilmProperty(_Table):
    """What is measured of a film, and how it is written."""

    title: str
    unit: str
    digits: int

    def text(self, value: float) -> str:
        """A value with its unit; what is NaN or infinite (no pores) says so."""
        if not math.isfinite(value):
            return "∞" if value > 0.0 else "—"
        return f"{value:.{self.digits}f}" + (f" {self.unit}" if self.unit else "")


FILM_PROPERTIES: Final = {
    "thickness_um": FilmProperty(title="Thickness", unit="µm", digits=1),
    "porosity_percent": FilmProperty(title="Porosity", unit="%", digits=1),
    "gurley_s": FilmProperty(title="Air permeability (Gurley, 100 mL)", unit="s", digits=0),
    "puncture_n": FilmProperty(title="Puncture strength", unit="N", digits=2),
    "shrinkage_105c_percent": FilmProperty(title="Shrinkage, 105 °C, 1 h", unit="%", digits=2),
    "shutdown_c": FilmProperty(title="Shutdown", unit="°C", digits=1),
    "meltdown_c": FilmProperty(title="Meltdown", unit="°C", digits=1),
    "residual_solvent_percent": FilmProperty(title="Residual solvent", unit="%", digits=3),
}
"""Everything that a film is bought for, by the names that targets, rolls and laboratory share."""


class FilmTargets(_Table):
    """What the film shall be; the keys are those of `FILM_PROPERTIES`."""

    thickness_um: Target
    porosity_percent: Target
    gurley_s: Target
    puncture_n: Target
    shrinkage_105c_percent: Target
    shutdown_c: Target
    meltdown_c: Target
    residual_solvent_percent: Target

    def items(self) -> tuple[tuple[str, Target], ...]:
        """Name and target of every property."""
        return tuple((name, getattr(self, name)) for name in FILM_PROPERTIES)


class Product(_Table):
    """One film, from the hoppers to the roll. Synthetic unless its `source` says otherwise."""

    name: Annotated[str, Field(min_length=1)]
    description: str
    source: str
    composition: Composition
    kneading: Kneading
    casting: Casting
    press: PressSettings
    stretching: Stretching
    desolvation: Desolvation
    heat_treatment: HeatTreatment
    film: FilmTargets

    def press_recipe(self, length_m: float) -> Recipe:
        """What the press is told to make `length_m` of sheet of this product."""
        sheet = Sheet(
            thickness_um=self.casting.sheet_thickness_um,
            temperature_c=self.casting.entry_temperature_c,
            length_m=length_m,
        )
        return Recipe(
            name=self.name,
            description=self.description,
            source=self.source,
            composition=self.composition,
            sheet=sheet,
            press=self.press,
        )

    @functools.cached_property
    def gel_density_kg_m3(self) -> float:
        """At 25 °C: solids and solvent side by side."""
        solids = self.composition.solids_fraction
        return 1.0 / (solids / POLYMER_DENSITY_KG_M3 + (1.0 - solids) / SOLVENT_DENSITY_KG_M3)

    @functools.cached_property
    def throughput_kg_h(self) -> float:
        """Gel that the sheet takes: the press draws it at its own speed."""
        area_m2 = self.casting.sheet_width_mm * 1e-3 * self.casting.sheet_thickness_um * 1e-6
        return area_m2 * self.press.speed_m_min * 60.0 * self.gel_density_kg_m3

    @functools.cached_property
    def feeds_kg_h(self) -> dict[str, float]:
        """What the feeders deliver."""
        c, gel = self.composition, self.throughput_kg_h
        return {
            "polyolefin": gel * c.polyolefin_fraction,
            "elastomer": gel * c.elastomer_fraction,
            "solvent": gel * c.solvent_fraction,
            "antioxidant": gel * self.kneading.antioxidant_fraction,
        }

    @functools.cached_property
    def polymer_volume_fraction(self) -> float:
        """Of the gel."""
        return self.composition.solids_fraction * self.gel_density_kg_m3 / POLYMER_DENSITY_KG_M3
