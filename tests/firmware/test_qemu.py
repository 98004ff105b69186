"""The very program boots in QEMU's model of the board and answers the rig there, where QEMU is installed."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator

import pytest

from emulator.firmware.build import build
from rig.bench import Bench, open_press
from tests.firmware.pair import needs_compiler

QEMU = shutil.which("qemu-system-arm")

pytestmark = [
    needs_compiler,
    pytest.mark.skipif(QEMU is None, reason="needs QEMU: apt-get install qemu-system-arm"),
]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [QEMU or "", "-M", "lm3s6965evb", "-nographic", "-monitor", "none", "-kernel", str(build("lm3s6965"))]
    command += ["-serial", f"tcp:127.0.0.1:{port},server=on,wait=on"]  # it begins when somebody is there
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as qemu:
        try:
            assert qemu.stderr is not None
            qemu.stderr.readline()  # it says that it waits for a connection
            with open_press(f"socket://127.0.0.1:{port}") as opened:
                yield opened
        finally:
            qemu.kill()


def test_the_program_boots_and_answers_the_rig_as_a_real_press(bench: Bench) -> None:
    assert bench.value("press_identity") == "real"
    assert bench.value("register_map_version") == bench.registers.format
    assert bench.value("heat_1_upper_temperature_c") == -50.0


def test_it_scans_by_its_own_clock(bench: Bench) -> None:
    first = bench.value("node_heartbeat")
    while bench.value("uptime_s") < 1:
        pass
    assert bench.value("node_heartbeat") > first
    assert bench.value("sample_time_ms") % 50 == 0
