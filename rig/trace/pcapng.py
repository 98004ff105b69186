"""Frames to a capture file that Wireshark opens.

pcapng (draft-ietf-opsawg-pcapng) with nanosecond timestamps; every packet is link type 250,
LINKTYPE_RTAC_SERIAL: a 12-byte header, then the bytes of one Modbus RTU frame. To see them decoded:

    tshark -r run.pcapng -d rtacser.data,mbrtu -o mbrtu.crc_verification:TRUE
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path

from rig.trace.recording import Frame

__all__ = ["LINKTYPE_RTAC_SERIAL", "write_pcapng"]

LINKTYPE_RTAC_SERIAL = 250

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER_MAGIC = 0x1A2B3C4D
_COMMENT = 1  # option code common to all blocks
_SECTION_APPLICATION = 4
_IF_NAME, _IF_DESCRIPTION, _IF_SPEED, _IF_TSRESOL = 2, 3, 8, 9
_PACKET_FLAGS = 2

# RTAC serial header: seconds, microseconds, event type, control lines, footer; big endian
_RTAC = struct.Struct(">IIBBH")
_EVENT_TX_START, _EVENT_RX_START = 1, 2
_NO_CONTROL_LINES = 0  # RS-485 has none

_FLAGS = {"unknown": 0, "response": 1, "request": 2}  # inbound and outbound as the master sees it
_EVENTS = {"unknown": _EVENT_RX_START, "response": _EVENT_RX_START, "request": _EVENT_TX_START}

_PACKET_HEAD = struct.Struct("<IIIIIII")  # type, total, interface, time (high, low), captured, original
_PACKET_TAIL = struct.Struct("<HHIHHI")  # epb_flags, its length, flags, end of options, 0, total length
_U32 = struct.Struct("<I")


def write_pcapng(
    frames: Iterable[Frame],
    path: str | Path,
    *,
    epoch_ns: int = 0,
    baud: int | None = None,
    interface: str = "RS-485",
    comment: str = "",
) -> Path:
    """Write frames as a capture.

    Args:
        frames: oldest first; the packet time is the frame's `start_ns`.
        path: file to write, conventionally `*.pcapng`.
        epoch_ns: wall-clock time at bench time 0, ns since 1970; 0 keeps virtual runs repeatable.
        baud: speed of the line, bit/s.
        interface: name of the line, such as the press URL.
        comment: on the whole capture, such as the run and its seed.

    Returns:
        The path written.
    """
    target = Path(path)
    parts = [
        _block(
            _SECTION,
            struct.pack("<IHHq", _BYTE_ORDER_MAGIC, 1, 0, -1),
            _option(_COMMENT, comment.encode()) + _option(_SECTION_APPLICATION, b"press-rig"),
        ),
        _block(
            _INTERFACE,
            struct.pack("<HHI", LINKTYPE_RTAC_SERIAL, 0, 0),
            _option(_IF_NAME, interface.encode())
            + _option(_IF_DESCRIPTION, b"Modbus RTU bus of the press")
            + (_option(_IF_SPEED, struct.pack("<Q", baud)) if baud else b"")
            + _option(_IF_TSRESOL, b"\x09"),
        ),
    ]
    parts += [_packet(frame, frame.start_ns + epoch_ns) for frame in frames]
    target.write_bytes(b"".join(parts))
    return target


def _packet(frame: Frame, time_ns: int) -> bytes:
    seconds, rest_ns = divmod(time_ns, 1_000_000_000)
    event = _EVENTS[frame.direction]
    data = _RTAC.pack(seconds & 0xFFFF_FFFF, rest_ns // 1000, event, _NO_CONTROL_LINES, 0) + frame.data
    padding = -len(data) % 4
    comment = _option(_COMMENT, frame.comment.encode()) if frame.comment else b""
    total = _PACKET_HEAD.size + len(data) + padding + len(comment) + _PACKET_TAIL.size
    return b"".join(
        (
            _PACKET_HEAD.pack(_PACKET, total, 0, time_ns >> 32, time_ns & 0xFFFF_FFFF, len(data), len(data)),
            data,
            b"\0" * padding,
            comment,
            _PACKET_TAIL.pack(_PACKET_FLAGS, 4, _FLAGS[frame.direction], 0, 0, total),
        )
    )


def _block(kind: int, body: bytes, options: bytes) -> bytes:
    if options:
        options += b"\0\0\0\0"  # opt_endofopt
    total = 12 + len(body) + len(options)
    return _U32.pack(kind) + _U32.pack(total) + body + options + _U32.pack(total)


def _option(code: int, value: bytes) -> bytes:
    if not value:
        return b""
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)
