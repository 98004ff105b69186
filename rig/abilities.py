"""What benches differ in, as far as a test may know."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Abilities"]


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a bench can do; tests ask for these and never for a kind of bench.

    Attributes:
        jump_in_time: waiting costs no wall-clock time.
        see_truth: `bench.virtual` knows what no sensor tells.
        touch: emergency stop button and guards can be operated by program.
        inject_faults: disturbances can be set.
        fork: the press can be copied as it stands.
    """

    jump_in_time: bool = False
    see_truth: bool = False
    touch: bool = False
    inject_faults: bool = False
    fork: bool = False
