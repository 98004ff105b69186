"""The numbers of a machine in the form compiled code takes: one named tuple in SI units."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emulator.material.record import as_table
from emulator.press.machine import Machine

TICK_NS: Final = 10_000_000
"""The fixed time grid: actuators, drives and plates step by this."""

TICK_S: Final = 0.01

# Sections of the belt loop, in running order from the press entry.
ENTRY: Final = 0
FIRST_ZONE: Final = 1
LEAD_OUT: Final = 7
EXIT_DRUM: Final = 8
RETURN: Final = 9
ENTRY_DRUM: Final = 10
LEAD_IN: Final = 11
SECTIONS: Final = 12

WATER_HEAT_CAPACITY: Final = 4190.0  # J/(kg K)


class MachineConstants(NamedTuple):
    """Machine numbers for the kernels; equations in docs/model.md, machine."""

    # along the press, m
    taper_end: float
    heat_start: float
    heat_end: float
    press_end: float
    pitch: float
    width: float
    # contact
    C_n: float  # m/Pa, nip compliance
    roller_turn: float  # rad of a roller per m of belt
    p_limit: float  # Pa
    bending: float  # Pa/m, 384 E I'/L^4
    string: float  # 1/m2 x8, tension N/m times this is Pa/m
    bow: float  # m per N/m of line force, one roller at its middle
    crown: float  # m, ground into one roller
    # belts
    loop: float  # m
    ds: float  # m, node spacing
    C_node: float  # J/K, one node over the full width
    C_area: float  # J/(m2 K)
    h_section: NDArray[np.float64]  # W/(m2 K), belt to what it runs over
    section_end: NDArray[np.float64]  # m on the loop from the press entry
    h_closed: float
    k_gap: float
    expansion: float  # 1/K
    stretch: float  # m per N/m: elastic take-up travel
    # plates and drums
    C_plate: float
    C_cold: float
    P_plate: float
    UA_plate: float
    UA_cold: float
    UA_coolant: float
    C_drum: float
    P_drum: float
    UA_drum: float
    UA_drum_coolant: float
    T_coolant: float
    flow_heat: float  # W/K, coolant at full flow
    flow_blend: float  # part of a change of flow that comes in one tick
    T_ambient: float
    # hydraulics
    clearance_rate: float
    dump_rate: float
    resolution: float
    clearance_min: float
    clearance_max: float
    pressure: float
    pressure_blend: float
    # drives
    speed_max: float
    ramp: float
    J: float
    R: float
    torque_max: float
    current: float
    torque_idle: float
    torque_brake: float
    mu_r: float
    # tension and tracking
    tension_max: float
    tension_blend: float
    kappa: float
    theta_max: float
    theta_rate: float
    theta_0: NDArray[np.float64]  # [2]
    wedge_gain: float
    y_max: float
    # sheet
    feed_width: float
    spread: float
    parcel: float
    h_base: float
    h_pressure: float
    h_air: float
    table_end: float
    exit_gauge: float
    recovered_gauge: float
    # numerics
    step_m: float
    step_ticks: int
    layers: int  # a number in memory: loops over constants would be unrolled, which takes long to compile
    step_tile: int  # address, see `compiled`
    layered_speed: float  # m/s, above it layers carry their own strain


def section_ends(machine: Machine) -> NDArray[np.float64]:
    """Where the sections of the belt loop end, m from the press entry, in the order of their codes."""
    geometry = machine.geometry
    lead_in, lead_out = geometry.lead_in_length_mm * 1e-3, geometry.lead_out_length_mm * 1e-3
    lengths = [geometry.entry_length_mm * 1e-3]
    lengths += [geometry.heat_zone_length_mm * 1e-3] * 4
    lengths += [geometry.cold_zone_length_mm * 1e-3] * 2
    straight = lead_in + lead_out + machine.press_length_m
    lengths += [lead_out, machine.drum_wrap_m, straight, machine.drum_wrap_m, lead_in]
    return np.cumsum(lengths)


def _longest_step(machine: Machine, pitch: float, bending: float) -> float:
    """Longest step along the belt [m]: resolves the pitch, and the nips.

    The half width of a nip is where the span of a slack belt gives way as much as the nip does,
    C_m sin^2(pi x/L) = C_n: under a wide pitch it is narrow.
    """
    nip = pitch / math.pi * math.asin(min(1.0, math.sqrt(machine.geometry.nip_compliance_m_pa * bending)))
    return min(machine.numerics.step_max_mm * 1e-3, machine.numerics.step_max_of_nip * nip)


def _blend(lag_s: float) -> float:
    """Part of a first-order change that comes in one tick."""
    return 1.0 - math.exp(-TICK_S / lag_s)


@functools.lru_cache(maxsize=16)
def machine_constants(machine: Machine) -> Sequence[MachineConstants]:
    """SI numbers of a machine, as an array of one record."""
    geometry, belts, sheet = machine.geometry, machine.belts, machine.sheet
    pitch = geometry.roller_pitch_mm * 1e-3
    d = belts.thickness_mm * 1e-3
    width = geometry.working_width_mm * 1e-3
    E = belts.elastic_modulus_gpa * 1e9
    bending = 384.0 * E * d**3 / 12.0 / (1.0 - belts.poisson_ratio**2) / pitch**4
    string = 8.0 / pitch**2
    C_area = belts.density_kg_m3 * belts.heat_capacity_j_kgk * d
    ds = machine.belt_loop_m / machine.belt_node_count
    h_section = np.full(SECTIONS, belts.return_loss_w_m2k)
    h_section[FIRST_ZONE : FIRST_ZONE + 6] = belts.plate_conductance_w_m2k
    h_section[[EXIT_DRUM, ENTRY_DRUM]] = belts.drum_conductance_w_m2k
    constants = MachineConstants(
        taper_end=machine.taper_end_m,
        heat_start=machine.heat_start_m,
        heat_end=machine.heat_end_m,
        press_end=machine.press_length_m,
        pitch=pitch,
        width=width,
        C_n=geometry.nip_compliance_m_pa,
        roller_turn=2.0 / (geometry.roller_diameter_mm * 1e-3),
        p_limit=geometry.design_pressure_mpa * 1e6,
        bending=bending,
        string=string,
        bow=5.0 * width**4 / (384.0 * geometry.roller_bending_stiffness_n_m2),
        crown=geometry.roller_crown_um * 1e-6,
        loop=machine.belt_loop_m,
        ds=ds,
        C_node=C_area * ds * width,
        C_area=C_area,
        h_section=h_section,
        section_end=section_ends(machine),
        h_closed=belts.closed_conductance_w_m2k,
        k_gap=belts.gap_conductivity_w_mk,
        expansion=belts.expansion_um_mk * 1e-6,
        stretch=machine.belt_loop_m / (2.0 * E * d),
        C_plate=machine.zones.heat_capacity_kj_k * 1e3,
        C_cold=machine.zones.cold_capacity_kj_k * 1e3,
        P_plate=machine.zones.heater_power_kw * 1e3,
        UA_plate=machine.zones.ambient_loss_w_k,
        UA_cold=machine.zones.cold_ambient_gain_w_k,
        UA_coolant=machine.zones.coolant_conductance_w_k,
        C_drum=machine.drums.heat_capacity_kj_k * 1e3,
        P_drum=machine.drums.heater_power_kw * 1e3,
        UA_drum=machine.drums.ambient_loss_w_k,
        UA_drum_coolant=machine.drums.coolant_conductance_w_k,
        T_coolant=machine.coolant.supply_temperature_c + 273.15,
        flow_heat=machine.coolant.flow_kg_s * WATER_HEAT_CAPACITY,
        flow_blend=_blend(machine.coolant.flow_lag_s),
        T_ambient=machine.ambient.temperature_c + 273.15,
        clearance_rate=machine.hydraulics.clearance_rate_mm_s * 1e-3,
        dump_rate=machine.hydraulics.dump_rate_mm_s * 1e-3,
        resolution=machine.hydraulics.resolution_um * 1e-6,
        clearance_min=machine.hydraulics.clearance_min_mm * 1e-3,
        clearance_max=machine.hydraulics.clearance_max_mm * 1e-3,
        pressure=machine.hydraulics.pressure_bar * 1e5,
        pressure_blend=_blend(machine.hydraulics.pressure_lag_s),
        speed_max=machine.drives.speed_max_m_min / 60.0,
        ramp=machine.drives.ramp_m_s2,
        J=machine.drives.inertia_kg_m2,
        R=machine.drums.diameter_mm * 1e-3 / 2.0,
        torque_max=machine.drives.torque_max_nm,
        current=machine.drives.rated_current_a,
        torque_idle=machine.drives.idle_torque_nm,
        torque_brake=machine.drives.brake_torque_nm,
        mu_r=machine.drives.rolling_friction,
        tension_max=machine.tension.maximum_kn_m * 1e3,
        tension_blend=_blend(machine.tension.lag_s),
        kappa=machine.tracking.gain,
        theta_max=math.radians(machine.tracking.steering_max_deg),
        theta_rate=math.radians(machine.tracking.steering_rate_deg_s),
        theta_0=np.array([machine.tracking.drift_upper_urad, machine.tracking.drift_lower_urad]) * 1e-6,
        wedge_gain=machine.tracking.wedge_gain,
        y_max=machine.tracking.travel_max_mm * 1e-3,
        feed_width=sheet.feed_width_mm * 1e-3,
        spread=sheet.spread_fraction,
        parcel=sheet.parcel_length_mm * 1e-3,
        h_base=sheet.contact_base_w_m2k,
        h_pressure=sheet.contact_pressure_w_m2k_pa,
        h_air=sheet.air_conductance_w_m2k,
        table_end=machine.press_length_m + sheet.runout_length_mm * 1e-3,
        exit_gauge=machine.press_length_m + sheet.exit_gauge_mm * 1e-3,
        recovered_gauge=machine.press_length_m + sheet.recovered_gauge_mm * 1e-3,
        step_m=_longest_step(machine, pitch, bending),
        step_ticks=max(1, round(machine.numerics.step_max_s / TICK_S)),
        layers=machine.numerics.layer_count,
        step_tile=0,
        layered_speed=machine.numerics.layered_above_m_min / 60.0,
    )
    return as_table(constants)
