"""A product held against the claims, before a hopper is filled.

What a recipe alone decides: temperatures against melting points, best cases, and the balance of the solids, which come
out of the sheet and into the film whatever happens in between. Whether sheet really recovers little enough (CLM-1) and
belts really hold it (CLM-3, CLM-4) is for the monitors of a run to say.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from rig.products.definition import FILM_PROPERTIES, Product, Target
from rig.products.separator import SEPARATOR, UNCROSSLINKED_MELTDOWN_ABOVE_K
from rig.recipe import RECOVERY_LIMIT_PERCENT, ClaimIssue, check_claims

__all__ = ["check_product", "film_thickness_um", "stretched_melting_point_c"]

KELVIN: Final = 273.15
FLORY_SLOPE_PER_K: Final = 9.1e-5
"""How much solvent lowers the melting point: 1/T = 1/Tm + slope x (volume fraction of solvent)."""
STRETCHING_WINDOW_K: Final = (-15.0, 3.0)
"""Around the melting point of what is stretched; colder it tears, hotter it sags."""
KNEADING_ABOVE_MELTING_K: Final = 30.0
"""Below it the polyolefin does not dissolve in the time that it has."""
PORES_BELOW_MELTING_K: Final = 5.0
"""Film that is heated closer to the melting point loses its pores."""
SPRING_BACK: Final = 0.15
"""Rollers give way: the smallest clearance that sheet goes through is up to so much above the one set."""
PROMISED: Final = ("porosity_percent", "thickness_um")
"""What a film's targets must not promise to be unlike any separator."""


def check_product(product: Product, *, pressing_length_m: float) -> tuple[ClaimIssue, ...]:
    """Hold a product against CLM-1, CLM-2, CLM-3, CLM-5, CLM-6 and CLM-7.

    Args:
        product: what to make.
        pressing_length_m: length over which the press can act on the sheet, m.

    Returns:
        One issue per thing that cannot be right, by claim; empty when there is none.
    """
    issues = [
        *_kneading(product),
        *_stretching(product),
        *_rolling(product),
        *check_claims(product.press_recipe(1.0), pressing_length_m=pressing_length_m),
        *_crosslinking(product),
        *_heat(product),
        *_separator(product),
    ]
    return tuple(sorted(issues, key=lambda issue: issue.claim))


def stretched_melting_point_c(product: Product) -> float:
    """Melting point of what is stretched: gel with its solvent in it, or the resin where it has been taken out."""
    melting_c = product.composition.polyolefin_melting_point_c
    if product.desolvation.order == "desolvate-first":
        return melting_c
    solvent = 1.0 - product.polymer_volume_fraction
    return 1.0 / (1.0 / (melting_c + KELVIN) + FLORY_SLOPE_PER_K * solvent) - KELVIN


def film_thickness_um(product: Product) -> tuple[float, float]:
    """Thinnest and thickest film of the wanted porosity that the solids of the rolled sheet can become.

    Between sheet that stays at the clearance set and sheet that just meets CLM-1 behind rollers that give way.
    """
    solid_um = product.press.clearance_um * product.polymer_volume_fraction / product.stretching.area_ratio
    possible, wanted = SEPARATOR["porosity_percent"], product.film.porosity_percent
    thinnest = solid_um / (1.0 - max(wanted.low, possible.low) / 100.0)
    thickest = solid_um / (1.0 - min(wanted.high, possible.high) / 100.0)
    return thinnest, thickest * (1.0 + SPRING_BACK) * (1.0 + RECOVERY_LIMIT_PERCENT / 100.0)


def _kneading(product: Product) -> Iterator[ClaimIssue]:
    composition = product.composition
    if composition.elastomer_fraction <= 0.0:
        where = "composition.elastomer_fraction"
        yield ClaimIssue(
            "CLM-1", where, 0.0, "",
            f"{where} is 0: polyolefin, thermoplastic elastomer and solvent are kneaded; give it 0.02, say",
        )  # fmt: skip
    coldest_c = composition.polyolefin_melting_point_c + KNEADING_ABOVE_MELTING_K
    if (barrel_c := product.kneading.barrel_temperature_c) < coldest_c:
        yield _outside(
            "CLM-1", "kneading.barrel_temperature_c", barrel_c, Target(at_least=coldest_c), "K",
            f"the polyolefin melts at {composition.polyolefin_melting_point_c:g} °C and must dissolve in the extruder",
        )  # fmt: skip


def _stretching(product: Product) -> Iterator[ClaimIssue]:
    melting_c = stretched_melting_point_c(product)
    low_c, high_c = (melting_c + away for away in STRETCHING_WINDOW_K)
    of = "the dry sheet" if product.desolvation.order == "desolvate-first" else "the gel"
    temperature_c = product.stretching.temperature_c
    if not low_c <= temperature_c <= high_c:
        end = "sags" if temperature_c > high_c else "tears"
        yield _outside(
            "CLM-1", "stretching.temperature_c", temperature_c, Target(at_least=low_c, at_most=high_c), "K",
            f"{of} melts at {melting_c:.1f} °C, and {end} here",
        )  # fmt: skip


