"""What every kind of fault does to a frame, when it strikes, and that it repeats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.bus import Bus, LineSettings
from emulator.state import copied
from emulator.wire.adapters import ADAPTERS
from emulator.wire.damage import DAMAGE, FLAGGED
from emulator.wire.faults import KINDS, TIMED, Fault, FaultError, fault_from
from emulator.wire.trouble import DECLINES
from rig.protocol import has_valid_crc
from tests.emulator.fakes import TURNAROUND_NS, FakeNode, FakeWorld, read_answer, read_request

LINE = LineSettings(115_200, parity="N")
SECOND_NS = 1_000_000_000
ANSWER = read_answer()


def exchange(world: FakeWorld, seconds: float = 1.0) -> bytes:
    """Ask once, and everything that comes within so many seconds."""
    world.bus.transmit(read_request(), LINE)
    world.run_until(world.now_ns + round(seconds * SECOND_NS))
    return world.bus.read(10_000)


def struck_by(kind: str, **options: Any) -> tuple[FakeWorld, bytes]:
    """A world with one fault, and what comes of the first exchange."""
    world = FakeWorld()
    world.bus.inject(Fault(kind, **options))
    return world, exchange(world)


class TestAnswers:
    def test_a_lost_frame_is_silence_and_the_next_one_comes(self) -> None:
        world, heard = struck_by("lost_frame")
        assert heard == b""
        assert exchange(world) == ANSWER

    @pytest.mark.parametrize(("kind", "change"), [("lost_bytes", -3), ("truncated", -3), ("duplicated_bytes", 3)])
    def test_bytes_are_missing_or_there_twice(self, kind: str, change: int) -> None:
        _, heard = struck_by(kind, amount=3)
        assert len(heard) == len(ANSWER) + change
        if kind == "truncated":
            assert ANSWER.startswith(heard)

    def test_inserted_bytes_stand_between_those_that_were_sent(self) -> None:
        _, heard = struck_by("inserted_bytes", amount=4)
        assert len(heard) == len(ANSWER) + 4
        assert any(heard[:cut] + heard[cut + 4 :] == ANSWER for cut in range(len(ANSWER) + 1))

    @given(st.integers(0, 2**32))
    def test_noise_flips_as_many_bits_as_it_should(self, seed: int) -> None:
        world = FakeWorld()
        world.bus = Bus(world.agenda, [world.node], seed=seed)
        world.bus.inject(Fault("noise", amount=0.05, times=None))
        flipped, bits = 0, 0
        for _ in range(20):
            heard = exchange(world)
            assert len(heard) == len(ANSWER)
            flipped += (int.from_bytes(heard, "big") ^ int.from_bytes(ANSWER, "big")).bit_count()
            bits += 8 * len(heard)
        # six standard deviations of the binomial distribution
        assert abs(flipped - 0.05 * bits) < 6 * (0.05 * 0.95 * bits) ** 0.5

    def test_a_delayed_answer_comes_whole_and_so_much_later(self) -> None:
        world = FakeWorld()
        world.bus.inject(Fault("delayed", 0.25))
        world.bus.transmit(read_request(), LINE)
        assert world.bus.due_ns is not None
        world.run_until(world.bus.due_ns)
        assert world.bus.arrival_ns(1) == world.now_ns + TURNAROUND_NS + SECOND_NS // 4 + LINE.char_ns
        world.run_until(world.now_ns + SECOND_NS)
        assert world.bus.read(1000) == ANSWER

    def test_a_late_answer_comes_in_place_of_the_next_one_where_the_master_has_given_up(self) -> None:
        world = FakeWorld()
        world.bus.inject(Fault("delayed", 0.1))
        assert exchange(world, 0.05) == b""
        assert exchange(world, 0.04) == ANSWER  # of this request
        world.run_until(world.now_ns + SECOND_NS)
        assert world.bus.read(1000) == ANSWER  # of the one before

    def test_a_split_answer_has_a_pause_in_it(self) -> None:
        world = FakeWorld()
        world.bus.inject(Fault("split", 0.02))
        world.bus.transmit(read_request(), LINE)
        world.run_until(SECOND_NS)
        first, second = world.bus.state.replies
        assert second.start_ns - first.end_ns == SECOND_NS // 50
        assert first.data + second.data == ANSWER

    def test_a_merged_answer_comes_right_before_the_next(self) -> None:
        world, heard = struck_by("merged")
        assert heard == b""
        assert exchange(world) == ANSWER + ANSWER

    def test_a_stale_answer_is_that_to_the_request_before(self) -> None:
        world = FakeWorld()
        world.bus.inject(Fault("stale", nth=2))
        assert exchange(world) == ANSWER
        world.node.write_registers(0, [7, 7, 7])
        assert exchange(world) == ANSWER
        assert exchange(world) != ANSWER

    def test_another_address_has_a_crc_that_fits(self) -> None:
        _, heard = struck_by("wrong_unit", amount=9)
        assert heard[0] == 9
        assert has_valid_crc(heard)
        assert heard[1:-2] == ANSWER[1:-2]

    def test_a_foreign_answer_comes_before_the_right_one(self) -> None:
        _, heard = struck_by("foreign", amount=9)
        assert heard[0] == 9
        assert heard.endswith(ANSWER)
        assert len(heard) == 2 * len(ANSWER)


class TestRequests:
    @pytest.mark.parametrize(
        "kind",
        [kind for kind, what in KINDS.items() if "request" in what.directions and kind in DAMAGE],
    )
    def test_a_damaged_request_is_not_answered_and_the_next_one_is(self, kind: str) -> None:
        amount = 0.2 if kind == "noise" else None
        world, heard = struck_by(kind, amount=amount, direction="request")
        assert heard == b""
        assert not world.node.heard
        assert exchange(world) == ANSWER

    @pytest.mark.parametrize(
        ("kind", "counter"),
        [("framing_error", "framing_errors"), ("parity_error", "parity_errors"), ("overrun", "overruns")],
    )
    def test_what_a_uart_notices_is_counted(self, kind: str, counter: str) -> None:
        world, _ = struck_by(kind, direction="request")
        assert getattr(world.bus.state.counters, counter) == 1


class TestWhen:
    def test_the_nth_frame_is_struck_and_so_many_of_them(self) -> None:
        world = FakeWorld()
        world.bus.inject(Fault("lost_frame", nth=3, times=2))
        assert [exchange(world) == ANSWER for _ in range(6)] == [True, True, False, False, True, True]
        assert not world.bus.state.faults

    def test_only_frames_within_its_time_are_struck(self) -> None:
        world = FakeWorld()
        world.bus.inject(Fault("lost_frame", after_s=1.5, for_s=2.0, times=None))
        assert [exchange(world) == ANSWER for _ in range(6)] == [True, True, False, False, True, True]

    def test_only_frames_of_its_unit_are_struck(self) -> None:
        world = FakeWorld()
        world.bus.inject(Fault("lost_frame", unit=2))
        assert exchange(world) == ANSWER

    def test_about_as_many_frames_are_struck_as_their_probability_says(self) -> None:
        world = FakeWorld()
        world.bus.inject(Fault("lost_frame", probability=0.3, times=None))
        lost = sum(exchange(world, 0.1) == b"" for _ in range(400))
        assert abs(lost - 120) < 6 * (400 * 0.3 * 0.7) ** 0.5

    def test_a_withdrawn_fault_strikes_no_more(self) -> None:
        world = FakeWorld()
        number = world.bus.inject(Fault("lost_frame", times=None))
        assert exchange(world) == b""
        world.bus.withdraw(number)
        assert exchange(world) == ANSWER

    @given(
        st.lists(st.sampled_from(sorted(DAMAGE)), min_size=1, max_size=4),
        st.floats(0.0, 0.5),
        st.integers(0, 3),
    )
    @settings(deadline=None)
    def test_a_copy_made_at_any_time_goes_on_the_same(self, kinds: list[str], more_s: float, asked: int) -> None:
        world = FakeWorld()
        for kind in kinds:
            world.bus.inject(Fault(kind, probability=0.5, times=None))
        for _ in range(asked):
            exchange(world, 0.05)
        world.bus.transmit(read_request(), LINE)
        world.run_until(world.now_ns + round(more_s * SECOND_NS * 0.01))
        twin = FakeWorld(start_ns=world.now_ns)
        twin.bus = world.bus.with_state(copied(world.bus.state), twin.agenda, [twin.node])
        for _ in range(5):
            assert exchange(twin, 0.05) == exchange(world, 0.05)
        assert twin.bus.state == world.bus.state


class TestAtATime:
    def test_a_babbling_node_ruins_what_is_said_meanwhile(self) -> None:
        world = FakeWorld()
        exchange(world)
        world.node.heard.clear()
        world.bus.inject(Fault("babble", 0.35))
        noise = exchange(world, 0.5)
        assert len(noise) == pytest.approx(0.35 / 10 * 115_200, abs=4)
        assert not world.node.heard
        assert exchange(world) == ANSWER

    def test_a_held_line_lets_nothing_through(self) -> None:
        world = FakeWorld()
        world.bus.inject(Fault("break", 0.5))
        world.run_until(SECOND_NS // 10)
        assert exchange(world, 0.3) == b""
        world.run_until(SECOND_NS)
        assert exchange(world) == ANSWER

    def test_nodes_with_another_rate_or_parity_do_not_understand(self) -> None:
        for kind in ("other_baud", "other_parity"):
            world = FakeWorld()
            world.bus.inject(Fault(kind, for_s=1.5))
            assert [exchange(world) == ANSWER for _ in range(3)] == [False, False, True], kind

    def test_a_node_without_supply_stops_in_the_middle_of_its_answer(self) -> None:
        world = FakeWorld()
        world.bus.transmit(read_request(), LINE)
        assert world.bus.due_ns is not None
        world.run_until(world.bus.due_ns)
        half_ns = TURNAROUND_NS + LINE.span_ns(10)
        world.bus.inject(Fault("brown_out", 1.0, after_s=half_ns * 1e-9))
        world.run_until(world.now_ns + SECOND_NS // 2)
        assert world.bus.read(1000) == ANSWER[:10]
        assert exchange(world, 0.4) == b""
        assert exchange(world, 0.4) == b""
        assert exchange(world) == ANSWER

    def test_a_supply_may_fail_in_the_middle_of_the_nth_answer(self) -> None:
        world = FakeWorld()
        world.bus.inject(Fault("brown_out", 0.5, nth=3))
        assert [exchange(world, 0.1) for _ in range(2)] == [ANSWER, ANSWER]
        heard = exchange(world, 0.1)
        assert 0 < len(heard) < len(ANSWER)
        assert ANSWER.startswith(heard)
        assert not world.node.is_on
        world.run_until(world.now_ns + SECOND_NS)
        assert exchange(world) == ANSWER

    def test_or_as_the_nth_request_is_heard_which_then_is_not_obeyed(self) -> None:
        world = FakeWorld()
        world.bus.inject(Fault("brown_out", 0.5, direction="request", nth=2, after_s=0.15))
        assert [exchange(world, 0.1) for _ in range(4)] == [ANSWER, ANSWER, ANSWER, b""]
        assert len(world.node.heard) == 3

    @pytest.mark.parametrize("kind", sorted(TIMED))
    def test_what_lasts_begins_with_a_frame_by_chance_and_ends(self, kind: str) -> None:
        world = FakeWorld()
        amount = 0.25 if KINDS[kind].amount == "s" else None
        world.bus.inject(Fault(kind, amount, for_s=None if amount else 0.25, probability=0.2))
        heard = [exchange(world, 0.1) for _ in range(60)]
        assert heard[0] == ANSWER  # by the numbers of this stream
        assert 1 <= len([answer for answer in heard if answer != ANSWER]) <= 4
        assert not world.bus.state.faults
        assert exchange(world) == ANSWER

    @pytest.mark.parametrize("kind", sorted(TIMED - {"unplugged"}))
    def test_a_copy_waits_for_the_same_frame(self, kind: str) -> None:
        world = FakeWorld()
        world.bus.inject(Fault(kind, nth=2))
        assert exchange(world, 0.1) == ANSWER
        twin = FakeWorld(start_ns=world.now_ns)
        twin.bus = world.bus.with_state(copied(world.bus.state), twin.agenda, [twin.node])
        heard = [exchange(twin, 0.1) for _ in range(3)]
        assert heard == [exchange(world, 0.1) for _ in range(3)]
        assert heard != [ANSWER] * 3

    @pytest.mark.parametrize("kind", sorted(TIMED - {"unplugged"}))
    def test_a_copy_made_in_the_middle_ends_at_the_same_time(self, kind: str) -> None:
        world = FakeWorld()
        amount = 0.25 if KINDS[kind].amount == "s" else None
        world.bus.inject(Fault(kind, amount, for_s=None if amount else 0.25, after_s=0.05))
        for moment_ms in (20, 100, 160, 210):
            world.run_until(moment_ms * 1_000_000)
            twin = FakeWorld(start_ns=world.now_ns)
            twin.node.is_on = world.node.is_on
            origin = FakeWorld(start_ns=world.now_ns)
            origin.node.is_on = world.node.is_on
            twin.bus = world.bus.with_state(copied(world.bus.state), twin.agenda, [twin.node])
            origin.bus = world.bus.with_state(copied(world.bus.state), origin.agenda, [origin.node])
            assert [exchange(twin, 0.1) for _ in range(4)] == [exchange(origin, 0.1) for _ in range(4)]
            assert exchange(twin) == ANSWER


class TestWrongFaults:
    @pytest.mark.parametrize(
        ("kind", "options", "says"),
        [
            ("lost_bite", {}, "did you mean 'lost_bytes'"),
            ("xyz", {}, "known are noise"),
            ("lost_bytes", {"amount": 0}, r"must be 1 … 256 bytes"),
            ("garbled", {"amount": 3}, "has no amount"),
            ("delayed", {"direction": "request"}, "strikes response, not 'request'"),
            ("babble", {"direction": "up"}, "strikes response or request, not 'up'"),
            ("brown_out", {"times": None}, "strikes once; inject it again"),
            ("unplugged", {"for_s": 3}, "give that instead of for_s"),
            ("lost_bytes", {"amount": 1.5}, "is 1.5 bytes; it must be a whole number"),
            ("wrong_unit", {"amount": 2.5}, "it must be a whole number"),
            ("lost_frame", {"probability": 2}, "probability of fault lost_frame is 2"),
            ("lost_frame", {"nth": "x"}, "'x', which is not a number"),
            ("lost_frame", {"nth": 1.5}, "not a whole number"),
            ("lost_frame", {"sometimes": 1}, "has no 'sometimes'; it has amount"),
            ("lost_frame", {"after_s": float("nan")}, "after_s"),
        ],
    )
    def test_they_are_refused_in_words(self, kind: str, options: dict[str, Any], says: str) -> None:
        with pytest.raises(FaultError, match=says):
            fault_from(kind, options)

    def test_every_kind_can_be_injected_as_it_is(self) -> None:
        for kind in KINDS:
            world = FakeWorld()
            world.bus.inject(fault_from(kind, {}))
            exchange(world)
            exchange(world)
            assert world.bus.state.counters.struck == 1

    def test_flagged_kinds_are_kinds(self) -> None:
        assert set(DAMAGE) >= FLAGGED
        assert set(KINDS) == set(DAMAGE) | TIMED | set(DECLINES) | {"merged", "stale"}


def test_faults_of_one_node_leave_the_others_alone() -> None:
    world = FakeWorld()
    other = FakeNode(2)
    world.bus = Bus(world.agenda, [world.node, other])
    world.bus.inject(Fault("brown_out", 10.0, unit=1))
    world.run_until(SECOND_NS)
    assert not world.node.is_on
    assert other.is_on


def test_the_documentation_names_every_fault_with_its_amounts_and_every_adapter() -> None:
    text = (Path(__file__).parents[2] / "docs/faults.md").read_text(encoding="utf-8")
    for name, kind in KINDS.items():
        amount = f"{kind.amount}: {kind.usual:g} ({kind.low:g} … {kind.high:g})" if kind.amount else ""
        strikes = ", ".join(kind.directions) or "at a time"
        assert f"| `{name}` | {strikes} | {amount} | {kind.meaning} |" in text
    for name in ADAPTERS:
        assert f"| `{name}` |" in text
