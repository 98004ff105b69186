"""Rules are well-formed and about signals that exist; what breaks one turns it red; what nobody tested is not green."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from emulator.scan import TRUTH
from emulator.truth import engineering
from rig.cli import main
from rig.controller.api import OPERATOR_REQUESTS
from rig.protocol.registers_file import default_registers
from rig.recipe import load_recipe
from rig.requirements import RuleVerdict, judge_rules, load_rules, recipe_constants, worst_of
from rig.requirements.rules import SEVERITIES, ActingFault, read_rules
from rig.stl import FormulaError, trace_of
from rig.trace import Event, Recording, Samples, write_mdf
from rig.trace.channels import ChannelInfo, tag_channels
from rig.virtual import FAULT_KINDS

PERIOD_NS = 100_000_000
CHANNELS = tag_channels(default_registers())
NAMES = [channel.name for channel in CHANNELS]
BEATS = np.arange(200)
"""A controller that lives, 10 times a second for 20 s."""


def run(seconds: float, events: tuple[Event, ...] = (), **signals: object) -> Recording:
    """A recording in which everything is 0 but some signals: a constant, or one value per sample."""
    count = round(seconds * 10)
    values = np.zeros((count, len(CHANNELS)))
    for name, value in signals.items():
        values[:, NAMES.index(name)] = value
    times = np.arange(count, dtype=np.int64) * PERIOD_NS
    return Recording(Samples(CHANNELS, times, values), Samples.empty((ChannelInfo("nothing"),)), (), events)


def verdict_of(rule: str, recording: Recording) -> RuleVerdict:
    [verdict] = judge_rules(trace_of(recording), [load_rules()[rule]])
    return verdict


def test_there_are_enough_rules_of_every_severity_with_sentence_and_source() -> None:
    rules = load_rules().values()
    assert len(rules) >= 60
    assert {rule.severity for rule in rules} == set(SEVERITIES)
    for rule in rules:
        assert rule.text.endswith(".")
        assert rule.source
        assert rule.cases


def test_rules_are_about_signals_that_a_press_has() -> None:
    known = {*NAMES, "state", "time_s", "gap_s", *recipe_constants(load_recipe("reference"))}
    known |= {f"asked.{request}" for request in OPERATOR_REQUESTS}
    known |= {f"{channel.name}.{bit}" for channel in CHANNELS for bit in channel.bits}
    known |= {f"true.{engineering(name)[0]}" for name in TRUTH}
    used = {name for rule in load_rules().values() for case in rule.cases for name in case.signals}
    assert used <= known


def test_a_broken_rule_tells_when_and_by_how_much() -> None:
    heats = np.where(np.arange(200) >= 50, 1.0, 0.0)
    verdict = verdict_of("SAF-02", run(20.0, heating_enable=heats, coolant_flow_l_min=4.0, controller_heartbeat=BEATS))
    assert verdict.status == "fail"
    assert verdict.margin == pytest.approx(-0.5)  # 0.5 m of a switch; the flow is 6 L/min short, 0.6 of 10
    assert verdict.time_s == pytest.approx(10.0)
    assert (
        verdict_of(
            "SAF-02", run(20.0, heating_enable=heats, coolant_flow_l_min=50.0, controller_heartbeat=BEATS)
        ).status
        == "pass"
    )


def test_a_rule_whose_case_never_came_is_not_exercised() -> None:
    assert verdict_of("SAF-02", run(20.0)).status == "not exercised"
    # the case was there, but not for as long as the rule looks back
    assert verdict_of("SAF-02", run(3.0, heating_enable=1.0, controller_heartbeat=BEATS[:30])).status == "not exercised"


def test_a_reaction_that_the_end_of_the_run_cut_off_does_not_count() -> None:
    word = np.where(np.arange(100) >= 80, 1.0, 0.0)  # emergency stop, 2 s before the end
    assert verdict_of("SAF-06", run(10.0, alarm_word=word)).status == "not exercised"
    assert verdict_of("SAF-06", run(20.0, alarm_word=np.where(np.arange(200) >= 80, 1.0, 0.0))).status == "fail"


def test_a_rule_about_what_was_not_recorded_is_not_judged_and_says_why() -> None:
    verdict = verdict_of("QUA-01", run(5.0))
    assert (verdict.status, verdict.note) == ("not judged", "there is no signal 'state' in this run")
    assert verdict_of("SAF-21", run(5.0)).note == "there is no signal 'true.smallest_clearance_um' in this run"
    assert verdict_of("SAF-21", run(0.0)).note == "nothing was recorded"
    states = (Event(0, "state", "thread"),)
    assert verdict_of("QUA-01", run(5.0, states, diverter_at_scrap=1.0, node_heartbeat=7.0)).status == "pass"
    assert verdict_of("QUA-01", run(5.0, states, node_heartbeat=7.0)).status == "fail"


def test_a_rule_is_not_asked_where_it_would_look_into_a_gap_of_the_recording() -> None:
    """Nobody read the press for 2 s, in which it may have tripped and been reset."""
    recording = run(20.0, guards_closed=np.where(np.arange(200) >= 100, 0.0, 1.0))
    tags = recording.tags
    assert verdict_of("INT-07", recording).status == "fail"
    late_ns = np.array([0, 0, 2_000_000_000, 2_000_000_000])
    with_gap = Samples(tags.channels, tags.time_ns[98:102] + late_ns, tags.values[98:102])
    assert verdict_of("INT-07", dataclasses.replace(recording, tags=with_gap)).status == "not exercised"


def test_a_reading_that_is_made_to_lie_excuses_the_rules_that_go_by_it() -> None:
    recording = run(20.0, entry_left_line_force_kn=500.0)
    [rule] = [load_rules()["EQP-03"]]

    def judged(*faults: ActingFault) -> RuleVerdict:
        [verdict] = judge_rules(trace_of(recording), [rule], faults)
        return verdict

    lie = ActingFault("sensor_offset", "entry_left_line_force_kn", 0, frozenset({"entry_left_line_force_kn"}))
    other = ActingFault("sensor_offset", "coolant_flow_l_min", 0, frozenset({"coolant_flow_l_min"}))
    assert judged().status == judged(other).status == "fail"
    assert judged(lie).status == "pass"  # by the other groups
    assert judged(lie).note == ""
    assert judged(ActingFault("frozen_image", "press", 0, frozenset({"all"}))).status == "not exercised"
    later = dataclasses.replace(lie, from_ns=10 * 1_000_000_000)
    assert judged(later).status == "fail"
    assert judged(later).note == "not asked from 10.0 s on: sensor_offset entry_left_line_force_kn"


def test_rules_are_excused_by_faults_that_there_are() -> None:
    assert {kind for rule in load_rules().values() for kind in rule.excused_by} <= set(FAULT_KINDS)


def test_the_worst_of_several_runs_decides() -> None:
    held = RuleVerdict("X", "pass", 0.4, 1.0, 5.0)
    close = RuleVerdict("X", "pass", 0.1, 2.0, 3.0)
    broken = RuleVerdict("X", "fail", -0.2, 3.0, 1.0)
    never = RuleVerdict("X", "not exercised")
    assert worst_of([never, held, close]) == RuleVerdict("X", "pass", 0.1, 2.0, 5.0)
    assert worst_of([held, broken, never]).status == "fail"
    assert worst_of([never, never]).status == "not exercised"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("severity = ", "cannot be read"),
        ("severity = 'grave'", "severity is 'grave'; it must be one of safety"),
        ("severity = 'safety'\n[[requirement]]\nid = 'A'", "f.toml, A: a requirement lacks source, text, then, title"),
        (
            "severity = 'safety'\n[[requirement]]\nid='A'\ntitle='t'\ntext='t'\nsource='s'\nthen='x +'",
            "f.toml, A: 'x +' is no formula",
        ),
        (
            "severity = 'safety'\n[[requirement]]\nid='A'\ntitle='t'\ntext='t'\nsource='s'\nthen='x'\nwhen='y'",
            "f.toml, A: a requirement has no when",
        ),
        (
            "severity = 'safety'\n[[requirement]]\nid='A'\ntitle='t'\ntext='t'\nsource='s'\nthen='x'\nabout='me'",
            "it is about 'me'; it must be one of controller, press",
        ),
    ],
)
def test_a_malformed_rule_is_told_with_its_file_and_id(text: str, words: str) -> None:
    with pytest.raises(FormulaError) as raised:
        list(read_rules(text, "f.toml"))
    assert words in str(raised.value)


def test_a_recording_is_judged_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_mdf(
        run(20.0, heating_enable=1.0, coolant_flow_l_min=4.0, controller_heartbeat=BEATS), tmp_path / "run.mf4"
    )
    assert main(["judge", str(path), "--rule", "SAF-02", "--rule", "SAF-05"]) == 1
    out = capsys.readouterr().out
    assert "SAF-02 broken; 0 of 2 rules were put to the test and held, 1 were not put to the test" in out
    assert main(["judge", str(path), "--rule", "SAF-05", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["status"] == "not exercised"
    for words, message in (
        (["judge", "no.mf4"], "no such file"),
        (["judge", __file__], "not an MDF file"),
        (["judge", str(path), "--rule", "SAF-99"], "there is no rule 'SAF-99'"),
        (["judge", str(path), "--recipe", "soup"], "no recipe named 'soup'"),
        (["rules", "SAF-99"], "there is no rule 'SAF-99'"),
    ):
        assert main(words) == 2
        assert message in capsys.readouterr().err


def test_rules_are_listed_told_and_given_to_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules"]) == 0
    assert f"{len(load_rules())} rules" in capsys.readouterr().out
    assert main(["rules", "SAF-06"]) == 0
    assert "then      eventually(press_open, 0, 4)" in capsys.readouterr().out
    assert main(["rules", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["SAF-06"]["severity"] == "safety"
