"""The desolvation of a line: sheet goes through the baths against the extractant, and then through the dryer.

Solvent is booked by mass wherever it is: in the sheet, in the baths, in what flows off to distillation. Extractant
takes its place in the pores, evaporates in the dryer, and is exhausted. docs/model.md, desolvation.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.inputs import Inputs, Number, Switch
from emulator.line.definition import COMPONENTS
from emulator.line.desolvation.baths import biot, flow_through, fourier_rate
from emulator.line.desolvation.definition import Desolvation, ExtractantName
from emulator.line.desolvation.drying import collapsed, evaporated, lel_fraction, vapour_after, wet_bulb
from emulator.line.desolvation.extraction import MODES, modes
from emulator.line.gel import modulus_factors
from emulator.line.lag import lagged
from emulator.line.sheet import Pieces, joined, no_pieces
from emulator.material.constants import REFERENCE_K
from emulator.material.definition import Material
from emulator.units import KELVIN

__all__ = ["Desolvator", "DesolvatorCommands", "DesolvatorDisturbances", "DesolvatorState"]

Floats = NDArray[np.float64]
POLYOLEFIN, ELASTOMER, SOLVENT, _ = range(len(COMPONENTS))

AIR_STEP_K: Final = 0.01
VAPOUR_STEP_KG_M3: Final = 1e-5
"""The dryer's air to these is air for which the wet bulb is known already; vapour is explosive at thousands of them."""
SMALLEST: Final = 1e-6
"""Part of the pores' extractant that is no longer followed: it is gone."""


class DesolvatorCommands(Inputs):
    """What baths and dryer are told."""

    __slots__ = ()
    COUNT = 5

    flow_m3_s = Number(0)
    """Of fresh extractant."""
    bath_k = Number(1, neutral=REFERENCE_K)
    air_k = Number(2, neutral=REFERENCE_K)
    """Of the dryer."""
    heat = Switch(3)
    acknowledge = Switch(4)
    """Lets the dryer on again after its interlock, once the vapour is below the warning."""


class DesolvatorDisturbances(Inputs):
    """Things that go wrong, as physical quantities."""

    __slots__ = ()
    COUNT = 5

    flow_scale = Number(0, neutral=1.0, within=(0.0, 2.0))
    fresh_solvent_fraction = Number(1, within=(0.0, 0.5))
    """Added to what distillation leaves in the extractant, by volume."""
    exhaust_scale = Number(2, neutral=1.0, within=(0.0, 2.0))
    air_offset_k = Number(3, within=(-60.0, 60.0), unit="K")
    diffusivity_scale = Number(4, neutral=1.0, within=(0.05, 5.0))
    """Sheet whose pores are narrower or wider than usual."""


@dataclass(slots=True)
class DesolvatorState:
    """All that makes the future of baths and dryer.

    Attributes:
        bath_solvent: part of solvent in each bath by volume, first bath of the sheet first; None before the first step.
        bath_k, air_k: temperatures of the baths and of the dryer's air.
        pieces: in the baths, the oldest first.
        fourier_per_s: of each, before `diffusivity_scale` and temperature: D/L^2 at 25 degC, shape (n,).
        rate, part, amplitude: modes of each piece and what of them is left, shape (n, MODES).
        drying: pieces in the dryer.
        vapour_kg_m3: extractant in the dryer's air.
        tripped: the interlock has switched the dryer off and stopped the web.
        washed_off_kg: solvent that flowed off with the spent extractant.
        brought_kg: solvent that came with the fresh one.
        exhausted_kg: extractant that left the dryer.
    """

    commands: DesolvatorCommands = field(default_factory=DesolvatorCommands)
    disturbances: DesolvatorDisturbances = field(default_factory=DesolvatorDisturbances)
    bath_solvent: list[float] = field(default_factory=list)
    bath_k: float = REFERENCE_K
    air_k: float = REFERENCE_K
    pieces: Pieces = field(default_factory=no_pieces)
    fourier_per_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    rate: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, MODES)))
    part: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, MODES)))
    amplitude: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, MODES)))
    drying: Pieces = field(default_factory=no_pieces)
    vapour_kg_m3: float = 0.0
    tripped: bool = False
    washed_off_kg: float = 0.0
    brought_kg: float = 0.0
    exhausted_kg: float = 0.0


