"""Claims are judged on good sheet, from sensors and from the truth, and silence is never green."""

from dataclasses import replace
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig.requirements import (
    CLAIMS,
    NO_GOOD_SHEET,
    SHEET_CLAIMS,
    FilmTruth,
    SheetTracker,
    Stations,
    good_sheet,
    judge,
    truth_of_good_sheet,
)
from rig.requirements.run import SIGNAL_OF_TAG
from rig.trace import ChannelInfo, Samples
from tests.rig import made_up_run as run

FILM = run.film()
QUALITY = run.quality()


@pytest.fixture(scope="module")
def tags():
    return run.record().tags


def verdicts(quality, tags, truth):
    """On the claims about sheet; tests/rig/test_requirements_film.py has those about film."""
    judged = judge(quality, tags, melting_point_c=run.MELTING_POINT_C, truth=truth)
    return {verdict.requirement: verdict for verdict in judged if verdict.requirement in SHEET_CLAIMS}


def test_the_table_states_the_claims():
    assert list(CLAIMS) == [f"CLM-{number}" for number in range(1, 8)]
    assert CLAIMS["CLM-1"].limit_text == "≤ 20 %"
    assert CLAIMS["CLM-2"].limit_text == "≥ 5 times·min"
    assert CLAIMS["CLM-1"].margin(18.0) == 2.0
    assert CLAIMS["CLM-2"].margin(18.0) == 13.0


def test_a_good_run_passes_every_claim_and_sensors_agree_with_the_truth(tags):
    for verdict in verdicts(QUALITY, tags, FILM).values():
        assert verdict.passed, verdict
        assert verdict.agree, verdict
        assert verdict.status == "pass"
        assert verdict.margin > 0


def test_on_a_real_press_there_is_no_truth_and_nothing_to_agree_with(tags):
    for verdict in verdicts(QUALITY, tags, None).values():
        assert verdict.passed
        assert verdict.truth is None
        assert verdict.agree is None
        assert verdict.status == "pass"


def test_only_good_sheet_counts(tags):
    assert max(record.recovery_percent for record in QUALITY) > 20
    assert max(row.recovery_percent for row in FILM) > 20
    recovery = verdicts(QUALITY, tags, FILM)["CLM-1"]
    assert recovery.passed
    assert recovery.sensor.value == max(record.recovery_percent for record in QUALITY if record.good)
    everything = tuple(replace(record, good=True) for record in QUALITY)
    assert not verdicts(everything, tags, FILM)["CLM-1"].passed


@pytest.mark.parametrize("quality", [(), tuple(replace(record, good=False) for record in QUALITY)])
def test_no_good_sheet_is_never_green(quality, tags):
    for verdict in verdicts(quality, tags, FILM).values():
        assert verdict.passed is False
        assert NO_GOOD_SHEET in verdict.evidence


def test_without_a_quality_gate_the_truth_of_all_sheet_decides(tags):
    judged = verdicts(None, tags, FILM)
    assert judged["CLM-1"].passed is False
    assert judged["CLM-1"].sensor is None
    assert judged["CLM-4"].passed is True


def test_without_gate_and_truth_nothing_is_judged():
    for verdict in verdicts(None, None, None).values():
        assert verdict.passed is None
        assert verdict.status == "not judged"


@pytest.mark.parametrize(
    ("field", "claim"),
    [("recovery_percent", "CLM-1"), ("rolling_coefficient", "CLM-2"), ("cold_end_c", "CLM-5")],
)
@pytest.mark.parametrize("value", [nan, inf])
def test_what_is_not_a_number_fails(tags, field, claim, value):
    by_sensor = verdicts(run.quality(**{field: value}), tags, FILM)[claim]
    assert by_sensor.sensor.passed is False
    assert by_sensor.passed is False
    by_truth = verdicts(QUALITY, tags, run.film(**{field: value}))[claim]
    assert by_truth.truth.passed is False
    assert by_truth.passed is False


