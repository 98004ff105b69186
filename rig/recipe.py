"""The recipe: what to make, as data, and the limits that the process specification sets for it.

A vocabulary of its own, like the wire: the controller is told what to make by it, and the virtual
press takes from it what the upstream process delivers and where a warm or running start begins.
It imports nothing of ours.
"""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

__all__ = [
    "COLD_LIMIT_C",
    "HOT_WINDOW_BELOW_MELTING_K",
    "RECOVERY_LIMIT_PERCENT",
    "ROLLING_COEFFICIENT_LIMIT",
    "ClaimIssue",
    "Composition",
    "PressSettings",
    "Recipe",
    "RecipeError",
    "Sheet",
    "check_claims",
    "list_recipes",
    "load_recipe",
]

RECOVERY_LIMIT_PERCENT = 20.0
"""CLM-1: elastic recovery r is at most this, in %."""
ROLLING_COEFFICIENT_LIMIT = 5.0
"""CLM-2: rolling coefficient k is at least this, in times·min."""
HOT_WINDOW_BELOW_MELTING_K = (30.0, 10.0)
"""CLM-5: heat rolling happens between Tm - 30 K and Tm - 10 K of the polyolefin."""
COLD_LIMIT_C = 40.0
"""CLM-5: cold pressing happens at or below this, in °C."""


class RecipeError(ValueError):
    """A recipe that cannot be read or holds impossible values; the message says file, key and rule."""


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)


Fraction = Annotated[float, Field(ge=0.0, le=1.0)]


class Composition(_Table):
    """Mass fractions of what is kneaded, and what the polyolefin and the elastomer are."""

    polyolefin: Annotated[str, Field(min_length=1)]
    polyolefin_melting_point_c: Annotated[float, Field(ge=90.0, le=180.0)]
    polyolefin_fraction: Annotated[float, Field(ge=0.01, le=0.9)]
    elastomer: Annotated[str, Field(min_length=1)]
    elastomer_fraction: Annotated[float, Field(ge=0.0, le=0.5)]
    elastomer_has_double_bonds: bool
    solvent: Annotated[str, Field(min_length=1)]
    solvent_fraction: Annotated[float, Field(ge=0.05, le=0.98)]

    @model_validator(mode="after")
    def _fractions_add_up(self) -> Composition:
        total = self.polyolefin_fraction + self.elastomer_fraction + self.solvent_fraction
        if abs(total - 1.0) > 1e-6:
            raise ValueError(f"the fractions add up to {total:.4f}, they must add up to 1")
        return self

    @property
    def solids_fraction(self) -> float:
        """Polyolefin and elastomer together, kg per kg of gel."""
        return self.polyolefin_fraction + self.elastomer_fraction


class Sheet(_Table):
    """The gel sheet as the upstream process delivers it."""

    thickness_um: Annotated[float, Field(ge=500.0, le=5500.0)]
    temperature_c: Annotated[float, Field(ge=5.0, le=80.0)]
    length_m: Annotated[float, Field(gt=0.0, le=100000.0)]


class PressSettings(_Table):
    """Where the press shall run."""

    heat_temperature_c: Annotated[float, Field(ge=40.0, le=150.0)]
    cold_temperature_c: Annotated[float, Field(ge=5.0, le=60.0)]
    entry_clearance_um: Annotated[float, Field(ge=500.0, le=6000.0)]
    clearance_um: Annotated[float, Field(ge=450.0, le=6000.0)]
    speed_m_min: Annotated[float, Field(ge=0.3, le=8.0)]
    tension_kn_m: Annotated[float, Field(ge=20.0, le=85.0)]
    exit_thickness_um: Annotated[float, Field(ge=450.0, le=6000.0)] | None = None
    """Wanted at the gauge behind the exit; without it the clearance stays as it is set."""

    @model_validator(mode="after")
    def _taper_closes(self) -> PressSettings:
        if self.entry_clearance_um < self.clearance_um:
            raise ValueError(
                f"entry_clearance_um ({self.entry_clearance_um:g}) is below clearance_um ({self.clearance_um:g}): "
                "the clearance must close along the press"
            )
        return self


