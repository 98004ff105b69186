"""Thickness by clearance, through a gauge that sees the sheet metres later.

The gauge behind the exit shows what the end of the taper did a transport length earlier. The loop
therefore works per metre of belt and not per second, so that speed changes nothing, and it predicts:
what it has already trimmed but not yet seen is added to what the gauge shows (Smith, 1957). Then an
integral step can be taken every few centimetres without overshoot.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

__all__ = ["ThicknessLoop"]

STEP_M = 0.1
"""Belt travel between two corrections, m."""
CORRECTION = 0.15
"""Part of the predicted error that one correction takes away."""
TRIM_LIMIT_UM = 40.0
"""Largest trim of the recipe's clearance, µm: more is not a correction but another recipe."""


@dataclass(slots=True)
class ThicknessLoop:
    """Trims the clearance of the taper's end and of the cold section.

    Attributes:
        transport_m: belt travel from the end of the taper to the gauge, m.
        trim_um: trim of the clearance setpoint, µm.
        history: (belt position in m, trim in µm) of corrections that the gauge may not have seen.
    """

    transport_m: float
    trim_um: float = 0.0
    next_m: float = 0.0
    history: deque[tuple[float, float]] = field(default_factory=deque)

    def reset(self, position_m: float) -> None:
        """Begin at a belt position: what went before is not in the sheet."""
        self.next_m = position_m
        self.history.clear()
        self.history.append((position_m, self.trim_um))

    def scan(self, position_m: float, measured_um: float, target_um: float) -> float:
        """One scan with sheet at the gauge.

        Args:
            position_m: belt position, m.
            measured_um: gauge, µm.
            target_um: wanted at the gauge, µm.

        Returns:
            The trim, µm.
        """
        if position_m < self.next_m:
            return self.trim_um
        self.next_m = position_m + STEP_M
        while len(self.history) > 1 and self.history[1][0] <= position_m - self.transport_m:
            self.history.popleft()
        seen_um = self.history[0][1] if self.history else self.trim_um
        predicted_um = measured_um + (self.trim_um - seen_um)
        wanted = self.trim_um + CORRECTION * (target_um - predicted_um)
        self.trim_um = min(max(wanted, -TRIM_LIMIT_UM), TRIM_LIMIT_UM)
        self.history.append((position_m, self.trim_um))
        return self.trim_um
