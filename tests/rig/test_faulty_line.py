"""The bench on a line that misbehaves: right values or a typed error, and a press that can be commanded afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.bench import Bench, open_press
from rig.errors import BadAnswer, BusError, NoAnswer, NodeBusy, PortError, RequestRefused, UsageError

DAMAGE = (
    "noise", "garbled", "lost_frame", "lost_bytes", "truncated", "duplicated_bytes", "inserted_bytes", "framing_error",
    "parity_error", "wrong_unit", "split", "foreign",
)  # fmt: skip


@pytest.fixture(scope="module")
def warm() -> Iterator[Bench]:
    with open_press("emu://?start=warm") as bench:
        yield bench


@given(st.sampled_from(DAMAGE), st.sampled_from(["request", "response"]), st.integers(0, 2**31))
@settings(deadline=None, max_examples=60)
def test_values_are_right_or_there_is_a_typed_error(warm: Bench, kind: str, direction: str, seed: int) -> None:
    with warm.fork(seed=seed) as bench:
        try:
            bench.virtual.inject(kind, direction=direction, probability=0.6, times=None)
        except UsageError:
            return  # strikes answers only
        for _ in range(5):
            try:
                values = bench.poll()
            except (NoAnswer, BadAnswer, RequestRefused):
                continue
            bank = bench.virtual.world.node.bank
            # a scan may have come since the answer, not more
            assert 0 <= int(bank["node_heartbeat"]) - int(values["node_heartbeat"]) <= 1
            assert values["mode"] == bank["mode"]
            assert values["heat_1_upper_temperature_c"] == pytest.approx(112.0, abs=1.5)
        bench.virtual.withdraw()
        assert bench.value("press_identity") == "virtual"


@pytest.mark.parametrize("kind", DAMAGE)
def test_one_damaged_answer_is_mended_by_asking_again(warm: Bench, kind: str) -> None:
    with warm.fork() as bench:
        amount = 0.2 if kind == "noise" else None
        bench.virtual.inject(kind, amount=amount)
        assert bench.poll()["mode"] == "off"
        assert bench.virtual.line_counters["struck"] == 1


def test_a_node_that_reboots_is_there_again_and_everything_is_off(warm: Bench) -> None:
    with warm.fork() as bench:
        bench.virtual.inject("brown_out", amount=3.0)
        with pytest.raises(NoAnswer):
            bench.poll()
        bench.clock.sleep_until(bench.clock.now_ns + 3_000_000_000)
        values = bench.poll()
        assert values["mode"] == "off"
        assert values["uptime_s"] <= 1


def test_a_pulled_adapter_is_a_port_error(warm: Bench) -> None:
    with warm.fork() as bench:
        bench.virtual.inject("unplugged")
        with pytest.raises(PortError, match=r"disconnected|Errno 5"):
            bench.poll()


def test_a_fault_that_cannot_be_is_refused(warm: Bench) -> None:
    for kind, options in (("lost_bite", {}), ("lost_bytes", {"amount": -1}), ("noise", {"often": 3})):
        with pytest.raises(UsageError, match=r"fault|amount"):
            warm.virtual.inject(kind, **options)


@pytest.mark.parametrize("adapter", ["ftdi-16ms", "ftdi-1ms", "fifo-8", "os-jitter"])
def test_every_adapter_serves_a_whole_run(adapter: str) -> None:
    with open_press(f"emu://?start=warm&adapter={adapter}") as bench:
        heartbeats = [bench.poll()["node_heartbeat"] for _ in range(20)]
        assert heartbeats == sorted(heartbeats)


def test_faults_end_with_their_block(warm: Bench) -> None:
    with warm.fork() as bench:
        with bench.virtual.injected("lost_frame", times=None), pytest.raises(BusError):
            bench.poll()
        assert bench.poll()["mode"] == "off"


def test_a_node_that_is_busy_is_asked_again_and_one_that_stays_busy_is_an_error(warm: Bench) -> None:
    with warm.fork() as bench:
        bench.virtual.inject("busy")
        assert bench.poll()["mode"] == "off"
        bench.virtual.inject("busy", times=None)
        with pytest.raises(NodeBusy, match="busy"):
            bench.poll()
        bench.virtual.withdraw()
        bench.virtual.inject("failure")
        with pytest.raises(RequestRefused, match="failure"):
            bench.poll()
