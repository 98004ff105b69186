"""Faults at work: which frames they strike, and what begins and ends at a time.

Works on the line's state (`faults` in it); what is done to the line itself is asked of the `Line` around it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, Protocol

from emulator.agenda import Agenda, Priority, WakeUp
from emulator.random import stream_key, uniform
from emulator.wire.damage import DAMAGE, FLAGGED, Draw, Piece, random_bytes
from emulator.wire.faults import LASTS_ITS_AMOUNT, SECOND_NS, TIMED, ActiveFault, Fault
from emulator.wire.frames import BusState
from rig.protocol import ExceptionCode, InvalidRequest

__all__ = ["Line", "Trouble"]

DECLINES: Final = {"busy": ExceptionCode.SERVER_DEVICE_BUSY, "failure": ExceptionCode.SERVER_DEVICE_FAILURE}
REMEMBERED: Final = 1000
"""Faults whose fate is still told when they are over."""
SEGMENT_NS: Final = 100_000_000
"""A babbling node's bytes are made so far ahead."""


class Line(Protocol):
    """What trouble does to a line."""

    state: BusState

    def settle_break(self) -> None:
        """Somebody holds the line, or lets go."""

    def unplug(self) -> None:
        """The master's adapter is pulled."""

    def plug(self) -> None:
        """And put back."""

    def put_on_wire(self, data: bytes, start_ns: int, comment: str) -> int:
        """Bytes to the master from somebody who does not listen; returns when the last has left."""

    def supply(self, dead: Collection[int | None]) -> None:
        """Nodes with these addresses have no supply (None: no node has), all others have."""


