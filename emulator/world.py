"""The virtual press with everything around it, in one simpy simulation.

A world is a press, its I/O node (and other nodes, in a wiring that has them) and the bus between them and whoever
talks to them. simpy orders
what happens at discrete times (scans, frames on the wire); the press moves from scan to scan in one
compiled call. Everything that makes a world's future is plain data in `World.state`; the event queue
holds only wake-ups that are rebuilt from it. `fork`, `snapshot` and `restore` are the same thing: another world
around a copy of that state, made in memory or by way of bytes.

The rules: integer nanoseconds, one seed, no wall clock. Two worlds with the same configuration that
are asked the same things at the same times give the same bytes.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import simpy
from numpy.typing import NDArray

from emulator import saved
from emulator.agenda import Agenda, Priority, WakeUp
from emulator.bus import Bus, BusState
from emulator.compile_ahead import compile_ahead
from emulator.config import ConfigError
from emulator.definitions import Definitions
from emulator.faults import AnyFault, FaultAccount, FaultBoard, FaultState, PressFault, account_of
from emulator.line.heat_treatment import ElastomerName
from emulator.line.line import PERIOD_NS, Line, LineState
from emulator.line.start import run_in, upstream, warm
from emulator.node import Node, NodeState
from emulator.node.config import FIRMWARE
from emulator.node.state import Contacts
from emulator.press.commands import Disturbances
from emulator.press.constants import TICK_NS
from emulator.press.press import Press
from emulator.press.start import OperatingPoint
from emulator.press.state import PressState
from emulator.satellites import Satellite, SatelliteState, make_satellites
from emulator.scan import NOW_NS, SENSOR_SHIFTS, TICKS, TRUTH, scan_call
from emulator.state import copied
from emulator.stations import STATIONS, StationNode, StationState, make_stations
from emulator.truth import Truth
from emulator.units import KELVIN
from emulator.warm import settled
from emulator.wire.adapters import adapter_named
from emulator.wire.scenarios import scenario_named
from rig.protocol.registers_file import default_registers
from rig.recipe import Recipe

__all__ = ["START_STATES", "World", "WorldConfig", "WorldState"]

StartState = Literal["cold", "warm", "running"]
START_STATES: tuple[StartState, ...] = ("cold", "warm", "running")
IDENTITIES = ("virtual", "real")
PARITIES = ("N", "E", "O")
GAPS = ("lax", "strict")
REFERENCE_RECIPE = "reference"


@dataclass(frozen=True, slots=True)
class WorldConfig:
    """What a world is made from.

    Attributes:
        machine: name or path of the machine (data/machines).
        material: name or path of the gel (data/materials).
        recipe: name or path of the recipe that the upstream process makes and warm starts are set to.
        seed: the one seed of all random streams.
        start: `cold` (everything at ambient), `warm` (at the recipe's temperatures, no sheet, press open)
            or `running` (sheet all through the press, steady).
        identity: what the press says it is; `real` is for trying out the safety envelope.
        baud: fixed baud rate of the node, bit/s; None follows the master.
        parity: fixed parity of the node, `N`, `E` or `O`; None follows the master.
        gaps: whether the node minds pauses of more than 1.5 characters in a request: `lax` or `strict`.
        sensors: name or path of the instruments (data/sensors).
        node: name or path of the node's settings (data/nodes), or `firmware`: its program is the firmware, executed.
        adapter: the master's adapter (`emulator.wire.adapters`): `ideal`, `ftdi-16ms`, ...
        line: name or path of the line around the press (data/lines); empty where the press stands alone.
        product: name or path of the product that the line is built for (rig/products): its gel in place of that of
            `recipe`, the order of its stations, what is in its baths; empty for what `recipe` and `line` say.
        wiring: which nodes there are on the line (`rig/protocol/registers.toml`): `one-node`, `multi-drop`,
            `line` (the stations of the line have nodes of their own).
        scenario: what is wrong with the line from the start (`emulator.wire.scenarios`): `good`, `bad-cable`, ...
    """

    machine: str = "reference"
    material: str = "g20"
    recipe: str = REFERENCE_RECIPE
    seed: int = 0
    start: str = "cold"
    identity: str = "virtual"
    baud: int | None = None
    sensors: str = "reference"
    node: str = "press"
    adapter: str = "ideal"
    scenario: str = "good"
    wiring: str = "one-node"
    parity: str | None = None
    gaps: str = "lax"
    line: str = ""
    product: str = ""

    def __post_init__(self) -> None:
        if self.start not in START_STATES:
            raise ConfigError(f"start is {self.start!r}; it must be one of {', '.join(START_STATES)}")
        if self.identity not in IDENTITIES:
            raise ConfigError(f"identity is {self.identity!r}; it must be one of {', '.join(IDENTITIES)}")
        if type(self.seed) is not int or not 0 <= self.seed < 2**63:
            raise ConfigError(f"seed is {self.seed!r}; it must be a whole number 0 … 2^63 - 1")
        if self.parity not in (None, *PARITIES):
            raise ConfigError(f"parity is {self.parity!r}; it must be one of {', '.join(PARITIES)}")
        if self.gaps not in GAPS:
            raise ConfigError(f"gaps is {self.gaps!r}; it must be one of {', '.join(GAPS)}")
        if self.node == FIRMWARE and self.gaps == "strict":
            raise ConfigError(f"node is {FIRMWARE!r} and gaps 'strict': the firmware minds no pauses within a request")
        wirings = default_registers().wirings
        if self.wiring not in wirings:
            raise ConfigError(f"wiring is {self.wiring!r}; it must be one of {', '.join(wirings)}")
        if not self.line and not STATIONS.keys().isdisjoint(default_registers(self.wiring).nodes):
            raise ConfigError(f"wiring is {self.wiring!r}, and there is no line whose nodes it has; open emu://line")
        if self.product and not self.line:
            raise ConfigError(
                f"product is {self.product!r}, and there is no line to make it; open emu://line?product={self.product}"
            )
        if self.product and self.recipe != REFERENCE_RECIPE:
            raise ConfigError(
                f"product is {self.product!r} and recipe {self.recipe!r}: a product brings its own press recipe; leave "
                "one of them out"
            )
        if self.node == FIRMWARE and self.wiring != default_registers().wiring:
            raise ConfigError(
                f"node is {FIRMWARE!r} and wiring {self.wiring!r}: the firmware is made for wiring "
                f"{default_registers().wiring!r}, with everything on its node; leave one of them out"
            )
        try:
            adapter_named(self.adapter)
            scenario_named(self.scenario)
        except ValueError as error:
            raise ConfigError(str(error)) from error


@dataclass(slots=True)
class WorldState:
    """All that makes the future of a world; press, node and bus work on their parts of it.

    Attributes:
        now_ns: the time it is the state of; kept up when it is copied, in between `World.now_ns` is right.
        signals: the press's signals, which also tell what was last commanded.
        line: of the stations around the press, where there are some.
        stations: of their nodes, in a wiring that has some.
        faults: of the press, its instruments, material and supply; those of the line are with the bus.
    """

    now_ns: int
    next_scan_ns: int
    disturbances: Disturbances
    press: PressState
    signals: NDArray[np.float64]
    node: NodeState
    satellites: list[SatelliteState]
    bus: BusState
    line: LineState | None = None
    stations: list[StationState] = field(default_factory=list)
    faults: FaultState = field(default_factory=FaultState)


class World:
    """A virtual press on a serial bus.

    Args:
        config: what to make it from.

    Raises:
        ConfigError: a part that does not exist or cannot be.
        RecipeError: the same for recipe or product.
    """

    truth_names = TRUTH
    """Names of the truth vector."""

    def __init__(self, config: WorldConfig, definitions: Definitions | None = None) -> None:
        self.config = config
        self.definitions = definitions or Definitions.load(config)
        self.recipe: Recipe = self.definitions.recipe
        self.machine = self.definitions.machine
        self.material = self.definitions.gel
        self.registers = default_registers(config.wiring)
        compile_ahead(self.machine, self.material)
        self.press = Press(self.machine, self.material)
        if config.start != "cold":
            state, _ = settled(self.machine, self.material, operating_point(self.recipe), config.start)
            self.press.restore(state)
        self.node = make_node(self.definitions, config)
        self.satellites = make_satellites(
            self.definitions.wiring,
            self.definitions.node,
            self.registers,
            self.definitions.sensors.sensor,
            config.seed,
            config.identity,
        )
        self.node.commands.feed_thickness_m = self.recipe.sheet.thickness_um * 1e-6
        self.node.commands.feed_temperature_k = self.recipe.sheet.temperature_c + KELVIN
        self.line = self._make_line()
        self.stations = make_stations(
            self.definitions.wiring.station,
            self.registers,
            self.definitions.wiring.sensor,
            self.line,
            config.seed,
            config.identity,
        )
        self.env = simpy.Environment(initial_time=0)
        self.agenda = Agenda(self.env)
        scenario = scenario_named(config.scenario)
        self.bus = Bus(
            self.agenda,
            self.nodes,
            config.baud,
            scenario.adapter or config.adapter,
            config.seed,
            parity=config.parity,
            gaps=config.gaps,
        )
        self.state = WorldState(
            now_ns=0,
            next_scan_ns=0,
            disturbances=Disturbances(),
            press=self.press.state,
            signals=self.press.signals,
            node=self.node.state,
            satellites=[satellite.state for satellite in self.satellites],
            bus=self.bus.state,
            line=self.line.state if self.line is not None else None,
            stations=[station.state for station in self.stations],
        )
        self.truth = Truth(self)
        self._connect()
        if config.start == "running":
            self._take_over()
        self._schedule()
        for fault in scenario.faults:
            self.bus.inject(fault)

    @property
    def nodes(self) -> tuple[Node | Satellite | StationNode, ...]:
        """Everybody on the line but the master, the I/O node first."""
        return self.node, *self.satellites, *self.stations

    # -- time ---------------------------------------------------------------------------------------

    @property
    def now_ns(self) -> int:
        """Simulation time, ns."""
        return self.env._now  # type: ignore[return-value] # whole numbers only; see `emulator.agenda`

    def run_until(self, time_ns: int) -> None:
        """Run everything that is due up to and including `time_ns`."""
        self.agenda.run_until(time_ns)

    # -- what happens every scan ---------------------------------------------------------------------

    def _connect(self) -> None:
        """Gather the arrays of the state that the compiled scan works on, and fill the truth vector."""
        self._truth: NDArray[np.float64] = np.zeros(len(TRUTH))
        self._period_ns = self.node.config.scan_period_ns
        self._wake_up = WakeUp(self.env, self._scan)
        self._line_wake_up = WakeUp(self.env, self._step_line)
        # a node whose program runs elsewhere does its part of the scan there
        self._finish_scan: Callable[[int], None] | None = getattr(self.node, "finish_scan", None)
        disturbed, taps = self.state.disturbances.vector, self.state.faults.taps
        self._call = scan_call(self.press, self.node, disturbed, taps, self._truth)
        self._call.table[TICKS] = -1
        self._call()
        for satellite in self.satellites:
            satellite.connect(self.node, self.press.inputs, self._truth)
            self._finish_scan = self._scan_satellites
        named = dict(zip(self.registers.nodes, self.nodes, strict=True))
        self.faults = FaultBoard(
            self.agenda, self.config.seed, named, self.state.faults, self.bus.next_fault_number, self._period_ns
        )

    def _schedule(self) -> None:
        """Put what is due next on the agenda, as the state says."""
        self.agenda.put(self.state.next_scan_ns, Priority.SCAN, self._wake_up)
        if self.state.line is not None:
            self.agenda.put(self.state.line.next_ns, Priority.PLANT, self._line_wake_up)
        self.faults.reschedule()

    def _step_line(self) -> None:
        """The stations around the press reach the time; the press is where the last scan left it."""
        line, state = self.line, self.state.line
        if line is None or state is None:
            return
        line.step(PERIOD_NS * 1e-9, self.press, self.node.commands, state.next_ns)
        for station in self.stations:
            station.scan(state.next_ns)
        state.next_ns += PERIOD_NS
        self.agenda.put(state.next_ns, Priority.PLANT, self._line_wake_up)

    def _scan_satellites(self, now_ns: int) -> None:
        """The I/O node has scanned at `now_ns`: the others whose time it is do the same."""
        for satellite in self.satellites:
            satellite.scan(now_ns)

    def _scan(self) -> None:
        """Advance the press to now, then let the node scan."""
        now_ns, period_ns = self.state.next_scan_ns, self._period_ns
        table = self._call.table
        table[TICKS] = period_ns // TICK_NS if now_ns > 0 else 0
        table[NOW_NS] = now_ns
        self._call()
        if self._finish_scan is not None:
            self._finish_scan(now_ns)
        self.state.next_scan_ns = now_ns + period_ns
        self.agenda.put(self.state.next_scan_ns, Priority.SCAN, self._wake_up)

    def truth_vector(self) -> NDArray[np.float64]:
        """What perfect instruments would read at the last scan, in the order of `truth_names` (the world's own)."""
        return self._truth

    # -- what people and bad luck do -----------------------------------------------------------------

    @property
    def contacts(self) -> Contacts:
        """Emergency stop button and guards."""
        return self.node.contacts

    def set_alarm_wire(self, *, cut: bool) -> None:
        """Break or mend the hard wire from the heat controller's alarm relays to the I/O node.

        Raises:
            ConfigError: this wiring has none.
        """
        if not self.satellites:
            raise ConfigError(
                f"wiring {self.config.wiring!r} has no alarm wire: its I/O node measures by itself; "
                "emu://?wiring=multi-drop has one"
            )
        self.contacts.alarm_wire_cut = cut

    @property
    def disturbances(self) -> Disturbances:
        """Things that go wrong, as physical quantities."""
        return self.state.disturbances

    def inject(self, fault: AnyFault) -> int:
        """Let something go wrong, on the line or with the press; returns a number by which `withdraw` ends it.

        Raises:
            FaultError: this press has no such target.
        """
        return self.faults.inject(fault) if isinstance(fault, PressFault) else self.bus.inject(fault)

    def withdraw(self, number: int | None = None) -> None:
        """End one fault, or all of them."""
        self.faults.withdraw(number)
        self.bus.withdraw(number)

    def fault_account(self) -> list[FaultAccount]:
        """What has become of everything that was injected."""
        return account_of(self.faults.records(), self.state.bus)

    # -- copies --------------------------------------------------------------------------------------

    def fork(self, seed: int | None = None) -> World:
        """A second world that goes on from here exactly as this one will.

        Args:
            seed: of its random streams from now on, where it is to go on otherwise.

        Raises:
            ConfigError: not a seed.
        """
        self.state.now_ns = self.now_ns
        kin = self
        if seed is not None and seed != self.config.seed:
            kin = copy.copy(self)
            kin.config = dataclasses.replace(self.config, seed=seed)
            kin.node = self.node.reseeded(seed)
            kin.satellites = tuple(satellite.reseeded(seed) for satellite in self.satellites)
            kin.stations = tuple(station.reseeded(seed) for station in self.stations)
            kin.__dict__.pop("_parameters", None)  # of the other seed; see `emulator.saved`
        return kin.with_state(copied(self.state))

    def snapshot(self, extras: Mapping[str, Any] | None = None) -> bytes:
        """This moment as bytes that `restore` makes a world of, in this or another process.

        Args:
            extras: what else is to be kept with it, as a state tree (`emulator.state`); see `saved.extras_of`.
        """
        self.state.now_ns = self.now_ns
        return saved.write(self, extras or {})

    @classmethod
    def restore(cls, data: bytes) -> World:
        """A world that goes on from a snapshot exactly as its origin did.

        Raises:
            SnapshotError: damaged, of another version, or made from definitions that are not the same here.
        """
        return saved.read(cls, data)

    def with_state(self, state: WorldState) -> World:
        """Another world of this configuration around a state, which becomes its own."""
        other = copy.copy(self)
        other.env = simpy.Environment(initial_time=state.now_ns)
        other.agenda = Agenda(other.env)
        other.state = state
        other.press = self.press.with_state(state.press, state.signals)
        other.node = self.node.with_state(state.node)
        other.satellites = tuple(map(Satellite.with_state, self.satellites, state.satellites))
        other.stations = tuple(map(StationNode.with_state, self.stations, state.stations))
        other.bus = self.bus.with_state(state.bus, other.agenda, other.nodes, self.config.seed)
        other.line = self.line.with_state(state.line, self.config.seed) if self.line and state.line else None
        if other.line is not None:
            for station in other.stations:
                station.connect(other.line)
        other.truth = Truth(other)
        other._connect()
        other._schedule()
        return other

    def _make_line(self) -> Line | None:
        """The stations around the press; they say what sheet it gets."""
        plan = self.definitions.line
        if plan is None:
            return None
        elastomer: ElastomerName = "unsaturated" if self.recipe.composition.elastomer_has_double_bonds else "saturated"
        line = Line(plan, self.material, elastomer, self.config.seed)
        point = upstream(line, self.recipe)
        if self.config.start == "running":
            run_in(line, point, self.press)
        elif self.config.start == "warm":
            warm(line, point)
        line.bridge.feed(line.store.front, self.node.commands)
        return line

    def _take_over(self) -> None:
        """A running start: the node's commands and registers are those that keep the press running."""
        settings = self.recipe.press
        bank = self.node.bank
        banks = dict(zip(self.registers.nodes, (node.bank for node in self.nodes), strict=True))
        for tag in self.registers.expand(["zone_setpoints", "drum_setpoints"]):
            cold = tag.name.startswith("cold")
            banks[tag.node].publish(tag.name, settings.cold_temperature_c if cold else settings.heat_temperature_c)
        for tag in self.registers.expand(["clearance_setpoints"]):
            entry = tag.name.startswith("entry")
            bank.publish(tag.name, settings.entry_clearance_um if entry else settings.clearance_um)
        for side in ("upper", "lower"):
            bank.publish(f"belt_{side}_speed_setpoint_m_min", settings.speed_m_min)
            bank.publish(f"belt_{side}_tension_setpoint_kn_m", settings.tension_kn_m)
        point = operating_point(self.recipe)
        loops = self.node.state.memory["loops"]
        targets_k = np.array([*point.plate_targets(), *(point.entry_drum_temperature_k,) * 2])
        ramped_c = targets_k - KELVIN
        outputs = np.array(settled(self.machine, self.material, point, self.config.start)[1])
        if self.satellites:
            loops["output"] = outputs  # until they have scanned
        else:
            loops["ramped_c"], loops["integral"] = ramped_c, outputs
        for satellite in self.satellites:
            satellite.take_over(ramped_c, outputs)
        bank.publish("coolant_flow_setpoint_l_min", self.node.config.coolant.full_flow_l_min)
        for name in (
            "heating_enable",
            "cooling_enable",
            "hydraulics_enable",
            "tension_enable",
            "drives_enable",
            "feed_enable",
        ):
            bank.publish(name, True)


def make_node(definitions: Definitions, config: WorldConfig) -> Node:
    """The press's I/O node, just powered on."""
    kind = Node
    if config.node == FIRMWARE:
        from emulator.firmware.node import FirmwareNode  # noqa: PLC0415 - only where somebody asks for it

        kind = FirmwareNode
    return kind(
        definitions.node,
        default_registers(config.wiring),
        definitions.sensors.sensor,
        TRUTH,
        SENSOR_SHIFTS,
        config.seed,
        config.identity,
    )


def operating_point(recipe: Recipe) -> OperatingPoint:
    """The recipe's press settings in SI."""
    settings = recipe.press
    hot_k = settings.heat_temperature_c + KELVIN
    return OperatingPoint(
        heat_temperature_k=(hot_k,) * 4,
        entry_drum_temperature_k=hot_k,
        cold_temperature_k=settings.cold_temperature_c + KELVIN,
        entry_clearance_m=settings.entry_clearance_um * 1e-6,
        taper_clearance_m=settings.clearance_um * 1e-6,
        cold_clearance_m=settings.clearance_um * 1e-6,
        speed_m_s=settings.speed_m_min / 60.0,
        tension_n_m=settings.tension_kn_m * 1e3,
        feed_thickness_m=recipe.sheet.thickness_um * 1e-6,
        feed_temperature_k=recipe.sheet.temperature_c + KELVIN,
    )
