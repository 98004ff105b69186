"""`python -m benchmarks`: what it asks for, what it says and what it writes; the measurements are made up."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import document, parts, profile
from benchmarks.catalogue import BENCHMARKS, Benchmark
from benchmarks.errors import Unable

ASKED_FOR = {
    "closed_loop_x", "firmware_loop_x", "line_closed_loop_x", "plant_x", "plant_vs_scipy", "snapshot_ms",
    "restore_ms", "fork_examples_per_s", "two_core_scaling", "start_s", "cold_compile_s", "rss_mb",
    "pty_vs_pymodbus", "pty_p99_vs_libmodbus", "line_rate_115200_percent",
}  # fmt: skip


def counting(*values: float) -> Benchmark:
    """Gives these values, one after the other; the first is for warming up."""
    left = list(values)
    return Benchmark(lambda: left.pop(0), "s", "made up", at_most=2.0)


def unable() -> float:
    raise Unable("this machine has no legs")


@pytest.fixture
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(BENCHMARKS):
        monkeypatch.delitem(BENCHMARKS, name)
    monkeypatch.setitem(BENCHMARKS, "quick_s", counting(99.0, 1.0, 3.0, 1.5))
    monkeypatch.setitem(BENCHMARKS, "walk_s", Benchmark(unable, "s", "made up"))


def test_everything_with_a_goal_is_there() -> None:
    assert {name for name, entry in BENCHMARKS.items() if entry.goal} == ASKED_FOR


@pytest.mark.usefixtures("made_up")
def test_results_are_written_and_shown_without_the_warming_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "bench.json"
    assert command.main(["--rounds", "3", "--out", str(out)]) == 0
    assert json.loads(out.read_text()) == {"quick_s": {"median": 1.5, "min": 1.0, "max": 3.0, "unit": "s"}}
    said = capsys.readouterr().out
    assert "≤ 2 ✓" in said
    assert "walk_s: not measured, this machine has no legs" in said
    assert max(map(len, said.replace(str(out), "").splitlines())) <= 80


@pytest.mark.usefixtures("made_up")
def test_interrupted_run_keeps_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt() -> float:
        raise KeyboardInterrupt

    monkeypatch.setitem(BENCHMARKS, "walk_s", Benchmark(interrupt, "s", "made up", warms_up=False))
    out = tmp_path / "bench.json"
    assert command.main(["--rounds", "3", "--out", str(out)]) == 130
    assert json.loads(out.read_text())["quick_s"]["median"] == 1.0
    assert "interrupted" in capsys.readouterr().out


@pytest.mark.usefixtures("made_up")
@pytest.mark.parametrize("before", [None, "of another run"])
def test_run_interrupted_with_nothing_measured_writes_nothing_and_says_so(
    before: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt() -> float:
        raise KeyboardInterrupt

    out = tmp_path / "bench.json"
    if before is not None:
        out.write_text(before)
    monkeypatch.setitem(BENCHMARKS, "quick_s", Benchmark(interrupt, "s", "made up"))
    assert command.main(["--out", str(out)]) == 130
    assert "interrupted: nothing was measured, so nothing is written" in capsys.readouterr().out
    assert (out.read_text() if out.exists() else None) == before


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["plant"], "nothing to measure is called 'plant'; did you mean plant_x?"),
        (["xyzzy"], "there are closed_loop_x, "),
        (["--rounds", "0"], "'0' is no number of rounds; it must be 1 … 1000"),
    ],
)
def test_wrong_words_are_told(words: list[str], why: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(words)
    assert ended.value.code == 2
    assert why in capsys.readouterr().err


def test_list_says_goal_and_meaning_and_measures_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "closed_loop_x ≥ 1,000 virtual s/s: the reference production run" in said
    assert "fork_ms ms: copy of a running press" in said


def test_place_that_cannot_be_written_is_told_before_measuring(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--out", "/proc/bench.json"]) == 2
    assert "/proc/bench.json cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("main", [command.main, profile.main], ids=["benchmarks", "profile"])
def test_folder_in_place_of_the_file_is_told_before_measuring(
    main: Callable[[list[str]], int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert "cannot be written: Is a directory" in said.err
    assert said.out == ""


@pytest.mark.parametrize("main", [document.main, parts.main], ids=["document", "parts"])
def test_commands_without_options_explain_themselves(
    main: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    assert "python -m benchmarks" in capsys.readouterr().out