class Trouble:
    """The faults of one line.

    Args:
        line: the line.
        agenda: the queue of the simulation.
        seed: of the random streams.
    """

    def __init__(self, line: Line, agenda: Agenda, seed: int) -> None:
        self.seed = seed
        self._line = line
        self._agenda = agenda
        self._wake_up = WakeUp(agenda.env, self._due)

    def inject(self, fault: Fault) -> int:
        """Let a fault happen; returns its number."""
        state, now_ns = self._line.state, self._agenda.now_ns
        from_ns = now_ns + round(fault.after_s * SECOND_NS)
        active = ActiveFault(self.next_number(), fault, from_ns)
        state.faults.append(active)
        if not active.waits:
            self._set_times(active, from_ns)
        return active.number

    def next_number(self) -> int:
        """Number of the next injection, on the line or elsewhere."""
        number = self._line.state.injected
        self._line.state.injected += 1
        return number

    def _set_times(self, active: ActiveFault, from_ns: int) -> None:
        """It is known when it begins."""
        fault, active.from_ns = active.fault, from_ns
        lasts_s = fault.size if fault.kind in LASTS_ITS_AMOUNT else fault.for_s
        if lasts_s is not None:
            active.until_ns = from_ns + round(lasts_s * SECOND_NS)
        if fault.kind in TIMED:
            if from_ns > self._agenda.now_ns:
                self._agenda.put(from_ns, Priority.FAULT, self._wake_up)
            else:
                self._begin(active)

    def withdraw(self, number: int | None = None) -> None:
        """End a fault, or all of them."""
        for active in list(self._line.state.faults):
            if number is None or active.number == number:
                self._end(active)
        if number is None:
            self._line.state.held = b""

    def reschedule(self) -> None:
        """Put the wake-ups that the state asks for on the agenda."""
        now_ns = self._agenda.now_ns
        for active in self._line.state.faults:
            if active.fault.kind in TIMED and not active.waits:
                due_ns = active.until_ns if active.acting else active.from_ns
                if active.acting and active.fault.kind == "babble":
                    due_ns = self._segment_ns(active)
                if due_ns is not None:
                    self._agenda.put(max(due_ns, now_ns), Priority.FAULT, self._wake_up)

    # -- frames as they go by ------------------------------------------------------------------------

    def strike_request(self, request: bytes) -> tuple[bytes, str, bool]:
        """What the nodes hear of a request, what happened to it, and whether their UARTs notice."""
        flagged = False
        comments: list[str] = []
        for active in self._striking("request", request[0] if request else 0, damaging=True):
            kind = active.fault.kind
            pieces = DAMAGE[kind](request, active.fault.size, self._draw(active)) if request else []
            request = pieces[0].data if pieces else b""
            comments.append(kind)
            flagged |= kind in FLAGGED
            self._count(kind)
        return request, ", ".join(comments), flagged

    def declined(self, unit: int, request: bytes) -> InvalidRequest | None:
        """What a node takes a request to `unit` for that it will not do; None if it will."""
        for active in self._striking("request", unit, damaging=False):
            self._count(active.fault.kind)
            return InvalidRequest(request[1:-2], DECLINES[active.fault.kind], active.fault.kind)
        return None

    def strike_answer(self, answer: bytes, unit: int) -> tuple[list[Piece], str]:
        """What comes of an answer, piece by piece, and what happened to it."""
        state = self._line.state
        pieces, comments = [Piece(answer)], []
        for active in self._striking("response", unit, damaging=True):
            kind = active.fault.kind
            if kind == "merged":
                state.held += b"".join(piece.data for piece in pieces)
                pieces = []
            elif kind == "stale":
                pieces = [Piece(state.last_answer)] if state.last_answer else []
            else:
                pieces = _damaged(kind, pieces, active.fault.size, self._draw(active))
            comments.append(kind)
            self._count(kind)
        if pieces and state.held:
            pieces[0] = Piece(state.held + pieces[0].data, pieces[0].delay_ns)
            state.held = b""
            comments.append("merged")
        state.last_answer = answer
        return [piece for piece in pieces if piece.data], ", ".join(comments)

    def meet(self, direction: str, unit: int, start_ns: int, end_ns: int) -> None:
        """What waits for a frame begins somewhere in this one, from `start_ns` to `end_ns`."""
        for active in list(self._line.state.faults):
            fault = active.fault
            if not active.waits or fault.looks_at != direction or fault.unit not in (None, unit):
                continue
            if start_ns < active.from_ns:
                continue
            active.seen += 1
            draw = self._draw(active)
            if active.seen < fault.nth or (fault.probability < 1.0 and draw() >= fault.probability):
                continue
            active.struck += 1
            if fault.kind == "babble":
                active.seen = 0  # from now on it counts what is made
            self._set_times(active, start_ns + round(draw() * (end_ns - start_ns)))

    def _striking(self, direction: str, unit: int, damaging: bool) -> list[ActiveFault]:
        """Faults that strike the frame that goes by, which is counted: those that damage it, or the others."""
        now_ns, found = self._agenda.now_ns, []
        for active in list(self._line.state.faults):
            fault = active.fault
            if (fault.kind in DECLINES) == damaging or fault.kind in TIMED:
                continue
            if fault.looks_at != direction or now_ns < active.from_ns or fault.unit not in (None, unit):
                continue
            if active.until_ns is not None and now_ns > active.until_ns:
                self._end(active)
                continue
            active.seen += 1
            if active.seen < fault.nth or (fault.probability < 1.0 and self._draw(active)() >= fault.probability):
                continue
            active.struck += 1
            found.append(active)
            if fault.times is not None and active.struck >= fault.times:
                self._end(active)
        return found

    def _count(self, kind: str) -> None:
        counters = self._line.state.counters
        counters.struck += 1
        counters.framing_errors += kind == "framing_error"
        counters.parity_errors += kind == "parity_error"
        counters.overruns += kind == "overrun"

    def _draw(self, active: ActiveFault) -> Callable[[], float]:
        """The next numbers of a fault's random stream."""
        key = stream_key(self.seed, f"fault.{active.number}")

        def draw() -> float:
            active.drawn += 1
            return float(uniform(key, active.drawn))

        return draw

    # -- at a time -----------------------------------------------------------------------------------

    def _due(self) -> None:
        """Something begins or ends now."""
        now_ns = self._agenda.now_ns
        timed = [active for active in self._line.state.faults if active.fault.kind in TIMED and not active.waits]
        acting = [active for active in timed if active.acting]
        # what begins at the moment at which its like ends goes on with it
        for active in timed:
            if not active.acting and active.from_ns <= now_ns:
                self._begin(active)
        for active in acting:
            if active.until_ns is not None and active.until_ns <= now_ns:
                self._end(active)
            elif active.fault.kind == "babble" and self._segment_ns(active) == now_ns:
                self._babble(active)

    def _begin(self, active: ActiveFault) -> None:
        active.acting, active.met = True, self._line.state.counters.trouble
        self._line.state.counters.struck += 1
        if active.fault.kind == "babble":
            self._babble(active)
        self._settle(active.fault.kind)
        if active.until_ns is not None:
            self._agenda.put(active.until_ns, Priority.FAULT, self._wake_up)

    def _end(self, active: ActiveFault) -> None:
        state = self._line.state
        active.ended_ns = self._agenda.now_ns
        state.faults.remove(active)
        state.over.append(active)
        del state.over[:-REMEMBERED]
        if active.acting:
            active.met = state.counters.trouble - active.met
            if active.fault.device is not None:
                self._line.state.device = active.fault.device
            self._settle(active.fault.kind)

    def acting(self, kind: str) -> list[ActiveFault]:
        """Faults of a kind that strikes at a time which have begun and not ended, the last to begin at the end."""
        found = [active for active in self._line.state.faults if active.acting and active.fault.kind == kind]
        return sorted(found, key=lambda active: (active.from_ns, active.number))

    def _settle(self, kind: str) -> None:
        """Make the line what the faults of a kind that act now make of it together."""
        line, acting = self._line, self.acting(kind)
        match kind:
            case "break":
                line.settle_break()
            case "brown_out":
                line.supply([active.fault.unit for active in acting])
            case "other_baud":
                line.state.nodes_baud = int(acting[-1].fault.size) if acting else 0
            case "other_parity":
                line.state.nodes_parity = bool(acting)
            case "unplugged" if acting:
                line.unplug()
            case "unplugged":
                line.plug()

    def _segment_ns(self, active: ActiveFault) -> int:
        """When a babbling node's next bytes are to be made."""
        return active.from_ns + active.seen * SEGMENT_NS

    def _babble(self, active: ActiveFault) -> None:
        """The next bytes of a babbling node, which counts them in `seen`."""
        line, now_ns = self._line.state.line, self._agenda.now_ns
        assert active.until_ns is not None
        count = max(line.count_in(min(SEGMENT_NS, active.until_ns - now_ns)), 1)
        self._line.put_on_wire(random_bytes(count, self._draw(active)), now_ns, "babble")
        active.seen += 1
        if self._segment_ns(active) < active.until_ns:
            self._agenda.put(self._segment_ns(active), Priority.FAULT, self._wake_up)


def _damaged(kind: str, pieces: list[Piece], amount: float, draw: Draw) -> list[Piece]:
    """Every piece damaged; what was late before is not earlier now."""
    damaged: list[Piece] = []
    for piece in pieces:
        delay_ns = piece.delay_ns
        for part in DAMAGE[kind](piece.data, amount, draw):
            damaged.append(Piece(part.data, part.delay_ns + delay_ns))
            delay_ns = 0
    return damaged
