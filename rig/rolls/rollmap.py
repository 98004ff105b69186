"""The roll map: what was wound on which roll, what was scrapped and why, and what was done to every piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rig.errors import UsageError
from rig.products import Product
from rig.rolls.columns import ROW, SCRAP_REASONS

__all__ = ["GRADES", "Lot", "Roll", "RollMap", "RollsError"]

GRADES = ("released", "blocked", "not judged")
Pieces = NDArray[np.void]
CLOSE_M = 1e-6


class RollsError(UsageError):
    """No roll map, or none that can be: the message says what is wrong, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Lot:
    """Raw material that went into the hoppers together.

    Attributes:
        number: as in the column `lot`.
        opened_ns: bench time from which on it was used.
        material: what it is, for people.
    """

    number: int
    opened_ns: int
    material: str


@dataclass(frozen=True, slots=True)
class Roll:
    """A roll of film.

    Attributes:
        number: as in the column `roll`, from 1.
        begun_ns: when its first piece was wound.
        ended_ns: when it was taken off; 0 while it is being wound.
        grade: one of `GRADES`: what the quality gate said of it.
        reason: why it is blocked; empty otherwise.
    """

    number: int
    begun_ns: int
    ended_ns: int
    grade: str = "not judged"
    reason: str = ""


@dataclass(frozen=True, eq=False)
class RollMap:
    """All that is known of the film of a shift.

    Attributes:
        product: what was to be made.
        rolls: by number.
        lots: by number.
        pieces: records of `columns.ROW`, film and scrap, in the order of their ends; shape (n,).
        source: who made it: plant, seed, versions; text by name.
    """

    product: Product
    rolls: tuple[Roll, ...]
    lots: tuple[Lot, ...]
    pieces: Pieces
    source: dict[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Hold the parts against one another.

        Raises:
            RollsError: they do not fit; says which and where.
        """
        p = self.pieces
        if p.dtype != ROW or p.ndim != 1:
            raise RollsError("the pieces are no table with the columns of rig.rolls.columns")
        if len(np.unique(p["piece"])) != len(p):
            twice, count = np.unique(p["piece"], return_counts=True)
            raise RollsError(f"piece {int(twice[count > 1][0])} is there twice; a piece ends once")
        _known("scrap", p["scrap"], range(len(SCRAP_REASONS)), p, "a reason of rig.rolls.columns.SCRAP_REASONS")
        _known("roll", p["roll"], [0, *(roll.number for roll in self.rolls)], p, "one of the rolls of this map")
        _known("lot", p["lot"], [lot.number for lot in self.lots], p, "one of the lots of this map")
        for roll in self.rolls:
            if roll.grade not in GRADES:
                raise RollsError(f"roll {roll.number} is {roll.grade!r}; it can be {', '.join(GRADES)}")
            self._check_roll(roll)

    def _check_roll(self, roll: Roll) -> None:
        wound = self.wound(roll.number)
        if not len(wound):
            raise RollsError(f"roll {roll.number} has no film on it")
        starts, lengths = wound["film_m"], wound["film_length_m"]
        if not (np.isfinite(starts).all() and (lengths > 0.0).all()):
            raise RollsError(f"roll {roll.number}: film_m and film_length_m must be numbers, lengths above 0")
        apart = np.abs(np.diff(starts) - lengths[:-1]) > CLOSE_M
        if starts[0] > CLOSE_M or apart.any():
            place = 0.0 if starts[0] > CLOSE_M else float(starts[:-1][apart][0] + lengths[:-1][apart][0])
            raise RollsError(f"roll {roll.number} has a hole or an overlap at {place:.3f} m of film")

    def wound(self, number: int) -> Pieces:
        """Pieces on a roll, from its core outwards.

        Raises:
            RollsError: no such roll.
        """
        if number not in self._places:
            raise RollsError(f"there is no roll {number}; {_numbers([roll.number for roll in self.rolls])}")
        return self._places[number]

    def roll(self, number: int) -> Roll:
        """The roll of this number; raises RollsError."""
        self.wound(number)
        return next(roll for roll in self.rolls if roll.number == number)

    def lot(self, number: int) -> Lot:
        """The lot of this number; raises RollsError."""
        for lot in self.lots:
            if lot.number == number:
                return lot
        raise RollsError(f"there is no lot {number}; {_numbers([lot.number for lot in self.lots])}")

    def length_m(self, number: int) -> float:
        """Of film on a roll; raises RollsError."""
        return float(self.wound(number)["film_length_m"].sum())

    def at(self, number: int, metre: float) -> np.void:
        """The piece at a metre of film on a roll.

        Raises:
            RollsError: no such roll, or it is not that long.
        """
        wound = self.wound(number)
        end_m = self.length_m(number)
        if not 0.0 <= metre <= end_m:
            raise RollsError(
                f"roll {number} has {end_m:.2f} m of film; give a metre from 0 to {end_m:.2f}, not {metre:g}"
            )
        found: np.void = wound[max(int(np.searchsorted(wound["film_m"], metre, "right")) - 1, 0)]
        return found

    @property
    def scrapped(self) -> Pieces:
        """Pieces that are no film, in the order of their ends."""
        scrap: Pieces = self.pieces[self.pieces["scrap"] != 0]
        return scrap

    @cached_property
    def _places(self) -> dict[int, Pieces]:
        film = self.pieces[self.pieces["roll"] > 0]
        by_number = {roll.number: film[film["roll"] == roll.number] for roll in self.rolls}
        return {number: pieces[np.argsort(pieces["film_m"], kind="stable")] for number, pieces in by_number.items()}


def _known(name: str, values: NDArray[np.int64], known: Sequence[int], pieces: Pieces, what: str) -> None:
    wrong = ~np.isin(values, list(known))
    if wrong.any():
        raise RollsError(
            f"piece {int(pieces['piece'][wrong][0])}: {name} is {int(values[wrong][0])}, which is not {what}"
        )


def _numbers(numbers: Sequence[int]) -> str:
    if not numbers:
        return "there are none"
    return "there is " + str(numbers[0]) if len(numbers) == 1 else f"there are {min(numbers)} … {max(numbers)}"
