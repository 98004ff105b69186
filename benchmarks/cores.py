"""Two cores against one: the same runs in one process and in two, all of them warm."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier

from benchmarks.errors import Unable
from rig.explore.sweep import cores
from rig.running import producing_press

RUNS = 64
RUN_S = 60.0
WARM_WITHIN_S = 120.0


def two_core_scaling() -> float:
    """Throughput of two worker processes over that of one."""
    if cores() < 2:
        raise Unable("this process may use one core only")
    one, two = _seconds(1), _seconds(2)
    return one / two


def live(seed: int) -> int:
    """One run: a fork of a producing press and a minute of its life in closed loop."""
    with producing_press(seed=seed) as runner:
        runner.run_for(RUN_S)
        return runner.scans


def _seconds(workers: int) -> float:
    """What all runs take on so many workers, from the moment on that all are warm."""
    context = get_context("spawn")
    warm = context.Barrier(workers)
    with ProcessPoolExecutor(workers, context, initializer=_warm_up, initargs=(warm,)) as pool:
        list(pool.map(live, [0] * workers))  # processes are born as jobs come in
        begun = time.perf_counter()
        list(pool.map(live, range(RUNS)))
        return time.perf_counter() - begun


def _warm_up(warm: Barrier) -> None:
    live(0)
    warm.wait(WARM_WITHIN_S)
