"""What the benchmark of the serial line makes of its measurements, which are made up here."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import peers, serial_line
from benchmarks.errors import Unable
from benchmarks.serial_line import Exchanges, Together, pty_latency, pty_throughput

FAST = Exchanges([[10_000, 10_000], [10_000, 30_000], [1_000_000, 10_000]])
SLOW = Exchanges([[40_000, 40_000]])


def test_rate_is_that_of_the_median_block() -> None:
    assert FAST.per_s == pytest.approx(50_000)


def test_percentiles_are_over_all_exchanges() -> None:
    assert FAST.percentile_us(50) == 10
    assert FAST.percentile_us(99) == 1000


def test_entries_of_a_round_share_a_measurement_and_the_next_round_has_its_own() -> None:
    taken = iter([{"press": FAST}, {"press": SLOW}])
    together = Together(lambda: next(taken))
    assert [together.for_entry(entry)["press"] for entry in ("a", "b", "a", "b")] == [FAST, FAST, SLOW, SLOW]


def test_servers_are_compared_within_one_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial_line, "_TOGETHER", Together(lambda: {"press": FAST, "pymodbus": SLOW}))
    assert pty_throughput()() == pytest.approx(50_000)
    assert pty_throughput("pymodbus")() == pytest.approx(2.0)
    assert pty_latency(50, "pymodbus")() == pytest.approx(0.25)


def test_server_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serial_line, "_TOGETHER", Together(lambda: {"press": FAST, "libmodbus": Unable("no compiler")}))
    with pytest.raises(Unable, match="no server on libmodbus here: no compiler"):
        pty_latency(99, "libmodbus")()


def test_server_on_libmodbus_is_not_there_without_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unable, match="libmodbus-dev"):
        peers.libmodbus(tmp_path)
