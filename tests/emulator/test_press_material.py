"""The material laws against closed forms (docs/model.md, analytic oracles)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad

from emulator.config import Material, load_material
from emulator.material import viscoelastic as law
from emulator.material.constants import BOLTZMANN, conductivity, heat_capacity, material_constants
from emulator.material.thermal import conduct, density, enthalpy_at, lookup
from emulator.press.parcel import deform, work

ROOM = 298.15


def changed(material: Material, **sections: dict[str, Any]) -> Material:
    table = material.model_dump()
    for section, values in sections.items():
        table[section].update(values)
    return Material.model_validate(table)


def simple(arms_mpa: dict[float, float], network_mpa: float, **mechanics: Any) -> Material:
    """Given arms {relaxation time: modulus} at 25 degC, a permanent network, no stress dependence."""
    moduli = list(arms_mpa.values()) + [1e-12] * (9 - len(arms_mpa))
    times = list(arms_mpa) + [1.0] * (9 - len(arms_mpa))
    values: dict[str, Any] = {
        "arm_modulus_25c_mpa": moduli,
        "arm_relaxation_time_s": times,
        "reference_temperature_c": 25.0,
        "network_modulus_25c_mpa": network_mpa,
        "network_modulus_min_mpa": network_mpa,
        "network_relaxation_time_s": 1e15,
        "stress_amplification": 0.0,
    }
    return changed(load_material("g20"), mechanics=values | mechanics)


class Sample:
    """A sheet under prescribed strain, at one temperature."""

    def __init__(self, material: Material, temperature_k: float = ROOM) -> None:
        self.m = material_constants(material)[0]
        self.T = temperature_k
        self.e = np.zeros(9)
        self.e_N = 0.0
        self.q = np.zeros(10)
        self.f = np.zeros(10)

    def strain(self, d_eps: float, dt: float, b0: float = 1.0, b1: float = 1.0) -> float:
        """Strain by d_eps over dt; returns the stress at the end in Pa."""
        speedup = law.stress_speedup(law.arm_stress(self.e, b0, self.m), self.T, self.m)
        S0, S1 = law.linearise(self.e, self.e_N, self.T, b0, b1, speedup, dt, self.m, self.q, self.f)
        self.e_N = law.apply_strain(self.e, self.e_N, d_eps, self.q, self.f)
        return S0 + S1 * d_eps

    def release(self, dt: float, b0: float = 1.0, b1: float = 1.0) -> float:
        """Let go for dt; returns the strain that comes back."""
        speedup = law.stress_speedup(law.arm_stress(self.e, b0, self.m), self.T, self.m)
        S0, S1 = law.linearise(self.e, self.e_N, self.T, b0, b1, speedup, dt, self.m, self.q, self.f)
        self.e_N = law.apply_strain(self.e, self.e_N, -S0 / S1, self.q, self.f)
        return S0 / S1


# --- heat --------------------------------------------------------------------


def heated_slab(layers: int, dt: float = 0.02) -> dict[float, tuple[float, float]]:
    """Centre and mean in degC by time: k 0.16, rho c 1.7e6, 3 mm, h 1500, 25 to 115 degC."""
    flat = {"polymer_heat_capacity_slope_j_kgk2": 0.0, "oil_heat_capacity_slope_j_kgk2": 0.0}
    flat |= {"polymer_heat_capacity_j_kgk": 2000.0, "oil_heat_capacity_j_kgk": 2000.0, "crystallinity": 0.0}
    flat |= {"polymer_conductivity_w_mk": 0.16, "polymer_conductivity_slope_w_mk2": 0.0}
    flat |= {"polymer_conductivity_min_w_mk": 0.16, "oil_conductivity_w_mk": 0.16, "expansion_per_k": 0.0}
    m = material_constants(changed(load_material("g20"), thermal=flat))[0]
    T = np.full(layers, ROOM)
    H = np.full(layers, enthalpy_at(ROOM, m))
    scratch = np.zeros((3, layers))
    seen = {}
    for step in range(1, round(40.0 / dt) + 1):
        conduct(H, T, 1.7e6 / 2e3 * 3e-3, 1.0, 3e-3, 388.15, 388.15, 1.5e3, 1.5e3, math.inf, dt, m, scratch)
        seen[round(step * dt, 6)] = (T[layers // 2] - 273.15, T.mean() - 273.15)
    return seen


def test_slab_heats_as_the_series_solution() -> None:
    seen = heated_slab(42)
    for seconds, exact in {5.0: 42.923, 10.0: 68.653, 20.0: 96.153, 40.0: 111.885}.items():
        assert seen[seconds][0] == pytest.approx(exact, abs=0.06)
    assert seen[20.0][1] == pytest.approx(102.221, abs=0.03)


def test_layers_converge_to_the_series_solution_with_their_square() -> None:
    """Half the slab in 11 and 21 layers: 96.126 and 96.146 at 20 s."""
    assert heated_slab(22)[20.0][0] == pytest.approx(96.126, abs=5e-3)
    assert heated_slab(42)[20.0][0] == pytest.approx(96.146, abs=5e-3)


def test_eleven_layers_and_the_longest_step_stay_within_half_a_kelvin() -> None:
    seen = heated_slab(11, dt=0.1)
    for seconds, exact in {5.0: 42.923, 10.0: 68.653, 20.0: 96.153, 40.0: 111.885}.items():
        assert seen[seconds][0] == pytest.approx(exact, abs=0.5)


def test_conduction_loses_no_heat_across_the_melting_peak() -> None:
    m = material_constants(load_material("g20"))[0]
    T = np.full(11, ROOM)
    H = np.full(11, enthalpy_at(ROOM, m))
    start, taken = H.mean(), 0.0
    for _ in range(400):
        taken += sum(conduct(H, T, 2.5, 1.0, 3e-3, 398.15, 383.15, 1500.0, 900.0, 2e3, 0.1, m, np.zeros((3, 11))))
    assert 2.5 * (H.mean() - start) == pytest.approx(taken, rel=1e-12)


def test_equal_faces_give_a_symmetric_sheet() -> None:
    m = material_constants(load_material("g20"))[0]
    T = np.full(11, ROOM)
    H = np.full(11, enthalpy_at(ROOM, m))
    for _ in range(100):
        conduct(H, T, 2.5, 1.0, 3e-3, 388.15, 388.15, 1500.0, 1500.0, math.inf, 0.1, m, np.zeros((3, 11)))
    assert np.abs(T - T[::-1]).max() < 1e-9


def test_enthalpy_table_is_the_integral_of_the_heat_capacity() -> None:
    material = load_material("g20")
    m = material_constants(material)[0]
    for temperature in (283.15, 353.15, 390.15, 400.15, 430.15):
        exact, _ = quad(
            lambda T: float(heat_capacity(material, np.array([T]))[0]),
            ROOM,
            temperature,
            epsabs=1e-3,
            limit=200,
        )
        assert enthalpy_at(temperature, m) == pytest.approx(exact, abs=1.0)
        assert lookup(enthalpy_at(temperature, m), m.T_of_H, m) == pytest.approx(temperature, abs=1e-9)


def test_effective_properties_have_the_values_of_the_model() -> None:
    material = load_material("g20")
    m = material_constants(material)[0]
    T = np.array([298.15, 368.15, 388.15, 390.15])
    assert conductivity(material, T)[[0, 2]] == pytest.approx([0.163, 0.151], abs=6e-4)
    assert [density(298.15, m), density(388.15, m)] == pytest.approx([877.0, 821.0], abs=1.0)
    cp = heat_capacity(material, T) * 1e-3
    assert cp[0] == pytest.approx(1.89, abs=0.01)
    assert cp[1] == pytest.approx(2.2, abs=0.05)
    assert cp[3] == pytest.approx(4.0, abs=0.15)


# --- mechanics ---------------------------------------------------------------


def test_modulus_factor_has_the_values_of_the_model() -> None:
    m = material_constants(load_material("g20"))[0]
    table = {25: 1.0, 40: 0.878, 80: 0.549, 95: 0.414, 105: 0.292, 115: 0.133, 120: 0.068, 125: 0.029}
    for celsius, b in table.items():
        assert law.modulus_factor(celsius + 273.15, m) == pytest.approx(b, abs=6e-4)


@pytest.mark.parametrize("steps", [1, 7, 600])
def test_maxwell_arm_and_spring_hold(steps: int) -> None:
    sample = Sample(simple({20.0: 5.0}, 1.0))
    sample.strain(math.log(5.0), 1e-9)
    stress = 0.0
    for _ in range(steps):
        stress = sample.strain(0.0, 60.0 / steps)
    assert stress == pytest.approx((5e6 * math.exp(-3.0) + 1e6) * math.log(5.0), rel=1e-9)
    assert stress == pytest.approx(2.010e6, rel=1e-4)


def test_free_recovery_after_a_hold() -> None:
    sample = Sample(simple({20.0: 5.0}, 1.0))
    sample.strain(math.log(5.0), 1e-9)
    sample.strain(0.0, 60.0)
    eps = math.log(5.0) - sample.release(1e-9)
    assert eps == pytest.approx(1.27442, abs=1e-5)
    seen = {}
    for step in range(1, 6001):
        eps -= sample.release(0.01)
        seen[step] = eps
    assert seen[1000] == pytest.approx(1.17253, abs=2e-5)
    assert seen[6000] == pytest.approx(0.77298, abs=5e-5)
    r = 100.0 * (math.exp(math.log(5.0) - seen[6000]) - 1.0)
    assert r == pytest.approx(130.818, abs=0.02)


def test_freeze_in_leaves_the_two_network_set() -> None:
    """Modulus gained on cooling is born free of stress and holds against the network."""
    sample = Sample(simple({1e12: 6.0}, 0.2))
    eps = math.log(5.0)
    sample.strain(eps, 1.0, b0=1e-9, b1=1e-9)
    sample.strain(0.0, 1.0, b0=1e-9, b1=1.0)
    eps_left = eps - sample.release(1e-9)
    assert 100.0 * (math.exp(eps - eps_left) - 1.0) == pytest.approx(5.329, abs=1e-3)


def test_heating_keeps_the_strain_and_loses_the_stress() -> None:
    sample = Sample(simple({1e12: 6.0}, 0.2))
    sample.strain(0.5, 1e-3)
    before = sample.e[0]
    stress = sample.strain(0.0, 1e-3, b0=1.0, b1=0.1)
    assert sample.e[0] == pytest.approx(before, rel=1e-9)
    assert stress == pytest.approx(0.5 * (0.6e6 + 0.2e6), rel=1e-6)


def test_steady_flow_follows_the_eyring_law() -> None:
    """One arm at a constant strain rate: sigma = kB T/(V A) asinh(E tau rate V A/(kB T))."""
    material = simple({10.0: 8.0}, 1e-9, stress_amplification=60.0)
    sample = Sample(material)
    rate, stress = 0.05, 0.0
    for _ in range(20_000):
        stress = sample.strain(rate * 0.005, 0.005)
    per_pascal = material.mechanics.activation_volume_m3 * 60.0 / (BOLTZMANN * ROOM)
    assert stress == pytest.approx(math.asinh(8e6 * 10.0 * rate * per_pascal) / per_pascal, rel=1e-3)


def test_time_and_temperature_exchange_by_the_shift_factor() -> None:
    material = changed(load_material("g20"), mechanics={"stress_amplification": 0.0})
    material = changed(
        material,
        mechanics={"network_activation_energy_kj_mol": material.mechanics.arm_activation_energy_kj_mol},
    )
    warm, hot = Sample(material, 363.15), Sample(material, 388.15)
    a_T = math.exp(hot.m.Ea_R * (1.0 / 363.15 - 1.0 / 388.15))
    for _ in range(50):
        hot.strain(0.02, 0.3)
        warm.strain(0.02, 0.3 * a_T)
    assert warm.e == pytest.approx(hot.e, rel=1e-10)
    assert warm.e_N == pytest.approx(hot.e_N, rel=1e-10)


def test_contact_meets_the_gap_equation() -> None:
    m = material_constants(load_material("g20"))[0]
    e, w = np.zeros(9), work()[0]
    h, p, _ = deform(e, 0.0, 1.0e-3, 388.15, 0.133, 0.133, 0.9e-3, 1e-10, 3e6, 0.1, m, w)
    assert p == pytest.approx((h - 0.9e-3) / 2e-10, rel=1e-9)
    assert 0.9e-3 < h < 1.0e-3
    network = law.network_modulus(0.133, m) * math.log(1.0e-3 / h) * w.f[9]
    assert p == pytest.approx(law.arm_stress(e, 0.133, m) + network, rel=1e-9)


def test_press_gives_way_at_its_design_pressure_and_never_pulls() -> None:
    m = material_constants(load_material("g20"))[0]
    _, p, _ = deform(np.zeros(9), 0.0, 1.0e-3, ROOM, 1.0, 1.0, 0.3e-3, 1e-10, 1e6, 0.1, m, work()[0])
    assert p == pytest.approx(1e6, rel=1e-12)
    h, p, _ = deform(np.zeros(9), 0.0, 1.0e-3, ROOM, 1.0, 1.0, 1.2e-3, 1e-10, 3e6, 0.1, m, work()[0])
    assert (h, p) == (1.0e-3, 0.0)
