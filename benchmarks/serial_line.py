"""Requests over a pseudo-terminal: the press without baud limit beside pymodbus's and libmodbus's servers, and the rate
of the line that the press gets to with it.

Every server is a process of its own; the same client, a bare loop around `os.write` and `os.read`, asks each of them
for 60 input registers and times every exchange from before the write to after the last byte. The servers are asked in
turn, a block of requests each, so that a slow moment of the machine hits all of them; none has anything else to do but
the press, which is in production meanwhile.

The cores are kept awake by processes that run when nothing else wants to. Between request and answer a core falls
asleep, and in a virtual machine waking it takes longer, for every server alike, than the fast ones work.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import termios
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.errors import Unable
from benchmarks.peers import UNIT, libmodbus, pymodbus
from emulator.bus import LineSettings
from emulator.node.config import load_node
from rig.protocol import ReadInputRegisters, encode_frame

__all__ = ["Exchanges", "Together", "line_rate_percent", "pty_latency", "pty_throughput"]

COUNT = 60
REQUEST = encode_frame(UNIT, ReadInputRegisters(0, COUNT))
ANSWER_BYTES = 5 + 2 * COUNT
LONGEST = 260
BLOCKS, BLOCK = 300, 20
"""A block takes a millisecond or four: neighbours on the machine hit few of them, which the median does not see."""
LEAD = 3
"""Exchanges before every block that do not count: a server that has waited for its turn has left the caches."""
WARMING_UP = 300
BAUD, LINE_EXCHANGES = 115_200, 60
SETTLING_S = 0.3
"""Peers say that they are ready a little before they are."""
AWAKE = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
print("awake", flush=True)
while True:
    pass
"""
ISPEED, OSPEED = 4, 5
"""Places of the speeds in what `tcgetattr` returns."""


@dataclass
class Exchanges:
    """How long exchanges with one server took.

    Attributes:
        blocks_ns: durations, by block in which they were made.
    """

    blocks_ns: list[list[int]] = field(default_factory=list)

    @property
    def per_s(self) -> float:
        """Requests per second, of the median block."""
        return statistics.median(len(block) / sum(block) * 1e9 for block in self.blocks_ns)

    def percentile_us(self, percent: float) -> float:
        """So many percent of the exchanges took no longer, µs."""
        ordered = sorted(duration for block in self.blocks_ns for duration in block)
        return ordered[min(int(len(ordered) * percent / 100), len(ordered) - 1)] * 1e-3


class Together:
    """One measurement that several entries take their number from, so that these belong together.

    Whoever asks for a second time gets a new measurement.

    Args:
        measure: takes one; returns what each server did.
    """

    def __init__(self, measure: Callable[[], dict[str, Exchanges | Unable]]) -> None:
        self._measure = measure
        self._taken: dict[str, Exchanges | Unable] | None = None
        self._given: set[str] = set()

    def for_entry(self, entry: str) -> dict[str, Exchanges | Unable]:
        """The measurement of this round."""
        if self._taken is None or entry in self._given:
            self._taken, self._given = self._measure(), set()
        self._given.add(entry)
        return self._taken


def pty_throughput(over: str | None = None) -> Callable[[], float]:
    """Measures requests per second of the press, or how many times those of another server that is.

    Args:
        over: the other server, if there is to be one.
    """

    def measure() -> float:
        servers = _TOGETHER.for_entry(f"throughput over {over}")
        return _server(servers, "press").per_s / (_server(servers, over).per_s if over else 1.0)

    return measure


def pty_latency(percent: float, over: str | None = None) -> Callable[[], float]:
    """Measures a percentile of the press' latency, µs, or how many times that of another server it is.

    Args:
        percent: which percentile.
        over: the other server, if there is to be one.
    """

    def measure() -> float:
        servers = _TOGETHER.for_entry(f"p{percent:g} over {over}")
        return _server(servers, "press").percentile_us(percent) / (
            _server(servers, over).percentile_us(percent) if over else 1
        )

    return measure


