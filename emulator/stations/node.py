"""The node of a station: its parts, its state, and its face to the bus.

A scan:  read sensors  →  safe values after silence  →  commands between registers and station  →  status
"""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numba import carray  # type: ignore[attr-defined]
from numpy.typing import NDArray

from emulator.config import ConfigError
from emulator.image import Layout
from emulator.line.line import PERIOD_NS, Line
from emulator.line.sheet import Pieces, joined, no_pieces
from emulator.node.bank import BankState
from emulator.node.on_the_line import OnTheLine, has_written, identified_bank
from emulator.pointer import Call, address_of
from emulator.sensors import SENSOR, SENSOR_MEMORY, SensorConfig, Sensors, SensorState, read_sensors
from emulator.stations import laboratory
from emulator.stations.config import StationConfig
from emulator.stations.listening import Commands
from emulator.stations.tables import STATIONS
from rig.protocol import (
    InvalidRequest,
    Request,
    Response,
    SerialDiagnostics,
)
from rig.protocol.registers import Node, RegisterMap

__all__ = ["StationNode", "StationState", "make_stations"]

STATION: Final = np.dtype(
    [
        ("off", np.int64),  # 1 without a supply
        ("scans", np.int64),
        ("power_on_ns", np.int64),
        ("last_request_ns", np.int64),
        ("told", np.int64),  # 1 from when a master has written until it went silent
        ("comms_lost", np.int64),  # 1 from when it went to safe values until somebody writes
        ("anew", np.int64),  # 1 from when the supply came back until the station was told what the registers say
        ("sampled_roll", np.int64),  # the last roll of which the laboratory has a sample
    ],
    align=True,
)
MOST_SCANS: Final = 2**62
OPTIONAL: Final = re.compile(r"bath_\d+_solvent_fraction")
"""Signals that a line with fewer baths has not; their sensors read 0."""
READING: Final = 1
"""Place in the table of a call: number of the reading."""


@dataclass(slots=True, eq=False)
class StationState:
    """All that makes the future of a station's node.

    Attributes:
        memory: one record of `STATION`.
        bank: registers.
        sensors: what the sensors remember.
        heard: holding registers and coils as the station was told them last, bytes.
        shown: the station's inputs as they were shown last.
        samples: pieces that wait in the laboratory (winder), shape (n,).
        diagnostics: what it has heard and said on the line.
    """

    memory: NDArray[np.void]
    bank: BankState
    sensors: SensorState
    heard: NDArray[np.uint8]
    shown: NDArray[np.float64]
    samples: Pieces = field(default_factory=no_pieces)
    diagnostics: SerialDiagnostics = field(default_factory=SerialDiagnostics)


