"""The whole state of the press: six NumPy arrays of numbers, and nothing else.

What the press will do depends on this state and its inputs alone, so a copy is
a snapshot and `arrays()` is a file format. Compiled code sees records (`Parcel`, `Strains`,
`Plant`, `Progress`, `Record`); from Python the same memory is at hand as named arrays
through `PressState.sheet`, `.plant`, `.progress` and `.record`.

Side 0 is the upper belt, side 1 the lower. Layer 0 of a parcel lies at the upper
belt. Parcels live in a ring in the order they entered: slot `(head + i) % capacity`
for `i < count`, the oldest first, the first `released` of them behind the press. Behind the ring stands the shelf:
copies of parcels as they left the press, until there are enough for the laboratory.
"""

# ruff: noqa: N815 -- symbols of docs/model.md
from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from emulator.material.tile import ARMS
from emulator.material.vector import LANES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FILM_CAPACITY: Final = 4096

SHELF: Final = LANES
"""Slots for parcels that wait for the laboratory, which follows that many as fast as one."""

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
    "hot_plate_min_k",
    "hot_plate_max_k",
    "cold_end_belt_k",
    "pressure_gap_s",
    "crown_m",
    "wedge_m",
)
"""Truth about one parcel when it left the press; hot plates are those of the zones that it met under pressure,
0.0 if there were none. Crown is the thickness in the middle less that at the edges of the working width, wedge that
of the right edge less that of the left. What follows from the recovery, `t_600_m`, `r_percent` and `k_times_min`, is
0.0 until the laboratory has measured it; `Press.film` tells it at once."""

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

_F, _I = np.float64, np.int64

SPARE: Final = "spare"
"""Fills the last line of a group of fields; nothing."""

_Fields = list[tuple[str, Any, tuple[int, ...]]]

_IDENTITY: Final[_Fields] = [
    ("serial", _I, ()),
    ("entry_ns", _I, ()),
    ("exit_ns", _I, ()),  # meaningful once released
    ("updated_ns", _I, ()),  # time the heat and strains belong to, once released
    ("released", _I, ()),  # 1 behind the press
    ("h_exit", _F, ()),  # m, when it left the press
]
"""What no step asks for."""

_FIXED: Final[_Fields] = [
    ("layered", _I, ()),  # 1 where layers carry their own strain (`Strains`)
    ("mass", _F, ()),  # kg
    ("length0", _F, ()),  # m, at entry
    ("stiff", _F, ()),  # scale of all moduli
    ("melt", _F, ()),  # K, shift of the gel melting point
    ("h0", _F, ()),  # m, at entry
]
"""What no step changes."""


def _varying(layers: int) -> _Fields:
    return [
        ("x", _F, ()),  # m, centre, from the entry
        ("h", _F, ()),  # m
        ("h_min", _F, ()),  # m, smallest so far: t0
        ("h_1", _F, ()),  # m, before the last step
        ("p_1", _F, ()),  # Pa, before the last step
        ("dt_1", _F, ()),  # s, length of the last step, 0 before the first
        ("crown", _F, ()),  # m, middle less edge of the working width, from where h_min was reached
        ("wedge", _F, ()),  # m, right less left
        ("p", _F, ()),  # Pa
        ("p_max", _F, ()),  # Pa
        ("t_p", _F, ()),  # s under more than 1 kPa
        ("t_gap", _F, ()),  # s under less, after the pressure had begun
        ("b", _F, ()),  # modulus factor the arm strains belong to
        ("T_mean", _F, ()),  # K, of the layers
        ("hot_min", _F, ()),  # K, coldest plate met under pressure in the heat zones
        ("hot_max", _F, ()),  # K
        ("belt_seen", _F, ()),  # K, mean of both belts where the parcel is or last was
        ("e", _F, (ARMS + 1,)),  # strains of the arms, the network last; means where layered
        ("H", _F, (layers,)),  # J/kg above 25 degC; temperatures follow from it
    ]


def _lines(group: _Fields) -> int:
    """How many lines of LANES numbers a group of fields takes."""
    return math.ceil(sum(math.prod(shape) for _, _, shape in group) / LANES)


UNREAD_LINES: Final = _lines(_IDENTITY)
"""The first lines of a parcel, which a step leaves in memory."""
KEPT_LINES: Final = UNREAD_LINES + _lines(_FIXED)
"""The first lines of a parcel, which a step does not change."""


@functools.cache  # compiled functions are found at once for a type they have met, slowly for an equal one
def parcel_type(layers: int) -> np.dtype[Any]:
    """Memory of one parcel of so many layers, in whole lines of LANES numbers: it is loaded and stored by the line."""
    fields: _Fields = []
    for group in (_IDENTITY, _FIXED, _varying(layers)):
        fields += group
        words = sum(math.prod(shape) for _, _, shape in group)
        if words % LANES:
            # a field, because NumPy does not copy what lies between fields
            fields.append((f"{SPARE}_{len(fields)}", _F, (-words % LANES,)))
    return np.dtype(fields, align=True)


