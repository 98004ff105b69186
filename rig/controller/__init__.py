"""The reference controller: the example device under test, and the pattern for one's own.

make_controller()             the factory that `press-rig hil` uses by default
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
from rig.controller.machine_facts import MachineFacts, load_machine_facts
from rig.controller.reference import ReferenceController
from rig.controller.states import TRANSITIONS, Event, State
from rig.recipe import Recipe, load_recipe

__all__ = [
    "OPERATOR_REQUESTS",
    "TRANSITIONS",
    "Controller",
    "Event",
    "Inputs",
    "MachineFacts",
    "QualityRecord",
    "ReferenceController",
    "ReportsQuality",
    "ReportsState",
    "State",
    "Value",
    "load_machine_facts",
    "make_controller",
]


def make_controller(recipe: Recipe | None = None, *, enforce_claims: bool = True) -> ReferenceController:
    """A reference controller for a recipe (the reference recipe if none is given)."""
    return ReferenceController(recipe or load_recipe("reference"), load_machine_facts(), enforce_claims)
