"""All comparisons, in the order of the report."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from tests.oracles.parameters import machine_file
from tests.validation import (
    balances,
    disturbed,
    heat_forms,
    independent,
    invariants,
    left_out,
    line_balances,
    line_forms,
    plane,
    press_forms,
    running,
    sensitivity,
    stress_forms,
)
from tests.validation.comparison import Comparison

_LAYERED = (independent.layers_in_series,) if "layered_above_m_min" in machine_file()["numerics"] else ()
"""Only a machine file that says from which speed on layers strain on their own has a model that does it."""

CATALOGUE: Final[Mapping[str, Sequence[Callable[..., Comparison]]]] = {
    "Closed forms": (
        heat_forms.slab,
        heat_forms.belt_on_plate,
        stress_forms.maxwell_hold,
        stress_forms.free_recovery,
        stress_forms.freeze_in,
        stress_forms.eyring_flow,
        stress_forms.time_and_temperature,
        press_forms.belt_span,
        press_forms.rolling_coefficient,
        line_forms.extraction_series,
        line_forms.gurley,
    ),
    "Convergence": (press_forms.step_length, press_forms.parcel_length, independent.solver),
    "Independent solutions": (
        independent.between_belts,
        *_LAYERED,
        running.running_press,
        disturbed.bad_rollers_and_uneven_feed,
        plane.plane,
        line_forms.extraction_in_baths,
        line_forms.crosslinking,
        line_forms.recovery_in_the_oven,
    ),
    "Balances and invariants": (
        balances.balances,
        line_balances.masses,
        invariants.drawn,
        invariants.what_must_come_out,
    ),
    "What the model leaves out": (left_out.sizes,),
    "What the parameters are worth": (sensitivity.parameters,),
}


def wants_workers(compare: Callable[..., Comparison]) -> bool:
    """Whether a comparison hands out its cases to workers itself."""
    return "workers" in inspect.signature(compare).parameters
