"""The controller in C as device under test: its Cortex-M3 program is the master on the virtual line."""

from __future__ import annotations

import copy
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulator.firmware.build import BuildError, build
from emulator.firmware.node_map import FIRMWARE
from emulator.firmware.report import measure
from rig.bench import Bench, open_press
from rig.controller.runner import Runner, runner_for
from rig.controller.states import TRANSITIONS, State
from rig.embedded import EmbeddedController
from rig.errors import ControllerError, UsageError
from rig.hil import HilOptions, run_hil
from rig.protocol import is_frame
from rig.recipe import load_recipe
from rig.requirements import judge
from tests.firmware.embedded import CONTROLLER, Change, broken, controller, factory, started
from tests.firmware.pair import needs_compiler, needs_engine
from tests.hil.test_interlocks import test_interlock_stops_the_press as interlock_stops_the_press

pytestmark = [needs_compiler, needs_engine]

ACTING = ("heating_enable", "drives_enable", "feed_enable")


@pytest.fixture
def bench() -> Iterator[Bench]:
    with open_press("emu://?start=warm") as press:
        yield press


def written_coils(bench: Bench, since_ns: int) -> list[tuple[int, int]]:
    """Time and bits of every write of coils since then, heard on the line."""
    assert bench.recorder is not None
    frames = bench.recorder.recording().frames
    return [
        (frame.start_ns, int.from_bytes(frame.data[7:-2], "little"))
        for frame in frames
        if frame.direction == "request" and frame.start_ns >= since_ns and frame.data[1] == 15 and is_frame(frame.data)
    ]


def refuses_stale_data(runner: Runner) -> None:
    """Nothing that acts is commanded on old data, and after 1.5 s the controller gives up and says so."""
    bench = runner.bench
    begin_ns = bench.clock.now_ns
    bench.virtual.inject("lost_bytes", amount=4, for_s=3.0, times=None)
    runner.run_for(3.0)
    acting = sum(1 << bench.registers.tags[name].address for name in ACTING)
    assert not [bits for _, bits in written_coils(bench, begin_ns + 200_000_000) if bits & acting]
    assert runner.state == "fault"
    assert "stale_data" in runner.said()


def heats_up(runner: Runner) -> None:
    """A warm press is at temperature after a minute of creeping."""
    runner.run_until_state("tension_track", within_s=90)


def stops_on_an_interlock(runner: Runner) -> None:
    """The HIL suite's own test."""
    interlock_stops_the_press("guard_open", "preheat", lambda _: runner)


def switches_the_heat_off(runner: Runner) -> None:
    """A stop during preheat leaves nothing heated."""
    runner.run_until(lambda: runner.commanded.get("heating_enable") is True, within_s=30, what="heat")
    runner.request("stop")
    runner.run_until_state("cool", within_s=1)
    runner.run_for(1)
    assert runner.commanded["heating_enable"] is False


def asks_in_every_cycle(runner: Runner) -> None:
    """The press is never without its master."""
    runner.run_for(5)
    assert not runner.missed_deadlines
    assert not runner.inputs.values["alarm_word"]


def makes_film_that_keeps_the_claims(runner: Runner) -> None:
    """What comes behind the gauge first is shipped and meets CLM-1 to CLM-5, by sensors and in truth."""
    controller, bench = runner.controller, runner.bench
    assert isinstance(controller, EmbeddedController)
    runner.run_until(lambda: len(controller.quality()) >= 3, within_s=3600, what="three pieces of judged film")
    assert bench.recorder is not None
    verdicts = judge(
        controller.quality(),
        bench.recorder.recording().tags,
        melting_point_c=load_recipe("reference").composition.polyolefin_melting_point_c,
        truth=bench.virtual.film(),
    )
    # CLM-6 and CLM-7 are about film, which a press alone does not make
    judged = [verdict for verdict in verdicts if verdict.passed is not None]
    assert len(judged) == 5
    assert all(verdict.passed for verdict in judged), [row.evidence for row in judged if not row.passed]


