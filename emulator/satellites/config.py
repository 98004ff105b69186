"""What the nodes of a wiring are set to (data/wirings/*.toml)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from emulator.config import load_definition
from emulator.sensors import SensorConfig
from emulator.stations.config import StationConfig

__all__ = ["SatelliteConfig", "WiringFile", "load_wiring"]


class SatelliteConfig(BaseModel):
    """One node.

    Attributes:
        name: as in the register map.
        comms_timeout_s: a temperature controller that hears nothing for so long goes back to safe setpoints;
            0 for never.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    scan_period_ms: Annotated[int, Field(ge=10, le=10_000)]
    turnaround_us: Annotated[int, Field(ge=0, le=1_000_000)]
    comms_timeout_s: Annotated[float, Field(ge=0.0)] = 0.0
    vendor: str
    model: str
    serial_number: str
    version: str
    product: str

    @property
    def scan_period_ns(self) -> int:
        """Scan period, ns."""
        return self.scan_period_ms * 1_000_000


class WiringFile(BaseModel):
    """The nodes beside the I/O node, and what those of stations measure with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    satellite: tuple[SatelliteConfig, ...] = ()
    station: tuple[StationConfig, ...] = ()
    sensor: tuple[SensorConfig, ...] = ()


def load_wiring(name: str) -> WiringFile:
    """Read the settings of a wiring's nodes.

    Raises:
        ConfigError: no such file, malformed TOML, or a value that cannot be.
    """
    return load_definition(name, "wiring", WiringFile)
