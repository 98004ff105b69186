"""Warm and running starts: computed once, kept for this process and, by content, for all others.

A settled press takes a second to compute and milliseconds to read. The file is named after everything that it
depends on: the sources of press and material, numba and numpy, machine, gel and operating point. A file that is
damaged or does not fit is made again.
"""

from __future__ import annotations

import functools
from hashlib import blake2b

from emulator import codec, user_cache
from emulator.material.definition import Material
from emulator.press.commands import Commands
from emulator.press.machine import Machine
from emulator.press.press import Press, cold_state
from emulator.press.start import OperatingPoint, begin_now, fill, warm_up
from emulator.press.state import PressState
from emulator.press.store import pack, unpack
from emulator.snapshot import Kind, SnapshotError, seal, sources_digest, unseal

__all__ = ["settled"]

PARKING_NS = 5_000_000_000
"""Long enough for the press to open and the belts to stop."""
OUTPUTS = 14
Settled = tuple[PressState, tuple[float, ...]]


@functools.lru_cache(maxsize=16)
def settled(machine: Machine, material: Material, point: OperatingPoint, start: str) -> Settled:
    """A settled press, and the outputs of the temperature loops that hold it there.

    Both are shared: copy the state before it moves.
    """
    name = _name(machine, material, point, start)
    kept = user_cache.load(name)
    if kept is not None:
        try:
            return _read(kept, machine)
        except (SnapshotError, ValueError):
            pass  # damaged, or of another time: made again and replaced below
    state, outputs = _settle(machine, material, point, start)
    user_cache.store(name, seal(Kind.WARM_STATE, [codec.encode({"press": pack(state), "outputs": outputs})]))
    return state, outputs


def _name(machine: Machine, material: Material, point: OperatingPoint, start: str) -> str:
    sources = sources_digest("press", "material", "random.py", "warm.py")
    digest = blake2b(sources, digest_size=16)
    for text in (machine.model_dump_json(), material.model_dump_json(), repr(point), start):
        digest.update(text.encode() + b"\0")
    return f"{start}-{digest.hexdigest()}"


def _read(data: bytes, machine: Machine) -> Settled:
    tree = codec.decode(unseal(Kind.WARM_STATE, data, 1)[0])
    outputs = tree["outputs"]
    if type(outputs) is not tuple or len(outputs) != OUTPUTS or not all(type(value) is float for value in outputs):
        raise SnapshotError("not the outputs of the loops")
    return unpack(tree["press"], cold_state(machine), machine), outputs


def _settle(machine: Machine, material: Material, point: OperatingPoint, start: str) -> Settled:
    press = Press(machine, material)
    commands = warm_up(press, point)
    if start == "running":
        commands = fill(press, point)
    else:
        # opened and stopped, as a warm machine is before an operator starts it
        press.advance(PARKING_NS, Commands(dump=True))
    begin_now(press.state)
    return press.state, (*commands.zone_output.tolist(), *commands.drum_output.tolist())
