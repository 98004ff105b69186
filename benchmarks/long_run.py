"""One long production run in closed loop with everything recorded: what a virtual second costs, and what memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.processes import own_memory_mb
from rig.running import producing_press

__all__ = ["Sample", "long_run"]

STRETCH_S = 600.0


@dataclass(frozen=True, slots=True)
class Sample:
    """The end of a stretch of ten minutes of press time.

    Attributes:
        virtual_h: press time since the run began, h.
        cpu_us_per_virtual_s: CPU time per second of press time over the stretch, µs.
        memory_mb: of this process, MB.
    """

    virtual_h: float
    cpu_us_per_virtual_s: float
    memory_mb: float


def long_run(hours: float) -> Iterator[Sample]:
    """Press, sensors, node, bus, client, reference controller at 10 Hz and recording, for so many hours."""
    with producing_press() as runner:
        runner.run_for(60)
        for stretch in range(1, round(hours * 3600 / STRETCH_S) + 1):
            begun = time.process_time()
            runner.run_for(STRETCH_S)
            spent = time.process_time() - begun
            yield Sample(stretch * STRETCH_S / 3600, spent / STRETCH_S * 1e6, own_memory_mb())
