"""Sockets on which clients come in over TCP, and who may come.

Nothing on this line authenticates a client. So listeners stand on loopback addresses, which only programs of this
machine can reach; any other address has to be named, together with the networks from which clients may come.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from emulator.bus import Bus
from emulator.ports.paced import READ_SIZE, EndpointError

__all__ = ["IDLE_NS", "LOCAL", "Access", "Listener", "OneClient", "parse_address"]

IDLE_NS = 600_000_000_000
"""Wall time after which a client that says nothing is hung up on, so that one that died does not stand in the way."""
LONGEST_UNBROKEN = 65_536
"""Bytes of one client which always has more to say, hundreds of times the longest frame; then it is hung up on."""
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def parse_address(text: str) -> tuple[str | None, int]:
    """Host, if there is one, and port of `HOST:PORT` or `PORT`.

    Raises:
        EndpointError: it is neither.
    """
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdecimal() and int(port) <= 65_535):
        raise EndpointError(f"{text!r} is not HOST:PORT with a port from 0 to 65535")
    return host or None, int(port)


@dataclass(frozen=True, slots=True)
class Access:
    """Where clients may come in, and from where.

    Attributes:
        listen: the address to listen on, where none is given with the port; None for 127.0.0.1.
        allowed: networks of clients; empty for every one that can reach a loopback address.
    """

    listen: Address | None = None
    allowed: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, listen: str | None, allow: str | None) -> Access:
        """From an IP address, and networks in CIDR notation with commas between them.

        Raises:
            EndpointError: they are none, or an address that others can reach is to be open to everybody.
        """
        address = None if listen is None else _address(listen)
        networks = []
        for text in [] if allow is None else allow.split(","):
            try:
                networks.append(ipaddress.ip_network(text.strip()))
            except ValueError as error:
                raise EndpointError(
                    f"{text.strip()!r} is not a network such as 192.168.1.0/24 or 10.0.0.7: {error}"
                ) from None
        if networks and address is None:
            raise EndpointError("a list of clients goes with the address that they may use; give --listen ADDR")
        if address is not None and not address.is_loopback and not networks:
            raise EndpointError(
                f"{address} is reachable from other machines, and the line has no authentication; say which clients "
                "may come with --allow CIDR, as in --allow 192.168.1.0/24"
            )
        return cls(address, tuple(networks))

    def address(self, host: str | None) -> Address:
        """Where to listen.

        Args:
            host: address that was given with the port; None if none was.

        Raises:
            EndpointError: it is no address, or one that others can reach and `listen` does not name.
        """
        if host is None:
            return self.listen or IPv4Address("127.0.0.1")
        address = _address(host)
        if not address.is_loopback and address != self.listen:
            raise EndpointError(
                f"{host} is reachable from other machines, and the line has no authentication; use 127.0.0.1 or "
                f"::1 and, from elsewhere, a tunnel such as ssh -L, or --listen {host} with --allow CIDR"
            )
        return address

    def permits(self, peer: str) -> bool:
        """Whether a client with this address may come in."""
        if not self.allowed:
            return True
        address = ipaddress.ip_address(peer.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return any(address in network for network in self.allowed)


LOCAL = Access()
"""Programs of this machine, and nobody else."""


def _address(text: str) -> Address:
    try:
        return ipaddress.ip_address("127.0.0.1" if text == "localhost" else text.strip("[]"))
    except ValueError:
        raise EndpointError(f"{text!r} is not an IP address; use 127.0.0.1, ::1 or localhost") from None


class Listener:
    """A listening socket.

    Args:
        host: an address, or None for that of `access`.
        port: TCP port; 0 for any that is free.
        access: where clients may come in, and from where.

    Attributes:
        place: `ADDRESS:PORT` as in a URL.
        refused: clients that were hung up on because they come from elsewhere.

    Raises:
        EndpointError: clients must not come in there, or the port is taken.
    """

    def __init__(self, host: str | None, port: int, access: Access) -> None:
        address = access.address(host)
        family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
        name = f"[{address}]" if address.version == 6 else str(address)
        self._access = access
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((str(address), port))
            self._socket.listen()
        except (OSError, OverflowError) as error:
            self._socket.close()
            raise EndpointError(f"cannot listen on {name}:{port}: {error}; choose another port, or 0") from error
        self._socket.setblocking(False)
        self.place = f"{name}:{self._socket.getsockname()[1]}"
        self.refused = 0

    def fileno(self) -> int:
        """Readable when somebody wants to come in."""
        return self._socket.fileno()

    def accept(self) -> socket.socket | None:
        """The next client that may come in; those that may not are hung up on."""
        while True:
            try:
                client, peer = self._socket.accept()
            except OSError:
                return None
            if self._access.permits(peer[0]):
                client.setblocking(False)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                return client
            client.close()
            self.refused += 1

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()


class OneClient:
    """What endpoints have in common that carry a line as a stream for one client at a time.

    Whoever comes second is hung up on at once; when the adapter is pulled, so is the one that is there, and so is one
    that talks and talks: what is on its way in the network would hold the line for minutes after it has left.

    Args:
        listener: where clients come in.
        idle_ns: wall time after which a client that says nothing is hung up on.
    """

    ready = False

    def __init__(self, listener: Listener, idle_ns: int) -> None:
        self._listener = listener
        self._client: socket.socket | None = None
        self._idle_ns = idle_ns
        self._heard_wall_ns: int | None = None
        self._unbroken = 0
        self._plugged = True
        self._gone = False

    def waits_on(self) -> tuple[int, ...]:
        """The listening socket, and the client's if there is one."""
        if self._client is None:
            return (self._listener.fileno(),)
        return (self._listener.fileno(), self._client.fileno())

    def _take(self) -> bytes | None:
        """Let clients in, or not; bytes of the one that is in, None if it has gone since the last call."""
        if self._gone:
            self._gone = False
            return None
        if self._client is None:
            self._let_in()
        if self._client is None:
            return b""
        try:
            data = self._client.recv(READ_SIZE)
        except BlockingIOError:
            # it is there and has nothing to say: whoever else wants to come in comes second
            self._unbroken = 0
            self._let_in()
            return b""
        except OSError:
            data = b""
        if not data:
            self._hang_up()
            self._gone = False
            return None
        self._heard_wall_ns = None
        self._unbroken += len(data)
        return data

    def _let_in(self) -> None:
        """The next who wants to come in may, or is hung up on."""
        arrival = self._listener.accept()
        if arrival is None:
            return
        if self._client is not None or not self._plugged:
            arrival.close()
            return
        self._client, self._heard_wall_ns, self._unbroken = arrival, None, 0
        self._greet()

    def _greet(self) -> None:
        """A client has come in."""

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
            self._gone = True

    def turn(self, bus: Bus, wall_ns: int) -> int | None:
        """Hang up when the adapter is pulled, or the client is silent or talks for too long; nothing else is due."""
        self._plugged = bus.state.plugged
        if self._client is None:
            return None
        if self._heard_wall_ns is None:
            self._heard_wall_ns = wall_ns
        talks_on = self._unbroken > LONGEST_UNBROKEN
        if not self._plugged or talks_on or wall_ns - self._heard_wall_ns > self._idle_ns:
            self._hang_up()
        return None

    def close(self) -> None:
        """Hang up and stop listening."""
        self._hang_up()
        self._listener.close()

    def _give(self, data: bytes) -> int:
        """Hand bytes to the client; returns how many it took."""
        if self._client is None:
            return 0
        with contextlib.suppress(OSError):
            return self._client.send(data)
        return 0
