"""Lots of sheet through a row of baths, as the line of the emulator does it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from emulator.line.desolvation.baths import flow_through
from emulator.line.desolvation.extraction import modes, soak

__all__ = ["through_baths"]

Floats = NDArray[np.float64]


def through_baths(
    *,
    lots: int,
    turns: int,
    dt: float,
    rate: float,
    bi: float,
    count: int,
    volume: float,
    flow: float,
    fresh: float,
    liquid: float,
    stay: float,
) -> tuple[Floats, Floats, float]:
    """Every turn each lot goes on by one bath and stays there, and the next one comes in while there are any.

    Args:
        lots: how many there are.
        turns: how many stays to go through.
        dt: step, s.
        rate: D/L^2, 1/s.
        bi: Biot number of the sheet.
        count: baths.
        volume: of a bath, m3.
        flow: of extractant, m3/s.
        fresh: part of solvent in it.
        liquid: in a lot, m3.
        stay: in a bath, s.

    Returns:
        Part of solvent left in each lot that came out, parts in the baths at the end, and the relative error of the
        solvent's balance.
    """
    sheet = modes(bi)
    baths = [fresh] * count
    inside: list[Floats | None] = [None] * count
    out: list[float] = []
    put_in, taken_out = volume * sum(baths), 0.0
    for turn in range(turns + 1):
        if (gone := inside.pop()) is not None:
            out.append(float(gone.sum()))
            taken_out += liquid * out[-1]
        inside.insert(0, None)
        if turn == turns:
            break
        if turn < lots:
            inside[0] = sheet.part.copy()
            put_in += liquid
        for _ in range(round(stay / dt)):
            released = [0.0] * count
            for i, amplitude in enumerate(inside):
                if amplitude is not None:
                    after = soak(amplitude, sheet, rate * dt, baths[i])
                    released[i] = liquid * float(amplitude.sum() - after.sum())
                    inside[i] = after
            baths, overflow, came = flow_through(baths, volume, flow, fresh, released, dt)
            put_in += came
            taken_out += overflow
    held = volume * math.fsum(baths) + sum(liquid * float(a.sum()) for a in inside if a is not None)
    return np.array(out), np.array(baths), abs(put_in - taken_out - held) / put_in
