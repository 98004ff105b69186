"""Sensors: lag, noise, resolution, range, and streams that do not depend on each other."""

from __future__ import annotations

import numpy as np
import pytest

from emulator.config import ConfigError
from emulator.image import Layout
from emulator.sensors import SensorConfig, Sensors, read_sensors
from emulator.units import conversion
from emulator.world import World, WorldConfig
from rig.protocol.registers_file import default_registers

NAMES = ("plate_k", "width_m", "travel_m")
LAYOUT = Layout(default_registers(), "press")


def sensors(**changes: object) -> Sensors:
    config = {"tag": "heat_1_upper_temperature_c", "signal": "plate_k", "low": -50.0, "high": 400.0} | changes
    return made(SensorConfig(**config))  # type: ignore[arg-type]


def made(*configs: SensorConfig, names: tuple[str, ...] = NAMES) -> Sensors:
    return Sensors(configs, LAYOUT, names, seed=1, period_s=0.05, shifts={})


def read(instrument: Sensors, truth: list[float], number: int = 0) -> None:
    image = np.zeros(LAYOUT.size, np.uint8)
    read_sensors(np.array(truth), np.zeros(0), instrument.rows, number, instrument.state.memory, image)


def readings(instrument: Sensors, kelvin: float, count: int, first: int = 0) -> np.ndarray:
    taken = []
    for number in range(first, first + count):
        read(instrument, [kelvin, 0.0, 0.0], number)
        taken.append(instrument.state.memory[1, 0])
    return np.array(taken)


def test_lag_is_first_order() -> None:
    instrument = sensors(lag_s=2.0)
    readings(instrument, 293.15, 1)
    values = readings(instrument, 393.15, 40, first=1)
    assert values[-1] == pytest.approx(20.0 + 100.0 * (1.0 - np.exp(-1.0)), abs=0.06)


def test_noise_has_the_stated_standard_deviation_and_no_offset() -> None:
    values = readings(sensors(noise=2.0), 373.15, 4000)
    assert values.std() == pytest.approx(2.0, rel=0.05)
    assert values.mean() == pytest.approx(100.0, abs=0.15)


def test_resolution_and_range() -> None:
    assert readings(sensors(resolution=5.0), 273.15 + 101.9, 1)[0] == 100.0
    assert readings(sensors(high=90.0), 373.15, 1)[0] == 90.0
    assert readings(sensors(low=10.0), 250.0, 1)[0] == 10.0


def test_gauge_without_sheet_reads_zero() -> None:
    instrument = made(
        SensorConfig(tag="exit_thickness_um", signal="width_m", noise=2.0, low=0, high=6500, zero_without_signal=True)
    )
    read(instrument, [0.0, 0.0, 0.0])
    assert instrument.value("exit_thickness_um") == 0.0
    read(instrument, [0.0, 600e-6, 0.0], 1)
    assert instrument.value("exit_thickness_um") == pytest.approx(600.0, abs=10.0)


def test_noise_of_one_sensor_does_not_depend_on_the_others() -> None:
    alone = readings(sensors(noise=1.0), 373.15, 50)
    both = made(
        SensorConfig(tag="hydraulic_pressure_bar", signal="plate_pa", noise=1.0, low=0, high=400),
        SensorConfig(tag="heat_1_upper_temperature_c", signal="plate_k", noise=1.0, low=-50, high=400),
        names=(*NAMES, "plate_pa"),
    )
    taken = []
    for number in range(50):
        read(both, [373.15, 0.0, 0.0, 1e7], number)
        taken.append(both.value("heat_1_upper_temperature_c"))
    assert np.array_equal(alone, taken)


def test_raw_registers_are_what_the_values_say() -> None:
    world = World(WorldConfig(start="warm"))
    world.run_until(1_000_000_000)
    registers = default_registers()
    for name, value in world.node.sensors.readings().items():
        tag = registers[name]
        shown = tag.decode(world.node.bank.read_input_registers(tag.address, tag.count))
        assert shown == pytest.approx(value, abs=1e-6), name


def test_every_sensed_number_of_the_map_has_its_sensor_or_is_the_nodes_own() -> None:
    world = World(WorldConfig())
    own = {"zone_outputs", "node", "identification", "wiring"}
    counted = {"sheet_length_m"}
    numbers = {
        tag.name for tag in default_registers().tags.values()
        if tag.table == "input" and tag.group not in own
    }  # fmt: skip
    assert numbers - set(world.node.sensors.names) == counted


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"signal": "nothing_k"}, "no truth signal 'nothing_k'"),
        ({"tag": "heat_9_temperature_c"}, "no tag or group named"),
    ],
)
def test_sensor_that_cannot_be_is_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        sensors(**change)


def test_units_that_do_not_belong_together_are_refused() -> None:
    assert conversion("belt_speed_m_s", "m/min") == (60.0, 0.0)
    with pytest.raises(ValueError, match="cannot be shown in 'bar'"):
        conversion("plate_temperature_k", "bar")
    with pytest.raises(ValueError, match="does not end in a known SI unit"):
        conversion("colour", "bar")


def test_shifted_clearance_sensor_reads_wrong_and_the_press_does_not_notice() -> None:
    right, wrong = World(WorldConfig(start="running")), World(WorldConfig(start="running"))
    wrong.disturbances.clearance_sensor_offset_m[2] = 100e-6
    for world in (right, wrong):
        world.run_until(2_000_000_000)
    assert np.array_equal(right.truth.vector(), wrong.truth.vector())
    difference = {
        name: wrong.node.sensors.value(name) - value
        for name, value in right.node.sensors.readings().items()
        if wrong.node.sensors.value(name) != value
    }
    assert difference == {"taper_end_left_clearance_um": pytest.approx(100.0, abs=0.11)}
