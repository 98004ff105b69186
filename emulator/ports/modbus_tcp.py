"""A Modbus TCP gateway as endpoint: requests of several clients, one after the other on the serial line.

    press-rig emulate --modbus-tcp 1502      →      ModbusTcpClient("127.0.0.1", port=1502)

It does what a gateway on a rail does. Requests wait in a queue, of every client in turn; each goes on the line as an
RTU frame, and the answer goes back under its transaction number. A unit that does not answer in time, or whose answer
is damaged, is exception 0x0B. Broadcasts (unit 0) are not answered. Unit 255, which clients take for "the one behind
this address", is the press.
"""

from __future__ import annotations

import socket
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from emulator.bus import Bus, LineSettings
from emulator.ports import mbap
from emulator.ports.listener import IDLE_NS, LOCAL, Access, Listener
from emulator.ports.mbap import Adu, MbapError
from emulator.ports.paced import READ_SIZE
from emulator.ports.tcp import DEFAULT_BAUD
from rig.protocol import BROADCAST, is_frame
from rig.protocol.crc import append_crc

__all__ = ["ModbusTcpEndpoint"]

MOST_CLIENTS: Final = 8
MOST_REQUESTS: Final = 16
"""Of one client in the queue; what it sends beyond that is not read before."""
ANSWER_NS: Final = 1_000_000_000
"""World time from the end of a request within which its answer is complete."""
LONGEST_UNSENT: Final = 65_536
"""Bytes of answers that wait for a client which does not read; then it is hung up on."""
LONGEST_HEARD: Final = 1024
"""Bytes of the line that are kept for an answer; what babbles more has lost the beginning."""
LAST_UNIT: Final = 247
ITSELF: Final = 255


@dataclass(slots=True, eq=False)
class _Client:
    """Somebody who asks.

    Attributes:
        unread: bytes that are not a whole frame yet.
        requests: in the order in which they came.
        unsent: answers that are still to be sent.
        heard_wall_ns: when it last said something; None for just now.
        is_done: it has said all that it will; it may still be waiting for answers.
        gone: to be hung up on.
    """

    socket: socket.socket
    unread: bytearray = field(default_factory=bytearray)
    requests: deque[Adu] = field(default_factory=deque)
    unsent: bytearray = field(default_factory=bytearray)
    heard_wall_ns: int | None = None
    is_done: bool = False
    gone: bool = False

    @property
    def is_hungry(self) -> bool:
        """Whether there is room for more of its requests."""
        return len(self.requests) < MOST_REQUESTS and not self.is_done


@dataclass(slots=True)
class _Asked:
    """The request that is on the line.

    Attributes:
        frame: as it went on the line.
        heard: what came back so far.
        deadline_ns: world time at which it is given up; None until it is on the line.
    """

    client: _Client
    request: Adu
    frame: bytes
    heard: bytearray = field(default_factory=bytearray)
    deadline_ns: int | None = None


