"""Film of a running press against the independent solution between the belts of that press."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import PchipInterpolator

from emulator.config import load_machine, load_material
from emulator.press import OperatingPoint, Press
from rig.report.colours import HEAT, SERIES
from rig.report.figures import INK
from tests.oracles.parameters import Gel, Rollers, machine_file, material_file
from tests.oracles.parcel import Drive, along, roll_parcel
from tests.validation.comparison import Comparison, Effort, Floats, Number, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = ((115.0, 15.0, 1.0), (95.0, 15.0, 2.0), (112.0, 25.0, 3.5))


def belt_profile(press: Press, side: int) -> tuple[Floats, Floats]:
    """Places along the press and belt temperatures there, from a little before the entry to the exit."""
    loop = press.machine.belt_loop_m
    nodes = press.state.belt_T.shape[1]
    x = (press.state.plant.belt_s[side] + np.arange(nodes) * loop / nodes) % loop
    x = np.where(x > 0.75 * loop, x - loop, x)
    order = np.argsort(x)
    x, T = x[order], press.state.belt_T[side][order]
    inside = (x > -0.1) & (x < press.machine.press_length_m + 0.1)
    return x[inside], T[inside]


def running_press(effort: Effort) -> Comparison:
    """Steady film, full press against the parcel of the stiff solver."""
    points = POINTS[:1] if effort is Effort.QUICK else POINTS
    numbers, curves = [], None
    for heat, cold, speed in points:
        press = Press.running(load_machine("reference"), load_material("g20"), OperatingPoint.at(heat, cold, speed))
        belts = []
        for side in (0, 1):
            x, T = belt_profile(press, side)
            belts.append(along(PchipInterpolator(x, T)))
        film = press.last_film()
        v = float(press.state.plant.speed.mean())
        theirs = roll_parcel(
            Rollers.of(machine_file()),
            Gel.of(material_file()),
            Drive(*belts, speed=v),
        )
        name = f"{heat:g} °C, {speed:g} m/min"
        numbers += [
            Number(f"r, press − solver: {name}", abs(film["r_percent"] - theirs.r_percent), "points", 0.1),
            Number(f"k, press / solver − 1: {name}", abs(film["k_times_min"] / theirs.k_times_min - 1.0), "", 2e-3),
            Number(
                f"exit temperature, press − solver: {name}",
                abs(film["exit_mean_temperature_k"] - float(theirs.exit_layers.mean())),
                "K",
                0.5,
            ),
        ]
        if curves is None:
            state = press.state
            slots = (state.progress.ring[0] + np.arange(state.progress.ring[1])) % state.sheet.x.size
            slots = slots[state.sheet.released[slots] == 0]
            curves = theirs, state.sheet.x[slots], state.sheet.T_mean[slots], belt_profile(press, 0)
    assert curves is not None
    solved, x, mean, (x_belt, T_belt) = curves

    def draw(axes: Axes) -> None:
        axes.plot(x_belt, T_belt - 273.15, color=HEAT[2], label="upper belt of the press")
        axes.plot(solved.x[::20], solved.mean_temperature[::20] - 273.15, color=INK, label="sheet, solver")
        axes.plot(x[::4], mean[::4] - 273.15, "o", color=SERIES[1], markersize=3, label="parcels of the press")
        axes.set(xlabel="Place along the press in m", ylabel="Temperature in °C")
        axes.legend()

    return Comparison(
        "Film of a running press",
        "A press in balance over its whole belt loop: its belt temperatures along the press are handed to the "
        "independent "
        "solver, and the film that leaves is compared (picture: the first point).",
        numbers,
        panels(draw, 1, "running", "Belt and sheet temperature along a running press"),
    )
