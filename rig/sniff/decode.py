"""From bytes with times to what happened on the line: exchanges, damage, and answers nobody waited for.

The listener of the protocol pairs; this module draws the conclusions. The rule: every request ends in exactly one
`Exchange`. Bytes that are no frame are told at once as `Damage`; where a request was open, its answer came
damaged, and the request counts as that and not as unanswered too. Answers that are their requests again are told
apart by `rig.sniff.echo`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from rig.protocol import (
    BROADCAST,
    MAX_FRAME,
    BadFrame,
    Diagnose,
    ExceptionResponse,
    LineTiming,
    Listener,
    RemoteProtocolError,
    RequestObserved,
    RequestUnanswered,
    ResponseObserved,
    SubFunction,
    decode_response,
)
from rig.sniff.echo import Corrected, DoubtfulAnswer, Echoes

__all__ = ["Damage", "Decoder", "Exchange", "Item", "Outcome", "Stray"]


class Outcome(Enum):
    """How a request ended."""

    ANSWERED = "answered"
    DECLINED = "declined"
    DAMAGED = "answer damaged"
    UNANSWERED = "no answer"
    NONE_DUE = "no answer due"
    OPEN = "open"

    @property
    def is_error(self) -> bool:
        """Whether the line failed; a node that declines has understood and answered."""
        return self in (Outcome.DAMAGED, Outcome.UNANSWERED)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what became of it.

    Attributes:
        request: the request.
        outcome: how it ended; OPEN if listening ended first.
        response: the answer, if it came whole.
        period_ns: from the request of the same kind before, start to start, ns; None for the first.
        in_doubt: the answer is its request byte by byte, and may as well be the request once more.
    """

    request: RequestObserved
    outcome: Outcome
    response: ResponseObserved | None = None
    period_ns: int | None = None
    in_doubt: bool = False

    @property
    def unit(self) -> int:
        """Whom it was sent to."""
        return self.request.unit

    @property
    def function(self) -> int:
        """What was asked for."""
        return self.request.request.function

    @property
    def start_ns(self) -> int:
        """When the request began."""
        return self.request.start_ns

    @property
    def delay_ns(self) -> int | None:
        """From the end of the request to the begin of the answer, ns."""
        return None if self.response is None else max(0, self.response.start_ns - self.request.end_ns)


