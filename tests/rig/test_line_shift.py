"""One short shift on the virtual line: film from the sensors' point of view and in truth, and what goes wrong on forks.

The shift begins with a line that runs and takes its roll map to the end; all other tests fork it where film is wound.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rig import cli_make
from rig.bench import Bench
from rig.cli import main
from rig.controller.line import LineController
from rig.controller.runner import Runner
from rig.products import load_product
from rig.products.definition import Soak
from rig.rolls import history_at, read_rolls
from rig.shift import Shift, ShiftPlan, run_shift, write_shift

FILM_M = 1.0
"""Film on the roll when the line is forked."""


@dataclass
class Made:
    """The shift, and the line as it stood in the middle of it."""

    shift: Shift
    bench: Bench
    controller: LineController


@pytest.fixture(scope="module")
def made() -> Iterator[Made]:
    """Nine minutes until the press's gate lets sheet pass, twenty to the winder, and twelve in the curing room."""
    standard = load_product("standard-25um")
    quick = standard.heat_treatment.model_copy(update={"crosslinking": (Soak(temperature_c=116.0, seconds=720.0),)})
    product = standard.model_copy(update={"heat_treatment": quick})
    plan = ShiftPlan(
        product, "emu://line?product=standard-25um&start=running", hours=0.5, roll_length_m=12.0, take_over=True
    )
    forks: list[tuple[Bench, LineController]] = []

    def fork(shift: Shift) -> None:
        if not forks and shift.film_m > FILM_M and shift.runner is not None:
            forks.append((shift.runner.bench.fork(), copy.deepcopy(shift.controller)))
            forks[0][1].length_m = 1000.0  # the shift is over soon, and its forks have time

    shift = run_shift(plan, fork)
    with forks[0][0] as bench:
        yield Made(shift, bench, forks[0][1])


@pytest.fixture
def line(made: Made) -> Iterator[Runner]:
    """A line of one's own that winds film."""
    with made.bench.fork(record=False) as bench:
        yield Runner(bench, copy.deepcopy(made.controller))


def controller(runner: Runner) -> LineController:
    assert isinstance(runner.controller, LineController)
    return runner.controller


def stations(runner: Runner) -> Any:
    found = runner.bench.virtual.world.line
    assert found is not None
    return found


def stands_still_and_cold(runner: Runner) -> bool:
    there = stations(runner)
    heats = (
        there.tail.stretcher.commands.heat,
        there.tail.desolvator.commands.heat,
        there.tail.heat_setter.commands.heat,
    )
    return not any((*heats, there.kneader.commands.run, there.caster.commands.run, there.tail.commands.run))


# -- the shift -------------------------------------------------------------------------------------------


def test_shift_ends_by_itself_with_every_roll_measured_and_released(made: Made) -> None:
    shift = made.shift
    assert shift.ending == ""
    assert shift.state == "idle"
    assert len(shift.rolls) >= 2
    assert {roll.grade for roll in shift.rolls} == {"released"}, [roll.reason for roll in shift.rolls]
    assert shift.rolls[0].length_m == pytest.approx(12.0, abs=1.0)


def test_laboratory_and_truth_agree_within_the_uncertainty(made: Made) -> None:
    rolls = made.shift.map
    assert rolls is not None
    for record in made.shift.rolls:
        assert record.sample is not None
        truth = rolls.pieces[rolls.pieces["piece"] == record.sample.serial][0]
        assert int(truth["roll"]) == record.number
        for name, value in record.sample.values.items():
            # k = 2, and a little for rounding on the wire
            assert value == pytest.approx(truth[name], abs=1.7 * record.sample.uncertainties[name] + 0.05), name


def test_every_piece_is_accounted_for_and_film_meets_the_claims_of_the_press(made: Made) -> None:
    rolls = made.shift.map
    assert rolls is not None
    pieces = np.sort(rolls.pieces["piece"])
    assert (np.diff(pieces) == 1).all()
    film = rolls.pieces[rolls.pieces["roll"] > 0]
    assert film["film_length_m"].sum() == pytest.approx(sum(roll.length_m for roll in made.shift.rolls), rel=0.03)
    assert film["r_percent"].max() < 20.0
    assert film["k_times_min"].min() > 5.0


def test_sheet_in_a_roll_is_known_to_its_end(made: Made) -> None:
    rolls = made.shift.map
    assert rolls is not None
    for number, followed in made.shift.controller.book.rolls.items():
        truly_m = rolls.pieces[rolls.pieces["roll"] == number]["sheet_length_m"].sum()
        for first_m, last_m in (followed.pressed_m, followed.cast_m):
            assert last_m - first_m == pytest.approx(truly_m, abs=1.0)


