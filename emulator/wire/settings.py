"""How a serial port is set, and how long characters take then, in integer nanoseconds.

`rig.protocol.LineTiming` knows the lines that Modbus RTU can run on; a port can be set to others, on
which nobody is understood but time passes all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rig.protocol.timing import half_characters_ns, pauses_ns

__all__ = ["LineSettings"]

HALF_SECOND_NS = 500_000_000


@dataclass(frozen=True)
class LineSettings:
    """How a port is set, RTU or not; the default is Modbus' own.

    Attributes:
        baud: bit/s.
        data_bits: 5 … 8; only 8 makes sense on this line.
        parity: `N`, `E`, `O`, `M` or `S`.
        stop_bits: 1, 1.5 or 2.
    """

    baud: int = 19_200
    data_bits: int = 8
    parity: str = "E"
    stop_bits: float = 1
    half_bits: int = field(init=False, repr=False, compare=False)
    pause_ns: int = field(init=False, repr=False, compare=False)
    """Longest pause within a frame by the specification: 1.5 characters, 0.75 ms above 19,200 bit/s."""
    char_ns: int = field(init=False, repr=False, compare=False)
    """Duration of one character, ns, rounded up."""
    silence_ns: int = field(init=False, repr=False, compare=False)
    """Silence that ends a frame: 3.5 characters, 1.75 ms above 19,200 bit/s."""

    def __post_init__(self) -> None:
        put = object.__setattr__  # frozen; these follow from the fields above
        put(self, "half_bits", 2 * (1 + self.data_bits + (self.parity != "N")) + round(2 * self.stop_bits))
        put(self, "char_ns", self.span_ns(1))
        pause_ns, silence_ns = pauses_ns(self.half_bits, self.baud)
        put(self, "pause_ns", pause_ns)
        put(self, "silence_ns", silence_ns)

    def span_ns(self, count: int) -> int:
        """Duration of `count` characters in a row, ns, rounded up once."""
        return half_characters_ns(2 * count, self.half_bits, self.baud)

    def count_in(self, span_ns: int) -> int:
        """How many whole characters fit into a span."""
        return span_ns * self.baud // (self.half_bits * HALF_SECOND_NS)
