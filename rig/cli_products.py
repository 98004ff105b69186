"""`press-rig products`: list, show and check whole products, and say what the virtual line would make of one."""

from __future__ import annotations

import argparse
import json
from typing import Any

from rig.controller.machine_facts import load_machine_facts
from rig.errors import RigError, UsageError
from rig.products import FILM_PROPERTIES, Product, check_product, film_thickness_um, list_products, load_product
from rig.products import stretched_melting_point_c as melting_point_c
from rig.recipe import HOT_WINDOW_BELOW_MELTING_K, ClaimIssue, RecipeError

__all__ = ["add_products"]

EPILOG = """\
A product is a TOML file: composition, kneading, casting, press, stretching, desolvation, heat treatment, and what the
film shall be. The `press` table is that of a press recipe. docs/products.md explains every key.

examples:
  press-rig products                          the products that come with the rig, and what the claims say of them
  press-rig products standard-25um            all of one, station by station
  press-rig products standard-25um --film     and what film the settled virtual line makes of it, against its targets
  press-rig products my/film.toml --json      for machines

your own: copy rig/products/standard-25um.toml, change it, check it; what is wrong is said with the claim, the key,
by how much, and what to do, as in
  CLM-5: press.heat_temperature_c is 130, outside 105 … 125 °C (Tm - 30 … Tm - 10 with Tm = 135 °C):
  5 K too hot; set it to 115

exit codes: 0 claims (and with --film the targets) are met   1 one is not   2 no such product, or a value that cannot be
"""


