"""Products: what ships is good, what is wrong is said with claim, key, size and remedy."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from emulator.config import load_material
from rig.cli import main
from rig.products import (
    FILM_PROPERTIES,
    FilmTargets,
    Product,
    Target,
    check_product,
    film_thickness_um,
    list_products,
    load_product,
    stretched_melting_point_c,
)
from rig.products.claims import FLORY_SLOPE_PER_K
from rig.products.definition import POLYMER_DENSITY_KG_M3, SOLVENT_DENSITY_KG_M3
from rig.recipe import ClaimIssue, RecipeError

STANDARD = load_product("standard-25um")
PRESSING_LENGTH_M = 4.15


def changed(where: str, value: Any, product: Product = STANDARD) -> Product:
    """The product with one key changed, such as `press.clearance_um`."""
    table: dict[str, Any] = product.model_dump(exclude_none=True)
    *parents, key = where.split(".")
    place: dict[str, Any] = table
    for parent in parents:
        place = place[parent]
    place[key] = value
    return Product.model_validate(table)


def issues(product: Product) -> tuple[ClaimIssue, ...]:
    return check_product(product, pressing_length_m=PRESSING_LENGTH_M)


def test_products_that_ship_meet_the_claims_but_for_the_counter_example() -> None:
    against = {name: [issue.claim for issue in issues(load_product(name))] for name in list_products()}
    assert against.pop("not-crosslinkable") == ["CLM-6"]
    assert len(against) >= 3
    assert not any(against.values())


def test_counter_example_differs_from_its_pair_in_the_elastomer_alone() -> None:
    pair, counter = (load_product(name).model_dump() for name in ("heat-resistant", "not-crosslinkable"))
    for table in (pair, counter):
        for key in ("name", "description"):
            del table[key]
        for key in ("elastomer", "elastomer_has_double_bonds"):
            del table["composition"][key]
    assert pair == counter


@pytest.mark.parametrize(
    ("where", "value", "claim", "off", "words"),
    [
        ("kneading.barrel_temperature_c", 150.0, "CLM-1", -15.0, "is 150, CLM-1 wants ≥ 165: 15 K too little"),
        ("stretching.temperature_c", 104.0, "CLM-1", -4.0, "CLM-1 wants 108 … 126: 4 K too little; the gel melts at"),
        ("stretching.temperature_c", 130.0, "CLM-1", 4.0, "4 K too much; the gel melts at 123.0 °C, and sags here"),
        ("desolvation.order", "desolvate-first", "CLM-1", -2.0, "the dry sheet melts at 135.0 °C, and tears here"),
        ("press.speed_m_min", 4.0, "CLM-2", -1.01, "1.01 too little; the fastest speed that can reach it is 3.19"),
        ("press.heat_temperature_c", 132.0, "CLM-5", 7.0, "7 K too hot; set it to 115"),
        ("press.heat_temperature_c", 98.0, "CLM-5", -7.0, "7 K too cold; set it to 115"),
        ("press.cold_temperature_c", 48.0, "CLM-5", 8.0, "above 40 °C: 8 K too hot"),
        ("composition.elastomer_has_double_bonds", False, "CLM-6", 0.0, "polyoctenamer has no double bonds"),
        ("heat_treatment.crosslinking", [], "CLM-7", -15.0, "film breaks up at 150 °C at best: 15 K too little; add"),
        ("heat_treatment.set_temperature_c", 134.0, "CLM-7", 4.0, "wants ≤ 130: 4 K too much; closer to"),
        ("heat_treatment.crosslinking", [{"temperature_c": 140.0, "seconds": 60.0}], "CLM-7", 10.0, "crosslinking.0.t"),
        ("stretching.ratio_md", 6.0, "CLM-7", 4.1, "4.1 µm too thick; open press.clearance_um or stretch less"),
        ("stretching.ratio_md", 1.5, "CLM-7", -18.7, "too thin; close press.clearance_um or stretch more"),
        ("film.porosity_percent", {"target": 80.0, "tolerance": 2.0}, "CLM-7", 8.0, "no battery separator is"),
        ("film.thickness_um", {"at_most": 90.0}, "CLM-7", 30.0, "is 90, CLM-7 wants 4 … 60: 30 µm too much"),
        ("film.meltdown_c", {"at_least": 130.0}, "CLM-7", -9.0, "a separator shuts down (film.shutdown_c) before"),
    ],
)  # fmt: skip
def test_one_thing_wrong_is_one_issue_with_claim_place_size_and_remedy(
    where: str, value: Any, claim: str, off: float, words: str
) -> None:
    (issue,) = issues(changed(where, value))
    assert (issue.claim, issue.off) == (claim, pytest.approx(off, abs=0.5))
    assert issue.where in issue.message
    assert words in issue.message


def test_rollers_that_do_not_touch_the_sheet_are_against_clm_3() -> None:
    wide = changed("press.entry_clearance_um", 4000.0)
    found = issues(changed("press.clearance_um", 3500.0, wide))
    assert [issue.claim for issue in found if issue.where == "press.clearance_um"] == ["CLM-3"]
    assert next(issue for issue in found if issue.claim == "CLM-3").off == pytest.approx(501.0)


def test_no_elastomer_is_against_clm_1_and_clm_6() -> None:
    table = STANDARD.model_dump(exclude_none=True)
    table["composition"] |= {"elastomer_fraction": 0.0, "polyolefin_fraction": 0.20}
    assert [issue.claim for issue in issues(Product.model_validate(table))] == ["CLM-1", "CLM-6"]


def test_what_the_rig_says_of_the_gel_is_what_the_virtual_line_is_made_of() -> None:
    gel = load_material("g20")
    assert gel.flory.slope_per_k == FLORY_SLOPE_PER_K
    assert gel.flory.polymer_density_kg_m3 == POLYMER_DENSITY_KG_M3
    assert gel.flory.oil_density_kg_m3 == SOLVENT_DENSITY_KG_M3
    assert stretched_melting_point_c(STANDARD) == pytest.approx(gel.composition.gel_melting_point_c, abs=0.05)
    assert STANDARD.polymer_volume_fraction == pytest.approx(gel.polymer_volume_fraction, rel=1e-12)


def test_feeders_deliver_what_the_sheet_takes() -> None:
    feeds = STANDARD.feeds_kg_h
    gel = sum(feeds.values()) - feeds["antioxidant"]
    # 117.6 mm x 3 mm x 1 m/min of 877 kg/m3
    assert gel == pytest.approx(0.1176 * 3e-3 * 60.0 * 876.9, rel=1e-3)
    assert feeds["polyolefin"] / gel == pytest.approx(0.18)


def test_solids_of_the_sheet_bound_the_film() -> None:
    thin, thick = film_thickness_um(STANDARD)
    assert thin == pytest.approx(780.0 * 0.1846 / 12.25 / 0.60, rel=1e-3)
    assert thick == pytest.approx(thin * 0.60 / 0.50 * 1.15 * 1.2)


def test_press_gets_the_part_that_is_its_own() -> None:
    recipe = STANDARD.press_recipe(250.0)
    assert (recipe.press, recipe.composition) == (STANDARD.press, STANDARD.composition)
    assert (recipe.sheet.length_m, recipe.sheet.thickness_um) == (250.0, 3000.0)


def test_targets_tell_how_far_a_value_is_outside() -> None:
    around = Target(target=25.0, tolerance=2.0)
    assert [around.miss(value) for value in (22.0, 23.0, 25.0, 28.5)] == [-1.0, 0.0, 0.0, 1.5]
    assert Target(at_least=4.0).miss(3.0) == -1.0
    assert Target(at_most=4.0).miss(math.inf) == math.inf
    assert math.isnan(around.miss(math.nan))
    assert [str(t) for t in (around, Target(at_least=4.0), Target(at_most=2.5))] == ["25 ± 2", "≥ 4", "≤ 2.5"]


def test_every_property_of_a_film_has_a_target() -> None:
    assert tuple(FilmTargets.model_fields) == tuple(FILM_PROPERTIES)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("order = \"stretch-first\"", "order = \"both\"", "desolvation.order: Input should be 'stretch-first'"),
        ("ratio_md = 3.5", "ratio_md = 0.5", "stretching.ratio_md: Input should be greater than or equal to 1, not"),
        ("ratio_md = 3.5\nratio_td = 3.5", "ratio_md = 1\nratio_td = 1", "stretching: ratio_md and ratio_td are both"),
        ("at_least = 4.0", "target = 4.0", "film.puncture_n: give target and tolerance, or at_least and/or at_most"),
        ("at_least = 250.0", "at_least = 650.0", "film.gurley_s: at_least 650 is not below at_most 550"),
        ("solvent_fraction = 0.80", "solvent_fraction = 0.70", "composition: the fractions add up to 0.9000"),
        ("screw_speed_rpm = 200.0", "screw_rpm = 200.0", "kneading.screw_speed_rpm: Field required (and 1 more)"),
        ("[film]", "[film", "is not valid TOML"),
    ],
)  # fmt: skip
def test_values_that_cannot_be_are_told_with_file_and_key(old: str, new: str, message: str, tmp_path: Path) -> None:
    text = (Path("rig/products") / "standard-25um.toml").read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "mine.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(RecipeError) as told:
        load_product(path)
    assert f"product {path}" in str(told.value)
    assert message in str(told.value)


def test_command_lists_all_and_says_which_claim_the_counter_example_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["products"]) == 0
    out = capsys.readouterr().out
    assert all(f"{name}: " in out for name in list_products())
    assert out.count("CLM-") >= 2
    assert "  CLM-6: composition.elastomer_has_double_bonds is false" in out


def test_command_shows_stations_in_the_order_of_the_product(capsys: pytest.CaptureFixture[str]) -> None:
    def stations(name: str) -> list[str]:
        assert main(["products", name]) == 0
        return [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]

    first, other = stations("standard-25um"), stations("desolvated-first")
    assert first.index("stretching") < first.index("desolvation")
    assert other.index("desolvation") < other.index("stretching")


def test_command_computes_the_film_and_says_what_the_counter_example_misses(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["products", "heat-resistant", "--film"]) == 0
    assert "missed by" not in capsys.readouterr().out
    assert main(["products", "not-crosslinkable", "--film", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert [issue["claim"] for issue in told["issues"]] == ["CLM-6"]
    assert told["missed_by"]["meltdown_c"] < -30.0
    assert told["missed_by"]["thickness_um"] == 0.0


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["soup"], 2, "no product named 'soup'; known: desolvated-first, heat-resistant"),
        (["no/such.toml"], 2, "product no/such.toml cannot be read: No such file or directory"),
        (["rig/recipes/reference.toml"], 2, "kneading: Field required"),
    ],
)
def test_what_is_no_product_is_told(
    words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["products", *words]) == code
    assert message in capsys.readouterr().err
