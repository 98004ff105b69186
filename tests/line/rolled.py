"""A parcel as it leaves the press between ideal belts, before it has recovered."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from emulator.config import Machine, Material
from emulator.press import rolling
from emulator.press.compiled import kernel_constants
from emulator.press.parcel import work
from emulator.press.state import FILM_COLUMNS, parcel_type, strains_type


def rolled_parcel(machine: Machine, material: Material, how: rolling.Pass) -> tuple[Any, float]:
    """What `rolling.roll` rolls, and its thickness [m] after `how.rest_s` by the press's own recovery."""
    machines, materials = kernel_constants(machine, material)
    longest = min(machines[0].step_m, how.speed_m_s * machine.numerics.step_max_s)
    trace = np.zeros((math.ceil(machine.press_length_m / longest), len(rolling.TRACE_COLUMNS)))
    truth = np.zeros(len(FILM_COLUMNS))
    layers = machine.numerics.layer_count
    parcels: Any = np.zeros(1, parcel_type(layers))
    strains: Any = np.zeros(1, strains_type(layers))
    conditions = np.array([how.speed_m_s, how.feed_thickness_m, how.feed_temperature_k, how.rest_s])
    rolling._roll(
        parcels, strains, rolling._plant(how), machines, materials, work(layers),
        how.belt_x_m, how.belt_temperature_k, conditions, trace, truth,
    )  # fmt: skip
    return parcels, float(truth[FILM_COLUMNS.index("t_600_m")])
