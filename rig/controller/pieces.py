"""A piece of sheet and what it has met, as plain data.

A piece is 0.1 m of belt travel. While it lies in a section of the press its `stay` says since when; what
it met there is added to the piece when it leaves the section.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

__all__ = ["HALF_M", "PIECE_M", "Mean", "Piece", "Stay"]

PIECE_M = 0.1
"""Length of a piece, m of belt travel: six seconds at 1 m/min, enough samples to average gauge noise."""

HALF_M = PIECE_M / 2


@dataclass(slots=True)
class Mean:
    """A running mean."""

    total: float = 0.0
    count: int = 0

    def add(self, value: float) -> None:
        """Take a value in."""
        self.total += value
        self.count += 1

    @property
    def value(self) -> float:
        """The mean so far; NaN without values."""
        return self.total / self.count if self.count else math.nan


@dataclass(slots=True)
class Stay:
    """A piece's time in one section.

    Attributes:
        pressed_ns, unpressed_ns: the roller group's totals when the piece came in, ns.
        minimum_um: smallest clearance since then, µm.
        spring_back_um: spring-back in it, µm.
        low_c: lowest plate temperature since then, °C.
        high_c: highest one.
    """

    pressed_ns: int = 0
    unpressed_ns: int = 0
    minimum_um: float = math.inf
    spring_back_um: float = 0.0
    low_c: float = math.inf
    high_c: float = -math.inf


@dataclass(slots=True)
class Piece:
    """One piece of sheet and what it has met; lengths in m or µm, times in s or ns, temperatures in °C.

    `front_m` is the belt position at which its front passed the entry.
    """

    number: int
    front_m: float
    entry: Mean = field(default_factory=Mean)
    exit: Mean = field(default_factory=Mean)
    recovered: Mean = field(default_factory=Mean)
    exit_temperature: Mean = field(default_factory=Mean)
    ambient: Mean = field(default_factory=Mean)
    minimum_um: float = math.inf
    spring_back_um: float = 0.0
    pressure_s: float = 0.0
    unpressed_s: float = 0.0
    hot_min_c: float = math.inf
    hot_max_c: float = -math.inf
    released_ns: int = -1
    exit_age_s: float = 0.0
    recovered_age_s: float = 0.0
    stay: Stay = field(default_factory=Stay)

    def place_m(self, position_m: float) -> float:
        """Where its middle is, m from the entry."""
        return position_m - self.front_m - HALF_M

    def settle(self, pressed_ns: int, unpressed_ns: int) -> None:
        """Add what the section was that the piece now leaves.

        Args:
            pressed_ns: the roller group's total time with pressure until now, ns.
            unpressed_ns: its total time without.
        """
        stay = self.stay
        self.pressure_s += (pressed_ns - stay.pressed_ns) * 1e-9
        self.unpressed_s += (unpressed_ns - stay.unpressed_ns) * 1e-9
        if stay.minimum_um < self.minimum_um:
            self.minimum_um, self.spring_back_um = stay.minimum_um, stay.spring_back_um
        self.hot_min_c = min(self.hot_min_c, stay.low_c)
        self.hot_max_c = max(self.hot_max_c, stay.high_c)
