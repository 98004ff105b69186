"""Keeping the belts centred: PI on the edge position, with a rate limit on the steering angle."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Tracker"]

GAIN_DEG_PER_MM = 0.04
"""1 mm off centre steers by 0.04°: belts walk 0.3 … 1 rad per rad, so this centres within metres."""
INTEGRAL_DEG_PER_MM_M = 0.004
"""Integral part per metre of belt travel: takes away the belt's own drift in about 10 m."""
LIMIT_DEG = 0.45
"""Stays inside the ±0.5° of the steering drum, so that there is something left to act with."""
RATE_DEG_S = 0.1
"""Slower than the drum can move (0.25 °/s), so that the command is what happens."""
DEADBAND_DEG = 0.004
"""The noise of the edge sensor (0.02 mm) is not worth a movement of the steering drum."""


@dataclass(slots=True)
class Tracker:
    """Steers one belt.

    Attributes:
        integral_deg: integral part of the steering angle.
        angle_deg: last command.
    """

    integral_deg: float = 0.0
    angle_deg: float = 0.0

    def steer(self, edge_mm: float, travel_m: float, period_s: float) -> float:
        """One scan.

        Args:
            edge_mm: edge position, positive to the right, mm.
            travel_m: belt travel since the last scan, m; a belt that stands is not steered.
            period_s: time since the last scan, s.

        Returns:
            Steering angle, positive moves the belt to the right, deg.
        """
        if travel_m <= 0.0:
            return self.angle_deg
        wanted = -GAIN_DEG_PER_MM * edge_mm + self.integral_deg
        inside = abs(wanted) < LIMIT_DEG
        if inside or wanted * edge_mm > 0.0:
            # at the limit the integral only moves back
            self.integral_deg -= INTEGRAL_DEG_PER_MM_M * edge_mm * travel_m
            self.integral_deg = min(max(self.integral_deg, -LIMIT_DEG), LIMIT_DEG)
        wanted = min(max(wanted, -LIMIT_DEG), LIMIT_DEG)
        step = RATE_DEG_S * period_s
        if abs(wanted - self.angle_deg) > DEADBAND_DEG:
            self.angle_deg += min(max(wanted - self.angle_deg, -step), step)
        return self.angle_deg
