"""The signals that a formula is about: columns of a recording, bits of its words, and states of the controller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rig.trace import Event, Recording, Samples

__all__ = ["SCALES", "Trace", "trace_of"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SCALES: Final[Mapping[str, float]] = {
    "°C": 10.0,
    "K": 10.0,
    "µm": 100.0,
    "mm": 10.0,
    "m": 1.0,
    "m/min": 0.5,
    "kN": 10.0,
    "kN/m": 20.0,
    "bar": 20.0,
    "MPa": 1.0,
    "N·m": 50.0,
    "A": 10.0,
    "L/min": 10.0,
    "%": 10.0,
    "deg": 0.1,
    "s": 1.0,
    "ms": 1000.0,
}
"""What counts as a distance of 1, by unit: such a margin is comfortable. Of plain numbers and switches it is 1."""


@dataclass(frozen=True)
class Trace:
    """Signals over time.

    Attributes:
        time_ns: of the samples, rising; shape (n,).
        look_up: a signal by name, shape (n,), NaN where it is not known; raises KeyError.
        unit: of a signal, by name.
        code: number of a value of an enumeration, by signal and value; raises KeyError.
        scales: what counts as a distance of 1, by unit.
    """

    time_ns: Ints
    look_up: Callable[[str], Floats]
    unit: Callable[[str], str] = lambda name: ""
    code: Callable[[str, str], float] = lambda name, value: float("nan")
    scales: Mapping[str, float] = field(default_factory=dict)

    def scale(self, name: str) -> float:
        """What counts as a distance of 1 of a signal."""
        return self.scales.get(self.unit(name), 1.0)


ASKED: Final = "asked."
"""Begins the names of what the operator asked for."""


class _Columns:
    """Signals of a recording by name."""

    def __init__(
        self,
        tables: tuple[tuple[str, Samples], ...],
        time_ns: Ints,
        states: tuple[Event, ...],
        constants: Mapping[str, float],
        asked: tuple[Event, ...] = (),
    ) -> None:
        self._asked = asked
        self._constants = constants
        self._tables = tables
        self._time_ns = time_ns
        self._states = states
        self._names = {name: code for code, name in enumerate(dict.fromkeys(event.text for event in states))}
        self._known: dict[str, Floats] = {}

    def look_up(self, name: str) -> Floats:
        if name not in self._known:
            self._known[name] = self._find(name)
        return self._known[name]

    def _find(self, name: str) -> Floats:
        if name == "state":
            return self._state()
        if name in self._constants:
            return np.full(len(self._time_ns), self._constants[name])
        if name == "time_s":
            return np.asarray((self._time_ns - self._time_ns[:1]) * 1e-9, np.float64)
        if name == "gap_s":
            return np.diff(self._time_ns, prepend=self._time_ns[:1]) * 1e-9
        if name.startswith(ASKED):
            return self._pulses(name.removeprefix(ASKED))
        table, column, bit = self._place(name)
        values: Floats = table[column]
        if bit >= 0:
            known = np.where(np.isnan(values), 0.0, values).astype(np.int64)
            values = np.where(np.isnan(values), np.nan, (known >> bit) & 1)
        if table.time_ns is not self._time_ns:
            values = _held(table.time_ns, values, self._time_ns)
        return values

    def _place(self, name: str) -> tuple[Samples, str, int]:
        """Table, column and bit (-1 for the whole) of a signal.

        Raises:
            KeyError: there is none.
        """
        first, _, rest = name.partition(".")
        for prefix, table in self._tables:
            column, bit = (rest, "") if prefix and first == prefix else (first, rest)
            if prefix and first != prefix:
                continue
            if column in table:
                bits = table.channel(column).bits
                if not bit:
                    return table, column, -1
                if bit in bits:
                    return table, column, bits.index(bit)
        raise KeyError(name)

    def _pulses(self, request: str) -> Floats:
        """1 at the first sample after a request of the operator, else 0."""
        times = np.array([event.time_ns for event in self._asked if event.text == request], np.int64)
        pulses = np.zeros(len(self._time_ns))
        places = np.searchsorted(self._time_ns, times, "left")
        pulses[places[places < len(pulses)]] = 1.0
        return pulses

    def _state(self) -> Floats:
        if not self._states:
            raise KeyError("state")
        times = np.array([event.time_ns for event in self._states], np.int64)
        codes = np.array([self._names[event.text] for event in self._states], np.float64)
        return _held(times, codes, self._time_ns)

    def unit(self, name: str) -> str:
        if name in ("state", "time_s", "gap_s") or name in self._constants or name.startswith(ASKED):
            return "s" if name in ("time_s", "gap_s") else ""
        table, column, bit = self._place(name)
        return "" if bit >= 0 else table.channel(column).unit

    def code(self, name: str, value: str) -> float:
        if name == "state":
            return float(self._names.get(value, -1))
        table, column, _ = self._place(name)
        return float(table.channel(column).values[value])


def _held(times: Ints, values: Floats, at: Ints) -> Floats:
    """The last value known at each of other times; NaN before the first."""
    places = np.searchsorted(times, at, "right") - 1
    return np.where(places < 0, np.nan, values[np.maximum(places, 0)]) if len(values) else np.full(len(at), np.nan)


def trace_of(recording: Recording, constants: Mapping[str, float] | None = None) -> Trace:
    """The signals of a recording.

    Tags by name, bits as `word.bit`, truth as `true.name`, the controller's `state`, `asked.stop` and others as pulses
    where the operator asked for something, `time_s` since the first sample, and `gap_s` since the one before.

    Args:
        recording: of the run.
        constants: further names, such as `recipe.melting_point_c`.
    """
    states = tuple(event for event in recording.events if event.kind == "state")
    asked = tuple(event for event in recording.events if event.kind == "operator")
    time_ns = recording.tags.time_ns
    tables = ("", recording.tags), ("true", recording.truth)
    columns = _Columns(tables, time_ns, states, constants or {}, asked)
    return Trace(time_ns, columns.look_up, columns.unit, columns.code, SCALES)
