"""HIL rig for controllers of a pressure-roller type double-belt press.

Importing it teaches pyserial the `emu://` scheme. The public face is loaded on first use, so that
`import rig` and `press-rig --help` stay quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import serial

if TYPE_CHECKING:
    from rig.bench import Abilities, Bench, open_press
    from rig.controller import Controller, Inputs, QualityRecord, make_controller
    from rig.controller.runner import Runner
    from rig.errors import RigError
    from rig.recipe import Recipe, load_recipe

__all__ = [
    "Abilities",
    "Bench",
    "Controller",
    "Inputs",
    "QualityRecord",
    "Recipe",
    "RigError",
    "Runner",
    "load_recipe",
    "make_controller",
    "open_press",
]

HANDLERS = "emulator.ports"
"""pyserial looks for `protocol_emu` here; naming it does not load it."""

if HANDLERS not in serial.protocol_handler_packages:
    serial.protocol_handler_packages.append(HANDLERS)

_HOMES = {
    "Abilities": "rig.bench",
    "Bench": "rig.bench",
    "Controller": "rig.controller",
    "Inputs": "rig.controller",
    "QualityRecord": "rig.controller",
    "Recipe": "rig.recipe",
    "RigError": "rig.errors",
    "Runner": "rig.controller.runner",
    "load_recipe": "rig.recipe",
    "make_controller": "rig.controller",
    "open_press": "rig.bench",
}


def __getattr__(name: str) -> Any:
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"module 'rig' has no attribute {name!r}") from None
    return getattr(import_module(home), name)
