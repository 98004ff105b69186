"""An operator does legal and illegal things in any order; the press stays safe.

A Hypothesis state machine: every example lives on a copy of a press caught in one state of its life.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from rig.controller.api import OPERATOR_REQUESTS

if TYPE_CHECKING:
    from rig.controller.runner import Runner
    from rig.moments import Caught, Moment
    from rig.pytest_plugin import Hil

pytestmark = pytest.mark.needs("touch", "fork")

EXAMPLES = {"dev": (8, 12), "ci": (60, 30)}
"""Profile -> examples, and operator actions in each."""


class Operator(RuleBasedStateMachine):
    """Buttons, guards and waiting, in any order."""

    moments: dict[str, Moment]
    hil: Hil
    runner: Runner

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        moment = self.moments[data.draw(st.sampled_from(sorted(self.moments)), label="state")]
        bench, controller = moment.copies()
        self.runner = self.hil.runner(self.hil.adopt(bench), controller)
        self.press = self.runner.bench.virtual

    @rule(request=st.sampled_from(OPERATOR_REQUESTS))
    def press_button(self, request: str) -> None:
        self.runner.request(request)
        self.runner.run_for(0.3)

    @rule()
    def push_emergency_stop(self) -> None:
        self.press.push_emergency_stop()
        self.runner.run_for(0.3)

    @rule()
    def release_emergency_stop(self) -> None:
        self.press.release_emergency_stop()
        self.runner.run_for(0.3)

    @rule()
    def open_guard(self) -> None:
        self.press.open_guard()
        self.runner.run_for(0.3)

    @rule()
    def close_guard(self) -> None:
        self.press.close_guard()
        self.runner.run_for(0.3)

    @rule(seconds=st.sampled_from([1.0, 5.0, 20.0]))
    def wait(self, seconds: float) -> None:
        self.runner.run_for(seconds)

    @invariant()
    def nobody_is_hurt_and_nothing_breaks(self) -> None:
        if not hasattr(self, "runner") or not self.runner.scans:
            return
        values = self.runner.inputs.values
        status, alarms = values["status_word"], values["alarm_word"]
        assert isinstance(status, frozenset)
        assert isinstance(alarms, frozenset)
        truth = self.press.signals()
        assert not (alarms and "heating" in status), f"heating in spite of {', '.join(alarms)}"
        assert not (alarms and "feeding" in status), f"feeding in spite of {', '.join(alarms)}"
        assert not (alarms & {"emergency_stop", "guard_open"} and "drives" in status), "driving in spite of a hand"
        assert truth["sheet_pressure_peak_mpa"] < 3.0, "pressure above the design limit"
        hottest = max(value for name, value in truth.items() if name.endswith("plate_temperature_c"))
        assert hottest < 160.0, f"a plate is at {hottest:.0f} °C"

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.runner.bench.close()


def test_operator_cannot_make_the_press_unsafe(caught: Caught, hil: Hil) -> None:
    examples, steps = EXAMPLES[hil.profile]
    machine = type("Operator", (Operator,), {"moments": caught.moments, "hil": hil})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
