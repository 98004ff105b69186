"""`press-rig inject`, `state`, `time` and `control` on a press that is served by another thread."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulator.ports.control import ControlSocket
from emulator.ports.paced import serve
from emulator.ports.tcp import TcpEndpoint
from emulator.world import World, WorldConfig
from rig.cli import main
from rig.control import control_folder

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def origin() -> World:
    return World(WorldConfig())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    place = control_folder()
    assert place is not None
    place.mkdir()
    return place


@pytest.fixture
def start(origin: World, folder: Path) -> Iterator[Callable[[str], World]]:
    """Serves a press with a control socket of this name; ends them all."""
    ending: list[Callable[[], None]] = []

    def one(name: str) -> World:
        world, stop = origin.fork(), threading.Event()
        endpoint, control = TcpEndpoint(), ControlSocket(folder / name)
        thread = threading.Thread(target=serve, args=(world, [endpoint], 1.0, stop.is_set, control))
        thread.start()

        def end() -> None:
            stop.set()
            thread.join()
            control.close()
            endpoint.close()

        ending.append(end)
        return world

    yield one
    for end in ending:
        end()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def words(*given: str) -> tuple[int, str, str]:
        code = main(given)
        said = capsys.readouterr()
        return code, said.out, said.err

    return words


def test_a_fault_is_injected_shown_and_withdrawn(start: Callable[[str], World], run: Run) -> None:
    world = start("one.sock")
    code, out, _ = run("inject", "noise", "amount=1e-4", "times=all", "for_s=60")
    assert code == 0
    assert "fault 0, noise" in out
    [active] = world.bus.state.faults
    assert (active.fault.amount, active.fault.times, active.fault.for_s) == (1e-4, None, 60.0)
    code, out, _ = run("inject", "--faults")
    assert re.search(r"0 +noise +amount=0.0001 times=all .* stands", out)
    code, out, _ = run("inject", "--withdraw", "0")
    assert (code, out) == (0, "ended: fault 0\n")
    assert run("inject", "--withdraw", "all")[1] == "no fault stood\n"
    assert world.bus.state.faults == []


def test_kinds_are_listed_without_a_press(run: Run) -> None:
    code, out, _ = run("inject", "--list")
    assert code == 0
    for word in ("lost_bytes", "brown_out", "unplugged"):
        assert word in out


def test_state_is_for_people_and_for_programs(start: Callable[[str], World], run: Run) -> None:
    world = start("one.sock")
    world.bus.state.counters.collisions = 3
    code, out, _ = run("state")
    assert code == 0
    for word in ("mode", "off", "exit_sheet_thickness_um", "collisions 3", "socket://127.0.0.1:"):
        assert word in out
    state = json.loads(run("state", "--json")[1])
    assert (state["mode"], state["line"]["collisions"]) == ("off", 3)


def test_time_is_told_and_changed(start: Callable[[str], World], run: Run) -> None:
    world = start("one.sock")
    assert re.fullmatch(r"press time [\d.]+ s, as fast as real\n", run("time")[1])
    assert "5 times as fast as real" in run("time", "--speed", "5")[1]
    assert "stands still" in run("time", "--pause")[1]
    before_ns = world.now_ns
    assert "stands still" in run("time", "--ahead", "20")[1]
    assert world.now_ns == before_ns + 20_000_000_000
    assert "5 times as fast as real" in run("time", "--continue")[1]


def test_any_order_can_be_given(
    start: Callable[[str], World], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = start("one.sock")
    assert run("control", "push_emergency_stop")[0] == 0
    assert run("control", "disturb", "coolant_flow_scale=0.5", "tension_scale=1,0.25")[0] == 0
    assert world.contacts.emergency_stop_pressed
    assert world.disturbances.coolant_flow_scale == 0.5
    assert list(world.disturbances.tension_scale) == [1.0, 0.25]
    monkeypatch.chdir(tmp_path)
    assert json.loads(run("control", "snapshot", "path=now.snapshot")[1])["path"] == str(tmp_path / "now.snapshot")
    assert World.restore((tmp_path / "now.snapshot").read_bytes()).contacts.emergency_stop_pressed


def test_of_several_presses_one_is_named(start: Callable[[str], World], run: Run, folder: Path) -> None:
    start("one.sock")
    second = start("two.sock")
    code, _, err = run("state")
    assert code == 2
    assert "2 presses run here; say which with --control PATH" in err
    assert str(folder / "one.sock") in err
    assert err.count("socket://127.0.0.1:") == 2
    assert run("inject", "merged", "--control", str(folder / "two.sock"))[0] == 0
    assert len(second.bus.state.faults) == 1


def test_what_a_dead_press_left_is_passed_over(start: Callable[[str], World], run: Run, folder: Path) -> None:
    dead = ControlSocket(folder / "dead.sock")
    dead._listener.close()
    start("one.sock")
    assert run("state")[0] == 0
    assert not (folder / "dead.sock").exists()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["state"], 3, "no press runs here"),
        (["time", "--control", "/no/such.sock"], 3, "there is no control socket /no/such.sock"),
        (["state", "--control", "/etc/passwd"], 3, "/etc/passwd is no control socket"),
        (["inject"], 2, "say what is to go wrong"),
        (["inject", "noise", "--list"], 2, "say what is to go wrong"),
        (["inject", "noise", "much"], 2, "'much' is not an option; options are NAME=VALUE"),
        (["inject", "noise", "amount=1", "amount=2"], 2, "option amount is there twice"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_is_told_in_one_sentence(folder: Path, run: Run, words: list[str], code: int, message: str) -> None:
    got, _, err = run(*words)
    assert got == code
    assert message in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["inject", "lost_byte"], "did you mean 'lost_bytes'?"),
        (["inject", "lost_bytes", "amount=x"], "amount of fault lost_bytes is 'x', which is not a number"),
        (["inject", "--withdraw", "5"], "fault 5 was never injected"),
        (["inject", "--withdraw", "five"], "number is 'five'; it must be a number"),
        (["control", "dance"], "there is no command 'dance'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_the_press_refuses_is_told_in_its_words(
    start: Callable[[str], World], run: Run, words: list[str], message: str
) -> None:
    start("one.sock")
    code, _, err = run(*words)
    assert code == 2
    assert message in err


def test_emulate_says_where_its_control_socket_is_and_removes_it(folder: Path, run: Run) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "rig", "emulate", "--tcp", "0"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = next(line for line in process.stdout if line.startswith("control socket "))
        path = folder / f"{process.pid}.sock"
        assert said.split()[2] == str(path)
        assert json.loads(run("state", "--json")[1])["mode"] == "off"
        process.terminate()
        process.stdout.read()
        assert process.wait() == 0
    assert not path.exists()
