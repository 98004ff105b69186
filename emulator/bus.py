"""The RS-485 line between one master and its nodes, in virtual time.

One pair of wires, half duplex. Bytes are not events: a frame is a start time and a length, and the
time of each byte follows from the line settings. The queue gets one wake-up per frame, 3.5 characters
after its end, which is when the nodes know that it is complete:

    master's bytes ──┬── t3.5 ──┬── turnaround ──┬── answer, one character after another ──
                     end        due: nodes hear   start
                                the frame

What the line does to bytes:

* a pause of less than 3.5 characters does not end a frame; one of more than 1.5 spoils it where gaps are `strict`;
* bytes of master and node that overlap are garbled for both, and so is all that meets a break;
* a master with another baud rate or parity than nodes that keep theirs, or without 8 data bits, is not understood;
* nodes hear what the master says, not what other nodes answer;
* faults do what `emulator.wire.faults` says (`inject`), and cost nothing while there are none;
* the master's adapter passes bytes on when it suits it (`emulator.wire.adapters`);
* a line whose bytes take no time (`Bus.at_once`) has no silence to tell where a request ends: its length does.

Everything that makes the future of the line is plain data in `Bus.state`; `with_state` makes a line of it and rebuilds
the wake-up. What the nodes make of a request depends on nothing but its bytes.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Literal

from emulator.agenda import Agenda, Priority, WakeUp
from emulator.random import stream_key, uniform
from emulator.wire.adapters import adapter_named, readable_ns
from emulator.wire.damage import garbled
from emulator.wire.faults import Fault
from emulator.wire.frames import BusCounters, BusState, Reply
from emulator.wire.nodes import BusNode, ByteNode, Overheard
from emulator.wire.settings import LineSettings
from emulator.wire.trouble import Trouble
from rig.protocol import (
    BROADCAST,
    ExceptionResponse,
    encode_frame,
    is_frame,
    request_length,
    request_to,
)

__all__ = ["Bus", "BusCounters", "BusState", "Direction", "FrameTap", "LineSettings", "Reply"]

Direction = Literal["request", "response", "unknown"]
FrameTap = Callable[[int, int, Direction, bytes, str], None]
"""Called with start (ns), end (ns), direction, bytes and a comment on every frame, faulty ones included."""

INPUT_BUFFER = 4096
"""Bytes that wait for a master which does not read; what comes after them is lost."""
LONGEST_REQUEST = 4096
"""Bytes without silence that are kept, many times what a frame may have; what is longer is no frame anyway."""
BAUD_TOLERANCE = 0.02
"""Baud rates this close understand each other: a character allows 5 %, shared by both ends."""
MARK = {"M": "N"}
"""A parity bit that is always 1 looks like one more stop bit."""
FOREVER_NS = 1 << 62
BUS = Priority.BUS  # looking a member of an enum up takes longer than much else here


class Bus:
    """The line.

    Args:
        agenda: the queue of the simulation.
        nodes: who listens; no two of them have the same address.
        baud: baud rate of the nodes, bit/s; None if they follow the master.
        adapter: name of the master's adapter (`emulator.wire.adapters`).
        seed: of the random streams of adapter and faults.
        parity: of the nodes, `N`, `E` or `O`; None if they follow the master. How many stop bits the master sends does
            not matter: a receiver looks at the first one.
        gaps: `lax`, or `strict` if the nodes discard a request with a pause of more than 1.5 characters in it.

    Attributes:
        state: all that makes the line's future.
        at_once: requests and answers take no time and nodes no turnaround, for whoever serves a line without a limit
            of the baud rate; how it is served, not a part of the state, so a fork has a line that takes its time.
        on_frame: called on every frame when it has ended and somebody looks at the line; an observer,
            not a part of the state, so a fork has none.
    """

    def __init__(
        self,
        agenda: Agenda,
        nodes: Sequence[BusNode],
        baud: int | None = None,
        adapter: str = "ideal",
        seed: int = 0,
        *,
        parity: str | None = None,
        gaps: str = "lax",
    ) -> None:
        self.agenda = agenda
        self.baud = baud
        self.adapter = adapter_named(adapter)
        self.seed = seed
        self.parity = parity
        self.gaps = gaps
        self._is_strict = gaps == "strict"
        self.state = BusState(line=LineSettings(baud) if baud else LineSettings())
        self.at_once = False
        self.on_frame: FrameTap | None = None
        taken: set[int] = set()
        for node in nodes:
            if taken & node.units:
                raise ValueError(f"two nodes on the bus have address {min(taken & node.units)}; addresses are unique")
            taken |= node.units
        self._stations = list(nodes)
        self._programs: list[ByteNode] = [node for node in nodes if getattr(node, "hears_bytes", False)]  # type: ignore[misc] # it says so
        for node in self._programs:
            node.send = partial(self._say, min(node.units))
        self._listeners = [node for node in nodes if node not in self._programs]
        self._is_plain = self.adapter.is_plain and not self.adapter.echo
        self._wake_up = WakeUp(agenda.env, self._hear)
        self._trouble = Trouble(self, agenda, seed)

    def with_state(self, state: BusState, agenda: Agenda, nodes: Sequence[BusNode], seed: int | None = None) -> Bus:
        """Another line of this kind around a state, which becomes its own.

        Args:
            state: where the line stands; its wake-up is put on the agenda.
            agenda: the queue of the simulation that the line belongs to, at the time of the state.
            nodes: who listens, in the same order.
            seed: of its random streams from now on; None for those of this line.
        """
        seed = self.seed if seed is None else seed
        other = Bus(agenda, nodes, self.baud, self.adapter.name, seed, parity=self.parity, gaps=self.gaps)
        other.state = state
        other.reschedule()
        return other

    def reschedule(self) -> None:
        """Put the wake-up that `state` asks for on the agenda; for a state that came from elsewhere."""
        if self.state.due_ns is not None:
            self.agenda.put(self.state.due_ns, BUS, self._wake_up)
        if self.state.faults:
            self._trouble.reschedule()

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
        end_ns = start_ns if self.at_once else start_ns + line.span_ns(len(data))
        if not state.request:
            state.request_start_ns = start_ns
            state.spoilt = ""
        elif line != state.line:
            state.spoilt = "settings changed within a frame"
        elif self._is_strict and start_ns - state.sent_ns > line.pause_ns:
            state.spoilt = "pause within a frame"
        if not self._is_understood(line):
            state.spoilt = "other line settings"
        state.line = line
        if len(state.request) < LONGEST_REQUEST:
            state.request += data
        else:
            state.spoilt = "no silence"
        state.sent_ns = end_ns
        if state.replies and self._garble_replies(start_ns, end_ns, "collision"):
            state.spoilt = "collision"
            state.counters.collisions += 1
        if self.adapter.echo:
            heard = garbled(data, 0, len(data)) if state.spoilt == "collision" else data
            self._append(Reply(start_ns, end_ns, line, heard, comment="echo", reported=True))
        if state.break_ns is None:
            if self.at_once and request_length(state.request) == len(state.request):
                state.due_ns = now_ns
                self._hear()
            else:
                state.due_ns = end_ns + line.silence_ns
                self.agenda.put(state.due_ns, BUS, self._wake_up)
        return end_ns

    def _is_understood(self, line: LineSettings) -> bool:
        """Whether the nodes make sense of what is sent with these settings."""
        state = self.state
        if line.data_bits != 8 or state.nodes_parity:
            return False
        if self.parity is not None and self.parity != MARK.get(line.parity, line.parity):
            return False
        baud = state.nodes_baud or self.baud
        return not baud or abs(line.baud - baud) <= BAUD_TOLERANCE * baud

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
        self.state.master_breaks = True
        self.settle_break()

    def end_break(self) -> None:
        """Let go of the line; the nodes take the break for a byte with a framing error."""
        self.state.master_breaks = False
        self.settle_break()

    def settle_break(self) -> None:
        """The line is held while the master holds it or a fault does."""
        state, now_ns = self.state, self.agenda.now_ns
        is_held = state.master_breaks or bool(self._trouble.acting("break"))
        if is_held == (state.break_ns is not None):
            return
        if is_held:
            state.break_ns = now_ns
            state.due_ns = None
            state.counters.breaks += 1
            self._garble_replies(now_ns, FOREVER_NS, "break")
            return
        assert state.break_ns is not None
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
        """How many bytes the master can read: those of answers that overlap come one answer after the other."""
        count = 0
        for reply in self.state.replies:
            ready = reply.arrived(now_ns)
            count += ready - reply.read
            if ready < len(reply.data):
                break
        return count

    def arrival_ns(self, count: int) -> int | None:
        """When the `count`-th unread byte will be there, ns; None if that is not known (yet)."""
        before_ns = 0
        for reply in self.state.replies:
            unread = len(reply.data) - reply.read
            if count <= unread:
                arrival_ns = reply.arrival_ns(reply.read + count)
                return arrival_ns if arrival_ns > before_ns else before_ns
            count -= unread
            last_ns = reply.arrival_ns(len(reply.data))
            before_ns = max(before_ns, last_ns)
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
        self.end_break()
        state.replies.clear()
        state.request, state.due_ns = b"", None
        state.sent_ns = min(state.sent_ns, self.agenda.now_ns)

    # -- both in one go ------------------------------------------------------------------------------

    def exchange(self, data: bytes, line: LineSettings, length: int, until_ns: int) -> bytes:
        """Send a request and take its answer, where nothing can come in between: nearly always.

        The same as `transmit`, waiting and `read`, without anything that is only there to be found by others.

        Args:
            data: the request.
            line: the master's settings.
            length: bytes of the answer that is waited for.
            until_ns: until when, ns.

        Returns:
            The answer, at the time of its last byte. Nothing if something happens on the line or elsewhere meanwhile:
            then the request is on its way, and what comes of it is to be read.
        """
        state, agenda = self.state, self.agenda
        start_ns = agenda.now_ns
        sent_ns = start_ns + line.span_ns(len(data))
        due_ns = sent_ns + line.silence_ns
        if due_ns > until_ns or not self._is_undisturbed(start_ns, line) or not agenda.is_idle_until(due_ns):
            self.transmit(data, line)
            return b""
        # nobody looks before `due_ns`, so it may be told now what will be heard then
        state.line, state.spoilt = line, ""
        state.request_start_ns, state.sent_ns = start_ns, sent_ns
        state.counters.requests += 1
        if self.on_frame:
            self.on_frame(start_ns, sent_ns, "request", data, "")
        if self._programs:
            agenda.run_until(due_ns)  # a program goes on by itself from there, and may be looked at
            self._let_hear(data, False, due_ns)
        self._judge(data, due_ns)
        if not state.replies:
            return b""
        reply = state.replies[0]
        if len(reply.data) != length or reply.end_ns > until_ns or not agenda.is_calm_until(reply.end_ns):
            return b""
        agenda.run_until(reply.end_ns)
        return self.read(length)

    def _is_undisturbed(self, now_ns: int, line: LineSettings) -> bool:
        """Whether an exchange is all that happens on the line, as far as the line itself knows."""
        state = self.state
        return (
            self._is_plain
            and not (state.replies or state.request or state.faults or state.held)
            and state.sent_ns <= now_ns
            and state.break_ns is None
            and state.plugged
            and self._is_understood(line)
        )

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
        if state.faults and not spoilt:
            request, comment, flagged = self._trouble.strike_request(request)
            spoilt = comment if flagged else ""
        else:
            comment = spoilt
        if self.on_frame and (request or not comment):
            direction: Direction = "unknown" if spoilt == "break" else "request"
            self.on_frame(state.request_start_ns, state.sent_ns, direction, request, comment)
        if spoilt:
            state.counters.not_understood += 1
            request = garbled(request, 0, len(request))
        if state.faults and is_frame(request):
            self._trouble.meet("request", request[0], now_ns, now_ns)
        if self._programs and request:
            self._let_hear(request, "overrun" in comment, now_ns)
        self._judge(request, now_ns, comment)

    def _judge(self, request: bytes, now_ns: int, comment: str = "") -> None:
        """The nodes without a program of their own have heard this, and answer if they are asked."""
        state = self.state
        if not is_frame(request):
            if request:
                self._tell("overrun" if "overrun" in comment else "broken")
            return
        address = request[0]
        for node in self._listeners:
            if not node.is_on:
                continue
            # what is for another is nearly all that a node hears, and its address says so
            heard = request_to(node.units, request) if address in node.units or address == BROADCAST else None
            if heard is None:
                node.overhear("to_others")
                continue
            unit, asked = heard
            if state.faults and unit != BROADCAST:
                asked = self._trouble.declined(unit, request) or asked
            response = node.answer(asked, now_ns)
            if unit == BROADCAST:
                node.overhear("broadcast")
            elif response is not None:
                self._reply(encode_frame(unit, response), unit, now_ns + node.turnaround_ns)

    def _let_hear(self, block: bytes, overrun: bool, now_ns: int) -> None:
        """Nodes with a program of their own get the bytes, but for requests that a fault makes them decline."""
        unit = block[0]
        for node in self._programs:
            if not node.is_on:
                continue
            declined = None
            if self.state.faults and unit in node.units and is_frame(block):
                declined = self._trouble.declined(unit, block)
            if declined is None:
                node.hear(block, overrun, now_ns)
            else:
                answer = encode_frame(unit, ExceptionResponse(declined.function, declined.code))
                self._reply(answer, unit, now_ns + node.turnaround_ns)

    def _say(self, unit: int, answer: bytes, start_ns: int) -> None:
        """A node with a program of its own answers, from `start_ns` on."""
        self._reply(answer, unit, start_ns)

    def _tell(self, what: Overheard) -> None:
        for node in self._listeners:
            if node.is_on:
                node.overhear(what)

    def _reply(self, answer: bytes, unit: int, start_ns: int) -> None:
        """A node's answer goes out."""
        state = self.state
        state.counters.replies += 1
        if self.at_once:
            start_ns = self.agenda.now_ns
        if not (state.faults or state.held or state.replies):
            line = state.line
            end_ns = start_ns if self.at_once else start_ns + line.span_ns(len(answer))
            self._append(Reply(start_ns, end_ns, line, answer, unit))
            return
        if state.faults:
            self._trouble.meet("response", unit, start_ns, start_ns + state.line.span_ns(len(answer)))
        pieces, comment = self._trouble.strike_answer(answer, unit)
        for data, delay_ns in pieces:
            start_ns = self.put_on_wire(data, start_ns + delay_ns, comment, unit)

    def put_on_wire(self, data: bytes, start_ns: int, comment: str, unit: int = 0) -> int:
        """Bytes to the master that are damaged, late or nobody's, and meet what else is on the wire.

        Returns:
            When the last of them has left, ns.
        """
        state = self.state
        # nobody's bytes are not an answer: a node that babbles has the line for a while in any case
        end_ns = start_ns if self.at_once and unit else start_ns + state.line.span_ns(len(data))
        reply = Reply(start_ns, end_ns, state.line, data, unit, comment=comment)
        for other in state.replies:
            if other.garble(reply.start_ns, reply.end_ns, "collision"):
                reply.garble(other.start_ns, other.end_ns, "collision")
                state.counters.collisions += 1
        if state.request and state.sent_ns > start_ns:
            state.spoilt = "collision"
            state.counters.collisions += 1
            reply.garble(start_ns, state.sent_ns, "collision")
        self._append(reply)
        return reply.end_ns

    def _append(self, reply: Reply) -> None:
        """Bytes come to the master; what it has no room for is lost."""
        state = self.state
        room = INPUT_BUFFER - len(reply.data)
        for other in state.replies:
            room -= len(other.data) - other.read
        if room < 0:
            lost = min(-room, len(reply.data))
            state.counters.lost_bytes += lost
            reply.data, reply.comment = reply.data[: len(reply.data) - lost], "master's input buffer is full"
            reply.end_ns = min(reply.end_ns, reply.start_ns + reply.line.span_ns(len(reply.data)))
        if not reply.data or not state.plugged:
            return
        if not self.adapter.is_plain:
            self._pass_on(reply)
        if state.replies and state.replies[-1].start_ns > reply.start_ns:
            insort(state.replies, reply, key=lambda other: other.start_ns)
        else:
            state.replies.append(reply)

    def _pass_on(self, reply: Reply) -> None:
        """When the master's adapter passes the bytes on."""
        state, key = self.state, stream_key(self.seed, "adapter")

        def draw() -> float:
            state.chunks += 1
            return float(uniform(key, state.chunks))

        line = reply.line
        arrivals_ns = [reply.start_ns + line.span_ns(count) for count in range(1, len(reply.data) + 1)]
        reply.readable_ns, state.packet_ns = readable_ns(self.adapter, arrivals_ns, line.char_ns, state.packet_ns, draw)

    # -- what goes wrong -----------------------------------------------------------------------------

    def inject(self, fault: Fault) -> int:
        """Let something go wrong; returns the number by which it can be withdrawn."""
        return self._trouble.inject(fault)

    def next_fault_number(self) -> int:
        """Number for a fault that is injected elsewhere, so that no two have the same."""
        return self._trouble.next_number()

    def withdraw(self, number: int | None = None) -> None:
        """End a fault, or all of them, as if its time were over."""
        self._trouble.withdraw(number)

    def supply(self, dead: Collection[int | None]) -> None:
        """Nodes with these addresses have no supply from now on (None: no node has), all others have."""
        now_ns = self.agenda.now_ns
        for node in self._stations:
            is_dead = None in dead or not node.units.isdisjoint(dead)
            if is_dead and node.is_on:
                node.switch_off()
                self.state.counters.power_losses += 1
                for reply in self.state.replies:
                    if reply.unit in node.units:
                        reply.cut(now_ns, "brown_out")
            elif not is_dead and not node.is_on:
                node.switch_on(now_ns)
        self.state.replies = [reply for reply in self.state.replies if reply.read < len(reply.data)]

    def unplug(self) -> None:
        """The master's adapter is pulled: what it has, and what is on its way to it, is gone."""
        if not self.state.plugged:
            return
        self.forget_master()
        self.state.plugged = False
        self.state.counters.unplugged += 1

    def plug(self) -> None:
        """The adapter is put back; a port that was open on it stays dead (`emulator.ports.protocol_emu`)."""
        self.state.plugged = True
