"""Lines that misbehave the way they do in the field, by name: an adapter and the faults that go with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from emulator.wire.faults import Fault

__all__ = ["SCENARIOS", "Scenario", "scenario_named"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One line.

    Attributes:
        meaning: what is wrong with it, for people.
        adapter: the master's adapter, where the scenario is about that; empty for the one that was asked for.
        faults: what is injected when the press is made.
    """

    meaning: str
    adapter: str = ""
    faults: tuple[Fault, ...] = ()


SCENARIOS: Final[Mapping[str, Scenario]] = {
    "good": Scenario("nothing is wrong"),
    "usb-adapter": Scenario(
        "an FTDI chip as it is delivered: answers come in pieces with up to 16 ms between them, so that 10 ms of "
        "silence do not end a frame (pymodbus pull request 880)",
        "ftdi-16ms",
    ),
    "split-frames": Scenario(
        "every tenth answer comes in two halves, 5 ms apart (pymodbus issues 356 and 674)",
        faults=(Fault("split", 0.005, probability=0.1, times=None),),
    ),
    "foreign-unit": Scenario(
        "another unit's answer comes before every tenth one (pymodbus issue 2539)",
        faults=(Fault("foreign", 2, probability=0.1, times=None),),
    ),
    "bad-cable": Scenario(
        "one bit in 20,000 is wrong, in either direction: about every tenth poll fails",
        faults=(
            Fault("noise", 5e-5, "response", times=None),
            Fault("noise", 5e-5, "request", times=None),
        ),
    ),
    "late-answers": Scenario(
        "every twentieth answer comes 150 ms late, when the master has asked again",
        faults=(Fault("delayed", 0.15, probability=0.05, times=None),),
    ),
    "busy-node": Scenario(
        "every twentieth request is declined because the node is busy",
        faults=(Fault("busy", probability=0.05, times=None),),
    ),
    "loose-plug": Scenario(
        "the adapter loses contact for 1.5 s once, half a minute after the start",
        faults=(Fault("unplugged", 1.5, after_s=30.0),),
    ),
}
"""Lines by name, for `scenario=` in the URL."""


def scenario_named(name: str) -> Scenario:
    """A scenario of `SCENARIOS`.

    Raises:
        ValueError: there is none.
    """
    if name not in SCENARIOS:
        raise ValueError(f"scenario is {name!r}; it must be one of {', '.join(SCENARIOS)}")
    return SCENARIOS[name]
