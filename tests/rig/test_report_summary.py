"""Headline and rows: the worst verdict decides, and nothing is green that was not judged."""

import io
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from rig.health import NodeHealth
from rig.report import RunSummary, TestResult, headline, print_summary, requirement_rows, write_verdicts_json
from rig.report.summary import node_rows
from rig.requirements import CLAIMS, Judgement, Verdict


def verdict(claim, passed=True, agree=True, margin=1.0):
    judgement = None if passed is None else Judgement(passed, 10.0, margin, 0.5, "sheet at 1.00 m")
    return Verdict(
        claim, CLAIMS[claim].title, passed, judgement, judgement, None if passed is None else agree,
        margin, 0.5, CLAIMS[claim].unit, CLAIMS[claim].limit_text, "made up",
    )  # fmt: skip


def run_of(*tests):
    return RunSummary("run-1", "emu://", "mine:make", "dev", 3, "virtual", 1560.0, 1.0, tuple(tests))


def a_test(*verdicts, outcome="passed", name="a", reason=""):
    return TestResult(
        f"t.py::{name}",
        f"test {name}",
        outcome,
        verdicts=verdicts,
        replay=f"press-rig hil 't.py::{name}'",
        reason=reason,
    )


ALL = [verdict(claim) for claim in CLAIMS]


def test_all_requirements_hold():
    top = headline(run_of(a_test(*ALL)))
    assert (top.status, top.text) == ("pass", "All 7 requirements hold")
    assert top.detail == "1 test: 1 passed"


@pytest.mark.parametrize(
    ("tests", "status", "words"),
    [
        ([], "not judged", "CLM-1, CLM-2"),
        ([a_test()], "not judged", "CLM-1, CLM-2"),
        ([a_test(*ALL[:4])], "not judged", "CLM-5, CLM-6, CLM-7 not judged"),
        ([a_test(*ALL[:4], *ALL[5:])], "not judged", "CLM-5 not judged"),
        (
            [a_test(*ALL[:5])],
            "pass",
            "All 5 requirements of a press hold; CLM-6 and CLM-7 not judged, they take a line",
        ),
        ([a_test(*ALL[:5], verdict("CLM-6", passed=False))], "fail", "CLM-6 does not hold"),
        ([a_test(*ALL[:5]), a_test(outcome="failed")], "fail", "1 test failed"),
        ([a_test(*ALL), a_test(verdict("CLM-2", passed=False))], "fail", "CLM-2 does not hold"),
        ([a_test(*ALL), a_test(outcome="failed")], "fail", "1 test failed"),
        ([a_test(*ALL), a_test(outcome="error"), a_test(outcome="failed")], "fail", "2 tests failed"),
        ([a_test(), a_test(outcome="error", reason="interrupted")], "fail", "Interrupted before the end"),
        ([a_test(outcome="failed"), a_test(outcome="error", reason="interrupted")], "fail", "2 tests failed"),
        (
            [a_test(*ALL), a_test(verdict("CLM-1", agree=False))],
            "disagree",
            "sensors and truth disagree on CLM-1",
        ),
        ([a_test(*ALL), a_test(outcome="skipped")], "pass", "All 7"),
    ],
)
def test_the_headline_says_the_worst(tests, status, words):
    top = headline(run_of(*tests))
    assert top.status == status
    assert words in top.text


@given(
    st.lists(
        st.tuples(st.sampled_from([True, False, None]), st.booleans(), st.floats(-5, 5)),
        min_size=1,
        max_size=6,
    )
)
def test_the_worst_verdict_decides_whatever_the_order(found):
    verdicts = [verdict("CLM-1", passed, agree, margin) for passed, agree, margin in found]
    rows = requirement_rows(run_of(*(a_test(one, name=str(index)) for index, one in enumerate(verdicts))))
    row = rows[0]
    assert row.judged == len(verdicts)
    order = ["fail", "disagree", "not judged", "pass"]
    worst = min(order.index(one.status) for one in verdicts)
    assert row.status == order[worst]
    assert row.verdict.margin == min(one.margin for one in verdicts if one.status == row.status)


def printed(run, folder=None, width=80):
    stream = io.StringIO()
    print_summary(run, folder, Console(file=stream, width=width, color_system=None))
    return stream.getvalue()


def test_the_terminal_shows_verdicts_failures_and_paths(tmp_path):
    (tmp_path / "report.html").write_text("")
    failed = replace(a_test(outcome="failed", name="stop"), reason="it was [shipped]\nmore")
    text = printed(run_of(a_test(*ALL[1:], verdict("CLM-1", passed=False, margin=-2.0)), failed), tmp_path)
    assert "✗ CLM-1 Elastic recovery" in text
    assert "✓ CLM-5 Hot and cold" in text
    assert "replay: press-rig hil 't.py::stop'" in text
    assert "it was [shipped]" in text
    assert "−2" in text
    assert str(tmp_path / "report.html") in text
    assert "verdicts.json" not in text


def test_the_terminal_says_once_per_reason_why_tests_were_skipped():
    skipped = [replace(a_test(outcome="skipped", name=f"s{n}"), reason="no way to [hold]") for n in range(3)]
    text = printed(run_of(a_test(*ALL), *skipped, replace(skipped[0], reason="too cold")))
    assert "– 3 tests skipped: no way to [hold]" in text
    assert "– 1 test skipped: too cold" in text
    assert "skipped:" not in printed(run_of(a_test(*ALL)))


def test_the_terminal_table_fits_eighty_columns():
    text = printed(run_of(a_test(*ALL)))
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text


def nodes(timeouts, oldest_ns=None, **more):
    press = NodeHealth("press", 1, requests=10, answers=10 - timeouts, timeouts=timeouts, oldest_ns=oldest_ns, **more)
    press.response.add(5_000_000)
    return (press,)


def test_nodes_are_added_up_and_name_the_test_that_was_hardest_on_them(tmp_path):
    run = run_of(
        replace(a_test(name="quiet"), nodes=nodes(0)),
        replace(a_test(name="rough"), nodes=nodes(4, oldest_ns=700_000_000, crc_errors=2)),
        replace(a_test(name="better"), nodes=nodes(1, oldest_ns=300_000_000)),
    )
    [row] = node_rows(run)
    assert (row.health.requests, row.health.timeouts, row.health.crc_errors) == (30, 5, 2)
    assert row.worst.title == "test rough"
    document = json.loads(write_verdicts_json(run, tmp_path / "verdicts.json").read_text())
    [node] = document["nodes"]
    assert (node["node"], node["requests"]) == ("press", 30)
    assert node["oldest_data_s"] == pytest.approx(0.7)
    assert node["response_ms"]["p99"] == pytest.approx(5.0, rel=0.03)
    assert node["worst_test"] == "t.py::rough"
    assert [test["nodes"][0]["timeouts"] for test in document["tests"]] == [0, 4, 1]


def test_a_run_without_trouble_names_no_test():
    [row] = node_rows(run_of(replace(a_test(), nodes=nodes(0))))
    assert row.worst is None
    assert node_rows(run_of(a_test())) == ()
