"""What is read in a scan: nobody starves, the share is kept, fast groups come first. Any line, any intervals."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.errors import UsageError
from rig.protocol import LineTiming
from rig.protocol.registers_file import default_registers
from rig.schedule import Item, PollSchedule, Request, Waiting, choose, items_of, requests_of

MS = 1_000_000
OVERHEAD_NS = 8 * MS
LINES = (9600, 19_200, 38_400, 115_200)
GAP, LONGEST = 8, 120
items = st.tuples(
    st.sampled_from(["press", "zone_1", "gauge"]), st.integers(0, 300), st.integers(1, 12), st.integers(1, 20)
)
"""Node, first address, registers, interval."""


def made(drawn: list[tuple[str, int, int, int]]) -> list[Item]:
    """The first is vital, on the press's own node."""
    first = Item("vital", "press", (), (("input", 500, 512),), 1, vital=True)
    return [first] + [
        Item(f"group {number}", node, (), (("input", start, start + count),), every, vital=False)
        for number, (node, start, count, every) in enumerate(drawn)
    ]


def cost_at(baud: int) -> object:
    timing = LineTiming(baud)
    return lambda request: timing.frame_ns(8) + timing.frame_ns(5 + 2 * request[2]) + OVERHEAD_NS


def total_ns(chosen: list[Item], baud: int) -> int:
    cost = cost_at(baud)
    return sum(cost(request) for request in requests_of(chosen, gap=GAP, longest=LONGEST))  # type: ignore[operator]


def run(everything: list[Item], baud: int, share_ns: int, scans: int, **options: object) -> list[list[str]]:
    """Keys of what is asked for, scan by scan."""
    waiting, story = Waiting(), []
    for _ in range(scans):
        waiting.scan += 1
        chosen = choose(everything, waiting, share_ns, cost_at(baud), gap=GAP, longest=LONGEST, **options)  # type: ignore[arg-type]
        assert len(chosen) == 1 or total_ns(chosen, baud) <= share_ns
        for item in chosen:
            waiting.asked[item.key] = waiting.scan
        story.append([item.key for item in chosen])
    return story


def longest_wait(story: list[list[str]], key: str) -> int:
    asked = [-1, *(number for number, keys in enumerate(story) if key in keys), len(story)]
    return max(later - sooner for sooner, later in pairwise(asked))


@given(st.lists(items, max_size=12), st.sampled_from(LINES), st.integers(30, 90), st.booleans())
@settings(deadline=None, max_examples=60)
def test_the_share_is_kept_nobody_starves_and_vital_groups_wait_for_one_scan_at_the_most(
    drawn: list[tuple[str, int, int, int]], baud: int, share_ms: int, spare: bool
) -> None:
    everything = made(drawn)
    slowest = max(item.every for item in everything)
    patience = 4 * len(everything) * (1 + slowest)
    story = run(everything, baud, share_ms * MS, patience + 1, spare=spare)
    for item in everything:
        assert longest_wait(story, item.key) <= patience
    assert longest_wait(story, "vital") <= 2


@given(st.lists(items, max_size=8), st.integers(1, 40))
@settings(deadline=None, max_examples=30)
def test_on_a_fast_line_each_group_is_read_at_its_interval_and_with_spare_time_in_every_scan(
    drawn: list[tuple[str, int, int, int]], scans: int
) -> None:
    everything = made(drawn)
    plenty_ns = 10_000 * MS
    for keys in run(everything, 115_200, plenty_ns, scans, spare=True):
        assert len(keys) == len(everything)
    story = run(everything, 115_200, plenty_ns, scans, spare=False)
    for item in everything:
        assert [item.key in keys for keys in story] == [number % item.every == 0 for number in range(scans)]


def test_on_a_slow_line_fast_groups_have_the_larger_share_and_slow_ones_as_much_as_each_other() -> None:
    fast = Item("fast", "press", (), (("input", 0, 12),), 1, vital=False)
    slow = Item("slow", "press", (), (("input", 100, 112),), 5, vital=False)
    other = Item("other", "press", (), (("input", 200, 212),), 5, vital=False)
    story = run([fast, slow, other], 9600, 60 * MS, 140)
    counts = {key: sum(key in keys for keys in story) for key in ("fast", "slow", "other")}
    assert counts["fast"] > 3 * counts["slow"]
    assert counts["slow"] == pytest.approx(counts["other"], abs=1)


def test_a_node_that_rests_is_not_asked_and_of_silent_ones_one_is_asked_last() -> None:
    everything = made([("zone_1", 0, 2, 1), ("zone_1", 50, 2, 1), ("gauge", 0, 2, 1), ("press", 0, 2, 1)])
    [resting] = run(everything, 115_200, 200 * MS, 1, resting=["zone_1"])
    assert resting == ["vital", "group 3", "group 2"]
    [silent] = run(everything, 115_200, 200 * MS, 1, silent=["zone_1", "gauge"])
    assert silent[:2] == ["vital", "group 3"]
    assert len(silent) == 3
    # of the press's own only what is vital, but that always
    [own] = run(everything, 115_200, 200 * MS, 1, silent=["press"])
    assert own == ["vital", "group 0", "group 1", "group 2"]


@pytest.mark.parametrize("baud", LINES)
def test_what_a_scan_is_planned_to_cost_is_what_its_requests_cost(baud: int) -> None:
    registers = default_registers()
    everything = items_of(registers, registers.polled, registers.every_scans, "press")
    for keys in run(list(everything), baud, 60 * MS, 30):
        tags = [tag for item in everything if item.key in keys for tag in item.tags]
        timing = LineTiming(baud)
        real_ns = sum(
            timing.frame_ns(8) + timing.frame_ns(5 + 2 * block.count) + OVERHEAD_NS
            for block in registers.reads(tags, gap=GAP)
            if block.table == "input"
        )
        assert real_ns <= 60 * MS


def test_one_node_at_115200_is_one_request_for_everything() -> None:
    registers = default_registers()
    everything = items_of(registers, registers.polled, registers.every_scans, "press")
    requests: list[Request] = list(requests_of(everything, gap=GAP, longest=LONGEST))
    assert requests == [("press", "input", 83)]
    assert {item.key for item in everything if item.vital} == set(registers.vital)


@pytest.mark.parametrize(
    ("every", "wrong"), [({"no_group": 2}, "no_group"), ({"node": 0}, "interval of node is 0"), ({"node": 1.5}, "1.5")]
)
def test_a_schedule_that_cannot_be_is_refused(every: dict[str, int], wrong: str) -> None:
    with pytest.raises(UsageError, match=wrong):
        PollSchedule(every).check(default_registers())
