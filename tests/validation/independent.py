"""The emulator's parcel against a stiff ODE solution of the same equations that shares no code with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rig.report.colours import SERIES
from rig.report.figures import INK
from tests.validation.comparison import Comparison, Effort, Number, draw_convergence, mark, panels
from tests.validation.drawn import Case, draw_cases, reference

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Workers = Callable[..., Iterator[Any]]

R_LIMIT, K_LIMIT, T_LIMIT = 0.1, 2e-3, 0.5
LAYERS_ABOVE_M_MIN = 4.0
NEAR_LIMIT = 0.98
"""Part of the design pressure at which the press counts as giving way."""


@dataclass(frozen=True)
class Pair:
    """One case solved twice."""

    case: Case
    r: float
    r_off: float
    k: float
    k_off: float
    """Relative."""
    mean_off: float
    core_off: float
    """K, largest along the press."""
    exit_off: float
    peak_mpa: float
    gives_way: bool
    """The design pressure was reached."""
    nipped: bool
    """The sheet came in thicker than the first clearance."""
    drift_pa: float

    @property
    def r_judged(self) -> float:
        """Difference of r, points; a sheet that springs back to more than twice its t0 is judged relatively."""
        return self.r_off / max(1.0, 0.01 * self.r)


def solve_both(case: Case, layered: bool | None = None) -> Pair:
    """The emulator and the stiff solver on one case."""
    ours, theirs = case.emulator(), case.independent(layered=layered)
    x, _, _, mean, core = ours.trace.T
    mean_off = np.abs(np.interp(x, theirs.x, theirs.mean_temperature) - mean)
    core_off = np.abs(np.interp(x, theirs.x, theirs.core_temperature) - core)
    truth = ours.truth
    k = theirs.k_times_min
    limit = case.machine["geometry"]["design_pressure_mpa"]
    return Pair(
        case=case,
        r=theirs.r_percent,
        r_off=truth["r_percent"] - theirs.r_percent,
        k=k,
        k_off=truth["k_times_min"] / k - 1.0 if k > 0.0 else truth["k_times_min"],
        mean_off=float(mean_off.max()),
        core_off=float(core_off.max()),
        exit_off=truth["exit_mean_temperature_k"] - float(theirs.exit_layers.mean()),
        peak_mpa=theirs.max_pressure * 1e-6,
        gives_way=max(theirs.max_pressure, truth["max_pressure_pa"]) * 1e-6 > NEAR_LIMIT * limit,
        nipped=case.entry_mm < case.feed_mm,
        drift_pa=theirs.contact_residual_pa,
    )


def between_belts(effort: Effort, workers: Workers = map) -> Comparison:
    """Drawn recipes, machines and materials below the speed at which layers strain on their own."""
    count, longest = (5, 0.0) if effort is Effort.QUICK else (48, 0.6)
    cases = [reference(), reference(95.0)] if effort is Effort.FULL else []
    pairs = list(workers(solve_both, cases + draw_cases(count, 0.3, LAYERS_ABOVE_M_MIN, longest)))
    return _judge(
        pairs,
        "Independent integration",
        f"{len(pairs)} parcels drawn by Hypothesis (recipes: hot 85 … 130 °C, cold 8 … 40 °C, clearance 0.45 … 1.5 "
        f"mm, feed "
        f"1 … 4 mm, 0.3 … 4 m/min; machines: pitch 25 … 80 mm, belts, tension, lengths, taper; materials: solids 10 "
        f"… 40 %, any "
        "parameter halved or doubled), each solved by the emulator and by a stiff ODE solver on the equations of "
        "docs/model.md, written without the emulator.",
        "independent",
    )


def layers_in_series(effort: Effort, workers: Workers = map) -> Comparison:
    """The same above the speed at which every layer carries its own strain."""
    count, longest = (3, 0.0) if effort is Effort.QUICK else (24, 0.4)
    cases = [reference(115.0, 15.0, 8.0)] if effort is Effort.FULL else []
    pairs = list(workers(solve_both, cases + draw_cases(count, 1.001 * LAYERS_ABOVE_M_MIN, 8.0, longest)))
    return _judge(
        pairs,
        "Independent integration, layers in series",
        f"{len(pairs)} parcels faster than 4 m/min: every layer carries its own strain and all bear the same stress.",
        "layers",
    )


def signed(value: float) -> str:
    """With its sign, a true one."""
    return f"{value:+.3f}".replace("-", "−")


def _largest(values: Iterable[float]) -> float:
    return max((abs(value) for value in values), default=0.0)


def _judge(pairs: list[Pair], title: str, what: str, name: str) -> Comparison:
    held = [pair for pair in pairs if not pair.gives_way]
    giving = [pair for pair in pairs if pair.gives_way]
    gentle = [pair for pair in pairs if not pair.nipped]
    nipped = [pair for pair in pairs if pair.nipped]
    numbers = [
        Number("parcels", len(pairs)),
        Number(
            "r, largest difference (above r = 100 %: per 100 %)", _largest(p.r_judged for p in held), "points", R_LIMIT
        ),
        Number("k, largest relative difference", _largest(p.k_off for p in held), "", K_LIMIT),
        Number("mean temperature along the press", _largest(p.mean_off for p in pairs), "K", T_LIMIT),
        Number("core temperature along the press", _largest(p.core_off for p in pairs), "K", T_LIMIT),
        Number("exit temperature", _largest(p.exit_off for p in pairs), "K", T_LIMIT),
    ]
    if giving:
        numbers += [
            Number(
                "r where the press gives way at its design pressure",
                _largest(p.r_judged for p in giving),
                "points",
                R_LIMIT,
            ),
            Number("k there, relative", _largest(p.k_off for p in giving), "", K_LIMIT),
        ]
    numbers.append(
        Number("drift of the solver from the contact condition", _largest(p.drift_pa for p in pairs), "Pa", 2e3)
    )

    def draw(left: Axes, middle: Axes, right: Axes) -> None:
        for chosen, colour, label in ((held, SERIES[1], "held"), (giving, SERIES[0], "gives way")):
            left.plot([p.r for p in chosen], [p.r_off for p in chosen], "o", color=colour, markersize=4, label=label)
            middle.plot([p.k for p in chosen], [1e3 * p.k_off for p in chosen], "o", color=colour, markersize=4)
        for chosen, colour, label in ((gentle, SERIES[1], "drawn in"), (nipped, SERIES[2], "nipped at once")):
            right.semilogy(
                [p.case.speed_m_min for p in chosen],
                [max(p.mean_off, p.core_off) for p in chosen],
                "o",
                color=colour,
                markersize=4,
                label=label,
            )
        # above r = 100 % the difference is judged per 100 %
        corners = [0.0, 100.0, max(100.0, *(p.r for p in pairs))]
        for sign in (-1.0, 1.0):
            limit = [sign * R_LIMIT * max(1.0, 0.01 * r) for r in corners]
            left.plot(corners, limit, color=INK, linewidth=0.9, linestyle=(0, (5, 3)))
            middle.axhline(sign * 1e3 * K_LIMIT, color=INK, linewidth=0.9, linestyle=(0, (5, 3)))
        right.axhline(T_LIMIT, color=INK, linewidth=0.9, linestyle=(0, (5, 3)))
        left.set(xlabel="r in %", ylabel="r, emulator − solver, in points")
        middle.set(xlabel="k in times·min", ylabel="k, emulator / solver − 1, in ‰")
        right.set(xlabel="Belt speed in m/min", ylabel="Largest temperature difference in K")
        left.legend()
        right.legend()

    worst = max(pairs, key=lambda p: abs(p.r_off))
    hottest = max(pairs, key=lambda p: max(p.mean_off, p.core_off))
    notes = [
        f"Largest difference of r ({signed(worst.r_off)} at r = {worst.r:.2f} %, peak {worst.peak_mpa:.2f} MPa): "
        f"{worst.case.describe()}.",
        f"Largest difference of temperature ({max(hottest.mean_off, hottest.core_off):.2f} K): "
        f"{hottest.case.describe()}.",
    ]
    return Comparison(
        title,
        what + " Dashed: the limits.",
        numbers,
        panels(draw, 3, name, "Differences of r, k and temperature"),
        notes,
    )


def solver(effort: Effort) -> Comparison:
    """How far to trust the stiff solver itself."""
    case = reference() if effort is Effort.FULL else reference(heat_zone_length_mm=150.0, cold_zone_length_mm=150.0)
    tolerances = [1e-4, 1e-6] if effort is Effort.QUICK else [1e-3, 1e-4, 1e-5, 1e-6, 1e-7]
    solved = {rtol: case.independent(rtol) for rtol in tolerances}
    tight = case.independent(1e-9)
    r_off = [abs(found.r_percent - tight.r_percent) for found in solved.values()]
    counts = [5, 11, 21] if effort is Effort.QUICK else [5, 7, 11, 17, 25, 41]
    by_layers = {n: case.independent(1e-6, layers=n) for n in counts}
    finest = by_layers[counts[-1]]
    against = [n for n in counts if 3 * n < 2 * counts[-1]]
    layer_off = [abs(by_layers[n].r_percent - finest.r_percent) for n in against]
    core_off = [
        float(
            np.abs(np.interp(finest.x, by_layers[n].x, by_layers[n].core_temperature) - finest.core_temperature).max()
        )
        for n in against
    ]

    def draw(left: Axes, right: Axes) -> None:
        left.loglog(tolerances, r_off, "o-", color=SERIES[1], markersize=4.5, label="r")
        mark(left, 1e-6, "used")
        left.set(xlabel="Relative tolerance of the solver", ylabel="Error of r in points")
        draw_convergence(right, [1.0 / n for n in against], layer_off, SERIES[0], "r in points")
        draw_convergence(right, [1.0 / n for n in against], core_off, SERIES[1], "core in K")
        mark(right, 1.0 / 11, "11 layers")
        right.set(xlabel="Layer / thickness", ylabel=f"Difference from {counts[-1]} layers")
        right.legend(loc="lower right")

    return Comparison(
        "The independent solver itself",
        "Left: r of the reference case over the solver's relative tolerance, against 1e-9. Right: the same solver "
        "with other "
        "numbers of layers, which is what the 11 layers of the model cost.",
        [
            Number("error of r at the tolerance used", r_off[tolerances.index(1e-6)], "points", 0.01),
            Number("drift from the contact condition", solved[1e-6].contact_residual_pa, "Pa", 2e3),
            Number("11 layers: r", layer_off[against.index(11)], "points", 0.05),
            Number("11 layers: core temperature, largest along the press", core_off[against.index(11)], "K"),
        ],
        panels(draw, 2, "solver", "Convergence of the independent solver"),
    )
