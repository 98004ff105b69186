"""What the line makes of a product when all of it has settled, station after station, as a pure function.

No sensors, no controllers, no disturbances, belts as hot as their plates: what the equations say of the recipe. It
answers "would this recipe give this film" in a tenth of a second, and is what a running line is compared with.
docs/products.md
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from emulator.config import Machine, load_machine, load_material
from emulator.line import gel
from emulator.line.casting import Caster, solids_of
from emulator.line.definition import Casting, Extruder, load_casting, load_extruder
from emulator.line.desolvation.baths import biot, fourier_rate
from emulator.line.desolvation.definition import Desolvation, load_desolvation
from emulator.line.desolvation.drying import collapsed, lel_fraction, residual_solvent_fraction, wet_bulb
from emulator.line.desolvation.extraction import modes, soak
from emulator.line.film import properties
from emulator.line.film.definition import Film, load_film
from emulator.line.gel import Web
from emulator.line.heat_treatment import (
    HeatTreatment,
    closed_pores,
    conversion,
    crosslinking_rate,
    load_heat_treatment,
    thinner_by_closure,
)
from emulator.line.kneading import Kneader
from emulator.line.sheet import Pieces
from emulator.line.stretching import Draw, Drawn, Stretching, drawn, load_stretching, opened_dry, reheated
from emulator.material.definition import Material, Mechanics
from emulator.press.rolling import Pass, ideal_belt, roll_parcel
from emulator.units import KELVIN
from rig.products import Product

__all__ = ["LinePlant", "Settled", "settle"]

REST_S: Final = 600.0
"""From the press to the recovered thickness, by definition."""
STEP_S: Final = 5.0
SETTLED_S: Final = 1800.0
"""For an extruder that starts hot and empty: a dozen residence times, and as many of the barrel's controller."""
ROUNDS: Final = 30
"""Of baths and sheet until they agree; what flows is mostly extractant, so each gains a digit."""
SHEET_CV: Final = 0.01
"""Of the thickness of sheet from even die lips."""
ROOM_K: Final = 25.0 + KELVIN


@dataclass(frozen=True)
class LinePlant:
    """The stations, the press and the material of a line."""

    extruder: Extruder = field(default_factory=lambda: load_extruder("reference"))
    casting: Casting = field(default_factory=lambda: load_casting("reference"))
    machine: Machine = field(default_factory=lambda: load_machine("reference"))
    material: Material = field(default_factory=lambda: load_material("g20"))
    stretching: Stretching = field(default_factory=load_stretching)
    desolvation: Desolvation = field(default_factory=load_desolvation)
    heat_treatment: HeatTreatment = field(default_factory=load_heat_treatment)
    film: Film = field(default_factory=load_film)


@dataclass(frozen=True, slots=True)
class Settled:
    """What came out of each station; names end in their unit.

    Attributes:
        mixing: degree of mixing, 0 … 1.
        sheet_thickness_um: as cast.
        gel_melting_c: melting point of the gel as cast.
        r_percent: elastic recovery 600 s after release.
        k_times_min: rolling coefficient.
        recovered_thickness_um: 600 s after release.
        exit_temperature_c: of the sheet at the exit of the press.
        stretch_load: largest stress as part of the strength; 1 tears.
        torn: the sheet did not survive stretching.
        sagged: it was too hot for the clips.
        thickness_cv: standard deviation over the mean after stretching.
        lel_fraction: vapour in the dryer over the lower explosive limit.
        conversion: of the elastomer's double bonds.
        film: by the names of `rig.products.FILM_PROPERTIES`.
    """

    mixing: float
    sheet_thickness_um: float
    gel_melting_c: float
    r_percent: float
    k_times_min: float
    recovered_thickness_um: float
    exit_temperature_c: float
    stretch_load: float
    torn: bool
    sagged: bool
    thickness_cv: float
    lel_fraction: float
    conversion: float
    film: dict[str, float]


