"""What can go wrong with the press: the catalogue, one fault as it is asked for, and all of them at work.

CATALOGUE               kinds of faults of sensors, actuators, machine, material and supply, by name
described_kinds()       the same and those of the wire, for tables and JSON
fault_from(kind, …)     a fault of press or wire from what people give
FaultBoard              the faults of one press at work; `World.inject` asks it
"""

from emulator.faults.account import FaultAccount, account_of
from emulator.faults.board import FaultBoard
from emulator.faults.catalogue import CATALOGUE
from emulator.faults.fault import AnyFault, PressFault, fault_from
from emulator.faults.kinds import Amount, Kind
from emulator.faults.state import FaultState, PressFaultRecord
from emulator.faults.words import described_kinds

__all__ = [
    "CATALOGUE",
    "Amount",
    "AnyFault",
    "FaultAccount",
    "FaultBoard",
    "FaultState",
    "Kind",
    "PressFault",
    "PressFaultRecord",
    "account_of",
    "described_kinds",
    "fault_from",
]
