"""Commands and disturbances: names on the parts of the vector that the kernel reads."""

from __future__ import annotations

import copy
import math
import re

import numpy as np
import pytest

from emulator.press import Commands, Disturbances, InputError
from emulator.press.commands import COMMAND_COUNT, DUMP, INPUT_COUNT
from emulator.world import World, WorldConfig


@pytest.mark.parametrize(
    ("kind", "first", "end"), [(Commands, 0, COMMAND_COUNT), (Disturbances, COMMAND_COUNT, INPUT_COUNT)]
)
def test_parts_fill_the_vector_without_gap_or_overlap(
    kind: type[Commands] | type[Disturbances], first: int, end: int
) -> None:
    places = [place for name in kind.names() for place in range(first, end)[getattr(kind, name).span(first)]]
    assert places == list(range(first, end))


def test_what_is_set_by_name_stands_in_the_vector_at_once() -> None:
    commands = Commands(speed_setpoint_m_s=(0.1, 0.2), dump=True)
    commands.zone_output[3] = 0.5
    assert commands.vector[DUMP] == 1.0
    assert commands.vector.sum() == pytest.approx(1.0 + 0.3 + 0.5 + Commands().vector.sum())
    assert commands.dump is True
    assert commands.speed_setpoint_m_s.tolist() == [0.1, 0.2]


def test_reset_makes_neutral_again_and_a_copy_shares_nothing() -> None:
    shifted = Disturbances(clearance_offset_m=1e-4, coolant_flow_scale=0.0)
    other = copy.deepcopy(shifted)
    shifted.reset()
    assert np.array_equal(shifted.vector, Disturbances().vector)
    assert other.clearance_offset_m.tolist() == [1e-4] * 6


def test_unknown_name_is_refused() -> None:
    with pytest.raises(TypeError, match="Disturbances has no 'gremlins'; there are heater_stuck_on"):
        Disturbances(gremlins=1)
    with pytest.raises(AttributeError):
        Commands().feeding = True  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("coolant_flow_scale", math.nan, "coolant_flow_scale is nan; it must be 0 … 2 (undisturbed: 1)"),
        ("heater_scale", -1.0, "heater_scale is -1; it must be 0 … 2 (undisturbed: 1)"),
        ("clearance_offset_m", (0, 0, 0, 0, 0, 1e9), "is 1e+09 m; it must be -0.01 … 0.01 m (undisturbed: 0)"),
        ("tension_scale", (1, 1, 1), "tension_scale is (1, 1, 1); it must be a number or 2 numbers"),
        ("coolant_supply_offset_k", "warm", "coolant_supply_offset_k is 'warm'; it must be a number"),
        ("gremlins", 1, "there is no 'gremlins'; there are heater_stuck_on, "),
    ],
)
def test_disturbance_that_cannot_be_is_told_with_its_range_and_unit(name: str, value: object, why: str) -> None:
    with pytest.raises(InputError, match=re.escape(why)):
        Disturbances.checked(name, value)


def test_undisturbed_is_within_all_ranges_and_the_check_sees_every_place() -> None:
    Disturbances().check()
    for place in range(Disturbances.COUNT):
        forged = Disturbances()
        forged.vector[place] = 1e6
        with pytest.raises(InputError, match="is 1e\\+06"):
            forged.check()


@pytest.mark.parametrize("name", Disturbances.names())
@pytest.mark.parametrize("end", ["low", "high"])
def test_press_stays_a_press_at_the_ends_of_every_range(name: str, end: str) -> None:
    world = World(WorldConfig(start="running"))
    setattr(world.disturbances, name, getattr(getattr(Disturbances, name), end))
    for second in range(1, 31):
        world.run_until(second * 1_000_000_000)
        assert np.isfinite(world.truth_vector()).all()
    # what it has come to is a state that a snapshot may hold
    World.restore(world.snapshot())
