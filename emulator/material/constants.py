"""The numbers of a material in the form compiled code takes: one named tuple in SI units."""

# ruff: noqa: N815 -- symbols of docs/model.md
from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emulator.material.definition import Material
from emulator.material.record import as_table

GAS_CONSTANT: Final = 8.314462618  # J/(mol K), CODATA 2018
BOLTZMANN: Final = 1.380649e-23  # J/K, CODATA 2018
REFERENCE_K: Final = 298.15  # moduli are given here, enthalpy is zero here

# Range and size of the enthalpy table: 0.06 K between rows.
TABLE_MIN_K: Final = 233.15
TABLE_MAX_K: Final = 473.15
TABLE_ROWS: Final = 1024


class MaterialConstants(NamedTuple):
    """Material numbers for the kernels; equations in docs/model.md, material. `per_x` is 1/x."""

    table: NDArray[np.float64]  # [rows, 4] over a uniform enthalpy grid; columns at `thermal.T_HERE`
    H_first: float  # J/kg, of row 0
    per_H_step: float  # kg/J
    rho_0: float  # kg/m3 at T_0
    T_0: float  # K
    expansion: float  # 1/K
    arms: int  # a number in memory: loops over constants would be unrolled, which takes long to compile
    E: NDArray[np.float64]  # Pa at 25 degC, arms
    per_tau: NDArray[np.float64]  # 1/s at T_ref, arms
    Ea_R: float  # K
    T_ref: float  # K
    E_N25: float  # Pa
    E_Nmin: float  # Pa
    per_tau_N: float  # 1/s at T_ref
    EaN_R: float  # K
    VA_kB: float  # K/Pa, V A / kB
    b_slope: float  # 1/K, sl / (Tm_gel - 298.15)
    b_min: float
    b_max: float
    S_T: float  # K, Tm_gel - dm
    per_S_w: float  # 1/K
    per_S_25: float
    solids: float
    phi: float  # volume fraction of the resin
    flory_slope: float  # 1/K
    Tm_gel: float  # K


def heat_capacity(material: Material, temperature_k: NDArray[np.float64]) -> NDArray[np.float64]:
    """Specific heat with the melting peak, J/(kg K) (docs/model.md, effective properties)."""
    thermal, solids = material.thermal, material.composition.solids_fraction
    above = temperature_k - thermal.reference_temperature_k
    polymer = np.minimum(
        thermal.polymer_heat_capacity_j_kgk + thermal.polymer_heat_capacity_slope_j_kgk2 * above,
        thermal.polymer_heat_capacity_max_j_kgk,
    )
    oil = thermal.oil_heat_capacity_j_kgk + thermal.oil_heat_capacity_slope_j_kgk2 * above
    centre = material.gel_melting_point_k - thermal.melting_peak_below_gel_k
    sigma = thermal.melting_peak_sigma_k
    fusion = solids * thermal.crystallinity * thermal.heat_of_fusion_kj_kg * 1e3
    u = (temperature_k - centre) / sigma
    peak = fusion / (sigma * math.sqrt(2.0 * math.pi)) * np.exp(-0.5 * u * u)
    return np.asarray(solids * polymer + (1.0 - solids) * oil + peak)


def conductivity(material: Material, temperature_k: NDArray[np.float64]) -> NDArray[np.float64]:
    """Thermal conductivity, geometric mean of resin and oil by volume, W/(m K)."""
    thermal = material.thermal
    polymer = np.maximum(
        thermal.polymer_conductivity_w_mk
        + thermal.polymer_conductivity_slope_w_mk2 * (temperature_k - thermal.reference_temperature_k),
        thermal.polymer_conductivity_min_w_mk,
    )
    phi = material.polymer_volume_fraction
    return np.asarray(polymer**phi * thermal.oil_conductivity_w_mk ** (1.0 - phi))


