"""The commands for a press that runs already: `press-rig inject`, `state`, `time` and `control`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rig.cli_faults import faults_table
from rig.cli_snapshot import positive, seconds
from rig.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["add_control_commands"]

Commands = argparse._SubParsersAction  # the type that add_subparsers returns has no public name


def add_control_commands(commands: Commands[argparse.ArgumentParser]) -> None:
    """Everything that asks a running press."""
    _add_inject(commands)
    _add_state(commands)
    _add_time(commands)
    _add_control(commands)


def _command(commands: Commands[argparse.ArgumentParser], name: str, text: str, epilog: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--control", type=Path, metavar="PATH", help="control socket of the press, if several run (or it is elsewhere)"
    )
    return parser


# -- inject -------------------------------------------------------------------------------------------


def _add_inject(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "inject", "let something go wrong with a running press, or on its line",
        "examples:\n"
        "  press-rig inject --list                                  what can go wrong (press-rig faults says more)\n"
        "  press-rig inject heater_lost target=heat_2_upper         a heater is gone\n"
        "  press-rig inject sensor_drift target=exit_thickness_um amount=1 onset_s=300\n"
        "  press-rig inject coolant_pump_weak amount=0.5 for_s=60 onset=intermittent\n"
        "  press-rig inject lost_bytes amount=2 nth=3               two bytes of the third answer from now\n"
        "  press-rig inject noise amount=1e-4 times=all for_s=60    a bad cable for a minute\n"
        "  press-rig inject delayed amount=0.3 probability=0.1 times=all\n"
        "  press-rig inject unplugged amount=5 after_s=10           the adapter is pulled in 10 s, for 5 s\n"
        "  press-rig inject unplugged device=ttyUSB1                and put back under another name\n"
        "  press-rig inject brown_out amount=1 nth=20               the supply fails within the 20th answer from now\n"
        "  press-rig inject --faults                                what stands, and how often it has shown\n"
        "  press-rig inject --withdraw 3                            end fault 3 (all: every one)\n"
        "\n"
        "options of every fault: amount, after_s, for_s (from when on and how long, press seconds)\n"
        "of those of the press: target, onset (step, ramp, intermittent), onset_s\n"
        "of those of the line: unit (address)\n"
        "of those that strike frames: direction (request or response), nth, probability, times (a number, or all)\n"
        "  (the others begin with such a frame then, in the middle of an answer for example)\n"
        "of unplugged: device (name that the adapter is put back under)\n"
        "docs/faults.md says what each of them does. `press-rig control disturb` sets any physical quantity.\n",
    )  # fmt: skip
    parser.add_argument("kind", nargs="?", help="what goes wrong")
    parser.add_argument("option", nargs="*", metavar="NAME=VALUE", help="how much, when, how often")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--list", action="store_true", help="list what can go wrong; no press needs to run")
    instead.add_argument("--faults", action="store_true", help="list what was injected, and how often it has shown")
    instead.add_argument("--withdraw", metavar="NUMBER", help="end a fault by its number, or all")
    parser.set_defaults(run=_inject)


def _inject(arguments: argparse.Namespace) -> int:
    given = arguments.list or arguments.faults or arguments.withdraw is not None
    if bool(arguments.kind) == given:
        raise UsageError(
            "say what is to go wrong, or one of --list, --faults and --withdraw; `press-rig inject --help` has examples"
        )
    if arguments.list:
        from rig.virtual import FAULT_KINDS  # noqa: PLC0415 - heavy, and only this list needs it

        _show(faults_table(FAULT_KINDS))
        return 0
    options = _options(arguments.option)
    from rig.control import open_control  # noqa: PLC0415

    with open_control(arguments.control) as control:
        if arguments.faults:
            _show(_faults_table(control.ask("faults")["faults"]))
        elif arguments.withdraw is not None:
            which = {} if arguments.withdraw == "all" else {"number": arguments.withdraw}
            ended = control.ask("withdraw", **which)["withdrawn"]
            print(f"ended: fault {', '.join(map(str, ended))}" if ended else "no fault stood")
        else:
            answer = control.ask("inject", kind=arguments.kind, **options)
            number = answer["number"]
            print(
                f"fault {number}, {arguments.kind}, at {answer['time_s']:.3f} s of press time; "
                f"`press-rig inject --withdraw {number}` ends it"
            )
    return 0


# -- state --------------------------------------------------------------------------------------------


def _add_state(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "state", "show how a running press stands: time, mode, alarms, key signals, the line",
        "examples:\n  press-rig state\n  press-rig state --json | jq .line.struck\n",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="as one JSON object, for programs")
    parser.set_defaults(run=_state)


def _state(arguments: argparse.Namespace) -> int:
    from rig.control import open_control  # noqa: PLC0415

    with open_control(arguments.control) as control:
        state = control.ask("state")
    if arguments.json:
        print(json.dumps(state, indent=2, ensure_ascii=False))
    else:
        _show(_state_table(state))
    return 0


# -- time ---------------------------------------------------------------------------------------------


def _add_time(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "time", "tell or change the time of a running press",
        "examples:\n"
        "  press-rig time                    how late it is there, and how fast time passes\n"
        "  press-rig time --speed 10         ten press seconds per wall second from now on\n"
        "  press-rig time --pause            time stands still, and nothing is answered\n"
        "  press-rig time --continue\n"
        "  press-rig time --ahead 600        run ten minutes ahead as fast as it goes, then on as before\n",
    )  # fmt: skip
    parser.add_argument("--speed", type=positive, metavar="FACTOR", help="press seconds per wall second")
    stand = parser.add_mutually_exclusive_group()
    stand.add_argument("--pause", action="store_true", help="stop press time")
    stand.add_argument("--continue", dest="go_on", action="store_true", help="let it pass again")
    parser.add_argument("--ahead", type=seconds, metavar="SECONDS", help="run ahead so much press time, and wait")
    parser.set_defaults(run=_time)


def _time(arguments: argparse.Namespace) -> int:
    from rig.control import open_control  # noqa: PLC0415

    asked: dict[str, Any] = {}
    if arguments.speed is not None:
        asked["speed"] = arguments.speed
    if arguments.pause or arguments.go_on:
        asked["paused"] = bool(arguments.pause)
    if arguments.ahead is not None:
        asked["ahead_s"] = arguments.ahead
    with open_control(arguments.control) as control:
        print(f"press time {_time_words(control.ask('time', **asked))}")
    return 0


# -- control ------------------------------------------------------------------------------------------


def _add_control(commands: Commands[argparse.ArgumentParser]) -> None:
    parser = _command(
        commands, "control", "give any order of the control socket to a running press, answer as JSON",
        "examples:\n"
        "  press-rig control help                                what can be ordered\n"
        "  press-rig control push_emergency_stop                 (or release_emergency_stop, open_guard, ...)\n"
        "  press-rig control disturb coolant_flow_scale=0.2      (calm ends all)\n"
        "  press-rig control snapshot path=now.snapshot          for `press-rig resume`\n"
        "  press-rig control signals names=exit_sheet_thickness_um\n",
    )  # fmt: skip
    parser.add_argument("order", help="name of the order")
    parser.add_argument("option", nargs="*", metavar="NAME=VALUE", help="lists as NAME=1,2,3")
    parser.set_defaults(run=_order)


def _order(arguments: argparse.Namespace) -> int:
    from rig.control import open_control  # noqa: PLC0415

    options = _options(arguments.option)
    if arguments.order == "snapshot" and "path" in options:
        options["path"] = str(Path(str(options["path"])).absolute())  # the press has another folder than we
    with open_control(arguments.control) as control:
        print(json.dumps(control.ask(arguments.order, **options), indent=2, ensure_ascii=False))
    return 0


# -- words --------------------------------------------------------------------------------------------


def _options(words: Sequence[str]) -> dict[str, Any]:
    """Options by name from NAME=VALUE words."""
    options: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name or name in ("command", "id"):
            raise UsageError(f"{word!r} is not an option; options are NAME=VALUE, as in amount=2")
        if name in options:
            raise UsageError(f"option {name} is there twice")
        options[name] = [_value(part) for part in text.split(",")] if "," in text else _value(text)
    return options


def _value(text: str) -> Any:
    """A number, true or false where it is one; else the text."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _time_words(time: Mapping[str, Any]) -> str:
    pace = "stands still" if time["paused"] else "as fast as real"
    if time["speed"] != 1.0 and not time["paused"]:
        pace = f"{time['speed']:g} times {pace}"
    late = f"; {time['slipped_s']:.1f} s late, this machine is too slow" if time["slipped_s"] else ""
    return f"{_duration(time['time_s'])}, {pace}{late}"


