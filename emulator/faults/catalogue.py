"""The catalogue: everything that can go wrong with the press, its instruments, its material and its supply.

One entry per fault, as data. What can go wrong on the wire is in `emulator.wire.faults.KINDS`; `press-rig faults` and
docs/faults.md show both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from emulator.faults.kinds import Act, Amount, At, Instrument, Kind

__all__ = ["CATALOGUE"]

ON_OFF: Final = ("step", "intermittent")
PERCENT_OF_SPAN: Final = "% of span"
SPIKES_PER_READING: Final = 0.02
PHASES: Final = 3
INSTANT: Final = 1e9


def _input(part: str, field: str, value: Callable[[float], float], every: int | None = None) -> Act:
    return Act(At.INPUT, part, field, lambda amount, _: value(amount), every)


def _sensor(field: str, value: Callable[[float, Instrument], float]) -> Act:
    def known(amount: float, instrument: Instrument | None) -> float:
        assert instrument is not None
        return value(amount, instrument)

    return Act(At.SENSOR, "", field, known)


def _constant(value: float) -> Callable[[float], float]:
    return lambda _: value


def _same(amount: float) -> float:
    return amount


def _lost(amount: float) -> float:
    return 1.0 - amount


def _shows(value: Callable[[Instrument], float], gain: float = 0.0) -> tuple[Act, ...]:
    """A sensor whose signal is another: what makes it slow is not in the way of that."""
    return (
        _sensor("gain", lambda _, of: gain),
        _sensor("offset", lambda _, of: value(of)),
        _sensor("swiftness", lambda _, of: INSTANT),
    )


def _held(part: str) -> tuple[Act, ...]:
    return (_input(part, "held", _constant(1.0)),)


SENSORS: Final[Mapping[str, Kind]] = {
    "sensor_stuck": Kind(
        "sensor", "the reading stays what it was", (_sensor("held", lambda _, of: 1.0),), "sensor",
        onsets=ON_OFF, noticed_when="the quantity changes", noticed_by=("controller",),
    ),
    "sensor_offset": Kind(
        "sensor", "the reading is off by a constant",
        (_sensor("offset", lambda amount, of: amount / 100.0 * of.span),), "sensor",
        Amount("offset", PERCENT_OF_SPAN, -50.0, 50.0, 2.0), noticed_by=("controller", "zone_deviation"),
    ),
    "sensor_drift": Kind(
        "sensor", "the reading drifts away from the truth, and stays off",
        (_sensor("offset", lambda amount, of: amount / 100.0 * of.span),), "sensor",
        Amount("offset in the end", PERCENT_OF_SPAN, -50.0, 50.0, 2.0), onsets=("ramp",), reversible=False,
        noticed_when="it has drifted far enough", noticed_by=("controller",),
    ),
    "sensor_gain": Kind(
        "sensor", "the reading is off in proportion", (_sensor("gain", lambda amount, of: 1.0 + amount / 100.0),),
        "sensor", Amount("error of the gain", "%", -50.0, 100.0, 5.0), noticed_by=("controller",),
    ),
    "sensor_noise": Kind(
        "sensor", "the reading is noisier", (_sensor("noise", lambda amount, of: amount / 100.0 * of.span),), "sensor",
        Amount("standard deviation", PERCENT_OF_SPAN, 0.01, 20.0, 1.0), noticed_by=("controller",),
    ),
    "sensor_spikes": Kind(
        "sensor", "one reading in fifty is far off, up or down",
        (
            _sensor("spike", lambda amount, of: amount / 100.0 * of.span),
            _sensor("spike_probability", lambda _, of: SPIKES_PER_READING),
        ),
        "sensor", Amount("size of a spike", PERCENT_OF_SPAN, 0.1, 100.0, 10.0), onsets=ON_OFF,
        noticed_by=("controller",),
    ),
    "sensor_slow": Kind(
        "sensor", "the reading lags, as from a dirty well", (_sensor("swiftness", lambda amount, of: 1.0 / amount),),
        "sensor", Amount("times as slow", "", 1.5, 1000.0, 20.0), onsets=("step",),
        noticed_when="the quantity changes", noticed_by=("controller",),
    ),
    "signal_lost": Kind(
        "sensor", "the signal is gone: the beginning of the scale is shown", _shows(lambda of: of.low), "sensor",
        onsets=ON_OFF, noticed_by=("controller", "sensor_range", "tension_loss", "coolant_loss"),
    ),
    "signal_shorted": Kind(
        "sensor", "the signal is tied to the supply: the end of the scale is shown", _shows(lambda of: of.high),
        "sensor", onsets=ON_OFF, noticed_by=("controller", "sensor_range", "over_temperature", "over_force"),
    ),
    "thermocouple_open": Kind(
        "sensor", "the wire is broken: the card drives the reading to the end of the scale",
        _shows(lambda of: of.high), "thermometer", onsets=ON_OFF, noticed_by=("over_temperature", "sensor_range"),
    ),
    "thermocouple_shorted": Kind(
        "sensor", "the wires touch on the way: the temperature of the hall is shown", _shows(lambda of: of.ambient),
        "thermometer", onsets=ON_OFF, noticed_by=("zone_deviation", "controller"),
    ),
    "thermocouple_reversed": Kind(
        "sensor", "the wires are swapped: the reading falls when it gets hotter",
        _shows(lambda of: 2.0 * of.ambient, gain=-1.0), "thermometer", onsets=("step",), reversible=False,
        noticed_by=("zone_deviation", "sensor_range", "controller"),
    ),
    "sensors_swapped": Kind(
        "sensor", "the two sides are connected the wrong way round", (_sensor("source", lambda _, of: of.partner),),
        "pair of sensors", onsets=("step",), reversible=False, noticed_when="the two sides differ",
        noticed_by=("controller",),
    ),
    "frozen_image": Kind(
        "sensor", "the node's input card hangs: all its readings stand, and its heartbeat goes on",
        (_sensor("held", lambda _, of: 1.0),), "node", onsets=ON_OFF, noticed_when="a quantity changes",
        noticed_by=("controller",),
    ),
    "clearance_sensor_shifted": Kind(
        "sensor", "a clearance sensor sits off its place",
        (_input("clearance_sensor_offset_m", "offset", lambda amount: amount * 1e-6),), "clearance actuator",
        Amount("shift", "µm", -2000.0, 2000.0, 100.0), noticed_when="sheet is rolled", noticed_by=("quality", "CLM-1"),
    ),
}  # fmt: skip

ACTUATORS: Final[Mapping[str, Kind]] = {
    "heater_limited": Kind(
        "actuator", "the output of a zone saturates early", (_input("zone_output", "high", _same),), "zone",
        Amount("largest output", "", 0.0, 0.95, 0.3), onsets=ON_OFF, noticed_when="more is asked for",
        noticed_by=("zone_deviation", "controller"),
    ),
    "heater_leaks": Kind(
        "actuator", "the switch of a zone never quite opens", (_input("zone_output", "low", _same),), "zone",
        Amount("smallest output", "", 0.05, 1.0, 0.3), onsets=ON_OFF, noticed_when="less is asked for",
        noticed_by=("zone_deviation", "over_temperature"),
    ),
    "heater_output_stuck": Kind(
        "actuator", "the output of a zone stays what it was", _held("zone_output"), "zone", onsets=ON_OFF,
        noticed_when="another is asked for", noticed_by=("zone_deviation", "over_temperature"),
    ),
    "drum_heater_limited": Kind(
        "actuator", "the output of an entry drum saturates early", (_input("drum_output", "high", _same),),
        "entry drum", Amount("largest output", "", 0.0, 0.95, 0.1), onsets=ON_OFF, noticed_when="more is asked for",
        noticed_by=("zone_deviation", "controller"),
    ),
    "clearance_stuck": Kind(
        "actuator", "a clearance stays where it was told to be", _held("clearance_setpoint_m"), "clearance actuator",
        onsets=ON_OFF, noticed_when="another is asked for", noticed_by=("controller", "quality"),
    ),
    "clearance_slow": Kind(
        "actuator", "a clearance creeps to where it is told to be",
        (_input("clearance_setpoint_m", "rate", lambda amount: amount * 1e-6),), "clearance actuator",
        Amount("speed", "µm/s", 1.0, 1000.0, 20.0), onsets=ON_OFF, noticed_when="another is asked for",
        noticed_by=("controller",),
    ),
    "clearance_backlash": Kind(
        "actuator", "the spindle of a clearance has play",
        (_input("clearance_setpoint_m", "backlash", lambda amount: 0.5e-6 * amount),), "clearance actuator",
        Amount("play", "µm", 1.0, 1000.0, 60.0), onsets=("step",), reversible=False,
        noticed_when="the direction changes", noticed_by=("controller", "quality"),
    ),
    "clearance_creeps": Kind(
        "actuator", "a cylinder leaks: its clearance opens, whatever the spindle says",
        (_input("clearance_offset_m", "offset", lambda amount: amount * 1e-6),), "clearance actuator",
        Amount("opening in the end", "µm", 10.0, 5000.0, 200.0), onsets=("ramp",), reversible=False,
        noticed_when="sheet is rolled", noticed_by=("quality", "CLM-4", "controller"),
    ),
    "drive_lost": Kind(
        "actuator", "a drive drops out", (_input("drives_on", "gain", _constant(0.0)),), "belt", onsets=ON_OFF,
        noticed_when="it turns", noticed_by=("speed_mismatch", "speed_difference", "CLM-3"),
    ),
    "drive_slow": Kind(
        "actuator", "a drive follows its set point slowly",
        (_input("speed_setpoint_m_s", "rate", lambda amount: amount / 60.0),), "belt",
        Amount("acceleration", "m/min per s", 0.001, 1.0, 0.01), onsets=ON_OFF,
        noticed_when="another speed is asked for", noticed_by=("speed_difference", "speed_mismatch", "CLM-3"),
    ),
    "drive_limited": Kind(
        "actuator", "a drive does not turn faster", (_input("speed_setpoint_m_s", "high", lambda a: a / 60.0),), "belt",
        Amount("largest speed", "m/min", 0.0, 20.0, 0.5), onsets=ON_OFF, noticed_when="more is asked for",
        noticed_by=("speed_difference", "speed_mismatch", "CLM-3"),
    ),
    "drive_runs_on": Kind(
        "actuator", "a drive keeps its speed", _held("speed_setpoint_m_s"), "belt", onsets=ON_OFF,
        noticed_when="another speed is asked for", noticed_by=("speed_difference", "speed_mismatch"),
    ),
    "steering_stuck": Kind(
        "actuator", "a steering roller stays where it is", _held("steering_rad"), "belt", onsets=ON_OFF,
        noticed_when="the belt runs off", noticed_by=("tracking_limit", "mistracking"),
    ),
    "steering_reversed": Kind(
        "actuator", "a steering roller turns the wrong way", (_input("steering_rad", "gain", _constant(-1.0)),), "belt",
        onsets=("step",), reversible=False, noticed_when="it is steered", noticed_by=("tracking_limit", "mistracking"),
    ),
    "steering_backlash": Kind(
        "actuator", "the spindle of a steering roller has play",
        (_input("steering_rad", "backlash", lambda amount: 0.5e-3 * amount),), "belt",
        Amount("play", "mrad", 0.01, 50.0, 1.0), onsets=("step",), reversible=False,
        noticed_when="the direction changes", noticed_by=("tracking_limit", "controller"),
    ),
    "tension_stuck": Kind(
        "actuator", "the tension cylinders stay where they are", _held("tension_setpoint_n_m"), onsets=ON_OFF,
        noticed_when="another tension is asked for", noticed_by=("low_tension", "tension_loss"),
    ),
    "tension_slow": Kind(
        "actuator", "the tension builds up slowly",
        (_input("tension_setpoint_n_m", "rate", lambda amount: amount * 1e3),), "",
        Amount("rate", "kN/m per s", 0.001, 5.0, 0.05), onsets=ON_OFF, noticed_when="another tension is asked for",
        noticed_by=("low_tension", "tension_loss"),
    ),
    "hydraulics_lost": Kind(
        "actuator", "the pump of the hydraulics stops: clearances hold where they are",
        (_input("hydraulics_on", "gain", _constant(0.0)),), onsets=ON_OFF, noticed_when="it was on",
        noticed_by=("controller",),
    ),
    "dump_stuck": Kind(
        "actuator", "the dump valve does not open: the press stays closed in an emergency",
        (_input("dump", "gain", _constant(0.0)),), onsets=ON_OFF, noticed_when="the press is to open fast",
        noticed_by=("controller",),
    ),
    "dump_opens": Kind(
        "actuator", "the dump valve opens by itself", (_input("dump", "low", _constant(1.0)),), onsets=ON_OFF,
        noticed_by=("quality", "CLM-4", "controller"),
    ),
    "brake_worn": Kind(
        "actuator", "the brakes do not hold", (_input("brake", "gain", _constant(0.0)),), onsets=ON_OFF,
        noticed_when="the belts are braked", noticed_by=("controller",),
    ),
    "brake_closes": Kind(
        "actuator", "the brakes close by themselves", (_input("brake", "low", _constant(1.0)),), onsets=ON_OFF,
        noticed_when="the belts move", noticed_by=("drive_limit", "controller"),
    ),
    "feed_runs_on": Kind(
        "actuator", "the feed goes on as it was", _held("feed"), onsets=ON_OFF, noticed_when="it is to stop or start",
        noticed_by=("controller",),
    ),
    "coolant_valve_limited": Kind(
        "actuator", "the main valve of the coolant does not open further",
        (_input("coolant_flow_fraction", "high", _same),), "", Amount("largest opening", "", 0.0, 0.95, 0.3),
        onsets=ON_OFF, noticed_when="more is asked for", noticed_by=("coolant_loss", "zone_deviation"),
    ),
}  # fmt: skip

MACHINE: Final[Mapping[str, Kind]] = {
    "heater_lost": Kind(
        "machine", "the heater of a zone is gone, or the valve of a cold one", (_input("heater_scale", "gain", _lost),),
        "zone", Amount("part that is lost", "", 0.5, 1.0, 1.0), noticed_by=("zone_deviation", "CLM-5"),
    ),
    "heater_element_lost": Kind(
        "machine", "one of the elements of a zone is gone", (_input("heater_scale", "gain", _lost),), "heat zone",
        Amount("part that is lost", "", 0.05, 0.5, 1.0 / 3.0), onsets=("step",), reversible=False,
        noticed_when="nearly all of it is needed", noticed_by=("zone_deviation",),
    ),
    "heater_stuck_on": Kind(
        "machine", "the contacts of a zone are welded: it heats, whatever is asked for",
        (_input("heater_stuck_on", "offset", _constant(1.0)),), "heat zone", onsets=ON_OFF,
        noticed_by=("over_temperature", "zone_deviation", "CLM-5"),
    ),
    "drum_heater_lost": Kind(
        "machine", "the heater of an entry drum is gone", (_input("drum_scale", "gain", _lost),), "entry drum",
        Amount("part that is lost", "", 0.05, 1.0, 1.0), noticed_by=("zone_deviation", "controller"),
    ),
    "clearance_shifted": Kind(
        "machine", "a clearance actuator is worn, or has slipped",
        (_input("clearance_offset_m", "offset", lambda amount: amount * 1e-6),), "clearance actuator",
        Amount("shift", "µm", -500.0, 5000.0, 100.0), noticed_when="sheet is rolled", noticed_by=("quality", "CLM-1"),
    ),
    "roller_bearing": Kind(
        "machine", "the bearings of the rollers run dry", (_input("roller_friction_scale", "gain", _same),), "belt",
        Amount("friction, times", "", 1.5, 100.0, 20.0), noticed_when="the press is loaded",
        noticed_by=("drive_limit", "speed_difference", "controller"),
    ),
    "roller_missing": Kind(
        "machine", "a pair of rollers is missing", (_input("missing_roller_m", "offset", lambda place: place + 1.0),),
        "", Amount("place from the entry", "m", 0.0, 50.0, 1.0), onsets=("step",), reversible=False,
        noticed_when="sheet is rolled", noticed_by=("quality", "CLM-1", "CLM-4"),
    ),
    "roller_runout": Kind(
        "machine", "rollers are out of round", (_input("roller_runout_m", "offset", lambda amount: amount * 1e-6),),
        "", Amount("amplitude", "µm", 1.0, 1000.0, 50.0), noticed_when="sheet is rolled", noticed_by=("quality",),
    ),
    "drive_weak": Kind(
        "machine", "a drive has less torque than it should",
        (_input("drive_torque_scale", "gain", _lost),), "belt", Amount("part that is lost", "", 0.05, 1.0, 0.8),
        noticed_when="it needs the torque", noticed_by=("drive_limit", "speed_difference", "speed_mismatch"),
    ),
    "belt_slip": Kind(
        "machine", "a belt slips on its drum", (_input("speed_setpoint_m_s", "gain", lambda a: 1.0 - a / 100.0),),
        "belt", Amount("slip", "%", 0.05, 50.0, 1.0), noticed_when="it moves",
        noticed_by=("speed_difference", "speed_mismatch", "CLM-3"),
    ),
    "belt_runs_off": Kind(
        "machine", "a belt is driven off its track",
        (_input("steering_disturbance_rad", "offset", lambda amount: amount * 1e-3),), "belt",
        Amount("as if steered by", "mrad", -100.0, 100.0, 2.0), noticed_when="it moves",
        noticed_by=("tracking_limit", "mistracking"),
    ),
    "tension_loss": Kind(
        "machine", "the tension of a belt is lost", (_input("tension_scale", "gain", _lost),), "belt",
        Amount("part that is lost", "", 0.01, 1.0, 0.5), noticed_when="it is tensioned",
        noticed_by=("low_tension", "tension_loss"),
    ),
    "chiller_warm": Kind(
        "machine", "the coolant comes too warm, or too cold", (_input("coolant_supply_offset_k", "offset", _same),), "",
        Amount("warmer by", "K", -15.0, 80.0, 15.0), noticed_by=("zone_deviation", "CLM-5", "controller"),
    ),
    "coolant_pump_weak": Kind(
        "machine", "the pump of the coolant delivers less", (_input("coolant_flow_scale", "gain", _lost),), "",
        Amount("part that is lost", "", 0.05, 1.0, 1.0), noticed_when="coolant is needed",
        noticed_by=("coolant_loss", "zone_deviation"),
    ),
}  # fmt: skip

MATERIAL: Final[Mapping[str, Kind]] = {
    "sheet_thickness": Kind(
        "material", "the sheet that comes is thicker, or thinner", (_input("feed_thickness_scale", "gain", _same),), "",
        Amount("thickness, times", "", 0.2, 3.0, 1.2), noticed_when="sheet is fed",
        noticed_by=("controller", "quality"),
    ),
    "sheet_ripple": Kind(
        "material", "the sheet that comes is thick and thin in turn, every half metre",
        (_input("feed_ripple_fraction", "offset", _same),), "",
        Amount("amplitude, of the thickness", "", 0.001, 0.5, 0.1), noticed_when="sheet is fed",
        noticed_by=("quality",),
    ),
    "splice": Kind(
        "material", "two sheets lie on one another", (_input("feed_thickness_scale", "gain", _constant(2.0)),),
        onsets=ON_OFF, noticed_when="sheet is fed", noticed_by=("high_force", "over_force", "quality"),
    ),
    "solids": Kind(
        "material", "the gel has more solids than it should, or less: it bled oil, or it is wet",
        (_input("feed_solids_deviation", "offset", lambda amount: amount / 100.0),), "",
        Amount("deviation, of the solids", "%", -50.0, 100.0, 10.0), noticed_when="sheet is fed",
        noticed_by=("quality",),
    ),
    "gel_stiff": Kind(
        "material", "the gel is stiffer than it should be, or softer", (_input("feed_stiffness", "gain", _same),), "",
        Amount("moduli, times", "", 0.2, 5.0, 1.5), noticed_when="sheet is fed",
        noticed_by=("quality", "high_force", "CLM-1"),
    ),
    "gel_melts_elsewhere": Kind(
        "material", "the gel melts at another temperature", (_input("feed_melting_shift_k", "offset", _same),), "",
        Amount("higher by", "K", -30.0, 10.0, 3.0), noticed_when="sheet is fed", noticed_by=("quality", "CLM-1"),
    ),
    "sheet_temperature": Kind(
        "material", "the sheet that comes is warmer, or colder", (_input("feed_temperature_k", "offset", _same),), "",
        Amount("warmer by", "K", -25.0, 100.0, 20.0), noticed_when="sheet is fed", noticed_by=("controller", "quality"),
    ),
    "web_end": Kind(
        "material", "there is no more sheet to feed", (_input("feed", "gain", _constant(0.0)),), onsets=ON_OFF,
        noticed_when="sheet is fed", noticed_by=("controller",),
    ),
}  # fmt: skip

POWER: Final[Mapping[str, Kind]] = {
    "mains_dip": Kind(
        "power", "the mains are gone for heaters, drives and pumps; the node lives on its battery",
        (
            _input("zone_output", "gain", _constant(0.0), every=1),
            _input("drum_output", "gain", _constant(0.0), every=1),
            _input("drives_on", "gain", _constant(0.0), every=1),
            _input("hydraulics_on", "gain", _constant(0.0)),
            _input("coolant_flow_fraction", "gain", _constant(0.0)),
        ),
        onsets=ON_OFF, noticed_when="anything runs", noticed_by=("coolant_loss", "controller"),
    ),
    "phase_loss": Kind(
        "power", "one of three phases is gone: every third heater, and a third of the torque of the drives",
        (
            _input("heater_scale", "gain", _constant(0.0), every=PHASES),
            _input("drive_torque_scale", "gain", _constant(1.0 - 1.0 / PHASES), every=1),
        ),
        onsets=ON_OFF, noticed_when="zones heat", noticed_by=("zone_deviation", "CLM-5"),
    ),
}  # fmt: skip

CATALOGUE: Final[Mapping[str, Kind]] = {**SENSORS, **ACTUATORS, **MACHINE, **MATERIAL, **POWER}
"""Everything but the wire, by name."""
