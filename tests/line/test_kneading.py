"""The extruder: what comes out of the die, against closed forms of residence time, heat and slit flow."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.line.definition import load_extruder
from emulator.line.kneading import (
    AMBIENT_K,
    CRYSTAL_HEAT_J_KG,
    MELT_DENSITY_KG_M3,
    MELT_HEAT_CAPACITY_J_KGK,
    Kneader,
)
from emulator.state import copied

EXTRUDER = load_extruder("reference")
FLOW_KG_S = 5.26e-3
COMPOSITION = np.array([0.16, 0.04, 0.80, 0.0])


def running(seed: int = 0, seconds: int = 1800, ripple: float = 0.0, **commands: float) -> Kneader:
    """An extruder that was heated up and has been making gel of 20 % solids since."""
    kneader = Kneader(EXTRUDER, seed)
    kneader.commands.barrel_k = 473.15
    for _ in range(600):
        kneader.step(5.0)
    kneader.commands.run = True
    kneader.commands.screw_rad_s = 20.0
    kneader.commands.delivery_kg_s = FLOW_KG_S * COMPOSITION
    kneader.disturbances.feeder_ripple_scale = ripple
    for name, value in commands.items():
        setattr(kneader.commands, name, value)
    for _ in range(seconds):
        kneader.step(1.0)
    return kneader


@pytest.fixture(scope="module")
def steady() -> Kneader:
    return running()


def fork(kneader: Kneader) -> Kneader:
    other = Kneader(EXTRUDER, 0, copied(kneader.state))
    other.commands.vector[:] = kneader.commands.vector
    other.disturbances.vector[:] = kneader.disturbances.vector
    return other


def test_what_goes_in_comes_out_in_its_composition(steady: Kneader) -> None:
    melted = fork(steady).step(1.0)
    assert melted.mass_kg == pytest.approx(FLOW_KG_S * COMPOSITION, rel=1e-6)


@settings(deadline=None)
@given(
    changes=st.lists(
        st.tuples(
            st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4),
            st.floats(0.0, 40.0),
            st.floats(0.05, 5.0),
            st.booleans(),
        ),
        max_size=12,
    )
)
def test_no_mass_is_made_or_lost_whatever_the_feeders_do(
    changes: list[tuple[list[float], float, float, bool]],
) -> None:
    kneader = running(seconds=60, ripple=5.0)
    for deliveries, screw_rad_s, dt_s, run in changes:
        kneader.commands.delivery_kg_s = np.array(deliveries) * 2e-3
        kneader.commands.screw_rad_s = screw_rad_s
        kneader.commands.run = run
        for _ in range(20):
            kneader.step(dt_s)
    state = kneader.state
    accounted = state.left_kg + state.spilt_kg + kneader.held_kg
    assert accounted == pytest.approx(state.fed_kg, rel=1e-9, abs=1e-12)
    assert (kneader.held_kg >= 0.0).all()


def test_a_trace_of_elastomer_comes_after_a_delay_and_with_the_spread_of_tanks_in_a_row(steady: Kneader) -> None:
    """Mean residence time is hold-up over flow; the variance is that of equal tanks (Levenspiel, 3rd ed., ch. 14)."""
    kneader, without = fork(steady), fork(steady)
    dt_s, tracer_kg = 0.25, 1e-5
    kneader.state.slugs_kg[-1] += [0.0, tracer_kg, -tracer_kg, 0.0]  # in the place of solvent: the flow stays as it is
    times = np.arange(1, 2400) * dt_s
    extra = np.array([kneader.step(dt_s).mass_kg[1] - without.step(dt_s).mass_kg[1] for _ in times])
    total = extra.sum()
    mean_s = float((extra * times).sum() / total)
    variance_s2 = float((extra * (times - mean_s) ** 2).sum() / total)
    screw = EXTRUDER.screw
    assert total == pytest.approx(tracer_kg, rel=0.02)
    assert mean_s == pytest.approx(screw.hold_up_kg / FLOW_KG_S, rel=0.02)
    assert variance_s2 == pytest.approx((screw.mixing_mass_kg / FLOW_KG_S) ** 2 / screw.mixing_tanks, rel=0.06)


def test_the_length_of_the_step_does_not_matter() -> None:
    states = []
    for dt_s in (0.25, 2.0):
        kneader = running(seconds=0)
        for _ in range(round(900 / dt_s)):
            melted = kneader.step(dt_s)
        states.append((kneader.state.melt_k, kneader.torque_nm, float(melted.mass_kg.sum()) / dt_s))
    assert states[0] == pytest.approx(states[1], rel=2e-3)


def test_heat_put_into_the_melt_is_what_it_takes_away(steady: Kneader) -> None:
    carried_w = FLOW_KG_S * (MELT_HEAT_CAPACITY_J_KGK * (steady.state.melt_k - AMBIENT_K) + 0.2 * CRYSTAL_HEAT_J_KG)
    from_barrel_w = EXTRUDER.barrel.conductance_w_k * (steady.state.barrel_k - steady.state.melt_k)
    assert from_barrel_w + steady.power_w == pytest.approx(carried_w, rel=1e-3)


def test_the_barrel_settles_on_its_set_point(steady: Kneader) -> None:
    assert steady.state.barrel_k == pytest.approx(473.15, abs=0.5)


def test_newtonian_melt_in_the_slit_follows_the_closed_form() -> None:
    """Pressure drop 12 eta Q L / (W H³) of a Newtonian fluid between plates."""
    kneader = Kneader(
        EXTRUDER.model_copy(update={"melt": EXTRUDER.melt.model_copy(update={"flow_index": 1.0})}),
    )
    kneader.state.melt_k = 473.15
    die, eta = EXTRUDER.die, EXTRUDER.melt.consistency_pa_s
    expected = (
        12
        * eta
        * (FLOW_KG_S / MELT_DENSITY_KG_M3)
        * die.land_mm
        * 1e-3
        / (die.width_mm * 1e-3)
        / (die.gap_mm * 1e-3) ** 3
    )
    assert kneader.die_pressure_pa(FLOW_KG_S) == pytest.approx(expected, rel=1e-12)


def test_reference_runs_within_its_limits(steady: Kneader) -> None:
    assert 440.0 < steady.state.melt_k < 500.0
    assert 1.0 < steady.torque_nm < 0.8 * EXTRUDER.screw.torque_limit_nm
    assert 0.1e6 < steady.die_pressure_pa(FLOW_KG_S) < 0.5 * EXTRUDER.die.pressure_limit_mpa * 1e6
    assert steady.mixing(FLOW_KG_S) > 0.95


def test_a_bridged_solvent_feeder_thickens_the_gel_after_the_residence_time(steady: Kneader) -> None:
    kneader = fork(steady)
    kneader.disturbances.change({"feeder_scale": [1.0, 1.0, 0.8, 1.0]})
    before = kneader.solids_fraction
    early = kneader.step(1.0).mass_kg
    assert not kneader.state.overloaded
    assert early[0] / early.sum() == pytest.approx(0.16, rel=1e-3)
    for _ in range(1200):
        late = kneader.step(1.0).mass_kg
    assert before == pytest.approx(0.2, rel=1e-3)
    assert (late[0] + late[1]) / late.sum() == pytest.approx(0.2 / 0.84, rel=0.01)


@pytest.mark.parametrize(
    ("command", "value"), [("screw_rad_s", 2.0), ("barrel_k", 400.0)], ids=["too slow", "too cold"]
)
def test_lumps_are_left_where_screws_are_slow_or_the_barrel_is_cold(command: str, value: float) -> None:
    assert running(seconds=2400, **{command: value}).mixing(FLOW_KG_S) < 0.9


def test_melt_that_is_far_too_stiff_opens_the_coupling_until_it_is_reset(steady: Kneader) -> None:
    kneader = fork(steady)
    kneader.disturbances.change({"viscosity_scale": 10.0})
    for _ in range(30):
        kneader.step(1.0)
    assert kneader.state.overloaded
    assert kneader.state.screw_rad_s < 1.0
    kneader.disturbances.change({"viscosity_scale": 1.0})
    kneader.commands.run = False
    kneader.step(1.0)
    assert not kneader.state.overloaded


def test_ripple_of_the_feeders_is_smoothed_by_the_tanks_and_the_same_for_the_same_seed() -> None:
    def outflow(seed: int) -> list[float]:
        kneader = running(seed, seconds=600, ripple=20.0)
        return [float(m.mass_kg[0] / m.mass_kg.sum()) for m in (kneader.step(1.0) for _ in range(200))]

    first = outflow(1)
    assert first == outflow(1)
    assert first != outflow(2)
    relative = float(np.std(first)) / 0.16
    assert 0.0 < relative < 20.0 * EXTRUDER.feeders.ripple_fraction[0] / math.sqrt(5.0)
