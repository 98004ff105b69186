"""One clock for everything above the port, in integer nanoseconds.

    VirtualClock    time of a simulation; waiting runs the simulation exactly that far
    HardwareClock   the machine's monotonic clock, times a factor for a press that runs faster than real

This module is the only place in `rig` that reads or waits for the wall clock.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Protocol

__all__ = [
    "SECOND_NS",
    "Clock",
    "HardwareClock",
    "ScanTimeout",
    "ScanWatchdog",
    "Simulation",
    "VirtualClock",
    "date_text",
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


class ScanWatchdog:
    """Interrupts a scan that does not return with `ScanTimeout`; a context manager around many scans.

    A timer signal comes a few times per limit and looks whether the scan that it met last time is still
    going on; so a scan itself costs two assignments and no system call. It is interrupted after
    `limit_s` to 1.25 `limit_s` of wall clock, and again a quarter later if it swallowed that. Works in the
    main thread; in any other thread there is no such thing, and scans run unguarded.

    Outside the block, signal handler and timer of whoever else uses SIGALRM are as they were; a foreign
    alarm that falls due inside is handed on.

    Attributes:
        scan: number of the scan that is going on; 0 between scans.
    """

    def __init__(self, limit_s: float) -> None:
        self.scan = 0
        self._quarter_s = limit_s / 4.0
        self._met = 0
        self._times_met = 0
        self._depth = 0
        self._installed = False
        self._previous: Callable[[int, FrameType | None], Any] | int | None = None
        self._foreign_due_s = 0.0
        self._foreign_interval_s = 0.0

    def __enter__(self) -> None:
        self._depth += 1
        if self._depth > 1 or threading.current_thread() is not threading.main_thread():
            return
        self._installed = True
        self._previous = signal.signal(signal.SIGALRM, self._ring)
        left_s, self._foreign_interval_s = signal.setitimer(signal.ITIMER_REAL, self._quarter_s, self._quarter_s)
        self._foreign_due_s = time.monotonic() + left_s if left_s else 0.0

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth or not self._installed:
            return
        self._installed = False
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, self._previous)
        if self._foreign_due_s:
            left_s = max(self._foreign_due_s - time.monotonic(), 1e-6)
            signal.setitimer(signal.ITIMER_REAL, left_s, self._foreign_interval_s)

    def _ring(self, signum: int, frame: FrameType | None) -> None:
        if self.scan == 0 or self.scan != self._met:
            self._met, self._times_met = self.scan, 1
        else:
            self._times_met += 1
        if self._foreign_due_s and time.monotonic() >= self._foreign_due_s:
            again_s = self._foreign_interval_s
            self._foreign_due_s = self._foreign_due_s + again_s if again_s else 0.0
            if callable(self._previous):
                self._previous(signum, frame)
        # met for the first time somewhere in a quarter, and then once at the end of each of four
        if self.scan and self._times_met > 4:
            raise ScanTimeout


def date_text() -> str:
    """Wall-clock date and time, `2026-01-31 13:05:59`, for people and folder names."""
    return time.strftime("%Y-%m-%d %H:%M:%S")
