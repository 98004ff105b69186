"""The parameter tables of the stations behind the press in docs/model.md and their data files say the same."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from tests.oracles.parameters import DATA
from tests.validation.parameters import MODEL

KINDS = ("stretcher", "desolvation", "heat_treatment", "film", "line")
LETTERS = {"M", "E", "C", "P"}
TEXT = MODEL.read_text(encoding="utf-8")
ROWS = re.findall(rf"^\| `((?:{'|'.join(KINDS)})(?:\.\w+)+)` \| (\S+) \| (\w+) \| (.+) \|$", TEXT, flags=re.MULTILINE)


def _flat(table: dict[str, Any], prefix: str) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            numbers |= _flat(value, f"{prefix}.{key}")
        elif not isinstance(value, str):
            numbers[f"{prefix}.{key}"] = value
    return numbers


def _files() -> tuple[dict[str, float], dict[str, str]]:
    """Numbers, and the first tag in the comment behind each."""
    numbers: dict[str, float] = {}
    tags: dict[str, str] = {}
    for kind in KINDS:
        text = (DATA / f"{kind}s" / "reference.toml").read_text(encoding="utf-8")
        numbers |= _flat(tomllib.loads(text), kind)
        section = ""
        for line in text.splitlines():
            if heading := re.match(r"\[([\w.]+)\]", line):
                section = heading[1]
            elif section and (number := re.match(r"(\w+) = [^#]*#\s*\[(\w+)\]", line)):
                tags[f"{kind}.{section}.{number[1]}"] = number[2]
    return numbers, tags


NUMBERS, TAGS = _files()


def test_every_number_of_the_files_has_a_source_and_one_row_and_no_row_is_of_something_else() -> None:
    keys = [key for key, *_ in ROWS]
    assert sorted(keys) == sorted(NUMBERS)
    assert set(TAGS) == set(NUMBERS)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_have_the_values_and_the_sources_of_the_file(kind: str) -> None:
    for key, value, source, _ in ROWS:
        if key.startswith(f"{kind}."):
            assert float(value) == NUMBERS[key], key
            assert source == TAGS[key], key


def test_every_range_holds_the_value_and_has_a_source() -> None:
    spans = [(key, value, span) for key, value, _, span in ROWS if span != "—"]
    assert spans
    for key, value, span in spans:
        low, high, basis = re.fullmatch(r"(\S+) … (\S+) \[(\w+)\]", span).groups()  # type: ignore[union-attr]
        assert float(low) <= float(value) <= float(high), key
        assert float(low) < float(high), key
        assert basis in LETTERS


def test_every_source_of_a_row_is_named_with_what_was_read() -> None:
    listed = set(re.findall(r"\b(S\d\d):", TEXT.partition("New sources:")[2]))
    assert {tag for tag in TAGS.values() if tag not in LETTERS} <= listed
