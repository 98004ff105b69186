"""Parcels into the lanes of a tile and back, line by line of LANES numbers.

A parcel is a record, a tile is made of rows: lane by lane that is a copy of every number by itself. Eight
lines of eight parcels are eight registers, and turning them over by shuffles gives eight rows. Lines that no step
asks for or changes stay where they are (`emulator.press.state`).
"""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from emulator.material.tile import WORD
from emulator.material.vector import LANES
from emulator.press.state import KEPT_LINES, UNREAD_LINES

__all__ = ["load", "store"]

_LINE: Final = LANES * WORD
_HALF: Final = LANES // 2
_REGISTER: Final = ir.VectorType(ir.DoubleType(), LANES)
_HALF_REGISTER: Final = ir.VectorType(ir.DoubleType(), _HALF)
_INT: Final = ir.IntType(32)


def _shuffled(builder: Any, a: Any, b: Any, order: list[int]) -> Any:
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_INT, len(order)), order))


def _turned(builder: Any, rows: list[Any]) -> list[Any]:
    """LANES registers as the rows of a matrix in blocks of half its size; the same with every block turned over."""
    step = 1
    while step < _HALF:
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
                turned[target] = _shuffled(builder, upper, lower, order)
        rows = turned
        step *= 2
    return rows


def _lines(context: Any, builder: Any, signature: Any, arguments: Any, first: int) -> Any:
    """Yields where LANES parcels have the halves of their next line, from the first on, and the tile has its rows."""
    parcels_kind, slots_kind = signature.args[:2]
    parcels = context.make_array(parcels_kind)(context, builder, arguments[0]).data
    slots = context.make_array(slots_kind)(context, builder, arguments[1]).data
    byte = ir.IntType(8).as_pointer()
    size = ir.IntType(64)(parcels_kind.dtype.size)
    places = [builder.mul(builder.load(builder.gep(slots, [ir.IntType(64)(lane)])), size) for lane in range(LANES)]
    start, tile = builder.bitcast(parcels, byte), builder.bitcast(arguments[2], byte)
    starts = [builder.gep(start, [place]) for place in places]

    def at(pointer: Any, offset: int, form: Any) -> Any:
        return builder.bitcast(builder.gep(pointer, [ir.IntType(64)(offset)]), form.as_pointer())

    for line in range(first, parcels_kind.dtype.size // _LINE):
        yield (
            [[at(pointer, _LINE * line + half, _HALF_REGISTER) for half in (0, _LINE // 2)] for pointer in starts],
            [at(tile, _LINE * (LANES * line + row), _REGISTER) for row in range(LANES)],
        )


@intrinsic
def _load(typing_context: Any, parcels: Any, slots: Any, w: Any) -> Any:
    """Put the parcels in slots [LANES] into the lanes of tile w."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        for lines, rows in _lines(context, builder, signature, arguments, UNREAD_LINES):
            halves = [[builder.load(half, align=8) for half in line] for line in lines]
            # blocks change places on their way into the registers
            joined = [
                _shuffled(builder, halves[row][half], halves[row + _HALF][half], list(range(LANES)))
                for half in (0, 1)
                for row in range(_HALF)
            ]
            for row, value in zip(rows, _turned(builder, joined), strict=True):
                builder.store(value, row, align=8)
        return context.get_dummy_value()

    return types.none(parcels, slots, w), generate


@intrinsic
def _store(typing_context: Any, parcels: Any, slots: Any, w: Any) -> Any:
    """Take the parcels back from their lanes; a slot that is there twice gets the later lane."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        for lines, rows in _lines(context, builder, signature, arguments, KEPT_LINES):
            turned = _turned(builder, [builder.load(row, align=8) for row in rows])
            for lane, line in enumerate(lines):
                first = lane - lane % _HALF
                for half, target in enumerate(line):
                    value = turned[lane % _HALF + half * _HALF]
                    builder.store(_shuffled(builder, value, value, list(range(first, first + _HALF))), target, align=8)
        return context.get_dummy_value()

    return types.none(parcels, slots, w), generate


load: Any = _load
store: Any = _store
