"""Every fault of the catalogue changes what it should and only that, shows, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.faults import CATALOGUE, Kind, PressFault, described_kinds, fault_from
from emulator.faults.kinds import NEUTRAL, At
from emulator.faults.places import PLACES, SENSOR_SETS
from emulator.inputs import Part
from emulator.press.commands import Commands, Disturbances
from emulator.sensors import ALTERED
from emulator.wire.faults import KINDS as WIRE_KINDS
from emulator.wire.faults import FaultError
from emulator.world import World, WorldConfig

SECOND_NS = 1_000_000_000
SCAN_NS = 50_000_000


def set_tags(**values: Any) -> Callable[[World], None]:
    """Somebody commands other values."""

    def do(world: World) -> None:
        for name, value in values.items():
            world.node.bank.publish(name, value)

    return do


def press_button(world: World) -> None:
    world.contacts.emergency_stop_pressed = True


def faster(world: World) -> None:
    set_tags(belt_upper_speed_setpoint_m_min=1.5, belt_lower_speed_setpoint_m_min=1.5)(world)


def wider(world: World) -> None:
    set_tags(entry_left_clearance_setpoint_um=4000)(world)


@dataclass(frozen=True)
class Shown:
    """What a fault must change within some seconds, and what somebody has to do for it to show."""

    moves: str
    when: Callable[[World], None] | None = None
    options: dict[str, Any] | None = None


GAUGE = "sensor exit_thickness_um"
THERMOMETER = "sensor heat_1_upper_temperature_c"
SHOWS: dict[str, Shown] = {
    "sensor_stuck": Shown(GAUGE),
    "sensor_offset": Shown(GAUGE),
    "sensor_drift": Shown(GAUGE, options={"onset_s": 5.0}),
    "sensor_gain": Shown(GAUGE),
    "sensor_noise": Shown(GAUGE),
    "sensor_spikes": Shown(GAUGE),
    "sensor_slow": Shown("sensor belt_upper_speed_m_min", faster, {"target": "belt_upper_speed_m_min"}),
    "signal_lost": Shown(GAUGE),
    "signal_shorted": Shown(GAUGE),
    "thermocouple_open": Shown(THERMOMETER),
    "thermocouple_shorted": Shown(THERMOMETER),
    "thermocouple_reversed": Shown(THERMOMETER),
    "sensors_swapped": Shown("sensor belt_upper_edge_position_mm", options={"target": "belt_upper_edge_position_mm"}),
    "frozen_image": Shown("sensor belt_upper_position_m"),
    "clearance_sensor_shifted": Shown("sensor entry_left_clearance_um"),
    "heater_limited": Shown("heat_1_upper_plate_temperature_c", set_tags(heat_1_upper_setpoint_c=125.0)),
    "heater_leaks": Shown("heat_1_upper_plate_temperature_c", set_tags(heat_1_upper_setpoint_c=100.0)),
    "heater_output_stuck": Shown("heat_1_upper_plate_temperature_c", set_tags(heat_1_upper_setpoint_c=125.0)),
    "drum_heater_limited": Shown("entry_drum_upper_temperature_c", options={"amount": 0.0}),
    "clearance_stuck": Shown("entry_left_clearance_um", wider),
    "clearance_slow": Shown("entry_left_clearance_um", wider),
    "clearance_backlash": Shown("entry_left_clearance_um", wider),
    "clearance_creeps": Shown("entry_left_clearance_um", options={"onset_s": 5.0}),
    "drive_lost": Shown("upper_belt_speed_m_min"),
    "drive_slow": Shown("upper_belt_speed_m_min", faster),
    "drive_limited": Shown("upper_belt_speed_m_min"),
    "drive_runs_on": Shown("upper_belt_speed_m_min", faster),
    "steering_stuck": Shown("upper_steering_angle_deg", set_tags(belt_upper_steering_setpoint_deg=0.2)),
    "steering_reversed": Shown("upper_steering_angle_deg", set_tags(belt_upper_steering_setpoint_deg=0.2)),
    "steering_backlash": Shown("upper_steering_angle_deg", set_tags(belt_upper_steering_setpoint_deg=0.2)),
    "tension_stuck": Shown(
        "upper_belt_tension_kn_m",
        set_tags(belt_upper_tension_setpoint_kn_m=60.0, belt_lower_tension_setpoint_kn_m=60.0),
    ),
    "tension_slow": Shown(
        "upper_belt_tension_kn_m",
        set_tags(belt_upper_tension_setpoint_kn_m=60.0, belt_lower_tension_setpoint_kn_m=60.0),
    ),
    "hydraulics_lost": Shown("entry_left_clearance_um", wider),
    "dump_stuck": Shown("entry_left_clearance_um", press_button),
    "dump_opens": Shown("entry_left_clearance_um"),
    "brake_worn": Shown("upper_belt_speed_m_min", press_button),
    "brake_closes": Shown("upper_belt_speed_m_min"),
    "feed_runs_on": Shown("feed_active", set_tags(feed_enable=False)),
    "coolant_valve_limited": Shown("coolant_flow_l_min"),
    "heater_lost": Shown("heat_1_upper_heater_power_kw"),
    "heater_element_lost": Shown("heat_1_upper_heater_power_kw"),
    "heater_stuck_on": Shown("heat_1_upper_heater_power_kw"),
    "drum_heater_lost": Shown("entry_drum_upper_heater_power_kw"),
    "clearance_shifted": Shown("entry_left_clearance_um"),
    "roller_bearing": Shown("upper_drive_torque_nm"),
    "roller_missing": Shown("sheet_pressure_mean_mpa"),
    "roller_runout": Shown("sheet_pressure_peak_mpa"),
    "drive_weak": Shown("upper_belt_speed_m_min", options={"amount": 1.0}),
    "belt_slip": Shown("upper_belt_speed_m_min"),
    "belt_runs_off": Shown("upper_belt_tracking_mm"),
    "tension_loss": Shown("upper_belt_tension_kn_m"),
    "chiller_warm": Shown("coolant_supply_temperature_c"),
    "coolant_pump_weak": Shown("coolant_flow_l_min"),
    "sheet_thickness": Shown("entry_sheet_thickness_um"),
    "sheet_ripple": Shown("entry_sheet_thickness_um"),
    "splice": Shown("entry_sheet_thickness_um"),
    "solids": Shown("sheet_pressure_mean_mpa"),
    "gel_stiff": Shown("sheet_pressure_mean_mpa"),
    "gel_melts_elsewhere": Shown("sheet_pressure_mean_mpa", options={"amount": -10.0}),
    "sheet_temperature": Shown("entry_sheet_temperature_c"),
    "web_end": Shown("feed_active"),
    "mains_dip": Shown("upper_belt_speed_m_min"),
    "phase_loss": Shown("heat_1_upper_heater_power_kw"),
}
USUAL_TARGETS = {
    "sensor": "exit_thickness_um",
    "thermometer": "heat_1_upper_temperature_c",
    "pair of sensors": "heat_1_upper_temperature_c",
    "node": "press",
}


def usual_fault(name: str, **options: Any) -> PressFault:
    """A fault of this kind at the first of its places."""
    targets = CATALOGUE[name].targets
    target = USUAL_TARGETS.get(targets) or (PLACES[targets].names[0] if targets else None)
    fault = fault_from(name, {"target": target} | options)
    assert isinstance(fault, PressFault)
    return fault


@pytest.fixture(scope="module")
def producing() -> World:
    """A press in production whose watchdog waits for a long time, so that it goes on without a master."""
    world = World(WorldConfig(start="running"))
    set_tags(watchdog_timeout_s=world.registers["watchdog_timeout_s"].limits[1])(world)  # type: ignore[index]
    world.run_until(SECOND_NS)
    return world


def moved(name: str, one: World, other: World) -> bool:
    """Whether a signal or the reading of a sensor differs by more than a thousandth."""
    kind, _, tag = name.partition(" ")
    if kind == "sensor":
        a, b = one.node.sensors.value(tag), other.node.sensors.value(tag)
    else:
        a, b = one.truth.signals()[name], other.truth.signals()[name]
    return abs(a - b) > 1e-3 * max(abs(a), abs(b), 1e-3)


def touched_inputs(kind: Kind, target: str | None) -> set[int]:
    """Places of the kernel's inputs that a fault may change."""
    found: set[int] = set()
    for act in kind.acts:
        if act.at is At.INPUT:
            owner = Commands if act.part in Commands.names() else Disturbances
            part: Any = vars(owner)[act.part]
            assert isinstance(part, Part)
            if act.every is not None or kind.targets not in PLACES:
                found |= set(range(part.place, part.place + part.size, act.every or 1))
            else:
                places = PLACES[kind.targets]
                found.add(part.place + places.first + places.names.index(str(target)))
    return found


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_fault_changes_what_it_should_and_only_that_shows_and_leaves_nothing_behind(
    name: str, producing: World
) -> None:
    shown = SHOWS[name]
    fault = usual_fault(name, **(shown.options or {}))
    well, struck = producing.fork(), producing.fork()
    number = struck.inject(fault)

    # only what it acts on arrives otherwise, while nothing has had time to follow from it
    well.run_until(well.now_ns + SCAN_NS)
    struck.run_until(struck.now_ns + SCAN_NS)
    differ = set(np.flatnonzero(well.press.inputs != struck.press.inputs).tolist())
    assert differ <= touched_inputs(CATALOGUE[name], fault.target)
    altered = {struck.node.sensors.names[place] for place in np.flatnonzero(struck.node.sensors.state.memory[ALTERED])}
    if any(act.at is At.SENSOR for act in CATALOGUE[name].acts):
        assert {fault.target} <= altered or CATALOGUE[name].targets == "node"
        assert len(altered) == {"node": len(struck.node.sensors.names), "pair of sensors": 2}.get(
            CATALOGUE[name].targets, 1
        )
    else:
        assert not altered

    for world in (well, struck):
        if shown.when is not None:
            shown.when(world)
    for _ in range(240):
        well.run_until(well.now_ns + 5 * SCAN_NS)
        struck.run_until(struck.now_ns + 5 * SCAN_NS)
        if moved(shown.moves, well, struck):
            break
    assert moved(shown.moves, well, struck), f"{shown.moves} did not change"
    [account] = struck.fault_account()
    assert account.confirmed
    assert not account.voids

    struck.withdraw(number)
    struck.run_until(struck.now_ns + 4 * SCAN_NS)
    [account] = struck.fault_account()
    assert account.cleared is True
    taps = struck.state.faults.taps
    assert not taps["acting"][0]
    assert not taps["altered"].any()
    assert not struck.node.sensors.state.memory[ALTERED].any()
    for field, value in NEUTRAL[At.INPUT].items():
        assert (taps[field] == value).all()


