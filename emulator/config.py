"""Machines and materials are data: TOML files, checked when they are read.

`load_machine` and `load_material` take the name of a shipped definition or a
path to a file of one's own. Whatever is wrong with it is said in one
`ConfigError` sentence that names the file, the key and the rule it breaks.
"""

from __future__ import annotations

import functools
import tomllib
from pathlib import Path
from typing import TypeVar, cast

from pydantic import BaseModel, ValidationError

from emulator.material.definition import Material
from emulator.press.machine import Machine

__all__ = [
    "ConfigError",
    "Machine",
    "Material",
    "is_path",
    "load_definition",
    "load_machine",
    "load_material",
    "names",
    "sentence",
]

SHOWN_VIOLATIONS = 4
"""Of a definition; who has more has named another kind of file."""
DATA = Path(__file__).parent / "data"

Definition = TypeVar("Definition", bound=BaseModel)


class ConfigError(ValueError):
    """A machine or material definition cannot be used; the message says why."""


def load_machine(name_or_path: str | Path) -> Machine:
    """Read a machine by shipped name (`reference`) or by path (`my/press.toml`)."""
    return load_definition(name_or_path, "machine", Machine)


def load_material(name_or_path: str | Path) -> Material:
    """Read a material by shipped name (`g20`) or by path (`my/gel.toml`)."""
    return load_definition(name_or_path, "material", Material)


def names(kind: str) -> list[str]:
    """Names of the shipped definitions of a kind, `machine` or `material`."""
    return sorted(path.stem for path in (DATA / f"{kind}s").glob("*.toml"))


def load_definition(name_or_path: str | Path, kind: str, model: type[Definition]) -> Definition:
    """Read a definition of any kind, by shipped name (data/KINDs/NAME.toml) or by path.

    Raises:
        ConfigError: no such definition, malformed TOML, or a value that cannot be.
    """
    path = _find(name_or_path, kind)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the {kind}: {error.strerror}") from error
    return cast(Definition, _checked(data, str(path), kind, model))


@functools.lru_cache(maxsize=64)
def _checked(data: bytes, path: str, kind: str, model: type[BaseModel]) -> BaseModel:
    """A definition from the contents of its file; contents that were read before are not read again."""
    try:
        table = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not a TOML file: {error}") from error
    try:
        return model.model_validate(table)
    except ValidationError as error:
        raise ConfigError(f"{path}: {sentence(error)}") from None


def is_path(name_or_path: str | Path) -> bool:
    """Whether this is a path to a file of one's own and not the name of a shipped definition."""
    text = str(name_or_path)
    return isinstance(name_or_path, Path) or text.endswith(".toml") or "/" in text


def _find(name_or_path: str | Path, kind: str) -> Path:
    text = str(name_or_path)
    if is_path(name_or_path):
        return Path(name_or_path)
    if text not in names(kind):
        known = ", ".join(names(kind))
        raise ConfigError(
            f"no {kind} is called {text!r}; the shipped ones are {known}, and a file is given by its path"
        )
    return DATA / f"{kind}s" / f"{text}.toml"


def sentence(error: ValidationError) -> str:
    """The first violations as `key: rule (got value)`, joined by semicolons, and how many more there are."""
    parts = []
    for item in error.errors()[:SHOWN_VIOLATIONS]:
        key = ".".join(str(part) for part in item["loc"])
        rule = item["msg"].removeprefix("Value error, ")
        rule = rule[:1].lower() + rule[1:]
        shown = "" if item["type"] in {"missing", "value_error"} else f" (got {item['input']!r})"
        parts.append(f"{key}: {rule}{shown}")
    more = error.error_count() - len(parts)
    return "; ".join(parts) + (f" (and {more} more)" if more > 0 else "")
