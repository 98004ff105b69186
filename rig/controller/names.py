"""The inputs that the controller acts on: their names, and how to take several of them at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter

__all__ = [
    "CLEARANCES",
    "COLD_PLATES",
    "COLD_ZONES",
    "ENTRY_DRUMS",
    "FORCES",
    "HEARTBEATS",
    "HEAT_PLATES",
    "HEAT_ZONES",
    "NEEDED",
    "PRESSING",
    "PROMPT",
    "SATELLITES",
    "SIDES",
    "SLOW",
    "TEMPERATURES",
    "ZONE_PLATES",
    "Values",
    "cold_plates_c",
    "entry_drums_c",
    "forces_kn",
    "heat_plates_c",
    "needed",
    "temperatures_c",
    "zone_plates_c",
]

Values = Mapping[str, float]
"""Inputs by tag name; all of `NEEDED` are finite numbers."""
Fetch = Callable[[Values], tuple[float, ...]]

SIDES = ("upper", "lower")
EDGES = ("left", "right")
STATIONS = ("entry", "taper_end", "cold")
HEAT_ZONES = tuple(f"heat_{number}_{side}" for number in range(1, 5) for side in SIDES)
COLD_ZONES = tuple(f"cold_{number}_{side}" for number in range(1, 3) for side in SIDES)

HEAT_PLATES = tuple(f"{zone}_temperature_c" for zone in HEAT_ZONES)
COLD_PLATES = tuple(f"{zone}_temperature_c" for zone in COLD_ZONES)
ZONE_PLATES = HEAT_PLATES + COLD_PLATES
ENTRY_DRUMS = tuple(f"entry_drum_{side}_temperature_c" for side in SIDES)
TEMPERATURES = ZONE_PLATES + ENTRY_DRUMS
FORCES = tuple(f"{station}_{edge}_line_force_kn" for station in STATIONS for edge in EDGES)
SATELLITES = ("heat_controller", "cold_controller", "thickness_gauge")
"""Nodes beside the I/O node, on a press that has them."""
HEARTBEATS = tuple((node, f"{node}_heartbeat") for node in SATELLITES)
CLEARANCES = tuple(f"{station}_{edge}_clearance_um" for station in STATIONS for edge in EDGES)
SLOW = (*TEMPERATURES, "ambient_temperature_c", "sheet_exit_temperature_c")
"""Inputs that change in minutes."""
PRESSING = (*FORCES, *CLEARANCES)
"""Inputs that change in seconds."""
PROMPT = (
    *(f"belt_{side}_{what}" for side in SIDES for what in ("speed_m_min", "position_m", "edge_position_mm")),
    *("sheet_entry_thickness_um", "exit_thickness_um", "recovered_thickness_um"),
    *(
        "node_heartbeat",
        "uptime_s",
        "tension_ready",
        "belts_moving",
        "coolant_flowing",
        "press_open",
        "hydraulics_ready",
    ),
    *("sheet_at_entry", "sheet_at_exit", "sheet_at_recovered_gauge"),
)
"""Inputs that tell how the press moves and what it lets happen."""
NEEDED = (*SLOW, *PRESSING, *PROMPT)
"""Inputs without which the controller does not act."""

heat_plates_c: Fetch = itemgetter(*HEAT_PLATES)
cold_plates_c: Fetch = itemgetter(*COLD_PLATES)
zone_plates_c: Fetch = itemgetter(*ZONE_PLATES)
entry_drums_c: Fetch = itemgetter(*ENTRY_DRUMS)
temperatures_c: Fetch = itemgetter(*TEMPERATURES)
forces_kn: Fetch = itemgetter(*FORCES)
needed: Fetch = itemgetter(*NEEDED)
