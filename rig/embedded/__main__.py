"""`python -m rig.embedded RECIPE FILE`: the recipe's block of flash, to be loaded into a real board."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from rig.controller.machine_facts import load_machine_facts
from rig.embedded.recipe_block import recipe_block
from rig.protocol.registers_file import default_registers
from rig.recipe import RecipeError, load_recipe


def main() -> int:
    """Write the block; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m rig.embedded", description=__doc__)
    parser.add_argument("recipe", help="name or path")
    parser.add_argument("file", type=Path, help="what is written; firmware_stubs/README.md says how it is loaded")
    arguments = parser.parse_args()
    try:
        block = recipe_block(load_recipe(arguments.recipe), load_machine_facts(), default_registers())
        arguments.file.write_bytes(block)
    except (RecipeError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
