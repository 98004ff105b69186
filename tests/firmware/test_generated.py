"""The generated part of the firmware says what its sources say."""

from __future__ import annotations

from emulator.firmware import node_map, press_map
from emulator.firmware.generated import write_or_check

SOURCES = {**node_map.sources(), **press_map.sources()}


def test_the_generated_files_are_up_to_date() -> None:
    assert write_or_check("", SOURCES, ["--check"]) == 0


def test_nothing_else_lies_beside_them() -> None:
    assert set(node_map.GENERATED.iterdir()) == set(SOURCES)
