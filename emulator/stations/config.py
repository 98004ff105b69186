"""What the node of a station is set to (data/wirings/*.toml)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["StationConfig"]


class StationConfig(BaseModel):
    """One node.

    Attributes:
        name: as in the register map.
        comms_timeout_s: once it was told something, it goes to its safe values after so long without a request.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    name: str
    turnaround_us: Annotated[int, Field(ge=0, le=1_000_000)]
    comms_timeout_s: Annotated[float, Field(gt=0.0)]
    vendor: str
    model: str
    serial_number: str
    version: str
    product: str
