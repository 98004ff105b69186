"""When a test fails, the press from before is kept, and opens again."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from rig.bench import open_press
from rig.cli import main
from rig.clock import SECOND_NS
from rig.rewind import Rewind

TESTS = """
from rig.requirements import judge

runs = {}

def test_falls_over(hil):
    runner = hil.runner(hil.open(start="running"))
    runner.run_for(90)
    assert False, "too late"

def test_goes_well(hil):
    hil.open(start="running").poll()

def test_wants_another_machine(hil):
    assert hil.open(machine="pitch60").virtual.world.config.machine == "pitch60"

def test_lets_go_and_goes_on(hil):
    bench = hil.open(start="running")
    for second in range(1, 1001):
        bench.clock.sleep_until(second * 1_000_000_000)
        bench.poll()
        if second == 500:
            bench.virtual.disturb(clearance_offset_m=(0, 0, 0, 0, 5e-3, 5e-3))
        if second == 560:
            bench.virtual.calm()
    film = bench.virtual.film()
    runs["way_back"] = hil.way_back(bench)
    runs["verdicts"] = judge(None, None, melting_point_c=hil.recipe.composition.polyolefin_melting_point_c, truth=film)
    hil.judge(*(verdict for verdict in runs["verdicts"] if verdict.requirement == "CLM-4"))

def test_judges_what_another_test_ran(hil):
    (verdict,) = (verdict for verdict in runs["verdicts"] if verdict.requirement == "CLM-4")
    hil.judge(verdict, way_back=runs["way_back"])
    assert verdict.passed
"""


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder of a run with a failed test, and what the run said."""
    place = tmp_path_factory.mktemp("run")
    (place / "test_small.py").write_text(TESTS)
    run = subprocess.run(
        [sys.executable, "-m", "rig", "hil", "test_small.py", "--out", "reports", "--rewind", "30"],
        capture_output=True, text=True, check=False, cwd=place,
    )  # fmt: skip
    assert run.returncode == 1, run.stdout + run.stderr
    return place, run.stdout


def test_ring_reaches_back_as_far_as_asked_and_hardly_further() -> None:
    with open_press("emu://?start=running") as bench:
        rewind = Rewind(bench, 20.0)
        assert rewind.before().time_ns == bench.clock.now_ns
        for second in range(1, 61):
            bench.clock.sleep_until(second * SECOND_NS)
            bench.poll()
        ago_s = (bench.clock.now_ns - rewind.before().time_ns) / SECOND_NS
        assert 20.0 <= ago_s <= 27.0


