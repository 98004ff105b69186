"""The check of every frame on the line: CRC-16/MODBUS (Serial Line V1.02, section 6.2.2).

It is sent low byte first, so that running it over a frame *including* its check gives zero.
"""

from __future__ import annotations

from fastcrc.crc16 import modbus as crc16

__all__ = ["append_crc", "crc16", "has_valid_crc"]


def append_crc(body: bytes) -> bytes:
    """Finish a frame.

    Args:
        body: address and PDU.

    Returns:
        The body and its CRC, low byte first.
    """
    return body + crc16(body).to_bytes(2, "little")


def has_valid_crc(frame: bytes) -> bool:
    """Say whether the last two bytes of `frame` are the CRC of the bytes before them."""
    return crc16(frame) == 0
