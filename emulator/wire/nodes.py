"""What a node shows to the line: it hears requests, or bytes, and says when it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from rig.protocol import InvalidRequest, Request, Response

__all__ = ["BusNode", "ByteNode", "Overheard"]

Overheard = Literal["to_others", "broken", "overrun", "broadcast"]
"""What happens on the line beside requests that a node answers."""


class BusNode(Protocol):
    """What a node shows to the bus."""

    @property
    def units(self) -> frozenset[int]:
        """Addresses that it answers to."""
        ...

    @property
    def turnaround_ns(self) -> int:
        """Time from the end of the silence after a request to the first byte of the answer, ns."""
        ...

    def answer(self, request: Request | InvalidRequest, now: int) -> Response | None:
        """Answer a request that was complete at time `now`, ns, or not (None); an invalid one is to be declined."""
        ...

    def overhear(self, what: Overheard) -> None:
        """Something happened on the line beside requests that it answers, for its counters."""

    def switch_off(self) -> None:
        """The supply fails: outputs drop, and nothing is answered."""

    def switch_on(self, now: int) -> None:
        """The supply comes back at time `now`, ns: the node starts anew."""

    @property
    def is_on(self) -> bool:
        """Whether it has a supply."""
        ...


class ByteNode(BusNode, Protocol):
    """A node with a program of its own to make sense of what it hears."""

    hears_bytes: bool
    send: Callable[[bytes, int], None]
    """Takes what it says, and when the first byte begins, ns: now or later. The bus puts it there."""

    def hear(self, block: bytes, overrun: bool, now: int) -> None:
        """Take in what came between two silences, the second of which ends at time `now`, ns.

        What it answers is sent by `send`, now or when the simulation has gone on.

        Args:
            block: the bytes, sound or not.
            overrun: its UART has lost one.
            now: ns.
        """
        ...
