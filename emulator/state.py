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
from collections.abc import Callable, Iterator
from enum import Enum
from operator import attrgetter
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel

__all__ = [
    "StateTypeError",
    "build",
    "check_of",
    "checks_of",
    "classes_of",
    "copied",
    "fields_of",
    "hints_of",
    "per_class",
    "records_in",
]

Tree = TypeVar("Tree")
Result = TypeVar("Result")

ATOMS = (type(None), bool, int, float, str, bytes)
ATOMS_OF = {kind: frozenset({kind}) for kind in ATOMS} | {float: frozenset({float, int})}
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
    return bool(kind.__dataclass_params__.frozen)  # type: ignore[attr-defined] # typeshed has no __dataclass_params__


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
        if len(names) > 1 and not hasattr(kind, "__post_init__") and all(f.init for f in dataclasses.fields(kind)):
            contents = attrgetter(*names)  # much faster than one by one
            # an object of numbers and text, of which there may be hundreds, is copied without a look at each of them
            hints = hints_of(kind)
            changing = [place for place, name in enumerate(names) if hints[name] not in SHARED]
            if not changing:
                return lambda value: kind(*contents(value))

            def copy_contents(value: Any) -> Any:
                items = list(contents(value))
                for place in changing:
                    item = items[place]
                    if type(item) not in SHARED:
                        items[place] = _copy(item)
                return kind(*items)

            return copy_contents

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


def records_in(tree: Any) -> Iterator[np.dtype[Any]]:
    """Types of the arrays of records in a state."""
    if isinstance(tree, np.ndarray):
        if tree.dtype.names:
            yield tree.dtype
    elif dataclasses.is_dataclass(tree):
        for name in fields_of(type(tree)):
            yield from records_in(getattr(tree, name))
    elif isinstance(tree, dict):
        for item in tree.values():
            yield from records_in(item)
    elif isinstance(tree, (list, tuple, deque)):
        for item in tree:
            yield from records_in(item)


Check = Callable[[Any], bool]
_CHECKS: dict[Any, Check] = {}


@per_class
def checks_of(kind: type) -> dict[str, Check]:
    """For each field of a dataclass, whether a value is what it declares."""
    return {name: check_of(hint) for name, hint in hints_of(kind).items()}


def check_of(hint: Any) -> Check:
    """Whether a value is what a field declares; a whole number may stand for a float, a bool for neither."""
    known = _CHECKS.get(hint)
    if known is None:
        known = _CHECKS[hint] = _check(hint)
    return known


def _check(hint: Any) -> Check:
    if hint is Any:
        return lambda value: True
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is None:
        allowed = (float, int) if hint is float else (type(None),) if hint is None else (hint,)
        return lambda value: type(value) in allowed
    if origin in (typing.Union, types.UnionType):
        choices = [check_of(choice) for choice in arguments]
        return lambda value: any(check(value) for check in choices)
    if origin is typing.Literal:
        return lambda value: value in arguments
    if origin is np.ndarray:
        (number,) = typing.get_args(arguments[1])
        if number is Any:
            return lambda value: isinstance(value, np.ndarray)
        return lambda value: isinstance(value, np.ndarray) and np.issubdtype(value.dtype, number)
    if origin is dict:
        of_key, of_item = map(check_of, arguments)
        return lambda value: type(value) is dict and all(of_key(key) and of_item(value[key]) for key in value)
    if origin is tuple and (len(arguments) != 2 or arguments[1] is not Ellipsis):
        each = [check_of(argument) for argument in arguments]
        return lambda value: (
            type(value) is tuple
            and len(value) == len(each)
            and all(check(item) for check, item in zip(each, value, strict=True))
        )
    if origin in (list, tuple, set, frozenset, deque):
        simple = ATOMS_OF.get(arguments[0])
        if simple is not None:
            return lambda value: type(value) is origin and simple.issuperset(map(type, value))
        of_each = check_of(arguments[0])
        return lambda value: type(value) is origin and all(map(of_each, value))
    raise StateTypeError(f"{hint} has no place in a state; see emulator.state")
