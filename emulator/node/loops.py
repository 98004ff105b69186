"""Zone temperature loops, as the temperature controllers of such a press do them.

PI with a ramped setpoint, output limited to 0 … 1, and no wind-up: the integral only moves while the
output is not held at a limit by the same sign of error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.node.config import LoopConfig

__all__ = ["LoopState", "Loops"]

Floats = NDArray[np.float64]


@dataclass(slots=True)
class LoopState:
    """Per loop: integral part of the output, ramped setpoint (°C), output 0 … 1."""

    integral: Floats
    ramped_c: Floats
    output: Floats


class Loops:
    """A set of PI loops that run at the node's scan.

    Args:
        configs: one per loop.
        cooling: True for loops whose output cools (reverse acting).
        period_s: scan period, s.
    """

    def __init__(self, configs: list[LoopConfig], cooling: list[bool], period_s: float) -> None:
        sign = np.where(np.array(cooling), -1.0, 1.0)
        self._gain = np.array([config.gain_per_k for config in configs]) * sign
        self._step = period_s / np.array([config.integral_time_s for config in configs])
        self._ramp_k = period_s * np.array([config.setpoint_rate_k_s for config in configs])
        count = len(configs)
        self.state = LoopState(np.zeros(count), np.zeros(count), np.zeros(count))

    def scan(self, measured_c: Floats, setpoint_c: Floats, enabled: NDArray[np.bool_]) -> Floats:
        """One scan; returns the outputs, 0 … 1 (the state's own array)."""
        state = self.state
        _scan(
            measured_c, setpoint_c, enabled, self._gain, self._step, self._ramp_k,
            state.integral, state.ramped_c, state.output,
        )  # fmt: skip
        return state.output


@njit(cache=True)
def _scan(
    measured_c: Floats,
    setpoint_c: Floats,
    enabled: NDArray[np.bool_],
    gain: Floats,
    step: Floats,
    ramp_k: Floats,
    integral: Floats,
    ramped_c: Floats,
    output: Floats,
) -> None:
    for i in range(gain.shape[0]):
        if not enabled[i]:
            integral[i] = 0.0
            output[i] = 0.0
            ramped_c[i] = measured_c[i]
            continue
        # the ramp starts from where the plate is and never runs away from it
        move = min(max(setpoint_c[i] - ramped_c[i], -ramp_k[i]), ramp_k[i])
        ramped_c[i] += move
        error = ramped_c[i] - measured_c[i]
        proportional = gain[i] * error
        wanted = proportional + integral[i]
        change = proportional * step[i]
        if not ((wanted >= 1.0 and change > 0.0) or (wanted <= 0.0 and change < 0.0)):
            integral[i] += change
            integral[i] = min(max(integral[i], 0.0), 1.0)
        output[i] = min(max(proportional + integral[i], 0.0), 1.0)
