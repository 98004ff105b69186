"""A node and a world with nothing behind them, for tests of the bus and the ports.

Run as a program it serves itself on an endpoint and prints the URL; see `main`.
"""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import simpy

from emulator.agenda import Agenda
from emulator.bus import Bus
from emulator.ports.serve import Places, main_loop, open_endpoints
from rig.protocol import (
    InvalidRequest,
    ReadHoldingRegisters,
    ReadHoldingRegistersResponse,
    Request,
    Response,
    encode_frame,
    respond,
)

TURNAROUND_NS = 1_500_000


class FakeNode:
    """Holding register n reads n, until it is written; everything else is declined."""

    turnaround_ns = TURNAROUND_NS
    is_on = True

    def __init__(self, unit: int = 1) -> None:
        self.units = frozenset({unit})
        self.registers = list(range(1000))
        self.heard: list[tuple[int, Request | InvalidRequest]] = []

    def answer(self, request: Request | InvalidRequest, now: int) -> Response:
        self.heard.append((now, request))
        return respond(request, self)

    def overhear(self, what: str) -> None:
        """It counts nothing."""

    def switch_off(self) -> None:
        self.is_on = False

    def switch_on(self, now: int) -> None:
        self.is_on = True

    def read_holding_registers(self, address: int, count: int) -> list[int]:
        return self.registers[address : address + count]

    def write_registers(self, address: int, values: Any) -> None:
        self.registers[address : address + len(values)] = values

    read_input_registers = read_holding_registers

    def _none(self, *_: Any) -> Any:
        raise NotImplementedError

    read_coils = read_discrete_inputs = write_coils = device_identification = _none


class FakeWorld:
    """A bus with one fake node."""

    def __init__(self, config: Any = None, start_ns: int = 0) -> None:
        self.config = config or SimpleNamespace(baud=None)
        self.env = simpy.Environment(initial_time=start_ns)
        self.agenda = Agenda(self.env)
        self.node = FakeNode()
        self.bus = Bus(self.agenda, [self.node], baud=self.config.baud)

    @property
    def now_ns(self) -> int:
        return self.agenda.now_ns

    def run_until(self, time_ns: int) -> None:
        self.agenda.run_until(time_ns)


def read_request(count: int = 60, address: int = 0, unit: int = 1) -> bytes:
    """A request for holding registers."""
    return encode_frame(unit, ReadHoldingRegisters(address, count))


def read_answer(count: int = 60, address: int = 0, unit: int = 1) -> bytes:
    """What a fake node answers to it."""
    return encode_frame(unit, ReadHoldingRegistersResponse(tuple(range(address, address + count))))


def main(kind: str, *options: str) -> None:
    """`pty [LINK]`, `tcp` or `rfc2217`, prints the URL; ends at SIGTERM and prints its counters."""
    link = options[0] if options else None
    places = Places(link=link) if kind == "pty" else Places(**{kind: "0"})
    with open_endpoints(places) as endpoints:
        counters = main_loop(
            FakeWorld(),  # type: ignore[arg-type]
            endpoints,
            announce=lambda: print(endpoints[0].url, flush=True),
        )
    print(counters, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
