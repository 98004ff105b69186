"""The machine around the sheet: hydraulics, drives, tension, tracking, plates, drums, belts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from emulator.config import Machine, load_machine, load_material
from emulator.press import SIGNALS, Commands, Disturbances, Press, index

REFERENCE = load_machine("reference")
G20 = load_material("g20")
SECOND = 1_000_000_000


def changed(**sections: dict[str, Any]) -> Machine:
    table = REFERENCE.model_dump()
    for section, values in sections.items():
        table[section].update(values)
    return Machine.model_validate(table)


def cold(machine: Machine = REFERENCE) -> Press:
    return Press.cold(machine, G20)


def closed(commands: Commands, clearance_m: float = 0.6e-3) -> Commands:
    commands.hydraulics_on = True
    commands.clearance_setpoint_m[:] = clearance_m
    return commands


def running_belts(speed_m_s: float = 1.0 / 60.0) -> Commands:
    commands = Commands(tension_setpoint_n_m=72e3, tension_on=True)
    commands.drives_on[:] = 1.0
    commands.speed_setpoint_m_s[:] = speed_m_s
    return commands


def read(press: Press, name: str) -> float:
    return float(press.signals[index(name)])


# --- signals -------------------------------------------------------------------


def test_every_signal_is_named_once_with_its_unit() -> None:
    assert len(set(SIGNALS)) == len(SIGNALS)
    units = ("_k", "_m", "_w", "_n", "_pa", "_m_s", "_nm", "_a", "_n_m", "_rad", "_fraction", "_present")
    plain = {"overforce", "feed_active", "parcels_in_press", "parcels_on_table", "released_count"}
    plain |= {"last_r_percent", "last_k_times_min"}
    assert [name for name in SIGNALS if not name.endswith(units) and name not in plain] == []
    with pytest.raises(KeyError, match="no signal 'nonsense'"):
        index("nonsense")


def test_a_cold_press_is_at_ambient_open_and_at_rest() -> None:
    press = cold()
    assert read(press, "heat_1_upper_plate_temperature_k") == 298.15
    assert read(press, "cold_left_clearance_m") == 6e-3
    assert read(press, "upper_belt_speed_m_s") == 0.0
    assert np.all(np.isfinite(press.signals))


def test_time_moves_on_the_grid_only() -> None:
    press = cold()
    with pytest.raises(ValueError, match="multiples of 10000000 ns, not by 5000000 ns"):
        press.advance(5_000_000, Commands())
    press.advance(30_000_000, Commands())
    assert press.time_ns == 30_000_000


# --- hydraulics ----------------------------------------------------------------


def test_clearances_close_at_the_rate_limit_and_hold_the_quantised_set_point() -> None:
    press, commands = cold(), closed(Commands(), 1.2345e-3)
    press.advance(2 * SECOND, commands)
    reached = read(press, "entry_left_clearance_m")
    press.advance(5 * SECOND, commands)
    assert reached - read(press, "entry_left_clearance_m") == pytest.approx(5 * 0.2e-3, rel=1e-9)
    press.advance(30 * SECOND, commands)
    assert read(press, "entry_left_clearance_m") == pytest.approx(1.234e-3, abs=1e-12)


def test_without_hydraulics_clearances_hold() -> None:
    press, commands = cold(), closed(Commands(), 1e-3)
    press.advance(10 * SECOND, commands)
    held = read(press, "cold_right_clearance_m")
    commands.hydraulics_on = False
    press.advance(20 * SECOND, commands)
    assert read(press, "cold_right_clearance_m") == held
    assert read(press, "hydraulic_pressure_pa") < 1e-3


def test_dump_opens_ten_times_faster_whatever_else_is_commanded() -> None:
    press, commands = cold(), closed(Commands(), 0.6e-3)
    press.advance(40 * SECOND, commands)
    commands.dump = True
    press.advance(1 * SECOND, commands)
    assert read(press, "taper_end_left_clearance_m") == pytest.approx(2.6e-3, abs=1e-9)
    press.advance(3 * SECOND, commands)
    assert read(press, "taper_end_left_clearance_m") == 6e-3


def test_clearances_stop_at_the_mechanical_limits() -> None:
    press = cold()
    press.advance(60 * SECOND, closed(Commands(), 0.0))
    assert read(press, "entry_left_clearance_m") == pytest.approx(0.2e-3, abs=1e-12)


def test_a_shifted_actuator_goes_elsewhere() -> None:
    press, shifted = cold(), Disturbances()
    shifted.clearance_offset_m[3] = 50e-6
    press.advance(60 * SECOND, closed(Commands()), shifted)
    assert read(press, "taper_end_right_clearance_m") - read(press, "taper_end_left_clearance_m") == pytest.approx(
        50e-6, abs=1e-12
    )


# --- drives ----------------------------------------------------------------------


def test_belts_ramp_to_the_set_point_and_hold_it() -> None:
    press, commands = cold(), running_belts(0.1)
    press.advance(SECOND, commands)
    assert read(press, "upper_belt_speed_m_s") == pytest.approx(0.05, abs=5e-3)
    press.advance(5 * SECOND, commands)
    assert read(press, "upper_belt_speed_m_s") == pytest.approx(0.1, rel=1e-4)
    assert read(press, "upper_drive_torque_nm") == pytest.approx(40.0, rel=0.05)
    assert read(press, "upper_drive_current_a") == pytest.approx(20.0 * 40.0 / 6000.0, rel=0.05)


def test_emergency_stop_stops_from_full_speed_within_a_second() -> None:
    press, commands = cold(), running_belts(8.0 / 60.0)
    press.advance(10 * SECOND, commands)
    travelled = read(press, "belt_travel_m")
    commands.brake = True
    press.advance(SECOND, commands)
    assert read(press, "upper_belt_speed_m_s") == read(press, "lower_belt_speed_m_s") == 0.0
    assert 0.0 < read(press, "belt_travel_m") - travelled < 0.1


def test_a_disabled_drive_coasts_down_and_stays() -> None:
    press, commands = cold(), running_belts(0.05)
    press.advance(5 * SECOND, commands)
    commands.drives_on[0] = 0.0
    press.advance(2 * SECOND, commands)
    assert 0.0 < read(press, "upper_belt_speed_m_s") < 0.05
    assert read(press, "speed_mismatch_fraction") < -0.002
    press.advance(60 * SECOND, commands)
    assert read(press, "upper_belt_speed_m_s") == 0.0
    assert read(press, "lower_belt_speed_m_s") == pytest.approx(0.05, rel=1e-3)


def test_a_weak_drive_stalls_at_its_torque_limit() -> None:
    press, weak = cold(), Disturbances()
    weak.drive_torque_scale[1] = 0.005
    press.advance(20 * SECOND, running_belts(0.05), weak)
    assert read(press, "lower_belt_speed_m_s") == 0.0
    assert read(press, "lower_drive_torque_nm") == pytest.approx(30.0)


def test_the_set_point_is_limited_to_the_fastest_speed() -> None:
    press = cold()
    press.advance(10 * SECOND, running_belts(1.0))
    assert read(press, "upper_belt_speed_m_s") == pytest.approx(8.0 / 60.0, rel=1e-3)


# --- tension and tracking -----------------------------------------------------------


def test_tension_follows_its_command_with_a_lag_and_goes_without_it() -> None:
    press, commands = cold(), running_belts()
    press.advance(2 * SECOND, commands)
    assert read(press, "upper_belt_tension_n_m") == pytest.approx(72e3 * (1.0 - math.exp(-1.0)), rel=1e-6)
    press.advance(30 * SECOND, commands)
    leak = Disturbances()
    leak.tension_scale[0] = 0.3
    press.advance(30 * SECOND, commands, leak)
    assert read(press, "upper_belt_tension_n_m") == pytest.approx(0.3 * 72e3, rel=1e-4)
    commands.tension_on = False
    press.advance(60 * SECOND, commands)
    assert read(press, "lower_belt_tension_n_m") < 1.0


def test_the_take_up_travels_with_the_thermal_growth_of_the_belt() -> None:
    press = cold()
    press.state.belt_T[0] = 298.15 + 90.0
    press.state.plant.belt_mean[0] = 298.15 + 90.0
    press.refresh()
    half_loop = press.machine.belt_loop_m / 2.0
    assert read(press, "upper_take_up_travel_m") == pytest.approx(17e-6 * 90.0 * half_loop)
    assert read(press, "lower_take_up_travel_m") == 0.0


def test_a_belt_walks_with_steering_over_travel_and_stops_at_its_stop() -> None:
    machine = changed(tracking={"drift_upper_urad": 0.0, "drift_lower_urad": 0.0})
    press, commands = cold(machine), running_belts(0.1)
    press.advance(5 * SECOND, commands)
    assert read(press, "upper_belt_tracking_m") == 0.0
    commands.steering_rad[0] = 1e-3
    press.advance(1 * SECOND, commands)  # the steering roller gets there
    start, travel = read(press, "upper_belt_tracking_m"), press.state.plant.belt_travel[0]
    press.advance(20 * SECOND, commands)
    walked = read(press, "upper_belt_tracking_m") - start
    assert walked == pytest.approx(0.6 * 1e-3 * (press.state.plant.belt_travel[0] - travel), rel=1e-3)
    commands.steering_rad[0] = 1.0
    press.advance(200 * SECOND, commands)
    assert read(press, "upper_steering_angle_rad") == pytest.approx(math.radians(0.5))
    assert read(press, "upper_belt_tracking_m") == 25e-3
    assert read(press, "lower_belt_tracking_m") == 0.0


# --- heat ---------------------------------------------------------------------------


def test_a_plate_heats_at_a_tenth_of_a_kelvin_a_second_and_a_stuck_heater_does_too() -> None:
    press, stuck = cold(), Disturbances()
    commands = Commands()
    commands.zone_output[0] = 1.0
    stuck.heater_stuck_on[2] = 1.0
    stuck.heater_scale[0] = 1.0
    press.advance(10 * SECOND, commands, stuck)
    for zone in ("heat_1", "heat_2"):
        assert read(press, f"{zone}_upper_plate_temperature_k") - 298.15 == pytest.approx(0.98, abs=0.05)
        assert read(press, f"{zone}_upper_heater_power_w") == 6000.0
    lost = Disturbances()
    lost.heater_scale[0] = 0.0
    press.advance(SECOND, commands, lost)
    assert read(press, "heat_1_upper_heater_power_w") == 0.0


def test_belt_under_a_plate_follows_with_its_time_constant() -> None:
    """rho c d/h_z = 9.48 s; plates so heavy that they hold their temperature."""
    press = cold(changed(zones={"heat_capacity_kj_k": 1e9, "ambient_loss_w_k": 0.0}))
    press.state.plant.plate_T[:8] = 398.15
    for seconds in (5, 10):
        press.advance(5 * SECOND, Commands())
        left = (398.15 - read(press, "heat_2_upper_belt_temperature_k")) / 100.0
        assert left == pytest.approx(math.exp(-seconds / 9.48), rel=1e-6)


def test_cold_plates_need_valve_and_flow() -> None:
    press, commands = cold(), Commands(coolant_flow_fraction=1.0)
    commands.zone_output[8:] = 1.0
    press.advance(300 * SECOND, commands)
    assert read(press, "cold_1_upper_plate_temperature_k") < 285.0
    assert read(press, "coolant_return_temperature_k") > read(press, "coolant_supply_temperature_k")
    lost = Disturbances(coolant_flow_scale=0.0)
    press.advance(60 * SECOND, commands, lost)
    warmer = read(press, "cold_1_upper_plate_temperature_k")
    press.advance(600 * SECOND, commands, lost)
    assert read(press, "cold_1_upper_plate_temperature_k") > warmer
    assert read(press, "coolant_flow_fraction") < 1e-9


def test_warm_coolant_arrives_warm() -> None:
    press = cold()
    press.advance(SECOND, Commands(), Disturbances(coolant_supply_offset_k=12.0))
    assert read(press, "coolant_supply_temperature_k") == pytest.approx(8.0 + 12.0 + 273.15)


def test_entry_drums_heat_and_exit_drums_cool() -> None:
    press, commands = cold(), Commands(coolant_flow_fraction=1.0)
    commands.drum_output[:] = (1.0, 0.0)
    press.advance(60 * SECOND, commands)
    assert read(press, "entry_drum_upper_temperature_k") > 303.0
    assert read(press, "entry_drum_lower_temperature_k") == pytest.approx(298.15, abs=0.1)
    assert read(press, "exit_drum_upper_temperature_k") < 296.0


def test_facing_belts_exchange_heat_more_the_closer_they_are() -> None:
    differences = []
    for clearance in (6e-3, 0.6e-3):
        press = cold(changed(belts={"plate_conductance_w_m2k": 0.0}))
        press.state.plant.clearance[:] = clearance
        press.state.belt_T[0] = 388.15
        press.advance(60 * SECOND, Commands())
        at = ("heat_2_upper_belt_temperature_k", "heat_2_lower_belt_temperature_k")
        differences.append(read(press, at[0]) - read(press, at[1]))
    expected = [90.0 * math.exp(-2.0 * 60.0 * 0.028 / gap / 4740.0) for gap in (6e-3, 0.6e-3)]
    assert differences == pytest.approx(expected, rel=2e-3)


def test_heat_on_a_moving_belt_goes_round_the_loop() -> None:
    machine = changed(belts={"plate_conductance_w_m2k": 0.0, "drum_conductance_w_m2k": 0.0, "return_loss_w_m2k": 0.0})
    press = cold(machine)
    press.state.belt_T[:, 0] = 398.15
    press.advance(2 * SECOND, running_belts(0.1))
    travel = float(press.state.plant.belt_travel[0])
    assert press.state.plant.belt_s[0] == pytest.approx(travel)
    press.advance(300 * SECOND, running_belts(0.1))
    loop = press.machine.belt_loop_m
    assert press.state.plant.belt_s[0] == pytest.approx(press.state.plant.belt_travel[0] % loop, abs=1e-9)
    hottest = int(press.state.belt_T[0].argmax())
    assert hottest == 0  # nothing is smeared from node to node
