"""Parcels into the lanes of a tile and back, line by line of LANES numbers.

A parcel is a record, a tile is made of rows: lane by lane that is a copy of every number by itself. Eight
lines of eight parcels are eight registers, and turning them over by shuffles gives eight rows.
"""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from emulator.material.tile import WORD
from emulator.material.vector import LANES

__all__ = ["load", "store"]

_LINE: Final = LANES * WORD
_REGISTER: Final = ir.VectorType(ir.DoubleType(), LANES)
_INT: Final = ir.IntType(32)


def _turned(builder: Any, rows: list[Any]) -> list[Any]:
    """LANES registers as the rows of a matrix; its columns."""
    step = 1
    while step < LANES:
        turned: list[Any] = [None] * LANES
        for row in range(LANES):
            if row & step:
                continue
            upper, lower = rows[row], rows[row + step]
            for part, target in ((0, row), (step, row + step)):
                # of every block of 2 step lanes, the half at `part` of both
                order = []
                for lane in range(LANES):
                    within = lane & ~step
                    order.append(within + part + (LANES if lane & step else 0))
                turned[target] = builder.shuffle_vector(upper, lower, ir.Constant(ir.VectorType(_INT, LANES), order))
        rows = turned
        step *= 2
    return rows


def _lines(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Yields where LANES parcels and the tile have their next line each."""
    parcels_kind, slots_kind = signature.args[:2]
    parcels = context.make_array(parcels_kind)(context, builder, arguments[0]).data
    slots = context.make_array(slots_kind)(context, builder, arguments[1]).data
    byte = ir.IntType(8).as_pointer()
    size = ir.IntType(64)(parcels_kind.dtype.size)
    places = [builder.mul(builder.load(builder.gep(slots, [ir.IntType(64)(lane)])), size) for lane in range(LANES)]
    start, tile = builder.bitcast(parcels, byte), builder.bitcast(arguments[2], byte)
    starts = [builder.gep(start, [place]) for place in places]

    def register(pointer: Any, offset: int) -> Any:
        return builder.bitcast(builder.gep(pointer, [ir.IntType(64)(offset)]), _REGISTER.as_pointer())

    for line in range(parcels_kind.dtype.size // _LINE):
        yield (
            [register(pointer, _LINE * line) for pointer in starts],
            [register(tile, _LINE * (LANES * line + row)) for row in range(LANES)],
        )


@intrinsic
def _load(typing_context: Any, parcels: Any, slots: Any, w: Any) -> Any:
    """Put the parcels in slots [LANES] into the lanes of tile w."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        for lines, rows in _lines(context, builder, signature, arguments):
            for row, value in zip(rows, _turned(builder, [builder.load(line, align=8) for line in lines]), strict=True):
                builder.store(value, row, align=8)
        return context.get_dummy_value()

    return types.none(parcels, slots, w), generate


@intrinsic
def _store(typing_context: Any, parcels: Any, slots: Any, w: Any) -> Any:
    """Take the parcels back from their lanes; a slot that is there twice gets the later lane."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        for lines, rows in _lines(context, builder, signature, arguments):
            for line, value in zip(lines, _turned(builder, [builder.load(row, align=8) for row in rows]), strict=True):
                builder.store(value, line, align=8)
        return context.get_dummy_value()

    return types.none(parcels, slots, w), generate


load: Any = _load
store: Any = _store
