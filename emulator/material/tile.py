"""A tile of sheet: LANES pieces side by side, which the laws of the material step together.

Every quantity is a row with one place, a lane, per piece. Lanes do not influence each other: what becomes of a piece
does not depend on who shares its tile. A tile begins with the words of a parcel (`emulator.press.state`), each
widened to a row, so that parcels are loaded and stored without naming their fields; the rows of `STEP` follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from emulator.material.vector import LANES

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ARMS: Final = 9
WORD: Final = 8
"""Bytes of a number in a parcel."""

STEP: Final = (
    "dt",  # s, length of the step
    "h_middle",  # m, thickness that heat goes through: in the middle of the step, if it goes on as it went
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
    "wedge_g",  # m, gap at the right edge less that at the left
    "C_0",  # m/Pa, at the start of the step
    "C",  # m/Pa, at its end
    "p_limit",  # Pa
    # mechanics
    "T_1",  # K, mean of the layers at the end of the step
    "b_1",  # modulus factor then
    "speedup",
    "rate",  # dt times the relaxation of the arms without stress over that at the reference temperature
    "gained",  # logarithm of the modulus gained
    "S_0",  # Pa, stress of the arms at the start
    "S0",  # Pa: stress at the end of the step is S0 + S1 d_eps
    "S1",
    "S0_arms",  # Pa, part of the arms
    "S1_arms",
    "S0_network",  # and of the network
    "S1_network",
    "d_eps",
    # the way through the press
    "x_0",  # m, at the start of the step
    "h_0",  # m, thickness then
    "p_0",  # Pa, pressure then
    "length",  # m along the belt
    "on_up",  # place on the ring of the upper belt, nodes
    "on_low",
)
STEP_LAYERS: Final = ("T", "T_was", "dz", "cp", "G", "A", "d")
"""Temperature [K]; of layers with a strain of their own that at the start of the step, and thickness [m]; scratch."""
STEP_ARMS: Final = ("q", "f")
"""Decay and gain of the arms in the step."""


class Tile(Protocol):
    """A tile as compiled code sees it: rows [LANES], [layers, LANES] and [arms + 1, LANES]."""

    # of the parcel
    layered: Ints
    x: Floats
    mass: Floats
    length0: Floats
    stiff: Floats
    melt: Floats
    h0: Floats
    h: Floats
    h_min: Floats
    h_1: Floats
    p_1: Floats
    dt_1: Floats
    crown: Floats
    wedge: Floats
    p: Floats
    p_max: Floats
    t_p: Floats
    t_gap: Floats
    b: Floats
    T_mean: Floats
    hot_min: Floats
    hot_max: Floats
    belt_seen: Floats
    e: Floats
    H: Floats
    # of the step
    dt: Floats
    h_middle: Floats
    T_up: Floats
    T_low: Floats
    h_up: Floats
    h_low: Floats
    C_face: Floats
    Q_up: Floats
    Q_low: Floats
    g_0: Floats
    g: Floats
    wedge_g: Floats
    C_0: Floats
    C: Floats
    p_limit: Floats
    T_1: Floats
    b_1: Floats
    speedup: Floats
    rate: Floats
    gained: Floats
    S_0: Floats
    S0: Floats
    S1: Floats
    S0_arms: Floats
    S1_arms: Floats
    S0_network: Floats
    S1_network: Floats
    d_eps: Floats
    x_0: Floats
    h_0: Floats
    p_0: Floats
    length: Floats
    on_up: Floats
    on_low: Floats
    T: Floats
    T_was: Floats
    dz: Floats
    cp: Floats
    G: Floats
    A: Floats
    d: Floats
    q: Floats
    f: Floats


def tile_type(parcel: np.dtype[Any], layers: int) -> np.dtype[Any]:
    """Memory of a tile for parcels of this memory and so many layers."""
    names, formats, offsets = [], [], []
    fields: Mapping[str, Any] = parcel.fields or {}
    for name, (form, offset, *_) in fields.items():
        names.append(name)
        formats.append((form.base, (*form.shape, LANES)))
        offsets.append(offset * LANES)
    place = parcel.itemsize * LANES
    rows: dict[str, tuple[int, ...]] = dict.fromkeys(STEP, (LANES,))
    rows |= dict.fromkeys(STEP_LAYERS, (layers, LANES))
    rows |= dict.fromkeys(STEP_ARMS, (ARMS + 1, LANES))
    for name, shape in rows.items():
        names.append(name)
        formats.append((np.dtype(np.float64), shape))
        offsets.append(place)
        place += WORD * int(np.prod(shape))
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": place}, align=True)
