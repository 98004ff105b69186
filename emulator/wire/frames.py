"""What is on the wire, and everything else that makes the future of the line."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from emulator.wire.damage import garbled
from emulator.wire.faults import ActiveFault
from emulator.wire.settings import LineSettings

__all__ = ["BusCounters", "BusState", "Reply"]


@dataclass(slots=True)
class Reply:
    """Bytes on their way to the master, or waiting there to be read: a node's answer, or what else is on the wire.

    Attributes:
        start_ns: when its first byte begins.
        end_ns: when its last byte has arrived.
        line: the settings that it is sent with.
        data: its bytes, as they are on the wire.
        unit: address of the node that sends it; 0 for none.
        read: how many of them the master has read.
        comment: what happened to it on the way.
        reported: whether `on_frame` has been told.
        readable_ns: when each byte can be read, where that is not when it arrives.
    """

    start_ns: int
    end_ns: int
    line: LineSettings
    data: bytes
    unit: int = 0
    read: int = 0
    comment: str = ""
    reported: bool = False
    readable_ns: list[int] | None = None

    def arrived(self, now_ns: int) -> int:
        """How many bytes can be read by `now_ns`, those that were read already included."""
        if self.readable_ns is not None:
            return bisect_right(self.readable_ns, now_ns)
        if now_ns >= self.end_ns:
            return len(self.data)
        return self.line.count_in(now_ns - self.start_ns) if now_ns > self.start_ns else 0

    def arrival_ns(self, count: int) -> int:
        """When the `count`-th of all its bytes can be read, ns."""
        if self.readable_ns is not None:
            return self.readable_ns[count - 1]
        return self.end_ns if count == len(self.data) else self.start_ns + self.line.span_ns(count)

    def garble(self, start_ns: int, end_ns: int, comment: str) -> bool:
        """Garble the bytes that are on the wire between two times; returns whether there are any."""
        if start_ns >= self.end_ns:  # also if its bytes took no time
            return False
        first = self.line.count_in(max(start_ns - self.start_ns, 0))
        last = min(self.line.count_in(max(end_ns - self.start_ns - 1, -1)) + 1, len(self.data))
        if first >= last:
            return False
        self.data = garbled(self.data, first, last)
        self.comment = comment
        return True

    def cut(self, now_ns: int, comment: str) -> None:
        """The sender falls silent: bytes that have not left by now never come."""
        if now_ns >= self.end_ns:
            return
        sent = self.line.count_in(max(now_ns - self.start_ns, 0))
        if sent >= len(self.data):
            return
        self.data, self.comment = self.data[:sent], comment
        self.end_ns = self.start_ns + self.line.span_ns(sent)
        if self.readable_ns is not None:
            self.readable_ns = self.readable_ns[:sent]


@dataclass(slots=True)
class BusCounters:
    """What has happened on the line so far, for tests and diagnostics."""

    requests: int = 0
    replies: int = 0
    collisions: int = 0
    not_understood: int = 0
    breaks: int = 0
    lost_bytes: int = 0
    framing_errors: int = 0
    parity_errors: int = 0
    overruns: int = 0
    struck: int = 0
    """Frames that a fault has struck."""
    unplugged: int = 0
    power_losses: int = 0
    """Nodes that have lost their supply."""

    @property
    def trouble(self) -> int:
        """What master and nodes have met that was not as it should be, faults that nobody met left out."""
        unanswered = self.requests - self.replies
        broken = self.framing_errors + self.parity_errors + self.overruns + self.not_understood + self.lost_bytes
        return unanswered + broken + self.collisions + self.breaks + self.unplugged + self.power_losses


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
        break_ns: since when somebody holds a break.
        master_breaks: whether the master does.
        replies: what the master has not read yet, in order of time.
        faults: what was injected and is not over.
        over: the last of those that are.
        injected: how many faults have been injected.
        held: an answer that waits for the next one.
        last_answer: what was answered last, while there are faults.
        packet_ns: when the master's adapter last sent a packet.
        chunks: random numbers that the adapter has used.
        plugged: whether the adapter is plugged in.
        device: name that the adapter got when it was put back last; empty for the one it has had from the start.
        nodes_baud: what the nodes have been changed to, bit/s; 0 if they are as they were.
        nodes_parity: whether they expect another parity.
    """

    line: LineSettings = field(default_factory=LineSettings)
    request: bytes = b""
    request_start_ns: int = 0
    sent_ns: int = 0
    due_ns: int | None = None
    spoilt: str = ""
    break_ns: int | None = None
    master_breaks: bool = False
    replies: list[Reply] = field(default_factory=list)
    counters: BusCounters = field(default_factory=BusCounters)
    faults: list[ActiveFault] = field(default_factory=list)
    over: list[ActiveFault] = field(default_factory=list)
    injected: int = 0
    held: bytes = b""
    last_answer: bytes = b""
    packet_ns: int = 0
    chunks: int = 0
    plugged: bool = True
    device: str = ""
    nodes_baud: int = 0
    nodes_parity: bool = False
