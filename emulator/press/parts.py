"""All that the kernel works on, in one argument."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from emulator.material.constants import MaterialConstants
from emulator.press.belts import Belts
from emulator.press.constants import MachineConstants
from emulator.press.parcel import Work
from emulator.press.state import LayerStrains, Parcels, Plant, Progress, Record


class Parts(NamedTuple):
    """A press as compiled code sees it: its state, its inputs, its constants, and scratch."""

    parcels: Parcels  # the ring of the sheet, and the shelf
    strains: LayerStrains  # of their layers, by slot
    plant: Plant
    belts: Belts
    progress: Progress
    record: Record
    u: NDArray[np.float64]  # commands and disturbances, places in `commands`
    c: MachineConstants
    m: MaterialConstants
    work: Work
