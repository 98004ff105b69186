"""What the uncertainty of every parameter does to r and k, one parameter at a time.

`python -m tests.validation.sensitivity` computes every row of the tables in docs/model.md and writes
`out/validation/sensitivity.csv` and `.md`; with `--update-docs` it puts the results into docs/model.md.
"""

from __future__ import annotations

import argparse
import csv
import functools
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.progress import track

from emulator.config import Machine, Material
from emulator.press import OperatingPoint, Pass, Press, ideal_belt, roll
from rig.report.colours import SERIES
from rig.report.figures import INK
from tests.oracles.parameters import machine_file, material_file
from tests.validation.comparison import Comparison, Effort, Number, panels
from tests.validation.parameters import MODEL, Parameter, effect_text, read_parameters, rewritten
from tests.validation.setups import changed
from tests.validation.words import ended_in_words, folder

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEAT_C, COLD_C, SPEED_M_S = 112.0, 15.0, 1.0 / 60.0
SHOWN = 10
"""Parameters in the picture."""

PARCEL = {"geometry", "belts", "sheet", "numerics", "composition", "flory", "thermal", "mechanics"}
"""Sections that a parcel between given belts sees; of the tension it is the nominal one."""

PRESS = {
    *("belts.density_kg_m3", "belts.heat_capacity_j_kgk", "belts.plate_conductance_w_m2k"),
    *("belts.drum_conductance_w_m2k", "belts.return_loss_w_m2k", "belts.closed_conductance_w_m2k"),
    *("belts.gap_conductivity_w_mk", "belts.node_length_mm", "sheet.parcel_length_mm", "sheet.spread_fraction"),
    *("geometry.lead_in_length_mm", "geometry.lead_out_length_mm", "coolant.supply_temperature_c", "coolant.flow_kg_s"),
}
"""What decides over the belts, or over how the sheet is carried: rolled by a running press."""
PRESS_SECTIONS = {"zones", "drums"}

AGREES = 0.1, 0.05
"""Points of r, or part of the effect, by which docs/model.md may differ from what is computed."""


@dataclass(frozen=True)
class Effect:
    """Change of r in points and of k in times min at both ends of the range."""

    parameter: Parameter
    r: tuple[float, float]
    k: tuple[float, float]
    by_press: bool

    @property
    def size(self) -> float:
        """Larger of both changes of r."""
        return max(abs(change) for change in self.r)


def by_press(parameter: Parameter) -> bool:
    """Whether it takes a running press to see it."""
    return parameter.key in PRESS or parameter.section in PRESS_SECTIONS


def moved(parameter: Parameter) -> bool:
    """Whether a steady pass depends on it and it has a range."""
    steady = parameter.section in PARCEL or parameter.key == "tension.nominal_kn_m" or by_press(parameter)
    return steady and parameter.span is not None


def effect(parameter: Parameter) -> Effect:
    """Both ends of one parameter against the files as they are."""
    pass_of = _press if by_press(parameter) else _parcel
    r_0, k_0 = as_filed(pass_of)
    ends = [pass_of(*definitions(parameter, end)) for end in (0, 1)]
    r = ends[0][0] - r_0, ends[1][0] - r_0
    k = ends[0][1] - k_0, ends[1][1] - k_0
    return Effect(parameter, r, k, by_press(parameter))


@functools.cache
def as_filed(pass_of: Callable[[Machine, Material], tuple[float, float]]) -> tuple[float, float]:
    """r and k with the files as they are."""
    return pass_of(*definitions())


def definitions(parameter: Parameter | None = None, end: int = 0) -> tuple[Machine, Material]:
    """Reference machine and gel, with one parameter at an end of its range."""
    machine, material = machine_file(), material_file()
    if parameter is None:
        return Machine.model_validate(machine), Material.model_validate(material)
    if parameter.key == "composition.solids_fraction":  # moduli and melting point go with it
        solids = float(np.asarray(parameter.at(end)))
        return Machine.model_validate(machine), Material.model_validate(material).at_solids(solids)
    change: dict[str, Any] = {parameter.section: {parameter.name: parameter.at(end)}}
    if parameter.section in machine:
        machine = changed(machine, **change)
    else:
        material = changed(material, **change)
    return Machine.model_validate(machine), Material.model_validate(material)


def _parcel(machine: Machine, material: Material) -> tuple[float, float]:
    """r and k of the reference pass between ideal belts."""
    x, T = ideal_belt(machine, HEAT_C + 273.15, COLD_C + 273.15, SPEED_M_S)
    how = Pass(x, T, speed_m_s=SPEED_M_S, tension_n_m=1e3 * machine.tension.nominal_kn_m)
    truth = roll(machine, material, how).truth
    return truth["r_percent"], truth["k_times_min"]


def _press(machine: Machine, material: Material) -> tuple[float, float]:
    """The same by a press in balance over its whole belt loop."""
    film = Press.running(machine, material, OperatingPoint.at(HEAT_C, COLD_C, 60.0 * SPEED_M_S)).last_film()
    return film["r_percent"], film["k_times_min"]


def disagreement(found: Effect) -> float:
    """By how much docs/model.md states another change of r; in units of what is allowed."""
    stated = found.parameter.r
    if stated is None:
        return math.inf
    points, part = AGREES
    return max(abs(a - b) / max(points, part * abs(b)) for a, b in zip(stated, found.r, strict=True))


