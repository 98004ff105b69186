"""The stretcher of a line: pieces run free through the zones of its oven, are drawn, and cool in the clips.

A piece gathers how long it was in each zone and in what air; when it leaves the clips, that history goes through the
laws of `stretching` at once. The way on which sheet is drawn is fixed, so a faster line draws faster, and colder.
docs/model.md, stretching.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.inputs import Array, Inputs, Number, Switch
from emulator.line.gel import Web
from emulator.line.lag import lagged
from emulator.line.sheet import OVEN_ZONES, Pieces, Scrap, joined, no_pieces
from emulator.line.stretching import Draw, Stretching, drawn, opened_dry, reheated
from emulator.material.constants import REFERENCE_K
from emulator.material.definition import Material
from emulator.units import KELVIN

__all__ = ["Stretcher", "StretcherCommands", "StretcherDisturbances", "StretcherState"]

Floats = NDArray[np.float64]

ZONES: Final = OVEN_ZONES + 1
"""The oven's, and that in which the sheet is drawn."""
STILL: Final = 1e-9
"""A ratio that is this near to one draws nothing."""
TINY_S: Final = 1e-12
HEAT_CAPACITY_J_M3K: Final = 2.5e6
"""Of gel on its way through the foot of the melting peak: 820 kg/m3 x 3050 J/(kg K) [C]."""


class StretcherCommands(Inputs):
    """What the stretcher is told."""

    __slots__ = ()
    COUNT = ZONES + 3

    air_k = Array(0, ZONES, neutral=REFERENCE_K)
    """Set points of the oven's zones and of the zone of the draw."""
    ratio_md = Number(ZONES, neutral=1.0)
    ratio_td = Number(ZONES + 1, neutral=1.0)
    heat = Switch(ZONES + 2)


class StretcherDisturbances(Inputs):
    """Things that go wrong, as physical quantities."""

    __slots__ = ()
    COUNT = 2 * ZONES + 2

    air_offset_k = Array(0, ZONES, within=(-60.0, 60.0), unit="K")
    heater_scale = Array(ZONES, ZONES, neutral=1.0, within=(0.0, 1.5))
    """Part of the way from the room to the set point that a zone's heater makes."""
    strength_scale = Number(2 * ZONES, neutral=1.0, within=(0.01, 2.0))
    """Gels, holes and nicks from which sheet tears."""
    spread_scale = Number(2 * ZONES + 1, neutral=1.0, within=(0.0, 50.0))
    """Of the temperature over the sheet: a fan that stands still."""


@dataclass(slots=True)
class StretcherState:
    """All that makes the stretcher's future.

    Attributes:
        air_k: of the zones, that of the draw last.
        ratio: in machine and transverse direction, as rails and spindles stand.
        pieces: in oven and clips, the oldest first.
    """

    commands: StretcherCommands = field(default_factory=StretcherCommands)
    disturbances: StretcherDisturbances = field(default_factory=StretcherDisturbances)
    air_k: NDArray[np.float64] = field(default_factory=lambda: np.full(ZONES, REFERENCE_K))
    ratio: NDArray[np.float64] = field(default_factory=lambda: np.ones(2))
    pieces: Pieces = field(default_factory=no_pieces)


