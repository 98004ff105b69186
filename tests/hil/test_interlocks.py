"""Emergency stop and every hard interlock, from every state of the controller's life.

The node must act by itself; the controller must notice, and must not start again by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from rig.controller.runner import Runner
    from rig.pytest_plugin import Hil
    from rig.virtual import VirtualPress

pytestmark = pytest.mark.needs("touch", "inject_faults", "fork")

STATES = (
    "idle", "preheat", "tension_track", "close", "thread", "produce", "hold", "run_out", "open", "cool",
)  # fmt: skip
"""States of a controller in which something moves or may begin to."""
HEATING = ("preheat", "tension_track", "close", "thread", "produce", "hold", "run_out")
HOT = (*HEATING, "open", "cool")
MOVING = ("tension_track", "close", "thread", "produce", "run_out", "cool")
TENSIONED = ("tension_track", "close", "thread", "produce", "hold", "run_out", "open")
WITH_SHEET = ("produce", "hold")

CAUSES: dict[str, tuple[Callable[[VirtualPress], None], tuple[str, ...], float]] = {
    "emergency_stop": (lambda press: press.push_emergency_stop(), STATES, 0.3),
    "guard_open": (lambda press: press.open_guard(), STATES, 0.3),
    "over_temperature": (lambda press: press.disturb(heater_stuck_on=1.0), ("preheat", "produce"), 900.0),
    "over_force": (
        lambda press: press.disturb(clearance_offset_m=(-2.6e-3,) * 2 + (-0.4e-3,) * 4, feed_thickness_scale=1.8),
        WITH_SHEET,
        400.0,
    ),
    "tension_loss": (lambda press: press.disturb(tension_scale=0.2), TENSIONED, 30.0),
    "mistracking": (lambda press: press.disturb(steering_disturbance_rad=0.05), MOVING, 200.0),
    "speed_mismatch": (
        lambda press: press.disturb(drive_torque_scale=(0.0, 1.0), roller_friction_scale=(8.0, 1.0)),
        MOVING,
        60.0,
    ),
    "coolant_loss": (lambda press: press.disturb(coolant_flow_scale=0.0), HOT, 20.0),
}
"""interlock -> what goes wrong, the states in which it can, seconds until the node must have tripped."""

OPEN_WITHIN_S = 4.0
REACTION_WITHIN_S = 1.0


@pytest.mark.parametrize(
    ("interlock", "state"),
    [(name, state) for name, (_, states, _) in CAUSES.items() for state in states],
    ids=lambda value: value,
)
def test_interlock_stops_the_press(interlock: str, state: str, moment: Callable[[str], Runner]) -> None:
    runner = moment(state)
    cause, _, within_s = CAUSES[interlock]
    cause(runner.bench.virtual)
    runner.run_until(
        lambda: interlock in alarms(runner),
        within_s=within_s + REACTION_WITHIN_S,
        what=f"interlock {interlock}",
    )
    assert runner.inputs.values["first_out_alarm"] == interlock
    runner.run_until_state("fault", "emergency_stop", within_s=REACTION_WITHIN_S)
    runner.run_for(OPEN_WITHIN_S)
    status = runner.inputs.values["status_word"]
    assert isinstance(status, frozenset)
    assert "heating" not in status, "heaters are still on"
    assert "feeding" not in status, "sheet is still fed"
    assert runner.inputs.values["press_open"], "the press is not open"


@pytest.mark.parametrize("interlock", ["emergency_stop", "coolant_loss"])
def test_nothing_starts_again_until_the_operator_resets_and_starts(
    interlock: str, moment: Callable[[str], Runner]
) -> None:
    runner = moment("produce")
    CAUSES[interlock][0](runner.bench.virtual)
    runner.run_until(lambda: interlock in alarms(runner), within_s=30, what=f"interlock {interlock}")
    runner.run_for(5)
    runner.bench.virtual.release_emergency_stop()
    runner.bench.virtual.calm()
    runner.run_for(20)
    assert interlock in alarms(runner), "the alarm went away without a reset"
    assert runner.state in ("fault", "emergency_stop")
    runner.request("reset")
    runner.run_until(lambda: not alarms(runner), within_s=10, what="the release of the alarms")
    runner.run_for(30)
    assert runner.inputs.values["mode"] != "energised" or runner.state == "cool", "something started by itself"
    runner.request("start")
    runner.run_until_state("preheat", "tension_track", "close", within_s=3600)


@pytest.mark.parametrize("state", MOVING)
def test_press_opens_by_itself_when_the_controller_falls_silent(state: str, moment: Callable[[str], Runner]) -> None:
    runner = moment(state)
    bench = runner.bench
    now_ns = bench.clock.now_ns
    bench.clock.sleep_until(now_ns + 8_000_000_000)
    assert bench.value("first_out_alarm") == "comms_watchdog"
    assert bench.value("press_open")
    status = bench.value("status_word")
    assert isinstance(status, frozenset)
    assert not {"heating", "feeding", "drives"} & status


def test_press_opens_when_the_heartbeat_stands_still(moment: Callable[[str], Runner], hil: Hil) -> None:
    hil.breaks("HYG-01")
    runner = moment("produce")
    bench = runner.bench
    for _ in range(60):
        # a controller that still reads but no longer thinks
        bench.clock.sleep_until(bench.clock.now_ns + 100_000_000)
        bench.poll()
    assert bench.value("first_out_alarm") == "comms_watchdog"


def alarms(runner: Runner) -> frozenset[str]:
    """The interlocks that are latched, as the controller sees them."""
    word = runner.inputs.values.get("alarm_word", frozenset())
    assert isinstance(word, frozenset)
    return word
