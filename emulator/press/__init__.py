"""The virtual press: belts, rollers, zones, drives, and the sheet between them.

`Press` is a machine and a material in a state that `advance` moves on under
`Commands` and `Disturbances`; `signals` is the truth a perfect instrument would read.
"""

from emulator.inputs import InputError
from emulator.press.commands import Commands, Disturbances
from emulator.press.press import Press
from emulator.press.rolling import Pass, Rolled, ideal_belt, roll
from emulator.press.signals import SIGNALS, index
from emulator.press.start import OperatingPoint
from emulator.press.state import FILM_COLUMNS, FILM_IDS, LEDGER, PressState

__all__ = [
    "FILM_COLUMNS",
    "FILM_IDS",
    "LEDGER",
    "SIGNALS",
    "Commands",
    "Disturbances",
    "InputError",
    "OperatingPoint",
    "Pass",
    "Press",
    "PressState",
    "Rolled",
    "ideal_belt",
    "index",
    "roll",
]
