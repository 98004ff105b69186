"""Where a line stands at the start: warm, or running with sheet up to the end of the press.

Behind the press it is cold and empty in any case: film is hours away from it, and comes by running it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from emulator.line.casting import gel_density_kg_m3
from emulator.line.line import PERIOD_NS, Line
from emulator.line.sheet import joined
from emulator.press.press import Press
from emulator.units import KELVIN
from rig.recipe import Recipe

__all__ = ["Downstream", "Upstream", "begin", "begin_behind", "run_in", "upstream", "warm"]

BARREL_K: Final = 200.0 + KELVIN
SCREW_RAD_S: Final = 200.0 * math.tau / 60.0
COOLANT_K: Final = 25.0 + KELVIN
MELT_K: Final = 190.0 + KELVIN
"""Of the melt that a running line begins with; it finds its own temperature in minutes."""
LONGEST_S: Final = 7200


@dataclass(frozen=True, slots=True)
class Upstream:
    """What makes the sheet of a recipe at the speed of its press."""

    delivery_kg_s: tuple[float, ...]
    speed_m_s: float
    coolant_k: float
    barrel_k: float
    screw_rad_s: float


def upstream(line: Line, recipe: Recipe) -> Upstream:
    """Set points for the stations before the press."""
    made = recipe.composition
    shares = np.array([made.polyolefin_fraction, made.elastomer_fraction, made.solvent_fraction, 0.0])
    speed = recipe.press.speed_m_min / 60.0
    density = gel_density_kg_m3(made.solids_fraction, line.material)
    flow = density * recipe.sheet.thickness_um * 1e-6 * line.caster.width_m * speed
    return Upstream(tuple((flow * shares).tolist()), speed, COOLANT_K, BARREL_K, SCREW_RAD_S)


def warm(line: Line, point: Upstream) -> None:
    """Barrel hot, nothing in it and nothing moving."""
    state = line.state.kneader
    state.barrel_k = state.melt_k = point.barrel_k
    line.kneader.commands.barrel_k = point.barrel_k


def begin(line: Line, point: Upstream) -> None:
    """Tell the stations before the press to make this sheet; the barrel has to be hot already."""
    kneader, caster = line.kneader.commands, line.caster.commands
    kneader.delivery_kg_s[:] = point.delivery_kg_s
    kneader.barrel_k = point.barrel_k
    kneader.screw_rad_s, kneader.run = point.screw_rad_s, True
    caster.speed_m_s, caster.coolant_k = point.speed_m_s, point.coolant_k
    caster.run = caster.follow = True


@dataclass(frozen=True, slots=True)
class Downstream:
    """Set points for the stations behind the press; the defaults make film of the reference recipe."""

    speed_m_s: float
    ratio_md: float = 3.5
    ratio_td: float = 3.5
    oven_k: float = 118.0 + KELVIN
    extractant_m3_s: float = 1.0e-4
    bath_k: float = 30.0 + KELVIN
    dryer_k: float = 60.0 + KELVIN
    setting_k: float = 125.0 + KELVIN


def begin_behind(line: Line, point: Downstream) -> None:
    """Tell the stations behind the press to make film of what comes, and people to lead the web through."""
    tail = line.tail
    tail.commands.speed_m_s = point.speed_m_s
    tail.commands.run = tail.commands.follow = tail.commands.thread = True
    stretcher, desolvator, setter = tail.stretcher.commands, tail.desolvator.commands, tail.heat_setter.commands
    stretcher.air_k[:] = point.oven_k
    stretcher.ratio_md, stretcher.ratio_td = point.ratio_md, point.ratio_td
    desolvator.flow_m3_s, desolvator.bath_k, desolvator.air_k = point.extractant_m3_s, point.bath_k, point.dryer_k
    setter.air_k = point.setting_k
    stretcher.heat = desolvator.heat = setter.heat = True


def run_in(line: Line, point: Upstream, press: Press) -> None:
    """The stations before the press run with sheet, the store half full, and all sheet in the press is known.

    The line is run by itself for as long as it takes to make that sheet, up to time 0.
    """
    warm(line, point)
    begin(line, point)
    state, definition = line.state, line.plan.extruder
    shares = np.array(point.delivery_kg_s) / sum(point.delivery_kg_s)
    state.kneader.slugs_kg = definition.screw.plug_mass_kg * shares[None, :]
    state.kneader.tanks_kg[:] = definition.screw.tank_mass_kg * shares
    state.kneader.melt_k = MELT_K
    state.kneader.screw_rad_s = point.screw_rad_s
    state.kneader.delivery_kg_s[:] = point.delivery_kg_s
    state.caster.speed_m_s = point.speed_m_s
    head, count, released, next_parcel = (int(value) for value in press.state.progress.ring)
    parcel_m = float(press.machine_constants.parcel)
    in_press = count - released
    wanted_m = line.plan.casting.accumulator.start_m
    line.store.thread()
    made = state.store.pieces
    seconds = 0
    # the accumulator's own capacity does not count here: what is over has gone into the press by now
    while float(made["length_m"].sum()) < wanted_m + in_press * parcel_m and seconds < LONGEST_S:
        seconds += 1
        made = joined(made, line.caster.step(1.0, line.kneader.step(1.0), seconds * PERIOD_NS))
    for pieces in (made, state.caster.cooling, state.caster.forming):
        pieces["die_ns"] -= seconds * PERIOD_NS
    # the youngest parcel in the press is the end of the youngest piece that is in it
    ends = np.cumsum(made["length_m"])
    through = int(np.searchsorted(ends, in_press * parcel_m + 1e-9, side="right"))
    pressed, stored = made[:through].copy(), made[through:].copy()
    drawn_m = in_press * parcel_m - (float(ends[through - 1]) if through else 0.0)
    first = next_parcel - in_press
    pressed["parcel"] = first - 1 + np.round(ends[:through] / parcel_m).astype(np.int64)
    pressed["press_in_ns"] = press.state.sheet.entry_ns[
        (head + pressed["parcel"] - next_parcel + count) % press.state.sheet.x.size
    ]
    state.bridge.pieces, state.bridge.next_parcel = pressed, next_parcel
    state.store.pieces, state.store.drawn_m = stored, max(drawn_m, 0.0)
    state.store.pieces["temperature_k"] = line.plan.casting.accumulator.ambient_c + KELVIN
    for spent in (state.kneader.fed_kg, state.kneader.left_kg, state.kneader.spilt_kg, state.caster.spilt_kg):
        spent[:] = 0.0
    state.begun_kg = line.held_kg
