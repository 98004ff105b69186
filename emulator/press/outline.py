"""Heavy functions compiled once, behind a pointer.

numba links what a compiled function calls into it and optimises the whole again, at every level of
calls: the step of a tile, eight calls deep, would be compiled eight times over. So it is compiled as a C
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

from emulator.material.constants import MaterialConstants, material_constants
from emulator.material.definition import Material
from emulator.press.constants import MachineConstants, machine_constants
from emulator.press.machine import Machine
from emulator.press.parcel import step_tile, work


def kernel_constants(
    machine: Machine, material: Material
) -> tuple[Sequence[MachineConstants], Sequence[MaterialConstants]]:
    """Constants of machine and material, with the address of the compiled step that fits them."""
    machines: Any = machine_constants(machine)
    materials: Any = material_constants(material)
    machines["step_tile"] = _compiled(machine.numerics.layer_count, machines.dtype, materials.dtype)
    return machines, materials


@functools.cache
def _compiled(layers: int, machine: np.dtype[Any], material: np.dtype[Any]) -> int:
    """Address of `step_tile` for sheet of so many layers, and constants of these types."""
    scratch: Any = work(layers)
    tile, scratch, c, m = (
        types.CPointer(from_dtype(kind)) for kind in (scratch.dtype["tile"], scratch.dtype, machine, material)
    )
    compiled = cfunc(types.void(tile, scratch, types.int64, c, m), cache=True)(_step_tile)
    _KEPT.append(compiled)
    assert compiled.address is not None
    return compiled.address


_KEPT: list[Any] = []  # compiled functions live as long as somebody holds them


def _step_tile(w: Any, work: Any, layered: int, c: Any, m: Any) -> None:
    step_tile(carray(w, 1)[0], carray(work, 1)[0].layers, layered != 0, carray(c, 1)[0], carray(m, 1)[0])


@intrinsic
def _call_step_tile(typing_context: Any, address: Any, w: Any, work: Any, layered: Any, c: Any, m: Any) -> Any:
    """`step_tile(w, work.layers, layered, c, m)` at an address."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        # records are handed over as pointers
        plain = [
            builder.bitcast(value, ir.IntType(8).as_pointer()) if isinstance(value.type, ir.PointerType) else value
            for value in arguments[1:]
        ]
        form = ir.FunctionType(ir.VoidType(), [value.type for value in plain])
        builder.call(builder.inttoptr(arguments[0], form.as_pointer()), plain)
        return context.get_dummy_value()

    return types.none(types.int64, w, work, types.int64, c, m), generate


call_step_tile: Any = _call_step_tile  # for callers a function without the typing context
