"""A snapshot goes on bit for bit, at any moment, here and elsewhere; what is no snapshot is one clear error."""

from __future__ import annotations

import dataclasses
import functools
import struct
import subprocess
import sys
import zlib
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emulator import config as definitions
from emulator import saved
from emulator.bus import LineSettings
from emulator.saved import describe
from emulator.snapshot import SnapshotError
from emulator.world import World, WorldConfig
from rig.protocol import append_crc

MS = 1_000_000
SECOND = 1000 * MS
LINE = LineSettings(115_200, 8, "N", 1)
POLL = append_crc(bytes.fromhex("01 04 0000 0052"))
"""A request for 82 input registers."""

faults = st.sampled_from(
    [
        {},
        {"coolant_flow_scale": 0.0},
        {"heater_stuck_on": 1.0},
        {"steering_disturbance_rad": 0.002},
        {"feed_thickness_scale": 1.2},
    ]
)


@functools.cache
def begun(start: str) -> World:
    """A press that has been running for a moment."""
    world = World(WorldConfig(start=start, seed=11))
    world.run_until(200 * MS)
    return world


def life(world: World, until_ns: int) -> str:
    """Fingerprint of everything that can be seen of a world up to a time, a master's requests included."""
    digest = blake2b(digest_size=16)
    while world.now_ns < until_ns:
        world.run_until(min(world.now_ns + 37 * MS, until_ns))
        digest.update(world.bus.read(4096))
        digest.update(world.truth.vector().tobytes())
        if world.bus.due_ns is None:
            world.bus.transmit(POLL, LINE)
    digest.update(world.snapshot())
    return digest.hexdigest()


@settings(max_examples=40, deadline=None)
@given(
    start=st.sampled_from(["cold", "warm", "running"]),
    before_us=st.integers(0, 3_000_000),
    sent=st.integers(0, len(POLL)),
    after_us=st.integers(0, 60_000),
    read=st.integers(0, 40),
    fault=faults,
    button=st.booleans(),
    guard=st.booleans(),
    holding_break=st.booleans(),
)
@example("running", 1_234_567, 8, 6_000, 17, {"coolant_flow_scale": 0.0}, True, False, False)
def test_restored_world_goes_on_like_the_one_that_was_never_stopped(
    start: str,
    before_us: int,
    sent: int,
    after_us: int,
    read: int,
    fault: dict[str, float],
    button: bool,
    guard: bool,
    holding_break: bool,
) -> None:
    world = begun(start).fork()
    world.contacts.emergency_stop_pressed, world.contacts.guard_open = button, guard
    for name, value in fault.items():
        setattr(world.disturbances, name, value)
    world.run_until(world.now_ns + before_us * 1000)
    # half a frame on its way, or an answer half read
    world.bus.transmit(POLL[:sent], LINE)
    if holding_break:
        world.bus.begin_break()
    world.run_until(world.now_ns + after_us * 1000)
    world.bus.read(read)
    data = world.snapshot()
    restored = World.restore(data)
    assert restored.now_ns == world.now_ns
    assert restored.snapshot() == data
    assert np.array_equal(restored.truth.vector(), world.truth.vector())
    until_ns = world.now_ns + 2 * SECOND
    fork = world.fork()
    expected = life(world, until_ns)
    assert life(restored, until_ns) == expected
    assert life(fork, until_ns) == expected


ELSEWHERE = """
import sys
from pathlib import Path
from emulator.world import World
from tests.emulator.test_snapshot import life
world = World.restore(Path(sys.argv[1]).read_bytes())
print(life(world, int(sys.argv[2])))
"""


def test_restored_world_goes_on_in_another_process(tmp_path: Path) -> None:
    world = begun("running").fork()
    world.disturbances.coolant_flow_scale = 0.0
    world.contacts.guard_open = True
    world.run_until(1_234 * MS)
    world.bus.transmit(POLL[:5], LINE)
    path = tmp_path / "press.snapshot"
    path.write_bytes(world.snapshot())
    run = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(path), str(4 * SECOND)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == life(world, 4 * SECOND)


def test_copies_share_nothing_that_changes() -> None:
    world = begun("running").fork()
    data = world.snapshot()
    restored, fork = World.restore(data), world.fork()
    world.run_until(3 * SECOND)
    assert restored.snapshot() == data
    assert fork.snapshot() == data


