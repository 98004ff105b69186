"""Mutants are what they say: one mistake each, beside sound controllers that stay as they are."""

from __future__ import annotations

import ast
import copy
import sys

import pytest

import rig.controller
import tests.mutants
from rig.controller import ReferenceController, make_controller
from rig.hil import load_factory
from rig.recipe import load_recipe
from rig.scenario import Scenario, Stage, event_of
from tests.mutants.catalogue import Mutant, load_mutants
from tests.mutants.loader import CONTROLLER, factory_of

MUTANTS = load_mutants()


def test_there_are_enough_of_every_kind() -> None:
    assert len(MUTANTS) >= 60
    kinds = {mutant.kind for mutant in MUTANTS.values()}
    assert kinds == {"alarms", "data", "gate", "loops", "sequence", "signals", "units"}
    assert all(sum(one.kind == kind for one in MUTANTS.values()) >= 8 for kind in kinds)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_a_small_change_of_what_is_there(name: str) -> None:
    mutant = MUTANTS[name]
    source = (CONTROLLER / mutant.file).read_text(encoding="utf-8")
    changed = mutant.applied(source)
    assert ast.dump(ast.parse(changed)) != ast.dump(ast.parse(source))
    assert mutant.title[0].isupper()
    assert factory_of(mutant)(load_recipe("reference")).scan


def test_a_mutant_whose_text_is_gone_says_so() -> None:
    mutant = Mutant("x", "units", "X", "goals.py", "no such text", "")
    with pytest.raises(ValueError, match=r"mutant x: its text stands 0 times in rig/controller/goals\.py"):
        factory_of(mutant)


def test_sound_controllers_stay_sound() -> None:
    before = {name: module for name, module in sys.modules.items() if name.startswith("rig.controller")}
    mutant = tests.mutants.heat_in_cool(load_recipe("reference"))
    assert type(mutant) is not ReferenceController
    assert type(make_controller()) is ReferenceController
    after = {name: module for name, module in sys.modules.items() if name.startswith("rig.controller")}
    assert before == after
    assert vars(rig.controller)["goals"] is sys.modules["rig.controller.goals"]


def test_a_mutant_runs_like_any_controller_and_can_be_copied() -> None:
    factory = load_factory("tests.mutants:heat_in_cool")
    twin = copy.deepcopy(factory(load_recipe("reference")))
    assert twin.state == "idle"
    played = Stage(factory).play(
        Scenario("warm", 5.0, (event_of(1.0, "button", "start"), event_of(3.0, "button", "stop")))
    )
    assert "SAF-23" in played.broken


def test_a_mutant_that_there_is_not_is_told() -> None:
    with pytest.raises(AttributeError, match="there is no mutant 'dances'"):
        getattr(tests.mutants, "dances")  # noqa: B009 - mypy would see that it is not there
