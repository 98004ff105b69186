"""One clock for everything above the port, in integer nanoseconds.

    VirtualClock    time of a simulation; waiting runs the simulation exactly that far
    HardwareClock   the machine's monotonic clock, times a factor for a press that runs faster than real

This module is the only place in `rig` that reads or waits for the wall clock.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

__all__ = [
    "SECOND_NS",
    "Clock",
    "HardwareClock",
    "ScanTimeout",
    "Simulation",
    "VirtualClock",
    "date_text",
    "scan_limit",
    "wall_s",
]

SECOND_NS = 1_000_000_000


class Clock(Protocol):
    """What code above the port knows of time."""

    @property
    def now_ns(self) -> int:
        """Time since the bench was opened, ns."""
        ...

    def sleep_until(self, time_ns: int) -> int:
        """Wait until `time_ns`; returns how late it is on return, ns (0 in virtual time unless already past)."""
        ...


class Simulation(Protocol):
    """What a virtual clock drives."""

    @property
    def now_ns(self) -> int:
        """Simulation time, ns."""
        ...

    def run_until(self, time_ns: int) -> None:
        """Run everything that is due up to and including `time_ns`."""
        ...


class VirtualClock:
    """The time of a simulation."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    @property
    def now_ns(self) -> int:
        """Simulation time, ns."""
        return self._simulation.now_ns

    def sleep_until(self, time_ns: int) -> int:
        """Run the simulation until `time_ns`."""
        now = self._simulation.now_ns
        if time_ns > now:
            self._simulation.run_until(time_ns)
            return 0
        return now - time_ns


class HardwareClock:
    """The machine's monotonic clock from the moment of construction.

    Args:
        speed: press seconds per wall second; 1 for a real press, more for `press-rig emulate --speed`.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._start_ns = time.monotonic_ns()

    @property
    def now_ns(self) -> int:
        """Press time since construction, ns."""
        return int((time.monotonic_ns() - self._start_ns) * self._speed)

    def sleep_until(self, time_ns: int) -> int:
        """Wait for press time `time_ns`."""
        left_ns = time_ns - self.now_ns
        while left_ns > 0:
            time.sleep(left_ns / self._speed / SECOND_NS)
            left_ns = time_ns - self.now_ns
        return -left_ns


def wall_s() -> float:
    """Wall-clock seconds since some fixed moment, for speed factors and progress lines."""
    return time.monotonic()


class ScanTimeout(BaseException):
    """Raised inside a controller's scan that does not return.

    Not an `Exception`, so that a controller's own `except Exception` cannot swallow it.
    """


@contextmanager
def scan_limit(seconds: float) -> Iterator[None]:
    """Interrupt the block with `ScanTimeout` after `seconds` of wall clock.

    Works in the main thread by a timer signal; in any other thread there is no such thing, and the
    block runs unguarded.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise ScanTimeout

    previous = signal.signal(signal.SIGALRM, interrupt)
    # the interval fires again in case the first exception was swallowed
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, previous)


def date_text() -> str:
    """Wall-clock date and time, `2026-01-31 13:05:59`, for people and folder names."""
    return time.strftime("%Y-%m-%d %H:%M:%S")
