"""Everything behind the press, on one drive: loop, stretcher, desolvation, clip oven, winder.

The drive sets the speed of sheet into its first station; behind the stretcher film is faster by its ratio. A dancer on
the loop trims the drive, and stops it where the loop runs empty. A web that tears or sags stops everything until people
have led it through anew. Stretching and desolvation stand in the order that the plan says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emulator.inputs import Inputs, Number, Switch
from emulator.line.accumulating import AccumulatorState, Store
from emulator.line.definition import COMPONENTS
from emulator.line.desolvation.station import Desolvator, DesolvatorState
from emulator.line.ended import EndedState, add
from emulator.line.heat_setter import HeatSetter, HeatSetterState
from emulator.line.heat_treatment import ElastomerName
from emulator.line.lag import lagged
from emulator.line.plan import LinePlan
from emulator.line.sheet import Pieces, Scrap
from emulator.line.stretcher import Stretcher, StretcherState
from emulator.line.winding import Winder, WinderState
from emulator.material.definition import Material

__all__ = ["Tail", "TailCommands", "TailState"]

Floats = NDArray[np.float64]
Torn = Literal["", "torn", "sagged"]
STANDSTILL_M_S = 1e-6


class TailCommands(Inputs):
    """What the drive behind the press is told, and people at the web."""

    __slots__ = ()
    COUNT = 5

    speed_m_s = Number(0)
    """Of sheet into the first station."""
    run = Switch(1)
    follow = Switch(2)
    """The dancer of the loop trims the drive."""
    thread = Switch(3)
    """People lead a broken web through, in the loop and in the stretcher."""
    cut = Switch(4)
    """People cut the web behind the press: what comes is scrap, and the stations run empty."""


@dataclass(slots=True)
class TailState:
    """All that makes the future of what is behind the press.

    Attributes:
        speed_m_s: of sheet into the first station.
        broken: what happened to the web in the stretcher.
        scrapped_kg, wound_kg: by component since the start, shape (4,).
        ended: the record of pieces.
    """

    commands: TailCommands = field(default_factory=TailCommands)
    speed_m_s: float = 0.0
    broken: Torn = ""
    loop: AccumulatorState = field(default_factory=AccumulatorState)
    stretcher: StretcherState = field(default_factory=StretcherState)
    desolvator: DesolvatorState = field(default_factory=DesolvatorState)
    heat_setter: HeatSetterState = field(default_factory=HeatSetterState)
    winder: WinderState = field(default_factory=WinderState)
    scrapped_kg: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(COMPONENTS)))
    wound_kg: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(COMPONENTS)))
    ended: EndedState = field(default_factory=EndedState)


class Tail:
    """The stations behind the press.

    Args:
        plan: the line.
        material: the gel.
        elastomer: whether it has double bonds.
        state: where they stand; cold and empty without one.
    """

    def __init__(
        self, plan: LinePlan, material: Material, elastomer: ElastomerName, state: TailState | None = None
    ) -> None:
        self.plan = plan
        self.state = state or TailState()
        state = self.state
        self.commands = state.commands
        self.loop = Store(plan.loop, state.loop)
        self.stretcher = Stretcher(plan.stretcher, material, state.stretcher)
        self.desolvator = Desolvator(plan.desolvation, material, plan.extractant, state.desolvator)
        self.heat_setter = HeatSetter(plan.heat_treatment, plan.film, material, elastomer, state.heat_setter)
        self.winder = Winder(plan.winder, plan.heat_treatment, elastomer, state.winder)

    # -- truth ---------------------------------------------------------------------------------------

    @property
    def stopped(self) -> bool:
        """The web may not run: it is broken, or the dryer's interlock has tripped."""
        return self.state.broken != "" or self.state.desolvator.tripped

    @property
    def held_kg(self) -> Floats:
        """In all pieces behind the press, by component, shape (4,)."""
        state = self.state
        held = np.zeros(len(COMPONENTS))
        for pieces in (
            state.loop.pieces,
            state.stretcher.pieces,
            state.desolvator.pieces,
            state.desolvator.drying,
            state.heat_setter.pieces,
        ):
            held += pieces["mass_kg"].sum(axis=0)
        return held

    @property
    def film_speed_m_s(self) -> float:
        """Of the film at the winder."""
        return self.state.speed_m_s * self.stretcher.ratio_md

    def signals(self) -> dict[str, float]:
        """What perfect instruments would read, SI units, by station."""
        found = {
            "drive.speed_m_s": self.state.speed_m_s,
            "drive.film_speed_m_s": self.film_speed_m_s,
            "drive.broken": float(self.state.broken != ""),
        }
        for name in ("loop", "stretcher", "desolvator", "heat_setter", "winder"):
            found |= {f"{name}.{key}": value for key, value in getattr(self, name).signals().items()}
        return found

    # -- a step --------------------------------------------------------------------------------------

    def step(self, dt_s: float, arriving: Pieces, end_ns: int) -> None:
        """Go on by dt to `end_ns`; pieces come from the press."""
        if self.commands.thread:
            self._thread(end_ns)
        if self.commands.cut:
            self.loop.cut()
        self.loop.fill(dt_s, arriving)
        for piece in self.loop.scrapped:
            self.scrap(piece, end_ns)
        v = self._drive(dt_s)
        sheet = self.loop.draw(v * dt_s)
        film_v = v * self.stretcher.ratio_md
        if self.plan.order == "stretch-first":
            drawn = self._whole(self.stretcher.step(dt_s, sheet, v, end_ns), end_ns)
            dry = self.desolvator.step(dt_s, drawn, film_v, end_ns)
        else:
            dry = self.desolvator.step(dt_s, sheet, v, end_ns)
            dry = self._whole(self.stretcher.step(dt_s, dry, v, end_ns), end_ns)
        self._wind(dt_s, self.heat_setter.step(dt_s, dry, film_v, end_ns), end_ns)

    def _drive(self, dt_s: float) -> float:
        """Mean speed over the step."""
        state, commands, loop, drive = self.state, self.commands, self.loop, self.plan.drive
        if self.stopped:
            state.speed_m_s = 0.0
            return 0.0
        wanted = 0.0
        if commands.run:
            wanted = max(commands.speed_m_s, 0.0)
            if not loop.state.broken:
                stored = loop.stored_m
                if commands.follow:
                    wanted *= 1.0 + self.plan.dancer.trim(stored, self.plan.loop.start_m)
                # the dancer at its low end stops the drive before it pulls the web's end out
                wanted *= min(stored / self.plan.loop.end_zone_m, 1.0)
        wanted = min(wanted, drive.fastest_m_min / 60.0)
        state.speed_m_s, mean = lagged(state.speed_m_s, wanted, dt_s, drive.lag_s)
        if state.speed_m_s < STANDSTILL_M_S:
            state.speed_m_s = mean = 0.0
        if not loop.state.broken:  # what is there can be drawn but for a last bit, which keeps the web whole
            mean = min(mean, max(loop.stored_m - 1e-3, 0.0) / dt_s)
        return mean

    def _whole(self, pieces: Pieces, end_ns: int) -> Pieces:
        """Pieces that came out of the stretcher in one piece; the first that did not stops the line."""
        if not len(pieces):
            return pieces
        bad = pieces["scrap"] != Scrap.NO
        if not bad.any():
            return pieces
        self.state.broken = "torn" if pieces["scrap"][bad][0] == Scrap.TORN else "sagged"
        self.scrap(pieces[bad], end_ns)
        whole: Pieces = pieces[~bad]
        return whole

    def _thread(self, end_ns: int) -> None:
        if self.loop.state.broken:
            self.loop.thread()
        if self.state.broken:
            self.scrap(self.stretcher.clear(), end_ns, Scrap.THREADING)
            self.state.broken = ""
            self.state.loop.splice_next = True

    def _wind(self, dt_s: float, film: Pieces, end_ns: int) -> None:
        if len(film):
            filled = film["pores_m3"] * self.desolvator.liquid.density_kg_m3
            wet = film["extractant_kg"] > self.plan.winder.wet_fraction * filled
            if wet.any():
                self.scrap(film[wet], end_ns, Scrap.WET)
                film = film[~wet]
        self.winder.step(dt_s, film, end_ns)
        if len(film):
            self.state.wound_kg += film["mass_kg"].sum(axis=0)
            add(self.state.ended, film)

    def scrap(self, pieces: Pieces, end_ns: int, reason: Scrap | None = None) -> None:
        """Pieces end as scrap; without a reason they say it themselves."""
        if not len(pieces):
            return
        if reason is not None:
            pieces["scrap"] = reason
        pieces["end_ns"] = end_ns
        self.state.scrapped_kg += pieces["mass_kg"].sum(axis=0)
        add(self.state.ended, pieces)
