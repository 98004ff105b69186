"""When an adapter lets a program read what has arrived, and what that does to programs that guess at frames."""

from __future__ import annotations

import contextlib
import errno
from dataclasses import replace

import pytest
import serial
from hypothesis import given
from hypothesis import strategies as st

from emulator.bus import Bus, LineSettings
from emulator.ports import register
from emulator.ports.protocol_emu import Serial, port_on
from emulator.ports.url import parse_url
from emulator.state import copied
from emulator.wire.adapters import ADAPTERS, MS_NS, adapter_named, readable_ns
from emulator.wire.faults import Fault, FaultError
from emulator.world import World, WorldConfig
from rig.protocol import has_valid_crc
from tests.emulator.fakes import FakeWorld, read_answer, read_request

LINE = LineSettings(115_200, parity="N")
SECOND_NS = 1_000_000_000
ANSWER = read_answer()


def world_with(adapter: str, seed: int = 0) -> FakeWorld:
    """A fake node behind an adapter."""
    world = FakeWorld()
    world.bus = Bus(world.agenda, [world.node], adapter=adapter, seed=seed)
    return world


def ask_by_pause(port: serial.SerialBase, pause_s: float) -> bytes:
    """What a program takes for the answer that ends a frame at the first pause of this length."""
    port.inter_byte_timeout = pause_s
    port.write(read_request())
    return bytes(port.read(1000))


class TestWhenBytesCanBeRead:
    @given(
        st.sampled_from(sorted(ADAPTERS)),
        st.lists(st.integers(1, 40 * MS_NS), min_size=1, max_size=200),
        st.integers(0, 10**9),
    )
    def test_never_before_they_arrive_and_in_order_and_not_for_ever(
        self, name: str, gaps_ns: list[int], packet_ns: int
    ) -> None:
        adapter, arrivals_ns = ADAPTERS[name], []
        now_ns = packet_ns
        for gap_ns in gaps_ns:
            now_ns += gap_ns
            arrivals_ns.append(now_ns)
        times, last_ns = readable_ns(adapter, arrivals_ns, LINE.char_ns, packet_ns, lambda: 0.999)
        assert times == sorted(times)
        assert all(seen >= came for seen, came in zip(times, arrivals_ns, strict=True))
        assert last_ns >= packet_ns
        if adapter.timer_ns:
            assert all(seen - came <= adapter.timer_ns for seen, came in zip(times, arrivals_ns, strict=True))

    def test_an_ideal_adapter_passes_every_byte_on_at_once(self) -> None:
        times, _ = readable_ns(ADAPTERS["ideal"], [10, 20, 30], 10, 0, lambda: 0.5)
        assert times == [10, 20, 30]

    def test_an_ftdi_chip_sends_full_packets_at_once_and_the_rest_when_its_timer_runs_out(self) -> None:
        world = world_with("ftdi-16ms")
        world.bus.transmit(read_request(), LINE)
        assert world.bus.due_ns is not None
        world.run_until(world.bus.due_ns)
        start_ns = world.bus.state.replies[0].start_ns
        # 125 bytes: the timer runs out within the first packet or not, later there are at most 62 in a row
        times = world.bus.state.replies[0].readable_ns
        assert times is not None
        assert len(times) == len(ANSWER) == 125
        packets = sorted(set(times))
        assert max(times.count(packet) for packet in packets) <= 62
        assert packets[-1] - start_ns <= LINE.span_ns(125) + 16 * MS_NS
        assert packets[-1] - packets[-2] <= 16 * MS_NS

    @pytest.mark.parametrize("name", sorted(ADAPTERS))
    def test_the_whole_answer_comes_through_every_adapter(self, name: str) -> None:
        port = port_on(world_with(name), baudrate=115_200, timeout=1.0)  # type: ignore[arg-type]
        port.write(read_request())
        assert port.read(len(ANSWER)) == ANSWER

    def test_a_copy_goes_on_with_the_same_times(self) -> None:
        world = world_with("os-jitter", seed=5)
        world.bus.transmit(read_request(), LINE)
        world.run_until(SECOND_NS)
        twin = FakeWorld(start_ns=SECOND_NS)
        twin.bus = world.bus.with_state(copied(world.bus.state), twin.agenda, [twin.node])
        for one in (world, twin):
            one.bus.transmit(read_request(), LINE)
            one.run_until(2 * SECOND_NS)
        assert world.bus.state == twin.bus.state

    def test_a_plus_in_a_url_is_a_plus(self) -> None:
        assert parse_url("emu://?adapter=fifo-8+echo").adapter == "fifo-8+echo"
        assert parse_url("emu://?adapter=fifo-8%2Becho").adapter == "fifo-8+echo"
        assert parse_url("emu://?machine=my%20machine.toml").machine == "my machine.toml"

    def test_an_adapter_that_does_not_exist_is_refused_with_those_that_do(self) -> None:
        with pytest.raises(ValueError, match="it must be one of ideal, ftdi-16ms"):
            adapter_named("ftdi")
        with pytest.raises(ValueError, match="it must be one of"):
            WorldConfig(adapter="ideal+echo+echo")


