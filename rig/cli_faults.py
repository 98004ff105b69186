"""`press-rig faults`: the catalogue of what can go wrong."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from rig.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["GROUPS", "add_faults_command", "amount_words", "faults_table", "strikes"]

GROUPS = ("sensor", "actuator", "machine", "material", "power", "wire")


def add_faults_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """`press-rig faults`."""
    text = "list what can go wrong with a virtual press, or say all of one fault"
    parser = commands.add_parser(
        "faults",
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=(
            "examples:\n"
            "  press-rig faults                      all of them\n"
            "  press-rig faults --group sensor       of sensors; also actuator, machine, material, power, wire\n"
            "  press-rig faults heater_lost          what it does, what can be chosen, who notices it\n"
            "  press-rig faults --json               for programs\n"
            "\n"
            "bench.virtual.inject(NAME, ...) lets one happen, `press-rig inject NAME ...` in a press that is served.\n"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", nargs="?", help="of a fault")
    parser.add_argument("--group", choices=GROUPS, help="only this group")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.set_defaults(run=_faults)


def _faults(arguments: argparse.Namespace) -> int:
    from rich.console import Console  # noqa: PLC0415

    from rig.virtual import FAULT_KINDS  # noqa: PLC0415 - heavy, and most commands do not need it

    name = arguments.name
    if name is not None and name not in FAULT_KINDS:
        near = get_close_matches(name, FAULT_KINDS, 1)
        hint = f"did you mean {near[0]!r}?" if near else "press-rig faults lists them"
        raise UsageError(f"there is no fault {name!r}; {hint}")
    if name is not None and arguments.group not in (None, FAULT_KINDS[name]["group"]):
        raise UsageError(f"fault {name} is of group {FAULT_KINDS[name]['group']}; leave out --group")
    kinds = {
        key: kind
        for key, kind in FAULT_KINDS.items()
        if name in (None, key) and arguments.group in (None, kind["group"])
    }
    if arguments.json:
        print(json.dumps(kinds, indent=2, ensure_ascii=False))
    elif name is None:
        Console().print(faults_table(kinds))
        print(f"{len(kinds)} faults; `press-rig faults NAME` says all of one")
    else:
        print("\n".join(_words(name, kinds[name])))
    return 0


def amount_words(kind: Mapping[str, Any]) -> str:
    """What the amount of a kind is, with usual value and range."""
    if not kind["amount"]:
        return ""
    unit = f" {kind['unit']}" if kind.get("unit") else ""
    return f"{kind['amount']}: {kind['usual']:g} ({kind['low']:g} … {kind['high']:g}){unit}"


def strikes(kind: Mapping[str, Any]) -> str:
    """What a kind strikes."""
    if kind["group"] == "wire":
        return " or ".join(kind["directions"]) or "the line, at a time"
    return kind["targets"] or "the press"


def faults_table(kinds: Mapping[str, Mapping[str, Any]]) -> Table:
    """One row per kind, by group."""
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("fault", no_wrap=True)
    table.add_column("strikes")
    table.add_column("what happens; amount: usual (range)")
    for group in GROUPS:
        of_group = {name: kind for name, kind in kinds.items() if kind["group"] == group}
        if of_group:
            table.add_row(f"[bold]{group}[/]", "", "")
        for name, kind in of_group.items():
            amount = f"\n[dim]{amount_words(kind)}[/]" if kind["amount"] else ""
            table.add_row(f"[bold cyan]{name}[/]", strikes(kind), kind["meaning"] + amount)
    return table


def _words(name: str, kind: Mapping[str, Any]) -> list[str]:
    """All of one kind, line by line."""
    lines = [f"{name} ({kind['group']}): {kind['meaning']}", f"  strikes      {strikes(kind)}"]
    if kind["amount"]:
        lines.append(f"  amount       {amount_words(kind)}")
    if kind["group"] == "wire":
        lines.append("  options      after_s, for_s, unit, direction, nth, probability, times (docs/faults.md)")
        return lines
    if kind["places"]:
        lines.append(f"  targets      {', '.join(kind['places'])}, all")
    elif kind["targets"]:
        lines.append(f"  targets      {'name of a node' if kind['targets'] == 'node' else 'name of a tag'}, or all")
    ends = "after for_s, or when it is withdrawn" if kind["reversible"] else "when it is withdrawn: it is mended then"
    lines += [
        f"  begins       {' or '.join(kind['onsets'])} (onset=…, onset_s=…), after_s from now",
        f"  ends         {ends}",
        f"  noticed      {kind['noticed_when']}, by {', '.join(kind['noticed_by'])}",
    ]
    target = f" target={kind['places'][0]}" if kind["places"] else " target=…" if kind["targets"] else ""
    return [*lines, f"  try          press-rig inject {name}{target}"]
