"""Pictures, profiles and the page that shows them; what they show is made up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import document, plots
from benchmarks.catalogue import BENCHMARKS
from benchmarks.long_run import Sample
from benchmarks.scaling import Cost, cost, variant
from emulator.config import load_machine


def test_pictures_come_with_their_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "long_run", lambda hours: iter([Sample(h / 6, 3000.0, 200.0) for h in range(1, 4)]))
    monkeypatch.setattr(
        plots,
        "costs",
        lambda: iter([Cost(20.0, n, p, 200 + p * (0.6 + 0.04 * n)) for n in (5, 11) for p in (100, 300)]),
    )
    assert plots.main(["--hours", "0.5", "--out", str(tmp_path / "new")]) == 0
    names = sorted(path.name for path in (tmp_path / "new").iterdir())
    assert names == [f"performance-{name}.{kind}" for name in ("cost", "long-run") for kind in ("csv", "png")]
    lines = (tmp_path / "new" / "performance-cost.csv").read_text().splitlines()
    assert lines[:2] == ["parcel_length_mm,layers,parcels,cpu_us_per_virtual_s", "20,5,100,280"]


@pytest.mark.parametrize("hours", ["0", "nan", "soon"])
def test_length_of_a_run_must_be_one(hours: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        plots.main(["--hours", hours])
    assert "it must be 0.5 … 1000 hours" in capsys.readouterr().err


def test_more_parcels_are_more_parcels() -> None:
    numerics = load_machine("reference").numerics  # whose kernels all tests share: others take half a minute to compile
    few, many = (
        cost(variant(length_mm, numerics.layer_count).model_copy(update={"numerics": numerics}))
        for length_mm in (80.0, 40.0)
    )
    assert many.parcels == pytest.approx(2 * few.parcels, abs=2)
    assert few.cpu_us_per_virtual_s > 0.0


def test_page_has_a_place_for_everything_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "performance.md"
    page.write_text(document.PAGE.read_text())
    monkeypatch.setattr(document, "PAGE", page)
    monkeypatch.chdir(tmp_path)
    assert document.main([]) == 2
    (tmp_path / "out" / "bench").mkdir(parents=True)
    Path("out/bench.json").write_text(json.dumps({"plant_x": {"median": 3210.0}, "fork_ms": {"median": 0.5}}))
    Path("out/bench/profile.json").write_text(
        json.dumps({"loop": {"reading": 30.0, "all": 31.0}, "press": {"sheet": 3.0, "belts": 1.0, "all": 4.0}})
    )
    assert document.main([]) == 0
    assert document.main([]) == 0
    text = page.read_text()
    assert f"| `plant_x` | 3,210 | ≥ 3,000 ✓ | virtual s/s | {BENCHMARKS['plant_x'].what} |" in text
    assert text.count("| sheet | 3 | 75 |") == 1
    assert "| **all** | 31 | |" in text
