"""Playing scenarios: a press and a controller brought to where a scenario begins, and what comes out.

Where scenarios begin is reached once per controller and setting, and copied; so a scenario costs what its own seconds
cost.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from rig.bench import Bench, open_press
from rig.controller.api import Controller, ReportsQuality
from rig.controller.runner import GAVE_UP, Runner, runner_for
from rig.errors import BusError, ControllerError, PortError, RigError, UsageError
from rig.hil import make_controller, with_query
from rig.moments import Caught, catch_moments
from rig.recipe import Recipe, RecipeError, load_recipe
from rig.requirements import Rule, RuleVerdict, Verdict, judge, judge_rules, load_rules, recipe_constants
from rig.scenario.timeline import BEGINNINGS, Event, Scenario
from rig.stl import trace_of
from rig.trace import Recording

__all__ = ["KEEPS_RUNNING", "RECOVERS", "Played", "Stage"]

KEEPS_RUNNING: Final = "LIV-01"
"""The controller neither raises, nor answers nonsense, nor stays away."""
RECOVERS: Final = "LIV-02"
"""When everything is mended, and the operator has reset and started, the press produces again."""
OPERATOR_WAITS_S: Final = 10.0
"""Between what an operator does to get the press going again."""
AFTERWARDS_S: Final = 3.0
"""A reaction that did not come is known to be missing a little later."""
UNSEEN: Final = frozenset({"roller_runout", "roller_missing"})
"""Faults that change the film where no sensor of this press looks: the gap of a single roller."""
ATTEMPTS: Final = 3
"""So often the operator resets and starts."""
PRODUCES_WITHIN_S: Final = 3600.0
PRODUCES_S: Final = 130.0
"""So long a life's production goes on before it is held: most of the reference recipe's sheet."""
PRODUCES: Final = "produce"

Setting = tuple[str, str, str]
"""Recipe, machine and gel."""


@dataclass(frozen=True, slots=True)
class Played:
    """What came out of a scenario.

    Attributes:
        scenario: that was played.
        verdicts: of all rules.
        claims: on the sheet that was passed as product; none if none was.
        state: of the controller in the end.
        message: what it says of itself in the end; empty if nothing.
        trouble: by id, what the controller did that no controller may do (LIV-01), or why it did not produce again
            (LIV-02).
        ended: why the run ended before its time without the controller's fault, as when a line is gone; else empty.
        void: faults that never showed, or left something behind; empty if there were none.
        digest: fingerprint of everything that was recorded.
        recording: of the run.
    """

    scenario: Scenario
    verdicts: tuple[RuleVerdict, ...]
    claims: tuple[Verdict, ...]
    state: str
    message: str
    trouble: tuple[tuple[str, str], ...]
    ended: str
    void: str
    digest: str
    recording: Recording

    @property
    def begun_ns(self) -> int:
        """Bench time of the first sample, ns; 0 without samples."""
        time_ns = self.recording.tags.time_ns
        return int(time_ns[0]) if len(time_ns) else 0

    @property
    def lasted_s(self) -> float:
        """Press time that was recorded, s."""
        time_ns = self.recording.tags.time_ns
        return float(time_ns[-1] - time_ns[0]) * 1e-9 if len(time_ns) else 0.0

    @property
    def broken(self) -> tuple[str, ...]:
        """Ids of what was broken; what can be known early comes first."""
        failed = [verdict for verdict in self.verdicts if verdict.status == "fail"]
        failed.sort(key=lambda verdict: verdict.time_s or 0.0)
        # where nothing is wrong, a claim is kept by luck if sensors and truth do not say the same
        sound = all(event.kind != "fault" for event in self.scenario.events)
        claims = (
            claim.requirement
            for claim in self.claims
            if claim.passed is False or (sound and claim.agree is False)
        )  # fmt: skip
        return (*(name for name, _ in self.trouble), *claims, *(verdict.rule for verdict in failed))

    def margin(self, name: str) -> float | None:
        """Of one requirement, smaller is nearer to a violation; a claim's is in its unit. None if it was not tested."""
        if name in dict(self.trouble):
            return -1.0
        for claim in self.claims:
            if claim.requirement == name:
                return claim.margin
        return next((verdict.margin for verdict in self.verdicts if verdict.rule == name), None)

    def cut_after(self, name: str) -> Scenario:
        """The scenario up to shortly after a requirement was broken; all of it where nobody can tell when that was."""
        verdict = next((verdict for verdict in self.verdicts if verdict.rule == name), None)
        if verdict is None or verdict.status != "fail" or verdict.time_s is None:
            return self.scenario
        end_s = float(math.ceil(verdict.time_s - self.begun_ns * 1e-9 + AFTERWARDS_S))
        if end_s >= self.scenario.lasts_s:
            return self.scenario
        events = tuple(event for event in self.scenario.events if event.at_s <= end_s)
        return replace(self.scenario, lasts_s=end_s, events=events, recovers=False)

    def why(self, name: str) -> str:
        """What one requirement says of this run, in words."""
        told = dict(self.trouble).get(name)
        if told is not None:
            return told
        for claim in self.claims:
            if claim.requirement == name:
                return claim.evidence
        verdict = next((verdict for verdict in self.verdicts if verdict.rule == name), None)
        if verdict is None or verdict.margin is None:
            return "not put to the test"
        when = "" if verdict.time_s is None else f" at {verdict.time_s - self.begun_ns * 1e-9:.1f} s"
        return f"margin {verdict.margin:.2f}{when}"


