"""All that makes the node's future, in one record of numbers; its registers and sensors keep theirs beside it.

Compiled code sees `NodeMemory`; from Python the same memory is at hand by name through `NodeState`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from emulator.firmware.chip_state import ChipState
from emulator.node.bank import BankState
from emulator.node.interlocks import INTERLOCK_STATE, NOT_PRESENT, InterlockState
from emulator.node.loops import LOOPS, LoopState
from emulator.press.commands import COMMAND_COUNT, Commands
from emulator.sensors import SensorState
from rig.protocol import SerialDiagnostics

__all__ = ["GAUGES", "NODE", "SETPOINT_COUNT", "Contacts", "NodeMemory", "NodeState", "power_on"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SETPOINT_COUNT: Final = 28
NEVER_NS: Final = -1
FORCES: Final = 6
"""Line forces, each with a queue of samples."""
QUEUE: Final = 31
"""Registers that one answer to function 24 can hold."""

GAUGES: Final = 3
"""Places where sheet thickness is measured."""

WIRES: Final = np.dtype(
    [
        ("below_limit", np.int64),  # alarm relay of the heat controller: 1 while it has a supply and no zone is too hot
        ("not_hot", np.int64),  # its second relay: 1 while no zone is hot enough to need coolant
        ("alarm_cut", np.int64),  # 1: the wire of both relays is broken
        ("sheet", np.int64, (GAUGES,)),  # from the gauges: 1 where they see sheet
    ],
    align=True,
)
"""What reaches the I/O node by hard wire from other nodes; a wire that is broken or not fed is 0."""

NODE: Final = np.dtype(
    [
        ("emergency_stop_pressed", np.int64),  # contacts: what people do to the press by hand
        ("guard_open", np.int64),
        ("off", np.int64),  # 1 without a supply: no scan, no answer
        ("elsewhere", np.int64),  # 1 where firmware runs the program: a scan here only reads the sensors
        ("scans", np.int64),
        ("power_on_ns", np.int64),
        ("last_request_ns", np.int64),
        ("heartbeat", np.int64),  # of the controller, as last seen
        ("heartbeat_ns", np.int64),  # when it last changed
        ("sheet_length_m", np.float64),
        ("queued", np.int64),  # force samples since power-on
        ("force_queue", np.int64, (FORCES, QUEUE)),  # the last of them, raw; sample n stands at n % QUEUE
        ("setpoints", np.float64, (SETPOINT_COUNT,)),  # holding registers in engineering units, at the last scan
        ("interlocks", INTERLOCK_STATE),
        ("loops", LOOPS),  # where temperature controllers are nodes of their own, `output` is what they drive
        ("wires", WIRES),
        ("commands", np.float64, (COMMAND_COUNT,)),  # what the actuators are told, as the press's kernel reads it
    ],
    align=True,
)


class Wires(Protocol):
    """Hard wires as compiled code sees them; what the fields are stands at `WIRES`."""

    below_limit: int
    not_hot: int
    alarm_cut: int
    sheet: Ints


class NodeMemory(Protocol):
    """The node's state as compiled code sees it; what the fields are stands at `NODE`."""

    emergency_stop_pressed: int
    guard_open: int
    off: int
    elsewhere: int
    scans: int
    power_on_ns: int
    last_request_ns: int
    heartbeat: int
    heartbeat_ns: int
    sheet_length_m: float
    queued: int
    force_queue: Ints
    setpoints: Floats
    interlocks: InterlockState
    loops: LoopState
    wires: Wires
    commands: Floats


class Contacts:
    """What people do to the press by hand."""

    __slots__ = ("_memory",)

    def __init__(self, memory: NDArray[Any]) -> None:
        self._memory = memory

    @property
    def emergency_stop_pressed(self) -> bool:
        """The emergency stop button."""
        return bool(self._memory["emergency_stop_pressed"][0])

    @emergency_stop_pressed.setter
    def emergency_stop_pressed(self, pressed: bool) -> None:
        self._memory["emergency_stop_pressed"] = pressed

    @property
    def guard_open(self) -> bool:
        """Any of the guards."""
        return bool(self._memory["guard_open"][0])

    @guard_open.setter
    def guard_open(self, opened: bool) -> None:
        self._memory["guard_open"] = opened

    @property
    def alarm_wire_cut(self) -> bool:
        """The hard wire from the heat controller's alarm relays to the I/O node, in a wiring that has it."""
        return bool(self._memory["wires"]["alarm_cut"][0])

    @alarm_wire_cut.setter
    def alarm_wire_cut(self, cut: bool) -> None:
        self._memory["wires"]["alarm_cut"] = cut


@dataclass(slots=True, eq=False)
class NodeState:
    """All that makes the node's future.

    Attributes:
        memory: one record of `NODE`.
        bank: registers and bits.
        sensors: what the sensors remember.
        diagnostics: what it has heard and said on the line.
        chip: where its firmware stands, if that runs its program.
    """

    memory: NDArray[np.void]
    bank: BankState
    sensors: SensorState
    diagnostics: SerialDiagnostics = field(default_factory=SerialDiagnostics)
    chip: ChipState | None = None

    @property
    def contacts(self) -> Contacts:
        """Emergency stop button and guards."""
        return Contacts(self.memory)

    @property
    def commands(self) -> Commands:
        """What the actuators are told."""
        return Commands.on(self.memory["commands"][0])

    @property
    def last_request_ns(self) -> int:
        """When the last request was answered, ns."""
        return int(self.memory["last_request_ns"][0])

    @last_request_ns.setter
    def last_request_ns(self, time_ns: int) -> None:
        self.memory["last_request_ns"] = time_ns


def power_on(bank: BankState, sensors: SensorState) -> NodeState:
    """The state of a node that has just been switched on."""
    state = NodeState(np.zeros(1, NODE), bank, sensors)
    state.memory["heartbeat_ns"] = NEVER_NS
    state.memory["interlocks"]["since_ns"] = NOT_PRESENT
    state.commands.reset()
    return state