class Watched:
    """A bench that can do nothing but be asked for snapshots."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.clock = self
        self.on_request: Callable[[], None] = lambda: None

    def snapshot(self, notes: Mapping[str, str]) -> bytes:
        return b"press"


def test_way_back_reaches_to_the_beginning_in_little_room() -> None:
    bench = Watched()
    rewind = Rewind(bench, 60.0)  # type: ignore[arg-type]
    for second in range(24 * 3600 + 1):
        bench.now_ns = second * SECOND_NS
        bench.on_request()
    assert len(rewind) <= 140
    for ago_s in (0.0, 30.0, 100.0, 1000.0, 10_000.0, 80_000.0):
        moment_s = 24 * 3600 - ago_s
        early_s = moment_s - rewind.before(moment_s).time_ns / SECOND_NS
        assert 60.0 <= early_s <= 60.0 + 6.0 + 1.15 * (ago_s + 60.0) / 8
    assert rewind.before(-300.0).time_ns == 0


def test_taking_snapshots_changes_nothing() -> None:
    traces = []
    for watched in (True, False):
        with open_press("emu://?start=running") as bench:
            if watched:
                Rewind(bench, 20.0, every_s=0.5)
            for tenth in range(1, 60):
                bench.clock.sleep_until(tenth * SECOND_NS // 10)
                bench.poll()
            assert bench.recorder is not None
            traces.append(bench.recorder.trace_hash())
    assert traces[0] == traces[1]


def test_failed_test_leaves_the_press_from_before_and_says_how_to_open_it(failed: tuple[Path, str]) -> None:
    place, said = failed
    command = re.search(r"rewind: press-rig resume (\S+\.snapshot)", said)
    assert command is not None, said
    assert (place / command[1]).is_file()
    folder = (place / command[1]).parent
    tests = {test["title"]: test for test in json.loads((folder / "verdicts.json").read_text())["tests"]}
    assert tests["falls over"]["resume"] == f"press-rig resume {command[1]}"
    assert tests["goes well"]["resume"] == ""
    assert f"press-rig resume {command[1]}" in (folder / "report.html").read_text()
    assert re.search(r"press time \d min \d+ s, 3\d s before the end", said)


@pytest.mark.parametrize("title", ["lets go and goes on", "judges what another test ran"])
def test_press_is_kept_from_before_the_violation_and_not_from_before_the_end(
    title: str, failed: tuple[Path, str]
) -> None:
    place, said = failed
    (folder,) = (place / "reports").glob("2*")
    tests = {test["title"]: test for test in json.loads((folder / "verdicts.json").read_text())["tests"]}
    (verdict,) = tests[title]["verdicts"]
    # the sheet that was let go had come in before
    assert 200.0 <= verdict["violated_s"] <= 500.0
    path = tests[title]["resume"].split()[-1]
    with open_press(f"emu://?snapshot={place / path}") as bench:
        kept_s = bench.clock.now_ns * 1e-9
    early_s = verdict["violated_s"] - kept_s
    assert 60.0 <= early_s <= 180.0
    assert path.endswith(f"-at-{kept_s:.0f}s.snapshot")
    assert f"{early_s:.0f} s before CLM-4 was violated" in tests[title]["resume_about"]
    assert tests[title]["resume_about"] in said
    assert tests[title]["resume_about"] in (folder / "report.html").read_text()


def test_kept_press_opens_by_url(failed: tuple[Path, str], capsys: pytest.CaptureFixture[str]) -> None:
    (path,) = (failed[0] / "reports").glob("2*/*falls_over*.snapshot")
    with open_press(f"emu://?snapshot={path}") as bench:
        assert 53.0 <= bench.clock.now_ns * 1e-9 <= 61.0
    assert main(["read", "mode", "--press", f"emu://?snapshot={path}"]) == 0
    assert capsys.readouterr().out.split()[0] == "mode"
    assert main(["hil", "--press", f"emu://?snapshot={path}", "--out", str(failed[0] / "again"),
                 str(failed[0] / "test_small.py::test_goes_well")]) == 0  # fmt: skip


def test_test_that_wants_another_press_is_skipped_on_that_of_a_snapshot(
    failed: tuple[Path, str], capfd: pytest.CaptureFixture[str]
) -> None:
    (path,) = (failed[0] / "reports").glob("2*/*falls_over*.snapshot")
    assert main(["hil", "--press", f"emu://?snapshot={path}", "--out", str(failed[0] / "other"),
                 str(failed[0] / "test_small.py::test_wants_another_machine")]) == 0  # fmt: skip
    assert "1 test skipped: it needs a press of another recipe or machine" in capfd.readouterr().out


def test_resume_tells_what_it_holds_and_serves_it(failed: tuple[Path, str]) -> None:
    (path,) = (failed[0] / "reports").glob("2*/*falls_over*.snapshot")
    process = subprocess.Popen(
        [sys.executable, "-m", "rig", "resume", str(path), "--tcp", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    lines: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if line.startswith("press on"):
            break
    served = re.search(r"press on (socket://\S+?);", lines[-1])
    try:
        assert served is not None, lines
        with open_press(served[1], record=False) as bench:
            assert bench.number("uptime_s") >= 53
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)
        process.stdout.close()
        assert process.stderr is not None
        process.stderr.close()
    text = "".join(lines)
    assert "press time   0 min 5" in text
    assert "seed 0" in text
    assert "recipe reference" in text
    assert "test         test_small.py::test_falls_over" in text
    assert "controller   idle" in text


def test_without_a_way_back_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "test_small.py").write_text(TESTS)
    run = subprocess.run(
        [sys.executable, "-m", "rig", "hil", "test_small.py", "-k", "falls", "--rewind", "0"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert run.returncode == 1
    assert "press-rig resume" not in run.stdout
    assert list(tmp_path.rglob("*.snapshot")) == []


@pytest.mark.parametrize("command", ["resume", "read"])
@pytest.mark.parametrize(
    ("contents", "why"),
    [
        (None, "cannot be read: No such file"),
        (b"hello", "not a snapshot of a press"),
        (b"\x89PRESS\r\n\x63" + bytes(40), "format 99"),
    ],
    ids=["missing", "foreign", "version"],
)
def test_what_cannot_be_opened_is_told_in_one_sentence(
    command: str, contents: bytes | None, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.snapshot"
    if contents is not None:
        path.write_bytes(contents)
    words = ["resume", str(path)] if command == "resume" else ["read", "mode", "--press", f"emu://?snapshot={path}"]
    assert main(words) == 2
    captured = capsys.readouterr()
    assert why in captured.err
    assert len(captured.err.splitlines()) == 1


def test_snapshot_without_a_path_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["hil", "--press", "emu://?snapshot=", "--out", str(tmp_path)]) == 2
    assert "parameter 'snapshot' has no value" in capsys.readouterr().err


def test_snapshot_stands_alone_in_a_url(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", "mode", "--press", "emu://?snapshot=x&seed=3"]) == 2
    assert "a snapshot says everything about its press; leave out seed" in capsys.readouterr().err
