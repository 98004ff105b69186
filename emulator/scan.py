"""One scan of the world in one compiled call: the press moves on, then the node looks at it.

    commands  →  taps of the faults  →  press  →  truth  →  node (sensors, interlocks, loops, registers)  →  commands

The truth vector is what perfect instruments would read: the press's signals, and what depends on things outside
the press. It is refreshed here and nowhere else.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numba import carray, njit  # type: ignore[attr-defined]
from numpy.typing import NDArray

from emulator.faults.taps import TAPS, Taps, tap_inputs
from emulator.node import Node
from emulator.node.program import Program
from emulator.node.scan import scan_node
from emulator.node.state import NODE, NodeMemory
from emulator.pointer import ARGUMENTS, Call, address_of, make_call
from emulator.press.commands import CLEARANCE_SENSOR_OFFSET, COMMAND_COUNT, INPUT_COUNT
from emulator.press.constants import TICK_NS, MachineConstants
from emulator.press.press import TICKS as PRESS_TICKS
from emulator.press.press import Press
from emulator.press.signals import ACTUATORS, SIGNALS, index
from emulator.press.state import PLANT, Plant
from emulator.sensors import SENSOR, SENSOR_MEMORY, SensorRow

__all__ = ["NOW_NS", "SENSOR_SHIFTS", "TICKS", "TRUTH", "compile_scan", "scan_call"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TRUTH: Final = (
    *SIGNALS,
    "upper_belt_travel_m",
    "lower_belt_travel_m",
    "entry_sheet_speed_m_s",
    "coolant_flow_m3_s",
    "ambient_temperature_k",
)
"""Names of the truth vector: the press's signals, and what the world adds to them."""
SENSOR_SHIFTS: Final = {
    f"{actuator}_clearance_m": CLEARANCE_SENSOR_OFFSET + place for place, actuator in enumerate(ACTUATORS)
}
"""By signal, the place in the kernel's inputs of what its sensor sees beside the truth."""

TICKS: Final = 1
NOW_NS: Final = 2
"""Places in the table of a `scan_call`."""
SIGNAL_COUNT: Final = len(SIGNALS)
TRUTH_COUNT: Final = len(TRUTH)
DISTURBANCE_COUNT: Final = INPUT_COUNT - COMMAND_COUNT

TRAVEL: Final = TRUTH.index("upper_belt_travel_m")
ENTRY_SPEED: Final = TRUTH.index("entry_sheet_speed_m_s")
FLOW: Final = TRUTH.index("coolant_flow_m3_s")
AMBIENT: Final = TRUTH.index("ambient_temperature_k")

BELT_SPEED: Final = index("upper_belt_speed_m_s")
FLOW_FRACTION: Final = index("coolant_flow_fraction")
FEEDING: Final = index("feed_active")
SHEET_TEMPERATURES: Final = np.array(
    [
        index("entry_sheet_temperature_k"),
        index("exit_sheet_surface_temperature_k"),
        index("exit_sheet_mean_temperature_k"),
    ]
)
TICK_S: Final = TICK_NS * 1e-9
M3_S: Final = 1.0 / 60_000.0
"""One litre per minute."""


@njit(cache=True, error_model="numpy")
def complete_truth(signals: Floats, plant: Plant, c: MachineConstants, k: Program, truth: Floats) -> None:
    """Fill the truth vector from the press's signals and state."""
    for i in range(signals.size):  # a slice would compile the shape check, which takes longer than all the rest
        truth[i] = signals[i]
    for side in range(2):
        truth[TRAVEL + side] = plant.belt_travel[side]
    truth[ENTRY_SPEED] = 0.0
    if signals[FEEDING] != 0.0:
        truth[ENTRY_SPEED] = 0.5 * (signals[BELT_SPEED] + signals[BELT_SPEED + 1])
    truth[FLOW] = signals[FLOW_FRACTION] * (k.full_flow_l_min * M3_S)
    truth[AMBIENT] = c.T_ambient
    for place in SHEET_TEMPERATURES:
        if truth[place] == 0.0:
            truth[place] = c.T_ambient  # a pyrometer without sheet sees the surroundings


def scan_call(press: Press, node: Node, disturbances: Floats, taps: NDArray[Any], truth: Floats) -> Call:
    """A call that advances the press by `TICKS` to `NOW_NS` under the node's commands, then lets the node scan.

    The commands are those that the node gave in its scan before. With `TICKS` below 0 only the truth is refreshed.
    """
    machines: Any = press.kernel_constants[0]
    state = node.state
    program: Any = node.program
    rows, readings, image = node.sensors.rows, state.sensors.memory, state.bank.image
    return Call(
        compile_scan(machines, node.program),
        0,
        0,
        press.call.table,
        press.inputs,
        press.signals,
        press.state.memory[2],
        machines,
        disturbances,
        taps,
        truth,
        state.memory,
        rows,
        len(rows),
        readings,
        program,
        image,
        len(image),
    )


def compile_scan(machines: Any, program: Any) -> int:
    """Where the compiled scan for constants of these types stands; both are arrays of one record."""
    return _scan_address(machines.dtype, program.dtype)


@functools.cache
def _scan_address(machine: np.dtype[Any], program: np.dtype[Any]) -> int:
    floats, words, octets = np.dtype(np.float64), np.dtype(np.int64), np.dtype(np.uint8)
    press = words, floats, floats, PLANT, machine, floats, TAPS, floats
    return address_of(_scan, int, int, *press, NODE, SENSOR, int, floats, program, octets, int)


def _scan(
    ticks: int,
    now_ns: int,
    press: Any,
    inputs: Any,
    signals: Any,
    plant: Any,
    machine: Any,
    disturbances: Any,
    taps: Any,
    truth: Any,
    node: Any,
    rows: Any,
    sensors: int,
    readings: Any,
    program: Any,
    image: Any,
    octets: int,
) -> None:
    instruments: Any = carray(rows, sensors)
    scan_world(
        ticks,
        now_ns,
        carray(press, 1 + ARGUMENTS),
        carray(inputs, INPUT_COUNT),
        carray(signals, SIGNAL_COUNT),
        carray(plant, 1)[0],
        carray(machine, 1)[0],
        carray(disturbances, DISTURBANCE_COUNT),
        carray(taps, 1)[0],
        carray(truth, TRUTH_COUNT),
        carray(node, 1)[0],
        instruments,
        carray(readings, (SENSOR_MEMORY, sensors)),
        carray(program, 1)[0],
        carray(image, octets),
    )


@njit(cache=True, error_model="numpy")
def scan_world(
    ticks: int,
    now_ns: int,
    press: Ints,
    u: Floats,
    signals: Floats,
    plant: Plant,
    c: MachineConstants,
    disturbances: Floats,
    taps: Taps,
    truth: Floats,
    s: NodeMemory,
    rows: Sequence[SensorRow],
    readings: Floats,
    k: Program,
    image: Bytes,
) -> None:
    """What a `scan_call` does; `press` is the table of `Press.call`."""
    if ticks < 0:
        complete_truth(signals, plant, c, k, truth)
        return
    for i in range(COMMAND_COUNT):
        u[i] = s.commands[i]
    for i in range(disturbances.size):
        u[COMMAND_COUNT + i] = disturbances[i]
    if taps.acting != 0:
        tap_inputs(u, taps, ticks * TICK_S)
    if ticks > 0:
        press[PRESS_TICKS] = ticks
        make_call(press)
    complete_truth(signals, plant, c, k, truth)
    if s.off == 0:
        scan_node(now_ns, truth, u, rows, readings, s, k, image)
