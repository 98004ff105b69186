"""The report says the verdict first, shows everything, and needs nothing from anywhere."""

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from rig.health import Condition, NodeHealth
from rig.report import PressGeometry, RunData, RunSummary, TestResult, write_html, write_verdicts_json
from rig.report.html import duration, number
from rig.requirements import CLAIMS, NO_LINE, judge
from rig.trace import Recording, Samples
from tests.rig import made_up_run as made_up
from tests.rig.browser import browse, document, needs_browser, screenshot


def a_test(title, outcome="passed", **more):
    name = title.replace(" ", "_")
    return TestResult(f"tests/hil/test_film.py::test_{name}", title, outcome, virtual_s=1560.0, wall_s=0.8, **more)


@pytest.fixture(scope="module")
def good_run():
    recording, quality, film = made_up.record(step_s=1.0), made_up.quality(), made_up.film()
    verdicts = judge(quality, recording.tags, melting_point_c=made_up.MELTING_POINT_C, truth=film)
    data = RunData(
        recording,
        quality,
        film,
        made_up.profile(),
        PressGeometry(),
        made_up.MELTING_POINT_C,
        "reference recipe",
    )
    return RunSummary(
        run_id="run-1",
        press_url="emu://?start=cold",
        controller="rig.controller:make_controller",
        profile="dev",
        seed=7,
        identity="virtual",
        virtual_s=4680.0,
        wall_s=2.5,
        tests=(
            a_test(
                "reference recipe makes good film",
                verdicts=verdicts,
                recordings=("film run.mf4", "film run.pcapng"),
            ),
            a_test("a wedge in the clearance is seen", "skipped", reason="the bench cannot inject faults"),
        ),
        versions={"press-rig": "0.1.0", "simpy": "4.1.2"},
        files=("junit.xml",),
        data=data,
    )


@pytest.fixture(scope="module")
def bad_run(good_run):
    verdicts = judge(
        made_up.quality(recovery_percent=23.4),
        good_run.data.recording.tags,
        melting_point_c=made_up.MELTING_POINT_C,
        truth=made_up.film(recovery_percent=25.0),
    )
    failed = a_test(
        "line stop scraps the film that stood hot",
        "failed",
        reason="AssertionError: r = 31 % & <b>shipped</b>",
        replay="press-rig hil --seed 7 'tests/hil/test_film.py::test_line_stop'",
    )
    return replace(good_run, tests=(*good_run.tests, failed, a_test("film at 92 °C", verdicts=verdicts)))


@pytest.fixture(scope="module")
def page(good_run, tmp_path_factory):
    return write_html(good_run, tmp_path_factory.mktemp("report"))


class References(HTMLParser):
    """Collects ids and everything that an element points to."""

    def __init__(self):
        super().__init__()
        self.ids, self.links, self.tags = [], [], set()

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("href", "src", "srcset", "action", "data", "poster", "xlink:href"):
                self.links.append(value)


def references(path):
    parser = References()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser


def test_nothing_is_loaded_from_anywhere(page):
    text = page.read_text(encoding="utf-8")
    found = references(page)
    assert not found.tags & {"script", "iframe", "img", "object", "embed"}
    assert all(link.startswith("#") or "//" not in link for link in found.links)
    assert "@import" not in text
    assert all(target.startswith("#") for target in re.findall(r"url\(['\"]?([^)]*)", text))
    without_names = text.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?://", without_names)


def test_ids_are_unique_and_every_reference_is_there(page):
    found = references(page)
    assert len(found.ids) == len(set(found.ids))
    wanted = {link[1:] for link in found.links if link.startswith("#")}
    wanted |= set(re.findall(r"url\(#([^)]*)\)", page.read_text(encoding="utf-8")))
    assert wanted <= set(found.ids)


