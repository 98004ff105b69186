"""What must hold, as data, and the monitors that judge it on a run.

`CLAIMS` is the table of claims; `judge` holds one run of a press or a line against it, from sensors alone
and, where the bench offers it, from the truth. The rules that all verdicts keep stand in `rig.requirements.verdict`.
"""

from rig.requirements.claims import (
    BELT_MISMATCH_LIMIT_PERCENT,
    CLAIMS,
    ELASTOMER_SHARE_LIMIT_PERCENT,
    FILM_CLAIMS,
    LINE_FORCE_LIMIT_KN,
    SHEET_CLAIMS,
    Claim,
)
from rig.requirements.film import FilmTruth, good_sheet, truth_of_good_sheet
from rig.requirements.monitors import NO_GOOD_SHEET, judge
from rig.requirements.run import SensorUncertainty
from rig.requirements.separator import NO_LINE, NO_RELEASED_ROLL
from rig.requirements.tracking import SheetTracker, Stations
from rig.requirements.verdict import Judgement, Status, Verdict

__all__ = [
    "BELT_MISMATCH_LIMIT_PERCENT",
    "CLAIMS",
    "ELASTOMER_SHARE_LIMIT_PERCENT",
    "FILM_CLAIMS",
    "LINE_FORCE_LIMIT_KN",
    "NO_GOOD_SHEET",
    "NO_LINE",
    "NO_RELEASED_ROLL",
    "SHEET_CLAIMS",
    "Claim",
    "FilmTruth",
    "Judgement",
    "SensorUncertainty",
    "SheetTracker",
    "Stations",
    "Status",
    "Verdict",
    "good_sheet",
    "judge",
    "truth_of_good_sheet",
]
