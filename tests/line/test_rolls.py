"""Roll maps of the virtual line: what is written is read again, every metre is traced, what cannot be is told."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from emulator.line.sheet import Scrap
from rig.products import FILM_PROPERTIES
from rig.report.roll_map import write_roll_map
from rig.rolls import (
    COLUMNS,
    SCRAP_REASONS,
    Lot,
    Roll,
    RollMap,
    RollsError,
    history_at,
    history_of,
    read_rolls,
    write_rolls,
)
from tests.line.made_rolls import made_rolls

REASONS = list(SCRAP_REASONS)


def test_every_scrap_reason_of_the_line_has_its_place_in_the_table() -> None:
    assert [reason.name.lower() for reason in Scrap][1:] == REASONS[1 : len(Scrap)]


def test_columns_say_their_unit_and_hold_it() -> None:
    units = {column.name: column.unit for column in COLUMNS}
    assert units["film_m"] == "m"
    assert units["r_percent"] == "%"
    assert units["k_times_min"] == "times·min"
    assert units["pressure_mpa"] == "MPa"
    assert units["end_ns"] == "ns"
    assert all(units[name] == kind.unit for name, kind in FILM_PROPERTIES.items())


def test_film_lies_on_rolls_without_gaps_and_all_else_is_scrap() -> None:
    rolls = made_rolls()
    rolls.check()
    assert len(rolls.rolls) > 5
    film = rolls.pieces["scrap"] == 0
    assert (rolls.pieces["roll"][film] > 0).all()
    assert (rolls.pieces["roll"][~film] == 0).all()
    assert {REASONS[i] for i in np.unique(rolls.scrapped["scrap"])} == {"torn", "threading"}
    assert sum(rolls.length_m(roll.number) for roll in rolls.rolls) == pytest.approx(
        rolls.pieces["film_length_m"][film].sum()
    )


def test_a_metre_of_film_leads_back_to_its_metre_of_sheet() -> None:
    rolls = made_rolls()
    piece = history_at(rolls, 2, 3.3).piece
    assert piece["film_m"] <= 3.3 < piece["film_m"] + piece["film_length_m"]
    # 3.5 times drawn: 0.1 m of sheet is 0.35 m of film, and the sheet before it is the film before it
    assert piece["film_length_m"] == pytest.approx(piece["sheet_length_m"] * piece["ratio_md"], rel=1e-6)
    first = history_at(rolls, 2, 0.0).piece
    assert (piece["film_m"] - first["film_m"]) / 3.5 == pytest.approx(piece["sheet_m"] - first["sheet_m"], rel=1e-6)
    times = [
        int(piece[name]) for name in ("die_ns", "press_in_ns", "press_out_ns", "oven_ns", "bath_ns", "set_ns", "end_ns")
    ]
    assert times == sorted(times)


def test_last_metre_belongs_to_the_last_piece() -> None:
    rolls = made_rolls()
    end_m = rolls.length_m(1)
    assert history_at(rolls, 1, end_m).piece["piece"] == rolls.wound(1)["piece"][-1]


def test_history_tells_stations_in_order_lot_and_targets_that_are_missed() -> None:
    text = history_at(made_rolls(), 2, 3.3).as_text()
    order = [
        "roll 2 (not judged)",
        "lot 1",
        "\n  kneading",
        "\n  casting",
        "\n  press",
        "\n  stretching",
        "\n  desolvation",
        "\n  heat treatment",
        "\n  film\n",
    ]
    places = [text.index(word) for word in order]
    assert places == sorted(places)
    assert "Elastic recovery" in text
    assert "nan" not in text
    told = history_at(made_rolls(), 2, 3.3).as_json()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    missed = [name for name, off in told["missed"].items() if off]
    assert text.count("misses its target by") == len(missed)


def test_scrap_says_why_and_nothing_of_stations_that_it_never_came_to() -> None:
    rolls = made_rolls()
    threading = rolls.scrapped[rolls.scrapped["scrap"] == REASONS.index("threading")]
    text = history_of(rolls, int(threading["piece"][-1])).as_text()
    assert "scrap at" in text
    assert SCRAP_REASONS["threading"] in text
    for never in ("nan", "-273", "heat treatment", "\n  film", "desolvation"):
        assert never not in text
    assert np.isnan(threading["thickness_um"]).all()


def test_map_is_read_as_it_was_written_and_bytes_are_equal(tmp_path: Path) -> None:
    rolls = made_rolls()
    first, second = (write_rolls(rolls, tmp_path / f"{name}.rolls.npz") for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    again = read_rolls(first)
    assert again.pieces.tobytes() == rolls.pieces.tobytes()
    assert (again.product, again.rolls, again.lots, again.source) == (
        rolls.product,
        rolls.rolls,
        rolls.lots,
        rolls.source,
    )
    with np.load(first) as archive:  # without us
        assert archive["pieces"]["film_m"] == pytest.approx(rolls.pieces["film_m"], nan_ok=True)


def with_pieces(change: Callable[[np.ndarray], None]) -> RollMap:
    pieces = made_rolls().pieces.copy()
    change(pieces)
    return replace(made_rolls(), pieces=pieces)


def twice(pieces: np.ndarray) -> None:
    pieces["piece"][5] = pieces["piece"][4]


def moved(pieces: np.ndarray) -> None:
    pieces["film_m"][6] += 0.2


def strange_lot(pieces: np.ndarray) -> None:
    pieces["lot"][3] = 9


@pytest.mark.parametrize(
    ("rolls", "message"),
    [
        (lambda: with_pieces(twice), r"piece \d+ is there twice"),
        (lambda: with_pieces(moved), r"roll 1 has a hole or an overlap at \d\.\d+ m of film"),
        (lambda: with_pieces(strange_lot), r"piece \d+: lot is 9, which is not one of the lots of this map"),
        (lambda: replace(made_rolls(), rolls=made_rolls().rolls[1:]), "roll is 1, which is not one of the rolls"),
        (lambda: replace(made_rolls(), rolls=(*made_rolls().rolls, Roll(99, 0, 0))), "roll 99 has no film"),
        (lambda: replace(made_rolls(), rolls=(Roll(1, 0, 0, "x"), *made_rolls().rolls[1:])), "roll 1 is 'x'; it can"),
    ],
)  # fmt: skip
def test_maps_that_contradict_themselves_are_not_written(
    rolls: Callable[[], RollMap], message: str, tmp_path: Path
) -> None:
    with pytest.raises(RollsError, match=message):
        write_rolls(rolls(), tmp_path / "x.rolls.npz")
    assert not (tmp_path / "x.rolls.npz").exists()


def rewritten(path: Path, **members: bytes) -> Path:
    """The file with other contents of some members; empty ones are left out."""
    with zipfile.ZipFile(write_rolls(made_rolls(), path)) as archive:
        whole = {name: archive.read(name) for name in archive.namelist()}
    whole |= {name.replace("_", "."): data for name, data in members.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in whole.items():
            if data:
                archive.writestr(name, data)
    return path


def header(path: Path, **changes: object) -> bytes:
    with zipfile.ZipFile(write_rolls(made_rolls(), path)) as archive:
        return json.dumps(json.loads(archive.read("header.json")) | changes).encode()


def test_files_that_are_no_roll_map_are_told_with_path_and_reason(tmp_path: Path) -> None:
    path = tmp_path / "x.rolls.npz"
    for bad, message in (
        (tmp_path / "none.rolls.npz", "cannot be read: No such file"),
        (Path("pyproject.toml"), "is not a roll map (File is not a zip file)"),
        (rewritten(path, header_json=b""), "is not a roll map"),
    ):
        with pytest.raises(RollsError) as told:
            read_rolls(bad)
        assert str(bad) in str(told.value)
        assert message in str(told.value)
    for changes, message in (
        ({"format": 7}, "has format 7, this rig reads 1"),
        ({"rolls": [{"number": 1}]}, "is not a roll map"),
        ({"lots": []}, "which is not one of the lots"),
        ({"scrap_reasons": ["none", "moths", *REASONS]}, "scrap for the reason 'moths', which this rig does not know"),
    ):
        with pytest.raises(RollsError) as told:
            read_rolls(rewritten(path, header_json=header(path, **changes)))
        assert str(path) in str(told.value)
        assert message in str(told.value)


def test_what_is_not_on_the_map_is_told_with_what_is() -> None:
    rolls = made_rolls()
    last = rolls.rolls[-1].number
    for ask, message in (
        (lambda: history_at(rolls, 99, 1.0), f"there is no roll 99; there are 1 … {last}"),
        (lambda: history_at(rolls, 1, 1e4), "give a metre from 0 to 8.05, not 10000"),
        (lambda: history_at(rolls, 1, float("nan")), "not nan"),
        (lambda: history_of(rolls, 10**9), "there is no piece 1000000000 in this map"),
        (lambda: replace(rolls, lots=(Lot(2, 0, ""),)).lot(1), "there is no lot 1; there is 2"),
    ):
        with pytest.raises(RollsError) as told:
            ask()
        assert message in str(told.value)


def test_page_shows_scrap_with_reasons_and_every_roll(tmp_path: Path) -> None:
    rolls = made_rolls()
    page = write_roll_map(rolls, tmp_path / "rolls.html").read_text(encoding="utf-8")
    for roll in rolls.rolls:
        assert f'id="roll-{roll.number}"' in page
    scrapped_m = rolls.scrapped["sheet_length_m"][rolls.scrapped["scrap"] == REASONS.index("threading")].sum()
    assert f"{scrapped_m:.1f} m</span> of sheet: {SCRAP_REASONS['threading']}" in page
    assert page.count("<svg ") == 2
    assert "http://" not in page.replace("http://www.w3.org", "")
    empty = replace(rolls, rolls=(), pieces=rolls.pieces[:0])
    assert "0.0 m of film on 0 rolls" in write_roll_map(empty, tmp_path / "none.html").read_text(encoding="utf-8")
