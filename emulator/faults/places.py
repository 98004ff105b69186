"""What can be struck: names of places, by the sets that the kinds of faults name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from emulator.press.signals import ACTUATORS, DRUMS, PLATES, SIDES

__all__ = ["ALL", "PLACES", "SENSOR_SETS", "Places", "is_in_set", "partner_of"]

ALL: Final = "all"
"""Target that means every place of the set at once."""


@dataclass(frozen=True, slots=True)
class Places:
    """Places of a part of the press's inputs.

    Attributes:
        names: of the places.
        first: where the first of them stands within the part.
    """

    names: tuple[str, ...]
    first: int = 0


PLACES: Final[Mapping[str, Places]] = {
    "zone": Places(PLATES),
    "heat zone": Places(PLATES[:8]),
    "cold zone": Places(PLATES[8:], 8),
    "entry drum": Places(DRUMS[:2]),
    "clearance actuator": Places(ACTUATORS),
    "belt": Places(SIDES),
}
"""Sets of places of the press, by name."""
SENSOR_SETS: Final = ("sensor", "thermometer", "pair of sensors", "node")
"""Sets whose places are instruments: all, those of temperatures, those that have a twin, those of a node."""
PAIRED: Final = (("upper", "lower"), ("left", "right"))


def partner_of(name: str, names: Sequence[str]) -> str | None:
    """The sensor on the other side of the machine; None if there is none."""
    words = name.split("_")
    for pair in PAIRED:
        for one, other in (pair, pair[::-1]):
            if one in words:
                twin = "_".join(other if word == one else word for word in words)
                if twin in names:
                    return twin
    return None


def is_in_set(which: str, name: str, names: Sequence[str]) -> bool:
    """Whether a sensor belongs to one of `SENSOR_SETS` but the last."""
    if which == "thermometer":
        return name.endswith("_temperature_c")
    if which == "pair of sensors":
        return partner_of(name, names) is not None
    return True
