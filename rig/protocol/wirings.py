"""Wirings: which nodes a press has on the line, and which of its tags live on which.

The tags of the register file stand where a press with a single node has them. A wiring with more nodes moves
some of them there, behind what these nodes have of their own, gapless and in the same order; a node that a wiring
does not have takes its own tags along.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rig.protocol.registers import Node, Table, Tag

__all__ = ["RegisterMapError", "Wiring", "parse_wirings"]

KEYS = {"description", "moved", "nodes"}
SHOWN_BY = "wiring"
"""The tag that says on the wire which wiring it is; its values are the names of the wirings."""


class RegisterMapError(ValueError):
    """A register map that breaks a rule; the message names file, tag and rule."""


@dataclass(frozen=True)
class Wiring:
    """One of the wirings of a press.

    Attributes:
        name: of the wiring.
        description: for people.
        nodes: names of those that it has, the I/O node first.
        moved: node by the name of the tag that lives on it and not on the I/O node.
    """

    name: str
    description: str
    nodes: tuple[str, ...]
    moved: Mapping[str, str]

    def applied(self, tags: Mapping[str, Tag]) -> dict[str, Tag]:
        """The tags of this wiring, where it has them, in the order given."""
        there = {name: tag for name, tag in tags.items() if tag.node in self.nodes}
        ends: dict[tuple[str, Table], int] = {}
        for tag in there.values():
            key = tag.node, tag.table
            ends[key] = max(ends.get(key, 0), tag.address + tag.count)
        for tag in sorted((there[name] for name in self.moved), key=lambda tag: tag.address):
            key = self.moved[tag.name], tag.table
            address = ends.get(key, 0)
            there[tag.name] = replace(tag, node=key[0], address=address)
            ends[key] = address + tag.count
        return there


def parse_wirings(
    data: Any, nodes: Mapping[str, Node], tags: Mapping[str, Tag], lists: Mapping[str, Sequence[str]], where: str
) -> dict[str, Wiring]:
    """The wirings of a register file by name, the usual one first; a file without any has one without a name.

    Raises:
        RegisterMapError: one that cannot be.
    """
    main = next(iter(nodes))
    if data is None:
        return {"": Wiring("", "", tuple(nodes), {})}
    wirings: dict[str, Wiring] = {}
    for name, entry in data.items():

        def broken(rule: str, name: str = name) -> RegisterMapError:
            return RegisterMapError(f"{where}: wiring {name}: {rule}")

        if not isinstance(entry, dict) or set(entry) - KEYS:
            raise broken(f"it has {', '.join(sorted(KEYS))} and nothing else")
        moved: dict[str, str] = {}
        for node, patterns in entry.get("moved", {}).items():
            if node not in nodes or node == main:
                raise broken(f"moves tags to {node!r}; it can be one of {', '.join(set(nodes) - {main})}")
            for tag in (tag for pattern in patterns for tag in _filled(pattern, lists)):
                if tag not in tags or tags[tag].node != main:
                    raise broken(f"moves {tag!r}, which is no tag of node {main}")
                if tag in moved:
                    raise broken(f"moves {tag} twice")
                moved[tag] = node
        further = entry.get("nodes", [])
        for node in further:
            if node not in nodes or node == main or node in entry.get("moved", {}):
                raise broken(f"has node {node!r}; it can be one of {', '.join(set(nodes) - {main})}, each once")
        there = (main, *entry.get("moved", {}), *further)
        wirings[name] = Wiring(name, str(entry.get("description", "")), there, moved)
    shown = tags.get(SHOWN_BY)
    if shown is None or set(shown.values) != set(wirings):
        raise RegisterMapError(f"{where}: tag {SHOWN_BY}: its values must be the wirings {', '.join(wirings)}")
    return wirings


def _filled(pattern: str, lists: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The names that a name with lists in braces stands for."""
    found = re.search(r"\{(\w+)\}", pattern)
    if found is None:
        yield pattern
        return
    for member in lists.get(found[1], ()):
        yield from _filled(pattern.replace(found[0], member), lists)
