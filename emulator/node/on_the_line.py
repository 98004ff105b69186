"""What every node of the press does with requests: answer them from its registers, and keep count."""

from __future__ import annotations

import copy
from typing import Generic, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from emulator.image import Layout
from emulator.node.bank import Bank, BankState
from emulator.sensors import Sensors, SensorState
from emulator.wire.nodes import Overheard
from rig.protocol import (
    Diagnose,
    ExceptionResponse,
    GetCommEventCounter,
    InvalidRequest,
    MaskWriteRegister,
    ReadWriteMultipleRegisters,
    Request,
    Response,
    SerialDiagnostics,
    SubFunction,
    WriteMultipleCoils,
    WriteMultipleRegisters,
    WriteSingleCoil,
    WriteSingleRegister,
    respond,
)

__all__ = ["OnTheLine", "Plate", "StateOnTheLine", "has_written", "identified_bank"]

RUNNING = b"\xff"
"""Run indicator of function 17: the program runs, or it could not answer."""


class Plate(Protocol):
    """What stands on a node's type plate."""

    @property
    def vendor(self) -> str:
        """Who made it."""
        ...

    @property
    def model(self) -> str:
        """What they call it."""
        ...

    @property
    def version(self) -> str:
        """Of its program."""
        ...

    @property
    def serial_number(self) -> str:
        """Which one it is."""
        ...


def identified_bank(layout: Layout, plate: Plate, product: str, identity: str) -> Bank:
    """Registers of a node that says who it is when asked by functions 43/14 and 17.

    Args:
        layout: where its tags stand.
        plate: its type plate.
        product: what it is, for people.
        identity: of the press: `virtual` or `real`.
    """
    return Bank(
        layout,
        {
            0x00: plate.vendor.encode(),
            0x01: plate.model.encode(),
            0x02: plate.version.encode(),
            0x04: product.encode(),
            0x05: plate.model.encode(),
            0x06: b"virtual press" if identity == "virtual" else b"",
            0x80: plate.serial_number.encode(),
        },
        plate.model.encode() + RUNNING + plate.version.encode(),
    )


_WRITES = (
    WriteSingleCoil,
    WriteSingleRegister,
    WriteMultipleCoils,
    WriteMultipleRegisters,
    MaskWriteRegister,
    ReadWriteMultipleRegisters,
)


def has_written(request: Request | InvalidRequest, response: Response | None) -> bool:
    """Whether a request has written something, by what was answered."""
    return isinstance(request, _WRITES) and response is not None and not isinstance(response, ExceptionResponse)


class StateOnTheLine(Protocol):
    """What the state of every node has.

    Attributes:
        memory: one record, with `off` (1 without a supply) and `last_request_ns`.
        bank: registers.
        sensors: what the sensors remember.
        diagnostics: what it has heard and said on the line.
    """

    memory: NDArray[np.void]
    bank: BankState
    sensors: SensorState
    diagnostics: SerialDiagnostics


State = TypeVar("State", bound=StateOnTheLine)


class OnTheLine(Generic[State]):
    """A node's face to the bus (`emulator.wire.nodes.BusNode`), but for its supply, and copies of it.

    Attributes:
        state: all that makes its future.
        bank: its registers, and what it has heard and said on the line.
        sensors: its instruments.
        unit: its address.
        units: the same as a set.
        turnaround_ns: as in `BusNode`.
        is_on: whether it has a supply.
        hears_bytes: whether it makes sense of bytes itself (`emulator.wire.nodes.ByteNode`).
    """

    state: State
    bank: Bank
    sensors: Sensors
    unit: int
    units: frozenset[int]
    turnaround_ns: int
    is_on: bool
    hears_bytes = False
    _last_request_ns: NDArray[np.int64]  # the field of its state, not a copy

    def _take(self, state: State) -> None:
        """Work on this state from now on."""
        self.state = state
        self.bank.state = state.bank
        self.bank.diagnostics = state.diagnostics
        self.sensors.state = state.sensors
        self.is_on = not state.memory["off"][0]  # a copy: every request asks for it
        self._last_request_ns = state.memory["last_request_ns"]

    def _forget(self) -> None:
        """Registers, counters and mode on the line become those of the first power-on."""
        self.state.bank.image[:] = self.bank.power_on_state().image
        self.state.diagnostics.clear()
        self.state.diagnostics.listen_only = False

    def reseeded(self, seed: int) -> Self:
        """The same with the random streams of another seed; the state is shared."""
        other = copy.copy(self)
        other.sensors = self.sensors.reseeded(seed)
        return other

    def with_state(self, state: State) -> Self:
        """Another with this program around a state, which becomes its own; its wires must be connected anew."""
        other = copy.copy(self)
        other.bank = copy.copy(self.bank)
        other.sensors = copy.copy(self.sensors)
        other._take(state)
        return other

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
        if what == "to_others":
            known.bus_messages += 1
        elif what == "broadcast":
            known.no_responses += 1
        else:
            known.bus_errors += 1
            known.overruns += what == "overrun"
