"""Lots of raw material: when each was opened, and where in the sheet it begins.

A lot is what was filled into the hoppers together. A new one is opened when somebody says so, or after so many
kilogrammes; the sheet that is cast from then on is of it.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field

from rig.products import Product
from rig.rolls import Lot

__all__ = ["LotBook"]

COMPONENTS = ("polyolefin", "elastomer", "solvent", "antioxidant")


@dataclass(slots=True)
class LotBook:
    """The lots of a shift.

    Args:
        product: what is made of them.
        lot_kg: a new lot after so many kg of everything that is fed.

    Attributes:
        lots: by number.
        begins_m: where in the sheet each begins, metres since the controller was switched on.
        fed_kg: of the newest.
    """

    product: Product
    lot_kg: float
    lots: list[Lot] = field(default_factory=list)
    begins_m: list[float] = field(default_factory=list)
    fed_kg: float = 0.0

    def open(self, now_ns: int, sheet_m: float) -> None:
        """Another lot from now on, which is `sheet_m` in the sheet."""
        made = self.product.composition
        material = f"{made.polyolefin}, {made.elastomer}, {made.solvent}"
        self.lots.append(Lot(len(self.lots) + 1, now_ns, material))
        self.begins_m.append(sheet_m)
        self.fed_kg = 0.0

    def feed(self, kg: float, now_ns: int, sheet_m: float) -> None:
        """So much has been fed."""
        self.fed_kg += kg
        if self.fed_kg >= self.lot_kg:
            self.open(now_ns, sheet_m)

    def between(self, first_m: float, last_m: float) -> tuple[int, ...]:
        """Numbers of the lots in this part of the sheet."""
        first, last = (max(bisect_right(self.begins_m, place_m), 1) for place_m in (first_m, last_m))
        return tuple(range(first, min(last, len(self.lots)) + 1))
