"""check_link on every kind of port that we have, and on ports that are wrong."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import serial

from emulator.ports.protocol_emu import Serial
from rig.port import open_port
from rig.protocol import ReadInputRegisters, ReadInputRegistersResponse, encode_frame
from rig.protocol.registers_file import default_registers
from rig.testing import EMU, PTY, RFC2217, SOCKET, Exchange, check_link, examine_link
from rig.testing.link_checks import CHECKS
from tests.emulator.fakes import FakeWorld, read_answer, read_request

ROOT = Path(__file__).parents[2]
EXCHANGE = Exchange(read_request(5), read_answer(5))


@contextmanager
def served(*arguments: str) -> Iterator[str]:
    """A fake world in a process of its own; gives the URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.emulator.fakes", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=5)
        assert process.returncode == 0, "SIGTERM is a clean end"
        assert "lost_bytes=0" in rest
    finally:
        process.kill()
        process.wait()


def virtual_time(port: Any) -> int:
    return int(port.world.now_ns)


def open_fake(**settings: Any) -> Serial:
    port = Serial(None, **settings)
    port.port = "emu://"
    port.attach(FakeWorld())  # type: ignore[arg-type]
    port.open()
    return port


def test_emu() -> None:
    check_link(open_fake, exchange=EXCHANGE, capabilities=EMU, clock=virtual_time)


def test_emu_with_the_real_node() -> None:
    registers = default_registers()
    tag = registers["press_identity"]
    unit = registers.nodes[tag.node].address
    request = encode_frame(unit, ReadInputRegisters(tag.address, tag.count))
    response = encode_frame(unit, ReadInputRegistersResponse(tag.encode("virtual")))
    check_link(
        lambda **settings: Serial("emu://", **settings),
        exchange=Exchange(request, response),
        capabilities=EMU,
        clock=virtual_time,
    )


def test_pty() -> None:
    with served("pty") as url:
        check_link(
            lambda **settings: serial.Serial(url, **{"baudrate": 115200} | settings),
            exchange=EXCHANGE,
            capabilities=PTY,
            answer_s=0.2,
        )


def test_socket() -> None:
    with served("tcp") as url:
        check_link(
            lambda **settings: serial.serial_for_url(url, **settings),
            exchange=EXCHANGE,
            capabilities=SOCKET,
            answer_s=0.2,
        )


@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # pyserial 3.5
def test_rfc2217() -> None:
    with served("rfc2217") as url:
        check_link(
            lambda **settings: serial.serial_for_url(url, **settings),
            exchange=EXCHANGE,
            # a second client is hung up on before its settings are looked at
            capabilities=replace(RFC2217, checks_settings=False),
            answer_s=0.2,
        )


@pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # pyserial 3.5
def test_a_bench_gets_its_port_over_rfc2217() -> None:
    with served("rfc2217") as url, open_port(url, "rfc2217", 57_600, timeout_s=2.0) as port:
        port.write(EXCHANGE.request)
        assert port.read(len(EXCHANGE.response)) == EXCHANGE.response


class TestTheSuiteItself:
    """A suite that passes everything is worth nothing."""

    def findings(self, port: type[Serial]) -> set[str]:
        def open_port(**settings: Any) -> Serial:
            made = port(None, **settings)
            made.port = "emu://"
            made.attach(FakeWorld())  # type: ignore[arg-type]
            made.open()
            return made

        found = examine_link(
            open_port,
            exchange=EXCHANGE,
            capabilities=EMU,
            clock=virtual_time,
        )
        return {finding.check for finding in found}

    def test_names_the_check(self) -> None:
        class Impatient(Serial):
            def read(self, size: int = 1, /) -> bytes:
                self._timeout = 0
                return super().read(size)

        assert "read_times_out" in self.findings(Impatient)
        assert "answers" in self.findings(Impatient)

    def test_notices_a_port_that_forgets_nothing(self) -> None:
        class Hoarding(Serial):
            def reset_input_buffer(self) -> None:
                self._opened()

        assert self.findings(Hoarding) == {"reset_input_forgets"}

    def test_notices_a_port_that_stays_open(self) -> None:
        class Sticky(Serial):
            def close(self) -> None:
                pass

        assert {"closed_port_says_so", "context_manager_closes"} <= self.findings(Sticky)

    def test_says_everything_at_once(self) -> None:
        def open_deaf(**settings: Any) -> Serial:
            port = open_fake(**settings)
            port.world.node.units = frozenset()  # type: ignore[misc]
            port.world.bus._stations.clear()
            return port

        with pytest.raises(
            AssertionError, match=rf"of {len(CHECKS)} checks failed:\n  answers: .* is silence"
        ) as error:
            check_link(open_deaf, exchange=EXCHANGE, capabilities=EMU, clock=virtual_time)
        assert "read_blocks" in str(error.value)
