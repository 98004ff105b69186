"""Opening the port behind a bench, with trouble told in one sentence."""

from __future__ import annotations

from glob import escape, glob, has_magic
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import serial

from rig.errors import PortError, UsageError

__all__ = ["WIRED_SCHEMES", "open_again", "open_listening", "open_port"]

WIRED_SCHEMES = ("socket", "rfc2217", "loop", "spy", "hwgrep", "alt", "cp2110")


def open_port(url: str, scheme: str, baudrate: int, timeout_s: float) -> serial.SerialBase:
    """Open the serial port of a press.

    Args:
        url: what pyserial takes, or a pattern of device paths of which one is there, as in `/dev/ttyUSB*`.
        scheme: its scheme; empty for a device path.
        baudrate: bit/s.
        timeout_s: of reads, wall-clock s (press time for `emu://`).

    Raises:
        UsageError: the URL, or what it names, does not exist.
        PortError: the port is missing, busy, or not to be opened.
    """
    # a device must be ours alone; the URL handlers have no such thing
    if not url:
        raise UsageError("a press needs a URL: emu://, a device path such as /dev/ttyUSB0, or socket://HOST:PORT")
    if scheme == "socket":
        _check_socket(url)
    more: dict[str, Any] = {} if scheme else {"exclusive": True}
    if scheme != "rfc2217":  # pyserial's has no such thing
        more["write_timeout"] = 2.0
    try:
        return serial.serial_for_url(url if scheme else _device(url), baudrate=baudrate, timeout=timeout_s, **more)
    except ValueError as error:
        # also what emu:// says of a query that cannot be
        raise UsageError(str(error) if scheme == "emu" else f"{url!r} is not a press: {error}") from error
    except (serial.SerialException, OSError) as error:
        raise PortError(_explain(url, error)) from error


def open_again(port: serial.SerialBase, url: str) -> None:
    """Open a port again that went away, where the URL leads to now: a pattern of paths is looked up anew.

    Args:
        port: closed.
        url: with which it was opened first.

    Raises:
        PortError: it is not there (yet), or not to be told from others.
    """
    scheme = urlsplit(url).scheme if "://" in url else ""
    try:
        if not scheme:
            port.port = _device(url)
        elif scheme == "hwgrep":
            port.port = url  # which looks for it now
        port.open()  # type: ignore[attr-defined]  # every kind of port has it, their base class has not
    except (serial.SerialException, OSError) as error:
        raise PortError(f"port {url} is not back: {error}{'' if scheme else _beside(url)}") from error


def _device(path: str) -> str:
    """The path of a device; of a pattern of paths, the one that matches.

    Raises:
        PortError: none does, or several do.
    """
    if not has_magic(path) or Path(path).exists():
        return path
    found = sorted(glob(path))
    if not found:
        raise PortError(f"no port matches {path}; `press-rig ports` lists those that there are")
    if len(found) > 1:
        raise PortError(
            f"{len(found)} ports match {path} ({', '.join(found)}), and which is the press is not known; give a "
            "narrower pattern, or its path in /dev/serial/by-id"
        )
    return found[0]


def _beside(path: str) -> str:
    """What is there instead of a device that has gone, and how it would have been found."""
    name = Path(path).name.rstrip("0123456789")
    others = sorted(glob(f"{escape(str(Path(path).with_name(name)))}[0-9]*")) if name != Path(path).name else []
    if not others or has_magic(path):
        return ""
    return (
        f"; but {', '.join(others)} is there. An adapter that may come back under another name is found by a pattern, "
        f"as in '{Path(path).with_name(name)}*', or by its path in /dev/serial/by-id"
    )


def open_listening(
    url: str, scheme: str, *, baudrate: int, parity: str, stop_bits: int, timeout_s: float
) -> serial.SerialBase:
    """Open a serial port that is only listened to.

    RTS and DTR stay off: there are adapters that switch their transmitter on with one of them.

    Args:
        url: what pyserial takes.
        scheme: its scheme; empty for a device path.
        baudrate: bit/s.
        parity: `N`, `E` or `O`.
        stop_bits: 1 or 2.
        timeout_s: of reads, wall-clock s.

    Raises:
        UsageError: the URL cannot be.
        PortError: the port is missing, busy, or not to be opened.
    """
    if scheme == "socket":
        _check_socket(url)
    more: dict[str, Any] = {"baudrate": baudrate, "parity": parity, "stopbits": stop_bits, "timeout": timeout_s}
    if not scheme:
        more["exclusive"] = True
    try:
        port = serial.serial_for_url(url, do_not_open=True, **more)
        port.rts = port.dtr = False
        port.open()
    except ValueError as error:
        raise UsageError(f"{url!r} is no port: {error}") from error
    except (serial.SerialException, OSError) as error:
        raise PortError(_explain(url, error)) from error
    return port


def _check_socket(url: str) -> None:
    """Pyserial says of a missing port that `None` cannot be compared."""
    try:
        parts = urlsplit(url)
        complete = bool(parts.hostname) and parts.port is not None
    except ValueError:
        complete = False
    if not complete:
        raise UsageError(f"{url!r} is not socket://HOST:PORT with a port from 0 to 65535")


def _explain(url: str, error: Exception) -> str:
    text = str(error)
    if "lock" in text or "busy" in text.lower() or "Resource temporarily" in text:
        return f"port {url} is in use by another program; end it, or give another port"
    if "No such file" in text:
        return f"port {url} does not exist; `press-rig ports` lists those that do"
    if "Permission" in text:
        return f"no permission to open {url}; on Linux add yourself to the group dialout and log in again"
    if "Inappropriate ioctl" in text or "Is a directory" in text:
        return f"{url} is not a serial port; `press-rig ports` lists those that are"
    if "refused" in text:
        return f"nobody listens at {url}; start `press-rig emulate` there or the gateway first"
    if "seem to support RFC2217" in text or isinstance(error, BrokenPipeError | ConnectionResetError):
        return f"port {url} is in use by another program, or whoever listens there does not speak RFC 2217"
    return f"port {url} cannot be opened: {text}"
