"""The nights: what was found is kept, told as new once, and the next night goes on where the last one was."""

from __future__ import annotations

from pathlib import Path

import pytest

from rig.errors import UsageError
from rig.report.nightly_page import write_nightly_page
from rig.scenario import Scenario, event_of, read_scenario, write_scenario
from rig.search.hunt import Budget
from rig.search.nightly import Nights, hunt_leg, known_keys, run_night

ONE = Budget(seconds=600.0, runs=1, shrink_s=2.0)
IDLE_HEAT = "tests.search.test_worst_and_fmea:make_idle_heat"


def test_what_a_leg_finds_repeats_bit_for_bit() -> None:
    leg = hunt_leg(IDLE_HEAT, 1, ONE)
    assert leg.runs == 1
    [(requirement, _, scenario, repeats)] = [one for one in leg.found if one[0] == "HYG-10"]
    assert requirement in scenario.breaks
    assert scenario.controller == IDLE_HEAT
    assert repeats


def test_what_is_new_in_one_night_is_known_in_the_next(tmp_path: Path) -> None:
    first = run_night(IDLE_HEAT, tmp_path, 600.0, 1, tmp_path / "none", leg=ONE, most_legs=1)
    assert "HYG-10" in first.new
    assert not first.known
    nights = Nights.read(tmp_path)
    assert nights.next_seed == 1
    for key in first.new:
        assert read_scenario(tmp_path / nights.found[key].file).breaks == (nights.found[key].requirement,)
        assert nights.found[key].repeats
    second = run_night(IDLE_HEAT, tmp_path, 600.0, 1, tmp_path / "none", leg=ONE, most_legs=1)
    assert not second.new
    assert set(second.known) == set(first.new)
    again = Nights.read(tmp_path)
    assert again.next_seed == 2
    assert len(again.nights) == 2
    page = write_nightly_page(again, tmp_path / "nightly.html").read_text(encoding="utf-8")
    assert "HYG-10" in page
    assert "Over the nights" in page


def test_regressions_are_known(tmp_path: Path) -> None:
    events = (event_of(1.0, "hand", "open_guard"), event_of(2.0, "button", "stop"))
    write_scenario(Scenario("produce", 9.0, events, breaks=("SAF-14", "SAF-15")), tmp_path / "one.toml")
    assert set(known_keys(tmp_path)) == {"SAF-14 open_guard stop", "SAF-15 open_guard stop"}


def test_a_folder_of_something_else_is_told(tmp_path: Path) -> None:
    (tmp_path / "nights.json").write_text('{"nights": 3}')
    with pytest.raises(UsageError, match=r"nights\.json cannot be read"):
        run_night(IDLE_HEAT, tmp_path, 1.0, 1, tmp_path)
