"""A press with a line around it and people who know what they do, without node and wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from emulator.config import load_machine, load_material
from emulator.line.line import PERIOD_NS, Line
from emulator.line.plan import LinePlan, load_line
from emulator.line.start import Downstream, begin_behind, run_in, upstream
from emulator.press.press import Press
from emulator.press.start import Thermostat
from emulator.warm import settled
from emulator.world import operating_point
from rig.recipe import Recipe, load_recipe

KELVIN = 273.15


def plan(**changes: Any) -> LinePlan:
    """The reference line with other parts."""
    return load_line().model_copy(update=changes)


def recipe(**settings: float) -> Recipe:
    """The reference recipe with other settings of the press."""
    reference = load_recipe("reference")
    return reference.model_copy(update={"press": reference.press.model_copy(update=settings)})


class Joined:
    """A running press under a thermostat, and its line, stepped together; all clocks begin at 0."""

    def __init__(
        self, how: Recipe | None = None, line: LinePlan | None = None, elastomer: Any = "unsaturated", seed: int = 0
    ) -> None:
        self.recipe = how or recipe()
        material = load_material("g20")
        self.point = operating_point(self.recipe)
        self.press = Press(load_machine("reference"), material)
        self.press.restore(settled(self.press.machine, material, self.point, "running")[0])
        self.line = Line(line or plan(), material, elastomer, seed)
        run_in(self.line, upstream(self.line, self.recipe), self.press)
        self.commands = self.point.commands(feed=True)
        self.thermostat = Thermostat(self.press, self.point)
        self.thermostat.integral[:] = settled(self.press.machine, material, self.point, "running")[1]
        self.seconds = 0
        self.tail = self.line.tail
        self.line.bridge.feed(self.line.store.front, self.commands)

    def start_behind(
        self, ratio: float = 3.5, oven_c: float = 118.0, set_c: float = 125.0, speed: float | None = None
    ) -> None:
        """Everything behind the press is hot at once, and runs as the press does."""
        tail = self.tail
        point = Downstream(
            self.point.speed_m_s if speed is None else speed,
            ratio_md=ratio,
            ratio_td=ratio,
            oven_k=oven_c + KELVIN,
            setting_k=set_c + KELVIN,
        )
        begin_behind(self.line, point)
        stretch, wash, heat = tail.stretcher, tail.desolvator, tail.heat_setter
        stretch.state.air_k[:] = stretch.commands.air_k
        stretch.state.ratio[:] = ratio
        wash.state.bath_k, wash.state.air_k = wash.commands.bath_k, wash.commands.air_k
        heat.state.air_k = heat.commands.air_k

    def run(self, seconds: int, every: Callable[[], object] | None = None) -> None:
        """Go on by so many seconds."""
        for _ in range(seconds):
            self.thermostat.regulate(self.commands, 1.0)
            self.press.advance(PERIOD_NS, self.commands)
            self.seconds += 1
            self.line.step(1.0, self.press, self.commands, self.seconds * PERIOD_NS)
            if every is not None:
                every()

    def film(self) -> Any:
        """Pieces that were wound, the oldest first."""
        ended = self.line.ended()
        return ended[ended["roll"] > 0]

    def properties(self, name: str) -> float:
        """Mean over the film of the last roll that has been wound so far."""
        return float(np.mean(self.film()[name]))
