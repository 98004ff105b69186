"""One scan of a satellite, compiled: sensors, then what it is there for, then registers and hard wires.

temperature controller:  sense  →  safe setpoints after silence  →  loops, where its run contact is closed  →  relays
thickness gauge:         sense  →  where is sheet
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numba import carray, njit  # type: ignore[attr-defined]
from numpy.typing import NDArray

from emulator.image import decode, put, put_word, show
from emulator.node.loops import LOOP_COUNT, scan_loop
from emulator.node.scan import COOLS, HOT_C, PLATE_COUNT, SENSOR_RANGE_C
from emulator.node.state import GAUGES, NODE, NodeMemory
from emulator.pointer import address_of
from emulator.press.commands import INPUT_COUNT
from emulator.satellites.program import SatelliteProgram
from emulator.satellites.state import SATELLITE, SatelliteMemory
from emulator.scan import TRUTH
from emulator.sensors import SENSOR, SENSOR_MEMORY, SensorRow, read_sensors

__all__ = ["NOW_NS", "RUN", "scan_address"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

TRUTH_COUNT: Final = len(TRUTH)
NOW_NS: Final = 1
RUN: Final = 2
"""Places in the table of a call of the scan: the time, and whether the run contact is closed."""


@functools.cache
def scan_address(program: np.dtype[Any]) -> int:
    """Where the compiled scan stands, for programs of this type."""
    floats, octets = np.dtype(np.float64), np.dtype(np.uint8)
    return address_of(_scan, int, int, floats, floats, SENSOR, int, floats, SATELLITE, NODE, program, octets, int)


def _scan(
    now_ns: int,
    run: int,
    truth: Any,
    inputs: Any,
    rows: Any,
    sensors: int,
    readings: Any,
    memory: Any,
    io: Any,
    program: Any,
    image: Any,
    octets: int,
) -> None:
    instruments: Any = carray(rows, sensors)
    scan_satellite(
        now_ns,
        run,
        carray(truth, TRUTH_COUNT),
        carray(inputs, INPUT_COUNT),
        instruments,
        carray(readings, (SENSOR_MEMORY, sensors)),
        carray(memory, 1)[0],
        carray(io, 1)[0],
        carray(program, 1)[0],
        carray(image, octets),
    )


@njit(cache=True, error_model="numpy")
def scan_satellite(
    now_ns: int,
    run: int,
    truth: Floats,
    inputs: Floats,
    rows: Sequence[SensorRow],
    readings: Floats,
    s: SatelliteMemory,
    io: NodeMemory,
    k: SatelliteProgram,
    image: Bytes,
) -> None:
    """Scan at `now_ns`; `run` is 1 while its run contact is closed, `io` the state of the I/O node."""
    read_sensors(truth, inputs, rows, s.scans, readings, image)
    values = readings[1]
    status = _control(now_ns, run, values, s, io, k, image) if k.controls != 0 else _gauge(values, io, k)
    s.scans += 1
    put_word(image, k.status_word, status)
    show(image, k.heartbeat, float(s.scans & 0xFFFF))
    show(image, k.sample_time_ms, float(((now_ns - s.power_on_ns) // 1_000_000) & 0xFFFF_FFFF))


@njit(cache=True, error_model="numpy")
def _control(
    now_ns: int, run: int, values: Floats, s: SatelliteMemory, io: NodeMemory, k: SatelliteProgram, image: Bytes
) -> int:
    if k.comms_timeout_ns > 0 and now_ns - s.last_request_ns > k.comms_timeout_ns and s.setpoints_lost == 0:
        s.setpoints_lost = 1
        for i in range(LOOP_COUNT):
            if k.has_safe[i] != 0:
                put(image, k.setpoints[i], k.safe_raw[i])
    # the ramps begin from where the plates are, so the first scan only looks
    enabled = run != 0 and s.ramping != 0
    s.ramping = 1
    hottest, lowest, highest, deviation = -np.inf, np.inf, -np.inf, 0.0
    for i in range(LOOP_COUNT):
        if k.place[i] < 0:
            continue
        measured, wanted = values[k.place[i]], decode(image, k.setpoints[i])
        scan_loop(s.loops, i, measured, wanted, enabled, k.loops)
        io.loops.output[i] = s.loops.output[i]
        hottest = max(hottest, measured)
        if i < PLATE_COUNT:
            show(image, k.outputs[i], 100.0 * s.loops.output[i])
            lowest, highest = min(lowest, measured), max(highest, measured)
            if not COOLS[i]:
                deviation = max(deviation, abs(measured - wanted))
    if k.has_relays != 0:
        io.wires.below_limit = hottest <= k.limit_c
        io.wires.not_hot = hottest <= HOT_C
    names, word = k.bits, 0
    if enabled:
        word |= names.running
    if hottest > k.limit_c:
        word |= names.over_temperature
    if hottest > HOT_C:
        word |= names.hot
    if lowest < SENSOR_RANGE_C[0] or highest > SENSOR_RANGE_C[1]:
        word |= names.sensor_range
    if enabled and deviation > k.deviation_k:
        word |= names.deviation
    if s.setpoints_lost != 0:
        word |= names.setpoints_lost
    return word


@njit(cache=True, error_model="numpy")
def _gauge(values: Floats, io: NodeMemory, k: SatelliteProgram) -> int:
    word = 0
    for head in range(GAUGES):
        there = values[k.place[head]] > 0.0
        io.wires.sheet[head] = there
        if there:
            word |= 1 << head
    return word
