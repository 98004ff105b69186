"""Named inputs: vectors of float64 in SI units with names on their parts.

What is set by name is what the model reads, nothing is packed in between. Every quantity is stated once, in its class:
place in the vector, size and neutral value, and for disturbances the range within which the model means something.
Whoever takes values from outside asks `Inputs.checked`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Array", "InputError", "Inputs", "Number", "Switch"]

Floats = NDArray[np.float64]


class InputError(ValueError):
    """A name, a size or a value that an input cannot have; says which ones it can."""


class Part:
    """A named part of an input record: its place in the kernel's vector, its size, neutral value, range and unit."""

    def __init__(
        self,
        place: int,
        size: int = 1,
        neutral: float = 0.0,
        within: tuple[float, float] = (-math.inf, math.inf),
        unit: str = "",
    ) -> None:
        self.place = place
        self.size = size
        self.neutral = neutral
        self.low, self.high = within
        self.unit = unit

    def span(self, first: int) -> slice:
        """Where the part stands in a vector that begins at place `first`."""
        return slice(self.place - first, self.place - first + self.size)


class Array(Part):
    """Several numbers; reading gives a view, setting takes one number or a sequence."""

    @overload
    def __get__(self, record: None, kind: type) -> Self: ...
    @overload
    def __get__(self, record: Inputs, kind: type) -> Floats: ...
    def __get__(self, record: Inputs | None, kind: type) -> Floats | Self:
        return self if record is None else record.vector[self.span(record.FIRST)]

    def __set__(self, record: Inputs, value: ArrayLike) -> None:
        record.vector[self.span(record.FIRST)] = value


class Number(Part):
    """One number."""

    @overload
    def __get__(self, record: None, kind: type) -> Self: ...
    @overload
    def __get__(self, record: Inputs, kind: type) -> float: ...
    def __get__(self, record: Inputs | None, kind: type) -> float | Self:
        return self if record is None else float(record.vector[self.place - record.FIRST])

    def __set__(self, record: Inputs, value: float) -> None:
        record.vector[self.place - record.FIRST] = value


class Switch(Part):
    """On or off; 1.0 or 0.0 in the vector."""

    @overload
    def __get__(self, record: None, kind: type) -> Self: ...
    @overload
    def __get__(self, record: Inputs, kind: type) -> bool: ...
    def __get__(self, record: Inputs | None, kind: type) -> bool | Self:
        return self if record is None else bool(record.vector[self.place - record.FIRST])

    def __set__(self, record: Inputs, value: bool) -> None:
        record.vector[self.place - record.FIRST] = value


@dataclass(slots=True, init=False, eq=False)
class Inputs:
    """A vector with names on its parts."""

    FIRST = 0
    COUNT = 0
    vector: Floats

    def __init__(self, **values: Any) -> None:
        """Neutral, but for the parts named in `values`."""
        self.vector = np.zeros(self.COUNT)
        self.reset()
        for name, value in values.items():
            if not isinstance(getattr(type(self), name, None), Part):
                raise TypeError(f"{type(self).__name__} has no {name!r}; there are {', '.join(self.names())}")
            setattr(self, name, value)

    @classmethod
    def on(cls, vector: Floats) -> Self:
        """Names on the parts of a vector that somebody else keeps."""
        record = cls.__new__(cls)
        record.vector = vector
        return record

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Names of the parts, in the order of the vector."""
        return tuple(name for name, part in vars(cls).items() if isinstance(part, Part))

    @classmethod
    def checked(cls, name: str, value: object) -> Floats:
        """A value for the part of this name, one number for all its places or one for each, shape (size,).

        Raises:
            InputError: no such part, not as many numbers, or one outside of the range.
        """
        part = vars(cls).get(name)
        if not isinstance(part, Part):
            raise InputError(f"there is no {name!r}; there are {', '.join(cls.names())}")
        try:
            given = np.asarray(value, dtype=np.float64)
            values = np.broadcast_to(given, part.size).copy()
        except (TypeError, ValueError):
            numbers = "a number" if part.size == 1 else f"a number or {part.size} numbers"
            raise InputError(f"{name} is {value!r}; it must be {numbers}") from None
        for number in values.tolist():
            if not part.low <= number <= part.high:  # true for what is no number
                unit = f" {part.unit}" if part.unit else ""
                raise InputError(
                    f"{name} is {number:g}{unit}; it must be {part.low:g} … {part.high:g}{unit} "
                    f"(undisturbed: {part.neutral:g})"
                )
        return values

    def change(self, changes: Mapping[str, object]) -> None:
        """Set parts by name, as `checked` takes them.

        Raises:
            InputError: one of them cannot be; then nothing is changed.
        """
        checked = {name: self.checked(name, value) for name, value in changes.items()}
        for name, values in checked.items():
            setattr(self, name, values if values.size > 1 else values[0])

    def check(self) -> None:
        """Check all parts as they stand.

        Raises:
            InputError: one is outside of its range.
        """
        low, high = _ranges(type(self))
        if not ((low <= self.vector) & (self.vector <= high)).all():
            for name in self.names():
                self.checked(name, self.vector[vars(type(self))[name].span(self.FIRST)])

    def reset(self) -> None:
        """Make everything neutral."""
        for name in self.names():
            part = vars(type(self))[name]
            self.vector[part.span(self.FIRST)] = part.neutral


def _ranges(kind: type[Inputs]) -> tuple[Floats, Floats]:
    """Lowest and highest value at every place of a kind of inputs."""
    parts = [vars(kind)[name] for name in kind.names()]
    sizes = [part.size for part in parts]
    return np.repeat([part.low for part in parts], sizes), np.repeat([part.high for part in parts], sizes)
