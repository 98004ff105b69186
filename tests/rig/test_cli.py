"""The command line: teaches, answers, and turns trouble into one sentence and an exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rig.cli import main


def test_help_names_every_command_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for word in (
        "hil",
        "emulate",
        "sniff",
        "read",
        "tags",
        "recipes",
        "make",
        "trace",
        "explore",
        "ports",
        "exit codes",
        "emu://",
    ):
        assert word in text


def test_without_a_command_it_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "commands" in capsys.readouterr().out


def test_read_shows_values_with_units(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", "heat_1_upper_temperature_c", "mode", "--press", "emu://?start=warm"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[-1] == "°C"
    assert lines[1].split() == ["mode", "off"]


def test_unknown_option_is_told_with_the_usage_of_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["hil", "--report", "x"])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("usage: press-rig hil")
    assert "unrecognized arguments: --report" in told


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["read", "nothing"], 2, "no tag or group named 'nothing'"),
        (["read", "mode", "--press", "emu://?color=red"], 2, "parameter 'color' is unknown"),
        (["read", "mode", "--press", "/dev/ttyNoSuchPress"], 3, "does not exist"),
        (["tags", "nothing"], 2, "no tag or group named 'nothing'"),
        (["recipes", "soup"], 2, "no recipe named 'soup'"),
        (["emulate", "--start", "tepid"], 2, "cold, warm, running"),
        (["emulate", "--adapter", "carrier-pigeon"], 2, "it must be one of ideal, ftdi-16ms"),
        (["emulate", "--no-baud-limit", "--node", "firmware"], 2, "--no-baud-limit does not go with the firmware"),
        (["emulate", "--sensors", "none"], 2, "is called 'none'"),
        (["emulate", "--machine", "none"], 2, "no machine is called 'none'"),
        (["emulate", "--tcp", "0.0.0.0:5020"], 2, "0.0.0.0 is reachable from other machines"),
        (["emulate", "--modbus-tcp", "502x"], 2, "HOST:PORT"),
        (["emulate", "--rfc2217", "::1"], 2, "is not an IP address"),
        (["emulate", "--listen", "0.0.0.0"], 2, "say which clients may come with --allow CIDR"),
        (["emulate", "--tcp", "0", "--allow", "10.0.0.0/8"], 2, "give --listen ADDR"),
        (["emulate", "--listen", "::", "--allow", "10.0.0.1/8"], 2, "has host bits set"),
        (["emulate", "--control", "pyproject.toml"], 2, "exists and is not a socket"),
        (["emulate", "--tcp", "here"], 2, "HOST:PORT"),
        (["emulate", "--link", "pyproject.toml"], 2, "exists and is not a symbolic link"),
        (["emulate", "--link", "no/such/folder/press"], 2, "there is no folder no/such/folder"),
        (["emulate", "--link", "/proc/press"], 3, "cannot make the link /proc/press"),
        (["emulate", "--tcp", "54321", "--modbus-tcp", "54321"], 3, "cannot listen on 127.0.0.1:54321"),
        (["resume", "no.snapshot", "--link", "."], 2, "exists and is not a symbolic link"),
        (["emulate", "--machine", "pyproject.toml"], 2, "more)"),
        (["resume", "no.snapshot", "--tcp", "127.0.0.1:99999"], 2, "HOST:PORT"),
        (["read", "mode", "--press", ""], 2, "a press needs a URL"),
        (["read", "mode", "--press", "socket://127.0.0.1"], 2, "not socket://HOST:PORT"),
        (["read", "mode", "--press", "socket://127.0.0.1:99999"], 2, "not socket://HOST:PORT"),
        (["read", "mode", "--press", "/etc/passwd"], 3, "is not a serial port"),
        (["read", "mode", "--press", "/tmp"], 3, "is not a serial port"),
        (["hil", "--controller", "nonsense"], 2, "package.module:factory"),
        (["hil", "--controller", "no.such:factory"], 2, "no module 'no'"),
        (["hil", "--controller", "rig.recipe:nothing"], 2, "has no factory 'nothing'"),
        (["hil", "--controller", "rig.recipe:list_recipes"], 5, "which has no scan"),
        (["hil", "--recipe", "soup"], 2, "no recipe named 'soup'"),
        (["hil", "-k", "and and"], 2, "-k 'and and' cannot be read"),
        (["hil", "no/such/suite"], 2, "no tests at no/such/suite"),
        (["docs", "no/such/folder"], 2, "cannot be read"),
        (["faults", "heater_lots"], 2, "did you mean 'heater_lost'?"),
        (["faults", "heater_lost", "--group", "wire"], 2, "is of group machine"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_is_told_in_one_sentence(
    words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = ["--out", str(tmp_path)] if words[0] == "hil" else []
    assert main([*words, *out]) == code
    captured = capsys.readouterr()
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert len(captured.err.strip().splitlines()) == 1
    if "--link" in words or code == 3:
        assert captured.out == "", "told before a press is made"


@pytest.mark.parametrize("words", [["hil", "--profile", "huge"], ["emulate", "--speed", "0"], ["read"], ["fly"]])
def test_words_that_argparse_refuses_end_with_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        (["emulate", "--speed", "fast"], "'fast' is not a number above 0"),
        (["emulate", "--speed", "2e6"], "'2e6' is not a number above 0 and below 1,000,000"),
        (["emulate", "--speed", "nan"], "'nan' is not a number"),
        (["read", "mode", "--baud", "abc"], "'abc' is no line rate"),
        (["explore", "--workers", "-1"], "'-1' is not a whole number from 1"),
        (["hil", "--seed", "-3"], "'-3' is not a whole number from 0 on"),
        (["emulate", "--baud", "3"], "'3' is no line rate from 300 to 4,000,000 bit/s"),
        (["read", "mode", "--baud", "5000000"], "is no line rate from 300"),
        (["emulate", "--seed", "1e3"], "'1e3' is not a whole number from 0 on, of 18 digits"),
        (["hil", "--rewind", "soon"], "'soon' is not a time in seconds from 0"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_number_that_is_none_is_told_with_its_range(
    words: list[str], rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert rule in capsys.readouterr().err


def test_the_generated_parts_of_the_documentation_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["docs", "--check"]) == 0, "run `make docs`"
    assert capsys.readouterr().out.count("is up to date") == 3


def test_page_without_a_place_for_the_registers_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "protocol.md").write_text("of something else")
    assert main(["docs", str(tmp_path)]) == 2
    assert "it is not the page of this project" in capsys.readouterr().err


def test_the_catalogue_of_faults_is_listed_told_and_given_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["faults", "--group", "power"]) == 0
    listed = capsys.readouterr().out
    assert "phase_loss" in listed
    assert "heater_lost" not in listed
    assert main(["faults", "sensor_drift"]) == 0
    told = capsys.readouterr().out
    assert "begins       ramp" in told
    assert "it is mended then" in told
    assert main(["faults", "--json"]) == 0
    kinds = json.loads(capsys.readouterr().out)
    assert kinds["heater_lost"]["places"][0] == "heat_1_upper"
    assert kinds["unplugged"]["group"] == "wire"


def test_cache_that_is_no_folder_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "file"
    place.write_text("")
    monkeypatch.setenv("PRESS_RIG_CACHE", str(place))
    assert main(["cache"]) == 2
    assert "is not a folder" in capsys.readouterr().err


def test_press_that_is_not_virtual_is_not_moved_without_arming(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["hil", "--press", "emu://?identity=real", "--out", str(tmp_path)]) == 4
    assert "--arm" in capsys.readouterr().err


def test_recipe_that_breaks_a_claim_is_told_with_the_claim(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "too-cold"]) == 1
    assert "CLM-5: press.heat_temperature_c is 92, outside 105 … 125" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = ", "not valid TOML"),
        ('name = "x"', "description: Field required"),
    ],
)
def test_malformed_recipe_is_told_with_file_and_key(
    text: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    assert main(["recipes", str(path)]) == 2
    error = capsys.readouterr().err
    assert str(path) in error
    assert message in error
