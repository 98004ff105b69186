"""Copies of a press: in memory, as bytes, and for every example."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from emulator.world import World, WorldConfig
from rig.running import producing_press

EXAMPLES = 20


def _median_ms(action: Callable[[], object], times: int = 50) -> float:
    action()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        action()
        taken.append((time.perf_counter() - start) * 1e3)
    return statistics.median(taken)


def _running() -> World:
    world = World(WorldConfig(start="running"))
    world.run_until(3_000_000_000)
    return world


def fork() -> float:
    """Milliseconds for a copy of a running press."""
    return _median_ms(_running().fork)


def snapshot() -> float:
    """Milliseconds for a snapshot of a running press."""
    return _median_ms(_running().snapshot)


def restore() -> float:
    """Milliseconds for a press from a snapshot."""
    data = _running().snapshot()
    return _median_ms(lambda: World.restore(data))


def examples() -> float:
    """Examples per second that fork a producing press and live 10 s of it in closed loop."""
    start = time.perf_counter()
    for seed in range(EXAMPLES):
        with producing_press(seed=seed) as runner:
            runner.run_for(10)
    return EXAMPLES / (time.perf_counter() - start)