Judged = Callable[[Runner], None]
REQUIREMENTS: dict[str, tuple[Judged, tuple[Change, ...]]] = {
    "stale data": (
        refuses_stale_data,
        (("controller/talk.c", "controller_wait(talk.cycle_ms) && talk.is_known", "talk.is_known"),),
    ),
    "wrong register": (
        heats_up,
        (
            (
                "controller/controller.c",
                "set_all(HOLDING_BELT_UPPER_SPEED_SETPOINT_M_MIN, 2",
                "set_all(HOLDING_BELT_UPPER_SPEED_SETPOINT_M_MIN + 1, 2",
            ),
        ),
    ),
    "interlock": (
        stops_on_an_interlock,
        (("controller/controller.c", "interlocks = inputs->words[INPUT_ALARM_WORD];", "interlocks = 0;"),),
    ),
    "heat after a stop": (
        switches_the_heat_off,
        (("controller/goals.c", "READY | drive, recipe->cool_speed", "READY | drive | heat, recipe->cool_speed"),),
    ),
    "polling ends": (
        asks_in_every_cycle,
        (("controller/talk.c", "if (talk.step != REST) {", "if (talk.step != REST || now_ns > 3000000000LL) {"),),
    ),
    "pressure released before the cold": (
        makes_film_that_keeps_the_claims,
        (
            (
                "controller/controller.c",
                "COLD_LEFT_CLEARANCE_SETPOINT_UM, 2, clearance",
                "COLD_LEFT_CLEARANCE_SETPOINT_UM, 2, controller.state == STATE_CLOSE ? clearance : 5000",
            ),
            ("controller/gate.c", "(!in_cold || presses(inputs, INPUT_COLD_LEFT_LINE_FORCE_KN))", "(in_cold || true)"),
        ),
    ),
}


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_the_controller_keeps_what_is_required(requirement: str, bench: Bench) -> None:
    REQUIREMENTS[requirement][0](started(bench))


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_one_that_was_broken_on_purpose_does_not(requirement: str, bench: Bench) -> None:
    keeps, changes = REQUIREMENTS[requirement]
    runner = started(bench, broken(*changes))
    with pytest.raises(AssertionError):
        keeps(runner)


def test_runs_are_equal_bit_by_bit_and_so_are_those_of_copies(bench: Bench) -> None:
    runner = started(bench)
    runner.run_for(5)
    twin = runner_for(bench.fork(), copy.deepcopy(runner.controller))
    with open_press("emu://?start=warm") as again:
        anew = started(again)
        anew.run_for(5)
        for one in (runner, twin, anew):
            one.run_for(5)
            one.request("stop")
            one.run_until_state("cool", within_s=1)
        rows = [one.bench.recorder.recording().tags.values[-50:] for one in (runner, twin, anew) if one.bench.recorder]
        assert rows[0].tobytes() == rows[1].tobytes() == rows[2].tobytes()
        assert runner.bench.virtual.world.truth_vector().tobytes() == twin.bench.virtual.world.truth_vector().tobytes()
    twin.bench.close()


def test_all_that_it_writes_and_reads_is_recorded_from_the_line(bench: Bench) -> None:
    runner = started(bench)
    runner.run_for(3)
    assert runner.commanded["cooling_enable"] is True
    assert runner.commanded["belt_upper_tension_setpoint_kn_m"] == 72.0
    assert runner.inputs.values["coolant_flowing"] is True
    assert bench.recorder is not None
    tags = bench.recorder.recording().tags
    assert tags["cooling_enable"][-1] == 1.0
    assert not runner.missed_deadlines
    assert not runner.failed_polls


def test_an_answer_that_was_damaged_or_lost_is_asked_for_again_in_the_same_cycle(bench: Bench) -> None:
    runner = started(bench)
    for kind in ("lost_bytes", "garbled", "lost_frame", "truncated", "stale", "foreign", "delayed"):
        for direction in ("request", "response"):
            if direction == "response" or kind in ("lost_bytes", "garbled", "lost_frame", "truncated"):
                bench.virtual.inject(kind, direction=direction)
                runner.run_for(0.3)
    assert runner.state == "preheat"
    assert not runner.failed_polls


