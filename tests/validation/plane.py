"""What the parcel without conduction along the press costs, against a two-dimensional finite-element solution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import CubicSpline

from rig.report.colours import HEAT, SERIES
from rig.report.figures import INK
from tests.oracles.advection import Field, solve_plane
from tests.oracles.parameters import Floats, Gel, Rollers, machine_file, material_file
from tests.oracles.parcel import Drive, Outcome, along, roll_parcel
from tests.validation.comparison import Comparison, Effort, Number, panels

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HOT, COLD, ROOM = 388.15, 288.15, 298.15
SMOOTH_M = 0.036


def plane(effort: Effort) -> Comparison:
    """Belt and sheet in the plane, with and without conduction along the press."""
    speeds = (1.0,) if effort is Effort.QUICK else (0.3, 1.0, 4.0)
    tables, gel = machine_file(), Gel.of(material_file())
    r = Rollers.of(tables)
    numbers: list[Number] = []
    shown: tuple[Field, Field, Outcome] | None = None
    for speed in speeds:
        v = speed / 60.0
        # thickness and contact of the parcel between ideal belts, one pitch smoothed
        start = roll_parcel(
            r, gel, Drive(lambda x: HOT if x < r.heat_end else COLD, lambda x: HOT if x < r.heat_end else COLD, v)
        )
        thickness, pressure = _smooth(start.x, start.thickness), _smooth(start.x, start.pressure)

        def height(x: Floats, t: tuple[Floats, Floats] = thickness) -> Floats:
            return np.interp(x, *t)

        def contact(x: Floats, p: tuple[Floats, Floats] = pressure) -> Floats:
            now = np.interp(x, *p)
            return np.where(now > 1e3, r.contact_base + r.contact_per_pascal * now, r.contact_closed)

        def plates(x: Floats) -> Floats:
            return np.where(x < r.heat_end, HOT, COLD)

        stations = 500 if effort is Effort.QUICK else 2000
        both, none = (
            solve_plane(tables, gel, height, contact, plates, (ROOM, HOT), v, axial, stations) for axial in (1.0, 0.0)
        )
        coarse = solve_plane(tables, gel, height, contact, plates, (ROOM, HOT), v, 1.0, stations // 2)
        inside = both.x > 0.05
        core = float(np.abs(both.core - none.core)[inside].max())
        mesh = float(np.abs(np.interp(both.x, coarse.x, coarse.core) - both.core)[inside].max())
        rolled = [_rolled(r, gel, field, v) for field in (both, none)]
        name = f"{speed:g} m/min"
        numbers += [
            Number(
                f"core temperature without conduction along the press: {name}", core, "K", 0.5 if speed >= 1.0 else 1.5
            ),
            Number(f"r without it: {name}", abs(rolled[0].r_percent - rolled[1].r_percent), "points", 0.1),
            Number(f"core temperature on a mesh twice as coarse: {name}", mesh, "K"),
        ]
        # the parcel between the belts of the plane solution: what layers and lumping cost
        belt = along(CubicSpline(both.x, both.belt.mean(axis=1)))
        parcel = roll_parcel(r, gel, Drive(belt, belt, v))
        off = np.abs(np.interp(both.x, parcel.x, parcel.core_temperature) - both.core)[both.x > 0.3]
        numbers.append(Number(f"core, 11-layer parcel between these belts − plane: {name}", float(off.max()), "K"))
        if speed == 1.0:
            shown = both, none, parcel
    assert shown is not None
    both, none, parcel = shown

    def draw(left: Axes, right: Axes) -> None:
        left.plot(both.x, both.belt.mean(axis=1) - 273.15, color=HEAT[2], label="belt, plane")
        left.plot(both.x, both.core - 273.15, color=INK, label="core, plane")
        left.plot(
            parcel.x[::60],
            parcel.core_temperature[::60] - 273.15,
            ".",
            color=SERIES[1],
            markersize=4,
            label="core, parcel",
        )
        left.set(xlabel="Place along the press in m", ylabel="Temperature in °C")
        left.legend()
        right.plot(both.x, both.core - none.core, color=SERIES[1], label="core")
        right.plot(both.x, both.belt.mean(axis=1) - none.belt.mean(axis=1), color=HEAT[2], label="belt")
        right.set(xlabel="Place along the press in m", ylabel="Effect of conduction along the press in K")
        right.legend()

    return Comparison(
        "Conduction along the press",
        "Steady ρc·v·∇T = ∇·(k∇T) in belt and sheet in the plane (scikit-fem, streamline-upwind), plates by h_z, "
        "contact "
        "conductance between belt and sheet. The parcel conducts through the thickness only; leaving the axial term "
        "out "
        "of the same finite elements is what that costs. r is of the parcel's mechanics at the mean temperatures of "
        "either.",
        numbers,
        panels(draw, 2, "plane", "Temperatures in the plane, and the effect of axial conduction"),
        ("Thickness and contact pressure are those of the parcel, smoothed over a roller pitch.",),
    )


def _smooth(x: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Mean over one pitch, on an even grid."""
    grid = np.linspace(0.0, float(x[-1]), 4000)
    even = np.interp(grid, x, values)
    width = max(1, round(SMOOTH_M / (grid[1] - grid[0]))) | 1
    padded = np.pad(even, width // 2, mode="edge")
    return grid, np.convolve(padded, np.full(width, 1.0 / width), mode="valid")


def _rolled(r: Rollers, gel: Gel, field: Field, v: float) -> Outcome:
    mean = CubicSpline(field.x, field.mean)
    given = along(mean), along(mean.derivative())
    return roll_parcel(r, gel, Drive(given[0], given[0], v, sheet=given))
