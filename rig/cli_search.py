"""`press-rig search` and `falsify` look for what breaks a controller; `replay`, `minimize` and `keep` go on with it."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rig.cli_snapshot import positive, positive_int, seed
from rig.errors import UsageError

if TYPE_CHECKING:
    from rig.scenario import Played, Scenario, Stage
    from rig.search import Finding, Hunt, Progress

__all__ = ["add_search_commands", "command", "known_requirement", "make_folder", "stage_for"]

CONTROLLER = "rig.controller:make_controller"
PRESS = "emu://"
OUT = Path("out/search")
REGRESSIONS = Path("tests/hil/regressions")
ERASE = "\r\x1b[2K"
TOLD_EVERY_S = 10.0
"""Without a terminal a line is printed after so much time; on one it is rewritten."""
CONTROLLER_HELP = f"what makes the controller (default: {CONTROLLER}); as for `press-rig hil`"

SEARCH_EPILOG = """\
Plays scenarios on copies of a virtual press until the time is up: the controller's whole life, then by turns every
button and hand in every state, every fault in every state, alone and with others, and long passages with a fault that
stays; then whatever came nearest to a violation.
What breaks a requirement is shrunk to the smallest scenario that still does, and written as a file that
`press-rig replay` plays again.

examples:
  press-rig search                                          the reference controller, for a minute
  press-rig search --controller mine.press:make --seconds 600 --seed 7
  press-rig search --press "emu://?wiring=multi-drop"       on another virtual press
  press-rig falsify SAF-04 --controller mine.press:make     looks for one requirement, ends with the first violation

exit codes: 0 nothing was found   1 something was found   2 wrong usage or input   130 interrupted: findings are kept
"""
REPLAY_EPILOG = """\
A scenario is played twice, and both runs must be the same bit for bit.

