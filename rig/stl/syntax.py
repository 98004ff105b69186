"""The language of formulas: Python's expressions, of which some are left.

Switches and bits of words are true or false by themselves.

105 <= heat_1_upper_temperature_c <= 125      a comparison of terms, or a chain of them
alarm_word.over_temperature                   a bit, or a switch: true or false
mode == "run"                                 an enumeration, by the name of its value
not p, p and q, p or q, implies(p, q)
always(p, a, b), eventually(p, a, b)          within a … b seconds from now; without them until the end
historically(p, a, b), once(p, a, b)          the same, back from now
until(p, q, a, b)                             p until q, which comes within the window
rise(p), fall(p)                              p is true and was not at the sample before; the other way round
x + y, x - y, x * y, x / y, abs(x), min(x, y), max(x, y)
rate(x, s)                                    change of x over the last s seconds, per second
mean(x, s), lowest(x, s), highest(x, s)       of x over the last s seconds
"""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from typing import Final

from rig.stl.formula import (
    FOREVER,
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
)

__all__ = ["FormulaError", "parse"]

TEMPORAL: Final = {
    "always": (True, False),
    "eventually": (False, False),
    "historically": (True, True),
    "once": (False, True),
}
PLAIN: Final = ("abs", "min", "max")
BACKWARDS: Final = ("rate", "mean", "lowest", "highest")
FORMULAS: Final = (*TEMPORAL, "implies", "until", "rise", "fall")
ARITHMETIC: Final = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
COMPARISONS: Final = {ast.LtE: "<=", ast.Lt: "<=", ast.GtE: ">=", ast.Gt: ">=", ast.Eq: "==", ast.NotEq: "!="}


class FormulaError(ValueError):
    """A text that is no formula; the message says what is wrong, and where."""


def parse(text: str) -> Formula:
    """A formula from text.

    Raises:
        FormulaError: it is none.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise FormulaError(f"{text!r} is no formula: {error.msg}{_place(error.offset)}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise FormulaError(f"{text[:80]!r} is no formula: {error}") from None
    return _Reader(text).formula(tree)


def _place(column: int | None) -> str:
    return "" if column is None else f" at character {column}"


class _Reader:
    """Makes formulas of Python's syntax trees."""

    def __init__(self, text: str) -> None:
        self.text = text

    def wrong(self, node: ast.AST, why: str) -> FormulaError:
        """What is wrong with a part."""
        part = ast.unparse(node)
        return FormulaError(f"{part!r} in {self.text!r}{_place(getattr(node, 'col_offset', 0) + 1)}: {why}")

    # -- formulas --------------------------------------------------------------------------------------

    def formula(self, node: ast.expr) -> Formula:
        """Something that is true or false."""
        if isinstance(node, ast.BoolOp):
            parts = tuple(self.formula(value) for value in node.values)
            return And(parts) if isinstance(node.op, ast.And) else Or(parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return Not(self.formula(node.operand))
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Name | ast.Attribute):
            return Compare(">=", self.term(node), Number(0.5))
        raise self.wrong(node, "this is a number, and a formula has to be true or false; compare it with something")

    def _comparison(self, node: ast.Compare) -> Formula:
        terms = [self.term(part) for part in (node.left, *node.comparators)]
        found: list[Formula] = []
        for operator, left, right in zip(node.ops, terms, terms[1:], strict=False):
            sign = COMPARISONS.get(type(operator))
            if sign is None:
                raise self.wrong(node, "compare with <=, <, >=, >, == or !=")
            if Word in (type(left), type(right)) and sign not in ("==", "!="):
                raise self.wrong(node, "a value by name is compared with == or !=")
            found.append(Compare(sign, left, right))  # type: ignore[arg-type] # one of the four
        return found[0] if len(found) == 1 else And(tuple(found))

    def _call(self, node: ast.Call) -> Formula:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if node.keywords or name not in FORMULAS:
            known = ", ".join(FORMULAS)
            kind = "is a number; compare it with something" if name in (*PLAIN, *BACKWARDS) else f"there are {known}"
            raise self.wrong(node, kind if not node.keywords else "arguments have no names here")
        count = 1 if name in ("rise", "fall", *TEMPORAL) else 2
        extra = 0 if name in ("rise", "fall", "implies") else 2
        if len(node.args) not in (count, count + extra):
            windows = " and two times in seconds" if extra else ""
            raise self.wrong(node, f"{name} takes {count} formula{'s' * (count > 1)}{windows}")
        parts = [self.formula(part) for part in node.args[:count]]
        window = self._window(node, node.args[count:])
        if name == "implies":
            return Or((Not(parts[0]), parts[1]))
        if name == "until":
            return Until(parts[0], parts[1], *window)
        if name in TEMPORAL:
            return Temporal(*TEMPORAL[name], parts[0], *window)
        part = parts[0] if name == "rise" else Not(parts[0])
        return And((part, Not(Temporal(True, True, part, SAMPLE_BEFORE_S, SAMPLE_BEFORE_S))))

    def _window(self, node: ast.Call, given: list[ast.expr]) -> tuple[float, float]:
        if not given:
            return 0.0, FOREVER
        begin_s, end_s = (self._seconds(part) for part in given)
        if begin_s > end_s:
            raise self.wrong(node, f"the window begins at {begin_s:g} s and ends before, at {end_s:g} s")
        return begin_s, end_s

    def _seconds(self, node: ast.expr) -> float:
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value < math.inf:
            raise self.wrong(node, "this has to be a time in seconds, from 0 on")
        return float(value)

    # -- terms -----------------------------------------------------------------------------------------

    def term(self, node: ast.expr) -> Term:
        """A number over time."""
        if isinstance(node, ast.Constant):
            return self._constant(node)
        if isinstance(node, ast.Name):
            return Name(node.id)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return Name(f"{node.value.id}.{node.attr}")
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            inner = self.term(node.operand)
            return Number(-inner.value) if isinstance(inner, Number) else Arithmetic("-", Number(0.0), inner)
        if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
            sign = ARITHMETIC[type(node.op)]
            return Arithmetic(sign, self.term(node.left), self.term(node.right))  # type: ignore[arg-type] # of the four
        if isinstance(node, ast.Call):
            return self._function(node)
        raise self.wrong(node, "this is no number over time: a name, a constant, +, -, *, /, or a function of them")

    def _constant(self, node: ast.Constant) -> Term:
        value = node.value
        if isinstance(value, str):
            return Word(value)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self.wrong(node, "this is neither a number nor a name in quotes")
        return Number(float(value))

    def _function(self, node: ast.Call) -> Term:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in (*PLAIN, *BACKWARDS) or node.keywords:
            raise self.wrong(node, f"there is no such function of numbers; there are {', '.join((*PLAIN, *BACKWARDS))}")
        if name in BACKWARDS:
            if len(node.args) != 2:
                raise self.wrong(node, f"{name} takes a number over time and seconds")
            seconds = self._seconds(node.args[1])
            if not seconds:
                raise self.wrong(node, "the time has to be above 0 s")
            return Function(name, (self.term(node.args[0]),), seconds)
        fits: Callable[[int], bool] = (lambda n: n == 1) if name == "abs" else (lambda n: n >= 2)
        if not fits(len(node.args)):
            raise self.wrong(node, f"{name} takes {'one number' if name == 'abs' else 'two numbers or more'}")
        return Function(name, tuple(self.term(part) for part in node.args))
