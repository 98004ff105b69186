"""Machines and materials reduced to what a closed form speaks of, and the reference case.

Everything starts from the shipped data files, so that what the emulator reads and what the independent
solutions read is one table.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from emulator.config import Machine, Material
from emulator.press import Pass, Rolled, roll
from tests.oracles.parameters import Tables, machine_file, material_file
from tests.validation.comparison import Floats

RIGID = {"nip_compliance_m_pa": 1e-18, "design_pressure_mpa": 1e6}
"""Rollers and belts that do not give way; goes with a belt modulus of 1e9 GPa."""

PLAIN_HEAT = {
    "expansion_per_k": 0.0,
    "polymer_conductivity_w_mk": 0.16,
    "polymer_conductivity_slope_w_mk2": 0.0,
    "polymer_conductivity_min_w_mk": 0.16,
    "oil_conductivity_w_mk": 0.16,
    "polymer_heat_capacity_j_kgk": 2000.0,
    "polymer_heat_capacity_slope_j_kgk2": 0.0,
    "oil_heat_capacity_j_kgk": 2000.0,
    "oil_heat_capacity_slope_j_kgk2": 0.0,
    "crystallinity": 0.0,
}
"""k 0.16 W/(m K) and rho c 1.7e6 J/(m3 K) at every temperature; goes with densities of 850 kg/m3."""


def changed(tables: Tables, **sections: Mapping[str, Any]) -> Tables:
    """A copy of a data file with some of its numbers replaced."""
    tables = copy.deepcopy(tables)
    for section, values in sections.items():
        tables[section].update(values)
    return tables


def machine(**sections: Mapping[str, Any]) -> Machine:
    """The reference machine with some of its numbers replaced."""
    return Machine.model_validate(changed(machine_file(), **sections))


def material(**sections: Mapping[str, Any]) -> Material:
    """The reference gel with some of its numbers replaced."""
    return Material.model_validate(changed(material_file(), **sections))


def rigid_machine(length_m: float = 4.15, **sections: Mapping[str, Any]) -> Machine:
    """Gap that does not give way, over a press of this length."""
    lengths = {
        "entry_length_mm": 100.0 * length_m,
        "heat_zone_length_mm": 100.0 * length_m,
        "cold_zone_length_mm": 250.0 * length_m,
    }
    geometry = RIGID | lengths | dict(sections.pop("geometry", {}))
    return machine(geometry=geometry, belts={"elastic_modulus_gpa": 1e9}, **sections)


def simple_gel(
    arms_mpa: Mapping[float, float], network_mpa: float, reference_c: float = 25.0, **mechanics: Any
) -> Material:
    """Given arms {relaxation time s: modulus MPa}, a permanent network, moduli the same at every temperature."""
    moduli = list(arms_mpa.values()) + [1e-12] * (9 - len(arms_mpa))
    times = list(arms_mpa) + [1.0] * (9 - len(arms_mpa))
    values: dict[str, Any] = {
        "arm_modulus_25c_mpa": moduli,
        "arm_relaxation_time_s": times,
        "reference_temperature_c": reference_c,
        "network_modulus_25c_mpa": network_mpa,
        "network_modulus_min_mpa": network_mpa,
        "network_relaxation_time_s": 1e15,
        "stress_amplification": 0.0,
        "softening_slope": 0.0,
        "softening_below_gel_k": -500.0,
    }
    return material(mechanics=values | mechanics)


def isothermal(temperature_c: float, clearance_m: float, speed_m_s: float = 1.0 / 60.0, **changes: Any) -> Pass:
    """A level gap, everything at one temperature from the feed to the exit."""
    T = temperature_c + 273.15
    values: dict[str, Any] = {
        "entry_clearance_m": clearance_m,
        "taper_clearance_m": clearance_m,
        "cold_clearance_m": clearance_m,
        "feed_temperature_k": T,
        "speed_m_s": speed_m_s,
    }
    return Pass(np.array([0.0, 100.0]), np.array([T, T]), **(values | changes))


def trace(rolled: Rolled) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Place, thickness, pressure, mean and core temperature along the press."""
    x, h, p, mean, core = rolled.trace.T
    return x, h, p, mean, core


def cooling_length(tables: Tables, speed_m_s: float) -> float:
    """Length in m over which a bare belt takes on the temperature of a plate."""
    belts = tables["belts"]
    tau = belts["density_kg_m3"] * belts["heat_capacity_j_kgk"] * belts["thickness_mm"] * 1e-3
    return float(speed_m_s * tau / belts["plate_conductance_w_m2k"])


def ideal_belt(tables: Tables, x: float, heat_k: float, cold_k: float, speed_m_s: float) -> float:
    """Belt that enters hot and cools in the cold zones, no sheet on it, K."""
    geometry = tables["geometry"]
    end = 1e-3 * (geometry["entry_length_mm"] + geometry["heat_zone_count"] * geometry["heat_zone_length_mm"])
    if x <= end:
        return heat_k
    return cold_k + (heat_k - cold_k) * math.exp(-(x - end) / cooling_length(tables, speed_m_s))


def reference(heat_c: float = 115.0, cold_c: float = 15.0, speed_m_min: float = 1.0, **changes: Any) -> Rolled:
    """The reference case of docs/model.md, one parcel between ideal belts."""
    tables = machine_file()
    press = Machine.model_validate(tables)
    return roll(
        press, Material.model_validate(material_file()), between(tables, heat_c, cold_c, speed_m_min, **changes)
    )


def between(
    tables: Tables, heat_c: float = 115.0, cold_c: float = 15.0, speed_m_min: float = 1.0, **changes: Any
) -> Pass:
    """One parcel between ideal belts of this machine."""
    v = speed_m_min / 60.0
    press = Machine.model_validate(tables)
    x = np.concatenate([[0.0], np.linspace(press.heat_end_m, press.press_length_m, 2000)])
    T = np.array([ideal_belt(tables, place, heat_c + 273.15, cold_c + 273.15, v) for place in x])
    return Pass(x, T, speed_m_s=v, **changes)
