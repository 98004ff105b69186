"""The node twice, in Python and in C, told the same: what they answer, command and show must be equal byte by byte."""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from emulator.faults.taps import neutral_taps
from emulator.firmware.adc import Adc
from emulator.firmware.build import build, has_compiler
from emulator.firmware.chip import has_engine
from emulator.firmware.chip_node import ChipNode
from emulator.firmware.elf import Program
from emulator.firmware.host import HostNode
from emulator.firmware.node_map import SENT_COMMANDS
from emulator.node import Node
from emulator.press.commands import Disturbances
from emulator.press.signals import index
from emulator.scan import NOW_NS, TICKS, TRUTH, scan_call
from emulator.state import copied
from emulator.world import World, WorldConfig
from rig.protocol import BROADCAST, LineTiming, encode_frame, is_frame, request_to

needs_compiler = pytest.mark.skipif(not has_compiler(), reason="needs the Zig toolchain: pip install ziglang")

needs_engine = pytest.mark.skipif(not has_engine(), reason="needs the Unicorn engine: pip install unicorn")

SCAN_NS = 50_000_000
TIMING = LineTiming(115_200)


class PythonNode:
    """`emulator.node.Node` without a press behind it: its sensors see what they are told to.

    Args:
        exact: without noise and lag, so that a sensor shows at once, and only, what it sees.
    """

    def __init__(self, *, exact: bool) -> None:
        self._world = _world()
        self._sensors = copy.copy(self._world.node.sensors)
        self._sensors.rows = self._sensors.rows.copy()
        if exact:
            self._sensors.rows["noise"] = 0.0
            self._sensors.rows["weight"] = 1.0
        self._signals = self._world.press.signals
        self._signals[:] = _signals_at_rest()
        origin = copy.copy(self._world.node)
        origin.sensors = self._sensors
        self.node: Node = origin.with_state(copied(origin.state))
        self._call = scan_call(
            self._world.press, self.node, Disturbances().vector, neutral_taps(), np.zeros(len(TRUTH))
        )

    def answer(self, block: bytes, now_ns: int) -> bytes:
        """What the bus makes of a block between two silences."""
        if not is_frame(block):
            self.node.overhear("broken")
            return b""
        heard = request_to(self.node.units, block)
        if heard is None:
            self.node.overhear("to_others")
            return b""
        unit, request = heard
        response = self.node.answer(request, now_ns)
        if unit == BROADCAST:
            self.node.overhear("broadcast")
            return b""
        return b"" if response is None else encode_frame(unit, response)

    def see(self, readings: Mapping[str, float]) -> None:
        """Let sensors see this, in their tags' units."""
        for tag, value in readings.items():
            row = self._sensors.rows[self._sensors.place[tag]]
            if tag == "coolant_flow_l_min":  # the press knows it as part of the full flow
                self._signals[index("coolant_flow_fraction")] = value / self.node.config.coolant.full_flow_l_min
            else:
                self._signals[row["source"]] = (value - row["offset"]) / row["gain"]

    def scan(self, now_ns: int) -> None:
        self._call.table[TICKS] = 0
        self._call.table[NOW_NS] = now_ns
        self._call()

    @property
    def counts(self) -> NDArray[np.uint32]:
        return Adc(self.node.sensors).counts(self.node.state.sensors.memory[1])

    @property
    def commands(self) -> NDArray[np.float64]:
        return self.node.commands.vector[:SENT_COMMANDS]

    @property
    def image(self) -> bytes:
        return self.node.bank.state.image.tobytes()


@functools.cache
def _world() -> World:
    return World(WorldConfig())


@functools.cache
def _signals_at_rest() -> NDArray[np.float64]:
    return _world().press.signals.copy()