class Stretcher:
    """The stretcher of a line.

    Args:
        definition: its numbers.
        material: the gel.
        state: where it stands; cold and empty without one.
    """

    def __init__(self, definition: Stretching, material: Material, state: StretcherState | None = None) -> None:
        self.definition = definition
        self.material = material
        self.state = state or StretcherState()
        self.commands, self.disturbances = self.state.commands, self.state.disturbances

    @property
    def ratio_md(self) -> float:
        """Speed of the film that leaves over that of the sheet that comes."""
        return float(self.state.ratio[0])

    def signals(self) -> dict[str, float]:
        """What perfect instruments would read, SI units."""
        state = self.state
        zones = {f"zone_{i + 1}_air_k": float(air) for i, air in enumerate(state.air_k[:-1])}
        return zones | {
            "draw_air_k": float(state.air_k[-1]),
            "ratio_md": float(state.ratio[0]),
            "ratio_td": float(state.ratio[1]),
            "pieces": float(len(state.pieces)),
        }

    def step(self, dt_s: float, arriving: Pieces, speed_m_s: float, end_ns: int) -> Pieces:
        """Go on by dt to `end_ns`, with sheet coming in at this speed.

        Returns:
            Pieces that leave the clips. What tore or sagged says so in `scrap`.
        """
        air_k = self._heat(dt_s)
        state = self.state
        leaving = no_pieces()
        if len(state.pieces):
            gone = self._move(dt_s, speed_m_s, air_k)
            if gone:
                leaving, state.pieces = state.pieces[:gone], state.pieces[gone:]
                for i in range(gone):
                    self._draw(leaving[i : i + 1])
        if len(arriving):
            arriving["oven_ns"] = end_ns
            if speed_m_s > 0.0:
                arriving["oven_s"][:, 0] = arriving["travelled_m"] / speed_m_s
            arriving["oven_k"][:, 0] = air_k[0]
            state.pieces = joined(state.pieces, arriving)
        return leaving

    def clear(self) -> Pieces:
        """People take everything out: its pieces."""
        pieces, self.state.pieces = self.state.pieces, no_pieces()
        return pieces

    def _heat(self, dt_s: float) -> Floats:
        """Air and ratios follow their set points; returns the mean air of the step."""
        state, commands, wrong = self.state, self.commands, self.disturbances
        oven, clips = self.definition.oven, self.definition.clips
        if commands.heat:
            wanted = np.minimum(np.maximum(commands.air_k, REFERENCE_K), oven.hottest_c + KELVIN)
            wanted = REFERENCE_K + (wanted - REFERENCE_K) * wrong.heater_scale + wrong.air_offset_k
        else:
            wanted = np.full(ZONES, REFERENCE_K)
        state.air_k, mean = lagged(state.air_k, wanted, dt_s, oven.air_lag_s)
        ratios = commands.vector[ZONES : ZONES + 2]
        ratios = np.minimum(np.maximum(ratios, 1.0), clips.highest_ratio)
        state.ratio, _ = lagged(state.ratio, ratios, dt_s, clips.ratio_lag_s)
        return mean

    def _move(self, dt_s: float, v: float, air_k: Floats) -> int:
        """All pieces go on, and gather their history; returns how many of the oldest leave."""
        pieces, station = self.state.pieces, self.definition
        return int(
            _move(
                pieces["travelled_m"],
                pieces["oven_s"],
                pieces["oven_k"],
                pieces["draw_s"],
                pieces["draw_k"],
                np.array([dt_s, v, self.ratio_md, station.oven.zone_length_m, station.clips.draw_length_m]),
                air_k,
            )
        )

    def _draw(self, piece: Pieces) -> None:
        """One piece, shape (1,), by its history."""
        station, material = self.definition, self.material
        web = Web.of_pieces(piece)
        zones = [(float(k), float(s)) for k, s in zip(piece["oven_k"][0], piece["oven_s"][0], strict=True) if s > 0.0]
        warm = reheated(station, material, web, zones)
        piece["recovered"] = warm.recovered
        piece["width_m"] *= web.thickness_m / warm.web.thickness_m
        ratio_md, ratio_td = (float(ratio) for ratio in self.state.ratio)
        seconds, air_k = float(piece["draw_s"][0]), float(piece["draw_k"][0])
        # half of the draw is what it takes to be warm for it
        warming = 2.0 * station.oven.conductance_w_m2k / (HEAT_CAPACITY_J_M3K * float(warm.web.thickness_m[0]))
        sheet_k = air_k + (float(warm.web.temperature_k[0]) - air_k) * math.exp(-0.5 * seconds * warming)
        thickness, porosity = warm.web.thickness_m, float(piece["porosity"][0])
        if max(ratio_md, ratio_td) <= 1.0 + STILL:
            warm.web.put_into(piece)
            piece["ratio_md"] = piece["ratio_td"] = 1.0
            return
        rate_md, rate_td = (max(math.log(ratio) / seconds, STILL) for ratio in (ratio_md, ratio_td))
        how = Draw(ratio_md, ratio_td, rate_md, rate_td, sheet_k)
        out = drawn(
            station, material, warm.web, how, piece["thickness_cv"], warm.recovered, self.disturbances.spread_scale
        )
        out.cold.put_into(piece)
        piece["ratio_md"], piece["ratio_td"] = ratio_md, ratio_td
        piece["length_m"] *= ratio_md
        piece["width_m"] *= ratio_td
        piece["thickness_cv"] = out.thickness_cv
        piece["residual_strain"] = out.residual_strain
        piece["load"] = out.load / self.disturbances.strength_scale
        if piece["dry_ratio"][0] > 0.0:
            piece["thickness_m"], piece["porosity"] = opened_dry(station, float(thickness[0]), porosity, how.area_ratio)
        if out.torn[0] or piece["load"][0] > 1.0:
            piece["scrap"] = Scrap.TORN
        elif out.sagged[0]:
            piece["scrap"] = Scrap.SAGGED


@njit(cache=True, error_model="numpy")
def _move(
    place: Floats, oven_s: Floats, oven_k: Floats, draw_s: Floats, draw_k: Floats, given: Floats, air_k: Floats
) -> int:
    """See `Stretcher._move`; `given` is step, speed, ratio, and lengths of a zone and of the draw."""
    dt, v, ratio, zone_m, draw_m = given
    oven_m = zone_m * OVEN_ZONES
    # sheet that is drawn gets faster in proportion to the way: v + v (ratio - 1) x/length
    reach = draw_m / (ratio - 1.0) if ratio > 1.0 + STILL else 0.0
    gone = 0
    for i in range(place.size):
        left = dt
        at = place[i]
        while left > 0.0 and at < oven_m:
            zone = min(int(at / zone_m), OVEN_ZONES - 1)
            end = zone_m * (zone + 1) if zone + 1 < OVEN_ZONES else oven_m
            stay = left if v * left < end - at else (end - at) / v
            oven_k[i, zone] = (oven_k[i, zone] * oven_s[i, zone] + air_k[zone] * stay) / (oven_s[i, zone] + stay)
            oven_s[i, zone] += stay
            at = at + v * left if v * left < end - at else end
            left -= stay
        if left > 0.0:
            drawn = at - oven_m
            after = (drawn + reach) * math.exp(v * left / reach) - reach if reach > 0.0 else drawn + v * left
            stay = left
            if after >= draw_m:
                way = reach * math.log((draw_m + reach) / (drawn + reach)) if reach > 0.0 else draw_m - drawn
                stay = min(way / v, left)
                gone += 1
                at = (left - stay) * v * ratio
            else:
                at = oven_m + after
            draw_k[i] = (draw_k[i] * draw_s[i] + air_k[OVEN_ZONES] * stay) / max(draw_s[i] + stay, TINY_S)
            draw_s[i] += stay
        place[i] = at
    return gone
