"""`press-rig rules` lists what must hold beside the claims; `press-rig judge` holds a recording against it."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rig.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from rig.requirements import Rule, RuleVerdict

__all__ = ["add_rules_commands"]

STYLES = {"pass": "green", "fail": "bold red", "not exercised": "dim", "not judged": "yellow"}
SIGNS = {"pass": "✓", "fail": "✗", "not exercised": "·", "not judged": "–"}

Commands = argparse._SubParsersAction  # the type that add_subparsers returns has no public name


def add_rules_commands(commands: Commands[argparse.ArgumentParser]) -> None:
    """`press-rig rules` and `press-rig judge`."""
    text = "list the rules that a run is held against beside the claims, or say all of one"
    rules = commands.add_parser(
        "rules",
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog="examples:\n  press-rig rules\n  press-rig rules SAF-05\n  press-rig rules --json\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    rules.add_argument("rule", nargs="?", help="id, such as SAF-05")
    rules.add_argument("--json", action="store_true", help="as one JSON object")
    rules.set_defaults(run=_rules)
    text = "hold a recording against the rules: what held, with what margin, and what was never put to the test"
    judge = commands.add_parser(
        "judge",
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=(
            "examples:\n"
            "  press-rig judge out/hil/latest/production.mf4\n"
            "  press-rig judge RECORDING.mf4 --rule SAF-05 --rule QUA-03\n"
            "  press-rig judge RECORDING.mf4 --json\n"
            "\n"
            "Exit code: 0 if nothing is broken, 1 if something is, 2 for what cannot be read.\n"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    judge.add_argument("recording", type=Path, help="an .mf4 file of press-rig")
    judge.add_argument("--rule", action="append", default=[], metavar="ID", help="only this rule (may be repeated)")
    judge.add_argument("--recipe", default="reference", help="what was made (press-rig recipes)")
    judge.add_argument("--json", action="store_true", help="as one JSON object")
    judge.set_defaults(run=_judge)


def _chosen(names: Sequence[str]) -> list[Rule]:
    from rig.requirements import load_rules  # noqa: PLC0415

    known = load_rules()
    for name in names:
        if name not in known:
            raise UsageError(
                f"there is no rule {name!r}; `press-rig rules` lists {len(known)}, such as {next(iter(known))}"
            )
    return [rule for rule in known.values() if not names or rule.id in names]


def _rules(arguments: argparse.Namespace) -> int:
    from rich.console import Console  # noqa: PLC0415

    rules = _chosen([arguments.rule] if arguments.rule else [])
    if arguments.json:
        hidden = ("cases", "id")
        told = {
            rule.id: {
                field.name: getattr(rule, field.name) for field in dataclasses.fields(rule) if field.name not in hidden
            }
            for rule in rules
        }
        print(json.dumps(told, indent=2, ensure_ascii=False))
    elif arguments.rule:
        print("\n".join(_words(rules[0])))
    else:
        Console().print(_rules_table(rules))
        print(f"{len(rules)} rules; `press-rig rules ID` says all of one")
    return 0


def _words(rule: Rule) -> list[str]:
    return [
        f"{rule.id} ({rule.severity}): {rule.title}",
        f"  {rule.text}",
        f"  source    {rule.source}",
        f"  about     the {rule.about}",
        f"  given     {' '.join((rule.given or 'always').split())}",
        f"  then      {' '.join(rule.then.split())}",
        f"  places    {len(rule.cases)}",
    ]


def _rules_table(rules: Sequence[Rule]) -> Table:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in ("rule", "severity", "what must hold"):
        table.add_column(column, no_wrap=column == "rule")
    for rule in rules:
        table.add_row(f"[bold cyan]{rule.id}[/]", rule.severity, f"{rule.title}\n[dim]{rule.text}[/]")
    return table


def _judge(arguments: argparse.Namespace) -> int:
    from rich.console import Console  # noqa: PLC0415

    from rig.recipe import RecipeError, load_recipe  # noqa: PLC0415
    from rig.requirements import judge_rules, recipe_constants  # noqa: PLC0415
    from rig.stl import trace_of  # noqa: PLC0415
    from rig.trace.mdf import RecordingError, read_recording  # noqa: PLC0415

    rules = _chosen(arguments.rule)
    try:
        constants = recipe_constants(load_recipe(arguments.recipe))
        recording = read_recording(arguments.recording)
    except (RecipeError, RecordingError) as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"{arguments.recording} cannot be read: {error.strerror}") from error
    verdicts = judge_rules(trace_of(recording, constants), rules)
    broken = [verdict.rule for verdict in verdicts if verdict.status == "fail"]
    if arguments.json:
        print(json.dumps([dataclasses.asdict(verdict) for verdict in verdicts], indent=2, ensure_ascii=False))
        return 1 if broken else 0
    Console().print(_verdicts_table(rules, verdicts))
    passed = sum(verdict.status == "pass" for verdict in verdicts)
    left = len(verdicts) - passed - len(broken)
    held = f"{', '.join(broken)} broken" if broken else "nothing is broken"
    print(f"{held}; {passed} of {len(verdicts)} rules were put to the test and held, {left} were not put to the test")
    return 1 if broken else 0


def _verdicts_table(rules: Sequence[Rule], verdicts: Sequence[RuleVerdict]) -> Table:
    from rich.box import SIMPLE_HEAD  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("rule", no_wrap=True)
    table.add_column("what must hold")
    for column in ("margin", "closest at", "tested for"):
        table.add_column(column, justify="right", no_wrap=True)
    for rule, verdict in zip(rules, verdicts, strict=True):
        style = STYLES[verdict.status]
        margin = verdict.status if verdict.margin is None else f"{verdict.margin:.2f}"
        table.add_row(
            f"[{style}]{SIGNS[verdict.status]} {rule.id}[/]",
            rule.title + (f"\n[yellow]{verdict.note}[/]" if verdict.note else ""),
            f"[{style}]{margin}[/]",
            "" if verdict.time_s is None else f"{verdict.time_s:.1f} s",
            f"{verdict.exercised_s:.0f} s" if verdict.exercised_s else "",
        )
    return table
