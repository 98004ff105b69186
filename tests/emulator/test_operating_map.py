"""One point of the operating window: the same press, settled faster."""

from __future__ import annotations

import numpy as np
import pytest

from emulator.config import ConfigError, load_machine, load_material
from emulator.operating_map import Outcome, check_point, outcome, with_roller_pitch
from emulator.press import FILM_COLUMNS, Press
from emulator.press.start import fill, run, warm_up
from emulator.world import operating_point
from rig.recipe import Recipe, load_recipe

REFERENCE = load_machine("reference")
G20 = load_material("g20")
RECIPE = load_recipe("reference")


def at(**settings: float) -> Recipe:
    return RECIPE.model_copy(update={"press": RECIPE.press.model_copy(update=settings)})


@pytest.fixture(scope="module")
def own() -> Outcome:
    return outcome(REFERENCE, G20, RECIPE)


def test_point_agrees_with_a_long_run_of_the_press(own: Outcome) -> None:
    press, point = Press(REFERENCE, G20), operating_point(RECIPE)
    warm_up(press, point)
    fill(press, point)
    run(press, point, press.machine.belt_loop_m / point.speed_m_s)
    rows = press.film()[1][-9:]
    film = dict(zip(FILM_COLUMNS, rows.mean(axis=0).tolist(), strict=True))
    assert own.r_percent == pytest.approx(film["r_percent"], abs=0.1)
    assert own.k_times_min == pytest.approx(film["k_times_min"], rel=2e-3)
    assert own.exit_temperature_c == pytest.approx(film["exit_mean_temperature_k"] - 273.15, abs=0.05)
    assert own.peak_pressure_mpa == pytest.approx(film["max_pressure_pa"] * 1e-6, rel=5e-3)
    assert own.held
    assert not own.pressure_released


def test_equal_inputs_give_equal_bits(own: Outcome) -> None:
    assert outcome(REFERENCE, G20, RECIPE) == own


def test_plates_that_cannot_hold_their_temperature_are_told() -> None:
    """At 8 m/min the first plates are at full power, and settle where that power balances."""
    fast = outcome(REFERENCE, G20, at(speed_m_min=8.0))
    assert not fast.held
    assert fast.plates_off_k > 10.0
    assert fast.hot_min_c < 100.0
    assert fast.entry_drums_off_k > 10.0


def test_hydraulics_that_give_way_are_told() -> None:
    weak = REFERENCE.model_copy(update={"geometry": REFERENCE.geometry.model_copy(update={"design_pressure_mpa": 0.3})})
    yielding = outcome(weak, G20, at(speed_m_min=3.0))
    assert yielding.peak_pressure_mpa == pytest.approx(0.3)
    assert not yielding.held


def test_another_pitch_is_another_machine_and_the_rest_stays() -> None:
    wide = with_roller_pitch(REFERENCE, 60.0)
    assert wide.geometry == load_machine("pitch60").geometry
    assert wide.belts == REFERENCE.belts


@pytest.mark.parametrize("pitch_mm", [20.0, 32.0, 400.0, np.nan])
def test_impossible_pitch_is_refused(pitch_mm: float) -> None:
    with pytest.raises(ConfigError, match="roller_pitch_mm"):
        with_roller_pitch(REFERENCE, pitch_mm)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clearance_um": 150.0}, "clearance_um 150 is outside the stops of machine reference, 200 … 6000 µm"),
        ({"clearance_um": 3000.0}, "not below the sheet's 3000 µm"),
        ({"speed_m_min": 9.0}, "speed_m_min 9 is above what machine reference can do, 8 m/min"),
    ],
)
def test_settings_that_the_machine_does_not_have_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_point(REFERENCE, G20, at(**settings))
