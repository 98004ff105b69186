"""The hunt: plays scenarios on a stage until something is broken or the time is up.

First the controller's whole life, start to stop, without any fault. Then, by turns, so that a short hunt has tried
some of everything:

- people: every button and every hand, in every state that the life came through;
- one plain fault that stays: every kind in production and in another state by turns, at other places and stronger;
- changes of mind, and what ends a run, until the press produces again;
- drawn scenarios: every kind of fault in every state, with options and company as Hypothesis draws them, in an order
  drawn from the seed, so what nobody has tried comes before what somebody has;
- whole passages: faults that stay, in runs long enough for film to come to the last gauge, or for the way into
  production.

Last, aim: when all of that has been tried, Hypothesis aims at what came nearest to a violation.

What is broken is shrunk, and a finding is told once: later scenarios that break nothing else are only counted.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Final

from hypothesis import HealthCheck, Phase, given, settings, target
from hypothesis import seed as seeded

from rig.clock import wall_s
from rig.properties import PEOPLE, scenarios
from rig.scenario import Event, Played, Scenario, Stage, event_of, shrink
from rig.search.envelope import Box, boxes_of
from rig.virtual import FAULT_KINDS

__all__ = ["Budget", "Finding", "Hunt", "Progress"]

LIFE: Final = Scenario(
    state="warm",
    lasts_s=1500.0,
    events=tuple(
        event_of(at_s, "button", name)
        for at_s, name in ((3.0, "start"), (960.0, "hold"), (962.0, "resume"), (1440.0, "stop"))
    ),
    title="a whole life without faults",
)
"""A production run with a hold in it; at these times the reference controller produces the reference recipe."""
PEOPLE_LAST_S: Final = 12.0
FILM_FROM: Final = "thread"
FILM_LASTS_S: Final = 800.0
"""From the entry past the last gauge, and some metres of film."""
WAY_FROM: Final = "tension_track"
LONG_S: Final = 240.0
PLAIN_IN: Final = "produce"
PLAIN_LASTS_S: Final = 30.0
PLAIN_FRAMES: Final = 30
"""Frames that a fault on the wire spoils, one after another: 3 s, and the line is there again."""
RESTING: Final = ("cold", "warm")
SECOND_THOUGHTS: Final = (("start", "stop"), ("start", "abort"), ("start", "hold"), ("start", "reset"))
ENDED_IN: Final = ("preheat", "close", "produce")
"""Cold and hot, open and closed, without sheet and with."""
ENDS: Final = (("button", "abort"), ("hand", "push_emergency_stop"))
"""What ends a run; afterwards the press must be brought to produce again."""
WAY_FAULTS: Final = tuple(kind for kind, known in FAULT_KINDS.items() if known["group"] in ("actuator", "machine"))
FILM_FAULTS: Final = tuple(
    kind
    for kind, known in FAULT_KINDS.items()
    if known["group"] == "material"
    or any(by == "quality" or by.startswith("CLM") for by in known.get("noticed_by", ()))
)
RECOVERS_EVERY: Final = 4
SHRINK_SHARE: Final = 0.5
"""Of the time that a finding took, and at least `LEAST_SHRINK_S`, so much may be spent on making it small."""
LEAST_SHRINK_S: Final = 5.0
AIM_EXAMPLES: Final = 40
AIM_EVERY: Final = 80
"""A hunt for one requirement does not wait until all pairs have been tried before it aims."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How long a hunt goes on.

    Attributes:
        seconds: of wall-clock time; what is being played then is played to its end.
        runs: scenarios that are played at most, shrinking not counted.
        shrink_s: wall-clock time for making one finding small.
        findings: so many are enough.
    """

    seconds: float = 60.0
    runs: int = 1_000_000
    shrink_s: float = 20.0
    findings: int = 1_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that a hunt found.

    Attributes:
        requirement: that is broken, by id.
        played: the smallest scenario that breaks it.
        first: the scenario that it was found with.
        runs: how many had been played until then.
        seconds: wall-clock time until then.
    """

    requirement: str
    played: Played
    first: Scenario
    runs: int
    seconds: float

    @property
    def scenario(self) -> Scenario:
        """The smallest scenario that breaks it."""
        return self.played.scenario


