"""The truth vector of the press: what a perfect instrument would read.

`SIGNALS` names every element of `Press.signals` in order, SI units, the unit in
the name. Flags are 0.0 or 1.0. Where there is no sheet to measure, thickness
signals read 0.0 and the matching `..._present` flag is 0.0. The `last_...` signals are of the newest parcel whose
recovery the laboratory has measured; it measures up to eight at a time, so that parcel is among the last nine released.
"""

from __future__ import annotations

from typing import Final

SIDES: Final = ("upper", "lower")
ZONES: Final = ("heat_1", "heat_2", "heat_3", "heat_4", "cold_1", "cold_2")
STATIONS: Final = ("entry", "taper_end", "cold")
GROUPS: Final = ("entry", "heat", "cold")
EDGES: Final = ("left", "right")

PLATES: Final = tuple(f"{zone}_{side}" for zone in ZONES for side in SIDES)
"""The twelve zone plates, in the order of `Commands.zone_output`."""

DRUMS: Final = ("entry_drum_upper", "entry_drum_lower", "exit_drum_upper", "exit_drum_lower")

ACTUATORS: Final = tuple(f"{station}_{edge}" for station in STATIONS for edge in EDGES)
"""The six clearance actuators, in the order of `Commands.clearance_setpoint_m`."""


def _names() -> tuple[str, ...]:
    names = [f"{plate}_plate_temperature_k" for plate in PLATES]
    names += [f"{plate}_belt_temperature_k" for plate in PLATES]
    names += [f"{drum}_temperature_k" for drum in DRUMS]
    names += [f"{place}_{side}_belt_temperature_k" for place in ("entry", "exit", "return") for side in SIDES]
    names += [f"{plate}_heater_power_w" for plate in PLATES[:8]]
    names += [f"{drum}_heater_power_w" for drum in DRUMS[:2]]
    names += [f"{actuator}_clearance_m" for actuator in ACTUATORS]
    names += [f"{group}_{edge}_line_force_n" for group in GROUPS for edge in EDGES]
    names += ["hydraulic_pressure_pa", "sheet_pressure_peak_pa", "sheet_pressure_mean_pa", "overforce"]
    names += [f"{side}_belt_speed_m_s" for side in SIDES]
    names += ["speed_mismatch_fraction"]
    names += [f"{side}_drive_torque_nm" for side in SIDES]
    names += [f"{side}_drive_current_a" for side in SIDES]
    names += [f"{side}_belt_tension_n_m" for side in SIDES]
    names += [f"{side}_take_up_travel_m" for side in SIDES]
    names += [f"{side}_belt_tracking_m" for side in SIDES]
    names += [f"{side}_steering_angle_rad" for side in SIDES]
    names += ["coolant_flow_fraction", "coolant_supply_temperature_k", "coolant_return_temperature_k"]
    names += ["belt_travel_m", "feed_active", "parcels_in_press", "parcels_on_table"]
    names += ["entry_sheet_present", "entry_sheet_thickness_m", "entry_sheet_temperature_k"]
    names += ["smallest_sheet_thickness_m", "smallest_clearance_m"]
    names += ["exit_sheet_present", "exit_sheet_thickness_m", "exit_sheet_surface_temperature_k"]
    names += ["exit_sheet_mean_temperature_k", "recovered_sheet_present", "recovered_sheet_thickness_m"]
    names += ["exit_sheet_crown_m", "exit_sheet_wedge_m"]
    names += ["released_count"]
    names += [f"last_{name}" for name in ("h0_m", "t0_m", "t_600_m", "r_percent", "k_times_min")]
    return tuple(names)


SIGNALS: Final[tuple[str, ...]] = _names()

_INDEX: Final = {name: position for position, name in enumerate(SIGNALS)}


def index(name: str) -> int:
    """Position of a signal in the truth vector."""
    try:
        return _INDEX[name]
    except KeyError:
        raise KeyError(f"no signal {name!r}; emulator.press.signals.SIGNALS lists the known ones") from None
