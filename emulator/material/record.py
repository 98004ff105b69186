"""Named tuples as NumPy records: compiled code takes a record as one pointer.

A named tuple of seventy numbers would be seventy arguments of every compiled
function, which triples the time to compile. A record reads the same, `c.pitch`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np

Tuple = TypeVar("Tuple", bound=NamedTuple)


def as_table(values: Tuple) -> Sequence[Tuple]:
    """The same fields as a one-element array of records; arrays become nested arrays of the record.

    Hand the array, not its element, to a compiled function called from Python: NumPy
    scalars take ten times longer to pass.
    """
    columns: list[tuple[str, Any, tuple[int, ...]]] = []
    for name, value in values._asdict().items():
        array = np.asarray(value)
        columns.append((name, np.int64 if array.dtype.kind == "i" else np.float64, array.shape))
    table = np.zeros(1, dtype=np.dtype(columns, align=True)).view(np.recarray)
    for name, value in values._asdict().items():
        table[name][0] = value
    return cast(Sequence[Tuple], table)
