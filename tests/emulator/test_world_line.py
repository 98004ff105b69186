"""A world whose press has a line around it: one time, one state, one order of things."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import pytest

from emulator import codec
from emulator.config import ConfigError
from emulator.line.ended import add
from emulator.line.line import LineState
from emulator.line.sheet import PIECE
from emulator.press.store import pack
from emulator.snapshot import SnapshotError
from emulator.world import World, WorldConfig

SECOND = 1_000_000_000


def line_of(world: World) -> LineState:
    assert world.state.line is not None
    return world.state.line


def digest(world: World) -> str:
    """Of all state but the press's empty slots."""
    line = codec.encode(line_of(world))
    press = codec.encode(pack(world.press.state))
    return hashlib.sha256(line + press + world.node.bank.state.image.tobytes()).hexdigest()


def working() -> World:
    """Sheet everywhere: the press draws from a store that is fed, and its sheet goes to the stations behind."""
    world = World(WorldConfig(start="running", line="reference", seed=3))
    assert world.line is not None
    tail = world.line.tail
    tail.commands.speed_m_s = 1.0 / 60.0
    tail.commands.run = tail.commands.follow = tail.commands.thread = True
    tail.stretcher.commands.air_k[:] = tail.stretcher.state.air_k[:] = 391.15
    tail.stretcher.commands.ratio_md = tail.stretcher.commands.ratio_td = 3.0
    tail.stretcher.commands.heat = True
    _keep_running(world, 700)
    # hours of film, as far as its record goes
    add(line_of(world).tail.ended, np.zeros(150, PIECE))
    return world


def _keep_running(world: World, seconds: int) -> None:
    """The node's watchdog is content: somebody asks all the time."""
    memory = world.node.state.memory
    end = world.now_ns + seconds * SECOND
    while world.now_ns < end:
        memory["last_request_ns"] = memory["heartbeat_ns"] = world.now_ns
        world.run_until(min(world.now_ns + SECOND // 2, end))


@pytest.fixture(scope="module")
def origin() -> World:
    return working()


def test_sheet_goes_from_the_kneader_through_the_press_into_the_baths(origin: World) -> None:
    line = line_of(origin)
    for pieces in (line.caster.cooling, line.store.pieces, line.bridge.pieces, line.tail.desolvator.pieces):
        assert len(pieces) > 3
    assert line.next_ns == origin.now_ns + SECOND
    assert origin.line is not None
    assert origin.line.balance().error.max() < 1e-9


def test_same_seed_gives_the_same_line_and_another_seed_another() -> None:
    worlds = [World(WorldConfig(start="running", line="reference", seed=seed)) for seed in (5, 5, 6)]
    for world in worlds:
        world.run_until(20 * SECOND)
    assert digest(worlds[0]) == digest(worlds[1]) != digest(worlds[2])


@pytest.mark.parametrize("copy", [World.fork, lambda world: World.restore(world.snapshot())], ids=["fork", "snapshot"])
def test_copy_goes_on_bit_for_bit_and_leaves_its_origin_alone(origin: World, copy: Callable[[World], World]) -> None:
    first = copy(origin)
    # in the middle of a second, too
    origin_digest = digest(origin)
    _keep_running(first, 3)
    first.run_until(first.now_ns + 300_000_000)
    second = copy(first)
    assert digest(first) == digest(second)
    _keep_running(first, 40)
    _keep_running(second, 40)
    assert digest(first) == digest(second)
    assert digest(origin) == origin_digest
    first_line, second_line = line_of(first), line_of(second)
    assert first_line.tail.desolvator.pieces is not second_line.tail.desolvator.pieces


def test_line_is_stepped_at_whole_seconds_whoever_looks_when() -> None:
    one, two = (World(WorldConfig(start="running", line="reference")) for _ in range(2))
    one.run_until(5 * SECOND)
    for step in range(1, 51):
        two.run_until(step * SECOND // 10)
    assert digest(one) == digest(two)


def test_press_alone_has_no_line_and_does_as_it_did() -> None:
    alone = World(WorldConfig(start="running"))
    assert alone.line is None
    assert alone.state.line is None
    # the line's press gets the same sheet to within the feeders' ripple
    lined = World(WorldConfig(start="running", line="reference"))
    assert lined.node.commands.feed_thickness_m == pytest.approx(alone.node.commands.feed_thickness_m, rel=0.01)
    assert lined.node.commands.feed_stiffness == pytest.approx(1.0, rel=0.03)
    assert alone.node.commands.feed_stiffness == 1.0


def test_press_without_a_web_before_it_draws_nothing_in() -> None:
    world = World(WorldConfig(start="running", line="reference"))
    assert world.line is not None
    world.line.store.cut()
    _keep_running(world, 2)
    before = int(world.press.state.progress.ring[3])
    _keep_running(world, 10)
    assert int(world.press.state.progress.ring[3]) == before


def test_snapshot_whose_line_cannot_be_is_refused(origin: World) -> None:
    forged = origin.fork()
    line_of(forged).tail.desolvator.pieces = line_of(forged).tail.desolvator.pieces[1:]
    with pytest.raises(SnapshotError, match="sheet in the baths and its solvent"):
        World.restore(forged.snapshot())
    forged = origin.fork()
    line_of(forged).store.pieces["thickness_m"][0] = np.nan
    with pytest.raises(SnapshotError, match="no number"):
        World.restore(forged.snapshot())


def test_unknown_line_is_refused() -> None:
    with pytest.raises(ConfigError, match="no line is called 'nowhere'"):
        World(WorldConfig(line="nowhere"))