def line_rate_percent() -> float:
    """The press with its baud limit: exchanges per second at 115,200 bit/s over those that the line has time for.

    The line's time for one: 8 + 125 characters of 11 bits, 1.75 ms of silence after the request (t3.5) and the
    turnaround that the node declares. The master sends as soon as the answer is there.
    """
    line = LineSettings(BAUD)
    least_ns = line.span_ns(len(REQUEST)) + line.silence_ns + line.span_ns(ANSWER_BYTES)
    least_ns += load_node("press").turnaround_us * 1000
    with _press() as descriptor:
        _exchange(descriptor, 3)
        taken_ns = _exchange(descriptor, LINE_EXCHANGES)
    return 100.0 * least_ns * len(taken_ns) / sum(taken_ns)


def _server(servers: dict[str, Exchanges | Unable], name: str) -> Exchanges:
    """What one of the servers did.

    Raises:
        Unable: it is not here.
    """
    done = servers[name]
    if isinstance(done, Unable):
        raise Unable(f"there is no server on {name} here: {done}")
    return done


def _side_by_side() -> dict[str, Exchanges | Unable]:
    """All servers that there are, in turn, and why others are not there."""
    servers: dict[str, Exchanges | Unable] = {}
    with ExitStack() as stack:
        stack.enter_context(_cores_awake())
        descriptors = {
            "press": stack.enter_context(_press("--no-baud-limit")),
            "pymodbus": stack.enter_context(_peer(pymodbus())),
        }
        try:
            program = libmodbus(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        except Unable as why:
            servers["libmodbus"] = why
        else:
            descriptors["libmodbus"] = stack.enter_context(_peer(program))
        for descriptor in descriptors.values():
            _exchange(descriptor, WARMING_UP)
        taken = {name: Exchanges() for name in descriptors}
        for _ in range(BLOCKS):
            for name, descriptor in descriptors.items():
                _exchange(descriptor, LEAD)
                taken[name].blocks_ns.append(_exchange(descriptor, BLOCK))
    return servers | taken


_TOGETHER = Together(_side_by_side)


def _exchange(descriptor: int, times: int) -> list[int]:
    """Ask a server so often, the next time as soon as the answer is there; returns how long each took, ns.

    Raises:
        RuntimeError: it has gone.
    """
    clock, read, write, wanted = time.perf_counter_ns, os.read, os.write, ANSWER_BYTES
    taken_ns = []
    for _ in range(times):
        begun = clock()
        write(descriptor, REQUEST)
        got = 0
        while got < wanted:
            data = read(descriptor, LONGEST)
            if not data:
                raise RuntimeError("the server has gone")
            got += len(data)
        taken_ns.append(clock() - begun)
    return taken_ns


@contextmanager
def _cores_awake() -> Iterator[None]:
    """No core of this process sleeps; only Linux has processes that stand in nobody's way."""
    with ExitStack() as stack:
        for core in os.sched_getaffinity(0) if hasattr(os, "SCHED_IDLE") else ():
            stack.enter_context(_process([sys.executable, "-c", AWAKE, str(core)], "awake"))
        yield


@contextmanager
def _press(*options: str) -> Iterator[int]:
    """`press-rig emulate`, the press in production; gives its pseudo-terminal, opened."""
    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / "press"
        words = ["emulate", "--link", str(link), "--start", "running", "--control", str(Path(folder) / "control")]
        with _process([sys.executable, "-m", "rig", *words, *options], "Ctrl-C ends"):
            descriptor = os.open(link, os.O_RDWR | os.O_NOCTTY)
            try:
                _set_up(descriptor)
                yield descriptor
            finally:
                os.close(descriptor)


@contextmanager
def _peer(program: Sequence[str]) -> Iterator[int]:
    """A server of `benchmarks.peers`; gives the other end of its pseudo-terminal."""
    descriptor, device = os.openpty()
    try:
        _set_up(device)
        with _process([*program, os.ttyname(device)], "ready"):
            time.sleep(SETTLING_S)
            yield descriptor
    finally:
        os.close(device)
        os.close(descriptor)


def _set_up(device: int) -> None:
    """Raw, at 115,200 bit/s."""
    tty.setraw(device)
    settings = termios.tcgetattr(device)
    settings[ISPEED] = settings[OSPEED] = termios.B115200
    termios.tcsetattr(device, termios.TCSANOW, settings)


@contextmanager
def _process(words: Sequence[str], until: str) -> Iterator[None]:
    """A program that runs for the length of a block, which begins when it has said something.

    Raises:
        RuntimeError: it ended before.
    """
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            if not any(until in line for line in process.stdout):
                raise RuntimeError(f"{' '.join(words)} ended before it served")
            yield
        finally:
            process.kill()
