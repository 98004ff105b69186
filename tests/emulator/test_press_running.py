"""The whole press with sheet: balances, reproducibility, and what sensors could see."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from emulator.config import Machine, load_machine, load_material
from emulator.press import FILM_COLUMNS, Disturbances, OperatingPoint, Pass, Press, PressState, index, roll
from emulator.press.parcel import work
from emulator.press.release import laboratory_thickness
from emulator.press.start import run
from emulator.press.state import SHELF

REFERENCE = load_machine("reference")
G20 = load_material("g20")
POINT = OperatingPoint.at(115.0)
SECOND = 1_000_000_000
TICK = 10_000_000


@pytest.fixture(scope="module")
def running() -> Press:
    return Press.running(REFERENCE, G20, POINT)


@pytest.fixture
def press(running: Press) -> Press:
    """A press full of sheet, at a state of its own."""
    mine = Press(REFERENCE, G20, running.state.copy())
    mine.holding = copy.deepcopy(running.holding)
    return mine


def read(press: Press, name: str) -> float:
    return float(press.signals[index(name)])


def same(one: PressState, other: PressState) -> bool:
    return all(np.array_equal(a, b) for (_, a), (_, b) in zip(one.arrays(), other.arrays(), strict=True))


# --- outcome ----------------------------------------------------------------------


def test_reference_case_meets_the_claims(running: Press) -> None:
    film = running.last_film()
    assert film["r_percent"] == pytest.approx(7.5, abs=0.3)
    assert film["k_times_min"] == pytest.approx(18.2, abs=0.2)
    assert film["time_under_pressure_s"] == pytest.approx(241.0, abs=2.0)
    assert film["exit_mean_temperature_k"] < 313.15
    assert 113.0 < film["hot_plate_min_k"] - 273.15 <= film["hot_plate_max_k"] - 273.15 < 116.0
    assert film["pressure_gap_s"] == 0.0
    assert film["cold_end_belt_k"] == pytest.approx(288.2, abs=0.3)


def test_full_press_agrees_with_one_parcel_between_the_same_belts(running: Press) -> None:
    """The film's outcome again from belt temperatures read off the running press."""
    count = int(running.state.progress.ring[1])
    slots = (int(running.state.progress.ring[0]) + np.arange(count)) % running.state.sheet.x.size
    slots = slots[running.state.sheet.released[slots] == 0][::-1]
    x, T = running.state.sheet.x[slots], running.state.sheet.belt_seen[slots]
    truth = roll(REFERENCE, G20, Pass(x, T)).truth
    film = running.last_film()
    assert film["r_percent"] == pytest.approx(truth["r_percent"], abs=0.1)
    assert film["k_times_min"] == pytest.approx(truth["k_times_min"], rel=2e-3)
    assert film["exit_mean_temperature_k"] == pytest.approx(truth["exit_mean_temperature_k"], abs=0.5)
    assert film["max_pressure_pa"] == pytest.approx(truth["max_pressure_pa"], rel=0.02)


def test_steady_film_is_uniform(running: Press) -> None:
    r = running.film()[1][-50:, FILM_COLUMNS.index("r_percent")]
    assert np.ptp(r) < 0.02


def test_at_8_m_min_the_sheet_leaves_above_40_degrees() -> None:
    film = Press.running(REFERENCE, G20, OperatingPoint.at(115.0, 15.0, 8.0)).last_film()
    assert film["exit_mean_temperature_k"] > 313.15
    assert film["r_percent"] > 20.0
    assert film["k_times_min"] < 5.0


# --- balances -------------------------------------------------------------------------


def test_energy_closes_through_running_stopping_and_running_out(press: Press) -> None:
    stored, before = press.stored_energy_j(), press.ledger()
    run(press, POINT, 60.0)
    commands = press.holding
    commands.brake = True
    press.advance(30 * SECOND, commands)
    commands.brake = False
    commands.dump, commands.feed = True, False
    press.advance(120 * SECOND, commands)
    flows = {name: value - before[name] for name, value in press.ledger().items()}
    inputs = flows.pop("plate_heaters_j") + flows.pop("drum_heaters_j") + flows.pop("feed_j")
    turnover = abs(inputs) + sum(abs(loss) for loss in flows.values())
    assert turnover > 1e6
    assert abs(press.stored_energy_j() - stored - inputs + sum(flows.values())) < 1e-9 * turnover


