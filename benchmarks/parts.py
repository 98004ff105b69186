"""`python -m benchmarks.parts`: where the time of the closed loop goes, in µs per cycle of 100 ms.

Every part is timed by itself, without what it calls of another part, in a producing press that runs as it always
does; so caches are as cold as they are in earnest. The table shows the median cycle, and the sum of all parts.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from rig.controller.api import Controller, Inputs, Value
from rig.controller.runner import Runner
from rig.running import producing_press

CYCLES = 2000
PARTS = {
    "scans": "press and node: two compiled scans of 50 ms",
    "exchanges": "requests and answers: codec, port, line, node's registers",
    "poll": "decoding and recording what was read",
    "controller": "the reference controller",
    "write": "envelope, encoding and recording what is commanded",
    "runner": "everything else",
}


class Stopwatch:
    """Time by part; what a part calls of another one counts there."""

    def __init__(self) -> None:
        self.spent_s = dict.fromkeys(PARTS, 0.0)
        self._part = "runner"
        self._since = time.perf_counter()

    def switch(self, part: str) -> str:
        """From now on it is this part's time; returns whose it was."""
        now, before = time.perf_counter(), self._part
        self.spent_s[before] += now - self._since
        self._part, self._since = part, now
        return before

    def timing(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, with its time on this part's account."""

        def timed(*arguments: Any, **named: Any) -> Any:
            before = self.switch(part)
            try:
                return call(*arguments, **named)
            finally:
                self.switch(before)

        return timed


class Timed:
    """A controller whose scans are timed."""

    def __init__(self, controller: Controller, watch: Stopwatch) -> None:
        self._controller = controller
        self._scan = watch.timing("controller", controller.scan)

    @property
    def state(self) -> str:
        """Of the controller."""
        return str(getattr(self._controller, "state", ""))

    def scan(self, inputs: Inputs, now_ns: int) -> Mapping[str, Value]:
        """Of the controller."""
        outputs: Mapping[str, Value] = self._scan(inputs, now_ns)
        return outputs


def profile(runner: Runner) -> dict[str, float]:
    """µs of the median cycle, by part."""
    watch, bench = Stopwatch(), runner.bench
    wake_up = bench.virtual.world._wake_up
    wake_up.call = watch.timing("scans", wake_up.call)
    # these objects get a timed method of their own in front of that of their class
    timed = ((bench, "poll", "poll"), (bench, "write", "write"), (bench.master, "exchange", "exchanges"))
    for owner, method, part in timed:
        setattr(owner, method, watch.timing(part, getattr(owner, method)))
    runner.controller = Timed(runner.controller, watch)
    cycles: list[dict[str, float]] = []

    def note(_: Runner) -> None:
        watch.switch("runner")
        cycles.append(watch.spent_s)
        watch.spent_s = dict.fromkeys(PARTS, 0.0)

    runner._on_scan = note
    runner.run_for(CYCLES / 10)
    return {part: statistics.median(cycle[part] for cycle in cycles) * 1e6 for part in PARTS}


def main(words: Sequence[str] | None = None) -> int:
    """Measure and print; returns the exit code."""
    argparse.ArgumentParser(
        prog="python -m benchmarks.parts", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args(words)
    try:
        spent_us = _measured()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    table = Table(title="closed loop, µs per cycle of 100 ms")
    for column in ("part", "µs", "what"):
        table.add_column(column, justify="right" if column == "µs" else "left")
    for part, what in PARTS.items():
        table.add_row(part, f"{spent_us[part]:.1f}", what)
    table.add_row("sum", f"{sum(spent_us.values()):.1f}", "")
    Console().print(table)
    return 0


def _measured() -> dict[str, float]:
    with producing_press() as runner:
        runner.run_for(5)
        return profile(runner)


if __name__ == "__main__":
    sys.exit(main())
