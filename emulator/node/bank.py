"""The node's registers: four tables of raw values behind the register map.

Implements the data store that the protocol's server logic asks (`rig.protocol.respond`). Reads see
what the last scan published; writes are checked against each tag's limits before anything changes,
so a refused request changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from rig.protocol import ExceptionCode, ModbusError, pack_bits, pack_registers
from rig.protocol.registers import RegisterMap, Table, Tag, TagValueError, Value

__all__ = ["Bank", "BankState"]


@dataclass(slots=True)
class BankState:
    """Raw contents: one list per table, index = address."""

    coil: list[int] = field(default_factory=list)
    discrete: list[int] = field(default_factory=list)
    input: list[int] = field(default_factory=list)
    holding: list[int] = field(default_factory=list)


class Bank:
    """The data store of one node.

    Args:
        registers: the register map.
        node: name of the node whose tags this bank holds.
        identification: Modbus device identification objects by id (43/14).
    """

    def __init__(self, registers: RegisterMap, node: str, identification: Mapping[int, bytes]) -> None:
        self._tags = {tag.name: tag for tag in registers.tags.values() if tag.node == node}
        self._identification = identification
        self._owner: dict[Table, dict[int, Tag]] = {"coil": {}, "discrete": {}, "input": {}, "holding": {}}
        for tag in self._tags.values():
            for address in range(tag.address, tag.address + tag.count):
                self._owner[tag.table][address] = tag
        # how many addresses below each one have a tag: a span is gapless if the difference is its length
        self._below = {
            table: [0, *accumulate(address in owner for address in range(max(owner, default=-1) + 1))]
            for table, owner in self._owner.items()
        }
        self.state = self.power_on_state()

    def power_on_state(self) -> BankState:
        """Contents after power-on: defaults where the map gives them, 0 elsewhere."""
        state = BankState()
        for table, owner in self._owner.items():
            getattr(state, table).extend([0] * (max(owner, default=-1) + 1))
        for tag in self._tags.values():
            if tag.default is not None:
                self._store(state, tag, tag.encode(tag.default))
        return state

    @staticmethod
    def _store(state: BankState, tag: Tag, raw: Sequence[int]) -> None:
        getattr(state, tag.table)[tag.address : tag.address + tag.count] = raw

    def __getitem__(self, name: str) -> Value:
        """Engineering value of a tag."""
        tag = self._tags[name]
        return tag.decode(getattr(self.state, tag.table)[tag.address : tag.address + tag.count])

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

    def read_coils(self, address: int, count: int) -> Sequence[bool]:
        """Coils from `address`."""
        return [bool(bit) for bit in self._read("coil", address, count)]

    def read_discrete_inputs(self, address: int, count: int) -> Sequence[bool]:
        """Discrete inputs from `address`."""
        return [bool(bit) for bit in self._read("discrete", address, count)]

    def read_input_registers(self, address: int, count: int) -> Sequence[int]:
        """Input registers from `address`."""
        return self._read("input", address, count)

    def read_holding_registers(self, address: int, count: int) -> Sequence[int]:
        """Holding registers from `address`."""
        return self._read("holding", address, count)

    def register_bytes(self, table: Table, address: int, count: int) -> bytes:
        """Registers from `address` as they go over the wire: two bytes each, the high one first.

        Raises:
            ModbusError: 2 for an address without a tag.
        """
        return pack_registers(self._read(table, address, count))

    def bit_bytes(self, table: Table, address: int, count: int) -> bytes:
        """Bits from `address` as they go over the wire: the first in the lowest bit of the first byte.

        Raises:
            ModbusError: 2 for an address without a tag.
        """
        return pack_bits(self._read(table, address, count))

    def _read(self, table: Table, address: int, count: int) -> list[int]:
        self._check_span(table, address, count)
        values: list[int] = getattr(self.state, table)[address : address + count]
        return values

    def _check_span(self, table: Table, address: int, count: int) -> None:
        below, end = self._below[table], address + count
        if end >= len(below) or below[end] - below[address] != count:
            raise ModbusError(ExceptionCode.ILLEGAL_DATA_ADDRESS)

    def write_coils(self, address: int, values: Sequence[bool]) -> None:
        """Write coils, all or none.

        Raises:
            ModbusError: 2 for an address without a tag.
        """
        self._check_span("coil", address, len(values))
        self.state.coil[address : address + len(values)] = [int(bool(value)) for value in values]

    def write_registers(self, address: int, values: Sequence[int]) -> None:
        """Write holding registers, all or none.

        Raises:
            ModbusError: 2 for an address without a tag, 3 for a value outside its tag's limits.
        """
        owner = self._owner["holding"]
        end = address + len(values)
        self._check_span("holding", address, len(values))
        proposed = self.state.holding.copy()
        proposed[address:end] = values
        for tag in {owner[step].name: owner[step] for step in range(address, end)}.values():
            try:
                tag.check(tag.decode(proposed[tag.address : tag.address + tag.count]))
            except TagValueError as error:
                raise ModbusError(ExceptionCode.ILLEGAL_DATA_VALUE, str(error)) from error
        self.state.holding = proposed

    def device_identification(self) -> Mapping[int, bytes]:
        """Objects of Modbus function 43/14."""
        return self._identification
