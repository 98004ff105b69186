"""What happened to this piece: from a metre of film back to the metre of sheet, the stations and the lot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rig.products import FILM_PROPERTIES
from rig.rolls.columns import COLUMNS, SCRAP_REASONS, STATIONS, Column
from rig.rolls.rollmap import Lot, Roll, RollMap, RollsError

__all__ = ["History", "history_at", "history_of"]

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class History:
    """A piece, and where it came from.

    Attributes:
        piece: its record.
        lot: of raw materials.
        roll: that it is on; None for scrap.
        missed: by how much each property of the film misses the product's target, as `Target.miss`; empty for scrap.
    """

    piece: np.void
    lot: Lot
    roll: Roll | None
    missed: dict[str, float]
    stations: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """For machines: values by column, None where there is none."""
        return {
            "piece": {column.name: _plain(self.piece[column.name]) for column in COLUMNS},
            "scrap": list(SCRAP_REASONS)[int(self.piece["scrap"])],
            "lot": {"number": self.lot.number, "opened_ns": self.lot.opened_ns, "material": self.lot.material},
            "roll": None if self.roll is None else {"number": self.roll.number, "grade": self.roll.grade},
            "missed": self.missed,
        }

    def as_text(self) -> str:
        """For people: from the lot to the roll, in the order in which it happened."""
        p = self.piece
        lines = [self._title(), f"  lot {self.lot.number:<12}{self.lot.material}"]
        lines.append(
            f"  {'sheet':<16}{p['sheet_m']:.2f} … {p['sheet_m'] + p['sheet_length_m']:.2f} m of the sheet that was cast"
        )
        for station in self.stations:
            columns = [column for column in COLUMNS if column.station == station]
            reached = [c for c in columns if (p[c.name] != 0 if c.whole else np.isfinite(p[c.name]))]
            if not any(not c.whole for c in reached):
                continue
            lines.append(f"  {station}")
            lines += [f"    {_words(column):<48}{_shown(column, p)}{self._verdict(column.name)}" for column in reached]
        return "\n".join(lines)

    def _title(self) -> str:
        p = self.piece
        if self.roll is None:
            reason = list(SCRAP_REASONS.values())[int(p["scrap"])]
            return f"piece {p['piece']}: scrap at {_clock(int(p['end_ns']))}, {reason}"
        splice = ", with a splice" if p["splice"] else ""
        end = p["film_m"] + p["film_length_m"]
        return (
            f"piece {p['piece']}: roll {self.roll.number} ({self.roll.grade}), {p['film_m']:.2f} … {end:.2f} m, "
            f"wound at {_clock(int(p['end_ns']))}{splice}"
        )

    def _verdict(self, name: str) -> str:
        off = self.missed.get(name, 0.0)
        return f"  misses its target by {FILM_PROPERTIES[name].text(abs(off))}" if off != 0.0 else ""


def history_at(rolls: RollMap, number: int, metre: float) -> History:
    """Of the piece at a metre of film on a roll; raises RollsError."""
    return _history(rolls, rolls.at(number, metre))


def history_of(rolls: RollMap, piece: int) -> History:
    """Of a piece by its number, scrap too; raises RollsError."""
    found = rolls.pieces[rolls.pieces["piece"] == piece]
    if not len(found):
        raise RollsError(f"there is no piece {piece} in this map; it has not come to its end, or never was")
    return _history(rolls, found[0])


def _history(rolls: RollMap, piece: np.void) -> History:
    roll = rolls.roll(int(piece["roll"])) if piece["roll"] else None
    missed = {}
    if roll is not None:
        missed = {name: target.miss(float(piece[name])) for name, target in rolls.product.film.items()}
    order = list(STATIONS)
    if rolls.product.desolvation.order == "desolvate-first":
        order.remove("desolvation")
        order.insert(order.index("stretching"), "desolvation")
    return History(piece, rolls.lot(int(piece["lot"])), roll, missed, tuple(order))


def _words(column: Column) -> str:
    if column.name in FILM_PROPERTIES:
        return FILM_PROPERTIES[column.name].title
    return column.meaning[0].upper() + column.meaning[1:]


def _shown(column: Column, piece: np.void) -> str:
    value = piece[column.name]
    if column.name in FILM_PROPERTIES:
        return FILM_PROPERTIES[column.name].text(float(value))
    if column.unit == "ns":
        return _clock(int(value))
    return f"{value:.4g} {column.unit}".rstrip()


def _clock(time_ns: int) -> str:
    """Bench time as h:mm:ss."""
    seconds = abs(time_ns) // NS_PER_S
    return f"{'-' if time_ns < 0 else ''}{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _plain(value: Any) -> float | int | None:
    number = value.item()
    return None if isinstance(number, float) and not np.isfinite(number) else number
