"""What the controller knows of its machine: entered at commissioning, read from TOML."""

from __future__ import annotations

import tomllib
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rig.errors import UsageError

__all__ = ["MachineFacts", "load_machine_facts"]

Positive = Annotated[float, Field(gt=0.0)]


class MachineFacts(BaseModel):
    """Lengths along the press, compliance, and habits of one machine; units are in the names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    entry_length_m: Positive
    heat_length_m: Positive
    heat_zone_count: Annotated[int, Field(ge=1)]
    cold_length_m: Positive
    cold_zone_count: Annotated[int, Field(ge=1)]
    taper_heat_fraction: Annotated[float, Field(ge=0.0, le=1.0)]
    roller_pitch_m: Positive
    nip_compliance_m_pa: Positive
    nip_pressure_factor: Positive
    film_air_time_s_mm: Positive
    feed_width_m: Positive
    working_width_m: Positive
    exit_gauge_m: Positive
    recovered_gauge_m: Positive
    open_clearance_um: Positive
    coolant_flow_l_min: Positive
    creep_speed_m_min: Positive
    cool_speed_m_min: Positive

    @cached_property
    def pressing_length_m(self) -> float:
        """Length over which the press can act on the sheet, m."""
        return self.entry_length_m + self.heat_length_m + self.cold_length_m

    @cached_property
    def taper_end_m(self) -> float:
        """Where the clearance has reached its smallest value, m from the entry."""
        return self.entry_length_m + self.taper_heat_fraction * self.heat_length_m

    @cached_property
    def heat_end_m(self) -> float:
        """Where the heat section ends and the cold section begins, m from the entry."""
        return self.entry_length_m + self.heat_length_m

    def heat_zone_at(self, place_m: float) -> int | None:
        """Number of the heat zone (from 1) at a place in m from the entry, or None."""
        zone = int((place_m - self.entry_length_m) / (self.heat_length_m / self.heat_zone_count)) + 1
        return zone if place_m >= self.entry_length_m and zone <= self.heat_zone_count else None


@cache
def load_machine_facts(name_or_path: str = "reference") -> MachineFacts:
    """Read the facts by name or path.

    Raises:
        UsageError: no such file, not TOML, or a value that cannot be; says which.
    """
    path = Path(name_or_path)
    try:
        if path.suffix == ".toml":
            text = path.read_text(encoding="utf-8")
        else:
            text = (resources.files("rig.controller") / "machines" / f"{name_or_path}.toml").read_text(encoding="utf-8")
        return MachineFacts.model_validate(tomllib.loads(text))
    except OSError as error:
        raise UsageError(f"machine facts {name_or_path!r} cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"machine facts {name_or_path!r} are not valid TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"machine facts {name_or_path!r}: {key}: {first['msg']}") from error
