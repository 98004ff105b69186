"""Whatever comes in, what goes out is legal and safe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rig.controller import Inputs, State, Value, make_controller
from rig.controller.api import OPERATOR_REQUESTS
from tests.rig.test_controller_fakes import REGISTERS, SENSED, check_outputs, names_on, resting

WORDS = {name: REGISTERS[name].bits for name in SENSED if REGISTERS[name].type == "bitfield"}
KNOWN_GAPS = {"ambient_temperature_c"}
"""See test_controller_known_defects: a scan without it raises."""
TOUCHED = tuple(name for name in SENSED if name not in KNOWN_GAPS)
NUMBER_TAGS = tuple(name for name in SENSED if REGISTERS[name].type not in ("bitfield", "enum", "string", "bool"))

believable = st.sampled_from(NUMBER_TAGS).flatmap(
    lambda name: st.tuples(st.just(name), st.floats(*(REGISTERS[name].limits or (0.0, 1e6))))
)
contacts = st.tuples(st.sampled_from([name for name in SENSED if REGISTERS[name].type == "bool"]), st.booleans())
words = st.sampled_from(sorted(WORDS)).flatmap(
    lambda name: st.tuples(st.just(name), st.frozensets(st.sampled_from(WORDS[name]), max_size=3))
)
junk: Any = st.one_of(
    st.floats(),
    st.integers(-(2**40), 2**40),
    st.text(max_size=3),
    st.none(),
    st.just(frozenset({"no such bit"})),
    st.booleans(),
)
wild = st.tuples(st.sampled_from(TOUCHED), junk)
hot = st.just(("heat_1_upper_temperature_c", 118.0))
running = st.sampled_from(
    [("belts_moving", True), ("coolant_flowing", True), ("tension_ready", True), ("press_open", False)]
)
sane = st.one_of(believable, contacts, words, hot, running)

operator = st.frozensets(st.sampled_from(OPERATOR_REQUESTS), max_size=2)
age_s = st.sampled_from([0.0, 0.0, 0.0, 0.1, 0.6, 1.4, 1.6, 10.0])
period_s = st.sampled_from([0.1, 0.1, 0.1, 0.2, 1.0, 100.0])


def scans(changes: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Sequences of (changes of the values, missing tags, requests, age, period)."""
    scan = st.tuples(
        st.lists(changes, max_size=5),
        st.frozensets(st.sampled_from(TOUCHED), max_size=2) if changes is not sane else st.just(frozenset()),
        operator,
        age_s,
        period_s,
    )
    return st.lists(scan, min_size=1, max_size=12)


def play(state: State, sequence: Any) -> list[tuple[Mapping[str, Any], float, str, Mapping[str, Value]]]:
    """Put a controller into a state and scan; changes last until they are changed again."""
    controller = make_controller()
    controller.now_state = state
    values: dict[str, Any] = dict(resting())
    now_ns = 0
    played: list[tuple[Mapping[str, Any], float, str, Mapping[str, Value]]] = []
    for beat, (changes, missing, requests, age, period) in enumerate(sequence):
        now_ns += round(period * 1e9)
        values |= dict(changes)
        values.setdefault("node_heartbeat", beat)
        seen = {name: value for name, value in values.items() if name not in missing}
        outputs = controller.scan(Inputs(seen, now_ns - round(age * 1e9), requests), now_ns)
        played.append((seen, age, controller.state, outputs))
    return played


relaxed = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))


@relaxed
@given(st.sampled_from(State), scans(st.one_of(sane, wild)))
@example(State.PRODUCE, [([("heat_1_upper_temperature_c", float("nan"))], frozenset(), frozenset(), 0.0, 0.1)])
@example(State.PRODUCE, [([("alarm_word", "text"), ("mode", 7.5)], frozenset(), frozenset(), 0.0, 0.1)])
@example(State.IDLE, [([], frozenset(SENSED), frozenset({"start"}), 0.0, 0.1)])
def test_any_inputs_give_legal_outputs_and_never_an_exception(state: State, sequence: Any) -> None:
    for _, _, after, outputs in play(state, sequence):
        assert after in set(State)
        check_outputs(outputs)
        assert outputs["controller_heartbeat"] != 0


@relaxed
@given(st.sampled_from(State), scans(st.one_of(sane, wild)))
def test_heat_is_never_commanded_onto_belts_that_do_not_move(state: State, sequence: Any) -> None:
    for seen, age, _, outputs in play(state, sequence):
        # older data are those of an earlier scan, whose outputs are held
        if age <= 0.5 and "heating_enable" in names_on(outputs):
            assert seen["belts_moving"]
            assert seen["coolant_flowing"]


@relaxed
@given(st.sampled_from(State), scans(st.one_of(sane, wild)))
def test_in_trouble_nothing_heats_or_feeds_and_the_press_opens(state: State, sequence: Any) -> None:
    for _, _, after, outputs in play(state, sequence):
        # held outputs of a controller that was put into its state by hand command nothing yet
        if after in ("fault", "emergency_stop") and "fast_open" in outputs:
            assert not names_on(outputs) & {"heating_enable", "feed_enable"}
            assert "fast_open" in names_on(outputs)
            assert outputs["scrap_divert"] is True


@relaxed
@given(st.sampled_from(State), scans(sane))
def test_interlock_of_the_node_ends_heat_and_feed_in_the_same_scan(state: State, sequence: Any) -> None:
    for seen, age, after, outputs in play(state, sequence):
        if age <= 0.5 and seen["alarm_word"]:
            assert after in ("fault", "emergency_stop")
            assert not names_on(outputs) & {"heating_enable", "feed_enable"}
            if seen["alarm_word"] & {"emergency_stop", "guard_open"}:
                assert after == "emergency_stop"
                assert "drives_enable" not in names_on(outputs)


@relaxed
@given(st.sampled_from(State), scans(st.one_of(sane, wild)))
def test_same_inputs_give_the_same_outputs(state: State, sequence: Any) -> None:
    first, second = play(state, sequence), play(state, sequence)
    assert [row[3] for row in first] == [row[3] for row in second]
