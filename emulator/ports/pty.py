"""A pseudo-terminal as endpoint: to a client it is a serial device.

    press-rig emulate --link /tmp/press      →      serial.Serial("/tmp/press", 19200)

The kernel gives a pseudo-terminal baud rate and stop bits but neither timing nor parity: it drops the
parity flag, and pyserial then fails on the second `tcsetattr`. Clients open it with parity `N`; the
virtual line takes 11 bits per character, as Modbus prescribes with or without parity.
"""

from __future__ import annotations

import contextlib
import os
import termios
import tty
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from emulator.bus import Bus, LineSettings
from emulator.ports.paced import READ_SIZE, EndpointError

__all__ = ["PtyEndpoint", "check_link", "try_link"]

OUTPUT_SPEED = 5
"""Place of the output speed in what `tcgetattr` returns."""

_BAUD_OF = {
    getattr(termios, name): int(name[1:])
    for name in dir(termios)
    if name[0] == "B" and name[1:].isdigit() and name != "B0"
}


@lru_cache(maxsize=64)  # asked for with every request
def _line_at(baud: int | None) -> LineSettings:
    return LineSettings(baud) if baud else LineSettings()


def check_link(link: Path) -> None:
    """Find out whether a symbolic link can be made there.

    Raises:
        EndpointError: something else is there, or no folder to put it in.
    """
    if link.exists() and not link.is_symlink():
        raise EndpointError(f"{link} exists and is not a symbolic link; choose another path, or remove it")
    if not link.parent.is_dir():
        raise EndpointError(f"cannot make the link {link}: there is no folder {link.parent}")


def try_link(link: Path) -> None:
    """Make a symbolic link there under another name, and remove it.

    Raises:
        EndpointError: it cannot be made.
    """
    check_link(link)
    try:
        _beside(link, os.devnull).unlink()
    except OSError as error:
        raise EndpointError(f"cannot make the link {link}: {error.strerror}; choose another path") from error


def _beside(link: Path, device: str) -> Path:
    """A link to a device under a name that nobody else has, in the folder where `link` is to be."""
    fresh = link.with_name(f".{link.name}.{os.getpid()}")
    fresh.symlink_to(device)
    return fresh


class PtyEndpoint:
    """A pseudo-terminal that stays when clients come and go.

    When the virtual adapter is pulled, the device goes: a client that has it open reads what it would read then. When
    the adapter is put back there is a new one, which may have another name; a link leads to it again, in the
    same folder under the name that the adapter has then.

    Args:
        link: where to put a symbolic link to the device, or None; a link that is there is replaced,
            anything else is left alone.

    Raises:
        EndpointError: no pseudo-terminal to be had, or the link cannot be made.
    """

    speaks = "Modbus RTU"
    ready = False

    def __init__(self, link: str | Path | None = None) -> None:
        self.device = ""
        self.link: Path | None = None
        self._wanted = Path(link) if link is not None else None
        self._name = ""
        self._master = self._slave = -1
        self._open()

    def _open(self) -> None:
        """Make a device, and the link to it."""
        try:
            self._master, self._slave = os.openpty()
        except OSError as error:
            raise EndpointError(f"no pseudo-terminal to be had: {error.strerror}") from error
        # the slave stays open here, so that the master does not report an error between clients
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.device = os.ttyname(self._slave)
        if self._wanted is not None:
            link = self._wanted.with_name(self._name) if self._name else self._wanted
            try:
                self._make_link(link)
                self.link = link
            except OSError as error:
                self.close()
                if isinstance(error, EndpointError):
                    raise
                raise EndpointError(f"cannot make the link {link}: {error.strerror}") from error

    def _make_link(self, link: Path) -> None:
        check_link(link)
        fresh = _beside(link, self.device)
        try:
            fresh.replace(link)
        except OSError:
            fresh.unlink()
            raise

    @property
    def url(self) -> str:
        """Path of the link if there is one, else of the device."""
        return str(self.link or self._wanted or self.device)

    def waits_on(self) -> Sequence[int]:
        """The master side."""
        return (self._master,) if self._master >= 0 else ()

    def receive(self) -> bytes | None:
        """Bytes of the client. A client that leaves cannot be noticed."""
        if self._master < 0:
            return b""
        try:
            return os.read(self._master, READ_SIZE)
        except BlockingIOError:
            return b""

    def line(self, node_baud: int | None) -> LineSettings:
        """Baud rate as set by the client; one that the kernel has no constant for is taken as right."""
        return _line_at(_BAUD_OF.get(termios.tcgetattr(self._slave)[OUTPUT_SPEED], node_baud))

    def send(self, data: bytes) -> int:
        """Hand bytes to the device; it takes 4 KiB that nobody reads."""
        if self._master < 0:
            return 0
        try:
            return os.write(self._master, data)
        except BlockingIOError:
            return 0

    def turn(self, bus: Bus, wall_ns: int) -> int | None:
        """The device goes and comes with the adapter; nothing else is due."""
        if bus.state.plugged == (self._master >= 0):
            return None
        if self._master >= 0:
            self.close()
        else:
            self._name = bus.state.device
            # what was in the way is tried again in the next turn
            with contextlib.suppress(EndpointError):
                self._open()
        return None

    def close(self) -> None:
        """Remove the device, and the link if it is still ours."""
        if self._master < 0:
            return
        link, self.link = self.link, None
        if link is not None:
            with contextlib.suppress(OSError):
                if os.readlink(link) == self.device:
                    link.unlink()
        os.close(self._slave)
        os.close(self._master)
        self._master = self._slave = -1
