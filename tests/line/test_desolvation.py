"""Desolvation: extraction, baths, drying."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.config import ConfigError
from emulator.line.desolvation.baths import biot, flow_through, fourier_rate
from emulator.line.desolvation.definition import EXTRACTANTS, Desolvation, load_desolvation
from emulator.line.desolvation.drying import collapsed, evaporated, lel_fraction, vapour_after, wet_bulb
from emulator.line.desolvation.extraction import MODES, modes, soak
from emulator.line.plate import eigenvalues, mean_excess
from tests.line.lots import through_baths

STATION = load_desolvation()
HEPTANE = STATION.heptane
biots = st.floats(1e-3, 1e5)
fouriers = st.floats(1e-7, 20.0)
parts = st.floats(0.0, 1.0)


@pytest.mark.parametrize(("half_m", "one_percent_s", "one_per_mille_s"), [(30e-6, 4.0, 6.1), (350e-6, 546.0, 831.0)])
def test_extraction_takes_seconds_after_stretching_and_minutes_before(
    half_m: float, one_percent_s: float, one_per_mille_s: float
) -> None:
    rate = 4e-10 / half_m**2
    assert mean_excess(rate * one_percent_s) == pytest.approx(1e-2, rel=0.01)
    assert mean_excess(rate * one_per_mille_s) == pytest.approx(1e-3, rel=0.02)


@given(biots)
def test_eigenvalues_are_the_roots_each_in_its_branch(bi: float) -> None:
    z = eigenvalues(np.array(bi), 40)
    n = np.arange(40)
    assert np.all((z > n * math.pi) & (z < (n + 0.5) * math.pi))
    assert np.abs(z * np.sin(z) - bi * np.cos(z)).max() < 1e-9 * max(bi, 100.0)


@given(biots, fouriers, st.floats(1.01, 3.0))
def test_less_is_left_after_longer_and_with_a_thinner_liquid_film(bi: float, fo: float, more: float) -> None:
    assert 0.0 <= mean_excess(fo * more, bi) <= mean_excess(fo, bi) + 1e-12
    assert mean_excess(fo, bi * more) <= mean_excess(fo, bi) + 1e-9


@given(biots, fouriers)
def test_modes_and_series_agree_at_any_time(bi: float, fo: float) -> None:
    sheet = modes(bi)
    assert sheet.part.shape == (MODES,)
    assert sheet.part.sum() == pytest.approx(1.0, abs=1e-12)
    assert float((sheet.part * np.exp(-sheet.rate * fo)).sum()) == pytest.approx(mean_excess(fo, bi), abs=3e-4)


@pytest.mark.parametrize("bi", [0.02, 0.5, 4.0, 300.0, math.inf])
def test_series_and_short_time_form_meet(bi: float) -> None:
    assert mean_excess(0.05 * (1 - 1e-9), bi) == pytest.approx(mean_excess(0.05 * (1 + 1e-9), bi), abs=1e-8)


@given(biots, st.lists(st.tuples(st.floats(1e-4, 1.0), parts), min_size=1, max_size=6))
def test_the_length_of_steps_in_a_bath_does_not_matter(bi: float, stays: list[tuple[float, float]]) -> None:
    sheet = modes(bi)
    once = many = sheet.part
    for fourier, bath in stays:
        once = soak(once, sheet, fourier, bath)
        for _ in range(7):
            many = soak(many, sheet, fourier / 7.0, bath)
    assert np.abs(once - many).max() < 1e-12
    assert -1e-12 <= once.sum() <= 1.0 + 1e-12


@given(st.floats(20e-6, 1e-3), st.floats(1.1, 3.0))
def test_a_thinner_sheet_empties_faster_with_the_square_of_its_thickness(thickness: float, ratio: float) -> None:
    slow = fourier_rate(STATION, HEPTANE, thickness * ratio, 303.15)
    assert fourier_rate(STATION, HEPTANE, thickness, 303.15) == pytest.approx(slow * ratio**2)
    assert biot(STATION, thickness) < biot(STATION, thickness * ratio)


@given(st.sampled_from(EXTRACTANTS), st.floats(280.0, 310.0), st.floats(1.0, 40.0))
def test_a_hotter_bath_is_faster(name: str, T: float, hotter: float) -> None:
    liquid = STATION.extractant(name)  # type: ignore[arg-type]
    assert fourier_rate(STATION, liquid, 54e-6, T + hotter) > fourier_rate(STATION, liquid, 54e-6, T)


def _pass(lots: int, dt: float, turns: int) -> tuple[float, list[float], list[float]]:
    """Lots of sheet of 3 L each through four baths; relative error of the solvent's balance, lots out, baths."""
    out, baths, error = through_baths(
        lots=lots, turns=turns, dt=dt, rate=0.05, bi=4.0, count=4, volume=0.05, flow=2e-4, fresh=1e-4, liquid=3e-3,
        stay=20.0,
    )  # fmt: skip
    return error, out.tolist(), baths.tolist()


@pytest.mark.parametrize("dt", [0.5, 5.0])
def test_solvent_is_conserved_from_sheet_to_baths_to_overflow(dt: float) -> None:
    error, out, baths = _pass(30, dt, 40)
    assert error < 1e-12
    assert len(out) == 30
    assert all(0.0 <= y <= 1.0 for y in baths)


def test_baths_build_up_against_the_sheet_and_hold_the_last_lots_back() -> None:
    _, out, baths = _pass(40, 1.0, 40)
    assert baths == sorted(baths, reverse=True)
    assert out[-1] > out[0]