class Recipe(_Table):
    """One product on one press. Synthetic unless its `source` says otherwise."""

    name: Annotated[str, Field(min_length=1)]
    description: str
    source: str
    composition: Composition
    sheet: Sheet
    press: PressSettings


@dataclass(frozen=True, slots=True)
class ClaimIssue:
    """A recipe's conflict with the process specification, found before anything moves."""

    claim: str
    message: str


def check_claims(recipe: Recipe, *, pressing_length_m: float) -> tuple[ClaimIssue, ...]:
    """Hold a recipe against CLM-2 and CLM-5.

    Args:
        recipe: what to make.
        pressing_length_m: length over which the press can act on the sheet, m.

    Returns:
        One issue per claim that the settings cannot meet; empty when there is none. CLM-2 is judged
        for the best case, a sheet that stays at the set clearance: k = (h0 / clearance) x (length / speed).
    """
    issues = []
    melting_c = recipe.composition.polyolefin_melting_point_c
    low_c, high_c = (melting_c - below for below in HOT_WINDOW_BELOW_MELTING_K)
    hot_c = recipe.press.heat_temperature_c
    if not low_c <= hot_c <= high_c:
        issues.append(
            ClaimIssue(
                "CLM-5",
                f"press.heat_temperature_c is {hot_c:g}, outside {low_c:g} … {high_c:g} °C "
                f"(Tm - 30 … Tm - 10 with Tm = {melting_c:g} °C)",
            )
        )
    if recipe.press.cold_temperature_c > COLD_LIMIT_C:
        issues.append(
            ClaimIssue(
                "CLM-5",
                f"press.cold_temperature_c is {recipe.press.cold_temperature_c:g}, above {COLD_LIMIT_C:g} °C",
            )
        )
    ratio = recipe.sheet.thickness_um / recipe.press.clearance_um
    coefficient = ratio * pressing_length_m / recipe.press.speed_m_min
    if coefficient < ROLLING_COEFFICIENT_LIMIT:
        issues.append(
            ClaimIssue(
                "CLM-2",
                f"at {recipe.press.speed_m_min:g} m/min the rolling coefficient is at best {coefficient:.2f} "
                f"times·min, below {ROLLING_COEFFICIENT_LIMIT:g}; the fastest speed that can reach it is "
                f"{ratio * pressing_length_m / ROLLING_COEFFICIENT_LIMIT:.2f} m/min",
            )
        )
    return tuple(issues)


def list_recipes() -> tuple[str, ...]:
    """Names of the recipes that come with the rig."""
    folder = resources.files("rig") / "recipes"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


def load_recipe(name_or_path: str | Path) -> Recipe:
    """Read a recipe by name (one that comes with the rig) or by path.

    Raises:
        RecipeError: no such recipe, malformed TOML, or a value that cannot be; says where and what to do.
    """
    return _checked(*_read(name_or_path))


@functools.lru_cache(maxsize=64)
def _checked(text: str, where: str) -> Recipe:
    """A recipe from the contents of its file; contents that were read before are not read again."""
    try:
        return Recipe.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"recipe {where} is not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "recipe"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        message = first["msg"].removeprefix("Value error, ")
        given = "" if first["type"] in ("missing", "value_error") else f", not {first['input']!r}"
        raise RecipeError(f"recipe {where}: {key}: {message}{given}{more}") from error


def _read(name_or_path: str | Path) -> tuple[str, str]:
    path = Path(name_or_path)
    if path.suffix == ".toml" or len(path.parts) > 1:
        try:
            return path.read_text(encoding="utf-8"), str(path)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not a text file"
            raise RecipeError(f"recipe {path} cannot be read: {reason}") from error
    entry = resources.files("rig") / "recipes" / f"{path.name}.toml"
    if not entry.is_file():
        known = ", ".join(list_recipes())
        raise RecipeError(f"no recipe named {str(name_or_path)!r}; known: {known}. A path must end in .toml")
    return entry.read_text(encoding="utf-8"), str(name_or_path)
