"""The client: one request out, its answer in (Serial Line V1.02, section 2.4.1).

A client is idle, or waits for an answer, or lets the turnaround delay after a broadcast pass. Only
an idle client may send. Waiting ends with exactly one of `ResponseReceived`, `ExceptionReceived`,
`ResponseBroken` and `ResponseTimeout`. Anything else that comes in the meantime (other units, other
functions, late answers that do not fit, noise) is reported as `BadFrame` and the waiting goes on,
because the answer may still come.

A driver calls `receive` for bytes, `expire` when `deadline` has come, and after each takes all
events with `next_event`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from rig.protocol.errors import LocalProtocolError, RemoteProtocolError
from rig.protocol.events import (
    BadFrame,
    BytesDiscarded,
    ClientEvent,
    ExceptionReceived,
    FrameFault,
    ResponseBroken,
    ResponseReceived,
    ResponseTimeout,
    TurnaroundElapsed,
)
from rig.protocol.framing import Frame, Framer, Framing
from rig.protocol.grammar import BROADCAST, BROADCAST_FUNCTIONS, EXCEPTION_FLAG, MAX_UNIT, response_length
from rig.protocol.pdu import Awaited, NormalResponse, Request, awaited_after, decode_response, encode_frame
from rig.protocol.requests import RawRequest
from rig.protocol.responses import ExceptionResponse
from rig.protocol.shapes import Span
from rig.protocol.timing import LineTiming

__all__ = ["Client"]

_SECOND_NS = 1_000_000_000
_MOST_PREPARED = 64


class _Exchange(NamedTuple):
    """A request that is out, and until when it is waited for."""

    unit: int
    request: Request | RawRequest
    sent_ns: int
    deadline_ns: int
    awaited: Awaited | None


class _Prepared(NamedTuple):
    """A request as it goes out."""

    request: Request | RawRequest
    unit: int
    frame: bytes
    duration_ns: int
    awaited: Awaited | None


@dataclass(slots=True)
class _AnswerReader:
    """Expects the answer of one unit to one function; others may be whole, but hold nothing back."""

    unit: int = BROADCAST
    function: int = 0

    def lengths(self, data: bytes, start: int) -> tuple[int, ...]:
        return (response_length(data, start),)

    def is_awaited(self, data: bytes, start: int) -> bool:
        if data[start] != self.unit:
            return False
        return start + 1 >= len(data) or data[start + 1] & ~EXCEPTION_FLAG == self.function


class Client:
    """Sans-I/O client with one outstanding request.

    It frames by expected length unless told otherwise: the answer's length is known, USB adapters
    and operating systems make pauses where the line had none, and the response timeout is there to
    end what never becomes whole. Adapters that echo what is sent need the echo removed first.
    """

    def __init__(
        self,
        timing: LineTiming,
        *,
        response_timeout_ns: int = _SECOND_NS,
        turnaround_ns: int = _SECOND_NS // 10,
        framing: Framing = Framing.LENGTH,
        gap_ns: int | None = None,
    ) -> None:
        """Start idle.

        Args:
            timing: the line.
            response_timeout_ns: how long an answer may take, from the end of the request to the
                end of the answer, in ns.
            turnaround_ns: pause after a broadcast, in ns.
            framing: how the end of an answer is found.
            gap_ns: the pause that ends a frame, in ns; None for 3.5 characters.
        """
        self.timing = timing
        self.response_timeout_ns = response_timeout_ns
        self.turnaround_ns = turnaround_ns
        self._reader = _AnswerReader()
        self._framer = Framer(self._reader, timing, framing, gap_ns, hold=framing is Framing.LENGTH)
        self._exchange: _Exchange | None = None
        self._events: deque[ClientEvent] = deque()
        # reads that were sent last, by the identity of the request: a poll sends the same objects again and again
        self._prepared: dict[int, _Prepared] = {}

    @property
    def is_idle(self) -> bool:
        """Whether `send` is allowed."""
        return self._exchange is None

    def send(self, request: Request | RawRequest, unit: int, now: int) -> bytes:
        """Begin an exchange.

        Args:
            request: what to ask.
            unit: whom, 1 to 247; 0 for all, who do not answer.
            now: when the first byte goes out, in ns.

        Returns:
            The frame to send.

        Raises:
            LocalProtocolError: the client is not idle, the unit is none, the request breaks a limit,
                or a broadcast is no write.
        """
        if self._exchange is not None:
            raise LocalProtocolError(
                f"{self._exchange.request} to unit {self._exchange.unit} is still out, expected to be idle; "
                "take its event first"
            )
        prepared = self._prepared.get(id(request))
        if prepared is None or prepared.request is not request or prepared.unit != unit:
            prepared = self._prepare(request, unit)
        wait_ns = self.turnaround_ns if unit == BROADCAST else self.response_timeout_ns
        self._exchange = _Exchange(unit, request, now, now + prepared.duration_ns + wait_ns, prepared.awaited)
        self._reader.unit = unit
        self._reader.function = request.function
        return prepared.frame

    def _prepare(self, request: Request | RawRequest, unit: int) -> _Prepared:
        if not BROADCAST <= unit <= MAX_UNIT:
            raise LocalProtocolError(f"unit is {unit}, expected 0 to {MAX_UNIT}")
        frame = encode_frame(unit, request)
        if unit == BROADCAST and request.function not in BROADCAST_FUNCTIONS:
            raise LocalProtocolError(
                f"function {request.function} to all units, expected one of {sorted(BROADCAST_FUNCTIONS)}: "
                "nobody answers a broadcast"
            )
        awaited = awaited_after(unit, request) if unit != BROADCAST else None
        prepared = _Prepared(request, unit, frame, self.timing.frame_ns(len(frame)), awaited)
        if isinstance(request, Span):  # a read; what is written changes
            if len(self._prepared) >= _MOST_PREPARED:
                self._prepared.clear()
            self._prepared[id(request)] = prepared  # which keeps the request alive, and so its identity its own
        return prepared

    @property
    def awaited_length(self) -> int:
        """Bytes of the answer if all goes well; 0 where that is not known."""
        exchange = self._exchange
        return exchange.awaited.length if exchange is not None and exchange.awaited is not None else 0

    def missing(self, data: bytes, now: int) -> int | None:
        """Tell how much is still to come of the awaited answer when it begins with `data`, received until `now`.

        Returns:
            A number of bytes; None if it is late, looks otherwise, or too little is there to tell. Nothing is taken in.
        """
        exchange = self._exchange
        if exchange is None or exchange.awaited is None or now > exchange.deadline_ns:
            return None
        head, length, _ = exchange.awaited
        size = len(data)
        return length - size if 2 < size <= length and head.startswith(data[: len(head)]) else None

    def take_answer(self, data: bytes, now: int) -> tuple[NormalResponse, int] | None:
        """Take in the awaited answer, whole and in one piece: what nearly always comes, without events.

        Args:
            data: what may be it.
            now: when its last byte was complete, in ns.

        Returns:
            The answer and when its first byte began; None, with nothing taken in, if it is anything else or late:
            `receive` then tells what it is.
        """
        exchange = self._exchange
        if exchange is None or exchange.awaited is None or now > exchange.deadline_ns:
            return None
        head, length, decode = exchange.awaited
        if len(data) != length or not data.startswith(head):
            return None
        start_ns = self._framer.pass_whole(data, now)
        if start_ns is None:
            return None
        self._exchange = None
        return decode(data[len(head) : -2]), start_ns

    def receive(self, data: bytes, now: int) -> None:
        """Take in bytes whose last one was complete at `now`, in ns."""
        exchange = self._exchange
        if exchange is not None and now > exchange.deadline_ns:
            self.expire(now)  # what comes late stays late, even if the driver looks late
            exchange = self._exchange
        if exchange is None or exchange.unit == BROADCAST:
            if data:
                self._events.append(BytesDiscarded(bytes(data), now))
            return
        frames = self._framer.feed(bytes(data), now)
        if frames:
            self._take(frames, now)

    def next_event(self) -> ClientEvent | None:
        """Return the oldest event not yet taken."""
        return self._events.popleft() if self._events else None

    def deadline(self) -> int | None:
        """Return when to call `expire` at the latest, in ns; None while idle."""
        exchange = self._exchange
        if exchange is None:
            return None
        pause_ns = self._framer.deadline()
        return exchange.deadline_ns if pause_ns is None else min(pause_ns, exchange.deadline_ns)

    def expire(self, now: int) -> None:
        """Let time pass until `now`, in ns."""
        self._take(self._framer.expire(now), now)
        exchange = self._exchange
        if exchange is None or now < exchange.deadline_ns:
            return
        if exchange.unit == BROADCAST:
            self._exchange = None
            self._events.append(TurnaroundElapsed(exchange.request, exchange.sent_ns, now))
            return
        self._take(self._framer.flush(), now)
        if self._exchange is not None:
            self._exchange = None
            self._events.append(ResponseTimeout(exchange.unit, exchange.request, exchange.sent_ns, now))

    def _take(self, frames: list[Frame], now: int) -> None:
        for index, frame in enumerate(frames):
            exchange = self._exchange
            if exchange is None:
                self._events.append(BytesDiscarded(frame.raw, now))
            elif frame.fault is None:
                self._conclude(exchange, frame)
            elif self._is_broken_answer(frame) and index == len(frames) - 1:
                # Nothing came behind it: the server has said what it had to say.
                self._exchange = None
                self._events.append(
                    ResponseBroken(
                        exchange.unit,
                        exchange.request,
                        frame.raw,
                        exchange.sent_ns,
                        frame.start_ns,
                        frame.end_ns,
                    )
                )
            else:
                self._reject(frame.fault, frame.fault.value, frame)
        if self._exchange is None and self._framer.state.buffer:
            for rest in self._framer.flush():
                self._events.append(BytesDiscarded(rest.raw, now))

    def _conclude(self, exchange: _Exchange, frame: Frame) -> None:
        raw = frame.raw
        request = exchange.request
        if raw[0] != exchange.unit:
            self._reject(FrameFault.WRONG_UNIT, f"unit {raw[0]} answered, expected {exchange.unit}", frame)
            return
        if raw[1] & ~EXCEPTION_FLAG != request.function:
            detail = f"answer has function code {raw[1]}, expected {request.function}"
            self._reject(FrameFault.WRONG_FUNCTION, detail, frame)
            return
        try:
            response = decode_response(raw[1:-2], request)
        except RemoteProtocolError as error:
            self._reject(FrameFault.MALFORMED, str(error), frame)
            return
        self._exchange = None
        if isinstance(response, ExceptionResponse):
            self._events.append(
                ExceptionReceived(exchange.unit, request, response, exchange.sent_ns, frame.start_ns, frame.end_ns)
            )
        else:
            self._events.append(
                ResponseReceived(exchange.unit, request, response, exchange.sent_ns, frame.start_ns, frame.end_ns)
            )

    def _is_broken_answer(self, frame: Frame) -> bool:
        return frame.fault is FrameFault.CRC and self._reader.is_awaited(frame.raw, 0)

    def _reject(self, fault: FrameFault, detail: str, frame: Frame) -> None:
        self._events.append(BadFrame(fault, detail, frame.raw, frame.start_ns, frame.end_ns))
