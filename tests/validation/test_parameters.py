"""The parameter tables of docs/model.md and the data files say the same."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.oracles.parameters import DATA, Tables, machine_file, material_file
from tests.validation.parameters import MODEL, Parameter, read_parameters
from tests.validation.setups import changed

PARAMETERS = read_parameters()
FILES = {**machine_file(), **material_file()}
LETTERS = {"M", "E", "C", "P", "N"}


def _numbers(tables: Tables) -> set[str]:
    return {f"{section}.{key}" for section, table in tables.items() if isinstance(table, dict) for key in table}


def _tags_of_the_files() -> dict[str, str]:
    """First tag in the comment behind every number; N where there is none."""
    tags, section = {}, ""
    for path in (DATA / "machines" / "reference.toml", DATA / "materials" / "g20.toml"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if heading := re.match(r"\[(\w+)\]", line):
                section = heading[1]
            elif section and (number := re.match(r"(\w+) = [^#]*(?:#\s*(?:\[(\w+)\])?.*)?$", line)):
                tags[f"{section}.{number[1]}"] = number[2] or "N"
    return tags


def test_every_number_of_the_files_has_one_row_and_no_row_is_of_something_else() -> None:
    keys = [parameter.key for parameter in PARAMETERS]
    assert len(keys) == len(set(keys))
    assert set(keys) == _numbers(FILES)


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda p: p.key)
def test_a_row_has_the_value_and_the_source_of_the_file(parameter: Parameter) -> None:
    value: Any = FILES[parameter.section][parameter.name]
    assert list(parameter.values) == (value if isinstance(value, list) else [value])
    assert parameter.source == _tags_of_the_files()[parameter.key]


def test_every_range_has_a_source_and_holds_the_value() -> None:
    for parameter in PARAMETERS:
        if parameter.span is None:
            continue
        low, high = parameter.span
        value = 1.0 if parameter.scales else parameter.values[0]
        assert low < high, parameter.key
        assert low <= value <= high, parameter.key
        assert parameter.basis, parameter.key


def test_every_source_that_is_cited_is_in_the_list_of_sources_and_the_other_way_round() -> None:
    text = MODEL.read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| (S\d+) \|", text, flags=re.MULTILINE))
    tags = {tag for parameter in PARAMETERS for tag in parameter.tags}
    named = set(re.findall(r"\bS\d\d\b", text.partition("### Sources")[0]))
    assert tags <= listed | LETTERS
    assert named == listed


def test_the_other_machine_differs_in_the_roller_pitch_alone() -> None:
    wide = machine_file("pitch60")
    named = {"name": wide["name"], "description": wide["description"]}
    assert changed(machine_file(), geometry={"roller_pitch_mm": 60.0}) | named == wide
