"""One HIL run: check what was asked for, run the suite with pytest, leave a report.

`press-rig hil` calls `run_hil`. The pytest plugin (`rig.pytest_plugin`) is the thin face towards the
tests; what they leave behind is collected in a `HilSession` and becomes the files of the run.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata, resources
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import pytest
from _pytest.mark.expression import Expression  # pytest has no public way to ask whether it understands one

from rig.bench import DEFAULT_BAUDRATE, Abilities, Bench, open_press
from rig.clock import SECOND_NS, date_text, wall_s
from rig.controller.api import Controller
from rig.embedded import SCHEME, embedded_factory
from rig.errors import ControllerError, NotArmed, UsageError
from rig.recipe import Recipe, RecipeError, load_recipe
from rig.report import (
    RunData,
    RunSummary,
    TestResult,
    headline,
    print_summary,
    write_html,
    write_verdicts_json,
)
from rig.rewind import DEFAULT_SECONDS, Kept
from rig.trace import write_mdf, write_pcapng

__all__ = [
    "HilOptions",
    "HilSession",
    "abilities_of",
    "is_snapshot",
    "load_factory",
    "make_controller",
    "run_hil",
    "with_query",
]

INTERRUPTED = 130
PACKAGES = ("press-rig", "simpy", "pyserial", "pytest", "hypothesis", "numpy", "numba", "asammdf")


@dataclass(frozen=True, slots=True)
class HilOptions:
    """What was asked for; the words of `press-rig hil`."""

    press: str = "emu://"
    controller: str = "rig.controller:make_controller"
    profile: str = "dev"
    seed: int = 0
    recipe: str = "reference"
    armed: bool = False
    speed: float = 1.0
    baudrate: int = DEFAULT_BAUDRATE
    out: Path = Path("out/hil")
    select: str = ""
    suite: str | None = None
    rewind_s: float = DEFAULT_SECONDS
    wiring: str = ""

    def replay(self, nodeid: str) -> str:
        """The command that runs one test again exactly like this."""
        words = ["press-rig hil"]
        for word, value in (
            ("--press", self.press), ("--controller", self.controller),
            ("--recipe", self.recipe), ("--profile", self.profile), ("--wiring", self.wiring),
        ):  # fmt: skip
            if value != getattr(type(self)(), word[2:]):
                words += [word, f"'{value}'"]
        if self.armed:
            words.append("--arm")
        if self.speed != 1.0:
            words += ["--speed", f"{self.speed:g}"]
        if self.baudrate != DEFAULT_BAUDRATE:
            words += ["--baud", str(self.baudrate)]
        return " ".join([*words, "--seed", str(self.seed), f"'{nodeid}'"])


def with_query(url: str, **changes: object) -> str:
    """An `emu://` URL with other parameters; every other URL as it is, and so is one of a snapshot."""
    if urlsplit(url).scheme != "emu" or is_snapshot(url):
        return url
    url, sign, device = url.partition("#")
    base, pairs = url.partition("?")[0], _query(url)
    pairs |= {key: str(value) for key, value in changes.items() if value is not None}
    return (f"{base}?{urlencode(pairs, safe='/+', quote_via=quote)}" if pairs else base) + sign + device


def is_snapshot(url: str) -> bool:
    """Whether it names the press of a snapshot, which is as it was and cannot be made otherwise."""
    return urlsplit(url).scheme == "emu" and "snapshot" in _query(url)


def _query(url: str) -> dict[str, str]:
    """Parameters of an `emu://` URL, in which a plus is a plus."""
    return dict(parse_qsl(urlsplit(url).query.replace("+", "%2B"), keep_blank_values=True))


def abilities_of(url: str) -> Abilities:
    """What a bench at this URL can do, without opening it."""
    present = urlsplit(url).scheme == "emu"
    return Abilities(present, present, present, present, present)


# -- the controller under test -----------------------------------------------------------------------


def load_factory(name: str) -> Callable[..., Controller]:
    """Find a controller factory by `package.module:factory`, or by `firmware:PATH` (`rig.embedded`).

    Raises:
        UsageError: the name is malformed, or there is no such module or factory.
        ControllerError: importing it raised.
    """
    if name.startswith(SCHEME):
        return embedded_factory(name)
    module_name, colon, attribute = name.partition(":")
    if not colon or not module_name or not attribute:
        raise UsageError(f"controller {name!r} is not of the form package.module:factory or firmware:PATH")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(error.name + ".")):
            raise UsageError(
                f"controller {name!r}: no module {error.name!r}; give a module that can be imported from {Path.cwd()}"
            ) from error
        raise ControllerError(f"controller {name!r}: importing it failed: {error}") from error
    except Exception as error:
        raise ControllerError(f"controller {name!r}: importing it raised {type(error).__name__}: {error}") from error
    factory = getattr(module, attribute, None)
    if not callable(factory):
        known = ", ".join(key for key, value in vars(module).items() if inspect.isfunction(value)) or "no function"
        raise UsageError(f"controller {name!r}: {module_name} has no factory {attribute!r}; it has {known}")
    return factory  # type: ignore[no-any-return]  # anything callable; `make_controller` checks what it makes


def make_controller(factory: Callable[..., Controller], recipe: Recipe, **options: Any) -> Controller:
    """Make a controller: the factory is given `recipe` and options if it takes them.

    Raises:
        ControllerError: it raised, or made something without a `scan`.
    """
    name = f"{factory.__module__}:{factory.__qualname__}"
    wanted = {"recipe": recipe, **options}
    parameters = inspect.signature(factory).parameters.values()
    if not any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
        taken = {parameter.name for parameter in parameters}
        wanted = {key: value for key, value in wanted.items() if key in taken}
    try:
        controller = factory(**wanted)
    except Exception as error:
        raise ControllerError(f"controller {name} raised {type(error).__name__}: {error}") from error
    if not callable(getattr(controller, "scan", None)):
        raise ControllerError(
            f"controller {name} made {type(controller).__name__}, which has no scan(inputs, now_ns); "
            "see examples/my_controller"
        )
    return controller


# -- one run ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class HilSession:
    """What the tests of one run leave behind.

    Attributes:
        options: what was asked for.
        folder: where the files of the run go; None outside of `press-rig hil`.
        recipe: what is produced.
        factory: makes the controller under test.
        results: one per test, in the order they ran.
        data: the run whose curves the report shows.
    """

    options: HilOptions
    folder: Path | None
    recipe: Recipe
    factory: Callable[..., Controller]
    results: list[TestResult] = field(default_factory=list)
    data: RunData | None = None
    identity: str = ""
    started_s: float = field(default_factory=wall_s)
    started: str = field(default_factory=date_text)

    def open(self, **query: object) -> Bench:
        """Open the press of this run; `query` changes the parameters of a virtual one."""
        changes = {"seed": self.options.seed, "recipe": self.options.recipe} | query
        given = _query(self.options.press)
        # what the user put into the URL stands, unless the test needs another start
        changes = {key: value for key, value in changes.items() if key not in given or key in query}
        return open_press(
            with_query(self.options.press, **changes),
            armed=self.options.armed,
            speed=self.options.speed,
            baudrate=self.options.baudrate,
            wiring=self.options.wiring,
        )

    def keep(self, bench: Bench, name: str) -> tuple[str, ...]:
        """Write a bench's recording into the run's folder; returns the names of the files."""
        if self.folder is None or bench.recorder is None:
            return ()
        recording = bench.recorder.recording()
        write_mdf(recording, self.folder / f"{name}.mf4")
        write_pcapng(recording.frames, self.folder / f"{name}.pcapng", baud=bench.port.baudrate)
        return (f"{name}.mf4", f"{name}.pcapng")

    def keep_snapshot(self, kept: Kept, name: str) -> Path:
        """Write a snapshot into the run's folder, its press time in the name; returns its path."""
        assert self.folder is not None
        path = self.folder / f"{name}-at-{kept.time_ns / SECOND_NS:.0f}s.snapshot"
        path.write_bytes(kept.data)
        return path

    def summary(self) -> RunSummary:
        """The run as a report takes it."""
        options = self.options
        return RunSummary(
            run_id=self.folder.name if self.folder else "",
            press_url=options.press,
            controller=options.controller,
            profile=options.profile,
            seed=options.seed,
            identity=self.identity,
            virtual_s=sum(result.virtual_s for result in self.results),
            wall_s=wall_s() - self.started_s,
            tests=tuple(self.results),
            versions={name: _version(name) for name in PACKAGES} | {"python": sys.version.split()[0]},
            started=self.started,
            files=("junit.xml",),
            data=self.data,
        )


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"


