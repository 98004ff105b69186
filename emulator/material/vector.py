"""A vector of lanes as a number: compiled code adds, multiplies and compares eight parcels at once.

What is written with these values reads like the formula for one parcel. Every operation is the IEEE 754 double
operation on each lane by itself, in the order written; LLVM makes of it the widest instructions that the
processor has. A loop over lanes that LLVM has to find out about itself compiles slower and runs at half the speed.

`where`, `least`, `most`, `floor`, `absolute` and the functions on bits also take plain numbers, so that a law is
written once for both (`emulator.material.lanes`).
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

__all__ = [
    "LANES",
    "Mask",
    "Vector",
    "absolute",
    "add_at",
    "any_of",
    "bits_of",
    "broadcast",
    "element",
    "first_lanes",
    "flags",
    "floor",
    "four_columns",
    "from_bits",
    "fused",
    "lane_numbers",
    "largest",
    "least",
    "most",
    "number_of",
    "places",
    "read",
    "root",
    "total",
    "where",
    "write",
]

LANES: Final = 8
"""Parcels side by side: one cache line of doubles, one AVX-512 register."""

Vector: TypeAlias = Any
"""LANES doubles in a register; meaningful in compiled code alone."""
Mask: TypeAlias = Any
"""LANES truth values."""
Places: TypeAlias = Any
"""LANES integers."""

_INT: Final = ir.IntType(32)
_DOUBLES: Final = ir.VectorType(ir.DoubleType(), LANES)
_INTEGERS: Final = ir.VectorType(ir.IntType(64), LANES)
_BITS: Final = ir.VectorType(ir.IntType(1), LANES)
_FORMS: Final = {"Vector": _DOUBLES, "Places": _INTEGERS, "Mask": _BITS}


class LanesType(types.Type):
    """The type of a vector for the compiler, by what its lanes are."""

    def __init__(self, name: str) -> None:
        super().__init__(name)


VECTOR: Final = LanesType("Vector")
PLACES: Final = LanesType("Places")
MASK: Final = LanesType("Mask")


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, _FORMS[fe_type.name])  # type: ignore[no-untyped-call]


def _splat(builder: Any, value: Any, form: Any) -> Any:
    """The same value in every lane."""
    nothing = ir.Constant(form, ir.Undefined)
    first = builder.insert_element(nothing, value, _INT(0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(_INT, LANES), [0] * LANES))


def _wide(builder: Any, value: Any, form: Any = _DOUBLES) -> Any:
    return value if isinstance(value.type, ir.VectorType) else _splat(builder, value, form)


# -- operators ---------------------------------------------------------------------------------------


def _operator(function: Any, kinds: list[tuple[Any, ...]], result: Any, form: Any, emit: Callable[..., Any]) -> None:
    """Let an operator of Python work on these kinds of arguments."""
    infer_global(function)(
        type("Lanes", (ConcreteTemplate,), {"cases": [signature(result, *arguments) for arguments in kinds]})
    )

    def lower(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        return emit(builder, *(_wide(builder, value, form) for value in arguments))

    for arguments in kinds:
        lower_builtin(function, *arguments)(lower)


def _emit(method: str) -> Callable[..., Any]:
    return lambda builder, *values: getattr(builder, method)(*values)


def _compare(sign: str) -> Callable[..., Any]:
    return lambda builder, a, b: builder.fcmp_ordered(sign, a, b)


_NUMBERS: Final = [(VECTOR, VECTOR), (VECTOR, types.float64), (types.float64, VECTOR)]
_COUNTS: Final = [(PLACES, PLACES), (PLACES, types.int64)]
for _function, _method in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _operator(_function, _NUMBERS, VECTOR, _DOUBLES, _emit(_method))
_operator(operator.neg, [(VECTOR,)], VECTOR, _DOUBLES, _emit("fneg"))
for _function, _sign in ((operator.lt, "<"), (operator.le, "<="), (operator.gt, ">"), (operator.ge, ">=")):
    _operator(_function, _NUMBERS, MASK, _DOUBLES, _compare(_sign))
for _function, _method in (
    (operator.add, "add"),
    (operator.sub, "sub"),
    (operator.xor, "xor"),
    (operator.lshift, "shl"),
    (operator.rshift, "ashr"),
):
    _operator(_function, _COUNTS, PLACES, _INTEGERS, _emit(_method))
for _function, _method in ((operator.and_, "and_"), (operator.or_, "or_")):
    _operator(_function, [(MASK, MASK)], MASK, _BITS, _emit(_method))


# -- choices and roundings -----------------------------------------------------------------------------


def _number(*arguments: Any) -> Any:
    """Vector if one of the arguments is, else a plain number."""
    return VECTOR if VECTOR in arguments else types.float64


def _same(builder: Any, kind: Any, values: Any) -> list[Any]:
    return [_wide(builder, value) if kind is VECTOR else value for value in values]


@intrinsic
def _where(typing_context: Any, mask: Any, a: Any, b: Any) -> Any:
    """A where the mask holds, else b."""
    kind = VECTOR if mask is MASK else _number(a, b)

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        return builder.select(arguments[0], *_same(builder, kind, arguments[1:]))

    return kind(mask, *(VECTOR if value is VECTOR else types.float64 for value in (a, b))), generate


def _smaller_or_larger(sign: str) -> Callable[..., Any]:
    def choose(typing_context: Any, a: Any, b: Any) -> Any:
        kind = _number(a, b)

        def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
            x, y = _same(builder, kind, arguments)
            return builder.select(builder.fcmp_ordered(sign, x, y), x, y)

        return kind(*(VECTOR if value is VECTOR else types.float64 for value in (a, b))), generate

    return choose


def _unary(name: str) -> Callable[..., Any]:
    def apply(typing_context: Any, x: Any) -> Any:
        kind = _number(x)

        def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
            form, suffix = (_DOUBLES, f"v{LANES}f64") if kind is VECTOR else (ir.DoubleType(), "f64")
            function = ir.FunctionType(form, [form])
            called = cgutils.get_or_insert_function(builder.module, function, f"llvm.{name}.{suffix}")
            return builder.call(called, arguments)

        return kind(kind), generate

    return apply


@intrinsic
def _fused(typing_context: Any, a: Any, b: Any, c: Any) -> Any:
    """A b + c with one rounding."""
    kind = _number(a, b, c)

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        form, suffix = (_DOUBLES, f"v{LANES}f64") if kind is VECTOR else (ir.DoubleType(), "f64")
        function = ir.FunctionType(form, [form] * 3)
        called = cgutils.get_or_insert_function(builder.module, function, f"llvm.fma.{suffix}")
        return builder.call(called, _same(builder, kind, arguments))

    return kind(*(VECTOR if value is VECTOR else types.float64 for value in (a, b, c))), generate


@intrinsic
def _bits_of(typing_context: Any, x: Any) -> Any:
    """The 64 bits of a double as an integer."""
    kind = PLACES if x is VECTOR else types.int64

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], _INTEGERS if kind is PLACES else ir.IntType(64))

    return kind(_number(x)), generate


@intrinsic
def _from_bits(typing_context: Any, bits: Any) -> Any:
    """The double that has these 64 bits."""
    kind = VECTOR if bits is PLACES else types.float64

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], _DOUBLES if kind is VECTOR else ir.DoubleType())

    return kind(bits if bits is PLACES else types.int64), generate


@intrinsic
def _number_of(typing_context: Any, whole: Any) -> Any:
    """An integer as a double."""
    kind = VECTOR if whole is PLACES else types.float64

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        return builder.sitofp(arguments[0], _DOUBLES if kind is VECTOR else ir.DoubleType())

    return kind(whole if whole is PLACES else types.int64), generate


where: Any = _where
least: Any = intrinsic(_smaller_or_larger("<"))
most: Any = intrinsic(_smaller_or_larger(">"))
floor: Any = intrinsic(_unary("floor"))
absolute: Any = intrinsic(_unary("fabs"))
fused: Any = _fused
root: Any = intrinsic(_unary("sqrt"))
bits_of: Any = _bits_of
from_bits: Any = _from_bits
number_of: Any = _number_of


# -- memory ----------------------------------------------------------------------------------------------


def _address(context: Any, builder: Any, kind: Any, array: Any) -> Any:
    return context.make_array(kind)(context, builder, array).data


@intrinsic
def _broadcast(typing_context: Any, x: Any) -> Any:
    """A number in every lane."""

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        return _splat(builder, arguments[0], _DOUBLES)

    return VECTOR(types.float64), generate


@intrinsic
def _read(typing_context: Any, row: Any) -> Any:
    """The lanes of a row [LANES]."""

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        data = _address(context, builder, sig.args[0], arguments[0])
        return builder.load(builder.bitcast(data, _DOUBLES.as_pointer()), align=8)

    return VECTOR(row), generate


@intrinsic
def _flags(typing_context: Any, row: Any) -> Any:
    """Where a row of integers [LANES] is not 0."""

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        data = _address(context, builder, sig.args[0], arguments[0])
        numbers = builder.load(builder.bitcast(data, _INTEGERS.as_pointer()), align=8)
        return builder.icmp_signed("!=", numbers, ir.Constant(_INTEGERS, [0] * LANES))

    return MASK(row), generate


@intrinsic
def _write(typing_context: Any, row: Any, value: Any) -> Any:
    """Put lanes, or one number for all of them, into a row [LANES]."""

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        data = _address(context, builder, sig.args[0], arguments[0])
        builder.store(_wide(builder, arguments[1]), builder.bitcast(data, _DOUBLES.as_pointer()), align=8)
        return context.get_dummy_value()

    return types.none(row, _number(value)), generate


@intrinsic
def _places(typing_context: Any, x: Any) -> Any:
    """The whole numbers that the lanes of x, not negative, begin with."""

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        return builder.fptosi(arguments[0], _INTEGERS)

    return PLACES(VECTOR), generate


@intrinsic
def _element(typing_context: Any, array: Any, place: Any) -> Any:
    """array[place] of every lane, for a contiguous array of doubles; places are not checked."""

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        data = _address(context, builder, sig.args[0], arguments[0])
        value = ir.Constant(_DOUBLES, ir.Undefined)
        for lane in range(LANES):
            at = builder.extract_element(arguments[1], _INT(lane))
            value = builder.insert_element(value, builder.load(builder.gep(data, [at])), _INT(lane))
        return value

    return VECTOR(array, PLACES), generate


@intrinsic
def _four_columns(typing_context: Any, table: Any, place: Any, first: Any) -> Any:
    """table[place, first : first + 4] of every lane as four vectors; places are not checked.

    Four neighbours of one row come with one load; taking columns one by one would be four times as many.
    """
    columns = 4
    result = types.UniTuple(VECTOR, columns)
    quarter = ir.VectorType(ir.DoubleType(), columns)

    def shuffled(builder: Any, a: Any, b: Any, order: list[int]) -> Any:
        return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(_INT, len(order)), order))

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        array = context.make_array(sig.args[0])(context, builder, arguments[0])
        width = cgutils.unpack_tuple(builder, array.shape, 2)[1]
        starts = builder.mul(arguments[1], _splat(builder, width, _INTEGERS))
        first_row = builder.gep(array.data, [arguments[2]])
        rows = []
        for lane in range(LANES):
            start = builder.gep(first_row, [builder.extract_element(starts, _INT(lane))])
            rows.append(builder.load(builder.bitcast(start, quarter.as_pointer()), align=8))
        # rows 0 and 4 side by side, 1 and 5, ...; then columns 0 and 2, 1 and 3 of two such; then single columns
        halves = [shuffled(builder, rows[i], rows[i + 4], list(range(8))) for i in range(4)]
        even = [shuffled(builder, halves[i], halves[i + 1], [0, 8, 2, 10, 4, 12, 6, 14]) for i in (0, 2)]
        odd = [shuffled(builder, halves[i], halves[i + 1], [1, 9, 3, 11, 5, 13, 7, 15]) for i in (0, 2)]
        low, high = [0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15]
        found = [shuffled(builder, pair[0], pair[1], order) for order in (low, high) for pair in (even, odd)]
        return context.make_tuple(builder, result, found)

    return result(table, PLACES, types.int64), generate


@intrinsic
def _add_at(typing_context: Any, array: Any, place: Any, amount: Any) -> Any:
    """array[place] += amount, lane after lane: several may have the same place."""

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        data = _address(context, builder, sig.args[0], arguments[0])
        for lane in range(LANES):
            target = builder.gep(data, [builder.extract_element(arguments[1], _INT(lane))])
            builder.store(builder.fadd(builder.load(target), builder.extract_element(arguments[2], _INT(lane))), target)
        return context.get_dummy_value()

    return types.none(array, PLACES, VECTOR), generate


# -- all lanes together ------------------------------------------------------------------------------------


@intrinsic
def _any_of(typing_context: Any, mask: Any) -> Any:
    """Whether the mask holds in any lane."""

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        flags = builder.bitcast(arguments[0], ir.IntType(LANES))
        return builder.icmp_unsigned("!=", flags, flags.type(0))

    return types.boolean(MASK), generate


@intrinsic
def _first_lanes(typing_context: Any, count: Any) -> Any:
    """Mask of the first so many lanes."""

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        numbers = ir.Constant(_INTEGERS, list(range(LANES)))
        return builder.icmp_signed("<", numbers, _splat(builder, arguments[0], _INTEGERS))

    return MASK(types.int64), generate


@intrinsic
def _lane_numbers(typing_context: Any) -> Any:
    """0, 1, 2, ... in the lanes."""

    def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
        return ir.Constant(_DOUBLES, [float(lane) for lane in range(LANES)])

    return VECTOR(), generate


def _reduce(emit: Callable[..., Any]) -> Callable[..., Any]:
    def reduce(typing_context: Any, x: Any) -> Any:
        def generate(context: Any, builder: Any, sig: Any, arguments: Any) -> Any:
            parts = [builder.extract_element(arguments[0], _INT(lane)) for lane in range(LANES)]
            while len(parts) > 1:
                parts = [emit(builder, a, b) for a, b in zip(parts[::2], parts[1::2], strict=True)]
            return parts[0]

        return types.float64(VECTOR), generate

    return reduce


def _larger(builder: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


broadcast: Any = _broadcast
read: Any = _read
flags: Any = _flags
write: Any = _write
places: Any = _places
element: Any = _element
four_columns: Any = _four_columns
add_at: Any = _add_at
any_of: Any = _any_of
first_lanes: Any = _first_lanes
lane_numbers: Any = _lane_numbers
total: Any = intrinsic(_reduce(_emit("fadd")))
largest: Any = intrinsic(_reduce(_larger))
