"""Where in the sheet the winder is: ways through the stations, and what the stores hold.

Positions are metres of sheet before stretching. docs/line.md
"""

from __future__ import annotations

import math

from rig.controller.line.facts import LineFacts
from rig.controller.machine_facts import MachineFacts
from rig.products import Product

__all__ = ["before_gauge_m", "behind_loop_m"]


def before_gauge_m(facts: LineFacts, press: MachineFacts) -> float:
    """From the die to the press's second gauge but for the store."""
    return facts.cooling_m + press.pressing_length_m + press.recovered_gauge_m


def behind_loop_m(facts: LineFacts, product: Product) -> float:
    """From the loop to the winder, as sheet: what has been drawn is longer by its ratio."""
    ratio = product.stretching.ratio_md
    drawing_m = facts.draw_m * (math.log(ratio) / (ratio - 1.0) if ratio > 1.0 else 1.0)
    washing_m = facts.baths_m + facts.dryer_m
    if product.desolvation.order == "desolvate-first":
        return washing_m + facts.oven_m + drawing_m + facts.clips_m / ratio
    return facts.oven_m + drawing_m + (washing_m + facts.clips_m) / ratio
