"""Scenarios: what happens in a run, as one value that can be drawn, played, shrunk, written and read again."""

from rig.scenario.file import as_toml, read_scenario, scenario_from, write_scenario
from rig.scenario.play import Played, Stage
from rig.scenario.shrink import shrink
from rig.scenario.timeline import BEGINNINGS, HANDS, Event, Scenario, event_of

__all__ = [
    "BEGINNINGS",
    "HANDS",
    "Event",
    "Played",
    "Scenario",
    "Stage",
    "as_toml",
    "event_of",
    "read_scenario",
    "scenario_from",
    "shrink",
    "write_scenario",
]
