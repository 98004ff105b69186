"""`press-rig nightly`: the search that runs every night, and tells what is new."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from rig.cli_search import CONTROLLER, CONTROLLER_HELP, REGRESSIONS, Commands, command, make_folder
from rig.cli_snapshot import positive, positive_int
from rig.errors import UsageError

if TYPE_CHECKING:
    from rig.search.nightly import Leg, Night

__all__ = ["add_nightly"]

OUT = Path("out/nightly")
INTERRUPTED = 130

EPILOG = """\
Hunts with one seed after another, on all cores, until the time is up. The folder holds what was found in all nights,
the scenarios, and where the next night goes on: keep it between nights (in CI: as a cache). Ctrl-C ends a night; the
next one goes on.

examples:
  press-rig nightly --hours 6
  press-rig nightly --hours 0.1 --controller mine.press:make --out out/mine

It leaves in the folder (default: out/nightly): nightly.html (new, known, margins and speed over the nights), a
scenario for everything that was found, nights.json.

exit codes: 0 nothing new   1 something new was found, or something that does not repeat   2 wrong usage or input
            130 interrupted
"""


def add_nightly(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add `nightly`."""
    nightly = command(commands, "nightly", "search for hours, and tell what is new since the nights before", EPILOG)
    nightly.add_argument("--hours", type=positive, default=8.0, help="how long (default: 8)")
    nightly.add_argument("--controller", default=CONTROLLER, metavar="MODULE:FACTORY", help=CONTROLLER_HELP)
    nightly.add_argument(
        "--jobs", type=positive_int, default=os.cpu_count() or 1, help="processes (default: one per core)"
    )
    nightly.add_argument("--out", type=Path, default=OUT, help=f"folder of all nights (default: {OUT})")
    nightly.set_defaults(run=_nightly)


def _nightly(arguments: argparse.Namespace) -> int:
    from rig.report.nightly_page import write_nightly_page  # noqa: PLC0415
    from rig.search.nightly import Nights, run_night  # noqa: PLC0415 - the virtual press is heavy

    if arguments.hours > 168.0:
        raise UsageError(f"--hours {arguments.hours:g}: a night has at most 168 (a week)")
    make_folder(arguments.out)
    interrupted = False
    try:
        run_night(
            arguments.controller, arguments.out, arguments.hours * 3600.0, arguments.jobs, REGRESSIONS, on_leg=_tell
        )
    except KeyboardInterrupt:
        interrupted = True
    nights = Nights.read(arguments.out)
    page = write_nightly_page(nights, arguments.out / "nightly.html")
    night = nights.nights[-1] if nights.nights else None
    if night is None:
        return INTERRUPTED
    for key in night.new:
        found = nights.found[key]
        print(
            f"  ✗ new: {key} ({found.why}){'' if found.repeats else ' DOES NOT REPEAT'}: {arguments.out / found.file}"
        )
    print(
        f"{night.runs} scenarios, {night.virtual_s / 3600.0:.0f} h of press time: "
        f"{len(night.new)} new, {len(night.known)} known"
    )
    print(page)
    if interrupted:
        return INTERRUPTED
    shaky = [key for key in (*night.new, *night.known) if key in nights.found and not nights.found[key].repeats]
    return 1 if night.new or shaky else 0


def _tell(night: Night, leg: Leg) -> None:
    print(
        f"seed {leg.seed}: {leg.runs} scenarios in {leg.seconds:.0f} s, {leg.pairs} of {leg.of_pairs} pairs, "
        f"{len(leg.found)} found; {len(night.new)} new tonight",
        flush=True,
    )
