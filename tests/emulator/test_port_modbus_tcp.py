"""The Modbus TCP gateway, asked by raw bytes: frames whole, cut and wrong, several clients, silent units.

Clients live in the condition that the loop asks again and again: no thread, no sleep.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.bus import Bus
from emulator.ports import modbus_tcp
from emulator.ports.mbap import Adu, MbapError, split
from emulator.ports.modbus_tcp import ModbusTcpEndpoint
from emulator.wire.faults import Fault
from tests.emulator.fakes import FakeWorld
from tests.emulator.served import Client, serve_until

READ_TWO = bytes.fromhex("03 0005 0002")
TWO = bytes.fromhex("03 04 0005 0006")


@pytest.fixture
def gateway() -> Iterator[ModbusTcpEndpoint]:
    endpoint = ModbusTcpEndpoint()
    yield endpoint
    endpoint.close()


@pytest.fixture
def client(gateway: ModbusTcpEndpoint) -> Iterator[Client]:
    opened = Client(gateway)
    yield opened
    opened.close()


def request(transaction: int, unit: int = 1, pdu: bytes = READ_TWO) -> bytes:
    return Adu(transaction, unit, pdu).encode()


def answers(client: Client) -> list[Adu]:
    return list(split(bytearray(client.poll())))


def ask(world: FakeWorld, gateway: ModbusTcpEndpoint, client: Client, data: bytes, count: int = 1) -> list[Adu]:
    """What is answered to bytes; at fifty times the speed, since a silent unit is given a second."""
    client.got = b""
    client.say(data)
    serve_until(world, [gateway], lambda: len(answers(client)) >= count, speed=50.0)
    return answers(client)


class TestFrames:
    def test_the_guides_example(self) -> None:
        data = bytearray.fromhex("1501 0000 0006 ff 03 0004 0001")
        assert list(split(data)) == [Adu(0x1501, 0xFF, bytes.fromhex("03 0004 0001"))]
        assert data == b""

    @given(
        st.lists(
            st.builds(Adu, st.integers(0, 0xFFFF), st.integers(0, 255), st.binary(min_size=1, max_size=253)),
            max_size=5,
        ),
        st.data(),
    )
    def test_frames_come_out_as_they_went_in_however_they_are_cut(self, frames: list[Adu], data: st.DataObject) -> None:
        stream = b"".join(frame.encode() for frame in frames)
        buffer, found = bytearray(), []
        while stream:
            count = data.draw(st.integers(1, len(stream)))
            buffer += stream[:count]
            stream = stream[count:]
            found += split(buffer)
        assert found == frames

    @given(st.binary(max_size=600))
    def test_any_bytes_are_frames_or_an_error(self, data: bytes) -> None:
        buffer = bytearray(data)
        try:
            list(split(buffer))
        except MbapError:
            return
        assert len(buffer) < 260

    @pytest.mark.parametrize("length", [0, 1, 255, 0xFFFF])
    def test_a_length_that_cannot_be(self, length: int) -> None:
        with pytest.raises(MbapError, match=f"a length of {length}"):
            list(split(bytearray(b"\0\1\0\0" + length.to_bytes(2, "big") + b"\1\3")))

    def test_another_protocol_is_dropped(self) -> None:
        assert list(split(bytearray.fromhex("0001 0001 0003 0103aa") + request(2))) == [Adu(2, 1, READ_TWO)]


class TestGateway:
    def test_an_answer_has_the_transaction_and_unit_of_its_request(
        self, gateway: ModbusTcpEndpoint, client: Client
    ) -> None:
        assert ask(FakeWorld(), gateway, client, request(0xABCD)) == [Adu(0xABCD, 1, TWO)]

    def test_requests_in_one_go_are_answered_in_order(self, gateway: ModbusTcpEndpoint, client: Client) -> None:
        world = FakeWorld()
        stream = b"".join(request(number) for number in range(60))
        assert ask(world, gateway, client, stream, 60) == [Adu(number, 1, TWO) for number in range(60)]
        assert world.bus.state.counters.collisions == 0
        assert world.bus.state.counters.requests == 60

    def test_a_request_may_come_byte_by_byte(self, gateway: ModbusTcpEndpoint, client: Client) -> None:
        world, left = FakeWorld(), bytearray(request(9))

        def drip() -> bool:
            if left:
                client.say(bytes([left.pop(0)]))
            return bool(answers(client))

        serve_until(world, [gateway], drip)
        assert answers(client) == [Adu(9, 1, TWO)]

    def test_the_nodes_exceptions_pass(self, gateway: ModbusTcpEndpoint, client: Client) -> None:
        unknown = request(3, pdu=b"\x63")
        assert ask(FakeWorld(), gateway, client, unknown) == [Adu(3, 1, b"\xe3\x01")]

    def test_a_unit_that_is_not_there_is_exception_11_and_the_next_request_is_served(
        self, gateway: ModbusTcpEndpoint, client: Client
    ) -> None:
        world = FakeWorld()
        assert ask(world, gateway, client, request(1, unit=7) + request(2), 2) == [
            Adu(1, 7, b"\x83\x0b"),
            Adu(2, 1, TWO),
        ]
        assert world.now_ns >= modbus_tcp.ANSWER_NS

    def test_units_that_cannot_be_on_a_line_are_exception_10(self, gateway: ModbusTcpEndpoint, client: Client) -> None:
        assert ask(FakeWorld(), gateway, client, request(1, unit=248)) == [Adu(1, 248, b"\x83\x0a")]

    def test_unit_255_is_the_press(self, gateway: ModbusTcpEndpoint, client: Client) -> None:
        assert ask(FakeWorld(), gateway, client, request(1, unit=255)) == [Adu(1, 255, TWO)]

    def test_a_broadcast_is_heard_and_not_answered(self, gateway: ModbusTcpEndpoint, client: Client) -> None:
        world = FakeWorld()
        write = request(1, unit=0, pdu=bytes.fromhex("06 0005 002a"))
        assert ask(world, gateway, client, write + request(2)) == [Adu(2, 1, bytes.fromhex("03 04 002a 0006"))]

    @pytest.mark.parametrize("kind", ["garbled", "lost_frame", "truncated"])
    def test_a_damaged_answer_is_exception_11(self, gateway: ModbusTcpEndpoint, client: Client, kind: str) -> None:
        world = FakeWorld()
        world.bus.inject(Fault(kind))
        assert ask(world, gateway, client, request(1) + request(2), 2) == [Adu(1, 1, b"\x83\x0b"), Adu(2, 1, TWO)]

    @pytest.mark.parametrize("kind", ["foreign", "split", "delayed"])
    def test_an_answer_that_is_late_in_halves_or_behind_anothers_is_found(
        self, gateway: ModbusTcpEndpoint, client: Client, kind: str
    ) -> None:
        world = FakeWorld()
        world.bus.inject(Fault(kind))
        assert ask(world, gateway, client, request(1)) == [Adu(1, 1, TWO)]

    def test_the_echo_of_an_adapter_is_no_answer(self, gateway: ModbusTcpEndpoint, client: Client) -> None:
        world = FakeWorld()
        world.bus = Bus(world.agenda, [world.node], adapter="ideal+echo")
        assert ask(world, gateway, client, request(1) + request(2, unit=9), 2) == [
            Adu(1, 1, TWO),
            Adu(2, 9, b"\x83\x0b"),
        ]

    def test_a_pulled_adapter_is_exception_11(self, gateway: ModbusTcpEndpoint, client: Client) -> None:
        world = FakeWorld()
        world.bus.unplug()
        assert ask(world, gateway, client, request(1)) == [Adu(1, 1, b"\x83\x0b")]
        assert world.node.heard == []
        world.bus.plug()
        assert ask(world, gateway, client, request(2)) == [Adu(2, 1, TWO)]


class TestClients:
    def test_several_are_served_in_turn_and_get_their_own_answers(self, gateway: ModbusTcpEndpoint) -> None:
        world, clients = FakeWorld(), [Client(gateway) for _ in range(4)]
        for number, client in enumerate(clients):
            client.say(
                b"".join(request(number, pdu=bytes([3, 0, 10 * number + k, 0, 1])) for k in range(5)),
            )
        serve_until(world, [gateway], lambda: min(len(answers(client)) for client in clients) == 5, speed=50.0)
        for number, client in enumerate(clients):
            assert answers(client) == [Adu(number, 1, bytes([3, 2, 0, 10 * number + k])) for k in range(5)]
            client.close()
        assert world.bus.state.counters.collisions == 0
        first_four = {heard.address // 10 for _, heard in world.node.heard[:4]}  # type: ignore[union-attr]
        assert first_four == {0, 1, 2, 3}

    def test_a_length_that_cannot_be_ends_the_connection_and_no_other(
        self, gateway: ModbusTcpEndpoint, client: Client
    ) -> None:
        world, liar = FakeWorld(), Client(gateway)
        liar.say(request(1) + b"\0\2\0\0\xff\xff\1\3")
        serve_until(world, [gateway], liar.is_hung_up_on)
        assert ask(world, gateway, client, request(5)) == [Adu(5, 1, TWO)]
        liar.close()

    def test_one_too_many_is_hung_up_on(self, gateway: ModbusTcpEndpoint) -> None:
        world = FakeWorld()
        clients = [Client(gateway) for _ in range(modbus_tcp.MOST_CLIENTS + 1)]
        serve_until(world, [gateway], clients[-1].is_hung_up_on)
        assert not any(client.is_hung_up_on() for client in clients[:-1])
        assert ask(world, gateway, clients[0], request(5)) == [Adu(5, 1, TWO)]
        for client in clients:
            client.close()

    def test_one_that_leaves_while_it_waits_disturbs_nobody(self, gateway: ModbusTcpEndpoint, client: Client) -> None:
        world, rude = FakeWorld(), Client(gateway)
        rude.say(request(1))
        serve_until(world, [gateway], lambda: world.bus.due_ns is not None)
        rude.close()
        assert ask(world, gateway, client, request(5)) == [Adu(5, 1, TWO)]

    def test_one_that_has_said_everything_gets_its_answers_before_it_is_hung_up_on(
        self, gateway: ModbusTcpEndpoint, client: Client
    ) -> None:
        client.say(request(1) + request(2) + request(3))
        client.socket.shutdown(socket.SHUT_WR)
        serve_until(FakeWorld(), [gateway], client.is_hung_up_on, speed=50.0)
        assert answers(client) == [Adu(1, 1, TWO), Adu(2, 1, TWO), Adu(3, 1, TWO)]

    def test_one_that_says_nothing_is_hung_up_on(self) -> None:
        gateway = ModbusTcpEndpoint(idle_ns=10_000_000)
        silent = Client(gateway)
        serve_until(FakeWorld(), [gateway], silent.is_hung_up_on)
        silent.close()
        gateway.close()

    def test_one_that_does_not_read_is_not_read_either_and_then_hung_up_on(self, gateway: ModbusTcpEndpoint) -> None:
        world, deaf = FakeWorld(), Client(gateway)
        stream = request(1, unit=250, pdu=b"\3" * 253) * 20  # refused at once: answers without the line

        def flood() -> bool:
            try:
                deaf.socket.send(stream)
            except BlockingIOError:
                pass
            except OSError:
                return True
            return False

        serve_until(world, [gateway], flood)
        deaf.close()
