"""What of all that happened is wanted: units, functions, tags, and only what is new."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from rig.errors import UnknownTag
from rig.protocol import BROADCAST
from rig.protocol.registers import RegisterMap, Table, Value
from rig.sniff.decode import Damage, Item
from rig.sniff.meaning import Reading

__all__ = ["Choice", "tags_like"]


def tags_like(patterns: Sequence[str], *maps: RegisterMap) -> frozenset[str]:
    """Names of the tags of any map that a pattern names, or whose group it names.

    Raises:
        UnknownTag: a pattern that fits nothing.
    """
    found: set[str] = set()
    for pattern in patterns:
        tags = (tag for registers in maps for tag in registers.tags.values())
        names = [tag.name for tag in tags if _fits(pattern, (tag.name, tag.group))]
        if not names:
            raise UnknownTag(maps[-1].explain_unknown(pattern))
        found.update(names)
    return frozenset(found)


def _fits(pattern: str, names: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for name in names)


@dataclass
class Choice:
    """What is wanted; empty collections mean everything.

    Attributes:
        units: addresses.
        functions: function codes.
        tags: names of tags.
        changes: only what has another value than the last time.
    """

    units: Collection[int] = ()
    functions: Collection[int] = ()
    tags: Collection[str] = ()
    changes: bool = False
    _seen: dict[tuple[int, Table, int], Value | list[Value]] = field(default_factory=dict)

    def wants(self, item: Item) -> bool:
        """Whether it is of these units and functions; damage is, unless it is known to be of another."""
        unit, function = item.unit, item.function
        if isinstance(item, Damage) and unit is None:
            return True
        # what goes to all units goes to each of them
        of_unit = not self.units or unit in self.units or unit == BROADCAST
        return of_unit and (not self.functions or function in self.functions)

    def narrow(self, unit: int, readings: Iterable[Reading]) -> list[Reading]:
        """The readings that are wanted."""
        chosen = [reading for reading in readings if not self.tags or reading.name in self.tags]
        return [reading for reading in chosen if self._is_new(unit, reading)] if self.changes else chosen

    @property
    def is_narrow(self) -> bool:
        """Whether what says nothing of the chosen tags is not wanted either."""
        return bool(self.tags) or self.changes

    def _is_new(self, unit: int, reading: Reading) -> bool:
        place = (unit, reading.table, reading.address)
        if place in self._seen and self._seen[place] == reading.value:
            return False
        self._seen[place] = reading.value
        return True
