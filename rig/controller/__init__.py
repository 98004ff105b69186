"""The reference controller: the example device under test, and the pattern for one's own.

make_controller()             the factory that `press-rig hil` uses by default
make_line_controller()        that of the controller of a whole line (docs/line.md)
ReferenceController           its class: `scan(inputs, now_ns) -> outputs`
Inputs, QualityRecord, …      what any controller speaks (`rig.controller.api`)
"""

from rig.controller.api import (
    OPERATOR_REQUESTS,
    Controller,
    Inputs,
    QualityRecord,
    ReportsQuality,
    ReportsState,
    Value,
)
from rig.controller.line import LineController, load_line_facts
from rig.controller.machine_facts import MachineFacts, load_machine_facts
from rig.controller.reference import ReferenceController
from rig.controller.states import TRANSITIONS, Event, State
from rig.errors import UsageError
from rig.products import Product, load_product
from rig.recipe import Recipe, RecipeError, load_recipe

__all__ = [
    "OPERATOR_REQUESTS",
    "TRANSITIONS",
    "Controller",
    "Event",
    "Inputs",
    "LineController",
    "MachineFacts",
    "QualityRecord",
    "ReferenceController",
    "ReportsQuality",
    "ReportsState",
    "State",
    "Value",
    "load_machine_facts",
    "make_controller",
    "make_line_controller",
]

SHIFT_H = 8.0


def make_controller(recipe: Recipe | None = None, *, enforce_claims: bool = True) -> ReferenceController:
    """A reference controller for a recipe (the reference recipe if none is given)."""
    return ReferenceController(recipe or load_recipe("reference"), load_machine_facts(), enforce_claims)


def make_line_controller(
    product: Product | str = "standard-25um",
    *,
    length_m: float | None = None,
    hours: float | None = None,
    enforce_claims: bool = True,
) -> LineController:
    """A controller of the whole line for a product.

    Args:
        product: what to make; a name or path is loaded.
        length_m: sheet to make, m.
        hours: production at the product's speed instead; 8 h where neither is given.
        enforce_claims: refuse to start a product that cannot meet the claims.

    Raises:
        UsageError: no such product, or both `length_m` and `hours`, or one that is not above 0.
    """
    if length_m is not None and hours is not None:
        raise UsageError("give length_m or hours, not both: one follows from the other at the speed of the product")
    if isinstance(product, str):
        try:
            product = load_product(product)
        except RecipeError as error:
            raise UsageError(str(error)) from error
    if length_m is None:
        length_m = (SHIFT_H if hours is None else hours) * 60.0 * product.press.speed_m_min
    if not length_m > 0.0:
        raise UsageError(f"length_m is {length_m:g}; a shift makes more than 0 m of sheet")
    return LineController(product, load_line_facts(), load_machine_facts(), length_m, enforce_claims)
