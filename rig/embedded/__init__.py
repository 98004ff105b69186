"""Controllers that are a board: a program for a microcontroller, executed in the rig, as the master on the line.

`--controller firmware:PATH` names one; see docs/controller.md.
"""

from rig.embedded.controller import EmbeddedController
from rig.embedded.load import SCHEME, embedded_factory
from rig.embedded.recipe_block import recipe_block

__all__ = ["SCHEME", "EmbeddedController", "embedded_factory", "recipe_block"]
