"""What a map will compute: machine, gel and recipe at each of its points, checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from rig.errors import UsageError
from rig.explore.variables import Axis, Variable
from rig.recipe import Composition, PressSettings, Recipe, RecipeError, load_recipe
from rig.virtual import ConfigError, Machine, Material, check_point, load_machine, load_material, with_roller_pitch

__all__ = ["Plan", "make_plan", "own_value"]

SETTINGS: Mapping[str, str] = {
    "hot_temperature_c": "heat_temperature_c",
    "cold_temperature_c": "cold_temperature_c",
    "speed_m_min": "speed_m_min",
    "clearance_um": "clearance_um",
}
"""Variable -> key of the recipe's press settings."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A map to be computed.

    Attributes:
        machine, material, recipe: with everything applied that is held.
        x, y: the axes.
        held: what was set for all points, beyond the recipe.
        points: machine and recipe at each point, the x axis running fastest.
    """

    machine: Machine
    material: Material
    recipe: Recipe
    x: Axis
    y: Axis
    held: Mapping[str, float]
    points: tuple[tuple[Machine, Recipe], ...]


def make_plan(
    x: Axis,
    y: Axis,
    *,
    machine: str = "reference",
    material: str = "g20",
    recipe: str = "reference",
    held: Iterable[tuple[Variable, float]] = (),
) -> Plan:
    """Load and check everything; machine, material and recipe are names or paths.

    Raises:
        UsageError: a part that does not exist, a variable used twice, or a value that cannot be.
    """
    names = [x.name, y.name]
    settings: dict[str, float] = {}
    for variable, value in held:
        names.append(variable.name)
        settings[variable.name] = value
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{name} is given twice; a map needs two different variables, and --set holds others")
    try:
        press, gel, product = load_machine(machine), load_material(material), load_recipe(recipe)
        for name, value in settings.items():
            press, product = _changed(press, product, name, value)
        points = tuple(_point(press, gel, product, x, y, a, b) for b in y.values for a in x.values)
    except (ConfigError, RecipeError) as error:
        raise UsageError(str(error)) from error
    return Plan(press, gel, product, x, y, settings, points)


def own_value(name: str, machine: Machine, recipe: Recipe) -> float:
    """Where machine and recipe stand on an axis."""
    if name == "roller_pitch_mm":
        return float(machine.geometry.roller_pitch_mm)
    if name == "solids_percent":
        return float(f"{100.0 * recipe.composition.solids_fraction:.10g}")
    return float(getattr(recipe.press, SETTINGS[name]))


def _point(
    machine: Machine, material: Material, recipe: Recipe, x: Axis, y: Axis, a: float, b: float
) -> tuple[Machine, Recipe]:
    for axis, value in ((x, a), (y, b)):
        machine, recipe = _changed(machine, recipe, axis.name, value)
    check_point(machine, material, recipe)
    return machine, recipe


def _changed(machine: Machine, recipe: Recipe, name: str, value: float) -> tuple[Machine, Recipe]:
    if name == "roller_pitch_mm":
        return with_roller_pitch(machine, value), recipe
    try:
        if name == "solids_percent":
            return machine, recipe.model_copy(update={"composition": _with_solids(recipe.composition, value)})
        settings = recipe.press.model_dump() | {SETTINGS[name]: value}
        return machine, recipe.model_copy(update={"press": PressSettings.model_validate(settings)})
    except ValidationError as error:
        rule = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UsageError(f"{name} {value:g} cannot be set: {rule[:1].lower()}{rule[1:]}") from None


def _with_solids(composition: Composition, percent: float) -> Composition:
    """The same polymers in another amount of solvent."""
    solids = percent / 100.0
    share = solids / composition.solids_fraction
    return Composition.model_validate(
        composition.model_dump()
        | {
            "polyolefin_fraction": composition.polyolefin_fraction * share,
            "elastomer_fraction": composition.elastomer_fraction * share,
            "solvent_fraction": 1.0 - solids,
        }
    )
