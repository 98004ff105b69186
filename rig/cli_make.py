"""`press-rig make`: a production shift on the virtual line; `press-rig trace`: what happened to a piece of its film."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rig.cli_snapshot import seed
from rig.controller.machine_facts import load_machine_facts
from rig.errors import UsageError
from rig.products import FILM_PROPERTIES, Product, check_product, load_product
from rig.recipe import RecipeError
from rig.rolls import SCRAP_REASONS, history_at, history_of, read_rolls

if TYPE_CHECKING:
    from rig.shift import Shift

__all__ = ["add_make"]

LATEST = Path("out/make/shift.rolls.npz")
INTERRUPTED = 130
LONGEST_H = 168.0
STARTS = ("cold", "warm", "running")
TOLD_EVERY_S = 1800.0
"""Without a terminal a line is printed after so much press time; on one it is rewritten."""
ERASE = "\r\x1b[2K"

MAKE_EPILOG = """\
The line controller heats the line, makes sheet, leads it through press, stretcher, baths and ovens, and winds film;
then the press cools down, and rolls stand in the curing room until the laboratory has measured the last one.

examples:
  press-rig make standard-25um                       a shift of 8 hours, from a warm line
  press-rig make thin-high-power --hours 2 --seed 7
  press-rig make my/film.toml --start cold --out out/mine
  press-rig make not-crosslinkable --ignore-claims   what becomes of a product that a claim forbids

It leaves in the folder (default: out/make):
  rolls.html         the roll map: where every metre of sheet went and why, the film along the rolls
  shift.rolls.npz    the same as data, for `press-rig trace` and NumPy
  shift.json         rolls, grades, laboratory, yield, scrap

exit codes: 0 all is made, and every roll is released   1 a roll is not released, a claim forbids the product, or the
            line gave up   2 wrong usage or input   130 interrupted: the line is safe, what there is is written
"""

TRACE_EPILOG = """\
examples:
  press-rig trace 1 120.5                      the piece 120.5 m from the core of roll 1, of the latest shift
  press-rig trace 3 0 --rolls out/mine         of another shift: its folder or its file
  press-rig trace --piece 4711                 a piece by its number, scrap too
  press-rig trace 1 120.5 --json               for machines

