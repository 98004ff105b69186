"""The parts of the line controller that need no line: set points, lots, rolls, the gate, the watch."""

from __future__ import annotations

import math
from typing import Any

import pytest

from rig.controller import make_line_controller
from rig.controller.api import FilmSample, Inputs, QualityRecord, Value
from rig.controller.line import LineState, load_line_facts
from rig.controller.line.gate import PressPart, judge, press_part
from rig.controller.line.lots import LotBook
from rig.controller.line.names import LABORATORY, STATIONS, STATUS
from rig.controller.line.rolls import RollBook
from rig.controller.line.setpoints import Web, commands, cure, oven_zones_c, settings
from rig.controller.line.watch import StationWatch
from rig.errors import UsageError
from rig.products import load_product
from rig.products.definition import Soak
from rig.protocol.registers_file import default_registers

SECOND = 1_000_000_000
STANDARD = load_product("standard-25um")
REGISTERS = default_registers("line")
GOOD = {
    "thickness_um": 25.0,
    "porosity_percent": 45.0,
    "gurley_s": 400.0,
    "puncture_n": 5.0,
    "shrinkage_105c_percent": 0.6,
    "shutdown_c": 135.5,
    "meltdown_c": 190.0,
}
"""Film in the middle of its targets."""


def sample(**changed: float) -> FilmSample:
    values = GOOD | changed
    instruments = load_line_facts().laboratory
    return FilmSample(7, 0, values, {name: instruments[name].uncertainty(value) for name, value in values.items()})


def record(start_m: float, reason: str = "") -> QualityRecord:
    numbers = dict.fromkeys(
        set(QualityRecord.__slots__) - {"start_m", "length_m", "time_ns", "good", "reason"}, math.nan
    )
    made: dict[str, Any] = {**numbers, "start_m": start_m, "length_m": 0.1, "time_ns": 0, "good": not reason}
    return QualityRecord(**made, reason=reason)


# -- set points ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(LineState))
def test_every_set_point_of_every_state_is_a_tag_within_its_limits(state: LineState) -> None:
    told = {**settings(STANDARD, 0.0), **commands(STANDARD, state, Web(1.0, 1.0, 1.0, tail_runs=True))}
    for name, value in told.items():
        tag = REGISTERS[name]
        assert tag.writable
        tag.check(value)


def test_feeders_deliver_what_the_sheet_takes_at_the_speed_of_the_haul_off() -> None:
    full = commands(STANDARD, LineState.PRODUCE, Web(1.0, 1.0, 1.0))
    slow = commands(STANDARD, LineState.PRODUCE, Web(0.3, 0.3, 0.3))
    assert full["kneader_solvent_setpoint_kg_h"] == pytest.approx(STANDARD.feeds_kg_h["solvent"], rel=1e-3)
    assert slow["kneader_solvent_setpoint_kg_h"] == pytest.approx(0.3 * STANDARD.feeds_kg_h["solvent"], rel=1e-3)


@pytest.mark.parametrize("state", [LineState.IDLE, LineState.CURE, LineState.FAULT, LineState.EMERGENCY_STOP])
def test_where_nothing_is_made_all_that_has_a_safe_value_has_it(state: LineState) -> None:
    told = commands(STANDARD, state, Web(1.0, 1.0, 1.0, thread_store=True, tail_runs=True))
    for name, value in told.items():
        safe = REGISTERS[name].safe_value
        assert safe is None or value == safe, name


def test_soaks_of_the_preheating_are_spread_over_the_zones_by_their_times() -> None:
    soaks = (Soak(temperature_c=100.0, seconds=20.0), Soak(temperature_c=118.0, seconds=40.0))
    stretching = STANDARD.stretching.model_copy(update={"preheat": soaks})
    assert oven_zones_c(STANDARD.model_copy(update={"stretching": stretching})) == (100.0, 118.0, 118.0)


def test_several_soaks_of_the_curing_become_the_hottest_for_all_their_time() -> None:
    assert cure(load_product("heat-resistant")) == (116.0, 28800)
    without = STANDARD.model_copy(
        update={"heat_treatment": STANDARD.heat_treatment.model_copy(update={"crosslinking": ()})}
    )
    assert cure(without)[1] == 0
    assert settings(without, 0.0)["winder_heat"] is False


# -- the gate ------------------------------------------------------------------------------------------

SOUND = PressPart(1000, 3, "noise of a gauge")