def parameters(effort: Effort, workers: Callable[..., Iterable[Effect]] = map) -> Comparison:
    """Every parameter of docs/model.md moved to the ends of its range."""
    table = [p for p in read_parameters() if moved(p)]
    if effort is Effort.QUICK:
        table = [p for p in table if not by_press(p)]
    found = list(workers(effect, table))
    ranked = sorted(found, key=lambda e: e.size, reverse=True)
    r_0, k_0 = as_filed(_parcel)
    numbers = [
        Number("parameters moved", len(found)),
        Number("r with the files as they are", r_0, "%"),
        Number("k with the files as they are", k_0, "times·min"),
        Number("r, all ranges towards less, root sum of squares", _together(e.r for e in found)[0], "points"),
        Number("r, all ranges towards more, root sum of squares", _together(e.r for e in found)[1], "points"),
        Number("k, all ranges towards less, root sum of squares", _together(e.k for e in found)[0], "times·min"),
        Number("k, all ranges towards more, root sum of squares", _together(e.k for e in found)[1], "times·min"),
        Number("effects in docs/model.md against these, in units of what is allowed", _worst(found), "", 1.0),
    ]
    numbers += [
        Number(f"r, {e.parameter.key} at its {('low', 'high')[end]} end", e.r[end], "points")
        for e in ranked[:SHOWN]
        for end in (0, 1)
    ]
    return Comparison(
        "What the uncertainty of the parameters does",
        f"Every parameter of docs/model.md that a steady pass sees ({HEAT_C:g} °C, 1 m/min) at both ends of its range, "
        f"the others as filed. The picture shows the {SHOWN} that move r most.",
        numbers,
        panels(lambda *axes: _tornado(axes, ranked[:SHOWN]), 2, "sensitivity", "Tornado of r and k", 4.2),
        (
            "One at a time: the mechanics are calibrated together, so their ranges are not independent. The root sum "
            "of squares says how much a press could differ from this one, not how well the equations are solved.",
            f"Allowed are {AGREES[0]:g} points or {AGREES[1]:.0%} of the effect.",
        ),
    )


def _together(effects: Iterable[Sequence[float]]) -> tuple[float, float]:
    """Root sums of squares of what lowers and of what raises."""
    less = more = 0.0
    for ends in effects:
        less += min(0.0, *ends) ** 2
        more += max(0.0, *ends) ** 2
    return -math.sqrt(less), math.sqrt(more)


def _worst(found: Sequence[Effect]) -> float:
    return max(disagreement(e) for e in found)


def _tornado(axes: Sequence[Axes], ranked: Sequence[Effect]) -> None:
    places = np.arange(len(ranked))[::-1]
    names = [e.parameter.key.replace(".", "\n") for e in ranked]
    for ax, label, values in (
        (axes[0], "Change of r in points", [e.r for e in ranked]),
        (axes[1], "Change of k in times·min", [e.k for e in ranked]),
    ):
        for end, name in enumerate(("low end of the range", "high end")):
            ax.barh(places, [v[end] for v in values], 0.7, color=SERIES[end], label=name)
        ax.axvline(0.0, color=INK, linewidth=0.9)
        ax.set(xlabel=label)
        ax.grid(visible=False, axis="y")
    axes[0].set_yticks(places, names, fontsize=7.5)
    axes[1].set_yticks(places, [""] * len(places))
    axes[0].legend(loc="lower right")


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.validation.sensitivity", description=__doc__)
    parser.add_argument("--out", type=folder, default="out/validation", help="folder (default: %(default)s)")
    parser.add_argument("--update-docs", action="store_true", help="put the results into docs/model.md")
    arguments = parser.parse_args(words)
    return ended_in_words(lambda: compute(arguments))


def compute(arguments: argparse.Namespace) -> int:
    """Move every parameter and write the tables; returns the exit code."""
    chosen = [p for p in read_parameters() if moved(p)]
    found = {p.key: effect(p) for p in track(chosen, "parameters", transient=True)}
    ranked = sorted(found.values(), key=lambda e: e.size, reverse=True)
    _write_csv(ranked, arguments.out / "sensitivity.csv")
    (arguments.out / "sensitivity.md").write_text(_as_markdown(ranked), encoding="utf-8")
    print(_as_markdown(ranked[:SHOWN]), end="")
    for what, effects in (("r", [e.r for e in ranked]), ("k", [e.k for e in ranked])):
        print(f"{what} together: {effect_text(_together(effects))}")
    print(f"{arguments.out / 'sensitivity.csv'}")
    if arguments.update_docs:
        text = rewritten(MODEL.read_text(encoding="utf-8"), lambda p: _cells(found.get(p.key)))
        MODEL.write_text(text, encoding="utf-8")
        return 0
    worst = _worst(ranked)
    print(f"docs/model.md against this: {worst:.2f} of what is allowed")
    return 0 if worst <= 1.0 else 1


def _cells(found: Effect | None) -> tuple[str, str]:
    return (effect_text(found.r), effect_text(found.k)) if found else (effect_text(None), effect_text(None))


def _write_csv(ranked: Sequence[Effect], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["key", "low", "high", "r_low_points", "r_high_points", "k_low", "k_high", "rolled_by"])
        for e in ranked:
            assert e.parameter.span is not None
            by = "press" if e.by_press else "parcel"
            writer.writerow([e.parameter.key, *e.parameter.span, *e.r, *e.k, by])


def _as_markdown(ranked: Sequence[Effect]) -> str:
    lines = ["| key | r at the ends, points | k at the ends, times·min |", "| --- | --- | --- |"]
    lines += [f"| `{e.parameter.key}` | {effect_text(e.r)} | {effect_text(e.k)} |" for e in ranked]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