@functools.cache
def strains_type(layers: int) -> np.dtype[Any]:
    """Memory of what the layers of one parcel carry by themselves."""
    return np.dtype(
        [
            ("e", _F, (layers, ARMS + 1)),
            ("b", _F, (layers,)),  # modulus factor the strains belong to
            ("h", _F, (layers,)),  # m
        ],
        align=True,
    )


PLANT: Final = np.dtype(
    [
        ("belt_s", _F, (2,)),  # m, place of node 0 on the loop, from the press entry
        ("belt_travel", _F, (2,)),  # m, since the start
        ("belt_mean", _F, (2,)),  # K, over the loop
        ("plate_T", _F, (12,)),  # K
        ("drum_T", _F, (4,)),  # K
        ("heater_power", _F, (10,)),  # W, eight plates and two drums, as delivered
        ("coolant", _F, (3,)),  # flow fraction, supply K, heat taken W
        ("clearance", _F, (6,)),  # m
        ("hydraulic_pressure", _F, (1,)),  # Pa
        ("speed", _F, (2,)),  # m/s
        ("speed_ramp", _F, (2,)),  # m/s, set point behind the ramp
        ("drive_integral", _F, (2,)),  # N m
        ("torque", _F, (2,)),  # N m
        ("tension", _F, (2,)),  # N/m
        ("steering", _F, (2,)),  # rad
        ("tracking", _F, (2,)),  # m
        ("force", _F, (6,)),  # N, groups x (left, right)
        ("loading", _F, (4,)),  # peak Pa, mean Pa, overforce flag, smallest sheet thickness m
    ],
    align=True,
)

PROGRESS: Final = np.dtype(
    [
        ("tick", _I, (1,)),  # of the time grid
        ("pending_ticks", _I, (1,)),  # since the last step of belts and sheet
        ("ring", _I, (4,)),  # head, count, released, next serial
        ("pending_travel", _F, (3,)),  # m: upper belt, lower belt, sheet
        ("stepped_clearance", _F, (3,)),  # m, station means at the last step
        ("feed", _F, (1,)),  # m of sheet drawn in and not yet a parcel
        ("fed", _F, (1,)),  # m of sheet drawn in since the start
    ],
    align=True,
)

RECORD: Final = np.dtype(
    [
        ("energy", _F, (len(LEDGER),)),  # J
        ("mass", _F, (2,)),  # kg in, kg out
        ("film_count", _I, (1,)),  # parcels recorded since the start; slot = number % capacity
        ("measured", _I, (1,)),  # of them, those that have been in the laboratory; the others are on the shelf
        ("film_ids", _I, (FILM_CAPACITY, len(FILM_IDS))),
        ("film", _F, (FILM_CAPACITY, len(FILM_COLUMNS))),
    ],
    align=True,
)


class Parcel(Protocol):
    """One parcel as compiled code sees it; units at `parcel_type`."""

    serial: int
    entry_ns: int
    exit_ns: int
    updated_ns: int
    released: int
    layered: int
    x: float
    mass: float
    length0: float
    stiff: float
    melt: float
    h0: float
    h: float
    h_min: float
    h_1: float
    p_1: float
    dt_1: float
    h_exit: float
    crown: float
    wedge: float
    p: float
    p_max: float
    t_p: float
    t_gap: float
    b: float
    T_mean: float
    hot_min: float
    hot_max: float
    belt_seen: float
    e: Floats
    H: Floats


class Parcels(Protocol):
    """All slots of the ring as compiled code sees them."""

    @property
    def size(self) -> int:
        """Capacity of the ring."""

    def __getitem__(self, slot: int) -> Parcel:
        """The parcel in a slot."""

    def __setitem__(self, slot: int, parcel: Parcel) -> None:
        """Put a copy of a parcel into a slot."""


class Strains(Protocol):
    """Strains of the layers of one parcel; units at `strains_type`."""

    e: Floats
    b: Floats
    h: Floats


class LayerStrains(Protocol):
    """Strains of the layers of all slots of the ring as compiled code sees them."""

    def __getitem__(self, slot: int) -> Strains:
        """Those of the parcel in a slot."""

    def __setitem__(self, slot: int, strains: Strains) -> None:
        """Put a copy of the strains of a parcel into a slot."""


class Sheet(NamedTuple):
    """The slots of the ring as arrays, for Python; units at `parcel_type`."""

    serial: Ints
    entry_ns: Ints
    exit_ns: Ints
    updated_ns: Ints
    released: Ints
    layered: Ints
    x: Floats
    mass: Floats
    length0: Floats
    stiff: Floats
    melt: Floats
    h0: Floats
    h: Floats
    h_min: Floats
    h_1: Floats
    p_1: Floats
    dt_1: Floats
    h_exit: Floats
    crown: Floats
    wedge: Floats
    p: Floats
    p_max: Floats
    t_p: Floats
    t_gap: Floats
    b: Floats
    T_mean: Floats
    hot_min: Floats
    hot_max: Floats
    belt_seen: Floats
    e: Floats
    H: Floats


