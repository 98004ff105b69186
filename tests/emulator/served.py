"""A world that another thread serves, for clients that block; and clients that do not, for those in the loop."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from emulator.ports.paced import Endpoint, serve

SECOND_NS = 1_000_000_000
PATIENCE_NS = 10 * SECOND_NS


@contextmanager
def in_thread(world: Any, endpoints: Sequence[Endpoint], speed: float = 1.0) -> Iterator[None]:
    """Serve for the length of a block."""
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=(world, endpoints, speed, stop.is_set))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def serve_until(world: Any, endpoints: Sequence[Endpoint], condition: Callable[[], object], speed: float = 1.0) -> None:
    """Serve until a condition holds; fails if it does not within ten seconds."""
    end_ns = time.monotonic_ns() + PATIENCE_NS
    serve(world, endpoints, speed, lambda: bool(condition()) or time.monotonic_ns() > end_ns)
    assert condition(), "not within the deadline"


def address_of(endpoint: Endpoint) -> tuple[str, int]:
    """Host and port of an endpoint on the network."""
    host, port = endpoint.url.partition("//")[2].rsplit(":", 1)
    return host.strip("[]"), int(port)


class Client:
    """A TCP client that waits for nothing."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.socket = socket.create_connection(address_of(endpoint))
        self.socket.setblocking(False)
        self.got = b""
        self.hung_up = False

    def poll(self) -> bytes:
        """Read what is there; all that was read so far."""
        try:
            data = self.socket.recv(1 << 16)
            self.got += data
            self.hung_up |= not data
        except BlockingIOError:
            pass
        except OSError:
            self.hung_up = True
        return self.got

    def is_hung_up_on(self) -> bool:
        """Whether the other end has closed."""
        self.poll()
        return self.hung_up

    def say(self, data: bytes) -> None:
        """Send; a connection that is closed already is no error."""
        with contextlib.suppress(OSError):
            self.socket.sendall(data)

    def close(self) -> None:
        self.socket.close()
