"""What must hold for any recipe, machine and material of the range, without knowing the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from emulator.config import Machine, Material
from emulator.material.thermal import temperature_at
from emulator.press import OperatingPoint, Press, roll
from rig.report.colours import SERIES
from rig.report.figures import INK
from tests.oracles.parameters import machine_file, material_file
from tests.validation.comparison import Comparison, Effort, Number, mark, panels
from tests.validation.drawn import PARAMETERS, Case, draw_cases, reference
from tests.validation.independent import LAYERS_ABOVE_M_MIN, NEAR_LIMIT
from tests.validation.setups import between, changed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SLACK = 0.02
"""Points of r: two neighbours closer than the step error are not out of order."""
ORDER_SLACK_UM = 0.02
"""Thicknesses closer than that are equal: 0.002 points of r of a sheet of 1 mm, far below the step error of 0.05. Sheet
that is hardly rolled comes this close."""


def out_of_order(values: list[float], rising: bool) -> float:
    """Largest step against the order, points."""
    signed = values if rising else values[::-1]
    return max(0.0, *(a - b for a, b in pairwise(signed)))


def drawn(effort: Effort) -> Comparison:
    """Order of thicknesses, order of r, and the step, over drawn cases."""
    cases = draw_cases(12 if effort is Effort.QUICK else 150, 0.3, 8.0)
    thickness_off = 0.0
    halving: list[float] = []
    fast: list[float] = []
    giving: list[float] = []
    heat_off, speed_off, cold_off = 0.0, 0.0, 0.0
    for case in cases:
        truth = case.emulator().truth
        t0, out, t, h0 = (truth[n] for n in ("t0_m", "exit_thickness_m", "t_600_m", "h0_m"))
        thickness_off = max(thickness_off, t0 - out, out - t, t - h0)
        half = case.emulator(0.5 * case.own_step()).truth
        limit = NEAR_LIMIT * 1e6 * case.machine["geometry"]["design_pressure_mpa"]
        peak = max(truth["max_pressure_pa"], half["max_pressure_pa"])
        kind = giving if peak > limit else halving if case.speed_m_min <= LAYERS_ABOVE_M_MIN else fast
        kind.append(abs(truth["r_percent"] - half["r_percent"]))
    # order of r: the clearance tapers as in the reference press, the rest is drawn
    for case in cases[: 6 if effort is Effort.QUICK else 60]:
        usual = replace(
            reference(design_pressure_mpa=1e3), material=case.material, solids=case.solids, scaled=case.scaled
        )
        heat_off = max(heat_off, out_of_order([_r(usual, heat_c=T) for T in (85.0, 95.0, 105.0, 115.0, 125.0)], False))
        speed_off = max(speed_off, out_of_order([_r(usual, speed_m_min=v) for v in (0.5, 1.0, 2.0, 3.9)], True))
        cold_off = max(cold_off, out_of_order([_r(usual, cold_c=T) for T in (8.0, 15.0, 25.0, 40.0)], True))

    def draw(axes: Axes) -> None:
        bins = np.geomspace(1e-6, 1.0, 40).tolist()
        axes.hist(
            [np.maximum(part, 1e-6) for part in (halving, fast, giving)],
            bins=bins,
            stacked=True,
            color=[SERIES[1], SERIES[2], SERIES[0]],
            label=["up to 4 m/min", "above", "gives way at its design pressure"],
        )
        mark(axes, 0.05, "limit")
        axes.set(xscale="log", xlabel="Change of r when the step is halved, in points", ylabel="Cases")
        axes.legend(loc="upper left", bbox_to_anchor=(0.08, 1.0))

    numbers = [
        Number("cases", len(cases)),
        Number("t0 ≤ exit ≤ t ≤ h0, largest breach", thickness_off * 1e6, "µm", ORDER_SLACK_UM),
        Number("r falls with hot-zone temperature, largest step against it", heat_off, "points", SLACK),
        Number("r rises with speed, largest step against it", speed_off, "points", SLACK),
        Number("r rises with cold-zone temperature, largest step against it", cold_off, "points", SLACK),
        Number("r when the step is halved, largest change up to 4 m/min", max(halving, default=0.0), "points", 0.05),
        Number("the same above 4 m/min", max(fast, default=0.0), "points", 0.05),
        Number("the same where the press gives way at its design pressure", max(giving, default=0.0), "points", 0.1),
    ]
    return Comparison(
        "Invariants over drawn cases",
        "Recipes, machines and materials drawn by Hypothesis. Orders of r are checked on the reference machine and "
        "recipe "
        "with the drawn material, on a press that does not give way (one that does rolls a stiff sheet less, and a "
        "sheet that "
        "is hardly rolled has little to recover).",
        numbers,
        panels(draw, 1, "invariants", "Histogram of the change of r with the step"),
    )


def _r(case: Case, **changes: Any) -> float:
    return replace(case, **changes).emulator().truth["r_percent"]


def what_must_come_out(effort: Effort) -> Comparison:
    """The list of outcomes that the parameters are calibrated to."""
    tables, gel = machine_file(), Material.model_validate(material_file())
    press = Machine.model_validate(tables)

    def truth(machine: Machine = press, **where: Any) -> dict[str, float]:
        return roll(machine, gel, between(tables, **where)).truth

    heats = np.linspace(85.0, 130.0, 10 if effort is Effort.QUICK else 19)
    wide_tables = changed(machine_file(), geometry={"roller_pitch_mm": 60.0})
    wide = Machine.model_validate(wide_tables)
    by_heat = [truth(heat_c=float(T)) for T in heats]
    by_heat_wide = [truth(wide, heat_c=float(T)) for T in heats]
    window = [row for T, row in zip(heats, by_heat, strict=True) if 105.0 <= T <= 125.0]
    rests = [truth(rest_s=t)["r_percent"] for t in (60.0, 600.0, 6000.0)]
    slow_cold = truth(heat_c=95.0, speed_m_min=0.5)
    fast = truth(speed_m_min=8.0)
    pitch = truth(wide)["r_percent"] / truth()["r_percent"]
    orders = _orders_kept(PARAMETERS if effort is Effort.FULL else PARAMETERS[:2] + PARAMETERS[13:17])
    running = Press.running(press, gel, OperatingPoint.at(115.0, 15.0, 2.0))
    ring, sheet = running.state.progress.ring, running.state.sheet
    H = sheet.H[(ring[0] + np.arange(ring[1])) % sheet.x.size]
    T = np.array([temperature_at(value, running.material_constants) for value in H.flat]).reshape(H.shape)
    asymmetry = float(np.abs(T - T[:, ::-1]).max())

    def draw(left: Axes, right: Axes) -> None:
        left.plot(heats, [row["r_percent"] for row in by_heat], color=SERIES[0], label="36 mm pitch")
        left.plot(heats, [row["r_percent"] for row in by_heat_wide], color=SERIES[1], label="60 mm pitch")
        left.axhline(20.0, color=INK, linewidth=0.9, linestyle=(0, (5, 3)))
        left.axvspan(105.0, 125.0, color=SERIES[2], alpha=0.12, linewidth=0)
        left.set(xlabel="Hot zones in °C", ylabel="r in %", ylim=(0, None))
        left.legend()
        right.plot(heats, [row["max_pressure_pa"] * 1e-6 for row in by_heat], color=SERIES[0])
        right.axvspan(105.0, 125.0, color=SERIES[2], alpha=0.12, linewidth=0)
        right.set(xlabel="Hot zones in °C", ylabel="Peak pressure in MPa", ylim=(0, None))

    return Comparison(
        "What must come out",
        "Outcomes of the model for the reference case (3.0 mm to 0.6 mm, cold zones 15 °C, 1 m/min); the window of "
        "CLM-5 is "
        "shaded, the limit of CLM-1 dashed.",
        [
            Number("largest r in the window", max(row["r_percent"] for row in window), "%", 20.0),
            Number("smallest k in the window", min(row["k_times_min"] for row in window), "times·min", at_least=5.0),
            Number("r at 95 °C and k above 20", slow_cold["r_percent"], "%", at_least=20.0),
            Number("k there", slow_cold["k_times_min"], "times·min", at_least=20.0),
            Number("r released hot", truth(cold_c=115.0)["r_percent"], "%", at_least=50.0),
            Number("r rolled cold (25 °C)", truth(heat_c=25.0)["r_percent"], "%", at_least=50.0),
            Number("r on 60 mm pitch / on 36 mm", pitch, "", at_least=2.2, at_most=3.8),
            Number("r at 6000 s / at 60 s", rests[2] / rests[0], "", at_least=1.3, at_most=1.8),
            Number(
                "growth of r per decade of time, second over first",
                (rests[2] - rests[1]) / (rests[1] - rests[0]),
                "",
                at_least=0.6,
                at_most=1.4,
            ),
            Number("exit temperature at 8 m/min", fast["exit_mean_temperature_k"] - 273.15, "°C", at_least=40.0),
            Number("peak pressure at 95 °C", truth(heat_c=95.0)["max_pressure_pa"] * 1e-6, "MPa", at_least=1.0),
            Number("orders of r that change when a parameter is halved or doubled", orders, "", 0.0),
            Number("symmetric press: upper − lower layer, largest", asymmetry, "K", 1e-6),
        ],
        panels(draw, 2, "outcomes", "Recovery and peak pressure over hot-zone temperature"),
    )


def _orders_kept(parameters: tuple[tuple[str, str], ...]) -> int:
    """How often r falls with speed or cold temperature, or rises with hot temperature, by more than the step error."""
    broken = 0
    for section, name in parameters:
        for factor in (0.5, 2.0):
            tables = material_file()
            value = tables[section][name]
            tables[section][name] = [factor * v for v in value] if isinstance(value, list) else factor * value
            case = replace(reference(), material=tables)
            checks: tuple[tuple[Callable[[float], dict[str, float]], tuple[float, ...], bool], ...] = (
                (lambda T: {"heat_c": T}, (85.0, 95.0, 105.0, 115.0, 125.0), False),
                (lambda v: {"speed_m_min": v}, (0.5, 2.0, 3.9), True),
                (lambda T: {"cold_c": T}, (15.0, 40.0, 80.0), True),
            )
            for change, values, rising in checks:
                broken += out_of_order([_r(case, **change(value)) for value in values], rising) > SLACK
    return broken
