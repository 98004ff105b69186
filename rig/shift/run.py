"""Runs a shift: start, production, run out, and the wait until the last roll has been measured.

The line forgets its older pieces, so they are collected as it goes; what film is by now is asked at the end, when the
curing room has done with it. Ctrl-C ends a shift early: the line is left safe, and what there is is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rig.bench import Bench, open_press
from rig.clock import SECOND_NS, wall_s
from rig.controller.api import RollRecord
from rig.controller.line import LineController, load_line_facts
from rig.controller.machine_facts import load_machine_facts
from rig.controller.runner import Runner
from rig.errors import UsageError
from rig.products import Product
from rig.rolls import Lot, Roll, RollMap

__all__ = ["Shift", "ShiftPlan", "run_shift"]

STEP_S: Final = 30.0
"""Pieces are collected, and progress is told, after so much press time."""
REST_PERIOD_NS: Final = SECOND_NS
"""Of the scans while nothing but the curing room works."""
LONGEST_CURE_S: Final = 7 * 24 * 3600.0
RESET_S: Final = 60.0
"""After a fault the operator resets, and waits so long for the line to take it."""
MOST_RESETS: Final = 3
GAVE_UP: Final = ("fault", "emergency_stop")


@dataclass(frozen=True, slots=True)
class ShiftPlan:
    """What a shift is to be.

    Attributes:
        product: what to make.
        url: of the virtual line, with everything that it is made from.
        hours: of production.
        enforce_claims: refuse a product that cannot meet the claims.
        roll_length_m: of film on a full roll; 0 for what the winder is built for.
        take_over: the line is running already; the controller goes on with it.
    """

    product: Product
    url: str
    hours: float
    enforce_claims: bool = True
    roll_length_m: float = 0.0
    take_over: bool = False

    @property
    def length_m(self) -> float:
        """Sheet to make at the speed of the product, m."""
        return self.hours * 60.0 * self.product.press.speed_m_min


@dataclass(slots=True)
class Shift:
    """A shift as it goes, and what came of it.

    Attributes:
        plan: what it was to be.
        controller: of the line.
        runner: of the controller, while the shift goes.
        ending: why it ended before its length was made; empty if it did not.
        interrupted: Ctrl-C ended it.
        press_s: press time that it took, s.
        wall_s: wall time that it took, s.
        pieces: that have come to their end, as the virtual line keeps them.
        rolls: what the controller says of them.
        map: rolls, lots and pieces; None before the end.
    """

    plan: ShiftPlan
    controller: LineController
    runner: Runner | None = None
    ending: str = ""
    interrupted: bool = False
    press_s: float = 0.0
    wall_s: float = 0.0
    pieces: list[NDArray[np.void]] = field(default_factory=list)
    collected: int = 0
    rolls: Sequence[RollRecord] = ()
    map: RollMap | None = None

    @property
    def state(self) -> str:
        """Of the controller."""
        return self.controller.state

    @property
    def film_m(self) -> float:
        """Film on all rolls so far, m."""
        return sum(roll.length_m for roll in self.controller.rolls())


def run_shift(plan: ShiftPlan, on_step: Callable[[Shift], object] = lambda shift: None) -> Shift:
    """Run a shift to its end.

    Args:
        plan: what to make, and where.
        on_step: called after every half minute of press time.

    Raises:
        UsageError: the URL is not that of a virtual line, or the controller does not start this product.
        ControllerError, BusError, PortError: as `Runner.step`.
    """
    controller = LineController(
        plan.product,
        load_line_facts(),
        load_machine_facts(),
        plan.length_m,
        plan.enforce_claims,
        roll_length_m=plan.roll_length_m,
    )
    shift = Shift(plan, controller)
    begun_s = wall_s()
    with open_press(plan.url, record=False) as bench:
        if not bench.can.see_truth or bench.virtual.world.line is None:
            raise UsageError(
                f"{plan.url}: a shift needs the virtual line, which knows what became of every piece of sheet; give an "
                "emu://line URL"
            )
        try:
            with Runner(bench, controller) as runner:
                shift.runner = runner
                _produce(shift, bench, runner, on_step)
                _cure(shift, bench, runner, on_step)
        except KeyboardInterrupt:
            shift.interrupted, shift.ending = True, "interrupted"
        shift.runner = None
        _collect(shift, bench)
        shift.press_s, shift.wall_s = bench.clock.now_ns / SECOND_NS, wall_s() - begun_s
        shift.rolls = tuple(controller.rolls())
        shift.map = _map(shift, bench)
    return shift


def _produce(shift: Shift, bench: Bench, runner: Runner, on_step: Callable[[Shift], object]) -> None:
    """From the start until the web behind the press has run empty, or the line has given up."""
    controller = shift.controller
    if not shift.plan.take_over:
        runner.run_for(1.0)  # the operator looks first
    runner.request("start")
    runner.run_for(1.0)
    if controller.state == "idle":
        raise UsageError(f"the line does not start: {controller.message}")
    while controller.state not in ("cure", "idle", *GAVE_UP):
        runner.run_for(STEP_S)
        _told(shift, bench, on_step)


def _cure(shift: Shift, bench: Bench, runner: Runner, on_step: Callable[[Shift], object]) -> None:
    """The press cools down, and rolls stand in the curing room, until the last of them has been measured."""
    controller, resets = shift.controller, 0
    end_ns = bench.clock.now_ns + round(LONGEST_CURE_S * SECOND_NS)
    while controller.state != "idle" and bench.clock.now_ns < end_ns:
        if controller.state in GAVE_UP:
            shift.ending = shift.ending or controller.message
            if resets == MOST_RESETS:
                return
            resets += 1
            runner.request("reset")
            runner.run_for(RESET_S)
            continue
        if controller.press.state == "idle" and runner.period_ns != REST_PERIOD_NS:
            runner = Runner(bench, controller, period_ns=REST_PERIOD_NS)
        runner.run_for(STEP_S)
        _told(shift, bench, on_step)


def _told(shift: Shift, bench: Bench, on_step: Callable[[Shift], object]) -> None:
    _collect(shift, bench)
    shift.press_s = bench.clock.now_ns / SECOND_NS
    on_step(shift)


def _collect(shift: Shift, bench: Bench) -> None:
    pieces = bench.virtual.ended_pieces(shift.collected)
    if len(pieces):
        shift.pieces.append(pieces)
        shift.collected += len(pieces)


def _map(shift: Shift, bench: Bench) -> RollMap:
    """What is known of the film by now."""
    pieces = np.concatenate(shift.pieces) if shift.pieces else bench.virtual.ended_pieces(shift.collected)
    rows = bench.virtual.rows_of(pieces)
    lots = tuple(shift.controller.lots) or (Lot(1, 0, "whatever was in the hoppers"),)
    opened_ns = [lot.opened_ns for lot in lots]
    # sheet that was cast before the first lot was noted is of that lot
    rows["lot"] = np.maximum(np.searchsorted(opened_ns, rows["die_ns"], side="right"), 1)
    known = {record.number: record for record in shift.rolls}
    rolls = []
    for number in np.unique(rows["roll"][rows["roll"] > 0]).tolist():
        record = known.get(number)
        if record is None:
            wound_ns = rows["end_ns"][rows["roll"] == number]
            rolls.append(Roll(number, int(wound_ns[0]), int(wound_ns[-1])))
        else:
            rolls.append(Roll(number, record.begun_ns, record.ended_ns, record.grade, record.reason))
    source = {
        "press": shift.plan.url,
        "hours": f"{shift.plan.hours:g}",
        "ended": shift.ending or "all of it made",
    }
    return RollMap(shift.plan.product, tuple(rolls), lots, rows, source)
