"""Parameters of the independent solutions, read from the TOML data files as they are.

`material_file` and `machine_file` are plain tables; `Gel` and `Rollers` turn them into SI. Nothing here
knows the emulator: the laws are those of docs/model.md, written again.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Tables = dict[str, Any]

DATA = Path(__file__).resolve().parents[2] / "emulator" / "data"
ROOM = 298.15
GAS = 8.314462618
BOLTZMANN = 1.380649e-23


def material_file(name: str = "g20") -> Tables:
    """The tables of a shipped material."""
    return _tables(DATA / "materials" / f"{name}.toml")


def machine_file(name: str = "reference") -> Tables:
    """The tables of a shipped machine."""
    return _tables(DATA / "machines" / f"{name}.toml")


def _tables(path: Path) -> Tables:
    with path.open("rb") as file:
        return tomllib.load(file)


@dataclass(frozen=True)
class Gel:
    """Material laws: heat in J, kg, m, K; stress in Pa."""

    solids: float
    melting: float
    """K, where the gel softens."""
    peak: float
    """K, the melting point that the peak of the heat capacity is below."""
    flory: Tables
    thermal: Tables
    mechanics: Tables

    @classmethod
    def of(cls, tables: Tables, solids: float | None = None) -> Gel:
        """From a material file; at another solids fraction moduli, skeleton stress and melting point move."""
        composition, flory, mechanics = tables["composition"], tables["flory"], dict(tables["mechanics"])
        own = composition["solids_fraction"]
        melting = composition["gel_melting_point_c"] + 273.15
        if solids is not None and solids != own:
            mechanics = _diluted(mechanics, solids / own)
            melting += _flory(flory, solids) - _flory(flory, own)
        return cls(own if solids is None else solids, melting, melting, flory, tables["thermal"], mechanics)

    def uneven(self, deviation: float, heat: bool = False) -> Gel:
        """A piece of this sheet with so much more resin, relatively; its `heat` properties follow only if told to."""
        solids = self.solids * (1.0 + deviation)
        melting = self.melting + _flory(self.flory, solids) - _flory(self.flory, self.solids)
        piece = replace(self, melting=melting, mechanics=_diluted(self.mechanics, 1.0 + deviation))
        return replace(piece, solids=solids, peak=melting) if heat else piece

    # --- heat --------------------------------------------------------------------

    def conductivity(self, T: Floats) -> Floats:
        """W/(m K): geometric mean by volume of resin and oil."""
        a = self.thermal
        phi = _volume_fraction(self.flory, self.solids)
        resin = np.maximum(
            a["polymer_conductivity_w_mk"] + a["polymer_conductivity_slope_w_mk2"] * (T - a["reference_temperature_k"]),
            a["polymer_conductivity_min_w_mk"],
        )
        return np.asarray(np.exp(phi * np.log(resin) + (1.0 - phi) * math.log(a["oil_conductivity_w_mk"])))

    def density(self, T: Floats) -> Floats:
        """kg/m3."""
        cold = 1.0 / (
            self.solids / self.flory["polymer_density_kg_m3"] + (1.0 - self.solids) / self.flory["oil_density_kg_m3"]
        )
        warm = self.thermal["expansion_per_k"] * (T - self.thermal["reference_temperature_k"])
        return np.asarray(cold * (1.0 - warm))

    def heat_capacity(self, T: Floats) -> Floats:
        """J/(kg K), the melting peak of the resin in it."""
        a, w = self.thermal, self.solids
        warm = T - a["reference_temperature_k"]
        resin = np.minimum(
            a["polymer_heat_capacity_j_kgk"] + a["polymer_heat_capacity_slope_j_kgk2"] * warm,
            a["polymer_heat_capacity_max_j_kgk"],
        )
        oil = a["oil_heat_capacity_j_kgk"] + a["oil_heat_capacity_slope_j_kgk2"] * warm
        off = (T - (self.peak - a["melting_peak_below_gel_k"])) / a["melting_peak_sigma_k"]
        fusion = w * a["crystallinity"] * a["heat_of_fusion_kj_kg"] * 1e3
        peak = fusion / (a["melting_peak_sigma_k"] * math.sqrt(2.0 * math.pi)) * np.exp(-0.5 * off * off)
        return np.asarray(w * resin + (1.0 - w) * oil + peak)

    # --- stress ------------------------------------------------------------------

    def softening(self, T: Floats) -> tuple[Floats, Floats]:
        """b(T) and db/dT."""
        a = self.mechanics
        slope = -a["softening_slope"] / (self.melting - ROOM)
        linear = 1.0 + slope * (T - ROOM)
        inside = (linear > a["softening_factor_min"]) & (linear < a["softening_factor_max"])
        linear = np.clip(linear, a["softening_factor_min"], a["softening_factor_max"])
        centre, width = self.melting - a["softening_below_gel_k"], a["softening_width_k"]
        solid = 1.0 / (1.0 + np.exp((T - centre) / width))
        at_room = 1.0 / (1.0 + math.exp((ROOM - centre) / width))
        b = linear * solid / at_room
        return b, (slope * inside * solid - linear * solid * (1.0 - solid) / width) / at_room


@dataclass(frozen=True)
class Rollers:
    """The press along the sheet, SI; one pair of belts, stations entry, taper end and cold."""

    entry: float
    heat: float
    cold: float
    taper_end: float
    pitch: float
    nip_compliance: float
    bending: float
    string: float
    pressure_limit: float
    diameter: float
    contact_base: float
    contact_per_pascal: float
    contact_closed: float
    gap_conductivity: float
    air: float
    ambient: float
    layered_above: float

    @classmethod
    def of(cls, tables: Tables) -> Rollers:
        """From a machine file."""
        g, b, s = tables["geometry"], tables["belts"], tables["sheet"]
        entry = g["entry_length_mm"] * 1e-3
        heat = g["heat_zone_count"] * g["heat_zone_length_mm"] * 1e-3
        pitch, d = g["roller_pitch_mm"] * 1e-3, b["thickness_mm"] * 1e-3
        inertia = d**3 / 12.0 / (1.0 - b["poisson_ratio"] ** 2)
        return cls(
            entry=entry,
            heat=heat,
            cold=g["cold_zone_count"] * g["cold_zone_length_mm"] * 1e-3,
            taper_end=entry + g["taper_heat_fraction"] * heat,
            pitch=pitch,
            nip_compliance=g["nip_compliance_m_pa"],
            bending=384.0 * b["elastic_modulus_gpa"] * 1e9 * inertia / pitch**4,
            string=8.0 / pitch**2,
            pressure_limit=g["design_pressure_mpa"] * 1e6,
            diameter=g["roller_diameter_mm"] * 1e-3,
            contact_base=s["contact_base_w_m2k"],
            contact_per_pascal=s["contact_pressure_w_m2k_pa"],
            contact_closed=b["closed_conductance_w_m2k"],
            gap_conductivity=b["gap_conductivity_w_mk"],
            air=s["air_conductance_w_m2k"],
            ambient=tables["ambient"]["temperature_c"] + 273.15,
            layered_above=tables["numerics"].get("layered_above_m_min", 4.0) / 60.0,
        )

    @property
    def heat_end(self) -> float:
        """m from the entry."""
        return self.entry + self.heat

    @property
    def length(self) -> float:
        """m, entry to exit."""
        return self.entry + self.heat + self.cold

    def span_compliance(self, tension: float, pitches: float = 1.0) -> float:
        """C_m in m/Pa of a span over so many pitches at a belt tension in N/m."""
        return 1.0 / (self.bending / pitches**4 + self.string / pitches**2 * tension)


def _diluted(mechanics: Tables, ratio: float) -> Tables:
    """Mechanics at solids times `ratio`: moduli go with its square, the stress on the skeleton against it."""
    squared = ratio * ratio
    return mechanics | {
        "arm_modulus_25c_mpa": [squared * E for E in mechanics["arm_modulus_25c_mpa"]],
        "network_modulus_25c_mpa": squared * mechanics["network_modulus_25c_mpa"],
        "network_modulus_min_mpa": squared * mechanics["network_modulus_min_mpa"],
        "stress_amplification": mechanics["stress_amplification"] / squared,
    }


def _volume_fraction(flory: Tables, solids: float) -> float:
    resin = solids / flory["polymer_density_kg_m3"]
    return float(resin / (resin + (1.0 - solids) / flory["oil_density_kg_m3"]))


def _flory(flory: Tables, solids: float) -> float:
    lamella = flory["lamella_melting_point_c"] + 273.15
    return float(1.0 / (1.0 / lamella + flory["slope_per_k"] * (1.0 - _volume_fraction(flory, solids))))