def find_suite(given: str | None) -> str:
    """The tests to run: those given, those of the checkout, or those that come with the package.

    Raises:
        UsageError: the path given does not exist.
    """
    if given is not None:
        if not Path(given.split("::")[0]).exists():
            raise UsageError(f"no tests at {given}; leave it out to run the rig's own HIL suite")
        return given
    checkout = Path("tests/hil")
    if checkout.is_dir():
        return str(checkout)
    bundled = resources.files("rig") / "hil_suite"
    if not bundled.is_dir():
        raise UsageError("no tests/hil here; run this in the project's folder, or give the path of a suite")
    return str(bundled)


def check_selection(text: str) -> None:
    """Find out whether pytest understands what its `-k` is to be given, before a press is made.

    Raises:
        UsageError: it does not.
    """
    if not text.strip():
        return
    try:
        Expression.compile(text)
    except Exception as error:  # of a kind that differs between versions of pytest
        why = f"{error.msg} at character {error.offset}" if isinstance(error, SyntaxError) else error
        raise UsageError(
            f"-k {text!r} cannot be read: {why}; give parts of names of tests, "
            "with and, or, not and brackets between them, as in -k 'emergency_stop and not guard'"
        ) from None


def load_recipe_or_refuse(name: str) -> Recipe:
    """A recipe by name or path; what is wrong with it is a usage error."""
    try:
        return load_recipe(name)
    except RecipeError as error:
        raise UsageError(str(error)) from error