class Stage:
    """What scenarios of one controller are played on.

    Args:
        factory: makes the controller (`rig.hil.load_factory`).
        rules: that are judged; all of the rig if not given.
        press: of which kind; parameters of a scenario are added to it.

    Raises:
        UsageError: the press is not a virtual one.
    """

    def __init__(
        self, factory: Callable[..., Controller], rules: Sequence[Rule] | None = None, press: str = "emu://"
    ) -> None:
        if not press.startswith("emu:"):
            raise UsageError(f"scenarios begin on a virtual press, and {press} is none; give emu://")
        self.factory = factory
        self.rules = tuple(load_rules().values()) if rules is None else tuple(rules)
        self.press = press
        self._recipes: dict[str, Recipe] = {}
        self._benches: dict[tuple[Setting, str], Bench] = {}
        self._lives: dict[Setting, tuple[Caught, Played]] = {}

    def recipe(self, name: str) -> Recipe:
        """A recipe by name or path.

        Raises:
            UsageError: there is none, or it is malformed.
        """
        if name not in self._recipes:
            try:
                self._recipes[name] = load_recipe(name)
            except RecipeError as error:
                raise UsageError(str(error)) from error
        return self._recipes[name]

    def states(self, like: Scenario | None = None) -> tuple[str, ...]:
        """Where scenarios can begin: `cold`, `warm`, and the states that the controller's life came through."""
        return (*BEGINNINGS, *self._life(like or Scenario())[0].moments)

    def bench(self, scenario: Scenario) -> Bench:
        """The press at the beginning of a scenario; nobody plays on it."""
        return self._standing(scenario)[0]

    def play(self, scenario: Scenario, adopt: Callable[[Bench], object] = lambda bench: None) -> Played:
        """Play a scenario from its beginning to its end, and judge it.

        Args:
            scenario: what happens.
            adopt: is given the bench that it is played on, before it begins.

        Raises:
            UsageError: it cannot begin there, or has a target that this press has not.
        """
        origin, driver = self._standing(scenario)
        bench = origin.fork(seed=scenario.seed, record=True)
        adopt(bench)
        controller = self._made(scenario) if driver is None else copy.deepcopy(driver)
        runner = runner_for(bench, controller)
        trouble: list[tuple[str, str]] = []
        ended = ""
        try:
            ran_s = 0.0
            for event in scenario.events:
                runner.run_for(event.at_s - ran_s)
                ran_s = max(event.at_s, ran_s)
                _let_happen(event, runner)
            runner.run_for(scenario.lasts_s - ran_s)
            if scenario.recovers:
                _recover(runner)
        except ControllerError as error:
            trouble.append((KEEPS_RUNNING, str(error)))
        except (BusError, PortError) as error:
            ended = str(error)
        except AssertionError as error:
            trouble.append((RECOVERS, str(error)))
        played = self._judged(scenario, bench, controller, origin.clock.now_ns, tuple(trouble), ended)
        with suppress(RigError):  # a line that is gone takes no commands, and the press is thrown away
            bench.close()
        return played

    def _judged(
        self,
        scenario: Scenario,
        bench: Bench,
        controller: Controller,
        begun_ns: int,
        trouble: tuple[tuple[str, str], ...],
        ended: str,
    ) -> Played:
        assert bench.recorder is not None
        recording = bench.recorder.recording()
        constants = recipe_constants(self.recipe(scenario.recipe))
        accounts = bench.virtual.fault_account()
        return Played(
            scenario,
            judge_rules(trace_of(recording, constants), self.rules, bench.virtual.acting_faults()),
            self._claims(scenario, bench, controller, recording, begun_ns),
            str(getattr(controller, "state", "")),
            str(getattr(controller, "message", "")),
            trouble,
            ended,
            "; ".join(account.as_text for account in accounts if account.voids),
            recording.trace_hash(),
            recording,
        )

    def _claims(
        self, scenario: Scenario, bench: Bench, controller: Controller, recording: Recording, begun_ns: int
    ) -> tuple[Verdict, ...]:
        """Claims on the sheet that was passed as product since the beginning.

        Where its sheet was rolled before the recording begins, only the truth can tell of it.
        """
        if not self.rules or not isinstance(controller, ReportsQuality):
            return ()
        quality = [record for record in controller.quality() if record.time_ns > begun_ns]
        if not any(record.good for record in quality):
            return ()
        whole = scenario.state in BEGINNINGS
        # where readings lie, nobody can be held to the truth
        honest = not any(fault.lies or fault.kind in UNSEEN for fault in bench.virtual.acting_faults())
        return judge(
            quality,
            recording.tags if whole else None,
            melting_point_c=self.recipe(scenario.recipe).composition.polyolefin_melting_point_c,
            truth=bench.virtual.film() if honest else None,
            signals=recording.truth if whole and honest else None,
        )

    def life(self, like: Scenario | None = None) -> Played:
        """What came out of the life in which the states were caught: a production run with a hold, without faults."""
        return self._life(like or Scenario())[1]

    # -- beginnings ----------------------------------------------------------------------------------

    def _standing(self, scenario: Scenario) -> tuple[Bench, Controller | None]:
        """A press that stays as it is, and the controller on it; None for one that was just switched on.

        Raises:
            UsageError: the controller's life does not come there.
        """
        setting = (scenario.recipe, scenario.machine, scenario.material)
        if scenario.state in BEGINNINGS:
            place = (setting, scenario.state)
            if place not in self._benches:
                self._benches[place] = self._open(scenario, scenario.state)
            return self._benches[place], None
        caught, _ = self._life(scenario)
        moment = caught.moments.get(scenario.state)
        if moment is None:
            known = ", ".join((*BEGINNINGS, *caught.moments))
            raise UsageError(
                f"no scenario of this controller begins in {scenario.state!r}: {caught.missing(scenario.state)}; "
                f"there are {known}"
            )
        return moment.bench, moment.controller

    def _life(self, scenario: Scenario) -> tuple[Caught, Played]:
        setting = (scenario.recipe, scenario.machine, scenario.material)
        if setting not in self._lives:
            with self._open(scenario, "warm") as bench:
                begun_ns, controller = bench.clock.now_ns, self._made(scenario)
                caught = catch_moments(bench, controller, produce_s=PRODUCES_S)
                whole = replace(scenario, state="warm", title="a whole life")
                self._lives[setting] = caught, self._judged(whole, bench, controller, begun_ns, (), caught.ended)
        return self._lives[setting]

    def _open(self, scenario: Scenario, start: str) -> Bench:
        return open_press(
            with_query(
                self.press, start=start, recipe=scenario.recipe, machine=scenario.machine, material=scenario.material
            )
        )

    def _made(self, scenario: Scenario) -> Controller:
        return make_controller(self.factory, self.recipe(scenario.recipe))