def test_files_of_the_shift_answer_what_happened(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page, data, _ = write_shift(made.shift, tmp_path)
    assert "Roll map" in page.read_text(encoding="utf-8")
    told = history_at(read_rolls(data), 2, 1.0).as_text()
    assert "roll 2 (released)" in told
    assert main(["trace", "2", "1.0", "--rolls", str(tmp_path)]) == 0
    assert capsys.readouterr().out.strip() == told.strip()
    for words, says in (
        (["1", "99"], "roll 1 has 12."),
        (["77", "1"], "there is no roll 77"),
        (["1"], "give a metre from 0"),
        (["--piece", "99999999"], "there is no piece 99999999"),
        ([], "name one place"),
    ):
        assert main(["trace", *words, "--rolls", str(tmp_path)]) == 2
        assert says in capsys.readouterr().err
    monkeypatch.chdir(tmp_path)
    assert main(["trace", "1", "1"]) == 2
    assert "press-rig make" in capsys.readouterr().err


def test_make_sums_the_shift_up_and_its_exit_code_says_whether_all_is_released(
    made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shift = copy.copy(made.shift)
    monkeypatch.setattr("rig.shift.run_shift", lambda plan, on_step: shift)
    words = ["make", "standard-25um", "--hours", "0.5", "--out", str(tmp_path)]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "roll 1" in out
    assert "yield: " in out
    assert (tmp_path / "shift.json").exists()
    shift.ending = "torn: the sheet has torn in the stretcher"
    assert main(words) == 1
    assert "ended early: torn" in capsys.readouterr().out
    shift.interrupted = True
    assert main(words) == cli_make.INTERRUPTED


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["nothing"], 2, "no product named 'nothing'"),
        (["standard-25um", "--press", "emu://"], 2, "give emu://line"),
        (["standard-25um", "--press", "/dev/ttyUSB0"], 2, "give emu://line"),
        (["standard-25um", "--out", "/proc/nowhere"], 2, "choose another folder"),
        (["not-crosslinkable"], 1, "CLM-6"),
    ],
)
def test_make_refuses_with_a_sentence(
    words: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["make", *words]) == code
    captured = capsys.readouterr()
    assert says in captured.out + captured.err


# -- on forks ---------------------------------------------------------------------------------------------


def test_hold_creeps_without_a_break_and_resume_makes_film_again(line: Runner) -> None:
    line.request("hold")
    line.run_for(200)
    assert line.state == "hold"
    assert stations(line).tail.state.speed_m_s == pytest.approx(0.3 / 60.0, rel=0.05)
    # the dancer of the store takes back what the haul-off was behind
    assert stations(line).state.caster.speed_m_s == pytest.approx(0.3 / 60.0, rel=0.15)
    line.request("resume")
    line.run_for(60)
    assert line.state == "produce"
    assert stations(line).tail.state.speed_m_s == pytest.approx(1.0 / 60.0, rel=0.05)
    assert not stations(line).state.store.broken
    assert not stations(line).state.tail.loop.broken


def test_whole_line_follows_a_change_of_speed_without_a_break(line: Runner) -> None:
    assert controller(line).change_speed(0.8) == ""
    line.run_for(90)
    for speed_m_s in (stations(line).state.caster.speed_m_s, stations(line).tail.state.speed_m_s):
        assert speed_m_s == pytest.approx(0.8 / 60.0, rel=0.03)
    thickness = stations(line).state.caster.cooling["thickness_m"]
    assert thickness == pytest.approx(3.0e-3, rel=0.03)
    assert line.state == "produce"


def test_sheet_that_tears_stops_the_line_and_leaves_it_safe_until_reset(line: Runner) -> None:
    stations(line).tail.stretcher.disturbances.strength_scale = 0.1
    line.run_for(40)
    assert line.state == "fault"
    assert controller(line).message == "torn: the sheet has torn in the stretcher"
    line.run_for(15)
    assert stands_still_and_cold(line)
    line.request("reset")
    line.run_for(20)
    assert line.state == "cure"
    assert stations(line).tail.winder.winding is None


def test_vapour_warning_slows_the_line_down_and_a_trip_stops_it(line: Runner) -> None:
    stations(line).tail.desolvator.disturbances.exhaust_scale = 0.28
    line.run_for(120)
    assert line.state == "produce"
    assert stations(line).tail.state.speed_m_s == pytest.approx(0.6 / 60.0, rel=0.05)
    assert "vapour" in controller(line).message
    stations(line).tail.desolvator.disturbances.exhaust_scale = 0.01
    line.run_for(90)
    assert line.state == "fault"
    assert controller(line).message.startswith("vapour_trip")
    line.request("reset")
    line.run_for(20)
    assert line.state == "fault"  # the vapour is still there
    stations(line).tail.desolvator.disturbances.exhaust_scale = 1.0
    line.run_for(60)
    line.request("reset")
    line.run_for(20)
    assert line.state == "cure"


def test_station_without_supply_is_a_fault_within_ten_seconds(line: Runner) -> None:
    line.bench.virtual.inject("brown_out", amount=30.0, unit=34)
    line.run_for(10)
    assert line.state == "fault"
    assert controller(line).message.startswith("stretcher_silent")


def test_emergency_stop_stops_press_and_stations(line: Runner) -> None:
    line.bench.virtual.push_emergency_stop()
    line.run_for(4)
    assert (line.state, controller(line).press.state) == ("emergency_stop", "emergency_stop")
    assert stands_still_and_cold(line)
    line.bench.virtual.release_emergency_stop()
    line.request("reset")
    line.run_for(20)
    assert line.state == "cure"


def test_abort_is_a_fault_of_line_and_press_at_once(line: Runner) -> None:
    line.request("abort")
    line.run_for(0.2)
    assert (line.state, controller(line).press.state) == ("fault", "fault")


def test_copy_of_line_and_controller_goes_on_alike(made: Made, line: Runner) -> None:
    with made.bench.fork() as bench:
        other = Runner(bench, copy.deepcopy(made.controller))
        for runner in (line, other):
            runner.run_for(20)
        assert line.inputs == other.inputs
        assert controller(line).outputs == controller(other).outputs


def test_stations_are_read_once_per_second_and_the_press_in_every_scan(line: Runner) -> None:
    line.run_for(10)
    now_ns = line.bench.clock.now_ns
    assert line.failed_polls == line.missed_deadlines == 0
    assert line.inputs.age_s("node_heartbeat", now_ns) < 0.15
    assert line.inputs.age_s("kneader_status_word", now_ns) < 2.2
    before = line.bench.health["winder"].requests
    line.run_for(10)
    # read ten times, and told again by turns
    assert 10 <= line.bench.health["winder"].requests - before <= 20
