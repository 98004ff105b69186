"""Smallest and largest values in windows that slide over samples, for any distances between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["highest", "window"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SECOND_NS = 1_000_000_000


def window(time_ns: Ints, begin_s: float, end_s: float) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """Which samples lie between two distances in time of each sample; negative ones lie behind it.

    Returns:
        For each sample the first one within, the first one beyond, and whether the trace goes on past the window's end
        (or begins before its beginning, for one that lies behind); each shape (n,).
    """
    if not len(time_ns):
        empty = np.zeros(0, np.int64)
        return empty, empty, np.zeros(0, bool)
    near = round(begin_s * SECOND_NS) if np.isfinite(begin_s) else None
    far = round(end_s * SECOND_NS) if np.isfinite(end_s) else None
    first = np.zeros(len(time_ns), np.int64) if near is None else np.searchsorted(time_ns, time_ns + near, "left")
    beyond = (
        np.full(len(time_ns), len(time_ns), np.int64)
        if far is None
        else np.searchsorted(time_ns, time_ns + far, "right")
    )
    whole = np.zeros(len(time_ns), bool) if far is None else time_ns + far <= time_ns[-1]
    return first, beyond, whole


def highest(values: Floats, first: Ints, beyond: Ints, empty: float = -np.inf) -> Floats:
    """Largest value in each window; `empty` for a window without samples. A sparse table: n log n."""
    length = beyond - first
    found = np.full(len(first), empty)
    some = length > 0
    if not some.any():
        return found
    levels = [values]
    while 2 ** len(levels) <= int(length.max()):
        last, step = levels[-1], 2 ** (len(levels) - 1)
        levels.append(np.maximum(last[:-step], last[step:]))
    level = np.zeros(len(length), np.int64)
    level[some] = np.log2(length[some]).astype(np.int64)
    for number, table in enumerate(levels):
        here = some & (level == number)
        begin, end = first[here], beyond[here] - 2**number
        found[here] = np.maximum(table[begin], table[end])
    return found
