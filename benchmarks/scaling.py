"""What a virtual second of the press alone costs, over the number of parcels of sheet and of layers in each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from emulator.config import load_machine, load_material
from emulator.press import OperatingPoint, Press
from emulator.press.machine import Machine

__all__ = ["POINTS", "Cost", "costs"]

PARCEL_LENGTHS_MM = (80.0, 40.0, 20.0, 10.0, 5.0)
LAYER_COUNTS = (5, 11, 21)
"""Each compiles a press of its own, for half a minute."""
POINTS = len(PARCEL_LENGTHS_MM) * len(LAYER_COUNTS)
SCAN_NS = 50_000_000
SCANS = 200
REPEATS = 5


@dataclass(frozen=True, slots=True)
class Cost:
    """One variant of the machine.

    Attributes:
        parcel_length_mm: of sheet at the entry.
        layers: through the thickness.
        parcels: in the press and on the table behind it.
        cpu_us_per_virtual_s: CPU time, the least of several, µs.
    """

    parcel_length_mm: float
    layers: int
    parcels: int
    cpu_us_per_virtual_s: float


def costs() -> Iterator[Cost]:
    """One variant after the other, steps along the belt as the reference machine has them."""
    for layers in LAYER_COUNTS:
        for length_mm in PARCEL_LENGTHS_MM:
            yield cost(variant(length_mm, layers))


def variant(parcel_length_mm: float, layers: int) -> Machine:
    """The reference machine with other parcels and layers, all straining together."""
    machine = load_machine("reference")
    sheet = machine.sheet.model_copy(update={"parcel_length_mm": parcel_length_mm})
    numerics = machine.numerics.model_copy(update={"layer_count": layers, "layered_above_m_min": float("inf")})
    return machine.model_copy(update={"sheet": sheet, "numerics": numerics})


def cost(machine: Machine) -> Cost:
    """Measure one variant in full production."""
    press = Press.running(machine, load_material("g20"), OperatingPoint())
    least = float("inf")
    for _ in range(REPEATS):
        begun = time.process_time()
        for _ in range(SCANS):
            press.advance(SCAN_NS, press.holding)
        least = min(least, time.process_time() - begun)
    return Cost(
        machine.sheet.parcel_length_mm,
        machine.numerics.layer_count,
        int(press.state.progress.ring[1]),
        least / (SCANS * SCAN_NS * 1e-9) * 1e6,
    )
