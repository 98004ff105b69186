"""`press-rig worst`, `fmea` and `debug`: how bad it can get, what every fault does, and why it came to that."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rig.cli_search import CONTROLLER, CONTROLLER_HELP, Commands, command, known_requirement, make_folder, stage_for
from rig.cli_snapshot import positive, positive_int, seconds, seed
from rig.errors import UsageError

if TYPE_CHECKING:
    from rig.search.fmea import Row
    from rig.search.worst import Level

__all__ = ["add_worst_commands"]

OUT = Path("out/fmea")
MOST_FAULTS = 5
ERASE = "\r\x1b[2K"

WORST_EPILOG = """\
For no fault, one fault, two … : the smallest margin that Hypothesis finds by aiming at it, until something breaks.

example:
  press-rig worst QUA-09 --controller mine.press:make --seconds 120

exit codes: 0 it was not broken   1 it was   2 wrong usage or input
"""
FMEA_EPILOG = """\
Each fault begins in each phase in a run of its own. Writes fmea.csv and fmea.html: who noticed it and after how long,
where the controller was a minute later, and which requirement came nearest to a violation.

examples:
  press-rig fmea --controller mine.press:make
  press-rig fmea --phase produce --phase hold --fault heater_lost --fault belt_slip

exit codes: 0 done   2 wrong usage or input   130 interrupted: what there is is written
"""
DEBUG_EPILOG = """\
example:
  press-rig debug out/search/SAF-04.toml --at 2.5
  2.5 s hold> look belt_upper_speed feed
  2.5 s hold> without 1
  2.5 s hold> causes
"""


def add_worst_commands(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `worst`, `fmea` and `debug`."""
    worst = command(commands, "worst", "find the fewest faults at once that break a requirement", WORST_EPILOG)
    worst.add_argument("requirement", help="id, such as SAF-04 (`press-rig rules`), LIV-01 or LIV-02")
    worst.add_argument("--controller", default=CONTROLLER, metavar="MODULE:FACTORY", help=CONTROLLER_HELP)
    worst.add_argument("--most", type=positive_int, default=3, help="faults at once at most (default: 3)")
    worst.add_argument("--seconds", type=positive, default=60.0, help="for each number of faults (default: 60)")
    worst.add_argument("--seed", type=seed, default=0, help="of all draws (default: 0)")
    worst.set_defaults(run=_worst)
    fmea = command(commands, "fmea", "let every fault begin in every phase, and tabulate what it did", FMEA_EPILOG)
    fmea.add_argument("--controller", default=CONTROLLER, metavar="MODULE:FACTORY", help=CONTROLLER_HELP)
    fmea.add_argument("--phase", action="append", default=[], help="state of the controller (default: all)")
    fmea.add_argument("--fault", action="append", default=[], help="kind of fault (default: all)")
    fmea.add_argument("--out", type=Path, default=OUT, help=f"folder (default: {OUT})")
    fmea.set_defaults(run=_fmea)
    text = "look into a scenario: step, go back, leave things out, find the causes"
    debug = command(commands, "debug", text, DEBUG_EPILOG)
    debug.add_argument("scenario", type=Path, help="file")
    debug.add_argument("--controller", default=None, metavar="MODULE:FACTORY", help=CONTROLLER_HELP)
    debug.add_argument("--at", type=seconds, default=0.0, metavar="SECONDS", help="where to begin (default: 0)")
    debug.set_defaults(run=_debug)


# -- worst --------------------------------------------------------------------------------------------


def _worst(arguments: argparse.Namespace) -> int:
    from rig.search.worst import worst  # noqa: PLC0415 - the virtual press is heavy

    if arguments.most > MOST_FAULTS:
        raise UsageError(f"--most {arguments.most}: at most {MOST_FAULTS} faults at once")
    name = known_requirement(arguments.requirement)
    print(f"{name}: {arguments.seconds:g} s for each number of faults at once")
    levels = worst(
        stage_for(arguments.controller),
        name,
        most=arguments.most,
        seconds=arguments.seconds,
        seed=arguments.seed,
        on_level=_tell_level,
    )
    if levels[-1].broken:
        print(f"{name} is broken by {levels[-1].faults} fault{'' if levels[-1].faults == 1 else 's'} at once")
        return 1
    print(f"{name} was not broken by up to {levels[-1].faults} faults at once")
    return 0


def _tell_level(level: Level) -> None:
    margin = "not put to the test" if level.margin is None else f"smallest margin {level.margin:6.2f}"
    print(f"  {level.faults} faults  {level.runs:5} scenarios  {margin}")
    if level.played is not None and level.faults:
        for event in level.played.scenario.events:
            print(f"      in {level.played.scenario.state}, {event.as_text}")


# -- fmea ---------------------------------------------------------------------------------------------


def _fmea(arguments: argparse.Namespace) -> int:
    from rig.report.fmea_page import write_fmea_page  # noqa: PLC0415
    from rig.search.fmea import fmea, write_csv  # noqa: PLC0415
    from rig.virtual import FAULT_KINDS  # noqa: PLC0415

    unknown = [kind for kind in arguments.fault if kind not in FAULT_KINDS]
    if unknown:
        raise UsageError(f"there is no fault {', '.join(unknown)}; `press-rig faults` lists them")
    stage = stage_for(arguments.controller)
    make_folder(arguments.out)
    phases, kinds = arguments.phase or stage.states(), arguments.fault or list(FAULT_KINDS)
    rows: list[Row] = []

    def note(row: Row) -> None:
        rows.append(row)
        if sys.stderr.isatty():
            text = f"{len(rows)} of {len(phases) * len(kinds)}: {row.fault} in {row.phase}"
            print(f"{ERASE}{text}", end="", file=sys.stderr, flush=True)

    interrupted = False
    try:
        fmea(stage, phases, kinds, note)
    except KeyboardInterrupt:
        interrupted = True
    if sys.stderr.isatty():
        print(ERASE, end="", file=sys.stderr, flush=True)
    write_csv(rows, arguments.out / "fmea.csv")
    page = write_fmea_page(rows, arguments.controller, arguments.out / "fmea.html")
    broken = [row for row in rows if row.broken]
    for row in broken:
        print(f"  ✗ {row.fault} {row.target} in {row.phase}: {row.broken}")
    unnoticed = sum(row.showed and not row.noticed_by for row in rows)
    print(f"{len(rows)} runs: {len(broken)} break a requirement, {unnoticed} show and go unnoticed for a minute")
    print(page)
    return 130 if interrupted else 0


# -- debug --------------------------------------------------------------------------------------------


def _debug(arguments: argparse.Namespace) -> int:
    from rig.scenario import read_scenario  # noqa: PLC0415
    from rig.search.debug import Debugger  # noqa: PLC0415

    scenario = read_scenario(arguments.scenario)
    stage = stage_for(arguments.controller or scenario.controller or CONTROLLER, scenario.press)
    print(json.dumps(scenario.title, ensure_ascii=False) if scenario.title else arguments.scenario)
    Debugger(stage, scenario, arguments.at, sys.stdout).cmdloop()
    return 0
