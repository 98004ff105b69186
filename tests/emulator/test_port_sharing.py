"""Several endpoints on one line: who talks when, and what becomes of them when the adapter is pulled."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from emulator.ports.paced import Endpoint
from emulator.ports.pty import PtyEndpoint
from emulator.ports.serve import Places, open_endpoints
from emulator.ports.tcp import TcpEndpoint
from emulator.wire.faults import Fault
from tests.emulator.fakes import FakeWorld, read_answer, read_request
from tests.emulator.served import Client, serve_until


@pytest.fixture
def pair() -> Iterator[list[TcpEndpoint]]:
    endpoints = [TcpEndpoint(), TcpEndpoint()]
    yield endpoints
    for endpoint in endpoints:
        endpoint.close()


class TestMasters:
    def test_requests_at_the_same_time_follow_one_another(self, pair: list[TcpEndpoint]) -> None:
        world, clients = FakeWorld(), [Client(endpoint) for endpoint in pair]
        for number in range(10):
            for which, client in enumerate(clients):
                client.got = b""
                client.say(read_request(20, address=100 * which + number))
            serve_until(world, pair, lambda: min(len(client.poll()) for client in clients) >= 45, speed=20.0)
            for which, client in enumerate(clients):
                assert client.got == read_answer(20, address=100 * which + number)
        counters = world.bus.state.counters
        assert (counters.requests, counters.replies, counters.collisions) == (20, 20, 0)
        for client in clients:
            client.close()

    def test_one_waits_while_the_others_answer_is_late(self, pair: list[TcpEndpoint]) -> None:
        world, (first, second) = FakeWorld(), [Client(endpoint) for endpoint in pair]
        world.bus.inject(Fault("delayed", amount=0.5))
        first.say(read_request(5))
        said, order = [], []

        def second_is_answered() -> bool:
            if world.bus.state.replies and not said:
                said.append(second.say(read_request(6)))
            order.extend([name for name, client in (("first", first), ("second", second)) if client.poll()])
            return len(second.got) == 17

        serve_until(world, pair, second_is_answered, speed=20.0)
        assert order[0] == "first"
        assert (first.got, second.got) == (read_answer(5), read_answer(6))
        assert world.bus.state.counters.collisions == 0
        first.close()
        second.close()

    def test_a_line_that_never_falls_silent_is_given_up_on(self, pair: list[TcpEndpoint]) -> None:
        world, (first, second) = FakeWorld(), [Client(endpoint) for endpoint in pair]
        world.bus.inject(Fault("babble", amount=3600.0, after_s=0.1))
        first.say(read_request(5))
        said = []

        def second_hears_something() -> bytes:
            if len(first.poll()) > 15 and not said:
                said.append(second.say(read_request(6)))
            return second.poll()

        # a moment of silence between two bytes is enough, and five seconds without one
        serve_until(world, pair, second_hears_something, speed=50.0)
        first.close()
        second.close()

    def test_one_that_talks_and_talks_is_read_no_faster_than_the_line_goes_and_hung_up_on(
        self, pair: list[TcpEndpoint]
    ) -> None:
        world, (endless, other) = FakeWorld(), [Client(endpoint) for endpoint in pair]
        waiting: list[int] = []

        def other_is_answered() -> bool:
            if not endless.hung_up:
                endless.say(bytes(1 << 16))
                waiting.append(world.bus.out_waiting(world.now_ns))
                if endless.is_hung_up_on():
                    other.say(read_request(6))
            return len(other.poll()) == 17

        serve_until(world, pair, other_is_answered, speed=20.0)
        assert endless.hung_up
        assert 0 < max(waiting) < 10_000
        endless.close()
        assert other.got == read_answer(6)
        other.close()

    def test_one_that_leaves_does_not_take_the_others_answer_away(self, pair: list[TcpEndpoint]) -> None:
        world, (first, second) = FakeWorld(), [Client(endpoint) for endpoint in pair]
        serve_until(world, pair, lambda: min(len(endpoint.waits_on()) for endpoint in pair) == 2)
        first.say(read_request(100))
        serve_until(world, pair, lambda: world.bus.state.replies)
        second.close()
        serve_until(world, pair, lambda: len(first.poll()) == 205)
        assert first.got == read_answer(100)
        first.close()

    def test_all_kinds_may_be_open(self, tmp_path: Path) -> None:
        places = Places(link=tmp_path / "press", tcp="0", modbus_tcp="0", rfc2217="0")
        with open_endpoints(places) as endpoints:
            assert [endpoint.url.partition(":")[0] for endpoint in endpoints[1:]] == ["socket", "modbus-tcp", "rfc2217"]
            assert endpoints[0].url == str(tmp_path / "press")
            world, client = FakeWorld(), Client(endpoints[1])
            client.say(read_request(5))
            serve_until(world, endpoints, lambda: len(client.poll()) == 15)
            client.close()
        assert list(tmp_path.iterdir()) == []


class TestUnplugged:
    def test_a_pseudo_terminal_goes_and_comes_back_under_its_link(self, tmp_path: Path) -> None:
        world, link = FakeWorld(), tmp_path / "press"
        endpoint: Endpoint = PtyEndpoint(link)
        port = serial.Serial(str(link), 115_200, timeout=1)
        number = world.bus.inject(Fault("unplugged", amount=100.0))
        serve_until(world, [endpoint], lambda: not link.is_symlink())
        with pytest.raises(serial.SerialException, match="device reports readiness to read but returned no data"):
            port.read(1)
        port.close()
        with pytest.raises(serial.SerialException, match="No such file"):
            serial.Serial(str(link))
        world.bus.withdraw(number)
        serve_until(world, [endpoint], link.exists)
        with serial.Serial(str(link), 115_200, timeout=0) as again:
            again.write(read_request(5))
            serve_until(world, [endpoint], lambda: again.in_waiting == 15)
            assert again.read(15) == read_answer(5)
        endpoint.close()
        assert not link.is_symlink()

    def test_put_back_under_another_name_there_is_a_link_of_that_name(self, tmp_path: Path) -> None:
        world, link, other = FakeWorld(), tmp_path / "ttyUSB0", tmp_path / "ttyUSB1"
        endpoint = PtyEndpoint(link)
        number = world.bus.inject(Fault("unplugged", amount=100.0, device="ttyUSB1"))
        serve_until(world, [endpoint], lambda: not link.is_symlink())
        world.bus.withdraw(number)
        serve_until(world, [endpoint], other.is_symlink)
        assert (list(tmp_path.iterdir()), endpoint.url) == ([other], str(other))
        with serial.Serial(str(other), 115_200, timeout=0) as port:
            port.write(read_request(5))
            serve_until(world, [endpoint], lambda: port.in_waiting == 15)
        endpoint.close()
        assert list(tmp_path.iterdir()) == []

    def test_a_link_that_is_in_the_way_when_it_comes_back_is_left_alone(self, tmp_path: Path) -> None:
        world, link = FakeWorld(), tmp_path / "press"
        endpoint = PtyEndpoint(link)
        world.bus.unplug()
        serve_until(world, [endpoint], lambda: not link.is_symlink())
        link.write_text("precious")
        world.bus.plug()
        turns: list[int] = []
        serve_until(world, [endpoint], lambda: turns.append(1) or len(turns) > 3)
        assert link.read_text() == "precious"
        link.unlink()
        serve_until(world, [endpoint], link.is_symlink)
        assert os.path.samefile(link, endpoint.device)
        endpoint.close()

    def test_a_client_on_the_network_is_hung_up_on_until_it_is_back(self) -> None:
        world, endpoint = FakeWorld(), TcpEndpoint()
        client = Client(endpoint)
        serve_until(world, [endpoint], lambda: len(endpoint.waits_on()) == 2)
        world.bus.unplug()
        serve_until(world, [endpoint], client.is_hung_up_on)
        client.close()
        second = Client(endpoint)
        serve_until(world, [endpoint], second.is_hung_up_on)
        second.close()
        world.bus.plug()
        turns: list[int] = []
        serve_until(world, [endpoint], lambda: turns.append(1) or len(turns) > 1)
        third = Client(endpoint)
        third.say(read_request(5))
        serve_until(world, [endpoint], lambda: len(third.poll()) == 15)
        third.close()
        endpoint.close()
