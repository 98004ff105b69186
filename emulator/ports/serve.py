"""Serve a world to other processes until somebody presses Ctrl-C.

with open_endpoints(Places(tcp="127.0.0.1:0")) as endpoints:
    print(endpoints[0].url, flush=True)
    main_loop(world, endpoints, speed=1.0)
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from emulator.ports.control import ControlSocket, check_control
from emulator.ports.listener import Access, Listener, parse_address
from emulator.ports.modbus_tcp import ModbusTcpEndpoint
from emulator.ports.paced import Control, Endpoint, EndpointError, PacedCounters, serve
from emulator.ports.pty import PtyEndpoint, check_link, try_link
from emulator.ports.rfc2217 import Rfc2217Endpoint
from emulator.ports.tcp import TcpEndpoint

if TYPE_CHECKING:
    from emulator.world import World

__all__ = [
    "Endpoint",
    "EndpointError",
    "PacedCounters",
    "Places",
    "check_control",
    "main_loop",
    "open_control",
    "open_endpoints",
]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Places:
    """Where masters come in.

    Attributes:
        link: path of a symbolic link to a pseudo-terminal, which there is with a link, or if there is nothing else.
        tcp: Modbus RTU as a stream: `HOST:PORT`, or `PORT` on 127.0.0.1 (or `listen`); port 0 for any that is free.
        modbus_tcp: Modbus TCP, in the same words.
        rfc2217: a serial port over the network, in the same words.
        listen: another address than 127.0.0.1 to listen on; if others can reach it, only with `allow`.
        allow: networks from which clients may come, in CIDR notation with commas between them.
    """

    link: str | Path | None = None
    tcp: str | None = None
    modbus_tcp: str | None = None
    rfc2217: str | None = None
    listen: str | None = None
    allow: str | None = None

    def check(self) -> None:
        """Find out what can be found out from the words.

        Raises:
            EndpointError: not addresses or networks, or no place for the link.
        """
        access = Access.parse(self.listen, self.allow)
        if self.listen is not None and not self._addresses():
            raise EndpointError(
                f"nothing is served over the network, so nobody can come to {self.listen}; "
                "add --tcp, --modbus-tcp or --rfc2217, or leave --listen out"
            )
        for host, _ in self._addresses():
            access.address(host)
        if self.link is not None:
            check_link(Path(self.link))

    def try_out(self) -> None:
        """Open what can be opened without anybody noticing, and close it again: making a press takes seconds.

        Raises:
            EndpointError: a port that is taken, asked for twice or not for this user, or a link that cannot be made.
        """
        access = Access.parse(self.listen, self.allow)
        with ExitStack() as stack:
            for host, port in self._addresses():
                stack.callback(Listener(host, port, access).close)
        if self.link is not None:
            try_link(Path(self.link))

    def _addresses(self) -> list[tuple[str | None, int]]:
        return [parse_address(text) for text in (self.tcp, self.modbus_tcp, self.rfc2217) if text is not None]


@contextmanager
def open_endpoints(places: Places = Places(), unit: int = 1) -> Iterator[Sequence[Endpoint]]:
    """Open all endpoints that are asked for; closed at the end.

    Args:
        places: where masters come in.
        unit: address of the press's node.

    Raises:
        EndpointError: one of them cannot be opened.
    """
    access = Access.parse(places.listen, places.allow)
    networked = (places.tcp, places.modbus_tcp, places.rfc2217)
    with ExitStack() as stack:
        endpoints: list[Endpoint] = []

        def opened(endpoint: Endpoint) -> None:
            stack.callback(endpoint.close)
            endpoints.append(endpoint)

        if places.link is not None or networked == (None, None, None):
            opened(PtyEndpoint(places.link))
        if places.tcp is not None:
            opened(TcpEndpoint(*parse_address(places.tcp), access=access))
        if places.modbus_tcp is not None:
            opened(ModbusTcpEndpoint(*parse_address(places.modbus_tcp), unit, access))
        if places.rfc2217 is not None:
            opened(Rfc2217Endpoint(*parse_address(places.rfc2217), access))
        yield endpoints


@contextmanager
def open_control(path: str | Path | None) -> Iterator[Control | None]:
    """Open a control socket, removed at the end; without a path there is none.

    Raises:
        EndpointError: it cannot be made.
    """
    if path is None:
        yield None
        return
    control = ControlSocket(path)
    try:
        yield control
    finally:
        control.close()


def main_loop(
    world: World,
    endpoints: Sequence[Endpoint],
    speed: float = 1.0,
    announce: Callable[[], object] | None = None,
    control: Control | None = None,
    *,
    baud_limit: bool = True,
) -> PacedCounters:
    """Serve until SIGINT, SIGTERM or SIGHUP; in a thread other than the main one, for ever.

    Args:
        world: it goes on from its own time.
        endpoints: where clients come in; they stay open.
        speed: world seconds per wall second.
        announce: called once a signal will end this cleanly.
        control: who may change speed and world meanwhile.
        baud_limit: whether bytes take their time on the line (`emulator.ports.paced.serve`).
    """
    with _ended_by_signal() as ended:
        if announce is not None:
            announce()
        return serve(world, endpoints, speed, ended.is_set, control, baud_limit=baud_limit)


@contextmanager
def _ended_by_signal() -> Iterator[threading.Event]:
    ended = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield ended
        return

    def end(signum: int, frame: FrameType | None) -> None:
        ended.set()

    previous = {number: signal.signal(number, end) for number in SIGNALS}
    try:
        yield ended
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
