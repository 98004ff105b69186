"""What the HIL suite shares: the press caught in every state of its life."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rig.controller.runner import Runner
from rig.errors import UsageError
from rig.hil import make_controller
from rig.moments import Moment, catch_moments
from rig.pytest_plugin import Hil, hil_session


@pytest.fixture(scope="session")
def moments(request: pytest.FixtureRequest) -> Iterator[dict[str, Moment]]:
    """The controller's life on a warm press, caught once per state."""
    session = hil_session(request.config)
    with session.open(start="warm") as bench:
        try:
            caught = catch_moments(bench, make_controller(session.factory, session.recipe))
        except UsageError as error:
            pytest.skip(str(error))
        yield caught
        for moment in caught.values():
            moment.bench.close()


@pytest.fixture
def moment(moments: dict[str, Moment], hil: Hil) -> Callable[[str], Runner]:
    """`moment(state)` is a runner on copies of press and controller, caught in that state."""

    def take(state: str) -> Runner:
        if state not in moments:
            pytest.skip(f"the controller was never seen in state {state!r}")
        bench, controller = moments[state].copies()
        return hil.runner(hil.adopt(bench), controller)

    return take