@pytest.mark.parametrize(
    ("sensors", "truth", "claim"),
    [
        ({"recovery_percent": 20.1}, {"recovery_percent": 20.1}, "CLM-1"),
        ({"rolling_coefficient": 4.9}, {"rolling_coefficient": 4.9}, "CLM-2"),
        ({"hot_min_c": 104.0}, {"hot_min_c": 104.5}, "CLM-5"),
        ({"hot_max_c": 126.0}, {"hot_max_c": 126.0}, "CLM-5"),
        ({"cold_end_c": 41.0}, {"cold_end_c": 40.5}, "CLM-5"),
    ],
)
def test_film_outside_the_limits_fails_and_both_sides_agree_on_it(tags, sensors, truth, claim):
    judged = verdicts(run.quality(**sensors), tags, run.film(**truth))
    if claim == "CLM-5":
        other = {"hot_min_c": 117.0, "hot_max_c": 118.5, "cold_end_c": 16.5}
        judged = verdicts(run.quality(**(other | sensors)), tags, run.film(**(other | truth)))
    assert judged[claim].passed is False
    assert judged[claim].status == "fail"
    assert judged[claim].agree is True
    assert judged[claim].margin < 0


def test_a_controller_that_fools_itself_does_not_pass(tags):
    recovery = verdicts(run.quality(recovery_percent=15.0), tags, run.film(recovery_percent=27.0))["CLM-1"]
    assert recovery.sensor.passed is True
    assert recovery.truth.passed is False
    assert recovery.passed is False
    assert recovery.agree is False
    assert recovery.margin == pytest.approx(-7.0)


def test_a_pass_beyond_the_stated_uncertainty_is_shown_as_disagreement(tags):
    recovery = verdicts(run.quality(recovery_percent=10.0), tags, run.film(recovery_percent=15.0))["CLM-1"]
    assert recovery.passed is True
    assert recovery.agree is False
    assert recovery.status == "disagree"


def test_a_margin_inside_the_uncertainty_is_said(tags):
    recovery = verdicts(run.quality(recovery_percent=19.5), tags, None)["CLM-1"]
    assert recovery.passed is True
    assert "smaller than the uncertainty" in recovery.evidence


@given(st.floats(0, 60), st.floats(0, 60), st.floats(0.01, 5))
def test_a_verdict_follows_its_rules(measured, true, uncertainty):
    judged = verdicts(
        run.quality(recovery_percent=measured, recovery_uncertainty_percent=uncertainty),
        Samples.empty(),
        run.film(recovery_percent=true),
    )["CLM-1"]
    assert judged.passed == (measured <= 20 and true <= 20)
    assert judged.agree == ((measured <= 20) == (true <= 20) and abs(measured - true) <= uncertainty)
    assert judged.margin == pytest.approx(20 - max(measured, true))


# ------------------------------------------------------------------ CLM-3, CLM-4


def test_belts_that_run_apart_fail_the_press_claim():
    def slow_lower_belt(time_s, values):
        if 800 < time_s < 860:
            values["belt_lower_speed_m_min"] *= 0.99

    press = verdicts(QUALITY, run.record(slow_lower_belt).tags, FILM)["CLM-3"]
    assert press.passed is False
    assert press.sensor.value == pytest.approx(1.0, abs=0.1)
    assert press.agree is False


def test_belts_may_run_apart_while_no_good_sheet_is_in_the_press():
    def slow_before_the_sheet(time_s, values):
        if time_s < 500:
            values["belt_lower_speed_m_min"] *= 0.9

    assert verdicts(QUALITY, run.record(slow_before_the_sheet).tags, FILM)["CLM-3"].passed


def test_a_roller_group_without_force_fails_the_press_claim():
    def no_entry_force(time_s, values):
        values["entry_left_line_force_kn"] = values["entry_right_line_force_kn"] = 0.0

    judged = verdicts(QUALITY, run.record(no_entry_force).tags, FILM)
    assert judged["CLM-3"].passed is False
    assert "entry" in judged["CLM-3"].evidence
    assert judged["CLM-4"].passed is True


def release(from_s, until_s, group):
    def change(time_s, values):
        if from_s <= time_s < until_s:
            values[f"{group}_left_line_force_kn"] = values[f"{group}_right_line_force_kn"] = 0.0

    return change


