"""What `make bench` measures, in one table: how, in which unit, how good it is meant to be, and what it means.

A goal is one-sided: `at_least` or `at_most`, on one core unless the entry says otherwise. Entries without a goal
are there to compare with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import against_scipy, closed_loop, copies, cores, processes, serial_line, wire

__all__ = ["BENCHMARKS", "Benchmark"]

EVERY_ROUND = 10**6


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One entry.

    Attributes:
        measure: takes one measurement; raises `Unable` where this machine cannot.
        unit: of what it returns.
        what: for people, what was measured.
        at_least: the goal, where more is better.
        at_most: the goal, where less is better.
        most_rounds: what takes long is not measured in every round.
        warms_up: the first measurement compiles or fills caches and does not count.
    """

    measure: Callable[[], float]
    unit: str
    what: str
    at_least: float | None = None
    at_most: float | None = None
    most_rounds: int = EVERY_ROUND
    warms_up: bool = True

    @property
    def goal(self) -> str:
        """The goal in words; empty if there is none."""
        if self.at_least is not None:
            return f"≥ {self.at_least:,g}"
        return f"≤ {self.at_most:,g}" if self.at_most is not None else ""

    def met_by(self, value: float) -> bool | None:
        """Whether a value is as good as the goal; None if there is none."""
        if self.at_least is not None:
            return value >= self.at_least
        return value <= self.at_most if self.at_most is not None else None


BENCHMARKS: dict[str, Benchmark] = {
    "closed_loop_x": Benchmark(
        closed_loop.closed_loop,
        "virtual s/s",
        "the reference production run: press, sensors, node, byte-timed bus, client, reference controller at 10 Hz, "
        "recording",
        at_least=1000,
    ),
    "line_closed_loop_x": Benchmark(
        closed_loop.line_closed_loop,
        "virtual s/s",
        "the same run with the whole line around the press, from the extruder to the winder, film all through",
        at_least=300,
    ),
    "firmware_loop_x": Benchmark(
        closed_loop.firmware_loop,
        "virtual s/s",
        "the run of `closed_loop_x` with the node's firmware, its Cortex-M3 instructions executed",
        at_least=200,
    ),
    "plant_x": Benchmark(
        closed_loop.plant,
        "virtual s/s",
        "the press of that run without node, bus and controller",
        at_least=3000,
    ),
    "node_x": Benchmark(
        closed_loop.node,
        "virtual s/s",
        "press, sensors and node, nobody on the bus but the watchdog's reader",
    ),
    "plant_vs_scipy": Benchmark(
        against_scipy.plant_vs_scipy,
        "×",
        "passages of a parcel of sheet per second: the press of `plant_x`, with all that is around its parcels, over "
        "the independent implementation on SciPy's LSODA at the loosest tolerance and fewest layers that still give "
        "r within 0.1 points of a tight solution; the press does too",
        at_least=1000,
        most_rounds=3,
    ),
    "parcel_vs_scipy": Benchmark(
        against_scipy.parcel_vs_scipy,
        "×",
        "the same for one parcel alone, which fills one of the lanes that the press steps at a time",
        most_rounds=3,
    ),
    "snapshot_ms": Benchmark(copies.snapshot, "ms", "a running press as bytes", at_most=1),
    "restore_ms": Benchmark(copies.restore, "ms", "a running press from bytes", at_most=2),
    "fork_ms": Benchmark(copies.fork, "ms", "copy of a running press in memory"),
    "fork_examples_per_s": Benchmark(
        copies.examples,
        "1/s",
        "Hypothesis examples that each fork a producing press and live 10 s of it in closed loop",
        at_least=50,
    ),
    "two_core_scaling": Benchmark(
        cores.two_core_scaling,
        "×",
        "throughput of 64 runs of 60 virtual s in closed loop, two warm processes over one",
        at_least=1.9,
        most_rounds=2,
        warms_up=False,
    ),
    "start_s": Benchmark(
        processes.start,
        "s",
        "process start to first bytes on emu://?start=running, warm caches",
        at_most=1.5,
    ),
    "cold_compile_s": Benchmark(
        processes.cold_compile,
        "s",
        "the same on a fresh machine: compile cache and cache of warm presses empty",
        at_most=20,
        most_rounds=1,
        warms_up=False,
    ),
    "rss_mb": Benchmark(
        processes.peak_memory,
        "MB",
        "peak memory of a process with one world that runs in closed loop and records",
        at_most=250,
        most_rounds=2,
        warms_up=False,
    ),
    "exchange_us": Benchmark(wire.exchange, "µs", "60-register read through emu://, bus timing included"),
    "codec_us": Benchmark(wire.codec, "µs", "60-register exchange, both frames encoded and decoded"),
    "pymodbus_codec_us": Benchmark(wire.pymodbus_codec, "µs", "the same with pymodbus"),
    "pty_requests_per_s": Benchmark(
        serial_line.pty_throughput(),
        "1/s",
        "60-register reads of `press-rig emulate --no-baud-limit` over a pseudo-terminal, one client that waits for "
        "every answer",
        warms_up=False,
    ),
    "pty_p50_us": Benchmark(serial_line.pty_latency(50), "µs", "half of these take no longer", warms_up=False),
    "pty_p99_us": Benchmark(serial_line.pty_latency(99), "µs", "99 % of these take no longer", warms_up=False),
    "pty_vs_pymodbus": Benchmark(
        serial_line.pty_throughput("pymodbus"),
        "×",
        "their number per second over that of pymodbus's asynchronous serial server, same client, in turn",
        at_least=3,
        warms_up=False,
    ),
    "pty_p99_vs_libmodbus": Benchmark(
        serial_line.pty_latency(99, "libmodbus"),
        "×",
        "their 99th percentile over that of a server on libmodbus, same client, in turn",
        at_most=2,
        warms_up=False,
    ),
    "line_rate_115200_percent": Benchmark(
        serial_line.line_rate_percent,
        "%",
        "with the baud limit, at 115,200 bit/s: exchanges per second over those that the line has time for, which is "
        "133 characters of 11 bits, t3.5 and the node's turnaround for each",
        at_least=95,
        most_rounds=3,
        warms_up=False,
    ),
}
