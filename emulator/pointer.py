"""Compiled functions behind pointers.

numba links what a compiled function calls into it and optimises the whole again, at every level of calls: the
step of a tile, eight calls deep, would be compiled eight times over. So the heavy functions are compiled as C functions
of their own, and whoever calls them knows their address as a number.

It also makes calls from Python cheap. Looking up the types of twenty arrays takes numba longer than most of what is
done with them; a `Call` has their addresses in one table, and hands that over.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import cfunc, from_dtype, njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

__all__ = ["ARGUMENTS", "Call", "address_of", "call_at", "make_call"]

Ints = NDArray[np.int64]

ARGUMENTS: Final = 24
"""Places for arguments in the table of a call. A C function leaves alone what it does not know of."""


def address_of(function: Any, *arguments: np.dtype[Any] | type[int]) -> int:
    """Compile a function of pointers to such records, and whole numbers; where it stands.

    Args:
        function: takes C arguments: pointers (for `numba.carray`) and integers, and returns nothing.
        arguments: of every argument, what it points to, or `int`.
    """
    kinds = [types.CPointer(from_dtype(kind)) if isinstance(kind, np.dtype) else types.int64 for kind in arguments]
    compiled = cfunc(types.void(*kinds), cache=True)(function)
    _KEPT.append(compiled)
    assert compiled.address is not None
    return compiled.address


_KEPT: Final[list[Any]] = []  # compiled functions live as long as somebody holds them


@intrinsic
def _call_at(typing_context: Any, address: Any, arguments: Any) -> Any:
    """Call the C function at an address with a tuple of arguments: records by pointer, and whole numbers."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        whole = ir.IntType(64)
        plain = []
        for value in cgutils.unpack_tuple(builder, values[1]):
            if isinstance(value.type, ir.PointerType):
                plain.append(builder.ptrtoint(value, whole))
            else:
                plain.append(builder.zext(value, whole) if value.type.width < whole.width else value)
        _emit_call(builder, values[0], plain)
        return context.get_dummy_value()

    return types.none(types.int64, arguments), generate


@intrinsic
def _make_call(typing_context: Any, table: Any) -> Any:
    """Make the call that a table [1 + ARGUMENTS] is: the address of a C function, and its arguments."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, values[0]).data
        words = [builder.load(builder.gep(data, [ir.IntType(64)(place)])) for place in range(1 + ARGUMENTS)]
        _emit_call(builder, words[0], words[1:])
        return context.get_dummy_value()

    return types.none(table), generate


def _emit_call(builder: Any, address: Any, arguments: list[Any]) -> None:
    form = ir.FunctionType(ir.VoidType(), [argument.type for argument in arguments])
    builder.call(builder.inttoptr(address, form.as_pointer()), arguments)


call_at: Any = _call_at
make_call: Any = _make_call


@njit(cache=True)
def _run(table: Ints) -> None:
    make_call(table)


class Call:
    """A call of a compiled function that is made again and again.

    Args:
        address: of the function.
        arguments: arrays, which are handed over by address and kept alive, and whole numbers.

    Attributes:
        table: address and arguments; what changes from call to call is written into it.
    """

    __slots__ = ("_arrays", "table")

    def __init__(self, address: int, *arguments: NDArray[Any] | int) -> None:
        self._arrays = arguments
        self.table: Ints = np.zeros(1 + ARGUMENTS, np.int64)
        self.table[0] = address
        for place, argument in enumerate(arguments):
            self.table[1 + place] = argument if isinstance(argument, int) else argument.ctypes.data

    def __call__(self) -> None:
        """Make it."""
        _run(self.table)
