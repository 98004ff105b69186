"""A quantity that follows its set point with a lag of first order."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["lagged"]

Value = TypeVar("Value", float, NDArray[np.float64])


def lagged(value: Value, target: Value, dt_s: float, lag_s: float) -> tuple[Value, Value]:
    """Where it is after dt under a constant set point, and its mean until then; exact for any step."""
    missing = value - target
    moved = -math.expm1(-dt_s / lag_s)
    return value - missing * moved, target + missing * (moved * lag_s / dt_s)
