"""The clip oven of a line: film is held, set by heat, and its elastomer begins to crosslink.

docs/model.md, heat treatment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.inputs import Inputs, Number, Switch
from emulator.line import gel
from emulator.line.film.definition import Film
from emulator.line.film.properties import shutdown_k
from emulator.line.gel import Web
from emulator.line.heat_treatment import (
    AIR_OXYGEN,
    ElastomerName,
    HeatTreatment,
    closed_pores,
    crosslinking_rate,
    thinner_by_closure,
)
from emulator.line.lag import lagged
from emulator.line.sheet import Pieces, joined, no_pieces
from emulator.material.constants import REFERENCE_K
from emulator.material.definition import Material
from emulator.units import KELVIN

__all__ = ["HeatSetter", "HeatSetterCommands", "HeatSetterDisturbances", "HeatSetterState"]

Floats = NDArray[np.float64]
TINY_S: Final = 1e-12


class HeatSetterCommands(Inputs):
    """What the clip oven is told."""

    __slots__ = ()
    COUNT = 2

    air_k = Number(0, neutral=REFERENCE_K)
    heat = Switch(1)


class HeatSetterDisturbances(Inputs):
    """Things that go wrong, as physical quantities."""

    __slots__ = ()
    COUNT = 2

    air_offset_k = Number(0, within=(-60.0, 60.0), unit="K")
    oxygen_fraction = Number(1, neutral=AIR_OXYGEN, within=(0.0, 1.0))


@dataclass(slots=True)
class HeatSetterState:
    """All that makes the clip oven's future.

    Attributes:
        air_k: its air.
        pieces: in it, the oldest first.
    """

    commands: HeatSetterCommands = field(default_factory=HeatSetterCommands)
    disturbances: HeatSetterDisturbances = field(default_factory=HeatSetterDisturbances)
    air_k: float = REFERENCE_K
    pieces: Pieces = field(default_factory=no_pieces)


class HeatSetter:
    """The clip oven of a line.

    Args:
        definition: its numbers.
        film: laws of the film; where it shuts down.
        material: the gel.
        elastomer: whether it has double bonds.
        state: where it stands; cold and empty without one.
    """

    def __init__(
        self,
        definition: HeatTreatment,
        film: Film,
        material: Material,
        elastomer: ElastomerName,
        state: HeatSetterState | None = None,
    ) -> None:
        self.definition = definition
        self.film = film
        self.material = material
        self.elastomer = elastomer
        self.state = state or HeatSetterState()
        self.commands, self.disturbances = self.state.commands, self.state.disturbances

    def signals(self) -> dict[str, float]:
        """What perfect instruments would read, SI units."""
        return {"air_k": self.state.air_k, "pieces": float(len(self.state.pieces))}

    def step(self, dt_s: float, arriving: Pieces, speed_m_s: float, end_ns: int) -> Pieces:
        """Go on by dt to `end_ns`, at this speed of the film; returns the pieces that leave."""
        state, setting = self.state, self.definition.setting
        hottest = setting.hottest_c + KELVIN
        wanted = min(max(self.commands.air_k, REFERENCE_K), hottest) if self.commands.heat else REFERENCE_K
        wanted += self.disturbances.air_offset_k if self.commands.heat else 0.0
        state.air_k, air_k = lagged(state.air_k, wanted, dt_s, setting.air_lag_s)
        pieces = state.pieces
        leaving = no_pieces()
        if len(pieces):
            rate = crosslinking_rate(self.definition, self.elastomer, air_k, self.disturbances.oxygen_fraction)
            gone = int(
                _stay(
                    pieces["travelled_m"],
                    pieces["set_s"],
                    pieces["set_k"],
                    pieces["conversion"],
                    np.array([speed_m_s, dt_s, setting.path_m, air_k, rate]),
                )
            )
            if gone:
                leaving, state.pieces = pieces[:gone], pieces[gone:]
                for i in range(gone):
                    self._set(leaving[i : i + 1])
        if len(arriving):
            arriving["set_ns"] = end_ns
            state.pieces = joined(state.pieces, arriving)
        return leaving

    def clear(self) -> Pieces:
        """People take everything out: its pieces."""
        pieces, self.state.pieces = self.state.pieces, no_pieces()
        return pieces

    def _set(self, piece: Pieces) -> None:
        """One piece, shape (1,), by its history: set in the clips, and its pores where it was too hot."""
        kelvin, seconds = float(piece["set_k"][0]), float(piece["set_s"][0])
        web = gel.set_in_clamps(self.material, Web.of_pieces(piece), kelvin, seconds)
        web.put_into(piece)
        piece["residual_strain"] = gel.residual_strain(self.material, web)
        shuts_k = shutdown_k(self.film, float(piece["conversion"][0]))
        closed = closed_pores(self.definition, kelvin, shuts_k, seconds)
        piece["closed"] = closed
        piece["thickness_m"], piece["porosity"] = thinner_by_closure(
            float(piece["thickness_m"][0]), float(piece["porosity"][0]), closed
        )


@njit(cache=True, error_model="numpy")
def _stay(place: Floats, set_s: Floats, set_k: Floats, conversion: Floats, given: Floats) -> int:
    """All pieces go on, and gather their history; returns how many have left.

    `given` is speed, step, way through the oven, its air, and the rate of crosslinking.
    """
    v, dt, path, air, rate = given
    gone = 0
    for i in range(place.size):
        place[i] += v * dt
        stay = dt
        if place[i] >= path:  # it was in the heat until then
            place[i] -= path
            stay = max(dt - place[i] / v, 0.0)
            gone += 1
        set_k[i] = (set_k[i] * set_s[i] + air * stay) / max(set_s[i] + stay, TINY_S)
        set_s[i] += stay
        conversion[i] -= (1.0 - conversion[i]) * math.expm1(-rate * stay)
    return gone
