"""What a bench is made of again after a fork or from a snapshot."""

from __future__ import annotations

from dataclasses import dataclass

from rig.polling import PollingState
from rig.protocol.registers import Value

__all__ = ["BenchState"]


@dataclass(slots=True)
class BenchState:
    """All that makes the future of a bench between two requests, apart from the port and the press."""

    url: str
    armed: bool
    timeout_s: float
    retries: int
    record: bool
    identification: dict[str, Value]
    written: dict[str, Value]
    held: dict[str, Value]
    unsafe: bool
    every: dict[str, int]
    spare: bool
    polling: PollingState
    aside: PollingState | None