def test_mass_in_is_mass_out_and_mass_inside(press: Press) -> None:
    sheet, ring = press.state.sheet, press.state.progress.ring

    def inside() -> float:
        return float(sheet.mass[(ring[0] + np.arange(ring[1])) % sheet.x.size].sum())

    start = inside()
    run(press, POINT, 120.0)
    mass_in, mass_out = press.state.record.mass
    assert mass_in > 0.0
    assert mass_in - mass_out == pytest.approx(inside() - start, rel=1e-12, abs=1e-12)


def test_mass_flow_is_the_same_everywhere(running: Press) -> None:
    """rho h W v: parcels keep their mass, and follow each other a parcel length apart."""
    ring, sheet = running.state.progress.ring, running.state.sheet
    slots = (ring[0] + np.arange(ring[1])) % sheet.x.size
    assert np.ptp(sheet.mass[slots]) < 1e-12 * sheet.mass[slots[0]]
    assert -np.diff(sheet.x[slots]) == pytest.approx(0.02, abs=1e-9)
    assert np.all(np.diff(sheet.serial[slots]) == 1)


def test_upper_and_lower_stay_symmetric(running: Press) -> None:
    sheet, ring = running.state.sheet, running.state.progress.ring
    H = sheet.H[(ring[0] + np.arange(ring[1])) % sheet.x.size]
    assert np.abs(H - H[:, ::-1]).max() < 2e-3  # J/kg: 1e-6 K
    assert np.abs(running.state.belt_T[0] - running.state.belt_T[1]).max() < 1e-6


# --- reproducibility --------------------------------------------------------------------


def test_result_does_not_depend_on_how_time_is_sliced(press: Press) -> None:
    other = Press(REFERENCE, G20, press.state.copy())
    third = Press(REFERENCE, G20, press.state.copy())
    press.advance(3 * SECOND, press.holding)
    for _ in range(60):
        other.advance(50_000_000, press.holding)
    for ticks in (1, 2, 3, 294):
        third.advance(ticks * TICK, press.holding)
    assert same(press.state, other.state)
    assert same(press.state, third.state)
    assert np.array_equal(press.signals, other.signals)


def test_a_restored_press_goes_on_bit_for_bit(press: Press) -> None:
    press.advance(1_230_000_000, press.holding)
    snapshot = press.state.copy()
    pickled = pickle.loads(pickle.dumps(press.state))
    arrays = {name: array.copy() for name, array in press.state.arrays()}
    press.advance(2 * SECOND, press.holding)
    expected = press.state.copy()
    for state in (snapshot.copy(), copy.deepcopy(snapshot), pickled):
        resumed = Press(REFERENCE, G20, state)
        resumed.advance(2 * SECOND, press.holding)
        assert same(resumed.state, expected)
    press.restore(snapshot)
    press.advance(2 * SECOND, press.holding)
    assert same(press.state, expected)
    blank = Press.cold(REFERENCE, G20)
    blank.state.assign_arrays(arrays)
    blank.advance(2 * SECOND, press.holding)
    assert same(blank.state, expected)


def test_a_snapshot_shares_nothing(press: Press) -> None:
    snapshot = press.state.copy()
    press.advance(2 * SECOND, press.holding)
    assert not same(snapshot, press.state)


def test_state_is_plain_numbers_and_refuses_another_machine(press: Press) -> None:
    assert {array.dtype for _, array in press.state.arrays()} == {np.dtype(np.float64), np.dtype(np.int64)}
    table = REFERENCE.model_dump()
    table["geometry"]["heat_zone_length_mm"] = 900.0
    longer = Press.cold(Machine.model_validate(table), G20)
    with pytest.raises(ValueError, match="another machine: parcels has shape"):
        longer.restore(press.state)


# --- what sensors could see --------------------------------------------------------------


