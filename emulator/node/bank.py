"""The node's registers: four tables of raw values behind the register map.

Implements the data store that the protocol's server logic asks (`rig.protocol.respond`). Reads see
what the last scan published; writes are checked against each tag's limits before anything changes,
so a refused request changes nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rig.protocol import ExceptionCode, ModbusError
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
        return [bool(bit) for bit in self._read("coil", self.state.coil, address, count)]

    def read_discrete_inputs(self, address: int, count: int) -> Sequence[bool]:
        """Discrete inputs from `address`."""
        return [bool(bit) for bit in self._read("discrete", self.state.discrete, address, count)]

    def read_input_registers(self, address: int, count: int) -> Sequence[int]:
        """Input registers from `address`."""
        return self._read("input", self.state.input, address, count)

    def read_holding_registers(self, address: int, count: int) -> Sequence[int]:
        """Holding registers from `address`."""
        return self._read("holding", self.state.holding, address, count)

    def _read(self, table: Table, contents: list[int], address: int, count: int) -> Sequence[int]:
        owner = self._owner[table]
        # the first and last address decide for gapless maps; gaps inside are looked up one by one
        if address not in owner or address + count - 1 not in owner:
            raise ModbusError(ExceptionCode.ILLEGAL_DATA_ADDRESS)
        values = contents[address : address + count]
        if len(values) < count or any(step not in owner for step in range(address, address + count)):
            raise ModbusError(ExceptionCode.ILLEGAL_DATA_ADDRESS)
        return values

    def register_bytes(self, table: Table, address: int, count: int) -> bytes:
        """Registers of `input` or `holding` as they go on the wire: two bytes each, high byte first.

        Raises:
            ModbusError: 2 for an address without a tag.
        """
        return struct.pack(f">{count}H", *self._read(table, getattr(self.state, table), address, count))

    def bit_bytes(self, table: Table, address: int, count: int) -> bytes:
        """Bits of `coil` or `discrete` as they go on the wire: eight to a byte, the first in the lowest bit.

        Raises:
            ModbusError: 2 for an address without a tag.
        """
        bits = self._read(table, getattr(self.state, table), address, count)
        return sum(bit << place for place, bit in enumerate(bits)).to_bytes((count + 7) // 8, "little")

    def write_coils(self, address: int, values: Sequence[bool]) -> None:
        """Write coils, all or none.

        Raises:
            ModbusError: 2 for an address without a tag.
        """
        owner = self._owner["coil"]
        if any(step not in owner for step in range(address, address + len(values))):
            raise ModbusError(ExceptionCode.ILLEGAL_DATA_ADDRESS)
        self.state.coil[address : address + len(values)] = [int(bool(value)) for value in values]

    def write_registers(self, address: int, values: Sequence[int]) -> None:
        """Write holding registers, all or none.

        Raises:
            ModbusError: 2 for an address without a tag, 3 for a value outside its tag's limits.
        """
        owner = self._owner["holding"]
        end = address + len(values)
        if any(step not in owner for step in range(address, end)):
            raise ModbusError(ExceptionCode.ILLEGAL_DATA_ADDRESS)
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
