"""One point of the operating window: what the settled press makes of a recipe.

Every point is computed by the press itself, belts, plates and drums in their own balance with the sheet,
within the power there is. It settles in two stages: a coarse one (long steps, long parcels) until plates,
drums and belts change no more from turn to turn, and then sheet at the machine's own steps through the
settled press. A parcel travels with the pieces of belt that it entered with, so the first to come out have
already seen what all later ones will see.

`outcome` is a pure function of machine, material and recipe, and can run in any process.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from emulator.config import ConfigError, sentence
from emulator.material.definition import Material
from emulator.press import FILM_COLUMNS, OperatingPoint, Press
from emulator.press.machine import Machine
from emulator.press.start import Thermostat, guess
from emulator.truth import released_between
from emulator.units import KELVIN
from emulator.world import operating_point
from rig.recipe import Recipe

__all__ = ["HELD_WITHIN_K", "Outcome", "check_point", "outcome", "with_roller_pitch"]

HELD_WITHIN_K: Final = 2.0
"""The press holds a point if every plate settles this close to its set point. Entry drums do not count: above some
speed their heaters are at their limit, and the first plates make up for it."""
PITCHES: Final = 5
"""The outcome is the mean over sheet that covers this many pitches: where a parcel lies to the rollers evens out."""
COARSE_STEP_MM: Final = 6.0
COARSE_STEP_S: Final = 0.5
COARSE_PARCEL_MM: Final = 60.0
LIGHT: Final = 0.1
"""Coarse stage: plates and drums hold this share of their heat, so that saturated ones settle in a few turns
of the belts instead of dozens. Where they settle does not depend on it."""
SETTLED_K: Final = 0.25
"""Coarse stage: largest change of plates, drums and mean belts over its last turn with light plates."""
TURNS_MAX: Final = 15
CONTROL_NS: Final = 500_000_000
LIMIT_SHARE: Final = 0.999
"""A pressure above this share of the design pressure means that the hydraulics give way."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes out of the settled press; NaN where no sheet comes out.

    Attributes:
        r_percent: elastic recovery 600 s after release.
        k_times_min: rolling coefficient.
        exit_temperature_c: of the sheet at the exit, mean through the thickness.
        peak_pressure_mpa: highest that the sheet met.
        t0_um: smallest thickness under the rollers.
        recovered_thickness_um: 600 s after release.
        pressure_time_min: time under pressure.
        hot_min_c: coldest plate that the sheet met under pressure in the heat section.
        hot_max_c: hottest one.
        plates_off_k: largest distance of a plate from its set point.
        entry_drums_off_k: the same of an entry drum.
        pressure_released: the sheet was let go between heat rolling and cold pressing.
        held: the press can hold this point: plates close to their set points, and the hydraulics do not give way.
    """

    r_percent: float
    k_times_min: float
    exit_temperature_c: float
    peak_pressure_mpa: float
    t0_um: float
    recovered_thickness_um: float
    pressure_time_min: float
    hot_min_c: float
    hot_max_c: float
    plates_off_k: float
    entry_drums_off_k: float
    pressure_released: bool
    held: bool


def with_roller_pitch(machine: Machine, pitch_mm: float) -> Machine:
    """The same machine with its rollers further apart or closer together.

    Raises:
        ConfigError: rollers would overlap, or the pitch is out of bounds.
    """
    diameter_mm = machine.geometry.roller_diameter_mm
    if pitch_mm <= diameter_mm:
        raise ConfigError(
            f"roller_pitch_mm {pitch_mm:g} does not leave room for the rollers of machine {machine.name}, "
            f"which are {diameter_mm:g} mm thick; choose a larger pitch"
        )
    return _changed(machine, "geometry", roller_pitch_mm=pitch_mm)


def check_point(machine: Machine, material: Material, recipe: Recipe) -> None:
    """Refuse a recipe that this machine cannot be set to, or this gel cannot be made for.

    Raises:
        ConfigError: says which value, and the bound that it breaks.
    """
    press = recipe.press
    stop_um = machine.hydraulics.clearance_min_mm * 1e3
    open_um = machine.hydraulics.clearance_max_mm * 1e3
    for name, value in (("clearance_um", press.clearance_um), ("entry_clearance_um", press.entry_clearance_um)):
        if not stop_um <= value <= open_um:
            raise ConfigError(
                f"{name} {value:g} is outside the stops of machine {machine.name}, {stop_um:g} … {open_um:g} µm"
            )
    if press.clearance_um >= recipe.sheet.thickness_um:
        raise ConfigError(
            f"clearance_um {press.clearance_um:g} is not below the sheet's {recipe.sheet.thickness_um:g} µm: "
            "the press would not grip it"
        )
    if press.speed_m_min > machine.drives.speed_max_m_min:
        raise ConfigError(
            f"speed_m_min {press.speed_m_min:g} is above what machine {machine.name} can do, "
            f"{machine.drives.speed_max_m_min:g} m/min"
        )
    try:
        material.at_solids(recipe.composition.solids_fraction)
    except ValueError as error:
        raise ConfigError(
            f"gel {material.name} cannot have {100.0 * recipe.composition.solids_fraction:g} % of solids"
        ) from error


def outcome(machine: Machine, material: Material, recipe: Recipe) -> Outcome:
    """Settle the press at a recipe and look at the sheet that comes out.

    Args:
        machine: the press.
        material: the gel; its solids follow the recipe.
        recipe: sheet and settings. The clearance stays as it is set, no controller trims it.
    """
    gel = material.at_solids(recipe.composition.solids_fraction)
    point = operating_point(recipe)
    press = _settled(machine, gel, point)
    rows = _roll_sheet(press, point)
    return _seen(machine, press, point, rows)


# -- settling --------------------------------------------------------------------------------------------


def _settled(machine: Machine, material: Material, point: OperatingPoint) -> Press:
    """A press without sheet whose plates, drums and belts are as a long run with sheet leaves them."""
    rough = _changed(machine, "numerics", step_max_mm=COARSE_STEP_MM, step_max_s=COARSE_STEP_S, step_max_of_nip=10.0)
    rough = _changed(rough, "sheet", parcel_length_mm=max(COARSE_PARCEL_MM, machine.sheet.parcel_length_mm))
    light = Press(_light(rough), material)
    guess(light, point)
    thermostat = Thermostat(light, point)
    before = _temperatures(light)
    for turn in range(TURNS_MAX):
        _turn(light, thermostat, point)
        now = _temperatures(light)
        change, before = float(np.abs(now - before).max()), now
        if turn > 0 and change < SETTLED_K:
            break
    # the real plates once more: they hold still where light ones follow every ripple
    coarse = Press(rough, material, light.state)
    holding = Thermostat(coarse, point)
    holding.integral[:] = thermostat.integral
    _turn(coarse, holding, point)
    press = Press(machine, material)
    _, _, plant, belts, _, _ = press.state.memory
    plant[...] = coarse.state.memory[2]
    belts[...] = coarse.state.belt_T
    press.state.progress.stepped_clearance[:] = point.clearances()[::2]
    return press


def _temperatures(press: Press) -> NDArray[np.float64]:
    plant = press.state.plant
    return np.concatenate([plant.plate_T, plant.drum_T, plant.belt_mean])


def _turn(press: Press, thermostat: Thermostat, point: OperatingPoint) -> None:
    """Run for one turn of the belts."""
    commands = point.commands(feed=True)
    for _ in range(math.ceil(press.machine.belt_loop_m / point.speed_m_s / (CONTROL_NS * 1e-9))):
        thermostat.regulate(commands, CONTROL_NS * 1e-9)
        press.advance(CONTROL_NS, commands)


def _light(machine: Machine) -> Machine:
    zones, drums = machine.zones, machine.drums
    lighter = _changed(
        machine,
        "zones",
        heat_capacity_kj_k=LIGHT * zones.heat_capacity_kj_k,
        cold_capacity_kj_k=LIGHT * zones.cold_capacity_kj_k,
    )
    return _changed(lighter, "drums", heat_capacity_kj_k=LIGHT * drums.heat_capacity_kj_k)


# -- the sheet -------------------------------------------------------------------------------------------


def _roll_sheet(press: Press, point: OperatingPoint) -> NDArray[np.float64]:
    """Truth of the sheet behind its head, rows of `FILM_COLUMNS`; none if nothing comes out.

    Plates and drums stand still at their settled temperatures: the press is not yet full, and would drift
    until it is.
    """
    machine, plant = press.machine, press.state.plant
    wanted = math.ceil(PITCHES * machine.geometry.roller_pitch_mm / machine.sheet.parcel_length_mm)
    plates, drums = plant.plate_T.copy(), plant.drum_T.copy()
    commands = point.commands(feed=True)
    track = machine.press_length_m + 2 * wanted * machine.sheet.parcel_length_mm * 1e-3
    # sheet that keeps its width is drawn in more slowly than the belts run
    slowest = point.feed_thickness_m / point.cold_clearance_m
    for _ in range(math.ceil(slowest * track / point.speed_m_s / (CONTROL_NS * 1e-9))):
        press.advance(CONTROL_NS, commands)
        plant.plate_T[:], plant.drum_T[:] = plates, drums
        _, film = press.film()
        if len(film) >= 2 * wanted:
            return film[-wanted:]
    return np.empty((0, len(FILM_COLUMNS)))


def _seen(machine: Machine, press: Press, point: OperatingPoint, rows: NDArray[np.float64]) -> Outcome:
    """The outcome from the settled plates and the truth about the sheet."""
    plant = press.state.plant
    plates_off_k = float(np.abs(plant.plate_T - point.plate_targets()).max())
    drums_off_k = float(np.abs(plant.drum_T[:2] - point.entry_drum_temperature_k).max())
    if not len(rows):
        return Outcome(*(math.nan,) * 9, plates_off_k, drums_off_k, pressure_released=False, held=False)
    mean = dict(zip(FILM_COLUMNS, rows.mean(axis=0).tolist(), strict=True))
    low = dict(zip(FILM_COLUMNS, rows.min(axis=0).tolist(), strict=True))
    high = dict(zip(FILM_COLUMNS, rows.max(axis=0).tolist(), strict=True))
    peak_mpa = high["max_pressure_pa"] * 1e-6
    return Outcome(
        r_percent=mean["r_percent"],
        k_times_min=mean["k_times_min"],
        exit_temperature_c=mean["exit_mean_temperature_k"] - KELVIN,
        peak_pressure_mpa=peak_mpa,
        t0_um=mean["t0_m"] * 1e6,
        recovered_thickness_um=mean["t_600_m"] * 1e6,
        pressure_time_min=mean["time_under_pressure_s"] / 60.0,
        hot_min_c=low["hot_plate_min_k"] - KELVIN,
        hot_max_c=high["hot_plate_max_k"] - KELVIN,
        plates_off_k=plates_off_k,
        entry_drums_off_k=drums_off_k,
        pressure_released=released_between(high["pressure_gap_s"], mean["time_under_pressure_s"], machine),
        held=plates_off_k <= HELD_WITHIN_K and peak_mpa < LIMIT_SHARE * machine.geometry.design_pressure_mpa,
    )


def _changed(machine: Machine, part: str, **changes: float) -> Machine:
    """A copy of the machine with changes in one part, checked like a file."""
    table = machine.model_dump()
    table[part] |= changes
    try:
        return Machine.model_validate(table)
    except ValidationError as error:
        raise ConfigError(f"machine {machine.name}: {sentence(error)}") from None
