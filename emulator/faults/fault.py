"""A fault of the press, as it is asked for: what, where, how much, when, and how it begins."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from emulator.faults.catalogue import CATALOGUE
from emulator.faults.kinds import Kind
from emulator.faults.places import ALL, PLACES
from emulator.wire.faults import KINDS as WIRE_KINDS
from emulator.wire.faults import Fault as WireFault
from emulator.wire.faults import FaultError, parsed
from emulator.wire.faults import fault_from as wire_fault_from

__all__ = ["AnyFault", "PressFault", "fault_from"]

LONGEST_S: Final = 1e6
USUAL_ONSET_S: Final = {"step": 0.0, "ramp": 60.0, "intermittent": 2.0}
SHORTEST_ONSET_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class PressFault:
    """One fault of the press, its instruments, material or supply.

    Attributes:
        kind: name in `CATALOGUE`.
        target: place that it strikes, one of the kind's set, or `all`; None where the kind has but one.
        amount: as the kind says; None for the usual one.
        after_s: how long until it begins, s.
        for_s: how long it lasts, s; None until it is withdrawn.
        onset: `step` (at once), `ramp` (in `onset_s` from nothing to all of it), `intermittent` (comes and goes by
            chance, `onset_s` in the mean each); None for the kind's first.
        onset_s: s; None for the usual one.
    """

    kind: str
    target: str | None = None
    amount: float | None = None
    after_s: float = 0.0
    for_s: float | None = None
    onset: str | None = None
    onset_s: float | None = None

    def __post_init__(self) -> None:
        kind = CATALOGUE.get(self.kind)
        if kind is None:
            raise FaultError(_unknown(self.kind))
        self._check_target(kind)
        amount = kind.amount
        if amount is None and self.amount is not None:
            raise FaultError(f"fault {self.kind} has no amount, and got {self.amount:g}")
        if amount is not None and self.amount is not None and not amount.low <= self.amount <= amount.high:
            raise FaultError(
                f"amount of {self.kind} is {self.amount:g}; it must be {amount.low:g} … {amount.high:g} "
                f"{amount.unit} ({amount.meaning})".replace("  ", " ")
            )
        if self.onset is not None and self.onset not in kind.onsets:
            raise FaultError(f"fault {self.kind} begins as {' or '.join(kind.onsets)}, not {self.onset!r}")
        if self.for_s is not None and not kind.reversible:
            raise FaultError(f"fault {self.kind} does not go away by itself: leave out for_s, and withdraw it")
        if self.begins == "step" and self.onset_s is not None:
            raise FaultError(f"fault {self.kind} begins at once; onset_s goes with onset=ramp or onset=intermittent")
        self._check("after_s", self.after_s, 0.0)
        self._check("for_s", self.for_s, SHORTEST_ONSET_S)
        self._check("onset_s", self.onset_s, SHORTEST_ONSET_S)

    def _check_target(self, kind: Kind) -> None:
        if not kind.targets:
            if self.target is not None:
                raise FaultError(f"fault {self.kind} strikes the press as a whole; it has no target {self.target!r}")
            return
        if self.target is None:
            raise FaultError(f"fault {self.kind} needs a target: {self._choices(kind)}")
        places = PLACES.get(kind.targets)
        if places is not None and self.target not in (*places.names, ALL):
            raise FaultError(f"fault {self.kind} has no target {self.target!r}; it is {self._choices(kind)}")

    @staticmethod
    def _choices(kind: Kind) -> str:
        places = PLACES.get(kind.targets)
        if places is not None:
            return f"a {kind.targets}: {', '.join(places.names)}, or {ALL}"
        return f"a {kind.targets}, by the name of its tag (press-rig tags)" if kind.targets != "node" else "a node"

    def _check(self, name: str, value: float | None, low: float) -> None:
        if value is not None and not (math.isfinite(value) and low <= value <= LONGEST_S):
            raise FaultError(f"{name} of fault {self.kind} is {value:g}; it must be {low:g} … {LONGEST_S:g}")

    @property
    def size(self) -> float:
        """The amount, the usual one if none was given; 0 where there is none to choose."""
        if self.amount is not None:
            return self.amount
        amount = CATALOGUE[self.kind].amount
        return 0.0 if amount is None else amount.usual

    @property
    def begins(self) -> str:
        """How it begins."""
        return self.onset or CATALOGUE[self.kind].onsets[0]

    @property
    def takes_s(self) -> float:
        """How long the onset takes, or each spell lasts in the mean; s."""
        return USUAL_ONSET_S[self.begins] if self.onset_s is None else self.onset_s


AnyFault = PressFault | WireFault


def fault_from(kind: str, options: Mapping[str, Any]) -> AnyFault:
    """A fault of press or wire from names and values as people give them: numbers, or texts that are numbers.

    Raises:
        FaultError: there is no such fault, an option that it does not have, or a value that cannot be.
    """
    if kind in WIRE_KINDS:
        return wire_fault_from(kind, options)
    if kind not in CATALOGUE:
        raise FaultError(_unknown(kind))
    return PressFault(kind, **parsed(kind, options, dataclasses.fields(PressFault)))


def _unknown(kind: str) -> str:
    known = (*CATALOGUE, *WIRE_KINDS)
    near = get_close_matches(kind, known, 1)
    hint = f"did you mean {near[0]!r}?" if near else "press-rig faults lists them"
    return f"there is no fault {kind!r}; {hint}"