def enthalpy(material: Material, temperature_k: NDArray[np.float64]) -> NDArray[np.float64]:
    """Specific enthalpy above 25 degC on an increasing fine grid that contains 25 degC, J/kg."""
    cp = heat_capacity(material, temperature_k)
    steps = np.diff(temperature_k)
    middle = heat_capacity(material, temperature_k[:-1] + 0.5 * steps)
    simpson = steps * (cp[:-1] + 4.0 * middle + cp[1:]) / 6.0
    total = np.concatenate(([0.0], np.cumsum(simpson)))
    return np.asarray(total - np.interp(REFERENCE_K, temperature_k, total))


def enthalpy_table(material: Material) -> tuple[NDArray[np.float64], float, float]:
    """Temperature and conductivity over enthalpy for the kernels, its first enthalpy and 1/step.

    Rows hold temperature [K] with its step to the next row, and between them conductivity [W/(m K)] and heat
    capacity [J/(kg K)], which is the one that conserves energy when H is stepped.
    Conductivity is times the square root of the density over that at the reference temperature, for `thermal.conduct`.
    """
    grid = np.linspace(TABLE_MIN_K, TABLE_MAX_K, 24001)  # 0.01 K; 25 degC is a grid point
    H = enthalpy(material, grid)
    H_rows = np.linspace(H[0], H[-1], TABLE_ROWS + 1)
    step = float(H_rows[1] - H_rows[0])
    T = np.interp(H_rows, H, grid)
    thermal = material.thermal
    k = conductivity(material, T) * np.sqrt(1.0 - thermal.expansion_per_k * (T - thermal.reference_temperature_k))
    table = np.stack([T[:-1], np.diff(T), 0.5 * (k[:-1] + k[1:]), step / np.diff(T)], axis=1)
    return table, float(H[0]), 1.0 / step


@functools.lru_cache(maxsize=16)
def material_constants(material: Material) -> Sequence[MaterialConstants]:
    """Tables and SI numbers of a material, as an array of one record."""
    table, H_first, per_H_step = enthalpy_table(material)
    flory, thermal, mechanics = material.flory, material.thermal, material.mechanics
    solids = material.composition.solids_fraction
    Tm_gel = material.gel_melting_point_k
    S_T = Tm_gel - mechanics.softening_below_gel_k
    S_w = mechanics.softening_width_k
    constants = MaterialConstants(
        table=table,
        H_first=H_first,
        per_H_step=per_H_step,
        rho_0=1.0 / (solids / flory.polymer_density_kg_m3 + (1.0 - solids) / flory.oil_density_kg_m3),
        T_0=thermal.reference_temperature_k,
        expansion=thermal.expansion_per_k,
        arms=len(mechanics.arm_modulus_25c_mpa),
        E=np.array(mechanics.arm_modulus_25c_mpa) * 1e6,
        per_tau=1.0 / np.array(mechanics.arm_relaxation_time_s),
        Ea_R=mechanics.arm_activation_energy_kj_mol * 1e3 / GAS_CONSTANT,
        T_ref=mechanics.reference_temperature_c + 273.15,
        E_N25=mechanics.network_modulus_25c_mpa * 1e6,
        E_Nmin=mechanics.network_modulus_min_mpa * 1e6,
        per_tau_N=1.0 / mechanics.network_relaxation_time_s,
        EaN_R=mechanics.network_activation_energy_kj_mol * 1e3 / GAS_CONSTANT,
        VA_kB=mechanics.activation_volume_m3 * mechanics.stress_amplification / BOLTZMANN,
        b_slope=mechanics.softening_slope / (Tm_gel - REFERENCE_K),
        b_min=mechanics.softening_factor_min,
        b_max=mechanics.softening_factor_max,
        S_T=S_T,
        per_S_w=1.0 / S_w,
        per_S_25=1.0 + math.exp((REFERENCE_K - S_T) / S_w),
        solids=solids,
        phi=material.polymer_volume_fraction,
        flory_slope=flory.slope_per_k,
        Tm_gel=Tm_gel,
    )
    return as_table(constants)
