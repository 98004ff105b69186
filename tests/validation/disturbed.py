"""Rollers out of round, a roller that is not there, and uneven feed: the whole press against the independent parcel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.interpolate import PchipInterpolator

from emulator.config import load_machine, load_material
from emulator.press import FILM_COLUMNS, FILM_IDS, Disturbances, OperatingPoint, Press
from emulator.press.start import Thermostat
from rig.report.colours import SERIES
from rig.report.figures import INK
from tests.oracles.parameters import Floats, Gel, Rollers, machine_file, material_file
from tests.oracles.parcel import Drive, Outcome, along, roll_parcel
from tests.validation.comparison import Comparison, Effort, Number, panels
from tests.validation.running import belt_profile

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Workers = Callable[..., Iterator[Any]]

SECOND = 1_000_000_000
CONTROL_S = 0.1
R_LIMIT, K_LIMIT, T_LIMIT = 0.1, 2e-3, 0.5


@dataclass(frozen=True)
class Trouble:
    """Something that is wrong with the press or its feed, and how many parcels to look at."""

    name: str
    parcels: int
    runout_m: float = 0.0
    missing_m: float = -1.0
    ripple: float = 0.0
    solids: float = 0.0

    def disturbances(self) -> Disturbances:
        """As the press takes it."""
        return Disturbances(
            roller_runout_m=self.runout_m,
            missing_roller_m=self.missing_m,
            feed_ripple_fraction=self.ripple,
            feed_ripple_length_m=0.1,
            feed_solids_deviation=self.solids,
        )


TROUBLES = (
    Trouble("roller run-out of 20 µm", 4, runout_m=20e-6),
    Trouble("roller missing in the taper", 1, missing_m=1.008),
    Trouble("roller missing in the level gap", 1, missing_m=2.016),
    Trouble("roller missing in the cold zone", 1, missing_m=3.492),
    Trouble("feed ripple of 5 %", 3, ripple=0.05),
    Trouble("solids 10 % up", 1, solids=0.10),
    Trouble("solids 10 % down", 1, solids=-0.10),
    Trouble("all of them", 4, runout_m=20e-6, missing_m=2.016, ripple=0.05, solids=0.05),
)


@dataclass(frozen=True)
class Job:
    """A parcel that left the press: what became of it, how it was rolled, and whether to solve it `twice`."""

    film: dict[str, float]
    belts: tuple[tuple[Floats, Floats], tuple[Floats, Floats]]
    drive: Drive
    solids: float
    twice: bool = True

    def solve(self, heat: bool = False) -> Outcome:
        """The same by the stiff solver; `heat`: solids that deviate change the heat properties too."""
        upper, lower = (along(PchipInterpolator(x, T)) for x, T in self.belts)
        drive = replace(self.drive, upper=upper, lower=lower)
        gel = Gel.of(material_file())
        if self.solids:
            gel = gel.uneven(self.solids, heat)
        return roll_parcel(Rollers.of(machine_file()), gel, drive)


def solve(job: Job) -> tuple[Outcome, Outcome | None]:
    """The parcel, and where its solids deviate the same with heat properties that follow them, if that is asked."""
    return job.solve(), job.solve(heat=True) if job.solids and job.twice else None


def _nowhere(x: float) -> float:
    return x


def live(trouble: Trouble, speed_m_min: float = 2.0) -> list[Job]:
    """The last parcels of a press that has run with a trouble for longer than it takes to pass through."""
    machine = load_machine("reference")
    point = OperatingPoint.at(115.0, 15.0, speed_m_min)
    press = Press.running(machine, load_material("g20"), point)
    thermostat, commands, wrong = Thermostat(press, point), point.commands(feed=True), trouble.disturbances()
    for _ in range(round(1.3 * machine.press_length_m / point.speed_m_s / CONTROL_S)):
        thermostat.regulate(commands, CONTROL_S)
        press.advance(round(CONTROL_S * SECOND), commands, wrong)
    plant = press.state.plant
    belts = (belt_profile(press, 0), belt_profile(press, 1))
    ids, film = press.film()
    v = float(plant.speed.mean())
    jobs = []
    for number, row in list(zip(ids, film, strict=True))[-trouble.parcels :]:
        since = 1e-9 * (press.time_ns - int(number[FILM_IDS.index("entry_time_ns")]))
        seen = dict(zip(FILM_COLUMNS, row.tolist(), strict=True))
        drive = Drive(
            _nowhere,
            _nowhere,
            speed=v,
            feed_thickness=seen["h0_m"],
            runout=trouble.runout_m,
            travel=float(plant.belt_travel[0] - plant.speed[0] * since),
            missing=trouble.missing_m if trouble.missing_m >= 0.0 else None,
        )
        jobs.append(Job(seen, belts, drive, trouble.solids))
    return jobs


def bad_rollers_and_uneven_feed(effort: Effort, workers: Workers = map) -> Comparison:
    """Parcels of a press with each trouble, and with all at once."""
    full = effort is Effort.FULL
    troubles = TROUBLES if full else (replace(TROUBLES[-1], parcels=1),)
    jobs = [(trouble, job) for trouble in troubles for job in live(trouble)]
    # what heat properties would add has no limit: only the report asks for it
    solved = list(workers(solve, [job if full else replace(job, twice=False) for _, job in jobs]))
    numbers: list[Number] = []
    for trouble in troubles:
        rows = [(job.film, mine) for (t, job), (mine, _) in zip(jobs, solved, strict=True) if t is trouble]
        off = max(abs(film["r_percent"] - mine.r_percent) for film, mine in rows)
        k_off = max(abs(film["k_times_min"] / mine.k_times_min - 1.0) for film, mine in rows)
        t_off = max(abs(film["exit_mean_temperature_k"] - float(mine.exit_layers.mean())) for film, mine in rows)
        numbers += [
            Number(f"r, press − solver: {trouble.name}", off, "points", R_LIMIT),
            Number(f"k, press / solver − 1: {trouble.name}", k_off, "", K_LIMIT),
            Number(f"exit temperature, press − solver: {trouble.name}", t_off, "K", T_LIMIT),
        ]
    for trouble in troubles:
        heat = [
            whole.r_percent - mine.r_percent
            for (t, _), (mine, whole) in zip(jobs, solved, strict=True)
            if t is trouble and whole is not None
        ]
        if heat:
            numbers.append(
                Number(f"r if heat properties followed the solids too: {trouble.name}", max(heat, key=abs), "points")
            )

    def draw(left: Axes, right: Axes) -> None:
        for number, trouble in enumerate(troubles):
            rows = [(job.film, mine) for (t, job), (mine, _) in zip(jobs, solved, strict=True) if t is trouble]
            theirs, ours = [mine.r_percent for _, mine in rows], [film["r_percent"] for film, _ in rows]
            colour = SERIES[number % len(SERIES)]
            marker = "o^"[number // len(SERIES)]
            left.plot(theirs, ours, marker, color=colour, markersize=4.5, label=trouble.name)
            right.plot(theirs, np.subtract(ours, theirs), marker, color=colour, markersize=4.5)
        ends = left.get_xlim()
        left.plot(ends, ends, color=INK, linewidth=0.8, zorder=0)
        for sign in (-R_LIMIT, R_LIMIT):
            right.axhline(sign, color=INK, linewidth=0.9, linestyle=(0, (5, 3)))
        left.set(xlabel="r in %, solver", ylabel="r in %, press")
        right.set(xlabel="r in %, solver", ylabel="r, press − solver, in points")
        left.legend(fontsize=7)

    return Comparison(
        "Bad rollers and uneven feed",
        "A running press (115 °C, 2 m/min) with rollers out of round, a roller pair taken out, a ripple in the "
        "feed's thickness, solids that deviate, and all at once. Parcels that leave it are solved again: between the "
        "same belts, at the same turn of the rollers, of the same thickness and solids.",
        numbers,
        panels(draw, 2, "disturbed", "r of single parcels under disturbances, press over solver"),
        (
            "Solids that deviate move moduli and softening; conductivity, heat capacity and its melting peak stay "
            "those of the ordered sheet. The last numbers say what that leaves out.",
        ),
    )
