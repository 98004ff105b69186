"""`make bench`: how fast the rig is here, side by side in one run; writes out/bench.json.

Every entry is measured several times in turn with the others, so that a slow moment of the machine
hits all of them; the table shows median, smallest and largest.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import closed_loop, copies, wire

BENCHMARKS: dict[str, tuple[Callable[[], float], str, str]] = {
    "closed_loop_x": (closed_loop.closed_loop, "virtual s / wall s", "press, node, bus, client, controller, recording"),
    "plant_x": (closed_loop.plant, "virtual s / wall s", "the press alone"),
    "node_x": (closed_loop.node, "virtual s / wall s", "press, sensors and node, nobody on the bus"),
    "fork_ms": (copies.fork, "ms", "copy of a running press"),
    "snapshot_ms": (copies.snapshot, "ms", "the same as bytes"),
    "restore_ms": (copies.restore, "ms", "a running press from bytes"),
    "fork_examples_per_s": (copies.examples, "1/s", "forks of a producing press that live 10 s in closed loop"),
    "start_s": (copies.start, "s", "process start to first bytes on emu://?start=running, warm caches"),
    "exchange_us": (wire.exchange, "µs", "60-register read through emu://, bus timing included"),
    "codec_us": (wire.codec, "µs", "60-register exchange, both frames encoded and decoded"),
    "pymodbus_codec_us": (wire.pymodbus_codec, "µs", "the same with pymodbus"),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each entry (default: 5)")
    parser.add_argument("--out", type=Path, default=Path("out/bench.json"))
    parser.add_argument("only", nargs="*", choices=[[], *BENCHMARKS], help="only these entries")
    arguments = parser.parse_args()
    chosen = arguments.only or list(BENCHMARKS)
    console = Console()
    taken: dict[str, list[float]] = {name: [] for name in chosen}
    started = time.perf_counter()
    with console.status("warming up (compiling) ...") as status:
        for name in chosen:
            BENCHMARKS[name][0]()
        for number in range(arguments.rounds):
            for name in chosen:
                status.update(f"round {number + 1} of {arguments.rounds}: {name}")
                taken[name].append(BENCHMARKS[name][0]())
    table = Table(title=f"press-rig, {arguments.rounds} rounds in {time.perf_counter() - started:.0f} s")
    for column in ("entry", "median", "min", "max", "unit", "what"):
        table.add_column(column, justify="right" if column in ("median", "min", "max") else "left")
    results = {}
    for name in chosen:
        unit, what = BENCHMARKS[name][1:]
        values = taken[name]
        results[name] = {
            "median": statistics.median(values),
            "min": min(values),
            "max": max(values),
            "unit": unit,
        }
        numbers = [f"{results[name][key]:.4g}" for key in ("median", "min", "max")]
        table.add_row(name, *numbers, unit, what)
    console.print(table)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    console.print(f"written: {arguments.out}")


if __name__ == "__main__":
    main()
