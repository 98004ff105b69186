"""A whole HIL run on a few tests: files, exit codes, and what becomes of controllers that go wrong."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from rig.cli import main

SUITE = Path(__file__).parents[1] / "hil"

CONTROLLERS = '''
import math

class Raises:
    def scan(self, inputs, now_ns):
        raise KeyError("zone_9")

class Nonsense:
    def scan(self, inputs, now_ns):
        return "full speed"

class NotANumber:
    def scan(self, inputs, now_ns):
        return {"belt_upper_speed_setpoint_m_min": math.nan}

class Falls:
    """Falls over while it is being made."""
    def __init__(self):
        raise RuntimeError("no licence")
    def scan(self, inputs, now_ns):
        return {}
'''

TESTS = """
def test_ten_seconds(hil):
    runner = hil.runner(hil.open(start="warm"))
    runner.run_for(10)

def test_needs_what_no_bench_can(hil):
    assert hil.open().can.see_truth
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a controller module and a small suite of its own."""
    (tmp_path / "broken_controllers.py").write_text(CONTROLLERS)
    (tmp_path / "test_small.py").write_text(TESTS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def press_rig(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "rig", *words], capture_output=True, text=True, check=False)


def test_run_leaves_its_files_and_a_plain_closing_line(project: Path) -> None:
    run = press_rig("hil", "test_small.py", "--out", "reports")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 passed, 0 failed" in run.stdout.splitlines()
    folder = project / "reports" / "latest"
    verdicts = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    assert [test["outcome"] for test in verdicts["tests"]] == ["passed", "passed"]
    assert verdicts["run"]["identity"] == "virtual"
    assert {row["status"] for row in verdicts["requirements"]} == {"not judged"}
    assert (folder / "report.html").read_text(encoding="utf-8").startswith("<!")
    assert 'tests="2"' in (folder / "junit.xml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Raises", "raised KeyError in scan 0"),
        ("Nonsense", "returned str"),
        ("NotANumber", "= NaN"),
    ],
)
def test_controller_that_goes_wrong_is_a_red_test_with_a_kept_recording(name: str, message: str, project: Path) -> None:
    run = press_rig(
        "hil", "test_small.py", "-k", "ten_seconds", "--controller", f"broken_controllers:{name}", "--out", "r"
    )
    assert run.returncode == 1
    assert message in " ".join(run.stdout.split())
    kept = {path.suffix for path in (project / "r" / "latest").iterdir()}
    assert {".mf4", ".pcapng", ".html", ".json", ".xml"} <= kept


def test_a_test_whose_fault_never_showed_is_void_and_red(project: Path) -> None:
    (project / "test_void.py").write_text(
        "def test_stuck(hil):\n"
        "    bench = hil.open(start='warm')\n"
        "    bench.virtual.inject('steering_stuck', target='upper')\n"
        "    bench.clock.sleep_until(10**9)\n"
    )
    run = press_rig("hil", "test_void.py", "--out", "reports")
    assert run.returncode == 1
    assert "void: fault 0, steering_stuck of upper, from 0.0 s: never showed" in run.stdout
    verdicts = json.loads((project / "reports" / "latest" / "verdicts.json").read_text(encoding="utf-8"))
    assert [test["outcome"] for test in verdicts["tests"]] == ["failed"]


def test_controller_that_cannot_be_made_ends_with_code_5(project: Path) -> None:
    run = press_rig("hil", "test_small.py", "--controller", "broken_controllers:Falls", "--out", "r")
    assert run.returncode == 5
    assert run.stderr.strip() == "press-rig: controller broken_controllers:Falls raised RuntimeError: no licence"


def test_selection_that_matches_nothing_is_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = press_rig("hil", "test_small.py", "-k", "unicorn", "--out", "r")
    assert run.returncode == 2
    assert "no test in test_small.py matches 'unicorn'" in run.stderr


def test_folder_without_tests_is_told(project: Path) -> None:
    (project / "empty").mkdir()
    run = press_rig("hil", "empty", "--out", "r")
    assert run.returncode == 2
    assert "no test in empty; give a folder or file of tests" in run.stderr


def test_tests_that_cannot_be_read_are_told_and_are_no_interruption(project: Path) -> None:
    (project / "test_typo.py").write_text("def test_x(: pass")
    run = press_rig("hil", "test_typo.py", "--out", "r")
    assert run.returncode == 2
    assert "SyntaxError" in run.stdout
    assert "interrupted" not in run.stdout
    assert run.stderr.strip().endswith("test_typo.py cannot be read (why stands above), so no test was run")


def test_press_that_cannot_be_opened_ends_with_code_3(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hil", "test_small.py", "--press", "/dev/ttyNoSuchPress", "--out", "r"]) == 3
    assert "does not exist" in capsys.readouterr().err


def test_plugin_works_in_a_plain_pytest_run(project: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_small.py", "--seed", "3"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout
    assert "2 passed" in run.stdout


def test_hil_suite_imports_nothing_but_the_rig() -> None:
    allowed = {"rig", "pytest", "hypothesis", "__future__", *sys.stdlib_module_names}
    for path in SUITE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                assert name.split(".")[0] in allowed, f"{path.name} imports {name}"
