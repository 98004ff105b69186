"""First start on a machine: what there is to compile, compiled by two processes at once.

Compiling is the longest wait there is, and most of it is Python that keeps the interpreter to itself. So a second
process compiles half of it into the cache, where this one finds it. If that fails, this one compiles all of it.

    python -m emulator.compile_ahead LAYERS     the half of the second process
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from typing import Any

from emulator import COMPILES
from emulator.material.constants import material_constants
from emulator.material.definition import Material
from emulator.press.compiled import advance_address
from emulator.press.constants import machine_constants
from emulator.press.machine import Machine

__all__ = ["compile_ahead"]

PATIENCE_S = 120.0


def compile_ahead(machine: Machine, material: Material) -> None:
    """Compile what a press of this machine needs, if that is not done yet."""
    if COMPILES and sys.executable and (os.cpu_count() or 1) > 1:
        machines: Any = machine_constants(machine)
        materials: Any = material_constants(material)
        _in_two(machine.numerics.layer_count, machines.dtype, materials.dtype)


@functools.cache
def _in_two(layers: int, machine: Any, material: Any) -> None:
    command = [sys.executable, "-m", "emulator.compile_ahead", str(layers)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as other:
        try:
            advance_address(layers, machine, material)
            other.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            pass  # this one does the rest
        finally:
            other.terminate()


def main(layers: int) -> None:
    """Compile the step of a tile, and the scan of the node."""
    from emulator.definitions import Definitions  # noqa: PLC0415 - they are only needed in the second process
    from emulator.press.compiled import kernel_constants  # noqa: PLC0415
    from emulator.scan import compile_scan  # noqa: PLC0415
    from emulator.world import WorldConfig, make_node  # noqa: PLC0415

    config = WorldConfig()
    definitions = Definitions.load(config)
    numerics = definitions.machine.numerics.model_copy(update={"layer_count": layers})
    machine = definitions.machine.model_copy(update={"numerics": numerics})
    machines, _ = kernel_constants(machine, definitions.material)
    compile_scan(machines, make_node(definitions, config).program)


if __name__ == "__main__":
    main(int(sys.argv[1]))
