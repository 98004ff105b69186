"""Opening the port behind a bench, with trouble told in one sentence."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import serial

from rig.errors import PortError, UsageError

__all__ = ["WIRED_SCHEMES", "open_listening", "open_port"]

WIRED_SCHEMES = ("socket", "rfc2217", "loop", "spy", "hwgrep", "alt", "cp2110")


def open_port(url: str, scheme: str, baudrate: int, timeout_s: float) -> serial.SerialBase:
    """Open the serial port of a press.

    Args:
        url: what pyserial takes.
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
        return serial.serial_for_url(url, baudrate=baudrate, timeout=timeout_s, **more)
    except ValueError as error:
        # also what emu:// says of a query that cannot be
        raise UsageError(str(error) if scheme == "emu" else f"{url!r} is not a press: {error}") from error
    except (serial.SerialException, OSError) as error:
        raise PortError(_explain(url, error)) from error


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
    return f"port {url} cannot be opened: {text}"
