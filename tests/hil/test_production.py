"""From a cold press to good sheet and back to a cold press, judged by the claims about sheet, CLM-1 … CLM-5."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from rig.controller.api import QualityRecord, ReportsQuality
from rig.report import PressGeometry, RunData
from rig.requirements import SHEET_CLAIMS, Verdict, judge

if TYPE_CHECKING:
    from rig.pytest_plugin import Hil
    from rig.rewind import Rewind
    from rig.trace import Recording

COLD_TO_IDLE_S = 4 * 3600
STARTED_WITHIN_S = 10.0
GAVE_UP = ("fault", "emergency_stop")


@dataclass
class Production:
    """One production run, as it went."""

    recording: Recording
    quality: tuple[QualityRecord, ...]
    verdicts: dict[str, Verdict]
    states: list[str]
    alarms: set[str]
    way_back: Rewind | None


@pytest.fixture(scope="module")
def runs() -> dict[str, Production]:
    """The run that the tests of this file share, made by the first of them."""
    return {}


def message(controller: object) -> str:
    """What a controller has to say about itself."""
    return str(getattr(controller, "message", "") or "it gives no reason")


def produce(hil: Hil) -> Production:
    """Make one sheet's worth of film, from cold to cold."""
    bench = hil.open(start="cold")
    controller = hil.controller()
    runner = hil.runner(bench, controller)
    states: list[str] = []
    alarms: set[str] = set()
    profile = None
    runner.run_for(1.0)
    resting = runner.state
    runner.request("start")
    runner.run_for(STARTED_WITHIN_S)
    assert not resting or runner.state != resting, f"the controller did not start: {message(controller)}"

    def finished() -> bool:
        nonlocal profile
        if not states or states[-1] != runner.state:
            states.append(runner.state)
        word = runner.inputs.values.get("alarm_word", frozenset())
        if isinstance(word, frozenset):
            alarms.update(word)
        assert runner.state not in ("fault", "emergency_stop"), (
            f"the run ended in {runner.state}: {message(controller)}"
        )
        if bench.can.see_truth and runner.state == "run_out" and profile is None:
            profile = bench.virtual.profile()
        return len(states) > 2 and states[-1] == "idle"

    runner.run_until(finished, within_s=COLD_TO_IDLE_S, what="the end of the production run")
    quality = tuple(controller.quality()) if isinstance(controller, ReportsQuality) else None
    film = bench.virtual.film() if bench.can.see_truth else None
    assert bench.recorder is not None
    recording = bench.recorder.recording()
    melting_c = hil.recipe.composition.polyolefin_melting_point_c
    hil.show(
        RunData(
            recording,
            quality or (),
            film,
            profile,
            PressGeometry(),
            melting_c,
            title="from cold to good film and back",
        )
    )
    hil.keep(bench, "production")
    verdicts = judge(quality, recording.tags, melting_point_c=melting_c, truth=film, signals=recording.truth)
    return Production(
        recording, quality or (), {row.requirement: row for row in verdicts}, states, alarms, hil.way_back(bench)
    )


def test_from_cold_to_good_film_and_back(hil: Hil, runs: dict[str, Production]) -> None:
    runs["reference"] = run = produce(hil)
    good = [record for record in run.quality if record.good]
    assert good, f"no good film; the controller went through {' → '.join(run.states)}"
    assert not run.alarms, f"interlocks tripped during production: {', '.join(sorted(run.alarms))}"


@pytest.mark.parametrize("claim", SHEET_CLAIMS)
def test_claim_holds(claim: str, hil: Hil, runs: dict[str, Production]) -> None:
    if "reference" not in runs:
        pytest.skip("there is no production run to judge")
    verdict = runs["reference"].verdicts[claim]
    hil.judge(verdict, way_back=runs["reference"].way_back)
    assert verdict.passed, verdict.evidence
    assert verdict.agree is not False, f"sensors and truth disagree: {verdict.evidence}"


def test_states_come_in_their_order(runs: dict[str, Production]) -> None:
    if "reference" not in runs:
        pytest.skip("there is no production run to judge")
    states = runs["reference"].states
    expected = [
        "idle", "preheat", "tension_track", "close", "thread", "produce", "run_out", "open", "cool", "idle",
    ]  # fmt: skip
    assert states[-len(expected) + 1 :] == expected[1:], f"states were {' → '.join(states)}"


def test_no_deadline_is_missed(runs: dict[str, Production]) -> None:
    if "reference" not in runs:
        pytest.skip("there is no production run to judge")
    missed = [event for event in runs["reference"].recording.events if event.kind == "deadline"]
    assert not missed, f"{len(missed)} missed deadlines, the first: {missed[0].text}"
