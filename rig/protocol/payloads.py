"""Answers that carry many values: registers or bits, as values or as the bytes they came in.

The rule: both forms say the same, and either is made from the other when somebody first asks for it.
So a server answers with the bytes of its store, a client decodes straight from `payload`, and nobody
pays for a tuple of integers in between. Objects are immutable from the outside, like all messages.
"""

from __future__ import annotations

from typing import ClassVar, Self

from rig.protocol.errors import RemoteProtocolError
from rig.protocol.packing import BYTES, pack_bits, pack_registers, unpack_bits, unpack_registers

__all__ = ["Bits", "Registers"]


class _Many:
    """What both have in common."""

    __slots__ = ("_payload", "count")
    __match_args__ = ("values",)

    function: ClassVar[int]
    max_count: ClassVar[int]

    _payload: bytes | None
    count: int
    """How many registers or bits."""

    @property
    def values(self) -> tuple[int, ...]:
        raise NotImplementedError

    @property
    def payload(self) -> bytes:
        raise NotImplementedError

    def pack(self) -> bytes:
        """Make the PDU without looking at the limits."""
        payload = self._payload
        if payload is None:
            payload = self.payload
        return BYTES[self.function] + BYTES[len(payload)] + payload

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self.values == other.values

    def __hash__(self) -> int:
        return hash((self.function, self.values))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(values={self.values!r})"


class Registers(_Many):
    """Registers, the first asked for first, each 0 to 65535."""

    __slots__ = ("_values",)

    max_count: ClassVar[int] = 125

    def __init__(self, values: tuple[int, ...]) -> None:
        self._values: tuple[int, ...] | None = values
        self._payload = None
        self.count = len(values)

    @classmethod
    def of_payload(cls, payload: bytes) -> Self:
        """Make it from bytes, two per register, the high one first."""
        made = cls.__new__(cls)
        made._values = None
        made._payload = payload
        made.count = len(payload) >> 1
        return made

    @property
    def values(self) -> tuple[int, ...]:
        """One integer per register."""
        if self._values is None:
            self._values = unpack_registers(self.payload)
        return self._values

    @property
    def payload(self) -> bytes:
        """The registers as they go over the wire: two bytes each, the high one first."""
        if self._payload is None:
            self._payload = pack_registers(self.values)
        return self._payload

    def problem(self) -> str | None:
        """Say which limit of the specification this breaks, if any."""
        if 1 <= self.count <= self.max_count:
            return None
        return f"{self.count} registers, expected 1 to {self.max_count} (V1.1b3, section 6.3)"

    @classmethod
    def unpack(cls, pdu: bytes) -> Self:
        """Read the PDU back."""
        payload = _counted(pdu)
        if len(payload) & 1:
            raise RemoteProtocolError(f"byte count is {len(payload)}, expected an even number for registers")
        return cls.of_payload(payload)


class Bits(_Many):
    """Coils or discrete inputs, the first asked for first.

    An answer says how many *bytes* of bits follow, so what comes out of `unpack` has a multiple of
    eight; `first` cuts it to the number asked for.
    """

    __slots__ = ("_values",)

    max_count: ClassVar[int] = 2000

    def __init__(self, values: tuple[bool, ...]) -> None:
        self._values: tuple[bool, ...] | None = values
        self._payload = None
        self.count = len(values)

    @classmethod
    def of_payload(cls, payload: bytes, count: int) -> Self:
        """Make it from bytes, of which the first `count` bits count, the first in the lowest bit."""
        made = cls.__new__(cls)
        made._values = None
        made._payload = payload
        made.count = count
        return made

    @property
    def values(self) -> tuple[bool, ...]:
        """One boolean per bit."""
        if self._values is None:
            self._values = unpack_bits(self.payload)[: self.count]
        return self._values

    @property
    def payload(self) -> bytes:
        """The bits as they go over the wire: the first in the lowest bit, the last byte filled with 0."""
        if self._payload is None:
            self._payload = pack_bits(self.values)
        return self._payload

    def first(self, count: int) -> Self:
        """The first `count` of a multiple of eight bits."""
        payload, used = self.payload, count & 7
        if used and payload[-1] >> used:
            # some devices fill up with something else than 0
            payload = payload[:-1] + BYTES[payload[-1] & ((1 << used) - 1)]
        return self.of_payload(payload, count)

    def problem(self) -> str | None:
        """Say which limit of the specification this breaks, if any."""
        if 1 <= self.count <= self.max_count:
            return None
        return f"{self.count} bits, expected 1 to {self.max_count} (V1.1b3, sections 6.1 and 6.2)"

    @classmethod
    def unpack(cls, pdu: bytes) -> Self:
        """Read the PDU back; the padding of the last byte counts."""
        payload = _counted(pdu)
        return cls.of_payload(payload, 8 * len(payload))


def _counted(pdu: bytes) -> bytes:
    """Return the data behind a byte count that agrees with it."""
    size = len(pdu) - 2
    if size < 0:
        raise RemoteProtocolError(f"answer has {len(pdu)} bytes, expected a byte count")
    if pdu[1] != size:
        raise RemoteProtocolError(f"byte count is {pdu[1]}, expected {size}, the bytes that follow")
    return pdu[2:]
