"""What the frames on the line say, for whoever only listens: tags that were read, and tags that were written.

The decoding is that of the bench's own client (`Block`): one table per span of addresses, made when it is first seen.
Frames that are damaged, and requests without a fitting answer, say nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from rig.protocol import is_frame
from rig.protocol.blocks import Block, Decoded
from rig.protocol.registers import RegisterMap, Table

__all__ = ["Overheard"]

READS: Final[dict[int, Table]] = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
WRITES: Final[dict[int, Table]] = {5: "coil", 6: "holding", 15: "coil", 16: "holding"}
EXCEPTION: Final = 0x80
Told = Callable[[int, Block, Decoded], None]
"""Called with the time (ns), what was read or written, and what it says."""


class Overheard:
    """Listens to the frames of one line.

    Args:
        registers: whose tags they are.
        on_read: told when an answer has been heard, at its end.
        on_written: told when a write has been confirmed.

    Attributes:
        requests: that were heard, sound or not.
    """

    def __init__(self, registers: RegisterMap, on_read: Told, on_written: Told) -> None:
        self._registers = registers
        self._on_read, self._on_written = on_read, on_written
        self._request = b""
        self._blocks: dict[tuple[int, Table, int, int], Block | None] = {}
        self._units = {node.address: name for name, node in registers.nodes.items()}
        self.requests = 0

    def frame(self, end_ns: int, direction: str, data: bytes) -> None:
        """A frame has ended."""
        if direction == "request":
            self.requests += 1
            self._request = data if is_frame(data) else b""
            return
        request, self._request = self._request, b""
        if not request or not is_frame(data) or data[:2] != request[:2]:
            return
        unit, function, address = data[0], data[1], int.from_bytes(request[2:4])
        if function in READS:
            count = int.from_bytes(request[4:6])
            block, payload = self._block(unit, READS[function], address, count), data[3:-2]
            if block is not None and data[2] == len(payload) == _bytes(block):
                self._on_read(end_ns, block, block.decode(payload))
        elif function in WRITES and data[2:4] == request[2:4]:
            count, payload = _written(function, request)
            block = self._block(unit, WRITES[function], address, count)
            if block is not None and len(payload) == _bytes(block):
                self._on_written(end_ns, block, block.decode(payload))

    def _block(self, unit: int, table: Table, address: int, count: int) -> Block | None:
        """The tags that stand wholly in a span of addresses; None if there are none."""
        key = unit, table, address, count
        if key not in self._blocks:
            self._blocks[key] = self._find(*key)
        return self._blocks[key]

    def _find(self, unit: int, table: Table, address: int, count: int) -> Block | None:
        node = self._units.get(unit)
        tags = sorted(
            (
                tag
                for tag in self._registers.tags.values()
                if (tag.node, tag.table) == (node, table)
                and address <= tag.address
                and tag.address + tag.count <= address + count
            ),
            key=lambda tag: tag.address,
        )
        if node is None or not tags:
            return None
        block = Block(node, table, address, count, tuple(tags))
        return replace(block, mirrored=tuple(other for tag in tags for other in self._registers.mirrors.get(tag, ())))


def _bytes(block: Block) -> int:
    return (block.count + 7) // 8 if block.table in ("coil", "discrete") else 2 * block.count


def _written(function: int, request: bytes) -> tuple[int, bytes]:
    """How many addresses a request writes, and what."""
    if function == 5:
        return 1, bytes([request[4] != 0])
    if function == 6:
        return 1, request[4:6]
    return int.from_bytes(request[4:6]), request[7:-2]
