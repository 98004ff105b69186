"""The node's registers behind the register map: four tables in one image of bytes.

Implements the data store that the protocol's server logic asks (`rig.protocol.respond`). Reads see what the last
scan published; writes are checked against each tag's limits before anything changes, so a refused request changes
nothing. The image is kept as it goes on the wire (`emulator.image`), so that a read is a slice.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from emulator.image import Layout
from rig.protocol import ExceptionCode, ModbusError, SerialDiagnostics, pack_registers
from rig.protocol.registers import BIT_TABLES, DIGITS, Table, Tag, TagValueError, Value

__all__ = ["Bank", "BankState", "raw_window"]


@dataclass(slots=True, eq=False)
class BankState:
    """Raw contents of all tables, laid out as `Layout` says."""

    image: NDArray[np.uint8]


class Bank:
    """The data store of one node.

    Args:
        layout: where the node's tags stand.
        identification: Modbus device identification objects by id (43/14).
        server_id: what function 17 says.

    Attributes:
        diagnostics: what the node has heard and said on the line.
        queues: by address, the registers of a queue, the oldest first (function 24).
    """

    def __init__(self, layout: Layout, identification: Mapping[int, bytes], server_id: bytes = b"") -> None:
        self.layout = layout
        self.diagnostics = SerialDiagnostics()
        self.queues: Callable[[int], Sequence[int] | None] = lambda address: None
        self._server_id = server_id
        self._tags = layout.tags
        self._identification = identification
        owner: dict[Table, dict[int, Tag]] = {table: {} for table in layout.spans}
        for tag in self._tags.values():
            for address in range(tag.address, tag.address + tag.count):
                owner[tag.table][address] = tag
        self._owner = owner
        self._owned = {table: _owned(places) for table, places in owner.items()}
        self._windows = [
            raw_window(owner["holding"].get(step)) for step in range(max(owner["holding"], default=-1) + 1)
        ]
        self.state = self.power_on_state()

    def power_on_state(self) -> BankState:
        """Contents after power-on: defaults where the map gives them, 0 elsewhere."""
        state = BankState(np.zeros(self.layout.size, np.uint8))
        for tag in self._tags.values():
            if tag.default is not None:
                self._store(state, tag, tag.encode(tag.default))
        return state

    def _store(self, state: BankState, tag: Tag, raw: Sequence[int]) -> None:
        if tag.table in BIT_TABLES:
            self._store_bits(state, tag.table, tag.address, raw)
        else:
            self._store_words(state, tag.table, tag.address, raw)

    def _store_words(self, state: BankState, table: Table, address: int, values: Sequence[int]) -> None:
        first = self.layout.spans[table][0] + 2 * address
        words = pack_registers(values)
        state.image.data[first : first + len(words)] = words

    def _store_bits(self, state: BankState, table: Table, address: int, values: Sequence[bool | int]) -> None:
        first = 8 * self.layout.spans[table][0] + address
        for place, value in enumerate(values, first):
            mask = 1 << (place & 7)
            byte = int(state.image[place >> 3])
            state.image[place >> 3] = byte | mask if value else byte & ~mask

    def __getitem__(self, name: str) -> Value:
        """Engineering value of a tag."""
        tag = self._tags[name]
        if tag.table in BIT_TABLES:
            return tag.decode(self.bit_bytes(tag.table, tag.address, 1))
        return tag.decode(self._words(tag.table, tag.address, tag.count))

    def number(self, name: str) -> float:
        """Engineering value of a numeric or boolean tag."""
        value = self[name]
        assert isinstance(value, (int, float))
        return float(value)

    def publish(self, name: str, value: Value) -> None:
        """Set a tag from inside the node."""
        tag = self._tags[name]
        self._store(self.state, tag, tag.encode(value))

    # -- what the protocol's server logic asks ------------------------------------------------------

    def register_bytes(self, table: Table, address: int, count: int) -> bytes:
        """Registers of `input` or `holding` as they go on the wire: two bytes each, high byte first.

        Raises:
            ModbusError: 2 for an address without a tag.
        """
        self._check_owned(table, address, count)
        first = self.layout.spans[table][0] + 2 * address
        return self.state.image[first : first + 2 * count].tobytes()

    def bit_bytes(self, table: Table, address: int, count: int) -> bytes:
        """Bits of `coil` or `discrete` as they go on the wire: eight to a byte, the first in the lowest bit.

        Raises:
            ModbusError: 2 for an address without a tag.
        """
        self._check_owned(table, address, count)
        first, size = self.layout.spans[table]
        bits = int.from_bytes(self.state.image[first : first + size].tobytes(), "little")
        return (bits >> address & (1 << count) - 1).to_bytes((count + 7) // 8, "little")

    def read_coils(self, address: int, count: int) -> Sequence[bool]:
        """Coils from `address`."""
        return self._bits("coil", address, count)

    def read_discrete_inputs(self, address: int, count: int) -> Sequence[bool]:
        """Discrete inputs from `address`."""
        return self._bits("discrete", address, count)

    def read_input_registers(self, address: int, count: int) -> Sequence[int]:
        """Input registers from `address`."""
        return self._words("input", address, count)

    def read_holding_registers(self, address: int, count: int) -> Sequence[int]:
        """Holding registers from `address`."""
        return self._words("holding", address, count)

    def _bits(self, table: Table, address: int, count: int) -> Sequence[bool]:
        bits = self.bit_bytes(table, address, count)
        return [bool(bits[place >> 3] >> (place & 7) & 1) for place in range(count)]

    def _words(self, table: Table, address: int, count: int) -> Sequence[int]:
        return struct.unpack(f">{count}H", self.register_bytes(table, address, count))

    def _check_owned(self, table: Table, address: int, count: int) -> None:
        owned = self._owned[table]
        end = address + count
        if end >= len(owned) or owned[end] - owned[address] != count:
            raise ModbusError(ExceptionCode.ILLEGAL_DATA_ADDRESS)

    def write_coils(self, address: int, values: Sequence[bool]) -> None:
        """Write coils, all or none.

        Raises:
            ModbusError: 2 for an address without a tag.
        """
        self._check_owned("coil", address, len(values))
        self._store_bits(self.state, "coil", address, values)

    def write_registers(self, address: int, values: Sequence[int]) -> None:
        """Write holding registers, all or none.

        Raises:
            ModbusError: 2 for an address without a tag, 3 for a value outside its tag's limits.
        """
        end = address + len(values)
        self._check_owned("holding", address, len(values))
        for value, (lowest, span) in zip(values, self._windows[address:end], strict=True):
            if (value - lowest) & 0xFFFF > span:
                self._check_tags(address, values)
                break
        self._store_words(self.state, "holding", address, values)

    def _check_tags(self, address: int, values: Sequence[int]) -> None:
        """Check values tag by tag: those of more than one register, and those of which one may be wrong.

        Raises:
            ModbusError: 3 for a value outside its tag's limits.
        """
        end = address + len(values)
        owner = self._owner["holding"]
        first, last = owner[address], owner[end - 1]
        # a tag of two registers may be written by halves: the other half stays as it is
        begin, beyond = first.address, last.address + last.count
        proposed = [*self._words("holding", begin, beyond - begin)]
        proposed[address - begin : end - begin] = values
        step = begin
        while step < beyond:
            tag = owner[step]
            try:
                tag.check(tag.decode(proposed[step - begin : step - begin + tag.count]))
            except TagValueError as error:
                raise ModbusError(ExceptionCode.ILLEGAL_DATA_VALUE, str(error)) from error
            step += tag.count

    def read_fifo_queue(self, address: int) -> Sequence[int]:
        """Registers of the queue at an address, the oldest first.

        Raises:
            ModbusError: 2 where there is none.
        """
        queue = self.queues(address)
        if queue is None:
            raise ModbusError(ExceptionCode.ILLEGAL_DATA_ADDRESS)
        return queue

    def server_id(self) -> bytes:
        """What function 17 says."""
        return self._server_id

    def device_identification(self) -> Mapping[int, bytes]:
        """Objects of Modbus function 43/14."""
        return self._identification


def _owned(owner: Mapping[int, Tag]) -> list[int]:
    """How many addresses below each one belong to a tag: a span is gapless if the difference is its length."""
    end = max(owner, default=-1) + 1
    return [*accumulate((int(address in owner) for address in range(end)), initial=0)]


def raw_window(tag: Tag | None) -> tuple[int, int]:
    """Lowest raw value that a register may have, and how many more up from it; (0, -1) if it must be looked at."""
    if tag is None or tag.count != 1 or tag.limits is None or tag.scale <= 0.0:
        return 0, -1
    low, high = tag.limits
    lowest, highest = (round((limit - tag.offset) / tag.scale) for limit in (low, high))
    # rounding is to the nearest raw value, which may lie just outside
    lowest += round(lowest * tag.scale + tag.offset, DIGITS) < low
    highest -= round(highest * tag.scale + tag.offset, DIGITS) > high
    return lowest, highest - lowest
