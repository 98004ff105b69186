"""What is true inside a virtual press: for monitors and reports, never for controllers.

Everything here is read from the press's state on demand; asking changes nothing. Units are
engineering units, in the names.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from emulator.press.belts import temperature_at
from emulator.press.geometry import along_press, station_clearances
from emulator.press.state import FILM_COLUMNS, FILM_IDS
from emulator.units import KELVIN

if TYPE_CHECKING:
    from emulator.press.machine import Machine
    from emulator.world import World

__all__ = ["Truth", "released_between"]

Floats = NDArray[np.float64]

ENGINEERING: dict[str, tuple[str, float, float]] = {
    "k": ("c", 1.0, -KELVIN),
    "pa": ("mpa", 1e-6, 0.0),
    "m_s": ("m_min", 60.0, 0.0),
    "n_m": ("kn_m", 1e-3, 0.0),
    "n": ("kn", 1e-3, 0.0),
    "w": ("kw", 1e-3, 0.0),
    "m3_s": ("l_min", 6e4, 0.0),
    "rad": ("deg", 57.29577951308232, 0.0),
}
"""SI suffix -> (engineering suffix, gain, offset)."""
THIN = ("thickness_m", "clearance_m", "h0_m", "t0_m", "t_600_m", "crown_m", "wedge_m")
"""Lengths that people read in µm."""


def engineering(name: str) -> tuple[str, float, float]:
    """Name, gain and offset under which people want to see a signal."""
    if name.endswith(THIN):
        return name[:-1] + "um", 1e6, 0.0
    if name.endswith("tracking_m"):
        return name[:-1] + "mm", 1e3, 0.0
    for suffix in sorted(ENGINEERING, key=len, reverse=True):
        if name.endswith("_" + suffix):
            shown, gain, offset = ENGINEERING[suffix]
            return name[: -len(suffix)] + shown, gain, offset
    return name, 1.0, 0.0


def released_between(pressure_gap_s: float, time_under_pressure_s: float, machine: Machine) -> bool:
    """Whether the sheet was let go between its first and its last nip.

    Belts that bulge between two nips may let go for a moment; a released sheet misses a whole pitch.
    """
    pitch_m = machine.geometry.roller_pitch_mm * 1e-3
    return pressure_gap_s > pitch_m / machine.press_length_m * time_under_pressure_s


class Truth:
    """A view of one world.

    Attributes:
        names: of the signals in `vector`, engineering unit as suffix.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.names, self._gain, self._offset = _scales(world.truth_names)

    def vector(self, out: Floats | None = None) -> Floats:
        """All truth signals now, in the order of `names`; written into `out` if that is given."""
        values: Floats = np.multiply(self._world.truth_vector(), self._gain, out)
        return np.add(values, self._offset, values)

    def signals(self) -> dict[str, float]:
        """All truth signals now, by name."""
        return dict(zip(self.names, self.vector().tolist(), strict=True))

    def film_count(self) -> int:
        """How many parcels have left the press since the start."""
        return int(self._world.press.state.record.film_count[0])

    def film(self, since: int = 0) -> list[dict[str, float]]:
        """One row per parcel that left the press, from number `since` on, oldest first.

        The ring keeps the last 4096; older rows are gone. Keys are the names of
        `emulator.press.state.FILM_COLUMNS` and `FILM_IDS` in engineering units.
        """
        shown = [engineering(name) for name in FILM_COLUMNS]
        ids, film = self._world.press.film(since)
        rows = []
        for numbers, values in zip(ids.tolist(), film.tolist(), strict=True):
            row = {name: value * gain + offset for (name, gain, offset), value in zip(shown, values, strict=True)}
            row |= {name: float(number) for name, number in zip(FILM_IDS, numbers, strict=True)}
            rows.append(row)
        return rows

    def profile(self) -> dict[str, Floats]:
        """The press along its length, now.

        Returns:
            Arrays of one length per parcel of sheet in the press, by place: `x_m`, `thickness_um`,
            `sheet_temperature_c`, `belt_upper_temperature_c`, `belt_lower_temperature_c`,
            `pressure_mpa`, `gap_um`. Empty arrays when there is no sheet.
        """
        press = self._world.press
        state, c = press.state, press.machine_constants
        sheet, plant = state.sheet, state.plant
        head, count, released = (int(value) for value in state.progress.ring[:3])
        slots = (head + np.arange(released, count)) % sheet.x.size
        slots = slots[np.argsort(sheet.x[slots])]
        places = sheet.x[slots]
        entry, taper, cold = station_clearances(plant.clearance)
        belts = [
            np.array([temperature_at(state.belt_T[side], plant.belt_s[side], x, c) for x in places]) - KELVIN
            for side in range(2)
        ]
        return {
            "x_m": places.copy(),
            "thickness_um": sheet.h[slots] * 1e6,
            "sheet_temperature_c": sheet.T_mean[slots] - KELVIN,
            "belt_upper_temperature_c": belts[0],
            "belt_lower_temperature_c": belts[1],
            "pressure_mpa": sheet.p[slots] * 1e-6,
            "gap_um": np.array([along_press(x, entry, taper, cold, c) for x in places]) * 1e6,
        }


@functools.cache
def _scales(names: tuple[str, ...]) -> tuple[tuple[str, ...], Floats, Floats]:
    """Engineering names, gains and offsets of truth signals."""
    shown = [engineering(name) for name in names]
    return (
        tuple(name for name, _, _ in shown),
        np.array([gain for _, gain, _ in shown]),
        np.array([offset for _, _, offset in shown]),
    )
