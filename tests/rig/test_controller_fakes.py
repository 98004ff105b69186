"""A press of first-order models for the controller's unit tests, and the proof that it speaks the map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from rig.controller import Inputs, ReferenceController, Value, load_machine_facts
from rig.protocol.registers_file import default_registers

SCAN_NS = 100_000_000
SCAN_S = 0.1
AMBIENT_C = 25.0
SIDES = ("upper", "lower")
EDGES = ("left", "right")
STATIONS = ("entry", "taper_end", "cold")
REGISTERS = default_registers()
SENSED = tuple(tag.name for tag in REGISTERS.tags.values() if not tag.writable)
NUMBERS: Mapping[str, Value] = {"bool": False, "bitfield": frozenset(), "string": ""}


@cache
def resting() -> Mapping[str, Value]:
    """What a cold, open, healthy press at rest shows."""
    values: dict[str, Value] = {}
    for name in SENSED:
        tag = REGISTERS[name]
        values[name] = next(iter(tag.values)) if tag.type == "enum" else NUMBERS.get(tag.type, 0.0)
        if name.endswith("_temperature_c"):
            values[name] = AMBIENT_C
        if name.endswith("_clearance_um"):
            values[name] = 6000.0
    return values | {
        "emergency_stop_released": True,
        "guards_closed": True,
        "press_open": True,
        "hydraulics_ready": True,
        "tracking_ok": True,
        "mode": "ready",
    }


def given(**changes: Value) -> dict[str, Value]:
    """A press at rest with some values changed."""
    unknown = set(changes) - set(SENSED)
    assert not unknown, f"no such inputs: {unknown}"
    return {**resting(), **changes}


class Clocked:
    """Scans a controller every 100 ms with fresh data and a beating node."""

    def __init__(self, controller: ReferenceController) -> None:
        self.controller = controller
        self.now_ns = 0
        self.outputs: Mapping[str, Value] = {}

    def scan(
        self, values: Mapping[str, Value], *operator: str, age_s: float = 0.0, beat: bool = True
    ) -> Mapping[str, Value]:
        self.now_ns += SCAN_NS
        if beat:
            values = {**values, "node_heartbeat": self.now_ns // 50_000_000 % 65536}
        sampled_ns = self.now_ns - round(age_s * 1e9)
        self.outputs = self.controller.scan(Inputs(values, sampled_ns, frozenset(operator)), self.now_ns)
        return self.outputs

    def scan_for(self, seconds: float, values: Mapping[str, Value]) -> Mapping[str, Value]:
        for _ in range(round(seconds / SCAN_S)):
            self.scan(values)
        return self.outputs


@dataclass
class FakePress:
    """Follows commands at simple rates; sheet moves with the belts and recovers by a set percentage."""

    values: dict[str, Value] = field(default_factory=lambda: dict(resting()))
    position_m: float = 0.0
    stretches: list[list[float]] = field(default_factory=list)
    recovery_percent: float = 5.0

    def follow(self, commands: Mapping[str, Value]) -> None:
        """One scan period under these commands."""
        on = {name for name, value in commands.items() if value is True}
        values = self.values
        for name, _value in list(values.items()):
            if not name.endswith(("upper_temperature_c", "lower_temperature_c")):
                continue
            heated = name.startswith(("heat", "entry_drum"))
            goal = AMBIENT_C if heated else 15.0
            if heated and "heating_enable" in on:
                goal = number(commands, name.replace("temperature_c", "setpoint_c"))
            values[name] = toward(number(values, name), goal, 5.0 * SCAN_S)
        values["coolant_flow_l_min"] = (
            number(commands, "coolant_flow_setpoint_l_min") if "cooling_enable" in on else 0.0
        )
        values["coolant_flowing"] = number(values, "coolant_flow_l_min") > 10.0
        for side in SIDES:
            tension = number(commands, f"belt_{side}_tension_setpoint_kn_m") if "tension_enable" in on else 0.0
            speed = number(commands, f"belt_{side}_speed_setpoint_m_min") if "drives_enable" in on else 0.0
            values[f"belt_{side}_tension_kn_m"] = toward(number(values, f"belt_{side}_tension_kn_m"), tension, 4.0)
            values[f"belt_{side}_speed_m_min"] = toward(number(values, f"belt_{side}_speed_m_min"), speed, 0.3)
        moved_m = number(values, "belt_upper_speed_m_min") / 60.0 * SCAN_S
        self.position_m += moved_m
        values["tension_ready"] = number(values, "belt_upper_tension_kn_m") > 60.0
        values["belts_moving"] = number(values, "belt_upper_speed_m_min") > 0.05
        for side in SIDES:
            values[f"belt_{side}_position_m"] = round(self.position_m, 3)
        for station in STATIONS:
            for edge in EDGES:
                goal = 6000.0
                if "fast_open" not in on:
                    goal = number(commands, f"{station}_{edge}_clearance_setpoint_um")
                name = f"{station}_{edge}_clearance_um"
                values[name] = toward(number(values, name), goal, 200.0)
        values["press_open"] = all(number(values, f"{station}_left_clearance_um") > 5500.0 for station in STATIONS)
        self._move_sheet("feed_enable" in on and moved_m > 0.0)

    def _move_sheet(self, fed: bool) -> None:
        values, facts = self.values, load_machine_facts()
        gripped = fed and number(values, "taper_end_left_clearance_um") < 3000.0
        if gripped and (not self.stretches or self.stretches[-1][1] >= 0.0):
            self.stretches.append([self.position_m, -1.0])
        if not gripped and self.stretches and self.stretches[-1][1] < 0.0:
            self.stretches[-1][1] = self.position_m

        def covered(place_m: float) -> bool:
            at_entry_m = self.position_m - place_m
            return any(head <= at_entry_m and (tail < 0.0 or at_entry_m < tail) for head, tail in self.stretches)

        exit_m = facts.pressing_length_m
        thickness = number(values, "taper_end_left_clearance_um") * (1.0 + 0.01 * self.recovery_percent)
        gauges = {
            "entry": (0.0, "sheet_entry_thickness_um", 3000.0),
            "exit": (exit_m + facts.exit_gauge_m, "exit_thickness_um", thickness),
            "recovered_gauge": (exit_m + facts.recovered_gauge_m, "recovered_thickness_um", thickness),
        }
        for name, (place_m, tag, shown) in gauges.items():
            values[f"sheet_at_{name}"] = covered(place_m)
            values[tag] = shown if covered(place_m) else 0.0
        values["sheet_exit_temperature_c"] = 18.0
        middles = (
            facts.taper_end_m / 2,
            (facts.taper_end_m + facts.heat_end_m) / 2,
            (facts.heat_end_m + exit_m) / 2,
        )
        for station, place_m in zip(STATIONS, middles, strict=True):
            for edge in EDGES:
                values[f"{station}_{edge}_line_force_kn"] = 60.0 if covered(place_m) else 0.0


def number(values: Mapping[str, Value], name: str) -> float:
    """A numeric value."""
    value = values.get(name, 0.0)
    assert isinstance(value, (int, float))
    return float(value)


def toward(here: float, goal: float, step: float) -> float:
    """At most one step nearer to the goal."""
    return here + min(max(goal - here, -step), step)


def check_outputs(outputs: Mapping[str, Value]) -> None:
    """Everything commanded is a writable tag inside its limits."""
    for name, value in outputs.items():
        tag = REGISTERS[name]
        assert tag.writable, f"{name} cannot be written"
        tag.check(value)


def names_on(outputs: Mapping[str, Value]) -> set[str]:
    """Coils that are commanded on."""
    return {name for name, value in outputs.items() if value is True}


def legal(names: Iterable[str], values: Mapping[str, Value]) -> None:
    """Every value is one that its tag can show."""
    for name in names:
        REGISTERS[name].check(values[name])


def test_resting_press_shows_every_input_of_the_map_with_a_value_it_can_have() -> None:
    legal(SENSED, resting())


def test_fake_press_follows_its_commands() -> None:
    press = FakePress()
    on = {"tension_enable": True, "drives_enable": True, "belt_upper_tension_setpoint_kn_m": 72.0}
    for _ in range(100):
        press.follow({**on, "belt_upper_speed_setpoint_m_min": 1.0, "belt_lower_speed_setpoint_m_min": 1.0})
    assert press.values["belts_moving"] is True
    assert press.values["tension_ready"] is True
    legal(SENSED, press.values)
