"""What must hold, as data, and the monitors that judge it on a run."""

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
from rig.requirements.rules import (
    ActingFault,
    Rule,
    RuleStatus,
    RuleVerdict,
    judge_rules,
    load_rules,
    recipe_constants,
    worst_of,
)
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
    "ActingFault",
    "Claim",
    "FilmTruth",
    "Judgement",
    "Rule",
    "RuleStatus",
    "RuleVerdict",
    "SensorUncertainty",
    "SheetTracker",
    "Stations",
    "Status",
    "Verdict",
    "good_sheet",
    "judge",
    "judge_rules",
    "load_rules",
    "recipe_constants",
    "truth_of_good_sheet",
    "worst_of",
]
