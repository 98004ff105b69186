"""Heat treatment and film: crosslinking, properties, laboratory."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.line.film.definition import Film, load_film
from emulator.line.film.laboratory import impedance_trace, reading, transitions
from emulator.line.film.properties import (
    gurley_s,
    hydraulic_diameter_m,
    meltdown_k,
    porosity_of,
    puncture_n,
    shrinkage,
    shutdown_k,
    tortuosity_squared,
)  # fmt: skip
from emulator.line.heat_treatment import (
    closed_pores,
    conversion,
    crosslinking_rate,
    load_heat_treatment,
    oxygen_factor,
    thinner_by_closure,
)  # fmt: skip
from emulator.random import stream_key

STATION = load_heat_treatment()
FILM = load_film()
HOUR = 3600.0
thicknesses = st.floats(5e-6, 60e-6)
porosities = st.floats(0.05, 0.85)
fractions = st.floats(0.0, 1.0)


@pytest.mark.parametrize(("celsius", "rate"), [(85.0, 6.0e-5), (100.0, 2.3e-4), (116.0, 8.7e-4)])
def test_crosslinking_quickens_with_temperature(celsius: float, rate: float) -> None:
    assert crosslinking_rate(STATION, "unsaturated", celsius + 273.15) == pytest.approx(rate, rel=0.01)


def test_six_hours_at_85_and_two_at_116_crosslink_all_but_a_thousandth() -> None:
    alpha = conversion(0.0, crosslinking_rate(STATION, "unsaturated", 358.15), 6 * HOUR)
    assert alpha == pytest.approx(0.73, abs=0.005)
    assert conversion(alpha, crosslinking_rate(STATION, "unsaturated", 389.15), 2 * HOUR) == pytest.approx(
        0.9995, abs=1e-4
    )


def test_elastomer_without_double_bonds_does_not_crosslink_whatever_is_done_to_it() -> None:
    rate = crosslinking_rate(STATION, "saturated", 420.0, 1.0)
    assert rate == 0.0
    alpha = conversion(0.0, rate, 100 * HOUR)
    assert alpha == 0.0
    assert meltdown_k(FILM, alpha, 0.2) == meltdown_k(FILM, 0.0, 0.0)


def test_without_oxygen_nothing_happens_and_with_more_than_in_air_little_more() -> None:
    assert crosslinking_rate(STATION, "unsaturated", 389.15, 0.0) == 0.0
    assert oxygen_factor(STATION, 0.21) == pytest.approx(1.0)
    assert 1.0 < oxygen_factor(STATION, 1.0) < 1.1
    assert oxygen_factor(STATION, 0.002) < 0.11


@given(fractions, st.floats(0.0, 1.0), st.floats(0.0, 1e6))
def test_conversion_only_grows_and_stays_below_one(alpha: float, rate: float, dt: float) -> None:
    once = conversion(alpha, rate, dt)
    assert alpha - 1e-15 <= once <= 1.0
    assert conversion(conversion(alpha, rate, 0.3 * dt), rate, 0.7 * dt) == pytest.approx(once, abs=1e-12)


def test_heat_setting_above_shutdown_closes_pores_and_below_does_not() -> None:
    shut = shutdown_k(FILM, 0.0)
    assert closed_pores(STATION, 393.15, shut, 60.0) < 1e-3
    assert closed_pores(STATION, 403.15, shut, 60.0) < 0.1
    assert closed_pores(STATION, 413.15, shut, 60.0) > 0.95


@given(thicknesses, porosities, fractions)
def test_closing_pores_keeps_the_solid(thickness: float, porosity: float, closed: float) -> None:
    thinner, left = thinner_by_closure(thickness, porosity, closed)
    assert thinner <= thickness * (1.0 + 1e-12)
    assert thinner * (1.0 - left) == pytest.approx(thickness * (1.0 - porosity))


@pytest.mark.parametrize(
    ("um", "porosity", "seconds"), [(25.0, 0.40, 665.0), (25.0, 0.45, 401.0), (25.0, 0.50, 250.0), (16.0, 0.40, 425.0)]
)
def test_gurley_as_calculated_by_hand(um: float, porosity: float, seconds: float) -> None:
    assert gurley_s(FILM, um * 1e-6, porosity) == pytest.approx(seconds, abs=0.6)


@given(thicknesses, porosities, st.floats(1.01, 2.0))
def test_gurley_grows_with_thickness_and_falls_with_porosity(thickness: float, porosity: float, more: float) -> None:
    seconds = gurley_s(FILM, thickness, porosity)
    assert gurley_s(FILM, thickness * more, porosity) == pytest.approx(seconds * more)
    assert gurley_s(FILM, thickness, min(porosity * more, 0.95)) < seconds
    assert math.isinf(gurley_s(FILM, thickness, 0.0))


def test_viscous_flow_alone_would_pass_a_twentieth_of_the_air() -> None:
    d = hydraulic_diameter_m(FILM, 0.45)
    viscous = d * d * FILM.gurley.pressure_pa / (32.0 * FILM.gurley.air_viscosity_pa_s)
    assert 15.0 < d * FILM.gurley.molecular_speed_m_s / 3.0 / viscous < 35.0
    assert tortuosity_squared(FILM, 0.40) / 0.40 == pytest.approx(9.88, abs=0.01)


def test_puncture_as_calculated_by_hand() -> None:
    assert puncture_n(FILM, 25e-6, 0.45, 12.25) / 9.80665e-3 == pytest.approx(495.0, abs=0.5)


@given(thicknesses, porosities, st.floats(1.0, 60.0))
def test_more_solid_and_more_draw_resist_the_needle_better(thickness: float, porosity: float, area: float) -> None:
    force = puncture_n(FILM, thickness, porosity, area)
    assert puncture_n(FILM, thickness * 1.1, porosity, area) > force
    assert puncture_n(FILM, thickness, porosity * 0.9, area) > force
    assert puncture_n(FILM, thickness, porosity, area * 1.1) > force


@given(st.floats(0.0, 0.2), fractions, st.floats(340.0, 400.0))
def test_shrinkage_falls_with_heat_setting_and_crosslinking_and_rises_with_temperature(
    strain: float, alpha: float, T: float
) -> None:
    now = shrinkage(FILM, strain, alpha, T)
    assert 0.0 <= now <= FILM.shrinkage.most
    assert shrinkage(FILM, 0.5 * strain, alpha, T) <= now
    assert shrinkage(FILM, strain, 0.5 * alpha, T) >= now
    assert shrinkage(FILM, strain, alpha, T + 5.0) >= now


@given(fractions, fractions, st.floats(0.0, 0.3), porosities)
def test_shutdown_and_meltdown_are_read_from_the_trace_where_they_are(
    alpha: float, other: float, elastomer: float, porosity: float
) -> None:
    shut, melted = shutdown_k(FILM, alpha), meltdown_k(FILM, alpha, elastomer)
    read = transitions(FILM, impedance_trace(FILM, 25e-6, porosity, shut, melted))
    assert read.shutdown_k == pytest.approx(shut, abs=0.2)
    assert read.meltdown_k == pytest.approx(melted, abs=0.2)
    assert (meltdown_k(FILM, other, elastomer) >= melted) or other < alpha


def test_film_that_melts_before_the_impedance_rises_has_no_transitions() -> None:
    trace = impedance_trace(FILM, 25e-6, 0.4, 420.0, 390.0)
    assert transitions(FILM, trace) == (None, None)
    with pytest.raises(ValueError, match="without pores"):
        impedance_trace(FILM, 25e-6, 0.0, 406.0, 419.0)


def test_pe_shuts_down_at_133_and_melts_at_146_and_crosslinked_later() -> None:
    assert shutdown_k(FILM, 0.0) - 273.15 == pytest.approx(133.0)
    assert meltdown_k(FILM, 0.0, 0.1) - 273.15 == pytest.approx(146.0)
    assert shutdown_k(FILM, 1.0) - 273.15 == pytest.approx(136.0)
    assert meltdown_k(FILM, 1.0, 0.1) - 273.15 == pytest.approx(146.0 + 60.0 * (1.0 - math.exp(-2.0)))


def test_porosity_by_weighing_is_the_one_that_made_the_weight() -> None:
    assert porosity_of(25e-6 * 0.55 * 950.0, 25e-6, 950.0) == pytest.approx(0.45)


def test_readings_scatter_as_the_instrument_says_and_come_again_from_the_same_stream() -> None:
    instrument = FILM.instruments.gurley
    key = stream_key(1, "film/gurley")
    seen = np.array([reading(instrument, 400.0, key, n) for n in range(600)])
    assert seen.mean() == pytest.approx(400.0, abs=3.0)
    assert seen.std() == pytest.approx(math.hypot(1.0, 12.0), rel=0.1)
    assert np.all(seen == np.round(seen))
    assert reading(instrument, 400.0, key, 7) == seen[7]
    assert reading(instrument, 400.0, stream_key(1, "film/puncture"), 7) != seen[7]
    assert math.isinf(reading(instrument, math.inf, key, 0))


def test_film_that_would_melt_before_it_has_shut_is_refused() -> None:
    table = FILM.model_dump()
    table["meltdown"]["temperature_c"] = 135.0
    with pytest.raises(ValueError, match=r"meltdown.temperature_c must be above shutdown"):
        Film.model_validate(table)
