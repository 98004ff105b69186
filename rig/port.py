"""Opening the port behind a bench, with trouble told in one sentence."""

from __future__ import annotations

from typing import Any

import serial

from rig.errors import PortError, UsageError

__all__ = ["WIRED_SCHEMES", "open_port"]

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
    more: dict[str, Any] = {} if scheme else {"exclusive": True}
    try:
        return serial.serial_for_url(url, baudrate=baudrate, timeout=timeout_s, write_timeout=2.0, **more)
    except ValueError as error:
        # also what emu:// says of a query that cannot be
        raise UsageError(str(error) if scheme == "emu" else f"{url!r} is not a press: {error}") from error
    except (serial.SerialException, OSError) as error:
        raise PortError(_explain(url, error)) from error


def _explain(url: str, error: Exception) -> str:
    text = str(error)
    if "lock" in text or "busy" in text.lower() or "Resource temporarily" in text:
        return f"port {url} is in use by another program; end it, or give another port"
    if "No such file" in text:
        return f"port {url} does not exist; `press-rig ports` lists those that do"
    if "Permission" in text:
        return f"no permission to open {url}; on Linux add yourself to the group dialout and log in again"
    if "refused" in text:
        return f"nobody listens at {url}; start `press-rig emulate --tcp …` or the gateway first"
    return f"port {url} cannot be opened: {text}"
