"""What of the press is compiled behind pointers: the step of a tile, and the advance of the whole."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import carray  # type: ignore[attr-defined]

from emulator.material.constants import MaterialConstants, material_constants
from emulator.material.definition import Material
from emulator.pointer import address_of
from emulator.press.belts import Belts
from emulator.press.commands import INPUT_COUNT
from emulator.press.constants import MachineConstants, machine_constants
from emulator.press.kernel import advance
from emulator.press.machine import Machine
from emulator.press.parcel import step_tile, work
from emulator.press.parts import Parts
from emulator.press.signals import SIGNALS
from emulator.press.state import PLANT, PROGRESS, RECORD, parcel_type, strains_type

SIGNAL_COUNT = len(SIGNALS)


def kernel_constants(
    machine: Machine, material: Material
) -> tuple[Sequence[MachineConstants], Sequence[MaterialConstants]]:
    """Constants of machine and material, with the addresses of the compiled functions that fit them."""
    machines: Any = machine_constants(machine)
    materials: Any = material_constants(material)
    if machines["step_tile"] == 0:
        machines["step_tile"] = _step_tile_address(machine.numerics.layer_count, machines.dtype, materials.dtype)
    return machines, materials


@functools.cache
def _step_tile_address(layers: int, machine: np.dtype[Any], material: np.dtype[Any]) -> int:
    scratch: Any = work(layers)
    return address_of(_step_tile, scratch.dtype["tile"], scratch.dtype, int, machine, material)


def _step_tile(w: Any, work: Any, layered: int, c: Any, m: Any) -> None:
    step_tile(carray(w, 1)[0], carray(work, 1)[0].layers, layered != 0, carray(c, 1)[0], carray(m, 1)[0])


@functools.cache
def advance_address(layers: int, machine: np.dtype[Any], material: np.dtype[Any]) -> int:
    """Where `kernel.advance` for sheet of so many layers stands; it takes the arguments of `Press.arguments`."""
    scratch: Any = work(layers)
    floats = np.dtype(np.float64)
    sheet = parcel_type(layers), int, strains_type(layers)
    belts = floats, floats, floats, int
    return address_of(
        _advance, int, *sheet, PLANT, *belts, PROGRESS, RECORD, floats, machine, material, scratch.dtype, floats
    )


def _advance(
    ticks: int,
    parcels: Any,
    slots: int,
    strains: Any,
    plant: Any,
    belt_T: Any,
    belt_heat: Any,
    belt_cover: Any,
    nodes: int,
    progress: Any,
    record: Any,
    inputs: Any,
    machine: Any,
    material: Any,
    work: Any,
    signals: Any,
) -> None:
    ring: Any = carray(strains, slots)
    parts = Parts(
        carray(parcels, slots),
        ring,
        carray(plant, 1)[0],
        Belts(carray(belt_T, (2, nodes)), carray(belt_heat, (2, nodes)), carray(belt_cover, nodes)),
        carray(progress, 1)[0],
        carray(record, 1)[0],
        carray(inputs, INPUT_COUNT),
        carray(machine, 1)[0],
        carray(material, 1)[0],
        carray(work, 1)[0],
    )
    advance(ticks, parts, carray(signals, SIGNAL_COUNT))