class Plant(NamedTuple):
    """Belts, plates, drums, hydraulics, drives, take-up and steering; units at `PLANT`."""

    belt_s: Floats
    belt_travel: Floats
    belt_mean: Floats
    plate_T: Floats
    drum_T: Floats
    heater_power: Floats
    coolant: Floats
    clearance: Floats
    hydraulic_pressure: Floats
    speed: Floats
    speed_ramp: Floats
    drive_integral: Floats
    torque: Floats
    tension: Floats
    steering: Floats
    tracking: Floats
    force: Floats
    loading: Floats


class Progress(NamedTuple):
    """Time, the ring of parcels, and what has gathered since the last step; units at `PROGRESS`."""

    tick: Ints
    pending_ticks: Ints
    ring: Ints
    pending_travel: Floats
    stepped_clearance: Floats
    feed: Floats
    fed: Floats


class Record(NamedTuple):
    """What is kept for reports: energy, mass, and the truth about finished sheet; units at `RECORD`."""

    energy: Floats
    mass: Floats
    film_count: Ints
    measured: Ints
    film_ids: Ints
    film: Floats


View = TypeVar("View", Plant, Progress, Record)


class PressState:
    """Everything that makes the future of the press."""

    __slots__ = ("belt_T", "memory", "plant", "progress", "record", "sheet", "strains")

    def __init__(self, *memory: Any) -> None:
        """Wrap the six arrays; use `blank` to make them."""
        self.memory: tuple[Any, ...] = memory
        parcels, strains, plant, belt_T, progress, record = memory
        self.sheet = Sheet(**{name: parcels[name][:-SHELF] for name in Sheet._fields})
        self.strains: Any = strains[:-SHELF]
        """Layer strains by slot of the ring; meaningful where the parcel is layered."""
        self.plant = _view(plant, Plant)
        self.belt_T: Floats = belt_T
        """[2, nodes] K, nodes moving with the belts."""
        self.progress = _view(progress, Progress)
        self.record = _view(record, Record)

    @property
    def waiting(self) -> int:
        """How many parcels of the film record wait on the shelf for the laboratory, the newest ones."""
        return int(self.record.film_count[0] - self.record.measured[0])

    def arrays(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Every array with its dotted name, in a fixed order, ring and shelf in one; float64 and int64 only."""
        parcels, strains = self.memory[:2]
        for field in Sheet._fields:
            yield f"sheet.{field}", parcels[field]
        for group in ("plant", "progress", "record"):
            for field, array in getattr(self, group)._asdict().items():
                yield f"{group}.{field}", array
        for field in strains.dtype.names:
            yield f"strains.{field}", strains[field]
        yield "belt_T", self.belt_T

    def copy(self) -> PressState:
        """A snapshot that shares nothing with this state."""
        return PressState(*(array.copy() for array in self.memory))

    def __deepcopy__(self, memo: object) -> PressState:
        return self.copy()

    def __reduce__(self) -> tuple[type[PressState], tuple[NDArray[Any], ...]]:
        return PressState, self.memory

    def assign(self, other: PressState) -> None:
        """Take over another state in place: the arrays stay, their contents change."""
        for name, mine, theirs in zip(
            ("parcels", "strains", "plant", "belt_T", "progress", "record"), self.memory, other.memory, strict=True
        ):
            if mine.shape != theirs.shape or mine.dtype != theirs.dtype:
                raise ValueError(
                    f"the state belongs to another machine: {name} has shape {theirs.shape}, not {mine.shape}"
                )
            mine[...] = theirs

    def assign_arrays(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take over arrays named as by `arrays()`."""
        for name, mine in self.arrays():
            mine[...] = arrays[name]


def _view(memory: NDArray[Any], form: type[View]) -> View:
    return form(**{name: memory[name][0] for name in memory.dtype.names or ()})


def blank(parcels: int, layers: int, nodes: int, ambient_k: float) -> PressState:
    """A state of the given sizes: no sheet, everything at rest and at ambient temperature."""
    state = PressState(
        np.zeros(parcels + SHELF, parcel_type(layers)),
        np.zeros(parcels + SHELF, strains_type(layers)),
        np.zeros(1, PLANT),
        np.full((2, nodes), ambient_k),
        np.zeros(1, PROGRESS),
        np.zeros(1, RECORD),
    )
    state.plant.belt_mean[:] = ambient_k
    state.plant.plate_T[:] = ambient_k
    state.plant.drum_T[:] = ambient_k
    return state
