"""Answers that are their requests again: which frame of a run of equal ones is which.

The answer to a single write (functions 5, 6, 22) and to most diagnoses (8) is the request, byte by byte. Where an
answer is lost and the master asks again, the second request looks like the answer to the first. What tells them apart
is time: an answer comes after the node's turnaround, the same request after the master's patience, which is longer.

So an answer that comes as soon as the ones before it did is one. A later one waits for the next frame: if that is the
same again, and comes much sooner than this one did, this one was the request again and that one is the answer. In any
other case it is taken for the answer, as nothing is missing then; what speaks against it is told as doubt.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from rig.protocol import (
    BROADCAST,
    BadFrame,
    ListenerEvent,
    RequestObserved,
    RequestUnanswered,
    ResponseObserved,
    decode_response,
)

__all__ = ["Corrected", "DoubtfulAnswer", "Echoes"]

ECHOED = (5, 6, 8, 22)
"""Functions whose answer can be the request again."""
SOONEST_NS = 30_000_000
"""No master asks again so soon, ns."""
EXCEPTION = 0x80


class DoubtfulAnswer(NamedTuple):
    """An answer that may as well be its request, asked again after an answer that nobody heard."""

    response: ResponseObserved


Corrected: TypeAlias = ListenerEvent | DoubtfulAnswer
Seen: TypeAlias = RequestObserved | ResponseObserved


@dataclass(slots=True)
class _Turnaround:
    """How long a node usually takes, smoothed as TCP does for its round trips (RFC 6298), ns."""

    mean_ns: int
    deviation_ns: int

    @property
    def limit_ns(self) -> int:
        """Beyond this it is not as usual."""
        return max(SOONEST_NS, 2 * (self.mean_ns + 4 * self.deviation_ns))

    def learn(self, delay_ns: int) -> None:
        off_ns = delay_ns - self.mean_ns
        self.mean_ns += off_ns >> 3
        self.deviation_ns += (abs(off_ns) - self.deviation_ns) >> 2


class Echoes:
    """Corrects what a listener says of runs of equal frames; everything else passes as it is.

    A listener takes them for request and answer in turns. Here a run has at most one open request, and one frame
    after it of which it is not known yet what it is.
    """

    def __init__(self, timeout_ns: int) -> None:
        """Expect anything.

        Args:
            timeout_ns: so long after a request an answer is none any more, ns.
        """
        self._timeout_ns = timeout_ns
        self._run: RequestObserved | None = None  # the first of the run
        self._open: RequestObserved | None = None
        self._held: Seen | None = None
        self._damaged = False  # something came after the open request that was no frame
        self._usual: dict[tuple[int, int], _Turnaround] = {}

    def take(self, event: ListenerEvent) -> Iterator[Corrected]:
        """What an event of the listener means, as far as that is certain now."""
        run = self._run
        match event:
            case RequestObserved() | ResponseObserved() if run is not None and event.raw == run.raw:
                yield from self._another(event)
            case RequestObserved():
                yield from self._end_run(event.start_ns)
                is_echoed = event.request.function in ECHOED and event.unit != BROADCAST
                self._run = self._open = event if is_echoed else None
                self._damaged = False
                yield event
            case RequestUnanswered() if run is not None and event.request.raw == run.raw:
                # of a request of this run as the listener counts them; the same here, or answered
                yield from self._end_run(event.now_ns)
            case ResponseObserved() if run is not None:
                yield from self.settle()
                yield event._replace(request=self._asked_by(event))
            case BadFrame():
                yield from self.settle()
                self._damaged = self._open is not None
                yield event
            case _:
                yield event

    def deadline(self) -> int | None:
        """When `expire` has something to do, ns; None while nothing is open."""
        last = self._held or self._open
        return None if last is None else last.end_ns + self._timeout_ns

    def expire(self, now_ns: int) -> Iterator[Corrected]:
        """Let time pass: what has waited too long is told."""
        deadline_ns = self.deadline()
        if deadline_ns is not None and deadline_ns <= now_ns:
            yield from self._end_run(deadline_ns)

    def settle(self) -> Iterator[Corrected]:
        """Take what is in doubt for the answer: nothing is missing then."""
        if self._held is not None and self._open is not None:
            usual = self._usual.get(_kind(self._open))
            delay_ns = self._held.start_ns - self._open.end_ns
            strange = usual is not None and delay_ns > usual.limit_ns
            yield from self._answer(self._held, in_doubt=strange or self._damaged)

    def _end_run(self, now_ns: int) -> Iterator[Corrected]:
        yield from self.settle()
        if self._open is not None:
            asked, self._open = self._open, None
            yield RequestUnanswered(asked, now_ns)

    def _another(self, frame: Seen) -> Iterator[Corrected]:
        """One more frame of the run."""
        yield from self.expire(frame.start_ns)
        if self._open is None:
            yield self._ask(frame)
            return
        usual = self._usual.get(_kind(self._open))
        if self._held is None:
            limit_ns = SOONEST_NS if usual is None else usual.limit_ns
            is_usual = frame.start_ns - self._open.end_ns <= limit_ns
            if is_usual and not self._damaged:
                yield from self._answer(frame)
            else:
                self._held = frame
            return
        first_ns, second_ns = self._held.start_ns - self._open.end_ns, frame.start_ns - self._held.end_ns
        is_answer_to_held = 2 * second_ns < first_ns
        if is_answer_to_held or (usual is not None and first_ns > usual.limit_ns):
            held = self._held
            yield RequestUnanswered(self._open, held.start_ns)
            yield self._ask(held)
            if is_answer_to_held:
                yield from self._answer(frame, in_doubt=usual is None)
            else:
                self._held = frame
            return
        yield from self._answer(self._held, in_doubt=2 * first_ns > second_ns)
        yield self._ask(frame)

    def _ask(self, frame: Seen) -> RequestObserved:
        """A frame is a request."""
        assert self._run is not None
        self._held, self._damaged = None, False
        self._open = RequestObserved(frame.unit, self._run.request, frame.raw, frame.start_ns, frame.end_ns)
        return self._open

    def _answer(self, frame: Seen, *, in_doubt: bool = False) -> Iterator[Corrected]:
        """A frame is the answer to the open request."""
        asked, self._open, self._held = self._open, None, None
        assert asked is not None
        if not in_doubt:
            delay_ns = max(0, frame.start_ns - asked.end_ns)
            usual = self._usual.setdefault(_kind(asked), _Turnaround(delay_ns, delay_ns // 2))
            usual.learn(delay_ns)
        response = ResponseObserved(
            frame.unit, decode_response(frame.raw[1:-2], asked.request), asked, frame.raw, frame.start_ns, frame.end_ns
        )
        yield DoubtfulAnswer(response) if in_doubt else response

    def _asked_by(self, event: ResponseObserved) -> RequestObserved | None:
        """What an answer answers that is not the request again: an exception, as a rule."""
        asked = self._open
        if asked is not None and event.unit == asked.unit and event.raw[1] & ~EXCEPTION == asked.request.function:
            self._open = None
            return asked
        if event.request is None or self._run is None or event.request.raw == self._run.raw:
            return None
        return event.request


def _kind(request: RequestObserved) -> tuple[int, int]:
    return request.unit, request.request.function
