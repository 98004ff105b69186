"""How far each moment of a trace is from breaking a formula.

The margin of a predicate is its distance to the limit, as part of what counts as comfortable in its unit
(`rig.stl.trace.SCALES`), so that margins of different quantities can be held against one another. `and` and `always`
take the smallest, `or` and `eventually` the largest. Where a window reaches past the end of the trace the margin is an
interval: what it can be at least and at most, whatever comes. A window without samples says nothing.

Where a signal is not known, no predicate about it can be told either way.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rig.stl.formula import (
    SAMPLE_BEFORE_S,
    And,
    Arithmetic,
    Compare,
    Formula,
    Function,
    Name,
    Not,
    Number,
    Or,
    Temporal,
    Term,
    Until,
    Word,
    names_of,
)
from rig.stl.syntax import FormulaError
from rig.stl.trace import Trace
from rig.stl.windows import highest, window

__all__ = ["Interval", "Judge", "robustness"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
HALF = 0.5
"""Margin of what is true or false: switches stand 0.5 from the line between."""


class Interval(NamedTuple):
    """Margins of each moment, shape (n,): at least, and at most."""

    low: Floats
    high: Floats


def robustness(formula: Formula, trace: Trace, *, ended: bool = False) -> Interval:
    """Margins of a formula at each moment of a trace.

    Args:
        formula: what is to hold.
        trace: of the run.
        ended: nothing comes after the trace: windows end with it, and nothing is left open.

    Raises:
        FormulaError: a signal or a value that the trace does not know.
    """
    return Judge(trace, ended=ended).margins(formula)


class Judge:
    """Margins of many formulas on one trace: what they have in common is worked out once.

    Args:
        trace: of the run.
        ended: nothing comes after the trace.
    """

    def __init__(self, trace: Trace, *, ended: bool = False) -> None:
        self.trace = trace
        self.ended = ended
        self._known: dict[Formula, Interval] = {}
        self._terms: dict[Term, Floats] = {}
        self._windows: dict[tuple[float, float], tuple[Ints, Ints, NDArray[np.bool_]]] = {}

    def margins(self, node: Formula) -> Interval:
        """Margins of a formula at each moment.

        Raises:
            FormulaError: a signal or a value that the trace does not know.
        """
        found = self._known.get(node)
        if found is None:
            found = self._known[node] = self._worked_out(node)
        return found

    def _worked_out(self, node: Formula) -> Interval:
        if isinstance(node, Compare):
            return self._compare(node)
        if isinstance(node, Not):
            part = self.margins(node.part)
            return Interval(-part.high, -part.low)
        if isinstance(node, And):
            parts = [self.margins(part) for part in node.parts]
            return Interval(*(np.minimum.reduce(side) for side in zip(*parts, strict=True)))
        if isinstance(node, Or):
            parts = [self.margins(part) for part in node.parts]
            return Interval(*(np.maximum.reduce(side) for side in zip(*parts, strict=True)))
        if isinstance(node, Until):
            return self._until(node)
        return self._temporal(node)

    # -- predicates ------------------------------------------------------------------------------------

    def _compare(self, node: Compare) -> Interval:
        left, right = self._pair(node)
        scale = self._scale(node)
        gap = (right - left) / scale
        if node.operator == ">=":
            gap = -gap
        elif node.operator in ("==", "!="):
            if Word in (type(node.left), type(node.right)):
                gap = np.where(np.isnan(gap), np.nan, np.where(gap == 0.0, HALF, -HALF))
            else:
                gap = -np.abs(gap)
            gap = gap if node.operator == "==" else -gap
        unknown = np.isnan(gap)
        return Interval(np.where(unknown, -np.inf, gap), np.where(unknown, np.inf, gap))

    def _pair(self, node: Compare) -> tuple[Floats, Floats]:
        sides = (node.left, node.right)
        if Word not in map(type, sides):
            return self._term(node.left), self._term(node.right)
        name = next((side.name for side in sides if isinstance(side, Name)), None)
        if name is None:
            raise FormulaError("a value by name has to be compared with a signal")
        values = [
            np.full(len(self.trace.time_ns), self._code(name, side.text))
            if isinstance(side, Word)
            else self._term(side)
            for side in sides
        ]
        return values[0], values[1]

    def _code(self, name: str, value: str) -> float:
        try:
            return self.trace.code(name, value)
        except KeyError:
            raise FormulaError(f"{name} has no value {value!r}") from None

    def _scale(self, node: Compare) -> float:
        names = [*names_of(node.left), *names_of(node.right)]
        return self.trace.scale(names[0]) if names else 1.0

    def _term(self, node: Term) -> Floats:
        found = self._terms.get(node)
        if found is None:
            found = self._terms[node] = self._term_worked_out(node)
        return found

    def _window(self, begin_s: float, end_s: float) -> tuple[Ints, Ints, NDArray[np.bool_]]:
        found = self._windows.get((begin_s, end_s))
        if found is None:
            found = self._windows[begin_s, end_s] = window(self.trace.time_ns, begin_s, end_s)
        return found

    def _term_worked_out(self, node: Term) -> Floats:
        count = len(self.trace.time_ns)
        if isinstance(node, Number):
            return np.full(count, node.value)
        if isinstance(node, Name):
            try:
                return self.trace.look_up(node.name)
            except KeyError:
                raise FormulaError(f"there is no signal {node.name!r} in this run") from None
        if isinstance(node, Arithmetic):
            left, right = self._term(node.left), self._term(node.right)
            with np.errstate(divide="ignore", invalid="ignore"):
                found = {"+": left + right, "-": left - right, "*": left * right, "/": left / right}[node.operator]
            return np.where(np.isfinite(found), found, np.nan)
        if isinstance(node, Function):
            return self._function(node)
        raise FormulaError(f"{node.text!r} is a name, and no number")

    def _function(self, node: Function) -> Floats:
        terms = [self._term(part) for part in node.arguments]
        if node.name == "abs":
            return np.abs(terms[0])
        if node.name in ("min", "max"):
            return np.asarray((np.minimum if node.name == "min" else np.maximum).reduce(terms))
        values, time_ns = terms[0], self.trace.time_ns
        first, beyond = self._window(-node.seconds, 0.0)[0], np.arange(1, len(time_ns) + 1)
        if node.name == "rate":
            passed_s = (time_ns - time_ns[first]) * 1e-9
            with np.errstate(divide="ignore", invalid="ignore"):
                return np.where(passed_s > 0.0, (values - values[first]) / passed_s, 0.0)
        if node.name == "mean":
            summed = np.concatenate(([0.0], np.cumsum(np.nan_to_num(values))))
            counted = np.concatenate(([0], np.cumsum(~np.isnan(values))))
            with np.errstate(invalid="ignore"):
                return np.asarray((summed[beyond] - summed[first]) / (counted[beyond] - counted[first]))
        sign = 1.0 if node.name == "highest" else -1.0
        known = np.where(np.isnan(values), -np.inf, sign * values)
        found = sign * highest(known, first, beyond)
        return np.where(np.isfinite(found), found, np.nan)

    # -- time ------------------------------------------------------------------------------------------

    def _temporal(self, node: Temporal) -> Interval:
        part = self.margins(node.part)
        if node.begin_s == SAMPLE_BEFORE_S:
            return Interval(*(np.concatenate(([-np.inf], side[:-1])) if len(side) else side for side in part))
        if node.every:
            part = Interval(-part.high, -part.low)
        found = self._some(node, part)
        return Interval(-found.high, -found.low) if node.every else found

    def _some(self, node: Temporal, part: Interval) -> Interval:
        """Largest margin in the window."""
        if node.past:
            first, beyond, _ = self._window(-node.end_s, -node.begin_s)
            return Interval(highest(part.low, first, beyond), highest(part.high, first, beyond))
        first, beyond, whole = self._window(node.begin_s, node.end_s)
        low, high = highest(part.low, first, beyond), highest(part.high, first, beyond)
        return Interval(low, high if self.ended else np.where(whole, high, np.inf))

    def _until(self, node: Until) -> Interval:
        first, beyond, whole = self._window(node.begin_s, node.end_s)
        left, right = self.margins(node.left), self.margins(node.right)
        low, _ = _reached(left.low, right.low, first, beyond)
        high, held = _reached(left.high, right.high, first, beyond)
        return Interval(low, high if self.ended else np.where(whole, high, np.maximum(high, held)))


def _reached(left: Floats, right: Floats, first: NDArray[np.int64], beyond: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Margin of `left` until `right` within each window, and how far `left` has held up to the window's end."""
    count = len(left)
    found, held = np.full(count, -np.inf), np.full(count, np.inf)
    here = np.arange(count)
    for step in range(int((beyond - here).max(initial=0))):
        place = here + step
        inside = place < beyond
        if not inside.any():
            break
        at = np.minimum(place, count - 1)
        wanted = inside & (place >= first)
        found = np.where(wanted, np.maximum(found, np.minimum(right[at], held)), found)
        held = np.where(inside, np.minimum(held, left[at]), held)
    return found, held
