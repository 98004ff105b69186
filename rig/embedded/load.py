"""From `firmware:PATH` to what makes the controller."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from rig.controller.machine_facts import load_machine_facts
from rig.embedded.controller import EmbeddedController
from rig.embedded.recipe_block import recipe_block
from rig.errors import UsageError
from rig.protocol.registers_file import default_registers
from rig.recipe import Recipe

__all__ = ["SCHEME", "embedded_factory"]

SCHEME: Final = "firmware:"


def embedded_factory(name: str) -> Callable[..., EmbeddedController]:
    """The factory for a controller by `firmware:PATH`.

    Args:
        name: the path is an ELF file for the LM3S6965, or the folder `controller` of a tree of sources that is laid
            out like `firmware_stubs/`, which is built first.

    Raises:
        UsageError: there is no such program, or it cannot be built or executed here.
    """
    from rig.virtual import load_board  # noqa: PLC0415 - heavy, and only needed for this kind of controller

    path = Path(name.removeprefix(SCHEME))
    if not path.exists():
        raise UsageError(
            f"controller {name!r}: there is nothing at {path}; give the folder of the sources, such as "
            "firmware:firmware_stubs/controller, or an ELF file for the LM3S6965"
        )
    try:
        program = load_board(path)
    except UsageError as error:
        raise UsageError(f"controller {name!r}: {error}") from error

    def firmware(recipe: Recipe, *, enforce_claims: bool = True) -> EmbeddedController:
        block = recipe_block(recipe, load_machine_facts(), default_registers(), keeps_claims=enforce_claims)
        return EmbeddedController(program, block, recipe)

    return firmware
