"""What a controller is to the rig: an object with a `scan`, no I/O and no clock.

The runner calls `scan` once per period with what the press sensed and what the operator asked for,
and writes what comes back. A controller needs nothing else; `state` and `quality` make its life
visible in reports and let the HIL suite judge what it believes about the film.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from rig.polling import NEVER_S
from rig.schedule import PollSchedule

Value = bool | int | float | str | frozenset[str]
"""A tag's engineering value: enums are their name, bitfields the set of bit names that are on."""

NO_TIMES: Mapping[str, int] = MappingProxyType({})

OPERATOR_REQUESTS = ("start", "stop", "hold", "resume", "reset", "abort")
"""What the operator's panel can ask for; a request is seen by exactly one scan."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What one scan sees.

    Attributes:
        values: last known value of every input register and discrete input, by tag name,
            in engineering units. Empty before the first successful poll.
        time_ns: bench time at which the press's own node was sampled; `now_ns - time_ns` is the age of its state
            and interlocks, and of all `values` where `times_ns` is empty.
        operator: requests made on the panel since the last scan, out of `OPERATOR_REQUESTS`.
        times_ns: bench time at which each value was sampled, by tag name, where they were not all sampled at `time_ns`:
            on a line too slow to read everything in every scan, or with several nodes. `age_s` and `oldest_s` look
            there for you.
    """

    values: Mapping[str, Value]
    time_ns: int
    operator: frozenset[str] = field(default_factory=frozenset)
    times_ns: Mapping[str, int] = field(default_factory=lambda: NO_TIMES)

    def age_s(self, name: str, now_ns: int) -> float:
        """How old a value is, s; infinity for a tag that was never read."""
        if name not in self.values:
            return NEVER_S
        return (now_ns - self.times_ns.get(name, self.time_ns)) * 1e-9

    def oldest_s(self, names: Collection[str], now_ns: int) -> float:
        """How old the oldest of several values is, s; infinity if one of them was never read."""
        values = self.values
        if not all(name in values for name in names):
            return NEVER_S
        times_ns = self.times_ns
        if not times_ns:
            return (now_ns - self.time_ns) * 1e-9
        return (now_ns - min((times_ns.get(name, self.time_ns) for name in names), default=now_ns)) * 1e-9


@dataclass(frozen=True, slots=True)
class QualityRecord:
    """What a controller found out, from sensors alone, about one piece of sheet.

    Attributes:
        start_m: where the piece begins, in metres of sheet since the first sheet of this run.
        length_m: how long it is.
        time_ns: bench time when the record was made.
        entry_thickness_um: before rolling.
        minimum_clearance_um: the smallest clearance the piece went through, spring-back included (t0).
        recovered_thickness_um: thickness in the recovered state (t): 600 s after release, extrapolated
            if the gauge sees it earlier.
        pressure_time_min: minutes under pressure.
        recovery_percent: r = 100 (t - t0) / t0.
        recovery_uncertainty_percent: expanded uncertainty (k = 2) of r, in points.
        rolling_coefficient: k = entry thickness / recovered thickness x minutes under pressure.
        rolling_coefficient_uncertainty: expanded uncertainty (k = 2) of k.
        hot_min_c: lowest heat-zone temperature that the piece met (zones where rolling is hot).
        hot_max_c: highest one.
        cold_end_c: sheet surface temperature at the exit of the cold section.
        good: the controller let it pass as product.
        reason: why not, empty for good sheet.
    """

    start_m: float
    length_m: float
    time_ns: int
    entry_thickness_um: float
    minimum_clearance_um: float
    recovered_thickness_um: float
    pressure_time_min: float
    recovery_percent: float
    recovery_uncertainty_percent: float
    rolling_coefficient: float
    rolling_coefficient_uncertainty: float
    hot_min_c: float
    hot_max_c: float
    cold_end_c: float
    good: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FilmSample:
    """What the laboratory at the winder found in a piece of film.

    Attributes:
        serial: number of the piece of sheet that it was.
        time_ns: bench time when it was measured.
        values: by property, in the unit of its name, such as `thickness_um`.
        uncertainties: expanded (k = 2), of the same properties, in the same units.
    """

    serial: int
    time_ns: int
    values: Mapping[str, float]
    uncertainties: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class RollRecord:
    """What a line controller found out, from sensors alone, about one roll of film.

    Attributes:
        number: as the winder counts, from 1.
        begun_ns: bench time when its first film was wound.
        ended_ns: when it was taken off; 0 while it is being wound.
        length_m: of film on it.
        lots: numbers of the lots of raw material in it.
        sample: what the laboratory found; None before it has measured the roll.
        grade: one of `rig.rolls.GRADES`.
        reason: why it is blocked; empty otherwise.
    """

    number: int
    begun_ns: int
    ended_ns: int
    length_m: float
    lots: tuple[int, ...]
    sample: FilmSample | None
    grade: str
    reason: str = ""


@runtime_checkable
class Controller(Protocol):
    """Anything that the runner can run."""

    def scan(self, inputs: Inputs, now_ns: int) -> Mapping[str, Value]:
        """Decide the outputs for this scan.

        Args:
            inputs: sensed values, their age, and the operator's requests.
            now_ns: bench time of this scan.

        Returns:
            Writable tags with the engineering values to command. Tags left out keep their value.
        """
        ...


@runtime_checkable
class ReportsState(Protocol):
    """A controller that says in which state it is (shown live and in the report)."""

    @property
    def state(self) -> str:
        """Name of the current state, such as `produce`."""
        ...


@runtime_checkable
class ReportsQuality(Protocol):
    """A controller with a quality gate."""

    def quality(self) -> Sequence[QualityRecord]:
        """All quality records of this run, oldest first."""
        ...


@runtime_checkable
class ReportsRolls(Protocol):
    """A controller of a whole line, with a quality gate per roll."""

    def rolls(self) -> Sequence[RollRecord]:
        """All rolls of this run, by number; the newest may still be wound."""
        ...


@runtime_checkable
class SetsSchedule(Protocol):
    """A controller that says how often it wants what (see `rig.schedule`)."""

    @property
    def poll_schedule(self) -> PollSchedule:
        """Intervals in scans by tag group; looked at once, before the first scan."""
        ...
