"""The stretcher: what comes back in the oven, what drawing takes, and heat setting after it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from emulator.config import load_machine, load_material
from emulator.line.gel import Web, follow, release, residual_strain, set_in_clamps
from emulator.line.stretching import Draw, Drawn, drawn, load_stretching, opened_dry, reheated
from emulator.press.rolling import Pass, ideal_belt
from tests.line.rolled import rolled_parcel
from tests.validation.setups import machine

GEL = load_material("g20")
STATION = load_stretching()
ROOM = 298.15


def rolled(heat_c: float, oven_c: float = 25.0, conductance: float = 15.0, seconds: float = 600.0) -> tuple[Any, float]:
    """A parcel as it leaves the press, and its thickness after a rest by the press's own recovery, in such air."""
    reference = load_machine("reference")
    x, T = ideal_belt(reference, heat_c + 273.15, 288.15, 1.0 / 60.0)
    oven = machine(sheet={"air_conductance_w_m2k": conductance})
    # hotter than a room may be, which is why it is not validated
    oven = oven.model_copy(update={"ambient": oven.ambient.model_copy(update={"temperature_c": oven_c})})
    return rolled_parcel(oven, GEL, Pass(x, T, rest_s=seconds))


@pytest.mark.parametrize("heat_c", [85.0, 112.0])
def test_rolled_sheet_recovers_on_the_table_as_the_press_says(heat_c: float) -> None:
    parcels, thickness = rolled(heat_c)
    web = release(GEL, Web.of_parcels(parcels), ROOM, 15.0, 600.0)
    assert web.thickness_m[0] == pytest.approx(thickness, rel=1e-4)


@pytest.mark.parametrize("heat_c", [85.0, 112.0])
def test_rolled_sheet_recovers_in_the_oven_as_the_press_would_have_it(heat_c: float) -> None:
    parcels, thickness = rolled(heat_c, 118.0, 60.0, 60.0)
    warm = reheated(STATION, GEL, Web.of_parcels(parcels), [(391.15, 60.0)])
    assert warm.web.thickness_m[0] == pytest.approx(thickness, rel=1.5e-3)


def test_poorly_rolled_sheet_gives_more_back_and_comes_out_less_even() -> None:
    out, back = [], []
    for heat_c in (85.0, 95.0, 105.0, 115.0):
        parcels, _ = rolled(heat_c)
        warm = reheated(STATION, GEL, Web.of_parcels(parcels), [(391.15, 60.0)])
        back.append(float(warm.recovered[0]))
        out.append(draw(warm.web, recovered=back[-1]).thickness_cv[0])
    assert back == sorted(back, reverse=True)
    assert out == sorted(out, reverse=True)
    assert back[0] > 3.0 * back[-1] > 0.0


def at_rest(celsius: float = 118.0, n: int = 1) -> Web:
    return Web.at_rest(GEL, np.full(n, 0.66e-3), celsius + 273.15)


def draw(
    web: Web | None = None, ratio: float = 3.5, celsius: float = 118.0, cv: float = 0.01, recovered: float = 0.0,
    td: float | None = None, rate: float = 0.25,
) -> Drawn:  # fmt: skip
    web = at_rest(celsius) if web is None else web
    n = web.thickness_m.size
    how = Draw(ratio, td or ratio, rate, rate, celsius + 273.15)
    return drawn(STATION, GEL, web, how, np.full(n, cv), np.full(n, recovered))


def test_drawing_keeps_the_volume() -> None:
    assert draw().web.thickness_m[0] == pytest.approx(53.9e-6, abs=0.03e-6)
    assert draw(td=5.0).web.thickness_m[0] == pytest.approx(0.66e-3 / 17.5, rel=1e-9)


def test_stress_grows_with_ratio_and_rate_and_falls_with_temperature() -> None:
    base = draw().stress_md_pa[0]
    assert draw(ratio=4.5).stress_md_pa[0] > base
    assert draw(rate=1.0).stress_md_pa[0] > base
    assert draw(celsius=122.0).stress_md_pa[0] < base < draw(celsius=110.0).stress_md_pa[0]
    uneven = draw(td=5.0)
    assert uneven.stress_td_pa[0] > uneven.stress_md_pa[0]
    even = draw()
    assert even.stress_md_pa[0] == pytest.approx(even.stress_td_pa[0], rel=1e-12)


