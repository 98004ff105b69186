"""The rig's pytest plugin: fixtures, markers, options, and a live line per test.

    def test_film_is_good(hil):
        bench = hil.open(start="warm")
        runner = hil.runner(bench, hil.controller())
        runner.request("start")
        runner.run_until_state("produce", within_s=3600)

Fixtures: `hil` (everything a test needs, see `Hil`), `recipe`, and `running_press` and `producing_press`, which give
every example of a property test a press of its own in full production (`rig.running`). Markers:
`needs("see_truth", …)` skips a test on a bench that cannot do it. Options: `--press`, `--controller`, `--seed`,
`--recipe`, `--arm`, `--press-speed`, `--wiring`, `--hil-profile`. `press-rig hil` runs the
same plugin with its own session.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rig.bench import Bench
    from rig.controller.api import Controller
    from rig.controller.runner import Runner
    from rig.health import NodeHealth
    from rig.hil import HilSession
    from rig.recipe import Recipe
    from rig.report import RunData
    from rig.requirements import RuleVerdict, Verdict
    from rig.rewind import Rewind
    from rig.scenario import Scenario

__all__ = ["Hil", "RigPlugin"]

# Imports of the rig are inside functions: pytest loads this module in every run of every project that
# has press-rig installed, and must not pay for it.

SESSION = pytest.StashKey["HilSession"]()
HIL = pytest.StashKey["Hil"]()
CALL = pytest.StashKey[pytest.TestReport]()
MOST_REWINDS = 3
"""Of so many benches the way back is kept; property tests open hundreds, and the last is the one that counts."""
LIVE = pytest.StashKey[Any]()
TELL = pytest.StashKey[Callable[[str], None]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options for runs with plain pytest; `press-rig hil` has the same as words of its own."""
    group = parser.getgroup("press-rig", "HIL bench of a double-belt press")
    group.addoption("--press", default="emu://", metavar="URL", help="which press the tests use")
    group.addoption("--controller", default="rig.controller:make_controller", metavar="MODULE:FACTORY")
    group.addoption("--seed", type=int, default=0, help="seed of the virtual press and of the examples")
    group.addoption("--recipe", default="reference", help="what to produce: name or path")
    group.addoption("--arm", action="store_true", help="allow writes to a press that is not virtual")
    group.addoption("--press-speed", type=float, default=1.0, help="press seconds per wall second at the other end")
    group.addoption("--wiring", default="", help="nodes that the press has on the line; emu:// knows by itself")
    group.addoption("--hil-profile", default="dev", choices=("dev", "ci"), help="how thorough property tests are")


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest the markers."""
    config.addinivalue_line("markers", "needs(*abilities): what the bench must be able to do (see rig.bench.Abilities)")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this bench cannot do, with the reason."""
    wanted = {ability for marker in item.iter_markers("needs") for ability in marker.args}
    if not wanted:
        return
    from rig.bench import Abilities  # noqa: PLC0415
    from rig.hil import abilities_of  # noqa: PLC0415

    session = hil_session(item.config)
    known = {entry.name for entry in fields(Abilities)}
    if wanted - known:
        raise pytest.UsageError(f"{item.nodeid}: no ability {', '.join(sorted(wanted - known))}; there are {known}")
    can = abilities_of(session.options.press)
    missing = sorted(ability for ability in wanted if not getattr(can, ability))
    if missing:
        words = " and ".join(ability.replace("_", " ") for ability in missing)
        pytest.skip(f"the bench at {session.options.press} cannot {words}")


def hil_session(config: pytest.Config) -> HilSession:
    """The session that `press-rig hil` made, or one from the options of a plain pytest run."""
    session = config.stash.get(SESSION, None)
    if session is None:
        from rig.hil import HilOptions, HilSession, load_factory, load_recipe_or_refuse  # noqa: PLC0415

        options = HilOptions(
            press=config.getoption("--press"),
            controller=config.getoption("--controller"),
            profile=config.getoption("--hil-profile"),
            seed=config.getoption("--seed"),
            recipe=config.getoption("--recipe"),
            armed=config.getoption("--arm"),
            speed=config.getoption("--press-speed"),
            wiring=config.getoption("--wiring"),
        )
        session = HilSession(options, None, load_recipe_or_refuse(options.recipe), load_factory(options.controller))
        config.stash[SESSION] = session
    return session


