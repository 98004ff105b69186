"""The press against closed forms: belt span, rolling coefficient, mass; and how step and parcel length converge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from emulator.config import Machine, Material
from emulator.press import FILM_COLUMNS, OperatingPoint, Press, roll
from emulator.press.constants import machine_constants
from rig.report.colours import SERIES
from rig.report.figures import INK
from tests.oracles import closed_forms as exact
from tests.oracles.parameters import machine_file, material_file
from tests.validation.comparison import Comparison, Effort, Number, draw_convergence, mark, order_of, panels
from tests.validation.setups import between, changed, trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GEL = Material.model_validate(material_file())


def belt_span(effort: Effort) -> Comparison:
    """Compliance read off pressure and thickness along the press."""
    del effort
    pitches = [30.0, 36.0, 40.0, 60.0, 100.0]
    tabulated = {30.0: 6.4e-11, 36.0: 1.302e-10, 40.0: 1.96e-10, 60.0: 9.1e-10, 100.0: 5.6e-9}
    found, profile = {}, (np.zeros(1), np.zeros(1))
    for pitch in pitches:
        tables = changed(machine_file(), geometry={"roller_pitch_mm": pitch, "roller_diameter_mm": 20.0})
        x, h, p, _, _ = trace(roll(Machine.model_validate(tables), GEL, between(tables), step_m=5e-4))
        inside = (p > 2e4) & (x > Machine.model_validate(tables).taper_end_m) & (x < 2.6)
        C = (h[inside] - 0.6e-3) / (2.0 * p[inside])
        sine = np.sin(np.pi * x[inside] / (pitch * 1e-3)) ** 2
        found[pitch] = float(np.polyfit(sine, C, 1)[0])
        if pitch == 36.0:
            profile = x[inside], C
    expected = {p: exact.span_compliance(p * 1e-3, 1.2e-3, 200e9, 0.3, 72e3) for p in pitches}

    def draw(left: Axes, right: Axes) -> None:
        dense = np.linspace(25.0, 110.0, 100)
        left.loglog(
            dense,
            [exact.span_compliance(p * 1e-3, 1.2e-3, 200e9, 0.3, 72e3) for p in dense],
            color=INK,
            label="beam and string",
        )
        left.loglog(pitches, list(found.values()), "o", color=SERIES[0], markersize=5, label="emulator")
        left.set(xlabel="Roller pitch in mm", ylabel="C_m in m/Pa")
        left.legend()
        x, C = profile
        shown = x < x[0] + 0.12
        right.plot(
            (x[shown] - x[0]) * 1e3, C[shown] * 1e11, ".", color=SERIES[0], markersize=3, label="emulator, 36 mm"
        )
        right.plot(
            (x[shown] - x[0]) * 1e3,
            4.0 + expected[36.0] * 1e11 * np.sin(np.pi * x[shown] / 36e-3) ** 2,
            color=INK,
            linewidth=0.8,
            label="C_n + C_m sin²(πx/L)",
        )
        right.set(xlabel="Along the press in mm", ylabel="C in 10⁻¹¹ m/Pa", ylim=(2.0, 21.0))
        right.legend(loc="upper right", ncols=2)

    return Comparison(
        "Belt span",
        "Compliance of one belt between nips, read off the emulator as (h − g)/(2p), against "
        "1/C_m = 384 E I'/L⁴ + 8 σ_t d/L². It grows with the fourth power of the pitch.",
        [
            Number(
                "C_m, emulator / closed form − 1, largest",
                max(abs(found[p] / expected[p] - 1.0) for p in pitches),
                "",
                1e-6,
            ),
            Number(
                "closed form / tabulated − 1, largest",
                max(abs(expected[p] / tabulated[p] - 1.0) for p in pitches),
                "",
                0.02,
            ),
        ],
        panels(draw, 2, "span", "Belt-span compliance over pitch, and along the press"),
    )


def rolling_coefficient(effort: Effort) -> Comparison:
    """k where pressure acts from the entry to the exit."""
    del effort
    tables = machine_file()
    press = Machine.model_validate(tables)
    speeds = [0.5, 1.0, 2.0, 3.5]
    found, expected = [], []
    for speed in speeds:
        truth = roll(press, GEL, between(tables, 115.0, 15.0, speed, entry_clearance_m=2.9e-3)).truth
        found.append(truth["k_times_min"])
        expected.append(3e-3 / truth["t_600_m"] * press.press_length_m / speed)

    def draw(axes: Axes) -> None:
        axes.loglog(speeds, expected, color=INK, label="h0/t · L/v")
        axes.loglog(speeds, found, "o", color=SERIES[0], markersize=5, label="emulator")
        axes.set(xlabel="Belt speed in m/min", ylabel="k in times·min")
        axes.legend()

    worst = max(abs(a / b - 1.0) for a, b in zip(found, expected, strict=True))
    return Comparison(
        "Rolling coefficient",
        "k = h0/t · L/v, exact where the sheet is under pressure over the whole length of the press.",
        [Number("k, emulator / closed form − 1, largest", worst, "", 1e-9)],
        panels(draw, 1, "k", "Rolling coefficient over belt speed"),
    )


def step_length(effort: Effort) -> Comparison:
    """r and k over the step of the parcel."""
    cases = {
        "reference": (36.0, 115.0, 1.0),
        "too cold": (36.0, 90.0, 1.0),
        "8 m/min": (36.0, 115.0, 8.0),
        "60 mm pitch": (60.0, 115.0, 1.0),
    }
    if effort is Effort.QUICK:
        cases = {name: cases[name] for name in ("reference", "60 mm pitch")}
    steps = [3.6e-3, 1.8e-3, 0.9e-3, 0.45e-3]
    r_error, halving, order = {}, {}, {}
    for name, (pitch, heat, speed) in cases.items():
        tables = changed(machine_file(), geometry={"roller_pitch_mm": pitch})
        press, how = Machine.model_validate(tables), between(tables, heat, 15.0, speed)
        r = [roll(press, GEL, how, step_m=step).truth["r_percent"] for step in steps]
        own = min(machine_constants(press)[0].step_m, press.numerics.step_max_s * speed / 60.0)
        fine = [roll(press, GEL, how, step_m=step).truth["r_percent"] for step in (0.1e-3, 0.05e-3)]
        limit = fine[1] + (fine[1] - fine[0])  # Richardson, first order: errs on the side of a larger error
        r_error[name] = [abs(value - limit) for value in r]
        at_own, at_half = (roll(press, GEL, how, step_m=step).truth["r_percent"] for step in (own, 0.5 * own))
        halving[name] = abs(at_own - at_half)
        order[name] = order_of(steps, r_error[name])

    def draw(axes: Axes) -> None:
        for colour, name in zip(SERIES, cases, strict=False):
            draw_convergence(axes, [1e3 * s for s in steps], r_error[name], colour, name)
        mark(axes, 1.8, "longest step of the machine file")
        axes.set(xlabel="Step in mm", ylabel="Error of r in points")
        axes.legend()

    numbers = [Number(f"r when the step is halved: {name}", value, "points", 0.05) for name, value in halving.items()]
    numbers += [Number(f"order in step: {name}", value, "", at_least=0.8) for name, value in order.items()]
    return Comparison(
        "Step of the parcel",
        "r of one parcel over the length of its step, against the limit of steps of 0.1 and 0.05 mm (Richardson).",
        numbers,
        panels(draw, 1, "steps", "Error of r over step length"),
        ("Steps meet the nips at another phase for every length, so errors scatter about the fitted line.",),
    )


def parcel_length(effort: Effort) -> Comparison:
    """r and k of a running press over the length of its parcels."""
    lengths = [40.0, 20.0, 10.0] if effort is Effort.QUICK else [80.0, 40.0, 20.0, 10.0]
    r, k, T = {}, {}, {}
    for length in lengths:
        press = Machine.model_validate(changed(machine_file(), sheet={"parcel_length_mm": length}))
        running = Press.running(press, GEL, OperatingPoint.at(115.0, 15.0, 2.0))
        rows = running.film()[1][-12:]
        r[length] = float(rows[:, FILM_COLUMNS.index("r_percent")].mean())
        k[length] = float(rows[:, FILM_COLUMNS.index("k_times_min")].mean())
        T[length] = float(rows[:, FILM_COLUMNS.index("exit_mean_temperature_k")].mean())
    finest = lengths[-1]
    against = lengths[:-1]
    errors = {
        "r in points": [abs(r[n] - r[finest]) for n in against],
        "k in times·min": [abs(k[n] - k[finest]) for n in against],
        "exit temperature in K": [abs(T[n] - T[finest]) for n in against],
    }

    def draw(axes: Axes) -> None:
        for colour, (name, error) in zip(SERIES, errors.items(), strict=False):
            draw_convergence(axes, against, error, colour, name)
        axes.set(xlabel="Parcel length in mm", ylabel=f"Difference from {finest:g} mm")
        axes.legend()

    return Comparison(
        "Length of the parcels",
        f"A press running at 2 m/min with parcels of different length, against parcels of {finest:g} mm.",
        [
            Number("r, 20 mm against 10 mm", abs(r[20.0] - r[10.0]), "points", 0.05),
            Number("k, 20 mm / 10 mm − 1", abs(k[20.0] / k[10.0] - 1.0), "", 2e-3),
            Number("exit temperature, 20 mm against 10 mm", abs(T[20.0] - T[10.0]), "K", 0.1),
            Number("order of r in parcel length", order_of(against, errors["r in points"]), ""),
        ],
        panels(draw, 1, "parcels", "Differences over parcel length"),
        ("A parcel is one place in the gap, whatever its length; its length only blurs the belt under it.",),
    )
