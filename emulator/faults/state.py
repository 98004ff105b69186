"""What is known of the faults of a press: those that stand, those that are over, and the taps."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from emulator.faults.fault import PressFault
from emulator.faults.taps import neutral_taps

__all__ = ["FaultState", "PressFaultRecord"]


@dataclass(slots=True)
class PressFaultRecord:
    """A fault of the press that was injected, and what has become of it.

    Attributes:
        number: of the injection, of wire and press together; names the random stream.
        fault: what was asked for.
        from_ns: when it begins.
        until_ns: when it is over; None until it is withdrawn.
        next_ns: when it changes next: begins, grows, comes, goes, or ends; None if nothing more happens by itself.
        begun: it has begun.
        ended_ns: when it ended; None as long as it stands.
        level: how much of it acts now, 0 … 1.
        spells: how often it has come or gone, for those that do.
        struck_before: count of what its places had met when it began.
        struck: what they have met since, up to its end: readings shown or inputs arrived otherwise than they were.
        struck_after: the same at the first look after its end; None before.
    """

    number: int
    fault: PressFault
    from_ns: int
    until_ns: int | None = None
    next_ns: int | None = None
    begun: bool = False
    ended_ns: int | None = None
    level: float = 0.0
    spells: int = 0
    struck_before: int = 0
    struck: int = 0
    struck_after: int | None = None


@dataclass(slots=True)
class FaultState:
    """All that makes the future of the faults of a press.

    Attributes:
        standing: injected and not over, in the order of their numbers.
        over: the last of those that ended.
        taps: of the press's inputs, one record of `emulator.faults.taps.TAPS`; those of sensors are with the sensors.
    """

    standing: list[PressFaultRecord] = field(default_factory=list)
    over: list[PressFaultRecord] = field(default_factory=list)
    taps: NDArray[np.void] = field(default_factory=neutral_taps)
