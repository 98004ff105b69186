"""Signal temporal logic: the language, hand-worked margins, and the same margins as rtamt's."""

from __future__ import annotations

import math
import sys
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rig.stl import FormulaError, Trace, parse, robustness, trace_of
from rig.stl.formula import (
    FOREVER,
    And,
    Compare,
    Formula,
    Name,
    Not,
    Number,
    Or,
    Temporal,
    Until,
    horizon_s,
    memory_s,
    names_of,
)
from rig.trace import Event, Recording, Samples
from rig.trace.channels import ChannelInfo

PERIOD_NS = 100_000_000


def trace(*, time_ns: list[int] | None = None, **signals: list[float]) -> Trace:
    """A trace of signals without units, ten samples a second."""
    columns = {name: np.array(values, float) for name, values in signals.items()}
    count = len(next(iter(columns.values())))
    times = np.array(time_ns, np.int64) if time_ns else np.arange(count, dtype=np.int64) * PERIOD_NS
    return Trace(times, columns.__getitem__)


def margins(text: str, **signals: list[float]) -> list[float]:
    """Margins over a trace that has ended."""
    low, high = robustness(parse(text), trace(**signals), ended=True)
    assert (low == high).all()
    return low.tolist()


X = [1.0, 2.0, -1.0, 3.0, 4.0, -2.0, 0.0]
Y = [5.0, -1.0, 2.0, 2.0, -3.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x >= 0", X),
        ("x < 1", [0, -1, 2, -2, -3, 3, 1]),
        ("x == 1", [0, -1, -2, -2, -3, -3, -1]),
        ("x != 1", [0, 1, 2, 2, 3, 3, 1]),
        ("0 <= x <= 3", [1, 1, -1, 0, -1, -2, 0]),
        ("not x <= 0", X),
        ("x >= 0 and y >= 0", [1, -1, -1, 2, -3, -2, 0]),
        ("implies(x >= 0, y >= 0)", [5, -1, 2, 2, -3, 2, 1]),
        ("always(x >= 0, 0, 0.2)", [-1, -1, -1, -2, -2, -2, 0]),
        ("eventually(x >= 0, 0.1, 0.2)", [2, 3, 4, 4, 0, 0, -math.inf]),
        ("always(x >= 0)", [-2, -2, -2, -2, -2, -2, 0]),
        ("eventually(x >= 0)", [4, 4, 4, 4, 4, 0, 0]),
        ("historically(x >= 0, 0, 0.2)", [1, 1, -1, -1, -1, -2, -2]),
        ("once(x >= 0, 0.1, 0.2)", [-math.inf, 1, 2, 2, 3, 4, 4]),
        ("until(x >= 0, y >= 0, 0, 0.2)", [5, 2, 2, 2, 1, 1, 1]),
        ("until(x >= 0, y >= 0, 0.1, 0.3)", [1, 2, -1, 1, 1, -2, -math.inf]),
        ("rise(x >= 0)", [1, -1, -2, 1, -3, -4, 0]),
        ("fall(x >= 0)", [-1, -2, 1, -3, -4, 2, -2]),
        ("abs(x) - y >= 0", [-4, 3, -1, 1, 7, 1, -1]),
        ("rate(x, 0.2) >= 0", [0, 10, -10, 5, 25, -25, -20]),
        ("mean(x, 0.1) >= 0", [1, 1.5, 0.5, 1, 3.5, 1, -1]),
        ("lowest(x, 0.1) >= 0", [1, 1, -1, -1, 3, -2, -2]),
        ("highest(-x, 0.1) >= 0", [-1, -1, 1, 1, -3, 2, 2]),
        ("max(x, y, 1) * 2 / 4 >= 0.5", [2, 0.5, 0.5, 1, 1.5, 0, 0]),
    ],
)
def test_margins_are_those_worked_out_by_hand(text: str, expected: list[float]) -> None:
    assert margins(text, x=X, y=Y) == pytest.approx(expected, abs=1e-12)


# -- the same as an established library's -----------------------------------------------------------------


def predicates() -> st.SearchStrategy[Formula]:
    return st.builds(
        Compare,
        st.sampled_from(["<=", ">=", "=="]),
        st.sampled_from([Name("x"), Name("y")]),
        st.integers(-3, 3).map(lambda n: Number(float(n))),
    )


def windows() -> st.SearchStrategy[tuple[float, float]]:
    return st.tuples(st.integers(0, 4), st.integers(0, 4)).map(lambda w: (min(w) / 10.0, max(w) / 10.0))