class TestFieldProblems:
    def test_a_frame_that_ends_with_10_ms_of_silence_is_whole_on_a_uart_and_cut_by_an_ftdi_chip(self) -> None:
        # pymodbus pull request 880: the rule works until somebody uses such an adapter
        good = port_on(world_with("ideal"), baudrate=115_200, timeout=1.0)  # type: ignore[arg-type]
        assert [ask_by_pause(good, 0.010) for _ in range(5)] == [ANSWER] * 5
        bad = port_on(world_with("ftdi-16ms"), baudrate=115_200, timeout=1.0)  # type: ignore[arg-type]
        heard = [ask_by_pause(bad, 0.010) for _ in range(5)]
        assert any(not has_valid_crc(frame) for frame in heard)

    def test_a_timer_of_1_ms_mends_it(self) -> None:
        port = port_on(world_with("ftdi-1ms"), baudrate=115_200, timeout=1.0)  # type: ignore[arg-type]
        assert [ask_by_pause(port, 0.010) for _ in range(5)] == [ANSWER] * 5

    def test_an_adapter_that_hears_itself_reads_the_request_before_the_answer(self) -> None:
        port = port_on(world_with("ideal+echo"), baudrate=115_200, timeout=0.5)  # type: ignore[arg-type]
        port.write(read_request())
        assert port.read(1000) == read_request() + ANSWER

    def test_a_foreign_unit_answers_first(self) -> None:
        # pymodbus issue 2539: somebody else's frame on the line belongs to nobody here
        world = world_with("ideal")
        world.bus.inject(Fault("foreign", 2))
        port = port_on(world, baudrate=115_200, timeout=0.5)  # type: ignore[arg-type]
        port.write(read_request())
        heard = port.read(1000)
        assert heard[0] == 2
        assert heard.endswith(ANSWER)


