"""What happens when: callbacks at absolute times, and a fixed order at one instant.

simpy's queue is ordered by time, then priority, then by when an entry was made. The last of these is
history, which a restored world does not have; so every kind of actor has its own `Priority`, and two
actors of the same kind that may meet at one instant must not care who goes first.

The queue holds nothing but wake-ups. Whoever makes one keeps its due time in their own state, so that
the queue of a restored world can be rebuilt from that state alone.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from heapq import heappop, heappush

import simpy
from simpy.events import Event

__all__ = ["Agenda", "NestedRunError", "Priority", "WakeUp"]


class Priority(IntEnum):
    """Who goes first at one instant, from first to last.

    simpy's own 0 (urgent) and 1 (ordinary timeouts and processes) come before all of these.
    """

    FAULT = 10
    """What breaks or heals at t, does so for everything else that happens at t."""
    PLANT = 20
    """The press and the stations around it reach t."""
    SCAN = 30
    """The node senses, judges and publishes."""
    BUS = 40
    """A frame is complete: it is answered from the image that was published at t."""
    OPERATOR = 50
    """People act on what could be seen at t."""
    OBSERVER = 60
    """Recorders look when everything has happened."""


SCAN: int = Priority.SCAN  # looking a member of an enum up takes longer than comparing it


class NestedRunError(RuntimeError):
    """Somebody tried to run the simulation from inside the simulation."""


class WakeUp(Event):
    """An entry of the queue that calls a function without arguments.

    Whoever is woken again and again keeps one of these and puts it on the agenda each time: unlike
    simpy's other events it is not used up, and may be in the queue more than once.
    """

    _value = None
    _ok = True

    def __init__(self, env: simpy.Environment, call: Callable[[], None]) -> None:
        self.env = env
        self.call = call

    @property
    def callbacks(self) -> list[Callable[[Event], None]]:
        """What simpy calls."""
        return [self._wake]

    @callbacks.setter
    def callbacks(self, used_up: object) -> None:
        """Simpy takes the callbacks away from an event that has happened; this one may happen again."""

    def _wake(self, event: Event) -> None:
        self.call()

    def _desc(self) -> str:
        return f"{self.__class__.__name__}({getattr(self.call, '__qualname__', self.call)})"


class Agenda:
    """The queue of one simulation.

    Args:
        env: the simulation; its time is in integer nanoseconds.
    """

    def __init__(self, env: simpy.Environment) -> None:
        self.env = env
        self._running = False

    @property
    def now_ns(self) -> int:
        """Simulation time, ns."""
        return self.env._now  # type: ignore[return-value] # simpy knows numbers, and here they are all whole

    @property
    def running(self) -> bool:
        """Whether the simulation is being run right now, so that the caller is a part of it."""
        return self._running or self.env._active_proc is not None

    def at(self, time_ns: int, priority: Priority, call: Callable[[], None]) -> None:
        """Call `call()` at `time_ns`, after every actor that `priority` puts before it.

        Raises:
            ValueError: `time_ns` is past.
        """
        self.put(time_ns, priority, WakeUp(self.env, call))

    def put(self, time_ns: int, priority: Priority, wake_up: WakeUp) -> None:
        """Put a wake-up in the queue, as `at` does.

        Raises:
            ValueError: `time_ns` is past.
        """
        env = self.env
        if time_ns < env._now:
            raise ValueError(f"cannot schedule {wake_up.call} at {time_ns} ns: it is {env.now} ns already")
        # what env.schedule does, without the detour over a delay
        heappush(env._queue, (time_ns, priority, next(env._eid), wake_up))  # type: ignore[misc] # any int is a priority to it

    def next_ns(self) -> int | None:
        """Time of the next entry, ns, or None if the queue is empty."""
        queue = self.env._queue
        return int(queue[0][0]) if queue else None

    def is_idle_until(self, time_ns: int) -> bool:
        """Whether time can pass until then with nothing happening: nothing is due, and nobody runs the simulation."""
        queue = self.env._queue
        return not ((queue and queue[0][0] <= time_ns) or self.running)

    def is_calm_until(self, time_ns: int) -> bool:
        """The same, but for scans of the node: they change what it will say, not what is on the line."""
        for due_ns, priority, _, _ in self.env._queue:
            if due_ns <= time_ns and priority != SCAN:
                return False
        return not self.running

    def run_until(self, time_ns: int) -> None:
        """Run everything that is due up to and including `time_ns`; afterwards it is `time_ns`.

        Raises:
            NestedRunError: called from inside the simulation.
            ValueError: `time_ns` is past.
        """
        env = self.env
        if time_ns < env._now:
            raise ValueError(f"cannot run until {time_ns} ns: it is {env.now} ns already")
        if self._running or env._active_proc is not None:
            raise NestedRunError(
                "the simulation is running already: a process or callback inside it must not block on it; "
                "let it end and schedule what comes next on the agenda"
            )
        queue = env._queue
        if not queue or queue[0][0] > time_ns:
            env._now = time_ns
            return
        self._running = True
        try:
            while queue and queue[0][0] <= time_ns:
                event = queue[0][3]
                if event.__class__ is WakeUp:
                    # what env.step does, without asking for callbacks and failures that it has not
                    env._now = heappop(queue)[0]
                    event.call()
                else:
                    env.step()
            env._now = time_ns
        finally:
            self._running = False
