"""The command line: `press-rig COMMAND`, the same as `python -m rig COMMAND`.

Thin: each command parses its words, calls the room that does the work, and turns a `RigError` into
one sentence and an exit code (see `rig.errors`). 130 is Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from types import FrameType

from rig.cli_control import add_control_commands
from rig.cli_faults import add_faults_command
from rig.cli_make import add_make
from rig.cli_nightly import add_nightly
from rig.cli_products import add_products
from rig.cli_rules import add_rules_commands
from rig.cli_search import add_search_commands
from rig.cli_snapshot import add_cache, add_resume, add_where, baudrate, positive, positive_int, seconds, seed, serving
from rig.cli_sniff import add_sniff
from rig.cli_worst import add_worst_commands
from rig.errors import BusError, RigError, UsageError

__all__ = ["main"]

INTERRUPTED = 130

EPILOG = """\
a press is named by URL:
  emu://                      the virtual press in this process, in virtual time
  emu://?start=warm&seed=7    the same, warm, with another seed (`press-rig emulate --help` lists all)
  emu://?snapshot=PATH        the press of a snapshot that a failed test left (`press-rig resume`)
  /dev/ttyUSB0                a real press, or a pseudo-terminal that `press-rig emulate` serves
  '/dev/ttyUSB*'              the only one there; found again after it was pulled, whatever its number then
  socket://127.0.0.1:5020     Modbus RTU over TCP
  rfc2217://127.0.0.1:2217    a serial port over the network

