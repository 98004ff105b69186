"""The shape of a press, as much of it as pictures and plots need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rig.requirements import Stations

__all__ = ["PressGeometry", "Section", "Zone"]

Section = Literal["entry", "heat", "cold"]


@dataclass(frozen=True, slots=True)
class Zone:
    """A stretch of the press with plates of its own; `name` begins its tags (`heat_1`)."""

    name: str
    start_m: float
    end_m: float

    @property
    def section(self) -> Section:
        """Which part of the press it belongs to."""
        return "heat" if self.name.startswith("heat") else "cold"

    @property
    def middle_m(self) -> float:
        """Where its middle is."""
        return (self.start_m + self.end_m) / 2


@dataclass(frozen=True, slots=True)
class PressGeometry:
    """Lengths along the press in metres, x = 0 where the first roller pair stands.

    The defaults are the reference machine (`emulator/data/machines/reference.toml`).
    """

    entry_length_m: float = 0.25
    heat_zones: int = 4
    heat_zone_length_m: float = 0.6
    cold_zones: int = 2
    cold_zone_length_m: float = 0.75
    taper_heat_fraction: float = 0.6
    roller_pitch_m: float = 0.036
    roller_diameter_m: float = 0.032
    drum_diameter_m: float = 0.8
    lead_in_length_m: float = 0.15
    lead_out_length_m: float = 0.15
    exit_gauge_m: float = 0.3
    recovered_gauge_m: float = 5.0

    @property
    def zones(self) -> tuple[Zone, ...]:
        """All zones in the order the sheet meets them."""
        zones, x_m = [], self.entry_length_m
        for kind, count, length_m in (
            ("heat", self.heat_zones, self.heat_zone_length_m),
            ("cold", self.cold_zones, self.cold_zone_length_m),
        ):
            for number in range(1, count + 1):
                zones.append(Zone(f"{kind}_{number}", x_m, x_m + length_m))
                x_m += length_m
        return tuple(zones)

    @property
    def heat_end_m(self) -> float:
        """Where the heat section ends and the cold section begins."""
        return self.entry_length_m + self.heat_zones * self.heat_zone_length_m

    @property
    def taper_end_m(self) -> float:
        """Where the clearance has reached its minimum."""
        return self.entry_length_m + self.taper_heat_fraction * self.heat_zones * self.heat_zone_length_m

    @property
    def exit_m(self) -> float:
        """Where the sheet is released."""
        return self.heat_end_m + self.cold_zones * self.cold_zone_length_m

    @property
    def stations(self) -> Stations:
        """Middles of the roller groups, for the monitors."""
        return Stations(
            entry_m=self.taper_end_m / 2,
            taper_end_m=(self.taper_end_m + self.heat_end_m) / 2,
            cold_m=(self.heat_end_m + self.exit_m) / 2,
            exit_m=self.exit_m,
        )