def run_hil(options: HilOptions) -> int:
    """Run the HIL suite; returns the exit code.

    Raises:
        RigError: what was asked for cannot be done (press, controller, recipe, suite).
    """
    suite = find_suite(options.suite)
    check_selection(options.select)
    recipe = load_recipe_or_refuse(options.recipe)
    factory = load_factory(options.controller)
    is_embedded = hasattr(make_controller(factory, recipe), "make_runner")
    if is_embedded and not abilities_of(options.press).jump_in_time:
        raise UsageError(
            f"controller {options.controller!r} is executed in lockstep with a virtual press, so it needs --press "
            f"emu://, and not {options.press}: there its program has to run on a board (firmware_stubs/README.md)"
        )
    folder = _new_folder(options.out)
    session = HilSession(options, folder, recipe, factory)
    print(f"press-rig hil: {options.controller} on {options.press}, recipe {recipe.name}, seed {options.seed}")
    if abilities_of(options.press).jump_in_time:
        from rig.virtual import COMPILE_NOTE  # noqa: PLC0415 - heavy, and a real press does not need it

        if COMPILE_NOTE:
            print(COMPILE_NOTE, flush=True)
    with session.open() as bench:
        session.identity = bench.identity
        if not bench.envelope.virtual and not options.armed:
            raise NotArmed(
                f"the press at {options.press} says it is {bench.identity!r}, not virtual: this suite moves it. "
                "Clear the machine, then add --arm"
            )
    from rig.pytest_plugin import RigPlugin  # noqa: PLC0415 - the plugin imports this module

    words = [
        suite, "--capture=sys", "--tb=short", "--no-header", "-p", "no:cacheprovider", "-p", "no:cov",
        f"--junitxml={folder / 'junit.xml'}", "-o", "junit_family=xunit2",
    ]  # fmt: skip
    if options.select:
        words += ["-k", options.select]
    plugin = RigPlugin(session)
    code = pytest.main(words, plugins=[plugin])
    if plugin.unread:
        raise UsageError(f"{', '.join(plugin.unread)} cannot be read (why stands above), so no test was run")
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        matching = f" matches {options.select!r}" if options.select else ""
        raise UsageError(f"no test in {suite}{matching or '; give a folder or file of tests, or leave it out'}")
    if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR):
        return 2
    summary = session.summary()
    write_verdicts_json(summary, folder / "verdicts.json")
    write_html(summary, folder)
    _point_latest(options.out, folder)
    print_summary(summary, folder)
    if code == pytest.ExitCode.INTERRUPTED:
        return INTERRUPTED
    status = headline(summary).status
    # some of the tests cannot judge all requirements, and were not asked to
    enough = status == "pass" or (status == "not judged" and bool(options.select or options.suite))
    return 0 if code == pytest.ExitCode.OK and enough else 1


def _new_folder(out: Path) -> Path:
    stamp = date_text().replace("-", "").replace(":", "").replace(" ", "-")
    folder, number = out / stamp, 1
    while folder.exists():
        number += 1
        folder = out / f"{stamp}-{number}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"cannot make the report folder {folder}: {error.strerror}") from error
    return folder


def _point_latest(out: Path, folder: Path) -> None:
    latest = out / "latest"
    latest.unlink(missing_ok=True)
    latest.symlink_to(folder.name)
