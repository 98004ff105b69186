"""Machines and materials as data: what is shipped loads, what is wrong is said in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.config import ConfigError, load_machine, load_material, names


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def shipped(kind: str, name: str) -> str:
    return (Path(__file__).parents[2] / "emulator" / "data" / f"{kind}s" / f"{name}.toml").read_text("utf-8")


@pytest.mark.parametrize("name", names("machine"))
def test_every_shipped_machine_loads_under_its_name(name: str) -> None:
    assert load_machine(name).name == name


@pytest.mark.parametrize("name", names("material"))
def test_every_shipped_material_loads_under_its_name(name: str) -> None:
    assert load_material(name).name == name


def test_reference_machine_has_the_lengths_of_the_model() -> None:
    machine = load_machine("reference")
    assert machine.taper_end_m == pytest.approx(1.69)
    assert machine.heat_end_m == pytest.approx(2.65)
    assert machine.press_length_m == pytest.approx(4.15)


def test_pitch60_differs_from_the_reference_in_its_roller_pitch_alone() -> None:
    reference, pitch60 = load_machine("reference").model_dump(), load_machine("pitch60").model_dump()
    assert pitch60["geometry"].pop("roller_pitch_mm") == 60.0
    assert reference["geometry"].pop("roller_pitch_mm") == 36.0
    for table in (reference, pitch60):
        del table["name"], table["description"]
    assert pitch60 == reference


def test_every_number_of_a_definition_carries_its_provenance() -> None:
    marks = ("[S", "[M]", "[E]", "[C]", "[P]", "numerical", "origin of", "of the relaxation times")
    for kind, name in [("machine", n) for n in names("machine")] + [("material", n) for n in names("material")]:
        section = ""
        for line in shipped(kind, name).splitlines():
            section = line.strip("[]") if line.startswith("[") else section
            if " = " in line and not line.startswith(("name", "description")) and section != "numerics":
                assert any(mark in line for mark in marks), f"{name}: {line}"


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no machine is called 'referense'.*pitch60, reference"):
        load_machine("referense")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("roller_pitch_mm = 36.0", "roller_pitch_mm = -1.0"), r"geometry\.roller_pitch_mm: .*greater"),
        (
            ("roller_pitch_mm = 36.0", 'roller_pitch_mm = "wide"'),
            r"geometry\.roller_pitch_mm: .*number.*'wide'",
        ),
        (("roller_pitch_mm = 36.0", "roller_pitch = 36.0"), r"geometry\.roller_pitch: extra"),
        (("roller_pitch_mm = 36.0", "roller_pitch_mm = 20.0"), r"roller_diameter_mm must be smaller"),
        (
            ("clearance_min_mm = 0.2", "clearance_min_mm = 9.0"),
            r"hydraulics: clearance_min_mm must be smaller",
        ),
        (("inertia_kg_m2 = 2300.0", "inertia_kg_m2 = nan"), r"drives\.inertia_kg_m2: .*finite"),
        (("heat_zone_count = 4", "heat_zone_count = 5"), r"geometry\.heat_zone_count: .*4"),
    ],
)
def test_a_wrong_machine_is_refused_with_file_key_and_rule(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    text = shipped("machine", "reference")
    assert change[0] in text
    path = write(tmp_path / "mine.toml", text.replace(*change))
    with pytest.raises(ConfigError, match=rf"mine\.toml: .*{said}") as caught:
        load_machine(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_broken_toml_are_config_errors(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot read the machine: No such file"):
        load_machine(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match=r"broken\.toml: not a TOML file"):
        load_material(write(tmp_path / "broken.toml", "name = "))


def test_a_definition_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_machine("reference").name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(("solids", "melting_c"), [(0.15, 122.3), (0.20, 123.0), (0.30, 124.4), (0.40, 125.8)])
def test_gel_melting_point_follows_flory(solids: float, melting_c: float) -> None:
    material = load_material("g20").at_solids(solids)
    assert material.composition.gel_melting_point_c == pytest.approx(melting_c, abs=0.06)


def test_moduli_scale_with_the_square_of_solids_and_stress_on_the_skeleton_inversely() -> None:
    g20 = load_material("g20")
    g40 = g20.at_solids(0.40)
    assert g40.mechanics.arm_modulus_25c_mpa[0] == pytest.approx(4.0 * 4.4)
    assert g40.mechanics.network_modulus_min_mpa == pytest.approx(4.0 * 0.075)
    assert g40.mechanics.stress_amplification == pytest.approx(15.0)
    assert g20.at_solids(0.20) == g20


def test_impossible_solids_are_refused() -> None:
    with pytest.raises(ValueError, match="solids_fraction"):
        load_material("g20").at_solids(0.0)