class Hil:
    """What one test has in hand; made by the `hil` fixture, cleaned up after the test.

    Attributes:
        session: the run.
        verdicts: what this test judged.
        virtual_s: press time that passed in this test.
        resume: the command that opens the press as it was before the test failed; empty if it did not.
        resume_about: which moment that is.
        rules: what came out for the rules on all presses of this test, known when it is over.
        faults: kinds of faults that were injected, known when it is over.
    """

    def __init__(
        self, session: HilSession, node: pytest.Item, live: Any = None, tell: Callable[[str], None] = lambda text: None
    ) -> None:
        self.session = session
        self._tell = tell
        self._elsewhere_s = 0.0
        self.verdicts: list[Verdict] = []
        self._ways_back: list[Rewind | None] = []
        self._node = node
        self._live = live
        self._runner: Runner | None = None
        self._benches: list[tuple[Bench, int]] = []
        self._rewinds: deque[Rewind] = deque(maxlen=MOST_REWINDS)
        self._kept: list[str] = []
        self.rules: tuple[RuleVerdict, ...] = ()
        self.faults: tuple[str, ...] = ()
        self._broken_on_purpose: set[str] = set()
        self._made = session.recipe
        """What this test's controller is to make."""
        self.resume = ""
        self.resume_about = ""

    @property
    def recipe(self) -> Recipe:
        """What is produced."""
        return self.session.recipe

    @property
    def profile(self) -> str:
        """How thorough property tests are: `dev` or `ci`."""
        return self.session.options.profile

    @property
    def seed(self) -> int:
        """Seed of this run."""
        return self.session.options.seed

    def open(self, *, start: str | None = None, recipe: str | None = None, machine: str | None = None) -> Bench:
        """Open the press. On a virtual one the arguments choose how it begins; a real one is as it is.

        On the press of a snapshot a test that wants a recipe or machine is skipped: it would judge another press.
        """
        from rig.hil import is_snapshot  # noqa: PLC0415

        wanted = {"start": start, "recipe": recipe, "machine": machine}
        query = {key: value for key, value in wanted.items() if value is not None}
        if is_snapshot(self.session.options.press) and (recipe or machine):
            pytest.skip("it needs a press of another recipe or machine, and the press of a snapshot is as it was")
        return self.adopt(self.session.open(**query))

    def adopt(self, bench: Bench) -> Bench:
        """Take care of a bench: count its time, keep recording and way back if the test fails, close it."""
        from rig.rewind import Rewind  # noqa: PLC0415

        self._benches.append((bench, bench.clock.now_ns))
        seconds = self.session.options.rewind_s
        if self.session.folder is not None and seconds > 0.0 and bench.can.fork:
            self._rewinds.append(Rewind(bench, seconds, self._notes))
        return bench

    def _notes(self) -> dict[str, str]:
        runner = self._runner
        state = runner.state if runner is not None else ""
        return {"test": self._node.nodeid} | ({"controller": state} if state else {})

    def controller(self, recipe: Recipe | None = None, **options: Any) -> Controller:
        """Make the controller under test."""
        from rig.hil import make_controller  # noqa: PLC0415

        self._made = recipe or self.recipe
        return make_controller(self.session.factory, self._made, **options)

    def runner(self, bench: Bench, controller: Controller | None = None) -> Runner:
        """A runner with the live line; the press is commanded safe when the test ends."""
        from rig.controller.runner import runner_for  # noqa: PLC0415

        self._runner = runner_for(bench, controller or self.controller(), self._live)
        return self._runner

    def breaks(self, *rules: str) -> None:
        """This test breaks some rules on purpose, so it is not held against them: `hil.breaks("HYG-01")`.

        Raises:
            UsageError: there is no such rule.
        """
        from rig.errors import UsageError  # noqa: PLC0415
        from rig.requirements import load_rules  # noqa: PLC0415

        for rule in rules:
            if rule not in load_rules():
                raise UsageError(f"there is no rule {rule!r}; `press-rig rules` lists them")
        self._broken_on_purpose |= set(rules)

    def judge(self, *verdicts: Verdict, way_back: Rewind | None = None) -> None:
        """Let verdicts count for the requirements of this run.

        Args:
            verdicts: what `rig.requirements.judge` says.
            way_back: of the press that they are about, where another test had it (see `way_back`).
        """
        self.verdicts += verdicts
        self._ways_back += [way_back] * len(verdicts)

    def way_back(self, bench: Bench) -> Rewind | None:
        """The snapshots of a bench of this test, for tests that judge later; None if none are taken."""
        return next((rewind for rewind in self._rewinds if rewind.bench is bench), None)

    def show(self, data: RunData) -> None:
        """The run whose curves the report shows."""
        self.session.data = data

    def keep(self, bench: Bench, name: str = "") -> None:
        """Keep a bench's recording with the report, whatever comes out."""
        self._kept += self.session.keep(bench, name or file_name(self._node.nodeid))

    def keep_scenario(self, scenario: Scenario, name: str) -> str:
        """Keep a scenario with the report, for `press-rig replay`; returns where, empty without a report."""
        from rig.scenario import write_scenario  # noqa: PLC0415

        if self.session.folder is None:
            return ""
        options = self.session.options
        told = replace(scenario, controller=options.controller, press=options.press)
        write_scenario(told, self.session.folder / f"{name}.toml")
        self._kept.append(f"{name}.toml")
        return str(self.session.folder / f"{name}.toml")

    @property
    def kept(self) -> tuple[str, ...]:
        """Files kept."""
        return tuple(self._kept)

    @property
    def nodes(self) -> tuple[NodeHealth, ...]:
        """How the nodes of this test's presses were doing, together."""
        from rig.health import added_up  # noqa: PLC0415

        return added_up(bench.health for bench, _ in self._benches)

    @property
    def virtual_s(self) -> float:
        """Press time that passed on this test's benches, s."""
        return self._elsewhere_s + sum((bench.clock.now_ns - start_ns) * 1e-9 for bench, start_ns in self._benches)

    def note(self, text: str, virtual_s: float = 0.0) -> None:
        """Show on the live line how far a test has come that lets presses live by the hundred.

        Args:
            text: a few words.
            virtual_s: press time that has passed on presses which were not adopted, in all so far, s.
        """
        self._elsewhere_s = virtual_s
        self._tell(text)

    @property
    def void(self) -> str:
        """Why this test counts for nothing: faults that never showed, or that left something behind; else empty."""
        accounts = [
            account
            for bench, _ in self._benches
            if bench.can.inject_faults
            for account in bench.virtual.fault_account()
            if account.voids
        ]
        return "; ".join(account.as_text for account in accounts)

    def close(self, *, failed: bool) -> None:
        """Leave every press safe; keep the recordings of a failed test, and the press as it was before."""
        name = file_name(self._node.nodeid)
        if failed or any(verdict.passed is False for verdict in self.verdicts):
            self._keep_way_back(name)
        self._judge_rules()
        for number, (bench, _) in enumerate(reversed(self._benches)):
            if failed and not self._kept:
                self._kept += self.session.keep(bench, f"{name}{f'-{number}' if number else ''}")
            bench.close()

    def _judge_rules(self) -> None:
        """Hold what was recorded against the rules."""
        from rig.requirements import judge_rules, recipe_constants, worst_of  # noqa: PLC0415
        from rig.stl import trace_of  # noqa: PLC0415

        constants = recipe_constants(self._made)
        judged = [
            judge_rules(
                trace_of(bench.recorder.recording(), constants),
                faults=bench.virtual.acting_faults() if bench.can.inject_faults else (),
            )
            for bench, _ in self._benches
            if bench.recorder is not None
        ]
        worst = (worst_of(verdicts) for verdicts in zip(*judged, strict=True))
        self.rules = tuple(verdict for verdict in worst if verdict.rule not in self._broken_on_purpose)
        able = [bench for bench, _ in self._benches if bench.can.inject_faults]
        self.faults = tuple(sorted({one.kind for bench in able for one in bench.virtual.fault_account()}))

    def _keep_way_back(self, name: str) -> None:
        """Keep the press from before the first violation, or from before the end where nothing tells when that was."""
        # the last press is the one that it failed on: property tests end with the example that shows it
        last = self._rewinds[-1] if self._rewinds else next((way for way in self._ways_back if way), None)
        violated = [
            (verdict.violated_s, verdict.requirement, way_back or last)
            for verdict, way_back in zip(self.verdicts, self._ways_back, strict=True)
            if verdict.passed is False and verdict.violated_s is not None
        ]
        time_s, what, rewind = min(violated, key=lambda found: found[0], default=(None, "the end", last))
        if rewind is None:
            return
        kept = rewind.before(time_s)
        self.resume = f"press-rig resume {self.session.keep_snapshot(kept, name)}"
        end_s = rewind.bench.clock.now_ns * 1e-9 if time_s is None else time_s
        self.resume_about = _moment(kept.time_ns * 1e-9, end_s, what if time_s is None else f"{what} was violated")


