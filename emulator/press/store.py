"""The press's state for keeping: what is there of sheet and film record, and nothing of the empty slots.

The rule: `unpack(pack(state), like)` goes on bit for bit as `state` does, and a pack that no press can have written
is refused before compiled code, which does not look where it reads, gets to see it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from emulator.press.machine import Machine
from emulator.press.state import SHELF, PressState

__all__ = ["PackError", "layout", "pack", "unpack"]

FIRST: Final = ("progress", "record.film_count", "record.measured")
FILM: Final = ("film", "film_ids")
INFINITE: Final = ("hot_min", "hot_max")
"""Parcel fields that are infinite until something was met."""
LARGEST: Final = 1e30
LONGEST_S: Final = 4e9
"""No press has been running for longer: a century."""


_TEMPERATURE: Final = (0.0, 5e3)
_THICKNESS: Final = (0.0, 1.0)
_STRAIN: Final = (-50.0, 50.0)
_PRESSURE: Final = (-1e9, 1e12)
_TIME: Final = (0.0, LONGEST_S)
BOUNDS: Final = {
    "sheet.h": (1e-6, 1.0),
    "sheet.h0": (1e-6, 1.0),
    "sheet.h_1": _THICKNESS,
    "sheet.h_min": _THICKNESS,
    "sheet.h_exit": _THICKNESS,
    "sheet.mass": (1e-12, 1e6),
    "sheet.belt_seen": _TEMPERATURE,
    "sheet.H": (-1e8, 1e8),
    "sheet.e": _STRAIN,
    "sheet.stiff": (1e-6, 1e6),
    "sheet.melt": (-300.0, 300.0),
    "sheet.T_mean": _TEMPERATURE,
    "sheet.crown": (-1.0, 1.0),
    "sheet.wedge": (-1.0, 1.0),
    "strains.e": _STRAIN,
    "strains.b": (0.0, 1e9),
    "strains.h": _THICKNESS,
    "sheet.b": (1e-9, 1e9),
    "sheet.p": _PRESSURE,
    "sheet.p_1": _PRESSURE,
    "sheet.p_max": _PRESSURE,
    "sheet.dt_1": _TIME,
    "sheet.t_p": _TIME,
    "sheet.t_gap": _TIME,
    "plant.plate_T": _TEMPERATURE,
    "plant.drum_T": _TEMPERATURE,
    "plant.belt_mean": _TEMPERATURE,
    "belt_T": _TEMPERATURE,
    "plant.speed": (-100.0, 100.0),
    "plant.speed_ramp": (-100.0, 100.0),
    "plant.clearance": _THICKNESS,
    "plant.tension": (-1e9, 1e9),
    "progress.stepped_clearance": _THICKNESS,
}
"""What no press is outside of: wide, for compiled code to stay within its arrays and not for physics."""


class PackError(ValueError):
    """A pack that is not the state of this press."""


def layout(state: PressState) -> str:
    """How the press's memory is laid out; packs of another layout mean something else."""
    return repr([array.dtype for array in state.memory])


def pack(state: PressState) -> dict[str, bytes]:
    """What there is of a state, as raw memory by name."""
    return {name: array[part].tobytes() for name, array, part in _parts(state)}


def unpack(packed: object, like: PressState, machine: Machine) -> PressState:
    """A state of its own from a pack.

    Args:
        packed: what `pack` gave, or anything else.
        like: any state of the same machine, for the sizes.
        machine: the machine.

    Raises:
        PackError: it is not the state of a press of this machine.
    """
    if not isinstance(packed, Mapping):
        raise PackError("no state of a press")
    state = PressState(*(np.zeros_like(array) for array in like.memory))
    # sizes of the rest follow from where ring and record stand, so those come first
    for name, array, part in _parts(state):
        if name in FIRST:
            _fill(array, part, packed.get(name), name)
    _check_places(state)
    names = {name for name, _, _ in _parts(state)}
    if set(packed) != names:
        odd = ", ".join(sorted(map(str, set(packed) ^ names)))
        raise PackError(f"the press's state has {odd} too much or too little")
    # one after the other: which parcels have layer strains is known once the parcels are there
    for name, array, part in _parts(state):
        if name not in FIRST:
            _fill(array, part, packed[name], name)
    _check_values(state, machine)
    return state


