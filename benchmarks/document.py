"""Bring the numbers of docs/performance.md up to what was measured last: out/bench.json and out/bench/profile.json.

python -m benchmarks && python -m benchmarks.profile && python -m benchmarks.document
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.catalogue import BENCHMARKS
from benchmarks.table import number

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
RESULTS, PROFILE = Path("out/bench.json"), Path("out/bench/profile.json")


def main(words: Sequence[str] | None = None) -> int:
    """Fill in what lies between the marks of the page; returns the exit code."""
    argparse.ArgumentParser(
        prog="python -m benchmarks.document", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args(words)
    try:
        results, profiles = (json.loads(path.read_text(encoding="utf-8")) for path in (RESULTS, PROFILE))
    except FileNotFoundError as error:
        print(f"{error.filename} is not there; run python -m benchmarks and python -m benchmarks.profile first")
        return 2
    page = PAGE.read_text(encoding="utf-8")
    blocks = {"machine": machine(), "goals": goals(results)}
    blocks |= {name: shares(profile) for name, profile in profiles.items()}
    for name, text in blocks.items():
        page = filled(page, name, text)
    PAGE.write_text(page, encoding="utf-8")
    print(PAGE)
    return 0


def filled(page: str, name: str, text: str) -> str:
    """The page with other text between two marks.

    Raises:
        ValueError: the page has no such marks.
    """
    begin, end = f"<!-- measured: {name} -->\n", f"<!-- end: {name} -->"
    pattern = re.compile(f"(?<={re.escape(begin)}).*?(?={re.escape(end)})", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"there is no place for {name!r}, between {begin.strip()} and {end}")
    return pattern.sub(lambda _: text, page)


def goals(results: Mapping[str, Mapping[str, Any]]) -> str:
    """The table of goals and what was measured, in the order of the catalogue."""
    lines = ["| entry | measured | goal | unit | what |", "| --- | ---: | ---: | --- | --- |"]
    for name, entry in BENCHMARKS.items():
        if name in results:
            median = results[name]["median"]
            met = {True: " ✓", False: " ✗", None: ""}[entry.met_by(median)]
            lines.append(f"| `{name}` | {number(median)} | {entry.goal}{met} | {entry.unit} | {entry.what} |")
    return "\n".join(lines) + "\n"


def shares(profile: Mapping[str, float]) -> str:
    """A profile as a table; its last entry is the whole."""
    *parts, (whole, cost) = profile.items()
    summed = sum(value for _, value in parts)
    lines = ["| part | µs per virtual s | % |", "| --- | ---: | ---: |"]
    lines += [f"| {part} | {value:.0f} | {100 * value / summed:.0f} |" for part, value in parts]
    return "\n".join([*lines, f"| **{whole}** | {cost:.0f} | |"]) + "\n"


def machine() -> str:
    """What it was measured on."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists() and (found := re.search(r"^model name\s*: (.+)$", info.read_text(), re.MULTILINE)):
        model = found[1]
    return f"Measured on {model}, Python {platform.python_version()}.\n"


if __name__ == "__main__":
    sys.exit(main())
