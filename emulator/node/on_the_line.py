"""What every node of the press does with requests: answer them from its registers, and keep count."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emulator.node.bank import Bank
from emulator.wire.nodes import Overheard
from rig.protocol import (
    Diagnose,
    ExceptionResponse,
    GetCommEventCounter,
    InvalidRequest,
    Request,
    Response,
    SubFunction,
    respond,
)

__all__ = ["RUNNING", "OnTheLine"]

RUNNING = b"\xff"
"""Run indicator of function 17: the program runs, or it could not answer."""


class OnTheLine:
    """A node's face to the bus (`emulator.wire.nodes.BusNode`), but for its supply.

    Attributes:
        bank: its registers, and what it has heard and said on the line.
        unit: its address.
        units: the same as a set.
        turnaround_ns: as in `BusNode`.
        is_on: whether it has a supply.
        hears_bytes: whether it makes sense of bytes itself (`emulator.wire.nodes.ByteNode`).
    """

    bank: Bank
    unit: int
    units: frozenset[int]
    turnaround_ns: int
    is_on: bool
    hears_bytes = False
    _last_request_ns: NDArray[np.int64]  # the field of its state, not a copy

    def answer(self, request: Request | InvalidRequest, now: int) -> Response | None:
        """Answer a request that arrived whole and undamaged at time `now`, ns; None if it only listens."""
        known = self.bank.diagnostics
        known.bus_messages += 1
        known.server_messages += 1
        if known.listen_only:
            # nothing but this wakes it up, and nothing is a sign of life for the watchdog
            if type(request) is Diagnose and request.sub_function == SubFunction.RESTART_COMMUNICATIONS:
                respond(request, self.bank)
            known.no_responses += 1
            return None
        self._last_request_ns[0] = now
        response = respond(request, self.bank)
        if type(response) is ExceptionResponse:
            known.exceptions += 1
        elif response.function != GetCommEventCounter.function:
            known.events += 1
        if self.bank.diagnostics.listen_only:  # since this request
            known.no_responses += 1
            return None
        return response

    def overhear(self, what: Overheard) -> None:
        """Something happened on the line beside requests that it answers."""
        known = self.bank.diagnostics
        if what == "broadcast":
            known.no_responses += 1
        elif what == "to_others":
            known.bus_messages += 1
        else:
            known.bus_errors += 1
            known.overruns += what == "overrun"