def settle(product: Product, plant: LinePlant | None = None) -> Settled:
    """The line at rest in its work on this product.

    Raises:
        ValueError: the extruder does not deliver the sheet; says how much of it.
    """
    plant = plant or LinePlant()
    piece = _cast(product, plant)
    material = _as_cast(plant.material, piece)
    parcels, truth = _rolled(product, plant.machine, material, piece)
    web = gel.release(material, Web.of_parcels(parcels), ROOM_K, plant.machine.sheet.air_conductance_w_m2k, REST_S)
    dry_first = product.desolvation.order == "desolvate-first"
    resin_k = product.composition.polyolefin_melting_point_c + KELVIN
    if dry_first:
        web = web.with_melting_point(material, resin_k)
    out = _stretched(product, plant.stretching, material, web)
    ratio = product.stretching.area_ratio
    wet_m = float(web.thickness_m[0] if dry_first else out.web.thickness_m[0])
    washed = _desolvated(product, plant.desolvation, material, wet_m)
    thickness_m, porosity = washed.thickness_m, washed.porosity
    if dry_first:
        # strain that comes back makes the dry sheet thicker in the oven as it does the wet one
        thicker = float(out.web.thickness_m[0] / web.thickness_m[0] * ratio)
        thickness_m, porosity = opened_dry(plant.stretching, thickness_m * thicker, porosity, ratio)
    heat = product.heat_treatment
    station = plant.heat_treatment
    set_k = heat.set_temperature_c + KELVIN
    cold = gel.set_in_clamps(material, out.web, product.stretching.temperature_c + KELVIN, 0.0)
    done = gel.set_in_clamps(material, cold.with_melting_point(material, resin_k), set_k, heat.set_seconds)
    closed = closed_pores(station, set_k, properties.shutdown_k(plant.film, 0.0), heat.set_seconds)
    alpha = 0.0
    elastomer = "unsaturated" if product.composition.elastomer_has_double_bonds else "saturated"
    for oven in heat.crosslinking:
        oven_k = oven.temperature_c + KELVIN
        alpha = conversion(alpha, crosslinking_rate(station, elastomer, oven_k), oven.seconds)  # type: ignore[arg-type]
        closes = closed_pores(station, oven_k, properties.shutdown_k(plant.film, alpha), oven.seconds)
        closed = 1.0 - (1.0 - closed) * (1.0 - closes)
    thickness_m, porosity = thinner_by_closure(thickness_m, porosity, closed)
    strain = float(gel.residual_strain(material, done)[0])
    of_solids = product.composition.elastomer_fraction / product.composition.solids_fraction
    return Settled(
        mixing=float(piece["mixing"]),
        sheet_thickness_um=float(piece["thickness_m"]) * 1e6,
        gel_melting_c=float(piece["gel_melting_k"]) - KELVIN,
        r_percent=truth["r_percent"],
        k_times_min=truth["k_times_min"],
        recovered_thickness_um=truth["t_600_m"] * 1e6,
        exit_temperature_c=truth["exit_mean_temperature_k"] - KELVIN,
        stretch_load=float(out.load[0]),
        torn=bool(out.torn[0]),
        sagged=bool(out.sagged[0]),
        thickness_cv=float(out.thickness_cv[0]),
        lel_fraction=washed.lel_fraction,
        conversion=alpha,
        film={
            "thickness_um": thickness_m * 1e6,
            "porosity_percent": porosity * 100.0,
            "gurley_s": properties.gurley_s(plant.film, thickness_m, porosity),
            "puncture_n": properties.puncture_n(plant.film, thickness_m, porosity, ratio),
            "shrinkage_105c_percent": properties.shrinkage(plant.film, strain, alpha) * 100.0,
            "shutdown_c": properties.shutdown_k(plant.film, alpha) - KELVIN,
            "meltdown_c": properties.meltdown_k(plant.film, alpha, of_solids) - KELVIN,
            "residual_solvent_percent": washed.residual_fraction * 100.0,
        },
    )


def _cast(product: Product, plant: LinePlant) -> Any:
    """A piece of sheet from an extruder and a casting unit that have settled."""
    flow_kg_s = np.array(list(product.feeds_kg_h.values())) / 3600.0
    kneader = Kneader(plant.extruder)
    kneader.commands.barrel_k = kneader.state.barrel_k = product.kneading.barrel_temperature_c + KELVIN
    kneader.disturbances.feeder_ripple_scale = 0.0
    kneader.commands.delivery_kg_s = flow_kg_s
    kneader.commands.screw_rad_s = product.kneading.screw_speed_rpm * math.tau / 60.0
    kneader.commands.run = True
    for _ in range(round(SETTLED_S / STEP_S)):
        melted = kneader.step(STEP_S)
    delivered = float(melted.mass_kg.sum()) / STEP_S / float(flow_kg_s.sum())
    if not delivered > 0.99:
        state = kneader.state
        why = (
            "the coupling let go"
            if state.overloaded
            else "the burst disc went"
            if state.burst
            else "feeders are at their end"
        )
        raise ValueError(
            f"{product.name}: the extruder delivers {delivered:.0%} of {product.throughput_kg_h:.1f} kg/h ({why}); "
            "make the sheet thinner or the press slower"
        )
    caster = Caster(plant.casting, plant.material, plant.extruder.die.width_mm * 1e-3)
    caster.commands.run = True
    caster.commands.speed_m_s = product.press.speed_m_min / 60.0
    caster.commands.coolant_k = product.casting.quench_temperature_c + KELVIN
    caster.disturbances.die_lip_cv = SHEET_CV
    cooled_s = plant.casting.cooling.contact_length_m / (product.press.speed_m_min / 60.0)
    for _ in range(math.ceil((10.0 * plant.casting.cooling.coolant_lag_s + cooled_s) / STEP_S)):
        pieces: Pieces = caster.step(STEP_S, melted, 0)
        if len(pieces):
            last = pieces[-1]
    return last


