"""Heavy functions compiled once, behind a pointer.

numba links what a compiled function calls into it and optimises the whole again, at every level of
calls: the step of a block, eight calls deep, would be compiled eight times over. So it is compiled as a C
function of its own; the kernel gets its address as a number among the constants of the machine and calls that.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, cfunc, from_dtype, types  # type: ignore[attr-defined]
from numba.extending import intrinsic

from emulator.material.block import block_type
from emulator.material.constants import MaterialConstants, material_constants
from emulator.material.definition import Material
from emulator.press.constants import MachineConstants, machine_constants
from emulator.press.machine import Machine
from emulator.press.parcel import step_block, step_layers
from emulator.press.state import strains_type


def kernel_constants(
    machine: Machine, material: Material
) -> tuple[Sequence[MachineConstants], Sequence[MaterialConstants]]:
    """Constants of machine and material, with the addresses of the compiled functions that fit them."""
    machines: Any = machine_constants(machine)
    materials: Any = material_constants(material)
    addresses = _compiled(machine.numerics.layer_count, machines.dtype, materials.dtype)
    machines["step_block"], machines["step_layers"] = addresses
    return machines, materials


@functools.cache
def _compiled(layers: int, machine: np.dtype[Any], material: np.dtype[Any]) -> tuple[int, int]:
    """Addresses of `step_block` and `step_layers` for sheet of so many layers, and constants of these types."""
    pointer: Any = types.CPointer
    block, strains, c, m = (
        pointer(from_dtype(kind)) for kind in (block_type(layers), strains_type(layers), machine, material)
    )
    whole = types.int64
    one = cfunc(types.void(block, whole, whole, c, m), cache=True)(_step_block)
    two = cfunc(types.void(block, whole, strains, block, c, m), cache=True)(_step_layers)
    _KEPT.append((one, two))
    assert one.address is not None
    assert two.address is not None
    return one.address, two.address


_KEPT: list[Any] = []  # compiled functions live as long as somebody holds them


def _step_block(w: Any, lanes: int, layered: int, c: Any, m: Any) -> None:
    step_block(carray(w, 1)[0], lanes, layered != 0, carray(c, 1)[0], carray(m, 1)[0])


def _step_layers(w: Any, lane: int, strains: Any, v: Any, c: Any, m: Any) -> None:
    step_layers(carray(w, 1)[0], lane, carray(strains, 1)[0], carray(v, 1)[0], carray(c, 1)[0], carray(m, 1)[0])


def _call(builder: Any, address: Any, arguments: list[Any]) -> None:
    """Call a C function at an address; records are handed over as pointers."""
    plain = [
        builder.bitcast(value, ir.IntType(8).as_pointer()) if isinstance(value.type, ir.PointerType) else value
        for value in arguments
    ]
    form = ir.FunctionType(ir.VoidType(), [value.type for value in plain])
    builder.call(builder.inttoptr(address, form.as_pointer()), plain)


@intrinsic
def _call_step_block(typing_context: Any, address: Any, w: Any, lanes: Any, layered: Any, c: Any, m: Any) -> Any:
    """`step_block(w, lanes, layered, c, m)` at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _call(builder, arguments[0], list(arguments[1:]))
        return context.get_dummy_value()

    return types.none(types.int64, w, types.int64, types.int64, c, m), generate


@intrinsic
def _call_step_layers(
    typing_context: Any, address: Any, w: Any, lane: Any, strains: Any, v: Any, c: Any, m: Any
) -> Any:
    """`step_layers(w, lane, strains, v, c, m)` at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _call(builder, arguments[0], list(arguments[1:]))
        return context.get_dummy_value()

    return types.none(types.int64, w, types.int64, strains, v, c, m), generate


# for callers they are functions without the typing context
call_step_block: Any = _call_step_block
call_step_layers: Any = _call_step_layers