def _rolling(product: Product) -> Iterator[ClaimIssue]:
    clearance_um, sheet_um = product.press.clearance_um, product.casting.sheet_thickness_um
    if clearance_um > sheet_um - 1.0:
        yield _outside(
            "CLM-3", "press.clearance_um", clearance_um, Target(at_most=sheet_um - 1.0), "µm",
            "the rollers would not touch the sheet (casting.sheet_thickness_um)",
        )  # fmt: skip


def _crosslinking(product: Product) -> Iterator[ClaimIssue]:
    composition = product.composition
    if not composition.elastomer_has_double_bonds:
        where = "composition.elastomer_has_double_bonds"
        yield ClaimIssue(
            "CLM-6", where, 0.0, "",
            f"{where} is false: {composition.elastomer} has no double bonds that could crosslink, the film melts down "
            "like its polyolefin; take an elastomer that has some (polyoctenamer, ethylene-propylene-diene rubber)",
        )  # fmt: skip
    elif composition.elastomer_fraction <= 0.0:
        where = "composition.elastomer_fraction"
        yield ClaimIssue(
            "CLM-6", where, 0.0, "", f"{where} is 0: there is nothing to crosslink; give it some, 0.02 for example"
        )
    plain_c = composition.polyolefin_melting_point_c + UNCROSSLINKED_MELTDOWN_ABOVE_K
    wanted = product.film.meltdown_c
    # an elastomer without double bonds has had its say above
    if composition.elastomer_has_double_bonds and not product.heat_treatment.crosslinking and wanted.low > plain_c:
        yield ClaimIssue(
            "CLM-7", "heat_treatment.crosslinking", plain_c - wanted.low, "K",
            f"film.meltdown_c wants {wanted} °C, and without heat_treatment.crosslinking film breaks up at "
            f"{plain_c:g} °C at best: {wanted.low - plain_c:g} K too little; add an oven, 6 h at 85 °C for example",
        )  # fmt: skip


def _heat(product: Product) -> Iterator[ClaimIssue]:
    hottest = Target(at_most=product.composition.polyolefin_melting_point_c - PORES_BELOW_MELTING_K)
    heat = product.heat_treatment
    ovens = {f"heat_treatment.crosslinking.{i}.temperature_c": s.temperature_c for i, s in enumerate(heat.crosslinking)}
    for where, temperature_c in ({"heat_treatment.set_temperature_c": heat.set_temperature_c} | ovens).items():
        if temperature_c > hottest.high:
            yield _outside("CLM-7", where, temperature_c, hottest, "K", "closer to melting the pores close")


def _separator(product: Product) -> Iterator[ClaimIssue]:
    film = product.film
    for name in PROMISED:
        separator, target, unit = SEPARATOR[name], getattr(film, name), FILM_PROPERTIES[name].unit
        for wrong in (target.low, target.high):
            if math.isfinite(wrong) and separator.miss(wrong):
                yield _outside("CLM-7", f"film.{name}", wrong, separator, unit, "no battery separator is like that")
                return
    if film.meltdown_c.low < film.shutdown_c.high:
        yield _outside(
            "CLM-7", "film.meltdown_c", film.meltdown_c.low, Target(at_least=film.shutdown_c.high), "K",
            "a separator shuts down (film.shutdown_c) before it breaks up",
        )  # fmt: skip
    thinnest, thickest = film_thickness_um(product)
    wanted = film.thickness_um
    if wanted.low > thickest or wanted.high < thinnest:
        off = wanted.low - thickest if wanted.low > thickest else wanted.high - thinnest
        yield ClaimIssue(
            "CLM-7", "film.thickness_um", off, "µm",
            f"film.thickness_um wants {wanted}, and sheet rolled to {product.press.clearance_um:g} µm has solids for "
            f"{thinnest:.1f} … {thickest:.1f} µm when it is stretched {product.stretching.ratio_md:g} x "
            f"{product.stretching.ratio_td:g}: {abs(off):.1f} µm too {'thick' if off > 0.0 else 'thin'}; "
            f"{'open' if off > 0.0 else 'close'} press.clearance_um or stretch {'less' if off > 0.0 else 'more'}",
        )  # fmt: skip


def _outside(claim: str, where: str, value: float, wanted: Target, unit: str, why: str) -> ClaimIssue:
    off = wanted.miss(value)
    size = f"{abs(off):.3g} {unit} too {'much' if off > 0.0 else 'little'}"
    return ClaimIssue(claim, where, off, unit, f"{where} is {value:g}, {claim} wants {wanted}: {size}; {why}")
