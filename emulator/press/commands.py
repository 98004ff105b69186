"""What can be done to the press: commands of its actuators, and disturbances.

Both are vectors of float64 in SI units with names on their parts: what is set by name is what the compiled
kernel reads, nothing is packed in between. The caller owns them; the press reads them at every `advance` and
keeps no reference. `Commands()` is a press at rest: everything off, clearances wide open. `Disturbances()` is
neutral. Every quantity is stated once, in its class: place in the kernel's input vector, size and neutral value, and
for disturbances the range within which the model means something. Whoever takes disturbances from outside asks
`Disturbances.checked`; compiled code relies on it.
"""

from __future__ import annotations

from typing import Final

from emulator.inputs import Array, Inputs, Number, Switch

# Places in the input vector `u` of the kernel: commands first, then disturbances.
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
FEED_STIFFNESS: Final = 35
FEED_MELTING: Final = 36
FEED_QUALITY: Final = slice(FEED_THICKNESS, FEED_MELTING + 1)
"""What the process before the press delivers, which no node commands."""
COMMAND_COUNT: Final = 37

STUCK_ON: Final = 37
HEATER_SCALE: Final = 49
DRUM_SCALE: Final = 61
TENSION_SCALE: Final = 63
STEERING_DISTURBANCE: Final = 65
TORQUE_SCALE: Final = 67
FRICTION_SCALE: Final = 69
CLEARANCE_OFFSET: Final = 71
COOLANT_OFFSET: Final = 77
COOLANT_SCALE: Final = 78
FEED_SCALE: Final = 79
CLEARANCE_SENSOR_OFFSET: Final = 80
RUNOUT: Final = 86
MISSING_ROLLER: Final = 87
RIPPLE: Final = 88
RIPPLE_LENGTH: Final = 89
SOLIDS: Final = 90
INPUT_COUNT: Final = 91


class Commands(Inputs):
    """Actuator commands; the order of array elements is that of `signals.PLATES` and `signals.ACTUATORS`."""

    __slots__ = ()
    COUNT = COMMAND_COUNT

    zone_output = Array(ZONE, 12)
    """Heater output of heat zones, coolant valve opening of cold zones, 0..1."""
    drum_output = Array(DRUM, 2)
    """Heater output of the entry drums (upper, lower), 0..1."""
    clearance_setpoint_m = Array(CLEARANCE, 6, neutral=6e-3)
    speed_setpoint_m_s = Array(SPEED, 2)
    drives_on = Array(DRIVES_ON, 2)
    """1.0 where the drive (upper, lower) is enabled."""
    steering_rad = Array(STEERING, 2)
    tension_setpoint_n_m = Number(TENSION)
    tension_on = Switch(TENSION_ON)
    hydraulics_on = Switch(HYDRAULICS_ON)
    """Without it clearances hold where they are."""
    dump = Switch(DUMP)
    """Fast opening; overrides set points and hydraulics."""
    brake = Switch(BRAKE)
    """Emergency stop of both belts."""
    coolant_flow_fraction = Number(COOLANT_FLOW)
    feed = Switch(FEED)
    feed_thickness_m = Number(FEED_THICKNESS, neutral=3e-3)
    feed_temperature_k = Number(FEED_TEMPERATURE, neutral=298.15)
    feed_stiffness = Number(FEED_STIFFNESS, neutral=1.0)
    """Moduli of the sheet over those of the material."""
    feed_melting_shift_k = Number(FEED_MELTING)
    """Its melting point less that of the material."""


class Disturbances(Inputs):
    """Things that go wrong, as physical quantities; the defaults disturb nothing."""

    __slots__ = ()
    FIRST = COMMAND_COUNT
    COUNT = INPUT_COUNT - COMMAND_COUNT

    heater_stuck_on = Array(STUCK_ON, 12, within=(0.0, 1.0))
    """1.0: this zone runs at full output whatever is commanded."""
    heater_scale = Array(HEATER_SCALE, 12, neutral=1.0, within=(0.0, 2.0))
    """Part of the zone output that arrives; 0.0 is a lost heater or a closed valve."""
    drum_scale = Array(DRUM_SCALE, 2, neutral=1.0, within=(0.0, 2.0))
    tension_scale = Array(TENSION_SCALE, 2, neutral=1.0, within=(0.0, 2.0))
    steering_disturbance_rad = Array(STEERING_DISTURBANCE, 2, within=(-0.1, 0.1), unit="rad")
    drive_torque_scale = Array(TORQUE_SCALE, 2, neutral=1.0, within=(0.0, 10.0))
    roller_friction_scale = Array(FRICTION_SCALE, 2, neutral=1.0, within=(0.0, 100.0))
    clearance_offset_m = Array(CLEARANCE_OFFSET, 6, within=(-10e-3, 10e-3), unit="m")
    """Added to the place an actuator goes to: a shifted or worn actuator."""
    coolant_supply_offset_k = Number(COOLANT_OFFSET, within=(-15.0, 80.0), unit="K")
    coolant_flow_scale = Number(COOLANT_SCALE, neutral=1.0, within=(0.0, 2.0))
    feed_thickness_scale = Number(FEED_SCALE, neutral=1.0, within=(0.2, 3.0))
    clearance_sensor_offset_m = Array(CLEARANCE_SENSOR_OFFSET, 6, within=(-10e-3, 10e-3), unit="m")
    """Added to what the clearance sensors see: a shifted sensor, which the press itself does not notice."""
    roller_runout_m = Number(RUNOUT, within=(0.0, 1e-3), unit="m")
    """Amplitude of the gap's ripple by rollers that are out of round; neighbours differ by the golden angle."""
    missing_roller_m = Number(MISSING_ROLLER, neutral=-1.0, within=(-1.0, 50.0), unit="m")
    """Place of a roller pair that is missing, from the entry of the press; negative: none is."""
    feed_ripple_fraction = Number(RIPPLE, within=(0.0, 0.5))
    """Amplitude of a ripple of the feed's thickness, as part of the thickness."""
    feed_ripple_length_m = Number(RIPPLE_LENGTH, neutral=0.5, within=(0.01, 100.0), unit="m")
    """Wavelength of that ripple along the sheet."""
    feed_solids_deviation = Number(SOLIDS, within=(-0.5, 1.0))
    """Relative deviation of the solids fraction: 0.1 is 22 % where 20 % were ordered; oil that has bled off."""
