"""Commands and disturbances: names on the parts of the vector that the kernel reads."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from emulator.press import Commands, Disturbances
from emulator.press.commands import COMMAND_COUNT, DUMP, INPUT_COUNT


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
