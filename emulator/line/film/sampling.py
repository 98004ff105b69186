"""A piece of film in the laboratory: what it is, and what the instruments say.

Film is what its piece says, and what the curing room has made of its roll since. A reading depends on seed, instrument
and serial number of the piece alone: measured again it is the same, and another sample changes none.
"""

from __future__ import annotations

import functools
from typing import Final

import numpy as np

from emulator.line.definition import COMPONENTS
from emulator.line.film.definition import Film
from emulator.line.film.laboratory import reading
from emulator.line.film.properties import gurley_s, meltdown_k, puncture_n, shrinkage, shutdown_k
from emulator.random import stream_key

__all__ = ["PROPERTIES", "measured", "properties"]

POLYOLEFIN, ELASTOMER = COMPONENTS.index("polyolefin"), COMPONENTS.index("elastomer")
PROPERTIES: Final = {
    "thickness_m": "thickness",
    "porosity": "porosity",
    "gurley_s": "gurley",
    "puncture_n": "puncture",
    "shrinkage_105c": "shrinkage",
    "shutdown_k": "temperature",
    "meltdown_k": "temperature",
}
"""What film is bought for, and the instrument that measures it."""


def properties(film: Film, piece: np.void, conversion: float) -> dict[str, float]:
    """What a piece of film is, by the names of `PROPERTIES`.

    Args:
        film: the laws.
        piece: a record of `emulator.line.sheet.PIECE` that has been wound.
        conversion: of its elastomer, with what its roll has been through (`emulator.line.winding.cured`).
    """
    mass = piece["mass_kg"]
    solids_kg = float(mass[POLYOLEFIN] + mass[ELASTOMER])
    thickness, porosity = float(piece["thickness_m"]), float(piece["porosity"])
    area_ratio = max(float(piece["ratio_md"] * piece["ratio_td"]), 1.0)
    return {
        "thickness_m": thickness,
        "porosity": porosity,
        "gurley_s": gurley_s(film, thickness, porosity),
        "puncture_n": puncture_n(film, thickness, porosity, area_ratio),
        "shrinkage_105c": shrinkage(film, float(piece["residual_strain"]), conversion),
        "shutdown_k": shutdown_k(film, conversion),
        "meltdown_k": meltdown_k(film, conversion, float(mass[ELASTOMER]) / solids_kg),
    }


def measured(film: Film, true: dict[str, float], serial: int, seed: int) -> dict[str, float]:
    """The same as the instruments of the laboratory read it."""
    return {
        name: reading(getattr(film.instruments, PROPERTIES[name]), value, _key(seed, name), serial)
        for name, value in true.items()
    }


@functools.lru_cache(maxsize=256)
def _key(seed: int, name: str) -> int:
    return stream_key(seed, f"laboratory.{name}")
