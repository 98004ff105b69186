"""What the material does between given belts: the outcomes of docs/model.md, and the closed forms."""

from __future__ import annotations

import dataclasses
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from emulator.config import Machine, Material, load_machine, load_material
from emulator.press import Pass, ideal_belt, roll
from emulator.press.constants import machine_constants
from emulator.press.geometry import along_press, local_compliance, span_compliance

REFERENCE = load_machine("reference")
PITCH60 = load_machine("pitch60")
G20 = load_material("g20")


def between_belts(
    heat_c: float = 115.0,
    cold_c: float = 15.0,
    speed_m_min: float = 1.0,
    machine: Machine = REFERENCE,
    **changes: Any,
) -> Pass:
    """h0 3.0 mm, clearance 3.2 to 0.6 mm, 20 wt%: the reference case unless said otherwise."""
    v = speed_m_min / 60.0
    x, T = ideal_belt(machine, heat_c + 273.15, cold_c + 273.15, v)
    return dataclasses.replace(Pass(x, T, speed_m_s=v), **changes)


def outcome(
    heat_c: float = 115.0,
    cold_c: float = 15.0,
    speed_m_min: float = 1.0,
    machine: Machine = REFERENCE,
    material: Material = G20,
    step_m: float | None = None,
    **changes: Any,
) -> dict[str, float]:
    how = between_belts(heat_c, cold_c, speed_m_min, machine, **changes)
    return roll(machine, material, how, step_m).truth


def r_of(*args: Any, **changes: Any) -> float:
    return outcome(*args, **changes)["r_percent"]


# --- geometry ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("pitch_mm", "compliance"), [(30, 6.4e-11), (36, 1.302e-10), (40, 1.96e-10), (60, 9.1e-10), (100, 5.6e-9)]
)
def test_belt_span_compliance_grows_with_the_fourth_power_of_the_pitch(pitch_mm: float, compliance: float) -> None:
    table = REFERENCE.model_dump()
    table["geometry"] |= {"roller_pitch_mm": pitch_mm, "roller_diameter_mm": 20.0}
    c = machine_constants(Machine.model_validate(table))[0]
    assert span_compliance(72e3, c) == pytest.approx(compliance, rel=0.01)
    assert span_compliance(0.0, c) > span_compliance(72e3, c)


def test_compliance_is_that_of_the_nip_at_a_roller_and_adds_the_span_between() -> None:
    c = machine_constants(REFERENCE)[0]
    assert local_compliance(0.036 * 7, 1.3e-10, c) == pytest.approx(4e-11)
    assert local_compliance(0.036 * 7.5, 1.3e-10, c) == pytest.approx(1.7e-10)


def test_gap_tapers_to_the_end_of_the_taper_then_steps_to_the_cold_clearance_over_one_pitch() -> None:
    c = machine_constants(REFERENCE)[0]
    gap = [along_press(x, 3.2e-3, 0.6e-3, 0.5e-3, c) for x in (0.0, 0.845, 1.69, 2.649, 2.65 + 0.018, 2.7, 4.15)]
    assert gap == pytest.approx([3.2e-3, 1.9e-3, 0.6e-3, 0.6e-3, 0.55e-3, 0.5e-3, 0.5e-3])


# --- outcomes ----------------------------------------------------------------


def test_recovery_falls_with_heat_temperature() -> None:
    r = [r_of(heat) for heat in (85, 90, 95, 100, 105, 110, 115, 120, 125)]
    assert all(hotter < colder for colder, hotter in pairwise(r))
    assert r[0] > 40.0 > 2.0 > r[-1] > 0.0


def test_recovery_rises_with_speed() -> None:
    r = [r_of(115.0, 15.0, v) for v in (0.5, 1.0, 2.0, 4.0, 8.0)]
    assert all(faster > slower for slower, faster in pairwise(r))


def test_recovery_rises_with_cold_temperature() -> None:
    r = [r_of(115.0, cold) for cold in (10, 15, 25, 40, 60, 80)]
    assert all(warmer > colder for colder, warmer in pairwise(r))


MECHANICS = (
    "arm_modulus_25c_mpa",
    "arm_relaxation_time_s",
    "network_modulus_25c_mpa",
    "network_modulus_min_mpa",
    "network_relaxation_time_s",
    "activation_volume_m3",
    "stress_amplification",
    "softening_width_k",
)


@pytest.mark.parametrize("factor", [0.5, 2.0])
@pytest.mark.parametrize("parameter", MECHANICS)
def test_no_order_changes_when_a_material_parameter_is_doubled_or_halved(parameter: str, factor: float) -> None:
    table = G20.model_dump()
    value = table["mechanics"][parameter]
    scaled = [factor * v for v in value] if isinstance(value, tuple) else factor * value
    table["mechanics"][parameter] = scaled
    other = Material.model_validate(table)
    heat = [r_of(heat, material=other) for heat in (85, 95, 105, 115, 125)]
    assert heat == sorted(heat, reverse=True)
    speed = [r_of(115.0, 15.0, v, material=other) for v in (0.5, 2.0, 8.0)]
    assert speed == sorted(speed)
    cold = [r_of(115.0, c, material=other) for c in (15.0, 40.0, 80.0)]
    assert cold == sorted(cold)


@pytest.mark.parametrize("heat", [105.0, 110.0, 115.0, 120.0, 125.0])
def test_within_the_window_the_claims_are_met(heat: float) -> None:
    truth = outcome(heat)
    assert truth["r_percent"] <= 20.0
    assert truth["k_times_min"] >= 5.0


