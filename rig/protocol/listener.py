"""The listener: both directions of a line from the outside, requests paired with answers.

Nothing in a frame says which direction it goes: the answer to a single write is its request again.
The listener knows from what came before. A frame from the unit that was asked, for the function
that was asked, within the response timeout and fitting the request, is the answer; any other frame
is a request if it can be one, and an answer without a request if it cannot.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from rig.protocol.errors import RemoteProtocolError
from rig.protocol.events import (
    BadFrame,
    FrameFault,
    ListenerEvent,
    RequestObserved,
    RequestUnanswered,
    ResponseObserved,
)
from rig.protocol.framing import Frame, Framer, Framing, is_frame
from rig.protocol.grammar import BROADCAST, EXCEPTION_FLAG, request_length, response_length
from rig.protocol.pdu import Response, decode_response, receive_request
from rig.protocol.requests import InvalidRequest
from rig.protocol.timing import LineTiming

__all__ = ["Listener"]

_SECOND_NS = 1_000_000_000


@dataclass(slots=True)
class _PairReader:
    """Expects the answer to `pending` first where its unit and function are seen, else a request."""

    pending: RequestObserved | None = None

    def lengths(self, data: bytes, start: int) -> tuple[int, ...]:
        request, response = request_length(data, start), response_length(data, start)
        if start + 1 < len(data) and self.is_answer(data[start], data[start + 1]):
            return (response, request)
        return (request, response)

    def is_awaited(self, _data: bytes, _start: int) -> bool:
        return True

    def is_answer(self, unit: int, function: int) -> bool:
        pending = self.pending
        return pending is not None and unit == pending.unit and function & ~EXCEPTION_FLAG == pending.request.function


class Listener:
    """Sans-I/O observer of a line; it never sends.

    By default it frames by expected length: captures and ptys show no pauses.
    """

    def __init__(
        self,
        timing: LineTiming,
        *,
        response_timeout_ns: int = _SECOND_NS,
        framing: Framing = Framing.LENGTH,
        gap_ns: int | None = None,
    ) -> None:
        """Start listening.

        Args:
            timing: the line.
            response_timeout_ns: after this long a frame is no answer any more, in ns.
            framing: how the end of a frame is found.
            gap_ns: the pause that ends a frame, in ns; None for 3.5 characters.
        """
        self.timing = timing
        self.response_timeout_ns = response_timeout_ns
        self._reader = _PairReader()
        self._framer = Framer(self._reader, timing, framing, gap_ns)
        self._events: deque[ListenerEvent] = deque()

    def receive(self, data: bytes, now: int) -> None:
        """Take in bytes of either direction whose last one was complete at `now`, in ns."""
        self._take(self._framer.feed(bytes(data), now))

    def next_event(self) -> ListenerEvent | None:
        """Return the oldest event not yet taken."""
        return self._events.popleft() if self._events else None

    def deadline(self) -> int | None:
        """Return when to call `expire` at the latest, in ns; None while nothing is open."""
        times = [time for time in (self._framer.deadline(), self._answer_deadline()) if time is not None]
        return min(times, default=None)

    def expire(self, now: int) -> None:
        """Let time pass until `now`, in ns."""
        self._take(self._framer.expire(now))
        deadline = self._answer_deadline()
        if deadline is not None and now >= deadline:
            self._close(now)

    def _answer_deadline(self) -> int | None:
        pending = self._reader.pending
        return None if pending is None else pending.end_ns + self.response_timeout_ns

    def _take(self, frames: list[Frame]) -> None:
        for frame in frames:
            # what no table knows is cut out like damage where no pause ends it; its CRC says that it is none
            if frame.fault is not None and not is_frame(frame.raw):
                self._report(frame.fault, frame.fault.value, frame)
                continue
            deadline = self._answer_deadline()
            if deadline is not None and frame.start_ns > deadline:
                self._close(deadline)
            if not self._take_answer(frame):
                self._take_other(frame)

    def _take_answer(self, frame: Frame) -> bool:
        unit, function = frame.raw[0], frame.raw[1]
        pending = self._reader.pending
        if pending is None or not self._reader.is_answer(unit, function):
            return False
        try:
            response = decode_response(frame.raw[1:-2], pending.request)
        except RemoteProtocolError:
            return False
        self._reader.pending = None
        self._answer(response, pending, frame)
        return True

    def _take_other(self, frame: Frame) -> None:
        raw, pdu = frame.raw, frame.raw[1:-2]
        request = receive_request(pdu)
        can_be_answer = response_length(raw) == len(raw) or raw[1] & EXCEPTION_FLAG
        if isinstance(request, InvalidRequest) and can_be_answer:
            try:
                self._answer(decode_response(pdu), None, frame)
            except RemoteProtocolError as error:
                self._report(FrameFault.MALFORMED, str(error), frame)
            return
        self._close(frame.end_ns)
        observed = RequestObserved(raw[0], request, raw, frame.start_ns, frame.end_ns)
        self._events.append(observed)
        if raw[0] != BROADCAST:
            self._reader.pending = observed

    def _answer(self, response: Response, request: RequestObserved | None, frame: Frame) -> None:
        self._events.append(ResponseObserved(frame.raw[0], response, request, frame.raw, frame.start_ns, frame.end_ns))

    def _close(self, now: int) -> None:
        """Give up on the answer that is still open, if any."""
        pending = self._reader.pending
        if pending is not None:
            self._reader.pending = None
            self._events.append(RequestUnanswered(pending, now))

    def _report(self, fault: FrameFault, detail: str, frame: Frame) -> None:
        self._events.append(BadFrame(fault, detail, frame.raw, frame.start_ns, frame.end_ns))
