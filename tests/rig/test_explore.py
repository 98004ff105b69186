"""`press-rig explore`: wrong words, the map as data, and what it shows."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from rig.cli import main
from rig.explore import OperatingMap, compute, draw_map, make_plan, parse_axis, read_map, sweep, write_map
from rig.explore.data import COLUMNS
from rig.recipe import COLD_LIMIT_C, RECOVERY_LIMIT_PERCENT, ROLLING_COEFFICIENT_LIMIT
from rig.virtual import Outcome

FILES = ("operating-window.csv", "operating-window.json", "operating-window.png")


def made_up(r: float = 10.0, k: float = 15.0, exit_c: float = 16.0, hot_c: float = 112.0, **changes: bool) -> Outcome:
    flags = {"pressure_released": False, "held": True} | changes
    return Outcome(r, k, exit_c, 0.5, 625.0, 690.0, 4.0, hot_c, hot_c, 0.01, 0.02, **flags)


def filled(*outcomes: Outcome) -> OperatingMap:
    """A map of 2 x 2 points, in order; fewer leave it incomplete."""
    plan = make_plan(parse_axis("hot_temperature_c=110:114:2"), parse_axis("speed_m_min=1:2:2"))
    result = OperatingMap.empty(plan)
    for index, outcome in enumerate(outcomes):
        result.put(index, outcome)
    return result


@pytest.fixture(scope="module")
def small() -> OperatingMap:
    """Computed for real, in this process."""
    plan = make_plan(parse_axis("hot_temperature_c=100:120:3"), parse_axis("speed_m_min=1:4:2"))
    return compute(plan, 1, lambda: None)


# --- words ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["speed_m_min"], "a map has two axes, 1 given"),
        (["speed_m_min", "clearance_um", "solids_percent"], "a map has two axes, 3 given"),
        (["speed_m_min", "speed_m_min=1:2:3"], "speed_m_min is given twice"),
        (["speed_m_min", "clearance_um", "--set", "speed_m_min=1"], "speed_m_min is given twice"),
        (["speed", "clearance_um"], "nothing to vary is called 'speed'; there are hot_temperature_c, speed_m_min"),
        (["speed_m_min=2:2:3", "clearance_um"], "begins and ends at 2"),
        (["speed_m_min=3:1:3", "clearance_um"], "runs backwards; write speed_m_min=1:3:3"),
        (["speed_m_min=1", "clearance_um"], "write speed_m_min=from:to:count"),
        (["speed_m_min=1:fast:3", "clearance_um"], "'fast' is not a number"),
        (["speed_m_min=1:nan:3", "clearance_um"], "not a finite number"),
        (["speed_m_min=1:3:1", "clearance_um"], "the count is '1'; it must be 2"),
        (["speed_m_min=1:3:1e9", "clearance_um"], "the count is '1e9'"),
        (["speed_m_min=0.1:3:3", "clearance_um"], "speed_m_min 0.1 cannot be set"),
        (["hot_temperature_c=100:200:3", "clearance_um"], "hot_temperature_c 200 cannot be set"),
        (["clearance_um=100:600:3", "speed_m_min"], "clearance_um 100"),
        (["clearance_um=3000:3100:3", "speed_m_min"], "would not grip"),
        (["roller_pitch_mm=30:40:3", "speed_m_min"], "roller_pitch_mm 30 does not leave room"),
        (["solids_percent=0:20:3", "speed_m_min"], "solids_percent 0 cannot be set"),
        (["--set", "clearance_um"], "--set clearance_um has no value"),
        (["--set", "colour=1"], "nothing to vary is called 'colour'"),
        (["--machine", "none"], "no machine is called 'none'"),
        (["--material", "none"], "no material is called 'none'"),
        (["--recipe", "soup"], "no recipe named 'soup'"),
        (["--out", "/dev/null/maps"], "/dev/null/maps cannot be made"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_input_is_told_in_one_sentence(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = [] if "--out" in words else ["--out", str(tmp_path / "maps")]
    assert main(["explore", *words, *out]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "maps").exists()


def test_a_name_alone_has_a_usual_range_with_round_values() -> None:
    for name in ("hot_temperature_c", "speed_m_min", "clearance_um", "roller_pitch_mm", "solids_percent"):
        values = parse_axis(name).values
        assert len(values) == 12
        assert all(float(f"{value:.4g}") == value for value in values)


def test_every_variable_changes_what_its_name_says() -> None:
    plan = make_plan(parse_axis("roller_pitch_mm=40:50:2"), parse_axis("solids_percent=25:30:2"), held=[])
    machine, recipe = plan.points[-1]
    assert machine.geometry.roller_pitch_mm == 50.0
    assert recipe.composition.solids_fraction == pytest.approx(0.30)
    assert recipe.composition.polyolefin_fraction == pytest.approx(0.27)
    plan = make_plan(parse_axis("clearance_um=600:700:2"), parse_axis("cold_temperature_c=15:20:2"))
    _, recipe = plan.points[1]
    assert (recipe.press.clearance_um, recipe.press.cold_temperature_c) == (700.0, 15.0)
    assert recipe.press.entry_clearance_um == plan.recipe.press.entry_clearance_um


# --- what comes out --------------------------------------------------------------------------


def test_recovery_falls_with_heat_and_rises_with_speed_and_k_the_other_way(small: OperatingMap) -> None:
    r, k = small.values["r_percent"], small.values["k_times_min"]
    for colder, hotter in pairwise(range(3)):
        assert np.all(r[:, colder] > r[:, hotter])
        assert np.all(k[:, colder] < k[:, hotter])
    assert np.all(r[0] < r[1])
    assert np.all(k[0] > k[1])
    assert np.all(small.values["exit_temperature_c"][0] < small.values["exit_temperature_c"][1])


def test_workers_compute_the_same_bits(small: OperatingMap) -> None:
    plan = make_plan(parse_axis("hot_temperature_c=100:110:2"), parse_axis("speed_m_min=1:4:2"))
    shared = compute(plan, 2, lambda: None)
    for name in COLUMNS:
        assert np.array_equal(shared.values[name], small.values[name][:, :2])


def test_all_claims_hold_exactly_within_the_limits_of_the_recipe() -> None:
    on_the_edge = made_up(RECOVERY_LIMIT_PERCENT, ROLLING_COEFFICIENT_LIMIT, COLD_LIMIT_C, 105.0)
    assert filled(on_the_edge).all_claims()[0, 0]
    for outside in (
        made_up(r=RECOVERY_LIMIT_PERCENT + 1e-6),
        made_up(k=ROLLING_COEFFICIENT_LIMIT - 1e-6),
        made_up(exit_c=COLD_LIMIT_C + 1e-6),
        made_up(hot_c=105.0 - 1e-6),
        made_up(hot_c=125.0 + 1e-6),
        made_up(pressure_released=True),
        made_up(r=np.nan),
    ):
        assert not filled(outside).all_claims()[0, 0]


# --- files -----------------------------------------------------------------------------------


def test_a_map_survives_its_files(tmp_path: Path) -> None:
    result = filled(made_up(), made_up(r=25.0, held=False), made_up(k=np.nan))
    write_map(result, tmp_path)
    again = read_map(tmp_path)
    assert (again.x, again.y, again.header) == (result.x, result.y, result.header)
    assert np.array_equal(again.computed, result.computed)
    for name in COLUMNS:
        assert np.array_equal(again.values[name], result.values[name], equal_nan=True)
    assert np.array_equal(again.all_claims(), result.all_claims())


def test_equal_maps_give_equal_bytes(tmp_path: Path, small: OperatingMap) -> None:
    for folder in ("one", "two"):
        write_map(small, tmp_path / folder)
        draw_map(small, tmp_path / folder)
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_header_says_what_was_computed(tmp_path: Path, small: OperatingMap) -> None:
    write_map(small, tmp_path)
    header = json.loads((tmp_path / FILES[1]).read_text(encoding="utf-8"))
    assert header["machine"]["name"] == header["recipe"]["name"] == "reference"
    assert header["material"]["name"] == "g20"
    assert header["points"] == {"computed": 6, "of": 6}
    assert header["limits"]["r_percent"] == RECOVERY_LIMIT_PERCENT
    assert "press-rig" in header["versions"]
    first = (tmp_path / FILES[0]).read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("hot_temperature_c,speed_m_min,r_percent,k_times_min,exit_temperature_c,peak_pressure_mpa")


@pytest.mark.parametrize("damage", ["", "{}", '{"format": 7}'])
def test_damaged_files_are_told(damage: str, tmp_path: Path, small: OperatingMap) -> None:
    from rig.errors import UsageError

    write_map(small, tmp_path)
    (tmp_path / FILES[1]).write_text(damage)
    with pytest.raises(UsageError):
        read_map(tmp_path)


@pytest.mark.parametrize("outcomes", [[], [made_up()], [made_up(r=np.nan)] * 4, [made_up()] * 4])
def test_a_map_with_holes_or_without_slope_can_be_drawn(outcomes: list[Outcome], tmp_path: Path) -> None:
    assert draw_map(filled(*outcomes), tmp_path).read_bytes().startswith(b"\x89PNG")


# --- Ctrl-C ------------------------------------------------------------------------------------


def test_ctrl_c_keeps_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter([made_up(), made_up()])

    def outcome(*_: object) -> Outcome:
        try:
            return next(answers)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(sweep, "outcome", outcome)
    words = ["hot_temperature_c=110:114:2", "speed_m_min=1:2:2", "--workers", "1", "--out", str(tmp_path)]
    assert main(["explore", *words]) == 130
    assert "2 of 4 points" in capsys.readouterr().out
    assert read_map(tmp_path).computed.sum() == 2
    assert (tmp_path / FILES[2]).exists()