def test_roll_in_the_middle_of_its_targets_is_released() -> None:
    assert judge(STANDARD, SOUND, sample()) == ("released", "")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"thickness_um": 26.8}, "Thickness 26.8 µm ± 0.5 µm is not surely 25 ± 2"),
        ({"meltdown_c": 165.5}, "Meltdown 165.5 °C ± 1.0 °C is not surely ≥ 165"),
        ({"shrinkage_105c_percent": 2.9}, "Shrinkage"),
        ({"gurley_s": math.inf}, "Air permeability"),
        ({"porosity_percent": math.nan}, "Porosity"),
    ],
)
def test_doubt_about_a_property_blocks_the_roll_and_says_which(changed: dict[str, float], says: str) -> None:
    grade, reason = judge(STANDARD, SOUND, sample(**changed))
    assert grade == "blocked"
    assert says in reason
    assert ";" not in reason


def test_sheet_that_the_press_rejected_blocks_the_roll() -> None:
    grade, reason = judge(STANDARD, PressPart(1000, 21, "recovery 21.0 %"), sample())
    assert (grade, reason) == ("blocked", "2 % of its sheet was rejected at the press: recovery 21.0 %")
    assert judge(STANDARD, PressPart(0, 0, ""), sample())[0] == "blocked"


def test_roll_is_not_judged_before_it_is_taken_off_and_measured() -> None:
    assert judge(STANDARD, None, sample())[0] == judge(STANDARD, SOUND, None)[0] == "not judged"


def test_records_of_a_part_of_the_sheet_are_those_that_lie_in_it() -> None:
    records = [record(0.1 * i, "cold" if i == 14 else "") for i in range(30)]
    assert press_part(records, 1.0 + 1e-9, 2.0 - 1e-9) == PressPart(10, 1, "cold")
    assert press_part(records, 5.0, 6.0) == PressPart(0, 0, "")


# -- lots and rolls --------------------------------------------------------------------------------------


def test_new_lot_is_opened_after_its_kilogrammes_and_found_by_its_sheet() -> None:
    book = LotBook(STANDARD, lot_kg=10.0)
    book.open(0, 0.0)
    for second in range(25):
        book.feed(1.0, second * SECOND, float(second))
    assert [lot.number for lot in book.lots] == [1, 2, 3]
    assert [lot.opened_ns for lot in book.lots] == [0, 9 * SECOND, 19 * SECOND]
    assert book.between(-5.0, 3.0) == (1,)
    assert book.between(3.0, 12.0) == (1, 2)
    assert book.between(20.0, 99.0) == (3,)


def winder(roll: int, length_m: float) -> dict[str, Value]:
    return {"winder_roll": roll, "winder_roll_length_m": length_m}


def test_roll_is_followed_from_its_core_to_the_laboratory() -> None:
    book = RollBook(STANDARD, load_line_facts(), full_m=9.2)
    records = [record(0.1 * i) for i in range(500)]
    book.wind(winder(0, 0.0), 0, 0.0, 0.0, records)
    book.wind(winder(1, 1.0), 5 * SECOND, 10.0, 4.0, records)
    book.wind(winder(1, 9.0), 15 * SECOND, 13.0, 7.0, records)
    assert book.unmeasured == ()
    book.wind(winder(2, 0.5), 16 * SECOND, 13.2, 7.2, records)
    assert book.unmeasured == (1,)
    shown: dict[str, Value] = {tag: GOOD[name] for name, tag in LABORATORY.items()}
    book.measure({**shown, "laboratory_roll": 1, "laboratory_serial": 77}, 30 * SECOND)
    first, second = book.records()
    assert (first.number, first.begun_ns, first.ended_ns, first.length_m) == (1, 5 * SECOND, 16 * SECOND, 9.2)
    assert (first.grade, second.grade) == ("released", "not judged")
    assert first.sample is not None
    assert first.sample.serial == 77
    assert second.ended_ns == 0


# -- the watch --------------------------------------------------------------------------------------------


def station_inputs(now_s: float, age_s: float = 0.5, **words: frozenset[str]) -> Inputs:
    values: dict[str, Value] = {STATUS[name]: words.get(name, frozenset()) for name in STATIONS}
    values |= {f"{name}_sample_time_ms": now_s * 1000.0 for name in STATIONS}
    time_ns = round((now_s - age_s) * SECOND)
    return Inputs(values, round(now_s * SECOND), times_ns=dict.fromkeys(values, time_ns))


def causes(watch: StationWatch, inputs: Inputs, now_s: float, **more: Any) -> list[str]:
    about: dict[str, Any] = dict.fromkeys(("store_web", "tail_web", "tail_runs", "makes_film"), False) | more
    return [name for name, _ in watch.causes(inputs, round(now_s * SECOND), more.get("commanded", {}), **about)]


