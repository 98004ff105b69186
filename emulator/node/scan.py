"""One scan of the node, compiled: from the truth through the sensors to actuators and registers.

    sense  →  judge interlocks  →  withdraw commands  →  close loops and command actuators  →  publish

The rule: the scan writes the whole image before anybody can look, so what the bus reads never tears.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.image import bit, decode, put_bit, put_f32, put_word, show, word
from emulator.node.interlocks import (
    BRAKING,
    DRIVES,
    EMERGENCY_STOP,
    FEEDING,
    HEATING,
    OPENING,
    Sensed,
    find_causes,
    judge,
)
from emulator.node.loops import COOLED, LOOP_COUNT, scan_loop
from emulator.node.program import CLEARANCES, COOLANT, SPEEDS, STEERING, TENSIONS, WATCHDOG, Program
from emulator.node.state import FORCES, QUEUE, SETPOINT_COUNT, NodeMemory
from emulator.press import commands as to
from emulator.press import signals
from emulator.sensors import SensorRow, read_sensors

__all__ = ["COOLS", "HOT_C", "PLATE_COUNT", "SENSOR_RANGE_C", "scan_node"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OPEN_UM: Final = 5500.0
"""A station counts as open from here on; fully open is 6000 µm."""
MOVING_M_MIN: Final = 0.05
"""A belt counts as moving from here on."""
DRIVEN_M_MIN: Final = 0.1
"""Below this a speed difference in percent is mostly noise."""
HOT_C: Final = 60.0
"""A zone counts as hot, and needs its coolant, from here on."""
HYDRAULICS_READY_BAR: Final = 100.0
TENSION_READY_FRACTION: Final = 0.9
PRESSING_KN: Final = 1.0
SENSOR_RANGE_C: Final = (-45.0, 350.0)
"""A zone reading outside is a broken sensor rather than a temperature."""

ENTRY: Final = 0
EXIT: Final = 1
RECOVERED: Final = 2
"""Places of gauges."""

COOLS: Final = np.array(COOLED)
PLATE_COUNT: Final = len(signals.PLATES)


@njit(cache=True, error_model="numpy")
def scan_node(
    now_ns: int,
    truth: Floats,
    inputs: Floats,
    rows: Sequence[SensorRow],
    readings: Floats,
    s: NodeMemory,
    k: Program,
    image: Bytes,
) -> None:
    """Scan at `now_ns`: reads `truth` through the sensors, refreshes the commands in `s` and the image.

    Args:
        now_ns: time, ns.
        truth: what perfect instruments would read, SI.
        inputs: the kernel's inputs, for the disturbances of sensors.
        rows: the sensors.
        readings: what they remember (`SensorState`).
        s: the node's state.
        k: its program.
        image: its registers.
    """
    read_sensors(truth, inputs, rows, s.scans, readings, image)
    if s.elsewhere != 0:
        s.scans += 1
        return
    values = readings[1]
    for i in range(SETPOINT_COUNT):
        s.setpoints[i] = decode(image, k.setpoints[i])
    sensed = _sense(now_ns, values, s, k, image)
    find_causes(s.interlocks.present, sensed, k.limits)
    judge(s.interlocks, now_ns, bit(image, k.coil.alarm_reset))
    put_bit(image, k.coil.alarm_reset, False)
    _withdraw(s, k, image)
    _command(values, s, k, image)
    s.scans += 1
    _publish(now_ns, values, sensed, s, k, image)


@njit(cache=True, error_model="numpy")
def _smallest(values: Floats, places: Ints) -> float:
    found = np.inf
    for place in places:
        found = min(found, values[place])
    return found


@njit(cache=True, error_model="numpy")
def _largest(values: Floats, places: Ints) -> float:
    found = -np.inf
    for place in places:
        found = max(found, values[place])
    return found


@njit(cache=True, error_model="numpy")
def _farthest(values: Floats, places: Ints) -> float:
    """Largest deviation from 0."""
    return max(_largest(values, places), -_smallest(values, places))


@njit(cache=True, error_model="numpy")
def _sense(now_ns: int, values: Floats, s: NodeMemory, k: Program, image: Bytes) -> Sensed:
    """What the interlocks look at."""
    heating = bit(image, k.coil.heating_enable)
    driving = bit(image, k.coil.drives_enable)
    hottest = _hottest(values, s, k)
    slowest, fastest = _smallest(values, k.sensor.speeds), _largest(values, k.sensor.speeds)
    wanted = s.setpoints[TENSIONS : TENSIONS + 2]
    tension_wanted = bit(image, k.coil.tension_enable) and driving and min(wanted[0], wanted[1]) > 0.0
    fraction = 1.0
    if tension_wanted:
        tensions = k.sensor.tensions
        fraction = min(values[tensions[0]] / wanted[0], values[tensions[1]] / wanted[1])
    return Sensed(
        s.emergency_stop_pressed != 0 or bit(image, k.coil.emergency_stop),
        s.guard_open != 0,
        hottest,
        _largest(values, k.sensor.forces),
        fraction,
        tension_wanted,
        _farthest(values, k.sensor.edges),
        100.0 * (fastest - slowest) / fastest if fastest > DRIVEN_M_MIN else 0.0,
        driving,
        values[k.sensor.coolant_flow],
        heating or (bit(image, k.coil.cooling_enable) and hottest > HOT_C),
        _watchdog_left_s(now_ns, s, k, image) <= 0.0,
    )


@njit(cache=True, error_model="numpy")
def _hottest(values: Floats, s: NodeMemory, k: Program) -> float:
    """The hottest of zones and drums; of temperature controllers elsewhere, as far as their relays tell."""
    found = -np.inf
    if k.loops_elsewhere != 0:
        if s.wires.below_limit == 0 or s.wires.alarm_cut != 0:
            found = np.inf
        elif s.wires.not_hot == 0:
            found = HOT_C + 1.0
        return found
    for i in range(LOOP_COUNT):
        if not COOLS[i]:
            found = max(found, values[k.sensor.loops[i]])
    return found


@njit(cache=True, error_model="numpy")
def _sees_sheet(place: int, values: Floats, s: NodeMemory, k: Program) -> bool:
    """Whether there is sheet at a gauge."""
    if k.gauges_elsewhere != 0:
        return bool(s.wires.sheet[place] != 0)
    return bool(values[k.sensor.gauges[place]] > 0.0)


@njit(cache=True, error_model="numpy")
def _energised(k: Program, image: Bytes) -> bool:
    return bit(image, k.coil.heating_enable) or bit(image, k.coil.drives_enable) or bit(image, k.coil.feed_enable)


@njit(cache=True, error_model="numpy")
def _watchdog_left_s(now_ns: int, s: NodeMemory, k: Program, image: Bytes) -> float:
    """Time until the comms watchdog trips; the full timeout while nothing is energised."""
    timeout_s = float(s.setpoints[WATCHDOG])
    heartbeat = int(decode(image, k.controller_heartbeat))
    if heartbeat != s.heartbeat:
        s.heartbeat = heartbeat
        s.heartbeat_ns = now_ns
    if not _energised(k, image):
        s.heartbeat_ns = now_ns
        return timeout_s
    left_ns = timeout_s * 1e9 - (now_ns - s.last_request_ns)
    if heartbeat != 0:
        left_ns = min(left_ns, timeout_s * 1e9 - (now_ns - s.heartbeat_ns))
    return float(max(left_ns, 0.0) * 1e-9)


@njit(cache=True, error_model="numpy")
def _withdraw(s: NodeMemory, k: Program, image: Bytes) -> None:
    """Commands that a latched interlock took away are gone: a reset alone starts nothing."""
    inhibits = s.interlocks.inhibits
    if inhibits[HEATING] != 0:
        put_bit(image, k.coil.heating_enable, False)
    if inhibits[DRIVES] != 0:
        put_bit(image, k.coil.drives_enable, False)
    if inhibits[FEEDING] != 0:
        put_bit(image, k.coil.feed_enable, False)


@njit(cache=True, error_model="numpy")
def _command(values: Floats, s: NodeMemory, k: Program, image: Bytes) -> None:
    """Close the temperature loops and set the actuators."""
    heating = bit(image, k.coil.heating_enable)
    cooling = bit(image, k.coil.cooling_enable)
    inhibits, wanted, out = s.interlocks.inhibits, s.setpoints, s.commands
    for i in range(LOOP_COUNT):
        enabled = cooling if COOLS[i] else heating
        if k.loops_elsewhere == 0:
            scan_loop(s.loops, i, values[k.sensor.loops[i]], wanted[i], enabled, k.loops)
            out[to.ZONE + i] = s.loops.output[i]  # the drums follow the zones
        else:  # the contactor for heaters and valves is on this node
            out[to.ZONE + i] = s.loops.output[i] if enabled else 0.0
    for i in range(6):
        out[to.CLEARANCE + i] = wanted[CLEARANCES + i] * 1e-6
    for side in range(2):
        out[to.SPEED + side] = wanted[SPEEDS + side] / 60.0
        out[to.DRIVES_ON + side] = bit(image, k.coil.drives_enable)
        out[to.STEERING + side] = np.deg2rad(wanted[STEERING + side])
    out[to.TENSION] = 0.5 * (wanted[TENSIONS] + wanted[TENSIONS + 1]) * 1e3
    out[to.TENSION_ON] = bit(image, k.coil.tension_enable)
    out[to.HYDRAULICS_ON] = bit(image, k.coil.hydraulics_enable)
    out[to.DUMP] = bit(image, k.coil.fast_open) or inhibits[OPENING] != 0
    out[to.BRAKE] = inhibits[BRAKING]
    out[to.COOLANT_FLOW] = wanted[COOLANT] / k.full_flow_l_min if cooling else 0.0
    out[to.FEED] = bit(image, k.coil.feed_enable)


@njit(cache=True, error_model="numpy")
def _publish(now_ns: int, values: Floats, sensed: Sensed, s: NodeMemory, k: Program, image: Bytes) -> None:
    """Refresh what the input registers and discrete inputs show beside the readings."""
    if k.loops_elsewhere == 0:
        for i in range(PLATE_COUNT):
            show(image, k.zone_outputs[i], 100.0 * s.commands[to.ZONE + i])
    if _sees_sheet(EXIT, values, s, k):
        speeds = k.sensor.speeds
        speed_m_s = 0.5 * (values[speeds[0]] + values[speeds[1]]) / 60.0
        s.sheet_length_m += speed_m_s * k.scan_period_s
    up_ns = now_ns - s.power_on_ns
    show(image, k.node_heartbeat, float(s.scans & 0xFFFF))
    show(image, k.uptime_s, float(up_ns // 1_000_000_000))
    show(image, k.sample_time_ms, float((up_ns // 1_000_000) & 0xFFFF_FFFF))
    show(image, k.watchdog_remaining_s, _watchdog_left_s(now_ns, s, k, image))
    put_f32(image, k.sheet_length_m, s.sheet_length_m)
    for i in range(FORCES):
        s.force_queue[i, s.queued % QUEUE] = word(image, k.force_words[i])
    s.queued += 1
    alarms = 0
    for row in range(k.alarms.size):
        if s.interlocks.latched[row] != 0:
            alarms |= k.alarms[row]
    put_word(image, k.alarm_word, alarms)
    put_word(image, k.first_out_alarm, k.first_out[min(max(s.interlocks.first_out, 0), k.alarms.size)])
    put_word(image, k.warning_word, _warnings(values, sensed, s, k, image))
    put_word(image, k.status_word, _status(sensed, alarms != 0, s, k, image))
    put_word(image, k.mode_word, _mode(alarms != 0, s, k, image))
    _show_contacts(values, sensed, s, k, image)


@njit(cache=True, error_model="numpy")
def _warnings(values: Floats, sensed: Sensed, s: NodeMemory, k: Program, image: Bytes) -> int:
    x, names = k.warnings, k.warning
    deviation, coldest, hottest = 0.0, np.inf, -np.inf
    if k.loops_elsewhere == 0:
        for i in range(PLATE_COUNT):
            zone = values[k.sensor.loops[i]]
            coldest, hottest = min(coldest, zone), max(hottest, zone)
            if not COOLS[i]:
                deviation = max(deviation, abs(zone - s.setpoints[i]))
    word = 0
    if bit(image, k.coil.heating_enable) and deviation > x.zone_deviation_k:
        word |= names.zone_deviation
    if sensed.largest_edge_mm > x.edge_position_mm:
        word |= names.tracking_limit
    if sensed.largest_force_kn > x.line_force_kn:
        word |= names.high_force
    if sensed.smallest_tension_fraction < x.tension_fraction:
        word |= names.low_tension
    if coldest < SENSOR_RANGE_C[0] or hottest > SENSOR_RANGE_C[1]:
        word |= names.sensor_range
    if s.commands[to.DRIVES_ON] != 0.0 and _farthest(values, k.sensor.torques) > x.drive_torque_nm:
        word |= names.drive_limit
    if sensed.belts_driven and sensed.speed_difference_percent > x.speed_difference_percent:
        word |= names.speed_difference
    return word


@njit(cache=True, error_model="numpy")
def _status(sensed: Sensed, tripped: bool, s: NodeMemory, k: Program, image: Bytes) -> int:
    names, out = k.status, s.commands
    word = 0
    if bit(image, k.coil.heating_enable):
        word |= names.heating
    if bit(image, k.coil.cooling_enable):
        word |= names.cooling
    if out[to.HYDRAULICS_ON] != 0.0:
        word |= names.hydraulics
    if out[to.TENSION_ON] != 0.0:
        word |= names.tension
    if out[to.DRIVES_ON] != 0.0:
        word |= names.drives
    if out[to.FEED] != 0.0:
        word |= names.feeding
    if sensed.largest_force_kn > PRESSING_KN:
        word |= names.pressing
    if out[to.DUMP] != 0.0:
        word |= names.opening
    if bit(image, k.coil.scrap_divert):
        word |= names.diverting
    if bit(image, k.coil.scrap_mark):
        word |= names.marking
    if tripped:
        word |= names.tripped
    if s.heartbeat != 0:
        word |= names.heartbeat_watched
    return word


@njit(cache=True, error_model="numpy")
def _mode(tripped: bool, s: NodeMemory, k: Program, image: Bytes) -> int:
    names, coil = k.mode, k.coil
    code: int = names.off
    if s.interlocks.latched[EMERGENCY_STOP] != 0:
        code = names.emergency_stop
    elif tripped:
        code = names.tripped
    elif _energised(k, image):
        code = names.energised
    elif bit(image, coil.cooling_enable) or bit(image, coil.hydraulics_enable) or bit(image, coil.tension_enable):
        code = names.ready
    return code


@njit(cache=True, error_model="numpy")
def _show_contacts(values: Floats, sensed: Sensed, s: NodeMemory, k: Program, image: Bytes) -> None:
    at, sensor = k.contact, k.sensor
    tight = True
    for side in range(2):
        wanted = max(s.setpoints[TENSIONS + side], 1.0)
        tight = tight and values[sensor.tensions[side]] > TENSION_READY_FRACTION * wanted
    put_bit(image, at.emergency_stop_released, s.emergency_stop_pressed == 0)
    put_bit(image, at.guards_closed, s.guard_open == 0)
    put_bit(image, at.hydraulics_ready, values[sensor.hydraulic_pressure] > HYDRAULICS_READY_BAR)
    put_bit(image, at.tension_ready, tight)
    put_bit(image, at.tracking_ok, sensed.largest_edge_mm <= k.warnings.edge_position_mm)
    put_bit(image, at.coolant_flowing, sensed.coolant_flow_l_min > k.limits.coolant_flow_l_min)
    put_bit(image, at.belts_moving, _smallest(values, sensor.speeds) > MOVING_M_MIN)
    put_bit(image, at.press_open, _smallest(values, sensor.clearances) > OPEN_UM)
    put_bit(image, at.sheet_at_entry, _sees_sheet(ENTRY, values, s, k))
    put_bit(image, at.sheet_at_exit, _sees_sheet(EXIT, values, s, k))
    put_bit(image, at.sheet_at_recovered_gauge, _sees_sheet(RECOVERED, values, s, k))
    put_bit(image, at.diverter_at_scrap, bit(image, k.coil.scrap_divert))
    word = 0
    for i in range(k.mirrored.size):
        if bit(image, k.mirrored[i]):
            word |= 1 << i
    put_word(image, k.contacts_word, word)
