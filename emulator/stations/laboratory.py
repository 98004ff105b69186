"""The laboratory at the winder: a piece from the end of every roll, measured when the roll is finished.

The sample is cut when the roll is taken off, and goes through the curing room with it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from emulator.line.line import Line
from emulator.line.sheet import Pieces, Scrap, detached, joined, no_pieces
from emulator.line.winding import KEPT
from emulator.node.bank import Bank
from emulator.units import conversion
from rig.protocol.registers import RAW_RANGE

__all__ = ["check", "cut_samples", "measure"]

SHOWN: Final = {
    "laboratory_thickness_um": "thickness_m",
    "laboratory_porosity_percent": "porosity",
    "laboratory_gurley_s": "gurley_s",
    "laboratory_puncture_n": "puncture_n",
    "laboratory_shrinkage_percent": "shrinkage_105c",
    "laboratory_shutdown_c": "shutdown_k",
    "laboratory_meltdown_c": "meltdown_k",
}
"""Property of `Line.sample` by tag."""
FRACTIONS: Final = ("porosity", "shrinkage_105c")


def cut_samples(line: Line, after: int) -> tuple[Pieces, int]:
    """Samples of the rolls that were taken off since.

    Args:
        line: the line.
        after: number of the last roll of which a sample was cut.

    Returns:
        The last piece of each, shape (n,), and the number of the last roll.
    """
    winder = line.tail.winder
    newest = winder.state.count - (winder.winding is not None)
    found = no_pieces()
    for number in range(max(after, newest - KEPT) + 1, newest + 1):
        found = joined(found, _last_of(line, number))
    return found, max(newest, after)


def measure(line: Line, waiting: Pieces, bank: Bank) -> Pieces:
    """Measure the samples of rolls that are finished, the last of which is shown; returns those that still wait."""
    rolls = [line.tail.winder.roll(number) for number in waiting["roll"].tolist()]
    done = np.array([roll is None or roll.stage == "finished" for roll in rolls], bool)
    if done.any():
        _show(line, waiting[done][-1], bank)
    left: Pieces = waiting[~done]
    return left


def check(samples: Pieces) -> None:
    """Whether pieces that came from elsewhere can be samples.

    Raises:
        ValueError: they cannot.
    """
    solids, porosity = samples["mass_kg"][:, :2].sum(axis=1), samples["porosity"]
    film = (solids > 0.0) & (samples["thickness_m"] > 0.0) & (porosity > 0.0) & (porosity < 1.0)
    if len(samples) > KEPT or not film.all():
        raise ValueError("the laboratory has samples that cannot be")


def _last_of(line: Line, number: int) -> Pieces:
    """The last piece of a roll, shape (1,); (0,) if the record has forgotten it."""
    ended = line.state.tail.ended
    for chunk in (ended.recent, *reversed(ended.full)):
        of_it = np.flatnonzero((chunk["roll"] == number) & (chunk["scrap"] == Scrap.NO))
        if of_it.size:
            return detached(chunk[of_it[-1] : of_it[-1] + 1])
    return no_pieces()


def _show(line: Line, piece: np.void, bank: Bank) -> None:
    read = line.sample(piece)
    for tag, name in SHOWN.items():
        unit = bank.layout.tags[tag].unit
        gain, offset = conversion(f"{name}_fraction" if name in FRACTIONS else name, unit)
        _publish(bank, tag, read[name] * gain + offset)
    bank.publish("laboratory_roll", int(piece["roll"]) & RAW_RANGE["u16"][1])
    _publish(bank, "laboratory_serial", int(piece["serial"]))


def _publish(bank: Bank, tag: str, value: float) -> None:
    """Show a number; the end of the scale where it is beyond."""
    low, high = bank.layout.tags[tag].limits or (value, value)
    bank.publish(tag, min(max(value, low), high))