def _duration(time_s: float) -> str:
    minutes, rest_s = divmod(time_s, 60.0)
    return f"{minutes:.0f} min {rest_s:.3f} s" if minutes else f"{rest_s:.3f} s"


def _show(table: Table) -> None:
    from rich.console import Console  # noqa: PLC0415

    Console().print(table)


def _table(*columns: str) -> Table:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _faults_table(faults: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("fault", "kind", "options", "from", "showed", "")
    options = ("target", "amount", "onset", "onset_s", "direction", "unit", "nth", "probability", "times", "device")
    usual = {"nth": 1, "probability": 1.0, "times": 1}
    for fault in faults:
        shown = [f"{name}={fault[name]}" for name in options if fault.get(name) not in (None, usual.get(name))]
        if "times" in fault and fault["times"] is None:
            shown.append("times=all")
        stands = "[bold yellow]stands[/]" if fault["standing"] else "[dim]over[/]"
        if fault["cleared"] is False:
            stands = "[bold red]over, and still acts[/]"
        table.add_row(
            str(fault["number"]), f"[bold cyan]{fault['kind']}[/]", " ".join(shown),
            f"{fault['from_s']:.3f} s", str(fault["evidence"]), stands,
        )  # fmt: skip
    return table


def _state_table(state: Mapping[str, Any]) -> Table:
    table = _table("press", "")
    alarms = ", ".join(state["alarms"])
    table.add_row("time", _time_words(state))
    table.add_row("mode", f"[bold]{state['mode']}[/]" if state["node_on"] else "[bold red]node without supply[/]")
    if off := [name for name, is_on in state["nodes_on"].items() if not is_on and name != "press"]:
        table.add_row("nodes", f"[bold red]{', '.join(off)} without supply[/]")
    table.add_row("alarms", f"[bold red]{alarms}[/], first {state['first_out_alarm']}" if alarms else "[green]none[/]")
    hands = [word for word in ("emergency_stop_pressed", "guard_open", "alarm_wire_cut") if state[word]]
    table.add_row("by hand", f"[yellow]{', '.join(hands)}[/]" if hands else "nothing")
    for name, value in state["signals"].items():
        table.add_row(name, "–" if value is None else f"{value:.6g}")
    for name, value in state["disturbed"].items():
        table.add_row(name, f"[yellow]disturbed: {value}[/]")
    happened = [f"{name} {count}" for name, count in state["line"].items() if count]
    faults = f"[bold yellow]{state['faults']} faults stand[/]" if state["faults"] else "no fault stands"
    pulled = "" if state["plugged"] else "[bold red]adapter pulled[/]; "
    table.add_row("line", f"{pulled}{faults}; {', '.join(happened) or 'nothing has happened'}")
    table.add_row("masters at", ", ".join(state["endpoints"]["urls"]))
    return table
