"""Random streams: a value is a function of (seed, name, counter), and its distribution is right."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from emulator.random import normal, stream_key, uniform

COUNT = 20_000


def draw(kind: Callable[..., float], key: int, count: int = COUNT) -> NDArray[np.float64]:
    return np.array([kind(key, i) for i in range(count)])


def test_a_value_depends_on_seed_name_and_counter_alone() -> None:
    key = stream_key(7, "sensor.zone_1")
    assert key == stream_key(7, "sensor.zone_1")
    assert len({key, stream_key(8, "sensor.zone_1"), stream_key(7, "sensor.zone_2")}) == 3
    assert 0 <= key < 2**64
    later = [normal(key, i) for i in (5, 3, 5)]
    assert later[0] == later[2] != later[1]


def test_seed_and_name_do_not_run_into_each_other() -> None:
    assert stream_key(1, "2/a") != stream_key(12, "/a") != stream_key(1, "2a")


def test_signed_and_unsigned_arguments_give_the_same_value() -> None:
    assert uniform(5, 3) == uniform(np.uint64(5), np.uint64(3))
    assert normal(5, 3) == normal(np.uint64(5), np.uint64(3))


@pytest.mark.parametrize("name", ["a", "b", "wire.noise"])
def test_uniform_is_uniform(name: str) -> None:
    values = draw(uniform, stream_key(1, name))
    assert 0.0 < values.min() < values.max() < 1.0
    assert stats.kstest(values, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("name", ["a", "b", "wire.noise"])
def test_normal_is_normal(name: str) -> None:
    values = draw(normal, stream_key(1, name))
    assert stats.kstest(values, "norm").pvalue > 1e-3
    moments = [values.mean(), values.var() - 1.0, stats.skew(values), stats.kurtosis(values)]
    errors = np.sqrt(np.array([1.0, 2.0, 6.0, 24.0]) / COUNT)
    assert np.all(np.abs(moments) < 4.5 * errors)


def test_neighbours_in_a_stream_are_independent() -> None:
    values = draw(normal, stream_key(3, "lag"))
    for lag in (1, 2, 7):
        assert abs(np.corrcoef(values[:-lag], values[lag:])[0, 1]) < 4.5 / np.sqrt(COUNT)


def test_streams_of_different_names_and_neighbouring_seeds_are_independent() -> None:
    keys = [stream_key(3, "a"), stream_key(3, "b"), stream_key(4, "a")]
    table = np.corrcoef([draw(normal, key) for key in keys])
    assert np.abs(table - np.eye(3)).max() < 4.5 / np.sqrt(COUNT)


def test_every_bit_of_uniform_is_fair() -> None:
    bits = (draw(uniform, stream_key(9, "bits")) * 2**32).astype(np.uint64)
    for place in range(32):
        ones = int(((bits >> np.uint64(place)) & np.uint64(1)).sum())
        assert abs(ones - COUNT / 2) < 4.5 * np.sqrt(COUNT) / 2
