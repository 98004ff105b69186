"""Writes: few requests, and nothing else changes on the press than what was asked for."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.client import TagClient
from rig.errors import NoAnswer
from rig.master import Master
from rig.protocol import Request, WriteMultipleCoils, WriteMultipleRegisters
from rig.protocol.registers import Tag
from rig.protocol.registers_file import default_registers

REGISTERS = default_registers()
HOLDING = [tag for tag in REGISTERS.tags.values() if tag.table == "holding"]
COILS = [tag for tag in REGISTERS.tags.values() if tag.table == "coil"]


@dataclass
class Node(Master):
    """Registers and coils that take what is written; sometimes the answer is lost."""

    holding: dict[int, int] = field(default_factory=dict)
    coils: dict[int, bool] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)
    loses_answer: bool = False

    def exchange(self, request: Request, unit: int, until_ns: int | None = None) -> Any:
        self.asked.append(request)
        if isinstance(request, WriteMultipleRegisters):
            self.holding.update(enumerate(request.values, request.address))
        elif isinstance(request, WriteMultipleCoils):
            self.coils.update(enumerate(request.values, request.address))
        if self.loses_answer:
            raise NoAnswer("lost")


Writes = list[tuple[dict[Tag, bool], bool]]
"""Tags with a low or a high value, and whether the answer is lost."""
some_writes = st.lists(
    st.tuples(st.dictionaries(st.sampled_from(HOLDING + COILS), st.booleans(), min_size=1, max_size=6), st.booleans()),
    max_size=12,
)


def value(tag: Tag, high: bool) -> bool | float:
    if tag.table == "coil":
        return high
    low, top = tag.limits or (0.0, 1.0)
    return low if not high else round(0.5 * (low + top))


@given(some_writes)
def test_press_holds_what_was_written_last_and_nothing_else_is_touched(
    writes: list[tuple[dict[Tag, bool], bool]],
) -> None:
    node = Node()
    client = TagClient(node, REGISTERS)
    expected: dict[Tag, int] = {}
    for wanted, lost in writes:
        values = {tag: value(tag, high) for tag, high in wanted.items()}
        node.loses_answer = lost
        before = len(node.asked)
        if lost:
            with pytest.raises(NoAnswer):
                client.write(values)
        else:
            client.write(values)
        if lost:
            # the first request arrived all the same, the others were never sent
            first = node.asked[before]
            covered = range(first.address, first.address + len(first.values))  # type: ignore[attr-defined]
            table = "holding" if isinstance(first, WriteMultipleRegisters) else "coil"
            values = {tag: v for tag, v in values.items() if tag.table == table and tag.address in covered}
        expected |= {tag: tag.encode(v)[0] for tag, v in values.items()}
        assert node.holding == {tag.address: raw for tag, raw in expected.items() if tag.table == "holding"}
        assert node.coils == {tag.address: bool(raw) for tag, raw in expected.items() if tag.table == "coil"}


def kinds(node: Node) -> list[str]:
    return ["switches" if isinstance(request, WriteMultipleCoils) else "set points" for request in node.asked]


HEAT, OPEN = REGISTERS["heating_enable"], REGISTERS["fast_open"]
STEERED = {REGISTERS["belt_upper_steering_setpoint_deg"]: 0.1}


def test_set_points_are_there_before_anything_is_switched_on() -> None:
    node = Node()
    client = TagClient(node, REGISTERS)
    client.write({HEAT: True, **STEERED})
    assert kinds(node) == ["set points", "switches"]


@pytest.mark.parametrize("loses_answer", [False, True])
def test_what_is_switched_off_goes_before_set_points(loses_answer: bool) -> None:
    node = Node()
    client = TagClient(node, REGISTERS)
    switches = dict.fromkeys(COILS, False)
    client.write({**switches, HEAT: True})
    node.asked.clear()
    node.loses_answer = loses_answer
    for _ in range(3):
        with suppress(NoAnswer):
            client.write({**switches, OPEN: True, **STEERED})
    assert kinds(node)[0] == "switches"
    assert node.coils[HEAT.address] is False
    assert node.coils[OPEN.address] is True


def test_what_stays_on_keeps_nothing_that_is_switched_off_waiting() -> None:
    node = Node()
    client = TagClient(node, REGISTERS)
    drives = REGISTERS["drives_enable"]
    client.write({HEAT: True, drives: True, **STEERED})
    node.asked.clear()
    node.loses_answer = True
    for _ in range(2):  # what the lost answer left unknown is no news either
        with pytest.raises(NoAnswer):
            client.write({HEAT: False, drives: True, **STEERED})
    assert kinds(node) == ["switches", "switches"]


def test_neighbours_with_something_known_between_them_are_one_request() -> None:
    node = Node()
    client = TagClient(node, REGISTERS)
    ends = {REGISTERS["belt_upper_steering_setpoint_deg"]: 0.1, REGISTERS["controller_heartbeat"]: 5}
    client.write(ends)
    assert len(node.asked) == 2, "what lies between is not known"
    client.write({REGISTERS["belt_lower_steering_setpoint_deg"]: 0.2, REGISTERS["coolant_flow_setpoint_l_min"]: 100.0})
    node.asked.clear()
    client.write(ends)
    assert node.asked == [WriteMultipleRegisters(24, (100, 200, 1000, 5))]


def test_what_a_lost_answer_left_unknown_is_not_written_along() -> None:
    node = Node()
    client = TagClient(node, REGISTERS)
    client.write({tag: value(tag, False) for tag in HOLDING})
    node.loses_answer = True
    with pytest.raises(NoAnswer):
        client.write({REGISTERS["coolant_flow_setpoint_l_min"]: 90.0})
    node.loses_answer = False
    client.write({REGISTERS["belt_lower_steering_setpoint_deg"]: 0.2, REGISTERS["controller_heartbeat"]: 5})
    assert node.holding[REGISTERS["coolant_flow_setpoint_l_min"].address] == 900
