"""One monitor per claim: from sensors alone, and from the truth of sheet and film where a bench offers it.

| claim | from sensors | from the truth |
| --- | --- | --- |
| CLM-1 | largest measured r of good sheet | largest r of the parcels of good sheet |
| CLM-2 | smallest measured k of good sheet | smallest k of the parcels of good sheet |
| CLM-3 | belt speeds (mean of 10 s) while good sheet was in the press, and the line force of the entry group with sheet under it | the true speeds and force; every parcel was pressed |
| CLM-4 | line forces at the end of the taper and in the cold section, with sheet under them, while good sheet was between | the true forces; no parcel was released between hot and cold |
| CLM-5 | zone temperatures that good sheet met, its temperature at the end of the cold section | belt temperatures that the parcels met, their temperature at the end of the cold section |
| CLM-6 | lowest meltdown in the samples of released rolls; the feeders gave elastomer while their sheet was made | lowest meltdown of the pieces on released rolls; elastomer is in every one |
| CLM-7 | the property in the samples of released rolls that is nearest to its limit; residual solvent by the last bath | the same of every piece on released rolls, residual solvent included |
"""  # noqa: E501 - a table

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rig.requirements import belt_press, separator, sheet
from rig.requirements.claims import CLAIMS, SHEET_CLAIMS
from rig.requirements.film import FilmTruth, good_sheet, truth_of_good_sheet
from rig.requirements.run import Run, SensorUncertainty
from rig.requirements.tracking import Stations
from rig.requirements.verdict import Judgement, Verdict, combine

if TYPE_CHECKING:
    from rig.controller.api import QualityRecord, RollRecord
    from rig.trace import Samples

__all__ = ["NO_GOOD_SHEET", "judge"]

NO_GOOD_SHEET = "no good sheet was made"


def judge(
    quality: Sequence[QualityRecord] | None,
    tags: Samples | None,
    *,
    melting_point_c: float,
    truth: Sequence[FilmTruth] | None = None,
    signals: Samples | None = None,
    rolls: Sequence[RollRecord] | None = None,
    pieces: NDArray[np.void] | None = None,
    stations: Stations | None = None,
    uncertainty: SensorUncertainty | None = None,
) -> tuple[Verdict, ...]:
    """Judge CLM-1 to CLM-7 for one run, by the rules of `rig.requirements.verdict`.

    Args:
        quality: what the controller found out about the sheet; None if it has no quality gate. Then
            everything counts as product, and only the truth can judge it.
        tags: what was recorded through the wire; None if nothing was.
        melting_point_c: Tm of the polyolefin, °C.
        truth: what became of the sheet; None on a real press.
        signals: the true signals of a virtual press, recorded with the tags (`Recording.truth`).
        rolls: what the controller of a line says of its rolls of film; None if it has no gate for rolls, or there is
            no line. Without `pieces` as well CLM-6 and CLM-7 are not judged.
        pieces: what became of the film: rows of a roll map (`rig.rolls.ROW`), shape (n,); None on a real line.
        stations: where the roller groups are; the reference machine if not given.
        uncertainty: of what quality records do not state themselves.

    Returns:
        One verdict per claim, in their order.
    """
    stations, uncertainty = stations or Stations(), uncertainty or SensorUncertainty()
    wound = separator.Film(rolls, pieces, tags, melting_point_c)
    of_film = (separator.elastomer(CLAIMS["CLM-6"], wound), separator.separator(CLAIMS["CLM-7"], wound))
    good = None if quality is None else good_sheet(quality)
    if good is not None and not good:
        nothing = Judgement(False, note=NO_GOOD_SHEET)
        return (*(combine(CLAIMS[claim], nothing, None) for claim in SHEET_CLAIMS), *of_film)
    film = truth
    if truth is not None and good is not None:
        film = truth_of_good_sheet(good, truth)
    run = None if tags is None or good is None else Run(tags, good, stations, uncertainty)
    true_run = None if run is None or signals is None else run.with_truth(signals)
    return (
        sheet.recovery(CLAIMS["CLM-1"], good, run, film),
        sheet.coefficient(CLAIMS["CLM-2"], good, run, film),
        belt_press.press(CLAIMS["CLM-3"], run, film, true_run),
        belt_press.unreleased(CLAIMS["CLM-4"], run, film, true_run),
        sheet.temperatures(CLAIMS["CLM-5"], good, run, film, melting_point_c, uncertainty),
        *of_film,
    )
