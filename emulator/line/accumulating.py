"""The accumulator: a store of sheet between the haul-off and the press, whose speeds are never quite the same.

A dancer takes up what comes and gives what is drawn. Near its empty end a spring raises the web's tension, and a web
that is pulled too hard breaks; at its full end there is no place for more. docs/model.md, accumulator.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from emulator.inputs import Inputs, Number
from emulator.line.definition import Accumulator
from emulator.line.sheet import Pieces, Scrap, joined, no_pieces
from emulator.units import KELVIN

__all__ = ["AccumulatorDisturbances", "AccumulatorState", "Break", "Store"]

Break = Literal["", "tension", "overfull", "end"]
"""Why there is no web: it has torn, the store was full and it was cut, or the sheet has come to its end."""
SPRING = 4.0
"""Tension at the empty end over the ordinary one, less one."""
ROUNDING = 1e-9
"""Part of a piece by which lengths that are drawn may miss its end."""
HEAT_CAPACITY_J_M3K = 1.66e6
"""Of the gel around 25 °C: 877 kg/m3 x 1890 J/(kg K) [C]."""


class AccumulatorDisturbances(Inputs):
    """Things that go wrong, as physical quantities."""

    __slots__ = ()
    COUNT = 2

    tension_scale = Number(0, neutral=1.0, within=(0.0, 20.0))
    """A dancer that jams pulls harder."""
    strength_scale = Number(1, neutral=1.0, within=(0.0, 2.0))
    """Holes and nicks."""


@dataclass(slots=True)
class AccumulatorState:
    """All that makes the accumulator's future.

    Attributes:
        pieces: in the store, the oldest first; the press draws from the front.
        drawn_m: of the front piece.
        broken: why there is no web; empty while there is.
        scrapped_kg: sheet that found no place, by component, shape (4,).
        splice_next: the next piece that comes holds a joint.
    """

    pieces: Pieces = field(default_factory=no_pieces)
    drawn_m: float = 0.0
    broken: Break = "end"
    scrapped_kg: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = field(default_factory=lambda: np.zeros(4))
    splice_next: bool = False
    disturbances: AccumulatorDisturbances = field(default_factory=AccumulatorDisturbances)


class Store:
    """The accumulator of a line.

    Args:
        definition: its numbers.
        state: where it stands; empty and without a web otherwise.
    """

    def __init__(self, definition: Accumulator, state: AccumulatorState | None = None) -> None:
        self.definition = definition
        self.state = state or AccumulatorState()
        self.disturbances = self.state.disturbances
        self._measured: Pieces | None = None
        self._length_m = 0.0
        self.scrapped: list[Pieces] = []
        """Pieces that found no place in the step that was taken last."""

    @property
    def stored_m(self) -> float:
        """Length of web in the store."""
        pieces = self.state.pieces
        if pieces is not self._measured:
            self._measured, self._length_m = pieces, float(pieces["length_m"].sum())
        return self._length_m - self.state.drawn_m

    def signals(self) -> dict[str, float]:
        """What perfect instruments would read, SI units."""
        return {"stored_m": self.stored_m, "tension_n": self.tension_n, "broken": float(self.state.broken != "")}

    @property
    def tension_n(self) -> float:
        """Of the web; 0 without one."""
        if self.state.broken:
            return 0.0
        zone = self.definition.end_zone_m
        stored = self.stored_m
        missing = min(max((zone - stored) / zone, 0.0), 1.0)
        surplus = min(max((stored - self.definition.capacity_m + zone) / zone, 0.0), 1.0)
        tension = self.definition.tension_n * (1.0 + SPRING * missing - 0.9 * surplus)
        return tension * self.disturbances.tension_scale

    @property
    def front(self) -> np.void | None:
        """The piece that the press draws in next; None without a web to draw."""
        return self.state.pieces[0] if len(self.state.pieces) and not self.state.broken else None

    def cut(self) -> None:
        """People cut the web behind the store; what comes finds no place until it is threaded."""
        self.state.broken = self.state.broken or "end"

    def thread(self) -> None:
        """People lead the web's new end through the store and join it to what is there."""
        if self.state.broken:
            self.state.splice_next = len(self.state.pieces) > 0
            self.state.broken = ""

    def step(self, dt_s: float, arriving: Pieces, draws_m: float) -> Pieces:
        """Go on by dt: pieces come from the haul-off, the press draws.

        Args:
            dt_s: s.
            arriving: pieces, shape (n,).
            draws_m: length that the press draws; it gets no more than there is.

        Returns:
            Pieces that the press has drawn in entirely.
        """
        self.fill(dt_s, arriving)
        return self.draw(draws_m)

    def fill(self, dt_s: float, arriving: Pieces) -> None:
        """The first half of a step: pieces come, and all are in the air for dt."""
        self._take_in(arriving)
        self._air(dt_s)

    def draw(self, draws_m: float) -> Pieces:
        """The second half: the press, or whatever comes next, draws; returns what it has drawn in entirely."""
        drawn = self._give(draws_m)
        self._test_web()
        return drawn

    def _take_in(self, arriving: Pieces) -> None:
        state = self.state
        self.scrapped = []
        for piece in arriving:
            if state.broken or self.stored_m + float(piece["length_m"]) > self.definition.capacity_m:
                state.scrapped_kg += piece["mass_kg"]
                piece["scrap"] = Scrap.NO_WEB if state.broken else Scrap.OVERFULL
                self.scrapped.append(np.atleast_1d(piece))
                state.broken = state.broken or "overfull"
                continue
            if state.splice_next:
                piece["splice"], state.splice_next = 1, False
            state.pieces = joined(state.pieces, np.atleast_1d(piece))

    def _air(self, dt_s: float) -> None:
        pieces, definition = self.state.pieces, self.definition
        if len(pieces):
            rate = 2.0 * definition.air_conductance_w_m2k / (HEAT_CAPACITY_J_M3K * pieces["thickness_m"])
            ambient_k = definition.ambient_c + KELVIN
            pieces["temperature_k"] = ambient_k + (pieces["temperature_k"] - ambient_k) * np.exp(-dt_s * rate)

    def _give(self, draws_m: float) -> Pieces:
        state = self.state
        if state.broken or draws_m <= 0.0:
            return no_pieces()
        state.drawn_m += draws_m
        count = 0
        for length in state.pieces["length_m"].tolist():
            if state.drawn_m < length * (1.0 - ROUNDING):
                break
            state.drawn_m = max(state.drawn_m - length, 0.0)
            count += 1
        drawn, state.pieces = state.pieces[:count], state.pieces[count:]
        if count:
            # how far the end of each has gone on
            drawn["travelled_m"] = state.drawn_m + np.append(np.cumsum(drawn["length_m"][:0:-1])[::-1], 0.0)
        if not len(state.pieces):
            state.drawn_m, state.broken = 0.0, "end"
        return drawn

    def _test_web(self) -> None:
        """The thinnest piece of the store carries the tension."""
        state = self.state
        if state.broken or not len(state.pieces):
            return
        section_m2 = float((state.pieces["thickness_m"] * state.pieces["width_m"]).min())
        strength_pa = self.definition.strength_kpa * 1e3 * self.disturbances.strength_scale
        if self.tension_n > strength_pa * section_m2 or math.isclose(self.stored_m, 0.0, abs_tol=1e-9):
            state.broken = "tension"
