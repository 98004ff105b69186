"""The claims of the process specification, as a table.

What must hold, with the limit and its unit. How each is judged stands in `monitors`; the limits that
a recipe must respect too are stated once, in `rig.recipe` and `rig.products`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rig.products import UNCROSSLINKED_MELTDOWN_ABOVE_K
from rig.recipe import (
    COLD_LIMIT_C,
    HOT_WINDOW_BELOW_MELTING_K,
    RECOVERY_LIMIT_PERCENT,
    ROLLING_COEFFICIENT_LIMIT,
)

__all__ = [
    "BELT_MISMATCH_LIMIT_PERCENT",
    "CLAIMS",
    "ELASTOMER_SHARE_LIMIT_PERCENT",
    "FILM_CLAIMS",
    "LINE_FORCE_LIMIT_KN",
    "SHEET_CLAIMS",
    "Claim",
]

BELT_MISMATCH_LIMIT_PERCENT = 0.2
"""CLM-3: above this difference of belt speeds, in % of their mean, the belts shear the sheet."""
LINE_FORCE_LIMIT_KN = 1.0
"""CLM-3, CLM-4: a roller group (both sides of the frame) that shows less, in kN, does not press:
well above the noise of the load cells, far below the tens of kN of a pressed sheet."""
ELASTOMER_SHARE_LIMIT_PERCENT = 0.5
"""CLM-6: with less elastomer in the solids that are fed, in % by weight, none is: well above what the noise of the
feeders comes to, below any recipe."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that must hold of the film or of how it was made.

    Attributes:
        id: such as `CLM-1`.
        title: a few words, for tables.
        text: the sentence that must hold.
        quantity: what is measured, with its symbol.
        limit: the number that the quantity is held against.
        upper: the quantity must stay at or below the limit (otherwise at or above).
        unit: of quantity, limit and margin.
        about: `sheet` that a press rolled, or `film` that a line made of it; a press alone cannot be judged on film.
    """

    id: str
    title: str
    text: str
    quantity: str
    limit: float
    upper: bool
    unit: str
    about: Literal["sheet", "film"] = "sheet"

    @property
    def limit_text(self) -> str:
        """The limit as it stands in tables, such as `≤ 20 %`."""
        return f"{'≤' if self.upper else '≥'} {self.limit:g} {self.unit}"

    def margin(self, value: float) -> float:
        """How far `value` is on the good side of the limit; negative on the bad side."""
        return self.limit - value if self.upper else value - self.limit


CLAIMS: Mapping[str, Claim] = {
    claim.id: claim
    for claim in (
        Claim(
            "CLM-1",
            "Elastic recovery",
            "After rolling, the elastic recovery rate r = 100·(t − t0)/t0 is at most 20 %.",
            "worst r of good sheet",
            RECOVERY_LIMIT_PERCENT,
            True,
            "%",
        ),
        Claim(
            "CLM-2",
            "Rolling coefficient",
            "The rolling coefficient k = (thickness before / thickness after) × (minutes under pressure) "
            "is at least 5 times·min.",
            "worst k of good sheet",
            ROLLING_COEFFICIENT_LIMIT,
            False,
            "times·min",
        ),
        Claim(
            "CLM-3",
            "Double-belt press",
            "Rolling is done by a pressure-roller type double-belt press: both belts run together, and the "
            "rollers press the sheet from the entry on.",
            "largest difference of belt speeds",
            BELT_MISMATCH_LIMIT_PERCENT,
            True,
            "%",
        ),
        Claim(
            "CLM-4",
            "Pressure held",
            "Heat rolling and cold pressing follow one another in one press, with the pressure never "
            "released between them.",
            "smallest line force between hot and cold",
            LINE_FORCE_LIMIT_KN,
            False,
            "kN",
        ),
        Claim(
            "CLM-5",
            "Hot and cold",
            f"Heat rolling happens between Tm − {HOT_WINDOW_BELOW_MELTING_K[0]:g} K and "
            f"Tm − {HOT_WINDOW_BELOW_MELTING_K[1]:g} K of the polyolefin's melting point Tm, cold pressing "
            f"at or below {COLD_LIMIT_C:g} °C.",
            "smallest distance to the window's edges and to the cold limit",
            0.0,
            False,
            "K",
        ),
        Claim(
            "CLM-6",
            "Crosslinkable elastomer",
            "The composition holds a crosslinkable, double-bond-containing elastomer: it is fed, and the film holds "
            f"together more than {UNCROSSLINKED_MELTDOWN_ABOVE_K:g} K above Tm, where film of plain polyolefin has "
            "broken up.",
            "lowest meltdown of released film above the polyolefin's melting point",
            UNCROSSLINKED_MELTDOWN_ABOVE_K,
            False,
            "K",
            "film",
        ),
        Claim(
            "CLM-7",
            "Battery separator",
            "The film becomes a battery separator: thickness, porosity, air permeability, puncture strength, "
            "shrinkage and residual solvent are those of one, and it shuts down before it breaks up.",
            "smallest distance of released film to the limits of a separator, in % of the limit",
            0.0,
            False,
            "%",
            "film",
        ),
    )
}
SHEET_CLAIMS = tuple(claim.id for claim in CLAIMS.values() if claim.about == "sheet")
FILM_CLAIMS = tuple(claim.id for claim in CLAIMS.values() if claim.about == "film")
