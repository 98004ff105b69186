"""The press's I/O node with its firmware inside: what the bus and the scan see is a node, what runs is the program.

The node in Python keeps the sensors, and shows registers and commands as the firmware has them; what decides is the
program in the chip. Its I/O modules are read and set when the world scans; it scans itself every 50 ms from when it
got its supply. It is told of bytes when the line has been silent behind them, and what it sends leaves when it has got
to it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, Self

import numpy as np

from emulator.config import ConfigError
from emulator.firmware.adc import Adc
from emulator.firmware.build import build
from emulator.firmware.chip_node import ChipNode
from emulator.firmware.chip_state import RAM, ChipState
from emulator.firmware.elf import Program
from emulator.firmware.node_map import SENSORS, SENT_COMMANDS, make_node
from emulator.node import Node, NodeState
from emulator.node.loops import LOOP_COUNT

__all__ = ["FirmwareNode", "firmware"]

CHARACTER_NS: Final = 86_806
SILENCE_NS: Final = 1_750_000
"""Of the firmware's line: 115200 bit/s, 8N1."""
AHEAD_NS: Final = 20_000
"""How long the chip may take from when an answer is due until it sends, if nothing else keeps it busy."""


@functools.cache
def firmware() -> Program:
    """The program, built if it is not there.

    Raises:
        BuildError: it cannot be built here.
    """
    return Program(build("lm3s6965"))


class FirmwareNode(Node):
    """The press's I/O node, its program executed.

    The arguments are those of `Node`.

    Raises:
        ConfigError: no toolchain or engine, or sensors that the firmware is not made for.
    """

    hears_bytes = True
    send: Callable[[bytes, int], None]
    """Where its answers go; the bus says so."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        if Adc(self.sensors).lowest.tolist() != _expected_lowest():
            raise ConfigError(f"the firmware is made for the sensors {SENSORS!r}; others need another build of it")
        self._identity = str(self._nameplate["press_identity"])
        self.state.memory["elsewhere"] = 1
        self.state.chip = ChipState()
        self._insert_chip()

    def _insert_chip(self) -> None:
        """Put a chip around the state."""
        state, program = self.state, firmware()
        assert state.chip is not None
        if state.chip.program not in ("", program.digest):
            raise ConfigError("this state is of another build of the firmware; open it with the version that wrote it")
        state.chip.program = program.digest
        self._inside = ChipNode(program, len(state.bank.image), CHARACTER_NS, state.chip)
        self._adc = Adc(self.sensors)
        self._commands = state.memory["commands"][0, :SENT_COMMANDS]

    def with_state(self, state: NodeState) -> Self:
        """Another node with this program around a state, which becomes its own."""
        other = super().with_state(state)
        other._insert_chip()
        return other

    def switch_off(self) -> None:
        """The supply fails: outputs drop, which brakes the belts and opens the press, and nothing is answered."""
        super().switch_off()
        assert self.state.chip is not None
        self.state.chip.stack = 0

    @property
    def _runs(self) -> bool:
        chip = self.state.chip
        return chip is not None and chip.stack != 0

    def switch_on(self, now: int) -> None:
        """The supply comes back at time `now`, ns: the program starts, and scans what the modules sensed last."""
        super().switch_on(now)
        self._sense()
        self._inside.power_on(self._identity)
        self._show()

    def finish_scan(self, now_ns: int) -> None:
        """The sensors have been read at `now_ns`: the modules pass on, and a scan that is due then sees it."""
        if not self.is_on:
            return
        if self._runs:
            since_ns = now_ns - int(self.state.memory["power_on_ns"][0])
            self._inside.chip.run_until(since_ns - 1)
            self._sense()
            self._inside.chip.run_until(since_ns)
            self._send_what_it_said()
        else:
            self._sense()
            self.state.memory["power_on_ns"] = now_ns
            self._inside.power_on(self._identity, self._hand_over)
        self._show()

    def _sense(self) -> None:
        contacts = self.contacts
        self._inside.sense(
            self._adc.counts(self.state.sensors.memory[1]),
            emergency_stop=contacts.emergency_stop_pressed,
            guard=contacts.guard_open,
        )

    def _hand_over(self) -> None:
        """Give the program what the node in Python has been set to before its first scan: a running start."""
        ram, program = self._inside.chip.state.ram, firmware()
        layout = program.content(program.symbols["node_layout"].address, 12)
        image_at, loops_at, loop_size = np.frombuffer(layout, np.uint32).tolist()
        first = program.symbols["node"].address - RAM[0]
        image, memory = self.state.bank.image, self.state.memory
        ram[first + image_at : first + image_at + len(image)] = image
        loops = (
            ram[first + loops_at : first + loops_at + loop_size * LOOP_COUNT].view(np.float64).reshape(LOOP_COUNT, -1)
        )
        for column, name in enumerate(("integral", "ramped_c", "output")):
            loops[:, column] = memory["loops"][name][0]

    def _show(self) -> None:
        """Registers and commands as the firmware has them."""
        self.state.bank.image[:] = self._inside.registers
        self._commands[:] = self._inside.commands

    def hear(self, block: bytes, overrun: bool, now: int) -> None:
        """Take in what came between two silences; see `emulator.bus.ByteNode`."""
        if not self._runs:
            return
        chip, period_ns = self._inside.chip, self.config.scan_period_ns
        on_ns = int(self.state.memory["power_on_ns"][0])
        chip.receive(block, now - on_ns - SILENCE_NS, CHARACTER_NS, overrun=overrun)
        # it runs ahead to its answer, but not into what the modules will sense
        sensed_ns = now - now % period_ns + period_ns - 1 - on_ns
        until_ns, next_ns = 0, now - on_ns + self.turnaround_ns + AHEAD_NS
        while until_ns < next_ns:
            until_ns = next_ns
            chip.run_until(min(until_ns, sensed_ns))
            if not chip.machine.has_sent and until_ns < sensed_ns:
                next_ns = chip.busy_until_ns + AHEAD_NS
        self._send_what_it_said()
        self.state.bank.image[:] = self._inside.registers

    def _send_what_it_said(self) -> None:
        machine = self._inside.chip.machine
        if machine.has_sent:
            begin_ns = self._inside.chip.sent_ns + int(self.state.memory["power_on_ns"][0])
            self.send(machine.take(), begin_ns)


@functools.cache
def _expected_lowest() -> list[float]:
    lowest: list[float] = Adc(make_node().sensors).lowest.tolist()
    return lowest
