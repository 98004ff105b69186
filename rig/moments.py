"""A press and its controller caught in the states of a production run, to be copied and played with.

Bringing a press to a state costs minutes of press time; a copy of one that was brought there costs
milliseconds. Needs a bench that can fork.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

from rig.bench import Bench
from rig.controller.api import Controller, ReportsState
from rig.controller.runner import GAVE_UP, runner_for
from rig.errors import ControllerError, UsageError

__all__ = ["Caught", "Moment", "catch_moments"]

SETTLE_S = 1.0
"""A state is caught so long after it began, if it lasts that long."""
PRODUCE_WITHIN_S = 3600
"""A controller that has not come to `produce` by then after its start will not."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A press and its controller in one state. They stay as they are; `copies` go on."""

    bench: Bench
    controller: Controller

    def copies(self) -> tuple[Bench, Controller]:
        """A bench and a controller that go on from here."""
        return self.bench.fork(), copy.deepcopy(self.controller)


@dataclass(slots=True)
class Caught:
    """What one life of a press gave.

    Attributes:
        moments: one per state that came and lasted long enough, by name.
        ended: why the life ended before all of it was lived; empty if it was.
    """

    moments: dict[str, Moment] = field(default_factory=dict)
    ended: str = ""

    def missing(self, state: str) -> str:
        """Why a state was not caught, in words; the same for all states that one cause keeps away."""
        if state in self.moments:
            return ""
        if self.ended:
            return f"the controller did not get to this state: {self.ended}"
        return f"the controller was never in this state for {SETTLE_S:g} s of a whole production run"


def catch_moments(bench: Bench, controller: Controller, produce_s: float = 0.0) -> Caught:
    """Live one production run on a warm press, with a hold in it, and catch every state on the way.

    Args:
        bench: a warm press; it is left as the run leaves it.
        controller: must report its state.
        produce_s: how long production goes on before it is held, s.

    Returns:
        The states that came, and why no more did.

    Raises:
        UsageError: the controller reports no state.
    """
    if not isinstance(controller, ReportsState):
        raise UsageError("the controller reports no state, so no state can be caught")
    runner = runner_for(bench, controller)
    caught = Caught()

    def catch() -> None:
        state = runner.state
        if state in caught.moments:
            return
        runner.run_for(SETTLE_S)
        if runner.state == state:
            caught.moments[state] = Moment(bench.fork(), copy.deepcopy(controller))

    def live_until(state: str, within_s: float) -> None:
        def there() -> bool:
            gave_up = runner.state in GAVE_UP
            catch()
            if gave_up:
                raise AssertionError(f"it went to {runner.state} on the way to {state}{runner.said()}")
            return runner.state == state

        runner.run_until(there, within_s=within_s, what=f"state {state}")

    runner.run_for(0.5)
    catch()
    # a controller that gets no further than some state is tested in those that it reaches
    try:
        runner.request("start")
        live_until("produce", within_s=PRODUCE_WITHIN_S)
        runner.run_for(produce_s)
        runner.request("hold")
        live_until("hold", within_s=60)
        runner.request("resume")
        live_until("produce", within_s=1800)
        runner.run_for(30)
        runner.request("stop")
        live_until("cool", within_s=2 * 3600)
    except (AssertionError, ControllerError) as error:
        caught.ended = str(error)
    return caught
