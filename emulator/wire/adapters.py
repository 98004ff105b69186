"""The adapter between the line and the master's program: when bytes that have arrived can be read.

A UART hands over every byte at once. A USB adapter collects bytes and sends them in packets: when one is full, or when
its latency timer runs out, which is 16 ms for FTDI chips as they are delivered (FTDI application note AN232B-04: 62
bytes of data in a 64-byte packet; the timer begins anew with every packet). Some controllers hand over a FIFO at a
time, or what is left after four characters of silence (16550). An operating system wakes a program up when it suits it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["ADAPTERS", "ECHO", "Adapter", "adapter_named"]

MS_NS: Final = 1_000_000
ECHO: Final = "+echo"
"""What a name ends with if the adapter hears what it sends itself."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """How one adapter passes on what has arrived.

    Attributes:
        name: for people.
        packet: bytes that are passed on as soon as there are so many; 1 for a plain UART.
        timer_ns: what has come is passed on whenever this long has passed since the last packet; 0 if nothing is.
        idle_characters: what has come is passed on after so many characters of silence; 0 if nothing is.
        jitter_ns: bytes that are passed on together can be read up to this much later, by chance.
        echo: it hears what it sends itself, as two-wire adapters do whose receiver stays on.
    """

    name: str
    packet: int = 1
    timer_ns: int = 0
    idle_characters: float = 0.0
    jitter_ns: int = 0
    echo: bool = False

    @property
    def is_plain(self) -> bool:
        """Bytes can be read as they arrive."""
        return self.packet == 1 and not self.jitter_ns


ADAPTERS: Final[Mapping[str, Adapter]] = {
    adapter.name: adapter
    for adapter in (
        Adapter("ideal"),
        Adapter("ftdi-16ms", packet=62, timer_ns=16 * MS_NS),
        Adapter("ftdi-1ms", packet=62, timer_ns=1 * MS_NS),
        Adapter("fifo-8", packet=8, idle_characters=4.0),
        Adapter("os-jitter", packet=16, idle_characters=4.0, jitter_ns=5 * MS_NS),
    )
}
"""Adapters by name; every one may have `+echo` behind it."""


def adapter_named(name: str) -> Adapter:
    """An adapter of `ADAPTERS`, with `+echo` if the name says so.

    Raises:
        ValueError: there is none.
    """
    plain, echo, rest = name.partition(ECHO)
    known = ADAPTERS.get(plain)
    if known is None or rest:
        raise ValueError(
            f"adapter is {name!r}; it must be one of {', '.join(ADAPTERS)}, with {ECHO} if it hears itself"
        )
    if not echo:
        return known
    return Adapter(name, known.packet, known.timer_ns, known.idle_characters, known.jitter_ns, echo=True)


def readable_ns(
    adapter: Adapter, arrivals_ns: list[int], char_ns: int, packet_ns: int, draw: Callable[[], float]
) -> tuple[list[int], int]:
    """When bytes can be read.

    Args:
        adapter: what passes them on.
        arrivals_ns: when they arrive, in order.
        char_ns: duration of a character.
        packet_ns: when the adapter sent its last packet.
        draw: random numbers, uniform in (0, 1).

    Returns:
        The times, in the same order, and when the last packet was sent.
    """
    times: list[int] = []
    begin, count = 0, len(arrivals_ns)
    while begin < count:
        full_ns = arrivals_ns[begin + adapter.packet - 1] if begin + adapter.packet <= count else None
        ready_ns = full_ns
        if adapter.timer_ns:
            # the timer has run out many times since, with nothing to tell
            periods = max(math.ceil((arrivals_ns[begin] - packet_ns) / adapter.timer_ns), 1)
            expiry_ns = packet_ns + periods * adapter.timer_ns
            ready_ns = expiry_ns if full_ns is None else min(full_ns, expiry_ns)
        elif full_ns is None:
            ready_ns = arrivals_ns[-1] + round(adapter.idle_characters * char_ns)
        assert ready_ns is not None
        end = begin
        while end < count and arrivals_ns[end] <= ready_ns and end - begin < adapter.packet:
            end += 1
        packet_ns = ready_ns
        seen_ns = ready_ns + int(adapter.jitter_ns * draw()) if adapter.jitter_ns else ready_ns
        if times and seen_ns < times[-1]:
            seen_ns = times[-1]  # bytes do not overtake each other
        times += [seen_ns] * (end - begin)
        begin = end
    return times, packet_ns
