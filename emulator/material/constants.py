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

# Range and size of the enthalpy table: 0.03 K between entries.
TABLE_MIN_K: Final = 233.15
TABLE_MAX_K: Final = 473.15
TABLE_SIZE: Final = 8192


class MaterialConstants(NamedTuple):
    """Material numbers for the kernels; equations in docs/model.md, material."""

    T_of_H: NDArray[np.float64]  # K, on a uniform enthalpy grid
    k_of_H: NDArray[np.float64]  # W/(m K), on the same grid
    H_first: float  # J/kg
    H_step: float  # J/kg
    rho_0: float  # kg/m3 at T_0
    T_0: float  # K
    expansion: float  # 1/K
    E: NDArray[np.float64]  # Pa at 25 degC, arms
    tau: NDArray[np.float64]  # s at T_ref, arms
    Ea_R: float  # K
    T_ref: float  # K
    E_N25: float  # Pa
    E_Nmin: float  # Pa
    tau_N: float  # s at T_ref
    EaN_R: float  # K
    VA_kB: float  # K/Pa, V A / kB
    b_slope: float  # 1/K, sl / (Tm_gel - 298.15)
    b_min: float
    b_max: float
    S_T: float  # K, Tm_gel - dm
    S_w: float  # K
    S_25: float


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


@functools.lru_cache(maxsize=16)
def material_constants(material: Material) -> Sequence[MaterialConstants]:
    """Tables and SI numbers of a material, as an array of one record."""
    grid = np.linspace(TABLE_MIN_K, TABLE_MAX_K, 24001)  # 0.01 K; 25 degC is a grid point
    H = enthalpy(material, grid)
    H_grid = np.linspace(H[0], H[-1], TABLE_SIZE)
    T_of_H = np.interp(H_grid, H, grid)
    flory, thermal, mechanics = material.flory, material.thermal, material.mechanics
    solids = material.composition.solids_fraction
    Tm_gel = material.gel_melting_point_k
    S_T = Tm_gel - mechanics.softening_below_gel_k
    S_w = mechanics.softening_width_k
    constants = MaterialConstants(
        T_of_H=T_of_H,
        k_of_H=conductivity(material, T_of_H),
        H_first=float(H[0]),
        H_step=float(H_grid[1] - H_grid[0]),
        rho_0=1.0 / (solids / flory.polymer_density_kg_m3 + (1.0 - solids) / flory.oil_density_kg_m3),
        T_0=thermal.reference_temperature_k,
        expansion=thermal.expansion_per_k,
        E=np.array(mechanics.arm_modulus_25c_mpa) * 1e6,
        tau=np.array(mechanics.arm_relaxation_time_s),
        Ea_R=mechanics.arm_activation_energy_kj_mol * 1e3 / GAS_CONSTANT,
        T_ref=mechanics.reference_temperature_c + 273.15,
        E_N25=mechanics.network_modulus_25c_mpa * 1e6,
        E_Nmin=mechanics.network_modulus_min_mpa * 1e6,
        tau_N=mechanics.network_relaxation_time_s,
        EaN_R=mechanics.network_activation_energy_kj_mol * 1e3 / GAS_CONSTANT,
        VA_kB=mechanics.activation_volume_m3 * mechanics.stress_amplification / BOLTZMANN,
        b_slope=mechanics.softening_slope / (Tm_gel - REFERENCE_K),
        b_min=mechanics.softening_factor_min,
        b_max=mechanics.softening_factor_max,
        S_T=S_T,
        S_w=S_w,
        S_25=1.0 / (1.0 + math.exp((REFERENCE_K - S_T) / S_w)),
    )
    return as_table(constants)
