"""Elementary functions for many parcels at once, in plain arithmetic.

A loop over lanes that calls the C library for every exponential stays a loop. These functions
are additions, multiplications and bit shifts, so LLVM turns the loop around them into
vector instructions; and they give the same bits on every machine, whatever its C library.
No fast-math: every operation is IEEE 754 double precision in the order written.

`exp` and `log` are within 3 units in the last place of the C library's (tests/emulator/test_press_material.py).
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["exp", "log", "sin_squared_pi", "sinh_over"]

LOG2_E = 1.4426950408889634
LN2_HIGH = 6.93147180369123816490e-01  # ln 2 in two parts, the first with trailing zeros (fdlibm)
LN2_LOW = 1.90821492927058770002e-10
ROUND = 6755399441055744.0  # 1.5 * 2^52: adding it rounds to an integer, which ends up in the low bits
MANTISSA = 0x000FFFFFFFFFFFFF
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD


@intrinsic
def _to_bits(typing_context: Any, x: Any) -> Any:
    """The 64 bits of a float as an integer."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), generate


@intrinsic
def _from_bits(typing_context: Any, bits: Any) -> Any:
    """The float that has these 64 bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), generate


_bits: Any = _to_bits
_float: Any = _from_bits


@njit(cache=True, error_model="numpy")
def exp(x: float) -> float:
    """e^x for |x| <= 708; beyond, the value at that bound."""
    x = min(max(x, -708.0), 708.0)
    shifted = x * LOG2_E + ROUND
    n = shifted - ROUND
    r = (x - n * LN2_HIGH) - n * LN2_LOW  # |r| <= ln(2)/2
    r2 = r * r
    r4 = r2 * r2
    first = (1.0 + r) + r2 * (0.5 + r * (1.0 / 6.0))
    second = (1.0 / 24.0 + r * (1.0 / 120.0)) + r2 * (1.0 / 720.0 + r * (1.0 / 5040.0))
    third = (1.0 / 40320.0 + r * (1.0 / 362880.0)) + r2 * (1.0 / 3628800.0 + r * (1.0 / 39916800.0))
    p = first + r4 * (second + r4 * (third + r4 * (1.0 / 479001600.0)))
    power: float = _float(_bits(p) + (_bits(shifted) << 52))
    return power


@njit(cache=True, error_model="numpy")
def log(x: float) -> float:
    """Natural logarithm of a normal positive x."""
    bits = _bits(x)
    exponent = (bits - SQRT_HALF_BITS) >> 52
    m = _float(bits - (exponent << 52))  # sqrt(1/2) <= m < sqrt(2)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    z2 = z * z
    high = (1.0 / 15.0 + z * (1.0 / 17.0)) + z2 * (1.0 / 19.0 + z * (1.0 / 21.0))
    low = (1.0 / 7.0 + z * (1.0 / 9.0)) + z2 * (1.0 / 11.0 + z * (1.0 / 13.0))
    series = z * (1.0 / 3.0 + z * (0.2 + z * (low + z2 * z2 * high)))
    n = float(exponent)
    logarithm: float = n * LN2_HIGH + (2.0 * s + (2.0 * s * series + n * LN2_LOW))
    return logarithm


@njit(cache=True, error_model="numpy")
def sinh_over(x: float) -> float:
    """sinh(x)/x for 0 <= x; constant from 300 on."""
    x = min(x, 300.0)
    e = exp(x)
    full = 0.5 * (e - 1.0 / e) / max(x, 1e-3)
    return full if x > 1e-3 else 1.0 + x * x / 6.0


@njit(cache=True, error_model="numpy")
def sin_squared_pi(x: float) -> float:
    """sin^2(pi x) for |x| < 2^50, to 2e-11."""
    t = 3.141592653589793 * (x - ((x + ROUND) - ROUND))  # |t| <= pi/2
    z = t * t
    z2 = z * z
    high = (-1.0 / 39916800.0 + z * (1.0 / 6227020800.0)) + z2 * (-1.0 / 1307674368000.0)
    low = (1.0 / 120.0 + z * (-1.0 / 5040.0)) + z2 * (1.0 / 362880.0)
    s = t + t * z * (-1.0 / 6.0 + z * (low + z2 * z * high))
    return s * s