def _let_happen(event: Event, runner: Runner) -> None:
    if event.kind == "button":
        runner.request(event.name)
        return
    press = runner.bench.virtual
    runner.bench.record_event(event.kind, event.as_text)
    if event.kind == "fault":
        press.inject(event.name, **dict(event.options))
    else:
        getattr(press, event.name)()


def _recover(runner: Runner) -> None:
    """Everything is mended, and the operator gets the press to produce again.

    Raises:
        AssertionError: it does not, though the operator has tried more than once.
    """
    press = runner.bench.virtual
    press.withdraw()
    press.release_emergency_stop()
    press.close_guard()
    runner.bench.record_event("hand", "everything is mended")
    runner.run_for(OPERATOR_WAITS_S)
    for _ in range(ATTEMPTS):
        if runner.state == PRODUCES:
            return
        for request in ("reset", "resume", "start"):
            runner.request(request)
            runner.run_for(OPERATOR_WAITS_S)
        with suppress(AssertionError):
            runner.run_until(lambda: runner.state in (PRODUCES, "idle", *GAVE_UP), within_s=PRODUCES_WITHIN_S)
        runner.run_for(OPERATOR_WAITS_S)
    if runner.state != PRODUCES:
        raise AssertionError(
            f"after {ATTEMPTS} resets and starts, with everything mended, the controller does not produce; "
            f"it is in state {runner.state!r}{runner.said()}"
        )
