"""The press's I/O node: its parts, its state, and its face to the bus.

What it does in a scan is compiled (`emulator.node.scan`). The node keeps no time of its own beyond what the scan
and `answer(request, now)` are given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from emulator.image import Layout
from emulator.node.config import NodeConfig
from emulator.node.on_the_line import OnTheLine, identified_bank
from emulator.node.program import node_program
from emulator.node.state import QUEUE, Contacts, NodeState, power_on
from emulator.press.commands import FEED_QUALITY, Commands
from emulator.sensors import SensorConfig, Sensors
from rig.protocol.registers import RegisterMap, Value

__all__ = ["Node"]


class Node(OnTheLine[NodeState]):
    """The press's I/O node.

    Args:
        config: its program's settings.
        registers: the register map.
        sensor_configs: its instruments.
        truth_names: names of the truth vector that the scan gets.
        shifts: by signal, the place in the kernel's inputs of a disturbance that shifts its sensor.
        seed: the world's seed.
        identity: what `press_identity` shows: `virtual` or `real`.

    Attributes:
        program: what the compiled scan needs to know, one record.
        state: all that makes its future.
    """

    def __init__(
        self,
        config: NodeConfig,
        registers: RegisterMap,
        sensor_configs: Sequence[SensorConfig],
        truth_names: Sequence[str],
        shifts: Mapping[str, int],
        seed: int,
        identity: str,
    ) -> None:
        self.config = config
        self.unit = registers.main.address
        self.units = frozenset({self.unit})
        self.turnaround_ns = config.turnaround_us * 1000
        layout = Layout(registers, registers.main.name)
        self.bank = identified_bank(layout, config, "Pressure-roller type double-belt press", identity)
        self._queue_at = {layout.tags[name].address: row for row, name in enumerate(registers.groups["line_forces"])}
        self.sensors = Sensors(sensor_configs, layout, truth_names, seed, config.scan_period_ms * 1e-3, shifts)
        self.program = node_program(config, layout, self.sensors.place)
        self._take(power_on(self.bank.state, self.sensors.state))
        self._nameplate: Mapping[str, Value] = {
            "press_identity": identity,
            "register_map_version": registers.format,
            "press_model": config.model,
            "serial_number": config.serial_number,
            "node_version": config.version,
            "wiring": registers.wiring,
        }
        self._show_nameplate()

    def _take(self, state: NodeState) -> None:
        super()._take(state)
        self.bank.queues = self._queue

    def _queue(self, address: int) -> list[int] | None:
        """Samples of the line force whose input register has this address, one per scan, the oldest first."""
        row = self._queue_at.get(address)
        if row is None:
            return None
        queued, samples = int(self.state.memory["queued"][0]), self.state.memory["force_queue"][0, row]
        return [int(samples[number % QUEUE]) for number in range(max(queued - QUEUE, 0), queued)]

    def _show_nameplate(self) -> None:
        for name, value in self._nameplate.items():
            self.bank.publish(name, value)

    @property
    def contacts(self) -> Contacts:
        """Emergency stop button and guards."""
        return self.state.contacts

    @property
    def commands(self) -> Commands:
        """What the actuators are told."""
        return self.state.commands

    def switch_off(self) -> None:
        """The supply fails: outputs drop, which brakes the belts and opens the press, and nothing is answered."""
        self.state.memory["off"] = 1
        self.is_on = False
        self._drop_outputs()
        self.commands.brake = self.commands.dump = True

    def switch_on(self, now: int) -> None:
        """The supply comes back at time `now`, ns: everything as after the first power-on, but buttons, guards and
        what comes by hard wire.
        """
        state, fresh = self.state, power_on(self.bank.power_on_state(), self.sensors.state)
        for kept in ("emergency_stop_pressed", "guard_open", "commands", "elsewhere", "wires"):
            fresh.memory[kept] = state.memory[kept]
        self.is_on = True
        fresh.memory["power_on_ns"] = fresh.memory["last_request_ns"] = now
        state.memory[:] = fresh.memory
        self._forget()
        self._drop_outputs()
        self._show_nameplate()

    def _drop_outputs(self) -> None:
        """Everything off; what the upstream process delivers is none of the node's doing."""
        feed = self.commands.vector[FEED_QUALITY].copy()
        self.commands.reset()
        self.commands.vector[FEED_QUALITY] = feed
