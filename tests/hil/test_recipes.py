"""Recipes that cannot make good film: refused before the start, or noticed in the film."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rig.controller.api import ReportsQuality
from rig.recipe import RECOVERY_LIMIT_PERCENT, ROLLING_COEFFICIENT_LIMIT, load_recipe

if TYPE_CHECKING:
    from rig.pytest_plugin import Hil


@pytest.mark.parametrize("name", ["too-cold", "too-brief"])
def test_recipe_against_the_claims_is_refused(name: str, hil: Hil) -> None:
    bench = hil.open(start="cold")
    runner = hil.runner(bench, hil.controller(load_recipe(name)))
    runner.run_for(1)
    runner.request("start")
    runner.run_for(5)
    assert runner.state == "idle"
    assert runner.inputs.values["mode"] in ("off", "ready")


@pytest.mark.needs("see_truth")
@pytest.mark.parametrize(
    ("recipe", "machine", "quantity"),
    [
        ("too-cold", "reference", "recovery_percent"),
        ("too-brief", "reference", "rolling_coefficient"),
        # the same recipe between rollers 60 mm apart: the belts bridge, and geometry alone defeats the target
        ("reference", "pitch60", "recovery_percent"),
    ],
)
def test_bad_film_is_noticed_and_scrapped(recipe: str, machine: str, quantity: str, hil: Hil) -> None:
    bench = hil.open(start="warm", recipe=recipe, machine=machine)
    controller = hil.controller(load_recipe(recipe), enforce_claims=False)
    if not isinstance(controller, ReportsQuality):
        pytest.skip("the controller has no quality gate")
    runner = hil.runner(bench, controller)
    runner.run_for(1)
    runner.request("start")
    runner.run_until_state("thread", within_s=7200)
    runner.run_until(lambda: len(controller.quality()) >= 10, within_s=3600, what="ten pieces of judged film")
    records = controller.quality()
    assert not any(record.good for record in records), "bad film was shipped"
    film = bench.virtual.film()[-10:]
    if quantity == "recovery_percent":
        assert all(row.recovery_percent > RECOVERY_LIMIT_PERCENT for row in film)
        assert records[-1].recovery_percent > RECOVERY_LIMIT_PERCENT, records[-1]
    else:
        assert all(row.rolling_coefficient < ROLLING_COEFFICIENT_LIMIT for row in film)
        assert records[-1].rolling_coefficient < ROLLING_COEFFICIENT_LIMIT, records[-1]
    assert bench.value("diverter_at_scrap")