def test_gauges_see_the_sheet_recover(running: Press) -> None:
    film = running.last_film()
    exit_gauge = read(running, "exit_sheet_thickness_m")
    recovered = read(running, "recovered_sheet_thickness_m")
    assert film["exit_thickness_m"] < exit_gauge < recovered < film["t_600_m"]
    assert read(running, "exit_sheet_present") == read(running, "recovered_sheet_present") == 1.0
    measured, r = int(running.state.record.measured[0]), FILM_COLUMNS.index("r_percent")
    ids, rows = running.film()
    assert read(running, "last_r_percent") == rows[len(ids) - running.state.waiting - 1, r]
    assert measured > 0


@pytest.mark.parametrize("faster_to_m_min", [1.0, 5.0])
def test_truth_of_the_film_is_there_at_once_and_asking_for_it_changes_nothing(
    press: Press, faster_to_m_min: float
) -> None:
    """Samples wait for each other, also for those of layered sheet, but what is told of them meanwhile is final."""
    unasked = Press(REFERENCE, G20, press.state.copy())
    press.holding.speed_setpoint_m_s[:] = faster_to_m_min / 60.0
    before = int(press.state.record.film_count[0])
    early: dict[int, list[float]] = {}
    for _ in range(25):
        press.advance(SECOND, press.holding)
        ids, film = press.film(before)
        for serial, row in zip(ids[:, 0].tolist(), film.tolist(), strict=True):
            assert early.setdefault(serial, row) == row
    unasked.advance(25 * SECOND, press.holding)
    assert same(press.state, unasked.state)
    assert len(early) == int(press.state.record.film_count[0]) - before > 16


def test_a_sample_recovers_the_same_alone_and_in_company(press: Press) -> None:
    column = FILM_COLUMNS.index("t_600_m")
    for _ in range(10):
        press.advance(SECOND, press.holding)
        _, film = press.film()
        parcels, strains = press.state.memory[:2]
        for place in range(press.state.waiting):
            c, m = press.machine_constants, press.material_constants
            alone = laboratory_thickness(parcels, strains, place - SHELF + len(parcels), 0.0, 600.0, c, m, work(11)[0])
            assert alone == film[len(film) - press.state.waiting + place, column]


def test_laboratory_sample_taken_from_the_table_reads_what_was_foretold_at_the_exit(running: Press) -> None:
    ids, film = running.film()
    foretold = dict(zip(ids[:, 0].tolist(), film[:, FILM_COLUMNS.index("t_600_m")].tolist(), strict=True))
    (parcels, strains), sheet = running.state.memory[:2], running.state.sheet
    ring = running.state.progress.ring
    for place in (0, 100, 250, int(ring[2]) - 5):
        slot = int((ring[0] + place) % sheet.x.size)
        age = 1e-9 * float(sheet.updated_ns[slot] - sheet.exit_ns[slot])
        c, m = running.machine_constants, running.material_constants
        t_600 = laboratory_thickness(parcels, strains, slot, age, 600.0, c, m, work(11)[0])
        assert t_600 == pytest.approx(foretold[int(sheet.serial[slot])], abs=3e-8)


def test_line_force_is_the_pressure_over_the_area_and_drives_carry_it(running: Press) -> None:
    groups = [
        read(running, f"{g}_{side}_line_force_n") for g in ("entry", "heat", "cold") for side in ("left", "right")
    ]
    assert groups[0] == pytest.approx(groups[1])
    total = sum(groups)
    expected = 3e-3 * total * 0.4 + 40.0
    assert read(running, "upper_drive_torque_nm") == pytest.approx(expected, rel=0.1)
    assert read(running, "sheet_pressure_mean_pa") < read(running, "sheet_pressure_peak_pa") < 0.4e6


def test_a_wedge_loads_the_narrow_side(press: Press) -> None:
    press.holding.clearance_setpoint_m[4:] += (-30e-6, 30e-6)
    press.advance(5 * SECOND, press.holding)
    assert read(press, "cold_left_line_force_n") > 1.5 * read(press, "cold_right_line_force_n")
    assert read(press, "heat_left_line_force_n") == pytest.approx(read(press, "heat_right_line_force_n"), rel=1e-6)


