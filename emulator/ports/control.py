"""A Unix-domain socket by which a press that is being served can be controlled from other programs.

Lines of JSON, one object per line in either direction; docs/control.md is the reference. Only the user who started the
press can open it (mode 0600). It is served from the paced loop: no thread, and nothing here ever waits. What can be
asked stands in `emulator.ports.orders`.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.ports.orders import Later, OrderError, Orders
from emulator.ports.paced import EndpointError, Served

__all__ = ["ControlSocket"]

LONGEST_LINE = 65_536
"""Bytes of one request; who sends more in one line is hung up on."""
LONGEST_ANSWERS = 1 << 20
"""Bytes of answers that wait for a client which does not read; then it is hung up on."""
MOST_CLIENTS = 16
READ_SIZE = 65_536


@dataclass(slots=True)
class _Client:
    """Somebody at the other end.

    Attributes:
        unread: bytes that came and were not looked at.
        unsent: answers that are still to be sent.
        later: an answer that is not known yet; what was asked after it waits.
        later_id: what the client calls that question.
    """

    socket: socket.socket
    unread: bytearray = field(default_factory=bytearray)
    unsent: bytearray = field(default_factory=bytearray)
    later: Later | None = None
    later_id: Any = None
    left: bool = False


class ControlSocket:
    """The socket, and whoever talks to it.

    Args:
        path: where to put it; one that a dead process left is replaced, anything else is left alone.

    Raises:
        EndpointError: it cannot be made.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).absolute()
        self.orders = Orders()
        self._clients: list[_Client] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._bind()
        except OSError as error:
            self._listener.close()
            if isinstance(error, EndpointError):
                raise
            # Python says "path too long" without a number
            reason = error.strerror or str(error)
            raise EndpointError(f"cannot make the control socket {self.path}: {reason}") from error
        self._listener.setblocking(False)
        self._inode = self.path.lstat().st_ino

    def _bind(self) -> None:
        check_control(self.path)
        before = os.umask(0o177)
        try:
            try:
                self._listener.bind(str(self.path))
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
                # nobody answers there any more, says the check
                self.path.unlink()
                self._listener.bind(str(self.path))
        finally:
            os.umask(before)
        self._listener.listen()

    # -- in the loop ---------------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether somebody is in, who may be waiting for an answer."""
        return bool(self._clients)

    def waits_on(self) -> Sequence[int]:
        """The socket, and its clients'."""
        return (self._listener.fileno(), *(client.socket.fileno() for client in self._clients if not client.left))

    def turn(self, served: Served) -> None:
        """Let clients in, do one thing for each of them, hand answers over."""
        self._let_in()
        for client in list(self._clients):
            self._read(client)
            self._answer(client, served)
            self._write(client)
            if client.left and not client.unsent:
                client.socket.close()
                self._clients.remove(client)

    def _let_in(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        connection.setblocking(False)
        client = _Client(connection)
        self._clients.append(client)
        if len(self._clients) > MOST_CLIENTS:
            _say(client, {"ok": False, "error": f"{MOST_CLIENTS} programs control this press already"})
            client.left = True

    def _read(self, client: _Client) -> None:
        if client.left or len(client.unread) > LONGEST_LINE:
            return
        try:
            data = client.socket.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        client.unread += data
        # whoever has said everything may still be waiting for answers
        client.left = not data and client.later is None and b"\n" not in client.unread

    def _answer(self, client: _Client, served: Served) -> None:
        if client.later is not None:
            answer = client.later()
            if answer is None:
                return
            client.later = None
            _say(client, {"ok": True, **answer}, client.later_id)
        line, newline, rest = client.unread.partition(b"\n")
        if not newline:
            if len(line) > LONGEST_LINE:
                _say(client, {"ok": False, "error": f"a request is one line of up to {LONGEST_LINE} bytes"})
                client.unread.clear()
                client.left = True
            return
        client.unread = rest
        if not line.strip():
            return
        name: Any = None
        try:
            request = _parsed(line)
            name = request.pop("id", None)
            result = self.orders.obey(request, served)
        except OrderError as error:
            _say(client, {"ok": False, "error": str(error)}, name)
            return
        if callable(result):
            client.later, client.later_id = result, name
        else:
            _say(client, {"ok": True, **result}, name)

    def _write(self, client: _Client) -> None:
        if not client.unsent:
            return
        try:
            sent = client.socket.send(client.unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            client.unsent.clear()
            client.left = True
            return
        del client.unsent[:sent]
        if len(client.unsent) > LONGEST_ANSWERS:
            client.unsent.clear()
            client.left = True

    def close(self) -> None:
        """Hang up, and remove the socket if it is still ours."""
        for client in self._clients:
            client.socket.close()
        self._clients.clear()
        self._listener.close()
        with contextlib.suppress(OSError):
            if self.path.lstat().st_ino == self._inode:
                self.path.unlink()


def check_control(path: Path) -> None:
    """Find out whether a control socket can be made there.

    Raises:
        EndpointError: something else is there, or a press that answers, or no folder to put it in.
    """
    try:
        facts = path.lstat()
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise EndpointError(f"cannot make the control socket {path}: there is no folder {path.parent}") from None
        return
    except OSError as error:
        raise EndpointError(f"cannot make the control socket {path}: {error.strerror}") from error
    if not stat.S_ISSOCK(facts.st_mode):
        raise EndpointError(f"{path} exists and is not a socket; choose another path, or remove it")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            return
        except OSError as error:
            # a queue that is full is somebody's
            if error.errno != errno.EAGAIN:
                raise EndpointError(f"cannot make the control socket {path}: {error.strerror or error}") from error
    raise EndpointError(f"another press is controlled at {path}; choose another path, or end it")


def _parsed(line: bytes | bytearray) -> dict[str, Any]:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise OrderError(f"not a line of JSON: {error}") from None
    if not isinstance(request, dict):
        raise OrderError('a request is an object such as {"command": "state"}')
    return request


def _say(client: _Client, answer: Mapping[str, Any], name: Any = None) -> None:
    full = dict(answer) if name is None else {"id": name, **answer}
    client.unsent += json.dumps(full, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
