"""Shrinking: the smallest scenario that still shows the same, with few events and round numbers.

Greedy and deterministic: a step that is simpler and still shows it is kept, until no step is left or the time is up.
First events go, many at once before one by one; then what is left becomes shorter, rounder and more usual.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from rig.errors import UsageError
from rig.scenario.timeline import Event, Scenario

__all__ = ["shrink"]

SHORTEST_S = 1.0
ROUND_S = (60.0, 10.0, 5.0, 1.0, 0.1)


def shrink(
    scenario: Scenario, still_shows: Callable[[Scenario], bool], goes_on: Callable[[], bool] = lambda: True
) -> Scenario:
    """The smallest scenario that can be found by steps from another one.

    Args:
        scenario: that shows something.
        still_shows: whether a smaller one shows it too; asked at most once for each.
        goes_on: whether there is time for another try.
    """
    tried = {scenario}
    found = True
    while found and goes_on():
        found = False
        for smaller in _steps(scenario):
            if smaller in tried:
                continue
            if not goes_on():
                break
            tried.add(smaller)
            if still_shows(smaller):
                scenario, found = smaller, True
                break
    return scenario


def _steps(scenario: Scenario) -> Iterator[Scenario]:
    """Scenarios that are one step simpler, what saves most first."""
    events = scenario.events
    size = len(events)
    while size >= 1:
        for start in range(0, len(events), size):
            yield replace(scenario, events=events[:start] + events[start + size :])
        size //= 2
    if scenario.recovers:
        yield replace(scenario, recovers=False)
    yield from _shorter(scenario)
    for place, event in enumerate(events):
        for simpler in _simpler(event, scenario):
            changed = sorted((*events[:place], simpler, *events[place + 1 :]), key=lambda one: one.at_s)
            yield replace(scenario, events=tuple(changed))
    if scenario.seed:
        yield replace(scenario, seed=0)


def _shorter(scenario: Scenario) -> Iterator[Scenario]:
    last_s = max((event.at_s for event in scenario.events), default=0.0)
    for lasts_s in (last_s, (last_s + scenario.lasts_s) / 2):
        rounded_s = max(_round_up(lasts_s, scenario.lasts_s), SHORTEST_S)
        if last_s <= rounded_s < scenario.lasts_s:
            yield replace(scenario, lasts_s=rounded_s)


def _round_up(seconds: float, below: float) -> float:
    """The roundest number from some seconds on that is smaller than another."""
    for step in ROUND_S:
        rounded = -(-round(seconds, 6) // step) * step
        if rounded < below:
            return round(rounded, 1)
    return below


def _simpler(event: Event, scenario: Scenario) -> Iterator[Event]:
    for place in range(len(event.options)):
        fewer = event.options[:place] + event.options[place + 1 :]
        simpler = replace(event, options=fewer)
        if _is_possible(simpler):
            yield simpler
    earlier = [0.0, *(other.at_s for other in scenario.events if other.at_s < event.at_s), event.at_s // 2]
    for at_s in (*earlier, *(event.at_s // step * step for step in ROUND_S)):
        if round(at_s, 1) < event.at_s:
            yield replace(event, at_s=round(at_s, 1))
    for place, (name, value) in enumerate(event.options):
        if isinstance(value, float):
            for rounded in (float(round(value)), float(f"{value:.1g}")):
                if rounded != value:
                    options = (*event.options[:place], (name, rounded), *event.options[place + 1 :])
                    simpler = replace(event, options=options)
                    if _is_possible(simpler):
                        yield simpler


def _is_possible(event: Event) -> bool:
    if event.kind != "fault":
        return True
    from rig.virtual import check_fault  # noqa: PLC0415 - heavy

    try:
        check_fault(event.name, dict(event.options))
    except UsageError:
        return False
    return True
