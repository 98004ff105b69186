"""The line around a press: what makes its sheet, and what makes film of it.

A line is stepped once per period of virtual time. It reads the press (parcels drawn in, parcels on the table) and tells
it what sheet there is at its entry; the press runs between the steps as it always does. All state stands in one tree
(`LineState`), which is part of the state of a world.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emulator.line.accumulating import AccumulatorState, Store
from emulator.line.bridge import Bridge, BridgeState
from emulator.line.casting import Caster, CasterState
from emulator.line.definition import COMPONENTS, Extruder
from emulator.line.ended import CHUNK, since
from emulator.line.film.sampling import measured, properties
from emulator.line.heat_treatment import ElastomerName
from emulator.line.kneading import Kneader, KneaderState, empty
from emulator.line.plan import LinePlan
from emulator.line.sheet import PIECE, Pieces
from emulator.line.tail import Tail, TailState
from emulator.line.winding import cured
from emulator.material.definition import Material
from emulator.press.commands import Commands
from emulator.press.press import Press

__all__ = ["PERIOD_NS", "Balance", "Line", "LineState", "check"]

Floats = NDArray[np.float64]
PERIOD_NS: Final = 1_000_000_000
LONGEST_NS: Final = 2**62
MOST_PIECES: Final = 100_000
SOLVENT: Final = COMPONENTS.index("solvent")


@dataclass(slots=True)
class LineState:
    """All that makes the future of a line but for its press.

    Attributes:
        next_ns: when it is stepped next.
        begun_kg: what was in it at the start, by component, shape (4,).
    """

    kneader: KneaderState
    next_ns: int = PERIOD_NS
    caster: CasterState = field(default_factory=CasterState)
    store: AccumulatorState = field(default_factory=AccumulatorState)
    bridge: BridgeState = field(default_factory=BridgeState)
    tail: TailState = field(default_factory=TailState)
    begun_kg: NDArray[np.float64] = field(default_factory=lambda: np.zeros(len(COMPONENTS)))


def at_rest(extruder: Extruder) -> LineState:
    """A line that is cold and empty."""
    return LineState(empty(extruder))


@dataclass(frozen=True, slots=True)
class Balance:
    """Masses by component since the start, in the order of `COMPONENTS`, each shape (4,); kg.

    What came in is in the line or has left it: `brought = held + left` but for rounding.
    """

    brought: Floats
    held: Floats
    left: Floats

    @property
    def error(self) -> Floats:
        """What does not close, as part of what came in; 0 where nothing did."""
        missing = np.abs(self.brought - self.held - self.left)
        return np.asarray(np.divide(missing, self.brought, np.zeros(len(missing)), where=self.brought > 0.0))


class Line:
    """The stations around a press.

    Args:
        plan: the line's numbers.
        material: the gel of the press.
        elastomer: whether it has double bonds.
        seed: of the world.
        state: where it stands; cold and empty without one.
    """

    def __init__(
        self,
        plan: LinePlan,
        material: Material,
        elastomer: ElastomerName,
        seed: int = 0,
        state: LineState | None = None,
    ) -> None:
        self.plan = plan
        self.material = material
        self.elastomer: ElastomerName = elastomer
        self.seed = seed
        fresh = state is None
        self.state = state = state or at_rest(plan.extruder)
        self.kneader = Kneader(plan.extruder, seed, state.kneader)
        self.caster = Caster(plan.casting, material, plan.extruder.die.width_mm * 1e-3, state.caster)
        self.store = Store(plan.casting.accumulator, state.store)
        self.bridge = Bridge(material, state.bridge)
        self.tail = Tail(plan, material, elastomer, state.tail)
        if fresh:
            state.begun_kg = self.held_kg

    def with_state(self, state: LineState, seed: int | None = None) -> Line:
        """Another line of this kind around a state, which becomes its own."""
        return Line(self.plan, self.material, self.elastomer, self.seed if seed is None else seed, state)

    # -- a step --------------------------------------------------------------------------------------

    def step(self, dt_s: float, press: Press, commands: Commands, end_ns: int) -> None:
        """Go on by dt to `end_ns`, up to which the press has run.

        Args:
            dt_s: step, s.
            press: the press.
            commands: of the press, of which the line sets what is fed.
            end_ns: time.
        """
        self._cast(dt_s, end_ns)
        self.bridge.draw(press, self.store, end_ns)
        self.bridge.feed(self.store.front, commands)
        self.tail.step(dt_s, self.bridge.collect(press, dt_s, end_ns), end_ns)

    def _cast(self, dt_s: float, end_ns: int) -> None:
        """Sheet is made, and comes to the store before the press."""
        trim = 0.0
        if not self.store.state.broken:
            trim = -self.plan.dancer.trim(self.store.stored_m, self.plan.casting.accumulator.start_m)
        sheet = self.caster.step(dt_s, self.kneader.step(dt_s), end_ns, trim if self.caster.commands.follow else 0.0)
        if self.caster.commands.thread and self.store.state.broken:
            self.store.thread()
        self.store.fill(dt_s, sheet)
        for piece in self.store.scrapped:
            self.tail.scrap(piece, end_ns)

    # -- truth ---------------------------------------------------------------------------------------

    def signals(self) -> dict[str, float]:
        """What perfect instruments would read, SI units, by station."""
        found: dict[str, float] = {}
        for name in ("kneader", "caster", "store"):
            found |= {f"{name}.{key}": value for key, value in getattr(self, name).signals().items()}
        return found | self.tail.signals()

    def ended(self, number: int = 0) -> Pieces:
        """Pieces that are film or scrap by now, from number `number` on, as far as they are kept."""
        return since(self.state.tail.ended, number)

    def film(self, piece: np.void) -> dict[str, float]:
        """What a piece that was wound is by now, by the names of `film.sampling.PROPERTIES`."""
        return properties(self.plan.film, piece, self.conversion(piece))

    def conversion(self, piece: np.void) -> float:
        """Of a piece that was wound: how much of its elastomer has reacted by now, 0 … 1."""
        return cured(float(piece["conversion"]), self.tail.winder.roll(int(piece["roll"])))

    def sample(self, piece: np.void) -> dict[str, float]:
        """The same as the laboratory measures it."""
        return measured(self.plan.film, self.film(piece), int(piece["serial"]), self.seed)

    @property
    def held_kg(self) -> Floats:
        """In the line by component, its press and its baths included, shape (4,)."""
        held: Floats = self.kneader.held_kg + self.caster.held_kg + self.bridge.held_kg + self.tail.held_kg
        held = held + self.state.store.pieces["mass_kg"].sum(axis=0)
        held[SOLVENT] += self.tail.desolvator.baths_kg
        return held

    def balance(self) -> Balance:
        """What came, what is there, what has left."""
        state, washed = self.state, self.state.tail.desolvator
        brought = state.begun_kg + state.kneader.fed_kg
        brought[SOLVENT] += washed.brought_kg
        left = state.kneader.spilt_kg + state.caster.spilt_kg + state.tail.scrapped_kg + state.tail.wound_kg
        left[SOLVENT] += washed.washed_off_kg
        return Balance(brought, self.held_kg, left)


def check(state: LineState) -> None:
    """Whether a state that came from elsewhere can be one of a line.

    Raises:
        ValueError: it cannot; says why.
    """
    tail = state.tail
    washing = tail.desolvator
    for chunk in (*tail.ended.full, tail.ended.recent):
        if chunk.dtype != PIECE or chunk.ndim != 1 or len(chunk) > CHUNK:
            raise ValueError("the record of pieces holds something else")
    if {len(chunk) for chunk in tail.ended.full} - {CHUNK} or tail.ended.count < 0:
        raise ValueError("the record of pieces has lost some")
    count = len(washing.pieces)
    for modes in (washing.fourier_per_s, washing.rate, washing.part, washing.amplitude):
        if len(modes) != count:
            raise ValueError("sheet in the baths and its solvent do not belong together")
    for pieces in (
        state.caster.cooling,
        state.store.pieces,
        state.bridge.pieces,
        tail.loop.pieces,
        tail.stretcher.pieces,
        washing.pieces,
        washing.drying,
        tail.heat_setter.pieces,
    ):
        sizes = (pieces["thickness_m"], pieces["length_m"], pieces["width_m"])
        if len(pieces) > MOST_PIECES or any(len(size) and not 0.0 < size.min() <= size.max() < 1e3 for size in sizes):
            raise ValueError("there is sheet in the line that cannot be")
    for station in (
        state.kneader,
        state.caster,
        state.store,
        tail.loop,
        tail.stretcher,
        washing,
        tail.heat_setter,
        tail.winder,
    ):
        station.disturbances.check()
    if not 0 <= state.next_ns < LONGEST_NS or state.next_ns % PERIOD_NS:
        raise ValueError("the line is due when it cannot be")
