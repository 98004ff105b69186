"""What the controller says about film: recovery, rolling coefficient, uncertainty, and the gate."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.controller import QualityRecord, load_machine_facts
from rig.controller.pieces import Mean, Piece
from rig.controller.quality import assess, recovered_thickness_um, released_temperature_c
from rig.recipe import load_recipe

FACTS, RECIPE = load_machine_facts(), load_recipe("reference")
SPEED_M_S = 1.0 / 60.0


def mean_of(value: float, count: int = 60) -> Mean:
    return Mean(value * count, count)


def piece(**changes: object) -> Piece:
    """A good piece: 3.0 mm to 0.63 mm in four minutes under pressure at 118 °C."""
    good = Piece(
        number=7,
        front_m=0.7,
        entry=mean_of(3000.0),
        exit=mean_of(624.0),
        recovered=mean_of(632.0),
        exit_temperature=mean_of(18.0),
        ambient=mean_of(25.0),
        minimum_um=612.0,
        spring_back_um=12.0,
        pressure_s=240.0,
        hot_min_c=117.5,
        hot_max_c=118.4,
        released_ns=0,
        exit_age_s=18.0,
        recovered_age_s=300.0,
    )
    return replace(good, **changes)  # type: ignore[arg-type]


def judged(**changes: object) -> QualityRecord:
    return assess(piece(**changes), RECIPE, FACTS, 0, SPEED_M_S)


@given(
    start_um=st.floats(500.0, 900.0),
    slope_um=st.floats(0.0, 40.0),
    early_s=st.floats(2.0, 60.0),
    later=st.floats(1.5, 50.0),
)
def test_film_that_recovers_with_the_logarithm_of_time_is_extrapolated_exactly(
    start_um: float, slope_um: float, early_s: float, later: float
) -> None:
    def film_um(age_s: float) -> float:
        return start_um + slope_um * math.log(age_s)

    late_s = early_s * later
    found = recovered_thickness_um(film_um(early_s), early_s, film_um(late_s), late_s)
    assert found == pytest.approx(film_um(600.0), rel=1e-9)


def test_reading_at_600_s_is_taken_as_it_is() -> None:
    assert recovered_thickness_um(620.0, 18.0, 640.0, 600.0) == pytest.approx(640.0)


@pytest.mark.parametrize(
    ("early_um", "early_s"), [(math.nan, 18.0), (620.0, 0.0), (620.0, 300.0), (640.0, 18.0)],
    ids=["no reading", "no age", "same age", "film gets thinner"],
)  # fmt: skip
def test_first_gauge_that_tells_nothing_adds_nothing(early_um: float, early_s: float) -> None:
    assert recovered_thickness_um(early_um, early_s, 632.0, 300.0) == 632.0


def test_recovery_and_rolling_coefficient_in_closed_form() -> None:
    record = judged(exit=mean_of(632.0), minimum_um=600.0)
    assert record.recovery_percent == pytest.approx(100.0 * 32.0 / 600.0)
    assert record.rolling_coefficient == pytest.approx(3000.0 / 632.0 * 4.0)
    assert record.recovered_thickness_um == 632.0
    assert record.pressure_time_min == 4.0
    assert record.good


def test_uncertainties_in_closed_form() -> None:
    record = judged(exit=mean_of(632.0), minimum_um=600.0, spring_back_um=0.0)
    gauge_um = math.hypot(2.0 / math.sqrt(60), 1.0)
    recovery = 2.0 * 100.0 / 600.0 * math.hypot(gauge_um, 632.0 / 600.0 * 1.5)
    minutes = FACTS.roller_pitch_m / SPEED_M_S / 60.0
    parts = math.hypot(gauge_um / 632.0, gauge_um / 3000.0, minutes / 4.0)
    assert record.recovery_uncertainty_percent == pytest.approx(recovery)
    assert record.rolling_coefficient_uncertainty == pytest.approx(2.0 * record.rolling_coefficient * parts)


@given(st.floats(0.0, 60.0), st.floats(0.0, 60.0))
def test_what_is_known_worse_has_the_larger_uncertainty(one_um: float, other_um: float) -> None:
    less, more = sorted((one_um, other_um))
    by_spring_back = [judged(spring_back_um=value).recovery_uncertainty_percent for value in (less, more)]
    assert by_spring_back == sorted(by_spring_back)
    by_growth = [judged(exit=mean_of(632.0 - value)).recovery_uncertainty_percent for value in (less, more)]
    assert by_growth == sorted(by_growth)


@given(recovered_um=st.floats(600.0, 800.0), pressure_s=st.floats(1.0, 400.0))
def test_good_film_is_inside_both_limits_by_more_than_its_uncertainty(recovered_um: float, pressure_s: float) -> None:
    record = judged(recovered=mean_of(recovered_um), pressure_s=pressure_s)
    surely = (
        record.recovery_percent + record.recovery_uncertainty_percent <= 20.0
        and record.rolling_coefficient - record.rolling_coefficient_uncertainty >= 5.0
    )
    assert record.good == surely
    assert bool(record.reason) != record.good


def test_film_just_inside_the_limit_but_not_surely_so_is_scrap() -> None:
    record = judged(minimum_um=530.0, exit=mean_of(632.0))
    assert 19.0 < record.recovery_percent < 20.0
    assert not record.good
    assert "not surely" in record.reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"hot_min_c": 104.0}, "not surely within 105 … 125"),
        ({"hot_min_c": 106.5}, "not surely within 105 … 125"),
        ({"hot_max_c": 123.5}, "not surely within 105 … 125"),
        ({"exit_temperature": mean_of(38.5), "ambient": mean_of(38.5)}, "not surely below 40"),
        ({"unpressed_s": 3.0}, "pressure was away"),
        ({"pressure_s": 0.0}, "rolling coefficient"),
        ({"minimum_um": math.inf}, "recovery"),
        ({"entry": Mean()}, "rolling coefficient"),
        ({"exit_temperature": Mean()}, "left the press"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_film_that_is_wrong_or_unknown_is_scrap_and_says_why(changes: dict[str, object], reason: str) -> None:
    record = judged(**changes)
    assert not record.good
    assert reason in record.reason


@given(
    released_c=st.floats(5.0, 60.0),
    ambient_c=st.floats(10.0, 35.0),
    age_s=st.floats(1.0, 60.0),
    time_s=st.floats(20.0, 60.0),
)
def test_temperature_at_the_exit_undoes_the_way_through_the_air(
    released_c: float, ambient_c: float, age_s: float, time_s: float
) -> None:
    seen_c = ambient_c + (released_c - ambient_c) * math.exp(-age_s / time_s)
    assert released_temperature_c(seen_c, ambient_c, age_s, time_s) == pytest.approx(released_c)