class StationNode(OnTheLine[StationState]):
    """The node of a station.

    Args:
        node: who it is in the register map.
        config: its settings.
        registers: the register map of the wiring.
        sensor_configs: the instruments of all stations.
        line: the stations.
        seed: the world's seed.
        identity: of the press: `virtual` or `real`.

    Attributes:
        name: of the node in the register map.
        state: all that makes its future.

    Raises:
        ConfigError: a sensor of a signal that the station does not have.
    """

    def __init__(
        self,
        node: Node,
        config: StationConfig,
        registers: RegisterMap,
        sensor_configs: Sequence[SensorConfig],
        line: Line,
        seed: int,
        identity: str,
    ) -> None:
        self.name, self.config = node.name, config
        self.unit = node.address
        self.units = frozenset({self.unit})
        self.turnaround_ns = config.turnaround_us * 1000
        self._timeout_ns = round(config.comms_timeout_s * 1e9)
        self.station = STATIONS[self.name]
        layout = Layout(registers, self.name)
        self.bank = identified_bank(layout, config, config.product, identity)
        mine = [sensor for sensor in sensor_configs if sensor.tag in layout.tags]
        names = [sensor.signal for sensor in mine]
        self._signals = tuple(_signal(name, self.station.sources(line)) for name in names)
        self.sensors = Sensors(mine, layout, names, seed, PERIOD_NS * 1e-9, {})
        inputs = self.station.inputs(line)
        self.commands = Commands(layout, type(inputs), dict(self.station.commands))
        status = layout.tags[f"{self.name}_status_word"]
        self._bits = {bit: 1 << i for i, bit in enumerate(status.bits)}
        self._head = layout.place(status.name)
        behind = [layout.place(f"{self.name}_{own}") - self._head for own in ("heartbeat", "sample_time_ms")]
        assert behind == [2, 4], "they are written at once"
        commands = self.bank.state.image[self.commands.first :]
        memory = np.zeros(1, STATION)
        self._take(
            StationState(memory, self.bank.state, self.sensors.state, commands.copy(), np.full(inputs.COUNT, -1.0))
        )
        self.bank.publish(f"{self.name}_role", self.name)
        self.connect(line)
        self.scan(0)

    def connect(self, line: Line) -> None:
        """Wire it to its station."""
        self._line, state = line, self.state
        sources = self.station.sources(line)
        self._sources = tuple(sources.values())
        places = {prefix: place for place, prefix in enumerate(sources)}
        self._wanted = tuple((places[prefix], key) for prefix, key in self._signals)
        self._inputs = self.station.inputs(line)
        self._truth = np.zeros(max(len(self._signals), 1))
        rows, image = self.sensors.rows, state.bank.image
        self._call = Call(
            _sense_address(), 0, self._truth, len(self._truth), rows, len(rows), state.sensors.memory, image, len(image)
        )

    # -- a scan --------------------------------------------------------------------------------------

    def scan(self, now_ns: int) -> None:
        """Scan at `now_ns`, to which the line has gone, if it has a supply."""
        if not self.is_on:
            return
        memory = self.state.memory[0]
        found = [source.signals() for source in self._sources]
        self._truth[:] = [found[place].get(key, 0.0) for place, key in self._wanted]
        scans = int(memory["scans"])
        self._call.table[READING] = scans
        self._call()
        if memory["told"] and now_ns - int(memory["last_request_ns"]) > self._timeout_ns:
            memory["told"], memory["comms_lost"] = 0, 1
            for tag in self.bank.layout.tags.values():
                if tag.safe_value is not None:
                    self.bank.publish(tag.name, tag.safe_value)
        self._exchange(anew=bool(memory["anew"]))
        memory["anew"] = 0
        memory["scans"] = (scans + 1) % MOST_SCANS
        word = self._bits["comms_lost"] if memory["comms_lost"] else 0
        for bit, on in self.station.status(self._line).items():
            if on:
                word |= self._bits[bit]
        clock_ms = (now_ns - int(memory["power_on_ns"])) // 1_000_000
        head = struct.pack(">HHI", word, (scans + 1) & 0xFFFF, clock_ms & 0xFFFF_FFFF)
        self.state.bank.image.data[self._head : self._head + len(head)] = head
        if self.name == "winder":
            self._wind()

    def _exchange(self, *, anew: bool) -> None:
        """What was written goes to the station; what was set at its panel shows in the registers."""
        state, commands, inputs = self.state, self.commands, self._inputs
        written = state.bank.image[commands.first :]
        if anew or written.tobytes() != state.heard.tobytes():
            commands.apply(self.bank, inputs, None if anew else state.heard)
            state.shown[:] = inputs.vector
            state.heard[:] = written
        elif inputs.vector.tobytes() != state.shown.tobytes():
            commands.show(self.bank, inputs)
            state.shown[:] = inputs.vector
            state.heard[:] = written

    def _wind(self) -> None:
        """Rolls, and what the laboratory has to say of them."""
        state, winder = self.state, self._line.tail.winder
        memory = state.memory[0]
        sampled = int(memory["sampled_roll"])
        if winder.state.count - (winder.winding is not None) > sampled:
            cut, memory["sampled_roll"] = laboratory.cut_samples(self._line, sampled)
            state.samples = joined(state.samples, cut)
        if len(state.samples):
            state.samples = laboratory.measure(self._line, state.samples, self.bank)
        roll = winder.winding
        self.bank.publish("winder_roll", roll.number & 0xFFFF if roll else 0)
        self.bank.publish("winder_rolls_curing", sum(roll.stage == "curing" for roll in winder.state.rolls))

    # -- the line -------------------------------------------------------------------------------------

    def answer(self, request: Request | InvalidRequest, now: int) -> Response | None:
        """Answer a request; from the first that writes on it watches whether somebody is there."""
        response = super().answer(request, now)
        if has_written(request, response):
            self.state.memory["told"] = 1
            self.state.memory["comms_lost"] = 0
        return response

    def switch_off(self) -> None:
        """The supply fails: switches open, and nothing is answered."""
        self.state.memory["off"] = 1
        self.is_on = False
        self.commands.drop(self._inputs)

    def switch_on(self, now: int) -> None:
        """The supply comes back at time `now`, ns: everything as after the first power-on, but for the laboratory."""
        state = self.state
        sampled = int(state.memory["sampled_roll"][0])
        state.memory[:] = np.zeros(1, STATION)
        state.memory["power_on_ns"] = state.memory["last_request_ns"] = now
        state.memory["sampled_roll"], state.memory["anew"] = sampled, 1
        self._forget()
        self.bank.publish(f"{self.name}_role", self.name)
        self.is_on = True


