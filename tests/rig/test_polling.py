"""Polling several nodes on one line in virtual time: one that is silent costs little, and every value has its age."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.bus import Bus
from emulator.ports.protocol_emu import Serial
from rig.client import TagClient
from rig.clock import VirtualClock
from rig.errors import NoAnswer
from rig.health import Condition
from rig.master import READ_GRAIN_NS, Master
from rig.polling import LONGEST_REST_SCANS, NEVER_S, Poller
from rig.protocol.registers import Node, RegisterMap, Tag
from rig.schedule import PollSchedule
from tests.emulator.fakes import FakeNode, FakeWorld

MS = 1_000_000
SCAN_NS, SHARE_NS = 100 * MS, 60 * MS
ZONES = 4
NODES = {"press": 1, **{f"zone_{number}": 10 + number for number in range(ZONES)}, "gauge": 30}


def tag(name: str, node: str, group: str, address: int) -> Tag:
    """An input register."""
    return Tag(
        name, node, "input", address, 1, "u16", 1.0, 0.0, "", (0, 65_535), None, None, None, "what stands there", group
    )


def register_map() -> RegisterMap:
    """The press with its state and many forces, zones with a temperature each, a gauge."""
    tags = [tag(f"state_{number}", "press", "state", number) for number in range(4)]
    tags += [tag(f"force_{number}", "press", "forces", 100 + number) for number in range(40)]
    tags += [tag(f"zone_{number}_c", f"zone_{number}", "temperatures", number) for number in range(ZONES)]
    tags += [tag("thickness_um", "gauge", "gauge", 7)]
    nodes = {name: Node(name, address, "a node") for name, address in NODES.items()}
    return RegisterMap(
        0, nodes, {tag.name: tag for tag in tags}, vital=frozenset({"state"}), every_scans={"temperatures": 10}
    )


REGISTERS = register_map()


class Line:
    """Several nodes on one line, and a poller."""

    def __init__(self, baud: int = 115_200, turnaround_ms: tuple[int, ...] = (3, 8, 15, 5, 10)) -> None:
        self.world = FakeWorld()
        self.nodes: dict[str, FakeNode] = {}
        for number, (name, address) in enumerate(NODES.items()):
            node = self.nodes[name] = FakeNode(address)
            node.turnaround_ns = turnaround_ms[number % len(turnaround_ms)] * MS  # type: ignore[misc]
        self.world.bus = Bus(self.world.agenda, list(self.nodes.values()), baud=None)
        port: Any = Serial(None, baudrate=baud, timeout=0.02)
        port.port = "emu://"
        port.attach(self.world)
        port.open()
        self.clock = VirtualClock(self.world)
        names = {address: name for name, address in NODES.items()}
        self.master = Master(port, self.clock, timeout_s=0.25, retries=2, names=names)
        self.poller = self.another()
        self.longest_ns = 0
        self.troubles = 0

    def another(self) -> Poller:
        client = TagClient(self.master, REGISTERS)
        return Poller(client, self.master, self.clock, REGISTERS, tuple(REGISTERS.tags.values()), None)

    def scans(self, count: int, each: Callable[[], object] = lambda: None) -> None:
        """Poll once per scan, as the runner does."""
        for _ in range(count):
            start_ns = self.clock.now_ns
            try:
                self.poller.poll(start_ns + SHARE_NS)
            except NoAnswer:
                self.troubles += 1
            self.longest_ns = max(self.longest_ns, self.clock.now_ns - start_ns)
            each()
            self.clock.sleep_until(start_ns + SCAN_NS)

    def asked(self, name: str) -> int:
        return len(self.nodes[name].heard)

    def condition(self, name: str) -> Condition:
        return self.master.health[NODES[name]].condition


@pytest.mark.parametrize("baud", [19_200, 38_400, 115_200])
def test_the_line_time_of_a_scan_stays_within_its_share_and_everything_is_read(baud: int) -> None:
    line = Line(baud)
    oldest: dict[str, float] = {}

    def look() -> None:
        for name in REGISTERS.tags:
            oldest[name] = max(oldest.get(name, 0.0), line.poller.age_s(name))

    line.scans(40)
    line.longest_ns = 0  # by now it is known how long the nodes take
    line.scans(120, look)
    assert line.longest_ns <= SHARE_NS
    assert line.troubles == 0
    assert oldest["state_0"] <= 0.21
    assert max(oldest.values()) <= 3.0
    assert oldest["zone_0_c"] >= oldest["state_0"]


def test_without_a_time_limit_everything_is_read() -> None:
    line = Line(9600)
    values = line.poller.poll()
    assert set(values) == set(REGISTERS.tags)
    assert {name: values[name] for name in ("force_3", "zone_2_c", "thickness_um")} == {
        "force_3": 103, "zone_2_c": 2, "thickness_um": 7,
    }  # fmt: skip


def test_a_silent_node_is_asked_after_1_2_4_scans_and_then_now_and_then_and_costs_the_others_nothing() -> None:
    line = Line()
    line.scans(30)
    others = [name for name in NODES if name != "zone_1"]
    before = {name: line.asked(name) for name in NODES}
    line.scans(100)
    usual = {name: line.asked(name) - before[name] for name in others}
    line.nodes["zone_1"].is_on = False
    sent = line.master.health[NODES["zone_1"]].requests
    before = {name: line.asked(name) for name in NODES}
    line.scans(100)
    assert line.condition("zone_1") is Condition.LOST
    assert line.master.health[NODES["zone_1"]].requests - sent <= 20
    for name in others:
        assert line.asked(name) - before[name] >= 0.8 * usual[name]
    assert line.longest_ns <= SHARE_NS + READ_GRAIN_NS
    assert line.troubles == 0
    # and is found again when it is back
    line.nodes["zone_1"].is_on = True
    line.scans(LONGEST_REST_SCANS + 5)
    assert line.condition("zone_1") is not Condition.LOST
    assert line.poller.age_s("zone_1_c") < 2.0


def test_the_presss_own_node_is_asked_in_every_scan_however_long_it_is_silent_and_the_others_go_on() -> None:
    line = Line()
    line.scans(30)
    line.nodes["press"].is_on = False
    sent = line.master.health[1].requests
    line.scans(100)
    assert line.troubles == 100
    assert line.master.health[1].requests - sent >= 100
    assert line.longest_ns <= SHARE_NS + READ_GRAIN_NS
    assert line.poller.age_s("state_0") >= 10.0
    for name in ("zone_0_c", "zone_3_c", "thickness_um"):
        assert line.poller.age_s(name) < 3.0
    line.nodes["press"].is_on = True
    line.scans(3)
    assert line.poller.age_s("state_0") < 0.2
    assert line.poller.age_s("force_39") < 0.4


@given(st.lists(st.tuples(st.sampled_from(sorted(NODES)), st.booleans(), st.integers(1, 15)), max_size=6))
@settings(deadline=None, max_examples=15)
def test_whoever_comes_and_goes_no_scan_is_held_up_and_all_that_are_there_are_read(
    story: list[tuple[str, bool, int]],
) -> None:
    line = Line()
    for name, is_on, scans in story:
        line.nodes[name].is_on = is_on
        line.scans(scans)
    assert line.longest_ns <= SHARE_NS + READ_GRAIN_NS
    for node in line.nodes.values():
        node.is_on = True
    line.scans(LONGEST_REST_SCANS + 12)
    assert all(line.poller.age_s(name) < 4.0 for name in REGISTERS.tags)


def test_ages_are_those_of_when_each_value_was_read_and_infinite_for_what_never_was() -> None:
    line = Line()
    assert line.poller.age_s("zone_1_c") == NEVER_S
    line.nodes["zone_1"].is_on = False
    line.scans(20)
    assert line.poller.age_s("zone_1_c") == NEVER_S
    assert "zone_1_c" not in line.poller.known.values
    line.poller.note_read(["zone_1_c"])
    line.clock.sleep_until(line.clock.now_ns + 3_000 * MS)
    assert line.poller.age_s("zone_1_c") == pytest.approx(3.0)
    assert 3.0 <= line.poller.age_s("state_0") <= 3.2


def test_a_schedule_without_spare_time_reads_a_group_at_its_interval_and_not_more_often() -> None:
    line = Line()
    line.poller.schedule = PollSchedule({"gauge": 5, "forces": 2}, spare=False)
    line.scans(100)
    assert line.asked("gauge") == pytest.approx(20, abs=2)
    assert line.asked("zone_0") == pytest.approx(10, abs=2)
    assert line.asked("press") >= 100


def test_a_copy_goes_on_as_its_origin_does() -> None:
    one, other = Line(19_200), Line(19_200)
    one.scans(17)
    other.scans(17)
    copied = other.another()
    copied.go_on_from(other.poller.copied())
    other.poller = copied
    for line in (one, other):
        for node in line.nodes.values():
            node.heard.clear()
        line.scans(20)
    for name in NODES:
        assert one.nodes[name].heard == other.nodes[name].heard
    assert one.poller.known.times_ns == other.poller.known.times_ns
