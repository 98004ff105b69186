"""Sheet on its way through the line, as pieces: what each is made of, what was done to it, and what it is by now.

A piece keeps its serial number and the mass of its solids from the die to the roll, while its length, width and
thickness change. What a station adds stands in fields of its own: a piece is also the record of its history.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from emulator.line.definition import COMPONENTS
from emulator.material.tile import ARMS

__all__ = ["OVEN_ZONES", "PIECE", "Pieces", "Scrap", "detached", "joined", "no_pieces", "thickness_m"]

OVEN_ZONES: Final = 3
"""Of the stretcher, before it draws."""


class Scrap(IntEnum):
    """Why a piece did not become film that can be sold, or did not become film at all."""

    NO = 0
    NO_WEB = 1
    """It came to a store without a web."""
    OVERFULL = 2
    """The store was full, and it was cut out."""
    THREADING = 3
    """It lay in a station whose web was broken when the web was led through anew."""
    TORN = 4
    """It tore in the stretcher."""
    SAGGED = 5
    """It sagged in the stretcher."""
    WET = 6
    """It came to the winder with extractant in it."""


_F, _I = np.float64, np.int64
PIECE = np.dtype(
    [
        ("serial", _I),  # counted from the start of the line
        ("lot", _I),  # of the raw materials
        ("die_ns", _I),  # when its front left the die
        ("length_m", _F),
        ("width_m", _F),
        ("mass_kg", _F, (len(COMPONENTS),)),
        ("mixing", _F),  # degree of mixing, 0 … 1
        ("melt_k", _F),
        ("thickness_m", _F),  # at 25 °C
        ("thickness_cv", _F),  # standard deviation across the width over the mean
        ("temperature_k", _F),
        ("cooled", _F),  # Fourier number since the die
        ("travelled_m", _F),  # since the station that it is in began
        ("gel_melting_k", _F),
        ("modulus_scale", _F),  # over that of the material's data
        ("splice", _I),  # 1: holds a joint
        # the press: worst of its parcels for what the process specification limits, means for the rest
        ("parcel", _I),  # serial number of the last of its parcels in the press
        ("press_in_ns", _I),
        ("press_out_ns", _I),
        ("h0_m", _F),
        ("t0_m", _F),
        ("t_600_m", _F),
        ("r_percent", _F),
        ("k_times_min", _F),
        ("pressed_s", _F),
        ("pressure_pa", _F),  # largest
        ("hot_min_k", _F),
        ("hot_max_k", _F),
        ("cold_k", _F),
        # what is stored in it: `gel.Web`
        ("strain", _F, (ARMS + 1,)),
        ("modulus_factor", _F),
        ("stiffness", _F),
        ("melting_shift_k", _F),  # of its melting point, from that of the material
        # the stretcher
        ("oven_ns", _I),  # when it came in
        ("oven_s", _F, (OVEN_ZONES,)),
        ("oven_k", _F, (OVEN_ZONES,)),  # mean air
        ("draw_s", _F),
        ("draw_k", _F),
        ("recovered", _F),  # logarithm of the thickness ratio on reheating
        ("ratio_md", _F),
        ("ratio_td", _F),
        ("load", _F),  # largest stress as part of the strength
        # desolvation
        ("bath_ns", _I),  # when it came in
        ("wash_s", _F),
        ("pores_m3", _F),  # liquid that the wet sheet holds
        ("solvent_part", _F),  # of that liquid, by volume
        ("extractant_kg", _F),
        ("dryer_s", _F),
        ("wet_k", _F),  # temperature at which it dried
        ("dry_ratio", _F),  # thickness dry over wet; 0 before
        ("porosity", _F),
        # heat treatment
        ("set_ns", _I),  # when it came in
        ("set_s", _F),
        ("set_k", _F),  # mean air
        ("conversion", _F),
        ("residual_strain", _F),
        ("closed", _F),  # part of the pores that melted shut
        # the roll
        ("roll", _I),  # number; 0 if it is on none
        ("roll_m", _F),  # of film on the roll before it
        ("end_ns", _I),  # when it was wound or scrapped
        ("scrap", _I),  # `Scrap`
    ],
    align=True,
)

Pieces = NDArray[np.void]
"""Records of `PIECE`, shape (n,), the oldest first."""


_NONE: Final[Pieces] = np.zeros(0, PIECE)


def no_pieces() -> Pieces:
    """None of them, shape (0,)."""
    return _NONE[:]  # there is nothing in it to be shared, and making one takes NumPy far longer


def joined(*some: Pieces) -> Pieces:
    """All of them in order; nothing is copied where only one holds any."""
    filled = [pieces for pieces in some if len(pieces)]
    if len(filled) < 2:
        return filled[0] if filled else some[0]
    return _from_bytes(b"".join([pieces.tobytes() for pieces in filled]))


def detached(pieces: Pieces) -> Pieces:
    """A copy, which keeps nothing alive of what it was cut from."""
    return _from_bytes(pieces.tobytes())


def _from_bytes(raw: bytes) -> Pieces:
    """Pieces go as bytes: NumPy would look at every field by itself, which takes far longer than the copy."""
    return np.frombuffer(bytearray(raw), PIECE)


def thickness_m(mass_kg: float, density_kg_m3: float, width_m: float, length_m: float) -> float:
    """Of a piece of sheet."""
    return mass_kg / (density_kg_m3 * width_m * length_m)
