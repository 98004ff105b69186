"""What can go wrong on the line, as data: kinds of faults, and when one strikes.

A fault strikes frames as they go by (a lost byte, a late answer), or the line and its nodes at a time (a babbling node,
a supply that fails). `KINDS` is the one list of them. Chance comes from a random stream of the fault's own, so that a
run repeats, and one fault more changes no other.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final, Literal

from rig.protocol.timing import FASTEST_BAUD, SLOWEST_BAUD

__all__ = ["KINDS", "ActiveFault", "Fault", "FaultError", "Kind", "fault_from", "parsed"]

Direction = Literal["request", "response"]
SECOND_NS: Final = 1_000_000_000
LONGEST_S: Final = 1e6
DEVICE_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}", re.ASCII)
"""What an adapter can be called: no path, and nothing that hides."""


class FaultError(ValueError):
    """A fault that cannot be; the message says what is wrong and what is known."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault.

    Attributes:
        meaning: what happens, for people.
        directions: which frames it can strike; empty if it strikes the line or a node at a time.
        amount: what the amount of such a fault is; empty if it has none.
        usual: amount if none is given.
        low: smallest amount.
        high: largest amount.
        needs_unit: it concerns one node, which must be named if there are several.
    """

    meaning: str
    directions: tuple[Direction, ...] = ()
    amount: str = ""
    usual: float = 0.0
    low: float = 0.0
    high: float = 0.0
    needs_unit: bool = False


_BOTH: Final[tuple[Direction, ...]] = ("response", "request")
_ANSWERS: Final[tuple[Direction, ...]] = ("response",)
_ASKED: Final[tuple[Direction, ...]] = ("request",)

KINDS: Final[Mapping[str, Kind]] = {
    # frames as they go by
    "noise": Kind("bits are flipped", _BOTH, "bit errors per bit", 1e-3, 1e-9, 0.5),
    "garbled": Kind("every byte is another one, as when somebody else talks", _BOTH),
    "lost_frame": Kind("the frame does not arrive", _BOTH),
    "lost_bytes": Kind("bytes in a row are missing, somewhere in the frame", _BOTH, "bytes", 1, 1, 256),
    "truncated": Kind("bytes at the end are missing", _BOTH, "bytes", 2, 1, 256),
    "duplicated_bytes": Kind("bytes in a row come twice", _BOTH, "bytes", 1, 1, 256),
    "inserted_bytes": Kind("bytes come that nobody sent, somewhere in the frame", _BOTH, "bytes", 1, 1, 256),
    "framing_error": Kind("a byte has no stop bit: a node drops the frame, the master reads a 0", _BOTH),
    "parity_error": Kind("a byte has the wrong parity: a node drops the frame, the master reads it flipped", _BOTH),
    "overrun": Kind("the node's UART was not read in time: a byte is missing", _ASKED),
    "busy": Kind("the node declines with exception 6 and does nothing", _ASKED),
    "failure": Kind("the node declines with exception 4 and does nothing", _ASKED),
    "wrong_unit": Kind("the frame has another address, and a CRC that fits", _BOTH, "address", 2, 1, 247),
    "delayed": Kind("the answer comes later", _ANSWERS, "s", 0.02, 0.0, 600.0),
    "split": Kind("the answer has a pause in it", _ANSWERS, "s", 0.02, 0.0, 600.0),
    "merged": Kind("the answer is held back and comes right before the next one", _ANSWERS),
    "stale": Kind("the answer to the request before comes once more instead", _ANSWERS),
    "foreign": Kind("another unit's answer comes first", _ANSWERS, "address", 2, 1, 247),
    # at a time
    "babble": Kind("a node sends random bytes without end", (), "s", 1.0, 1e-4, 3600.0),
    "break": Kind("somebody holds the line", (), "s", 0.1, 1e-4, 3600.0),
    "brown_out": Kind("the node's supply fails; it starts anew afterwards", (), "s", 0.5, 1e-3, 3600.0, True),
    "other_baud": Kind("the nodes listen and talk at another rate", (), "bit/s", 9600, SLOWEST_BAUD, FASTEST_BAUD),
    "other_parity": Kind("the nodes expect another parity bit than the master sends"),
    "unplugged": Kind(
        "the adapter is pulled, and put back after so long, as `device` if given", (), "s", 5.0, 1e-3, 1e6
    ),
}
"""Everything that can be injected, by name."""
TIMED: Final = frozenset(name for name, kind in KINDS.items() if not kind.directions)
LASTS_ITS_AMOUNT: Final = frozenset(name for name in TIMED if KINDS[name].amount == "s")
WHOLE: Final = frozenset({"bytes", "address", "bit/s"})
"""Amounts of which there are no halves."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, and when it strikes.

    Attributes:
        kind: name in `KINDS`.
        amount: as the kind says; None for the usual one.
        direction: frames it looks at, `request` or `response`; None for the kind's first. What strikes at a time begins
            with a frame if this, `nth` or `probability` is given: as a request is heard, or in the middle of an answer.
        unit: only frames to or from this address, only this node; None for any.
        after_s: not before so much time has passed, s.
        for_s: not after so much more time, s; None for ever. What lasts by its amount has none.
        nth: the first frame to be struck, counted from 1 among those it looks at.
        probability: of a frame to be struck.
        times: how many frames are struck; None for all. What strikes at a time does so once.
        device: name that a pulled adapter gets when it is put back, such as `ttyUSB1`; None for the one it had.
    """

    kind: str
    amount: float | None = None
    direction: str | None = None
    unit: int | None = None
    after_s: float = 0.0
    for_s: float | None = None
    nth: int = 1
    probability: float = 1.0
    times: int | None = 1
    device: str | None = None

    def __post_init__(self) -> None:
        kind = KINDS.get(self.kind)
        if kind is None:
            near = get_close_matches(self.kind, KINDS, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(KINDS)}"
            raise FaultError(f"there is no fault {self.kind!r}{hint}")
        if self.amount is not None and not kind.amount:
            raise FaultError(f"fault {self.kind} has no amount, and got {self.amount:g}")
        if self.amount is not None and not kind.low <= self.amount <= kind.high:
            raise FaultError(
                f"amount of {self.kind} is {self.amount:g}; it must be {kind.low:g} … {kind.high:g} {kind.amount}"
            )
        if self.amount is not None and kind.amount in WHOLE and not float(self.amount).is_integer():
            raise FaultError(f"amount of {self.kind} is {self.amount:g} {kind.amount}; it must be a whole number")
        possible = kind.directions or _BOTH
        if self.direction is not None and self.direction not in possible:
            raise FaultError(f"fault {self.kind} strikes {' or '.join(possible)}, not {self.direction!r}")
        if self.kind in TIMED and self.times != 1:
            raise FaultError(f"fault {self.kind} strikes once; inject it again for another time, instead of times")
        if self.kind in LASTS_ITS_AMOUNT and self.for_s is not None:
            raise FaultError(f"fault {self.kind} lasts as long as its amount, in s; give that instead of for_s")
        self._check("unit", self.unit, 1, 247)
        self._check("after_s", self.after_s, 0.0, LONGEST_S)
        self._check("for_s", self.for_s, 0.0, LONGEST_S)
        self._check("nth", self.nth, 1, 10**9)
        self._check("probability", self.probability, 0.0, 1.0)
        self._check("times", self.times, 1, 10**9)
        if self.device is not None:
            if self.kind != "unplugged":
                raise FaultError(f"fault {self.kind} gives no device another name; unplugged does")
            if not DEVICE_NAME.fullmatch(self.device):
                raise FaultError(f"device is {self.device!r}; it must be a name such as ttyUSB1, and no path")

    def _check(self, name: str, value: float | None, low: float, high: float) -> None:
        if value is not None and not (math.isfinite(value) and low <= value <= high):
            raise FaultError(f"{name} of fault {self.kind} is {value:g}; it must be {low:g} … {high:g}")

    @property
    def size(self) -> float:
        """The amount, the usual one if none was given."""
        return KINDS[self.kind].usual if self.amount is None else self.amount

    @property
    def looks_at(self) -> str:
        """Direction of the frames that it looks at; empty if it strikes at a time, whatever goes by."""
        usual = "response" if self.is_begun_by_a_frame else ""
        return self.direction or next(iter(KINDS[self.kind].directions), usual)

    @property
    def is_begun_by_a_frame(self) -> bool:
        """Whether what lasts waits for a frame to begin with, and not for a time."""
        is_chosen = self.direction is not None or self.nth > 1 or self.probability < 1.0
        return self.kind in TIMED and is_chosen


@dataclass(slots=True)
class ActiveFault:
    """A fault that was injected, and what has become of it.

    Attributes:
        number: of the injection; names the random stream.
        fault: what was asked for.
        from_ns: when it begins, or begins to look at frames.
        until_ns: when it is over; None for never.
        seen: frames that it has looked at.
        struck: frames that it has struck.
        drawn: random numbers that it has used.
        acting: it has begun, for those that strike at a time.
        met: what receivers had met on the line when it began, and from its end on what they have met of it.
        ended_ns: when it ended; None as long as it stands.
    """

    number: int
    fault: Fault
    from_ns: int
    until_ns: int | None = None
    seen: int = 0
    struck: int = 0
    drawn: int = 0
    acting: bool = False
    met: int = 0
    ended_ns: int | None = None

    @property
    def waits(self) -> bool:
        """Whether the frame with which it is to begin has not come yet."""
        return self.fault.is_begun_by_a_frame and not self.struck


def fault_from(kind: str, options: Mapping[str, Any]) -> Fault:
    """A fault from names and values as people give them: numbers, or texts that are numbers.

    Raises:
        FaultError: an option that does not exist, or a value that cannot be.
    """
    return Fault(kind, **parsed(kind, options, dataclasses.fields(Fault)))


def parsed(kind: str, options: Mapping[str, Any], fields: Sequence[dataclasses.Field[Any]]) -> dict[str, Any]:
    """Values for the fields of a fault from what people give.

    Raises:
        FaultError: an option that does not exist, or a value that is not of the field's type.
    """
    known = {field.name: str(field.type) for field in fields if field.name != "kind"}
    values: dict[str, Any] = {}
    for name, value in options.items():
        if name not in known:
            raise FaultError(f"fault {kind} has no {name!r}; it has {', '.join(known)}")
        wanted = known[name]
        if value is None or (name == "times" and value in ("all", "None")):
            values[name] = None
        elif "str" in wanted:
            values[name] = str(value)
        else:
            try:
                number = float(value)
            except (TypeError, ValueError):
                raise FaultError(f"{name} of fault {kind} is {value!r}, which is not a number") from None
            if "int" in wanted and not number.is_integer():
                raise FaultError(f"{name} of fault {kind} is {value!r}, which is not a whole number")
            values[name] = int(number) if "int" in wanted else number
    return values
