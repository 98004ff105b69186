"""A press and its controller caught in the states of a production run, to be copied and played with.

Bringing a press to a state costs minutes of press time; a copy of one that was brought there costs
milliseconds. Needs a bench that can fork.
"""

from __future__ import annotations

import copy
from contextlib import suppress
from dataclasses import dataclass

from rig.bench import Bench
from rig.controller.api import Controller, ReportsState
from rig.controller.runner import Runner
from rig.errors import UsageError

__all__ = ["Moment", "catch_moments"]

SETTLE_S = 1.0
"""A state is caught so long after it began, if it lasts that long."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A press and its controller in one state. They stay as they are; `copies` go on."""

    bench: Bench
    controller: Controller

    def copies(self) -> tuple[Bench, Controller]:
        """A bench and a controller that go on from here."""
        return self.bench.fork(), copy.deepcopy(self.controller)


def catch_moments(bench: Bench, controller: Controller) -> dict[str, Moment]:
    """Live one production run on a warm press, with a hold in it, and catch every state on the way.

    Args:
        bench: a warm press; it is left as the run leaves it.
        controller: must report its state.

    Returns:
        One moment per state that came and lasted long enough, by name.

    Raises:
        UsageError: the controller reports no state.
    """
    if not isinstance(controller, ReportsState):
        raise UsageError("the controller reports no state, so no state can be caught")
    runner = Runner(bench, controller)
    caught: dict[str, Moment] = {}

    def catch() -> None:
        state = runner.state
        if state in caught:
            return
        runner.run_for(SETTLE_S)
        if runner.state == state:
            caught[state] = Moment(bench.fork(), copy.deepcopy(controller))

    def live_until(state: str, within_s: float) -> None:
        def there() -> bool:
            catch()
            return runner.state == state

        runner.run_until(there, within_s=within_s, what=f"state {state}")

    runner.run_for(0.5)
    catch()
    # a controller that gets no further than some state is tested in those that it reaches
    with suppress(AssertionError):
        runner.request("start")
        live_until("produce", within_s=3600)
        runner.request("hold")
        live_until("hold", within_s=60)
        runner.request("resume")
        live_until("produce", within_s=1800)
        runner.run_for(30)
        runner.request("stop")
        live_until("cool", within_s=2 * 3600)
    return caught
