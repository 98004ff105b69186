"""Scenario files: what is written is read again, and what is wrong is told."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.errors import UsageError
from rig.properties import scenarios
from rig.scenario import Scenario, as_toml, event_of, read_scenario, scenario_from, write_scenario
from rig.virtual import FAULT_KINDS

PLACES = ("heat_1_upper_temperature_c", "belt_upper_speed_m_min")


def targets(kind: str) -> tuple[str, ...]:
    known = FAULT_KINDS[kind]
    return tuple(known.get("places", ())) or (PLACES if known.get("targets") else ())


@given(
    scenarios(("cold", "warm", "produce"), targets),
    st.text(max_size=40),
    st.lists(st.sampled_from(("SAF-01", "LIV-02"))),
)
@settings(max_examples=150, deadline=None)
def test_a_scenario_is_read_as_it_was_written(scenario: Scenario, title: str, breaks: list[str]) -> None:
    told = Scenario(
        scenario.state, scenario.lasts_s, scenario.events, scenario.recovers, scenario.seed,
        breaks=tuple(breaks), title=title, controller="mine.press:make",
        press="emu://?wiring=multi-drop",
    )  # fmt: skip
    assert scenario_from(tomllib.loads(as_toml(told)), "x") == told


def test_a_file_is_what_a_person_would_write(tmp_path: Path) -> None:
    scenario = Scenario(
        "produce", 20.0,
        (event_of(3.0, "button", "stop"), event_of(5.0, "fault", "heater_lost", {"target": "heat_1_upper"})),
        breaks=("SAF-01",), title="Heat goes on",
    )  # fmt: skip
    write_scenario(scenario, tmp_path / "new" / "one.toml")
    assert (tmp_path / "new" / "one.toml").read_text() == (
        'title = "Heat goes on"\nbreaks = ["SAF-01"]\nstate = "produce"\nlasts_s = 20.0\nseed = 0\n\n'
        '[[event]]\nat_s = 3.0\nbutton = "stop"\n\n'
        '[[event]]\nat_s = 5.0\nfault = "heater_lost"\ntarget = "heat_1_upper"\n'
    )
    assert read_scenario(tmp_path / "new" / "one.toml") == scenario


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lasts = 3", "has no 'lasts'; it has title"),
        ("lasts_s = 'long'", "lasts_s is 'long'; it must be a number"),
        ("lasts_s = 0", "lasts_s is 0; it must be above 0"),
        ("seed = -1", "seed is -1; it must not be negative"),
        ("seed = true", "seed is True; it must be a whole number"),
        ("recovers = 1", "recovers is 1; it must be true or false"),
        ("breaks = 'SAF-01'", "breaks is 'SAF-01'; it must be a list of ids"),
        ("event = 3", r"events are tables \[\[event\]\]"),
        ("[[event]]\nat_s = 1", "event 1 needs one of button, hand, fault, and has none of them"),
        ("[[event]]\nat_s = 1\nbutton = 'stop'\nhand = 'open_guard'", "and has button and hand"),
        ("[[event]]\nbutton = 'stop'", "event 1 needs at_s"),
        ("[[event]]\nat_s = nan\nbutton = 'stop'", "at_s is nan; it must be 0"),
        ("[[event]]\nat_s = 1\nbutton = 'go'", "there is no button 'go'; it is one of start"),
        ("[[event]]\nat_s = 1\nhand = 'wave'", "there is no hand 'wave'; it is one of push_emergency_stop"),
        ("[[event]]\nat_s = 1\nfault = 'heater_los'", "did you mean 'heater_lost'"),
        ("[[event]]\nat_s = 1\nfault = 'heater_lost'", "needs a target"),
        ("[[event]]\nat_s = 1\nfault = 'mains_dip'\nafter_s = 2", "at_s says when it begins"),
        ("[[event]]\nat_s = 1\nbutton = 'stop'\ntarget = 'x'", "button stop has no options, and got target"),
        ("[[event]]\nat_s = 99\nbutton = 'stop'", "an event comes after the end, which is at 60 s"),
        ("lasts_s = [", "is not TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_told(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text(text)
    with pytest.raises(UsageError, match=message):
        read_scenario(tmp_path / "wrong.toml")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_scenario(tmp_path / "none.toml")
