"""A made-up run for tests of monitors and reports: plausible curves, no physics.

The sheet enters at `FEED_FROM_S`, moves with the belts through the 4.15 m between entry and exit,
and is good from `GOOD_FROM_M` metres on until the last metre.
"""

from dataclasses import replace
from math import exp, sin

import numpy as np

from rig.controller.api import QualityRecord
from rig.protocol.registers_file import default_registers
from rig.requirements import FilmTruth
from rig.trace import ChannelInfo, Recorder

REGISTERS = default_registers()
TRUTH_CHANNELS = (
    ChannelInfo("press_force_kn", "kN", "Force of all rollers on the sheet"),
    ChannelInfo("sheet_exit_temperature_c", "°C", "Mean temperature of the sheet at the exit"),
)
HEAT_ZONES = [f"heat_{n}_{side}" for n in range(1, 5) for side in ("upper", "lower")]
COLD_ZONES = [f"cold_{n}_{side}" for n in range(1, 3) for side in ("upper", "lower")]
STATION_M = {"entry": 0.845, "taper_end": 2.17, "cold": 3.4}
FORCE_KN = {"entry": 6.0, "taper_end": 31.0, "cold": 22.0}
CLEARANCE_UM = {"entry": 3200.0, "taper_end": 600.0, "cold": 600.0}
FEED_FROM_S, FEED_UNTIL_S, EXIT_M, END_S = 520.0, 1240.0, 4.15, 1560.0
SPEED_M_S = 1.0 / 60.0
GOOD_FROM_M, SHEET_M, PIECE_M = 1.0, 12.0, 0.1
MELTING_POINT_C = 135.0
STATES = (
    (0, "idle"),
    (20, "heat_up"),
    (430, "close"),
    (510, "thread"),
    (790, "produce"),
    (1250, "run_out"),
    (1500, "cool_down"),
)
IDLE = {tag.name: tag.decode([0] * tag.count) for tag in REGISTERS.tags.values()}


def values_at(time_s, rng):
    """All tags at one moment."""
    values = dict(IDLE)
    warm = 1.0 - exp(-max(time_s - 20.0, 0.0) / 90.0)
    cooling_down = exp(-max(time_s - 1500.0, 0.0) / 200.0)
    for index, zone in enumerate(HEAT_ZONES):
        ripple = 0.5 * sin(time_s / 37.0 + index)
        values[f"{zone}_temperature_c"] = 23.0 + 95.0 * warm * cooling_down + ripple + rng.normal(0, 0.1)
        values[f"{zone}_setpoint_c"] = 118.0
    for drum, warm_c in (("entry_drum", 96.0 * warm * cooling_down), ("exit_drum", -4.0)):
        for side in ("upper", "lower"):
            values[f"{drum}_{side}_temperature_c"] = 23.0 + warm_c
    values |= {"sheet_entry_temperature_c": 25.0, "sheet_exit_temperature_c": 17.1}
    values |= {"belt_upper_entry_temperature_c": 113.0, "belt_lower_entry_temperature_c": 112.0}
    values |= {"belt_upper_exit_temperature_c": 17.0, "belt_lower_exit_temperature_c": 17.4}
    for index, zone in enumerate(COLD_ZONES):
        values[f"{zone}_temperature_c"] = 15.0 + 8.0 * exp(-time_s / 80.0) + 0.3 * sin(time_s / 29.0 + index)
    closed = min(max((time_s - 430.0) / 60.0, 0.0), 1.0) - min(max((time_s - 1500.0) / 20.0, 0.0), 1.0)
    running = 450.0 <= time_s < 1500.0
    run_m = SPEED_M_S * min(max(time_s - 450.0, 0.0), 1050.0)
    for group, position_m in STATION_M.items():
        under = FEED_FROM_S <= time_s - position_m / SPEED_M_S < FEED_UNTIL_S
        for side in ("left", "right"):
            values[f"{group}_{side}_clearance_um"] = (
                6000.0 - (6000.0 - CLEARANCE_UM[group]) * closed + rng.normal(0, 1.0)
            )
            force = FORCE_KN[group] / 2 * (1.0 + 0.03 * sin(time_s / 11.0)) if under else 0.0
            values[f"{group}_{side}_line_force_kn"] = max(force + rng.normal(0, 0.05), 0.0)
    for side in ("upper", "lower"):
        values[f"belt_{side}_speed_m_min"] = 1.0 + rng.normal(0, 0.001) if running else 0.0
        values[f"belt_{side}_position_m"] = run_m
    leaving = EXIT_M / SPEED_M_S
    at_exit = FEED_FROM_S <= time_s - leaving < FEED_UNTIL_S
    at_recovered = FEED_FROM_S <= time_s - leaving - 60.0 < FEED_UNTIL_S
    values["sheet_at_entry"] = FEED_FROM_S <= time_s < FEED_UNTIL_S
    values["sheet_entry_thickness_um"] = 3000.0 + rng.normal(0, 3.0) if values["sheet_at_entry"] else 0.0
    values["exit_thickness_um"] = 640.0 + rng.normal(0, 2.0) if at_exit else 0.0
    values["recovered_thickness_um"] = 692.0 + 4.0 * sin(time_s / 70.0) + rng.normal(0, 2.0) if at_recovered else 0.0
    values["sheet_length_m"] = SPEED_M_S * min(max(time_s - FEED_FROM_S - leaving, 0.0), FEED_UNTIL_S - FEED_FROM_S)
    values["mode"] = "energised"
    return values


