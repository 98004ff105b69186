"""The rolls of a shift, from what winder and laboratory show: when, how long, of which sheet, and what was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rig.controller.api import FilmSample, QualityRecord, RollRecord, Value
from rig.controller.line.facts import LineFacts
from rig.controller.line.gate import PressPart, judge, press_part
from rig.controller.line.names import LABORATORY
from rig.products import Product

__all__ = ["RollBook", "WoundRoll"]

LAST_LOOK_M = 1.0
"""A roll that was so near to its full length when it was seen last was taken off full."""


@dataclass(slots=True)
class WoundRoll:
    """A roll as it is being followed.

    Attributes:
        number, begun_ns, ended_ns, length_m: as in `RollRecord`.
        cast_m: first and last metre of the sheet in it, as cast.
        pressed_m: the same, as the press counts it.
        lots: of raw material.
        press: what the press's records say of its sheet; None while it is being wound.
        sample: of the laboratory.
    """

    number: int
    begun_ns: int
    cast_m: list[float]
    pressed_m: list[float]
    ended_ns: int = 0
    length_m: float = 0.0
    lots: tuple[int, ...] = ()
    press: PressPart | None = None
    sample: FilmSample | None = None


@dataclass(slots=True)
class RollBook:
    """The rolls of a shift.

    Args:
        product: what they are to be.
        facts: the line.
        full_m: film on a full roll, m.
    """

    product: Product
    facts: LineFacts
    full_m: float
    rolls: dict[int, WoundRoll] = field(default_factory=dict)
    winding: int = 0
    _measured: tuple[float, float] = (0.0, 0.0)

    def wind(
        self,
        values: Mapping[str, Value],
        time_ns: int,
        cast_m: float,
        pressed_m: float,
        records: Sequence[QualityRecord],
    ) -> None:
        """What the winder shows.

        Args:
            values: inputs.
            time_ns: when the winder was sampled.
            cast_m: metre of the sheet, as cast, that is at the winder now.
            pressed_m: the same as the press counts it.
            records: of the press so far.
        """
        number, length_m = int(float(values["winder_roll"])), float(values["winder_roll_length_m"])  # type: ignore[arg-type]
        if number != self.winding:
            if (done := self.rolls.get(self.winding)) is not None:
                done.ended_ns = time_ns
                if done.length_m > self.full_m - LAST_LOOK_M:
                    done.length_m = max(done.length_m, self.full_m)
                done.press = press_part(records, *done.pressed_m)
            self.winding = number
            if number and number not in self.rolls:
                self.rolls[number] = WoundRoll(number, time_ns, [cast_m, cast_m], [pressed_m, pressed_m])
        if (roll := self.rolls.get(number)) is not None:
            roll.length_m = length_m
            roll.cast_m[1], roll.pressed_m[1] = cast_m, pressed_m

    def measure(self, values: Mapping[str, Value], time_ns: int) -> None:
        """What the laboratory shows; a roll that it has measured before is no news."""
        shown = float(values["laboratory_roll"]), float(values["laboratory_serial"])  # type: ignore[arg-type]
        roll = self.rolls.get(int(shown[0]))
        if shown == self._measured or roll is None:
            return
        self._measured = shown
        read = {name: float(values[tag]) for name, tag in LABORATORY.items()}  # type: ignore[arg-type]
        instruments = self.facts.laboratory
        uncertain = {name: instruments[name].uncertainty(value) for name, value in read.items()}
        roll.sample = FilmSample(int(shown[1]), time_ns, read, uncertain)

    @property
    def unmeasured(self) -> tuple[int, ...]:
        """Rolls that were taken off and wait for the laboratory."""
        return tuple(roll.number for roll in self.rolls.values() if roll.ended_ns and roll.sample is None)

    def record(self, roll: WoundRoll) -> RollRecord:
        """A roll as the controller reports it."""
        grade, reason = judge(self.product, roll.press, roll.sample)
        return RollRecord(
            roll.number, roll.begun_ns, roll.ended_ns, roll.length_m, roll.lots, roll.sample, grade, reason
        )

    def records(self) -> list[RollRecord]:
        """All rolls, by number."""
        return [self.record(self.rolls[number]) for number in sorted(self.rolls)]