def _moment(kept_s: float, time_s: float, what: str) -> str:
    """Which moment a snapshot is of, in words."""
    minutes, seconds = divmod(round(kept_s), 60)
    apart_s = time_s - kept_s
    relation = f"{apart_s:.0f} s before {what}" if apart_s > 0.0 else f"the first there is; before it {what}"
    return f"press time {minutes} min {seconds} s, {relation}"


def file_name(nodeid: str) -> str:
    """A test's id as the name of a file."""
    return re.sub(
        r"[^\w.-]+", "-", nodeid.rsplit("/", maxsplit=1)[-1].replace(".py::", "-").replace("test_", "")
    ).strip("-")


@pytest.fixture
def hil(request: pytest.FixtureRequest) -> Generator[Hil, None, None]:
    """Benches, controller and verdicts for one test; see `rig.pytest_plugin.Hil`."""
    stash = request.config.stash
    test = Hil(hil_session(request.config), request.node, stash.get(LIVE, None), stash.get(TELL, lambda text: None))
    request.node.stash[HIL] = test
    yield test
    report = request.node.stash.get(CALL, None)
    # without a report the test was interrupted: what was recorded up to then is kept as well
    test.close(failed=report is None or report.failed)


@pytest.fixture(scope="session")
def recipe(request: pytest.FixtureRequest) -> Recipe:
    """The recipe of this run."""
    return hil_session(request.config).recipe


