"""The commands of the validation: wrong words are told before anything is computed, and Ctrl-C is a line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.validation import __main__ as validation
from tests.validation import sensitivity

Main = Callable[[list[str]], int]


@pytest.mark.parametrize("main", [validation.main, sensitivity.main], ids=["validation", "sensitivity"])
def test_place_that_cannot_be_a_folder_is_told(main: Main, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SystemExit) as ended:
        main(["--out", str(tmp_path / "file")])
    assert ended.value.code == 2
    assert "file cannot be made: File exists" in capsys.readouterr().err


@pytest.mark.parametrize("word", ["0", "-1", "many", "100000"])
def test_number_of_processes_that_cannot_be_is_told(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        validation.main(["--jobs", word])
    assert ended.value.code == 2
    assert f"'{word}' is no number of processes" in capsys.readouterr().err


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("main", "module", "part"),
    [(validation.main, validation, "_run"), (sensitivity.main, sensitivity, "effect")],
    ids=["validation", "sensitivity"],
)
def test_ctrl_c_ends_with_a_line_and_130(
    main: Main, module: object, part: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(module, part, interrupted)
    assert main(["--out", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "interrupted; nothing was written\n"
    assert list(tmp_path.iterdir()) == []
