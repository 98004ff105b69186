"""An open port under examination, and what its checks share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from serial import SerialBase

from rig.testing.link_kinds import LinkCapabilities

__all__ = ["SECOND_NS", "SHORT_S", "Exchange", "Link"]

SECOND_NS = 1_000_000_000
SHORT_S = 0.05
"""A timeout that a test can afford to wait for."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that reads constants, and its answer.

    Attributes:
        request: frame with CRC.
        response: frame with CRC, at least 7 bytes.
    """

    request: bytes
    response: bytes


@dataclass
class Link:
    """An open port under examination.

    Attributes:
        port: the port.
        open_port: opens another one, with settings as keywords.
        exchange: what the node answers.
        can: what this kind of port can do.
        clock: time as the port sees it, ns.
        answer_s: the longest time that an exchange takes.
    """

    port: Any
    open_port: Callable[..., SerialBase]
    exchange: Exchange
    can: LinkCapabilities
    clock: Callable[[SerialBase], int]
    answer_s: float

    def settle(self) -> None:
        """Bring the port to the state in which a check begins: nothing on its way, ordinary timeouts."""
        self.port.timeout = SHORT_S
        self.port.inter_byte_timeout = None
        while self.port.read(4096):
            pass
        self.port.timeout = self.answer_s

    def request(self) -> None:
        """Send the request."""
        self.port.write(self.exchange.request)

    def expect_answer(self) -> None:
        """Send the request and read the whole answer."""
        self.request()
        got = self.port.read(len(self.exchange.response))
        assert got == self.exchange.response, (
            f"the answer to {self.exchange.request.hex(' ')} is {got.hex(' ') or 'silence'}, "
            f"expected {self.exchange.response.hex(' ')}"
        )

    def timed(self, call: Callable[[], Any]) -> tuple[Any, float]:
        """Call and say how long it took, in seconds."""
        start_ns = self.clock(self.port)
        result = call()
        return result, (self.clock(self.port) - start_ns) / SECOND_NS

    def expect_duration(self, seconds: float, took_s: float) -> None:
        """A wait of `seconds` took this long."""
        late_s = self.can.lateness_ns / SECOND_NS
        # a wall clock may end a wait a little early: rounding to ms, slew
        early_s = 0.002 if late_s else 0.0
        assert seconds - early_s <= took_s + 1e-9, f"ended after {took_s:.6f} s, expected {seconds} s"
        assert took_s <= seconds + late_s + 1e-9, f"ended after {took_s:.6f} s, expected {seconds} s"

    def wait_for_input(self) -> int:
        """Poll `in_waiting` until there is something; at most for the time of an exchange."""
        start_ns = self.clock(self.port)
        while self.clock(self.port) - start_ns < self.answer_s * SECOND_NS:
            count = self.port.in_waiting
            if count:
                return int(count)
        raise AssertionError(f"in_waiting is 0 for {self.answer_s} s after a request")