@pytest.fixture(scope="session")
def running_press() -> Callable[..., AbstractContextManager[Bench]]:
    """Makes presses in full production in a millisecond each.

    `with running_press() as bench:` has sheet all through it at the recipe's steady state. Arguments are those of
    `rig.running.running_press`.
    """
    from rig.running import running_press as make  # noqa: PLC0415

    return make


@pytest.fixture(scope="session")
def producing_press() -> Callable[..., AbstractContextManager[Runner]]:
    """Makes the same with a controller that drives it, in state `produce`.

    `with producing_press() as runner:`; arguments are those of `rig.running.producing_press`.
    """
    from rig.running import producing_press as make  # noqa: PLC0415

    return make


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember how the call went, for the cleaning up after it; a test whose faults did not show has not passed."""
    report = yield
    if report.when == "call":
        test = item.stash.get(HIL, None)
        if report.passed and test is not None and (why := test.void):
            report.outcome, report.longrepr = "failed", f"void: {why}"
        item.stash[CALL] = report
    return report


class RigPlugin:
    """The part of the plugin that `press-rig hil` adds: live lines and the collection of results.

    Attributes:
        session: the run.
        unread: files of tests that could not be read; pytest runs nothing then.
    """

    def __init__(self, session: HilSession) -> None:
        self.session = session
        self.unread: list[str] = []
        self._reports: dict[str, list[pytest.TestReport]] = {}
        self._reporter: Any = None

    @pytest.hookimpl(trylast=True)  # pytest's own reporter must be there to be replaced
    def pytest_configure(self, config: pytest.Config) -> None:
        """Take over the terminal."""
        from _pytest.config import create_terminal_writer  # noqa: PLC0415 - there is no public name for it

        from rig.report.live import HilReporter  # noqa: PLC0415

        config.stash[SESSION] = self.session
        # property tests draw from the run's seed, so that a run can be replayed
        config.option.hypothesis_seed = str(self.session.options.seed)
        original = config.pluginmanager.get_plugin("terminalreporter")
        if original is not None:
            config.pluginmanager.unregister(original)
        self._reporter = HilReporter(words_of)
        # pytest asks its reporter for a writer when it explains an assertion
        self._reporter._tw = create_terminal_writer(config)
        config.pluginmanager.register(self._reporter, "terminalreporter")
        config.stash[LIVE] = self._reporter.live
        config.stash[TELL] = self._reporter.tell

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, None]:
        """Collect one result per test, after its cleaning up."""
        from rig.clock import wall_s  # noqa: PLC0415

        start_s = wall_s()
        yield
        self._collect(item, wall_s() - start_s)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Remember what cannot be read."""
        if report.failed:
            self.unread.append(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the phases of every test."""
        self._reports.setdefault(report.nodeid, []).append(report)

    def _collect(self, item: pytest.Item, wall: float) -> None:
        from rig.report import TestResult  # noqa: PLC0415

        reports = self._reports.pop(item.nodeid, [])
        outcome, reason = _outcome(reports)
        test = item.stash.get(HIL, None)
        self.session.results.append(
            TestResult(
                nodeid=item.nodeid,
                title=title_of(item),
                outcome=outcome,
                reason=reason,
                virtual_s=test.virtual_s if test else 0.0,
                wall_s=wall,
                recordings=test.kept if test else (),
                verdicts=tuple(test.verdicts) if test else (),
                replay=self.session.options.replay(item.nodeid),
                resume=test.resume if test else "",
                resume_about=test.resume_about if test else "",
                nodes=test.nodes if test else (),
                rules=test.rules if test else (),
                faults=test.faults if test else (),
            )
        )
        if self._reporter is not None:
            self._reporter.finished(self.session.results[-1])


def title_of(item: pytest.Item) -> str:
    """A test in words: its name, with its parameters."""
    return words_of(item.name)


def words_of(test_name: str) -> str:
    """A test's name as words, with its parameters in brackets."""
    name, _, parameters = test_name.partition("[")
    words = name.removeprefix("test_").replace("_", " ")
    return f"{words} ({parameters.rstrip(']')})" if parameters else words


def _outcome(reports: list[pytest.TestReport]) -> tuple[Any, str]:
    """Outcome of a test from its phases, and the reason if it did not pass."""
    for report in reports:
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            text = crash.message if crash is not None else str(report.longrepr)
            return ("failed" if report.when == "call" else "error"), text
        if report.skipped:
            if hasattr(report, "wasxfail"):
                return "xfailed", str(report.wasxfail)
            place = report.longrepr
            return "skipped", str(place[2] if isinstance(place, tuple) else place).removeprefix("Skipped: ")
    if not any(report.when == "call" for report in reports):
        from rig.report.summary import INTERRUPTED  # noqa: PLC0415 - heavy, and loaded already in a HIL run

        return "error", INTERRUPTED
    if any(hasattr(report, "wasxfail") for report in reports):
        return "xpassed", ""
    return "passed", ""
