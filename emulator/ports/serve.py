"""Serve a world to other processes until somebody presses Ctrl-C.

with open_endpoint(tcp="127.0.0.1:0") as endpoint:
    print(endpoint.url, flush=True)
    main_loop(world, endpoint, speed=1.0)
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from emulator.ports.control import ControlSocket, check_control
from emulator.ports.paced import Control, Endpoint, EndpointError, PacedCounters, serve
from emulator.ports.pty import PtyEndpoint, check_link
from emulator.ports.tcp import TcpEndpoint

if TYPE_CHECKING:
    from emulator.world import World

__all__ = [
    "Endpoint",
    "EndpointError",
    "PacedCounters",
    "check_control",
    "check_link",
    "main_loop",
    "open_control",
    "open_endpoint",
    "parse_address",
]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def open_endpoint(tcp: str | None = None, link: str | Path | None = None) -> Iterator[Endpoint]:
    """Open a TCP endpoint if an address is given, else a pseudo-terminal; closed at the end.

    Args:
        tcp: `HOST:PORT`, or `PORT` on 127.0.0.1; port 0 for any that is free.
        link: path of a symbolic link to the pseudo-terminal.

    Raises:
        EndpointError: it cannot be opened.
    """
    if tcp is not None and link is not None:
        raise EndpointError("a link leads to a pseudo-terminal, not to a TCP port; give one of the two")
    endpoint: Endpoint = PtyEndpoint(link) if tcp is None else TcpEndpoint(*parse_address(tcp))
    try:
        yield endpoint
    finally:
        endpoint.close()


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


def parse_address(tcp: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`, or of `PORT` on 127.0.0.1.

    Raises:
        EndpointError: it is neither.
    """
    host, _, port = tcp.rpartition(":")
    if not (port.isascii() and port.isdecimal() and int(port) <= 65_535):
        raise EndpointError(f"{tcp!r} is not HOST:PORT with a port from 0 to 65535")
    return host or "127.0.0.1", int(port)


def main_loop(
    world: World,
    endpoint: Endpoint,
    speed: float = 1.0,
    announce: Callable[[str], object] | None = None,
    control: Control | None = None,
) -> PacedCounters:
    """Serve until SIGINT, SIGTERM or SIGHUP; in a thread other than the main one, for ever.

    Args:
        world: it goes on from its own time.
        endpoint: where clients come in; it stays open.
        speed: world seconds per wall second.
        announce: called with the endpoint's URL once a signal will end this cleanly.
        control: who may change speed and world meanwhile.
    """
    with _ended_by_signal() as ended:
        if announce is not None:
            announce(endpoint.url)
        return serve(world, endpoint, speed, ended.is_set, control)


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
