"""Processes that have just begun: how long until there is a press, and how much memory it takes."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.errors import Unable
from emulator import user_cache
from emulator.compile_cache import VARIABLE as COMPILE_CACHE

STATUS = Path("/proc/self/status")
FIRST_BYTES = """
import serial
import rig
port = serial.serial_for_url("emu://?start=running", baudrate=115200, timeout=1)
port.write(bytes.fromhex("01 04 0000 0001 31ca"))
assert len(port.read(7)) == 7
"""
LIFE = """
from benchmarks.processes import own_peak_mb
from rig.running import producing_press
with producing_press() as runner:
    runner.run_for(60)
print(own_peak_mb())
"""


def start() -> float:
    """Seconds from the start of a process to its first bytes from a running press."""
    return _first_bytes({})


def cold_compile() -> float:
    """The same with caches that are empty."""
    with tempfile.TemporaryDirectory() as compiled, tempfile.TemporaryDirectory() as settled:
        return _first_bytes({COMPILE_CACHE: compiled, user_cache.VARIABLE: settled})


def peak_memory() -> float:
    """MB at most in memory of a process that lives a minute of production."""
    done = subprocess.run([sys.executable, "-c", LIFE], check=True, capture_output=True, text=True)
    return float(done.stdout)


def own_peak_mb() -> float:
    """MB that this process has had in memory at most."""
    if STATUS.exists():  # what `getrusage` says on Linux begins with the memory of the parent process
        return _status_mb("VmHWM")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def own_memory_mb() -> float:
    """MB that this process has in memory now.

    Raises:
        Unable: the operating system does not say.
    """
    if not STATUS.exists():
        raise Unable("only Linux says how much memory a process has now")
    return _status_mb("VmRSS")


def _status_mb(name: str) -> float:
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith(name))
    return float(line.split()[1]) / 2**10


def _first_bytes(variables: Mapping[str, str]) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", FIRST_BYTES], check=True, env={**os.environ, **variables})
    return time.perf_counter() - begun
