"""A press as data: every number of the machine model, with its bounds.

Numbers come from `emulator/data/machines/*.toml`, where each carries its
provenance. Units are part of the names.
"""

from __future__ import annotations

import math
from typing import Annotated, Self

from pydantic import Field, model_validator

from emulator.material.definition import Finite, Fraction, NonNegative, Positive, Section


class Geometry(Section):
    """Lengths of the press, along the belt."""

    working_width_mm: Positive
    entry_length_mm: Positive
    heat_zone_count: Annotated[int, Field(ge=4, le=4)]
    heat_zone_length_mm: Positive
    cold_zone_count: Annotated[int, Field(ge=2, le=2)]
    cold_zone_length_mm: Positive
    taper_heat_fraction: Fraction
    roller_pitch_mm: Annotated[float, Field(ge=10.0, le=300.0)]
    roller_diameter_mm: Positive
    nip_compliance_m_pa: Positive
    roller_bending_stiffness_n_m2: Positive
    roller_crown_um: NonNegative
    design_pressure_mpa: Positive
    lead_in_length_mm: NonNegative
    lead_out_length_mm: NonNegative

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.roller_diameter_mm >= self.roller_pitch_mm:
            raise ValueError("roller_diameter_mm must be smaller than roller_pitch_mm")
        if self.roller_pitch_mm > self.cold_zone_length_mm:
            raise ValueError("roller_pitch_mm must not exceed cold_zone_length_mm")
        return self


class Belts(Section):
    """The two steel belts and what they touch."""

    thickness_mm: Positive
    density_kg_m3: Positive
    heat_capacity_j_kgk: Positive
    elastic_modulus_gpa: Positive
    poisson_ratio: Annotated[float, Field(ge=0.0, lt=0.5)]
    expansion_um_mk: NonNegative
    node_length_mm: Annotated[float, Field(ge=5.0, le=100.0)]
    plate_conductance_w_m2k: NonNegative
    drum_conductance_w_m2k: NonNegative
    return_loss_w_m2k: NonNegative
    closed_conductance_w_m2k: NonNegative
    gap_conductivity_w_mk: NonNegative


class Zones(Section):
    """One heated or chilled plate."""

    heat_capacity_kj_k: Positive
    heater_power_kw: Positive
    ambient_loss_w_k: NonNegative
    cold_capacity_kj_k: Positive
    cold_ambient_gain_w_k: NonNegative
    coolant_conductance_w_k: NonNegative


class Drums(Section):
    """Entry drums are heated, exit drums cooled."""

    diameter_mm: Positive
    heat_capacity_kj_k: Positive
    heater_power_kw: Positive
    ambient_loss_w_k: NonNegative
    coolant_conductance_w_k: NonNegative


class Coolant(Section):
    """Chilled water for the cold zones and the exit drums."""

    supply_temperature_c: Annotated[float, Field(ge=-20.0, le=40.0)]
    flow_kg_s: Positive
    flow_lag_s: Positive


class Hydraulics(Section):
    """Clearance actuators."""

    clearance_rate_mm_s: Positive
    dump_rate_mm_s: Positive
    resolution_um: Positive
    clearance_min_mm: Positive
    clearance_max_mm: Positive
    pressure_bar: Positive
    pressure_lag_s: Positive

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.clearance_min_mm >= self.clearance_max_mm:
            raise ValueError("clearance_min_mm must be smaller than clearance_max_mm")
        return self


class Drives(Section):
    """One drive per belt, at the exit drum."""

    speed_max_m_min: Positive
    ramp_m_s2: Positive
    inertia_kg_m2: Positive
    torque_max_nm: Positive
    rated_current_a: Positive
    idle_torque_nm: NonNegative
    brake_torque_nm: Positive
    rolling_friction: NonNegative


class Tension(Section):
    """Hydraulic take-up of the belts."""

    nominal_kn_m: Positive
    maximum_kn_m: Positive
    lag_s: Positive


class Tracking(Section):
    """Lateral walk of the belts."""

    gain: Positive
    steering_max_deg: Positive
    steering_rate_deg_s: Positive
    drift_upper_urad: Finite
    drift_lower_urad: Finite
    wedge_gain: Finite
    travel_max_mm: Positive


class Sheet(Section):
    """How the sheet is fed, followed and measured."""

    feed_width_mm: Positive
    spread_fraction: Fraction
    parcel_length_mm: Annotated[float, Field(ge=5.0, le=100.0)]
    contact_base_w_m2k: Positive
    contact_pressure_w_m2k_pa: NonNegative
    air_conductance_w_m2k: NonNegative
    runout_length_mm: Positive
    exit_gauge_mm: Positive
    recovered_gauge_mm: Positive

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if max(self.exit_gauge_mm, self.recovered_gauge_mm) >= self.runout_length_mm:
            raise ValueError("exit_gauge_mm and recovered_gauge_mm must lie within runout_length_mm")
        return self


class Ambient(Section):
    """Air around the press."""

    temperature_c: Annotated[float, Field(ge=-20.0, le=60.0)]


class Numerics(Section):
    """Steps of the integration."""

    step_max_mm: Annotated[float, Field(ge=0.05, le=10.0)]
    step_max_s: Annotated[float, Field(ge=0.01, le=1.0)]
    step_max_of_nip: Annotated[float, Field(gt=0.0)] = 0.27
    """Longest step as a part of the half width of a nip."""
    layer_count: Annotated[int, Field(ge=3, le=64)]
    layered_above_m_min: Annotated[float, Field(gt=0.0)]


class Machine(Section):
    """A press; `load_machine` makes one from a file."""

    name: str
    description: str
    geometry: Geometry
    belts: Belts
    zones: Zones
    drums: Drums
    coolant: Coolant
    hydraulics: Hydraulics
    drives: Drives
    tension: Tension
    tracking: Tracking
    sheet: Sheet
    ambient: Ambient
    numerics: Numerics

    @property
    def heat_start_m(self) -> float:
        """Where the first heat zone begins, from the entry of the press."""
        return self.geometry.entry_length_mm * 1e-3

    @property
    def taper_end_m(self) -> float:
        """Where the clearance taper ends."""
        heat = self.geometry.heat_zone_count * self.geometry.heat_zone_length_mm * 1e-3
        return self.heat_start_m + self.geometry.taper_heat_fraction * heat

    @property
    def heat_end_m(self) -> float:
        """Where the last heat zone ends and the first cold zone begins."""
        return self.heat_start_m + self.geometry.heat_zone_count * self.geometry.heat_zone_length_mm * 1e-3

    @property
    def press_length_m(self) -> float:
        """Length under rollers, entry to exit."""
        return self.heat_end_m + self.geometry.cold_zone_count * self.geometry.cold_zone_length_mm * 1e-3

    @property
    def drum_wrap_m(self) -> float:
        """Belt length on one drum: half a turn."""
        return math.pi * self.drums.diameter_mm * 1e-3 / 2.0

    @property
    def belt_loop_m(self) -> float:
        """Length of one endless belt."""
        leads = (self.geometry.lead_in_length_mm + self.geometry.lead_out_length_mm) * 1e-3
        return 2.0 * (self.press_length_m + leads + self.drum_wrap_m)

    @property
    def belt_node_count(self) -> int:
        """Number of nodes on one belt."""
        return round(self.belt_loop_m / (self.belts.node_length_mm * 1e-3))

    @property
    def parcel_capacity(self) -> int:
        """Most parcels that can be in the press and on the table at once, with some room."""
        track = self.press_length_m + self.sheet.runout_length_mm * 1e-3
        return int(1.1 * track / (self.sheet.parcel_length_mm * 1e-3)) + 16
