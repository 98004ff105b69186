"""What the modules that generate C for the firmware have in common: text of C, and writing or checking files."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

__all__ = ["MADE", "c_enum", "write_or_check"]

MADE: Final = (
    "/* Made from registers.toml, the node's settings and the sensors by `make firmware`; not to be edited. */"
)


def c_enum(entries: Iterable[tuple[str, int]]) -> Iterator[str]:
    """An enum with the names in capitals."""
    yield "enum {"
    yield from (f"    {name.upper()} = {value}," for name, value in entries)
    yield "};"


def write_or_check(name: str, sources: Mapping[Path, str], arguments: Sequence[str] | None = None) -> int:
    """The command of a generating module: write its files, or check them.

    Args:
        name: of the module.
        sources: files and what belongs into them.
        arguments: of the command; None for those of the process.

    Returns:
        The exit code.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {name}")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if something is out of date")
    check = parser.parse_args(arguments).check
    stale = 0
    for path, text in sources.items():
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if check:
            print(f"{path} is out of date; run `make firmware`")
        else:
            path.write_text(text, encoding="utf-8")
            print(f"{path} written")
    return 1 if check and stale else 0