@pytest.mark.parametrize("group", ["taper_end", "cold"])
def test_a_moment_without_pressure_on_good_sheet_is_found(group):
    tags = run.record(release(900, 902, group)).tags
    unreleased = verdicts(QUALITY, tags, run.film(pressure_released_between=True))["CLM-4"]
    assert unreleased.passed is False
    assert unreleased.sensor.passed is False
    assert unreleased.agree is True
    assert group in unreleased.evidence


def test_a_release_under_scrap_does_not_count():
    # the tail, from 11 m on, is scrap: its good neighbour has left the cold group by 520 + (11 + 3.4) * 60 s
    tags = run.record(release(1400, 1402, "cold")).tags
    assert verdicts(QUALITY, tags, FILM)["CLM-4"].passed is True


def test_a_group_that_no_sheet_has_reached_yet_need_not_press():
    everything = tuple(replace(record, good=True, recovery_percent=15.0) for record in QUALITY)
    assert verdicts(everything, run.record().tags, None)["CLM-4"].passed is True


def test_a_recording_without_the_needed_tags_fails_with_the_reason(tags):
    judged = verdicts(QUALITY, Samples.empty(), None)
    assert judged["CLM-3"].passed is False
    assert "not recorded" in judged["CLM-3"].evidence
    keep = [index for index, channel in enumerate(tags.channels) if channel.name != "sheet_length_m"]
    partly = Samples(tuple(tags.channels[index] for index in keep), tags.time_ns, tags.values[:, keep])
    assert "where the sheet was" in verdicts(QUALITY, partly, None)["CLM-4"].evidence


def test_unknown_forces_are_not_forces():
    def lost(time_s, values):
        if 900 < time_s < 910:
            del values["cold_left_line_force_kn"]

    assert verdicts(QUALITY, run.record(lost).tags, None)["CLM-4"].passed is False


def test_standing_belts_with_sheet_inside_do_not_count_as_mismatch():
    def hold(time_s, values):
        if 900 < time_s < 930:
            values["belt_upper_speed_m_min"] = values["belt_lower_speed_m_min"] = 0.0

    assert verdicts(QUALITY, run.record(hold).tags, None)["CLM-3"].passed


def true_signals(tags, **changes):
    """The recorded belts and forces under the names that a virtual press has for them; `changes` by those names."""
    columns = [changes.get(signal, lambda values: values)(tags[tag]) for tag, signal in SIGNAL_OF_TAG.items()]
    channels = tuple(ChannelInfo(signal, "", "") for signal in SIGNAL_OF_TAG.values())
    return Samples(channels, tags.time_ns, np.column_stack(columns))


def test_true_belts_and_forces_are_judged_where_they_were_recorded(tags):
    judged = judge(QUALITY, tags, melting_point_c=135.0, truth=FILM, signals=true_signals(tags))
    for verdict in judged[2:4]:
        assert verdict.status == "pass"
        assert verdict.truth.value == pytest.approx(verdict.sensor.value)
        assert verdict.truth.uncertainty == 0.0


def test_sensors_that_hide_what_the_press_does_do_not_help(tags):
    apart = true_signals(tags, lower_belt_speed_m_min=lambda speed: 0.99 * speed)
    press = judge(QUALITY, tags, melting_point_c=135.0, truth=FILM, signals=apart)[2]
    assert press.sensor.passed
    assert press.truth.value == pytest.approx(1.0, abs=0.1)
    assert press.status == "fail"
    let_go = true_signals(tags, **{f"cold_{side}_line_force_kn": np.zeros_like for side in ("left", "right")})
    released = judge(QUALITY, tags, melting_point_c=135.0, truth=FILM, signals=let_go)[3]
    assert (released.sensor.passed, released.truth.passed, released.passed) == (True, False, False)


def test_every_roller_group_belongs_to_one_claim():
    for group, claim in (("entry", "CLM-3"), ("taper_end", "CLM-4"), ("cold", "CLM-4")):
        judged = verdicts(QUALITY, run.record(release(900, 902, group)).tags, FILM)
        assert [name for name, verdict in judged.items() if not verdict.passed] == [claim]


