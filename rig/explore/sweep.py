"""Compute the points of a map, one after another or on several cores.

A point is a pure function of its inputs, so a map is the same however many workers share it. Ctrl-C ends the
sweep between points; what is there stays.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from rig.errors import RigError
from rig.explore.data import OperatingMap
from rig.explore.plan import Plan
from rig.virtual import Outcome, outcome

__all__ = ["compute", "cores"]


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def compute(plan: Plan, workers: int, done: Callable[[], object]) -> OperatingMap:
    """Compute a map.

    Args:
        plan: what to compute.
        workers: how many processes; with 1, this one does the work.
        done: called after each point.

    Returns:
        The map; incomplete if Ctrl-C came before its end.

    Raises:
        RigError: a worker process died.
    """
    result = OperatingMap.empty(plan)
    try:
        for index, point in _serial(plan) if workers == 1 else _parallel(plan, workers):
            result.put(index, point)
            done()
    except KeyboardInterrupt:
        pass  # the caller sees that the map is not complete
    except BrokenProcessPool:
        raise RigError("a worker process died, perhaps for want of memory; try again with --workers 1") from None
    return result


def _serial(plan: Plan) -> Iterator[tuple[int, Outcome]]:
    for index, (machine, recipe) in enumerate(plan.points):
        yield index, outcome(machine, plan.material, recipe)


def _parallel(plan: Plan, workers: int) -> Iterator[tuple[int, Outcome]]:
    todo = enumerate(plan.points)
    running: dict[Future[Outcome], int] = {}
    pool = ProcessPoolExecutor(min(workers, len(plan.points)), get_context("spawn"), initializer=_leave_interrupts)
    try:
        while True:
            # no more than one waiting behind each worker: after Ctrl-C, what was handed out is all there is to wait for
            while len(running) < workers and (job := next(todo, None)) is not None:
                index, (machine, recipe) = job
                running[pool.submit(outcome, machine, plan.material, recipe)] = index
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                yield running.pop(future), future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_interrupts() -> None:
    """Ctrl-C goes to the whole process group; ending is the parent's business."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