def _live(state: PressState) -> NDArray[np.int64]:
    """Slots of the ring that hold sheet, the oldest first."""
    head, count = (int(value) for value in state.progress.ring[:2])
    return (head + np.arange(count)) % state.sheet.x.size


def _kept(state: PressState) -> NDArray[np.int64]:
    """Slots of ring and shelf that hold sheet."""
    return np.concatenate([_live(state), state.sheet.x.size + np.arange(state.waiting)])


def _parts(state: PressState) -> Iterator[tuple[str, NDArray[Any], Any]]:
    """Everything to keep: name, array, and the part of it that holds something."""
    record = state.record
    kept, filled = _kept(state), slice(min(int(record.film_count[0]), len(record.film)))
    for number, array in enumerate(state.memory):
        names = array.dtype.names or ()
        if "film" in names:
            for name in names:
                yield f"record.{name}", array[name][0], filled if name in FILM else slice(None)
        elif "ring" in names:
            yield "progress", array, slice(None)
        elif number == 1:
            yield "strains", array, kept[state.memory[0]["layered"][kept] > 0]
        else:
            # what has a place for every parcel is kept where there is one
            yield f"memory.{number}", array, kept if number == 0 else slice(None)


def _fill(array: NDArray[Any], part: Any, raw: object, name: str) -> None:
    """Copy one part into its place."""
    space = array[part].nbytes
    if not isinstance(raw, bytes) or len(raw) != space:
        size = len(raw) if isinstance(raw, bytes) else 0
        raise PackError(f"{name} of the press has {size} bytes, not {space}: it belongs to another machine")
    array[part] = np.frombuffer(raw, array.dtype).reshape(-1, *array.shape[1:])


def _check_places(state: PressState) -> None:
    """Where ring and record stand must be places that exist."""
    head, count, released, serial = (int(value) for value in state.progress.ring)
    capacity = state.sheet.x.size
    if not (0 <= head < capacity and 0 <= count <= capacity and 0 <= released <= count and 0 <= serial < 2**60):
        raise PackError("the ring of sheet parcels stands where there is none")
    ticks, pending = int(state.progress.tick[0]), int(state.progress.pending_ticks[0])
    if not (
        0 <= int(state.record.film_count[0]) < 2**60
        and 0 <= state.waiting <= SHELF
        and 0 <= ticks < 2**50
        and 0 <= pending < 2**20
    ):
        raise PackError("a counter of the press cannot be")


def _check_values(state: PressState, machine: Machine) -> None:
    """Numbers must be numbers, and places lie on the machine."""
    for name, array in state.arrays():
        if array.dtype.kind != "f":
            continue
        if array.size == 0:
            continue
        # comparisons with what is no number are false
        infinite = name.partition(".")[2] in INFINITE
        good = not np.isnan(array).any() if infinite else array.min() > -LARGEST and array.max() < LARGEST
        if not good:
            raise PackError(f"{name} of the press holds what is no number")
    loop, track = machine.belt_loop_m, machine.press_length_m + machine.sheet.runout_length_mm * 1e-3
    on_machine = {
        "sheet.x": (-track, 2.0 * track),
        "sheet.length0": (0.0, track),
        "plant.belt_s": (0.0, loop),
        "progress.pending_travel": (-loop, loop),
        "progress.feed": (-track, track),
    }
    kept = _kept(state)
    for name, array in state.arrays():
        bounds = on_machine.get(name) or BOUNDS.get(name)
        part = array[kept] if name.startswith("sheet.") else array
        if bounds is not None and part.size and not (bounds[0] <= part.min() and part.max() <= bounds[1]):
            raise PackError(f"{name} of the press is outside {bounds[0]:g} … {bounds[1]:g}")
    for name in ("entry_ns", "exit_ns", "updated_ns"):
        times = state.memory[0][name][kept]
        if times.size and np.abs(times).max() > LONGEST_S * 1e9:
            raise PackError(f"sheet.{name} of the press is no time")
