"""What can go wrong above the port, one type per thing that a caller can do about it.

    RigError                        exit code
    ├── UsageError                  2   what was asked for cannot be: correct the command or the call
    │   └── UnknownTag              2   no tag or group of this name
    ├── PortError                   3   the port cannot be opened, or went away
    ├── BusError                    3   a request got no usable answer
    │   ├── NoAnswer                3   silence until the timeout
    │   ├── BadAnswer               3   an answer that cannot be trusted (CRC, length, wrong unit)
    │   ├── RequestRefused          3   the node answered with a Modbus exception
    │   │   └── NodeBusy            3   with the one that says: ask again later
    │   ├── OtherRegisterMap        3   the node has another version of the register map
    │   └── OtherWiring             3   the press has other nodes on the line than this rig was told
    ├── WriteRefused                4   the envelope kept a write from the press
    │   ├── NotArmed                4   not a virtual press, and the bench is not armed
    │   └── OutsideSafeRange        4   armed, but outside the tag's safe range
    └── ControllerError             5   the controller raised, answered nonsense or never returned

Messages say what was given, what was expected, and what to do next.
"""

from __future__ import annotations

__all__ = [
    "BadAnswer",
    "BusError",
    "ControllerError",
    "NoAnswer",
    "NodeBusy",
    "NotArmed",
    "OtherRegisterMap",
    "OtherWiring",
    "OutsideSafeRange",
    "PortError",
    "RequestRefused",
    "RigError",
    "UnknownTag",
    "UsageError",
    "WriteRefused",
]


class RigError(Exception):
    """Anything the rig reports with one sentence instead of a traceback."""

    exit_code = 1


class UsageError(RigError):
    """What was asked for cannot be done as asked."""

    exit_code = 2


class UnknownTag(UsageError):
    """No tag or group of this name in the register map."""


class PortError(RigError):
    """The port cannot be opened, or went away."""

    exit_code = 3


class BusError(RigError):
    """A request got no usable answer."""

    exit_code = 3


class NoAnswer(BusError):
    """Silence until the response timeout, retries included."""


class BadAnswer(BusError):
    """An answer that cannot be trusted."""


class RequestRefused(BusError):
    """The node answered with a Modbus exception."""


class NodeBusy(RequestRefused):
    """The node is there and says that it has no time, every time it was asked."""


class OtherRegisterMap(BusError):
    """The node has another version of the register map than this rig."""


class OtherWiring(BusError):
    """The press is wired otherwise than this rig was told, or another node is at an address."""


class WriteRefused(RigError):
    """The safety envelope kept a write from the press."""

    exit_code = 4


class NotArmed(WriteRefused):
    """A write to a press that is not virtual, on a bench that is not armed."""


class OutsideSafeRange(WriteRefused):
    """A write outside the tag's safe range to a press that is not virtual."""


class ControllerError(RigError):
    """The controller raised, answered nonsense, or never returned."""

    exit_code = 5
