"""Hypothesis strategies: what can happen to a press, drawn as scenarios.

    @given(scenarios(("produce", "hold")))
    def test_nothing_breaks_the_press(scenario):
        assert not stage.play(scenario).broken

Everything in a scenario is drawn and shrunk together: operator, hands, faults and their times.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from hypothesis import strategies as st

from rig.controller.api import OPERATOR_REQUESTS
from rig.scenario.timeline import HANDS, Event, Scenario, event_of
from rig.virtual import FAULT_KINDS

__all__ = ["LENGTHS_S", "PEOPLE", "events", "faults", "scenarios"]

LENGTHS_S: Final = (15.0, 30.0, 30.0, 60.0, 60.0, 120.0, 400.0)
"""Most of what goes wrong shows at once, heat takes minutes, and some requirements look back for five."""
PEOPLE: Final = tuple(("button", name) for name in OPERATOR_REQUESTS) + tuple(("hand", name) for name in HANDS)
FACTORS: Final = (0.1, 0.3, 1.0, 3.0, 10.0, -1.0, -3.0)
"""Of the usual amount of a fault."""
LASTS_S: Final = (0.5, 1.0, 3.0, 10.0, 30.0)
FRAMES: Final = (1, 10, 100, 100)
RACE_TENTHS: Final = 30
"""Events that race come within 3 s."""
Targets = Callable[[str], Sequence[str]]


def faults(kind: str, targets: Sequence[str]) -> st.SearchStrategy[Mapping[str, Any]]:
    """Options of a fault of one kind.

    Args:
        kind: name in the catalogue.
        targets: places that it can strike on this press (`VirtualPress.fault_targets`); empty where it has none.
    """
    known = FAULT_KINDS[kind]
    options: dict[str, st.SearchStrategy[Any]] = {}
    if targets:
        options["target"] = st.sampled_from(sorted(targets))
    if known["amount"]:
        options["amount"] = st.sampled_from([None, *_amounts(known)])
    if known["group"] != "wire":
        onsets = list(known["onsets"])
        options["onset"] = st.sampled_from([None, *onsets[1:]])
        if known["reversible"]:
            options["for_s"] = st.sampled_from([None, *LASTS_S])
    elif known["directions"]:
        options["direction"] = st.sampled_from([None, *known["directions"][1:]])
        options["times"] = st.sampled_from(FRAMES)
        options["nth"] = st.sampled_from(FRAMES[:3])
    return st.fixed_dictionaries(options)


def _amounts(known: Mapping[str, Any]) -> list[float]:
    """Amounts to try: around the usual one, and the ends of what can be."""
    low, high, usual = float(known["low"]), float(known["high"]), float(known["usual"])
    whole = known["amount"] in ("bytes", "address", "bit/s")
    longest = 30.0 if known["amount"] == "s" else high
    wanted = [usual * factor for factor in FACTORS] + [low, min(high, longest)]
    possible = {float(f"{amount:.3g}") for amount in wanted if low <= amount <= min(high, longest)}
    return sorted({float(round(amount)) for amount in possible} & possible if whole else possible)


@st.composite
def events(draw: st.DrawFn, lasts_s: float, targets: Targets, whats: Sequence[tuple[str, str]]) -> Event:
    """Something that happens within `lasts_s`.

    Args:
        draw: given by Hypothesis.
        lasts_s: length of the scenario, s.
        targets: places that a kind of fault can strike.
        whats: kind and name of what may happen.
    """
    kind, name = draw(st.sampled_from(whats))
    at_s = draw(
        st.one_of(st.integers(0, int(lasts_s)), st.integers(0, int(lasts_s * 10)).map(lambda tenth: tenth / 10))
    )
    options = draw(faults(name, targets(name))) if kind == "fault" else {}
    if options.get("times") == FRAMES[-1] and options.get("nth"):
        options = {**options, "nth": None}
    return event_of(float(at_s), kind, name, _sensible(options))


def _sensible(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Without what is as usual anyway."""
    usual = {"nth": 1, "times": 1}
    return {name: value for name, value in options.items() if value is not None and usual.get(name) != value}


@st.composite
def scenarios(
    draw: st.DrawFn,
    states: Sequence[str],
    targets: Targets,
    *,
    first: Sequence[tuple[str, str]] = (),
    whats: Sequence[tuple[str, str]] | None = None,
    events_at_least: int = 0,
    most_events: int = 3,
    lengths_s: Sequence[float] = LENGTHS_S,
    recovers: bool = True,
) -> Scenario:
    """A scenario.

    Args:
        draw: given by Hypothesis.
        states: where it may begin.
        targets: places that a kind of fault can strike (`VirtualPress.fault_targets`).
        first: what of must happen at least; nothing if empty.
        whats: kind and name of what else may happen; everything there is if not given.
        events_at_least: at least so many events.
        most_events: at most so many.
        lengths_s: how long it may go, s.
        recovers: whether some go on until the press produces again.
    """
    whats = [*PEOPLE, *(("fault", kind) for kind in FAULT_KINDS)] if whats is None else list(whats)
    state = draw(st.sampled_from(list(states)))
    lasts_s = draw(st.sampled_from(list(lengths_s)))
    happens = [draw(events(lasts_s, targets, list(first)))] if first else []
    more = draw(
        st.lists(
            events(lasts_s, targets, whats),
            min_size=max(events_at_least - len(happens), 0),
            max_size=most_events - len(happens),
        )
    )
    if len(happens) + len(more) > 1 and draw(st.booleans()):
        # what happens at nearly the same time is where races are
        at_s = draw(st.integers(0, int(lasts_s / 2)))
        happens, more = [], [
            replace(event, at_s=at_s + draw(st.integers(0, RACE_TENTHS)) / 10) for event in (*happens, *more)
        ]  # fmt: skip
    return Scenario(
        state=state,
        lasts_s=lasts_s,
        events=tuple(sorted((*happens, *more), key=lambda event: event.at_s)),
        recovers=draw(st.sampled_from([False, False, False, True])) if recovers else False,
        seed=draw(st.integers(0, 3)),
    )
