"""State trees: copied, written and read; bytes from a stranger make nothing but a tree or an error."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from emulator.codec import DTYPES, CodecError, decode, encode
from emulator.state import StateTypeError, classes_of, copied


class Colour(Enum):
    RED = 1
    BLUE = 2


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    length: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "length", (self.x**2 + self.y**2) ** 0.5)


@dataclass(slots=True)
class Thing:
    name: str
    colour: Colour
    place: Point | None
    values: list[int]
    table: np.ndarray[Any, np.dtype[np.float64]]
    queue: deque[Point] = field(default_factory=deque)
    marks: frozenset[str] = frozenset()
    later: int = field(init=False, default=0)


CLASSES = classes_of(Thing)

numbers = st.floats(allow_nan=False)
atoms = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), numbers, st.text(max_size=20), st.binary(max_size=20)
)
kinds = st.sampled_from([np.dtype(name) for name in DTYPES[:5]])
arrays = kinds.flatmap(lambda kind: hnp.arrays(kind, hnp.array_shapes(max_dims=3, max_side=4)))
points = st.builds(Point, st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
things = st.builds(
    Thing,
    name=st.text(max_size=10),
    colour=st.sampled_from(Colour),
    place=st.none() | points,
    values=st.lists(st.integers(-(2**40), 2**40), max_size=6),
    table=hnp.arrays(np.float64, hnp.array_shapes(max_dims=2, max_side=4)),
    queue=st.lists(points, max_size=3).map(deque),
    marks=st.frozensets(st.text(max_size=4), max_size=3),
)
trees = st.recursive(
    atoms | arrays | things,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4) | st.tuples(inner, inner)
    ),
    max_leaves=12,
)


def same(one: Any, two: Any) -> bool:
    if type(one) is not type(two):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == two.dtype and one.shape == two.shape and one.tobytes() == two.tobytes()
    if isinstance(one, Thing):
        return all(same(getattr(one, name), getattr(two, name)) for name in Thing.__slots__)
    if isinstance(one, dict):
        return list(one) == list(two) and all(same(one[key], two[key]) for key in one)
    if isinstance(one, (list, tuple, deque)):
        return len(one) == len(two) and all(map(same, one, two))
    return bool(one == two)


@given(trees)
def test_tree_survives_writing_and_reading(tree: Any) -> None:
    assert same(decode(encode(tree), CLASSES), tree)


@given(trees)
def test_copy_is_equal_and_writes_the_same_bytes(tree: Any) -> None:
    twin = copied(tree)
    assert same(twin, tree)
    assert encode(twin) == encode(tree)


@given(things)
def test_copy_shares_nothing_that_changes(thing: Thing) -> None:
    before = encode(thing)
    twin = copied(thing)
    twin.table += 1.0
    twin.values.append(7)
    twin.queue.append(Point(1.0, 2.0))
    twin.later = 9
    assert encode(thing) == before


def test_field_that_no_argument_sets_is_state_of_a_changing_class_and_worked_out_in_a_frozen_one() -> None:
    thing = Thing("a", Colour.RED, Point(3.0, 4.0), [], np.zeros(1))
    thing.later = 5
    read = decode(encode(thing), CLASSES)
    assert read.later == 5
    assert read.place.length == 5.0


@given(things, st.data())
def test_any_change_of_the_bytes_gives_an_error_or_a_tree(thing: Thing, data: st.DataObject) -> None:
    raw = bytearray(encode([thing, {"more": thing}]))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(raw)))
    for candidate in (bytes(raw), bytes(raw[:cut])):
        try:
            tree = decode(candidate, CLASSES)
        except CodecError:
            continue
        copied(tree)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "1 bytes announced, 0 are there"),
        (b"?", "unknown tag"),
        (b"s\xff\xff\xff\xff", "4294967295 items announced"),
        (b"q\xff\xff\xff\x7f", "items announced"),
        (b"a\x00\x02" + b"\xff\xff\xff\xff" * 2, "bytes announced"),
        (b"a\x63\x01\x01\x00\x00\x00", "unknown kind of array"),
        (b"l\x01\x00\x00\x00" * 40 + b"N", "levels deep"),
        (b"c\x02\x00\x00\x00os\x00\x00\x00\x00", "'os' is no part of this state"),
        (b"NN", "1 bytes behind the end"),
        (b"s\x01\x00\x00\x00\xff", "cannot be"),
    ],
)
def test_bytes_that_are_no_tree_are_refused(raw: bytes, why: str) -> None:
    with pytest.raises(CodecError, match=why):
        decode(raw, CLASSES)


def test_field_of_another_type_is_refused() -> None:
    thing = Thing("a", Colour.RED, None, [1, 2], np.zeros(2))
    thing.values = "text"  # type: ignore[assignment]
    with pytest.raises(CodecError, match=r"Thing\.values cannot be a str"):
        decode(encode(thing), CLASSES)


def test_what_is_no_state_is_refused() -> None:
    with pytest.raises(StateTypeError, match="no place in a state"):
        encode(print)
    with pytest.raises(StateTypeError, match="no place in a state"):
        copied(print)
    with pytest.raises(StateTypeError, match="64 bits"):
        encode(2**63)