def test_a_sensor_that_is_mended_shows_what_it_would_have_shown_bit_for_bit(producing: World) -> None:
    well, struck = producing.fork(), producing.fork()
    struck.inject(usual_fault("sensor_noise", for_s=3.0))
    struck.inject(usual_fault("sensor_slow", target="coolant_flow_l_min", for_s=3.0))
    seen = set()
    for _ in range(100):
        well.run_until(well.now_ns + SCAN_NS)
        struck.run_until(struck.now_ns + SCAN_NS)
        seen.add(struck.node.sensors.readings() == well.node.sensors.readings())
    assert seen == {True, False}
    assert struck.node.state.bank.image.tobytes() == well.node.state.bank.image.tobytes()


def test_the_catalogue_has_every_kind_of_thing_that_breaks() -> None:
    kinds = described_kinds()
    assert len(kinds) >= 80
    assert {kind["group"] for kind in kinds.values()} == {
        "sensor", "actuator", "machine", "material", "power", "wire",
    }  # fmt: skip
    assert not CATALOGUE.keys() & WIRE_KINDS.keys()
    assert SHOWS.keys() == CATALOGUE.keys()


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_kind_is_described_as_it_is(name: str, producing: World) -> None:
    kind = CATALOGUE[name]
    assert kind.targets in ("", *PLACES, *SENSOR_SETS)
    known = {tag for word in ("alarm_word", "warning_word") for tag in producing.registers[word].bits}
    claims = {f"CLM-{number}" for number in range(1, 8)}
    assert kind.noticed_by
    assert set(kind.noticed_by) <= known | claims | {"quality", "controller"}
    if kind.amount is not None:
        assert kind.amount.low <= kind.amount.usual <= kind.amount.high
    for act in kind.acts:
        assert act.field in NEUTRAL[act.at]
        # what has no value in between cannot grow
        if act.field in ("low", "high", "rate", "held", "source"):
            assert "ramp" not in kind.onsets


