"""Where frames begin and end in a stream of bytes with times.

The rule this module keeps: between two pauses of 3.5 characters lies a *block*, and a frame never
reaches across a pause unless the role says that pauses cannot be trusted (`hold`). Within a block
there are two policies:

* `Framing.SILENCE`: a block is one frame or it is bad. This is what Serial Line V1.02, section
  2.5.1.1 says. It needs a line that shows its pauses.
* `Framing.LENGTH`: the first bytes tell the length (`rig.protocol.grammar`). A frame is complete
  with its last byte, frames may follow one another without pause, and after a broken one the search
  goes on byte by byte for the next place where a length and a CRC agree. The first place where a
  frame may still be growing is waited for; the pause ends the waiting. A pause also ends a block
  whose length no table knows, which is how a request with an unknown function is recognised.

The pause of 1.5 characters *inside* a frame is not enforced: no operating system delivers bytes
punctually enough to see it, and the CRC catches what it was made to catch.

Times: `now` is when the last byte of a chunk was complete, and the bytes of a chunk are taken to
have followed one another without pause. Memory: never more than one frame and one chunk.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from rig.protocol.crc import crc16
from rig.protocol.events import FrameFault
from rig.protocol.grammar import MAX_FRAME, MIN_FRAME, MORE
from rig.protocol.timing import LineTiming

__all__ = ["Frame", "Framer", "FramerState", "Framing", "Reader", "is_frame"]


def is_frame(block: bytes) -> bool:
    """Say whether all that came between two silences is one whole, undamaged frame."""
    return MIN_FRAME <= len(block) <= MAX_FRAME and not crc16(block)


class Framing(Enum):
    """How the end of a frame is found; see the module."""

    SILENCE = "silence of 3.5 characters"
    LENGTH = "expected length with resynchronisation"


@dataclass(slots=True)
class Frame:
    """A piece of the stream.

    Attributes:
        raw: a whole frame with a valid CRC or, if `fault` is set, bytes that are none.
        start_ns: when its first byte began.
        end_ns: when its last byte was complete.
        fault: None for a valid frame.
    """

    raw: bytes
    start_ns: int
    end_ns: int
    fault: FrameFault | None = None


@dataclass(slots=True)
class FramerState:
    """All that makes the future of a framer.

    Attributes:
        buffer: bytes that are not yet known to be whole or lost.
        arrivals: per chunk still in the buffer: bytes left of it, when the last one was complete, and
            when the line was last known to be busy with something else before it.
        last_ns: when the last byte was complete; None before the first.
        searched: before this offset no frame can start any more.
        is_unfinished: the last search met an awaited frame that may still grow.
        is_overlong: this block has lost its beginning.
        is_paused: the pause behind the last byte has been dealt with.
    """

    buffer: bytes = b""
    arrivals: list[tuple[int, int, int]] = field(default_factory=list)
    last_ns: int | None = None
    searched: int = 0
    is_unfinished: bool = False
    is_overlong: bool = False
    is_paused: bool = True


class Reader(Protocol):
    """What a role expects on the line. It is asked only under `Framing.LENGTH`, and to name faults."""

    def lengths(self, data: bytes, start: int) -> tuple[int, ...]:
        """Tell which lengths a frame at `data[start]` may have, the likeliest first.

        Each is a number of bytes, `MORE` (cannot tell yet) or `NONE`.
        """
        ...

    def is_awaited(self, data: bytes, start: int) -> bool:
        """Say whether an unfinished frame at `data[start]` is worth holding back what follows it."""
        ...


class Framer:
    """Cuts the stream into frames and the garbage between them; no byte is lost or given twice.

    Attributes:
        state: all that makes its future.
    """

    __slots__ = ("_by_length", "_char_ns", "_gap_ns", "_hold", "_reader", "state")

    def __init__(
        self,
        reader: Reader,
        timing: LineTiming,
        framing: Framing,
        gap_ns: int | None = None,
        *,
        hold: bool = False,
    ) -> None:
        """Start with an empty line.

        Args:
            reader: what is expected.
            timing: the line.
            framing: the policy.
            gap_ns: the pause that ends a block; None for 3.5 characters.
            hold: keep an awaited frame that a pause interrupts until `flush`. Only for LENGTH.
        """
        self._reader = reader
        self._char_ns = timing.char_ns
        self._by_length = framing is Framing.LENGTH
        self._gap_ns = timing.t3_5_ns if gap_ns is None else gap_ns
        self._hold = hold
        self.state = FramerState()

    def feed(self, data: bytes, now: int) -> list[Frame]:
        """Take bytes in.

        Args:
            data: bytes that followed one another without pause.
            now: when the last of them was complete, in ns.

        Returns:
            What is now known to be whole or lost, in the order of the line.
        """
        if not data:
            return []
        state, span_ns = self.state, len(data) * self._char_ns
        out: list[Frame] = []
        last = state.last_ns
        if last is None:
            last = now - span_ns
        elif now - span_ns - last >= self._gap_ns and not state.is_paused:
            self._end_block(out)
        if now < last:  # noqa: PLR1730 - three times as fast as max(), for every chunk
            now = last
        state.last_ns = now
        if self._by_length and self._take_likely(data, now, last, out):
            return out
        state.is_paused = False
        for start in range(0, len(data), MAX_FRAME):
            chunk = data[start : start + MAX_FRAME]
            end_ns = max(last, now - (len(data) - start - len(chunk)) * self._char_ns)
            state.buffer += chunk
            state.arrivals.append((len(chunk), end_ns, last))
            last = end_ns
            if self._by_length:
                self._search(out, final=False)
            if len(state.buffer) > MAX_FRAME:
                state.is_overlong = True
                out.append(self._take(self._lost(), FrameFault.TOO_LONG))
        return out

    def feed_block(self, data: bytes, now: int) -> list[Frame]:
        """Take in all that came between two silences, of which the driver has judged the second to be one.

        The same as `feed` and then, after a pause, `expire`.

        Args:
            data: the block.
            now: when its last byte was complete, in ns.
        """
        if not self._by_length and not self.state.is_overlong and MIN_FRAME <= len(data) <= MAX_FRAME:
            start_ns = self.pass_whole(data, now)  # nearly always so, and much cheaper
            if start_ns is not None:
                return [Frame(data, start_ns, max(start_ns, now))]
        out = self.feed(data, now)
        self._end_block(out)
        return out

    def pass_whole(self, data: bytes, now: int) -> int | None:
        """Let one whole frame pass that somebody else takes; the same as `feed`, for what is known to be one.

        Args:
            data: what a frame looks like, but for its CRC.
            now: when its last byte was complete, in ns.

        Returns:
            When its first byte began, in ns; None, with nothing done, if it is damaged or bytes wait in front of it.
        """
        state = self.state
        if state.buffer or crc16(data):
            return None
        start_ns = now - len(data) * self._char_ns
        last = state.last_ns
        if last is not None and start_ns < last:
            start_ns, now = last, max(now, last)
        state.last_ns = now
        state.is_paused, state.is_overlong = True, False
        return start_ns

    def deadline(self) -> int | None:
        """Return when `expire` has something to do, in ns; None while there is nothing to end."""
        state = self.state
        if state.is_paused or not state.buffer or state.last_ns is None:
            return None
        return state.last_ns + self._gap_ns

    def expire(self, now: int) -> list[Frame]:
        """End the block if the line has been silent for long enough at `now`."""
        out: list[Frame] = []
        deadline = self.deadline()
        if deadline is not None and now >= deadline:
            self._end_block(out)
        return out

    def flush(self) -> list[Frame]:
        """Give up on everything that is still unfinished and return it."""
        out: list[Frame] = []
        if self.state.buffer:
            self._end_block(out, give_up=True)
        return out

    def _end_block(self, out: list[Frame], *, give_up: bool = False) -> None:
        state = self.state
        if not state.buffer:
            state.is_paused, state.is_overlong = True, False
            return
        if is_frame(state.buffer) and not state.is_overlong:
            out.append(self._take(len(state.buffer)))
        elif self._by_length:
            self._search(out, final=True)
        if state.buffer and (give_up or not (self._hold and state.is_unfinished)):
            fault = FrameFault.TOO_LONG if state.is_overlong else self._name_fault(len(state.buffer))
            out.append(self._take(len(state.buffer), fault))
        state.is_overlong = False
        state.is_paused = True

    def _search(self, out: list[Frame], *, final: bool) -> None:
        """Take all whole frames and the garbage before them; `final` waits for nothing."""
        state = self.state
        position = state.searched
        growing: int | None = None  # the first place where a frame may still be growing
        state.is_unfinished = False
        while position < len(state.buffer):
            length = self._match(position, final=final)
            if length > 0:
                if position:
                    out.append(self._take(position, self._name_fault(position)))
                out.append(self._take(length))
                position, growing, state.is_unfinished = 0, None, False
                continue
            if length == MORE:
                if growing is None:
                    growing = position
                if self._reader.is_awaited(state.buffer, position):
                    state.is_unfinished = True
                    if not final:
                        break
            position += 1
        state.searched = position if growing is None else growing

    def _match(self, position: int, *, final: bool) -> int:
        """Return the length of the whole frame at `position`, MORE if one may be growing, else NONE."""
        buffer = self.state.buffer
        available = len(buffer) - position
        result = -1
        for length in self._reader.lengths(buffer, position):
            if length < 0:
                continue
            if length == MORE or length > available:
                # A likelier reading comes first: a shorter one that happens to fit its CRC is not
                # believed while the likelier one is still growing.
                result = MORE
                if not final:
                    break
            elif not crc16(buffer[position : position + length]):
                return length
        return result

    def _take_likely(self, data: bytes, now: int, last: int, out: list[Frame]) -> bool:
        """Take in what comes nearly always, a whole frame or the beginning or end of one, without a search.

        Returns:
            Whether `data` was that: if not, nothing was done.
        """
        state = self.state
        if state.buffer:
            if state.searched or state.is_overlong:
                return False
            whole = state.buffer + data
            length = self._reader.lengths(whole, 0)[0]
            if length != len(whole) or crc16(whole):
                return False
            size, end_ns, before_ns = state.arrivals[0]
            out.append(Frame(whole, max(before_ns, end_ns - size * self._char_ns), now))
            state.buffer = b""
            state.arrivals.clear()
            state.is_unfinished = state.is_paused = False
            return True
        length = self._reader.lengths(data, 0)[0]
        if length == len(data):
            if crc16(data):
                return False
            start_ns = now - length * self._char_ns
            out.append(Frame(data, start_ns if start_ns > last else last, now))
            state.is_paused, state.is_overlong = True, False
            return True
        if (length == MORE or length > len(data)) and not state.is_overlong and self._reader.is_awaited(data, 0):
            state.buffer = data
            state.arrivals.append((len(data), now, last))
            state.is_unfinished, state.is_paused, state.searched = True, False, 0
            return True
        return False

    def _lost(self) -> int:
        """Return how many bytes of an overlong block can be in no frame any more."""
        state = self.state
        if not self._by_length:
            return len(state.buffer)
        return max(state.searched, len(state.buffer) - MAX_FRAME)

    def _name_fault(self, count: int) -> FrameFault:
        """Say what is wrong with the first `count` bytes."""
        state = self.state
        lengths = [length for length in self._reader.lengths(state.buffer[:count], 0) if length >= 0]
        if count < MIN_FRAME or (lengths and all(length == MORE or length > count for length in lengths)):
            return FrameFault.INCOMPLETE
        return FrameFault.CRC

    def _take(self, count: int, fault: FrameFault | None = None) -> Frame:
        """Remove the first `count` bytes, at least one."""
        state = self.state
        raw = state.buffer[:count]
        state.buffer = state.buffer[count:]
        state.searched = 0
        char_ns = self._char_ns
        size, end_ns, before_ns = state.arrivals[0]
        start_ns = max(before_ns, end_ns - size * char_ns)
        while count:
            size, end_ns, before_ns = state.arrivals.pop(0)
            if size > count:
                state.arrivals.insert(0, (size - count, end_ns, before_ns))
                end_ns = max(before_ns, end_ns - (size - count) * char_ns)
                size = count
            count -= size
        if fault is None:
            state.is_overlong = False
        return Frame(raw, start_ns, end_ns, fault)