class Pair:
    """The node in Python beside the firmware on this machine, and one clock.

    Args:
        exact: sensors without noise and lag.
    """

    first_scan_ns = 0
    slack_ns = 0

    def __init__(self, *, exact: bool = False) -> None:
        self.python = PythonNode(exact=exact)
        self.now_ns = self._power_on_ns = 0
        self.firmware = self._switched_on()

    def _switched_on(self) -> HostNode | ChipNode:
        _host().power_on()
        return _host()

    def power_cycle(self, off_ns: int) -> int:
        """Returns when the next scan is due, ns."""
        self.python.node.switch_off()
        self.now_ns += off_ns
        self.python.node.switch_on(self.now_ns)
        self._power_on_ns = self.now_ns
        self._switched_on()
        self.check()
        return -(-self.now_ns // SCAN_NS) * SCAN_NS

    def exchange(self, block: bytes) -> bytes:
        """Send bytes with silence before and behind; returns what both answered."""
        heard_ns = self.now_ns + len(block) * TIMING.char_ns
        self.firmware.hear(block, self.now_ns - self._power_on_ns)
        self.now_ns = heard_ns + TIMING.t3_5_ns
        expected = self.python.answer(block, self.now_ns)
        self.now_ns += self.python.node.turnaround_ns
        answer = self.firmware.attend(self.now_ns - self._power_on_ns + self.slack_ns)
        assert answer.hex(" ") == expected.hex(" ")
        self.check()
        self.now_ns += TIMING.frame_ns(len(answer)) + TIMING.t3_5_ns
        return answer

    def scan(self, at_ns: int) -> None:
        self.now_ns = max(self.now_ns, at_ns)
        self.python.scan(at_ns)
        self._scan_firmware(at_ns - self._power_on_ns)
        self.check()

    def _scan_firmware(self, at_ns: int) -> None:
        contacts = self.python.node.contacts
        _host().scan(
            at_ns, self.python.counts, emergency_stop=contacts.emergency_stop_pressed, guard=contacts.guard_open
        )

    def check(self) -> None:
        if self.firmware.image != self.python.image:
            assert self.named(self.firmware.image) == self.named(self.python.image)
        if self.firmware.commands.tobytes() != self.python.commands.tobytes():
            assert self.firmware.commands.tolist() == self.python.commands.tolist()
            raise AssertionError("commands differ in the sign of a zero")

    def named(self, image: bytes) -> dict[str, object]:
        """An image as values by tag, to be read by people."""
        bank = self.python.node.bank
        state = bank.state
        bank.state = type(state)(np.frombuffer(image, np.uint8))
        try:
            return {name: bank[name] for name in bank.layout.tags}
        finally:
            bank.state = state


class ChipPair(Pair):
    """The node in Python beside the firmware on its microcontroller, executed by Unicorn.

    A chip that is switched on scans at once, and every 50 ms from then on.
    """

    first_scan_ns = SCAN_NS
    slack_ns = 50_000  # of work until the first byte of the answer leaves

    def _switched_on(self) -> ChipNode:
        self.python.scan(self.now_ns)
        self._next_scan_ns = self.now_ns + SCAN_NS
        self._sense()
        _chip().power_on()
        return _chip()

    def power_cycle(self, off_ns: int) -> int:
        on_ns = self.now_ns + off_ns
        return super().power_cycle(-(-on_ns // SCAN_NS) * SCAN_NS - self.now_ns) + SCAN_NS

    def exchange(self, block: bytes) -> bytes:
        """An exchange lies between two scans: the chip's clock does not go on without them."""
        if self.now_ns + 4 * SCAN_NS // 5 > self._next_scan_ns:
            self.scan(self._next_scan_ns)
        return super().exchange(block)

    def scan(self, at_ns: int) -> None:
        self._next_scan_ns = at_ns + SCAN_NS
        super().scan(at_ns)

    def _sense(self) -> None:
        contacts = self.python.node.contacts
        _chip().sense(self.python.counts, emergency_stop=contacts.emergency_stop_pressed, guard=contacts.guard_open)

    def _scan_firmware(self, at_ns: int) -> None:
        self._sense()
        _chip().scan(at_ns)


@functools.cache
def _host() -> HostNode:
    return HostNode()


@functools.cache
def _chip() -> ChipNode:
    return ChipNode(Program(build("lm3s6965")), _world().node.bank.layout.size, TIMING.char_ns)
