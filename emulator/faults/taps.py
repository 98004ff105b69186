"""Where faults act on the press: between what is commanded or given and what the press gets.

A tap is neutral, or it alters one place of the kernel's inputs. Nothing else knows of faults: the node commands what it
commands, the press obeys what arrives. What arrives otherwise than it was sent is counted here, place by place, which
is the evidence that a fault has acted (`emulator.faults.board`).
"""

from __future__ import annotations

from typing import Any, Final, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.faults.kinds import NEUTRAL, UNLIMITED, At
from emulator.inputs import Part
from emulator.press.commands import INPUT_COUNT, Disturbances

__all__ = ["ANEW", "TAPS", "Taps", "neutral_taps", "tap_inputs"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ANEW: Final = 1
ON: Final = 2
TAPS: Final = np.dtype(
    [
        ("acting", np.int64),  # 0: all of this is neutral, and nobody has to look
        ("altered", np.int64, (INPUT_COUNT,)),  # where a place is not neutral: `ANEW` before the first time, then `ON`
        ("gain", np.float64, (INPUT_COUNT,)),
        ("offset", np.float64, (INPUT_COUNT,)),  # SI, as the input
        ("low", np.float64, (INPUT_COUNT,)),
        ("high", np.float64, (INPUT_COUNT,)),
        ("rate", np.float64, (INPUT_COUNT,)),  # per s, fastest change
        ("backlash", np.float64, (INPUT_COUNT,)),  # half of the play
        ("held", np.int64, (INPUT_COUNT,)),  # 1: stays what it was
        ("last", np.float64, (INPUT_COUNT,)),  # what arrived last, where it is `ON`
        ("struck", np.int64, (INPUT_COUNT,)),  # times that something else arrived than was sent
    ],
    align=True,
)


class Taps(Protocol):
    """The taps as compiled code sees them; what the fields are stands at `TAPS`."""

    acting: int
    altered: Ints
    gain: Floats
    offset: Floats
    low: Floats
    high: Floats
    rate: Floats
    backlash: Floats
    held: Ints
    last: Floats
    struck: Ints


def _limits(which: str) -> Floats:
    """Ranges of the disturbances, within which the press model means something; commands have none."""
    found = np.full(INPUT_COUNT, -UNLIMITED if which == "low" else UNLIMITED)
    for part in vars(Disturbances).values():
        if isinstance(part, Part):
            found[part.place : part.place + part.size] = getattr(part, which)
    return found


LOWEST: Final = _limits("low")
HIGHEST: Final = _limits("high")


def neutral_taps() -> NDArray[Any]:
    """Taps that alter nothing, as an array of one record."""
    taps = np.zeros(1, TAPS)
    for field, value in NEUTRAL[At.INPUT].items():
        taps[field] = value
    return taps


@njit(cache=True, error_model="numpy")
def tap_inputs(u: Floats, t: Taps, dt_s: float) -> None:
    """Make of the inputs what arrives of them.

    Args:
        u: the kernel's inputs as they were sent, SI; refreshed.
        t: the taps.
        dt_s: time since the last time, s.
    """
    for i in range(u.size):
        if t.altered[i] == 0:
            continue
        sent = u[i]
        x = min(max(sent * t.gain[i] + t.offset[i], t.low[i]), t.high[i])
        last = t.last[i] if t.altered[i] == ON else x
        if t.held[i] != 0:
            x = last
        if t.backlash[i] > 0.0:
            x = min(max(last, x - t.backlash[i]), x + t.backlash[i])
        most = t.rate[i] * dt_s
        x = min(max(x, last - most), last + most)
        x = min(max(x, LOWEST[i]), HIGHEST[i])
        t.last[i], t.altered[i] = x, ON
        if x != sent:
            t.struck[i] += 1
        u[i] = x