def worlds(world: World) -> Iterator[int]:
    """Checksums of a world as it goes on."""
    for _ in range(4):
        world.run_until(world.now_ns + 10 * SCAN_NS)
        yield hash((world.node.state.bank.image.tobytes(), world.press.inputs.tobytes(), world.press.signals.tobytes()))


@settings(max_examples=15, deadline=None)
@given(
    names=st.lists(st.sampled_from(list(CATALOGUE)), min_size=1, max_size=4),
    onset=st.sampled_from(["step", "ramp", "intermittent"]),
    before=st.integers(0, 40),
)
def test_a_press_with_faults_goes_on_from_a_snapshot_bit_for_bit(
    names: list[str], onset: str, before: int, producing: World
) -> None:
    world = producing.fork()
    for place, name in enumerate(names):
        begins = onset if onset in CATALOGUE[name].onsets else CATALOGUE[name].onsets[0]
        onset_s = None if begins == "step" else 1.0
        world.inject(usual_fault(name, onset=begins, onset_s=onset_s, after_s=0.37 * place))
    world.run_until(world.now_ns + before * SCAN_NS // 2)
    other = World.restore(world.snapshot())
    assert list(worlds(other)) == list(worlds(world))
    assert other.fault_account() == world.fault_account()


def test_two_faults_of_one_place_act_together_and_end_one_by_one(producing: World) -> None:
    world = producing.fork()
    first = world.inject(usual_fault("belt_slip", amount=10.0))
    second = world.inject(usual_fault("belt_slip", amount=50.0))
    place = vars(Commands)["speed_setpoint_m_s"].place
    wanted = world.node.commands.speed_setpoint_m_s[0]
    for number, part in ((None, 0.45), (first, 0.5), (second, 1.0)):
        if number is not None:
            world.withdraw(number)
        world.run_until(world.now_ns + SCAN_NS)
        assert world.press.inputs[place] == pytest.approx(part * wanted)


def test_a_ramp_grows_and_what_comes_and_goes_does_so_by_chance(producing: World) -> None:
    world = producing.fork()
    world.inject(usual_fault("chiller_warm", amount=10.0, onset="ramp", onset_s=4.0))
    place = vars(Disturbances)["coolant_supply_offset_k"].place
    grown = []
    for _ in range(10):
        world.run_until(world.now_ns + 10 * SCAN_NS)
        grown.append(float(world.press.inputs[place]))
    assert grown[:7] == pytest.approx([1.25 * n for n in range(1, 8)], abs=0.2)
    assert grown[8:] == [10.0, 10.0]
    world = producing.fork()
    world.inject(usual_fault("web_end", onset="intermittent", onset_s=0.5))
    fed = []
    for _ in range(200):
        world.run_until(world.now_ns + SCAN_NS)
        fed.append(bool(world.press.inputs[vars(Commands)["feed"].place]))
    spells = np.flatnonzero(np.diff(fed)).size
    assert 10 <= spells <= 40
    assert len(set(np.diff(np.flatnonzero(np.diff(fed))).tolist())) > 3


def test_a_fault_that_nothing_met_voids_the_run_and_one_that_has_not_begun_does_not(producing: World) -> None:
    world = producing.fork()
    world.inject(usual_fault("clearance_stuck"))
    world.inject(usual_fault("web_end", after_s=100.0))
    world.inject(fault_from("unplugged", {"after_s": 100.0}))
    world.run_until(world.now_ns + SECOND_NS)
    stuck, end, plug = world.fault_account()
    assert stuck.voids
    assert "never showed" in stuck.as_text
    assert not end.voids
    assert "has not begun" in end.as_text
    assert not plug.voids


def test_faults_of_other_nodes_reach_their_sensors() -> None:
    world = World(WorldConfig(start="running", wiring="multi-drop"))
    world.inject(usual_fault("thermocouple_open"))
    world.inject(usual_fault("frozen_image", target="thickness_gauge"))
    world.run_until(SECOND_NS)
    assert world.satellites[0].sensors.value("heat_1_upper_temperature_c") == pytest.approx(400.0, abs=1.0)
    assert all(account.confirmed for account in world.fault_account())


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("heater_lots", {}, "did you mean 'heater_lost'?"),
        ("heater_lost", {}, "needs a target: a zone: heat_1_upper"),
        ("heater_lost", {"target": "heat_9_upper"}, "has no target 'heat_9_upper'; it is a zone"),
        ("heater_lost", {"target": "all", "amount": 3}, "it must be 0.5 … 1 (part that is lost)"),
        ("heater_lost", {"target": "all", "colour": 3}, "fault heater_lost has no 'colour'"),
        ("chiller_warm", {"target": "all"}, "strikes the press as a whole"),
        ("chiller_warm", {"onset": "sudden"}, "begins as step or ramp or intermittent, not 'sudden'"),
        ("chiller_warm", {"onset_s": 3}, "onset_s goes with onset=ramp"),
        ("dump_stuck", {"amount": 3}, "has no amount"),
        ("roller_missing", {"for_s": 3}, "does not go away by itself"),
        ("web_end", {"after_s": "soon"}, "is 'soon', which is not a number"),
        ("web_end", {"for_s": float("nan")}, "it must be 0.1"),
    ],
)
def test_what_cannot_be_is_told_in_words(kind: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(FaultError) as raised:
        fault_from(kind, options)
    assert words in str(raised.value)


def test_a_sensor_that_the_press_has_not_is_told_in_words(producing: World) -> None:
    with pytest.raises(FaultError, match="this press has no thermometer 'exit_thickness_um'; there are heat_1_upper"):
        producing.fork().inject(usual_fault("thermocouple_open", target="exit_thickness_um"))


def test_the_documentation_has_every_fault_of_the_catalogue() -> None:
    text = (Path(__file__).parents[2] / "docs/faults.md").read_text(encoding="utf-8")
    for name, kind in described_kinds().items():
        assert f"`{name}`" in text
        assert kind["meaning"] in text
