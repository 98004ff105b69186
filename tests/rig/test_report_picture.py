"""The picture of the press follows its geometry and what it is told."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from rig.report import PressGeometry, PressView, RunData, press_picture, view_of
from rig.report.colours import TEMPERATURE_STOPS, ink_on, temperature_colour
from rig.report.figures import thin
from rig.trace import Recording, Samples
from tests.rig import made_up_run as made_up

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def data():
    recording = made_up.record(step_s=2.0)
    return RunData(recording, made_up.quality(), made_up.film(), made_up.profile(), PressGeometry(), 135.0)


def words(picture):
    return [element.text for element in picture.iter(f"{SVG}text")]


def test_the_reference_machine_has_its_rollers_zones_and_drums(data):
    picture = ElementTree.fromstring(press_picture(PressGeometry(), view_of(data)))
    circles = list(picture.iter(f"{SVG}circle"))
    assert len([circle for circle in circles if float(circle.get("r")) < 5]) == 2 * 116
    assert len([circle for circle in circles if float(circle.get("r")) > 40]) == 4 * 3
    said = words(picture)
    for text in (
        "heat 1",
        "cold 2",
        "heat rolling",
        "cold pressing",
        "3.20 mm",
        "3.00 mm",
        "0.69 mm",
        "31 kN",
        "118 °C",
    ):
        assert text in said
    assert "belts 1.00 m/min  →" in said


def test_rollers_follow_the_pitch():
    wide = ElementTree.fromstring(
        press_picture(PressGeometry(roller_pitch_m=0.06, roller_diameter_m=0.05), PressView())
    )
    assert len([c for c in wide.iter(f"{SVG}circle") if float(c.get("r")) < 6]) == 2 * 70


def test_an_unknown_press_is_drawn_too():
    picture = ElementTree.fromstring(press_picture(PressGeometry(), PressView(), description='a "press" & more'))
    assert picture.get("aria-label") == 'a "press" & more'
    assert words(picture).count("?") == 12


def test_no_number_in_the_picture_is_not_a_number(data):
    assert not re.search(r"\bnan\b|\binf\b", press_picture(PressGeometry(), view_of(data)))
    empty = RunData(Recording(Samples.empty(), Samples.empty()), (), None, None, PressGeometry(), 135.0)
    assert not re.search(r"\bnan\b|\binf\b", press_picture(PressGeometry(), view_of(empty)))


def test_without_the_truth_the_view_comes_from_tags(data):
    real = RunData(data.recording, data.quality, None, None, data.geometry, 135.0)
    view = view_of(real)
    x_m, thickness = view.thickness_mm
    assert thickness[0] == pytest.approx(3.0, abs=0.02)
    assert thickness[-1] == pytest.approx(0.69, abs=0.02)
    assert np.all(np.diff(x_m) >= 0)
    assert view.sheet_c[1].max() == pytest.approx(118, abs=3)
    assert view.speed_m_min == pytest.approx(1.0, abs=0.01)


def test_the_view_is_taken_while_the_press_produces(data):
    assert view_of(data).force_kn == pytest.approx((6.0, 31.0, 22.0), rel=0.1)


def test_geometry_of_the_reference_machine():
    geometry = PressGeometry()
    assert [zone.name for zone in geometry.zones] == [
        "heat_1",
        "heat_2",
        "heat_3",
        "heat_4",
        "cold_1",
        "cold_2",
    ]
    assert geometry.taper_end_m == pytest.approx(1.69)
    assert geometry.heat_end_m == pytest.approx(2.65)
    assert geometry.exit_m == pytest.approx(4.15)
    assert geometry.stations.cold_m == pytest.approx(3.4)


def test_colours_of_temperatures():
    assert temperature_colour(-40) == TEMPERATURE_STOPS[0][1]
    assert temperature_colour(float("nan")) == TEMPERATURE_STOPS[0][1]
    assert temperature_colour(999) == TEMPERATURE_STOPS[-1][1]
    for temperature, colour in TEMPERATURE_STOPS:
        assert temperature_colour(temperature) == colour
    assert ink_on("#ffffff") != ink_on("#000000")


def test_thinning_keeps_peaks_and_gaps():
    x = np.arange(10_000.0)
    y = np.sin(x / 500)
    y[4321], y[7000:7400] = 9.0, np.nan
    few_x, few_y = thin(x, y, 400)
    assert len(few_x) < 700
    assert np.nanmax(few_y) == 9.0
    assert np.isnan(few_y[(few_x >= 7000) & (few_x < 7400)]).any()
    assert (few_x[0], few_x[-1]) == (0, 9999)
