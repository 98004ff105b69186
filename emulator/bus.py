"""The RS-485 line between one master and its nodes, in virtual time.

One pair of wires, half duplex. Bytes are not events: a frame is a start time and a length, and the
time of each byte follows from the line settings. The queue gets one wake-up per frame, 3.5 characters
after its end, which is when the nodes know that it is complete:

    master's bytes ──┬── t3.5 ──┬── turnaround ──┬── answer, one character after another ──
                     end        due: nodes hear   start
                                the frame

What the line does to bytes:

* a pause of less than 3.5 characters does not end a frame (1.5 characters are not policed);
* bytes of master and node that overlap are garbled for both, and so is all that meets a break;
* a master with another baud rate than a node that keeps its own, or without 8 data bits, is not understood;
* nodes hear what the master says, not what other nodes answer.

Everything that makes the future of the line is plain data in `Bus.state`; `with_state` makes a line of it and rebuilds
the wake-up. What the nodes make of a request depends on nothing but its bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from emulator.agenda import Agenda, Priority, WakeUp
from emulator.line_settings import LineSettings
from rig.protocol import (
    BROADCAST,
    InvalidRequest,
    Request,
    Response,
    encode_frame,
    is_frame,
    request_to,
)

__all__ = ["Bus", "BusCounters", "BusNode", "BusState", "Direction", "FrameTap", "LineSettings", "Reply"]

Direction = Literal["request", "response", "unknown"]
FrameTap = Callable[[int, int, Direction, bytes, str], None]
"""Called with start (ns), end (ns), direction, bytes and a comment on every frame, faulty ones included."""

INPUT_BUFFER = 4096
"""Bytes that wait for a master which does not read; what comes after them is lost."""
BAUD_TOLERANCE = 0.02
"""Baud rates this close understand each other: a character allows 5 %, shared by both ends."""
FOREVER_NS = 1 << 62
BUS = Priority.BUS  # looking a member of an enum up takes longer than much else here


class BusNode(Protocol):
    """What a node shows to the bus."""

    @property
    def units(self) -> frozenset[int]:
        """Addresses that it answers to."""
        ...

    @property
    def turnaround_ns(self) -> int:
        """Time from the end of the silence after a request to the first byte of the answer, ns."""
        ...

    def answer(self, request: Request | InvalidRequest, now: int) -> Response:
        """Answer a request that was complete at time `now`, ns; an invalid one is to be declined."""
        ...


@dataclass(slots=True)
class Reply:
    """A node's answer on its way to the master, or waiting there to be read.

    Attributes:
        start_ns: when its first byte begins.
        end_ns: when its last byte has arrived.
        line: the settings that it is sent with.
        data: its bytes, as they are on the wire.
        read: how many of them the master has read.
        comment: what happened to it on the way.
        reported: whether `on_frame` has been told.
    """

    start_ns: int
    end_ns: int
    line: LineSettings
    data: bytes
    read: int = 0
    comment: str = ""
    reported: bool = False

    def arrived(self, now_ns: int) -> int:
        """How many bytes have arrived by `now_ns`, those that were read already included."""
        if now_ns >= self.end_ns:
            return len(self.data)
        return self.line.count_in(now_ns - self.start_ns) if now_ns > self.start_ns else 0

    def garble(self, start_ns: int, end_ns: int, comment: str) -> bool:
        """Garble the bytes that are on the wire between two times; returns whether there are any."""
        first = self.line.count_in(max(start_ns - self.start_ns, 0))
        last = min(self.line.count_in(max(end_ns - self.start_ns - 1, -1)) + 1, len(self.data))
        if first >= last:
            return False
        self.data = garbled(self.data, first, last)
        self.comment = comment
        return True


@dataclass(slots=True)
class BusCounters:
    """What has happened on the line so far, for tests and diagnostics."""

    requests: int = 0
    replies: int = 0
    collisions: int = 0
    not_understood: int = 0
    breaks: int = 0
    lost_bytes: int = 0


@dataclass(slots=True)
class BusState:
    """All that makes the future of the line.

    Attributes:
        line: the master's settings when it last sent.
        request: the master's bytes since the last silence, also those that are still to be sent.
        request_start_ns: start of the first of them.
        sent_ns: when the master's last byte has left.
        due_ns: when the nodes will take the request for complete; None without one, or during a break.
        spoilt: why nobody will understand the request; empty if nothing is wrong.
        break_ns: since when the master holds a break.
        replies: what the master has not read yet, in order of time.
    """

    line: LineSettings = field(default_factory=LineSettings)
    request: bytes = b""
    request_start_ns: int = 0
    sent_ns: int = 0
    due_ns: int | None = None
    spoilt: str = ""
    break_ns: int | None = None
    replies: list[Reply] = field(default_factory=list)
    counters: BusCounters = field(default_factory=BusCounters)


class Bus:
    """The line.

    Args:
        agenda: the queue of the simulation.
        nodes: who listens; no two of them have the same address.
        baud: baud rate of the nodes, bit/s; None if they follow the master.

    Attributes:
        state: all that makes the line's future.
        on_frame: called on every frame when it has ended and somebody looks at the line; an observer,
            not a part of the state, so a fork has none.
    """

    def __init__(self, agenda: Agenda, nodes: Sequence[BusNode], baud: int | None = None) -> None:
        self.agenda = agenda
        self.baud = baud
        self.state = BusState(line=LineSettings(baud) if baud else LineSettings())
        self.on_frame: FrameTap | None = None
        taken: set[int] = set()
        for node in nodes:
            if taken & node.units:
                raise ValueError(f"two nodes on the bus have address {min(taken & node.units)}; addresses are unique")
            taken |= node.units
        self._stations = list(nodes)
        self._wake_up = WakeUp(agenda.env, self._hear)

    def with_state(self, state: BusState, agenda: Agenda, nodes: Sequence[BusNode]) -> Bus:
        """Another line of this kind around a state, which becomes its own.

        Args:
            state: where the line stands; its wake-up is put on the agenda.
            agenda: the queue of the simulation that the line belongs to, at the time of the state.
            nodes: who listens, in the same order.
        """
        other = Bus(agenda, nodes, self.baud)
        other.state = state
        other.reschedule()
        return other

    def reschedule(self) -> None:
        """Put the wake-up that `state` asks for on the agenda; for a state that came from elsewhere."""
        if self.state.due_ns is not None:
            self.agenda.put(self.state.due_ns, BUS, self._wake_up)

    # -- the master sends ----------------------------------------------------------------------------

    def transmit(self, data: bytes, line: LineSettings) -> int:
        """Send from now on, or from when the master's earlier bytes have left.

        Args:
            data: bytes.
            line: the master's settings.

        Returns:
            When the last of them will have left, ns.
        """
        state, now_ns = self.state, self.agenda.now_ns
        if not data:
            return max(state.sent_ns, now_ns)
        if state.replies:
            self.report_frames()
        start_ns = state.sent_ns if state.sent_ns > now_ns else now_ns
        end_ns = start_ns + line.span_ns(len(data))
        if not state.request:
            state.request_start_ns = start_ns
            state.spoilt = ""
        elif line != state.line:
            state.spoilt = "settings changed within a frame"
        if line.data_bits != 8 or (self.baud and abs(line.baud - self.baud) > BAUD_TOLERANCE * self.baud):
            state.spoilt = "other line settings"
        state.line = line
        state.request += data
        state.sent_ns = end_ns
        if state.replies and self._garble_replies(start_ns, end_ns, "collision"):
            state.spoilt = "collision"
            state.counters.collisions += 1
        if state.break_ns is None:
            state.due_ns = end_ns + line.silence_ns
            self.agenda.put(state.due_ns, BUS, self._wake_up)
        return end_ns

    def out_waiting(self, now_ns: int) -> int:
        """How many of the master's bytes have not left entirely."""
        left_ns = self.state.sent_ns - now_ns
        return self.state.line.count_in(left_ns - 1) + 1 if left_ns > 0 else 0

    def discard_output(self) -> None:
        """Forget the master's bytes that have not begun to leave."""
        state = self.state
        count = state.line.count_in(max(state.sent_ns - self.agenda.now_ns, 0))
        if not count:
            return
        state.request = state.request[:-count]
        state.sent_ns -= state.line.span_ns(count)
        if not state.request:
            state.due_ns = None
        elif state.break_ns is None:
            state.due_ns = state.sent_ns + state.line.silence_ns
            self.reschedule()

    def begin_break(self) -> None:
        """Hold the line in the state of a start bit: nothing gets through until `end_break`."""
        state = self.state
        if state.break_ns is not None:
            return
        state.break_ns = self.agenda.now_ns
        state.due_ns = None
        state.counters.breaks += 1
        self._garble_replies(state.break_ns, FOREVER_NS, "break")

    def end_break(self) -> None:
        """Let go of the line; the nodes take the break for a byte with a framing error."""
        state, now_ns = self.state, self.agenda.now_ns
        if state.break_ns is None:
            return
        if not state.request:
            state.request_start_ns = state.break_ns
        state.break_ns = None
        state.request += b"\x00"
        state.spoilt = "break"
        state.sent_ns = max(state.sent_ns, now_ns)
        state.due_ns = state.sent_ns + state.line.silence_ns
        self.reschedule()

    def retune(self, line: LineSettings) -> None:
        """The master's settings change: it cannot make sense of what is on its way in the old ones."""
        if line != self.state.line and self.state.replies:
            self._garble_replies(self.agenda.now_ns, FOREVER_NS, "master's settings changed")

    # -- the master receives -------------------------------------------------------------------------

    def arrived(self, now_ns: int) -> int:
        """How many bytes the master can read."""
        return sum([reply.arrived(now_ns) - reply.read for reply in self.state.replies])

    def arrival_ns(self, count: int) -> int | None:
        """When the `count`-th unread byte will be there, ns; None if that is not known (yet)."""
        for reply in self.state.replies:
            unread = len(reply.data) - reply.read
            if count < unread:
                return reply.start_ns + reply.line.span_ns(reply.read + count)
            if count == unread:
                return reply.end_ns
            count -= unread
        return None

    def read(self, count: int) -> bytes:
        """Take up to `count` bytes that have arrived."""
        replies, now_ns = self.state.replies, self.agenda.now_ns
        taken = b""
        while replies and count > 0:
            reply = replies[0]
            begin, ready = reply.read, reply.arrived(now_ns)
            if ready > begin + count:  # noqa: PLR1730 - three times as fast as min()
                ready = begin + count
            taken += reply.data[begin:ready]
            count -= ready - begin
            reply.read = ready
            if ready < len(reply.data):
                break
            self._report(reply)
            del replies[0]
        return taken

    def discard_input(self) -> None:
        """Forget what has arrived and was not read; what is on its way still comes."""
        self.read(self.arrived(self.agenda.now_ns))

    def forget_master(self) -> None:
        """The master has gone: nobody reads what is on its way, and what it began to say stays unsaid."""
        state = self.state
        self.report_frames()
        state.replies.clear()
        state.request, state.due_ns = b"", None
        state.sent_ns = min(state.sent_ns, self.agenda.now_ns)

    # -- everybody -----------------------------------------------------------------------------------

    @property
    def due_ns(self) -> int | None:
        """When it will be known what is answered to the current request, ns; None without one."""
        return self.state.due_ns

    def report_frames(self) -> None:
        """Call `on_frame` for answers that have ended and were not read; for whoever ends a recording."""
        for reply in self.state.replies:
            if not reply.reported and reply.end_ns <= self.agenda.now_ns:
                self._report(reply)

    def _report(self, reply: Reply) -> None:
        if self.on_frame and not reply.reported:
            self.on_frame(reply.start_ns, reply.end_ns, "response", reply.data, reply.comment)
        reply.reported = True

    def _garble_replies(self, start_ns: int, end_ns: int, comment: str) -> bool:
        hit = False
        for reply in self.state.replies:
            hit |= reply.garble(start_ns, end_ns, comment)
        return hit

    def _hear(self) -> None:
        """The line has been silent for 3.5 characters: the nodes judge what they have heard."""
        state, now_ns = self.state, self.agenda.now_ns
        if state.due_ns != now_ns:
            return  # more bytes came, or fewer: there is another wake-up, or no request
        request, spoilt = state.request, state.spoilt
        state.request, state.due_ns = b"", None
        state.counters.requests += 1
        if state.replies:
            self.report_frames()
        if self.on_frame:
            direction: Direction = "unknown" if spoilt == "break" else "request"
            self.on_frame(state.request_start_ns, state.sent_ns, direction, request, spoilt)
        if spoilt:
            state.counters.not_understood += 1
            request = garbled(request, 0, len(request))
        if not is_frame(request):
            return
        for node in self._stations:
            heard = request_to(node.units, request)
            if heard is not None:
                unit, asked = heard
                response = node.answer(asked, now_ns)
                if unit != BROADCAST:
                    self._reply(encode_frame(unit, response), now_ns + node.turnaround_ns)

    def _reply(self, answer: bytes, start_ns: int) -> None:
        """A node's answer goes out; what the master has no room for is lost."""
        state, comment = self.state, ""
        state.counters.replies += 1
        room = INPUT_BUFFER - len(answer)
        for reply in state.replies:
            room -= len(reply.data) - reply.read
        if room < 0:
            lost = min(-room, len(answer))
            state.counters.lost_bytes += lost
            answer, comment = answer[: len(answer) - lost], "master's input buffer is full"
        if answer:
            line = state.line
            state.replies.append(Reply(start_ns, start_ns + line.span_ns(len(answer)), line, answer, 0, comment))


def garbled(data: bytes, first: int, last: int) -> bytes:
    """Bytes of which those from `first` up to `last` (exclusive) are something else now.

    Always the same something, so that runs repeat; and garbling twice does not restore.
    """
    middle = bytes([(byte + (0x55 + 0x1D * index | 1)) & 0xFF for index, byte in enumerate(data[first:last], first)])
    return data[:first] + middle + data[last:]