class Desolvator:
    """Baths and dryer of a line.

    Args:
        definition: their numbers.
        material: the gel.
        extractant: what is in the baths.
        state: where they stand; fresh extractant at room temperature without one.
    """

    def __init__(
        self,
        definition: Desolvation,
        material: Material,
        extractant: ExtractantName,
        state: DesolvatorState | None = None,
    ) -> None:
        self.definition = definition
        self.material = material
        self.liquid = definition.extractant(extractant)
        self.state = state or DesolvatorState()
        self.commands, self.disturbances = self.state.commands, self.state.disturbances
        if not self.state.bath_solvent:
            self.state.bath_solvent = [definition.baths.fresh_solvent_fraction] * definition.baths.count
        self.oil_kg_m3 = material.flory.oil_density_kg_m3
        self.resin_kg_m3 = material.flory.polymer_density_kg_m3
        self._wet_bulb = functools.lru_cache(maxsize=512)(
            lambda air, vapour: wet_bulb(definition.dryer, self.liquid, air * AIR_STEP_K, vapour * VAPOUR_STEP_KG_M3)
        )
        self._per_s = fourier_rate(definition, self.liquid, 2.0, REFERENCE_K)

    # -- truth ---------------------------------------------------------------------------------------

    @property
    def lel_fraction(self) -> float:
        """Vapour in the dryer as part of the lower explosive limit."""
        return lel_fraction(self.definition.dryer, self.liquid, self.state.vapour_kg_m3, self.state.air_k)

    @property
    def baths_kg(self) -> float:
        """Solvent in the baths."""
        return sum(self.state.bath_solvent) * self.definition.baths.volume_m3 * self.oil_kg_m3

    def signals(self) -> dict[str, float]:
        """What perfect instruments would read, SI units."""
        state = self.state
        baths = {f"bath_{i + 1}_solvent_fraction": part for i, part in enumerate(state.bath_solvent)}
        return baths | {
            "bath_k": state.bath_k,
            "dryer_air_k": state.air_k,
            "vapour_lel_fraction": self.lel_fraction,
            "tripped": float(state.tripped),
            "pieces": float(len(state.pieces) + len(state.drying)),
        }

    # -- a step --------------------------------------------------------------------------------------

    def step(self, dt_s: float, arriving: Pieces, speed_m_s: float, end_ns: int) -> Pieces:
        """Go on by dt to `end_ns`, at this speed of the sheet; returns the pieces that leave the dryer."""
        washed = self._wash(dt_s, speed_m_s)
        self._take_in(arriving, end_ns)
        leaving = self._dry(dt_s, speed_m_s)
        self.state.drying = joined(self.state.drying, washed)
        return leaving

    def clear(self) -> Pieces:
        """People take everything out: its pieces."""
        state = self.state
        pieces = joined(state.drying, state.pieces)
        self._keep_from(len(state.pieces))
        state.drying = no_pieces()
        return pieces

    def _take_in(self, arriving: Pieces, end_ns: int) -> None:
        if not len(arriving):
            return
        state, station = self.state, self.definition
        arriving["bath_ns"] = end_ns
        arriving["pores_m3"] = arriving["mass_kg"][:, SOLVENT] / self.oil_kg_m3
        arriving["solvent_part"] = 1.0
        thickness = arriving["thickness_m"]
        sheet = modes(np.array([biot(station, h) for h in thickness.tolist()]))
        state.pieces = joined(state.pieces, arriving)
        state.fourier_per_s = np.concatenate([state.fourier_per_s, self._per_s * (2.0 / thickness) ** 2])
        state.rate = np.concatenate([state.rate, sheet.rate])
        state.part = np.concatenate([state.part, sheet.part])
        state.amplitude = np.concatenate([state.amplitude, sheet.part])

    def _keep_from(self, gone: int) -> None:
        """The oldest so many pieces have left the baths."""
        state = self.state
        state.pieces = state.pieces[gone:]
        state.fourier_per_s, state.amplitude = state.fourier_per_s[gone:], state.amplitude[gone:]
        state.rate, state.part = state.rate[gone:], state.part[gone:]

    def _wash(self, dt_s: float, speed_m_s: float) -> Pieces:
        """Sheet gives solvent to the baths, they flow; returns the pieces that leave the last one."""
        state, baths, pieces = self.state, self.definition.baths, self.state.pieces
        state.bath_k, bath_k = lagged(state.bath_k, max(self.commands.bath_k, 273.15), dt_s, baths.temperature_lag_s)
        released = [0.0] * baths.count
        gone = 0
        if len(pieces):
            warmer = self.liquid.diffusivity_m2_s(bath_k) / self.liquid.diffusivity_m2_s(REFERENCE_K)
            part = np.empty(len(pieces))
            given = np.empty(len(pieces))
            per_bath = np.zeros(baths.count)
            place = pieces["travelled_m"] + speed_m_s * dt_s
            _soak(
                pieces["travelled_m"],
                np.array([0.5 * speed_m_s * dt_s, baths.path_m, warmer * self.disturbances.diffusivity_scale * dt_s]),
                state.fourier_per_s,
                state.rate,
                state.part,
                state.amplitude,
                np.array(state.bath_solvent),
                pieces["pores_m3"],
                pieces["solvent_part"],
                part,
                given,
                per_bath,
            )
            released = per_bath.tolist()
            pieces["solvent_part"] = part
            pieces["mass_kg"][:, SOLVENT] -= given * self.oil_kg_m3
            pieces["extractant_kg"] = pieces["pores_m3"] * (1.0 - part) * self.liquid.density_kg_m3
            pieces["wash_s"] += dt_s
            out = place >= baths.count * baths.path_m
            gone = int(out.sum())
            pieces["travelled_m"] = np.where(out, place - baths.count * baths.path_m, place)
            pieces["temperature_k"] = bath_k
        flow = min(max(self.commands.flow_m3_s, 0.0), 10.0 * baths.flow_m3_s) * self.disturbances.flow_scale
        fresh = min(baths.fresh_solvent_fraction + self.disturbances.fresh_solvent_fraction, 1.0)
        flowed = flow_through(state.bath_solvent, baths.volume_m3, flow, fresh, released, dt_s)
        state.bath_solvent = flowed.solvent
        state.washed_off_kg += flowed.overflow_m3 * self.oil_kg_m3
        state.brought_kg += flowed.fresh_m3 * self.oil_kg_m3
        if not gone:
            return no_pieces()
        washed = pieces[:gone]
        self._keep_from(gone)
        return washed

    def _dry(self, dt_s: float, speed_m_s: float) -> Pieces:
        """Extractant evaporates, vapour is exhausted; returns the pieces that leave the dryer."""
        state, dryer, pieces = self.state, self.definition.dryer, self.state.drying
        hot = self.commands.heat and not state.tripped
        wanted = max(self.commands.air_k, REFERENCE_K) + self.disturbances.air_offset_k if hot else REFERENCE_K
        state.air_k, air_k = lagged(state.air_k, wanted, dt_s, dryer.air_lag_s)
        gone, steam_kg = 0, 0.0
        if len(pieces):
            place = pieces["travelled_m"] + speed_m_s * dt_s
            pieces["dryer_s"] += dt_s
            steam_kg = self._evaporate(pieces, dt_s, air_k)
            out = place >= dryer.path_m
            gone = int(out.sum())
            pieces["travelled_m"] = np.where(out, place - dryer.path_m, place)
        air_flow = dryer.air_flow_m3_s * self.disturbances.exhaust_scale
        state.vapour_kg_m3, exhausted = vapour_after(state.vapour_kg_m3, steam_kg, air_flow, dryer.volume_m3, dt_s)
        state.exhausted_kg += exhausted
        if state.vapour_kg_m3 > 0.0:
            lel, limits = self.lel_fraction, self.definition.interlock
            if lel > limits.trip_fraction:
                state.tripped = True
            elif state.tripped and self.commands.acknowledge and lel < limits.warning_fraction:
                state.tripped = False
        leaving, state.drying = pieces[:gone], pieces[gone:]
        for i in range(gone):
            self._collapse(leaving[i : i + 1])
        return leaving

    def _evaporate(self, pieces: Pieces, dt_s: float, air_k: float) -> float:
        """Extractant [kg] that leaves all pieces."""
        wet = np.flatnonzero(pieces["extractant_kg"] > 0.0)
        if not wet.size:
            return 0.0
        at = self._wet_bulb(round(air_k / AIR_STEP_K), round(self.state.vapour_kg_m3 / VAPOUR_STEP_KG_M3))
        critical = self.definition.sheet.evaporation_critical_fraction
        steam_kg = 0.0
        for i in wet.tolist():
            piece = pieces[i]
            held, area = float(piece["extractant_kg"]), float(piece["length_m"] * piece["width_m"])
            filled = float(piece["pores_m3"]) * self.liquid.density_kg_m3
            left = held - evaporated(held, filled, 2.0 * area * at.flux_kg_m2s, critical, dt_s)
            if left < SMALLEST * filled:
                left = 0.0
            if held > critical * filled:
                piece["wet_k"] = at.temperature_k
            piece["extractant_kg"] = left
            steam_kg += held - left
        return steam_kg

    def _collapse(self, piece: Pieces) -> None:
        """One piece, shape (1,), as it comes out of the dryer: its pores have pulled together."""
        mass = piece["mass_kg"][0]
        solids_m3 = float(mass[POLYOLEFIN] + mass[ELASTOMER]) / self.resin_kg_m3
        pores_m3 = float(piece["pores_m3"][0])
        polymer = solids_m3 / (solids_m3 + pores_m3)
        solvent = pores_m3 / (solids_m3 + pores_m3) * float(piece["solvent_part"][0])
        area_ratio = max(float(piece["ratio_md"][0] * piece["ratio_td"][0]), 1.0)
        wet_k = float(piece["wet_k"][0]) or self.state.bath_k
        dry = collapsed(self.definition, self.liquid.surface_tension_n_m(wet_k), polymer, solvent, area_ratio)
        piece["dry_ratio"] = dry.thickness_ratio
        piece["thickness_m"] *= dry.thickness_ratio
        piece["porosity"] = dry.porosity
        piece["temperature_k"] = REFERENCE_K
        # what solvent lowered, its loss gives back: the melting point of the resin, and the modulus of more solid
        material = self.material
        piece["stiffness"] *= ((1.0 - dry.porosity) / polymer) ** 2
        piece["melting_shift_k"] = material.flory.lamella_melting_point_c + KELVIN - material.gel_melting_point_k
        piece["modulus_factor"] = modulus_factors(material, piece["temperature_k"], piece["melting_shift_k"])


@njit(cache=True, error_model="numpy")
def _soak(
    place: Floats,
    given_way: Floats,
    fourier_per_s: Floats,
    rate: Floats,
    share: Floats,
    amplitude: Floats,
    baths: Floats,
    pores: Floats,
    before: Floats,
    part: Floats,
    given: Floats,
    per_bath: Floats,
) -> None:
    """`extraction.soak` for pieces each in the bath that it is in at the middle of the step.

    Fills the part of solvent left in each piece, the volume that it gave, and that which each bath got.
    """
    half_way, path_m, fourier_s = given_way
    for i in range(place.size):
        bath = min(int((place[i] + half_way) / path_m), baths.size - 1)
        fourier = fourier_per_s[i] * fourier_s
        total = 0.0
        for k in range(MODES):
            goal = share[i, k] * baths[bath]
            amplitude[i, k] = goal + (amplitude[i, k] - goal) * math.exp(-rate[i, k] * fourier)
            total += amplitude[i, k]
        part[i] = total
        given[i] = pores[i] * (before[i] - total)
        per_bath[bath] += given[i]
