"""The material laws against closed forms (docs/model.md, analytic oracles)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numba import njit
from scipy.integrate import quad

from emulator.config import Material, load_material
from emulator.material import viscoelastic as law
from emulator.material.constants import BOLTZMANN, conductivity, heat_capacity, material_constants
from emulator.material.lanes import decay, exp, log, sin_pi, sin_squared_pi, sinh_over
from emulator.material.thermal import conduct, density, enthalpy_at, temperature_at
from emulator.material.tile import tile_type
from emulator.material.vector import write
from emulator.press.state import parcel_type

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


def tile(layers: int = 11, temperature_k: float = ROOM, **values: Any) -> Any:
    """Sheet at one temperature, free of stress, the same in every lane."""
    return tiles(1, layers, temperature_k, **values)[0]


def tiles(count: int, layers: int = 11, temperature_k: float = ROOM, **values: Any) -> Any:
    memory = np.zeros(count, tile_type(parcel_type(layers), layers))
    ordinary = {"dt": 1.0, "mass": 1.0, "stiff": 1.0, "h": 1e-3, "C_face": math.inf, "b": 1.0, "b_1": 1.0}
    ordinary["h_middle"] = values.get("h", 1e-3)
    ordinary |= {"g": 1.0, "g_0": 1.0, "C": 1.0, "p_limit": math.inf}
    ordinary |= dict.fromkeys(("T", "T_mean", "T_1", "T_up", "T_low"), temperature_k)
    for name, value in (ordinary | values).items():
        memory[name] = value
    return memory


class Sample:
    """A sheet under prescribed strain, at one temperature."""

    def __init__(self, material: Material, temperature_k: float = ROOM) -> None:
        self.m = material_constants(material)[0]
        self.w = tile(temperature_k=temperature_k)

    @property
    def e(self) -> Any:
        return self.w["e"][:9, 0]

    @property
    def e_N(self) -> float:
        return float(self.w["e"][9, 0])

    def _linearise(self, dt: float, b0: float, b1: float) -> None:
        self.w["dt"], self.w["b"], self.w["b_1"] = dt, b0, b1
        stress = b0 * float(self.m.E @ self.e)
        self.w["speedup"] = law.stress_speedup(stress, float(self.w["T_mean"][0]), self.m)
        law.age(self.w, self.m)
        law.linearise(self.w, self.m)

    def strain(self, d_eps: float, dt: float, b0: float = 1.0, b1: float = 1.0) -> float:
        """Strain by d_eps over dt; returns the stress at the end in Pa."""
        self._linearise(dt, b0, b1)
        self.w["d_eps"] = d_eps
        law.apply_strain(self.w, self.m)
        return float(self.w["S0"][0] + self.w["S1"][0] * d_eps)

    def release(self, dt: float, b0: float = 1.0, b1: float = 1.0) -> float:
        """Let go for dt; returns the strain that comes back."""
        self._linearise(dt, b0, b1)
        back = float(self.w["S0"][0] / self.w["S1"][0])
        self.w["d_eps"] = -back
        law.apply_strain(self.w, self.m)
        return back


# --- arithmetic ----------------------------------------------------------------


def test_functions_for_lanes_agree_with_the_c_library() -> None:
    rng = np.random.default_rng(1)
    for scale in (1e-9, 1e-3, 1.0, 30.0, 700.0):
        for x in rng.uniform(-scale, scale, 200).tolist():
            assert exp(x) == pytest.approx(math.exp(x), rel=1e-15)
            assert log(abs(x)) == pytest.approx(math.log(abs(x)), rel=1e-15, abs=1e-15)
            q, f = decay(abs(x))
            assert q == pytest.approx(math.exp(-abs(x)), rel=1e-15)
            assert f == pytest.approx(-math.expm1(-abs(x)) / abs(x), rel=1e-15)
            assert sin_pi(x) == pytest.approx(math.sin(math.pi * math.fmod(x, 2.0)), abs=3e-11)
            assert sin_squared_pi(x) == pytest.approx(math.sin(math.pi * math.fmod(x, 1.0)) ** 2, abs=3e-11)
            bounded = min(abs(x), 300.0)
            assert sinh_over(abs(x)) == pytest.approx(math.sinh(bounded) / bounded if x else 1.0, rel=3e-13)
    assert exp(1e4) == exp(708.0)
    assert exp(-1e4) == exp(-708.0)


# --- heat --------------------------------------------------------------------


def heavy(m: Any) -> dict[str, Any]:
    """Heat capacities that make rho c 1.7e6 J/(m3 K)."""
    cp = 1.7e6 / float(density(ROOM, m))
    names = ("polymer_heat_capacity_j_kgk", "polymer_heat_capacity_max_j_kgk", "oil_heat_capacity_j_kgk")
    return dict.fromkeys(names, cp)


def heated_slab(layers: int, dt: float = 0.02) -> dict[float, tuple[float, float]]:
    """Centre and mean in degC by time: k 0.16, rho c 1.7e6, 3 mm, h 1500, 25 to 115 degC."""
    flat = {"polymer_heat_capacity_slope_j_kgk2": 0.0, "oil_heat_capacity_slope_j_kgk2": 0.0}
    flat |= {"crystallinity": 0.0}
    flat |= {"polymer_conductivity_w_mk": 0.16, "polymer_conductivity_slope_w_mk2": 0.0}
    flat |= {"polymer_conductivity_min_w_mk": 0.16, "oil_conductivity_w_mk": 0.16, "expansion_per_k": 0.0}
    m = material_constants(changed(load_material("g20"), thermal=flat))[0]
    # 1 m2 of the gel's own density; its heat capacity makes rho c what the case asks for
    m = material_constants(changed(load_material("g20"), thermal=flat | heavy(m)))[0]
    mass = density(ROOM, m) * 3e-3
    w = tile(layers, dt=dt, mass=mass, h=3e-3, T_up=388.15, T_low=388.15, h_up=1.5e3, h_low=1.5e3)
    w["H"] = enthalpy_at(ROOM, m)
    seen = {}
    T = w["T"][:, 0]
    for step in range(1, round(40.0 / dt) + 1):
        conduct(w, layers, m, False)
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


def slab(**faces: float) -> tuple[Any, Any]:
    """3 mm of the gel at room temperature between two bodies, and its constants."""
    m = material_constants(load_material("g20"))[0]
    w = tile(dt=0.1, mass=2.5, h=3e-3, **faces)
    w["H"] = enthalpy_at(ROOM, m)
    return w, m


@pytest.mark.parametrize("layered", [False, True])
def test_conduction_loses_no_heat_across_the_melting_peak(layered: bool) -> None:
    w, m = slab(T_up=398.15, T_low=383.15, h_up=1500.0, h_low=900.0, C_face=2e3)
    w["dz"] = np.linspace(1.0, 2.0, 11)[:, None] * (3e-3 / 16.5)
    start, taken = w["H"][:, 0].mean(), 0.0
    for _ in range(400):
        conduct(w, 11, m, layered)
        taken += float(w["Q_up"][0] + w["Q_low"][0])
    assert 2.5 * (w["H"][:, 0].mean() - start) == pytest.approx(taken, rel=1e-12)


def test_layers_of_equal_thickness_conduct_as_the_whole_sheet_does() -> None:
    (w, m), (v, _) = (slab(T_up=388.15, T_low=388.15, h_up=1500.0, h_low=1500.0) for _ in range(2))
    v["dz"] = 3e-3 / 11
    for _ in range(200):
        conduct(w, 11, m, False)
        conduct(v, 11, m, True)
    assert v["T"][:, 0] == pytest.approx(w["T"][:, 0], abs=0.01)


def test_equal_faces_give_a_symmetric_sheet() -> None:
    w, m = slab(T_up=388.15, T_low=388.15, h_up=1500.0, h_low=1500.0)
    for _ in range(100):
        conduct(w, 11, m, False)
    assert np.abs(w["T"][:, 0] - w["T"][::-1, 0]).max() < 1e-9


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
        assert temperature_at(enthalpy_at(temperature, m), m) == pytest.approx(temperature, abs=1e-9)


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


def squeezed(temperature_k: float = 388.15, g: float = 0.9e-3, p_limit: float = 3e6) -> tuple[Any, Any]:
    """1 mm of sheet pressed into a gap g [m] within 0.1 s."""
    m = material_constants(load_material("g20"))[0]
    b = law.modulus_factor(temperature_k, m)
    w = tile(temperature_k=temperature_k, dt=0.1, b=b, g=g, C=1e-10, p_limit=p_limit)
    law.deform(w, m)
    return w, m


def test_contact_meets_the_gap_equation() -> None:
    w, m = squeezed()
    h, p, e = float(w["h"][0]), float(w["p"][0]), w["e"][:, 0]
    assert p == pytest.approx((h - 0.9e-3) / 2e-10, rel=1e-9)
    assert 0.9e-3 < h < 1.0e-3
    b = float(w["b_1"][0])
    assert p == pytest.approx(b * float(m.E @ e[:9]) + law.network_modulus(b, m) * e[9], rel=1e-9)


def test_press_gives_way_at_its_design_pressure_and_never_pulls() -> None:
    assert squeezed(ROOM, 0.3e-3, 1e6)[0]["p"][0] == pytest.approx(1e6, rel=1e-12)
    w, _ = squeezed(ROOM, 1.2e-3)
    assert (w["h"][0], w["p"][0]) == (1.0e-3, 0.0)


def test_what_becomes_of_a_parcel_does_not_depend_on_who_shares_its_tile() -> None:
    m = material_constants(load_material("g20"))[0]
    gaps = np.linspace(0.5e-3, 1.1e-3, 8)
    sheet = {"dt": 0.1, "C": 1e-10, "p_limit": 3e6, "b": 0.1}
    together = tile(temperature_k=388.15, g=gaps, **sheet)
    law.deform(together, m)
    for lane, gap in enumerate(gaps):
        alone = tile(temperature_k=388.15, g=gap, **sheet)
        law.deform(alone, m)
        assert np.all(alone["h"] == together["h"][lane])
        assert np.array_equal(together["e"][:, lane], alone["e"][:, 0])


def layers_of(temperatures_k: Any, m: Any) -> Any:
    """Eleven layers that make 1 mm of sheet, as tiles of their own."""
    v = tiles(11, dt=0.1, h=1e-3 / 11)
    for layer, T in zip(v, temperatures_k, strict=True):
        layer["T_mean"] = layer["T_1"] = T
        layer["b"] = law.modulus_factor(float(T), m)
    return v


def squeezed_in_series(temperatures_k: Any) -> tuple[Any, float]:
    """The layers, and their pressure, pressed like `squeezed`."""
    m = material_constants(load_material("g20"))[0]
    v = layers_of(temperatures_k, m)
    w = tile(g=0.9e-3, C=1e-10, p_limit=3e6)

    @njit  # type: ignore[misc]
    def deform(w: Any, v: Any, m: Any, p: Any) -> None:
        write(p, law.deform_layers(w[0], v, 11, m[0]))

    p = np.zeros(8)
    deform(np.array([w]), v, material_constants(load_material("g20")), p)
    return v, float(p[3])


def test_layers_at_one_temperature_are_squeezed_like_the_whole_sheet() -> None:
    whole, _ = squeezed()
    v, sigma = squeezed_in_series([388.15] * 11)
    assert sigma == pytest.approx(whole["p"][0], rel=1e-7)
    assert v["h"][:, 0].sum() == pytest.approx(whole["h"][0], rel=1e-9)


def test_a_cold_layer_thins_less_than_a_hot_one() -> None:
    v, sigma = squeezed_in_series(388.15 - 40.0 * np.sin(np.linspace(0.0, np.pi, 11)))
    assert sigma == pytest.approx((float(v["h"][:, 0].sum()) - 0.9e-3) / 2e-10, rel=1e-6)
    assert v["d_eps"][5, 0] < 0.5 * v["d_eps"][0, 0]
