"""Elementary functions for one number or a vector of lanes, in plain arithmetic.

A call of the C library for every lane would undo the vector. These functions are additions, multiplications
and bit shifts, so they work on `emulator.material.vector` as on numbers; and they give the same bits on every
machine, whatever its C library. No fast-math: every operation is IEEE 754 double precision in the order written.

`exp` and `log` are within 3 units in the last place of the C library's (tests/emulator/test_press_material.py).
"""

from __future__ import annotations

from numba import njit

from emulator.material.vector import Vector, bits_of, from_bits, fused, least, most, number_of, where

__all__ = ["decay", "exp", "log", "power", "sin_pi", "sin_squared_pi", "sinh_over"]

LOG2_E = 1.4426950408889634
LN2_HIGH = 6.93147180369123816490e-01  # ln 2 in two parts, the first with trailing zeros (fdlibm)
LN2_LOW = 1.90821492927058770002e-10
ROUND = 6755399441055744.0  # 1.5 * 2^52: adding it rounds to an integer, which ends up in the low bits
MANTISSA = 0x000FFFFFFFFFFFFF
ONE = 0x3FF0000000000000  # the bits of 1.0
SQRT_HALF_BITS = 0x3FE6A09E667F3BCD


@njit(cache=True, error_model="numpy")
def _exp_parts(x: Vector) -> tuple[Vector, Vector]:
    """s, a power of two, and p, so that e^x = s + s p, for |x| <= 708; beyond, the value at that bound."""
    x = least(most(x, -708.0), 708.0)
    shifted = fused(x, LOG2_E, ROUND)
    n = shifted - ROUND
    r = fused(n, -LN2_LOW, fused(n, -LN2_HIGH, x))  # |r| <= ln(2)/2
    r2 = r * r
    r4 = r2 * r2
    first = fused(r2, fused(r, 1.0 / 6.0, 0.5), r)
    second = fused(r2, fused(r, 1.0 / 5040.0, 1.0 / 720.0), fused(r, 1.0 / 120.0, 1.0 / 24.0))
    third = fused(r2, fused(r, 1.0 / 39916800.0, 1.0 / 3628800.0), fused(r, 1.0 / 362880.0, 1.0 / 40320.0))
    p = fused(r4, fused(r4, fused(r4, 1.0 / 479001600.0, third), second), first)
    return from_bits((bits_of(shifted) << 52) + ONE), p


@njit(cache=True, error_model="numpy")
def exp(x: Vector) -> Vector:
    """e^x for |x| <= 708; beyond, the value at that bound."""
    s, p = _exp_parts(x)
    return fused(s, p, s)


@njit(cache=True, error_model="numpy")
def decay(z: Vector) -> tuple[Vector, Vector]:
    """Q = e^-z and (1 - q)/z for z >= 0, without loss of digits."""
    z = most(z, 1e-300)
    s, p = _exp_parts(-z)
    return fused(s, p, s), fused(-s, p, 1.0 - s) / z


@njit(cache=True, error_model="numpy")
def log(x: Vector) -> Vector:
    """Natural logarithm of a normal positive x."""
    bits = bits_of(x)
    exponent = (bits - SQRT_HALF_BITS) >> 52
    m = from_bits(bits - (exponent << 52))  # sqrt(1/2) <= m < sqrt(2)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    z2 = z * z
    high = fused(z2, fused(z, 1.0 / 21.0, 1.0 / 19.0), fused(z, 1.0 / 17.0, 1.0 / 15.0))
    low = fused(z2, fused(z, 1.0 / 13.0, 1.0 / 11.0), fused(z, 1.0 / 9.0, 1.0 / 7.0))
    series = z * fused(z, fused(z, fused(z2 * z2, high, low), 0.2), 1.0 / 3.0)
    n = number_of(exponent)
    return fused(n, LN2_HIGH, fused(2.0 * s, series, n * LN2_LOW) + 2.0 * s)


@njit(cache=True, error_model="numpy")
def sinh_over(x: Vector) -> Vector:
    """sinh(x)/x for 0 <= x; constant from 300 on."""
    x = least(x, 300.0)
    e = exp(x)
    full = 0.5 * (e - 1.0 / e) / most(x, 1e-3)
    return where(x > 1e-3, full, 1.0 + x * x / 6.0)


@njit(cache=True, error_model="numpy")
def sin_pi(x: Vector) -> Vector:
    """sin(pi x) for |x| < 2^50, to 2e-11."""
    shifted = x + ROUND
    t = 3.141592653589793 * (x - (shifted - ROUND))  # |t| <= pi/2
    z = t * t
    z2 = z * z
    high = fused(z2, -1.0 / 1307674368000.0, fused(z, 1.0 / 6227020800.0, -1.0 / 39916800.0))
    low = fused(z2, 1.0 / 362880.0, fused(z, -1.0 / 5040.0, 1.0 / 120.0))
    s = fused(t * z, fused(z, fused(z2 * z, high, low), -1.0 / 6.0), t)
    return from_bits(bits_of(s) ^ (bits_of(shifted) << 63))  # the other way round in every second half wave


@njit(cache=True, error_model="numpy")
def sin_squared_pi(x: Vector) -> Vector:
    """sin^2(pi x) for |x| < 2^50, to 2e-11."""
    s = sin_pi(x)
    return s * s


@njit(cache=True, error_model="numpy")
def power(x: Vector, exponent: float) -> Vector:
    """x^exponent for a normal positive x."""
    return exp(exponent * log(x))
