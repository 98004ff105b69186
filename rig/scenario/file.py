"""Scenario files: TOML that a person reads, writes and keeps beside the code.

title = "Heat goes on after a stop"
state = "produce"
lasts_s = 20.0
breaks = ["SAF-01"]

[[event]]
at_s = 3.0
button = "stop"

[[event]]
at_s = 5.0
fault = "heater_stuck_on"
target = "heat_1_upper"
"""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rig.errors import UsageError
from rig.scenario.timeline import KINDS, Event, Scenario, event_of

__all__ = ["as_toml", "read_scenario", "scenario_from", "write_scenario"]

USUAL: Final[Mapping[str, Any]] = {field.name: field.default for field in dataclasses.fields(Scenario)}
ORDER: Final = (
    "title",
    "breaks",
    "controller",
    "press",
    "state",
    "lasts_s",
    "recovers",
    "seed",
    "recipe",
    "machine",
    "material",
)
ALWAYS: Final = ("state", "lasts_s", "seed")
"""Written even where they are as usual: without them nobody knows what the file is about."""


def read_scenario(path: Path) -> Scenario:
    """A scenario from its file.

    Raises:
        UsageError: it cannot be read; says where and why.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"scenario {path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"scenario {path} is not TOML: {error}") from error
    return scenario_from(table, str(path))


def scenario_from(table: Mapping[str, Any], where: str) -> Scenario:
    """A scenario from the table of its file.

    Args:
        table: as TOML has it.
        where: name of the file, for messages.

    Raises:
        UsageError: it is none; says where and why.
    """
    known = (*ORDER, "event")
    for name in table:
        if name not in known:
            raise UsageError(f"scenario {where} has no {name!r}; it has {', '.join(known)}")
    values = {name: _value(name, table[name], where) for name in ORDER if name in table}
    rows = table.get("event", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UsageError(f"scenario {where}: events are tables [[event]]")
    events = sorted((_event(row, f"scenario {where}, event {n}") for n, row in enumerate(rows, 1)), key=_time)
    try:
        return Scenario(**values, events=tuple(events))
    except UsageError as error:
        raise UsageError(f"scenario {where}: {error}") from None


def _time(event: Event) -> float:
    return event.at_s


def _value(name: str, value: Any, where: str) -> Any:
    usual = USUAL[name]
    if isinstance(usual, tuple):
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return tuple(value)
        raise UsageError(f"scenario {where}: {name} is {value!r}; it must be a list of ids")
    wanted = (int, float) if isinstance(usual, float) else type(usual)
    if not isinstance(value, wanted) or (isinstance(value, bool) and usual is not False):
        kind = {float: "a number", int: "a whole number", bool: "true or false", str: "a text"}[type(usual)]
        raise UsageError(f"scenario {where}: {name} is {value!r}; it must be {kind}")
    if name == "seed" and int(value) < 0:
        raise UsageError(f"scenario {where}: seed is {value}; it must not be negative")
    return float(value) if isinstance(usual, float) else value


def _event(row: Mapping[str, Any], where: str) -> Event:
    options = dict(row)
    kinds = [kind for kind in KINDS if kind in options]
    if len(kinds) != 1:
        raise UsageError(f"{where} needs one of {', '.join(KINDS)}, and has {' and '.join(kinds) or 'none of them'}")
    at_s, name = options.pop("at_s", None), options.pop(kinds[0])
    if isinstance(at_s, bool) or not isinstance(at_s, (int, float)):
        raise UsageError(f"{where} needs at_s, the number of seconds after the beginning")
    if not isinstance(name, str):
        raise UsageError(f"{where}: {kinds[0]} is {name!r}; it must be a name")
    try:
        return event_of(float(at_s), kinds[0], name, options)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from None


def write_scenario(scenario: Scenario, path: Path) -> None:
    """Write a scenario's file, with the folder if need be.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(as_toml(scenario), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error


def as_toml(scenario: Scenario) -> str:
    """The text of a scenario's file; `scenario_from` makes the same scenario of it."""
    lines = [
        f"{name} = {_literal(getattr(scenario, name))}"
        for name in ORDER
        if name in ALWAYS or getattr(scenario, name) != USUAL[name]
    ]
    for event in scenario.events:
        lines += ["", "[[event]]", f"at_s = {_literal(event.at_s)}", f"{event.kind} = {_literal(event.name)}"]
        lines += [f"{name} = {_literal(value)}" for name, value in event.options]
    return "\n".join(lines) + "\n"


def _literal(value: Any) -> str:
    """A value as TOML has it: as JSON, which leaves one character as it is that TOML wants escaped."""
    text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")
