"""What can be done to the press: commands of its actuators, and disturbances.

Both are plain mutable records in SI units that the caller owns; the press reads
them at every `advance` and keeps no reference. `Commands()` is a press at rest:
everything off, clearances wide open. `Disturbances()` is neutral.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def _array(count: int, value: float = 0.0) -> Floats:
    return np.full(count, value)


@dataclass(slots=True)
class Commands:
    """Actuator commands; the order of array elements is that of `signals.PLATES` and `signals.ACTUATORS`."""

    zone_output: Floats = field(default_factory=lambda: _array(12))
    """Heater output of heat zones, coolant valve opening of cold zones, 0..1."""
    drum_output: Floats = field(default_factory=lambda: _array(2))
    """Heater output of the entry drums (upper, lower), 0..1."""
    clearance_setpoint_m: Floats = field(default_factory=lambda: _array(6, 6e-3))
    speed_setpoint_m_s: Floats = field(default_factory=lambda: _array(2))
    drives_on: Floats = field(default_factory=lambda: _array(2))
    """1.0 where the drive (upper, lower) is enabled."""
    steering_rad: Floats = field(default_factory=lambda: _array(2))
    tension_setpoint_n_m: float = 0.0
    tension_on: bool = False
    hydraulics_on: bool = False
    """Without it clearances hold where they are."""
    dump: bool = False
    """Fast opening; overrides set points and hydraulics."""
    brake: bool = False
    """Emergency stop of both belts."""
    coolant_flow_fraction: float = 0.0
    feed: bool = False
    feed_thickness_m: float = 3e-3
    feed_temperature_k: float = 298.15


@dataclass(slots=True)
class Disturbances:
    """Things that go wrong, as physical quantities; the defaults disturb nothing."""

    heater_stuck_on: Floats = field(default_factory=lambda: _array(12))
    """1.0: this zone runs at full output whatever is commanded."""
    heater_scale: Floats = field(default_factory=lambda: _array(12, 1.0))
    """Part of the zone output that arrives; 0.0 is a lost heater or a closed valve."""
    drum_scale: Floats = field(default_factory=lambda: _array(2, 1.0))
    tension_scale: Floats = field(default_factory=lambda: _array(2, 1.0))
    steering_disturbance_rad: Floats = field(default_factory=lambda: _array(2))
    drive_torque_scale: Floats = field(default_factory=lambda: _array(2, 1.0))
    roller_friction_scale: Floats = field(default_factory=lambda: _array(2, 1.0))
    clearance_offset_m: Floats = field(default_factory=lambda: _array(6))
    """Added to the place an actuator goes to: a shifted or worn actuator."""
    coolant_supply_offset_k: float = 0.0
    coolant_flow_scale: float = 1.0
    feed_thickness_scale: float = 1.0


# Places in the vector that the compiled kernel reads; `pack` is the one writer.
ZONE: Final = 0
DRUM: Final = 12
CLEARANCE: Final = 14
SPEED: Final = 20
DRIVES_ON: Final = 22
STEERING: Final = 24
TENSION: Final = 26
TENSION_ON: Final = 27
HYDRAULICS_ON: Final = 28
DUMP: Final = 29
BRAKE: Final = 30
COOLANT_FLOW: Final = 31
FEED: Final = 32
FEED_THICKNESS: Final = 33
FEED_TEMPERATURE: Final = 34

STUCK_ON: Final = 35
HEATER_SCALE: Final = 47
DRUM_SCALE: Final = 59
TENSION_SCALE: Final = 61
STEERING_DISTURBANCE: Final = 63
TORQUE_SCALE: Final = 65
FRICTION_SCALE: Final = 67
CLEARANCE_OFFSET: Final = 69
COOLANT_OFFSET: Final = 75
COOLANT_SCALE: Final = 76
FEED_SCALE: Final = 77
INPUT_COUNT: Final = 78


def pack(commands: Commands, disturbances: Disturbances, out: Floats) -> None:
    """Write both records into the input vector of the kernel."""
    out[ZONE:DRUM] = commands.zone_output
    out[DRUM:CLEARANCE] = commands.drum_output
    out[CLEARANCE:SPEED] = commands.clearance_setpoint_m
    out[SPEED:DRIVES_ON] = commands.speed_setpoint_m_s
    out[DRIVES_ON:STEERING] = commands.drives_on
    out[STEERING:TENSION] = commands.steering_rad
    out[TENSION] = commands.tension_setpoint_n_m
    out[TENSION_ON] = commands.tension_on
    out[HYDRAULICS_ON] = commands.hydraulics_on
    out[DUMP] = commands.dump
    out[BRAKE] = commands.brake
    out[COOLANT_FLOW] = commands.coolant_flow_fraction
    out[FEED] = commands.feed
    out[FEED_THICKNESS] = commands.feed_thickness_m
    out[FEED_TEMPERATURE] = commands.feed_temperature_k
    out[STUCK_ON:HEATER_SCALE] = disturbances.heater_stuck_on
    out[HEATER_SCALE:DRUM_SCALE] = disturbances.heater_scale
    out[DRUM_SCALE:TENSION_SCALE] = disturbances.drum_scale
    out[TENSION_SCALE:STEERING_DISTURBANCE] = disturbances.tension_scale
    out[STEERING_DISTURBANCE:TORQUE_SCALE] = disturbances.steering_disturbance_rad
    out[TORQUE_SCALE:FRICTION_SCALE] = disturbances.drive_torque_scale
    out[FRICTION_SCALE:CLEARANCE_OFFSET] = disturbances.roller_friction_scale
    out[CLEARANCE_OFFSET:COOLANT_OFFSET] = disturbances.clearance_offset_m
    out[COOLANT_OFFSET] = disturbances.coolant_supply_offset_k
    out[COOLANT_SCALE] = disturbances.coolant_flow_scale
    out[FEED_SCALE] = disturbances.feed_thickness_scale