@pytest.mark.parametrize("heat", [85.0, 95.0])
def test_below_the_window_recovery_stays_above_20_even_at_k_above_20(heat: float) -> None:
    truth = outcome(heat, 15.0, 0.5)
    assert truth["k_times_min"] > 20.0
    assert truth["r_percent"] > 20.0


def test_released_hot_or_rolled_cold_the_sheet_recovers_most_of_its_thickness() -> None:
    assert r_of(115.0, 115.0) > 50.0
    assert r_of(25.0) > 50.0


def test_roller_pitch_is_the_design_lever() -> None:
    ratio = r_of(115.0, machine=PITCH60) / r_of(115.0)
    assert 2.4 < ratio < 3.4


def test_recovery_goes_on_with_the_logarithm_of_time() -> None:
    r = [r_of(rest_s=rest) for rest in (60.0, 600.0, 6000.0)]
    assert r[0] < r[1] < r[2]
    assert (r[2] - r[1]) / (r[1] - r[0]) == pytest.approx(1.0, abs=0.4)
    assert 1.3 < r[2] / r[0] < 1.8


def test_at_8_m_min_the_sheet_leaves_above_40_degrees() -> None:
    assert outcome(115.0, 15.0, 8.0)["exit_mean_temperature_k"] > 313.15
    assert outcome(115.0, 15.0, 1.0)["exit_mean_temperature_k"] < 290.0


def test_sheet_pressures() -> None:
    assert 0.1e6 < outcome(125.0)["max_pressure_pa"] < outcome(115.0)["max_pressure_pa"] < 0.5e6
    assert outcome(95.0)["max_pressure_pa"] > 1e6


@pytest.mark.parametrize("heat", [25.0, 95.0, 115.0, 130.0])
@pytest.mark.parametrize("machine", [REFERENCE, PITCH60], ids=["reference", "pitch60"])
def test_thicknesses_are_ordered(machine: Machine, heat: float) -> None:
    truth = outcome(heat, machine=machine)
    assert 0.6e-3 <= truth["t0_m"] <= truth["exit_thickness_m"] <= truth["t_600_m"] <= truth["h0_m"]
    assert truth["max_pressure_pa"] <= 3e6


def test_a_sheet_the_press_does_not_touch_is_not_rolled() -> None:
    truth = outcome(115.0, feed_thickness_m=0.5e-3)
    assert truth["r_percent"] == pytest.approx(0.0, abs=1e-9)
    assert truth["k_times_min"] == 0.0


def test_a_gel_with_more_resin_pushes_harder() -> None:
    assert outcome(material=G20.at_solids(0.3))["max_pressure_pa"] > outcome()["max_pressure_pa"]


# --- closed forms and numerics --------------------------------------------------


def test_rolling_coefficient_is_ratio_times_minutes_when_pressure_acts_everywhere() -> None:
    truth = outcome(entry_clearance_m=2.9e-3)
    minutes = REFERENCE.press_length_m / (1.0 / 60.0) / 60.0
    assert truth["time_under_pressure_s"] == pytest.approx(60.0 * minutes, rel=1e-9)
    assert truth["k_times_min"] == pytest.approx(3.0e-3 / truth["t_600_m"] * minutes, rel=1e-9)


def test_pressure_is_the_spring_back_over_the_compliance() -> None:
    how = between_belts()
    trace = roll(REFERENCE, G20, how).trace
    c = machine_constants(REFERENCE)[0]
    C_m = span_compliance(how.tension_n_m, c)
    for x, h, p in trace[::97, :3]:
        g = along_press(x, 3.2e-3, 0.6e-3, 0.6e-3, c)
        assert p == pytest.approx(max(0.0, (h - g) / (2.0 * local_compliance(x, C_m, c))), rel=1e-6, abs=1.0)


CASES = [
    pytest.param(REFERENCE, 115.0, 1.0, id="reference"),
    pytest.param(REFERENCE, 95.0, 1.0, id="too cold"),
    pytest.param(REFERENCE, 115.0, 8.0, id="8 m/min"),
    pytest.param(PITCH60, 115.0, 1.0, id="60 mm pitch"),
]


@pytest.mark.parametrize(("machine", "heat", "speed"), CASES)
def test_halving_the_step_changes_recovery_by_less_than_a_twentieth_of_a_point(
    machine: Machine, heat: float, speed: float
) -> None:
    v = speed / 60.0
    step = min(machine.numerics.step_max_mm * 1e-3, v * machine.numerics.step_max_s)
    coarse = outcome(heat, 15.0, speed, machine=machine, step_m=step)
    halved = outcome(heat, 15.0, speed, machine=machine, step_m=step / 2.0)
    fine = outcome(heat, 15.0, speed, machine=machine, step_m=step / 16.0)
    assert abs(coarse["r_percent"] - halved["r_percent"]) < 0.05
    assert abs(coarse["r_percent"] - fine["r_percent"]) < 0.1
    assert coarse["k_times_min"] == pytest.approx(fine["k_times_min"], rel=2e-3)
    assert coarse["max_pressure_pa"] == pytest.approx(fine["max_pressure_pa"], rel=1e-2)


@pytest.mark.parametrize(("machine", "heat", "speed"), CASES)
def test_temperature_of_the_sheet_is_right_along_the_whole_press(machine: Machine, heat: float, speed: float) -> None:
    step = min(machine.numerics.step_max_mm * 1e-3, speed / 60.0 * machine.numerics.step_max_s)
    how = between_belts(heat, 15.0, speed, machine=machine)
    coarse = roll(machine, G20, how, step).trace
    fine = roll(machine, G20, how, step / 16.0).trace
    for column in (3, 4):
        exact = np.interp(coarse[:, 0], fine[:, 0], fine[:, column])
        assert np.abs(coarse[:, column] - exact).max() < 0.5
