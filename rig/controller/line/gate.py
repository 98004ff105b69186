"""The quality gate of a roll, from sensors alone: what the laboratory measured, and what the press knows of its sheet.

A roll is released only if every property that the laboratory measures is inside its target by more than the
instrument's expanded uncertainty, and the press let nearly all of its sheet pass. Doubt counts against the roll, as in
the gate of the press (`rig.controller.quality`). It is not judged before it has been measured.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from rig.controller.api import FilmSample, QualityRecord
from rig.products import FILM_PROPERTIES, Product

__all__ = ["PressPart", "judge", "press_part"]

RELEASED, BLOCKED, NOT_JUDGED = "released", "blocked", "not judged"
REJECTED_PART = 0.02
"""So much of a roll's sheet may have been rejected by the press's gate: single pieces fail by the noise of a gauge."""


@dataclass(frozen=True, slots=True)
class PressPart:
    """What the press's records say of the sheet of a roll.

    Attributes:
        pieces: records of it.
        rejected: of them not good.
        reason: why the first of these is not.
    """

    pieces: int
    rejected: int
    reason: str


def press_part(records: Sequence[QualityRecord], first_m: float, last_m: float) -> PressPart:
    """The records of a part of the sheet.

    Args:
        records: of the press, oldest first.
        first_m: where it begins, in metres of sheet as the records count it.
        last_m: where it ends.
    """
    first = bisect_right(records, first_m, key=lambda record: record.start_m + record.length_m)
    last = bisect_left(records, last_m, key=lambda record: record.start_m)
    mine = records[first:last]
    bad = [record for record in mine if not record.good]
    return PressPart(len(mine), len(bad), bad[0].reason if bad else "")


def judge(product: Product, press: PressPart | None, sample: FilmSample | None) -> tuple[str, str]:
    """Grade of a roll (one of `rig.rolls.GRADES`), and why it is blocked.

    Args:
        product: what it is to be.
        press: of its sheet; None while it is being wound.
        sample: None before it has been measured.
    """
    if press is None or sample is None:
        return NOT_JUDGED, ""
    reasons = []
    if press.pieces == 0:
        reasons.append("the press has no records of its sheet")
    elif press.rejected > REJECTED_PART * press.pieces:
        share = 100.0 * press.rejected / press.pieces
        reasons.append(f"{share:.0f} % of its sheet was rejected at the press: {press.reason}")
    for name, target in product.film.items():
        if name not in sample.values:
            continue  # the laboratory does not measure it
        value, doubt = sample.values[name], sample.uncertainties[name]
        if not target.low + doubt <= value <= target.high - doubt:
            kind = FILM_PROPERTIES[name]
            reasons.append(f"{kind.title} {kind.text(value)} ± {kind.text(doubt)} is not surely {target}")
    return (BLOCKED, "; ".join(reasons)) if reasons else (RELEASED, "")