def _as_cast(material: Material, piece: Any) -> Material:
    """The gel's data for sheet that was cast like this piece."""
    solids = solids_of(piece)
    gel_ = material.at_solids(solids)
    ratio = solids / material.composition.solids_fraction
    quench = float(piece["modulus_scale"]) / (ratio * ratio)
    m = gel_.mechanics
    mechanics = m.model_dump() | {
        "arm_modulus_25c_mpa": tuple(e * quench for e in m.arm_modulus_25c_mpa),
        "network_modulus_25c_mpa": m.network_modulus_25c_mpa * quench,
        "network_modulus_min_mpa": m.network_modulus_min_mpa * quench,
    }
    composition = gel_.composition.model_copy(update={"gel_melting_point_c": float(piece["gel_melting_k"]) - KELVIN})
    return gel_.model_copy(update={"composition": composition, "mechanics": Mechanics.model_validate(mechanics)})


def _rolled(product: Product, machine: Machine, material: Material, piece: Any) -> tuple[Any, dict[str, float]]:
    """The parcel as it leaves the press, and the truth about it."""
    press = product.press
    speed_m_s = press.speed_m_min / 60.0
    hot_k, cold_k = press.heat_temperature_c + KELVIN, press.cold_temperature_c + KELVIN
    x, T = ideal_belt(machine, hot_k, cold_k, speed_m_s)  # noqa: N806 - temperature
    how = Pass(
        x,
        T,
        entry_clearance_m=press.entry_clearance_um * 1e-6,
        taper_clearance_m=press.clearance_um * 1e-6,
        cold_clearance_m=press.clearance_um * 1e-6,
        speed_m_s=speed_m_s,
        tension_n_m=press.tension_kn_m * 1e3,
        feed_thickness_m=float(piece["thickness_m"]),
        feed_temperature_k=product.casting.entry_temperature_c + KELVIN,
        rest_s=REST_S,
    )
    parcels, rolled = roll_parcel(machine, material, how)
    return parcels, rolled.truth


def _stretched(product: Product, station: Stretching, material: Material, web: Web) -> Drawn:
    how = product.stretching
    warm = reheated(station, material, web, [(soak.temperature_c + KELVIN, soak.seconds) for soak in how.preheat])
    draw = Draw(how.ratio_md, how.ratio_td, how.rate_md_per_s, how.rate_td_per_s, how.temperature_c + KELVIN)
    return drawn(station, material, warm.web, draw, np.array([SHEET_CV]), warm.recovered)


@dataclass(frozen=True, slots=True)
class _Washed:
    thickness_m: float
    porosity: float
    residual_fraction: float
    lel_fraction: float


def _desolvated(product: Product, station: Desolvation, material: Material, wet_m: float) -> _Washed:
    """Sheet of this thickness through baths and dryer that have settled with it."""
    how = product.desolvation
    stretched = how.order == "stretch-first"
    speed_m_s = product.press.speed_m_min / 60.0 * (product.stretching.ratio_md if stretched else 1.0)
    liquid = station.extractant(how.extractant)
    polymer = material.polymer_volume_fraction
    gel_m3_s = product.throughput_kg_h / 3600.0 / product.gel_density_kg_m3
    inside_m3_s = gel_m3_s * (1.0 - polymer)
    flow_m3_s = how.extractant_flow_l_min * 1e-3 / 60.0
    baths = station.baths
    rate = fourier_rate(station, liquid, wet_m, how.bath_temperature_c + KELVIN)
    sheet = modes(biot(station, wet_m))
    fourier = rate * baths.path_m / speed_m_s
    bath = [baths.fresh_solvent_fraction] * baths.count
    for _ in range(ROUNDS):
        amplitude = sheet.part
        left = [1.0]
        for part in bath:
            amplitude = soak(amplitude, sheet, fourier, part)
            left.append(float(amplitude.sum()))
        arriving = baths.fresh_solvent_fraction
        for i in reversed(range(baths.count)):
            arriving += inside_m3_s * (left[i] - left[i + 1]) / flow_m3_s
            bath[i] = min(arriving, 1.0)
    dryer = station.dryer
    air_k = how.dryer_temperature_c + KELVIN
    solvent = left[-1]
    vapour_kg_m3 = inside_m3_s * (1.0 - solvent) * liquid.density_kg_m3 / dryer.air_flow_m3_s
    wet = wet_bulb(dryer, liquid, air_k, vapour_kg_m3)
    dried = collapsed(
        station,
        liquid.surface_tension_n_m(wet.temperature_k),
        polymer,
        solvent * (1.0 - polymer),
        product.stretching.area_ratio if stretched else 1.0,
    )
    flory = material.flory
    residual = residual_solvent_fraction(
        polymer * flory.polymer_density_kg_m3, solvent * (1.0 - polymer) * flory.oil_density_kg_m3
    )
    lel = lel_fraction(dryer, liquid, vapour_kg_m3, air_k)
    return _Washed(wet_m * dried.thickness_ratio, dried.porosity, residual, lel)
