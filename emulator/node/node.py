"""The node's scan, from sensors to registers, and its face to the bus.

One scan, every `scan_period_ms`:

    sense  →  judge interlocks  →  close temperature loops  →  command actuators  →  publish registers

The node keeps no time of its own beyond what `scan(now_ns)` and `answer(request, now)` give it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from emulator.node.bank import Bank, BankState
from emulator.node.config import NodeConfig
from emulator.node.interlocks import INTERLOCKS, Inhibits, InterlockState, Limits, Sensed, judge
from emulator.node.loops import Loops, LoopState
from emulator.press import signals
from emulator.press.commands import Commands
from emulator.sensors import SensorConfig, Sensors, SensorState
from rig.protocol import InvalidRequest, Request, Response, respond
from rig.protocol.registers import RegisterMap, Value

__all__ = ["Contacts", "Node", "NodeState"]

OPEN_UM = 5500.0
"""A station counts as open from here on; fully open is 6000 µm."""
MOVING_M_MIN = 0.05
"""A belt counts as moving from here on."""
DRIVEN_M_MIN = 0.1
"""Below this a speed difference in percent is mostly noise."""
HOT_C = 60.0
"""A zone counts as hot, and needs its coolant, from here on."""
HYDRAULICS_READY_BAR = 100.0
TENSION_READY_FRACTION = 0.9
NEVER_NS = -1

# where each setpoint stands in the decoded vector
ZONES_AND_DRUMS = slice(0, 14)
CLEARANCES = slice(14, 20)
SPEEDS = slice(20, 22)
TENSIONS = slice(22, 24)
STEERING = slice(24, 26)
COOLANT = 26
WATCHDOG = 27


@dataclass(slots=True)
class Contacts:
    """What people do to the press by hand."""

    emergency_stop_pressed: bool = False
    guard_open: bool = False


@dataclass(slots=True)
class NodeState:
    """All that makes the node's future; sensors, loops and registers work on their parts of it."""

    bank: BankState
    sensors: SensorState
    loops: LoopState
    interlocks: InterlockState = field(default_factory=InterlockState)
    inhibits: Inhibits = field(default_factory=lambda: Inhibits(False, False, False, False, False))
    scans: int = 0
    power_on_ns: int = 0
    last_request_ns: int = 0
    sheet_length_m: float = 0.0
    heartbeat: int = 0
    heartbeat_ns: int = NEVER_NS
    commands: Commands = field(default_factory=Commands)
    contacts: Contacts = field(default_factory=Contacts)


