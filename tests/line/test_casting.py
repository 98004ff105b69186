"""Casting and the accumulator: from melt to a sheet with thickness, temperature, melting point and stiffness."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from emulator.config import load_material
from emulator.line.accumulating import Store
from emulator.line.casting import Caster, CasterDisturbances
from emulator.line.definition import load_casting
from emulator.line.kneading import Melted
from emulator.line.plate import mean_excess
from emulator.line.sheet import PIECE, Pieces

CASTING = load_casting("reference")
GEL = load_material("g20")
FLOW_KG_S = 5.16e-3
SPEED_M_S = 1.0 / 60.0


def cast(
    seconds: int,
    solids: float = 0.2,
    coolant_c: float = 25.0,
    speed_m_s: float = SPEED_M_S,
    dt_s: float = 1.0,
    **disturbances: float,
) -> tuple[Caster, Pieces]:
    """A caster that has run for so long, and what it has delivered."""
    caster = Caster(CASTING, GEL, 0.12)
    caster.commands.run = True
    caster.commands.speed_m_s = speed_m_s
    caster.commands.coolant_k = coolant_c + 273.15
    caster.disturbances.change(disturbances)
    mass_kg = FLOW_KG_S * dt_s * np.array([0.8 * solids, 0.2 * solids, 1.0 - solids, 0.0])
    delivered = [
        caster.step(dt_s, Melted(mass_kg, 463.15, 0.98), int(1e9 * dt_s * step))
        for step in range(round(seconds / dt_s))
    ]
    return caster, np.concatenate(delivered)


@pytest.mark.parametrize("biot", [0.1, 1.0, 7.5, 50.0])
@pytest.mark.parametrize("fourier", [0.05, 0.3, 1.0])
def test_plate_cools_as_the_series_with_eigenvalues_found_by_somebody_else(biot: float, fourier: float) -> None:
    total = 0.0
    for n in range(200):
        z = brentq(lambda z: z * np.sin(z) - biot * np.cos(z), n * np.pi + 1e-12, (n + 0.5) * np.pi)
        total += 2 * np.sin(z) ** 2 / (z * (z + np.sin(z) * np.cos(z))) * np.exp(-z * z * fourier)
    assert mean_excess(fourier, biot) == pytest.approx(total, abs=1e-9)


def test_thickness_is_mass_flow_over_density_width_and_speed() -> None:
    caster, pieces = cast(300)
    density = 1.0 / (0.2 / 950.0 + 0.8 / 860.0)
    expected = FLOW_KG_S / (density * caster.width_m * SPEED_M_S)
    assert pieces["thickness_m"][5:] == pytest.approx(expected, rel=1e-6)
    assert expected == pytest.approx(3.0e-3, rel=0.01)


def test_sheet_that_is_drawn_twice_as_fast_is_half_as_thick() -> None:
    _, slow = cast(300)
    _, fast = cast(300, speed_m_s=2.0 * SPEED_M_S)
    assert fast["thickness_m"][-1] == pytest.approx(0.5 * slow["thickness_m"][-1], rel=1e-9)


@pytest.mark.parametrize(("solids", "melting_c"), [(0.15, 122.3), (0.20, 123.0), (0.30, 124.4), (0.40, 125.8)])
def test_melting_point_of_the_gel_follows_flory(solids: float, melting_c: float) -> None:
    _, pieces = cast(300, solids=solids)
    assert pieces["gel_melting_k"][-1] - 273.15 == pytest.approx(melting_c, abs=0.06)
    assert pieces["modulus_scale"][-1] == pytest.approx((solids / 0.2) ** 2, rel=1e-9)


def test_lower_quench_gives_a_lower_melting_point_and_a_softer_gel_and_more_so_with_more_solids() -> None:
    def effect(solids: float) -> float:
        _, cold = cast(900, solids=solids, coolant_c=10.0)
        _, mild = cast(900, solids=solids, coolant_c=40.0)
        assert cold["modulus_scale"][-1] < mild["modulus_scale"][-1]
        return float(mild["gel_melting_k"][-1] - cold["gel_melting_k"][-1])

    assert 0.0 < effect(0.2) < effect(0.4)


def test_sheet_comes_out_cold_unless_it_touches_badly() -> None:
    _, pieces = cast(300)
    _, badly = cast(300, conductance_scale=0.1)
    assert pieces["temperature_k"][-1] == pytest.approx(298.15, abs=6.0)
    assert badly["temperature_k"][-1] > pieces["temperature_k"][-1] + 5.0


def test_sheet_that_stands_still_cools_on() -> None:
    caster, _ = cast(120)
    caster.commands.run = False
    nothing = Melted(np.zeros(4), 463.15, 1.0)
    for _ in range(10):
        caster.step(1.0, nothing, 0)
    before = caster.state.cooling["cooled"].copy()
    caster.step(1.0, nothing, 0)
    assert caster.state.speed_m_s < 1e-3
    assert (caster.state.cooling["cooled"] > before).all()


@given(
    speeds=st.lists(st.tuples(st.floats(0.0, 0.1), st.floats(0.1, 4.0), st.booleans()), min_size=1, max_size=20),
)
def test_no_mass_is_made_or_lost_whatever_the_haul_off_does(speeds: list[tuple[float, float, bool]]) -> None:
    caster = Caster(CASTING, GEL, 0.12)
    given_kg, taken_kg, now_ns = np.zeros(4), np.zeros(4), 0
    for speed_m_s, dt_s, run in speeds:
        caster.commands.speed_m_s, caster.commands.run = speed_m_s, run
        for _ in range(10):
            mass_kg = FLOW_KG_S * dt_s * np.array([0.16, 0.04, 0.8, 0.001])
            now_ns += int(1e9 * dt_s)
            taken_kg += caster.step(dt_s, Melted(mass_kg, 463.15, 1.0), now_ns)["mass_kg"].sum(axis=0)
            given_kg += mass_kg
    state = caster.state
    held_kg = state.cooling["mass_kg"].sum(axis=0) + state.forming["mass_kg"].sum(axis=0)
    assert taken_kg + held_kg + state.spilt_kg == pytest.approx(given_kg, rel=1e-9)


def test_disturbances_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"coolant_offset_k is 500 K; it must be -20 … 60 K"):
        CasterDisturbances().change({"coolant_offset_k": 500.0})


def sheet(count: int, thickness_m: float = 3e-3) -> Pieces:
    pieces = np.zeros(count, PIECE)
    pieces["serial"] = np.arange(count)
    pieces["length_m"] = 0.1
    pieces["width_m"] = 0.12
    pieces["thickness_m"] = thickness_m
    pieces["temperature_k"] = 320.0
    pieces["mass_kg"] = [0.005, 0.001, 0.025, 0.0]
    return pieces


def threaded(length_m: float = 6.0) -> Store:
    store = Store(CASTING.accumulator)
    store.thread()
    store.step(1.0, sheet(round(length_m / 0.1)), 0.0)
    return store


def test_store_gives_the_press_what_came_first_and_keeps_the_difference() -> None:
    store = threaded()
    drawn = store.step(1.0, sheet(1), 0.25)
    assert drawn["serial"].tolist() == [0, 1]
    assert store.stored_m == pytest.approx(6.0 + 0.1 - 0.25)
    assert store.front is not None
    assert store.front["serial"] == 2


def test_sheet_in_the_store_takes_on_the_temperature_of_the_room() -> None:
    store = threaded()
    rate = 2 * 12.0 / (1.66e6 * 3e-3)
    before = 298.15 + 21.85 * np.exp(-rate)
    assert store.state.pieces["temperature_k"][0] == pytest.approx(before, abs=1e-6)


def test_press_that_draws_faster_than_sheet_comes_pulls_the_web_apart() -> None:
    store = threaded(2.0)
    tensions = []
    while not store.state.broken:
        tensions.append(store.tension_n)
        store.step(1.0, sheet(0), 0.02)
    assert store.state.broken == "tension"
    assert tensions == sorted(tensions)
    assert store.front is None
    assert store.tension_n == 0.0


def test_thin_sheet_breaks_under_the_ordinary_tension() -> None:
    store = Store(CASTING.accumulator)
    store.thread()
    store.step(1.0, sheet(60, thickness_m=1.2e-3), 0.0)
    assert store.state.broken == "tension"


def test_sheet_that_has_no_place_is_cut_and_scrapped() -> None:
    store = threaded()
    store.step(1.0, sheet(70), 0.0)
    assert store.state.broken == "overfull"
    assert store.state.scrapped_kg.sum() > 0.0


def test_threading_after_a_break_leaves_a_splice_in_the_sheet() -> None:
    store = threaded()
    store.state.broken = "tension"
    store.step(1.0, sheet(3), 0.1)  # to the floor
    assert store.stored_m == pytest.approx(6.0)
    store.thread()
    store.step(1.0, sheet(2), 0.0)
    assert store.state.pieces["splice"].tolist() == [0] * 60 + [1, 0]


def test_no_sheet_is_lost_between_what_came_what_was_drawn_and_what_fell() -> None:
    store, came, drawn = threaded(), sheet(60)["mass_kg"].sum(), 0.0
    for _ in range(300):
        came += sheet(1)["mass_kg"].sum()
        drawn += store.step(1.0, sheet(1), 0.06)["mass_kg"].sum()
    held = store.state.pieces["mass_kg"].sum()
    assert drawn + held + store.state.scrapped_kg.sum() == pytest.approx(came, rel=1e-9)
