"""Lines that misbehave from the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.wire.scenarios import SCENARIOS
from emulator.world import World, WorldConfig
from rig.bench import open_press
from rig.controller.runner import Runner
from rig.errors import UsageError


class Idle:
    """A controller that only looks."""

    def scan(self, inputs: object, now_ns: int) -> dict[str, object]:
        return {}


@pytest.mark.parametrize("name", sorted(SCENARIOS))
def test_half_a_minute_on_every_line_holds_no_scan_up(name: str) -> None:
    with open_press(f"emu://?scenario={name}") as bench, Runner(bench, Idle()) as runner:  # type: ignore[arg-type]
        runner.run_for(35.0)
        assert runner.missed_deadlines == 0
        struck = bench.virtual.line_counters["struck"]
        assert struck > 0 if SCENARIOS[name].faults else struck == 0


def test_a_scenario_may_bring_its_adapter() -> None:
    assert World(WorldConfig(scenario="usb-adapter")).bus.adapter.name == "ftdi-16ms"
    assert World(WorldConfig(scenario="bad-cable", adapter="os-jitter")).bus.adapter.name == "os-jitter"


def test_one_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(UsageError, match="scenario is 'bad'; it must be one of good, usb-adapter"):
        open_press("emu://?scenario=bad")


def test_the_documentation_names_every_one() -> None:
    text = (Path(__file__).parents[2] / "docs/faults.md").read_text(encoding="utf-8")
    for name, scenario in SCENARIOS.items():
        assert f"| `{name}` | {scenario.meaning} |" in text