def record(change=None, step_s=0.5):
    """A recording of the run; `change(time_s, values)` may spoil the values of a moment."""
    recorder = Recorder(REGISTERS, TRUTH_CHANNELS)
    rng = np.random.default_rng(7)
    for index in range(int(END_S / step_s)):
        time_s = index * step_s
        time_ns = round(time_s * 1e9)
        values = values_at(time_s, rng)
        if change:
            change(time_s, values)
        recorder.sample(time_ns, values)
        force = 350.0 if FEED_FROM_S + 250.0 < time_s < FEED_UNTIL_S else 0.0
        recorder.truth_sample(time_ns, [force, 16.4])
    for time_s, state in STATES:
        recorder.event(int(time_s * 1e9), "state", state)
    recorder.event(20_000_000_000, "operator", "start")
    recorder.event(431_000_000_000, "deadline", "scan late by 3.1 ms")
    recorder.event(1_250_000_000_000, "operator", "stop")
    return recorder.recording()


def quality(**changes):
    """The controller's records of all pieces; `changes` go into every good one."""
    rng = np.random.default_rng(11)
    records = []
    for index in range(round(SHEET_M / PIECE_M)):
        start_m = index * PIECE_M
        good = GOOD_FROM_M <= start_m + 1e-9 < SHEET_M - 1.0
        recovery = 15.6 + 0.9 * sin(start_m * 1.3) + rng.normal(0, 0.25) + (9.0 * exp(-start_m * 2.2))
        record_ = QualityRecord(
            start_m=start_m,
            length_m=PIECE_M,
            time_ns=int((FEED_FROM_S + (EXIT_M + start_m) / SPEED_M_S + 60.0) * 1e9),
            entry_thickness_um=3000.0,
            minimum_clearance_um=612.0,
            recovered_thickness_um=612.0 * (1 + recovery / 100.0),
            pressure_time_min=4.15,
            recovery_percent=recovery,
            recovery_uncertainty_percent=1.2,
            rolling_coefficient=3000.0 / (612.0 * (1 + recovery / 100.0)) * 4.15,
            rolling_coefficient_uncertainty=0.4,
            hot_min_c=117.2,
            hot_max_c=118.9,
            cold_end_c=16.8,
            good=good,
            reason="" if good else "head and tail",
        )
        records.append(replace(record_, **changes) if good else record_)
    return tuple(records)


def film(**changes):
    """The truth of every parcel of 20 mm; `changes` go into every one."""
    rows = []
    for index in range(round(SHEET_M / 0.02)):
        start_m = index * 0.02
        recovery = 15.5 + 0.8 * sin(start_m * 1.3) + 9.0 * exp(-start_m * 2.2)
        row = FilmTruth(
            start_m=start_m,
            h0_um=3000.0,
            t0_um=612.0,
            exit_thickness_um=640.0,
            recovered_thickness_um=612.0 * (1 + recovery / 100.0),
            recovery_percent=recovery,
            rolling_coefficient=3000.0 / (612.0 * (1 + recovery / 100.0)) * 4.12,
            pressure_time_min=4.12,
            max_pressure_mpa=0.41,
            hot_min_c=116.3,
            hot_max_c=118.2,
            cold_end_c=16.4,
            pressure_released_between=False,
        )
        rows.append(replace(row, **changes))
    return tuple(rows)


def profile():
    """Quantities along the machine while it produces, as a virtual press tells them."""
    x_m = np.linspace(-0.3, 6.0, 316)
    gap_um = np.interp(x_m, [0.0, 1.69, 4.15], [3200.0, 600.0, 600.0])
    pressed = (x_m > 0.13) & (x_m < 4.15)
    thickness = np.where(pressed, np.minimum(gap_um * 1.02, 3000.0), 3000.0)
    after = 640.0 + 52.0 * (1 - np.exp(-np.maximum(x_m - 4.15, 0.0) / 0.6))
    thickness = np.where(x_m >= 4.15, after, thickness)
    belt = 24.0 + 94.0 / (1 + np.exp(-(x_m - 0.1) / 0.06)) - 101.0 / (1 + np.exp(-(x_m - 2.95) / 0.16))
    sheet = 25.0 + 92.0 * (1 - np.exp(-np.maximum(x_m, 0.0) / 0.35)) - 100.0 / (1 + np.exp(-(x_m - 3.08) / 0.2))
    ripple = 1.0 + 0.25 * np.sin(x_m / 0.036 * 2 * np.pi * 0.21)
    pressure = np.where(pressed, (0.05 + 0.30 * np.clip(x_m / 1.69, 0, 1) ** 2) * ripple, 0.0)
    return {
        "x_m": x_m,
        "thickness_um": thickness,
        "sheet_temperature_c": sheet,
        "belt_upper_temperature_c": belt,
        "belt_lower_temperature_c": belt - 0.8,
        "pressure_mpa": pressure,
        "gap_um": np.where((x_m >= 0) & (x_m <= 4.15), gap_um, np.nan),
    }