examples:
  press-rig replay out/search/SAF-04.toml
  press-rig replay tests/hil/regressions/*.toml --controller mine.press:make
  press-rig replay out/search/SAF-04.toml --page out/saf-04.html         timeline, signals, what broke when
  press-rig replay out/search/SAF-04.toml --recording out/saf-04.mf4     for asammdf, `press-rig judge` and others

exit codes: 0 nothing is broken   1 something is   2 wrong usage or input
"""

Commands = argparse._SubParsersAction  # the type that add_subparsers returns has no public name


def add_search_commands(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `search`, `falsify`, `replay`, `minimize` and `keep`."""
    search = command(commands, "search", "look for scenarios that break a controller", SEARCH_EPILOG)
    _add_hunt(search, 60.0)
    search.set_defaults(run=_search, requirement=None)
    falsify = command(commands, "falsify", "look for a scenario that breaks one requirement", SEARCH_EPILOG)
    falsify.add_argument("requirement", help="id, such as SAF-04 (`press-rig rules`), LIV-01 or LIV-02")
    _add_hunt(falsify, 120.0)
    falsify.set_defaults(run=_search)
    replay = command(commands, "replay", "play scenario files, and say what they break", REPLAY_EPILOG)
    replay.add_argument("scenario", nargs="+", type=Path, help="files")
    replay.add_argument("--controller", default=None, metavar="MODULE:FACTORY", help=CONTROLLER_HELP)
    replay.add_argument("--recording", type=Path, metavar="FILE", help="keep the recording (of one scenario), MDF 4")
    replay.add_argument("--page", type=Path, metavar="FILE", help="write a page (of one scenario) to look at, HTML")
    replay.add_argument("--json", action="store_true", help="as JSON")
    replay.set_defaults(run=_replay)
    text = "make a scenario smaller that breaks something: fewer events, rounder numbers"
    minimize = command(
        commands, "minimize", text, "exit codes: 0 done   1 it breaks nothing   2 wrong usage or input\n"
    )
    minimize.add_argument("scenario", type=Path, help="file")
    minimize.add_argument("--controller", default=None, metavar="MODULE:FACTORY", help=CONTROLLER_HELP)
    minimize.add_argument("--seconds", type=positive, default=60.0, help="how long to try at most (default: 60)")
    minimize.add_argument("--out", type=Path, metavar="FILE", help="where to (default: the file itself)")
    minimize.set_defaults(run=_minimize)
    text = "put a scenario among the regressions that every `press-rig hil` plays"
    keep = command(commands, "keep", text, "example:\n  press-rig keep out/search/SAF-04.toml --name feed-in-a-dip\n")
    keep.add_argument("scenario", type=Path, help="file")
    keep.add_argument("--name", help="of the new file, without .toml (default: as it is)")
    keep.add_argument("--folder", type=Path, default=REGRESSIONS, help=f"where to (default: {REGRESSIONS})")
    keep.set_defaults(run=_keep)


def command(commands: Commands[argparse.ArgumentParser], name: str, text: str, epilog: str) -> argparse.ArgumentParser:
    """A command with its help."""
    return commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_hunt(parser: argparse.ArgumentParser, usual_s: float) -> None:
    parser.add_argument("--controller", default=CONTROLLER, metavar="MODULE:FACTORY", help=CONTROLLER_HELP)
    parser.add_argument("--press", default="", metavar="URL", help=f"which virtual press (default: {PRESS})")
    parser.add_argument(
        "--seconds", type=positive, default=usual_s, help=f"how long, making things small aside (default: {usual_s:g})"
    )
    parser.add_argument("--runs", type=positive_int, default=1_000_000, help="at most so many scenarios")
    parser.add_argument("--seed", type=seed, default=0, help="of the order and of all draws (default: 0)")
    parser.add_argument("--out", type=Path, default=OUT, help=f"folder for scenario files (default: {OUT})")
    parser.add_argument("--json", action="store_true", help="as JSON")


# -- search and falsify -------------------------------------------------------------------------------


def _search(arguments: argparse.Namespace) -> int:
    from rig.search import Budget, Hunt  # noqa: PLC0415 - Hypothesis and the virtual press are heavy

    wanted = () if arguments.requirement is None else (known_requirement(arguments.requirement),)
    stage = stage_for(arguments.controller, arguments.press)
    make_folder(arguments.out)
    line = _Line(quiet=arguments.json)
    budget = Budget(arguments.seconds, arguments.runs, findings=1 if wanted else Budget().findings)
    hunt = Hunt(stage, budget, seed=arguments.seed, wanted=wanted, on_progress=line.show)
    interrupted = False
    try:
        hunt.run()
    except KeyboardInterrupt:
        interrupted = True
    line.clear()
    files = [_write(finding, arguments) for finding in hunt.findings.values()]
    if arguments.json:
        print(json.dumps(_as_json(hunt, files), indent=2, ensure_ascii=False))
    else:
        _tell(hunt, files)
    if interrupted:
        return 130
    return 1 if hunt.findings else 0


def known_requirement(requirement: str) -> str:
    """A requirement that there is.

    Raises:
        UsageError: there is none.
    """
    from rig.requirements import SHEET_CLAIMS, load_rules  # noqa: PLC0415
    from rig.scenario.play import KEEPS_RUNNING, RECOVERS  # noqa: PLC0415

    rules = load_rules()
    if requirement not in (*rules, *SHEET_CLAIMS, KEEPS_RUNNING, RECOVERS):
        raise UsageError(
            f"there is no requirement {requirement!r}; `press-rig rules` lists {len(rules)}, and there are "
            f"{', '.join(SHEET_CLAIMS)}, {KEEPS_RUNNING} (keeps running) and {RECOVERS} (produces again)"
        )
    return requirement


def stage_for(controller: str, press: str = "") -> Stage:
    """Where scenarios are played with a controller, by `package.module:factory`, on the kind of press that a URL says.

    Raises:
        UsageError: there is none.
    """
    from rig.hil import load_factory  # noqa: PLC0415
    from rig.scenario import Stage  # noqa: PLC0415

    return Stage(load_factory(controller), press=press or PRESS)


def make_folder(folder: Path) -> None:
    """Make a folder.

    Raises:
        UsageError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {folder} cannot be made: {error.strerror}") from error


def _write(finding: Finding, arguments: argparse.Namespace) -> Path:
    from dataclasses import replace  # noqa: PLC0415

    from rig.scenario import write_scenario  # noqa: PLC0415

    path: Path = arguments.out / f"{finding.requirement}.toml"
    title = _title(finding.requirement)
    found_with = replace(finding.scenario, title=title, controller=arguments.controller, press=arguments.press)
    write_scenario(found_with, path)
    return path


def _title(requirement: str) -> str:
    from rig.requirements import CLAIMS, load_rules  # noqa: PLC0415

    known = load_rules().get(requirement) or CLAIMS.get(requirement)
    return f"breaks {requirement}" + (f": {known.title}" if known else "")


class _Line:
    """The live line: rewritten on a terminal, now and then printed elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._told_s = 0.0

    def show(self, progress: Progress) -> None:
        if self._quiet or (not self._terminal and progress.seconds - self._told_s < TOLD_EVERY_S):
            return
        self._told_s = progress.seconds
        nearest = min(progress.margins.items(), key=lambda item: item[1], default=("", 0.0))
        rate = progress.runs / progress.seconds if progress.seconds else 0.0
        text = (
            f"{progress.runs} scenarios, {rate:.1f}/s, {len(progress.covered)} of {progress.pairs} pairs; "
            f"nearest {nearest[0]} {nearest[1]:.2f}; {progress.doing}"
        )
        print(
            f"{ERASE}{text[:118]}" if self._terminal else text,
            end="" if self._terminal else "\n",
            file=sys.stderr,
            flush=True,
        )

    def clear(self) -> None:
        if self._terminal and not self._quiet:
            print(ERASE, end="", file=sys.stderr, flush=True)


def _tell(hunt: Hunt, files: Sequence[Path]) -> None:
    progress = hunt.progress
    for finding, path in zip(hunt.findings.values(), files, strict=True):
        print(f"\n{_title(finding.requirement)}")
        _tell_scenario(finding.scenario)
        print(
            f"  {finding.played.why(finding.requirement)}; "
            f"found by scenario {finding.runs} after {finding.seconds:.0f} s"
        )
        print(f"  press-rig replay {path}")
    print(
        f"\n{len(hunt.findings) or 'nothing'} found in {progress.runs} scenarios and {progress.seconds:.0f} s; "
        f"{len(progress.covered)} of {progress.pairs} pairs of state and event were tried"
    )
    near = sorted((margin, name) for name, margin in progress.margins.items() if name not in hunt.findings)[:5]
    if near:
        print("nearest to a violation: " + ", ".join(f"{name} {margin:.2f}" for margin, name in near))


def _tell_scenario(scenario: Scenario) -> None:
    print(f"  begins in {scenario.state}, lasts {scenario.lasts_s:g} s, seed {scenario.seed}")
    for event in scenario.events:
        print(f"  {event.as_text}")
    if scenario.recovers:
        print("  then everything is mended, and the operator resets and starts")


def _as_json(hunt: Hunt, files: Sequence[Path]) -> dict[str, object]:
    progress = hunt.progress
    return {
        "runs": progress.runs,
        "seconds": round(progress.seconds, 1),
        "pairs_tried": len(progress.covered),
        "pairs": progress.pairs,
        "margins": dict(sorted(progress.margins.items())),
        "findings": [
            {
                "requirement": finding.requirement,
                "file": str(path),
                "why": finding.played.why(finding.requirement),
                "events": len(finding.scenario.events),
                "runs": finding.runs,
                "seconds": round(finding.seconds, 1),
            }
            for finding, path in zip(hunt.findings.values(), files, strict=True)
        ],
    }


# -- scenario files -----------------------------------------------------------------------------------


def _replay(arguments: argparse.Namespace) -> int:
    from rig.scenario import read_scenario  # noqa: PLC0415

    if len(arguments.scenario) > 1 and (arguments.recording or arguments.page):
        raise UsageError("--recording and --page are for one scenario; give one")
    scenarios = [(path, read_scenario(path)) for path in arguments.scenario]
    stages: dict[tuple[str, str], Stage] = {}
    told, red = [], False
    for path, scenario in scenarios:
        played = _twice(_stage_of(scenario, arguments.controller, stages), scenario)
        red = red or bool(played.broken)
        told.append(_played_as_json(path, played))
        if not arguments.json:
            _tell_played(path, played)
        if arguments.recording is not None:
            _keep_recording(played, arguments.recording)
        if arguments.page is not None:
            _write_page(played, arguments.page)
    if arguments.json:
        print(json.dumps(told, indent=2, ensure_ascii=False))
    return 1 if red else 0


def _stage_of(scenario: Scenario, given: str | None, stages: dict[tuple[str, str], Stage]) -> Stage:
    """Where it is played: with the controller given, with the one that it was found with, or with the reference."""
    place = given or scenario.controller or CONTROLLER, scenario.press
    if place not in stages:
        stages[place] = stage_for(*place)
    return stages[place]


def _twice(stage: Stage, scenario: Scenario) -> Played:
    first, second = stage.play(scenario), stage.play(scenario)
    if first.digest != second.digest:
        raise UsageError(
            f"two runs of the same scenario differ ({first.digest[:12]} and {second.digest[:12]}): the controller "
            "is not the same every time; does it look at a clock, at random numbers, or at state of its module?"
        )
    return first


def _tell_played(path: Path, played: Played) -> None:
    scenario = played.scenario
    print(f"{path}: {scenario.title or 'no title'}")
    _tell_scenario(scenario)
    for event in played.recording.events:
        if event.kind in ("state", "operator", "hand", "fault"):
            print(f"    {(event.time_ns - played.begun_ns) * 1e-9:8.1f} s  {event.kind:<9} {event.text}")
    for name in played.broken:
        print(f"  ✗ {_title(name)} ({played.why(name)})")
    missing = [name for name in scenario.breaks if name not in played.broken]
    if missing:
        print(f"  ✓ {', '.join(missing)} is not broken any more")
    if not played.broken and not missing:
        print("  ✓ nothing is broken")
    if played.ended:
        print(f"  ended early: {played.ended}")
    if played.void:
        print(f"  void: {played.void}")
    print(f"  played twice, bit for bit the same: {played.digest[:16]}")


def _played_as_json(path: Path, played: Played) -> dict[str, object]:
    return {
        "scenario": str(path),
        "broken": {name: played.why(name) for name in played.broken},
        "expected": list(played.scenario.breaks),
        "state": played.state,
        "ended": played.ended,
        "void": played.void,
        "digest": played.digest,
    }


def _keep_recording(played: Played, path: Path) -> None:
    from rig.trace import write_mdf  # noqa: PLC0415

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_mdf(played.recording, path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def _write_page(played: Played, path: Path) -> None:
    from rig.report.scenario_page import write_scenario_page  # noqa: PLC0415

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_scenario_page(played, path)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def _minimize(arguments: argparse.Namespace) -> int:
    from dataclasses import replace  # noqa: PLC0415

    from rig.clock import wall_s  # noqa: PLC0415
    from rig.scenario import read_scenario, shrink, write_scenario  # noqa: PLC0415

    scenario = read_scenario(arguments.scenario)
    stage = _stage_of(scenario, arguments.controller, {})
    played = stage.play(scenario)
    wanted = next((name for name in scenario.breaks if name in played.broken), next(iter(played.broken), None))
    if wanted is None:
        print(f"{arguments.scenario} breaks nothing, so there is nothing to keep while it is made smaller")
        return 1
    end_s = wall_s() + arguments.seconds
    cut = played.cut_after(wanted)
    begin = cut if wanted in stage.play(cut).broken else scenario
    smallest = shrink(begin, _breaks(stage, wanted), lambda: wall_s() < end_s)
    out: Path = arguments.out or arguments.scenario
    write_scenario(replace(smallest, breaks=(wanted,), title=scenario.title or _title(wanted)), out)
    print(f"{_title(wanted)}: {len(scenario.events)} events in {scenario.lasts_s:g} s became")
    _tell_scenario(smallest)
    print(f"  {out}")
    return 0


def _breaks(stage: Stage, name: str) -> Callable[[Scenario], bool]:
    return lambda scenario: name in stage.play(scenario).broken


def _keep(arguments: argparse.Namespace) -> int:
    from rig.scenario import read_scenario, write_scenario  # noqa: PLC0415

    scenario = read_scenario(arguments.scenario)
    name = arguments.name or arguments.scenario.stem
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
        raise UsageError(f"--name {name!r}: letters, digits, dots, dashes and underscores, please")
    if not arguments.folder.parent.is_dir():
        raise UsageError(f"there is no {arguments.folder.parent}; run this in the project's folder, or give --folder")
    path: Path = arguments.folder / f"{name}.toml"
    if path.exists():
        raise UsageError(f"{path} is there already; give another --name")
    write_scenario(scenario, path)
    print(
        f"{path}: every `press-rig hil` plays it now, "
        f"and no controller may break {', '.join(scenario.breaks) or 'anything'} in it"
    )
    return 0
