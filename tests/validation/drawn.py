"""Cases drawn by Hypothesis: recipes, machines and materials over the range that the model is to be trusted in."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from emulator.config import Machine, Material
from emulator.press import Pass, Rolled, roll
from emulator.press.constants import machine_constants
from tests.oracles.parameters import Gel, Rollers, Tables, machine_file, material_file
from tests.oracles.parcel import LAYERS, Drive, Outcome, roll_parcel
from tests.validation.setups import changed, ideal_belt

SCALED = {
    "thermal": (
        "expansion_per_k",
        "polymer_conductivity_w_mk",
        "polymer_conductivity_slope_w_mk2",
        "polymer_conductivity_min_w_mk",
        "oil_conductivity_w_mk",
        "polymer_heat_capacity_j_kgk",
        "polymer_heat_capacity_slope_j_kgk2",
        "polymer_heat_capacity_max_j_kgk",
        "oil_heat_capacity_j_kgk",
        "oil_heat_capacity_slope_j_kgk2",
        "heat_of_fusion_kj_kg",
        "melting_peak_below_gel_k",
        "melting_peak_sigma_k",
    ),
    "mechanics": (
        "arm_modulus_25c_mpa",
        "arm_relaxation_time_s",
        "arm_activation_energy_kj_mol",
        "network_modulus_25c_mpa",
        "network_modulus_min_mpa",
        "network_relaxation_time_s",
        "network_activation_energy_kj_mol",
        "activation_volume_m3",
        "stress_amplification",
        "softening_below_gel_k",
        "softening_width_k",
        "softening_slope",
        "softening_factor_min",
    ),
}
"""Every material parameter that may be halved or doubled alone and still make a material."""

PARAMETERS = tuple((section, name) for section, names in SCALED.items() for name in names)


@dataclass(frozen=True)
class Case:
    """One parcel: data files, and how it is rolled, in engineering units."""

    machine: Tables
    material: Tables
    solids: float
    heat_c: float
    cold_c: float
    speed_m_min: float
    feed_mm: float
    entry_mm: float
    taper_mm: float
    cold_mm: float
    tension_kn_m: float
    scaled: dict[str, float]

    @property
    def speed(self) -> float:
        """m/s."""
        return self.speed_m_min / 60.0

    def emulator(self, step_m: float | None = None) -> Rolled:
        """Rolled by the emulator, the belts given closely enough to be the same curve."""
        press = Machine.model_validate(self.machine)
        gel = Material.model_validate(self.material).at_solids(self.solids)
        x = np.concatenate([[0.0], np.linspace(press.heat_end_m, press.press_length_m, 3000)])
        T = np.array([self.belt(place) for place in x])
        how = Pass(
            x,
            T,
            entry_clearance_m=1e-3 * self.entry_mm,
            taper_clearance_m=1e-3 * self.taper_mm,
            cold_clearance_m=1e-3 * self.cold_mm,
            speed_m_s=self.speed,
            tension_n_m=1e3 * self.tension_kn_m,
            feed_thickness_m=1e-3 * self.feed_mm,
        )
        return roll(press, gel, how, step_m)

    def own_step(self) -> float:
        """Step that the emulator takes, m."""
        press = Machine.model_validate(self.machine)
        return min(machine_constants(press)[0].step_m, press.numerics.step_max_s * self.speed)

    def independent(self, rtol: float = 1e-6, layers: int = LAYERS, layered: bool | None = None) -> Outcome:
        """Rolled by the stiff solver."""
        drive = Drive(
            self.belt,
            self.belt,
            speed=self.speed,
            entry_clearance=1e-3 * self.entry_mm,
            taper_clearance=1e-3 * self.taper_mm,
            cold_clearance=1e-3 * self.cold_mm,
            tension=1e3 * self.tension_kn_m,
            feed_thickness=1e-3 * self.feed_mm,
        )
        return roll_parcel(Rollers.of(self.machine), Gel.of(self.material, self.solids), drive, rtol, layers, layered)

    def belt(self, x: float) -> float:
        """Both belts at x m, K."""
        return ideal_belt(self.machine, x, self.heat_c + 273.15, self.cold_c + 273.15, self.speed)

    def describe(self) -> str:
        """In one line, to be found again."""
        g, b = self.machine["geometry"], self.machine["belts"]
        scaled = ", ".join(f"{name} ×{factor:g}" for name, factor in self.scaled.items()) or "as filed"
        return (
            f"{self.heat_c:.1f}/{self.cold_c:.1f} °C, {self.speed_m_min:.2f} m/min, {self.feed_mm:.2f} → "
            f"{self.entry_mm:.2f}/{self.taper_mm:.2f}/{self.cold_mm:.2f} mm, pitch {g['roller_pitch_mm']:.1f} mm, belt "
            f"{b['thickness_mm']:.2f} mm at {self.tension_kn_m:.0f} kN/m, zones {g['heat_zone_length_mm']:.0f}/"
            f"{g['cold_zone_length_mm']:.0f} mm, taper {g['taper_heat_fraction']:.2f}, solids {self.solids:.2f}; "
            f"{scaled}"
        )


def reference(
    heat_c: float = 115.0, cold_c: float = 15.0, speed_m_min: float = 1.0, taper_mm: float = 0.6, **geometry: Any
) -> Case:
    """The reference case of docs/model.md, or near it."""
    tables = changed(machine_file(), geometry=geometry)
    return Case(tables, material_file(), 0.20, heat_c, cold_c, speed_m_min, 3.0, 3.2, taper_mm, taper_mm, 72.0, {})


def _between(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


@st.composite
def cases(draw: st.DrawFn, slowest: float, fastest: float, longest: float) -> Case:
    """Anything within the range; `longest` 0..1 shortens the zones, which costs solver time."""
    zone = draw(_between(150.0, 150.0 + 450.0 * longest))
    machine = changed(
        machine_file(),
        geometry={
            "roller_pitch_mm": draw(_between(25.0, 80.0)),
            "roller_diameter_mm": 20.0,
            "heat_zone_length_mm": zone,
            "cold_zone_length_mm": draw(_between(200.0, 200.0 + 550.0 * longest)),
            "entry_length_mm": draw(_between(100.0, 300.0)),
            "taper_heat_fraction": draw(_between(0.2, 0.9)),
        },
        belts={"thickness_mm": draw(_between(0.8, 1.6))},
    )
    material = copy.deepcopy(material_file())
    scaled: dict[str, float] = {}
    for section, name in draw(st.lists(st.sampled_from(PARAMETERS), max_size=3, unique=True)):
        factor = draw(st.sampled_from([0.5, 2.0]))
        value = material[section][name]
        material[section][name] = [factor * v for v in value] if isinstance(value, list) else factor * value
        scaled[name] = factor
    feed = draw(_between(1.0, 4.0))
    taper = draw(_between(0.45, 1.5))
    entry = max(feed * draw(_between(0.9, 1.2)), taper)
    # a sheet that fits its gap exactly is neither pressed nor free
    assume(abs(entry - feed) > 1e-3)
    return Case(
        machine,
        material,
        solids=draw(_between(0.10, 0.40)),
        heat_c=draw(_between(85.0, 130.0)),
        cold_c=draw(_between(8.0, 40.0)),
        speed_m_min=slowest * (fastest / slowest) ** draw(_between(0.0, 1.0)),
        feed_mm=feed,
        entry_mm=entry,
        taper_mm=taper,
        cold_mm=taper * draw(_between(0.9, 1.1)),
        tension_kn_m=draw(_between(30.0, 100.0)),
        scaled=scaled,
    )


def draw_cases(count: int, slowest: float, fastest: float, longest: float = 1.0) -> list[Case]:
    """So many cases, the same in every run of one program (Hypothesis looks at the modules that are loaded)."""
    drawn: list[Case] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(cases(slowest, fastest, longest))
    def collect(case: Case) -> None:
        drawn.append(case)

    collect()
    return drawn[:count]