class Node:
    """The press's I/O node.

    Args:
        config: its program's settings.
        registers: the register map.
        sensor_configs: its instruments.
        truth_names: names of the truth vector that `scan` gets.
        seed: the world's seed.
        identity: what `press_identity` shows: `virtual` or `real`.
    """

    def __init__(
        self,
        config: NodeConfig,
        registers: RegisterMap,
        sensor_configs: Sequence[SensorConfig],
        truth_names: Sequence[str],
        seed: int,
        identity: str,
    ) -> None:
        self.config = config
        self.unit = registers.nodes["press"].address
        self.units = frozenset({self.unit})
        self.turnaround_ns = config.turnaround_us * 1000
        self.bank = Bank(
            registers,
            "press",
            {
                0x00: config.vendor.encode(),
                0x01: config.model.encode(),
                0x02: config.version.encode(),
                0x04: b"Pressure-roller type double-belt press",
                0x05: config.model.encode(),
                0x06: b"virtual press" if identity == "virtual" else b"",
                0x80: config.serial_number.encode(),
            },
        )
        period_s = config.scan_period_ms * 1e-3
        self.sensors = Sensors(sensor_configs, registers, truth_names, seed, period_s)
        heat = sum(plate.startswith("heat") for plate in signals.PLATES)
        cold = len(signals.PLATES) - heat
        self._heat_count = heat
        self.loops = Loops(
            [config.heat_loop] * heat + [config.cold_loop] * cold + [config.drum_loop] * 2,
            [False] * heat + [True] * cold + [False] * 2,
            period_s,
        )
        self.limits = Limits(**config.interlocks.model_dump())
        self.state = NodeState(self.bank.state, self.sensors.state, self.loops.state)
        self._shown: dict[str, Value] = {}
        self._registers = registers
        self._places(registers)
        for name, value in (
            ("press_identity", identity),
            ("register_map_version", registers.format),
            ("press_model", config.model),
            ("serial_number", config.serial_number),
            ("node_version", config.version),
        ):
            self.bank.publish(name, value)

    def _places(self, registers: RegisterMap) -> None:
        """Look up once where everything is that a scan touches."""
        sensor = self.sensors.place

        def group(name: str) -> np.ndarray:
            return np.array([sensor[tag] for tag in registers.groups[name]])

        self._zones = np.array([sensor[f"{plate}_temperature_c"] for plate in signals.PLATES])
        self._drums = np.array([sensor[f"{drum}_temperature_c"] for drum in signals.DRUMS[:2]])
        self._loop_inputs = np.concatenate([self._zones, self._drums])
        self._clearances = group("clearances")
        self._forces = group("line_forces")
        self._speeds = group("belt_speeds")
        self._tensions = group("belt_tensions")
        self._edges = group("belt_edges")
        self._setpoint_tags = [
            registers[name]
            for name in (
                *(f"{plate}_setpoint_c" for plate in signals.PLATES),
                *(f"{drum}_setpoint_c" for drum in signals.DRUMS[:2]),
                *(f"{actuator}_clearance_setpoint_um" for actuator in signals.ACTUATORS),
                *(f"belt_{side}_speed_setpoint_m_min" for side in signals.SIDES),
                *(f"belt_{side}_tension_setpoint_kn_m" for side in signals.SIDES),
                *(f"belt_{side}_steering_setpoint_deg" for side in signals.SIDES),
                "coolant_flow_setpoint_l_min",
                "watchdog_timeout_s",
            )
        ]
        self._coil = {name: registers[name].address for name in registers.groups["commands"]}
        self._setpoints: np.ndarray = np.zeros(len(self._setpoint_tags))
        self._setpoints_of: list[int] | None = None

    def with_state(self, state: NodeState) -> Node:
        """Another node with this program around a state, which becomes its own."""
        other = copy.copy(self)
        other.state = state
        other.bank = copy.copy(self.bank)
        other.bank.state = state.bank
        other.sensors = copy.copy(self.sensors)
        other.sensors.state = state.sensors
        other.loops = copy.copy(self.loops)
        other.loops.state = state.loops
        other._setpoints_of = None
        other._shown = {}
        return other

    @property
    def commands(self) -> Commands:
        """What the node commands to the press's actuators."""
        return self.state.commands

    @property
    def contacts(self) -> Contacts:
        """What people do by hand."""
        return self.state.contacts

    # -- the bus ------------------------------------------------------------------------------------

    def answer(self, request: Request | InvalidRequest, now: int) -> Response:
        """Answer a request that arrived whole and undamaged at time `now`, ns."""
        self.state.last_request_ns = now
        return respond(request, self.bank)

    # -- the scan -----------------------------------------------------------------------------------

    def scan(self, truth: np.ndarray, now_ns: int) -> None:
        """One scan at `now_ns`: reads `truth` through the sensors, refreshes `commands` and the registers."""
        self.sensors.read(truth)
        setpoints = self._decoded_setpoints()
        coil = self.bank.state.coil
        sensed = self._sense(setpoints, now_ns)
        reset = bool(coil[self._coil["alarm_reset"]])
        inhibits = judge(self.state.interlocks, sensed, self.limits, now_ns, reset=reset)
        self.state.inhibits = inhibits
        coil[self._coil["alarm_reset"]] = 0
        self._withdraw(inhibits)
        self._command(setpoints, inhibits)
        self.state.scans += 1
        self._publish(sensed, setpoints, now_ns)

    def _decoded_setpoints(self) -> np.ndarray:
        """Holding registers in engineering units; decoded again only after a write."""
        holding = self.bank.state.holding
        if holding is not self._setpoints_of:
            self._setpoints_of = holding
            self._setpoints = np.array(
                [tag.decode(holding[tag.address : tag.address + tag.count]) for tag in self._setpoint_tags],
                dtype=float,
            )
        return self._setpoints

    def _sense(self, setpoints: np.ndarray, now_ns: int) -> Sensed:
        values = self.sensors.values
        coil, commands = self.bank.state.coil, self._coil
        speeds = values[self._speeds]
        fastest = float(speeds.max())
        hottest = float(max(values[self._zones[: self._heat_count]].max(), values[self._drums].max()))
        heating = bool(coil[commands["heating_enable"]])
        driving = bool(coil[commands["drives_enable"]])
        tension_setpoints = setpoints[TENSIONS]
        tension_wanted = bool(coil[commands["tension_enable"]]) and driving and float(tension_setpoints.min()) > 0.0
        return Sensed(
            emergency_stop=self.contacts.emergency_stop_pressed or bool(coil[commands["emergency_stop"]]),
            guard_open=self.contacts.guard_open,
            hottest_c=hottest,
            largest_force_kn=float(values[self._forces].max()),
            smallest_tension_fraction=(
                float((values[self._tensions] / np.maximum(tension_setpoints, 1e-9)).min()) if tension_wanted else 1.0
            ),
            tension_wanted=tension_wanted,
            largest_edge_mm=float(np.abs(values[self._edges]).max()),
            speed_difference_percent=(
                100.0 * float(speeds.max() - speeds.min()) / fastest if fastest > DRIVEN_M_MIN else 0.0
            ),
            belts_driven=driving,
            coolant_flow_l_min=self.sensors.value("coolant_flow_l_min"),
            cooling_needed=heating or (bool(coil[commands["cooling_enable"]]) and hottest > HOT_C),
            watchdog_expired=self._watchdog_left_s(float(setpoints[WATCHDOG]), now_ns) <= 0.0,
        )

    def _watchdog_left_s(self, timeout_s: float, now_ns: int) -> float:
        """Time until the comms watchdog trips; the full timeout while nothing is energised."""
        state, bank = self.state, self.bank.state
        coil, commands = bank.coil, self._coil
        heartbeat = bank.holding[self._registers["controller_heartbeat"].address]
        if heartbeat != state.heartbeat:
            state.heartbeat = heartbeat
            state.heartbeat_ns = now_ns
        if not (coil[commands["heating_enable"]] or coil[commands["drives_enable"]] or coil[commands["feed_enable"]]):
            state.heartbeat_ns = now_ns
            return timeout_s
        left_ns = timeout_s * 1e9 - (now_ns - state.last_request_ns)
        if heartbeat:
            left_ns = min(left_ns, timeout_s * 1e9 - (now_ns - state.heartbeat_ns))
        return max(left_ns, 0.0) * 1e-9

    def _withdraw(self, inhibits: Inhibits) -> None:
        """Commands that a latched interlock took away are gone: a reset alone starts nothing."""
        coil, commands = self.bank.state.coil, self._coil
        if inhibits.heating:
            coil[commands["heating_enable"]] = 0
        if inhibits.drives:
            coil[commands["drives_enable"]] = 0
        if inhibits.feeding:
            coil[commands["feed_enable"]] = 0

    def _command(self, setpoints: np.ndarray, inhibits: Inhibits) -> None:
        """Close the temperature loops and set the actuators."""
        coil, names = self.bank.state.coil, self._coil
        heating = bool(coil[names["heating_enable"]])
        cooling = bool(coil[names["cooling_enable"]])
        enabled = np.zeros(14, dtype=bool)
        enabled[: self._heat_count] = heating
        enabled[self._heat_count : 12] = cooling
        enabled[12:] = heating
        outputs = self.loops.scan(self.sensors.values[self._loop_inputs], setpoints[ZONES_AND_DRUMS], enabled)
        out = self.commands
        out.zone_output[:] = outputs[:12]
        out.drum_output[:] = outputs[12:]
        out.clearance_setpoint_m[:] = setpoints[CLEARANCES] * 1e-6
        out.speed_setpoint_m_s[:] = setpoints[SPEEDS] / 60.0
        out.drives_on[:] = float(coil[names["drives_enable"]])
        out.tension_setpoint_n_m = float(setpoints[TENSIONS].mean()) * 1e3
        out.tension_on = bool(coil[names["tension_enable"]])
        out.steering_rad[:] = np.deg2rad(setpoints[STEERING])
        out.hydraulics_on = bool(coil[names["hydraulics_enable"]])
        out.dump = bool(coil[names["fast_open"]]) or inhibits.closed
        out.brake = inhibits.brake
        out.coolant_flow_fraction = float(setpoints[COOLANT]) / self.config.coolant.full_flow_l_min if cooling else 0.0
        out.feed = bool(coil[names["feed_enable"]])

    def _publish(self, sensed: Sensed, setpoints: np.ndarray, now_ns: int) -> None:
        """Refresh the input registers and discrete inputs, all at once as far as the bus can see."""
        state, values, publish = self.state, self.sensors.values, self._show
        raw = self.bank.state.input
        image = self.sensors.image.tolist()
        raw[: len(image)] = image
        start = self._registers[f"{signals.PLATES[0]}_output_percent"].address
        raw[start : start + 12] = np.rint(self.commands.zone_output * 1000.0).astype(int).tolist()
        if self.sensors.value("exit_thickness_um") > 0.0:
            speed_m_s = float(values[self._speeds].mean()) / 60.0
            state.sheet_length_m += speed_m_s * self.config.scan_period_ms * 1e-3
        up_ns = now_ns - state.power_on_ns
        publish("node_heartbeat", state.scans & 0xFFFF)
        publish("uptime_s", up_ns // 1_000_000_000)
        publish("sample_time_ms", (up_ns // 1_000_000) & 0xFFFF_FFFF)
        publish("sheet_length_m", state.sheet_length_m)
        publish("watchdog_remaining_s", self._watchdog_left_s(float(setpoints[WATCHDOG]), now_ns))
        alarms = frozenset(
            row.name for row, latched in zip(INTERLOCKS, state.interlocks.latched, strict=True) if latched
        )
        publish("alarm_word", alarms)
        publish("first_out_alarm", state.interlocks.first_out)
        publish("warning_word", self._warnings(sensed, setpoints))
        publish("status_word", self._status(alarms))
        publish("mode", self._mode(alarms))
        for name, value in self._contacts(values, setpoints, sensed).items():
            publish(name, value)

    def _show(self, name: str, value: Value) -> None:
        """Publish a tag if it shows something else than at the last scan."""
        if self._shown.get(name) != value:
            self._shown[name] = value
            self.bank.publish(name, value)

    def _status(self, alarms: frozenset[str]) -> frozenset[str]:
        coil, names, out = self.bank.state.coil, self._coil, self.commands
        facts = {
            "heating": bool(coil[names["heating_enable"]]),
            "cooling": bool(coil[names["cooling_enable"]]),
            "hydraulics": out.hydraulics_on,
            "tension": out.tension_on,
            "drives": bool(out.drives_on.any()),
            "feeding": out.feed,
            "pressing": bool(self.sensors.values[self._forces].max() > 1.0),
            "opening": out.dump,
            "diverting": bool(coil[names["scrap_divert"]]),
            "marking": bool(coil[names["scrap_mark"]]),
            "tripped": bool(alarms),
            "heartbeat_watched": self.state.heartbeat != 0,
        }
        return frozenset(name for name, on in facts.items() if on)

    def _mode(self, alarms: frozenset[str]) -> str:
        coil, names = self.bank.state.coil, self._coil
        if "emergency_stop" in alarms:
            return "emergency_stop"
        if alarms:
            return "tripped"
        if any(coil[names[name]] for name in ("heating_enable", "drives_enable", "feed_enable")):
            return "energised"
        powered = any(coil[names[name]] for name in ("cooling_enable", "hydraulics_enable", "tension_enable"))
        return "ready" if powered else "off"

    def _warnings(self, sensed: Sensed, setpoints: np.ndarray) -> frozenset[str]:
        limits, out = self.config.warnings, self.commands
        zones = self.sensors.values[self._zones]
        heating = bool(self.bank.state.coil[self._coil["heating_enable"]])
        deviation = float(np.abs(zones - setpoints[:12])[: self._heat_count].max())
        drives = max(abs(self.sensors.value(f"drive_{side}_torque_nm")) for side in signals.SIDES)
        facts = {
            "zone_deviation": heating and deviation > limits.zone_deviation_k,
            "tracking_limit": sensed.largest_edge_mm > limits.edge_position_mm,
            "high_force": sensed.largest_force_kn > limits.line_force_kn,
            "low_tension": sensed.smallest_tension_fraction < limits.tension_fraction,
            "sensor_range": bool((zones > 350.0).any() or (zones < -45.0).any()),
            "drive_limit": drives > self.config.warnings.drive_torque_nm and bool(out.drives_on.any()),
            "speed_difference": sensed.belts_driven
            and sensed.speed_difference_percent > limits.speed_difference_percent,
        }
        return frozenset(name for name, on in facts.items() if on)

    def _contacts(self, values: np.ndarray, setpoints: np.ndarray, sensed: Sensed) -> Mapping[str, bool]:
        tension = values[self._tensions]
        wanted = np.maximum(setpoints[TENSIONS], 1.0)
        return {
            "emergency_stop_released": not self.contacts.emergency_stop_pressed,
            "guards_closed": not self.contacts.guard_open,
            "hydraulics_ready": self.sensors.value("hydraulic_pressure_bar") > HYDRAULICS_READY_BAR,
            "tension_ready": bool((tension > TENSION_READY_FRACTION * wanted).all()),
            "tracking_ok": sensed.largest_edge_mm <= self.config.warnings.edge_position_mm,
            "coolant_flowing": sensed.coolant_flow_l_min > self.limits.coolant_flow_l_min,
            "belts_moving": bool((values[self._speeds] > MOVING_M_MIN).all()),
            "press_open": bool((values[self._clearances] > OPEN_UM).all()),
            "sheet_at_entry": self.sensors.value("sheet_entry_thickness_um") > 0.0,
            "sheet_at_exit": self.sensors.value("exit_thickness_um") > 0.0,
            "sheet_at_recovered_gauge": self.sensors.value("recovered_thickness_um") > 0.0,
            "diverter_at_scrap": bool(self.bank.state.coil[self._coil["scrap_divert"]]),
        }
