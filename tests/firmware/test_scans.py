"""What the firmware does between requests: outputs and registers over scans are those of the node in Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from hypothesis import event, given, settings
from hypothesis import strategies as st

from emulator.node.interlocks import INTERLOCKS
from rig.protocol import (
    Diagnose,
    GetCommEventCounter,
    ReadFifoQueue,
    ReadInputRegisters,
    ReportServerId,
    SubFunction,
    WriteMultipleRegisters,
    WriteSingleCoil,
    WriteSingleRegister,
    encode_frame,
)
from rig.protocol.registers_file import default_registers
from tests.firmware.pair import SCAN_NS, Pair, needs_compiler

pytestmark = needs_compiler

REGISTERS = default_registers()
ZONES = [*REGISTERS.groups["zone_temperatures"], "entry_drum_upper_temperature_c", "entry_drum_lower_temperature_c"]

Step: TypeAlias = Callable[["Story"], object]


class Story:
    """A pair of nodes that scan on while things happen to them."""

    def __init__(self, *, exact: bool, pair: type[Pair] = Pair) -> None:
        self.pair = pair(exact=exact)
        self.next_scan_ns = pair.first_scan_ns

    def write(self, tag: str, raw: int) -> None:
        place = REGISTERS[tag]
        if place.table == "coil":
            self.send(encode_frame(1, WriteSingleCoil(place.address, bool(raw))))
        else:
            self.send(encode_frame(1, WriteSingleRegister(place.address, raw & 0xFFFF)))

    def send(self, frame: bytes) -> bytes:
        """What is sent in a row goes on between scans, as long as there is time."""
        if self.pair.now_ns + 4 * SCAN_NS // 5 > self.next_scan_ns:
            self.scan(1)
        return self.pair.exchange(frame)

    def scan(self, count: int) -> None:
        for _ in range(count):
            self.pair.scan(self.next_scan_ns)
            self.next_scan_ns += SCAN_NS

    def scan_with_requests(self, seconds: float) -> None:
        """Scans with a sign of life every half second."""
        for _ in range(round(2 * seconds)):
            self.write("scrap_mark", 0)
            self.scan(9)

    def see(self, tag: str, value: float) -> None:
        self.pair.python.see({tag: value})

    def press(self, *, stop: bool, guard: bool) -> None:
        contacts = self.pair.python.node.contacts
        contacts.emergency_stop_pressed, contacts.guard_open = stop, guard

    def power_cycle(self, off_ns: int) -> None:
        self.next_scan_ns = self.pair.power_cycle(off_ns)

    def energise(self) -> None:
        """A press that runs: everything on, sensors at what is normal then."""
        numbers = [1200] * 8 + [200] * 4 + [1200] * 2 + [10000] * 6 + [2000] * 2 + [6000] * 2 + [0] * 2 + [600]
        self.send(encode_frame(1, WriteMultipleRegisters(0, tuple(numbers))))
        for coil in ("heating", "cooling", "hydraulics", "tension", "drives", "feed"):
            self.write(f"{coil}_enable", 1)
        for tag in ZONES:
            self.see(tag, 20.0 if tag.startswith("cold") else 118.0)
        for side in ("upper", "lower"):
            self.see(f"belt_{side}_tension_kn_m", 60.0)
            self.see(f"belt_{side}_speed_m_min", 2.0)
        self.see("coolant_flow_l_min", 60.0)
        self.see("hydraulic_pressure_bar", 160.0)
        self.see("exit_thickness_um", 950.0)

    @property
    def alarms(self) -> frozenset[str]:
        alarms = self.pair.python.node.bank["alarm_word"]
        assert isinstance(alarms, frozenset)
        return alarms


def near(*limits: float, step: float) -> st.SearchStrategy[float]:
    """Values on, just below and just above limits."""
    return st.builds(lambda limit, steps: limit + steps * step, st.sampled_from(limits), st.integers(-2, 2))


def sees(tags: Sequence[str], value: st.SearchStrategy[float]) -> st.SearchStrategy[Step]:
    return st.builds(lambda tag, seen: lambda story: story.see(tag, seen), st.sampled_from(tags), value)


def writes(tags: Sequence[str], raw: st.SearchStrategy[int]) -> st.SearchStrategy[Step]:
    return st.builds(lambda tag, number: lambda story: story.write(tag, number), st.sampled_from(tags), raw)


GROUPS = REGISTERS.groups
EDGES: tuple[tuple[Sequence[str], tuple[float, ...], float], ...] = (
    (ZONES, (155.0, 150.0, 115.0, 125.0, -45.0, 350.0, 60.0), 0.1),
    (GROUPS["line_forces"], (450.0, 350.0, 1.0, 4000.0), 0.1),
    (GROUPS["belt_tensions"], (30.0, 48.0, 54.0, 0.9, 150.0), 0.01),
    (GROUPS["belt_edges"], (10.0, -10.0, 5.0, -5.0, 30.0, -30.0), 0.01),
    (GROUPS["belt_speeds"], (2.0, 1.96, 2.04, 0.1, 0.05, 20.0), 0.001),
    (GROUPS["clearances"], (5500.0, 0.0, 6500.0), 0.1),
    (("drive_upper_torque_nm", "drive_lower_torque_nm"), (4000.0, -4000.0, 20_000.0, -20_000.0), 1.0),
    (("coolant_flow_l_min",), (10.0, 400.0), 0.1),
    (("hydraulic_pressure_bar",), (100.0, 400.0), 0.1),
)
"""Where something begins or ends, and the step of the register: of sensors alike, these values."""

senses = st.one_of(
    *(sees(tags, near(*limits, step=step)) for tags, limits, step in EDGES),
    *(sees(tags, st.floats(1.2 * min(limits) - 1.0, 1.2 * max(limits))) for tags, limits, _ in EDGES),
    sees(
        ("sheet_entry_thickness_um", "exit_thickness_um", "recovered_thickness_um"),
        st.one_of(st.just(0.0), st.floats(0.0, 7000.0)),
    ),
)
commands = st.one_of(
    writes(GROUPS["zone_setpoints"], st.integers(0, 1600)),
    writes(GROUPS["clearance_setpoints"], st.integers(2000, 60_000)),
    writes(GROUPS["belt_speed_setpoints"], st.integers(0, 10_000)),
    writes(GROUPS["belt_tension_setpoints"], st.one_of(st.just(0), st.integers(0, 10_000))),
    writes(GROUPS["belt_steering_setpoints"], st.integers(-500, 500)),
    writes(("coolant_flow_setpoint_l_min",), st.integers(0, 1200)),
    writes(("watchdog_timeout_s",), st.one_of(st.integers(20, 300), st.integers(20, 6000))),
    writes(("controller_heartbeat",), st.integers(0, 3)),
    writes([tag.name for tag in REGISTERS.tags.values() if tag.table == "coil"], st.integers(0, 1)),
    writes(("alarm_reset",), st.just(1)),
    st.just(Story.energise),
)
happens = st.one_of(
    st.builds(lambda stop, guard: lambda story: story.press(stop=stop, guard=guard), st.booleans(), st.booleans()),
    st.builds(lambda off_ns: lambda story: story.power_cycle(off_ns), st.integers(0, 3_000_000_000)),
)
passes = st.one_of(
    st.builds(lambda count: lambda story: story.scan(count), st.integers(1, 70)),
    st.builds(lambda seconds: lambda story: story.scan_with_requests(seconds), st.floats(0.5, 4.0)),
)
asks = st.one_of(
    st.builds(ReadFifoQueue, st.sampled_from([REGISTERS[tag].address for tag in GROUPS["line_forces"]])),
    st.builds(ReadInputRegisters, st.just(0), st.integers(1, 83)),
    st.sampled_from((GetCommEventCounter(), ReportServerId(), Diagnose(SubFunction.RESTART_COMMUNICATIONS))),
    st.builds(Diagnose, st.sampled_from(SubFunction)),
).map(lambda request: lambda story: story.send(encode_frame(1, request)))
steps: st.SearchStrategy[Step] = st.one_of(senses, senses, commands, commands, asks, passes, passes, passes, happens)


@given(st.booleans(), st.booleans(), st.lists(steps, min_size=8, max_size=40))
@settings(deadline=None, max_examples=300)
def test_outputs_and_registers_are_those_of_the_node_in_python(exact: bool, running: bool, told: list[Step]) -> None:
    story = Story(exact=exact)
    if running:
        story.energise()
    for step in told:
        step(story)
    story.scan(1)
    for alarm in story.alarms:
        event(alarm)


def test_every_interlock_trips_at_the_same_scan_and_first_out_keeps_the_first() -> None:
    causes: dict[str, Step] = {
        "emergency_stop": lambda story: story.press(stop=True, guard=False),
        "over_temperature": lambda story: story.see(ZONES[0], 156.0),
        "over_force": lambda story: story.see(GROUPS["line_forces"][2], 451.0),
        "tension_loss": lambda story: story.see(GROUPS["belt_tensions"][0], 29.0),
        "mistracking": lambda story: story.see(GROUPS["belt_edges"][1], -10.5),
        "speed_mismatch": lambda story: story.see(GROUPS["belt_speeds"][1], 1.9),
        "coolant_loss": lambda story: story.see("coolant_flow_l_min", 9.0),
        "comms_watchdog": lambda story: story.scan(60),
        "guard_open": lambda story: story.press(stop=False, guard=True),
    }
    assert set(causes) == {row.name for row in INTERLOCKS}
    for name, cause in causes.items():
        story = Story(exact=True)
        story.energise()
        story.scan_with_requests(2.0)
        assert story.alarms == frozenset()
        cause(story)
        story.scan_with_requests(4.0)
        assert name in story.alarms
        story.see(ZONES[1], 160.0)
        story.scan_with_requests(2.0)
        assert story.pair.python.node.bank["first_out_alarm"] == name
        story.write("alarm_reset", 1)
        story.scan(2)


def test_sensors_on_the_very_edge_of_a_limit_are_on_the_same_side_of_it() -> None:
    for running in (False, True):
        for tags, limits, step in EDGES:
            for limit in limits:
                for steps_off in (-1, 0, 1):
                    story = Story(exact=True)
                    if running:
                        story.energise()
                    else:
                        story.write("cooling_enable", 1)
                    for tag in tags:
                        story.see(tag, limit + steps_off * step)
                    story.scan_with_requests(4.0)


def test_a_running_press_is_the_same_for_a_quarter_of_an_hour() -> None:
    story = Story(exact=False)
    story.energise()
    story.scan_with_requests(900.0)
    assert story.alarms == frozenset()
    assert story.pair.python.node.bank.number("sheet_length_m") > 25.0
