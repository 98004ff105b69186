"""Frames to a capture file that Wireshark opens, and bytes on a serial line out of one.

pcapng (draft-ietf-opsawg-pcapng) with nanosecond timestamps; every packet is link type 250,
LINKTYPE_RTAC_SERIAL: a 12-byte header, then the bytes of one Modbus RTU frame. To see them decoded:

    tshark -r run.pcapng -d rtacser.data,mbrtu -o mbrtu.crc_verification:TRUE
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from rig.trace.recording import Frame

__all__ = ["LINKTYPE_RTAC_SERIAL", "Capture", "CaptureError", "Packet", "is_pcapng", "read_pcapng", "write_pcapng"]

LINKTYPE_RTAC_SERIAL = 250
LINKTYPES_USER = range(147, 163)
"""Link types without a meaning of their own, which other recorders of serial lines use: bytes as they are."""

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


class CaptureError(ValueError):
    """A file that is no capture of a serial line."""


class Packet(NamedTuple):
    """Bytes of a capture.

    Attributes:
        time_ns: of the packet, ns since whenever the capture counts from.
        data: as they were on the line.
        comment: what was noted about them, often empty.
    """

    time_ns: int
    data: bytes
    comment: str


@dataclass
class Capture:
    """What a capture of a serial line holds.

    Attributes:
        packets: in the order of their times.
        baud: speed of the line, bit/s, if the file says so.
        interface: name of the line, often a URL.
        is_cut: the file ends within a block, as when its writer was killed.
    """

    packets: list[Packet] = field(default_factory=list)
    baud: int | None = None
    interface: str = ""
    is_cut: bool = False


@dataclass
class _Interface:
    link_type: int
    tick_ns: float = 1000.0  # microseconds unless the file says otherwise


def is_pcapng(head: bytes) -> bool:
    """Whether a file that begins so is a pcapng capture."""
    return head[:4] == _U32.pack(_SECTION)


def read_pcapng(data: bytes) -> Capture:
    """Read a capture of a serial line, ours or another one's.

    Args:
        data: the file.

    Raises:
        CaptureError: not a pcapng file, damaged, or not of a serial line.
    """
    if not is_pcapng(data):
        raise CaptureError("not a pcapng capture")
    capture = Capture()
    interfaces: list[_Interface] = []
    for kind, order, body in _blocks(data, capture):
        try:
            if kind == _SECTION:
                interfaces.clear()
            elif kind == _INTERFACE:
                interfaces.append(_read_interface(body, order, capture))
            elif kind == _PACKET:
                capture.packets.append(_read_packet(body, order, interfaces))
        except (struct.error, IndexError) as error:
            raise CaptureError("a block of the capture is damaged") from error
    capture.packets.sort(key=lambda packet: packet.time_ns)
    return capture


def _blocks(data: bytes, capture: Capture) -> Iterator[tuple[int, str, bytes]]:
    """Kind, byte order and contents of each block."""
    offset, order = 0, "<"
    while offset < len(data):
        if len(data) - offset < 12:
            capture.is_cut = True
            return
        if data[offset : offset + 4] == _U32.pack(_SECTION):  # reads the same both ways
            order = "<" if data[offset + 8 : offset + 12] == _U32.pack(_BYTE_ORDER_MAGIC) else ">"
        kind, total = struct.unpack_from(f"{order}II", data, offset)
        if total < 12 or total % 4:
            raise CaptureError(f"the block at byte {offset} says that it has {total} bytes, which no block has")
        if offset + total > len(data):
            capture.is_cut = True
            return
        yield kind, order, data[offset + 8 : offset + total - 4]
        offset += total


def _read_interface(body: bytes, order: str, capture: Capture) -> _Interface:
    interface = _Interface(struct.unpack_from(f"{order}H", body)[0])
    for code, value in _read_options(body, 8, order):
        if code == _IF_TSRESOL:
            exponent = value[0]
            ticks = 2.0 ** (exponent & 0x7F) if exponent & 0x80 else 10.0**exponent
            interface.tick_ns = 1e9 / ticks
        elif code == _IF_SPEED:
            capture.baud = struct.unpack(f"{order}Q", value)[0] or None
        elif code == _IF_NAME:
            capture.interface = value.decode("utf-8", "replace")
    return interface


def _read_packet(body: bytes, order: str, interfaces: list[_Interface]) -> Packet:
    number, high, low, size = struct.unpack_from(f"{order}IIII", body)
    interface = interfaces[number]
    if interface.link_type != LINKTYPE_RTAC_SERIAL and interface.link_type not in LINKTYPES_USER:
        raise CaptureError(f"the capture is of link type {interface.link_type}, which is no serial line")
    data = body[20 : 20 + size]
    if len(data) < size:
        raise IndexError
    if interface.link_type == LINKTYPE_RTAC_SERIAL:
        data = data[_RTAC.size :]
    ticks = high << 32 | low
    # whole numbers where the clock ticks in ns or coarser: a float has no room for ns since 1970
    tick_ns = interface.tick_ns
    time_ns = ticks * int(tick_ns) if tick_ns.is_integer() else round(ticks * tick_ns)
    comments = [value for code, value in _read_options(body, 20 + size + -size % 4, order) if code == _COMMENT]
    return Packet(time_ns, data, "; ".join(comment.decode("utf-8", "replace") for comment in comments))


def _read_options(body: bytes, offset: int, order: str) -> Iterator[tuple[int, bytes]]:
    while offset + 4 <= len(body):
        code, size = struct.unpack_from(f"{order}HH", body, offset)
        if code == 0:
            return
        yield code, body[offset + 4 : offset + 4 + size]
        offset += 4 + size + -size % 4
