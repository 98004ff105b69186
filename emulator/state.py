"""What a state is made of, and how it is copied and checked.

The rule: everything that makes a future is a tree of plain values (None, bool, int, float, str, bytes), lists,
tuples, dicts, sets, enums, NumPy arrays and dataclasses of such. Whoever has a state keeps it in one such tree and
can make another of its kind around a given one (`with_state`). Copying and storing then walk the tree; nobody
writes down a second time what belongs to it, and a field that is added to a state class is copied and stored.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections import deque
from collections.abc import Callable
from enum import Enum
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel

__all__ = ["StateTypeError", "build", "classes_of", "copied", "fields_of", "hints_of", "matches", "per_class"]

Tree = TypeVar("Tree")
Result = TypeVar("Result")

ATOMS = (type(None), bool, int, float, str, bytes)
SHARED = frozenset(ATOMS) | {frozenset, np.float64, np.int64, np.bool_}
"""Values that nobody can change are not copied."""


def per_class(work_out: Callable[[type], Result]) -> Callable[[type], Result]:
    """Work a thing out once for each class."""
    known: dict[type, Result] = {}

    def look_up(kind: type) -> Result:
        if kind not in known:
            known[kind] = work_out(kind)
        return known[kind]

    functools.update_wrapper(look_up, work_out)
    return look_up


class StateTypeError(TypeError):
    """Something in a state that has no place there."""


@per_class
def fields_of(kind: type) -> tuple[str, ...]:
    """Names of the fields that make a dataclass.

    In a frozen one, fields that its constructor works out from the others are not among them.
    """
    frozen = _is_frozen(kind)
    return tuple(field.name for field in dataclasses.fields(kind) if field.init or not frozen)


def _is_frozen(kind: type) -> bool:
    return bool(kind.__dataclass_params__.frozen)  # type: ignore[attr-defined]


def build(kind: type, values: dict[str, Any]) -> Any:
    """A dataclass from all of `fields_of` it, as they are."""
    if _is_frozen(kind):
        return kind(**values)
    other: Any = object.__new__(kind)
    for name, value in values.items():
        setattr(other, name, value)
    return other


def copied(tree: Tree) -> Tree:
    """A copy of a state that shares nothing that changes.

    Raises:
        StateTypeError: something in it is no state.
    """
    return typing.cast(Tree, _copy(tree))


def _copy(value: Any) -> Any:
    kind = type(value)
    if kind in SHARED:
        return value
    copier = _copier(kind)
    return copier(value)


@per_class
def _copier(kind: type) -> Callable[[Any], Any]:
    if issubclass(kind, np.ndarray):
        return lambda array: array.copy()
    if issubclass(kind, (list, deque)):
        return lambda items: kind([item if type(item) in SHARED else _copy(item) for item in items])
    if issubclass(kind, tuple):
        return lambda items: tuple([item if type(item) in SHARED else _copy(item) for item in items])
    if issubclass(kind, dict):
        return lambda items: {key: _copy(item) for key, item in items.items()}
    if issubclass(kind, set):
        return set
    if issubclass(kind, (Enum, BaseModel)):  # models are frozen
        return lambda value: value
    if dataclasses.is_dataclass(kind):
        if _is_frozen(kind):
            return lambda value: value
        names = fields_of(kind)

        def copy_fields(value: Any) -> Any:
            other = kind.__new__(kind)
            for name in names:
                item = getattr(value, name)
                setattr(other, name, item if type(item) in SHARED else _copy(item))
            return other

        return copy_fields
    own = getattr(kind, "copy", None)
    if own is not None:
        return typing.cast(Callable[[Any], Any], own)
    raise StateTypeError(f"{kind.__name__} has no place in a state; see emulator.state")


@per_class
def hints_of(kind: type) -> dict[str, Any]:
    """Types of the fields of a dataclass, as declared."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


@per_class
def classes_of(root: type) -> dict[str, type]:
    """Every dataclass, enum and model that a state of this class can hold by its declarations, by name.

    This is the list of what a stored state may name: nothing else is ever made from one.
    """
    found: dict[str, type] = {}
    waiting: list[Any] = [root]
    while waiting:
        hint = waiting.pop()
        waiting.extend(typing.get_args(hint))
        if not isinstance(hint, type) or hint.__name__ in found:
            continue
        if dataclasses.is_dataclass(hint):
            found[hint.__name__] = hint
            waiting.extend(hints_of(hint).values())
        elif issubclass(hint, (Enum, BaseModel)):
            found[hint.__name__] = hint
    return found


def matches(value: Any, hint: Any) -> bool:
    """Whether a value is what a field declares; a whole number may stand for a float, a bool for neither."""
    if hint is Any:
        return True
    origin = typing.get_origin(hint)
    if origin is None:
        if hint is None:
            return value is None
        return type(value) is hint or (hint is float and type(value) is int)
    arguments = typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(matches(value, choice) for choice in arguments)
    if origin is typing.Literal:
        return value in arguments
    if origin is np.ndarray:
        wanted = typing.get_args(arguments[1])
        return isinstance(value, np.ndarray) and (
            not isinstance(wanted[0], type) or np.issubdtype(value.dtype, wanted[0])
        )
    if origin is tuple and (len(arguments) != 2 or arguments[1] is not Ellipsis):
        return type(value) is tuple and len(value) == len(arguments) and all(map(matches, value, arguments))
    if origin is dict:
        return type(value) is dict and all(
            matches(key, arguments[0]) and matches(item, arguments[1]) for key, item in value.items()
        )
    if isinstance(origin, type) and issubclass(origin, (list, deque, set, frozenset, tuple)):
        return type(value) is origin and all(matches(item, arguments[0]) for item in value)
    return False
