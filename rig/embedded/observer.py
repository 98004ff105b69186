"""Quality records for a controller that keeps none: the sheet is followed by what was heard on its line.

The ledger and the assessment are those of the reference controller; whether a piece was product is what the observed
controller did with it: where it held the diverter when the piece had passed the last gauge.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from rig.controller.api import QualityRecord, Value
from rig.controller.ledger import Ledger, Reading
from rig.controller.machine_facts import MachineFacts
from rig.controller.names import Values
from rig.controller.quality import assess
from rig.controller.supervision import usable
from rig.recipe import Recipe

__all__ = ["Observer"]

SCRAP = "the controller has sent it to scrap"


class Observer:
    """Follows the sheet of one run.

    Attributes:
        records: of all pieces that have passed the last gauge, oldest first.
    """

    def __init__(self, recipe: Recipe, facts: MachineFacts) -> None:
        self._recipe, self._facts = recipe, facts
        self._ledger = Ledger(facts)
        self.records: list[QualityRecord] = []

    def copy(self) -> Observer:
        """Another one that goes on like this one."""
        other = copy.copy(self)
        other._ledger = copy.deepcopy(self._ledger)
        other.records = self.records.copy()
        return other

    def begin(self) -> None:
        """A run begins: what was is of another one."""
        self._ledger = Ledger(self._facts)
        self.records.clear()

    def see(self, sensed: Mapping[str, Value], time_ns: int, *, ships: bool) -> None:
        """Take in what the press has sensed.

        Args:
            sensed: by tag name.
            time_ns: when it was heard.
            ships: the controller lets the sheet behind the gauge pass as product.
        """
        if not usable(sensed):
            return
        values = cast("Values", sensed)
        speed_m_s = 0.5 * (values["belt_upper_speed_m_min"] + values["belt_lower_speed_m_min"]) / 60.0
        for piece in self._ledger.scan(Reading.of(values, time_ns, self._facts.heat_zone_count)):
            if piece.recovered.count == 0 or piece.released_ns < 0:
                continue
            record = assess(piece, self._recipe, self._facts, time_ns, speed_m_s)
            reason = "" if ships else record.reason or SCRAP
            self.records.append(replace(record, good=ships, reason=reason))