exit codes: 0 found   2 no such shift, roll, metre or piece
"""


def add_make(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `make` and `trace`."""
    make = commands.add_parser(
        "make",
        help="run a production shift on the virtual line, and leave its roll map",
        description="Run a production shift on the virtual line, and leave its roll map.",
        epilog=MAKE_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    make.add_argument("product", metavar="RECIPE", help="name or path (.toml) of a product (`press-rig products`)")
    make.add_argument("--hours", type=_hours, default=8.0, metavar="H", help="of production (default: 8)")
    make.add_argument("--press", default="emu://line", metavar="URL", help="the virtual line (default: emu://line)")
    make.add_argument("--start", default="warm", choices=STARTS, help="where the line stands (default: warm)")
    make.add_argument("--seed", type=seed, default=0, help="of all random streams (default: 0)")
    make.add_argument(
        "--roll-length", type=_metres, default=0.0, metavar="M",
        help="film on a full roll, m (default: what the winder is built for, 500)",
    )  # fmt: skip
    make.add_argument("--ignore-claims", action="store_true", help="make it even if a claim forbids the product")
    make.add_argument("--out", type=Path, default=LATEST.parent, help=f"folder (default: {LATEST.parent})")
    make.set_defaults(run=_make)
    trace = commands.add_parser(
        "trace",
        help="say what happened to a piece of film: from a metre of a roll back to the lot",
        description="Say what happened to a piece of film: from a metre of a roll back to the lot.",
        epilog=TRACE_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    trace.add_argument("roll", nargs="?", type=_roll, help="number of the roll, from 1")
    trace.add_argument("metre", nargs="?", type=_metre, help="of film from its core, m")
    trace.add_argument("--piece", type=_piece, metavar="N", help="a piece by its number instead, scrap too")
    trace.add_argument(
        "--rolls", type=Path, default=LATEST, metavar="FILE", help=f"roll map, or its folder (default: {LATEST})"
    )
    trace.add_argument("--json", action="store_true", help="as JSON")
    trace.set_defaults(run=_trace)


# -- make ---------------------------------------------------------------------------------------------


def _make(arguments: argparse.Namespace) -> int:
    from rig.hil import is_snapshot, with_query  # noqa: PLC0415 - pytest is heavy
    from rig.shift import ShiftPlan, run_shift, write_shift  # noqa: PLC0415 - the virtual line is heavy

    try:
        product = load_product(arguments.product)
    except RecipeError as error:
        raise UsageError(str(error)) from error
    if is_snapshot(arguments.press) or not arguments.press.startswith("emu://line"):
        raise UsageError(
            f"--press {arguments.press}: a shift is made on the virtual line, which knows what became of every piece; "
            "give emu://line, with ?… for what it is made from"
        )
    if _forbidden(product) and not arguments.ignore_claims:
        print("not made: change the recipe, or make it anyway with --ignore-claims")
        return 1
    _make_writable(arguments.out)
    url = with_query(arguments.press, product=arguments.product, start=arguments.start, seed=arguments.seed)
    plan = ShiftPlan(
        product,
        url,
        arguments.hours,
        enforce_claims=not arguments.ignore_claims,
        roll_length_m=arguments.roll_length,
        take_over=arguments.start == "running",
    )
    print(
        f"{product.name}: {plan.hours:g} h of production, {plan.length_m:.0f} m of sheet, on {url}; "
        "Ctrl-C ends the shift and keeps what there is",
        flush=True,
    )
    progress = _Progress()
    shift = run_shift(plan, progress.told)
    progress.end()
    paths = write_shift(shift, arguments.out)
    _print_summary(shift)
    print(*paths, sep="\n")
    if shift.interrupted:
        return INTERRUPTED
    return int(bool(shift.ending) or any(roll.grade != "released" for roll in shift.rolls) or not shift.rolls)


def _forbidden(product: Product) -> bool:
    """Whether a claim is against the product; says which and why."""
    issues = check_product(product, pressing_length_m=load_machine_facts().pressing_length_m)
    for issue in issues:
        print(f"{issue.claim}: {issue.message}")
    return bool(issues)


def _make_writable(folder: Path) -> None:
    """Find out before minutes are spent, not after."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {folder} cannot be made: {error.strerror}; choose another folder") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise UsageError(f"--out {folder} cannot be written to: permission denied; choose another folder")


class _Progress:
    """How a shift goes: a line that is rewritten on a terminal; elsewhere one per half hour and change of state."""

    def __init__(self) -> None:
        from rig.clock import wall_s  # noqa: PLC0415

        self._wall_s, self._begun_s = wall_s, wall_s()
        self._terminal = sys.stdout.isatty()
        self._last: tuple[str, int] = "", -1

    def told(self, shift: Shift) -> None:
        """The shift has gone a step."""
        now = shift.state, int(shift.press_s // TOLD_EVERY_S)
        if self._terminal:
            print(ERASE + self._line(shift), end="", flush=True)
        elif now != self._last:
            print(self._line(shift), flush=True)
        self._last = now

    def end(self) -> None:
        """Leave the line that is rewritten."""
        if self._terminal:
            print()

    def _line(self, shift: Shift) -> str:
        controller = shift.controller
        minutes = int(shift.press_s // 60.0)
        times = shift.press_s / max(self._wall_s() - self._begun_s, 1e-9)
        rolls = controller.rolls()
        judged = sum(roll.grade != "not judged" for roll in rolls)
        return (
            f"{minutes // 60:3}:{minutes % 60:02} h  {shift.state:<8} {times:5.0f} ×  "
            f"sheet {controller.fed_m:6.1f} of {shift.plan.length_m:.0f} m  film {shift.film_m:7.1f} m  "
            f"rolls {len(rolls)} ({judged} judged)  {controller.message}"
        ).rstrip()


def _print_summary(shift: Shift) -> None:
    from rig.shift.files import summary  # noqa: PLC0415

    told = summary(shift)
    lots = len(told["lots"])
    print(
        f"\n{told['film_m']:.1f} m of film on {len(shift.rolls)} roll{'' if len(shift.rolls) == 1 else 's'}, "
        f"{told['film_released_m']:.1f} m of it released; {lots} lot{'' if lots == 1 else 's'} of raw material; "
        f"{shift.press_s / 3600.0:.1f} h of press time in {shift.wall_s:.0f} s"
    )
    for roll in shift.rolls:
        print(f"  roll {roll.number:<3}{roll.length_m:8.1f} m  {roll.grade}{': ' + roll.reason if roll.reason else ''}")
        if roll.sample is not None:
            read = roll.sample.values
            print("      " + ", ".join(f"{_short(name)} {FILM_PROPERTIES[name].text(read[name])}" for name in read))
    ended = max(told["sheet_ended_m"], 1e-9)
    print(
        f"yield: {100.0 * told['sheet_in_film_m'] / ended:.1f} % of {told['sheet_ended_m']:.1f} m of sheet became film"
    )
    for reason, length_m in told["scrap_m"].items():
        print(f"  scrap {length_m:7.1f} m  {reason}: {SCRAP_REASONS[reason]}")
    if shift.ending:
        print(f"ended early: {shift.ending}")


def _short(name: str) -> str:
    """A property's name without its unit."""
    return name.rsplit("_", 1)[0].replace("_105c", "").replace("_", " ")


# -- trace --------------------------------------------------------------------------------------------


def _trace(arguments: argparse.Namespace) -> int:
    by_place = arguments.roll is not None or arguments.metre is not None
    if by_place == (arguments.piece is not None):
        raise UsageError("name one place: a roll and a metre, as in `press-rig trace 1 120.5`, or --piece N")
    path = arguments.rolls
    if path.is_dir():
        path = path / LATEST.name
    if not path.exists():
        first = "no shift has been made here yet" if path == LATEST else f"there is no roll map {path}"
        raise UsageError(f"{first}; `press-rig make standard-25um` leaves one, and --rolls names another")
    rolls = read_rolls(path)
    if arguments.piece is not None:
        history = history_of(rolls, arguments.piece)
    elif arguments.metre is None:
        end_m = rolls.length_m(arguments.roll)
        raise UsageError(f"roll {arguments.roll} has {end_m:.2f} m of film; give a metre from 0 to {end_m:.2f} as well")
    else:
        history = history_at(rolls, arguments.roll, arguments.metre)
    print(json.dumps(history.as_json(), indent=1, ensure_ascii=False) if arguments.json else history.as_text())
    return 0


# -- numbers ------------------------------------------------------------------------------------------


def _hours(text: str) -> float:
    return _between(text, 0.0, LONGEST_H, "hours")


def _metres(text: str) -> float:
    return _between(text, 0.0, 6500.0, "metres")


def _between(text: str, above: float, most: float, what: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = above
    if not above < value <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of {what} above {above:g}, {most:g} at most")
    return value


def _metre(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is no metre of film, such as 120.5")
    return value


def _roll(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of a roll, such as 1")
    return int(text)


def _piece(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of a piece, such as 4711")
    return int(text)