def _signal(name: str, sources: Any) -> tuple[str, str]:
    """Source and key of a signal.

    Raises:
        ConfigError: there is none of this name.
    """
    prefix, _, key = name.partition(".")
    known = sources[prefix].signals() if prefix in sources else {}
    if key not in known and not (known and OPTIONAL.fullmatch(key)):
        there = ", ".join(known) or ", ".join(sources)
        raise ConfigError(f"sensor of a station: no signal {name!r}; there are {there}")
    return prefix, key


@functools.cache
def _sense_address() -> int:
    """Where the compiled reading of sensors stands."""
    floats, octets = np.dtype(np.float64), np.dtype(np.uint8)
    return address_of(_sense, int, floats, int, SENSOR, int, floats, octets, int)


def _sense(
    reading: int, truth: Any, signals: int, rows: Any, sensors: int, memory: Any, image: Any, octets: int
) -> None:
    values = carray(truth, signals)
    instruments: Any = carray(rows, sensors)
    # nothing disturbs these sensors, so no inputs are asked for
    read_sensors(values, values, instruments, reading, carray(memory, (SENSOR_MEMORY, sensors)), carray(image, octets))


def make_stations(
    configs: Sequence[StationConfig],
    registers: RegisterMap,
    sensor_configs: Sequence[SensorConfig],
    line: Line | None,
    seed: int,
    identity: str,
) -> tuple[StationNode, ...]:
    """The nodes of a line's stations in a wiring that has them, just powered on; see `StationNode`.

    Raises:
        ConfigError: other nodes than the register map has, or no line to wire them to.
    """
    wanted = [node for node in registers.satellites if node.name in STATIONS]
    settings = {config.name: config for config in configs}
    if set(settings) != {node.name for node in wanted}:
        raise ConfigError(
            f"wiring {registers.wiring}: its settings are of the stations {', '.join(settings) or 'none'}, and the "
            f"register map has {', '.join(node.name for node in wanted) or 'none'}"
        )
    if wanted and line is None:
        raise ConfigError(f"wiring {registers.wiring} has nodes of a line, and there is no line; open emu://line")
    return tuple(
        StationNode(node, settings[node.name], registers, sensor_configs, line, seed, identity)
        for node in wanted
        if line is not None
    )
