"""Function 43/14, read device identification (Application Protocol V1.1b3, section 6.21).

A device owns numbered objects: 0 to 2 basic, 3 to 127 regular, 128 to 255 extended. A client either
streams all objects of a category and below, in as many answers as it takes, or asks for one object.
The answer's bookkeeping (`more_follows`, `next_object_id`) lives here on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final, Self

from rig.protocol.errors import ExceptionCode, ModbusError, RemoteProtocolError
from rig.protocol.grammar import ENCAPSULATED_INTERFACE, MAX_PDU, MEI_READ_DEVICE_IDENTIFICATION

__all__ = [
    "IdentificationCode",
    "ReadDeviceIdentification",
    "ReadDeviceIdentificationResponse",
    "identify",
]

_HEAD_LENGTH: Final = 7
_MORE_FOLLOWS: Final = 0xFF
_INDIVIDUAL_ACCESS: Final = 0x80


class IdentificationCode(IntEnum):
    """What to read."""

    BASIC = 1
    REGULAR = 2
    EXTENDED = 3
    INDIVIDUAL = 4


_LAST_OBJECT: Final[Mapping[IdentificationCode, int]] = {
    IdentificationCode.BASIC: 0x02,
    IdentificationCode.REGULAR: 0x7F,
    IdentificationCode.EXTENDED: 0xFF,
}


@dataclass(frozen=True, slots=True)
class ReadDeviceIdentification:
    """Function 43/14: stream a category from `object_id` on, or read that one object.

    Attributes:
        code: category, or `INDIVIDUAL`.
        object_id: 0 to begin a stream; what `next_object_id` said to go on.
    """

    function: ClassVar[int] = ENCAPSULATED_INTERFACE

    code: IdentificationCode = IdentificationCode.BASIC
    object_id: int = 0

    def problem(self) -> str | None:
        """Say what the wire cannot carry, if anything."""
        if self.code not in (1, 2, 3, 4):
            return f"identification code is {self.code}, expected 1 to 4 (V1.1b3, section 6.21)"
        if not 0 <= self.object_id <= 0xFF:
            return f"object_id is {self.object_id}, expected 0 to 255 (V1.1b3, section 6.21)"
        return None

    def pack(self) -> bytes:
        """Make the PDU."""
        return bytes((self.function, MEI_READ_DEVICE_IDENTIFICATION, self.code, self.object_id))

    @classmethod
    def unpack(cls, pdu: bytes) -> Self:
        """Read the PDU back.

        Raises:
            RemoteProtocolError: another interface (exception 1), code or length (exception 3).
        """
        if len(pdu) > 1 and pdu[1] != MEI_READ_DEVICE_IDENTIFICATION:
            raise RemoteProtocolError(
                f"encapsulated interface type is {pdu[1]}, only 14 is known here (section 6.19)",
                ExceptionCode.ILLEGAL_FUNCTION,
            )
        if len(pdu) != 4:
            raise RemoteProtocolError(f"PDU has {len(pdu)} bytes, expected 4 (section 6.21)")
        if pdu[2] not in (1, 2, 3, 4):
            raise RemoteProtocolError(f"identification code is {pdu[2]}, expected 1 to 4 (section 6.21)")
        return cls(IdentificationCode(pdu[2]), pdu[3])


@dataclass(frozen=True, slots=True)
class ReadDeviceIdentificationResponse:
    """Answer to function 43/14.

    Attributes:
        code: as asked.
        conformity: what the device can identify itself with: 0x01 to 0x03, plus 0x80 if objects can
            be read one by one.
        objects: pairs of object id and value, in rising order.
        more_follows: the rest did not fit; ask again from `next_object_id` on.
        next_object_id: 0 unless more follows.
    """

    function: ClassVar[int] = ENCAPSULATED_INTERFACE

    code: IdentificationCode
    conformity: int
    objects: tuple[tuple[int, bytes], ...]
    more_follows: bool = False
    next_object_id: int = 0

    def problem(self) -> str | None:
        """Say what the wire cannot carry, if anything."""
        length = _HEAD_LENGTH + sum(2 + len(value) for _, value in self.objects)
        if length > MAX_PDU:
            return f"objects make a PDU of {length} bytes, expected at most {MAX_PDU} (V1.1b3, section 4.1)"
        numbers = (self.code, self.conformity, self.next_object_id, *(number for number, _ in self.objects))
        if not all(0 <= number <= 0xFF for number in numbers):
            return f"{self!r} has a number that is no byte (V1.1b3, section 6.21)"
        return None

    def pack(self) -> bytes:
        """Make the PDU without looking at the limits."""
        head = (
            self.function,
            MEI_READ_DEVICE_IDENTIFICATION,
            self.code,
            self.conformity,
            _MORE_FOLLOWS if self.more_follows else 0,
            self.next_object_id,
            len(self.objects),
        )
        return bytes(head) + b"".join(bytes((number, len(value))) + value for number, value in self.objects)

    @classmethod
    def unpack(cls, pdu: bytes) -> Self:
        """Read the PDU back.

        Raises:
            RemoteProtocolError: another interface, or head, objects and length do not agree.
        """
        if len(pdu) < _HEAD_LENGTH:
            raise RemoteProtocolError(f"answer has {len(pdu)} bytes, expected at least {_HEAD_LENGTH}")
        _, interface, code, conformity, more, next_object_id, count = pdu[:_HEAD_LENGTH]
        if interface != MEI_READ_DEVICE_IDENTIFICATION or code not in (1, 2, 3, 4):
            raise RemoteProtocolError(
                f"interface type {interface} and code {code}, expected 14 and 1 to 4 (section 6.21)"
            )
        objects: list[tuple[int, bytes]] = []
        offset = _HEAD_LENGTH
        for _ in range(count):
            end = offset + 2 + pdu[offset + 1] if offset + 2 <= len(pdu) else len(pdu) + 1
            if end > len(pdu):
                raise RemoteProtocolError(f"{count} objects announced, only {len(objects)} are complete")
            objects.append((pdu[offset], pdu[offset + 2 : end]))
            offset = end
        if offset != len(pdu):
            raise RemoteProtocolError(f"{len(pdu) - offset} bytes behind the last object, expected none")
        more_follows = more == _MORE_FOLLOWS
        return cls(IdentificationCode(code), conformity, tuple(objects), more_follows, next_object_id)

    def next_request(self) -> ReadDeviceIdentification | None:
        """Return the request that goes on with the stream, None at its end."""
        if not self.more_follows:
            return None
        return ReadDeviceIdentification(self.code, self.next_object_id)


def identify(request: ReadDeviceIdentification, objects: Mapping[int, bytes]) -> ReadDeviceIdentificationResponse:
    """Answer from all objects that a device has.

    A stream that starts at an object the device does not have starts at the first, and a category
    above what the device has gives what it has, as section 6.21 wants it.

    Args:
        request: what is asked.
        objects: values by object id.

    Raises:
        ModbusError: no identification at all (1), no such object (2), an object that fits no
            answer (4).
    """
    if not objects:
        raise ModbusError(ExceptionCode.ILLEGAL_FUNCTION, "this device has no identification")
    if request.code == IdentificationCode.INDIVIDUAL:
        if request.object_id not in objects:
            raise ModbusError(ExceptionCode.ILLEGAL_DATA_ADDRESS, f"no object {request.object_id}")
        wanted = [request.object_id]
    else:
        wanted = sorted(number for number in objects if number <= _LAST_OBJECT[request.code])
        if request.object_id in wanted:
            wanted = wanted[wanted.index(request.object_id) :]
    room = MAX_PDU - _HEAD_LENGTH
    chosen: list[tuple[int, bytes]] = []
    following = 0
    for number in wanted:
        value = bytes(objects[number])
        room -= 2 + len(value)
        if room < 0:
            if not chosen:
                raise ModbusError(ExceptionCode.SERVER_DEVICE_FAILURE, f"object {number} fits no answer")
            following = number
            break
        chosen.append((number, value))
    return ReadDeviceIdentificationResponse(
        request.code, _conformity(objects), tuple(chosen), bool(following), following
    )


def _conformity(objects: Mapping[int, bytes]) -> int:
    highest = max(objects)
    level = next(int(code) for code, last in _LAST_OBJECT.items() if highest <= last)
    return level | _INDIVIDUAL_ACCESS