@pytest.mark.parametrize(
    ("station", "bit", "web", "alarm"),
    [
        ("kneader", "overloaded", {}, "overloaded"),
        ("kneader", "burst", {}, "burst"),
        ("desolvator", "vapour_trip", {}, "vapour_trip"),
        ("caster", "web_break", {"store_web": True}, "caster_web_break"),
        ("tail", "torn", {"tail_runs": True}, "torn"),
        ("tail", "sagged", {"tail_runs": True}, "sagged"),
        ("tail", "web_break", {"tail_web": True}, "tail_web_break"),
        ("winder", "comms_lost", {}, "winder_comms_lost"),
    ],
)
def test_what_a_station_says_is_an_alarm_where_it_matters(
    station: str, bit: str, web: dict[str, bool], alarm: str
) -> None:
    inputs = station_inputs(10.0, **{station: frozenset({bit})})
    assert causes(StationWatch(), inputs, 10.0, **web) == [alarm]
    if web:
        assert causes(StationWatch(), inputs, 10.0) == []


def test_station_is_silent_only_while_somebody_listens() -> None:
    watch = StationWatch()
    for second in range(20):
        assert not causes(watch, station_inputs(float(second)), float(second))
    # nobody looked for a minute, and what is known is old
    assert not causes(watch, station_inputs(80.0, age_s=60.0), 80.0)
    found = [causes(watch, station_inputs(80.0 + t, age_s=60.0 + t), 80.0 + t) for t in range(1, 8)]
    assert not found[4]
    assert found[6] == [f"{name}_silent" for name in STATIONS]


def test_station_that_has_started_anew_is_told_by_its_clock() -> None:
    watch = StationWatch()
    assert not causes(watch, station_inputs(50.0), 50.0)
    assert causes(watch, station_inputs(1.0), 51.0) == [f"{name}_restarted" for name in STATIONS]


def test_oven_off_its_set_point_is_an_alarm_after_two_minutes_and_only_while_film_is_made() -> None:
    watch, name = StationWatch(), "heat_setter_air"

    def look(second: float, air_c: float, *, makes_film: bool = True) -> list[str]:
        inputs = station_inputs(second)
        shown = Inputs({**inputs.values, f"{name}_temperature_c": air_c}, inputs.time_ns, times_ns=inputs.times_ns)
        told = {f"{name}_setpoint_c": 118.0}
        return [
            cause
            for cause, _ in watch.causes(
                shown,
                round(second * SECOND),
                told,
                store_web=False,
                tail_web=False,
                tail_runs=False,
                makes_film=makes_film,
            )
        ]

    seconds = [float(second) for second in range(0, 130, 2)]
    assert not any(look(second, 110.0, makes_film=False) for second in seconds)
    assert [look(200.0 + second, 110.0) for second in seconds if second <= 120] == [[]] * 61
    assert look(330.0, 110.0) == [f"{name}_deviation"]
    assert look(332.0, 118.5) == []


# -- the factory ------------------------------------------------------------------------------------------


def test_hours_and_length_say_the_same_and_only_one_is_given() -> None:
    assert make_line_controller("standard-25um", hours=2.0).length_m == 120.0
    assert make_line_controller(length_m=5.0).length_m == 5.0
    with pytest.raises(UsageError, match="not both"):
        make_line_controller(length_m=5.0, hours=1.0)
    with pytest.raises(UsageError, match="more than 0 m"):
        make_line_controller(length_m=0.0)
    with pytest.raises(UsageError, match="no product named"):
        make_line_controller("nothing")


def test_product_that_a_claim_forbids_is_not_started_and_says_why() -> None:
    controller = make_line_controller("not-crosslinkable")
    controller.scan(Inputs({}, 0, frozenset({"start"})), 0)
    assert controller.state == "idle"
    assert controller.message.startswith("product rejected, CLM-6")
    anyway = make_line_controller("not-crosslinkable", enforce_claims=False)
    anyway.scan(Inputs({}, 0, frozenset({"start"})), 0)
    assert anyway.state == "heat"


def test_speed_that_a_claim_forbids_is_refused() -> None:
    controller = make_line_controller("standard-25um")
    assert "CLM-2" in controller.change_speed(7.0)
    assert controller.speed_m_min == 1.0
    assert controller.change_speed(0.8) == ""
    assert controller.speed_m_min == 0.8