def larger(parts: st.SearchStrategy[Formula]) -> st.SearchStrategy[Formula]:
    timed = st.builds(
        lambda every, past, part, w: Temporal(every, past, part, *w), st.booleans(), st.booleans(), parts, windows()
    )
    endless = st.builds(lambda every, part: Temporal(every, False, part), st.booleans(), parts)
    return st.one_of(
        st.builds(Not, parts),
        st.builds(lambda a, b: And((a, b)), parts, parts),
        st.builds(lambda a, b: Or((a, b)), parts, parts),
        timed,
        endless,
        st.builds(lambda a, b, w: Until(a, b, *w), parts, parts, windows()),
    )


def rtamt_text(node: Formula) -> str:
    """A formula as rtamt writes it; windows in samples."""
    if isinstance(node, Compare):
        assert isinstance(node.left, Name)
        assert isinstance(node.right, Number)
        return f"({node.left.name} {node.operator} {node.right.value})"
    if isinstance(node, Not):
        return f"(not {rtamt_text(node.part)})"
    if isinstance(node, And | Or):
        word = " and " if isinstance(node, And) else " or "
        return f"({word.join(map(rtamt_text, node.parts))})"
    window = "" if node.end_s == FOREVER else f"[{round(10 * node.begin_s)},{round(10 * node.end_s)}]"
    if isinstance(node, Until):
        return f"({rtamt_text(node.left)} until{window} {rtamt_text(node.right)})"
    word = {(True, False): "always", (False, False): "eventually", (True, True): "historically", (False, True): "once"}[
        node.every, node.past
    ]
    return f"({word}{window} {rtamt_text(node.part)})"