class ModbusTcpEndpoint:
    """A listening socket for Modbus TCP.

    Args:
        host: an IP address, or `localhost`; None for that of `access`.
        port: TCP port; 0 for any that is free.
        itself: address of the node that unit 255 means.
        access: where clients may come in, and from where.
        idle_ns: wall time after which a client that says nothing is hung up on.

    Raises:
        EndpointError: clients must not come in there, or the port is taken.
    """

    speaks = "Modbus TCP"

    def __init__(
        self,
        host: str | None = None,
        port: int = 0,
        itself: int = 1,
        access: Access = LOCAL,
        idle_ns: int = IDLE_NS,
    ) -> None:
        self._listener = Listener(host, port, access)
        self._itself = itself
        self._idle_ns = idle_ns
        self._clients: deque[_Client] = deque()
        self._asked: _Asked | None = None

    @property
    def url(self) -> str:
        """`modbus-tcp://` with the port that is listened on."""
        return f"modbus-tcp://{self._listener.place}"

    @property
    def ready(self) -> bool:
        """Whether a request waits for the line."""
        return self._asked is None and any(client.requests for client in self._clients)

    def waits_on(self) -> tuple[int, ...]:
        """The listening socket, and the clients' that have room in the queue."""
        hungry = [client.socket.fileno() for client in self._clients if client.is_hungry]
        return (self._listener.fileno(), *hungry)

    def receive(self) -> bytes | None:
        """Let clients in, read requests; the next of them for the line if it is free."""
        for client in self._clients:
            self._read(client)
        self._dismiss()
        while (arrival := self._listener.accept()) is not None:
            if len(self._clients) < MOST_CLIENTS:
                self._clients.append(_Client(arrival))
            else:
                arrival.close()
        return self._next() if self._asked is None else b""

    def _read(self, client: _Client) -> None:
        if not client.is_hungry:
            return
        try:
            data = client.socket.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            client.gone = True
            return
        client.is_done = not data
        client.heard_wall_ns = None
        client.unread += data
        try:
            for request in mbap.split(client.unread):
                client.requests.append(request)
        except MbapError:
            client.gone = True

    def _next(self) -> bytes:
        """The next request as an RTU frame, of every client in turn; empty if there is none."""
        for _ in range(len(self._clients)):
            client = self._clients[0]
            self._clients.rotate(-1)
            while client.requests:
                request = client.requests.popleft()
                unit = self._itself if request.unit == ITSELF else request.unit
                if unit > LAST_UNIT:
                    self._say(client, mbap.exception(request, mbap.PATH_UNAVAILABLE))
                    continue
                frame = append_crc(bytes([unit]) + request.pdu)
                self._asked = _Asked(client, request, frame)
                return frame
        return b""

    def line(self, node_baud: int | None) -> LineSettings:
        """The gateway's own: a TCP client has none."""
        return LineSettings(node_baud or DEFAULT_BAUD)

    def send(self, data: bytes) -> int:
        """Bytes of the line, for the request that is on it; nobody else wants them."""
        if self._asked is None:
            return 0
        heard = self._asked.heard
        heard += data
        del heard[:-LONGEST_HEARD]
        return len(data)

    def turn(self, bus: Bus, wall_ns: int) -> int | None:
        """Answer the request on the line when the answer is complete or nothing can come any more."""
        asked, due_ns, now_ns = self._asked, None, bus.agenda.now_ns
        if asked is not None:
            if asked.deadline_ns is None:
                asked.deadline_ns = max(bus.state.sent_ns, now_ns) + ANSWER_NS
            is_quiet = bus.due_ns is None and not bus.state.replies
            heard = asked.heard[len(asked.frame) :] if bus.adapter.echo else asked.heard
            is_complete = is_quiet and (bool(heard) or asked.frame[0] == BROADCAST)
            if is_complete or now_ns >= asked.deadline_ns:
                self._asked = None
                self._conclude(asked, heard)
            else:
                due_ns = asked.deadline_ns
        for client in self._clients:
            self._send(client)
            if client.heard_wall_ns is None:
                client.heard_wall_ns = wall_ns
            client.gone |= wall_ns - client.heard_wall_ns > self._idle_ns
            is_awaited = self._asked is not None and self._asked.client is client
            client.gone |= client.is_done and not (client.requests or client.unsent or is_awaited)
        self._dismiss()
        return due_ns

    def _conclude(self, asked: _Asked, heard: bytearray) -> None:
        """Tell the client what came back."""
        request = asked.request
        if asked.frame[0] == BROADCAST:
            return
        pdu = _answer_in(heard, asked.frame[0], request.pdu[0])
        if pdu is None:
            self._say(asked.client, mbap.exception(request, mbap.SILENT))
        else:
            self._say(asked.client, Adu(request.transaction, request.unit, pdu))

    def _say(self, client: _Client, answer: Adu) -> None:
        client.unsent += answer.encode()
        self._send(client)

    def _send(self, client: _Client) -> None:
        if not client.unsent:
            return
        try:
            del client.unsent[: client.socket.send(client.unsent)]
        except BlockingIOError:
            client.gone = len(client.unsent) > LONGEST_UNSENT
        except OSError:
            client.gone = True

    def _dismiss(self) -> None:
        """Hang up on those who have gone, or should."""
        for client in [client for client in self._clients if client.gone]:
            client.socket.close()
            self._clients.remove(client)

    def close(self) -> None:
        """Hang up and stop listening."""
        for client in self._clients:
            client.socket.close()
        self._clients.clear()
        self._listener.close()


def _answer_in(heard: bytearray, unit: int, function: int) -> bytes | None:
    """The PDU of this unit's answer at the end of what was heard; None if there is none that is sound."""
    for begin in range(max(len(heard) - 4, 0)):
        if heard[begin] == unit and heard[begin + 1] & 0x7F == function & 0x7F:
            frame = bytes(heard[begin:])
            if is_frame(frame):
                return frame[1:-2]
    return None
