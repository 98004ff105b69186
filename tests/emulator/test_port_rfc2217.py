"""The remote serial port: the settings of pyserial's client reach the virtual line; bytes that are not telnet."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import serial
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.bus import Bus
from emulator.ports.rfc2217 import LONGEST_UNSENT, Rfc2217Endpoint
from rig.protocol import ReadHoldingRegisters, ReadHoldingRegistersResponse, encode_frame
from tests.emulator.fakes import FakeWorld, read_answer, read_request
from tests.emulator.served import Client, in_thread, serve_until

pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name):DeprecationWarning")  # pyserial 3.5


@pytest.fixture
def endpoint() -> Iterator[Rfc2217Endpoint]:
    opened = Rfc2217Endpoint()
    yield opened
    opened.close()


def test_a_clients_settings_reach_the_line(endpoint: Rfc2217Endpoint) -> None:
    world = FakeWorld()
    with in_thread(world, [endpoint]), serial.serial_for_url(endpoint.url, 38_400, timeout=2) as port:
        port.write(read_request(5))
        assert port.read(15) == read_answer(5)
        assert (world.bus.state.line.baud, world.bus.state.line.parity) == (38_400, "N")
        port.apply_settings({"baudrate": 9600, "parity": "E", "stopbits": 2, "bytesize": 7})
        port.write(b"x")
        port.timeout = 0.1
        assert port.read(1) == b""
    line = world.bus.state.line
    assert (line.baud, line.parity, line.stop_bits, line.data_bits) == (9600, "E", 2, 7)


def test_a_wrong_baud_rate_is_not_understood_until_it_is_corrected(endpoint: Rfc2217Endpoint) -> None:
    world = FakeWorld()
    world.bus = Bus(world.agenda, [world.node], baud=115_200)
    with in_thread(world, [endpoint]), serial.serial_for_url(endpoint.url, 9600, timeout=0.1) as port:
        port.write(read_request(5))
        assert port.read(15) == b""
        assert world.node.heard == []
        assert world.bus.state.counters.not_understood == 1
        port.baudrate = 115_200
        port.timeout = 2
        port.write(read_request(5))
        assert port.read(15) == read_answer(5)


def test_bytes_that_telnet_would_take_for_commands_pass(endpoint: Rfc2217Endpoint) -> None:
    world = FakeWorld()
    world.node.registers[:4] = [0xFFFF, 0xFFFD, 0xFF00, 0x0D0A]
    with in_thread(world, [endpoint]), serial.serial_for_url(endpoint.url, 115_200, timeout=2) as port:
        port.write(encode_frame(1, ReadHoldingRegisters(0, 4)))
        assert port.read(13) == encode_frame(1, ReadHoldingRegistersResponse((0xFFFF, 0xFFFD, 0xFF00, 0x0D0A)))
        assert world.node.heard


def test_a_break_holds_the_line_and_ends_with_the_client(endpoint: Rfc2217Endpoint) -> None:
    world = FakeWorld()
    with in_thread(world, [endpoint]):
        port = serial.serial_for_url(endpoint.url, 115_200, timeout=0.1)
        port.break_condition = True
        port.write(read_request(5))
        assert port.read(1) == b""
        assert world.bus.state.counters.breaks == 1
        assert world.node.heard == []
        port.close()
    serve_until(world, [endpoint], lambda: world.bus.state.break_ns is None)


def test_a_second_client_is_hung_up_on(endpoint: Rfc2217Endpoint) -> None:
    world, first = FakeWorld(), Client(endpoint)
    serve_until(world, [endpoint], first.poll)
    second = Client(endpoint)
    serve_until(world, [endpoint], second.is_hung_up_on)
    assert not first.is_hung_up_on()
    first.close()
    second.close()


@pytest.mark.parametrize(
    "data",
    [b"\xff\xf0", b"\xff\xfa\x2c\x01\xff\xf0", b"\xff\xfa\x2c\x03\x09\xff\xf0", b"\xff\xfa" + b"x" * 300],
    ids=["end of nothing", "no baud rate", "no such parity", "an option without end"],
)
def test_what_is_not_telnet_is_hung_up_on_and_the_next_is_served(endpoint: Rfc2217Endpoint, data: bytes) -> None:
    world, client = FakeWorld(), Client(endpoint)
    client.say(data)
    serve_until(world, [endpoint], client.is_hung_up_on)
    client.close()
    following = Client(endpoint)
    following.say(read_request(5))
    serve_until(world, [endpoint], lambda: read_answer(5) in following.poll())
    following.close()


@pytest.mark.parametrize(
    ("option", "value", "answer"),
    [
        (1, bytes(4), 19_200),
        (1, b"\x7f\xff\xff\xfe", 19_200),
        (2, b"\x09", 8),
        (1, (57_600).to_bytes(4, "big"), 57_600),
    ],
    ids=["asked", "too fast", "nine bits", "set"],
)
def test_a_client_is_told_what_holds(endpoint: Rfc2217Endpoint, option: int, value: bytes, answer: int) -> None:
    client = Client(endpoint)
    client.say(b"\xff\xfa\x2c" + bytes([option]) + value.replace(b"\xff", b"\xff\xff") + b"\xff\xf0")
    told = re.compile(rb"\xff\xfa\x2c" + bytes([100 + option]) + rb"(.*?)\xff\xf0", re.DOTALL)
    serve_until(FakeWorld(), [endpoint], lambda: told.search(client.poll()))
    found = told.search(client.got)
    assert found
    assert int.from_bytes(found[1], "big") == answer
    client.close()


def test_one_that_does_not_read_is_hung_up_on(endpoint: Rfc2217Endpoint) -> None:
    world, deaf = FakeWorld(), Client(endpoint)
    serve_until(world, [endpoint], lambda: len(endpoint.waits_on()) == 2)
    sent = 0
    while len(endpoint.waits_on()) == 2 and sent < 100 * 2**20:
        sent += endpoint.send(bytes(LONGEST_UNSENT))
    assert len(endpoint.waits_on()) == 1
    deaf.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from([b"\xff", b"\xfa", b"\xf0", b"\x2c", b"\x00", b"\x01", b"\x05", b"\xfd", b"\x08"]), max_size=60
    )
)
def test_no_bytes_end_the_endpoint(endpoint: Rfc2217Endpoint, pieces: list[bytes]) -> None:
    world, client = FakeWorld(), Client(endpoint)
    client.say(b"".join(pieces))
    client.close()
    following = Client(endpoint)
    serve_until(world, [endpoint], following.poll)
    following.say(read_request(5))
    serve_until(world, [endpoint], lambda: read_answer(5) in following.poll())
    following.close()
