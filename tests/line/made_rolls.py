"""A roll map of a short run of the virtual line: film on several rolls, and sheet that tore."""

from __future__ import annotations

import functools

from emulator.line.casting import PIECE_LENGTH_M
from emulator.line.winding import cured
from rig.products import load_product
from rig.rolls import Lot, Roll, RollMap, rows_of_line
from tests.line.joined import Joined

__all__ = ["made_rolls"]

MINUTE = 60


@functools.cache
def made_rolls() -> RollMap:
    """The standard product for an hour; in the middle the stretcher draws too far, and sheet tears."""
    product = load_product("standard-25um")
    made = Joined(product.press_recipe(100.0))
    made.start_behind(set_c=product.heat_treatment.set_temperature_c)
    tail = made.tail
    winder = tail.winder
    winder.commands.roll_length_m = 8.0
    winder.commands.cure_k = winder.state.room_k = 389.15
    winder.commands.cure_s, winder.commands.heat = 1200.0, True
    made.run(30 * MINUTE)
    tail.stretcher.commands.ratio_md = tail.stretcher.commands.ratio_td = 9.0
    made.run(3 * MINUTE)
    tail.stretcher.commands.ratio_md = tail.stretcher.commands.ratio_td = product.stretching.ratio_md
    tail.commands.thread = False
    made.run(MINUTE)
    tail.commands.thread = True
    made.run(26 * MINUTE)
    line = made.line
    pieces = line.ended()

    def conversion(piece: object) -> float:
        return cured(float(piece["conversion"]), winder.roll(int(piece["roll"])))  # type: ignore[index]

    rows = rows_of_line(pieces, line.film, conversion, sheet_length_m=PIECE_LENGTH_M)
    rolls = tuple(Roll(roll.number, roll.begun_ns, roll.ended_ns) for roll in winder.state.rolls)
    lots = (Lot(1, 0, "polyolefin, elastomer and solvent of the first delivery"),)
    return RollMap(product, rolls, lots, rows, {"plant": "reference", "seed": "0"})
