"""A scenario as a value: where a run begins, how long it goes, and everything that happens in it.

Operator, hands at the machine, and faults of sensors, actuators, machine, material, supply and wire stand in one
timeline. So they are drawn together, shrunk together, and told together.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from rig.controller.api import OPERATOR_REQUESTS
from rig.errors import UsageError

__all__ = ["BEGINNINGS", "HANDS", "LONGEST_S", "Event", "Kind", "Option", "Scenario", "event_of"]

Kind = Literal["button", "hand", "fault"]
Option = float | int | str
KINDS: Final[tuple[Kind, ...]] = ("button", "hand", "fault")
HANDS: Final = ("push_emergency_stop", "release_emergency_stop", "open_guard", "close_guard")
"""What hands can do at the machine, without the panel."""
BEGINNINGS: Final = ("cold", "warm")
"""Beginnings with a controller that has just been switched on; all others are states of a production run."""
LONGEST_S: Final = 1e5
OF_THE_TIMELINE: Final = "after_s"
"""Option of a fault that has its place in the timeline instead."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens.

    Attributes:
        at_s: when, s after the beginning.
        kind: the operator's panel, a hand at the machine, or a fault.
        name: which button, which hand, or the kind of fault.
        options: of a fault (docs/faults.md), by name, in the order of the names.
    """

    at_s: float
    kind: Kind
    name: str
    options: tuple[tuple[str, Option], ...] = ()

    def option(self, name: str) -> Option | None:
        """An option, or None where it was left out."""
        return dict(self.options).get(name)

    @property
    def as_text(self) -> str:
        """Such as `3 s: fault heater_lost, target heat_1_upper`."""
        told = "".join(
            f", {name} {value:g}" if isinstance(value, float) else f", {name} {value}" for name, value in self.options
        )
        return f"{self.at_s:g} s: {self.kind} {self.name}{told}"


def event_of(at_s: float, kind: str, name: str, options: Mapping[str, Any] | None = None) -> Event:
    """An event, checked.

    Raises:
        UsageError: there is no such button, hand or fault, or an option that it cannot have.
    """
    options = {key: value for key, value in (options or {}).items() if value is not None}
    if not (math.isfinite(at_s) and 0.0 <= at_s <= LONGEST_S):
        raise UsageError(f"at_s is {at_s:g}; it must be 0 … {LONGEST_S:g}")
    if kind == "fault":
        from rig.virtual import check_fault  # noqa: PLC0415 - heavy, and scenarios without faults do not need it

        if OF_THE_TIMELINE in options:
            raise UsageError(f"fault {name}: {OF_THE_TIMELINE} is not for scenarios; at_s says when it begins")
        check_fault(name, options)
        return Event(at_s, "fault", name, tuple(sorted(options.items())))
    names = {"button": OPERATOR_REQUESTS, "hand": HANDS}.get(kind)
    if names is None:
        raise UsageError(f"there is no event {kind!r}; it is one of {', '.join(KINDS)}")
    if name not in names:
        raise UsageError(f"there is no {kind} {name!r}; it is one of {', '.join(names)}")
    if options:
        raise UsageError(f"{kind} {name} has no options, and got {', '.join(options)}")
    return Event(at_s, "button" if kind == "button" else "hand", name)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A run, from its beginning to its end.

    Attributes:
        state: where it begins: `cold` or `warm`, with a controller that was just switched on, or a state of the
            controller's production run, such as `produce`.
        lasts_s: how long it goes, s.
        events: what happens, in order.
        recovers: whether it goes on until the press produces again: everything is mended, and the operator resets and
            starts.
        seed: of the noise.
        recipe: what is produced; name or path.
        machine: the press; name or path.
        material: the gel; name or path.
        breaks: ids of what it breaks, as far as that is known.
        title: a few words.
        controller: with which it was found; empty if that does not matter.
        press: on which kind of press it was found (`emu://?wiring=multi-drop`); empty if that does not matter.
    """

    state: str = "produce"
    lasts_s: float = 60.0
    events: tuple[Event, ...] = ()
    recovers: bool = False
    seed: int = 0
    recipe: str = "reference"
    machine: str = "reference"
    material: str = "g20"
    breaks: tuple[str, ...] = ()
    title: str = ""
    controller: str = ""
    press: str = ""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lasts_s) and 0.0 < self.lasts_s <= LONGEST_S):
            raise UsageError(f"lasts_s is {self.lasts_s:g}; it must be above 0 and at most {LONGEST_S:g}")
        late = [event for event in self.events if event.at_s > self.lasts_s]
        if late:
            raise UsageError(f"an event comes after the end, which is at {self.lasts_s:g} s: {late[0].as_text}")

    @property
    def is_for_real_presses(self) -> bool:
        """Whether nothing happens in it that only a virtual press offers."""
        return self.state in BEGINNINGS and all(event.kind == "button" for event in self.events)
