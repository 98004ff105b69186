"""Vectors of lanes do to every lane what NumPy does to a number, and parcels go into lanes and back unchanged."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numba import carray, njit
from numpy.typing import NDArray

from emulator.material import lanes
from emulator.material.tile import WORD, tile_type
from emulator.material.vector import (
    LANES,
    absolute,
    add_at,
    any_of,
    broadcast,
    element,
    first_lanes,
    flags,
    floor,
    four_columns,
    fused,
    largest,
    least,
    most,
    places,
    read,
    root,
    total,
    where,
    write,
)
from emulator.pointer import Call, address_of
from emulator.press.loading import load, store
from emulator.press.state import UNREAD_LINES, parcel_type

Floats = NDArray[np.float64]
NUMBERS = st.floats(-1e6, 1e6, allow_subnormal=False)
ROW = hnp.arrays(np.float64, LANES, elements=NUMBERS)
SLOTS = hnp.arrays(np.int64, LANES, elements=st.integers(0, 9))


@njit  # type: ignore[misc]
def combine(x: Floats, y: Floats, c: float, out: Floats) -> None:
    a, b = read(x), read(y)
    write(out[0], a + b)
    write(out[1], a - c)
    write(out[2], c * a)
    write(out[3], a / (absolute(b) + 1.0))
    write(out[4], -a)
    write(out[5], least(a, b))
    write(out[6], most(a, c))
    write(out[7], where((a < b) & (b > c), a, where((a >= c) | (b <= c), c, b)))
    write(out[8], floor(a))
    write(out[9], root(absolute(a)))
    write(out[10], broadcast(c))


@settings(deadline=None)  # the first example compiles
@given(x=ROW, y=ROW, c=NUMBERS)
def test_every_lane_is_calculated_like_a_number(x: Floats, y: Floats, c: float) -> None:
    out = np.zeros((11, LANES))
    combine(x, y, c, out)
    chosen = np.where((x < y) & (y > c), x, np.where((x >= c) | (y <= c), c, y))
    expected = [x + y, x - c, c * x, x / (np.abs(y) + 1.0), -x, np.minimum(x, y), np.maximum(x, c), chosen]
    expected += [np.floor(x), np.sqrt(np.abs(x)), np.full(LANES, c)]
    assert np.array_equal(out, np.array(expected))


@njit  # type: ignore[misc]
def gather(table: Floats, values: Floats, at: Floats, out: Floats) -> None:
    row = places(read(at))
    a, b, c, d = four_columns(table, row, 1)
    write(out[0], a)
    write(out[1], b)
    write(out[2], c)
    write(out[3], d)
    write(out[4], element(values, row))


@njit  # type: ignore[misc]
def scatter(values: Floats, at: Floats, amounts: Floats) -> None:
    add_at(values, places(read(at)), read(amounts))


@settings(deadline=None)  # the first example compiles
@given(slots=SLOTS, amounts=ROW)
def test_lanes_read_and_add_at_places_of_their_own_also_at_the_same(slots: Any, amounts: Floats) -> None:
    table, values = np.arange(60.0).reshape(10, 6), np.arange(10.0) ** 2
    out = np.zeros((5, LANES))
    gather(table, values, slots.astype(float), out)
    assert np.array_equal(out[:4], table[slots, 1:5].T)
    assert np.array_equal(out[4], values[slots])
    expected = values.copy()
    for place, amount in zip(slots, amounts, strict=True):
        expected[place] += amount
    scatter(values, slots.astype(float), amounts)
    assert np.array_equal(values, expected)


@njit  # type: ignore[misc]
def together(x: Floats, marks: Any, count: int, out: Floats) -> None:
    a = read(x)
    out[0] = total(a)
    out[1] = largest(a)
    out[2] = 1.0 if any_of(a > 0.0) else 0.0
    write(out[3 : 3 + LANES], where(first_lanes(count), 1.0, 0.0))
    write(out[3 + LANES :], where(flags(marks), 1.0, 0.0))


@settings(deadline=None)  # the first example compiles
@given(x=ROW, marks=hnp.arrays(np.int64, LANES, elements=st.integers(-1, 1)), count=st.integers(0, LANES))
def test_lanes_together(x: Floats, marks: Any, count: int) -> None:
    out = np.zeros(3 + 2 * LANES)
    together(x, marks, count, out)
    assert out[0] == pytest.approx(math.fsum(x), abs=1e-8)
    assert out[1] == x.max()
    assert out[2] == (x > 0.0).any()
    assert np.array_equal(out[3 : 3 + LANES], np.arange(LANES) < count)
    assert np.array_equal(out[3 + LANES :], marks != 0)


@njit  # type: ignore[misc]
def single_rounding(a: float, b: float, c: float) -> float:
    return float(fused(a, b, c))


def test_a_fused_product_is_rounded_once() -> None:
    assert single_rounding(1.0 + 2.0**-30, 1.0 - 2.0**-30, -1.0) == -(2.0**-60)


@njit  # type: ignore[misc]
def elementary(x: Floats, out: Floats) -> None:
    a = read(x)
    write(out[0], lanes.exp(a))
    write(out[1], lanes.log(absolute(a) + 1e-9))
    write(out[2], lanes.sinh_over(absolute(a)))
    write(out[3], lanes.sin_pi(a))
    write(out[4], lanes.power(absolute(a) + 1e-9, 0.3))
    q, f = lanes.decay(absolute(a))
    write(out[5], q)
    write(out[6], f)


@settings(deadline=None)  # the first example compiles
@given(x=hnp.arrays(np.float64, LANES, elements=st.floats(-300.0, 300.0)))
def test_elementary_functions_give_a_lane_the_bits_that_they_give_a_number(x: Floats) -> None:
    out = np.zeros((7, LANES))
    elementary(x, out)
    for lane, a in enumerate(x.tolist()):
        size = abs(a)
        alone = [lanes.exp(a), lanes.log(size + 1e-9), lanes.sinh_over(size), lanes.sin_pi(a)]
        alone += [lanes.power(size + 1e-9, 0.3), *lanes.decay(size)]
        assert out[:, lane].tolist() == alone


@njit  # type: ignore[misc]
def through_lanes(parcels: Any, slots: Any, tiles: Any, moved: float) -> None:
    w = tiles[0]
    load(parcels, slots, w)
    write(w.x, read(w.x) + moved)
    store(parcels, slots, w)


@settings(deadline=None)  # the first example compiles
@given(slots=SLOTS, layers=st.sampled_from([3, 11, 14]), data=st.data())
def test_parcels_go_into_lanes_and_back_unchanged(slots: Any, layers: int, data: st.DataObject) -> None:
    parcels = np.zeros(10, parcel_type(layers))
    words = parcels.view(np.int64).reshape(10, -1)
    words[:] = np.arange(words.size).reshape(words.shape) + data.draw(st.integers(0, 2**40))
    parcels["x"] = np.arange(10.0)
    before, tiles = parcels.copy(), np.zeros(1, tile_type(parcels.dtype, layers))
    through_lanes(parcels, slots, tiles, 0.5)
    for name in parcels.dtype.names:
        moved = 0.5 * np.isin(np.arange(10), slots) if name == "x" else 0
        assert np.array_equal(parcels[name].view(np.int64), (before[name] + moved).view(np.int64)), name
        if parcels.dtype.fields[name][1] < UNREAD_LINES * LANES * WORD:
            continue
        held = tiles[name][0]
        expected = before[name][slots] + (0.5 if name == "x" else 0)
        assert np.array_equal(np.moveaxis(held, -1, 0).view(np.int64), expected.view(np.int64)), name


def _add(count: int, amount: int, numbers: Any) -> None:
    for place in range(count):
        carray(numbers, count)[place] += amount


def test_a_call_hands_over_addresses_and_numbers_and_may_be_made_again_with_others() -> None:
    numbers = np.arange(5.0)
    call = Call(address_of(_add, int, int, numbers.dtype), len(numbers), 2, numbers)
    call()
    call.table[2] = 10
    call()
    assert numbers.tolist() == [12.0, 13.0, 14.0, 15.0, 16.0]
