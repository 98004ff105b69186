"""Rolls of film and what became of every piece of sheet: the roll map, its file, and the history of a piece.

`columns` is the vocabulary (one row per piece, units in the names); `RollMap` the map as plain data; `write_rolls` and
`read_rolls` its file; `history_at` answers "what happened to this piece". docs/products.md, rolls
"""

from rig.rolls.columns import COLUMNS, NOT_SCRAP, ROW, SCRAP_REASONS, STATIONS, Column
from rig.rolls.history import History, history_at, history_of
from rig.rolls.of_line import rows_of_line
from rig.rolls.rollmap import GRADES, Lot, Roll, RollMap, RollsError
from rig.rolls.store import FORMAT, SUFFIX, read_rolls, write_rolls

__all__ = [
    "COLUMNS",
    "FORMAT",
    "GRADES",
    "NOT_SCRAP",
    "ROW",
    "SCRAP_REASONS",
    "STATIONS",
    "SUFFIX",
    "Column",
    "History",
    "Lot",
    "Roll",
    "RollMap",
    "RollsError",
    "history_at",
    "history_of",
    "read_rolls",
    "rows_of_line",
    "write_rolls",
]
