"""What the firmware's ADC reads, made of what a sensor in Python shows.

A channel counts the steps of its register from the lowest reading of its sensor up. The sensor in Python has noise,
lag, resolution and range behind it, so its reading is a whole number of such steps: the count says all of it, and the
firmware finds the same reading, bit by bit.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emulator.image import NUMBER_COLUMNS
from emulator.sensors import Sensors

__all__ = ["counts_of", "lowest_raw"]

Floats = NDArray[np.float64]
Counts = NDArray[np.uint32]

SCALE, OFFSET = NUMBER_COLUMNS.index("scale"), NUMBER_COLUMNS.index("offset")
SMALLEST, LARGEST = NUMBER_COLUMNS.index("smallest"), NUMBER_COLUMNS.index("largest")


def _raw(sensors: Sensors, readings: Floats) -> Floats:
    number = sensors.rows["number"]
    raw: Floats = np.rint((readings - number[:, OFFSET]) / number[:, SCALE])
    return np.clip(raw, number[:, SMALLEST], number[:, LARGEST])


def lowest_raw(sensors: Sensors) -> Floats:
    """Raw value of every sensor's lowest reading: what its channel counts from."""
    rows = sensors.rows
    low = np.where(rows["zero_without_signal"] != 0, np.minimum(rows["low"], 0.0), rows["low"])
    return _raw(sensors, low)


def counts_of(sensors: Sensors, readings: Floats) -> Counts:
    """Count of every channel.

    Args:
        sensors: the sensors, one channel each, in their order.
        readings: last reading of each, in its tag's unit (row 1 of their memory).
    """
    return (_raw(sensors, readings) - lowest_raw(sensors)).astype(np.uint32)
