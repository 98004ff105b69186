"""Casting: the haul-off draws the melt from the die over chill rolls and through a bath, and it becomes gel.

The sheet is as thick as mass flow, width and haul-off speed make it. It cools as a plate with a resistance on both
faces; a line that stands still cools on. Composition sets the melting point of the gel and its stiffness (Flory, square
of the solids), the quench moves both a little. docs/model.md, casting.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from emulator.inputs import Inputs, Number, Switch
from emulator.line.definition import Casting
from emulator.line.kneading import ELASTOMER, POLYOLEFIN, SOLVENT, Melted
from emulator.line.plate import mean_excess
from emulator.line.sheet import PIECE, Pieces, joined, no_pieces, thickness_m
from emulator.material.definition import Material
from emulator.units import KELVIN

__all__ = ["Caster", "CasterCommands", "CasterDisturbances", "CasterState", "gel_density_kg_m3"]

PIECE_LENGTH_M = 0.1
DIFFUSIVITY_M2_S = 8.0e-8
"""Of the gel on its way through the melting peak: k 0.16 W/(m K) over 2.0e6 J/(m3 K) with the peak spread out [C]."""
CONDUCTIVITY_W_MK = 0.16


class CasterCommands(Inputs):
    """What the casting unit is told."""

    __slots__ = ()
    COUNT = 5

    speed_m_s = Number(0)
    """Set point of the haul-off."""
    coolant_k = Number(1, neutral=298.15)
    run = Switch(2)
    follow = Switch(3)
    """The dancer of the accumulator trims the haul-off."""
    thread = Switch(4)
    """People lead a broken web through the accumulator."""


class CasterDisturbances(Inputs):
    """Things that go wrong, as physical quantities."""

    __slots__ = ()
    COUNT = 3

    coolant_offset_k = Number(0, within=(-20.0, 60.0), unit="K")
    conductance_scale = Number(1, neutral=1.0, within=(0.02, 2.0))
    """Vapour or air between sheet and roll."""
    die_lip_cv = Number(2, neutral=0.01, within=(0.0, 0.3))
    """Uneven lips: standard deviation of the thickness across the width over the mean."""


@dataclass(slots=True)
class CasterState:
    """All that makes the casting unit's future.

    Attributes:
        speed_m_s: of the haul-off.
        coolant_k: temperature of rolls and bath.
        forming: the piece that is leaving the die, shape (1,).
        cooling: pieces in the cooling section, the oldest first.
        serials: pieces begun.
        lot: of raw material that is being used.
        spilt_kg: melt that found no sheet to join, by component.
    """

    commands: CasterCommands = field(default_factory=CasterCommands)
    disturbances: CasterDisturbances = field(default_factory=CasterDisturbances)

    speed_m_s: float = 0.0
    coolant_k: float = 298.15
    forming: Pieces = field(default_factory=lambda: np.zeros(1, PIECE))
    cooling: Pieces = field(default_factory=no_pieces)
    serials: int = 0
    lot: int = 1
    spilt_kg: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = field(default_factory=lambda: np.zeros(4))


def gel_density_kg_m3(solids_fraction: float, material: Material) -> float:
    """Of gel with this solids fraction at 25 °C: resin and oil side by side."""
    flory = material.flory
    return 1.0 / (solids_fraction / flory.polymer_density_kg_m3 + (1.0 - solids_fraction) / flory.oil_density_kg_m3)


class Caster:
    """The casting unit of a line.

    Args:
        definition: its numbers.
        material: the gel's data, from which composition and quench deviate.
        die_width_m: width of the slit.
        state: where it stands; nothing in it without one.
    """

    def __init__(
        self, definition: Casting, material: Material, die_width_m: float, state: CasterState | None = None
    ) -> None:
        self.definition = definition
        self.material = material
        self.width_m = die_width_m * (1.0 - definition.structure.neck_in_fraction)
        self.state = state or CasterState()
        self.commands, self.disturbances = self.state.commands, self.state.disturbances

    @property
    def held_kg(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """Sheet on rolls and in the bath by component, shape (4,)."""
        held: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = self.state.cooling["mass_kg"].sum(axis=0)
        held += self.state.forming["mass_kg"][0]
        return held

    def signals(self) -> dict[str, float]:
        """What perfect instruments would read, SI units."""
        state = self.state
        return {"speed_m_s": state.speed_m_s, "coolant_k": state.coolant_k, "pieces": float(len(state.cooling))}

    def step(self, dt_s: float, melted: Melted, end_ns: int, trim: float = 0.0) -> Pieces:
        """Go on by dt to `end_ns`, the haul-off faster by a part than it is told; returns the pieces that leave."""
        state, commands = self.state, self.commands
        haul_off = self.definition.haul_off
        target = (
            min(max(commands.speed_m_s * (1.0 + trim), 0.0), haul_off.fastest_m_min / 60.0) if commands.run else 0.0
        )
        moved = -math.expm1(-dt_s / haul_off.speed_lag_s)
        travel_m = (target * dt_s) + (state.speed_m_s - target) * moved * haul_off.speed_lag_s
        state.speed_m_s += (target - state.speed_m_s) * moved
        if state.speed_m_s < 1e-6:
            state.speed_m_s = 0.0
        self._cool(dt_s, travel_m)
        self._cast(travel_m, melted, dt_s, end_ns)
        if not len(state.cooling):
            return no_pieces()
        out = state.cooling["travelled_m"] >= self.definition.cooling.contact_length_m
        count = int(np.argmin(out)) if not out.all() else len(out)
        leaving, state.cooling = state.cooling[:count], state.cooling[count:]
        for piece in leaving:
            self._set(piece)
        return leaving

    def _cool(self, dt_s: float, travel_m: float) -> None:
        """Rolls and bath follow their set point; what is in them goes on and gets colder."""
        state, cooling = self.state, self.definition.cooling
        wanted_k = min(
            max(self.commands.coolant_k, cooling.lowest_coolant_c + KELVIN), cooling.highest_coolant_c + KELVIN
        )
        wanted_k += self.disturbances.coolant_offset_k
        state.coolant_k += (wanted_k - state.coolant_k) * -math.expm1(-dt_s / cooling.coolant_lag_s)
        if len(state.cooling):
            half_m = 0.5 * state.cooling["thickness_m"]
            state.cooling["cooled"] += DIFFUSIVITY_M2_S * dt_s / half_m**2
            state.cooling["travelled_m"] += travel_m

    def _cast(self, travel_m: float, melted: Melted, dt_s: float, end_ns: int) -> None:
        """Sheet of this length leaves the die with the mass that came; whole pieces go on."""
        state = self.state
        if travel_m <= 0.0 or float(melted.mass_kg.sum()) <= 0.0:
            state.spilt_kg += melted.mass_kg  # no haul-off: it drops to the floor
            return
        left_m = travel_m
        while left_m > 0.0:
            forming = state.forming[0]
            if forming["length_m"] == 0.0:
                forming["serial"], forming["lot"] = state.serials, state.lot
                forming["die_ns"] = end_ns - int(1e9 * dt_s * left_m / travel_m)
                forming["width_m"] = self.width_m
                state.serials += 1
            part_m = min(PIECE_LENGTH_M - float(forming["length_m"]), left_m)
            share, before_m = part_m / travel_m, float(forming["length_m"])
            forming["mass_kg"] += melted.mass_kg * share
            after_m = before_m + part_m
            for name, value in (("mixing", melted.mixing), ("melt_k", melted.temperature_k)):
                forming[name] = (forming[name] * before_m + value * part_m) / after_m
            forming["thickness_cv"] = self.disturbances.die_lip_cv
            forming["length_m"] = after_m
            left_m -= part_m
            if after_m > PIECE_LENGTH_M * (1.0 - 1e-9):
                self._finish(left_m)

    def _finish(self, gone_m: float) -> None:
        """The piece at the die is whole: it has been drawn on by `gone_m` since."""
        state = self.state
        piece = state.forming[0]
        mass_kg = float(piece["mass_kg"].sum())
        density = gel_density_kg_m3(solids_of(piece), self.material)
        piece["thickness_m"] = thickness_m(mass_kg, density, float(piece["width_m"]), float(piece["length_m"]))
        piece["temperature_k"] = piece["melt_k"]
        piece["travelled_m"] = gone_m
        state.cooling = joined(state.cooling, state.forming)
        state.forming = np.zeros(1, PIECE)

    def _set(self, piece: np.void) -> None:
        """What the sheet is when it has been through the cold: temperature, melting point, stiffness."""
        structure, material = self.definition.structure, self.material
        conductance = self.definition.cooling.conductance_w_m2k * self.disturbances.conductance_scale
        biot = conductance * 0.5 * float(piece["thickness_m"]) / CONDUCTIVITY_W_MK
        excess = mean_excess(float(piece["cooled"]), biot)
        piece["temperature_k"] = self.state.coolant_k + (float(piece["melt_k"]) - self.state.coolant_k) * excess
        solids = solids_of(piece)
        ratio = solids / material.composition.solids_fraction
        quench_k = self.state.coolant_k - (structure.reference_quench_c + KELVIN)
        # more resin, wider effect of the quench [S36]
        piece["gel_melting_k"] = (
            material.gel_melting_point_k
            + material.flory.melting_point_k(min(max(solids, 1e-3), 0.999))
            - material.flory.melting_point_k(material.composition.solids_fraction)
            + structure.melting_shift_k_per_k * quench_k * ratio
        )
        piece["modulus_scale"] = ratio * ratio * max(1.0 + structure.modulus_change_per_k * quench_k, 0.1)


def solids_of(piece: np.void) -> float:
    """Solids fraction of a piece: all that is not solvent and not antioxidant."""
    mass = piece["mass_kg"]
    total = float(mass[POLYOLEFIN] + mass[ELASTOMER] + mass[SOLVENT])
    return float(mass[POLYOLEFIN] + mass[ELASTOMER]) / total
