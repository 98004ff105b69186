"""Worlds as snapshots: what is written of one, and how one is made of it again.

A restored world is a fork of a prototype: the first snapshot of a configuration builds a world from the
definitions, and every other one of the same configuration only brings its state. The state classes that a
snapshot may name are those that `WorldState` declares, so that a field added to one of them is stored as well.
"""

from __future__ import annotations

import dataclasses
import functools
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
from pydantic import BaseModel, ValidationError

from emulator import codec
from emulator.definitions import KINDS, Definitions
from emulator.inputs import InputError
from emulator.line.line import check as check_line
from emulator.press.store import PackError, layout, pack, unpack
from emulator.snapshot import Kind, SnapshotError, layout_of, seal, sources_digest, unseal
from emulator.state import checks_of, classes_of, fields_of, records_in
from emulator.stations.laboratory import check as check_samples

if TYPE_CHECKING:
    from emulator.world import World, WorldState

__all__ = ["Description", "describe", "extras_of", "read", "write"]

LARGEST_MACHINE: Final = 200_000
"""Parcels or belt nodes; the reference machine has under a thousand of each."""
LONGEST_NS: Final = 2**62
LARGEST_NUMBER: Final = 1e12
AnyWorld = TypeVar("AnyWorld", bound="World")


@dataclass(frozen=True, slots=True)
class Description:
    """What can be said about a snapshot without making a world of it.

    Attributes:
        config: fields of its `WorldConfig`.
        package: version of press-rig that wrote it.
        same_sources: this press model is the one that wrote it, so that it goes on bit for bit.
        extras: what was kept with it.
    """

    config: Mapping[str, Any]
    package: str
    same_sources: bool
    extras: Mapping[str, Any]


# -- writing ----------------------------------------------------------------------------------------------


def write(world: World, extras: Mapping[str, Any]) -> bytes:
    """A snapshot of a world; see `World.snapshot`."""
    state = world.state
    tree = {name: getattr(state, name) for name in fields_of(type(state))}
    tree["press"] = pack(state.press)
    return seal(Kind.WORLD, [_parameters(world), codec.encode(tree), codec.encode(dict(extras))])


def _parameters(world: World) -> bytes:
    """What a world is made from, as bytes; worked out once per configuration."""
    known: bytes | None = world.__dict__.get("_parameters")
    if known is None:
        own = world.definitions.own(world.config)
        known = codec.encode(
            {
                "package": version("press-rig"),
                "sources": sources_digest(),
                "layout": layout_of(world.state, layout(world.press.state)),
                "fingerprint": world.definitions.fingerprint(),
                "config": dataclasses.asdict(world.config),
                "own": {kind: model.model_dump_json() for kind, model in own.items()},
            }
        )
        world.__dict__["_parameters"] = known
    return known


# -- reading ----------------------------------------------------------------------------------------------


def read(kind: Callable[..., AnyWorld], data: bytes) -> AnyWorld:
    """A world from a snapshot; see `World.restore`."""
    parameters, state, _ = unseal(Kind.WORLD, data, 3)
    try:
        prototype = _prototype(kind, parameters)
        world = prototype.with_state(_state(prototype, state))
        world.faults.verify()
        return typing.cast(AnyWorld, world)
    except SnapshotError:
        raise
    except (ValueError, TypeError, KeyError, ArithmeticError) as error:
        raise SnapshotError(f"the snapshot is malformed: {error}") from error


def extras_of(data: bytes) -> Mapping[str, Any]:
    """What was kept with a snapshot.

    Raises:
        SnapshotError: damaged, or of another version.
    """
    return describe(data).extras


def describe(data: bytes) -> Description:
    """What a snapshot says about itself.

    Raises:
        SnapshotError: damaged, or of another version.
    """
    parameters, _, extras = unseal(Kind.WORLD, data, 3)
    try:
        made, kept = _head(parameters), codec.decode(extras)
    except codec.CodecError as error:
        raise SnapshotError(f"the snapshot is malformed: {error}") from error
    if type(kept) is not dict:
        raise SnapshotError("the snapshot is malformed: its extras have no names")
    return Description(made["config"], made["package"], made["sources"] == sources_digest(), kept)


def _head(parameters: bytes) -> dict[str, Any]:
    made = codec.decode(parameters)
    wanted = {"package": str, "sources": bytes, "layout": bytes, "fingerprint": bytes, "config": dict, "own": dict}
    if type(made) is not dict or {key: type(value) for key, value in made.items()} != wanted:
        raise SnapshotError("the snapshot is malformed: it does not say what the press was made from")
    return made