class TestPullingThePlug:
    def open(self) -> tuple[FakeWorld, Serial]:
        world = FakeWorld()
        return world, port_on(world, baudrate=115_200, timeout=1.0)  # type: ignore[arg-type]

    def test_a_read_ends_at_that_moment_with_what_pyserial_says(self) -> None:
        world, port = self.open()
        world.bus.inject(Fault("unplugged", after_s=0.25))
        with pytest.raises(serial.SerialException, match="device disconnected or multiple access"):
            port.read(1)
        assert world.now_ns == SECOND_NS // 4

    @given(st.floats(0.0, 0.02))
    def test_at_any_moment_of_an_exchange_every_call_fails_until_the_port_is_opened_again(self, when_s: float) -> None:
        world, port = self.open()
        port.write(read_request())
        world.bus.inject(Fault("unplugged", 0.1, after_s=when_s))
        world.run_until(world.now_ns + 20_000_000)
        for call in (lambda: port.read(1), lambda: port.write(b"x"), port.flush, lambda: port.in_waiting):
            with pytest.raises(OSError, match=r"disconnected|Errno 5"):
                call()
        with pytest.raises(serial.SerialException, match="No such file"):
            port.close()
            port.open()
        world.run_until(world.now_ns + SECOND_NS)
        port.open()
        port.write(read_request())
        assert port.read(len(ANSWER)) == ANSWER

    def test_a_port_that_was_open_stays_dead_when_the_adapter_is_back(self) -> None:
        world, port = self.open()
        world.bus.inject(Fault("unplugged", 0.1))
        world.run_until(SECOND_NS)
        with pytest.raises(serial.SerialException):
            port.read(1)
        with pytest.raises(OSError, match="Input/output error") as caught:
            _ = port.in_waiting
        assert caught.value.errno == errno.EIO

    def test_under_another_name_it_is_found_by_a_pattern_and_not_by_its_old_name(self) -> None:
        world, any_port = self.open()
        states = {url: replace(any_port.state, device=url) for url in ("ttyUSB0", "ttyUSB1", "ttyUSB*", "")}
        any_port.close()
        ports = {name: Serial._standing(world, state) for name, state in states.items()}  # type: ignore[arg-type]

        def found() -> set[str]:
            names = set()
            for name, port in ports.items():
                port.close()
                with contextlib.suppress(serial.SerialException):
                    port.open()
                    names.add(name)
            return names

        assert found() == {"ttyUSB0", "ttyUSB*", ""}
        world.bus.inject(Fault("unplugged", 0.1, device="ttyUSB1"))
        assert found() == set()
        world.run_until(SECOND_NS)
        assert found() == {"ttyUSB1", "ttyUSB*", ""}
        world.bus.inject(Fault("unplugged", 0.1))
        world.run_until(2 * SECOND_NS)
        assert found() == {"ttyUSB1", "ttyUSB*", ""}, "it keeps the name that it got last"

    @pytest.mark.parametrize(
        ("kind", "device", "words"),
        [
            ("unplugged", "../null", "must be a name such as ttyUSB1, and no path"),
            ("unplugged", "", "must be a name"),
            ("unplugged", ".hidden", "must be a name"),
            ("noise", "ttyUSB1", "gives no device another name"),
        ],
    )
    def test_a_name_that_cannot_be_is_told(self, kind: str, device: str, words: str) -> None:
        with pytest.raises(FaultError, match=words):
            Fault(kind, device=device)


class TestAWorldWithoutSupply:
    def running(self) -> World:
        world = World(WorldConfig(start="running"))
        world.run_until(SECOND_NS)
        return world

    def test_the_press_opens_and_brakes_and_the_node_starts_anew(self) -> None:
        world = self.running()
        world.bus.inject(Fault("brown_out", 2.0))
        world.run_until(2 * SECOND_NS)
        heartbeat = world.node.bank["node_heartbeat"]
        assert world.node.commands.dump
        assert world.node.commands.brake
        assert not world.node.commands.zone_output.any()
        world.run_until(2 * SECOND_NS + SECOND_NS // 2)
        assert world.node.bank["node_heartbeat"] == heartbeat
        world.run_until(4 * SECOND_NS)
        assert world.node.bank["uptime_s"] == 1
        assert world.node.bank["mode"] == "off"
        assert world.node.bank["press_identity"] == "virtual"
        assert world.node.bank["heating_enable"] is False
        assert world.truth.signals()["upper_belt_speed_m_min"] == 0.0

    def test_a_snapshot_in_the_dark_goes_on_the_same(self) -> None:
        world = self.running()
        world.bus.inject(Fault("brown_out", 1.0))
        world.bus.inject(Fault("noise", times=None))
        world.run_until(world.now_ns + SECOND_NS // 2)
        twin = World.restore(world.snapshot())
        for one in (world, twin):
            one.run_until(4 * SECOND_NS)
        assert world.snapshot() == twin.snapshot()


def test_the_url_names_the_adapter() -> None:
    register()
    with serial.serial_for_url("emu://?adapter=ftdi-16ms") as port:
        assert port.world.bus.adapter.name == "ftdi-16ms"
    with pytest.raises(serial.SerialException, match="adapter is 'usb'"):
        serial.serial_for_url("emu://?adapter=usb")