def by_rtamt(formula: Formula, signals: dict[str, list[float]]) -> list[float]:
    """Margins of a formula over a finite trace, from rtamt."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its parser is of an antlr that uses what Python 3.12 has taken away
        import rtamt

        spec: Any = rtamt.StlDiscreteTimeSpecification()
        for name in signals:
            spec.declare_var(name, "float")
        spec.spec = rtamt_text(formula)
        spec.parse()
        count = len(next(iter(signals.values())))
        return [float(margin) for _, margin in spec.evaluate({"time": list(range(count)), **signals})]


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="rtamt does not run on Python 3.12 and later")
@settings(max_examples=60, deadline=None)
@given(
    formula=st.recursive(predicates(), larger, max_leaves=5),
    samples=st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=2, max_size=12),
)
def test_margins_are_those_of_rtamt(formula: Formula, samples: list[tuple[int, int]]) -> None:
    signals = {"x": [float(a) for a, _ in samples], "y": [float(b) for _, b in samples]}
    low, high = robustness(formula, trace(**signals), ended=True)
    assert low.tolist() == high.tolist() == by_rtamt(formula, signals)


# -- the end of a trace -----------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(
    formula=st.recursive(predicates(), larger, max_leaves=4),
    samples=st.lists(st.tuples(st.integers(-4, 4), st.integers(-4, 4)), min_size=4, max_size=14),
    cut=st.integers(1, 13),
)
def test_what_is_known_before_the_end_bounds_what_comes_out_at_the_end(
    formula: Formula, samples: list[tuple[int, int]], cut: int
) -> None:
    cut = min(cut, len(samples) - 1)
    signals = {"x": [float(a) for a, _ in samples], "y": [float(b) for _, b in samples]}
    early = {name: values[:cut] for name, values in signals.items()}
    whole = robustness(formula, trace(**signals))
    part = robustness(formula, trace(**early))
    assert (part.low <= whole.low[:cut]).all()
    assert (part.high >= whole.high[:cut]).all()
    # what a window has not reached the end of is known already
    known = np.arange(cut) * 0.1 + horizon_s(formula) <= (cut - 1) * 0.1 - 1e-9
    assert (part.low[known] == whole.low[:cut][known]).all()
    assert (part.high[known] == whole.high[:cut][known]).all()


def test_a_reaction_that_may_still_come_is_left_open() -> None:
    formula = parse("implies(x >= 1, eventually(y >= 1, 0, 0.3))")
    low, high = robustness(formula, trace(x=[0, 2, 0, 0], y=[0, 0, 0, 0]))
    assert (low[1], high[1]) == (-1.0, math.inf)
    low, high = robustness(formula, trace(x=[0, 2, 0, 0, 0], y=[0, 0, 0, 0, 0]))
    assert (low[1], high[1]) == (-1.0, -1.0)


def test_windows_are_in_seconds_whatever_the_distance_of_the_samples() -> None:
    uneven = trace(time_ns=[0, 100_000_000, 900_000_000, 1_000_000_000], x=[1, 0, 0, 1])
    low, _ = robustness(parse("eventually(x >= 1, 0, 0.5)"), uneven, ended=True)
    assert low.tolist() == [0.0, -1.0, 0.0, 0.0]


def test_what_is_not_known_can_go_either_way() -> None:
    low, high = robustness(parse("x >= 1"), trace(x=[math.nan, 2.0]))
    assert low.tolist() == [-math.inf, 1.0]
    assert high.tolist() == [math.inf, 1.0]


# -- recordings -------------------------------------------------------------------------------------------


def test_a_recording_gives_tags_bits_values_truth_and_states() -> None:
    times = np.arange(3, dtype=np.int64) * PERIOD_NS
    channels = (
        ChannelInfo("film_c", unit="°C"),
        ChannelInfo("alarm_word", type="bitfield", bits=("hot", "loud")),
        ChannelInfo("mode", type="enum", values={"off": 0, "run": 3}),
    )
    tags = Samples(channels, times, np.array([[20.0, 0, 0], [30.0, 2, 3], [40.0, 3, 3]]))
    truth = Samples((ChannelInfo("film_c", unit="°C"),), times, np.array([[21.0], [31.0], [41.0]]))
    events = (Event(0, "state", "idle"), Event(150_000_000, "state", "produce"), Event(10, "bus", "lost"))
    found = trace_of(Recording(tags, truth, (), events))
    expected = {
        "film_c <= 30": [1.0, 0.0, -1.0],  # 10 K count as 1
        "abs(film_c - true.film_c) <= 6": [0.5, 0.5, 0.5],
        "alarm_word.loud": [-0.5, 0.5, 0.5],
        'mode == "run"': [-0.5, 0.5, 0.5],
        'state != "produce"': [0.5, 0.5, -0.5],
        "time_s >= 0.1": [-0.1, 0.0, 0.1],
    }
    for text, wanted in expected.items():
        assert robustness(parse(text), found).low.tolist() == pytest.approx(wanted), text
    for text, words in (
        ("film_k >= 1", "no signal 'film_k'"),
        ("alarm_word.quiet", "no signal"),
        ('mode == "jog"', "mode has no value 'jog'"),
    ):
        with pytest.raises(FormulaError, match=words):
            robustness(parse(text), found)


# -- the language -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x >=", "is no formula: invalid syntax at character"),
        ("x + 1", "a formula has to be true or false"),
        ("always(x >= 1, 3)", "always takes 1 formula and two times"),
        ("always(x >= 1, 3, 1)", "the window begins at 3 s and ends before, at 1 s"),
        ("always(x >= 1, -3, 1)", "a time in seconds, from 0 on"),
        ("sometimes(x >= 1)", "there are always, eventually"),
        ("mean(x, 3)", "is a number; compare it"),
        ("mean(x) >= 1", "mean takes a number over time and seconds"),
        ("rate(x, 0) >= 1", "the time has to be above 0 s"),
        ("abs(x, y) >= 1", "abs takes one number"),
        ("sin(x) >= 1", "no such function of numbers"),
        ("x is 1", "compare with <="),
        ('x <= "run"', "a value by name is compared with == or !="),
        ("x >= True", "neither a number nor a name"),
        ("[x] >= 1", "this is no number over time"),
        ("implies(x >= 1, y >= 1, 0, 1)", "implies takes 2 formulas"),
        ("always(p=x >= 1)", "arguments have no names here"),
        ("(" * 300 + "x" + ")" * 300, "is no formula"),
    ],
)
def test_what_is_no_formula_is_told_with_its_place(text: str, words: str) -> None:
    with pytest.raises(FormulaError) as raised:
        parse(text)
    assert words in str(raised.value)


def test_a_formula_tells_its_signals_and_how_far_it_looks() -> None:
    formula = parse("implies(once(mean(x, 2) >= 1, 0, 3), eventually(always(y.z, 0, 4), 1, 5) or rise(w >= 1))")
    assert sorted(names_of(formula)) == ["w", "w", "x", "y.z"]
    assert horizon_s(formula) == 9.0
    assert memory_s(formula) == 5.0
