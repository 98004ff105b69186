"""Balances of the whole press over a run with start, stop and faults."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from emulator.config import load_machine, load_material
from emulator.press import LEDGER, Disturbances, OperatingPoint, Press
from emulator.press.start import Thermostat
from rig.report.colours import COLD, HEAT, SERIES
from rig.report.figures import INK
from tests.validation.comparison import Comparison, Effort, Floats, Number, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SECOND = 1_000_000_000
CONTROL_S = 0.1
INPUTS = LEDGER[:3]
SOLIDS = load_material("g20").composition.solids_fraction
SOLIDS_OFF = 0.1
"""Of rough stretches, relative."""


@dataclass(frozen=True)
class Stretch:
    """A part of the run: what is done, and for how long."""

    name: str
    seconds: float
    feed: bool = True
    speed_m_min: float = 2.0
    brake: bool = False
    dump: bool = False
    heaters_lost: bool = False
    coolant_lost: bool = False
    rough: bool = False
    """Rollers out of round, one missing, and feed that is uneven in thickness and solids."""
    drives: bool = True


RUN = (
    Stretch("heating up", 900.0, feed=False, speed_m_min=1.0),
    Stretch("start of sheet", 420.0),
    Stretch("in layers", 240.0, speed_m_min=4.5),
    Stretch("stop in the hot zone", 60.0, brake=True),
    Stretch("on again", 240.0),
    Stretch("rough", 180.0, rough=True),
    Stretch("rough, in layers", 120.0, speed_m_min=7.0, rough=True),
    Stretch("heaters lost", 240.0, heaters_lost=True),
    Stretch("coolant lost", 240.0, coolant_lost=True),
    Stretch("opened", 60.0, dump=True, feed=False),
    Stretch("running empty", 480.0, feed=False, dump=True),
)


@dataclass(frozen=True)
class History:
    """Samples of a run; ledger [samples, terms] J, stored J, what is inside and what went in and out kg.

    Sheet and the solvent in it, [samples, 2].
    """

    minutes: Floats
    ledger: Floats
    stored: Floats
    inside: Floats
    fed: Floats
    gone: Floats
    begins: list[tuple[float, str]]


def live(run: tuple[Stretch, ...] = RUN) -> History:
    """Run a press from cold through all of it."""
    press = Press.cold(load_machine("reference"), load_material("g20"))
    point = OperatingPoint.at(115.0, 15.0, 2.0)
    thermostat = Thermostat(press, point)
    commands = point.commands(feed=False)
    rows: list[tuple[float, ...]] = []
    fed_by_step = [(0.0, 0.0)]
    begins: list[tuple[float, str]] = []
    for stretch in run:
        begins.append((press.time_ns / 60e9, stretch.name))
        commands.feed, commands.brake, commands.dump = stretch.feed, stretch.brake, stretch.dump
        commands.speed_setpoint_m_s[:] = stretch.speed_m_min / 60.0
        faults = Disturbances()
        if stretch.heaters_lost:
            faults.heater_scale[:8] = 0.0
            faults.drum_scale[:] = 0.0
        if stretch.coolant_lost:
            faults.coolant_flow_scale = 0.0
        if stretch.rough:
            faults.roller_runout_m = 30e-6
            faults.missing_roller_m = 2.016
            faults.feed_ripple_fraction = 0.1
            faults.feed_solids_deviation = SOLIDS_OFF
        for number in range(round(stretch.seconds / CONTROL_S)):
            thermostat.regulate(commands, CONTROL_S)
            press.advance(round(CONTROL_S * SECOND), commands, faults)
            sheet, solvent = fed_by_step[-1]
            fed = float(press.state.record.mass[0])
            oil = 1.0 - SOLIDS * (1.0 + faults.feed_solids_deviation)
            fed_by_step.append((fed, solvent + oil * (fed - sheet)))
            if number % 50 == 49:
                rows.append(_sample(press))
    table = np.array(rows)
    terms = len(LEDGER)
    inside, fed_now, gone = table[:, -4:-2], table[:, -2], table[:, -1]
    # first in, first out: what has left is what was fed first
    by_sheet, by_solvent = np.array(fed_by_step).T
    return History(
        table[:, 0],
        table[:, 1 : 1 + terms],
        table[:, -5],
        inside,
        np.stack([fed_now, np.interp(fed_now, by_sheet, by_solvent)], axis=1),
        np.stack([gone, np.interp(gone, by_sheet, by_solvent)], axis=1),
        begins,
    )


def _sample(press: Press) -> tuple[float, ...]:
    state = press.state
    slots = (state.progress.ring[0] + np.arange(state.progress.ring[1])) % state.sheet.x.size
    fed, gone = state.record.mass
    mass, solids = state.sheet.mass[slots], SOLIDS * np.sqrt(state.sheet.stiff[slots])  # moduli go with their square
    inside = (float(mass.sum()), float(mass @ (1.0 - solids)))
    return (press.time_ns / 60e9, *press.ledger().values(), press.stored_energy_j(), *inside, float(fed), float(gone))


def balances(effort: Effort) -> Comparison:
    """Energy and mass through start, speed step, stop, lost heaters, lost coolant and opening."""
    part = 0.25 if effort is Effort.QUICK else 1.0
    history = live(tuple(replace(stretch, seconds=part * stretch.seconds) for stretch in RUN))
    signs = np.array([1.0 if name in INPUTS else -1.0 for name in LEDGER])
    flows = history.ledger @ signs
    put_in = float(history.ledger[-1, : len(INPUTS)].clip(0.0).sum())
    energy_off = np.abs(history.stored - history.stored[0] - (flows - flows[0])) / put_in
    mass_off, solvent_off = (np.abs(history.fed - history.gone - history.inside) / history.fed[-1]).T

    def draw(left: Axes, right: Axes) -> None:
        t = history.minutes
        losses = history.ledger[:, len(INPUTS) :].T * 1e-6
        left.stackplot(
            t, np.maximum(losses, 0.0), labels=[_words(n) for n in LEDGER[len(INPUTS) :]], colors=(*COLD, *SERIES)
        )
        left.plot(t, (history.ledger[:, : len(INPUTS)].sum(axis=1)) * 1e-6, color=HEAT[3], label="put in")
        stored = (history.stored - history.stored[0] + history.ledger[:, len(INPUTS) :].sum(axis=1)) * 1e-6
        left.plot(t, stored, color=INK, linestyle=(0, (4, 3)), label="lost and stored")
        left.set(xlabel="Time in min", ylabel="Energy in MJ")
        left.legend(loc="upper left", fontsize=7)
        right.semilogy(t, np.maximum(energy_off, 1e-17), color=SERIES[0], label="energy / put in")
        right.semilogy(t, np.maximum(mass_off, 1e-17), color=SERIES[1], label="sheet / fed")
        right.semilogy(t, np.maximum(solvent_off, 1e-17), color=SERIES[2], label="solvent / fed")
        right.axhline(1e-6, color=INK, linewidth=0.8, linestyle=(0, (5, 3)))
        right.axhline(1e-9, color=INK, linewidth=0.8, linestyle=(0, (1, 2)))
        ends = [*(begin for begin, _ in history.begins[1:]), np.inf]
        for (begin, name), end in zip(history.begins, ends, strict=True):
            right.axvline(begin, color=INK, linewidth=0.4)
            # left of its line where the next is too close for a name between them
            side = "right" if end - begin < 0.05 * t[-1] else "left"
            right.annotate(name, (begin, 1.5e-6), rotation=90, fontsize=6.5, va="bottom", ha=side)
        right.set(xlabel="Time in min", ylabel="What does not close", ylim=(1e-17, 3e-2))
        right.legend(loc="lower right")

    numbers = [
        Number("energy that does not close / put in, largest", float(energy_off.max()), "", 1e-6),
        Number("sheet mass that does not close / fed, largest", float(mass_off.max()), "", 1e-9),
        Number("solvent that does not close / fed, largest", float(solvent_off.max()), "", 1e-9),
        Number("in: sheet", float(history.fed[-1, 0]), "kg", at_least=0.1),
        Number("in: solvent with it", float(history.fed[-1, 1]), "kg"),
        Number("out: sheet", float(history.gone[-1, 0]), "kg"),
        Number("out: solvent with it", float(history.gone[-1, 1]), "kg"),
        Number("inside at the end: sheet", float(history.inside[-1, 0]), "kg"),
        Number("stored at the end, above the start", float(history.stored[-1] - history.stored[0]) * 1e-6, "MJ"),
    ]
    numbers += [
        Number(f"{'in: ' if name in INPUTS else 'out: '}{_words(name)}", float(value) * 1e-6, "MJ")
        for name, value in zip(LEDGER, history.ledger[-1], strict=True)
    ]
    return Comparison(
        "Energy and mass over a run",
        "A press from cold: heated, fed, stepped from 2 to 4.5 m/min, where the layers strain on their own (and "
        "back), braked with sheet in the hot zone, run rough (rollers out of round, one missing, feed uneven in "
        "thickness and solids) at 2 and 7 m/min, its heaters and its coolant lost, opened under sheet and run empty. "
        "Every joule that leaves a body is booked once; dashed: energy limit, dotted: mass limit.",
        numbers,
        panels(draw, 2, "balances", "Energy terms over time, and what does not close", 4.2),
        (
            "The model has no oil bleed: solvent leaves with the sheet it came in. Solvent inside is read off the "
            "moduli of every parcel, solvent that went in and out off the feed, first in, first out.",
        ),
    )


def _words(name: str) -> str:
    return name.removesuffix("_j").replace("_", " ")
