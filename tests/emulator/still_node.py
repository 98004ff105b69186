"""The press's node on a bus, without a press: nothing scans, so that nothing but requests changes its registers."""

from __future__ import annotations

import functools

import simpy

from emulator.agenda import Agenda
from emulator.bus import Bus
from emulator.node import Node
from emulator.state import copied
from emulator.world import World, WorldConfig

__all__ = ["StillWorld"]


class StillWorld:
    """What a port needs of a world.

    Args:
        baud: of the node, bit/s; None if it follows the master.
        parity: the same for its parity.
        gaps: as in `WorldConfig`.
    """

    def __init__(self, baud: int | None = None, parity: str | None = None, gaps: str = "lax") -> None:
        self.env = simpy.Environment(initial_time=0)
        self.agenda = Agenda(self.env)
        origin = _origin()
        self.node: Node = origin.with_state(copied(origin.state))
        self.bus = Bus(self.agenda, [self.node], baud, parity=parity, gaps=gaps)

    @property
    def now_ns(self) -> int:
        return self.agenda.now_ns

    def run_until(self, time_ns: int) -> None:
        self.agenda.run_until(time_ns)

    @property
    def tables(self) -> dict[str, dict[int, int]]:
        """What stands at which address of which table."""
        bank = self.node.bank
        tables: dict[str, dict[int, int]] = {"coil": {}, "discrete": {}, "input": {}, "holding": {}}
        for tag in bank.layout.tags.values():
            for address in range(tag.address, tag.address + tag.count):
                if tag.table in ("coil", "discrete"):
                    raw = bank.bit_bytes(tag.table, address, 1)
                else:
                    raw = bank.register_bytes(tag.table, address, 1)
                tables[tag.table][address] = int.from_bytes(raw, "big")
        return tables


@functools.cache
def _origin() -> Node:
    return World(WorldConfig()).node
