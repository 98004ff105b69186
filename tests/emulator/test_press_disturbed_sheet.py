"""What bad rollers and uneven feed do to the sheet."""

from __future__ import annotations

import numpy as np
import pytest

from emulator.config import load_machine, load_material
from emulator.press import FILM_COLUMNS, Disturbances, OperatingPoint, Press, PressState

REFERENCE = load_machine("reference")
G20 = load_material("g20")
SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def running() -> Press:
    return Press.running(REFERENCE, G20, OperatingPoint.at(115.0))


def after(running: Press, seconds: int, disturbances: Disturbances) -> Press:
    """A copy of the running press, so much later, disturbed."""
    press = Press(REFERENCE, G20, running.state.copy())
    for _ in range(seconds):
        press.advance(SECOND, running.holding, disturbances)
    return press


def under_pressure(state: PressState) -> np.ndarray:
    """Slots of the sheet in the parallel part of the press, in order of place."""
    head, count, released = (int(value) for value in state.progress.ring[:3])
    slots = (head + np.arange(released, count)) % state.sheet.x.size
    slots = slots[state.sheet.x[slots] > REFERENCE.taper_end_m]
    return slots[np.argsort(state.sheet.x[slots])]


def test_sheet_gets_thicker_where_a_roller_pair_is_missing(running: Press) -> None:
    whole, lacking = (after(running, 3, Disturbances(missing_roller_m=place)) for place in (-1.0, 2.16))
    slots = under_pressure(whole.state)
    x = whole.state.sheet.x[slots]
    thicker = lacking.state.sheet.h[slots] - whole.state.sheet.h[slots]
    near = np.abs(x - 2.16) < 0.03
    assert thicker[near].max() > 20e-6
    # elsewhere only through the belts, which the lighter load lets run a little faster
    assert np.abs(thicker[x < 2.1]).max() < 0.1e-6


def test_rollers_out_of_round_ripple_the_sheet_by_no_more_than_they_are(running: Press) -> None:
    whole, rippled = (after(running, 3, Disturbances(roller_runout_m=a)) for a in (0.0, 10e-6))
    slots = under_pressure(whole.state)
    change = rippled.state.sheet.h[slots] - whole.state.sheet.h[slots]
    assert change.min() < -2e-6
    assert change.max() > 2e-6
    assert np.abs(change).max() < 10.5e-6


def test_feed_ripple_arrives_with_its_amplitude(running: Press) -> None:
    press = after(running, 40, Disturbances(feed_ripple_fraction=0.02, feed_ripple_length_m=0.3))
    head, count = (int(value) for value in press.state.progress.ring[:2])
    h0 = press.state.sheet.h0[(head + np.arange(count - 30, count)) % press.state.sheet.x.size]
    assert h0.max() == pytest.approx(3.06e-3, rel=1e-3)
    assert h0.min() == pytest.approx(2.94e-3, rel=1e-3)


def test_feed_with_more_solids_is_stiffer_and_melts_later(running: Press) -> None:
    press = after(running, 4, Disturbances(feed_solids_deviation=0.1))
    ring, sheet = press.state.progress.ring, press.state.sheet
    youngest = int((ring[0] + ring[1] - 1) % sheet.x.size)
    assert sheet.stiff[youngest] == pytest.approx(1.1**2)
    exact = G20.flory.melting_point_k(0.22) - G20.flory.melting_point_k(0.20)
    assert sheet.melt[youngest] == pytest.approx(exact, rel=0.01)


def test_wedge_of_the_clearance_shows_across_the_film(running: Press) -> None:
    tilted = Disturbances()
    tilted.clearance_offset_m[1::2] = 20e-6
    tilted.clearance_offset_m[0::2] = -20e-6
    film = after(running, 170, tilted).film()[1][-1]
    wedge = film[FILM_COLUMNS.index("wedge_m")]
    assert 25e-6 < wedge < 40e-6
    assert running.film()[1][-1][FILM_COLUMNS.index("wedge_m")] == 0.0


def test_bow_of_the_rollers_grows_with_pressure(running: Press) -> None:
    crown = FILM_COLUMNS.index("crown_m")
    cold = Press.running(REFERENCE, G20, OperatingPoint.at(100.0))
    assert 0.0 < running.film()[1][-1][crown] < cold.film()[1][-1][crown]
