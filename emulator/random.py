"""Random numbers without hidden state: a value is a function of (stream, counter).

Every sensor, wire and fault has a named stream of its own, so that adding one changes no other, and
a copied or restored world goes on with the same numbers. A counter is mixed with the stream's key by
the finaliser of splitmix64 (Steele, Lea, Flood, OOPSLA 2014), applied twice; counter-based
generators are from Salmon et al., SC 2011.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numba import njit

__all__ = ["normal", "stream_key", "uniform"]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
MIX_2 = np.uint64(0x94D049BB133111EB)
TWO_PI = 2.0 * np.pi
ULP = 1.0 / 2**53


def stream_key(seed: int, name: str) -> int:
    """Key of the stream `name` of a world with this seed: 64 bits that depend on both."""
    digest = blake2b(f"{seed}/{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


# The signatures are fixed: compiled code would mix signed and unsigned integers as floats.
@njit("uint64(uint64)", cache=True)
def _mix(z: np.uint64) -> np.uint64:
    z = (z ^ (z >> np.uint64(30))) * MIX_1
    z = (z ^ (z >> np.uint64(27))) * MIX_2
    return z ^ (z >> np.uint64(31))


@njit("float64(uint64, uint64)", cache=True)
def uniform(key: int | np.uint64, counter: int | np.uint64) -> float:
    """Number `counter` of a stream, uniform in (0, 1)."""
    bits = _mix(_mix(key + counter * GOLDEN) ^ key)
    return (np.float64(bits >> np.uint64(11)) + 0.5) * ULP


@njit("float64(uint64, uint64)", cache=True)
def normal(key: int | np.uint64, counter: int | np.uint64) -> float:
    """Number `counter` of a stream, standard normal (Box-Muller)."""
    twice = counter * np.uint64(2)
    radius = np.sqrt(-2.0 * np.log(uniform(key, twice)))
    return float(radius * np.cos(TWO_PI * uniform(key, twice + np.uint64(1))))
