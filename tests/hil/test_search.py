"""The rig looks for trouble by itself: people and faults in every state, and what it finds it makes small.

`press-rig search` does the same for as long as you like.
"""

from __future__ import annotations

import pytest

from rig.pytest_plugin import Hil
from rig.scenario import Stage
from rig.search import Budget, Hunt, Progress

pytestmark = pytest.mark.needs("see_truth", "fork", "inject_faults", "touch")

RUNS = {"dev": 50, "ci": 1500}
"""Profile -> scenarios: some of everything; everything, with every fault in half of the states. They are longer than
people alone were, so `dev` has fewer than it had."""
SHRINK_S = 10.0


def test_nothing_is_found_that_breaks_a_requirement(hil: Hil, stage: Stage) -> None:
    def note(progress: Progress) -> None:
        hil.note(f"{progress.runs} scenarios, {progress.doing}", progress.virtual_s)

    budget = Budget(seconds=3600.0, runs=RUNS[hil.profile], shrink_s=SHRINK_S)
    hunt = Hunt(stage, budget, seed=hil.seed, on_progress=note)
    found = hunt.run()
    told = []
    for finding in found:
        file = hil.keep_scenario(finding.scenario, finding.requirement)
        told.append(f"{finding.requirement}, {finding.played.why(finding.requirement)}: press-rig replay {file}")
        stage.play(finding.scenario, hil.adopt)  # for the report: recording, rules, the press before it
    assert not found, "; ".join(told)
