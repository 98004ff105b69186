"""Formulas as trees. Times are in seconds; a predicate is true where its margin is 0 or more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "And", "Arithmetic", "Compare", "Formula", "Function", "Name", "Node", "Not", "Number", "Or", "Temporal", "Term",
    "Until", "Word", "horizon_s", "memory_s", "names_of",
]  # fmt: skip

FOREVER = float("inf")
SAMPLE_BEFORE_S = -1.0
"""Both ends of the window that is the sample before, whenever that was."""
SHORTEST_S = 0.01
"""No two samples are closer than that."""


# -- terms: numbers over time ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Word:
    """A value of an enumeration, by its name."""

    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A signal, by the name that the trace knows."""

    name: str


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Two terms added, subtracted, multiplied or divided."""

    operator: Literal["+", "-", "*", "/"]
    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class Function:
    """A function of terms: `abs`, `min`, `max`; or over the last seconds: `rate`, `mean`, `lowest`, `highest`.

    Attributes:
        name: of the function.
        arguments: terms.
        seconds: how far it looks back; 0 where it does not.
    """

    name: str
    arguments: tuple[Term, ...]
    seconds: float = 0.0


Term = Number | Word | Name | Arithmetic | Function


# -- formulas: margins over time ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compare:
    """A comparison of two terms; strict and weak ones have the same margin."""

    operator: Literal["<=", ">=", "==", "!="]
    left: Term
    right: Term


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    part: Formula


@dataclass(frozen=True, slots=True)
class And:
    """All of the parts."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of the parts."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Temporal:
    """At all or some moments of a window, seconds from now into the future, or back into the past.

    Attributes:
        every: at all moments; else at some.
        past: the window lies behind.
        part: what holds there.
        begin_s: beginning of the window.
        end_s: its end.
    """

    every: bool
    past: bool
    part: Formula
    begin_s: float = 0.0
    end_s: float = FOREVER


@dataclass(frozen=True, slots=True)
class Until:
    """`left` holds until `right` does, which is within the window."""

    left: Formula
    right: Formula
    begin_s: float = 0.0
    end_s: float = FOREVER


Formula = Compare | Not | And | Or | Temporal | Until
Node = Formula | Term


def _parts(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Not | Temporal):
        return (node.part,)
    if isinstance(node, And | Or):
        return node.parts
    if isinstance(node, Compare | Arithmetic | Until):
        return (node.left, node.right)
    if isinstance(node, Function):
        return node.arguments
    return ()


def names_of(node: Node) -> Iterator[str]:
    """Names of the signals in a formula, as often as they stand there."""
    if isinstance(node, Name):
        yield node.name
    for part in _parts(node):
        yield from names_of(part)


def horizon_s(node: Node) -> float:
    """How far into the future a formula looks, s."""
    deepest = max(map(horizon_s, _parts(node)), default=0.0)
    if isinstance(node, Until) or (isinstance(node, Temporal) and not node.past):
        return node.end_s + deepest
    return deepest


def memory_s(node: Node) -> float:
    """How far back it looks, s."""
    deepest = max(map(memory_s, _parts(node)), default=0.0)
    if isinstance(node, Temporal) and node.past:
        return (SHORTEST_S if node.begin_s == SAMPLE_BEFORE_S else node.end_s) + deepest
    if isinstance(node, Function):
        return node.seconds + deepest
    return deepest
