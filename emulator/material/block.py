"""A block of parcels side by side: what the laws of the material work on.

Every quantity is a row with one place, a lane, per parcel, so that compiled loops over lanes become
vector instructions. Lanes do not influence each other: what becomes of a parcel does not depend on
who shares its block. The laws are told how many lanes to work on, which may be one (a sample in the
laboratory), or the layers of one parcel (docs/model.md, layers in series).
"""

from __future__ import annotations

import functools
from typing import Any, Final, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LANES: Final = 72
"""Parcels that are stepped together: many enough to hide latencies. An odd number of cache lines, so that the same lane
of different rows does not fall on the same few places of the cache."""
ARMS: Final = 9

ROWS: Final = (
    "dt",  # s, length of the step
    "mass",  # kg
    "stiff",  # scale of all moduli, from the solids of this piece of sheet
    "melt",  # K, shift of the gel melting point of this piece
    "h",  # m, thickness
    "p",  # Pa, pressure of the belts
    # faces
    "T_up",  # K, upper body in contact
    "T_low",
    "h_up",  # W/(m2 K)
    "h_low",
    "C_face",  # J/K, heat capacity of either body; infinite for air
    "Q_up",  # J taken from the upper body in the step
    "Q_low",
    # gap between the belts
    "g_0",  # m, at the start of the step
    "g",  # m, at its end; a wide one for sheet in air
    "C",  # m/Pa
    "p_limit",  # Pa
    # mechanics
    "T_0",  # K, mean of the layers at the start of the step
    "T_1",  # K, at its end
    "b_0",  # modulus factor at the start
    "b_1",
    "speedup",
    "S0",  # Pa: stress at the end of the step is S0 + S1 d_eps
    "S1",
    "S0_arms",  # Pa, part of the arms
    "S1_arms",
    "d_eps",
    # the way through the press
    "x_0",  # m, at the start of the step
    "x",  # m, at its end
    "length",  # m along the belt
    "on_up",  # place on the ring of the upper belt, nodes
    "on_low",
    "wedge_g",  # m, gap at the right edge less that at the left
    "h_0",  # m, thickness at the start of the step
    "p_0",  # Pa, pressure then
    "h_1",  # m, at the start of the step before
    "p_1",
    "dt_1",  # s, length of that step; 0 in the first
    "h_min",  # m, so far
    "p_max",  # Pa, so far
    "t_p",  # s under pressure
    "t_gap",  # s without, once it had begun
    "crown",  # m, middle less edge
    "wedge",  # m, right less left
    # scratch
    "area",  # m2
    "U_up",  # W/K
    "U_low",
    "per_step",  # heat capacity of a layer over the step, per slope of the temperature table
    "rate",
    "gained",
    "moves",
    "flux",
    "cp_here",
    "T_here",
    "T_next",
    "G_here",
    "A_here",
    "d_here",
    "e_here",
    "q_here",
    "f_here",
)
LAYER_ROWS: Final = ("H", "T", "T_was", "dz", "G", "cp", "A", "d")
"""Enthalpy J/kg, temperature K, now and at the start of the step, thickness m; the others are scratch."""
ARM_ROWS: Final = ("e", "q", "f")
"""Strains of the arms, the network last; decay and gain of the step."""


class Block(Protocol):
    """One block as compiled code sees it: rows [lanes], [layers, lanes] and [arms + 1, lanes]."""

    dt: Floats
    mass: Floats
    stiff: Floats
    melt: Floats
    h: Floats
    p: Floats
    T_up: Floats
    T_low: Floats
    h_up: Floats
    h_low: Floats
    C_face: Floats
    Q_up: Floats
    Q_low: Floats
    g_0: Floats
    g: Floats
    C: Floats
    p_limit: Floats
    T_0: Floats
    T_1: Floats
    b_0: Floats
    b_1: Floats
    speedup: Floats
    S0: Floats
    S1: Floats
    S0_arms: Floats
    S1_arms: Floats
    d_eps: Floats
    x_0: Floats
    x: Floats
    length: Floats
    on_up: Floats
    on_low: Floats
    wedge_g: Floats
    h_0: Floats
    p_0: Floats
    h_1: Floats
    p_1: Floats
    dt_1: Floats
    h_min: Floats
    p_max: Floats
    t_p: Floats
    t_gap: Floats
    crown: Floats
    wedge: Floats
    area: Floats
    U_up: Floats
    U_low: Floats
    per_step: Floats
    rate: Floats
    gained: Floats
    moves: Floats
    flux: Floats
    cp_here: Floats
    T_here: Floats
    T_next: Floats
    G_here: Floats
    A_here: Floats
    d_here: Floats
    e_here: Floats
    q_here: Floats
    f_here: Floats
    H: Floats
    T: Floats
    T_was: Floats
    dz: Floats
    G: Floats
    cp: Floats
    A: Floats
    d: Floats
    e: Floats
    q: Floats
    f: Floats


@functools.cache
def block_type(layers: int) -> np.dtype[Any]:
    """Memory of a block for sheet of so many layers."""
    fields: list[tuple[str, Any, tuple[int, ...]]] = [(name, np.float64, (LANES,)) for name in ROWS]
    fields += [(name, np.float64, (layers, LANES)) for name in LAYER_ROWS]
    fields += [(name, np.float64, (ARMS + 1, LANES)) for name in ARM_ROWS]
    return np.dtype(fields, align=True)


@njit(cache=True, error_model="numpy")
def copy_row(source: Floats, target: Floats, lanes: int) -> None:
    """Copy a row. Row j of many is worked on in a row of its own: loops over rows whose places
    are known when they are compiled become vector instructions, others do not.
    """
    for lane in range(lanes):
        target[lane] = source[lane]
