"""Pseudo-terminal and TCP endpoints, and the loop that paces a world behind them.

The client of these tests lives in `stop`, which the loop asks again and again: no thread, no sleep.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import serial

from emulator.bus import Bus, LineSettings
from emulator.ports import paced
from emulator.ports.paced import EndpointError, PacedCounters, Served, serve
from emulator.ports.pty import PtyEndpoint
from emulator.ports.serve import Places, main_loop, open_endpoints
from emulator.ports.tcp import TcpEndpoint
from tests.emulator.fakes import TURNAROUND_NS, FakeWorld, read_answer, read_request

FAST = LineSettings(115_200)
SECOND_NS = 1_000_000_000


class Until:
    """True when a condition holds, or after two seconds, which a test then fails on."""

    def __init__(self, condition: Callable[[], object]) -> None:
        self.condition = condition
        self.end_ns = time.monotonic_ns() + 2 * SECOND_NS

    def __call__(self) -> bool:
        return bool(self.condition()) or time.monotonic_ns() > self.end_ns


class TcpClient:
    def __init__(self, endpoint: TcpEndpoint) -> None:
        host, port = endpoint.url.removeprefix("socket://").rsplit(":", 1)
        self.socket = socket.create_connection((host.strip("[]"), int(port)))
        self.socket.setblocking(False)
        self.got = b""
        self.hung_up = False

    def poll(self) -> int:
        with contextlib.suppress(BlockingIOError):
            data = self.socket.recv(4096)
            self.got += data
            self.hung_up = not data
        return len(self.got)

    def exchange(self, world: FakeWorld, endpoint: TcpEndpoint, **options: Any) -> PacedCounters:
        self.got = b""
        self.socket.sendall(read_request())
        return serve(world, [endpoint], stop=Until(lambda: self.poll() >= 125), **options)  # type: ignore[arg-type]


@pytest.fixture
def tcp() -> Iterator[TcpEndpoint]:
    endpoint = TcpEndpoint(line=FAST)
    yield endpoint
    endpoint.close()


@pytest.fixture
def pty() -> Iterator[PtyEndpoint]:
    endpoint = PtyEndpoint()
    yield endpoint
    endpoint.close()


class TestPace:
    def test_the_line_takes_its_time(self, tcp: TcpEndpoint) -> None:
        client, world = TcpClient(tcp), FakeWorld()
        start_ns = time.monotonic_ns()
        counters = client.exchange(world, tcp)
        took_ns = time.monotonic_ns() - start_ns
        assert client.got == read_answer()
        assert took_ns >= FAST.span_ns(8) + FAST.silence_ns + TURNAROUND_NS + FAST.span_ns(125)
        assert took_ns >= world.now_ns
        assert (counters.received_bytes, counters.sent_bytes) == (8, 125)
        assert (counters.lost_bytes, counters.slipped_ns) == (0, 0)
        client.socket.close()

    def test_speed_is_world_time_per_wall_time(self, tcp: TcpEndpoint) -> None:
        client, world = TcpClient(tcp), FakeWorld()
        start_ns = time.monotonic_ns()
        client.exchange(world, tcp, speed=50.0)
        took_ns = time.monotonic_ns() - start_ns
        assert client.got == read_answer()
        assert world.now_ns <= 50 * took_ns
        assert took_ns >= FAST.span_ns(133) / 50
        client.socket.close()

    @pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
    def test_time_goes_forward(self, tcp: TcpEndpoint, speed: float) -> None:
        with pytest.raises(ValueError, match="it must be more than 0"):
            serve(FakeWorld(), [tcp], speed)  # type: ignore[arg-type]

    def test_a_world_that_cannot_keep_up_is_late_on_the_record(
        self, tcp: TcpEndpoint, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wall = SimpleNamespace(now_ns=0)
        monkeypatch.setattr(paced, "time", SimpleNamespace(monotonic_ns=lambda: wall.now_ns))
        world, looks = FakeWorld(), []

        def stop() -> bool:
            looks.append(world.now_ns)
            wall.now_ns += 10 * SECOND_NS
            return len(looks) == 3

        counters = serve(world, [tcp], 2.0, stop)  # type: ignore[arg-type]
        step_ns = 2 * (paced.TICK_NS + paced.MAX_LAG_NS)
        assert looks == [0, step_ns, 2 * step_ns]
        assert counters.slipped_ns == 40 * SECOND_NS - 2 * step_ns

    def test_an_adapter_hands_over_when_it_suits_it(self, tcp: TcpEndpoint) -> None:
        client, world = TcpClient(tcp), FakeWorld()
        world.bus = Bus(world.agenda, [world.node], adapter="ftdi-16ms")
        counters = client.exchange(world, tcp)
        assert client.got == read_answer()
        assert world.now_ns >= 30_000_000, "two packets of 62 bytes, and the last byte when the timer has run out"
        assert counters.lost_bytes == 0
        client.socket.close()

    def test_nobody_is_hung_up_on_while_time_stands_still(self) -> None:
        endpoint, turns = TcpEndpoint(idle_ns=1), []
        client = TcpClient(endpoint)

        class Stopped:
            ready = True

            def waits_on(self) -> tuple[int, ...]:
                return ()

            def turn(self, served: Served) -> None:
                served.pace.pause(served.world.now_ns)
                turns.append(client.poll())

        serve(FakeWorld(), [endpoint], stop=Until(lambda: len(turns) > 3), control=Stopped())  # type: ignore[arg-type]
        assert not client.hung_up
        client.socket.close()
        endpoint.close()


class TestTcp:
    def test_one_client_after_the_other(self, tcp: TcpEndpoint) -> None:
        world = FakeWorld()
        for _ in range(2):
            client = TcpClient(tcp)
            client.exchange(world, tcp)
            assert client.got == read_answer()
            client.socket.close()
            serve(world, [tcp], stop=Until(lambda: len(tcp.waits_on()) == 1))  # type: ignore[arg-type]

    def test_the_second_is_hung_up_on(self, tcp: TcpEndpoint) -> None:
        world, first = FakeWorld(), TcpClient(tcp)
        first.exchange(world, tcp)
        second = TcpClient(tcp)
        serve(world, [tcp], stop=Until(lambda: second.poll() or second.hung_up))  # type: ignore[arg-type]
        assert second.hung_up
        first.exchange(world, tcp)
        assert first.got == read_answer()
        first.socket.close()
        second.socket.close()

    def test_what_a_client_leaves_unread_is_not_for_the_next(self, tcp: TcpEndpoint) -> None:
        world, rude = FakeWorld(), TcpClient(tcp)
        rude.socket.sendall(read_request())
        serve(world, [tcp], stop=Until(lambda: world.node.heard))  # type: ignore[arg-type]
        rude.socket.close()
        serve(world, [tcp], stop=Until(lambda: len(tcp.waits_on()) == 1))  # type: ignore[arg-type]
        polite = TcpClient(tcp)
        serve(world, [tcp], stop=Until(lambda: len(tcp.waits_on()) == 2 and not world.bus.state.replies))  # type: ignore[arg-type]
        polite.exchange(world, tcp)
        assert polite.got[-125:] == read_answer()
        polite.socket.close()

    @pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::"])
    def test_only_loopback(self, host: str) -> None:
        with pytest.raises(EndpointError, match=r"reachable from other machines.*use 127\.0\.0\.1"):
            TcpEndpoint(host)

    def test_names_are_not_looked_up(self) -> None:
        with pytest.raises(EndpointError, match=r"'example\.org' is not an IP address"):
            TcpEndpoint("example.org")

    def test_a_port_that_is_taken(self, tcp: TcpEndpoint) -> None:
        port = int(tcp.url.rsplit(":", 1)[1])
        with pytest.raises(EndpointError, match=f"cannot listen on 127.0.0.1:{port}: .*choose another port"):
            TcpEndpoint(port=port)

    @pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.1:x", "127.0.0.1:70000", ":-1", "1:2:3"])
    def test_a_malformed_address(self, address: str) -> None:
        with pytest.raises(EndpointError, match="is not"), open_endpoints(Places(tcp=address)):
            pass


class TestPty:
    def test_a_fixed_baud_rate_is_compared_with_the_clients(self, pty: PtyEndpoint) -> None:
        world = FakeWorld()
        world.bus = Bus(world.agenda, [world.node], baud=115_200)
        with serial.Serial(pty.url, 9600, timeout=0) as port:
            port.write(read_request(5))
            serve(world, [pty], stop=Until(lambda: world.bus.state.counters.not_understood))  # type: ignore[arg-type]
            assert world.node.heard == []
            port.baudrate = 115_200
            port.write(read_request(5))
            serve(world, [pty], stop=Until(lambda: port.in_waiting == 15))  # type: ignore[arg-type]
            assert port.read(15) == read_answer(5)

    def test_bytes_pass_unchanged(self, pty: PtyEndpoint) -> None:
        everything = bytes(range(256))
        with serial.Serial(pty.url, timeout=0) as port:
            assert pty.send(everything) == 256
            assert port.read(300) == everything
            port.write(everything)
            assert pty.receive() == everything
        assert pty.receive() == b"", "a client that has gone is no error"

    def test_a_client_that_does_not_read_loses_bytes(self, pty: PtyEndpoint) -> None:
        taken = sum(pty.send(bytes(4096)) for _ in range(20))
        assert 0 < taken < 20 * 4096

    def test_the_link_leads_to_the_device_and_goes_with_it(self, tmp_path: Path) -> None:
        link = tmp_path / "press"
        link.symlink_to("/nowhere")
        with open_endpoints(Places(link=link)) as [endpoint]:
            assert endpoint.url == str(link)
            assert os.path.samefile(link, os.readlink(link))
            with serial.Serial(str(link)) as port:
                port.write(b"x")
            assert endpoint.receive() == b"x"
        assert list(tmp_path.iterdir()) == []

    def test_a_file_is_not_overwritten(self, tmp_path: Path) -> None:
        link = tmp_path / "press"
        link.write_text("precious")
        with pytest.raises(EndpointError, match="exists and is not a symbolic link"):
            PtyEndpoint(link)
        assert link.read_text() == "precious"

    def test_a_link_that_somebody_took_over_stays(self, tmp_path: Path) -> None:
        link = tmp_path / "press"
        first, second = PtyEndpoint(link), PtyEndpoint(link)
        first.close()
        assert os.readlink(link) == second.device
        second.close()
        second.close()
        assert not link.is_symlink()

    def test_a_link_that_cannot_be_made(self, tmp_path: Path) -> None:
        with pytest.raises(EndpointError, match=r"cannot make the link .*there is no folder"):
            PtyEndpoint(tmp_path / "no" / "press")


class TestMainLoop:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_ends_it_cleanly(self, number: signal.Signals) -> None:
        before = signal.getsignal(number)
        with open_endpoints(Places(tcp="0")) as endpoints:
            counters = main_loop(
                FakeWorld(),  # type: ignore[arg-type]
                endpoints,
                announce=lambda: os.kill(os.getpid(), number),
            )
        assert counters.received_bytes == 0
        assert signal.getsignal(number) is before
