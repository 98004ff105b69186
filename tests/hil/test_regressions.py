"""Scenarios that broke a controller once: no controller may break them again.

`press-rig keep FILE` adds one.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.pytest_plugin import Hil
from rig.scenario import Stage, read_scenario

FILES = sorted((Path(__file__).parent / "regressions").glob("*.toml"))

pytestmark = pytest.mark.needs("see_truth", "fork", "inject_faults")


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_regression(hil: Hil, stage: Stage, file: Path) -> None:
    scenario = read_scenario(file)
    if scenario.state not in stage.states(scenario):
        pytest.skip(f"the controller's life does not come to {scenario.state}")
    played = stage.play(scenario, hil.adopt)
    wanted = set(scenario.breaks) or set(played.broken)
    assert not wanted & set(played.broken), "; ".join(f"{name}: {played.why(name)}" for name in played.broken)
