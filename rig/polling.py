"""One scan's reads: what is due goes out in few requests, what is silent costs little, and every value has its age.

`Poller` asks what `rig.schedule` chooses, the press's own node first. Where everything is one request and fits into
the scan, as on the one-node line at 115200 baud, that is all there is to it. Otherwise each request has the time that
the others leave it, is sent again if all others have had their turn and there is time, and what there is no time for
waits for the next scan. A node that stays silent is left alone for 1, 2, 4 … scans; not so the press's own, whose
interlocks somebody may be waiting for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from rig.client import LONGEST_READ, READ_GAP, READS, PlannedRead, TagClient
from rig.errors import BusError, NodeBusy, RequestRefused
from rig.health import LOST_AFTER, Pace
from rig.master import READ_GRAIN_NS, SLACK_NS, Master
from rig.node_clock import SAMPLE_TIME, NodeClock
from rig.protocol.registers import RegisterMap, Tag, Value
from rig.schedule import Item, PollSchedule, Request, Waiting, choose, items_of, requests_of
from rig.trace import Recorder
from rig.trace.recorder import Places

if TYPE_CHECKING:
    from rig.clock import Clock

__all__ = ["NEVER_S", "Known", "Poller", "PollingState"]

NEVER_S = float("inf")
"""Age of what was never read, s."""
PATIENT_SCANS = 1
"""A node may be silent for so many scans before it is left alone for some."""
LONGEST_REST_SCANS = 32
REQUEST_FRAME = 8
"""Bytes of a read request."""
MOST_PLANS = 256


@dataclass(slots=True)
class PollingState:
    """All that makes the future of polling.

    Attributes:
        waiting: since when the groups wait.
        node_clock: of the press's own node.
        other_clocks: of the other nodes that have one, by name.
        values: the last known ones, by tag name.
        time_ns: when the press's own node was sampled, bench time.
        times_ns: when each value was sampled, by tag name; empty if all were at `time_ns`.
        read_ns: the same of what was read outside of polls.
        paces: of the nodes, by name.
    """

    waiting: Waiting = field(default_factory=Waiting)
    node_clock: NodeClock = field(default_factory=NodeClock)
    other_clocks: dict[str, NodeClock] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    time_ns: int = 0
    times_ns: dict[str, int] = field(default_factory=dict)
    read_ns: dict[str, int] = field(default_factory=dict)
    paces: dict[str, Pace] = field(default_factory=dict)

    @property
    def restarts(self) -> int:
        """How often nodes have started anew: they have forgotten what they were told."""
        own = self.node_clock.restarts
        return own + sum(clock.restarts for clock in self.other_clocks.values()) if self.other_clocks else own


class Known(NamedTuple):
    """What is known of everything that is polled; the fields are those of `PollingState`."""

    values: Mapping[str, Value]
    time_ns: int
    times_ns: Mapping[str, int]
    restarts: int


@dataclass(frozen=True, slots=True)
class _Read:
    """A planned read of a scan, with all that is asked about it again and again."""

    planned: PlannedRead
    node: str
    items: tuple[str, ...]
    names: tuple[str, ...]
    wire_ns: int
    answer_ns: int
    dated_by: str
    places: Places


@lru_cache(maxsize=32)
def _shared_items(
    registers: RegisterMap, tags: tuple[Tag, ...], every: tuple[tuple[str, int], ...], own: str
) -> tuple[Item, ...]:
    """Shared by all pollers: a bench for every example polls as the one before."""
    return items_of(registers, tags, dict(every), own)


class Poller:
    """Polls a press by a schedule.

    Args:
        client: who asks.
        master: of the client: it knows the line and how the nodes are doing.
        clock: the bench's.
        registers: the register map.
        tags: what is polled.
        recorder: gets what was polled, if there is one.
        aside: these tags are read beside the polls of another: the recorder holds them for its rows, and where nobody
            answers it is their age that tells.

    Attributes:
        known: what is known of the press, and of when.
    """

    def __init__(
        self,
        client: TagClient,
        master: Master,
        clock: Clock,
        registers: RegisterMap,
        tags: Sequence[Tag],
        recorder: Recorder | None,
        *,
        aside: bool = False,
    ) -> None:
        self._client, self._master, self._clock = client, master, clock
        self._aside = aside
        self._registers, self._tags, self._recorder = registers, tags, recorder
        self._own = registers.main.name
        self._own_health = master.health_of(registers.nodes[self._own].address)
        self._units = {name: node.address for name, node in registers.nodes.items()}
        self._plans: dict[tuple[tuple[str, ...], frozenset[str]], tuple[_Read, ...]] = {}
        self.known = PollingState(time_ns=clock.now_ns)
        self.schedule = PollSchedule()

    # -- the schedule ---------------------------------------------------------------------------------

    @property
    def schedule(self) -> PollSchedule:
        """How often each group is read; may be set between two polls."""
        return self._schedule

    @schedule.setter
    def schedule(self, schedule: PollSchedule) -> None:
        schedule.check(self._registers)
        self._schedule = schedule
        every = {**self._registers.every_scans, **schedule.every}
        self._items = _shared_items(self._registers, tuple(self._tags), tuple(every.items()), self._own)
        self._plans.clear()
        everything = self._planned(self._items)
        self._only = everything[0] if len(everything) == 1 and schedule.spare else None

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that are polled."""
        return tuple(dict.fromkeys(item.node for item in self._items))

    @property
    def whole_ns(self) -> int:
        """What it takes to read everything, ns."""
        return self._total_ns(self._items)

    def _total_ns(self, items: Iterable[Item]) -> int:
        return sum(map(self._cost_ns, requests_of(tuple(items), gap=READ_GAP, longest=LONGEST_READ)))

    def _cost_ns(self, request: Request) -> int:
        node, table, count = request
        unit = self._units[node]
        return self._master.wire_ns(READS[table](0, count), unit) + self._wait_ns(node)

    def _wait_ns(self, node: str) -> int:
        """What a request takes beyond its bytes on the line, ns: silence before it, and what its node lets us wait."""
        pace = self._pace(node)
        # one that is silent may be slower than it was
        node_ns = max(pace.overhead_ns, SLACK_NS) if pace.silent_scans else pace.overhead_ns
        return self._master.timing.t3_5_ns + node_ns

    def _pace(self, node: str) -> Pace:
        return self._master.health_of(self._units[node]).pace

    # -- the poll -------------------------------------------------------------------------------------

    def poll(self, until_ns: int | None = None) -> dict[str, Value]:
        """Read what is due, and record it.

        Args:
            until_ns: bench time at which to give up, ns; None to read everything and to ask again as often as the
                master was told.

        Returns:
            The last known value of everything that was ever polled, by tag name; `known` says of when they are.

        Raises:
            BusError: the press's own node was asked and gave no usable answer, or nobody did (not `aside`).
            PortError: the port went away.
        """
        state, only = self.known, self._only
        waiting = state.waiting
        waiting.scan += 1
        if only is not None:
            pace = self._own_health.pace
            needed_ns = only.wire_ns + pace.mean_ns + 2 * pace.deviation_ns
            if until_ns is None or needed_ns <= until_ns - self._clock.now_ns:
                self._poll_whole(only, until_ns)
                return state.values
        if self._aside and not any(waiting.of(item.key) >= item.every for item in self._items):
            return state.values
        reads = self._due(until_ns)
        answered = self._ask(reads, until_ns)
        if answered and self._recorder is not None and not self._aside:
            self._recorder.sensed(self._clock.now_ns, (), ())
        return state.values

    def _poll_whole(self, read: _Read, until_ns: int | None) -> None:
        """Everything in one request."""
        state = self.known
        values, numbers = self._client.ask(read.planned, until_ns)
        now_ns = self._clock.now_ns
        if self._recorder is not None:
            self._recorder.sensed(now_ns, read.places, numbers)
        state.waiting.whole = state.waiting.scan
        time_ns = state.node_clock.sensed_ns(values, now_ns)
        if time_ns >= state.time_ns:  # else an answer to an earlier request: what is known already is newer
            state.values, state.time_ns = values, time_ns
            if state.times_ns:
                state.times_ns = {}

    def _due(self, until_ns: int | None) -> tuple[_Read, ...]:
        """What to ask in this scan."""
        waiting, schedule = self.known.waiting, self._schedule
        if until_ns is None:
            return self._planned(self._items)
        paces = {node: self._pace(node) for node in self.nodes}
        alone = len(paces) == 1
        chosen = choose(
            self._items,
            waiting,
            until_ns - self._clock.now_ns,
            self._cost_ns,
            spare=schedule.spare,
            resting=[node for node, pace in paces.items() if pace.next_scan > waiting.scan],
            silent=[
                node
                for node, pace in paces.items()
                if pace.silent_scans > (LOST_AFTER if node == self._own else 0) and not alone
            ],
            gap=READ_GAP,
            longest=LONGEST_READ,
        )
        return self._planned(chosen)

    def _planned(self, items: Sequence[Item]) -> tuple[_Read, ...]:
        """The requests that read items, in the order of the items."""
        order = tuple(dict.fromkeys(item.node for item in items))
        keys = order, frozenset(item.key for item in items)
        plan = self._plans.get(keys)
        if plan is None:
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()
            chosen = {tag for item in items for tag in item.tags}
            # in the order of the map, whatever the order of the items: plans are shared
            reads = self._client.plan(tag for tag in self._tags if tag in chosen)
            plan = tuple(self._read(read, items) for read in reads)
            plan = self._plans[keys] = tuple(sorted(plan, key=lambda read: order.index(read.node)))
        return plan

    def _read(self, planned: PlannedRead, items: Iterable[Item]) -> _Read:
        block = planned.block
        tags = (*block.tags, *block.mirrored)
        clocks = [tag.name for tag in tags if tag.name.endswith(SAMPLE_TIME)]
        wire_ns = self._master.wire_ns(planned.request, planned.unit)
        return _Read(
            planned=planned,
            node=block.node,
            items=tuple(item.key for item in items if not set(item.tags).isdisjoint(tags)),
            names=tuple(tag.name for tag in tags),
            wire_ns=wire_ns,
            answer_ns=wire_ns - self._master.timing.frame_ns(REQUEST_FRAME),
            dated_by=clocks[0] if clocks else "",
            places=self._recorder.places(block.numeric) if self._recorder is not None else (),
        )

    def _ask(self, reads: Sequence[_Read], until_ns: int | None) -> int:
        """Ask, first everybody once; then again where nothing came, if there is time.

        Returns:
            How many reads were answered.

        Raises:
            BusError: the press's own node was asked and gave no usable answer, or nobody did.
        """
        pending, answered = list(reads), 0
        asked: dict[str, bool] = {}
        troubles: dict[str, BusError] = {}
        for _ in range(1 if until_ns is None else 1 + self._master.retries):
            failed = []
            later_ns = sum(read.wire_ns + self._wait_ns(read.node) for read in pending)
            for read in pending:
                later_ns -= read.wire_ns + self._wait_ns(read.node)
                limit_ns = None
                if until_ns is not None:
                    if asked and until_ns - self._clock.now_ns < self._floor_ns(read):
                        continue  # it waits for the next scan
                    # a read that nothing answers ends up to a grain late
                    limit_ns = until_ns - later_ns - READ_GRAIN_NS
                self._note_asked(read)
                asked.setdefault(read.node, False)
                try:
                    self._take(read, limit_ns)
                except RequestRefused as error:
                    asked[read.node] = True  # it is there
                    troubles[read.node] = error
                    if isinstance(error, NodeBusy):
                        failed.append(read)
                except BusError as error:
                    troubles[read.node] = error
                    failed.append(read)
                else:
                    asked[read.node] = True
                    troubles.pop(read.node, None)
                    answered += 1
            pending = failed
        for node, spoke in asked.items():
            self._note_silence(node, spoke=spoke)
        trouble = troubles.get(self._own) or (None if answered else next(iter(troubles.values()), None))
        if trouble is not None and not self._aside:
            raise trouble
        return answered

    def _floor_ns(self, read: _Read) -> int:
        """With less time than this an answer cannot be expected, ns."""
        return read.wire_ns + self._pace(read.node).overhead_ns

    def _take(self, read: _Read, limit_ns: int | None) -> None:
        """One read, and what it says.

        Raises:
            BusError: no usable answer.
        """
        state = self.known
        tries = None if limit_ns is None else 1
        values, numbers = self._client.ask(read.planned, limit_ns, tries=tries, floor_ns=self._floor_ns(read))
        if self._recorder is not None:
            self._recorder.hold(read.places, numbers)
        sampled_ns = self._clock.now_ns - read.answer_ns  # the node had made its image when the answer began
        times_ns = state.times_ns or dict.fromkeys(state.values, state.time_ns)
        if read.dated_by:
            sampled_ns = self._clock_of(read).sensed_ns(values, sampled_ns, read.dated_by)
            if sampled_ns < times_ns.get(read.dated_by, sampled_ns):
                return  # an answer to an earlier request: what is known already is newer
            if read.node == self._own:
                state.time_ns = sampled_ns
        # what was handed out before stays as it was
        state.values = {**state.values, **values}
        state.times_ns = {**times_ns, **dict.fromkeys(read.names, sampled_ns)}

    def _clock_of(self, read: _Read) -> NodeClock:
        state = self.known
        if read.node == self._own:
            return state.node_clock
        return state.other_clocks.setdefault(read.node, NodeClock())

    def _note_asked(self, read: _Read) -> None:
        waiting = self.known.waiting
        for key in read.items:
            waiting.asked[key] = waiting.scan

    def _note_silence(self, node: str, *, spoke: bool) -> None:
        """When to ask a node again."""
        pace, scan = self._pace(node), self.known.waiting.scan
        pace.silent_scans = 0 if spoke else pace.silent_scans + 1
        rest = pace.silent_scans - PATIENT_SCANS
        if rest > 0 and node != self._own:
            pace.next_scan = scan + 1 + min(1 << (rest - 1), LONGEST_REST_SCANS)
        else:
            pace.next_scan = 0

    # -- what is known --------------------------------------------------------------------------------

    def note_read(self, names: Iterable[str]) -> None:
        """Tags were read outside of a poll, just now."""
        self.known.read_ns.update(dict.fromkeys(names, self._clock.now_ns))

    def note_ages(self) -> None:
        """A controller goes on with what is known now: how old is it?"""
        state = self.known
        if not state.values:
            return
        now_ns, times_ns = self._clock.now_ns, state.times_ns
        if not times_ns:
            self._own_health.aged(now_ns - state.time_ns)
            return
        for item in self._items:
            sampled_ns = times_ns.get(item.tags[0].name)  # the tags of an item are read together
            if sampled_ns is not None:
                self._master.health_of(self._units[item.node]).aged(now_ns - sampled_ns)

    def age_s(self, name: str) -> float:
        """How old the last known value of a tag is, s; infinity if it was never read."""
        state = self.known
        known = [state.read_ns[name]] if name in state.read_ns else []
        if name in state.values:
            known.append(state.times_ns.get(name, state.time_ns))
        return (self._clock.now_ns - max(known)) * 1e-9 if known else NEVER_S

    # -- copies ---------------------------------------------------------------------------------------

    def copied(self) -> PollingState:
        """All that makes the future of polling, for a copy of the bench."""
        state = self.known
        paces = {name: replace(self._pace(name)) for name in self.nodes}
        return PollingState(
            waiting=replace(state.waiting, asked=dict(state.waiting.asked)),
            node_clock=replace(state.node_clock),
            other_clocks={name: replace(clock) for name, clock in state.other_clocks.items()},
            values=dict(state.values),
            time_ns=state.time_ns,
            times_ns=dict(state.times_ns),
            read_ns=dict(state.read_ns),
            paces=paces,
        )

    def go_on_from(self, state: PollingState) -> None:
        """Poll as another would have gone on, as `copied` from it."""
        self.known = state
        for name, pace in state.paces.items():
            if name in self._units:
                self._master.health_of(self._units[name]).pace = pace