def test_the_tail_runs_through_when_the_feed_stops(press: Press) -> None:
    fed = int(press.state.progress.ring[3])
    press.holding.feed = False
    press.advance(260 * SECOND, press.holding)
    assert read(press, "feed_active") == read(press, "parcels_in_press") == 0.0
    assert read(press, "sheet_pressure_peak_pa") == read(press, "heat_left_line_force_n") == 0.0
    assert int(press.state.progress.ring[3]) == fed
    assert read(press, "released_count") == fed
    press.advance(360 * SECOND, press.holding)
    assert read(press, "parcels_on_table") == read(press, "exit_sheet_present") == 0.0


def test_nothing_is_fed_into_an_open_or_standing_press(press: Press) -> None:
    fed = int(press.state.progress.ring[3])
    press.holding.brake = True
    press.advance(10 * SECOND, press.holding)
    standing = int(press.state.progress.ring[3])
    assert standing <= fed + 1
    press.holding.brake, press.holding.dump = False, True
    press.advance(10 * SECOND, press.holding)
    assert int(press.state.progress.ring[3]) <= standing + 1


def test_dump_releases_the_sheet_hot_and_it_recovers_in_the_press(press: Press) -> None:
    before = read(press, "smallest_sheet_thickness_m")
    press.holding.dump = True
    press.advance(30 * SECOND, press.holding)
    assert read(press, "sheet_pressure_peak_pa") == 0.0
    assert read(press, "smallest_sheet_thickness_m") > before
    slots = (press.state.progress.ring[0] + np.arange(press.state.progress.ring[1])) % press.state.sheet.x.size
    assert np.all(press.state.sheet.p[slots] == 0.0)
    press.advance(60 * SECOND, press.holding)
    film = press.last_film()
    assert film["r_percent"] > 15.0
    assert film["time_under_pressure_s"] < 230.0


def test_a_line_stop_heats_through_and_marks_the_film(press: Press) -> None:
    press.holding.brake = True
    press.advance(60 * SECOND, press.holding)
    press.holding.brake = False
    press.advance(260 * SECOND, press.holding)
    _, film = press.film()
    held = film[:, FILM_COLUMNS.index("time_under_pressure_s")] > 290.0
    assert 150 < held.sum() < 215
    assert np.ptp(film[held, FILM_COLUMNS.index("t_600_m")]) > 10.0 * np.ptp(film[:100, FILM_COLUMNS.index("t_600_m")])


def test_lost_tension_widens_the_spans(press: Press) -> None:
    slack = Disturbances()
    slack.tension_scale[:] = 0.0
    before = press.last_film()["r_percent"]
    press.advance(300 * SECOND, press.holding, slack)
    assert press.last_film()["r_percent"] > before + 0.1


def test_thicker_feed_arrives_as_thicker_parcels(press: Press) -> None:
    press.advance(20 * SECOND, press.holding, Disturbances(feed_thickness_scale=1.1))
    assert read(press, "entry_sheet_thickness_m") == pytest.approx(3.3e-3)


def test_times_of_sheet_from_before_the_start_are_negative_and_consistent(running: Press) -> None:
    ids, _ = running.film()
    assert running.time_ns == 0
    assert np.all(ids[-10:, 2] <= 0)
    through = 1e-9 * (ids[-10:, 2] - ids[-10:, 1])
    assert through == pytest.approx(4.15 * 60.0, rel=1e-3)


def test_sheet_that_keeps_its_width_is_drawn_in_slowly_and_stays_longer() -> None:
    """Volume balance with beta 0: v h is the same everywhere, v_in = v_b h_exit/h0."""
    table = REFERENCE.model_dump()
    table["sheet"] |= {"spread_fraction": 0.0, "feed_width_mm": 550.0}
    plane = Press.warm(Machine.model_validate(table), G20, POINT)
    run(plane, POINT, 700.0)
    sheet, ring = plane.state.sheet, plane.state.progress.ring
    slots = ((ring[0] + np.arange(ring[1])) % sheet.x.size)[int(ring[2]) :]
    pressed = slots[sheet.p[slots] > 0.0]
    spacing = -np.diff(sheet.x[pressed])
    flow = spacing * 0.5 * (sheet.h[pressed][1:] + sheet.h[pressed][:-1])
    assert flow == pytest.approx(flow.mean(), rel=0.1)
    film = plane.last_film()
    assert film["time_under_pressure_s"] > 1.3 * 241.0
