"""The whole state of the press: named arrays, and nothing else.

What the press will do depends on these arrays and its inputs alone, so a copy
is a snapshot and `arrays()` is a file format. Groups are named tuples of arrays
because compiled code takes them as they are; the arrays change in place.

Side 0 is the upper belt, side 1 the lower. Layer 0 of a parcel lies at the
upper belt. Parcels live in a ring in the order they entered: slot
`(head + i) % capacity` for `i < count`, the oldest first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bytes = NDArray[np.uint8]

LAYERS: Final = 11
ARMS: Final = 9
FILM_CAPACITY: Final = 4096

FILM_COLUMNS: Final = (
    "h0_m",
    "t0_m",
    "exit_thickness_m",
    "t_600_m",
    "r_percent",
    "k_times_min",
    "time_under_pressure_s",
    "max_pressure_pa",
    "exit_mean_temperature_k",
    "exit_surface_temperature_k",
    "hot_belt_min_k",
    "hot_belt_max_k",
    "cold_end_belt_k",
)
"""Truth about one parcel when it left the press; the hot belt columns are 0.0 if no pressure acted there."""

FILM_IDS: Final = ("serial", "entry_time_ns", "exit_time_ns")

LEDGER: Final = (
    "plate_heaters_j",
    "drum_heaters_j",
    "feed_j",
    "coolant_j",
    "plate_ambient_j",
    "drum_ambient_j",
    "belt_ambient_j",
    "sheet_air_j",
    "sheet_out_j",
)
"""Cumulative energy terms; the first three are inputs, the others losses (gains are negative losses)."""


class Sheet(NamedTuple):
    """Parcels in the press and on the run-out table; `n` is the capacity of the ring."""

    ring: Ints  # [head, count, next serial]
    serial: Ints  # [n]
    entry_ns: Ints  # [n]
    exit_ns: Ints  # [n], -1 before the exit
    updated_ns: Ints  # [n] time the temperatures and strains belong to
    x: Floats  # [n] m, centre, from the entry
    mass: Floats  # [n] kg
    length0: Floats  # [n] m, at entry
    h0: Floats  # [n] m, at entry
    h: Floats  # [n] m
    h_min: Floats  # [n] m, smallest so far: t0
    h_exit: Floats  # [n] m, when it left the press
    p: Floats  # [n] Pa
    p_max: Floats  # [n] Pa
    t_p: Floats  # [n] s under more than 1 kPa
    b: Floats  # [n] modulus factor the arms belong to
    e_N: Floats  # [n] network strain
    e: Floats  # [n, ARMS] arm strains
    H: Floats  # [n, LAYERS] J/kg above 25 degC
    T: Floats  # [n, LAYERS] K
    hot_min: Floats  # [n] K, coldest belt seen under pressure in the heat zones
    hot_max: Floats  # [n] K
    belt_seen: Floats  # [n] K, mean of both belts where the parcel is or last was


class Plant(NamedTuple):
    """Belts, plates, drums, hydraulics, drives, take-up and steering."""

    belt_T: Floats  # [2, nodes] K, moving with the belt
    belt_s: Floats  # [2] m, place of node 0 on the loop, from the press entry
    belt_travel: Floats  # [2] m, since the start
    plate_T: Floats  # [12] K
    drum_T: Floats  # [4] K
    heater_power: Floats  # [10] W, eight plates and two drums, as delivered
    coolant: Floats  # [3] flow fraction, supply K, heat taken W
    clearance: Floats  # [6] m
    hydraulic_pressure: Floats  # [1] Pa
    speed: Floats  # [2] m/s
    speed_ramp: Floats  # [2] m/s, set point behind the ramp
    drive_integral: Floats  # [2] N m
    torque: Floats  # [2] N m
    tension: Floats  # [2] N/m
    steering: Floats  # [2] rad
    tracking: Floats  # [2] m
    force: Floats  # [6] N, groups x (left, right)
    loading: Floats  # [4] peak Pa, mean Pa, overforce flag, smallest sheet thickness m


class Clock(NamedTuple):
    """Time of the press, and what has gathered since the last step of belts and sheet."""

    tick: Ints  # [1] ticks of the time grid
    pending_ticks: Ints  # [1]
    pending_travel: Floats  # [3] m: upper belt, lower belt, sheet
    stepped_clearance: Floats  # [3] m, station means at the last step
    feed: Floats  # [1] m of sheet drawn in and not yet a parcel


class Record(NamedTuple):
    """What is kept for reports: energy, mass, and the truth about finished sheet."""

    energy: Floats  # [len(LEDGER)] J
    mass: Floats  # [2] kg in, kg out
    film: Floats  # [FILM_CAPACITY, len(FILM_COLUMNS)] ring
    film_ids: Ints  # [FILM_CAPACITY, len(FILM_IDS)]
    film_count: Ints  # [1] parcels recorded since the start; slot = number % capacity


Group = TypeVar("Group", Sheet, Plant, Clock, Record)


@dataclass(slots=True)
class PressState:
    """Everything that makes the future of the press."""

    sheet: Sheet
    plant: Plant
    clock: Clock
    record: Record

    def arrays(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Every array with its dotted name, in a fixed order."""
        for group in ("sheet", "plant", "clock", "record"):
            for field, array in getattr(self, group)._asdict().items():
                yield f"{group}.{field}", array

    def copy(self) -> PressState:
        """A snapshot that shares nothing with this state."""
        return PressState(_copied(self.sheet), _copied(self.plant), _copied(self.clock), _copied(self.record))

    def assign(self, other: PressState) -> None:
        """Take over another state in place: the arrays stay, their contents change."""
        for (name, mine), (_, theirs) in zip(self.arrays(), other.arrays(), strict=True):
            if mine.shape != theirs.shape:
                raise ValueError(
                    f"the state belongs to another machine: {name} has shape {theirs.shape}, not {mine.shape}"
                )
            mine[...] = theirs

    def assign_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over arrays named as by `arrays()`."""
        for name, mine in self.arrays():
            mine[...] = arrays[name]


def _copied(group: Group) -> Group:
    return group._make(array.copy() for array in group)


def blank(parcels: int, nodes: int, ambient_k: float) -> PressState:
    """A state of the given sizes: no sheet, everything at rest and at ambient temperature."""
    sheet = Sheet(
        ring=np.zeros(3, np.int64),
        **{name: np.zeros(parcels, np.int64) for name in ("serial", "entry_ns", "exit_ns", "updated_ns")},
        **{
            name: np.zeros(parcels)
            for name in ("x", "mass", "length0", "h0", "h", "h_min", "h_exit", "p", "p_max", "t_p", "b", "e_N")
        },
        e=np.zeros((parcels, ARMS)),
        H=np.zeros((parcels, LAYERS)),
        T=np.zeros((parcels, LAYERS)),
        **{name: np.zeros(parcels) for name in ("hot_min", "hot_max", "belt_seen")},
    )
    plant = Plant(
        belt_T=np.full((2, nodes), ambient_k),
        belt_s=np.zeros(2),
        belt_travel=np.zeros(2),
        plate_T=np.full(12, ambient_k),
        drum_T=np.full(4, ambient_k),
        heater_power=np.zeros(10),
        coolant=np.zeros(3),
        clearance=np.zeros(6),
        hydraulic_pressure=np.zeros(1),
        speed=np.zeros(2),
        speed_ramp=np.zeros(2),
        drive_integral=np.zeros(2),
        torque=np.zeros(2),
        tension=np.zeros(2),
        steering=np.zeros(2),
        tracking=np.zeros(2),
        force=np.zeros(6),
        loading=np.zeros(4),
    )
    clock = Clock(
        tick=np.zeros(1, np.int64),
        pending_ticks=np.zeros(1, np.int64),
        pending_travel=np.zeros(3),
        stepped_clearance=np.zeros(3),
        feed=np.zeros(1),
    )
    record = Record(
        energy=np.zeros(len(LEDGER)),
        mass=np.zeros(2),
        film=np.zeros((FILM_CAPACITY, len(FILM_COLUMNS))),
        film_ids=np.zeros((FILM_CAPACITY, len(FILM_IDS)), np.int64),
        film_count=np.zeros(1, np.int64),
    )
    return PressState(sheet, plant, clock, record)
