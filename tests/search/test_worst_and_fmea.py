"""How bad it can get, what every fault does, and looking into a scenario."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from rig.controller.api import Controller, Inputs, Value
from rig.errors import UsageError
from rig.recipe import Recipe
from rig.scenario import Scenario, Stage, event_of
from rig.search.debug import Debugger, causes
from rig.search.fmea import fmea, write_csv
from rig.search.worst import Level, worst
from tests.search.test_hunt import HeatsOn, make_heats_on


class IdleHeat(HeatsOn):
    """Heats while it is idle."""

    def scan(self, inputs: Inputs, now_ns: int) -> dict[str, Value]:
        outputs = super().scan(inputs, now_ns)
        outputs["heating_enable"] = outputs["heating_enable"] or self.state == "idle"
        return outputs


def make_idle_heat(recipe: Recipe) -> Controller:
    return IdleHeat(recipe)


STOP_AND_GUARD = Scenario(
    "produce", 8.0,
    (
        event_of(1.0, "fault", "sensor_noise", {"target": "belt_upper_speed_m_min"}),
        event_of(2.0, "hand", "open_guard"),
        event_of(3.0, "button", "hold"),
    ),
)  # fmt: skip


def test_every_fault_in_every_phase_tells_who_noticed_it_and_when(stage: Stage, tmp_path: Path) -> None:
    rows = fmea(stage, ["produce"], ["thermocouple_open", "mains_dip", "unplugged", "splice"])
    told = {row.fault: row for row in rows}
    assert told["thermocouple_open"].noticed_by == "warning sensor_range"
    assert told["thermocouple_open"].noticed_after_s == pytest.approx(0.1, abs=0.2)
    assert told["mains_dip"].noticed_by == "controller belt_stands"
    assert told["unplugged"].noticed_by in ("client bus", "client port", "controller stale_data")
    assert told["unplugged"].ended_in == "fault"
    assert all(row.margin is not None and row.margin >= 0.0 and not row.broken for row in rows)
    write_csv(rows, tmp_path / "fmea.csv")
    with (tmp_path / "fmea.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["fault"] for row in table] == [row.fault for row in rows]
    assert table[0]["noticed_by"] == "warning sensor_range"


def test_what_nobody_did_is_in_no_row(stage: Stage) -> None:
    """A hold in production is followed by the same states without a fault."""
    [row] = fmea(stage, ["hold"], ["splice"])
    assert row.noticed_by == ""
    assert row.noticed_after_s is None


def test_the_fewest_faults_that_break_a_requirement_are_looked_for(stage: Stage) -> None:
    told: list[Level] = []
    levels = worst(stage, "EQP-15", most=1, seconds=2.0, on_level=told.append)
    assert levels == told
    assert [level.faults for level in levels] == [0, 1]
    assert all(level.runs > 0 and not level.broken for level in levels)
    assert all(len(level.played.scenario.events) == level.faults for level in levels if level.played)


def test_a_requirement_that_needs_no_fault_to_be_broken_is_told_with_none() -> None:
    [level] = worst(Stage(make_idle_heat), "HYG-10", most=3, seconds=20.0)
    assert (level.faults, level.broken) == (0, True)


def test_the_causes_of_a_violation_are_the_events_that_it_needs() -> None:
    found = causes(Stage(make_heats_on), STOP_AND_GUARD, "SAF-14")
    assert [event.name for event in found] == ["open_guard"]


def test_a_scenario_can_be_looked_into_there_and_back() -> None:
    out = io.StringIO()
    debugger = Debugger(Stage(make_heats_on), STOP_AND_GUARD, 1.5, out)
    for line in (
        "events", "look alarm_word belt_upper_speed_m_min", "go 5", "look alarm_word", "broken", "causes SAF-14",
        "step -4", "look alarm_word", "without 2", "go 5", "broken", "again", "branch button abort",
    ):  # fmt: skip
        debugger.onecmd(line)
    told = out.getvalue()
    assert "• 1 1 s: fault sensor_noise" in told
    assert "  2 2 s: hand open_guard" in told
    first, second, third = [line for line in told.splitlines() if "alarm_word" in line]
    assert first.endswith("seen none")
    assert second.endswith("seen guard_open")
    assert third.endswith("seen none")
    assert told.count("✗ SAF-14") == 1
    assert "5 s: button abort" in told
    assert debugger.onecmd("quit")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("dance", "there is no 'dance'"),
        ("go far", "'far' is not a number"),
        ("without 9", "give numbers of events, 1 … 3"),
        ("look nothing_like_it", "nothing is called like"),
        ("branch wave", "such as: branch button stop"),
        ("branch button go", "there is no button 'go'"),
        ("causes SAF-01", "does not break SAF-01"),
    ],
)
def test_what_cannot_be_said_to_the_debugger_is_told(stage: Stage, line: str, message: str) -> None:
    out = io.StringIO()
    Debugger(stage, STOP_AND_GUARD, 1.0, out).onecmd(line)
    assert message in out.getvalue()


def test_a_phase_that_there_is_not_is_told(stage: Stage) -> None:
    with pytest.raises(UsageError, match="begins in 'dance'"):
        fmea(stage, ["dance"], ["splice"])
