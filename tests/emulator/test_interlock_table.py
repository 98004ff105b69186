"""The interlock table: latching, delays, first-out, and what each one takes away."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.material.record import as_table
from emulator.node import interlocks
from emulator.node.config import load_node
from emulator.node.interlocks import INTERLOCK_STATE, INTERLOCKS, NOT_PRESENT, Inhibits, Sensed, find_causes, judge
from rig.protocol.registers_file import default_registers

LIMITS: Any = as_table(load_node("press").interlocks.model_dump())  # type: ignore[type-var]
MS = 1_000_000
NAMES = [row.name for row in INTERLOCKS]

DANGER: dict[str, dict[str, object]] = {
    "emergency_stop": {"emergency_stop": True},
    "over_temperature": {"hottest_c": 200.0},
    "over_force": {"largest_force_kn": 5000.0},
    "tension_loss": {"tension_wanted": True, "smallest_tension_fraction": 0.1},
    "mistracking": {"largest_edge_mm": 12.0},
    "speed_mismatch": {"belts_driven": True, "speed_difference_percent": 5.0},
    "coolant_loss": {"cooling_needed": True, "coolant_flow_l_min": 0.0},
    "comms_watchdog": {"watchdog_expired": True},
    "guard_open": {"guard_open": True},
}


def in_danger(*names: str) -> Sensed:
    facts: dict[str, object] = {"coolant_flow_l_min": 60.0}
    for name in names:
        facts |= DANGER[name]
    return Sensed(**facts)  # type: ignore[arg-type]


class Latches:
    """The state of the interlocks, as a scan keeps it."""

    def __init__(self) -> None:
        self.memory = np.zeros(1, INTERLOCK_STATE)
        self.memory["since_ns"] = NOT_PRESENT

    def scan(self, sensed: Sensed, now_ms: int, *, reset: bool = False) -> None:
        find_causes(self.memory["present"][0], sensed, LIMITS[0])
        judge(self.memory[0], now_ms * MS, reset)

    @property
    def latched(self) -> list[str]:
        return [name for name, on in zip(NAMES, self.memory["latched"][0], strict=True) if on]

    @property
    def first_out(self) -> str:
        return ["none", *NAMES][self.memory["first_out"][0]]

    @property
    def inhibits(self) -> Inhibits:
        return Inhibits(*self.memory["inhibits"][0].astype(bool).tolist())


def run(latches: Latches, sensed: Sensed, from_ms: int, to_ms: int, *, reset: bool = False) -> None:
    for now_ms in range(from_ms, to_ms, 50):
        latches.scan(sensed, now_ms, reset=reset)


def test_table_register_bits_and_first_out_codes_are_one_list() -> None:
    registers = default_registers()
    assert list(registers["alarm_word"].bits) == NAMES
    assert [name for name in registers["first_out_alarm"].values if name != "none"] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_cause_stands_where_the_table_has_its_row(name: str) -> None:
    present = np.zeros(len(INTERLOCKS), np.int64)
    find_causes(present, in_danger(name), LIMITS[0])
    assert [NAMES[place] for place in np.flatnonzero(present)] == [name]
    assert getattr(interlocks, name.upper()) == NAMES.index(name)


@pytest.mark.parametrize("name", NAMES)
def test_interlock_trips_after_its_delay_and_not_before(name: str) -> None:
    row = next(row for row in INTERLOCKS if row.name == name)
    state = Latches()
    run(state, in_danger(name), 0, round(row.delay_s * 1000))
    assert not state.latched
    run(state, in_danger(name), round(row.delay_s * 1000), round(row.delay_s * 1000) + 100)
    assert state.latched == [name]
    assert state.inhibits == row.takes_away
    assert state.first_out == name


@pytest.mark.parametrize("name", NAMES)
def test_interlock_stays_latched_until_its_cause_is_gone_and_reset_is_asked_for(name: str) -> None:
    state = Latches()
    run(state, in_danger(name), 0, 5000)
    run(state, in_danger(name), 5000, 5100, reset=True)
    assert state.latched, "released although its cause is there"
    run(state, in_danger(), 5100, 9000)
    assert state.latched, "released without a reset"
    run(state, in_danger(), 9000, 9100, reset=True)
    assert not state.latched
    assert state.first_out == "none"


@pytest.mark.parametrize("name", NAMES)
def test_every_interlock_opens_the_press_and_takes_heat_and_feed_away(name: str) -> None:
    state = Latches()
    run(state, in_danger(name), 0, 5000)
    assert state.inhibits.heating
    assert state.inhibits.feeding
    assert state.inhibits.closed


@given(order=st.permutations(NAMES), gap_ms=st.integers(4000, 6000))
def test_first_out_is_the_one_that_tripped_first(order: list[str], gap_ms: int) -> None:
    state = Latches()
    for number, _ in enumerate(order):
        run(
            state,
            in_danger(*order[: number + 1]),
            number * gap_ms // 50 * 50,
            (number + 1) * gap_ms // 50 * 50,
        )
    assert state.first_out == order[0]
    assert state.latched == NAMES


def test_cause_that_comes_and_goes_within_the_delay_does_not_trip() -> None:
    state = Latches()
    for start in range(0, 20_000, 2000):
        run(state, in_danger("coolant_loss"), start, start + 1000)
        run(state, in_danger(), start + 1000, start + 2000)
    assert not state.latched
