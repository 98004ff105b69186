"""A TCP socket as endpoint: the bytes of the line as a stream, as cheap serial servers give them.

    press-rig emulate --tcp 127.0.0.1:5020      →      serial.serial_for_url("socket://127.0.0.1:5020")

It carries Modbus RTU frames, not Modbus TCP. There is no authentication, so it listens on loopback
addresses only. One master at a time: whoever comes second is hung up on at once.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Sequence

from emulator.bus import LineSettings
from emulator.ports.paced import READ_SIZE, EndpointError

__all__ = ["TcpEndpoint"]

DEFAULT_BAUD = 115_200
"""Of the virtual line if nobody says anything, bit/s."""


class TcpEndpoint:
    """A listening socket.

    Args:
        host: a loopback address, or `localhost`.
        port: TCP port; 0 for any that is free.
        line: settings of the virtual line; None for the baud rate of the nodes, or 115,200 bit/s.

    Raises:
        EndpointError: not a loopback address, or the port is taken.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, line: LineSettings | None = None) -> None:
        address = _loopback(host)
        family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
        self._line = line
        self._client: socket.socket | None = None
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((str(address), port))
            self._listener.listen()
        except (OSError, OverflowError) as error:
            self._listener.close()
            raise EndpointError(f"cannot listen on {host}:{port}: {error}; choose another port, or 0") from error
        self._listener.setblocking(False)
        name = f"[{address}]" if address.version == 6 else str(address)
        self._url = f"socket://{name}:{self._listener.getsockname()[1]}"

    @property
    def url(self) -> str:
        """`socket://` with the port that is listened on."""
        return self._url

    def waits_on(self) -> Sequence[int]:
        """The listening socket, and the client's if there is one."""
        if self._client is None:
            return (self._listener.fileno(),)
        return (self._listener.fileno(), self._client.fileno())

    def receive(self) -> bytes | None:
        """Let clients in, or not; bytes of the one that is in."""
        if self._client is None:
            self._client = self._accept()
        gone = False
        data = b""
        if self._client is not None:
            try:
                data = self._client.recv(READ_SIZE)
                gone = not data
            except BlockingIOError:
                pass
            except OSError:
                gone = True
        if gone:
            self._hang_up()
        elif self._client is not None and (second := self._accept()) is not None:
            second.close()
        return None if gone else data

    def _accept(self) -> socket.socket | None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return None
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def line(self, node_baud: int | None) -> LineSettings:
        """The settings that were given: a TCP client has none."""
        if self._line is not None:
            return self._line
        return LineSettings(node_baud or DEFAULT_BAUD)

    def send(self, data: bytes) -> int:
        """Hand bytes to the client."""
        if self._client is None:
            return 0
        with contextlib.suppress(OSError):
            return self._client.send(data)
        return 0

    def close(self) -> None:
        """Hang up and stop listening."""
        self._hang_up()
        self._listener.close()


def _loopback(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host.strip("[]"))
    except ValueError:
        raise EndpointError(f"{host!r} is not an IP address; use 127.0.0.1, ::1 or localhost") from None
    if not address.is_loopback:
        raise EndpointError(
            f"{host} is reachable from other machines, and the line has no authentication; use 127.0.0.1 or "
            "::1 and, from elsewhere, a tunnel such as ssh -L"
        )
    return address
