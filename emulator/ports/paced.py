"""A world that keeps up with the wall clock, and the endpoints through which others reach its bus.

The only place in `emulator` that knows the wall clock. World time is wall time since the start, times
`speed`; the loop waits in `select.select`, because the other selectors round up to whole milliseconds,
more than the 1.75 ms silence that ends a frame can bear.

A line that is paced has its own timing, whatever the endpoint has: a request that a client writes in
one go still takes its characters' time on the virtual line, and so does the answer.

A world that cannot keep up is never silently late: what it could not do in time is added up in
`PacedCounters.slipped_ns`, and its clock falls behind by so much.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from emulator.bus import Bus, LineSettings

if TYPE_CHECKING:
    from emulator.world import World

__all__ = ["Control", "Endpoint", "EndpointError", "Pace", "PacedCounters", "Served", "serve"]

TICK_NS = 20_000_000
"""Longest wall time without a look at the world and at `stop`."""
CHUNK_NS = 1_000_000
"""Answers are handed over in chunks of no less than this wall time, as USB adapters do."""
MAX_LAG_NS = 500_000_000
"""Wall time by which a world may be late before its clock is set back."""
AHEAD_SLICE_NS = 1_000_000_000
"""World time that is run in one go when running ahead: about a millisecond of computing."""
HELD_NS = 5_000_000_000
"""World time after its last byte for which one endpoint keeps the line from others; then it was given up on."""
READ_SIZE = 4096
BACKLOG = 4096
"""Bytes that wait for the line, as in a driver; while there are more nothing is read, so that clients wait too."""


class EndpointError(OSError):
    """An endpoint cannot be opened; the message says why and what to do."""


class Endpoint(Protocol):
    """Where clients come in; nothing in it blocks."""

    @property
    def url(self) -> str:
        """What a client gives to pyserial to get here."""
        ...

    @property
    def speaks(self) -> str:
        """What is spoken here, for people."""
        ...

    @property
    def ready(self) -> bool:
        """Whether there is something for `receive` whatever `waits_on` says."""
        ...

    def waits_on(self) -> Sequence[int]:
        """File descriptors that become readable when there is something for `receive`."""
        ...

    def receive(self) -> bytes | None:
        """Bytes of a client, empty if there are none; None if it has gone since the last call.

        Called in every turn of the loop in which the endpoint may talk.
        """
        ...

    def line(self, node_baud: int | None) -> LineSettings:
        """The client's line settings, as far as the endpoint can see them.

        Args:
            node_baud: baud rate of the nodes, bit/s, or None if they follow the client.
        """
        ...

    def send(self, data: bytes) -> int:
        """Hand bytes to the client; returns how many it took, the rest is lost as on a real line."""
        ...

    def turn(self, bus: Bus, wall_ns: int) -> int | None:
        """Look at line and clock; called in every turn of the loop.

        Args:
            bus: the line.
            wall_ns: wall time.

        Returns:
            World time at which to look again at the latest, ns; None if nothing is due.
        """
        ...

    def close(self) -> None:
        """Leave nothing behind."""
        ...


class Control(Protocol):
    """Who changes a press from outside while it is served; nothing in it blocks."""

    @property
    def ready(self) -> bool:
        """Whether there may be something to do whatever `waits_on` says."""
        ...

    def waits_on(self) -> Sequence[int]:
        """File descriptors that become readable when there is something to do."""
        ...

    def turn(self, served: Served) -> None:
        """Do what is to be done now; called in every turn of the loop in which there may be something."""
        ...


@dataclass(slots=True)
class PacedCounters:
    """What happened while serving.

    Attributes:
        received_bytes: from clients.
        sent_bytes: to clients.
        lost_bytes: that no client took.
        slipped_ns: world time that is missing because the world could not keep up.
    """

    received_bytes: int = 0
    sent_bytes: int = 0
    lost_bytes: int = 0
    slipped_ns: int = 0


@dataclass(frozen=True, slots=True)
class Served:
    """A world that is being served, for whoever controls it."""

    world: World
    pace: Pace
    endpoints: Sequence[Endpoint]
    counters: PacedCounters


def serve(
    world: World,
    endpoints: Sequence[Endpoint],
    speed: float = 1.0,
    stop: Callable[[], bool] = lambda: False,
    control: Control | None = None,
    *,
    baud_limit: bool = True,
) -> PacedCounters:
    """Run a world against the wall clock until `stop()` says so.

    Args:
        world: it goes on from its own time.
        endpoints: where clients come in, at least one; they stay open.
        speed: world seconds per wall second.
        stop: asked at least every 20 ms.
        control: who may change speed and world meanwhile.
        baud_limit: bytes take their time on the line, as on a real one; if not, answers go out as soon as they are
            known (`Bus.at_once`). The press runs with the wall clock either way.
    """
    bus, counters = world.bus, PacedCounters()
    pace, floor = Pace(world.now_ns, speed), _Floor(endpoints)
    served = Served(world, pace, endpoints, counters)
    sent_wall_ns, wall_ns, due_ns = 0, time.monotonic_ns(), None
    bus.at_once = not baud_limit
    while not stop():
        # while time stands still nothing is read: clients find a line on which nobody moves
        speakers = () if pace.paused else floor.speakers(bus)
        descriptors = [number for endpoint in speakers for number in endpoint.waits_on()]
        asking = control.waits_on() if control else ()
        descriptors += asking
        wait_ns = _next_look_ns(world, pace, sent_wall_ns, due_ns) - time.monotonic_ns()
        for endpoint in speakers:
            if endpoint.ready:
                wait_ns = 0
        readable = select.select(descriptors, [], [], max(wait_ns, 0) * 1e-9)[0]
        counters.slipped_ns += pace.catch_up(world)
        if not pace.paused:
            counters.received_bytes += floor.hear(bus)
        if bus.state.replies and (data := bus.read(READ_SIZE)):
            taken = floor.holder.send(data)
            counters.sent_bytes += taken
            counters.lost_bytes += len(data) - taken
            sent_wall_ns = time.monotonic_ns()
        # after the answer, which somebody waits for
        if control and (control.ready or not set(asking).isdisjoint(readable)):
            control.turn(served)
        if not pace.paused:
            wall_ns = time.monotonic_ns()  # nobody is silent for too long while nobody is listened to
        dues_ns = [endpoint.turn(bus, wall_ns) for endpoint in endpoints]
        due_ns = min([due for due in dues_ns if due is not None], default=None)
    return counters


class _Floor:
    """Who may talk: one endpoint at a time, until its answer is there, so that masters never interleave.

    Args:
        endpoints: all of them.

    Attributes:
        holder: who talked last; what comes from the line is for them.
    """

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._endpoints = endpoints
        self._alone = len(endpoints) == 1
        self.holder = endpoints[0]
        self._until_ns = 0

    def speakers(self, bus: Bus) -> Sequence[Endpoint]:
        """Who may talk now, in the order in which they are asked."""
        if bus.state.sent_ns > bus.agenda.now_ns and bus.out_waiting(bus.agenda.now_ns) > BACKLOG:
            return ()
        if self._alone:
            return self._endpoints
        is_busy = bus.due_ns is not None or bus.state.replies
        if is_busy and bus.agenda.now_ns < self._until_ns:
            return (self.holder,)
        first = self._endpoints.index(self.holder) + 1
        return (*self._endpoints[first:], *self._endpoints[:first])

    def hear(self, bus: Bus) -> int:
        """Put what one of them says on the line; returns how many bytes that was."""
        for endpoint in self.speakers(bus):
            data = endpoint.receive()
            if data is None:
                if endpoint is self.holder:
                    bus.forget_master()
            elif data:
                self.holder, self._until_ns = endpoint, bus.agenda.now_ns + HELD_NS
                if bus.state.plugged:
                    bus.transmit(data, endpoint.line(bus.baud))
                return len(data)
        return 0


class Pace:
    """The relation of the two clocks.

    Args:
        world_ns: world time now.
        speed: world seconds per wall second.
    """

    def __init__(self, world_ns: int, speed: float) -> None:
        self._world_ns = world_ns
        self._wall_ns = time.monotonic_ns()
        self._speed = self._checked(speed)
        self._paused = False
        self._ahead_ns: int | None = None

    @staticmethod
    def _checked(speed: float) -> float:
        if not speed > 0:
            raise ValueError(f"speed is {speed!r}; it must be more than 0")
        return speed

    @property
    def speed(self) -> float:
        """World seconds per wall second, while time is not paused."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        """From now on; raises ValueError if it is not more than 0."""
        checked = self._checked(speed)
        self._set_clock(self.world_ns())
        self._speed = checked

    @property
    def paused(self) -> bool:
        """Whether world time stands still."""
        return self._paused and self._ahead_ns is None

    def pause(self, world_ns: int) -> None:
        """World time stands still at `world_ns`; whoever runs ahead stops there."""
        self._set_clock(world_ns)
        self._paused, self._ahead_ns = True, None

    def go_on(self, world_ns: int) -> None:
        """World time passes again, from `world_ns` on; whoever runs ahead stops there."""
        self._set_clock(world_ns)
        self._paused, self._ahead_ns = False, None

    @property
    def ahead_ns(self) -> int | None:
        """World time up to which it runs as fast as it can, ns; None if it does not."""
        return self._ahead_ns

    def run_ahead(self, world_ns: int) -> None:
        """Run as fast as it goes until it is so late in the world; afterwards as before."""
        self._ahead_ns = world_ns

    def _set_clock(self, world_ns: int) -> None:
        """It is so late in the world now."""
        self._world_ns, self._wall_ns = world_ns, time.monotonic_ns()

    def world_ns(self) -> int:
        """What time it should be in the world now."""
        if self._paused:
            return self._world_ns
        return self._world_ns + int((time.monotonic_ns() - self._wall_ns) * self._speed)

    def wall_ns(self, world_ns: int) -> int:
        """When it will be so late in the world; rounded up, so that it is so late then."""
        return self._wall_ns - int((self._world_ns - world_ns) / self._speed) + 1

    def catch_up(self, world: World) -> int:
        """Bring the world to the present, or on its way ahead; returns by how much the clock had to be set back, ns."""
        if self._ahead_ns is not None:
            world.run_until(max(min(world.now_ns + AHEAD_SLICE_NS, self._ahead_ns), world.now_ns))
            self._set_clock(world.now_ns)
            if world.now_ns >= self._ahead_ns:
                self._ahead_ns = None
            return 0
        target_ns = max(self.world_ns(), world.now_ns)
        slip_ns = max(target_ns - world.now_ns - int((TICK_NS + MAX_LAG_NS) * self._speed), 0)
        self._world_ns -= slip_ns
        world.run_until(target_ns - slip_ns)
        return slip_ns


def _next_look_ns(world: World, pace: Pace, sent_wall_ns: int, due_ns: int | None) -> int:
    """Wall time at which something will have to be done, if clients stay silent."""
    bus = world.bus
    now_ns = time.monotonic_ns()
    if pace.ahead_ns is not None:
        return now_ns
    look_ns = now_ns + TICK_NS
    if pace.paused:
        return look_ns
    if due_ns is not None:
        look_ns = min(look_ns, pace.wall_ns(due_ns))
    if bus.due_ns is not None:
        look_ns = min(look_ns, pace.wall_ns(bus.due_ns))
    if bus.state.replies:
        last_ns = max(reply.arrival_ns(len(reply.data)) for reply in bus.state.replies)
        first_ns = bus.arrival_ns(1) or last_ns
        # the next byte, but no sooner than a chunk after the last; the last byte as soon as it is there
        chunk_ns = max(pace.wall_ns(first_ns), sent_wall_ns + CHUNK_NS)
        look_ns = min(look_ns, chunk_ns, pace.wall_ns(last_ns))
    return look_ns
