"""The mutants as data."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["Mutant", "load_mutants"]

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake.

    Attributes:
        name: of the mutant.
        kind: of mistake; the name of its file.
        title: what is wrong with it.
        file: of `rig/controller`.
        old: text that stands there, once.
        new: what the mistake makes of it.
        unseen: why nothing outside the controller can show it within the press that there is; empty where it can.
    """

    name: str
    kind: str
    title: str
    file: str
    old: str
    new: str
    unseen: str = ""

    def applied(self, source: str) -> str:
        """The source with the mistake in it.

        Raises:
            ValueError: the text is not there, or more than once.
        """
        count = source.count(self.old)
        if count != 1:
            raise ValueError(
                f"mutant {self.name}: its text stands {count} times in rig/controller/{self.file}, "
                f"and must once: {self.old!r}"
            )
        return source.replace(self.old, self.new)


@cache
def load_mutants() -> Mapping[str, Mutant]:
    """All of them, by name."""
    found: dict[str, Mutant] = {}
    for file in sorted(FOLDER.glob("*.toml")):
        for name, table in tomllib.loads(file.read_text(encoding="utf-8")).items():
            assert name not in found, f"there are two mutants {name}"
            found[name] = Mutant(name, file.stem, **{key: value.strip("\n") for key, value in table.items()})
    return found
