"""Where the time of a run goes, part by part: functions are wrapped, and what they call is not theirs."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

__all__ = ["Stopwatch"]


class Stopwatch:
    """Wall time by part, in s; a part that another one calls stops the other's clock."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._running: list[float] = []
        """For every part that is being timed, how long what it called has taken."""

    def wrapped(self, part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, timed."""
        self.spent.setdefault(part, 0.0)

        @functools.wraps(function)
        def timed(*arguments: Any, **named: Any) -> Any:
            self._running.append(0.0)
            begun = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                whole = time.perf_counter() - begun
                self.spent[part] += whole - self._running.pop()
                if self._running:
                    self._running[-1] += whole

        return timed

    @contextmanager
    def on(self, parts: Mapping[str, Sequence[tuple[type, str]]]) -> Iterator[None]:
        """Time these methods of these classes for the length of a block."""
        methods = [(part, owner, name) for part, places in parts.items() for owner, name in places]
        originals = [(owner, name, vars(owner)[name]) for _, owner, name in methods]
        try:
            for part, owner, name in methods:
                setattr(owner, name, self.wrapped(part, vars(owner)[name]))
            yield
        finally:
            for owner, name, original in originals:
                setattr(owner, name, original)
