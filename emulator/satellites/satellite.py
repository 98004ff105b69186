"""A node beside the I/O node: its parts, its state, its face to the bus, and its hard wires to the I/O node."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from emulator.config import ConfigError
from emulator.image import Layout
from emulator.node import Node
from emulator.node.config import NodeConfig
from emulator.node.loops import COOLED
from emulator.node.on_the_line import OnTheLine, has_written, identified_bank
from emulator.pointer import Call
from emulator.satellites.config import SatelliteConfig, WiringFile
from emulator.satellites.program import satellite_program
from emulator.satellites.scan import NOW_NS, RUN, scan_address
from emulator.satellites.state import SatelliteState, power_on
from emulator.scan import SENSOR_SHIFTS, TRUTH
from emulator.sensors import SensorConfig, Sensors
from emulator.stations.tables import STATIONS
from rig.protocol import (
    InvalidRequest,
    Request,
    Response,
)
from rig.protocol.registers import Node as Station
from rig.protocol.registers import RegisterMap

__all__ = ["Satellite", "make_satellites"]


class Satellite(OnTheLine[SatelliteState]):
    """A temperature controller or gauge with an address of its own.

    Args:
        station: who it is in the register map.
        config: its settings.
        machine: settings of the I/O node, for what belongs to the machine.
        registers: the register map of the wiring.
        sensor_configs: the instruments of the press; its own are those of its tags.
        seed: the world's seed.
        identity: of the press: `virtual` or `real`.

    Attributes:
        name: of the node in the register map.
        state: all that makes its future.
    """

    def __init__(
        self,
        station: Station,
        config: SatelliteConfig,
        machine: NodeConfig,
        registers: RegisterMap,
        sensor_configs: Sequence[SensorConfig],
        seed: int,
        identity: str,
    ) -> None:
        self.name, self.config = station.name, config
        self.unit = station.address
        self.units = frozenset({self.unit})
        self.turnaround_ns = config.turnaround_us * 1000
        layout = Layout(registers, self.name)
        self.bank = identified_bank(layout, config, config.product, identity)
        self.sensors = Sensors(sensor_configs, layout, TRUTH, seed, config.scan_period_ms * 1e-3, SENSOR_SHIFTS)
        self.program = satellite_program(self.name, config, machine, layout, self.sensors.place)
        place = self.program[0].place
        self._loops = np.flatnonzero(place >= 0) if self.program[0].controls else np.zeros(0, np.int64)
        # which command of the I/O node closes the run contact
        cools = self._loops.size and COOLED[int(self._loops[0])]
        self._run_by = "cooling_enable" if cools else "heating_enable"
        self._take(power_on(self.bank.state, self.sensors.state))
        self._show_role()

    def _show_role(self) -> None:
        self.bank.publish(f"{self.name}_role", self.name)

    def connect(self, node: Node, inputs: NDArray[np.float64], truth: NDArray[np.float64]) -> None:
        """Wire it to the I/O node, and to the machine.

        Args:
            node: the I/O node; its state must not be replaced afterwards.
            inputs: the kernel's inputs, for the disturbances of sensors.
            truth: what perfect instruments would read, SI, kept up to date by the world.
        """
        self._node, state = node, self.state
        coil = node.bank.layout.place(self._run_by)
        self._run_byte, self._run_mask = coil >> 3, 1 << (coil & 7)
        program: NDArray[np.void] = self.program  # type: ignore[assignment] # a table is an array of one record
        rows, image = self.sensors.rows, state.bank.image
        self._call = Call(
            scan_address(program.dtype),
            0,
            0,
            truth,
            inputs,
            rows,
            len(rows),
            state.sensors.memory,
            state.memory,
            node.state.memory,
            program,
            image,
            len(image),
        )

    def scan(self, now_ns: int) -> None:
        """Scan at `now_ns`, if it has a supply and its period is over; the truth is that of this time."""
        if not self.is_on or now_ns % self.config.scan_period_ns:
            return
        node, table = self._node, self._call.table
        table[NOW_NS] = now_ns
        table[RUN] = int(node.is_on and bool(node.state.bank.image[self._run_byte] & self._run_mask))
        self._call()

    def answer(self, request: Request | InvalidRequest, now: int) -> Response | None:
        """Answer a request; what is written ends the state of lost setpoints."""
        response = super().answer(request, now)
        if has_written(request, response):
            self.state.memory["setpoints_lost"] = 0
        return response

    def switch_off(self) -> None:
        """The supply fails: outputs and relays drop, and nothing is answered."""
        self.state.memory["off"] = 1
        self.is_on = False
        self._drop()

    def switch_on(self, now: int) -> None:
        """The supply comes back at time `now`, ns: everything as after the first power-on."""
        fresh = power_on(self.bank.power_on_state(), self.sensors.state, now)
        self.is_on = True
        self.state.memory[:] = fresh.memory
        self._forget()
        self._show_role()
        self._drop()

    def _drop(self) -> None:
        """What it drives and the wires that it feeds go to 0."""
        memory, program = self._node.state.memory, self.program[0]
        memory["loops"]["output"][0, self._loops] = 0.0
        if program.has_relays:
            memory["wires"]["below_limit"] = memory["wires"]["not_hot"] = 0
        if not program.controls:
            memory["wires"]["sheet"] = 0

    def take_over(self, ramped_c: NDArray[np.float64], integral: NDArray[np.float64]) -> None:
        """A running start: its loops hold what they would hold by now."""
        for name, values in (("ramped_c", ramped_c), ("integral", integral)):
            self.state.memory["loops"][name][0, self._loops] = values[self._loops]
        self.state.memory["ramping"] = 1


def make_satellites(
    wiring: WiringFile,
    machine: NodeConfig,
    registers: RegisterMap,
    sensor_configs: Sequence[SensorConfig],
    seed: int,
    identity: str,
) -> tuple[Satellite, ...]:
    """The nodes of a wiring beside the I/O node, just powered on; see `Satellite`.

    Raises:
        ConfigError: other nodes than the register map has, or a scan period that does not fit.
    """
    stations = [station for station in registers.satellites if station.name not in STATIONS]
    wanted = [station.name for station in stations]
    settings = {config.name: config for config in wiring.satellite}
    if set(settings) != set(wanted):
        raise ConfigError(
            f"wiring {registers.wiring}: its settings are of {', '.join(settings) or 'no node'}, and the "
            f"register map has {', '.join(wanted) or 'none'}"
        )
    for name, config in settings.items():
        if config.scan_period_ms % machine.scan_period_ms:
            raise ConfigError(
                f"{name}: scan_period_ms is {config.scan_period_ms}; it must be a multiple of the I/O node's "
                f"{machine.scan_period_ms}, the step of the virtual press"
            )
    return tuple(
        Satellite(
            station,
            settings[station.name],
            machine,
            registers,
            sensor_configs,
            seed,
            identity,
        )
        for station in stations
    )
