"""Tags in engineering units over a Modbus master: merged into few requests, decoded by table."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from rig.errors import BusError, NoAnswer, PortError, RequestRefused, UsageError
from rig.master import Master
from rig.protocol import (
    ReadCoils,
    ReadCoilsResponse,
    ReadDiscreteInputs,
    ReadDiscreteInputsResponse,
    ReadHoldingRegisters,
    ReadHoldingRegistersResponse,
    ReadInputRegisters,
    ReadInputRegistersResponse,
    Request,
    WriteMultipleCoils,
    WriteMultipleRegisters,
)
from rig.protocol.blocks import Block, Decoded
from rig.protocol.registers import BIT_TABLES, RegisterMap, Table, Tag, Value

__all__ = ["LONGEST_READ", "READ_GAP", "PlannedRead", "TagClient"]

READ_ANSWERS = (
    ReadCoilsResponse,
    ReadDiscreteInputsResponse,
    ReadInputRegistersResponse,
    ReadHoldingRegistersResponse,
)

READ_GAP = 8
"""Registers that a merged read may read along without need: cheaper than another request."""
LONGEST_READ = 120
"""Registers in one read at the most (the specification allows 125)."""
WRITE_GAP = 16
"""The same for writes, over registers that are known to hold what is written."""
SILENT_SCANS = 2
"""A node that so many scans in a row found silent is not written to before it has answered one."""
NOTHING = object()
"""Is no value."""
LARGEST_WRITE = 120
LARGEST_BIT_WRITE = 1900
Read = ReadCoils | ReadDiscreteInputs | ReadInputRegisters | ReadHoldingRegisters
READS: dict[Table, type[Read]] = {
    "coil": ReadCoils,
    "discrete": ReadDiscreteInputs,
    "input": ReadInputRegisters,
    "holding": ReadHoldingRegisters,
}


class PlannedRead(NamedTuple):
    """A block and the request that reads it."""

    request: Request
    unit: int
    block: Block


class PlannedWrite(NamedTuple):
    """A block to be written, and where in it the tags stand that get a new value."""

    block: Block
    unit: int
    fresh: tuple[tuple[Tag, slice], ...]


class TagClient:
    """Tags in engineering units over a master.

    A write reaches over holding registers that are not to be changed where that saves a request, if it
    was this client that wrote them last: they get what they have.

    Args:
        master: who asks.
        registers: the register map.
    """

    def __init__(self, master: Master, registers: RegisterMap) -> None:
        self._master = master
        self._registers = registers
        self._writes: dict[tuple[Tag, ...], tuple[PlannedWrite, ...]] = {}
        # what the press holds as this client wrote it last: as values, and raw by node, table and address
        self._held: dict[Tag, Value] = {}
        self._raw: dict[tuple[str, Table], list[int]] = {}
        self._told: dict[Tag, Value] = {}
        """Switches as they were written last, whether or not anybody has answered."""

    def plan(self, tags: Iterable[Tag]) -> tuple[PlannedRead, ...]:
        """The requests that read `tags`."""
        return _planned_reads(self._registers, tuple(tags))

    def read(self, tags: Sequence[Tag]) -> dict[str, Value]:
        """Engineering values by tag name, in the order asked for.

        Raises:
            BusError: no usable answer.
        """
        values: dict[str, Value] = {}
        for read in self.plan(tags):
            values.update(self.ask(read).values)
        return {tag.name: values[tag.name] for tag in tags}

    def ask(
        self, read: PlannedRead, until_ns: int | None = None, *, tries: int | None = None, floor_ns: int | None = None
    ) -> Decoded:
        """One planned read: engineering values, and numbers in the order of the block; arguments as in `exchange`.

        Raises:
            BusError: no usable answer.
        """
        answer = self._master.exchange(read.request, read.unit, until_ns, tries=tries, floor_ns=floor_ns)
        assert isinstance(answer, READ_ANSWERS)  # the codec lets nothing else answer a read
        return read.block.decode(answer.payload)

    def write(self, values: Mapping[Tag, Value], until_ns: int | None = None) -> None:
        """Write tags; neighbours go out together. A node that fails keeps nothing from the others.

        Set points go before switches, so that they are there when something is switched on. Where nothing is, switches
        go first: on a line on which only the first request of a scan gets through, the press is still made safe.

        Args:
            values: engineering values by tag.
            until_ns: when to give up; see `Master.exchange`. With a limit a node beside the press's own is asked once
                and gets no more time than an answer takes, and none while polls find it silent.

        Raises:
            TagValueError: a value that its tag cannot hold.
            BusError: no usable answer from a node; `held` tells what the others have taken.
        """
        failed: dict[str, BusError] = {}
        held = self._held
        # a refresh writes the very objects that were written before: they need no second encoding
        fresh = {tag: tag.encode(value) for tag, value in values.items() if held.get(tag, NOTHING) is not value}
        for block, unit, places in self._in_order(values):
            if block.node in failed:
                self._forget(block.tags)
                continue
            table, span = self._table(block), slice(block.address, block.address + block.count)
            raw = table[span]
            for tag, place in places:
                if tag in fresh:
                    raw[place] = fresh[tag]
            request: Request = (
                WriteMultipleCoils(block.address, tuple(map(bool, raw)))
                if block.table == "coil"
                else WriteMultipleRegisters(block.address, tuple(raw))
            )
            try:
                if until_ns is None or unit == self._registers.main.address:
                    self._master.exchange(request, unit, until_ns)
                else:
                    self._exchange_briefly(request, unit)
            except PortError:
                self._forget(block.tags)
                raise
            except BusError as error:
                self._forget(block.tags)
                names = ", ".join(tag.name for tag in block.tags)
                refused = isinstance(error, RequestRefused)
                failed[block.node] = RequestRefused(f"{error}; the request was to write {names}") if refused else error
                continue
            table[span] = raw
            for tag, _ in places:
                if tag not in held:
                    self._writes.clear()  # more is held now that a write may reach over
                held[tag] = values[tag]
        if failed:
            raise next(iter(failed.values()))

    def _in_order(self, values: Mapping[Tag, Value]) -> Sequence[PlannedWrite]:
        plan = self._write_plan(tuple(values))
        switches = {tag: value for tag, value in values.items() if tag.table in BIT_TABLES}
        if not switches:
            return plan
        safe, told = self._registers.safe_state, self._told
        switches_on = any(
            value != safe.get(tag.name, value) and told.get(tag) != value for tag, value in switches.items()
        )
        told.update(switches)
        return plan if switches_on else sorted(plan, key=lambda planned: planned.block.table not in BIT_TABLES)

    def _exchange_briefly(self, request: Request, unit: int) -> None:
        """A write to a node that must not keep the others waiting.

        Raises:
            BusError: no usable answer, or it has said nothing lately and was not asked.
        """
        health = self._master.health_of(unit)
        if health.pace.silent_scans >= SILENT_SCANS:
            raise NoAnswer(f"node {health.name} is silent, and is not written to until a poll finds it again")
        self._master.exchange(request, unit, 0, tries=1)

    def forget(self) -> None:
        """Nobody knows what the press holds any more: it was away, or has started anew."""
        self._held.clear()
        self._writes.clear()

    def held(self) -> dict[Tag, Value]:
        """What the press is known to hold, as this client wrote it last."""
        return self._held.copy()

    def hold(self, values: Mapping[Tag, Value]) -> None:
        """Take over what another client knows."""
        self._held.update(values)
        for tag, value in values.items():
            self._table(tag)[tag.address : tag.address + tag.count] = tag.encode(value)
        self._writes.clear()

    def _table(self, where: Tag | Block) -> list[int]:
        """Raw contents of a table of a node; what is not held means nothing."""
        table = self._raw.get((where.node, where.table))
        if table is None:
            ends = [tag.address + tag.count for tag in self._registers.tags.values() if tag.table == where.table]
            table = self._raw[where.node, where.table] = [0] * max(ends)
        return table

    def _write_plan(self, tags: tuple[Tag, ...]) -> tuple[PlannedWrite, ...]:
        plan = self._writes.get(tags)
        if plan is None:
            plan = self._writes[tags] = _planned_writes(self._registers, tags, frozenset(self._held))
        return plan

    def _forget(self, tags: Iterable[Tag]) -> None:
        """Nobody knows what these hold now."""
        for tag in tags:
            self._held.pop(tag, None)
        self._writes.clear()


def _unit(registers: RegisterMap, node: str) -> int:
    try:
        return registers.nodes[node].address
    except KeyError:
        raise UsageError(f"no node {node!r} in the register map") from None


@lru_cache(maxsize=128)
def _planned_reads(registers: RegisterMap, tags: tuple[Tag, ...]) -> tuple[PlannedRead, ...]:
    """Shared by all clients, with the tables that the blocks have made for decoding."""
    return tuple(
        PlannedRead(READS[block.table](block.address, block.count), _unit(registers, block.node), block)
        for block in registers.reads(tags, gap=READ_GAP)
    )


@lru_cache(maxsize=128)
def _planned_writes(registers: RegisterMap, tags: tuple[Tag, ...], held: frozenset[Tag]) -> tuple[PlannedWrite, ...]:
    """The same for writes, which may reach over what is held."""
    wanted = (*tags, *_bridges(tags, held))
    blocks = registers.blocks(wanted, longest=LARGEST_WRITE, longest_bits=LARGEST_BIT_WRITE)
    fresh = set(tags)
    return tuple(
        PlannedWrite(block, _unit(registers, block.node), _places(block, fresh))
        # coils last: a setpoint must be there before what acts on it is enabled
        for block in sorted(blocks, key=lambda block: block.table in BIT_TABLES)
    )


def _bridges(tags: Iterable[Tag], held: Collection[Tag]) -> Iterator[Tag]:
    """Holding registers between `tags` that can be written along, as it is known what they hold."""
    holding = sorted((tag for tag in tags if tag.table == "holding"), key=lambda tag: (tag.node, tag.address))
    for left, right in pairwise(holding):
        start, end = left.address + left.count, right.address
        if left.node != right.node or not 0 < end - start <= WRITE_GAP:
            continue
        between = [
            tag for tag in held if (tag.node, tag.table) == (left.node, left.table) and start <= tag.address < end
        ]
        if sum(tag.count for tag in between) == end - start:
            yield from between


def _places(block: Block, tags: Container[Tag]) -> tuple[tuple[Tag, slice], ...]:
    """Those of `tags` that are in a block, and where in it."""
    return tuple(
        (tag, slice(tag.address - block.address, tag.address - block.address + tag.count))
        for tag in block.tags
        if tag in tags
    )
