"""Effects that the model leaves out, and how large they are: estimates on top of the reference case.

Each function returns what it assumes and what it would change; none has a limit, for there is nothing to hold
them against. The numbers stand in docs/validation.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from rig.report.colours import SERIES
from tests.oracles.closed_forms import gaskell
from tests.oracles.parameters import GAS, Gel, material_file
from tests.validation.comparison import Comparison, Effort, Number, panels
from tests.validation.drawn import Case, reference

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OIL_VISCOSITY = 5e-3  # Pa s, paraffin oil at 115 degC [E]
GEL_PERMEABILITY = 1e-17  # m2, mesh of some 10 nm [E]
DRAINED_MODULUS = 1e6  # Pa, gel squeezed of its oil [E]
BELT_ROUGHNESS = 0.5e-6  # m, oil that fits between belt and sheet on either face [E]
FRICTION = 0.1  # oil-wet belt on gel [E]


@dataclass(frozen=True)
class Size:
    """One effect: what it does to r of the reference case, in points, and a number that is its own."""

    name: str
    points: float
    other: str
    value: float
    unit: str


def oil_bleed() -> Size:
    """Oil leaves only over the edges and into the roughness of the belts: how much of it, and what that changes."""
    truth = reference().emulator().truth
    reach = math.sqrt(GEL_PERMEABILITY * DRAINED_MODULUS / OIL_VISCOSITY * truth["time_under_pressure_s"])
    edge = 2.0 * reach / 0.6  # both edges of 0.6 m
    faces = 2.0 * BELT_ROUGHNESS / truth["exit_thickness_m"]
    lost = (edge + faces) * 0.8  # of the sheet, as oil
    drier = replace(reference(), solids=0.20 / (1.0 - lost))
    change = drier.emulator().truth["r_percent"] - truth["r_percent"]
    return Size("oil bleed", change, "oil lost, part of the sheet", lost, "")


def slip() -> Size:
    """A sheet that lags 1 % behind the belts is rolled 1 % longer; friction would have to be overcome for that."""
    truth = reference().emulator().truth
    slower = reference(speed_m_min=0.99).emulator().truth
    trace = reference().emulator().trace
    hold = 2.0 * FRICTION * float(trace[:, 2].mean())  # Pa, both faces
    # what pulls: the change of section stress along the press, of the order of the pressure over the length
    pull = float(trace[:, 2].max()) * truth["exit_thickness_m"] / 4.15
    return Size("slip of 1 %", slower["r_percent"] - truth["r_percent"], "friction that holds / pull", hold / pull, "")


def plastic_work(heat_c: float = 115.0) -> Size:
    """All work of deformation as heat, none of it conducted away."""
    solved = reference(heat_c).independent()
    gel = Gel.of(material_file())
    T = np.array([heat_c + 273.15])
    rise = solved.plastic_work / float((gel.density(T) * gel.heat_capacity(T))[0])
    warmer = reference(heat_c + rise).emulator().truth["r_percent"]
    change = warmer - reference(heat_c).emulator().truth["r_percent"]
    return Size(f"plastic work at {heat_c:g} °C", change, "adiabatic rise", rise, "K")


def friction_hill() -> Size:
    """Pressure raised by 1 + mu a/(2h) over the contact length a of a nip."""
    solved = reference().emulator()
    h, p = solved.truth["t0_m"], solved.truth["max_pressure_pa"]
    indented = 2.0 * 4e-11 * p
    a = 2.0 * math.sqrt(2.0 * 16e-3 * indented)
    factor = 1.0 + FRICTION * a / (2.0 * h)
    stiffer = _stiffened(factor).emulator().truth
    return Size(
        "friction hill in the nips", stiffer["r_percent"] - solved.truth["r_percent"], "pressure factor", factor, ""
    )


def hydrodynamic_nip() -> Size:
    """Gaskell's nip: pressure of a Newtonian sheet of the gel's viscosity, were each roller a bare roll in a bank."""
    truth = reference().emulator().truth
    speed, radius, half = 1.0 / 60.0, 16e-3, 0.5 * truth["t0_m"]
    rate = speed / math.sqrt(2.0 * radius * half)
    viscosity = viscosity_of(115.0, rate)
    _, _, peak, _ = gaskell()
    pressure = peak * viscosity * speed / half * math.sqrt(2.0 * radius / half)
    # a bare roll would do all the thinning in one nip; here each nip takes back what sprang up before it
    indented = (truth["exit_thickness_m"] - truth["t0_m"]) / truth["t0_m"]
    factor = 1.0 + pressure * min(1.0, indented) / truth["max_pressure_pa"]
    change = _stiffened(factor).emulator().truth["r_percent"] - truth["r_percent"]
    return Size("hydrodynamic nip (Gaskell)", change, "bare-roll peak pressure", pressure * 1e-6, "MPa")


def viscosity_of(celsius: float, rate: float) -> float:
    """Viscosity of the reference gel in Pa s at a rate in 1/s: stress after one unit of strain, over the rate."""
    gel = Gel.of(material_file())
    m, T = gel.mechanics, celsius + 273.15
    a_T = math.exp(
        1e3 * m["arm_activation_energy_kj_mol"] / GAS * (1.0 / T - 1.0 / (m["reference_temperature_c"] + 273.15))
    )
    b = float(gel.softening(np.array([T]))[0][0])
    total = 0.0
    for E, tau in zip(m["arm_modulus_25c_mpa"], m["arm_relaxation_time_s"], strict=True):
        total += 1e6 * E * b * tau * a_T * (1.0 - math.exp(-1.0 / (rate * tau * a_T)))
    return total


def _stiffened(factor: float) -> Case:
    tables = material_file()
    mechanics = tables["mechanics"]
    mechanics["arm_modulus_25c_mpa"] = [factor * E for E in mechanics["arm_modulus_25c_mpa"]]
    for name in ("network_modulus_25c_mpa", "network_modulus_min_mpa"):
        mechanics[name] *= factor
    return replace(reference(), material=tables)


def sizes(effort: Effort) -> Comparison:
    """All of them."""
    del effort
    found = [oil_bleed(), slip(), plastic_work(115.0), plastic_work(95.0), friction_hill(), hydrodynamic_nip()]
    lam, ratio, peak, load = gaskell()

    def draw(axes: Axes) -> None:
        places = np.arange(len(found))
        axes.barh(places, [abs(size.points) for size in found], color=SERIES[1])
        axes.set_yticks(places, [size.name for size in found])
        axes.set(xlabel="Change of r in points, size", xscale="log")

    numbers = [Number(f"r, {size.name}", size.points, "points") for size in found]
    numbers += [Number(f"{size.name}: {size.other}", size.value, size.unit) for size in found]
    numbers += [
        Number("Gaskell λ", lam, "", at_least=0.47512, at_most=0.47514),
        Number("Gaskell H/H0", ratio, "", at_least=1.2257, at_most=1.2258),
        Number("Gaskell peak pressure, reduced", peak, "", at_least=0.3801, at_most=0.3803),
        Number("Gaskell load, reduced", load, "", at_least=1.222, at_most=1.225),
    ]
    return Comparison(
        "Sizes of what is left out",
        "Estimates for the reference case (r about 7.4 %): oil bleed over the edges and into the belts' roughness; 1 "
        "% slip; "
        "all deformation work as heat; a friction hill over the contact length of a nip; the hydrodynamic pressure "
        "of a "
        "Newtonian sheet in a bare roll nip (Gaskell). Conduction along the press has a comparison of its own.",
        numbers,
        panels(draw, 1, "sizes", "Change of r by effects that the model leaves out"),
        (
            "Gaskell's nip does not apply to the model: its nips are lumped, a sheet that is already as wide as the "
            "gap "
            "passes under belts that bridge between rollers. It sizes what the lumped nip neglects.",
            "A friction hill over the width of the sheet is not among these: the spread of the sheet is an "
            "assumption of "
            "the model (spread fraction), not a result.",
        ),
    )