def test_the_verdict_comes_first_and_every_requirement_has_a_row(page):
    text = page.read_text(encoding="utf-8")
    assert text.index("All 5 requirements of a press hold") < text.index('id="requirements"') < text.index('id="press"')
    for claim in CLAIMS:
        assert f'<span class="id">{claim}</span>' in text
    assert NO_LINE in text
    for title in ("Film quality along the run", "Along the machine", "Controller states", "Zone temperatures",
                  "Clearance and force", "Sheet thickness"):  # fmt: skip
        assert f"<h3>{title}</h3>" in text
    assert 'href="film%20run.mf4"' in text
    assert "the bench cannot inject faults" in text


def test_nodes_on_the_line_are_shown_with_what_they_left_unanswered(good_run, tmp_path):
    node = NodeHealth("heat_controller", 11, 1000, 990, 3, timeouts=7, bad_answers=3, crc_errors=2, losses=1)
    node.response.add(12_000_000)
    node.aged(900_000_000)
    node.condition = Condition.LOST
    tests = (replace(good_run.tests[0], nodes=(node,)), *good_run.tests[1:])
    text = write_html(replace(good_run, tests=tests), tmp_path).read_text(encoding="utf-8")
    section = " ".join(re.sub(r"<[^>]*>", " ", text[text.index('id="line"') : text.index('id="tests"')]).split())
    for words in ("heat controller unit 11 lost", "1,000 990 99.0 % 3 7 lost 1 × 3 2 × bad CRC", "0.9 s",
                  "most of it in “reference recipe makes good film”"):  # fmt: skip
        assert words in section
    assert 'id="line"' not in write_html(good_run, tmp_path).read_text(encoding="utf-8")


def test_what_was_skipped_is_told_at_the_top(page, bad_run, tmp_path):
    skips = re.compile(r"<b>(\d+ tests?) skipped</b>: ([^<]*)<")
    assert skips.findall(page.read_text(encoding="utf-8")) == [("1 test", "the bench cannot inject faults")]
    text = write_html(replace(bad_run, tests=bad_run.tests[2:]), tmp_path).read_text(encoding="utf-8")
    assert skips.findall(text) == []


def test_states_too_short_for_their_name_are_explained_beside(good_run, tmp_path):
    events = good_run.data.recording.events
    states = {event.text.replace("_", " ") for event in events if event.kind == "state"}
    assert len(states) > 3
    text = write_html(good_run, tmp_path).read_text(encoding="utf-8")
    picture = text[text.index("Controller states: ") : text.index("Zone temperatures over time")]
    words = set(re.findall(r"<text[^>]*>([^<]*)</text>", picture))
    assert states <= words


def test_plots_say_what_they_show_with_units(page):
    text = page.read_text(encoding="utf-8")
    for words in ("Temperature in °C", "Time in min", "Clearance in mm", "Line force in kN", "r in %",
                  "k in times·min", "Pressure in MPa", "Thickness in mm", "After, in µm",
                  "limit ≤ 20 %"):  # fmt: skip
        assert f">{words}</text>" in text


def test_failures_come_with_their_replay_command(bad_run, tmp_path):
    text = write_html(bad_run, tmp_path).read_text(encoding="utf-8")
    assert "CLM-1 does not hold" in text
    assert "All 5 requirements of a press hold" not in text
    assert "press-rig hil --seed 7 &#39;tests/hil/test_film.py::test_line_stop&#39;" in text
    assert "&lt;b&gt;shipped&lt;/b&gt;" in text
    tests = text[text.index('id="tests"') :]
    assert tests.index("line stop scraps") < tests.index("reference recipe makes good film")


@pytest.mark.parametrize("keep", ["nothing", "no truth", "no quality", "no data"])
def test_a_run_with_little_to_show_is_still_a_report(good_run, tmp_path, keep):
    data = good_run.data
    if keep == "nothing":
        data = replace(data, recording=Recording(Samples.empty(), Samples.empty()), quality=(), film=None, profile=None)
    elif keep == "no truth":
        data = replace(data, film=None, profile=None)
    elif keep == "no quality":
        empty = {name: np.empty(0) for name in data.profile}
        data = replace(data, quality=(), profile=empty)
    text = write_html(replace(good_run, data=None if keep == "no data" else data), tmp_path).read_text(encoding="utf-8")
    assert ("press-picture" in text.split("</style>", 1)[1]) == (keep != "no data")


