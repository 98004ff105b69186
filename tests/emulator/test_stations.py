"""Nodes of the stations of a line: what they read, what they are told, and when nobody tells them anything."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from emulator.config import ConfigError
from emulator.line.sheet import PIECE
from emulator.line.winding import Roll
from emulator.satellites import load_wiring
from emulator.snapshot import SnapshotError
from emulator.stations import STATIONS
from emulator.wire.faults import Fault
from emulator.world import World, WorldConfig
from rig.bench import Bench, open_press
from rig.protocol.registers_file import default_registers

URL = "emu://line?start=running&seed=3"
SECOND = 1_000_000_000
REGISTERS = default_registers("line")


@functools.cache
def _origin() -> Bench:
    return open_press(URL, record=False)


@pytest.fixture
def bench() -> Bench:
    return _origin().fork()


def world_of(bench: Bench) -> World:
    assert bench.virtual is not None
    return bench.virtual.world


def pass_s(bench: Bench, seconds: float) -> None:
    """Time goes by in which nobody says anything."""
    world = world_of(bench)
    world.run_until(world.now_ns + round(seconds * SECOND))


def test_every_station_has_a_node_and_every_command_of_it_is_a_tag() -> None:
    assert set(STATIONS) == {node.name for node in REGISTERS.satellites}
    for name, station in STATIONS.items():
        writable = {tag.name for tag in REGISTERS.tags.values() if tag.node == name and tag.writable}
        assert set(station.commands) == writable


def test_all_that_a_station_can_be_told_is_on_its_node(bench: Bench) -> None:
    line = world_of(bench).line
    assert line is not None
    for station in STATIONS.values():
        inputs = station.inputs(line)
        told = {(command.part, command.index) for command in station.commands.values()}
        parts = [(part, i) for part in inputs.names() for i in range(vars(type(inputs))[part].size)]
        assert told == set(parts)


def test_every_reading_of_a_station_has_a_sensor() -> None:
    sensed = {sensor.tag for sensor in load_wiring("line").sensor}
    own = ("_role", "_status_word", "_heartbeat", "_sample_time_ms", "winder_roll", "winder_rolls_curing")
    for tag in REGISTERS.tags.values():
        if tag.node in STATIONS and tag.table == "input" and tag.group != "laboratory":
            assert (tag.name in sensed) != tag.name.endswith(own), tag.name


def test_readings_are_what_the_station_does_within_their_noise(bench: Bench) -> None:
    pass_s(bench, 30)
    line = world_of(bench).line
    assert line is not None
    kneader, caster = bench.read("kneader"), bench.read("caster")
    true = line.signals()
    assert kneader["kneader_torque_nm"] == pytest.approx(true["kneader.torque_nm"], abs=2.0)
    assert kneader["kneader_barrel_temperature_c"] == pytest.approx(true["kneader.barrel_k"] - 273.15, abs=0.6)
    assert kneader["kneader_solvent_kg_h"] == pytest.approx(true["kneader.solvent_kg_s"] * 3600.0, abs=0.3)
    assert caster["caster_speed_m_min"] == pytest.approx(true["caster.speed_m_s"] * 60.0, abs=0.01)
    assert caster["store_stored_m"] == pytest.approx(true["store.stored_m"], abs=0.1)
    assert kneader["kneader_status_word"] == {"running"}
    assert kneader["kneader_sample_time_ms"] == 30_000


def test_noise_is_the_seeds_and_of_each_instrument_its_own() -> None:
    def readings(seed: int) -> bytes:
        world = World(WorldConfig(start="warm", line="reference", wiring="line", seed=seed))
        world.run_until(3 * SECOND)
        return b"".join(station.state.sensors.memory.tobytes() for station in world.stations)

    assert readings(1) == readings(1) != readings(2)


def test_what_is_written_by_tag_name_is_what_the_station_does(bench: Bench) -> None:
    line = world_of(bench).line
    assert line is not None
    wanted = {
        "desolvator_bath_setpoint_c": 40.0,
        "desolvator_flow_setpoint_l_min": 6.0,
        "desolvator_heat": True,
        "stretcher_draw_air_setpoint_c": 118.0,
        "stretcher_ratio_td_setpoint": 3.5,
        "kneader_solvent_setpoint_kg_h": 12.34,
        "winder_cure_time_s": 86_400,
    }
    bench.write(wanted)
    pass_s(bench, 2)
    desolvator, stretcher = line.tail.desolvator.commands, line.tail.stretcher.commands
    assert desolvator.bath_k == pytest.approx(313.15)
    assert desolvator.flow_m3_s == pytest.approx(1e-4)
    assert desolvator.heat
    assert stretcher.air_k[3] == pytest.approx(391.15)
    assert stretcher.ratio_td == 3.5
    assert stretcher.ratio_md == 1.0
    assert line.kneader.commands.delivery_kg_s[2] == pytest.approx(12.34 / 3600.0)
    assert line.tail.winder.commands.cure_s == 86_400
    assert bench.read(*wanted) == wanted
    assert "heating" in bench.read("desolvator")["desolvator_status_word"]  # type: ignore[operator]


def test_what_is_set_at_the_panel_shows_in_the_registers_and_is_not_taken_back(bench: Bench) -> None:
    line = world_of(bench).line
    assert line is not None
    assert bench.read("kneader_barrel_setpoint_c", "kneader_run") == {
        "kneader_barrel_setpoint_c": 200.0,
        "kneader_run": True,
    }
    line.kneader.commands.barrel_k = 463.15
    bench.write({"kneader_screw_setpoint_rpm": 150.0})
    pass_s(bench, 2)
    assert line.kneader.commands.barrel_k == 463.15
    assert line.kneader.commands.screw_rad_s == pytest.approx(5.0 * np.pi)
    line.kneader.commands.barrel_k = 460.15
    pass_s(bench, 2)
    assert bench.value("kneader_barrel_setpoint_c") == 187.0


def test_a_station_that_was_told_something_goes_to_its_safe_values_when_nobody_talks_to_it(bench: Bench) -> None:
    line = world_of(bench).line
    assert line is not None
    bench.write({"kneader_screw_setpoint_rpm": 150.0})
    for _ in range(15):  # a read is a sign of life
        pass_s(bench, 1)
        bench.read("kneader")
    assert line.kneader.commands.run
    pass_s(bench, 12)
    kneader, caster = line.kneader.commands, line.caster.commands
    assert not kneader.run
    assert kneader.delivery_kg_s.tolist() == [0.0] * 4
    assert kneader.barrel_k == pytest.approx(473.15)
    assert caster.run, "nobody ever wrote to it: it is run from its panel"
    assert "comms_lost" in bench.read("kneader")["kneader_status_word"]  # type: ignore[operator]
    bench.write({"kneader_run": True})
    pass_s(bench, 2)
    assert kneader.run
    assert "comms_lost" not in bench.read("kneader")["kneader_status_word"]  # type: ignore[operator]


def test_interlocks_and_alarms_are_in_the_status_words(bench: Bench) -> None:
    world = world_of(bench)
    assert world.line is not None
    state = world.line.state
    state.tail.desolvator.tripped = True
    state.tail.broken = "torn"
    state.store.broken = "tension"
    state.kneader.overloaded = True
    pass_s(bench, 1)
    words = bench.read(*(f"{name}_status_word" for name in ("kneader", "caster", "tail", "desolvator")))
    assert "overloaded" in words["kneader_status_word"]  # type: ignore[operator]
    assert "web_break" in words["caster_status_word"]  # type: ignore[operator]
    assert {"torn", "vapour_stop"} <= words["tail_status_word"]  # type: ignore[operator]
    assert "vapour_trip" in words["desolvator_status_word"]  # type: ignore[operator]


def test_vapour_that_trips_the_dryer_is_read_and_acknowledged_over_the_line(bench: Bench) -> None:
    world = world_of(bench)
    assert world.line is not None
    desolvator = world.line.tail.desolvator
    desolvator.state.vapour_kg_m3 = 0.05
    pass_s(bench, 1)
    read = bench.read("desolvator")
    assert {"vapour_warning", "vapour_trip"} <= read["desolvator_status_word"]  # type: ignore[operator]
    assert read["desolvator_vapour_lel_percent"] > 5.0  # type: ignore[operator]
    desolvator.state.vapour_kg_m3 = 0.001
    pass_s(bench, 1)
    assert desolvator.state.tripped
    bench.write({"desolvator_acknowledge": True})
    pass_s(bench, 2)
    assert not desolvator.state.tripped
    assert "vapour_trip" not in bench.read("desolvator")["desolvator_status_word"]  # type: ignore[operator]


def test_a_node_without_supply_opens_its_switches_and_starts_with_its_defaults(bench: Bench) -> None:
    world = world_of(bench)
    assert world.line is not None
    kneader = world.line.kneader.commands
    world.bus.inject(Fault("brown_out", amount=5.0, unit=31))
    pass_s(bench, 2)
    assert not kneader.run
    assert kneader.barrel_k == pytest.approx(473.15)
    pass_s(bench, 6)
    assert kneader.barrel_k == pytest.approx(298.15), "the default set point, as its registers say"
    assert 0 < bench.value("kneader_sample_time_ms") < 5_000  # type: ignore[operator]


def test_the_laboratory_shows_the_last_roll_that_is_finished(bench: Bench) -> None:
    world = world_of(bench)
    assert world.line is not None
    tail = world.line.state.tail
    pieces = np.zeros(3, PIECE)
    pieces["serial"], pieces["roll"], pieces["length_m"], pieces["width_m"] = (7, 8, 9), (1, 1, 2), 0.1, 0.3
    pieces["thickness_m"], pieces["porosity"], pieces["mass_kg"] = (25e-6, 21e-6, 17e-6), 0.5, (0.5, 0.1, 0.0, 0.0)
    pieces["ratio_md"] = pieces["ratio_td"] = 3.5
    tail.ended.recent, tail.ended.count = pieces, 3
    tail.winder.rolls = [Roll(1, 0, 1, 0.2, 2, "curing"), Roll(2, 0, 0, 0.1, 1, "winding")]
    tail.winder.count = 2
    tail.winder.commands.cure_s = 3.0
    pass_s(bench, 1)
    assert bench.value("laboratory_roll") == 0
    bench = bench.fork()
    pass_s(bench, 3)
    line = world_of(bench).line
    assert line is not None
    true = line.sample(pieces[1])
    read = bench.read("laboratory")
    assert (read["laboratory_roll"], read["laboratory_serial"]) == (1, 8)
    assert read["laboratory_thickness_um"] == pytest.approx(true["thickness_m"] * 1e6, abs=0.006)
    assert read["laboratory_porosity_percent"] == pytest.approx(true["porosity"] * 100.0, abs=0.006)
    assert read["laboratory_gurley_s"] == pytest.approx(true["gurley_s"], abs=0.06)
    assert read["laboratory_meltdown_c"] == pytest.approx(true["meltdown_k"] - 273.15, abs=0.06)
    assert bench.value("winder_roll") == 2


def test_forks_and_snapshots_go_on_with_the_same_bits(bench: Bench) -> None:
    bench.write({"desolvator_bath_setpoint_c": 40.0})
    pass_s(bench, 3)
    world = world_of(bench)
    others = [world.fork(), World.restore(world.snapshot())]
    for other in (world, *others):
        other.run_until(world.now_ns + 15 * SECOND if other is world else world.now_ns)

    def bits(of: World) -> bytes:
        return b"".join(
            station.state.bank.image.tobytes() + station.state.memory.tobytes() + station.state.sensors.memory.tobytes()
            for station in of.stations
        )

    assert bits(world) == bits(others[0]) == bits(others[1])
    assert world.stations[0].state.memory["scans"] == 19


def test_a_snapshot_with_samples_that_cannot_be_is_refused(bench: Bench) -> None:
    world = world_of(bench)
    world.stations[-1].state.samples = np.zeros(1, PIECE)
    with pytest.raises(SnapshotError, match="the laboratory has samples that cannot be"):
        World.restore(world.snapshot())


def test_press_and_line_do_not_notice_that_the_stations_have_nodes() -> None:
    worlds = [World(WorldConfig(start="running", line="reference", wiring=name)) for name in ("one-node", "line")]
    for world in worlds:
        world.run_until(20 * SECOND)
    one, two = worlds
    assert one.truth_vector().tobytes() == two.truth_vector().tobytes()
    assert one.line is not None
    assert two.line is not None
    assert one.line.signals() == two.line.signals()


def test_stations_are_in_no_poll_of_the_press(bench: Bench) -> None:
    assert not [tag for tag in REGISTERS.polled if tag.node in STATIONS]
    assert [tag.name for tag in REGISTERS.polled] == [tag.name for tag in default_registers().polled]


def test_the_wiring_of_a_line_without_a_line_is_refused() -> None:
    with pytest.raises(ConfigError, match="there is no line whose nodes it has; open emu://line"):
        WorldConfig(wiring="line")
