"""The control socket of a press that is served, used as a program in any language would: a plain socket and JSON.

The client of these tests lives in `stop`, which the loop asks again and again: no thread, no sleep.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.ports.control import LONGEST_LINE, MOST_CLIENTS, ControlSocket
from emulator.ports.orders import COMMANDS, KEY_SIGNALS
from emulator.ports.paced import EndpointError, serve
from emulator.ports.tcp import TcpEndpoint
from emulator.world import World, WorldConfig
from tests.emulator.fakes import read_request

SECOND_NS = 1_000_000_000
PATIENCE_NS = 20 * SECOND_NS


class Desk:
    """A served press, and a client of its control socket."""

    def __init__(self, world: World, path: Path) -> None:
        self.world = world
        self.endpoint = TcpEndpoint()
        self.control = ControlSocket(path)
        self.client = self.connect()
        self.speed = 1.0

    def connect(self) -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(self.control.path))
        client.setblocking(False)
        return client

    def serve_until(self, condition: Any) -> None:
        end_ns = time.monotonic_ns() + PATIENCE_NS
        serve(
            self.world,
            [self.endpoint],
            self.speed,
            lambda: bool(condition()) or time.monotonic_ns() > end_ns,
            self.control,
        )
        assert condition(), "not within the deadline"

    def lines(self, data: bytes, count: int = 1, client: socket.socket | None = None) -> list[dict[str, Any]]:
        """What is answered to bytes, `count` lines of it."""
        client = client or self.client
        got = bytearray()
        client.sendall(data)

        def poll() -> bool:
            with contextlib.suppress(BlockingIOError):
                got.extend(client.recv(1 << 16))
            return got.count(b"\n") >= count

        self.serve_until(poll)
        return [json.loads(line) for line in got.splitlines()]

    def ask(self, command: str, **options: Any) -> dict[str, Any]:
        [answer] = self.lines(json.dumps({"command": command, **options}).encode() + b"\n")
        assert answer.pop("ok"), answer
        return answer

    def refusal(self, command: str, **options: Any) -> str:
        [answer] = self.lines(json.dumps({"command": command, **options}).encode() + b"\n")
        assert not answer["ok"]
        return str(answer["error"])

    def close(self) -> None:
        self.client.close()
        self.control.close()
        self.endpoint.close()


@pytest.fixture(scope="module")
def origin() -> World:
    return World(WorldConfig())


@pytest.fixture
def desk(origin: World, tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(origin.fork(), tmp_path / "press.sock")
    yield opened
    opened.close()


class TestOrders:
    def test_a_fault_strikes_the_masters_on_the_line(self, desk: Desk) -> None:
        number = desk.ask("inject", kind="lost_frame", direction="request", nth=2)["number"]
        host, port = desk.endpoint.url.removeprefix("socket://").split(":")
        master = socket.create_connection((host, int(port)))
        for requests in (1, 2):
            master.sendall(read_request(1))
            desk.serve_until(lambda: desk.world.bus.state.counters.requests == requests)  # noqa: B023
        [fault] = desk.ask("faults")["faults"]
        assert (fault["number"], fault["kind"]) == (number, "lost_frame")
        assert (fault["seen"], fault["struck"], fault["standing"]) == (2, 1, False)
        assert desk.ask("state")["line"]["struck"] == 1
        master.close()

    def test_faults_can_be_withdrawn(self, desk: Desk) -> None:
        first = desk.ask("inject", kind="noise", times="all", amount="1e-4")["number"]
        second = desk.ask("inject", kind="unplugged", amount=60)["number"]
        assert desk.ask("state")["plugged"] is False
        assert desk.ask("withdraw", number=second) == {"withdrawn": [second]}
        assert desk.ask("state")["plugged"] is True
        assert f"fault {second} is over; standing are {first}" in desk.refusal("withdraw", number=second)
        assert "was never injected" in desk.refusal("withdraw", number=99)
        assert desk.ask("withdraw") == {"withdrawn": [first]}
        assert [fault["standing"] for fault in desk.ask("faults")["faults"]] == [False, False]

    def test_a_fault_of_the_press_shows_and_leaves_nothing_behind(self, desk: Desk) -> None:
        number = desk.ask("inject", kind="signal_shorted", target="ambient_temperature_c")["number"]
        desk.ask("inject", kind="web_end", after_s=1e3)
        desk.world.run_until(desk.world.now_ns + 1_000_000_000)
        shorted, waiting = desk.ask("faults")["faults"]
        assert (shorted["target"], shorted["standing"], shorted["acting"]) == ("ambient_temperature_c", True, True)
        assert shorted["evidence"] > 10
        assert (waiting["acting"], waiting["evidence"]) == (False, 0)
        assert desk.ask("state")["faults"] == 2
        assert desk.ask("withdraw", number=number) == {"withdrawn": [number]}
        desk.world.run_until(desk.world.now_ns + 1_000_000_000)
        assert [fault["cleared"] for fault in desk.ask("faults")["faults"]] == [True, None]
        assert "this press has no sensor 'tea'" in desk.refusal("inject", kind="sensor_stuck", target="tea")

    def test_hands_and_disturbances_reach_the_press(self, desk: Desk) -> None:
        desk.ask("push_emergency_stop")
        desk.ask("open_guard")
        desk.ask("disturb", coolant_flow_scale=0.5, tension_scale=[1, 0.5])
        desk.serve_until(lambda: desk.world.node.state.memory["scans"][0] >= 2)
        state = desk.ask("state")
        assert (state["emergency_stop_pressed"], state["guard_open"]) == (True, True)
        assert "emergency_stop" in state["alarms"]
        assert state["disturbed"] == {"tension_scale": [1.0, 0.5], "coolant_flow_scale": 0.5}
        desk.ask("release_emergency_stop")
        desk.ask("close_guard")
        desk.ask("calm")
        state = desk.ask("state")
        assert (state["emergency_stop_pressed"], state["guard_open"], state["disturbed"]) == (False, False, {})

    def test_a_disturbance_that_cannot_be_changes_nothing(self, desk: Desk) -> None:
        assert "it must be 0 … 2" in desk.refusal("disturb", tension_scale=0.5, coolant_flow_scale=9)
        assert desk.ask("state")["disturbed"] == {}

    def test_signals_are_the_truth(self, desk: Desk) -> None:
        truth = desk.ask("signals")["signals"]
        assert set(truth) == set(desk.world.truth.names)
        assert desk.ask("signals", names=["ambient_temperature_c"])["signals"] == {
            "ambient_temperature_c": truth["ambient_temperature_c"]
        }
        assert set(desk.ask("state")["signals"]) == set(KEY_SIGNALS)

    def test_a_snapshot_goes_on_from_there(self, desk: Desk, tmp_path: Path) -> None:
        desk.ask("push_emergency_stop")
        kept = desk.ask("snapshot", path=str(tmp_path / "now.snapshot"))
        world = World.restore((tmp_path / "now.snapshot").read_bytes())
        assert world.contacts.emergency_stop_pressed
        assert world.now_ns == round(kept["time_s"] * 1e9)
        assert [path.name for path in tmp_path.glob("*snap*")] == ["now.snapshot"]

    @pytest.mark.parametrize(
        ("command", "options", "words"),
        [
            ("inject", {"kind": "lost_byte"}, "there is no fault 'lost_byte'; did you mean 'lost_bytes'?"),
            ("inject", {"kind": "noise", "amount": 3}, "it must be 1e-09 … 0.5"),
            ("inject", {"kind": "noise", "colour": 3}, "fault noise has no 'colour'"),
            ("inject", {"kind": "noise", "amount": 10**400}, "too large"),
            ("inject", {"kind": "brown_out", "unit": 9}, "no node here has address 9"),
            ("inject", {}, "inject takes kind"),
            ("disturb", {}, "disturb needs at least one of"),
            ("disturb", {"belief": 1}, "there is no 'belief'"),
            ("signals", {"names": ["exit_thickness_um"]}, "did you mean"),
            ("signals", {"names": 7}, "it must be a list"),
            ("time", {"speed": 0}, "a number above 0"),
            ("time", {"speed": True}, "a number above 0"),
            ("time", {"paused": 1}, "it must be true or false"),
            ("time", {"ahead_s": -1}, "a number 0 … 1e+06"),
            ("time", {"hour": 1}, "time takes speed (or not)"),
            ("snapshot", {"path": "here"}, "it must be absolute"),
            ("snapshot", {"path": "/no/such/folder/x"}, "cannot be written: No such file"),
            ("stat", {}, "there is no command 'stat'; did you mean 'state'?"),
            ("obey", {}, "there is no command 'obey'"),
            ("__init__", {}, "there is no command '__init__'"),
        ],
        ids=str,
    )
    def test_what_cannot_be_is_told_in_words(
        self, desk: Desk, command: str, options: dict[str, Any], words: str
    ) -> None:
        assert words in desk.refusal(command, **options)

    def test_help_tells_every_command(self, desk: Desk) -> None:
        told = desk.ask("help")["commands"]
        assert list(told) == list(COMMANDS)
        assert all(about["meaning"] for about in told.values())


class TestTime:
    def test_speed_can_be_changed(self, desk: Desk) -> None:
        assert desk.ask("time", speed=40)["speed"] == 40.0
        desk.speed = 40.0
        begun_ns, world_ns = time.monotonic_ns(), desk.world.now_ns
        desk.serve_until(lambda: desk.world.now_ns > world_ns + SECOND_NS)
        assert desk.world.now_ns - world_ns <= 40 * (time.monotonic_ns() - begun_ns)

    def test_paused_time_stands_still_and_requests_wait(self, desk: Desk) -> None:
        # in one serving: each has a pace of its own
        host, port = desk.endpoint.url.removeprefix("socket://").split(":")
        master = socket.create_connection((host, int(port)))
        desk.serve_until(lambda: len(desk.endpoint.waits_on()) == 2)
        master.sendall(read_request(1))
        paused, *looks, going = desk.lines(
            b'{"command":"time","paused":true}\n'
            + 5 * b'{"command":"state"}\n'
            + b'{"command":"time","paused":false}\n',
            7,
        )
        assert {look["time_s"] for look in (*looks, going)} == {paused["time_s"]}
        assert {look["line"]["requests"] for look in looks} == {0}
        assert (paused["paused"], going["paused"]) == (True, False)
        desk.serve_until(lambda: desk.world.bus.state.counters.requests == 1)
        master.close()

    def test_running_ahead_is_answered_when_it_is_so_late(self, desk: Desk) -> None:
        before = desk.world.now_ns
        answer = desk.ask("time", ahead_s=30)
        assert desk.world.now_ns >= before + 30 * SECOND_NS
        assert answer["time_s"] >= before / 1e9 + 30
        assert answer["ahead_s"] is None

    def test_others_are_answered_meanwhile_and_may_stop_it(self, desk: Desk) -> None:
        other = desk.connect()
        desk.client.sendall(b'{"command":"time","ahead_s":900000}\n')
        # in one serving: each has a pace of its own
        second, state, stopped = desk.lines(
            b'{"command":"time","ahead_s":1}\n{"command":"state"}\n{"command":"time","paused":true}\n', 3, other
        )
        assert "runs ahead already" in second["error"]
        assert state["ahead_s"] > 800_000
        assert (stopped["paused"], stopped["ahead_s"]) == (True, None)
        other.close()


class TestSocket:
    def test_only_the_user_can_open_it_and_it_goes_at_the_end(self, tmp_path: Path) -> None:
        path = tmp_path / "press.sock"
        control = ControlSocket(path)
        assert stat.S_IMODE(path.lstat().st_mode) == 0o600
        control.close()
        assert not path.exists()

    def test_one_that_a_dead_process_left_is_replaced(self, desk: Desk, tmp_path: Path) -> None:
        path = tmp_path / "left.sock"
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
        assert path.exists()
        ControlSocket(path).close()

    def test_that_of_another_press_is_left_alone(self, desk: Desk) -> None:
        with pytest.raises(EndpointError, match="another press is controlled at"):
            ControlSocket(desk.control.path)
        assert desk.ask("about")["pid"] == os.getpid()

    def test_anything_else_is_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "file"
        path.write_text("precious")
        with pytest.raises(EndpointError, match="exists and is not a socket"):
            ControlSocket(path)
        assert path.read_text() == "precious"

    @pytest.mark.parametrize(("name", "words"), [("no/press", "there is no folder"), ("x" * 120, "too long")])
    def test_where_it_cannot_be_is_told(self, tmp_path: Path, name: str, words: str) -> None:
        with pytest.raises(EndpointError, match=words):
            ControlSocket(tmp_path / name)

    def test_one_that_somebody_took_over_stays(self, tmp_path: Path) -> None:
        path = tmp_path / "press.sock"
        first = ControlSocket(path)
        path.unlink()
        second = ControlSocket(path)
        first.close()
        assert path.exists()
        second.close()

    def test_answers_carry_the_id_of_the_request_and_keep_the_order(self, desk: Desk) -> None:
        answers = desk.lines(
            b'{"command":"time","ahead_s":5,"id":"long"}\n{"command":"time","id":[2]}\n{"command":"x","id":3}\n', 3
        )
        assert [answer["id"] for answer in answers] == ["long", [2], 3]

    @pytest.mark.parametrize(
        "line",
        [b"{", b"\xff\xfe", b"[" * 60_000, b"[1]", b"null", b'"state"', b"{}", b'{"command":[]}', b"1" * 5000],
        ids=range(9),
    )
    def test_nonsense_is_answered_and_the_next_request_as_well(self, desk: Desk, line: bytes) -> None:
        wrong, right = desk.lines(b"\n" + line + b'\n{"command":"about"}\n', 2)
        assert wrong["ok"] is False
        assert right["ok"] is True

    def test_a_line_without_end_is_hung_up_on(self, desk: Desk) -> None:
        [answer] = desk.lines(b"x" * (LONGEST_LINE + 1))
        assert "one line of up to 65536 bytes" in answer["error"]
        desk.client.settimeout(5)
        assert desk.client.recv(10) == b""

    def test_a_program_that_says_everything_at_once_and_shuts_up_is_answered(self, desk: Desk) -> None:
        desk.client.sendall(b'{"command":"time","ahead_s":2}\n{"command":"about"}\n')
        desk.client.shutdown(socket.SHUT_WR)
        got = bytearray()
        gone = []

        def poll() -> bool:
            with contextlib.suppress(BlockingIOError):
                data = desk.client.recv(1 << 16)
                got.extend(data)
                gone.extend([True] if not data else [])
            return bool(gone)

        desk.serve_until(poll)
        assert got.count(b'"ok": true') == 2

    def test_too_many_programs_are_told(self, desk: Desk) -> None:
        others = [desk.connect() for _ in range(MOST_CLIENTS)]
        got = bytearray()

        def poll() -> bytes:
            with contextlib.suppress(BlockingIOError):
                got.extend(others[-1].recv(1000))
            return bytes(got)

        desk.serve_until(poll)
        assert b"16 programs control this press already" in got
        assert desk.ask("about")["protocol"] == 1
        for other in others:
            other.close()

    def test_a_program_that_does_not_read_is_hung_up_on_and_the_press_goes_on(self, desk: Desk) -> None:
        deaf = desk.connect()
        deaf.setblocking(False)
        orders = 200 * b'{"command":"help"}\n{"command":"signals"}\n'

        def flood() -> bool:
            try:
                deaf.send(orders)
            except BlockingIOError:
                pass
            except OSError:
                return True
            return False

        desk.serve_until(flood)
        assert desk.ask("about")["protocol"] == 1
        deaf.close()
