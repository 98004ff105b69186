"""What can go wrong, and whose doing it is.

Three errors, one for each thing a caller can do about them:

* `LocalProtocolError`: this program asked for something the specification forbids. Fix the call.
* `RemoteProtocolError`: the bytes of the other side break the specification. Report or retry.
* `ModbusError`: both sides keep the rules, and the server declines. It carries the exception code.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ExceptionCode", "LocalProtocolError", "ModbusError", "ProtocolError", "RemoteProtocolError"]


class ExceptionCode(IntEnum):
    """Why a server declines (Application Protocol V1.1b3, section 7).

    Codes that the specification does not list become members named `RESERVED_xx`, because a device
    that declines for a private reason still declines.
    """

    ILLEGAL_FUNCTION = 1
    ILLEGAL_DATA_ADDRESS = 2
    ILLEGAL_DATA_VALUE = 3
    SERVER_DEVICE_FAILURE = 4
    ACKNOWLEDGE = 5
    SERVER_DEVICE_BUSY = 6
    MEMORY_PARITY_ERROR = 8
    GATEWAY_PATH_UNAVAILABLE = 10
    GATEWAY_TARGET_FAILED_TO_RESPOND = 11

    @classmethod
    def _missing_(cls, value: object) -> ExceptionCode | None:
        if not isinstance(value, int) or not 0 <= value <= 0xFF:
            return None
        member = int.__new__(cls, value)
        member._name_ = f"RESERVED_{value:02X}"
        member._value_ = value
        return member


class ProtocolError(Exception):
    """Somebody broke a rule of Modbus; the subclass says who."""


class LocalProtocolError(ProtocolError):
    """This side was asked to do what the specification forbids."""


class RemoteProtocolError(ProtocolError):
    """The other side sent what the specification forbids.

    Attributes:
        code: the exception code a server has to answer such a request with.
    """

    def __init__(self, message: str, code: ExceptionCode = ExceptionCode.ILLEGAL_DATA_VALUE) -> None:
        super().__init__(message, code)
        self.message = message
        self.code = code

    def __str__(self) -> str:
        return self.message


class ModbusError(Exception):
    """A server declines a well-formed request.

    A `DataStore` raises it to be answered with an exception response; a client may raise it to tell
    its caller about one.

    Attributes:
        code: the exception code on the wire.
    """

    def __init__(self, code: ExceptionCode, message: str = "") -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        name = self.code.name.lower().replace("_", " ")
        return f"exception {int(self.code)}, {name}" + (f": {self.message}" if self.message else "")
