"""A whole line as data: its stations, and what joins them.

A file in `emulator/data/lines` names the stations; read, it holds all their numbers, so that a line is known by its
contents and travels in a snapshot.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BeforeValidator, Field

from emulator.config import load_definition
from emulator.line.definition import Accumulator, Casting, Extruder, load_casting, load_extruder
from emulator.line.desolvation.definition import Desolvation, ExtractantName, load_desolvation
from emulator.line.film.definition import Film, load_film
from emulator.line.heat_treatment import HeatTreatment, load_heat_treatment
from emulator.line.stretching import Stretching, load_stretching
from emulator.material.definition import Fraction, NonNegative, Positive, Section

__all__ = ["ORDERS", "LinePlan", "Order", "load_line"]

Order = Literal["stretch-first", "desolvate-first"]
ORDERS: Final[tuple[Order, ...]] = get_args(Order)


def _by_name(load: Callable[[str], Any]) -> BeforeValidator:
    """A station stands in the file by its name."""
    return BeforeValidator(lambda given: load(given) if isinstance(given, str) else given)


class Drive(Section):
    """The drive of everything behind the press."""

    lag_s: Positive
    fastest_m_min: Positive


class Dancer(Section):
    """What a store makes of the drive beside it."""

    gain: NonNegative
    most: Annotated[float, Field(ge=0.0, lt=1.0)]

    def trim(self, stored_m: float, wanted_m: float) -> float:
        """Part by which whoever draws from the store goes faster; who fills it, slower."""
        return min(max(self.gain * (stored_m - wanted_m) / wanted_m, -self.most), self.most)


class Winder(Section):
    """The winder at the end."""

    roll_length_m: Positive
    wet_fraction: Fraction


class LinePlan(Section):
    """A line; `load_line` makes one from a file."""

    name: str
    description: str
    extruder: Annotated[Extruder, _by_name(load_extruder)]
    casting: Annotated[Casting, _by_name(load_casting)]
    stretcher: Annotated[Stretching, _by_name(load_stretching)]
    desolvation: Annotated[Desolvation, _by_name(load_desolvation)]
    heat_treatment: Annotated[HeatTreatment, _by_name(load_heat_treatment)]
    film: Annotated[Film, _by_name(load_film)]
    order: Order
    extractant: ExtractantName
    drive: Drive
    dancer: Dancer
    loop: Accumulator
    winder: Winder


def load_line(name_or_path: str | Path = "reference") -> LinePlan:
    """The shipped line, or one's own by path; raises ConfigError."""
    return load_definition(name_or_path, "line", LinePlan)
