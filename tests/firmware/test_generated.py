"""The generated part of the firmware says what its sources say."""

from __future__ import annotations

from emulator.firmware.node_map import GENERATED, main, sources


def test_the_generated_files_are_up_to_date() -> None:
    assert main(["--check"]) == 0


def test_nothing_else_lies_beside_them() -> None:
    assert set(GENERATED.iterdir()) == set(sources())