def add_products(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "products",
        help="list the products of the whole line, or show and check one",
        description="List the products of the whole line, or show one and hold it against the claims.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("product", nargs="?", help="name or path (.toml) of a product to show and check")
    parser.add_argument("--film", action="store_true", help="compute what the settled virtual line makes of it")
    parser.add_argument("--json", action="store_true", help="as one JSON object; a list of them without a name")
    parser.set_defaults(run=_products)


def _products(arguments: argparse.Namespace) -> int:
    length_m = load_machine_facts().pressing_length_m
    chosen = [arguments.product] if arguments.product else list(list_products())
    shown, red = [], False
    for name in chosen:
        try:
            product = load_product(name)
        except RecipeError as error:
            raise UsageError(str(error)) from error
        issues = check_product(product, pressing_length_m=length_m)
        film = _film(product) if arguments.film else None
        missed = film is not None and any(target.miss(film[key]) != 0.0 for key, target in product.film.items())
        red = red or bool(issues) or missed
        if arguments.json:
            shown.append(_as_json(product, issues, film))
        else:
            _print(product, name, issues, film, whole=arguments.product is not None)
    if arguments.json:
        print(json.dumps(shown[0] if arguments.product else shown, indent=2, ensure_ascii=False))
    return int(red and arguments.product is not None)


def _film(product: Product) -> dict[str, float]:
    from rig.virtual import settled_line  # noqa: PLC0415 - the virtual line is heavy, and only this needs it

    try:
        line = settled_line(product)
    except ValueError as error:
        raise RigError(str(error)) from error
    if line.torn:
        raise RigError(
            f"{product.name}: the sheet tears in the stretcher, at {line.stretch_load:.0%} of its strength; "
            "lower stretching.ratio_md and ratio_td, or raise stretching.temperature_c"
        )
    if line.sagged:
        raise RigError(f"{product.name}: the sheet sags in the stretcher; lower stretching.temperature_c")
    return dict(line.film)


def _print(
    product: Product, name: str, issues: tuple[ClaimIssue, ...], film: dict[str, float] | None, *, whole: bool
) -> None:
    print(f"{name}: {product.description} ({product.source})")
    if whole:
        for title, text in _stations(product):
            print(f"  {title:<15}{text}")
        print("  film" if film is None else "  film           (wanted; what the settled line makes)")
    if whole or film is not None:
        for key, target in product.film.items():
            kind = FILM_PROPERTIES[key]
            line = f"    {kind.title:<34}{f'{target} {kind.unit}':<20}"
            if film is not None:
                off = target.miss(film[key])
                verdict = "" if off == 0.0 else f"  missed by {kind.text(abs(off))}"
                line += f"{kind.text(film[key]):>10}{verdict}"
            print(line.rstrip())
    for issue in issues:
        print(f"  {issue.claim}: {issue.message}")
    if whole and not issues:
        print("  claims: nothing in this recipe is against them")


def _stations(product: Product) -> tuple[tuple[str, str], ...]:
    """What is set where, for people."""
    c, k, cast, p = product.composition, product.kneading, product.casting, product.press
    s, d, h = product.stretching, product.desolvation, product.heat_treatment
    low_c, high_c = (c.polyolefin_melting_point_c - below for below in HOT_WINDOW_BELOW_MELTING_K)
    bonds = "double bonds" if c.elastomer_has_double_bonds else "no double bonds"
    feeds = ", ".join(f"{name} {kg_h:.3g}" for name, kg_h in product.feeds_kg_h.items())
    preheat = ", ".join(f"{soak.seconds:g} s at {soak.temperature_c:g} °C" for soak in s.preheat)
    ovens = ", ".join(f"{soak.seconds / 3600.0:g} h at {soak.temperature_c:g} °C" for soak in h.crosslinking)
    thin, thick = film_thickness_um(product)
    stretching = (
        f"{s.ratio_md:g} x {s.ratio_td:g} at {s.temperature_c:g} °C, {s.rate_md_per_s:g} and {s.rate_td_per_s:g} 1/s, "
        f"after {preheat} (what is stretched melts at {melting_point_c(product):.1f} °C)"
    )
    flow = f"{d.extractant_flow_l_min:g} L/min"
    washing = f"{d.extractant} of {d.bath_temperature_c:g} °C, {flow}, dryer {d.dryer_temperature_c:g} °C"
    after_press = [("stretching", stretching), ("desolvation", washing)]
    return (
        (
            "composition",
            f"{c.polyolefin_fraction:.1%} {c.polyolefin} (Tm {c.polyolefin_melting_point_c:g} °C), "
            f"{c.elastomer_fraction:.1%} {c.elastomer} ({bonds}), {c.solvent_fraction:.1%} {c.solvent}",
        ),
        ("kneading", f"barrel {k.barrel_temperature_c:g} °C, {k.screw_speed_rpm:g} rpm; in kg/h: {feeds}"),
        (
            "casting",
            f"{cast.sheet_thickness_um:g} µm x {cast.sheet_width_mm:g} mm, quench {cast.quench_temperature_c:g} °C",
        ),
        (
            "press",
            f"{p.heat_temperature_c:g} °C (window {low_c:g} … {high_c:g}), cold {p.cold_temperature_c:g} °C, "
            f"clearance {p.clearance_um:g} µm, {p.speed_m_min:g} m/min",
        ),
        *(after_press if d.order == "stretch-first" else reversed(after_press)),
        (
            "heat treatment",
            f"set {h.set_seconds:g} s at {h.set_temperature_c:g} °C; crosslinking {ovens or 'none'}",
        ),
        ("solids make", f"{thin:.1f} … {thick:.1f} µm of film of that porosity"),
    )


def _as_json(product: Product, issues: tuple[ClaimIssue, ...], film: dict[str, float] | None) -> dict[str, Any]:
    table: dict[str, Any] = {
        "product": product.model_dump(exclude_none=True),
        "feeds_kg_h": product.feeds_kg_h,
        "issues": [
            {"claim": i.claim, "where": i.where, "off": i.off, "unit": i.unit, "message": i.message} for i in issues
        ],
    }
    if film is not None:
        finite = {key: value if value < float("inf") else None for key, value in film.items()}
        table["settled_film"] = finite
        table["missed_by"] = {key: t.miss(film[key]) for key, t in product.film.items() if finite[key] is not None}
    return table
