"""Reports of a run: verdicts for machines, one HTML page for people, a few lines for the terminal.

Whatever drives the tests fills a `RunSummary`; nothing here judges or measures.
"""

from rig.report.geometry import PressGeometry, Zone
from rig.report.html import write_html
from rig.report.picture import PressView, press_picture
from rig.report.summary import (
    Headline,
    Outcome,
    RequirementRow,
    RunData,
    RunSummary,
    TestResult,
    headline,
    requirement_rows,
    write_verdicts_json,
)
from rig.report.terminal import print_summary
from rig.report.view import view_of

__all__ = [
    "Headline",
    "Outcome",
    "PressGeometry",
    "PressView",
    "RequirementRow",
    "RunData",
    "RunSummary",
    "TestResult",
    "Zone",
    "headline",
    "press_picture",
    "print_summary",
    "requirement_rows",
    "view_of",
    "write_html",
    "write_verdicts_json",
]