exit codes:
  0 all green   1 a requirement, a test or a line listened to is red   2 wrong usage or input
  3 port, bus, or the executed firmware   4 write refused by the safety envelope
  5 the controller failed   130 interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if not hasattr(arguments, "run"):
        parser.print_help()
        return UsageError.exit_code
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code: int = arguments.run(arguments)
    except RigError as error:
        print(f"press-rig: {error}", file=sys.stderr)
        return error.exit_code
    except RuntimeError as error:
        from rig.virtual import FirmwareFault  # noqa: PLC0415 - heavy, and there already if it is one

        if not isinstance(error, FirmwareFault):
            raise
        print(f"press-rig: {error}", file=sys.stderr)
        return BusError.exit_code
    except KeyboardInterrupt:
        print("\npress-rig: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # the reader of a pipe (`| head`) has gone: nothing more to say, and nobody to say it to
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _terminate(signum: int, frame: FrameType | None) -> None:
    """A polite kill is treated like Ctrl-C, so that the press is left safe."""
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="press-rig",
        description="A virtual double-belt press on a serial port, and the bench to test its controller on.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"press-rig {metadata.version('press-rig')}")
    commands: Commands[argparse.ArgumentParser] = parser.add_subparsers(
        title="commands", metavar="COMMAND", parser_class=_Command
    )
    _add_hil(commands)
    _add_emulate(commands)
    add_resume(commands)
    add_search_commands(commands)
    add_worst_commands(commands)
    add_nightly(commands)
    add_rules_commands(commands)
    add_faults_command(commands)
    add_control_commands(commands)
    add_sniff(commands)
    _add_read(commands)
    _add_tags(commands)
    _add_recipes(commands)
    add_products(commands)
    add_make(commands)
    _add_explore(commands)
    _add_ports(commands)
    add_cache(commands)
    _add_docs(commands)
    return parser


class _Command(argparse.ArgumentParser):
    """Tells of options that it does not know with its own usage, not with that of `press-rig`."""

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[no-untyped-def]  # overloaded upstream
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown


Commands = argparse._SubParsersAction  # the type that add_subparsers returns has no public name


def _command(
    commands: Commands[argparse.ArgumentParser], name: str, text: str, epilog: str = ""
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_press(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--press", default="emu://", metavar="URL", help="which press (default: emu://)")
    parser.add_argument("--arm", action="store_true", help="allow writes to a press that is not virtual")
    parser.add_argument("--baud", type=baudrate, default=115_200, help="line rate, bit/s (default: 115200)")
    parser.add_argument(
        "--speed", type=positive, default=1.0, metavar="FACTOR",
        help="press seconds per wall second at the other end, as given to `press-rig emulate` (default: 1)",
    )  # fmt: skip
    _add_wiring(parser)


def _add_wiring(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wiring", default="", metavar="NAME",
        help="nodes that the press has on the line, multi-drop for example (default: one-node; emu:// knows by itself)",
    )  # fmt: skip


# -- hil ----------------------------------------------------------------------------------------------


def _add_hil(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "hil", "run the HIL suite against a press and write a report",
        "examples:\n"
        "  press-rig hil                                        reference controller, virtual press\n"
        "  press-rig hil --controller mine.press:make           your controller\n"
        "  press-rig hil --controller firmware:firmware_stubs/controller   a board: its program, executed\n"
        "  press-rig hil -k emergency_stop                      some of the tests\n"
        "  press-rig hil --press /dev/ttyUSB0 --arm             the real press\n",
    )  # fmt: skip
    _add_press(parser)
    parser.add_argument(
        "--controller", default="rig.controller:make_controller", metavar="MODULE:FACTORY",
        help="what makes the controller under test (default: rig.controller:make_controller); or firmware:PATH, the "
        "sources or the ELF file of an embedded one (docs/controller.md)",
    )  # fmt: skip
    parser.add_argument(
        "--profile",
        default="dev",
        choices=("dev", "ci"),
        help="how many examples the property tests try (default: dev)",
    )
    parser.add_argument(
        "--seed", type=seed, default=0, help="seed of the virtual press and of the examples (default: 0)"
    )
    parser.add_argument("--recipe", default="reference", help="recipe to produce: name or path (default: reference)")
    parser.add_argument("--out", type=Path, default=Path("out/hil"), help="where reports go (default: out/hil)")
    parser.add_argument("-k", dest="select", default="", metavar="EXPRESSION", help="run only tests that match")
    parser.add_argument(
        "--rewind", type=seconds, default=60.0, metavar="SECONDS",
        help="keep the virtual press as it was so long before the first violation; 0 keeps nothing (default: 60)",
    )  # fmt: skip
    parser.add_argument(
        "suite", nargs="?", help="folder, file or one test (file.py::name) (default: the suite of the rig)"
    )
    parser.set_defaults(run=_hil)


def _hil(arguments: argparse.Namespace) -> int:
    from rig.hil import HilOptions, run_hil  # noqa: PLC0415 - pytest is heavy, and other commands do not need it

    return run_hil(
        HilOptions(
            press=arguments.press,
            controller=arguments.controller,
            profile=arguments.profile,
            seed=arguments.seed,
            recipe=arguments.recipe,
            armed=arguments.arm,
            speed=arguments.speed,
            baudrate=arguments.baud,
            out=arguments.out,
            select=arguments.select,
            suite=arguments.suite,
            rewind_s=arguments.rewind,
            wiring=arguments.wiring,
        )
    )


# -- emulate ------------------------------------------------------------------------------------------


def _add_emulate(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "emulate", "serve the virtual press to other programs in wall-clock time",
        "examples:\n"
        "  press-rig emulate                            on a pseudo-terminal, prints its path\n"
        "  press-rig emulate --link /tmp/press          the same, with a path that stays\n"
        "  press-rig emulate --tcp 5020                 Modbus RTU over TCP\n"
        "  press-rig emulate --modbus-tcp 1502 --link /tmp/press\n"
        "  press-rig emulate --rfc2217 2217 --listen 192.168.1.5 --allow 192.168.1.0/24\n"
        "  press-rig emulate --speed 10 --start running\n",
    )  # fmt: skip
    add_where(parser)
    parser.add_argument("--machine", default="reference", help="machine: name or path of a TOML file")
    parser.add_argument("--material", default="g20", help="gel: name or path of a TOML file")
    parser.add_argument("--recipe", default="reference", help="what the upstream process delivers: name or path")
    parser.add_argument("--seed", type=seed, default=0, help="seed of all random streams (default: 0)")
    parser.add_argument("--start", default="cold", help="cold, warm or running (default: cold)")
    parser.add_argument("--baud", type=baudrate, help="answer at this rate only (default: follow the master)")
    parser.add_argument("--parity", help="N, E or O: answer at this parity only (default: follow the master)")
    parser.add_argument("--gaps", default="lax", help="strict: discard requests with pauses of over 1.5 characters")
    parser.add_argument("--identity", default="virtual", help="virtual, or real to try out the safety envelope")
    parser.add_argument("--sensors", default="reference", help="instruments: name or path of a TOML file")
    parser.add_argument("--node", default="press", help="settings of the I/O node: name or path of a TOML file")
    parser.add_argument(
        "--adapter", default="ideal", help="the master's adapter, ftdi-16ms for example (docs/faults.md lists them)"
    )
    parser.add_argument("--wiring", default="one-node", help="one-node, or multi-drop: several nodes on the line")
    parser.set_defaults(run=_emulate)


def _emulate(arguments: argparse.Namespace) -> int:
    from rig.virtual import WorldConfig, emulate  # noqa: PLC0415 - only this command serves a world

    try:
        config = WorldConfig(
            machine=arguments.machine,
            material=arguments.material,
            recipe=arguments.recipe,
            seed=arguments.seed,
            start=arguments.start,
            identity=arguments.identity,
            baud=arguments.baud,
            parity=arguments.parity,
            gaps=arguments.gaps,
            sensors=arguments.sensors,
            node=arguments.node,
            adapter=arguments.adapter,
            wiring=arguments.wiring,
        )
    except ValueError as error:
        raise UsageError(str(error)) from error
    emulate(config, serving(arguments), lambda text: print(text, flush=True))
    return 0


# -- looking at things ----------------------------------------------------------------------------------


def _add_read(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "read", "read tags of a press",
        "examples:\n  press-rig read zone_temperatures --press 'emu://?start=warm'\n"
        "  press-rig read mode alarm_word uptime_s --press /dev/ttyUSB0\n",
    )  # fmt: skip
    parser.add_argument("tag", nargs="+", help="tags or tag groups (`press-rig tags` lists them)")
    parser.add_argument("--press", default="emu://", metavar="URL", help="which press (default: emu://)")
    parser.add_argument("--baud", type=baudrate, default=115_200, help="line rate, bit/s (default: 115200)")
    _add_wiring(parser)
    parser.set_defaults(run=_read)


def _read(arguments: argparse.Namespace) -> int:
    from rig.bench import open_press  # noqa: PLC0415
    from rig.protocol.docs import show_value  # noqa: PLC0415

    with open_press(arguments.press, baudrate=arguments.baud, record=False, wiring=arguments.wiring) as bench:
        values = bench.read(*arguments.tag)
        width = max(len(name) for name in values)
        for name, value in values.items():
            print(f"{name:<{width}}  {show_value(bench.registers[name], value)}")
    return 0


def _add_tags(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "tags", "list all tags: name, register, unit, limits, meaning")
    parser.add_argument("group", nargs="?", help="only this group")
    _add_wiring(parser)
    parser.set_defaults(run=_tags)


def _tags(arguments: argparse.Namespace) -> int:
    from rig.protocol.docs import list_tags  # noqa: PLC0415
    from rig.wiring import registers_of  # noqa: PLC0415

    registers = registers_of(arguments.wiring)
    try:
        tags = registers.expand([arguments.group]) if arguments.group else tuple(registers.tags.values())
    except KeyError as error:
        raise UsageError(str(error.args[0])) from None
    print("\n".join(list_tags(tags)))
    return 0


def _add_recipes(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "recipes", "list the recipes, or check one")
    parser.add_argument("recipe", nargs="?", help="name or path of a recipe to check")
    parser.set_defaults(run=_recipes)


def _recipes(arguments: argparse.Namespace) -> int:
    from rig.controller.machine_facts import load_machine_facts  # noqa: PLC0415
    from rig.recipe import RecipeError, check_claims, list_recipes, load_recipe  # noqa: PLC0415

    length_m = load_machine_facts().pressing_length_m
    red = False
    for name in [arguments.recipe] if arguments.recipe else list_recipes():
        try:
            recipe = load_recipe(name)
        except RecipeError as error:
            raise UsageError(str(error)) from error
        print(f"{name}: {recipe.description} ({recipe.source})")
        for issue in check_claims(recipe, pressing_length_m=length_m):
            red = True
            print(f"  {issue.claim}: {issue.message}")
    return int(red and arguments.recipe is not None)


def _add_explore(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "explore", "draw the operating window of a press over two settings",
        "examples:\n"
        "  press-rig explore                                          hot temperature and speed\n"
        "  press-rig explore roller_pitch_mm clearance_um             other two, over their usual ranges\n"
        "  press-rig explore hot_temperature_c=95:130:8 speed_m_min=0.5:8:8 --set cold_temperature_c=25\n"
        "\n"
        "variables: hot_temperature_c, speed_m_min, cold_temperature_c, clearance_um, roller_pitch_mm, solids_percent\n"
        "\n"
        "Each point is the virtual press in its settled state. Writes operating-window.png, operating-window.csv (one\n"
        "line per point) and operating-window.json (what was computed). Ctrl-C keeps what is there.\n",
    )  # fmt: skip
    parser.add_argument(
        "axis", nargs="*", metavar="NAME[=FROM:TO:COUNT]",
        help="two variables, x and y (default: hot_temperature_c speed_m_min)",
    )  # fmt: skip
    parser.add_argument(
        "--set", dest="held", action="append", default=[], metavar="NAME=VALUE", help="hold another variable"
    )
    parser.add_argument("--machine", default="reference", help="machine: name or path of a TOML file")
    parser.add_argument("--material", default="g20", help="gel: name or path of a TOML file")
    parser.add_argument("--recipe", default="reference", help="where everything else stands: name or path")
    parser.add_argument("--workers", type=positive_int, metavar="N", help="processes (default: one per core)")
    parser.add_argument("--out", type=Path, default=Path("out/explore"), help="folder (default: out/explore)")
    parser.set_defaults(run=_explore)


def _explore(arguments: argparse.Namespace) -> int:
    from rig.explore.command import Request, explore  # noqa: PLC0415 - matplotlib and the press model are heavy

    complete = explore(
        Request(
            axes=tuple(arguments.axis),
            held=tuple(arguments.held),
            machine=arguments.machine,
            material=arguments.material,
            recipe=arguments.recipe,
            workers=arguments.workers,
            out=arguments.out,
        )
    )
    return 0 if complete else INTERRUPTED


def _add_ports(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "ports", "list the serial ports of this machine")
    parser.set_defaults(run=_ports)


def _ports(arguments: argparse.Namespace) -> int:
    from serial.tools.list_ports import comports  # noqa: PLC0415

    ports = sorted(comports())
    for port in ports:
        print(f"{port.device}  {port.description}")
    if not ports:
        print("no serial ports here; `press-rig emulate` makes one")
    return 0


def _add_docs(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "docs", "make the generated parts of docs/ from their sources")
    parser.add_argument("--check", action="store_true", help="change nothing; fail if something is out of date")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("docs"))
    parser.set_defaults(run=_docs)


def _docs(arguments: argparse.Namespace) -> int:
    from rig.docs import PAGES, refreshed  # noqa: PLC0415

    outdated = 0
    for page in PAGES:
        path = arguments.folder / page
        try:
            current = path.read_text(encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}; run this in the project's folder") from error
        try:
            fresh = refreshed(page, current)
        except ValueError as error:
            raise UsageError(f"{path}: {error}; it is not the page of this project") from error
        if fresh == current:
            print(f"{path} is up to date")
        elif arguments.check:
            outdated += 1
            print(f"{path} is out of date; run `make docs`")
        else:
            path.write_text(fresh, encoding="utf-8")
            print(f"{path} written")
    return 1 if outdated else 0
