"""All that makes the future of a satellite: one record of numbers, its registers and sensors beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from emulator.node.bank import BankState
from emulator.node.loops import LOOPS, LoopState
from emulator.sensors import SensorState
from rig.protocol import SerialDiagnostics

__all__ = ["SATELLITE", "SatelliteMemory", "SatelliteState", "power_on"]

SATELLITE: Final = np.dtype(
    [
        ("off", np.int64),  # 1 without a supply: no scan, no answer
        ("scans", np.int64),
        ("power_on_ns", np.int64),
        ("last_request_ns", np.int64),
        ("setpoints_lost", np.int64),  # 1 from when it fell back to safe setpoints until somebody writes
        ("ramping", np.int64),  # 1 from the second scan on: the loops know where the plates are
        ("loops", LOOPS),  # of a temperature controller; those of the press that are not its own stay at 0
    ],
    align=True,
)


class SatelliteMemory(Protocol):
    """The same as compiled code sees it."""

    off: int
    scans: int
    power_on_ns: int
    last_request_ns: int
    setpoints_lost: int
    ramping: int
    loops: LoopState


@dataclass(slots=True, eq=False)
class SatelliteState:
    """All that makes a satellite's future.

    Attributes:
        memory: one record of `SATELLITE`.
        bank: registers.
        sensors: what the sensors remember.
        diagnostics: what it has heard and said on the line.
    """

    memory: NDArray[np.void]
    bank: BankState
    sensors: SensorState
    diagnostics: SerialDiagnostics = field(default_factory=SerialDiagnostics)


def power_on(bank: BankState, sensors: SensorState, now_ns: int = 0) -> SatelliteState:
    """The state of a satellite that has just been switched on."""
    state = SatelliteState(np.zeros(1, SATELLITE), bank, sensors)
    state.memory["power_on_ns"] = state.memory["last_request_ns"] = now_ns
    return state
