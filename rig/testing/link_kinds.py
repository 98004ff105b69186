"""How pyserial's kinds of port differ, by name."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEVICE", "EMU", "PTY", "RFC2217", "SOCKET", "LinkCapabilities"]

MS_NS = 1_000_000


@dataclass(frozen=True, slots=True)
class LinkCapabilities:
    """What a kind of port can do, beyond what all of them must.

    Attributes:
        lateness_ns: by how much a call may return late; 0 in virtual time.
        counts_input: `in_waiting` is the number of bytes; otherwise 0 or 1.
        counts_output: there is an `out_waiting`.
        inter_byte_timeout: it ends a read; otherwise it is accepted and ignored.
        parity: can be set, and set again while open.
        checks_settings: a baud rate of 0 is refused on opening.
        write_timeout: can be set.
        modem_lines: CTS, DSR, RI and CD can be asked for, RTS and DTR be set.
        checks_closed: everything on a closed port raises `SerialException`; otherwise only reading,
            writing and resetting buffers do.
    """

    lateness_ns: int
    counts_input: bool = True
    counts_output: bool = True
    inter_byte_timeout: bool = True
    parity: bool = True
    checks_settings: bool = True
    write_timeout: bool = True
    modem_lines: bool = True
    checks_closed: bool = True


EMU = LinkCapabilities(lateness_ns=0)
"""`emu://`: everything, to the nanosecond."""

DEVICE = LinkCapabilities(
    lateness_ns=100 * MS_NS,
    inter_byte_timeout=False,  # pyserial puts it into VTIME, and then reads without blocking
    checks_settings=False,  # 0 is B0: hang up
    checks_closed=False,  # an ioctl on no file descriptor raises TypeError
)
"""A serial device under POSIX."""

PTY = LinkCapabilities(
    lateness_ns=100 * MS_NS,
    inter_byte_timeout=False,
    parity=False,  # the kernel drops the flag, and refuses the next tcsetattr
    checks_settings=False,
    modem_lines=False,  # a pseudo-terminal has none: ENOTTY
    checks_closed=False,
)
"""A pseudo-terminal."""

SOCKET = LinkCapabilities(
    lateness_ns=100 * MS_NS,
    counts_input=False,
    counts_output=False,
    inter_byte_timeout=False,
    checks_settings=False,  # all settings are ignored
)
"""`socket://`."""

RFC2217 = LinkCapabilities(
    lateness_ns=250 * MS_NS,  # setting a timeout takes 100 ms, resetting the input buffer 51 ms
    counts_output=False,
    inter_byte_timeout=False,
    write_timeout=False,  # NotImplementedError
)
"""`rfc2217://`."""