@functools.lru_cache(maxsize=8)
def _prototype(kind: Callable[..., World], parameters: bytes) -> World:
    """A world of the configuration of a snapshot, to be forked from; its own state means nothing."""
    from emulator.world import WorldConfig  # noqa: PLC0415 - the world imports this module

    made = _head(parameters)
    checks = checks_of(WorldConfig)
    if set(made["config"]) != set(checks):
        differ = ", ".join(sorted(set(made["config"]) ^ set(checks), key=str))
        raise _of_other_version(made, f"is configured otherwise ({differ})")
    for name, value in made["config"].items():
        if not checks[name](value):
            raise SnapshotError(f"the snapshot is malformed: {name} is {value!r}")
    config = WorldConfig(**made["config"])
    given: dict[str, BaseModel] = {}
    for name, text in made["own"].items():
        if name not in KINDS or type(text) is not str:
            raise SnapshotError("the snapshot is malformed: it brings a definition of no known kind")
        try:
            given[name] = KINDS[name].model_validate_json(text)
        except ValidationError as error:
            raise SnapshotError(f"the snapshot brings a {name} that cannot be: {error.errors()[0]['msg']}") from error
    definitions = Definitions.load(config, given)
    if definitions.fingerprint() != made["fingerprint"]:
        names = ", ".join(f"{name} {made['config'][name]!r}" for name in KINDS if name not in given)
        raise SnapshotError(
            f"the snapshot was made with other definitions than those shipped here ({names}, or the register map); "
            f"open it with press-rig {made['package']} as it was then"
        )
    machine = definitions.machine
    if max(machine.parcel_capacity, machine.belt_node_count) > LARGEST_MACHINE:
        raise SnapshotError("the snapshot brings a machine that is too large to be opened")
    world: World = kind(dataclasses.replace(config, start="cold"), definitions)
    world.config = config
    world.__dict__["_parameters"] = parameters
    world.__dict__["_records"] = tuple(records_in(world.state))
    if made["layout"] != layout_of(world.state, layout(world.press.state)):
        raise _of_other_version(made, "keeps another state")
    return world


def _of_other_version(made: Mapping[str, Any], how: str) -> SnapshotError:
    return SnapshotError(
        f"the snapshot was written by press-rig {made['package']} with a press model that {how}; "
        f"open it with the version that wrote it (this is {version('press-rig')})"
    )


def _state(prototype: World, data: bytes) -> WorldState:
    """A state of a world like the prototype."""
    root = type(prototype.state)
    tree = codec.decode(data, classes_of(root), prototype.__dict__["_records"])
    if type(tree) is not dict or set(tree) != set(fields_of(root)):
        raise SnapshotError("the snapshot is malformed: it holds no state of a press")
    try:
        tree["press"] = unpack(tree["press"], prototype.state.press, prototype.machine)
    except PackError as error:
        raise SnapshotError(f"the snapshot is malformed: {error}") from error
    checks = checks_of(root)
    for name, value in tree.items():
        if not checks[name](value):
            raise SnapshotError(f"the snapshot is malformed: {name} is a {type(value).__name__}")
    state = root(**tree)
    _fit(state, prototype.state, "state")
    try:
        state.disturbances.check()
    except InputError as error:
        raise SnapshotError(f"the snapshot is malformed: disturbance {error}") from error
    if not 0 <= state.now_ns <= state.next_scan_ns < LONGEST_NS:
        raise SnapshotError("the snapshot is malformed: it is of no time")
    if state.line is not None:
        check_line(state.line)
        for station in state.stations:
            check_samples(station.samples)
        if state.line.next_ns < state.now_ns:
            raise SnapshotError("the snapshot is malformed: the line is due when it cannot be")
    if state.bus.due_ns is not None and not state.now_ns <= state.bus.due_ns < LONGEST_NS:
        raise SnapshotError("the snapshot is malformed: the line is due when it cannot be")
    return state


def _fit(value: Any, like: Any, where: str) -> None:
    """Arrays and tables have the sizes that they have in any state of this configuration."""
    if isinstance(like, np.ndarray):
        # what is empty in a new world may hold any number of things
        shape = (len(value), *like.shape[1:]) if like.shape[:1] == (0,) and value.ndim else like.shape
        if value.shape != shape or value.dtype != like.dtype:
            raise SnapshotError(f"the snapshot is malformed: {where} has shape {value.shape}, not {like.shape}")
        if not _is_number(value):
            raise SnapshotError(f"the snapshot is malformed: {where} holds what is no number")
    elif isinstance(like, list) and like:
        if len(value) != len(like):
            raise SnapshotError(f"the snapshot is malformed: {where} has {len(value)} entries, not {len(like)}")
    elif dataclasses.is_dataclass(like):
        if type(value) is not type(like):
            raise SnapshotError(f"the snapshot is malformed: {where} is a {type(value).__name__}")
        for name in fields_of(type(like)):
            _fit(getattr(value, name), getattr(like, name), f"{where}.{name}")


def _is_number(array: np.ndarray[Any, Any]) -> bool:
    """Whether an array holds nothing but numbers of a sane size, also in the fields of records."""
    if array.dtype.names:
        return all(_is_number(array[name]) for name in array.dtype.names)
    return array.dtype.kind != "f" or not array.size or bool(np.abs(array).max() < LARGEST_NUMBER)
