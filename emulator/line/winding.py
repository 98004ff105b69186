"""The winder, the rolls it makes, and the room in which they stand in hot air until their elastomer has crosslinked.

What all pieces of a roll go through in the curing room is the same, so a roll keeps one exposure, the integral of the
rate of crosslinking: a piece whose conversion was a when it was wound has 1 - (1 - a) exp(-exposure).
docs/model.md, heat treatment.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, Literal

from emulator.inputs import Inputs, Number, Switch
from emulator.line.heat_treatment import AIR_OXYGEN, ElastomerName, HeatTreatment, crosslinking_rate
from emulator.line.lag import lagged
from emulator.line.plan import Winder as WinderDefinition
from emulator.line.sheet import Pieces
from emulator.material.constants import REFERENCE_K
from emulator.units import KELVIN

__all__ = ["KEPT", "Roll", "RollState", "Winder", "WinderCommands", "WinderDisturbances", "WinderState", "cured"]

RollState = Literal["winding", "waiting", "curing", "finished"]
KEPT: Final = 256
"""Rolls that the winder remembers, the newest."""


class WinderCommands(Inputs):
    """What winder and curing room are told."""

    __slots__ = ()
    COUNT = 5

    roll_length_m = Number(0)
    """Of film, at which a roll is full; 0 takes that of the definition."""
    doff = Switch(1)
    """Takes the roll off at once; taken away before the next."""
    cure_k = Number(2, neutral=REFERENCE_K)
    cure_s = Number(3)
    """How long a roll stands in the room; 0: rolls do not go there."""
    heat = Switch(4)


class WinderDisturbances(Inputs):
    """Things that go wrong, as physical quantities."""

    __slots__ = ()
    COUNT = 2

    cure_offset_k = Number(0, within=(-60.0, 60.0), unit="K")
    cure_oxygen_fraction = Number(1, neutral=AIR_OXYGEN, within=(0.0, 1.0))


@dataclass(slots=True)
class Roll:
    """A roll of film.

    Attributes:
        number: counted from 1.
        begun_ns, ended_ns: when its first and last piece came; `ended_ns` is 0 while it is being wound.
        length_m: of film on it.
        pieces: on it.
        stage: what is being done with it.
        exposure: integral of the rate of crosslinking in the curing room.
        cured_s: time there.
    """

    number: int
    begun_ns: int
    ended_ns: int = 0
    length_m: float = 0.0
    pieces: int = 0
    stage: RollState = "winding"
    exposure: float = 0.0
    cured_s: float = 0.0


@dataclass(slots=True)
class WinderState:
    """All that makes the future of winder and curing room.

    Attributes:
        rolls: the newest last; that which is being wound is the last, if it is `winding`.
        count: rolls begun.
        room_k: air of the curing room.
        doffed: the command to doff has been heard.
    """

    commands: WinderCommands = field(default_factory=WinderCommands)
    disturbances: WinderDisturbances = field(default_factory=WinderDisturbances)
    rolls: list[Roll] = field(default_factory=list)
    count: int = 0
    room_k: float = REFERENCE_K
    doffed: bool = False


class Winder:
    """Winder and curing room of a line.

    Args:
        definition: numbers of the winder.
        heat_treatment: numbers of the curing room.
        elastomer: whether it has double bonds.
        state: where they stand; cold and empty without one.
    """

    def __init__(
        self,
        definition: WinderDefinition,
        heat_treatment: HeatTreatment,
        elastomer: ElastomerName,
        state: WinderState | None = None,
    ) -> None:
        self.definition = definition
        self.heat_treatment = heat_treatment
        self.elastomer = elastomer
        self.state = state or WinderState()
        self.commands, self.disturbances = self.state.commands, self.state.disturbances

    @property
    def winding(self) -> Roll | None:
        """The roll that is being wound."""
        rolls = self.state.rolls
        return rolls[-1] if rolls and rolls[-1].stage == "winding" else None

    def roll(self, number: int) -> Roll | None:
        """The roll of this number; None if there is none, or it is forgotten."""
        place = number - self.state.count - 1 + len(self.state.rolls)
        return self.state.rolls[place] if 0 <= place < len(self.state.rolls) else None

    def signals(self) -> dict[str, float]:
        """What perfect instruments would read, SI units."""
        roll = self.winding
        return {
            "roll": float(roll.number) if roll else 0.0,
            "roll_length_m": roll.length_m if roll else 0.0,
            "rolls_curing": float(sum(roll.stage == "curing" for roll in self.state.rolls)),
            "cure_room_k": self.state.room_k,
        }

    def step(self, dt_s: float, arriving: Pieces, end_ns: int) -> None:
        """Go on by dt to `end_ns`; the pieces that come are wound, and know where."""
        self._cure(dt_s)
        for i in range(len(arriving)):
            piece = arriving[i]
            roll = self.winding or self._begin(end_ns)
            piece["roll"], piece["roll_m"], piece["end_ns"] = roll.number, roll.length_m, end_ns
            roll.length_m += float(piece["length_m"])
            roll.pieces += 1
            if roll.length_m >= (self.commands.roll_length_m or self.definition.roll_length_m):
                self._doff(end_ns)
        if not self.commands.doff:
            self.state.doffed = False
        elif not self.state.doffed:
            self.state.doffed = True
            self._doff(end_ns)

    def _begin(self, now_ns: int) -> Roll:
        self.state.count += 1
        self.state.rolls = [*self.state.rolls[1 - KEPT :], Roll(self.state.count, now_ns)]
        return self.state.rolls[-1]

    def _doff(self, now_ns: int) -> None:
        roll = self.winding
        if roll is not None:
            roll.ended_ns = now_ns
            roll.stage = "waiting" if self.commands.cure_s > 0.0 else "finished"

    def _cure(self, dt_s: float) -> None:
        state, room = self.state, self.heat_treatment.curing
        wanted = REFERENCE_K
        if self.commands.heat:
            wanted = min(max(self.commands.cure_k, REFERENCE_K), room.hottest_c + KELVIN)
            wanted += self.disturbances.cure_offset_k
        state.room_k, room_k = lagged(state.room_k, wanted, dt_s, room.air_lag_s)
        inside = [roll for roll in state.rolls if roll.stage == "curing"]
        if inside:
            oxygen = self.disturbances.cure_oxygen_fraction
            rate = crosslinking_rate(self.heat_treatment, self.elastomer, room_k, oxygen)
            for roll in inside:
                stay = min(dt_s, max(self.commands.cure_s - roll.cured_s, 0.0))
                roll.exposure += rate * stay
                roll.cured_s += stay
                if roll.cured_s >= self.commands.cure_s:
                    roll.stage = "finished"
        room_for = room.rolls - len(inside)
        for roll in state.rolls:
            if roll.stage == "waiting" and room_for > 0:
                roll.stage = "curing"
                room_for -= 1


def cured(conversion: float, roll: Roll | None) -> float:
    """Conversion of a piece that had so much when it was wound, with what the roll has been through since."""
    return conversion if roll is None else conversion - (1.0 - conversion) * math.expm1(-roll.exposure)
