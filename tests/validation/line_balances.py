"""Masses over the whole line, from the hoppers to the rolls, through a run in which things go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from emulator.line.definition import COMPONENTS
from rig.report.colours import SERIES
from rig.report.figures import INK
from tests.line.joined import KELVIN, Joined, plan
from tests.validation.comparison import Comparison, Effort, Floats, Number, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MINUTE = 60
ROWS = (0, 1, 2)
"""Polyolefin, elastomer and solvent; no antioxidant is fed."""


def _run(order: str, part: float) -> tuple[list[tuple[float, str]], Floats, Joined]:
    """A shift: what happened when [min], error of each balance every half minute, and the line at its end."""
    reference = plan()
    baths = reference.desolvation.baths.model_copy(update={"path_m": 2.0})
    line = Joined(line=plan(order=order, desolvation=reference.desolvation.model_copy(update={"baths": baths})))
    line.start_behind(oven_c=122.0 if order == "desolvate-first" else 118.0)
    tail, head = line.tail, line.line
    events: list[tuple[float, str]] = []
    rows: list[Floats] = []

    def during(name: str, minutes: float) -> None:
        events.append((line.seconds / MINUTE, name))
        for _ in range(round(2.0 * minutes * part)):
            line.run(30)
            rows.append(head.balance().error)

    during("film comes", 36.0 if order == "desolvate-first" else 30.0)
    head.kneader.disturbances.feeder_scale[2] = 0.8
    head.kneader.disturbances.feeder_ripple_scale[:] = 5.0
    during("solvent feeder", 12.0)
    head.kneader.disturbances.reset()
    tail.stretcher.commands.air_k[:] = tail.stretcher.state.air_k[:] = 60.0 + KELVIN
    tail.commands.thread = False
    during("oven cold: the web tears", 8.0)
    tail.stretcher.commands.air_k[:] = tail.stretcher.state.air_k[:] = 118.0 + KELVIN
    tail.commands.thread = True
    during("threaded anew", 8.0)
    head.caster.commands.thread = False
    head.store.cut()
    during("cut before the press", 6.0)
    tail.desolvator.disturbances.fresh_solvent_fraction = 0.05
    head.caster.commands.thread = True
    during("extractant of poor distillation", 10.0)
    return events, np.array(rows), line


def masses(effort: Effort) -> Comparison:
    """Polyolefin, elastomer and solvent over the whole line, in both orders of stretching and desolvation."""
    part = 0.5 if effort is Effort.QUICK else 1.0
    orders = ("stretch-first",) if effort is Effort.QUICK else ("stretch-first", "desolvate-first")
    runs = {order: _run(order, part) for order in orders}

    def draw(*axes: Axes) -> None:
        for ax, (order, (events, errors, _)) in zip(axes, runs.items(), strict=True):
            minutes = 0.5 * np.arange(1, len(errors) + 1)
            for colour, i in zip(SERIES, ROWS, strict=False):
                ax.semilogy(minutes, np.maximum(errors[:, i], 1e-17), color=colour, label=COMPONENTS[i])
            ax.axhline(1e-9, color=INK, linewidth=0.8, linestyle=(0, (1, 2)))
            for begin, name in events:
                ax.axvline(begin, color=INK, linewidth=0.4)
                ax.annotate(name, (begin, 3e-14), rotation=90, fontsize=6.5, va="bottom", ha="left")
            ax.set(xlabel="Time in min", ylabel="What does not close / came in", ylim=(1e-17, 1e-8), title=order)
            ax.legend(loc="upper right", fontsize=7)

    numbers = []
    for order, (_, errors, line) in runs.items():
        for i in ROWS:
            numbers.append(
                Number(f"{order}: {COMPONENTS[i]} that does not close / came in", float(errors[:, i].max()), "", 1e-9)
            )
        balance, tail = line.line.balance(), line.tail.state
        for i in ROWS:
            numbers.append(Number(f"{order}: came in, {COMPONENTS[i]}", float(balance.brought[i]), "kg", at_least=0.01))
        numbers.append(
            Number(f"{order}: solvent in spent extractant", tail.desolvator.washed_off_kg, "kg", at_least=1e-3)
        )
        numbers.append(Number(f"{order}: solids scrapped", float(tail.scrapped_kg[:2].sum()), "kg", at_least=1e-3))
        numbers.append(Number(f"{order}: pieces that ended", float(tail.ended.count), "", at_least=1.0))
    return Comparison(
        "Masses over the whole line",
        "From the hoppers to the rolls at 1 m/min: film comes, a solvent feeder fails and ripples, the web tears in a "
        "cold oven and is threaded anew, is cut before the press, and the extractant comes badly distilled. Every "
        "component: what came (and was there at the start) is in the line or has left it. Dotted: limit.",
        numbers,
        panels(draw, len(runs), "line-masses", "What does not close over time", 4.2),
    )
