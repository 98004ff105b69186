"""What a kind of fault is: a physical effect, and the places where it acts.

Every kind is a change of a quantity or of a signal, never of somebody's program: an input of the press arrives
otherwise (`At.INPUT`, through `emulator.faults.taps`), or an instrument shows something else (`At.SENSOR`,
`emulator.sensors`). What goes wrong on the wire has kinds of its own (`emulator.wire.faults`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

__all__ = ["NEUTRAL", "UNLIMITED", "Act", "Amount", "At", "Group", "Instrument", "Kind", "Onset"]

Group = Literal["sensor", "actuator", "machine", "material", "power", "wire"]
Onset = Literal["step", "ramp", "intermittent"]


class At(Enum):
    """Where a fault acts."""

    INPUT = "input"
    """An input of the press: a command, or a quantity that can be disturbed."""
    SENSOR = "sensor"
    """An instrument."""


@dataclass(frozen=True, slots=True)
class Instrument:
    """What a fault of a sensor has to know of it; in the unit of its tag.

    Attributes:
        low: beginning of its scale.
        high: end of its scale.
        ambient: what it would read at the temperature of the hall, where it is a thermometer; else 0.
        partner: place of the sensor that it may be swapped with.
    """

    low: float
    high: float
    ambient: float
    partner: int

    @property
    def span(self) -> float:
        """Of its scale."""
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that a fault does, at full strength.

    Attributes:
        at: where.
        part: name of the part of `Commands` or `Disturbances`; empty for a sensor.
        field: of the tap or the sensor's memory.
        value: of that field, from the amount, and for sensors from the instrument.
        every: of a part with several places, all that stand at a multiple of this number; None for the target's.
    """

    at: At
    part: str
    field: str
    value: Callable[[float, Instrument | None], float]
    every: int | None = None


@dataclass(frozen=True, slots=True)
class Amount:
    """What the amount of a fault means.

    Attributes:
        meaning: a few words.
        unit: of it; empty for a pure number.
        low: smallest.
        high: largest.
        usual: if none is given.
    """

    meaning: str
    unit: str
    low: float
    high: float
    usual: float


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault of the press.

    Attributes:
        group: where it belongs.
        effect: what happens physically.
        acts: where and how.
        targets: name of the set of places of which one is struck (`emulator.faults.places`); empty where there is one.
        amount: what can be chosen; None if nothing.
        onsets: how it may begin.
        reversible: it goes away by itself when it is over; otherwise somebody has to mend it, and `for_s` is refused.
        noticed_when: what has to happen for it to be noticeable.
        noticed_by: who can notice: bits of `alarm_word` or `warning_word`, `quality` (the gate of the controller),
            `controller` (readings or their age), a claim.
    """

    group: Group
    effect: str
    acts: tuple[Act, ...]
    targets: str = ""
    amount: Amount | None = None
    onsets: tuple[Onset, ...] = ("step", "ramp", "intermittent")
    reversible: bool = True
    noticed_when: str = "at once"
    noticed_by: tuple[str, ...] = ()


UNLIMITED: Final = 1e9
"""Beyond every input, and still a number of a sane size."""
NEUTRAL: Final[Mapping[At, Mapping[str, float]]] = {
    At.INPUT: {
        "gain": 1.0, "offset": 0.0, "low": -UNLIMITED, "high": UNLIMITED, "rate": UNLIMITED, "backlash": 0.0,
        "held": 0.0,
    },
    At.SENSOR: {
        "gain": 1.0, "offset": 0.0, "noise": 0.0, "spike_probability": 0.0, "spike": 0.0, "held": 0.0, "source": -1.0,
        "swiftness": 1.0,
    },
}  # fmt: skip
"""What the fields are where no fault acts."""
