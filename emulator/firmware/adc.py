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

__all__ = ["Adc"]

Floats = NDArray[np.float64]
Counts = NDArray[np.uint32]


class Adc:
    """One channel for each sensor, in their order.

    Args:
        sensors: what is connected.

    Attributes:
        lowest: raw value of every sensor's lowest reading: what its channel counts from.
    """

    def __init__(self, sensors: Sensors) -> None:
        rows = sensors.rows
        number = dict(zip(NUMBER_COLUMNS, rows["number"].T, strict=True))
        self._scale, self._offset = number["scale"].copy(), number["offset"].copy()
        low = np.where(rows["zero_without_signal"] != 0, np.minimum(rows["low"], 0.0), rows["low"])
        self.lowest: Floats = np.clip(self._raw(low), number["smallest"], number["largest"])

    def _raw(self, readings: Floats) -> Floats:
        raw: Floats = np.rint((readings - self._offset) / self._scale)
        return raw

    def counts(self, readings: Floats) -> Counts:
        """Count of every channel.

        Args:
            readings: last reading of each sensor, in its tag's unit (row 1 of their memory).
        """
        return (self._raw(readings) - self.lowest).astype(np.uint32)
