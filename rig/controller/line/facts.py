"""What the controller knows of its line: entered at commissioning, read from TOML."""

from __future__ import annotations

import math
import tomllib
from functools import cache
from importlib import resources
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Instrument", "LineFacts", "load_line_facts"]

Positive = Annotated[float, Field(gt=0.0)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Instrument(_Table):
    """An instrument of the laboratory: expanded uncertainty (k = 2), in the unit of its reading and as a part of it."""

    absolute: Annotated[float, Field(ge=0.0)]
    relative: Annotated[float, Field(ge=0.0)]

    def uncertainty(self, reading: float) -> float:
        """Expanded uncertainty (k = 2) of a reading, in its unit."""
        return math.hypot(self.absolute, self.relative * reading)


class LineFacts(_Table):
    """Ways of the web through the stations, where stores shall stand, and the laboratory; units are in the names."""

    name: str
    cooling_m: Positive
    table_m: Positive
    oven_m: Positive
    draw_m: Positive
    baths_m: Positive
    dryer_m: Positive
    clips_m: Positive
    store_wanted_m: Positive
    loop_wanted_m: Positive
    roll_length_m: Positive
    laboratory: dict[str, Instrument]
    """By property of `rig.products.FILM_PROPERTIES`."""


@cache
def load_line_facts() -> LineFacts:
    """The facts of the reference line."""
    text = (resources.files("rig.controller.line") / "lines" / "reference.toml").read_text(encoding="utf-8")
    return LineFacts.model_validate(tomllib.loads(text))