@given(st.lists(parts, min_size=1, max_size=8), st.floats(0.0, 1e-2), parts, st.floats(0.05, 1e4))
def test_baths_keep_their_balance_for_any_flow_and_step(
    baths: list[float], flow: float, fresh: float, dt: float
) -> None:
    volume, released = 0.4, [1e-5] * len(baths)
    after, overflow, came = flow_through(baths, volume, flow, fresh, released, dt)
    held = volume * (math.fsum(after) - math.fsum(baths))
    assert held == pytest.approx(came + sum(released) - overflow, abs=1e-12 + 1e-9 * came)
    assert all(-1e-9 <= y <= 1.0 + 1e-4 + 1e-3 * len(baths) for y in after)


@pytest.mark.parametrize(
    ("name", "ratio", "porosity"),
    [("heptane", 0.332, 0.443), ("decane", 0.299, 0.382), ("dichloromethane", 0.269, 0.312)]
)  # fmt: skip
def test_surface_tension_pulls_the_drying_web_together(name: str, ratio: float, porosity: float) -> None:
    liquid = STATION.extractant(name)  # type: ignore[arg-type]
    dried = collapsed(STATION, liquid.surface_tension_mn_m * 1e-3, 0.185)
    assert dried.thickness_ratio == pytest.approx(ratio, abs=6e-4)
    assert dried.porosity == pytest.approx(porosity, abs=6e-4)
    if name == "heptane":
        assert dried.pressure_pa == pytest.approx(1.61e6, rel=2e-3)


@given(st.floats(1e-3, 50e-3), st.floats(1.01, 2.0), st.floats(0.1, 0.4), st.floats(0.0, 0.05))
def test_more_surface_tension_or_solvent_leaves_less_porosity(
    gamma: float, more: float, phi: float, solvent: float
) -> None:
    dried, harder = collapsed(STATION, gamma, phi), collapsed(STATION, gamma * more, phi)
    oily = collapsed(STATION, gamma, phi, solvent)
    assert 0.0 <= harder.porosity <= dried.porosity <= 1.0 - phi + 1e-12
    assert oily.porosity <= dried.porosity
    # what is solid stays: polymer per area of wet thickness 1
    assert dried.thickness_ratio * (1.0 - dried.porosity) == pytest.approx(phi, rel=1e-9)


def test_sheet_that_was_not_stretched_has_finer_pores_and_collapses_more() -> None:
    gamma = HEPTANE.surface_tension_n_m(296.0)
    assert collapsed(STATION, gamma, 0.185, area_ratio=1.0).porosity < 0.2 < collapsed(STATION, gamma, 0.185).porosity


@pytest.mark.parametrize("name", EXTRACTANTS)
def test_wet_sheet_is_colder_than_the_air_and_dries_until_the_air_is_full(name: str) -> None:
    liquid = STATION.extractant(name)
    wet = wet_bulb(STATION.dryer, liquid, 333.15, 0.0)
    latent = liquid.heat_of_vaporisation_kj_kg * 1e3
    assert wet.temperature_k < 333.15
    assert wet.flux_kg_m2s * latent == pytest.approx(60.0 * (333.15 - wet.temperature_k), rel=1e-9)
    fuller = wet_bulb(STATION.dryer, liquid, 333.15, 0.5 * liquid.vapour_density_kg_m3(wet.temperature_k))
    assert 0.0 < fuller.flux_kg_m2s < wet.flux_kg_m2s
    full = wet_bulb(STATION.dryer, liquid, 333.15, 1.01 * liquid.vapour_density_kg_m3(333.15))
    assert full.flux_kg_m2s == 0.0


@given(st.floats(1e-6, 1.0), st.floats(0.0, 0.5), st.floats(1e-4, 1.0), st.floats(1e-3, 100.0))
def test_what_evaporates_does_not_depend_on_the_steps_and_is_never_more_than_there_is(
    start: float, critical: float, rate: float, seconds: float
) -> None:
    once = evaporated(start, 1.0, rate, critical, seconds)
    left = start
    for _ in range(10):
        left -= evaporated(left, 1.0, rate, critical, seconds / 10.0)
    assert 0.0 <= once <= start
    assert start - left == pytest.approx(once, rel=1e-9, abs=1e-12)


@given(st.floats(0.0, 0.1), st.floats(0.0, 0.5), st.floats(0.0, 3.0), st.floats(0.05, 1e4))
def test_vapour_is_conserved_in_the_dryer(vapour: float, evaporation: float, flow: float, dt: float) -> None:
    after, exhausted = vapour_after(vapour, evaporation, flow, 6.0, dt)
    assert 6.0 * (after - vapour) == pytest.approx(evaporation - exhausted, abs=1e-12)
    assert after >= -1e-15


def test_vapour_settles_at_evaporation_over_air_flow_which_the_interlock_sees() -> None:
    vapour = 0.0
    for _ in range(200):
        vapour, _ = vapour_after(vapour, 0.02 * 1.0, 1.0, 6.0, 1.0)
    assert vapour == pytest.approx(0.02, rel=1e-6)
    # 20 g/m3 of heptane at 60 C: 0.55 % by volume
    assert lel_fraction(STATION.dryer, HEPTANE, vapour, 333.15) == pytest.approx(0.520, abs=2e-3)
    assert lel_fraction(STATION.dryer, STATION.dichloromethane, vapour, 333.15) < 0.06


def test_liquid_that_does_not_boil_where_it_says_is_refused() -> None:
    table = STATION.model_dump()
    table["heptane"]["boiling_point_c"] = 120.0
    with pytest.raises(ValueError, match=r"boiling_point_c and antoine_a.* 1\.\d\d atmospheres"):
        Desolvation.model_validate(table)
    with pytest.raises(ConfigError, match="no desolvation is called 'bath'"):
        load_desolvation("bath")
