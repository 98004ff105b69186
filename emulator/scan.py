"""One scan of the world in one compiled call: the press moves on, then the node looks at it.

    commands  →  press  →  truth  →  node (sensors, interlocks, loops, registers)  →  commands

The truth vector is what perfect instruments would read: the press's signals, and what depends on things outside
the press. It is refreshed here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.material.constants import MaterialConstants
from emulator.node.program import Program
from emulator.node.scan import scan_node
from emulator.node.state import NodeMemory
from emulator.press.belts import Belts
from emulator.press.commands import CLEARANCE_SENSOR_OFFSET, COMMAND_COUNT
from emulator.press.constants import MachineConstants
from emulator.press.kernel import advance
from emulator.press.parcel import Work
from emulator.press.signals import ACTUATORS, SIGNALS, index
from emulator.press.state import Parcels, Plant, Progress, Record, Strains
from emulator.sensors import SensorRow

__all__ = ["SENSOR_SHIFTS", "TRUTH", "complete_truth", "scan_world"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float64]

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
M3_S: Final = 1.0 / 60_000.0
"""One litre per minute."""


@njit(cache=True, error_model="numpy")
def complete_truth(
    signals: Floats,
    plants: Sequence[Plant],
    machines: Sequence[MachineConstants],
    programs: Sequence[Program],
    truth: Floats,
) -> None:
    """Fill the truth vector from the press's signals and state."""
    plant = plants[0]
    ambient = machines[0].T_ambient
    for i in range(signals.size):  # a slice would compile the shape check, which takes longer than all the rest
        truth[i] = signals[i]
    for side in range(2):
        truth[TRAVEL + side] = plant.belt_travel[side]
    truth[ENTRY_SPEED] = 0.0
    if signals[FEEDING] != 0.0:
        truth[ENTRY_SPEED] = 0.5 * (signals[BELT_SPEED] + signals[BELT_SPEED + 1])
    truth[FLOW] = signals[FLOW_FRACTION] * (programs[0].full_flow_l_min * M3_S)
    truth[AMBIENT] = ambient
    for place in SHEET_TEMPERATURES:
        if truth[place] == 0.0:
            truth[place] = ambient  # a pyrometer without sheet sees the surroundings


@njit(cache=True, error_model="numpy")
def scan_world(
    ticks: int,
    now_ns: int,
    parcels: Parcels,
    strains: Sequence[Strains],
    plants: Sequence[Plant],
    belts: Belts,
    progresses: Sequence[Progress],
    records: Sequence[Record],
    u: Floats,
    machines: Sequence[MachineConstants],
    materials: Sequence[MaterialConstants],
    works: Sequence[Work],
    signals: Floats,
    disturbances: Floats,
    truth: Floats,
    nodes: Sequence[NodeMemory],
    rows: Sequence[SensorRow],
    readings: Floats,
    programs: Sequence[Program],
    image: Bytes,
) -> None:
    """Advance the press by `ticks` to `now_ns` under the node's commands, then let the node scan.

    Arguments in the plural are arrays of one record, but `rows`, which has one per sensor; the first eleven after the
    times are those of `emulator.press.kernel.advance`.
    """
    s = nodes[0]
    for i in range(COMMAND_COUNT):
        u[i] = s.commands[i]
    for i in range(disturbances.size):
        u[COMMAND_COUNT + i] = disturbances[i]
    if ticks > 0:
        advance(ticks, parcels, strains, plants, belts, progresses, records, u, machines, materials, works, signals)
    complete_truth(signals, plants, machines, programs, truth)
    scan_node(now_ns, truth, u, rows, readings, s, programs[0], image)
