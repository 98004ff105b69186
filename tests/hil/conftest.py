"""What the HIL suite shares: the press caught in every state of its life."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from rig.controller.runner import Runner
from rig.errors import UsageError
from rig.hil import is_snapshot, make_controller
from rig.moments import Caught, catch_moments
from rig.pytest_plugin import Hil, hil_session
from rig.scenario import Stage


@pytest.fixture(scope="session")
def caught(request: pytest.FixtureRequest) -> Iterator[Caught]:
    """The controller's life on a warm press, caught once per state."""
    session = hil_session(request.config)
    with session.open(start="warm") as bench:
        try:
            life = catch_moments(bench, make_controller(session.factory, session.recipe))
        except UsageError as error:
            pytest.skip(str(error))
        yield life
        for moment in life.moments.values():
            moment.bench.close()


@pytest.fixture(scope="session")
def stage(request: pytest.FixtureRequest) -> Stage:
    """Where scenarios are played with the controller under test."""
    session = hil_session(request.config)
    if is_snapshot(session.options.press):
        pytest.skip("scenarios begin on a press that is warm and empty, and the press of a snapshot is as it was")
    return Stage(session.factory, press=session.options.press)


@pytest.fixture
def moment(caught: Caught, hil: Hil) -> Callable[[str], Runner]:
    """`moment(state)` is a runner on copies of press and controller, caught in that state."""

    snapshot = is_snapshot(hil.session.options.press)
    begun = " (the press began as the snapshot has it, and not warm and empty)" if snapshot else ""

    def take(state: str) -> Runner:
        if state not in caught.moments:
            pytest.skip(caught.missing(state) + begun)
        bench, controller = caught.moments[state].copies()
        return hil.runner(hil.adopt(bench), controller)

    return take
