"""Named tuples as NumPy records: compiled code takes a record as one pointer.

A named tuple of seventy numbers would be seventy arguments of every compiled
function, which triples the time to compile. A record reads the same, `c.pitch`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

Tuple = TypeVar("Tuple", bound=NamedTuple)


def as_table(values: Tuple) -> Sequence[Tuple]:
    """The same fields as a one-element array of records; arrays, mappings and named tuples are nested in the record.

    Hand the array, not its element, to a compiled function called from Python: NumPy
    scalars take ten times longer to pass, and so does a `recarray`.
    """
    fields = _fields(values)
    form = np.dtype((np.record, _form(fields)))
    table = np.zeros(1, dtype=_KNOWN.setdefault(form, form))
    _fill(table, fields)
    return cast(Sequence[Tuple], table)


_KNOWN: Final[dict[np.dtype[Any], np.dtype[Any]]] = {}
"""Compiled functions find a type that they have met at once, and an equal one slowly."""


def _fields(value: Any) -> Mapping[str, Any]:
    """Fields of what becomes a record; empty for numbers and arrays."""
    if isinstance(value, Mapping):
        return value
    return cast(Mapping[str, Any], value._asdict()) if hasattr(value, "_asdict") else {}


def _form(fields: Mapping[str, Any]) -> np.dtype[Any]:
    columns: list[tuple[str, Any] | tuple[str, Any, tuple[int, ...]]] = []
    for name, value in fields.items():
        nested = _fields(value)
        if nested:
            columns.append((name, _form(nested)))
        else:
            array = np.asarray(value)
            columns.append((name, np.int64 if array.dtype.kind == "i" else np.float64, array.shape))
    return np.dtype(columns, align=True)


def _fill(table: NDArray[Any], fields: Mapping[str, Any]) -> None:
    for name, value in fields.items():
        nested = _fields(value)
        if nested:
            _fill(table[name], nested)
        else:
            table[name][0] = value
