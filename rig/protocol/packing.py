"""Bits and registers as they stand inside a PDU: coils from the low bit up, registers high byte first.

Everything here is table or one C call, because it is the inner loop of every exchange.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from struct import Struct
from typing import Final

__all__ = ["BYTES", "pack_bits", "pack_registers", "unpack_bits", "unpack_registers"]

BYTES: Final = tuple(bytes((number,)) for number in range(256))
"""Each byte by its number: cheaper to join than to make."""

_REGISTERS: Final = tuple(Struct(f">{count}H") for count in range(128))
_BITS: Final = tuple(tuple(bool(byte >> bit & 1) for bit in range(8)) for byte in range(256))
_AS_DIGITS: Final = b"0" + b"1" * 255


def pack_registers(values: Sequence[int]) -> bytes:
    """Pack at most 127 registers.

    Raises:
        struct.error: a value is no integer from 0 to 65535.
    """
    return _REGISTERS[len(values)].pack(*values)


def unpack_registers(data: bytes) -> tuple[int, ...]:
    """Unpack registers; `data` has an even length up to 254."""
    return _REGISTERS[len(data) // 2].unpack(data)


def pack_bits(values: Sequence[bool | int]) -> bytes:
    """Pack bits, the first into the lowest bit of the first byte; the last byte is filled with 0."""
    if not values:
        return b""
    digits = bytes(map(bool, values))[::-1].translate(_AS_DIGITS)
    return int(digits, 2).to_bytes((len(values) + 7) // 8, "little")


def unpack_bits(data: bytes) -> tuple[bool, ...]:
    """Unpack all bits of `data`, padding included."""
    return tuple(chain.from_iterable([_BITS[byte] for byte in data]))
