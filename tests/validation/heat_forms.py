"""Heat against closed forms: a slab between warm plates, a belt on a plate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import curve_fit

from emulator.press import OperatingPoint, Press, roll
from rig.report.colours import SERIES
from rig.report.figures import INK
from tests.oracles import closed_forms as exact
from tests.validation.comparison import Comparison, Effort, Floats, Number, draw_convergence, mark, order_of, panels
from tests.validation.setups import PLAIN_HEAT, isothermal, machine, material, simple_gel, trace

if TYPE_CHECKING:
    from matplotlib.axes import Axes

K, RHO_C, THICK, H_FACE, HOT, COLD = 0.16, 1.7e6, 3e-3, 1500.0, 115.0, 25.0
SEEN = {5.0: 42.923, 10.0: 68.653, 20.0: 96.153, 40.0: 111.885}
"""Centre in degC after so many seconds, from the series."""


def heated_slab(step_s: float, until_s: float = 45.0) -> tuple[Floats, Floats, Floats]:
    """Times, mean and core in degC of a 3 mm sheet that two belts at 115 degC hold without deforming it."""
    v = 1.0 / 60.0
    length = until_s * v * 1e3
    held = machine(
        geometry={
            "entry_length_mm": 0.2 * length,
            "heat_zone_length_mm": 0.1 * length,
            "cold_zone_length_mm": 0.2 * length,
        },
        sheet={"contact_base_w_m2k": H_FACE, "contact_pressure_w_m2k_pa": 0.0},
    )
    stiff = simple_gel({1e12: 1.0}, 1.0).mechanics.model_dump()
    plain = material(
        flory={"polymer_density_kg_m3": 850.0, "oil_density_kg_m3": 850.0}, thermal=PLAIN_HEAT, mechanics=stiff
    )
    how = isothermal(HOT, THICK * (1.0 - 1e-6), v, feed_thickness_m=THICK, feed_temperature_k=COLD + 273.15)
    x, _, _, mean, core = trace(roll(held, plain, how, step_m=step_s * v))
    return x / v, mean - 273.15, core - 273.15


def slab(effort: Effort) -> Comparison:
    """A sheet that is only heated."""
    steps = [0.8, 0.4, 0.2, 0.1] if effort is Effort.QUICK else [1.6, 0.8, 0.4, 0.2, 0.1, 0.05]
    runs = {step: heated_slab(step) for step in steps}
    biot = H_FACE * 0.5 * THICK / K

    def series(t: Floats) -> Floats:
        return HOT - (HOT - COLD) * exact.slab(biot, K / RHO_C * t / (0.5 * THICK) ** 2, 0.0)

    at = np.array(list(SEEN))
    in_layers = HOT - (HOT - COLD) * exact.slab_in_layers(11, K, RHO_C, THICK, H_FACE, at)[:, 5]
    in_time = [float(np.abs(np.interp(at, t, core) - in_layers).max()) for t, _, core in runs.values()]
    counts = [5, 11, 21, 41] if effort is Effort.QUICK else [5, 11, 21, 41, 81]
    of_layers = [
        float(
            np.abs(
                HOT - (HOT - COLD) * exact.slab_in_layers(n, K, RHO_C, THICK, H_FACE, at)[:, n // 2] - series(at)
            ).max()
        )
        for n in counts
    ]
    t, mean, core = runs[0.1]
    later = t > 0.5
    mean_exact = HOT - (HOT - COLD) * exact.slab_mean(biot, K / RHO_C * t[later] / (0.5 * THICK) ** 2)

    def draw(left: Axes, middle: Axes, right: Axes) -> None:
        left.plot(t, series(t), color=INK, label="series, centre")
        left.plot(t[::20], core[::20], "o", color=SERIES[0], markersize=3.5, label="emulator, centre")
        left.plot(t[later], mean_exact, color=INK, linestyle=(0, (4, 2)), label="series, mean")
        left.plot(t[::20], mean[::20], "s", color=SERIES[1], markersize=3, label="emulator, mean")
        left.set(xlabel="Time in s", ylabel="Temperature in °C")
        left.legend(loc="lower right")
        draw_convergence(middle, steps, in_time, SERIES[0], "emulator")
        middle.set(xlabel="Time step in s", ylabel="Error of the centre in K")
        middle.legend()
        draw_convergence(right, [THICK * 1e3 / n for n in counts], of_layers, SERIES[1], "finite volumes")
        mark(right, THICK * 1e3 / 11, "11 layers")
        right.set(xlabel="Layer in mm", ylabel="Error of the centre in K")
        right.legend(loc="lower right")

    numbers = [
        Number(
            "centre, emulator − series at 5, 10, 20, 40 s",
            float(np.abs(np.interp(at, t, core) - series(at)).max()),
            "K",
            0.5,
        ),
        Number(
            "mean, emulator − series from 5 s on",
            float(np.abs(mean[t > 5.0] - mean_exact[t[later] > 5.0]).max()),
            "K",
            0.5,
        ),
        Number(
            "mean, emulator − series at 0.5 s: the first layer is 0.27 mm thick",
            float(np.abs(mean[later] - mean_exact)[0]),
            "K",
        ),
        Number("series − tabulated values", float(np.abs(series(at) - list(SEEN.values())).max()), "K", 1e-3),
        Number("emulator − 11 layers exact in time, step 0.1 s", in_time[steps.index(0.1)], "K", 0.05),
        Number("order in time step", order_of(steps[-4:], in_time[-4:]), "", at_least=0.9),
        Number("order in layer thickness", order_of(counts[1:], of_layers[1:]) * -1.0, "", at_least=1.8, at_most=2.2),
    ]
    return Comparison(
        "Slab between warm plates",
        "A 3 mm sheet (k 0.16 W/mK, ρc 1.7 MJ/m³K) is held without deformation between belts at 115 °C with 1500 W/m²K "
        "and warms from 25 °C, against the series Σ Cₙ exp(−zₙ²Fo) cos(zₙx/L), z·tan z = Bi. Middle: what the time "
        "step "
        "costs, against the same 11 layers integrated exactly in time. Right: what 11 layers cost, from an "
        "independent finite-volume slab (the emulator's number of layers is fixed).",
        numbers,
        panels(draw, 3, "slab", "Slab heating: curves, convergence in time step and in layers"),
        (
            "The time scheme weighs the new time level with 0.55 to damp the first contact: between first and second "
            "order.",
        ),
    )


def _decay(t: Floats, first: float, tau: float, rest: float) -> Floats:
    return np.asarray(first * np.exp(-t / tau) + rest)


def belt_on_plate(effort: Effort) -> Comparison:
    """A bare belt that runs from hot drums over the cold plates."""
    speeds = (1.0,) if effort is Effort.QUICK else (0.5, 1.0, 4.0)
    press_of = machine()
    belts = press_of.belts
    tau = belts.density_kg_m3 * belts.heat_capacity_j_kgk * belts.thickness_mm * 1e-3 / belts.plate_conductance_w_m2k
    profiles = {}
    for speed in speeds:
        press = Press.warm(press_of, material(), OperatingPoint.at(115.0, 15.0, speed))
        length = press_of.belt_loop_m
        nodes = press.state.belt_T.shape[1]
        x = (press.state.plant.belt_s[0] + np.arange(nodes) * length / nodes) % length
        order = np.argsort(x)
        x, T = x[order], press.state.belt_T[0][order]
        plate = float(press.state.plant.plate_T[8])
        inside = (x > press_of.heat_end_m + 0.05) & (
            x < press_of.heat_end_m + press_of.geometry.cold_zone_length_mm * 1e-3 - 0.05
        )
        profiles[speed] = (x[inside] - press_of.heat_end_m) / float(press.state.plant.speed[0]), T[inside] - plate
    fitted = {}
    ripple = 0.0
    for speed, (t, T) in profiles.items():
        (_, fitted[speed], offset), _ = curve_fit(_decay, t, T, (T[0], 9.0, 0.0))
        ripple = max(ripple, abs(offset))

    def draw(axes: Axes) -> None:
        for colour, (speed, (t, T)) in zip(SERIES, profiles.items(), strict=False):
            axes.semilogy(t, T, "o", color=colour, markersize=3.5, label=f"{speed:g} m/min: τ = {fitted[speed]:.4f} s")
            axes.semilogy(t, T[0] * np.exp(-(t - t[0]) / tau), color=INK, linewidth=0.9)
        axes.set(xlabel="Time since the belt reached the cold plate in s", ylabel="Belt above plate in K")
        axes.legend()

    numbers = [Number("τ = ρ c d / h_z", tau, "s", at_least=9.479, at_most=9.481)] + [
        Number(f"τ at {speed:g} m/min, emulator / closed form − 1", abs(value / tau - 1.0), "", 1e-3)
        for speed, value in fitted.items()
    ]
    numbers.append(Number("plate above what the belt saw: heat is given to it in steps", ripple, "K", 0.05))
    return Comparison(
        "Belt on a plate",
        "The bare belt of a warm press, from the first cold plate on, against exp(−t·h_z/(ρ c d)) (lines). Nodes move "
        "with the steel and each step is exact for a constant plate, so there is nothing to converge.",
        numbers,
        panels(draw, 1, "belt", "Belt temperature over time on the cold plate"),
    )
