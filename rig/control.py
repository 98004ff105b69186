"""Talking to a press that `press-rig emulate` serves in another process, by its control socket (docs/control.md).

Plain sockets and JSON: nothing of the virtual press is imported, and a controller in any language does the same.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rig.errors import PortError, UsageError

__all__ = ["Control", "control_folder", "default_control", "find_control", "open_control"]

SUFFIX = ".sock"
ANSWER_S = 10.0
"""Within which a press answers that is not asked to run ahead."""


def control_folder() -> Path | None:
    """Where control sockets are if nobody says otherwise; None if there is no place for them."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_dir():
        return Path(runtime) / "press-rig"
    cache = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(cache) if cache else Path.home() / ".cache") / "press-rig" / "control"
    except RuntimeError:  # nobody's home
        return None


def default_control() -> Path | None:
    """Where this process makes its control socket, in a folder that is made if need be; None if it cannot be."""
    folder = control_folder()
    if folder is None:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    return folder / f"{os.getpid()}{SUFFIX}"


class Control:
    """A connection to the control socket of one press.

    Args:
        path: of the socket.

    Raises:
        PortError: nobody answers there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(ANSWER_S)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            self._socket.close()
            raise PortError(_explain(path, error)) from error
        self._lines = self._socket.makefile("rb")

    def ask(self, command: str, **options: Any) -> dict[str, Any]:
        """One order, and its answer.

        Raises:
            UsageError: the press says that it cannot be; in its words.
            PortError: it has gone, or does not answer.
        """
        # running ahead takes as long as it takes
        self._socket.settimeout(None if "ahead_s" in options else ANSWER_S)
        request = {"command": command, **options}
        try:
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            line = self._lines.readline()
            answer = json.loads(line) if line else None
        except (OSError, ValueError) as error:
            raise PortError(f"the press at {self.path} does not answer: {error}") from error
        if not isinstance(answer, dict):
            raise PortError(f"the press at {self.path} has ended")
        if not answer.pop("ok", False):
            raise UsageError(str(answer.get("error", "the press refuses without a reason")))
        return answer

    def close(self) -> None:
        """Hang up."""
        self._lines.close()
        self._socket.close()


@contextmanager
def open_control(path: Path | None = None) -> Iterator[Control]:
    """The control of a press, closed at the end.

    Args:
        path: of its socket; None for the one press that runs here.

    Raises:
        UsageError: several run.
        PortError: none runs.
    """
    control = Control(path) if path is not None else find_control()
    try:
        yield control
    finally:
        control.close()


def find_control() -> Control:
    """The control of the one press that runs here, by the folder of control sockets.

    Raises:
        UsageError: several run.
        PortError: none runs.
    """
    folder = control_folder()
    found = []
    for path in sorted(folder.glob(f"*{SUFFIX}")) if folder else ():
        try:
            found.append(Control(path))
        except PortError as error:
            # what a killed process has left
            if isinstance(error.__cause__, ConnectionRefusedError):
                with suppress(OSError):
                    path.unlink()
    if len(found) == 1:
        return found[0]
    try:
        if not found:
            raise PortError(
                f"no press runs here: there is no control socket in {folder}; start `press-rig emulate`, "
                "or give its socket with --control PATH"
            )
        shown = ", ".join(f"{control.path} ({_place(control)})" for control in found)
        raise UsageError(f"{len(found)} presses run here; say which with --control PATH: {shown}")
    finally:
        for control in found:
            control.close()


def _place(control: Control) -> str:
    """Where masters reach a press."""
    try:
        return ", ".join(control.ask("about")["endpoints"])
    except (PortError, UsageError, KeyError):
        return "does not answer"


def _explain(path: Path, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no control socket {path}; `press-rig emulate` prints the path of its own at the start"
    if isinstance(error, ConnectionRefusedError):
        if not path.is_socket():
            return f"{path} is no control socket; `press-rig emulate` prints the path of its own at the start"
        return f"nobody answers at {path}: the press has ended"
    if isinstance(error, PermissionError):
        return f"no permission to open {path}: only the user who started the press can control it"
    return f"control socket {path} cannot be opened: {error.strerror or error}"
