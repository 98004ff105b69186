"""Registers on one side, a station's inputs on the other: whoever has changed something last has the say.

The station has a panel of its own, on which people (and programs inside of the simulation) set the same things. What a
master writes goes to the station; what was set on the panel shows in the registers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emulator.image import Layout
from emulator.inputs import Inputs, Switch
from emulator.node.bank import Bank
from emulator.stations.tables import Command
from emulator.units import conversion

__all__ = ["Commands"]

Bytes = NDArray[np.uint8]
SAME: Final = 1.0, 0.0


@dataclass(frozen=True, slots=True)
class _Wire:
    """One command: a tag, where it stands in the image, and where in the inputs."""

    tag: str
    first: int  # byte
    behind: int
    mask: int  # of the bit; 0: a number
    place: int  # in the inputs
    gain: float
    offset: float


class Commands:
    """The commands of one node.

    Args:
        layout: where its tags stand.
        kind: the class of the station's inputs.
        commands: which part each tag commands.
    """

    def __init__(self, layout: Layout, kind: type[Inputs], commands: dict[str, Command]) -> None:
        self.first = layout.spans["holding"][0]
        self._wires = tuple(self._wire(layout, kind, tag, command) for tag, command in commands.items())

    @staticmethod
    def _wire(layout: Layout, kind: type[Inputs], tag: str, command: Command) -> _Wire:
        part, place = vars(kind)[command.part], layout.place(tag)
        index = part.place - kind.FIRST + command.index
        if isinstance(part, Switch):
            return _Wire(tag, place >> 3, (place >> 3) + 1, 1 << (place & 7), index, *SAME)
        gain, offset = conversion(command.part, layout.tags[tag].unit)
        return _Wire(tag, place, place + 2 * layout.tags[tag].count, 0, index, gain, offset)

    def apply(self, bank: Bank, inputs: Inputs, heard: Bytes | None) -> None:
        """Tell the station what stands in the registers.

        Args:
            bank: the registers.
            inputs: of the station.
            heard: what stood in them from `first` on when it was told the last time; only what is new is told.
                None to tell everything.
        """
        image = bank.state.image
        for wire in self._wires:
            if heard is not None:
                now, then = image[wire.first : wire.behind], heard[wire.first - self.first : wire.behind - self.first]
                if not ((now ^ then) & (wire.mask or 0xFF)).any():
                    continue
            inputs.vector[wire.place] = (bank.number(wire.tag) - wire.offset) / wire.gain

    def show(self, bank: Bank, inputs: Inputs) -> None:
        """Put into the registers what the station has been told; what they cannot show, at the end of their scale."""
        for wire in self._wires:
            value = float(inputs.vector[wire.place]) * wire.gain + wire.offset
            if wire.mask:
                bank.publish(wire.tag, value != 0.0)
            else:
                low, high = bank.layout.tags[wire.tag].limits or (value, value)
                bank.publish(wire.tag, min(max(value, low), high))

    def drop(self, inputs: Inputs) -> None:
        """The node lets go of all its outputs: switches open, and set points stay."""
        for wire in self._wires:
            if wire.mask:
                inputs.vector[wire.place] = 0.0
