"""Which tag groups are read in a scan: all of them where the line has the time, else those that wait longest.

A group has an interval in scans. Where a scan's share of the line is too short for everything, groups are taken in the
order of how long they have waited, measured in their intervals, as long as they fit: fast groups come first, slow ones
get the smaller share, and as waiting counts without limit nobody starves. The vital groups (state and interlocks of
the press's own node) are in every scan in which anything else fits beside them, and where nothing does in every second.

No I/O and no clock: what a request costs is told by whoever knows the line.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from rig.errors import UsageError
from rig.protocol.registers import RegisterMap, Table, Tag

__all__ = ["Item", "PollSchedule", "Request", "RequestCost", "Waiting", "choose", "items_of", "requests_of"]

LONGEST_INTERVAL = 36_000
"""Scans; an hour. A group that is to be read less often than this is to be read by hand."""
Request = tuple[str, Table, int]
"""Node, table, and number of registers or bits."""
RequestCost = Callable[[Request], int]
"""How long a request and its answer take, ns."""
Span = tuple[Table, int, int]
"""Table, first address, and the address behind the last."""


@dataclass(frozen=True, slots=True)
class PollSchedule:
    """How often each tag group is read.

    Attributes:
        every: interval in scans by group, 1 for every scan; groups that are not named keep the interval that the
            register map gives them. Groups that are read on request are polled once they are named, when they are due.
        spare: whether groups that are not due are read along while the scan has time for them; where it has time for
            all, everything is read in every scan.
    """

    every: Mapping[str, int] = field(default_factory=dict)
    spare: bool = True

    def check(self, registers: RegisterMap) -> None:
        """Refuse what cannot be.

        Raises:
            UsageError: a group that does not exist or is not polled, or an interval that is none.
        """
        for group, scans in self.every.items():
            if group not in registers.groups:
                raise UsageError(f"poll schedule: {registers.explain_unknown(group)}")
            if isinstance(scans, bool) or not isinstance(scans, int) or not 1 <= scans <= LONGEST_INTERVAL:
                raise UsageError(
                    f"poll schedule: interval of {group} is {scans!r}; it must be 1 (every scan) … {LONGEST_INTERVAL}"
                )


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """A tag group, or the part of it that stands on one node.

    Attributes:
        key: its name; with the node where the group stands on several.
        node: whom to ask.
        tags: what to read.
        spans: where that stands; discrete inputs that a register mirrors stand there.
        every: interval, scans.
        vital: state and interlocks of the press's own node.
    """

    key: str
    node: str
    tags: tuple[Tag, ...]
    spans: tuple[Span, ...]
    every: int
    vital: bool


@dataclass(slots=True)
class Waiting:
    """Since when the groups wait: the part of the schedule that changes.

    Attributes:
        scan: number of scans so far.
        whole: the last scan that asked for everything.
        asked: the last scan that asked for an item, by key.
    """

    scan: int = 0
    whole: int = -LONGEST_INTERVAL
    asked: dict[str, int] = field(default_factory=dict)

    def of(self, key: str) -> int:
        """Scans since an item was asked for."""
        return self.scan - max(self.asked.get(key, self.whole), self.whole)


def items_of(registers: RegisterMap, tags: Iterable[Tag], every: Mapping[str, int], own: str) -> tuple[Item, ...]:
    """Tags as items of a schedule.

    Args:
        registers: the register map.
        tags: what is to be polled.
        every: intervals in scans by group; 1 for groups that are not named.
        own: the press's own node. Its vital groups have an interval of 1, whatever is asked for.
    """
    shown = {bit: register for register, bits in registers.mirrors.items() for bit in bits}
    ordered = sorted(tags, key=lambda tag: (tag.group, tag.node))
    found = []
    for (group, node), members in groupby(ordered, key=lambda tag: (tag.group, tag.node)):
        several = len({registers[name].node for name in registers.groups[group]}) > 1
        mine = tuple(members)
        places = {shown.get(tag, tag) for tag in mine}
        spans = tuple(sorted((tag.table, tag.address, tag.address + tag.count) for tag in places))
        vital = node == own and group in registers.vital
        found.append(
            Item(f"{group}@{node}" if several else group, node, mine, spans, 1 if vital else every.get(group, 1), vital)
        )
    return tuple(found)


def requests_of(items: Collection[Item], *, gap: int, longest: int) -> Iterator[Request]:
    """The requests that items merge into.

    Args:
        items: what is read.
        gap: registers or bits in between that are read along rather than asked for apart.
        longest: registers in one request at the most.
    """
    spans = sorted((item.node, *span) for item in items for span in item.spans)
    start = end = -1
    where: tuple[str, Table] | None = None
    for node, table, first, behind in spans:
        if where == (node, table) and first - end <= gap and behind - start <= longest:
            end = max(end, behind)
            continue
        if where is not None:
            yield (*where, end - start)
        where, start, end = (node, table), first, behind
    if where is not None:
        yield (*where, end - start)


class _Load:
    """What has been chosen so far, and what it costs; a node's requests are counted anew when something joins them."""

    def __init__(self, cost: RequestCost, gap: int, longest: int) -> None:
        self.items: list[Item] = []
        self.total_ns = 0
        self._request = cost
        self._merge = (gap, longest)
        self._by_node: dict[str, list[Item]] = {}
        self._node_ns: dict[str, int] = {}

    def with_ns(self, item: Item) -> int:
        """What all would cost together with `item`, ns."""
        return self.total_ns - self._node_ns.get(item.node, 0) + self._cost_ns(item)

    def _cost_ns(self, item: Item) -> int:
        gap, longest = self._merge
        mine = [*self._by_node.get(item.node, ()), item]
        return sum(map(self._request, requests_of(mine, gap=gap, longest=longest)))

    def add(self, item: Item) -> None:
        node_ns = self._cost_ns(item)
        self.total_ns += node_ns - self._node_ns.get(item.node, 0)
        self._node_ns[item.node] = node_ns
        self._by_node.setdefault(item.node, []).append(item)
        self.items.append(item)


