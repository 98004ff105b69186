"""One stage for all tests of scenarios: the reference controller, brought through its life once."""

from __future__ import annotations

import pytest

from rig.controller import make_controller
from rig.scenario import Stage


@pytest.fixture(scope="session")
def stage() -> Stage:
    return Stage(make_controller)
