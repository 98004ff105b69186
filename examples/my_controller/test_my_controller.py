"""The example controller: on its own, and on the virtual press."""

from __future__ import annotations

from examples.my_controller.controller import make
from rig.bench import open_press
from rig.controller import Inputs, Value
from rig.controller.runner import Runner

HEALTHY: dict[str, Value] = {"alarm_word": frozenset(), "emergency_stop_released": True, "guards_closed": True}
READY: dict[str, Value] = {"tension_ready": True, "belts_moving": True, "coolant_flowing": True}


def seen(*asked: str, **values: Value) -> tuple[Inputs, int]:
    """Inputs of a healthy press, and the time now."""
    return Inputs({**HEALTHY, **values}, 10**9, frozenset(asked)), 10**9


def late(**values: Value) -> tuple[Inputs, int]:
    """The same, a second old."""
    return seen(**values)[0], 2 * 10**9


def test_heat_waits_for_tension_coolant_and_moving_belts() -> None:
    """Whatever is missing keeps the heat off."""
    for missing in READY:
        controller = make()
        controller.scan(*seen("start"))
        assert controller.scan(*seen(**{**READY, missing: False}))["heating_enable"] is False
        assert controller.scan(*seen(**READY))["heating_enable"] is True


def test_anything_wrong_ends_in_fault_until_it_is_reset() -> None:
    """Alarms, open guards and late inputs switch off, and only a reset leads out."""
    wrong = (
        seen(alarm_word=frozenset({"coolant_loss"}), **READY),
        seen(guards_closed=False, **READY),
        late(**READY),
    )
    for inputs, now_ns in wrong:
        controller = make()
        controller.scan(*seen("start", **READY))
        outputs = controller.scan(inputs, now_ns)
        assert controller.state == "fault"
        assert outputs["heating_enable"] is outputs["drives_enable"] is False
        assert outputs["fast_open"] is True
        controller.scan(*seen("start", **READY))
        assert controller.state == "fault"
        controller.scan(*seen("reset", **READY))
        assert controller.state == "idle"


def test_it_warms_the_virtual_press_and_cools_it_again() -> None:
    """From a warm start to the recipe's temperature, and home."""
    with open_press("emu://?start=warm", record=False) as bench, Runner(bench, make()) as runner:
        runner.run_for(0.5)
        runner.request("start")
        runner.run_for(300)
        assert runner.state == "warm"
        wanted_c = make().recipe.press.heat_temperature_c
        assert abs(bench.number("heat_4_upper_temperature_c") - wanted_c) < 2.0
        assert bench.value("first_out_alarm") == "none"
        runner.request("stop")
        runner.run_until_state("idle", within_s=4 * 3600)
        assert bench.number("heat_1_upper_temperature_c") < 50.0