def test_a_recipe_against_the_claims_is_not_started_unless_it_is_wanted(bench: Bench) -> None:
    for keeps, state in ((True, "idle"), (False, "preheat")):
        with bench.fork() as press:
            runner = runner_for(press, controller(recipe="too-cold", enforce_claims=keeps))
            runner.run_for(0.5)
            runner.request("start")
            runner.run_for(1)
            assert runner.state == state
            assert ("CLM-5" in runner.said()) is keeps


def test_a_node_that_starts_anew_gets_no_command_to_start_until_somebody_resets(bench: Bench) -> None:
    runner = started(bench)
    runner.run_for(3)
    bench.virtual.inject("brown_out", amount=0.3)
    runner.run_for(4)
    assert runner.state == "fault"
    assert "node_restarted" in runner.said()
    assert not any(runner.commanded[name] for name in ACTING)
    runner.request("reset")
    runner.run_for(3)
    assert runner.state == "cool"


def test_a_node_with_another_register_map_is_written_nothing(bench: Bench) -> None:
    path = broken(("generated/press_map.h", "PRESS_MAP_VERSION = ", "PRESS_MAP_VERSION = 1000 + "))
    runner = runner_for(bench, controller(path))
    runner.run_for(0.5)
    runner.request("start")
    runner.run_for(3)
    assert "other_map" in runner.said()
    assert not runner.commanded


def test_a_program_that_hangs_is_told_with_its_function(bench: Bench) -> None:
    path = broken(("controller/talk.c", "    talk.is_fresh = false;\n    go_to(", "    for (;;) {\n    }\n    go_to("))
    runner = runner_for(bench, controller(path))
    with pytest.raises(ControllerError, match="talk_cycle"):
        runner.run_for(1)


def text_file(folder: Path) -> Path:
    path = folder / "controller.elf"
    path.write_text("no program")
    return path


def half_a_program(folder: Path) -> Path:
    path = folder / "controller.elf"
    path.write_bytes(build("controller-lm3s6965").read_bytes()[:50_000])
    return path


def folder_without_sources(folder: Path) -> Path:
    path = folder / "controller"
    path.mkdir()
    return path


def sources_that_do_not_compile(folder: Path) -> Path:
    shutil.copytree(FIRMWARE, folder / "tree")
    (folder / "tree/controller/recipe.c").write_text("int recipe(void) { return 1 }\n")
    return folder / "tree" / "controller"


NO_PROGRAMS = {
    "nothing at": lambda folder: folder / "none",
    "no ELF file": text_file,
    "a damaged ELF file": half_a_program,
    "no recipe_in_flash": lambda _: build("lm3s6965"),
    "not called controller": lambda folder: folder,
    "has no modbus/crc.c": folder_without_sources,
    r"recipe.c:1:.*expected ';'": sources_that_do_not_compile,
}  # fmt: skip


@pytest.mark.parametrize("why", NO_PROGRAMS)
def test_what_is_no_program_is_refused_with_its_reason(why: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=why):
        factory(NO_PROGRAMS[why](tmp_path))


def test_without_a_virtual_press_it_is_refused() -> None:
    with pytest.raises(UsageError, match="needs --press emu://"):
        run_hil(HilOptions(press="/dev/ttyUSB0", controller=f"firmware:{CONTROLLER}"))


def test_it_has_the_states_and_transitions_of_the_reference_controller() -> None:
    source = (CONTROLLER / "controller.c").read_text(encoding="utf-8")
    rows = re.findall(r"\{STATE_(\w+), STATE_(\w+), EVENT_(\w+)\}", source)
    assert rows == [
        (state.name, target.name, event.name) for state, rules in TRANSITIONS.items() for event, target in rules
    ]
    said = re.search(r"STATE_NAMES\[STATES\] = \{(.*?)\};", (CONTROLLER / "console.c").read_text(), re.DOTALL)
    assert said is not None
    assert re.findall(r'"(\w+)"', said[1]) == list(State)


def test_its_stack_has_a_bound_below_its_room() -> None:
    try:
        size = measure("controller-lm3s6965")
    except BuildError as error:
        pytest.fail(str(error))
    assert 0 < size.stack.size < size.stack_room