def test_the_same_run_makes_the_same_page(good_run, page, tmp_path):
    assert write_html(good_run, tmp_path).read_bytes() == page.read_bytes()


def test_svg_pictures_are_well_formed(page):
    pictures = re.findall(r"<svg.*?</svg>", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(pictures) == 7
    for picture in pictures:
        ElementTree.fromstring(picture)


def test_verdicts_for_machines(bad_run, tmp_path):
    spoiled = judge(None, None, melting_point_c=135.0, truth=made_up.film(recovery_percent=float("nan")))
    run = replace(bad_run, tests=(*bad_run.tests, a_test("not a number", verdicts=spoiled)))
    document_ = json.loads(write_verdicts_json(run, tmp_path / "verdicts.json").read_text(encoding="utf-8"))
    assert document_["format"] == 1
    assert document_["status"] == "fail"
    assert document_["run"]["seed"] == 7
    rows = {row["id"]: row for row in document_["requirements"]}
    assert rows["CLM-1"]["status"] == "fail"
    assert rows["CLM-1"]["test"].endswith("test_film_at_92_°C")
    assert rows["CLM-1"]["verdict"]["sensor"]["value"] == 23.4
    assert rows["CLM-4"]["status"] == "pass"
    assert len(document_["tests"]) == len(run.tests)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.0 s"),
        (0.0004, "1 ms"),
        (0.04, "40 ms"),
        (0.14, "0.1 s"),
        (59.94, "59.9 s"),
        (60, "1 min 0 s"),
        (725, "12 min 5 s"),
        (3600, "1 h 0 min"),
        (12000, "3 h 20 min"),
    ],
)
def test_durations_for_people(seconds, text):
    assert duration(seconds) == text


def test_numbers_for_people():
    assert number(None) == number(float("nan")) == "—"
    assert number(-3.14159) == "−3.14"
    assert number(1.2345, 2) == "1.2"


# ------------------------------------------------------------------ in a browser


@needs_browser
def test_a_browser_shows_the_page_without_complaint(page):
    elements, complaints = document(page)
    assert complaints == []
    assert "All 5 requirements of a press hold; CLM-6 and CLM-7 not judged, they take a line</h1>" in elements
    assert elements.count("<figure>") == 7


@needs_browser
@pytest.mark.parametrize(("width", "height", "dark"), [(1160, 900, False), (1160, 900, True), (500, 900, False)])
def test_the_page_looks_like_something(page, tmp_path, width, height, dark):
    picture = Image.open(screenshot(page, tmp_path / "page.png", width, height, dark=dark)).convert("RGB")
    assert picture.size == (width, height)
    pixels = np.asarray(picture, float)
    paper = pixels[2, 2].mean()
    assert (paper < 60) if dark else (paper > 230)
    # the verdict's green sign stands near the top left
    top = pixels[: height // 3, : width // 3]
    green = (top[..., 1] > top[..., 0] + 40) & (top[..., 1] > top[..., 2] + 20)
    assert green.sum() > 500
    # text all over the page
    assert (np.abs(pixels.mean(axis=2) - paper) > 90).mean() > 0.01


@needs_browser
def test_a_phone_need_not_scroll_sideways(page, tmp_path):
    # the page measures itself: its width is written into the title by the browser
    probe = tmp_path / "probe.html"
    text = page.read_text(encoding="utf-8")
    script = "<script>document.title = document.documentElement.scrollWidth + ' of ' + window.innerWidth</script>"
    probe.write_text(text.replace("</body>", script + "</body>"), encoding="utf-8")
    elements, _ = browse(probe, "--dump-dom", "--window-size=500,900")
    needed, given = map(int, re.search(r"<title>(\d+) of (\d+)</title>", elements).groups())
    assert needed <= given
