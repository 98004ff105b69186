"""What the node's program is set to: loops, interlock limits, bus behaviour (data/nodes/*.toml)."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from emulator.config import load_definition

__all__ = ["FIRMWARE", "InterlockLimits", "LoopConfig", "NodeConfig", "WarningLimits", "load_node"]

FIRMWARE: Final = "firmware"
"""Name of the node whose program is the firmware, executed."""

Positive = Annotated[float, Field(gt=0.0)]


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class LoopConfig(_Table):
    """A PI temperature loop with setpoint ramp."""

    gain_per_k: Positive
    integral_time_s: Positive
    setpoint_rate_k_s: Positive


class CoolantConfig(_Table):
    """The coolant pump."""

    full_flow_l_min: Positive


class InterlockLimits(_Table):
    """Where the hard interlocks trip."""

    zone_temperature_c: Positive
    line_force_kn: Positive
    tension_fraction: Positive
    edge_position_mm: Positive
    speed_difference_percent: Positive
    coolant_flow_l_min: Positive


class WarningLimits(_Table):
    """Where the warning word speaks."""

    zone_deviation_k: Positive
    edge_position_mm: Positive
    line_force_kn: Positive
    tension_fraction: Positive
    speed_difference_percent: Positive
    drive_torque_nm: Positive


class NodeConfig(_Table):
    """The whole program's settings."""

    scan_period_ms: Annotated[int, Field(ge=10, le=1000)]
    turnaround_us: Annotated[int, Field(ge=0, le=1_000_000)]
    vendor: str
    model: Annotated[str, Field(max_length=16)]
    serial_number: Annotated[str, Field(max_length=16)]
    version: Annotated[str, Field(max_length=8)]
    heat_loop: LoopConfig
    cold_loop: LoopConfig
    drum_loop: LoopConfig
    coolant: CoolantConfig
    interlocks: InterlockLimits
    warnings: WarningLimits

    @property
    def scan_period_ns(self) -> int:
        """Scan period, ns."""
        return self.scan_period_ms * 1_000_000


def load_node(name_or_path: str) -> NodeConfig:
    """Read a node's settings by name or path.

    Raises:
        ConfigError: no such file, malformed TOML, or a value that cannot be.
    """
    # the firmware is a node with the settings that it is built with
    return load_definition("press" if name_or_path == FIRMWARE else name_or_path, "node", NodeConfig)
