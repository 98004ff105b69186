"""How many things must go wrong at once to break a requirement, and what is left of its margin until then."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, settings, target
from hypothesis import seed as seeded

from rig.clock import wall_s
from rig.properties import scenarios
from rig.scenario import Played, Scenario, Stage
from rig.scenario.play import RECOVERS
from rig.virtual import FAULT_KINDS

__all__ = ["Level", "worst"]

MANY = 1_000_000
LENGTHS_S = (30.0, 60.0, 120.0)


@dataclass(frozen=True, slots=True)
class Level:
    """The worst that so many faults at once have done to a requirement.

    Attributes:
        faults: how many.
        runs: scenarios that were played.
        margin: smallest one; None if no scenario put the requirement to the test.
        played: where that was.
    """

    faults: int
    runs: int
    margin: float | None
    played: Played | None

    @property
    def broken(self) -> bool:
        """Whether the requirement was broken."""
        return self.margin is not None and self.margin < 0.0


def worst(
    stage: Stage,
    requirement: str,
    *,
    most: int = 3,
    seconds: float = 60.0,
    seed: int = 0,
    on_level: Callable[[Level], None] = lambda level: None,
) -> list[Level]:
    """Break a requirement with as few faults as possible, aimed at by its margin.

    Args:
        stage: where scenarios are played.
        requirement: its id.
        most: faults at once that are tried at most.
        seconds: of wall-clock time for each number of faults.
        seed: of all draws.
        on_level: called when a number of faults has been tried.

    Returns:
        What each number of faults has done, from none on; the last one has broken it, or is the largest that was tried.
    """
    levels = []
    for faults in range(most + 1):
        levels.append(_level(stage, requirement, faults, seconds, seed))
        on_level(levels[-1])
        if levels[-1].broken:
            break
    return levels


def _level(stage: Stage, requirement: str, faults: int, seconds: float, seed: int) -> Level:
    states = stage.states()
    end_s = wall_s() + seconds
    targets = stage.bench(Scenario(state="warm")).virtual.fault_targets
    kinds = [("fault", kind) for kind in FAULT_KINDS]
    best = _Best()
    drawn = scenarios(
        states, targets, whats=kinds, events_at_least=faults, most_events=faults, lengths_s=LENGTHS_S,
        recovers=requirement == RECOVERS,
    )  # fmt: skip

    @seeded(seed * 1_000 + faults)
    @settings(
        max_examples=MANY if faults else 2 * len(states), phases=[Phase.generate, Phase.target], database=None,
        deadline=None, suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(drawn)
    def draw(scenario: Scenario) -> None:
        if wall_s() > end_s or best.is_broken:
            raise _Over
        tried = stage.play(scenario)
        best.runs += 1
        margin = tried.margin(requirement)
        if margin is not None:
            target(-margin, label=requirement)
            best.note(margin, tried)

    with suppress(_Over):
        draw()
    return Level(faults, best.runs, best.margin, best.played)


@dataclass(slots=True)
class _Best:
    runs: int = 0
    margin: float | None = None
    played: Played | None = None

    @property
    def is_broken(self) -> bool:
        return self.margin is not None and self.margin < 0.0

    def note(self, margin: float, played: Played) -> None:
        if self.margin is None or margin < self.margin:
            self.margin, self.played = margin, played


class _Over(BaseException):
    """The time is up: not an error that Hypothesis would look into."""