def test_stress_of_an_even_draw_is_that_of_the_press_plus_hardening() -> None:
    times = np.linspace(0.0, math.log(3.5) / 0.25, 41)
    strain = np.full((40, 1), 2.0 * math.log(3.5) / 40)
    after, press = follow(GEL, at_rest(), np.diff(times), np.full((40, 1), 391.15), strain)
    h = STATION.hardening
    G = (h.modulus_min_mpa + (h.modulus_25c_mpa - h.modulus_min_mpa) * after.modulus_factor[0]) * 1e6
    assert draw().stress_md_pa[0] == pytest.approx(press[-1, 0] + G * (3.5**2 - 3.5**-4), rel=1e-9)


def test_sheet_tears_when_overdrawn_or_cold_and_sags_when_hot() -> None:
    assert not draw().torn[0]
    assert not draw().sagged[0]
    assert draw(ratio=8.0).torn[0]
    assert draw(celsius=97.0, ratio=1.5).torn[0]
    assert draw(celsius=128.0).sagged[0]


def test_colder_sheet_can_be_drawn_less_far() -> None:
    loads = [draw(celsius=celsius).load[0] for celsius in (105.0, 110.0, 115.0, 120.0)]
    assert loads == sorted(loads, reverse=True)


def test_unevenness_only_grows_and_every_cause_adds() -> None:
    base = draw().thickness_cv[0]
    assert 0.01 < base < 0.04
    assert draw(cv=0.02).thickness_cv[0] > base
    assert draw(recovered=0.2).thickness_cv[0] > base
    assert draw(ratio=5.0).thickness_cv[0] < base  # what hardens draws evenly


def test_pieces_side_by_side_do_not_know_of_each_other() -> None:
    many = draw(at_rest(n=11))
    assert np.all(many.stress_md_pa == draw().stress_md_pa[0])
    assert many.web.thickness_m.shape == (11,)


def test_steps_of_drawing_are_fine_enough() -> None:
    def stress(steps: int) -> float:
        seconds = math.log(3.5) / 0.25
        strain = np.full((steps, 1), 2.0 * math.log(3.5) / steps)
        dt = np.full(steps, seconds / steps)
        return float(follow(GEL, at_rest(), dt, np.full((steps, 1), 391.15), strain).stress_pa[-1, 0])

    assert stress(40) == pytest.approx(stress(640), rel=2e-3)


def test_hotter_and_longer_heat_setting_leaves_less_to_shrink() -> None:
    out = draw()
    cold = set_in_clamps(GEL, out.web, 391.15, 0.0).with_melting_point(GEL, 408.15)
    assert residual_strain(GEL, cold)[0] == pytest.approx(out.residual_strain[0])
    assert out.residual_strain[0] == pytest.approx(0.0435, rel=0.01)  # films/reference.toml counts from it
    left = [residual_strain(GEL, set_in_clamps(GEL, cold, c + 273.15, 60.0))[0] for c in (60, 90, 110, 125)]
    assert left == sorted(left, reverse=True)
    assert left[2] < 0.25 * out.residual_strain[0]
    longer = residual_strain(GEL, set_in_clamps(GEL, cold, 383.15, 600.0))[0]
    assert 0.0 < longer < left[2]


def test_dry_sheet_opens_pores_and_keeps_its_solid() -> None:
    thickness, porosity = opened_dry(STATION, 140e-6, 0.12, 12.25)
    assert thickness * 12.25 * (1.0 - porosity) == pytest.approx(140e-6 * 0.88)
    assert 0.12 < porosity < 0.8


@pytest.mark.parametrize("values", [(0.9, 3.5, 0.2, 0.2), (1.0, 1.0, 0.2, 0.2), (3.5, 3.5, 0.0, 0.2)])
def test_draw_that_cannot_be_is_refused(values: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"ratios|rates"):
        Draw(*values, 391.15)
