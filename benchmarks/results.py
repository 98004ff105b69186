"""What came out: median, smallest and largest of several measurements, and the file that keeps them."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

__all__ = ["Result", "make_writable", "write"]


@dataclass(frozen=True, slots=True)
class Result:
    """One entry."""

    median: float
    min: float
    max: float
    unit: str

    @classmethod
    def of(cls, taken: Sequence[float], unit: str) -> Self:
        """From at least one measurement."""
        return cls(statistics.median(taken), min(taken), max(taken), unit)


def make_writable(path: Path) -> None:
    """Find out before minutes are spent that a file can be written, not after.

    What is there stays as it is, and where there is nothing, there is nothing afterwards.

    Raises:
        OSError: it cannot.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("a", encoding="utf-8"):
        pass
    if is_new:
        path.unlink()


def write(results: Mapping[str, Result], path: Path) -> None:
    """As JSON, one object per entry."""
    table = {name: asdict(result) for name, result in results.items()}
    path.write_text(json.dumps(table, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
