"""Zone temperature loops, as the temperature controllers of such a press do them.

PI with a ramped setpoint, output limited to 0 … 1, and no wind-up: the integral only moves while the
output is not held at a limit by the same sign of error.
"""

from __future__ import annotations

from typing import Final, NamedTuple, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

from emulator.node.config import LoopConfig, NodeConfig
from emulator.press import signals

__all__ = ["COOLED", "LOOPS", "LOOP_COUNT", "LoopPlan", "LoopState", "loop_plan", "scan_loop"]

Floats = NDArray[np.float64]

COOLED: Final = (*(plate.startswith("cold") for plate in signals.PLATES), False, False)
"""Which loops cool: one loop per zone plate, then one per entry drum."""
LOOP_COUNT: Final = len(COOLED)

LOOPS: Final = np.dtype(
    [
        ("integral", np.float64, (LOOP_COUNT,)),  # part of the output
        ("ramped_c", np.float64, (LOOP_COUNT,)),  # setpoint behind its ramp
        ("output", np.float64, (LOOP_COUNT,)),  # 0 … 1
    ],
    align=True,
)


class LoopState(Protocol):
    """What the loops remember, as compiled code sees it; what the fields are stands at `LOOPS`."""

    integral: Floats
    ramped_c: Floats
    output: Floats


class LoopPlan(NamedTuple):
    """Per loop: gain (negative where the output cools), share of the proportional part that is integrated
    per scan, and how far the setpoint moves per scan, K.
    """

    gain: Floats
    step: Floats
    ramp_k: Floats


def loop_plan(config: NodeConfig, period_ms: int) -> LoopPlan:
    """What the loops are set to, scanned once in `period_ms`."""
    period_s = period_ms * 1e-3
    plates = len(signals.PLATES)
    loops: list[LoopConfig] = [config.cold_loop if cooled else config.heat_loop for cooled in COOLED[:plates]]
    loops += [config.drum_loop] * (LOOP_COUNT - plates)
    return LoopPlan(
        np.array([loop.gain_per_k for loop in loops]) * np.where(COOLED, -1.0, 1.0),
        period_s / np.array([loop.integral_time_s for loop in loops]),
        period_s * np.array([loop.setpoint_rate_k_s for loop in loops]),
    )


@njit(cache=True, error_model="numpy")
def scan_loop(state: LoopState, i: int, measured_c: float, setpoint_c: float, enabled: bool, plan: LoopPlan) -> None:
    """One scan of loop i."""
    if not enabled:
        state.integral[i] = 0.0
        state.output[i] = 0.0
        state.ramped_c[i] = measured_c
        return
    # the ramp starts from where the plate is and never runs away from it
    move = min(max(setpoint_c - state.ramped_c[i], -plan.ramp_k[i]), plan.ramp_k[i])
    state.ramped_c[i] += move
    error = state.ramped_c[i] - measured_c
    proportional = plan.gain[i] * error
    wanted = proportional + state.integral[i]
    change = proportional * plan.step[i]
    if not ((wanted >= 1.0 and change > 0.0) or (wanted <= 0.0 and change < 0.0)):
        state.integral[i] = min(max(state.integral[i] + change, 0.0), 1.0)
    state.output[i] = min(max(proportional + state.integral[i], 0.0), 1.0)