def test_belts_read_seldom_are_known_less_well(tags):
    seldom = Samples(tags.channels, tags.time_ns[::8], tags.values[::8])
    often, rarely = (verdicts(QUALITY, table, None)["CLM-3"].uncertainty for table in (tags, seldom))
    # the made-up run has 2 readings per second
    assert often == pytest.approx(0.05 * 5.0**0.5)
    assert rarely == pytest.approx(0.05 * 40.0**0.5)


# ------------------------------------------------------------------ whose sheet is where


def test_the_tracker_finds_sheet_under_a_station(tags):
    tracker = SheetTracker(tags, Stations())
    for position_m in (0.5, 2.0, 4.0):
        here = tags.time_s[tracker.present_at(position_m)]
        begin, end = (
            run.FEED_FROM_S + position_m / run.SPEED_M_S,
            run.FEED_UNTIL_S + position_m / run.SPEED_M_S,
        )
        assert begin < here[0] < begin + 12
        assert end - 12 < here[-1] < end


def test_the_tracker_finds_when_a_piece_was_where(tags):
    tracker = SheetTracker(tags, Stations())
    piece = [record for record in QUALITY if record.start_m == pytest.approx(5.0)]
    when = tags.time_s[tracker.pieces_between(piece, 1.69, 3.4)]
    assert when[0] == pytest.approx(run.FEED_FROM_S + (5.0 + 1.69) / run.SPEED_M_S, abs=2)
    assert when[-1] == pytest.approx(run.FEED_FROM_S + (5.1 + 3.4) / run.SPEED_M_S, abs=2)


@given(
    st.lists(st.tuples(st.floats(0, 50), st.floats(0.01, 2), st.booleans()), max_size=8),
    st.lists(st.floats(0, 60), max_size=30),
)
def test_parcels_of_good_sheet_are_those_that_begin_in_it(pieces, starts):
    records, edge = [], 0.0
    for gap, length, good in pieces:
        start = edge + gap * 0.1
        records.append(replace(QUALITY[0], start_m=start, length_m=length, good=good))
        edge = start + length
    rows = [replace(FILM[0], start_m=start) for start in starts]
    good = good_sheet(records)
    expected = [
        row
        for row in sorted(rows, key=lambda row: row.start_m)
        if any(piece.start_m <= row.start_m < piece.start_m + piece.length_m for piece in good)
    ]
    found: tuple[FilmTruth, ...] = truth_of_good_sheet(good, rows)
    assert list(found) == expected


def test_times_do_not_matter_to_the_film_claims(tags):
    shuffled = list(QUALITY)
    np.random.default_rng(3).shuffle(shuffled)
    assert verdicts(shuffled, tags, FILM) == verdicts(QUALITY, tags, FILM)


def test_violation_by_the_film_begins_when_the_first_bad_sheet_came_into_the_press(tags):
    bad = tuple(replace(record, recovery_percent=30.0) if record.start_m >= 3.0 else record for record in QUALITY)
    first = next(record for record in bad if record.good and record.start_m >= 3.0)
    entered_s = run.FEED_FROM_S + first.start_m / run.SPEED_M_S
    judged = verdicts(bad, tags, None)
    assert judged["CLM-1"].violated_s == pytest.approx(entered_s, abs=2.0)
    assert judged["CLM-2"].violated_s is None
    # where nothing tells where the sheet was, the record's own time has to do
    assert verdicts(bad, None, None)["CLM-1"].violated_s == first.time_ns * 1e-9
    hot = tuple(replace(row, hot_max_c=140.0, entered_s=7.0 + row.start_m) for row in FILM if row.start_m > 2.0)
    assert verdicts(None, None, hot)["CLM-5"].violated_s == pytest.approx(9.0, abs=0.1)


def test_violation_by_the_press_begins_at_the_first_bad_sample():
    def let_go(time_s, values):
        if 900.0 <= time_s < 920.0:
            values["cold_left_line_force_kn"] = values["cold_right_line_force_kn"] = 0.0
        if 700.0 <= time_s < 730.0:
            values["belt_upper_speed_m_min"] = 1.1

    judged = verdicts(QUALITY, run.record(let_go).tags, None)
    assert judged["CLM-4"].violated_s == pytest.approx(900.0, abs=1.5)
    assert 700.0 <= judged["CLM-3"].violated_s <= 710.0
    assert judged["CLM-1"].violated_s is None
