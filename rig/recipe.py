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
from typing import Annotated, TypeVar, cast

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
    "list_shipped",
    "load_recipe",
    "load_toml",
]

RECOVERY_LIMIT_PERCENT = 20.0
"""CLM-1: elastic recovery r is at most this, in %."""
ROLLING_COEFFICIENT_LIMIT = 5.0
"""CLM-2: rolling coefficient k is at least this, in times·min."""
HOT_WINDOW_BELOW_MELTING_K = (30.0, 10.0)
"""CLM-5: heat rolling happens between Tm - 30 K and Tm - 10 K of the polyolefin."""
COLD_LIMIT_C = 40.0
"""CLM-5: cold pressing happens at or below this, in °C."""


Model = TypeVar("Model", bound=BaseModel)


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
    """A recipe's conflict with the process specification, found before anything moves.

    Attributes:
        claim: such as `CLM-5`.
        where: key of the setting that is wrong, such as `press.heat_temperature_c`.
        off: by how much, in `unit`: negative where it is too little; 0.0 where it is not a matter of more or less.
        unit: of `off`.
        message: all of it for people: what is set, what the claim wants, by how much it is missed, what to do.
    """

    claim: str
    where: str
    off: float
    unit: str
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
    if off_k := min(hot_c - low_c, 0.0) or max(hot_c - high_c, 0.0):
        where = "press.heat_temperature_c"
        message = (
            f"{where} is {hot_c:g}, outside {low_c:g} … {high_c:g} °C (Tm - 30 … Tm - 10 with Tm = {melting_c:g} °C): "
            f"{abs(off_k):g} K too {'hot' if off_k > 0.0 else 'cold'}; set it to {(low_c + high_c) / 2:g}"
        )
        issues.append(ClaimIssue("CLM-5", where, off_k, "K", message))
    cold_c = recipe.press.cold_temperature_c
    if cold_c > COLD_LIMIT_C:
        where = "press.cold_temperature_c"
        message = (
            f"{where} is {cold_c:g}, above {COLD_LIMIT_C:g} °C: {cold_c - COLD_LIMIT_C:g} K too hot; "
            "set it well below, the sheet leaves warmer than the rollers"
        )
        issues.append(ClaimIssue("CLM-5", where, cold_c - COLD_LIMIT_C, "K", message))
    ratio = recipe.sheet.thickness_um / recipe.press.clearance_um
    speed = recipe.press.speed_m_min
    coefficient = ratio * pressing_length_m / speed
    if coefficient < ROLLING_COEFFICIENT_LIMIT:
        off = coefficient - ROLLING_COEFFICIENT_LIMIT
        fastest = ratio * pressing_length_m / ROLLING_COEFFICIENT_LIMIT
        message = (
            f"at {speed:g} m/min the rolling coefficient is at best {coefficient:.2f} "
            f"times·min, below {ROLLING_COEFFICIENT_LIMIT:g}: {-off:.2f} too little; "
            f"the fastest speed that can reach it is {fastest:.2f} m/min (press.speed_m_min)"
        )
        issues.append(ClaimIssue("CLM-2", "press.speed_m_min", off, "times·min", message))
    return tuple(issues)


def list_recipes() -> tuple[str, ...]:
    """Names of the recipes that come with the rig."""
    return list_shipped("recipes")


def load_recipe(name_or_path: str | Path) -> Recipe:
    """Read a recipe by name (one that comes with the rig) or by path.

    Raises:
        RecipeError: no such recipe, malformed TOML, or a value that cannot be; says where and what to do.
    """
    return load_toml(name_or_path, Recipe, kind="recipe", folder="recipes")


def list_shipped(folder: str) -> tuple[str, ...]:
    """Names of the TOML files in a folder of the rig."""
    entries = (resources.files("rig") / folder).iterdir()
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in entries if entry.name.endswith(".toml")))


def load_toml(name_or_path: str | Path, model: type[Model], *, kind: str, folder: str) -> Model:
    """What we ship in `folder` by name, or a file of one's own by path; `kind` is what messages call it.

    Raises:
        RecipeError: as `load_recipe`.
    """
    return cast(Model, _checked(*_read(name_or_path, kind, folder), kind, model))


@functools.lru_cache(maxsize=64)
def _checked(text: str, where: str, kind: str, model: type[BaseModel]) -> BaseModel:
    """A model from the contents of its file; contents that were read before are not read again."""
    try:
        return model.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{kind} {where} is not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or kind
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        message = first["msg"].removeprefix("Value error, ")
        given = "" if first["type"] in ("missing", "value_error") else f", not {first['input']!r}"
        raise RecipeError(f"{kind} {where}: {key}: {message}{given}{more}") from error


def _read(name_or_path: str | Path, kind: str, folder: str) -> tuple[str, str]:
    path = Path(name_or_path)
    if path.suffix == ".toml" or len(path.parts) > 1:
        try:
            return path.read_text(encoding="utf-8"), str(path)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not a text file"
            raise RecipeError(f"{kind} {path} cannot be read: {reason}") from error
    entry = resources.files("rig") / folder / f"{path.name}.toml"
    if not entry.is_file():
        known = ", ".join(list_shipped(folder))
        raise RecipeError(f"no {kind} named {str(name_or_path)!r}; known: {known}. A path must end in .toml")
    return entry.read_text(encoding="utf-8"), str(name_or_path)
