"""A TCP socket as endpoint: the bytes of the line as a stream, as cheap serial servers give them.

    press-rig emulate --tcp 127.0.0.1:5020      →      serial.serial_for_url("socket://127.0.0.1:5020")

It carries Modbus RTU frames, not Modbus TCP (`emulator.ports.modbus_tcp`). One master at a time: whoever comes second
is hung up on at once.
"""

from __future__ import annotations

from emulator.bus import LineSettings
from emulator.ports.listener import IDLE_NS, LOCAL, Access, Listener, OneClient

__all__ = ["TcpEndpoint"]

DEFAULT_BAUD = 115_200
"""Of the virtual line if nobody says anything, bit/s."""


class TcpEndpoint(OneClient):
    """A listening socket.

    Args:
        host: an IP address, or `localhost`; None for that of `access`.
        port: TCP port; 0 for any that is free.
        line: settings of the virtual line; None for the baud rate of the nodes, or 115,200 bit/s.
        access: where clients may come in, and from where.
        idle_ns: wall time after which a client that says nothing is hung up on.

    Raises:
        EndpointError: clients must not come in there, or the port is taken.
    """

    speaks = "Modbus RTU"

    def __init__(
        self,
        host: str | None = None,
        port: int = 0,
        line: LineSettings | None = None,
        access: Access = LOCAL,
        idle_ns: int = IDLE_NS,
    ) -> None:
        super().__init__(Listener(host, port, access), idle_ns)
        self._line = line

    @property
    def url(self) -> str:
        """`socket://` with the port that is listened on."""
        return f"socket://{self._listener.place}"

    def receive(self) -> bytes | None:
        """Let clients in, or not; bytes of the one that is in."""
        return self._take()

    def line(self, node_baud: int | None) -> LineSettings:
        """The settings that were given: a TCP client has none."""
        return self._line or LineSettings(node_baud or DEFAULT_BAUD)

    def send(self, data: bytes) -> int:
        """Hand bytes to the client."""
        return self._give(data)