@dataclass(slots=True)
class Progress:
    """Where a hunt stands.

    Attributes:
        runs: scenarios played, shrinking not counted.
        virtual_s: press time that has passed in them, s.
        tries: scenarios played to make findings small.
        seconds: wall-clock time so far.
        doing: what is being tried.
        margins: smallest margin of each requirement so far.
        covered: pairs of state and what happened in it.
        pairs: how many there are.
        ended: why scenarios ended early, with how often.
        boxes: seconds that were spent in each box of the operating envelope.
    """

    runs: int = 0
    virtual_s: float = 0.0
    tries: int = 0
    seconds: float = 0.0
    doing: str = ""
    margins: dict[str, float] = field(default_factory=dict)
    covered: set[tuple[str, str]] = field(default_factory=set)
    pairs: int = 0
    ended: dict[str, int] = field(default_factory=dict)
    boxes: Counter[Box] = field(default_factory=Counter)


class Hunt:
    """One hunt.

    Args:
        stage: where scenarios are played.
        budget: how long.
        seed: of the order in which things are tried, and of all draws.
        wanted: requirements that count, by id; all if empty.
        excused: whether a violation is nobody's fault: given what was played and a requirement's id.
        on_progress: called after every scenario.
    """

    def __init__(
        self,
        stage: Stage,
        budget: Budget,
        *,
        seed: int = 0,
        wanted: Sequence[str] = (),
        excused: Callable[[Played, str], bool] = lambda played, name: False,
        on_progress: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        self.stage, self.budget, self.seed = stage, budget, seed
        self.wanted = frozenset(wanted)
        self.excused, self.on_progress = excused, on_progress
        self.findings: dict[str, Finding] = {}
        self.progress = Progress()
        self._begun_s = wall_s()

    def run(self) -> list[Finding]:
        """Hunt until the budget is used up.

        Returns:
            What was found, one per requirement, in the order of finding.
        """
        for doing, scenario in self._planned():
            if not self._goes_on():
                break
            self.progress.doing = doing
            self._try(scenario)
            if self.wanted and doing != "life" and self.progress.runs % AIM_EVERY == 0:
                self._aim(self.progress.runs)
        number = 0
        while self._goes_on():
            self._aim(number)
            number += 1
        return list(self.findings.values())

    def _goes_on(self) -> bool:
        self.progress.seconds = wall_s() - self._begun_s
        return (
            self.progress.seconds < self.budget.seconds
            and self.progress.runs < self.budget.runs
            and len(self.findings) < self.budget.findings
        )

    # -- what is tried -------------------------------------------------------------------------------

    def _planned(self) -> Iterator[tuple[str, Scenario]]:
        life = self.stage.life()
        self._note(life)
        if self._broken(life) or life.ended:
            yield "life", LIFE
        if life.ended:
            yield "life", replace(LIFE, lasts_s=30.0, events=LIFE.events[:1], recovers=True)
        states = self.stage.states()
        self.progress.pairs = len(states) * (len(FAULT_KINDS) + len(PEOPLE))
        people, plain, drawn = self._people(states), self._plain(states), self._company(states)
        ends, whole = self._ends(states), self._whole(states)
        # what is drawn costs as much as five plain faults, a whole passage as much as fifteen, an end as much as 25
        short = plain, people, plain, people, plain
        yield from _by_turns(*short, drawn, *short, whole, *short, drawn, *short, drawn, *short, whole, *short, ends)

    def _people(self, states: Sequence[str]) -> Iterator[tuple[str, Scenario]]:
        """Every button and every hand, in every state."""
        for state, kind, name in self._pairs(states, PEOPLE):
            scenario = Scenario(state=state, lasts_s=PEOPLE_LAST_S, events=(event_of(1.0, kind, name),))
            yield f"{name} in {state}", scenario

    def _plain(self, states: Sequence[str]) -> Iterator[tuple[str, Scenario]]:
        """One fault that stays: every kind in production and in another state by turns, each time at another place."""
        order = random.Random(self.seed + 2)
        others = [state for state in states if state != PLAIN_IN]
        places = [place for state in order.sample(others, len(others)) for place in (PLAIN_IN, state)]
        kinds = order.sample(list(FAULT_KINDS), len(FAULT_KINDS))
        for turn in range(len(places)):
            for number, kind in enumerate(kinds, turn):
                state = places[number % len(places)]
                event = self._lasting(kind, place=self.seed + number, strong=bool(turn // 2 % 2))
                if state in states:
                    yield f"{kind} that stays, from {state} on", Scenario(state, PLAIN_LASTS_S, (event,))

    def _ends(self, states: Sequence[str]) -> Iterator[tuple[str, Scenario]]:
        """Changes of mind, and what ends a run."""
        for state, (kind, name) in product(ENDED_IN, ENDS):
            if state in states:
                yield (
                    f"{name} in {state} for long",
                    Scenario(state, LONG_S, (event_of(1.0, kind, name),), recovers=True),
                )
        for state, (first, second) in product(RESTING, SECOND_THOUGHTS):
            events = event_of(1.0, "button", first), event_of(8.0, "button", second)
            yield f"{first} and {second} in {state}", Scenario(state=state, lasts_s=90.0, events=events)

    def _company(self, states: Sequence[str]) -> Iterator[tuple[str, Scenario]]:
        """Every kind of fault in every state, as Hypothesis draws it."""
        for number, (state, kind, name) in enumerate(self._pairs(states, [("fault", name) for name in FAULT_KINDS])):
            # to produce again takes ten times as long as all the rest
            recovers = number % RECOVERS_EVERY == 0
            for scenario in self._drawn((state,), ((kind, name),), number, examples=1, recovers=recovers):
                yield f"{name} in {state}", scenario

    def _pairs(self, states: Sequence[str], whats: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
        """States and what happens: everything in some state before anything in a second one."""
        order = random.Random(self.seed)
        happens = order.sample(list(whats), len(whats))
        places = order.sample(list(states), len(states))
        for turn in range(len(places)):
            for number, (kind, name) in enumerate(happens):
                yield places[(number + turn) % len(places)], kind, name

    def _whole(self, states: Sequence[str]) -> Iterator[tuple[str, Scenario]]:
        """Runs so long that film comes to the last gauge, or a passage to its end, with one fault all the time."""
        order = random.Random(self.seed + 1)
        runs = [(kind, FILM_FROM, FILM_LASTS_S, strong) for kind in FILM_FAULTS for strong in (False, True)]
        runs += [(kind, WAY_FROM, LONG_S, False) for kind in WAY_FAULTS]
        order.shuffle(runs)
        for place, (kind, state, lasts_s, strong) in enumerate(runs, self.seed):
            if state in states:
                event = self._lasting(kind, place=place, strong=strong)
                yield f"{kind} from {state} on", Scenario(state, lasts_s, (event,))

    def _lasting(self, kind: str, *, place: int, strong: bool) -> Event:
        """A fault that stays, at one of the places that it can strike, with its usual amount or three times that."""
        places = self.stage.bench(Scenario(state="warm")).virtual.fault_targets(kind)
        target = places[place % len(places)] if places else None
        known, amount = FAULT_KINDS[kind], None
        if strong and known["amount"]:
            amount = min(max(3.0 * known["usual"], known["low"]), known["high"])
        times = PLAIN_FRAMES if known["group"] == "wire" and known["directions"] else None
        return event_of(1.0, "fault", kind, {"target": target, "amount": amount, "times": times})

    def _drawn(
        self, states: Sequence[str], first: Sequence[tuple[str, str]], number: int, *, examples: int, recovers: bool
    ) -> list[Scenario]:
        """Scenarios as Hypothesis draws them, the simplest among them left out."""
        targets = self.stage.bench(Scenario(state="warm")).virtual.fault_targets
        found: list[Scenario] = []

        @seeded(self.seed * 1_000_003 + number)
        @settings(
            max_examples=examples + 1, phases=[Phase.generate], database=None, deadline=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(scenarios(states, targets, first=first, recovers=recovers))
        def draw(scenario: Scenario) -> None:
            found.append(scenario)

        draw()
        # Hypothesis begins with the simplest there is, which would be the same in every round
        return found[1:] or found

    def _aim(self, number: int) -> None:
        """Let Hypothesis aim at the requirement that came nearest to a violation and is none yet."""
        open_ones = {name: margin for name, margin in self.progress.margins.items() if name not in self.findings}
        nearest = sorted(open_ones, key=lambda name: open_ones[name])[:8] or [""]
        aim = nearest[number % len(nearest)]
        self.progress.doing = f"aiming at {aim or 'anything'}"
        targets = self.stage.bench(Scenario(state="warm")).virtual.fault_targets

        @seeded(self.seed * 1_000_003 + 500_000 + number)
        @settings(
            max_examples=AIM_EXAMPLES, phases=[Phase.generate, Phase.target], database=None, deadline=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(scenarios(self.stage.states(), targets))
        def draw(scenario: Scenario) -> None:
            if self._goes_on():
                margin = self._try(scenario).margin(aim)
                if margin is not None:
                    target(-margin, label=aim)

        draw()

    # -- what comes of it ----------------------------------------------------------------------------

    def _try(self, scenario: Scenario) -> Played:
        played = self.stage.play(scenario)
        self.progress.runs += 1
        self.progress.virtual_s += played.lasted_s
        self._note(played)
        for name in self._broken(played):
            if name not in self.findings:
                self._find(name, played)
        self.on_progress(self.progress)
        return played

    def _note(self, played: Played) -> None:
        margins, scenario = self.progress.margins, played.scenario
        for verdict in played.verdicts:
            if verdict.margin is not None and self._counts(verdict.rule) and not self.excused(played, verdict.rule):
                margins[verdict.rule] = min(margins.get(verdict.rule, verdict.margin), verdict.margin)
        self.progress.covered |= {(scenario.state, event.name) for event in scenario.events}
        self.progress.boxes.update(boxes_of(played))
        if played.ended:
            self.progress.ended[played.ended] = self.progress.ended.get(played.ended, 0) + 1

    def _counts(self, name: str) -> bool:
        return not self.wanted or name in self.wanted

    def _broken(self, played: Played) -> list[str]:
        return [name for name in played.broken if self._counts(name) and not self.excused(played, name)]

    def _find(self, name: str, played: Played) -> None:
        found_s = wall_s() - self._begun_s
        runs = self.progress.runs
        end_s = wall_s() + min(self.budget.shrink_s, max(LEAST_SHRINK_S, SHRINK_SHARE * found_s))
        smallest = played

        def still_shows(scenario: Scenario) -> bool:
            nonlocal smallest
            self.progress.tries += 1
            tried = self.stage.play(scenario)
            if name not in self._broken(tried):
                return False
            smallest = tried
            return True

        cut = played.cut_after(name)
        if cut != played.scenario:
            still_shows(cut)
        shrink(smallest.scenario, still_shows, lambda: wall_s() < end_s)
        told = replace(smallest.scenario, breaks=(name,))
        self.findings[name] = Finding(name, replace(smallest, scenario=told), played.scenario, runs, found_s)


def _by_turns(*sources: Iterator[tuple[str, Scenario]]) -> Iterator[tuple[str, Scenario]]:
    """One from each source after another until all are used up; a source may stand there more than once."""
    going = list(sources)
    while going:
        for source in tuple(going):
            if (planned := next(source, None)) is None:
                going = [one for one in going if one is not source]
            else:
                yield planned
