"""What the three roles report: named tuples, told apart by type.

All times are integer nanoseconds of the clock that the driver passes in as `now`. `start_ns` is when
the first byte of a frame began, `end_ns` when its last byte was complete.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, TypeAlias

from rig.protocol.grammar import BROADCAST
from rig.protocol.pdu import NormalResponse, Request, Response
from rig.protocol.requests import InvalidRequest, RawRequest
from rig.protocol.responses import ExceptionResponse

__all__ = [
    "BadFrame",
    "BytesDiscarded",
    "ClientEvent",
    "ExceptionReceived",
    "FrameFault",
    "ListenerEvent",
    "RequestObserved",
    "RequestReceived",
    "RequestUnanswered",
    "ResponseBroken",
    "ResponseObserved",
    "ResponseReceived",
    "ResponseTimeout",
    "ServerEvent",
    "TurnaroundElapsed",
]


class FrameFault(Enum):
    """What is wrong with bytes that are no good frame."""

    CRC = "the CRC is wrong"
    INCOMPLETE = "the frame ended too early"
    TOO_LONG = "more than 256 bytes without a pause"
    WRONG_UNIT = "another unit answered"
    WRONG_FUNCTION = "the answer is to another function"
    MALFORMED = "the CRC is right, the contents break the specification or do not fit the request"


class BadFrame(NamedTuple):
    """Bytes that are no frame this role can use.

    Attributes:
        fault: what is wrong.
        detail: the same for people, with what was given and expected.
        raw: the bytes, at most a few frames' worth.
        start_ns: when they began.
        end_ns: when they ended.
    """

    fault: FrameFault
    detail: str
    raw: bytes
    start_ns: int
    end_ns: int


class ResponseReceived(NamedTuple):
    """Client: the server did what was asked.

    Attributes:
        unit: who was asked.
        request: what was asked.
        response: the answer, checked against the request.
        sent_ns: when `send` was called.
        start_ns: when the answer began.
        end_ns: when the answer ended.
    """

    unit: int
    request: Request | RawRequest
    response: NormalResponse
    sent_ns: int
    start_ns: int
    end_ns: int


class ExceptionReceived(NamedTuple):
    """Client: the server declined; attributes as in `ResponseReceived`."""

    unit: int
    request: Request | RawRequest
    response: ExceptionResponse
    sent_ns: int
    start_ns: int
    end_ns: int


class ResponseBroken(NamedTuple):
    """Client: the awaited answer came, damaged, and nothing behind it; a retry need not wait.

    Attributes:
        unit: who was asked.
        request: what was asked.
        raw: what came.
        sent_ns: when `send` was called.
        start_ns: when it began.
        end_ns: when it ended.
    """

    unit: int
    request: Request | RawRequest
    raw: bytes
    sent_ns: int
    start_ns: int
    end_ns: int


class ResponseTimeout(NamedTuple):
    """Client: no answer in time.

    Attributes:
        unit: who was asked.
        request: what was asked.
        sent_ns: when `send` was called.
        now_ns: when the client gave up.
    """

    unit: int
    request: Request | RawRequest
    sent_ns: int
    now_ns: int


class TurnaroundElapsed(NamedTuple):
    """Client: the servers have had their time to act on a broadcast; the next request may go out.

    Attributes:
        request: what was broadcast.
        sent_ns: when `send` was called.
        now_ns: when the delay was over.
    """

    request: Request | RawRequest
    sent_ns: int
    now_ns: int


class BytesDiscarded(NamedTuple):
    """Client: bytes that nobody asked for, or that come after their request was given up.

    Attributes:
        raw: the bytes.
        now_ns: when they were received or, for the rest behind an answer, thrown away.
    """

    raw: bytes
    now_ns: int


class RequestReceived(NamedTuple):
    """Server: a request to this server.

    Attributes:
        unit: the address it was sent to, 0 for a broadcast.
        request: what is asked, or why it has to be declined.
        raw: the whole frame.
        start_ns: when it began.
        end_ns: when it ended. A server on a real line is silent for 3.5 characters from here.
    """

    unit: int
    request: Request | InvalidRequest
    raw: bytes
    start_ns: int
    end_ns: int

    @property
    def is_broadcast(self) -> bool:
        """Whether it went to all units, and nobody answers."""
        return self.unit == BROADCAST


class RequestObserved(NamedTuple):
    """Listener: a request went by.

    Attributes:
        unit: whom it was sent to, 0 for all.
        request: what is asked, or why nobody can do it.
        raw: the whole frame.
        start_ns: when it began.
        end_ns: when it ended.
    """

    unit: int
    request: Request | InvalidRequest
    raw: bytes
    start_ns: int
    end_ns: int


class ResponseObserved(NamedTuple):
    """Listener: an answer went by.

    Attributes:
        unit: who answered.
        response: the answer.
        request: what it answers, None if its request was not seen.
        raw: the whole frame.
        start_ns: when it began.
        end_ns: when it ended.
    """

    unit: int
    response: Response
    request: RequestObserved | None
    raw: bytes
    start_ns: int
    end_ns: int


class RequestUnanswered(NamedTuple):
    """Listener: the next request came, or the response timeout passed, before an answer.

    Attributes:
        request: what was not answered.
        now_ns: when that was certain.
    """

    request: RequestObserved
    now_ns: int


ClientEvent: TypeAlias = (
    ResponseReceived
    | ExceptionReceived
    | ResponseBroken
    | ResponseTimeout
    | TurnaroundElapsed
    | BadFrame
    | BytesDiscarded
)
ServerEvent: TypeAlias = RequestReceived | BadFrame
ListenerEvent: TypeAlias = RequestObserved | ResponseObserved | RequestUnanswered | BadFrame