def test_press_of_a_file_of_ones_own_opens_where_the_file_is_not(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    shipped = (definitions.DATA / "machines" / "reference.toml").read_text()
    path.write_text(shipped.replace('name = "reference"', 'name = "mine"'))
    world = World(WorldConfig(machine=str(path), start="cold"))
    world.run_until(SECOND)
    data = world.snapshot()
    path.unlink()
    restored = World.restore(data)
    assert restored.machine.name == "mine"
    assert life(restored, 2 * SECOND) == life(world, 2 * SECOND)


def test_shipped_definition_that_has_changed_since_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = World(WorldConfig(seed=991)).snapshot()
    monkeypatch.setattr(definitions, "DATA", tmp_path)
    for path in Path(__file__).parents[2].joinpath("emulator/data").rglob("*.toml"):
        target = tmp_path / path.parent.name / path.name
        target.parent.mkdir(exist_ok=True)
        text = path.read_text()
        target.write_text(text.replace("speed_max_m_min = 8.0", "speed_max_m_min = 7.0"))
    # as in another process: what was built from the old definitions is not at hand
    monkeypatch.setattr(saved, "_prototype", saved._prototype.__wrapped__)
    with pytest.raises(SnapshotError, match="made with other definitions than those shipped here"):
        World.restore(data)


def test_snapshot_of_a_press_that_is_configured_otherwise_is_of_another_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(WorldConfig(seed=992))
    whole = dataclasses.asdict
    monkeypatch.setattr(saved.dataclasses, "asdict", lambda config: {**whole(config), "drier": "none"})
    data = world.snapshot()
    with pytest.raises(SnapshotError, match=r"configured otherwise \(drier\); open it with the version that wrote it"):
        World.restore(data)


def test_snapshot_says_what_it_is_without_being_opened() -> None:
    data = World(WorldConfig(seed=5, recipe="reference")).snapshot({"why": "to see"})
    about = describe(data)
    assert about.config["seed"] == 5
    assert about.extras == {"why": "to see"}
    assert about.same_sources


# -- what is no snapshot ----------------------------------------------------------------------------------

SOUND = functools.cache(lambda: begun("running").snapshot())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is empty"),
        (b"[machine]\nname = 'x'\n", "it begins like something else"),
        (b"\x89PRESS\r\n\x01", "cut short"),
    ],
)
def test_something_else_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(SnapshotError, match=why):
        World.restore(data)


def test_damage_is_named() -> None:
    data = SOUND()
    for changed, why in (
        (data[:-1], "cut short"),
        (data + b"x", "something behind its end"),
        (data[:5000] + bytes([data[5000] ^ 4]) + data[5001:], "checksum"),
        (data[:8] + struct.pack("<H", 77) + data[10:], "format 77; this version of press-rig reads format 1"),
    ):
        with pytest.raises(SnapshotError, match=why):
            World.restore(changed)


def opened(data: bytes) -> World | None:
    """A world of the bytes, or None if they are refused; anything else that happens is a failure."""
    try:
        return World.restore(data)
    except SnapshotError:
        return None


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_change_of_the_bytes_is_noticed(data: st.DataObject) -> None:
    raw = bytearray(SOUND())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, 400) | st.integers(0, len(raw) - 1))
        raw[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.just(len(raw)) | st.integers(0, len(raw)))
    changed = bytes(raw[:cut])
    world = opened(changed)
    assert world is None or world.snapshot() == SOUND()


def sealed(raw: bytearray) -> bytes:
    """The same with a checksum that fits: what a stranger might send."""
    head = bytes(raw[:20])
    return head + struct.pack("<I", zlib.crc32(raw[24:], zlib.crc32(head))) + bytes(raw[24:])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_forged_snapshot_gives_an_error_or_a_press_that_runs(data: st.DataObject) -> None:
    raw = bytearray(SOUND())
    # the head, the small parts of the state at both ends of the file, and anywhere
    places = st.integers(20, 2000) | st.integers(len(raw) - 12_000, len(raw) - 1) | st.integers(20, len(raw) - 1)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(places)
        piece = data.draw(st.binary(min_size=1, max_size=8) | st.sampled_from([b"\xff" * 8, b"\0" * 8, b"\x7f\xf0"]))
        raw[place : place + len(piece)] = piece[: len(raw) - place]
    world = opened(sealed(raw))
    if world is not None:
        world.run_until(world.now_ns + 100 * MS)
        world.truth.vector()
        world.snapshot()


def test_disturbance_that_cannot_be_is_refused_in_a_snapshot_as_well() -> None:
    world = World(WorldConfig())
    world.disturbances.coolant_flow_scale = 100.0
    with pytest.raises(SnapshotError, match="disturbance coolant_flow_scale is 100; it must be 0 … 2"):
        World.restore(world.snapshot())
