"""What the HIL suite shares: one production run, and the press caught in every state of its life."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from rig.bench import Bench
from rig.controller.api import Controller, ReportsState
from rig.controller.runner import Runner
from rig.pytest_plugin import Hil, hil_session

STATES = (
    "idle", "preheat", "tension_track", "close", "thread", "produce", "hold", "run_out", "open", "cool",
)  # fmt: skip
"""States of the reference controller in which something moves or may begin to."""


@dataclass(frozen=True)
class Moment:
    """A press and its controller, caught in one state. `take` gives copies to play with."""

    bench: Bench
    controller: Controller

    def take(self, hil: Hil) -> Runner:
        """Copies of both, ready to go on."""
        bench = hil.adopt(self.bench.fork())
        return hil.runner(bench, copy.deepcopy(self.controller))


@pytest.fixture(scope="session")
def moments(request: pytest.FixtureRequest) -> Iterator[dict[str, Moment]]:
    """The controller's life on a warm press, caught one second after each state began."""
    session = hil_session(request.config)
    bench = session.open(start="warm")
    from rig.hil import make_controller

    controller = make_controller(session.factory, session.recipe)
    if not isinstance(controller, ReportsState):
        pytest.skip("the controller reports no state")
    runner = Runner(bench, controller)
    caught: dict[str, Moment] = {}

    def catch() -> None:
        state = runner.state
        if state not in caught:
            runner.run_for(1.0)
            if runner.state == state:
                caught[state] = Moment(bench.fork(), copy.deepcopy(controller))

    def live_until(*states: str, within_s: float) -> None:
        def there() -> bool:
            catch()
            return runner.state in states

        runner.run_until(there, within_s=within_s, what=f"state {' or '.join(states)}")

    runner.run_for(0.5)
    catch()
    runner.request("start")
    live_until("produce", within_s=3600)
    runner.request("hold")
    live_until("hold", within_s=60)
    runner.request("resume")
    live_until("produce", within_s=600)
    runner.run_for(30)
    runner.request("stop")
    live_until("idle", within_s=7200)
    yield caught
    for moment in caught.values():
        moment.bench.close()
    bench.close()


@pytest.fixture
def moment(moments: dict[str, Moment], hil: Hil) -> Callable[[str], Runner]:
    """`moment(state)` is a runner on copies of press and controller, caught in that state."""

    def take(state: str) -> Runner:
        if state not in moments:
            pytest.skip(f"the controller was never seen in state {state!r}")
        return moments[state].take(hil)

    return take
