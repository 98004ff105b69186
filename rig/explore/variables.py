"""What can be varied: a table, and how words of the command line become axes of a map.

Names carry units. All but the roller pitch are part of a recipe; the pitch is part of the machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rig.errors import UsageError

__all__ = ["POINTS_MAX", "VARIABLES", "Axis", "Variable", "parse_axis", "parse_setting"]

POINTS = 12
POINTS_MAX = 200


@dataclass(frozen=True, slots=True)
class Variable:
    """One thing to vary.

    Attributes:
        name: as on the command line and in the data, with its unit.
        label: for plots, with its unit.
        low: where the axis begins if only the name is given.
        high: where it ends.
    """

    name: str
    label: str
    low: float
    high: float


VARIABLES: Mapping[str, Variable] = {
    variable.name: variable
    for variable in (
        Variable("hot_temperature_c", "Hot temperature in °C", 86.0, 130.0),
        Variable("speed_m_min", "Belt speed in m/min", 0.5, 6.0),
        Variable("cold_temperature_c", "Cold temperature in °C", 10.0, 54.0),
        Variable("clearance_um", "Clearance in µm", 500.0, 1050.0),
        Variable("roller_pitch_mm", "Roller pitch in mm", 34.0, 78.0),
        Variable("solids_percent", "Solids in %", 15.0, 37.0),
    )
}


@dataclass(frozen=True, slots=True)
class Axis:
    """One side of a map: a variable and its values, ascending."""

    variable: Variable
    values: tuple[float, ...]

    @property
    def name(self) -> str:
        """Of the variable."""
        return self.variable.name


def parse_axis(word: str) -> Axis:
    """An axis from `name`, or `name=from:to:count`.

    Raises:
        UsageError: no such variable, or a range that is none.
    """
    name, equals, text = word.partition("=")
    variable = _variable(name)
    if not equals:
        return Axis(variable, _spread(variable.low, variable.high, POINTS))
    parts = text.split(":")
    if len(parts) not in (2, 3):
        raise UsageError(f"{word} is not a range; write {name}=from:to:count, such as {_example(variable)}")
    low, high = (_number(part, word) for part in parts[:2])
    count = _count(parts[2], word) if len(parts) == 3 else POINTS
    if low == high:
        raise UsageError(f"{word} is empty: it begins and ends at {low:g}; to hold a value use --set {name}={low:g}")
    if low > high:
        raise UsageError(f"{word} runs backwards; write {name}={high:g}:{low:g}:{count}")
    return Axis(variable, _spread(low, high, count))


def parse_setting(word: str) -> tuple[Variable, float]:
    """A variable to hold, and its value, from `name=value`.

    Raises:
        UsageError: no such variable, or no number.
    """
    name, equals, text = word.partition("=")
    variable = _variable(name)
    if not equals:
        raise UsageError(f"--set {word} has no value; write --set {name}={variable.low:g}")
    return variable, _number(text, f"--set {word}")


def _variable(name: str) -> Variable:
    if name not in VARIABLES:
        raise UsageError(f"nothing to vary is called {name!r}; there are {', '.join(VARIABLES)}")
    return VARIABLES[name]


def _example(variable: Variable) -> str:
    return f"{variable.name}={variable.low:g}:{variable.high:g}:{POINTS}"


def _number(text: str, word: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise UsageError(f"{word}: {text!r} is not a number") from None
    if not math.isfinite(value):
        raise UsageError(f"{word}: {text!r} is not a finite number")
    return value


def _count(text: str, word: str) -> int:
    if not (text.isascii() and text.isdigit() and 2 <= int(text) <= POINTS_MAX):
        raise UsageError(f"{word}: the count is {text!r}; it must be 2 … {POINTS_MAX}")
    return int(text)


def _spread(low: float, high: float, count: int) -> tuple[float, ...]:
    """Evenly, without the last digits of binary fractions."""
    return tuple(float(f"{low + (high - low) * step / (count - 1):.10g}") for step in range(count))
