"""Where the bytes come from: a port that is listened to, or a recording.

A source gives chunks of bytes, each with the time at which its last byte was complete. The times of a recording
are those of its packets. A live adapter hands over bytes when it likes to, so its pauses end no frame before they
are long; a plain file has no times at all.
"""

from __future__ import annotations

import stat
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import serial

from rig.errors import PortError, UsageError
from rig.port import open_listening
from rig.protocol import LineTiming, LocalProtocolError, Parity
from rig.trace.pcapng import CaptureError, Packet, is_pcapng, read_pcapng

__all__ = ["USUAL_LINE", "Chunk", "LineSettings", "Source", "listen", "open_source"]

USUAL_BAUDRATE = 115_200
LIVE_GAP_NS = 50_000_000
"""Longer than any adapter holds bytes back (FTDI: 16 ms) and any operating system is late."""
NEVER_NS = 1 << 62
POLL_S = 0.05
_LARGEST_READ = 4096
_CAPTURE_MAGICS = (b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1")


class Chunk(NamedTuple):
    """Bytes that followed one another; none where only time has passed.

    Attributes:
        data: the bytes.
        end_ns: when the last one was complete, ns since the source began.
    """

    data: bytes
    end_ns: int


class LineSettings(NamedTuple):
    """What somebody says about the line.

    Attributes:
        baudrate: bit/s; None for what the recording says, or 115200.
        parity: N, E or O.
        stop_bits: 1 or 2.
        gap_ns: the pause that ends a frame, ns; None for what suits the source.
    """

    baudrate: int | None = None
    parity: Parity = "N"
    stop_bits: int = 1
    gap_ns: int | None = None

    def timing(self, recorded_baudrate: int | None = None) -> LineTiming:
        """The times of this line.

        Raises:
            UsageError: a line that RTU cannot run on.
        """
        baudrate = self.baudrate or recorded_baudrate or USUAL_BAUDRATE
        try:
            return LineTiming(baudrate, parity=self.parity, stop_bits=self.stop_bits)
        except LocalProtocolError as error:
            raise UsageError(str(error)) from error


USUAL_LINE = LineSettings()


@dataclass
class Source:
    """Bytes on a line.

    Attributes:
        name: port or file.
        timing: the line.
        gap_ns: the pause that ends the waiting for the rest of a frame, ns.
        chunks: oldest first; ends by itself for a recording.
        is_live: the line goes on before and after.
        has_times: the times are those of the line.
        note: what is to be known about it, often empty.
    """

    name: str
    timing: LineTiming
    gap_ns: int
    chunks: Generator[Chunk, None, None]
    is_live: bool = False
    has_times: bool = True
    note: str = ""


def open_source(name: str, line: LineSettings, seconds: float | None = None) -> Source:
    """Open a port or a recording, whichever `name` is.

    Args:
        name: a port as pyserial takes it, or the path of a file.
        line: what is said about the line.
        seconds: how much of it, s; None for all.

    Raises:
        UsageError: nothing of this name, no recording, or an empty one.
        PortError: the port is missing, busy, or not to be opened.
    """
    scheme = name.partition("://")[0] if "://" in name else ""
    if scheme == "emu":
        raise UsageError(
            "emu:// is a press of its own in this process, on whose line nobody talks; listen to a port, to "
            "`press-rig emulate`'s clients by way of a second adapter, or to a recording of `press-rig hil` (*.pcapng)"
        )
    path = Path(name)
    if scheme or (name and _is_port(path)):
        timing = line.timing()
        port = open_listening(
            name, scheme, baudrate=timing.baudrate, parity=timing.parity, stop_bits=timing.stop_bits, timeout_s=POLL_S
        )
        return Source(name, timing, line.gap_ns or LIVE_GAP_NS, listen(port, seconds), is_live=True)
    return _open_file(path, _read(path, name), line, seconds)


def _is_port(path: Path) -> bool:
    """Whether it is a device, or would be one if it were there."""
    try:
        return stat.S_ISCHR(path.stat().st_mode)
    except OSError:
        return path.is_relative_to("/dev")


def listen(
    port: Any, seconds: float | None = None, clock: Callable[[], int] = time.monotonic_ns
) -> Generator[Chunk, None, None]:
    """Whatever comes in at a port, as it comes; without bytes, the time every now and then.

    Args:
        port: of pyserial, open, with a short timeout; closed at the end.
        seconds: for how long, s; None without end.
        clock: time, ns.

    Raises:
        PortError: the port went away.
    """
    begin_ns = clock()
    now_ns = 0
    try:
        while seconds is None or now_ns < seconds * 1e9:
            data = port.read(1)
            while data and len(data) < _LARGEST_READ and (waiting := port.in_waiting):
                data += port.read(min(waiting, _LARGEST_READ - len(data)))
            now_ns = clock() - begin_ns
            yield Chunk(data, now_ns)
    except (serial.SerialException, OSError, TypeError) as error:  # TypeError: pyserial's port closed under a read
        raise PortError(f"port {port.port} went away: {error}") from error
    finally:
        port.close()


# -- recordings ---------------------------------------------------------------------------------------


def _read(path: Path, name: str) -> bytes:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise UsageError(
            f"there is no port and no file {name!r}; `press-rig ports` lists the ports of this machine"
        ) from None
    except IsADirectoryError:
        raise UsageError(f"{name!r} is a folder; give a port or one recording, such as a *.pcapng in it") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{name!r} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not data:
        raise UsageError(f"{name} is empty: nothing was recorded")
    return data


def _open_file(path: Path, data: bytes, line: LineSettings, seconds: float | None) -> Source:
    if is_pcapng(data[:4]):
        return _capture(path, data, line, seconds)
    if data[:4] in _CAPTURE_MAGICS:
        raise UsageError(
            f"{path} is a capture in the old format; `editcap -F pcapng {path} new.pcapng` makes a new one"
        )
    if data[:3] == b"MDF":
        raise UsageError(f"{path} holds signals, not bytes on a line; the capture of the same run ends in .pcapng")
    timing = line.timing()
    pause_ns = 2 * max(timing.t3_5_ns, line.gap_ns or 0)
    runs = _hex_runs(path, data)
    chunks = _untimed([data] if runs is None else runs, timing, pause_ns)
    note = "no times in this file: what takes time is not judged"
    return Source(str(path), timing, line.gap_ns or timing.t3_5_ns, chunks, has_times=False, note=note)


def _capture(path: Path, data: bytes, line: LineSettings, seconds: float | None) -> Source:
    try:
        capture = read_pcapng(data)
    except CaptureError as error:
        raise UsageError(f"{path}: {error}") from error
    if not capture.packets:
        raise UsageError(f"{path} is a capture without a single frame: nothing was recorded")
    timing = line.timing(capture.baud)
    note = "the recording is cut off at its end" if capture.is_cut else ""
    chunks = _timed(capture.packets, timing, seconds)
    return Source(str(path), timing, line.gap_ns or timing.t3_5_ns, chunks, note=note)


def _timed(packets: list[Packet], timing: LineTiming, seconds: float | None) -> Generator[Chunk, None, None]:
    """Packets as chunks, in time from the first one on where they count from 1970, else in the recording's own."""
    first_ns = packets[0].time_ns
    zero_ns = first_ns if first_ns > _A_YEAR_NS else 0
    for packet in packets:
        if seconds is not None and packet.time_ns - first_ns > seconds * 1e9:
            return
        yield Chunk(packet.data, packet.time_ns - zero_ns + timing.frame_ns(len(packet.data)))


_A_YEAR_NS = 365 * 86_400 * 1_000_000_000
"""No run lasts as long: times beyond are dates."""


def _untimed(runs: list[bytes], timing: LineTiming, pause_ns: int) -> Generator[Chunk, None, None]:
    now_ns = 0
    for run in runs:
        now_ns += pause_ns
        for start in range(0, len(run), _LARGEST_READ):
            data = run[start : start + _LARGEST_READ]
            now_ns += timing.frame_ns(len(data))
            yield Chunk(data, now_ns)


def _hex_runs(path: Path, data: bytes) -> list[bytes] | None:
    """Bytes written as hexadecimal digits, a run per line; None for a file that is something else.

    Raises:
        UsageError: digits that make no bytes.
    """
    try:
        lines = data.decode("ascii").splitlines()
    except UnicodeDecodeError:
        return None
    bare = [line.partition("#")[0].lower().replace("0x", " ") for line in lines]
    bare = ["".join(" " if sign in ",:-;" else sign for sign in line) for line in bare]
    if not all(sign in "0123456789abcdef \t" for line in bare for sign in line):
        return None
    runs: list[bytes] = []
    for number, line in enumerate(bare, 1):
        try:
            runs.append(bytes.fromhex(line))
        except ValueError:
            raise UsageError(f"{path}, line {number}: every byte needs two hexadecimal digits") from None
    if not any(runs):
        raise UsageError(f"{path} holds no bytes")
    return [run for run in runs if run]
