"""The commands around kept presses: `press-rig resume` and `press-rig cache`, and the words shared with others."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from rig.errors import UsageError
from rig.protocol.timing import FASTEST_BAUD, SLOWEST_BAUD

if TYPE_CHECKING:
    from rig.virtual import Serving

__all__ = ["add_cache", "add_resume", "add_where", "baudrate", "positive", "positive_int", "seconds", "seed", "serving"]

LARGEST, LARGEST_INT = 1e6, 10**9
"""Beyond these a number on the command line is a slip."""
SEED_DIGITS = 18
Commands = argparse._SubParsersAction  # the type that add_subparsers returns has no public name


def positive(text: str) -> float:
    """A number above 0."""
    value = _number(text)
    if not 0.0 < value < LARGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0 and below {LARGEST:,.0f}")
    return value


def positive_int(text: str) -> int:
    """A whole number from 1 on."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < LARGEST_INT):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {LARGEST_INT - 1:,}")
    return int(text)


def baudrate(text: str) -> int:
    """A speed that serial ports can be set to, bit/s."""
    if not (text.isascii() and text.isdigit() and SLOWEST_BAUD <= int(text) <= FASTEST_BAUD):
        raise argparse.ArgumentTypeError(f"{text!r} is no line rate from {SLOWEST_BAUD} to {FASTEST_BAUD:,} bit/s")
    return int(text)


def seed(text: str) -> int:
    """A whole number from 0 on, of as many digits as fit into 63 bits."""
    if not (text.isascii() and text.isdigit() and len(text) <= SEED_DIGITS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on, of {SEED_DIGITS} digits at most")
    return int(text)


def seconds(text: str) -> float:
    """A time from 0 on."""
    value = _number(text)
    if not 0.0 <= value < LARGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time in seconds from 0 to {LARGEST:,.0f}")
    return value


def _number(text: str) -> float:
    """A number; what is none is not a number."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def add_where(parser: argparse.ArgumentParser) -> None:
    """Where and how fast a press is served."""
    where = parser.add_argument_group(
        "where masters come in", "any of these, also several at once; a pseudo-terminal if none is given"
    )
    where.add_argument("--link", type=Path, metavar="PATH", help="a pseudo-terminal with a symbolic link to it")
    where.add_argument("--tcp", metavar="[HOST:]PORT", help="TCP with Modbus RTU frames (socket://)")
    where.add_argument("--modbus-tcp", metavar="[HOST:]PORT", help="Modbus TCP, as a gateway to the line")
    where.add_argument("--rfc2217", metavar="[HOST:]PORT", help="serial port over the network, with its baud rate")
    where.add_argument("--listen", metavar="ADDR", help="listen there, not on 127.0.0.1; needs --allow")
    where.add_argument("--allow", metavar="CIDR[,CIDR]", help="networks from which clients may come then")
    parser.add_argument("--speed", type=positive, default=1.0, help="press seconds per wall second (default: 1)")
    parser.add_argument(
        "--no-baud-limit", dest="baud_limit", action="store_false",
        help="bytes take no time and answers go out as soon as they are known; for load, not for timing",
    )  # fmt: skip
    parser.add_argument(
        "--control", metavar="PATH",
        help="where to put the control socket for `press-rig inject`, `state` and `time` (default: in the user's "
        "runtime or cache folder; off: none)",
    )  # fmt: skip


def serving(arguments: argparse.Namespace) -> Serving:
    """What `add_where` has asked for."""
    from rig.virtual import Places, Serving  # noqa: PLC0415 - heavy, and only commands with a virtual press need it

    places = Places(
        link=arguments.link,
        tcp=arguments.tcp,
        modbus_tcp=arguments.modbus_tcp,
        rfc2217=arguments.rfc2217,
        listen=arguments.listen,
        allow=arguments.allow,
    )
    return Serving(places, arguments.speed, arguments.control, arguments.baud_limit)


def add_resume(commands: Commands[argparse.ArgumentParser]) -> None:
    """`press-rig resume`."""
    text = "open the virtual press of a snapshot, say what it holds, and serve it from there on"
    parser = commands.add_parser(
        "resume", help=text, description=text[0].upper() + text[1:] + ".",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n"
        "  press-rig resume out/hil/latest/film.snapshot                       on a pseudo-terminal\n"
        "  press-rig read mode --press 'emu://?snapshot=out/hil/latest/film.snapshot'\n",
    )  # fmt: skip
    parser.add_argument("snapshot", type=Path, help="file that a failed test left next to the report")
    add_where(parser)
    parser.set_defaults(run=_resume)


def _resume(arguments: argparse.Namespace) -> int:
    from rig.virtual import resume  # noqa: PLC0415 - heavy, and only commands with a virtual press need it

    resume(arguments.snapshot, serving(arguments), lambda text: print(text, flush=True))
    return 0


def add_cache(commands: Commands[argparse.ArgumentParser]) -> None:
    """`press-rig cache`."""
    text = "show what is kept in the user's cache folder, or remove it"
    parser = commands.add_parser(
        "cache", help=text, description=text[0].upper() + text[1:] + ".",
        epilog="The environment variable PRESS_RIG_CACHE moves the folder; PRESS_RIG_CACHE=off keeps nothing.",
    )  # fmt: skip
    parser.add_argument("--clear", action="store_true", help="remove everything; it is made again when needed")
    parser.set_defaults(run=_cache)


def _cache(arguments: argparse.Namespace) -> int:
    from rig.virtual import user_cache  # noqa: PLC0415

    place = user_cache.folder()
    if place is None:
        print(f"nothing is kept: {user_cache.VARIABLE} is off")
        return 0
    if arguments.clear:
        count = user_cache.clear()
        print(f"removed {count} warm states from {place}")
        return 0
    if place.exists() and not place.is_dir():
        raise UsageError(f"{place} is not a folder, so nothing is kept; {user_cache.VARIABLE} moves the folder")
    files = list(user_cache.entries())
    for path, size in files:
        print(f"{size / 1024:8.0f} KiB  {path.name}")
    total = sum(size for _, size in files) / 1024
    print(f"{total:8.0f} KiB  in {len(files)} warm states in {place}")
    return 0
