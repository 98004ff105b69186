"""The stations behind the press: extraction, crosslinking, air permeability, and recovery in the oven."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from emulator.config import load_material
from emulator.line.desolvation.extraction import modes, soak
from emulator.line.film.definition import load_film
from emulator.line.film.properties import gurley_s
from emulator.line.gel import Web, release
from emulator.line.heat_treatment import conversion, crosslinking_rate, load_heat_treatment, oxygen_factor
from emulator.line.plate import mean_excess
from emulator.press import ideal_belt
from emulator.press.rolling import Pass
from rig.report.colours import SERIES
from rig.report.figures import INK
from tests.line.lots import through_baths
from tests.line.rolled import rolled_parcel
from tests.oracles import closed_forms as exact
from tests.oracles import desolvation as oracle
from tests.validation.comparison import Comparison, Effort, Floats, Number, panels
from tests.validation.setups import machine

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BIOTS: Final = (0.1, 1.0, 4.1, 50.0, 1e6)
BY_HAND: Final = {(25.0, 0.40): 665.0, (25.0, 0.45): 401.0, (25.0, 0.50): 250.0, (16.0, 0.40): 425.0}
"""Seconds by thickness in um and porosity."""


def extraction_series(effort: Effort) -> Comparison:
    """A sheet in one bath."""
    del effort
    long_enough = np.geomspace(0.02, 4.0, 40)
    anywhere = np.geomspace(1e-6, 4.0, 60)
    by_series = {bi: exact.slab_mean(bi, long_enough) for bi in BIOTS}
    off = max(abs(mean_excess(fo, bi) - by_series[bi][i]) for bi in BIOTS for i, fo in enumerate(long_enough))
    sheets = {bi: modes(bi) for bi in BIOTS}

    def in_modes(bi: float, fo: Floats) -> Floats:
        sheet = sheets[bi]
        return np.asarray((sheet.part * np.exp(-np.outer(fo, sheet.rate))).sum(axis=1))

    off_modes = {bi: np.abs(in_modes(bi, anywhere) - [mean_excess(fo, bi) for fo in anywhere]) for bi in BIOTS}
    times = {
        (30e-6, 1e-2): 4.0, (30e-6, 1e-3): 6.1, (350e-6, 1e-2): 546.0, (350e-6, 1e-3): 831.0,
    }  # fmt: skip
    by_hand = max(abs(mean_excess(4e-10 * t / half**2) / left - 1.0) for (half, left), t in times.items())

    def draw(left: Axes, right: Axes) -> None:
        for colour, bi in zip(SERIES, BIOTS, strict=False):
            left.semilogx(anywhere, [mean_excess(fo, bi) for fo in anywhere], color=colour, label=f"Bi {bi:g}")
            left.semilogx(long_enough[::4], by_series[bi][::4], "o", color=colour, markersize=3.5)
            right.loglog(anywhere, np.maximum(off_modes[bi], 1e-16), color=colour, label=f"Bi {bi:g}")
        left.set(xlabel="Fourier number", ylabel="Part of the solvent left")
        left.legend()
        right.set(xlabel="Fourier number", ylabel="Modes − series")
        right.legend()

    return Comparison(
        "Extraction of a plane sheet",
        "Part of the solvent left in a sheet with a liquid film at its faces: series of 8 terms and short-time form "
        "(lines) against 60 terms with roots by bisection (dots). Right: what it costs that a piece of sheet carries "
        "13 amplitudes and not all of the series.",
        [
            Number("part left, emulator − series of 60 terms, largest", off, "", 1e-8),
            Number(
                "part left in 13 modes, largest difference", float(max(e.max() for e in off_modes.values())), "", 3e-4
            ),
            Number("1 % and 0.1 % left after 4.0 and 6.1, 546 and 831 s, relative", by_hand, "", 0.02),
        ],
        panels(draw, 2, "extraction", "Solvent left over time, and the error of the modes"),
    )


def extraction_in_baths(effort: Effort) -> Comparison:
    """Lots of sheet through baths that fill up with solvent, against SciPy."""
    lots = 6 if effort is Effort.QUICK else 20
    rate, bi, volume, flow, fresh, liquid, stay = 0.05, 4.1, 0.05, 2e-4, 1e-3, 3e-3, 20.0
    count = 3
    expected, expected_baths = oracle.lots_through_baths(
        rate, bi, [fresh] * count, volume, flow, fresh, liquid, stay, lots
    )
    found: dict[float, tuple[Floats, Floats]] = {}
    balances = []
    for dt in (0.25, 1.0, 5.0):
        out, baths, balance = through_baths(
            lots=lots, turns=lots + count - 1, dt=dt, rate=rate, bi=bi, count=count, volume=volume, flow=flow,
            fresh=fresh, liquid=liquid, stay=stay,
        )  # fmt: skip
        found[dt] = out, baths
        balances.append(balance)
    times = np.linspace(0.0, 60.0, 61)[1:]
    sheet = modes(bi)
    changing = oracle.sheet_in_bath(rate, bi, lambda t: 0.2 + 0.2 * math.sin(0.2 * t), times)
    amplitude, single = sheet.part, []
    for t in times:
        for part in range(8):  # the emulator's baths change from step to step
            amplitude = soak(amplitude, sheet, rate / 8.0, 0.2 + 0.2 * math.sin(0.2 * (t - 1.0 + (part + 0.5) / 8.0)))
        single.append(float(amplitude.sum()))

    def draw(left: Axes, right: Axes) -> None:
        left.plot(times, changing, color=INK, label="SciPy, 60 cells")
        left.plot(times[::3], single[::3], "o", color=SERIES[0], markersize=3.5, label="emulator")
        left.set(xlabel="Time in s", ylabel="Part of solvent in the sheet")
        left.legend()
        right.plot(range(1, lots + 1), expected, color=INK, label="SciPy")
        for colour, (dt, (out, _)) in zip(SERIES, found.items(), strict=False):
            right.plot(range(1, lots + 1), out, "o", color=colour, markersize=3.5, label=f"emulator, {dt:g} s")
        right.set(xlabel="Lot of sheet", ylabel="Part left behind the last bath")
        right.legend()

    return Comparison(
        "Extraction against a flow of extractant",
        "Left: one sheet in a bath whose part of solvent swings. Right: lots of sheet through three baths that fill up "
        "with what they take; sheet and baths coupled. SciPy integrates diffusion in 60 cells and the baths by BDF.",
        [
            Number("sheet in a changing bath, largest difference", float(np.abs(changing - single).max()), "", 5e-4),
            Number("lots, steps of 0.25 s", float(np.abs(expected - found[0.25][0]).max()), "", 5e-4),
            Number("lots, steps of 1 s", float(np.abs(expected - found[1.0][0]).max()), "", 1e-3),
            Number("lots, steps of 5 s", float(np.abs(expected - found[5.0][0]).max()), "", 5e-3),
            Number("baths at the end, steps of 1 s", float(np.abs(expected_baths - found[1.0][1]).max()), "", 1e-3),
            Number("balance of the solvent, relative, largest", max(balances), "", 1e-9),
        ],
        panels(draw, 2, "baths", "Solvent in sheet in baths"),
        ("A step of the sheet sees the baths of its start: of first order in the step.",),
    )


def crosslinking(effort: Effort) -> Comparison:
    """First-order conversion: by hand, and along a temperature program by SciPy."""
    del effort
    station = load_heat_treatment()
    c = station.crosslinking
    times = np.linspace(0.0, 8 * 3600.0, 97)[1:]

    def temperature(t: float) -> float:
        return 358.15 + 31.0 * min(max((t - 6 * 3600.0) / 1800.0, 0.0), 1.0)

    def oxygen(t: float) -> float:
        return oxygen_factor(station, 0.21 - 0.15 * min(t / 3600.0, 1.0))

    expected = oracle.conversion(c.rate_85c_per_s, c.activation_energy_kj_mol * 1e3, temperature, oxygen, times)
    alpha, found = 0.0, []
    step = 5.0
    for t in np.arange(0.0, times[-1], step):
        middle = t + 0.5 * step
        gas = 0.21 - 0.15 * min(middle / 3600.0, 1.0)
        alpha = conversion(alpha, crosslinking_rate(station, "unsaturated", temperature(middle), gas), step)
        if (t + step) % (times[1] - times[0]) < 1e-6:
            found.append(alpha)
    hot = [crosslinking_rate(station, "unsaturated", T + 273.15) for T in (85.0, 116.0)]
    first = conversion(0.0, hot[0], 6 * 3600.0)
    both = conversion(first, hot[1], 2 * 3600.0)

    def draw(axes: Axes) -> None:
        axes.plot(times / 3600.0, expected, color=INK, label="SciPy")
        axes.plot(times[::4] / 3600.0, found[::4], "o", color=SERIES[0], markersize=3.5, label="emulator, 5 s")
        axes.set(xlabel="Time in h", ylabel="Part of the double bonds reacted")
        axes.legend()

    return Comparison(
        "Oxidative crosslinking",
        "Six hours at 85 °C and two up to 116 °C, with oxygen running short in the first hour: steps of 5 s, each "
        "exact at the rate of its middle, against SciPy. By hand: 1 − exp(−kt).",
        [
            Number("conversion, emulator − SciPy, largest", float(np.abs(expected - found).max()), "", 1e-5),
            Number("85 °C, 6 h − by hand 1 − exp(−1.296)", abs(first - (1.0 - math.exp(-1.296))), "", 1e-9),
            Number("then 116 °C, 2 h", both, "", at_least=0.9993, at_most=0.9996),
            Number("without double bonds", crosslinking_rate(station, "saturated", 389.15), "1/s", 0.0),
        ],
        panels(draw, 1, "crosslinking", "Conversion over time"),
    )


def gurley(effort: Effort) -> Comparison:
    """Air permeability by hand."""
    del effort
    film = load_film()
    off = max(abs(gurley_s(film, um * 1e-6, eps) - seconds) for (um, eps), seconds in BY_HAND.items())
    porosity = np.linspace(0.3, 0.6, 40)

    def draw(axes: Axes) -> None:
        for colour, um in zip(SERIES, (16.0, 25.0), strict=False):
            axes.semilogy(porosity, [gurley_s(film, um * 1e-6, e) for e in porosity], color=colour, label=f"{um:g} µm")
        axes.semilogy([e for _, e in BY_HAND], list(BY_HAND.values()), "o", color=INK, markersize=4, label="by hand")
        axes.set(xlabel="Porosity", ylabel="Gurley time in s")
        axes.legend()

    return Comparison(
        "Air permeability",
        "Time for 100 mL of air through 6.42 cm² at 1.22 kPa: slip and viscous flow side by side in pores of the "
        "hydraulic diameter, against four calculations by hand.",
        [Number("Gurley, emulator − by hand (665, 401, 250, 425 s), largest", off, "s", 0.6)],
        panels(draw, 1, "gurley", "Gurley time over porosity"),
    )


def recovery_in_the_oven(effort: Effort) -> Comparison:
    """Rolled sheet in the stretcher's oven: its thin-sheet mechanics against the press's own recovery."""
    gel = load_material("g20")
    heats = (85.0, 112.0) if effort is Effort.QUICK else (85.0, 95.0, 105.0, 112.0, 120.0)
    waits = (10.0, 60.0) if effort is Effort.QUICK else (3.0, 10.0, 30.0, 60.0, 120.0)
    oven = machine(sheet={"air_conductance_w_m2k": 60.0})
    # hotter than a room may be, which is why it is not validated
    oven = oven.model_copy(update={"ambient": oven.ambient.model_copy(update={"temperature_c": 118.0})})
    press, line = np.zeros((len(heats), len(waits))), np.zeros((len(heats), len(waits)))
    for i, heat in enumerate(heats):
        x, T = ideal_belt(oven, heat + 273.15, 288.15, 1.0 / 60.0)
        for j, wait in enumerate(waits):
            parcels, press[i, j] = rolled_parcel(oven, gel, Pass(x, T, rest_s=wait))
            line[i, j] = release(gel, Web.of_parcels(parcels), 391.15, 60.0, wait).thickness_m[0]

    def draw(axes: Axes) -> None:
        for colour, heat, a, b in zip(SERIES, heats, press, line, strict=False):
            axes.semilogx(waits, a * 1e3, color=colour, label=f"rolled at {heat:g} °C")
            axes.semilogx(waits, b * 1e3, "o", color=colour, markersize=4)
        axes.set(xlabel="Time in the oven in s", ylabel="Thickness in mm")
        axes.legend()

    return Comparison(
        "Recovery in the stretcher's oven",
        "Sheet that was rolled at 1 m/min, let go in air of 118 °C: what the press makes of it with eleven layers "
        "(lines) and the oven with one temperature (dots). The laws of the gel are the same code; heat is not.",
        [Number("thickness, oven / press − 1, largest", float(np.abs(line / press - 1.0).max()), "", 3e-3)],
        panels(draw, 1, "oven", "Thickness in the oven over time"),
    )
