"""The server: requests in, answers out (Serial Line V1.02, section 2.4.2).

A server hears the whole line: requests to it, requests to others and the others' answers. It
reports what is for it and is silent about the rest; what is no frame at all is reported as
`BadFrame` and counted, never answered. It keeps no state of an exchange: `send` is told which
request it answers.

What to answer is not decided here but in `rig.protocol.respond`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from rig.protocol.errors import LocalProtocolError
from rig.protocol.events import BadFrame, RequestReceived, ServerEvent
from rig.protocol.framing import Frame, Framer, Framing
from rig.protocol.grammar import (
    BROADCAST,
    BROADCAST_FUNCTIONS,
    EXCEPTION_FLAG,
    MAX_UNIT,
    request_length,
    response_length,
)
from rig.protocol.pdu import Request, Response, encode_frame, receive_request
from rig.protocol.requests import InvalidRequest
from rig.protocol.responses import ExceptionResponse, RawResponse
from rig.protocol.timing import LineTiming

__all__ = ["Server", "ServerCounters", "request_to"]


def request_to(units: frozenset[int], frame: bytes) -> tuple[int, Request | InvalidRequest] | None:
    """Read what a frame asks of a server.

    Args:
        units: the server's addresses.
        frame: a whole frame whose CRC is right.

    Returns:
        The address it was sent to and the request; None if nothing is to be done: it is for others, an answer,
        or a broadcast that is no write or breaks the specification.
    """
    unit = frame[0]
    # An exception function code is no request, whoever it is addressed to; answering one would make an echo
    # talk to itself.
    if (unit not in units and unit != BROADCAST) or frame[1] & EXCEPTION_FLAG:
        return None
    request = receive_request(frame[1:-2])
    if unit == BROADCAST and (isinstance(request, InvalidRequest) or request.function not in BROADCAST_FUNCTIONS):
        return None
    return unit, request


@dataclass(slots=True)
class ServerCounters:
    """What a server has seen and said since it started (V1.1b3, section 6.8 has most of them).

    Attributes:
        bus_messages: frames with a valid CRC, to and from anybody.
        bus_errors: pieces of the stream that were no frame.
        requests: requests to this server, broadcasts included.
        broadcasts: those of them that nobody answers.
        ignored_broadcasts: broadcasts that are no writes or break the specification.
        answers: answers sent.
        exceptions: those of them that decline.
    """

    bus_messages: int = 0
    bus_errors: int = 0
    requests: int = 0
    broadcasts: int = 0
    ignored_broadcasts: int = 0
    answers: int = 0
    exceptions: int = 0


@dataclass(frozen=True, slots=True)
class _LineReader:
    """Expects requests to us, and from others' addresses either direction."""

    units: frozenset[int]

    def lengths(self, data: bytes, start: int) -> tuple[int, ...]:
        unit = data[start]
        if unit in self.units or unit == BROADCAST:
            return (request_length(data, start),)
        return (request_length(data, start), response_length(data, start))

    def is_awaited(self, _data: bytes, _start: int) -> bool:
        return True


class Server:
    """Sans-I/O server for one or more units.

    It frames by expected length unless told otherwise, which is the more robust of the two here. A
    request is known with its last byte, whether the line shows pauses (a simulated or real one) or
    not (a pty, TCP, a USB adapter that hands over two requests at once); the answers of other units
    are measured with the grammar of answers and skipped as a whole, so that nothing inside them is
    taken for a request; and a pause still ends whatever is unfinished or unknown, so that no piece
    of garbage outlives it. `Framing.SILENCE` is stricter, losing a request to a single stray byte
    before it, and answers later by 3.5 characters; choose it to behave like such a device.

    An adapter that echoes what is sent needs the echo removed first: the answer to a single write
    looks like its request.
    """

    def __init__(
        self,
        units: Iterable[int],
        timing: LineTiming,
        *,
        framing: Framing = Framing.LENGTH,
        gap_ns: int | None = None,
    ) -> None:
        """Start listening.

        Args:
            units: the addresses to answer for, 1 to 247.
            timing: the line.
            framing: how the end of a request is found.
            gap_ns: the pause that ends a frame, in ns; None for 3.5 characters. Where pauses come
                from the operating system, more than its worst delay within a frame.

        Raises:
            LocalProtocolError: no address, or an impossible one.
        """
        self.units = frozenset(units)
        if not self.units or not all(BROADCAST < unit <= MAX_UNIT for unit in self.units):
            raise LocalProtocolError(f"units are {sorted(self.units)}, expected at least one, each 1 to {MAX_UNIT}")
        self.timing = timing
        self.counters = ServerCounters()
        self._framer = Framer(_LineReader(self.units), timing, framing, gap_ns)
        self._events: deque[ServerEvent] = deque()

    def receive(self, data: bytes, now: int) -> None:
        """Take in bytes whose last one was complete at `now`, in ns."""
        self._take(self._framer.feed(bytes(data), now))

    def receive_block(self, data: bytes, now: int) -> None:
        """Take in all that came between two silences, for drivers that know where these are.

        Args:
            data: the block.
            now: when its last byte was complete, in ns.
        """
        self._take(self._framer.feed_block(bytes(data), now))

    def next_event(self) -> ServerEvent | None:
        """Return the oldest event not yet taken."""
        return self._events.popleft() if self._events else None

    def deadline(self) -> int | None:
        """Return when to call `expire` at the latest, in ns; None while nothing is unfinished."""
        return self._framer.deadline()

    def expire(self, now: int) -> None:
        """Let time pass until `now`, in ns: a pause of 3.5 characters ends what is unfinished."""
        self._take(self._framer.expire(now))

    def send(self, response: Response, to: RequestReceived, now: int) -> bytes:
        """Answer a request.

        Args:
            response: the answer.
            to: the request it answers.
            now: when the first byte goes out, in ns.

        Returns:
            The frame to send; nothing for a broadcast.

        Raises:
            LocalProtocolError: the answer is to another function, breaks a limit, or would go out
                before the request was complete.
        """
        if now < to.end_ns:
            raise LocalProtocolError(f"answer at {now} ns, expected after the request's end at {to.end_ns} ns")
        if type(response) is not RawResponse and response.function != to.request.function:
            raise LocalProtocolError(
                f"answer is to function {response.function}, expected {to.request.function} as requested"
            )
        frame = encode_frame(to.unit, response)
        if to.is_broadcast:
            return b""
        counters = self.counters
        counters.answers += 1
        if type(response) is ExceptionResponse:
            counters.exceptions += 1
        return frame

    def _take(self, frames: list[Frame]) -> None:
        counters = self.counters
        for frame in frames:
            if frame.fault is not None:
                counters.bus_errors += 1
                self._events.append(BadFrame(frame.fault, frame.fault.value, frame.raw, frame.start_ns, frame.end_ns))
                continue
            counters.bus_messages += 1
            heard = request_to(self.units, frame.raw)
            if heard is None:
                if frame.raw[0] == BROADCAST and not frame.raw[1] & EXCEPTION_FLAG:
                    counters.ignored_broadcasts += 1
                continue
            unit, request = heard
            counters.requests += 1
            if unit == BROADCAST:
                counters.broadcasts += 1
            self._events.append(RequestReceived(unit, request, frame.raw, frame.start_ns, frame.end_ns))