def choose(
    items: Sequence[Item],
    waiting: Waiting,
    share_ns: int,
    cost: RequestCost,
    *,
    spare: bool = True,
    resting: Collection[str] = (),
    silent: Collection[str] = (),
    gap: int = 0,
    longest: int = 120,
) -> list[Item]:
    """What to ask for in this scan, in this order.

    Args:
        items: all that is polled.
        waiting: since when they wait.
        share_ns: time that the scan has for it, ns; one item is chosen even where it does not fit.
        cost: of a request.
        spare: also what is not due, while there is time.
        resting: nodes that are left alone in this scan.
        silent: nodes that have said nothing lately. Of the press's own only the vital items are asked for; of all
            others together one item, the one that waits longest, and that at the end.
        gap: see `requests_of`.
        longest: see `requests_of`.
    """

    def urgency(item: Item) -> float:
        return waiting.of(item.key) / item.every

    awake = sorted((item for item in items if item.node not in resting), key=urgency, reverse=True)
    vital = [item for item in awake if item.vital]
    own = {item.node for item in vital}
    others = [
        item
        for item in awake
        if not item.vital and item.node not in silent and (spare or waiting.of(item.key) >= item.every)
    ]
    probe = next((item for item in awake if item.node in silent and item.node not in own), None)
    load = _Load(cost, gap, longest)
    for item in vital:
        load.add(item)
    first = probe or next(iter(others), None)
    if first is not None and vital and load.with_ns(first) > share_ns:
        asked_just_now = all(waiting.of(item.key) <= 1 for item in vital)
        if asked_just_now:  # and so they are in the next scan
            load = _Load(cost, gap, longest)
    if probe is not None and (not load.items or load.with_ns(probe) <= share_ns):
        load.add(probe)
    for item in others:
        if not load.items or load.with_ns(item) <= share_ns:
            load.add(item)
    # what nobody answers must not keep the others waiting
    return sorted(load.items, key=lambda item: (item is probe, item.node not in own))
