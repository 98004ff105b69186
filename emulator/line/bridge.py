"""Between line and press: what the press draws in, and what becomes of it.

The press rolls parcels of a length of its own; a piece of the line is the parcels that were drawn from it. What the
press is fed with is what lies at the end of the accumulator. When the last parcel of a piece comes to the end of the
press's table, the piece takes over what its parcels have become.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from emulator.line.accumulating import Store
from emulator.line.casting import gel_density_kg_m3, solids_of
from emulator.line.sheet import Pieces, joined, no_pieces
from emulator.material.definition import Material
from emulator.press.commands import Commands
from emulator.press.press import Press
from emulator.press.state import FILM_COLUMNS

__all__ = ["Bridge", "BridgeState"]

COLUMN = {name: place for place, name in enumerate(FILM_COLUMNS)}


@dataclass(slots=True)
class BridgeState:
    """What is known of the sheet in the press.

    Attributes:
        pieces: drawn in and not yet at the end of the table, the oldest first.
        next_parcel: serial number of the first parcel that is not accounted for.
    """

    pieces: Pieces = field(default_factory=no_pieces)
    next_parcel: int = 0


class Bridge:
    """Between a line and its press.

    Args:
        material: the gel of the press.
        state: where it stands.
    """

    def __init__(self, material: Material, state: BridgeState | None = None) -> None:
        self.material = material
        self.state = state or BridgeState()

    @property
    def held_kg(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        """Sheet in the press by component, shape (4,)."""
        held: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = self.state.pieces["mass_kg"].sum(axis=0)
        return held

    def feed(self, front: np.void | None, commands: Commands) -> None:
        """Let the press have this piece; without one it gets nothing to grip."""
        if front is None:
            commands.feed_thickness_m = 0.0
            return
        commands.feed_thickness_m = float(front["thickness_m"])
        commands.feed_temperature_k = float(front["temperature_k"])
        commands.feed_stiffness = float(front["modulus_scale"])
        commands.feed_melting_shift_k = float(front["gel_melting_k"]) - self.material.gel_melting_point_k

    def draw(self, press: Press, store: Store, end_ns: int) -> None:
        """What the press has drawn in since the last time comes out of the store."""
        state = self.state
        parcel_m = press.machine.sheet.parcel_length_mm * 1e-3
        for parcel in range(state.next_parcel, int(press.state.progress.ring[3])):
            drawn = store.draw(parcel_m)
            if len(drawn):
                drawn["parcel"], drawn["press_in_ns"] = parcel, end_ns
                state.pieces = joined(state.pieces, drawn)
            state.next_parcel = parcel + 1

    def collect(self, press: Press, dt_s: float, end_ns: int) -> Pieces:
        """Pieces that have come to the end of the table, as rolled."""
        state, sheet, machine = self.state, press.state.sheet, press.machine
        if not len(state.pieces):
            return no_pieces()
        head, released = int(press.state.progress.ring[0]), int(press.state.progress.ring[2])
        if not released:
            return no_pieces()
        # parcels are taken off the table's end between two steps: a piece goes before the first of its own does
        longest_m = float(state.pieces["length_m"].max()) + 2.0 * machine.drives.speed_max_m_min / 60.0 * dt_s
        parcel_m = machine.sheet.parcel_length_mm * 1e-3
        table_m = machine.sheet.runout_length_mm * 1e-3
        end_m = machine.press_length_m + max(table_m - longest_m, parcel_m)
        first = int(sheet.serial[head])
        capacity = sheet.x.size
        gone = 0
        for last in state.pieces["parcel"].tolist():
            place = last - first
            if place >= released or (place >= 0 and sheet.x[(head + place) % capacity] < end_m):
                break
            gone += 1
        if not gone:
            return no_pieces()
        leaving, state.pieces = state.pieces[:gone], state.pieces[gone:]
        begin = max(first, self._first_parcel(leaving[0], parcel_m))
        for i in range(gone):
            last = int(leaving["parcel"][i])
            slots = (head + np.arange(begin, last + 1) - first) % capacity
            self._take_over(leaving[i : i + 1], press, slots, begin, last)
            begin = last + 1
        leaving["press_out_ns"] = end_ns
        return leaving

    @staticmethod
    def _first_parcel(piece: np.void, parcel_m: float) -> int:
        """Serial number of the first parcel of a piece."""
        return int(piece["parcel"]) + 1 - max(round(float(piece["length_m"]) / parcel_m), 1)

    def _take_over(self, piece: Pieces, press: Press, slots: Any, first: int, last: int) -> None:
        """One piece, shape (1,), becomes what its parcels are."""
        parcels: Any = press.state.memory[0][slots]
        if not len(parcels):  # the machine's table is too short for one of its own parcels to be seen on it
            return
        volume_m3 = float(piece["mass_kg"].sum()) / gel_density_kg_m3(solids_of(piece[0]), self.material)
        thickness = float(parcels["h"].mean())
        piece["thickness_m"] = thickness
        piece["width_m"] = volume_m3 / (thickness * float(piece["length_m"][0]))
        spread = float(parcels["h"].std()) / thickness
        across = float((np.abs(parcels["crown"]) + np.abs(parcels["wedge"])).mean()) / (12.0**0.5 * thickness)
        # what of the die's unevenness the gap has not evened out is what the thickness is above its smallest
        left = float(piece["thickness_cv"][0]) * max(thickness - float(parcels["h_min"].min()), 0.0) / thickness
        piece["thickness_cv"] = (spread**2 + across**2 + left**2) ** 0.5
        for name, of_parcel in (
            ("temperature_k", "T_mean"),
            ("modulus_factor", "b"),
            ("stiffness", "stiff"),
            ("melting_shift_k", "melt"),
        ):
            piece[name] = parcels[of_parcel].mean()
        piece["strain"] = parcels["e"].mean(axis=0)
        film = self._film(press, first, last)
        if len(film):
            for name, column, of_all in (
                ("h0_m", "h0_m", np.mean),
                ("t0_m", "t0_m", np.min),
                ("t_600_m", "t_600_m", np.mean),
                ("r_percent", "r_percent", np.max),
                ("k_times_min", "k_times_min", np.min),
                ("pressed_s", "time_under_pressure_s", np.min),
                ("pressure_pa", "max_pressure_pa", np.max),
                ("hot_min_k", "hot_plate_min_k", np.min),
                ("hot_max_k", "hot_plate_max_k", np.max),
                ("cold_k", "cold_end_belt_k", np.max),
            ):
                piece[name] = of_all(film[:, COLUMN[column]])

    @staticmethod
    def _film(press: Press, first: int, last: int) -> Any:
        """Truth about these parcels, as far as it is kept; columns are `FILM_COLUMNS`."""
        record = press.state.record
        done, capacity = int(record.film_count[0]), len(record.film)
        newest = int(record.film_ids[(done - 1) % capacity, 0])
        begin, end = done - 1 - (newest - first), done - 1 - (newest - last)
        begin = max(begin, done - capacity, 0)
        if end < begin:
            return record.film[:0]
        if end >= int(record.measured[0]):  # some wait for the laboratory: they are measured for this
            return press.film(begin)[1][: end - begin + 1]
        return record.film[np.arange(begin, end + 1) % capacity]
