"""Two faults of one kind at once: what they do ends with the last of them, whoever ends first."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.bus import Bus, LineSettings
from emulator.wire.faults import Fault
from tests.emulator.fakes import FakeNode, FakeWorld, read_answer, read_request

LINE = LineSettings(115_200, parity="N")
SECOND_NS = 1_000_000_000
ENDS_BY_AMOUNT = ("break", "brown_out", "unplugged")
LASTING = (*ENDS_BY_AMOUNT, "other_baud", "other_parity")


def lasting(kind: str, seconds: float, after_s: float = 0.0, unit: int | None = None) -> Fault:
    """A fault that lasts so long."""
    if kind in ENDS_BY_AMOUNT:
        return Fault(kind, seconds, after_s=after_s, unit=unit)
    return Fault(kind, after_s=after_s, for_s=seconds, unit=unit)


def is_answered(world: FakeWorld, unit: int = 1) -> bool:
    """Whether a request that is sent now, from a master that is there, is answered within a tenth of a second."""
    world.bus.transmit(read_request(unit=unit), LINE)
    world.run_until(world.now_ns + SECOND_NS // 10)
    return world.bus.read(1000) == read_answer(unit=unit)


def each_second(world: FakeWorld, seconds: int) -> list[bool]:
    """Whether requests half a second after every full one are answered."""
    answered = []
    for second in range(seconds):
        world.run_until(second * SECOND_NS + SECOND_NS // 2)
        answered.append(is_answered(world))
    return answered


@pytest.mark.parametrize("kind", LASTING)
def test_the_line_is_well_when_the_last_fault_of_a_kind_has_ended(kind: str) -> None:
    world = FakeWorld()
    world.bus.inject(lasting(kind, 2.0, after_s=1.0))
    world.bus.inject(lasting(kind, 2.0, after_s=2.0))
    assert each_second(world, 6) == [True, False, False, False, True, True]
    assert not world.bus.state.faults


@given(
    delays_s=st.lists(st.floats(0.0, 0.12), min_size=2, max_size=4),
    looks_ns=st.lists(st.integers(1, 40_000_000), min_size=1, max_size=10),
    wanted=st.integers(1, 3000),
)
def test_of_bytes_that_overlap_as_many_can_be_read_as_have_arrived(
    delays_s: list[float], looks_ns: list[int], wanted: int
) -> None:
    world = FakeWorld()
    for after_s in delays_s:
        world.bus.inject(Fault("babble", 0.15, after_s=after_s))
    for look_ns in looks_ns:
        world.run_until(world.now_ns + look_ns)
        arrival_ns = world.bus.arrival_ns(wanted)
        count = world.bus.arrived(world.now_ns)
        # or whoever waits until so many are there would wait for ever without time passing
        assert (arrival_ns is not None and arrival_ns <= world.now_ns) == (count >= wanted)
        assert len(world.bus.read(wanted)) == min(count, wanted)


@pytest.mark.parametrize("kind", LASTING)
def test_a_fault_within_another_of_its_kind_changes_nothing(kind: str) -> None:
    world = FakeWorld()
    world.bus.inject(lasting(kind, 4.0, after_s=1.0))
    world.bus.inject(lasting(kind, 1.0, after_s=2.0))
    assert each_second(world, 6) == [True, False, False, False, False, True]


@pytest.mark.parametrize("kind", LASTING)
def test_withdrawing_one_of_two_leaves_the_other(kind: str) -> None:
    world = FakeWorld()
    numbers = [world.bus.inject(lasting(kind, 100.0)) for _ in range(2)]
    for number in numbers:
        assert not is_answered(world)
        world.bus.withdraw(number)
        world.run_until(world.now_ns + SECOND_NS // 10)
    assert is_answered(world)


@given(
    st.sampled_from(LASTING),
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), min_size=1, max_size=4),
)
@settings(deadline=None, max_examples=60)
def test_the_line_is_bad_exactly_while_a_fault_acts(kind: str, spans: list[tuple[int, int]]) -> None:
    world = FakeWorld()
    for begin, length in spans:
        world.bus.inject(lasting(kind, length, after_s=begin))
    bad = [any(begin <= second < begin + length for begin, length in spans) for second in range(11)]
    assert each_second(world, 11) == [not is_bad for is_bad in bad]


def test_nodes_have_the_rate_of_the_fault_that_began_last() -> None:
    world = FakeWorld()
    world.bus.inject(Fault("other_baud", 9600, for_s=4.0))
    world.bus.inject(Fault("other_baud", LINE.baud, after_s=1.0, for_s=1.0))
    assert each_second(world, 5) == [False, True, False, False, True]


def test_a_node_without_supply_starts_anew_once_and_the_others_when_their_own_fault_is_over() -> None:
    world = FakeWorld()
    nodes = [FakeNode(1), FakeNode(2)]
    world.bus = Bus(world.agenda, nodes)
    starts: list[tuple[int, int]] = []
    for node in nodes:
        _note(node, lambda unit, now_ns: starts.append((unit, now_ns // SECOND_NS)))
    world.bus.inject(Fault("brown_out", 3.0))
    world.bus.inject(Fault("brown_out", 4.0, unit=2, after_s=1.0))
    world.bus.inject(Fault("brown_out", 1.0, unit=1, after_s=1.0))
    world.run_until(10 * SECOND_NS)
    assert starts == [(1, 3), (2, 5)]


def _note(node: FakeNode, note: Callable[[int, int], None]) -> None:
    switch_on = node.switch_on

    def noting(now_ns: int) -> None:
        note(min(node.units), now_ns)
        switch_on(now_ns)

    node.switch_on = noting  # type: ignore[method-assign]


def test_the_master_does_not_end_somebody_elses_break_nor_they_its_own() -> None:
    world = FakeWorld()
    world.bus.inject(Fault("break", 1.0))
    world.bus.begin_break()
    world.bus.end_break()
    world.run_until(SECOND_NS // 2)
    assert not is_answered(world)
    world.bus.begin_break()
    world.run_until(2 * SECOND_NS)
    assert not is_answered(world)
    world.bus.end_break()
    world.run_until(3 * SECOND_NS)
    assert is_answered(world)


def test_the_break_of_a_master_whose_adapter_is_pulled_ends() -> None:
    world = FakeWorld()
    world.bus.begin_break()
    world.bus.inject(Fault("unplugged", 1.0))
    world.run_until(2 * SECOND_NS)
    assert is_answered(world)