@dataclass(frozen=True, slots=True)
class Stray:
    """An answer that nobody waited for.

    Attributes:
        response: the answer.
        late_for: the request that had been given up and that it fits; None if it fits none.
    """

    response: ResponseObserved
    late_for: RequestObserved | None = None

    @property
    def unit(self) -> int:
        """Who answered."""
        return self.response.unit

    @property
    def function(self) -> int:
        """What is answered."""
        return self.response.response.function

    @property
    def start_ns(self) -> int:
        """When the answer began."""
        return self.response.start_ns

    @property
    def delay_ns(self) -> int | None:
        """From the end of the request that it is late for, ns."""
        return None if self.late_for is None else max(0, self.response.start_ns - self.late_for.end_ns)


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are no frame.

    Attributes:
        frame: the bytes, and what is wrong with them.
        request: the request that was open then.
        is_joining: listening began in the middle of a frame; nothing was wrong with the line.
    """

    frame: BadFrame
    request: RequestObserved | None = None
    is_joining: bool = False

    @property
    def unit(self) -> int | None:
        """Who was to answer, if somebody was."""
        return None if self.request is None else self.request.unit

    @property
    def function(self) -> int | None:
        """What was to be answered, if something was."""
        return None if self.request is None else self.request.request.function

    @property
    def start_ns(self) -> int:
        """When the bytes began."""
        return self.frame.start_ns


Item: TypeAlias = Exchange | Stray | Damage


class Decoder:
    """Takes bytes with times, gives what happened, as soon as it is certain."""

    def __init__(
        self, timing: LineTiming, *, gap_ns: int, timeout_ns: int, joins: bool, has_times: bool = True
    ) -> None:
        """Start to listen.

        Args:
            timing: the line.
            gap_ns: the pause that ends the waiting for the rest of a frame, ns.
            timeout_ns: so long after a request an answer is late, ns.
            joins: the line has been talking already.
            has_times: when bytes came is known, and tells an answer from a request that is the same.
        """
        self._listener = Listener(timing, response_timeout_ns=timeout_ns, gap_ns=gap_ns)
        self._char_ns, self._gap_ns = timing.char_ns, gap_ns
        self._open: RequestObserved | None = None
        self._open_period_ns: int | None = None
        self._open_damaged = False
        self._given_up: dict[int, RequestObserved] = {}
        self._last_ns: dict[tuple[int, bytes], int] = {}
        self._joins = joins
        self._echoes = Echoes(timeout_ns) if has_times else None

    def take(self, data: bytes, now_ns: int) -> Iterator[Item]:
        """Take in bytes whose last one was complete at `now_ns`."""
        yield from self.wait(now_ns - len(data) * self._char_ns)
        self._listener.receive(data, now_ns)
        yield from self._items()

    def wait(self, now_ns: int) -> Iterator[Item]:
        """Let time pass; what has waited too long is told."""
        while (deadline := self._listener.deadline()) is not None and deadline <= now_ns:
            self._listener.expire(deadline)
        yield from self._items()
        if self._echoes is not None:
            for event in self._echoes.expire(now_ns):
                yield from self._conclude(event)

    def end(self, now_ns: int, *, is_cut: bool) -> Iterator[Item]:
        """End listening.

        Args:
            now_ns: when.
            is_cut: the line goes on; what is still incomplete is nobody's fault.
        """
        yield from self.wait(now_ns)
        if not is_cut:
            self._listener.expire(now_ns + self._gap_ns)
            yield from self._items()
        for event in self._echoes.settle() if self._echoes is not None else ():
            yield from self._conclude(event)
        if self._open is not None:
            yield self._close(Outcome.DAMAGED if self._open_damaged else Outcome.OPEN)

    def _items(self) -> Iterator[Item]:
        while (event := self._listener.next_event()) is not None:
            for meant in (event,) if self._echoes is None else self._echoes.take(event):
                yield from self._conclude(meant)

    def _conclude(self, event: Corrected) -> Iterator[Item]:
        match event:
            case RequestObserved():
                self._joins = False
                self._begin(event)
                if event.unit == BROADCAST:
                    yield self._close(Outcome.NONE_DUE)
            case ResponseObserved(request=None):
                self._joins = False
                yield Stray(event, self._late_for(event))
            case ResponseObserved():
                is_exception = isinstance(event.response, ExceptionResponse)
                yield self._close(Outcome.DECLINED if is_exception else Outcome.ANSWERED, event)
            case DoubtfulAnswer():
                yield self._close(Outcome.ANSWERED, event.response, in_doubt=True)
            case RequestUnanswered():
                yield self._give_up(event.request)
            case BadFrame():
                self._open_damaged = self._open is not None
                yield Damage(event, self._open, self._joins and len(event.raw) < MAX_FRAME)
                self._joins = False

    def _begin(self, request: RequestObserved) -> None:
        kind = (request.unit, _kind(request))
        last_ns = self._last_ns.get(kind)
        self._last_ns[kind] = request.start_ns
        self._open, self._open_damaged = request, False
        self._open_period_ns = None if last_ns is None else request.start_ns - last_ns

    def _close(self, outcome: Outcome, response: ResponseObserved | None = None, *, in_doubt: bool = False) -> Exchange:
        assert self._open is not None
        exchange = Exchange(self._open, outcome, response, self._open_period_ns, in_doubt)
        self._open = None
        return exchange

    def _give_up(self, request: RequestObserved) -> Exchange:
        asked = request.request
        if isinstance(asked, Diagnose) and asked.sub_function == SubFunction.FORCE_LISTEN_ONLY:
            return self._close(Outcome.NONE_DUE)
        if self._open_damaged:
            return self._close(Outcome.DAMAGED)
        self._given_up[request.unit] = request
        return self._close(Outcome.UNANSWERED)

    def _late_for(self, event: ResponseObserved) -> RequestObserved | None:
        """The request of this unit that was given up last, if the answer fits it; it is answered by one only."""
        request = self._given_up.get(event.unit)
        if request is None:
            return None
        try:
            decode_response(event.raw[1:-2], request.request)
        except RemoteProtocolError:
            return None
        return self._given_up.pop(event.unit)


def _kind(request: RequestObserved) -> bytes:
    """What requests have in common that differ in the values they write only: function, address, how many."""
    pdu = request.raw[1:-2]
    head = {5: 3, 6: 3, 22: 3, 23: 9}.get(pdu[0], 5)
    return pdu[:head]
