"""From the hoppers to rolls of film, judged by all claims; and what turns exactly one of them red.

The line run makes a product that cures in minutes, and scans once per second: it is about film, not about reactions.
Every variant goes on from the same moment of it, with another recipe or with a plant that has gone wrong, until the
sheet and the film of that are on a roll. What the gates say does not count there: the variants are judged as if all
had been let pass.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from rig.bench import open_press
from rig.clock import SECOND_NS
from rig.controller import LineController, ReferenceController, make_line_controller
from rig.controller.line.setpoints import settings
from rig.controller.runner import Runner
from rig.hil import make_controller, with_query
from rig.products import Product, load_product
from rig.pytest_plugin import hil_session
from rig.requirements import CLAIMS, Verdict, judge

if TYPE_CHECKING:
    from rig.bench import Bench
    from rig.hil import HilSession
    from rig.pytest_plugin import Hil
    from rig.trace import Recording, Samples

pytestmark = pytest.mark.needs("see_truth", "jump_in_time", "fork")

SCAN_NS = SECOND_NS
PRODUCT = "standard-25um"
MADE_OTHERWISE = re.compile(r"[?&](?!seed=|start=)")
"""Parameters of a press that make another of it than the reference one."""
ROLL_M = 4.0
CURE = {"temperature_c": 127.0, "seconds": 180.0}
FILM_WITHIN_S = 2 * 3600.0
MEASURED_S = 600.0
"""Until a roll that has begun is wound, cured and measured, with a wide margin."""


def changed(product: Product, **tables: dict[str, Any]) -> Product:
    """The product with other values, by table."""
    data = product.model_dump(exclude_none=True)
    for table, values in tables.items():
        data[table] |= values
    return Product.model_validate(data)


@dataclass
class LineRun:
    """A line that makes film, and what has been recorded of it so far."""

    bench: Bench
    controller: LineController
    runner: Runner
    before: Recording | None = None

    def run_until_measured(self, count: int, begun_s: float, within_s: float) -> None:
        """Until so many rolls that were begun since then have been measured."""

        def measured() -> bool:
            return (
                sum(roll.begun_ns >= begun_s * 1e9 and roll.sample is not None for roll in self.controller.rolls())
                >= count
            )

        self.runner.run_until(measured, within_s=within_s, what=f"{count} rolls of film")

    def fork(self) -> LineRun:
        """Another line that goes on from here."""
        assert self.bench.recorder is not None
        bench, controller = self.bench.fork(), copy.deepcopy(self.controller)
        runner = Runner(bench, controller, period_ns=SCAN_NS)
        bench.poll()  # a controller that goes on must not find the stations silent
        return LineRun(bench, controller, runner, self.bench.recorder.recording())

    def recorded(self) -> tuple[Samples, Samples]:
        """Tags and truth, since the start."""
        assert self.bench.recorder is not None
        now = self.bench.recorder.recording()
        if self.before is None:
            return now.tags, now.truth
        return self.before.tags.followed_by(now.tags), self.before.truth.followed_by(now.truth)

    def verdicts(self, *, all_since_s: float | None = None, sheet_since_s: float = 0.0) -> dict[str, Verdict]:
        """What comes out; with `all_since_s` of everything since then, as if no gate had kept anything back."""
        quality, rolls = tuple(self.controller.quality()), tuple(self.controller.rolls())
        if all_since_s is not None:
            quality = tuple(replace(row, good=True) for row in quality if row.time_ns >= sheet_since_s * 1e9)
            rolls = tuple(
                replace(roll, grade="released") for roll in rolls if roll.begun_ns >= all_since_s * 1e9 and roll.sample
            )
        tags, signals = self.recorded()
        melting_c = self.controller.product.composition.polyolefin_melting_point_c
        found = judge(
            quality,
            tags,
            melting_point_c=melting_c,
            truth=self.bench.virtual.film(),
            signals=signals,
            rolls=rolls,
            pieces=self.bench.virtual.pieces(),
        )
        return {verdict.requirement: verdict for verdict in found}


# -- the line, and what it makes when all is well -----------------------------------------------------


def line_url(session: HilSession) -> str:
    """The line around the press of this run."""
    press = session.options.press
    if press.partition("?")[0] not in ("emu://", "emu://line") or MADE_OTHERWISE.search(press):
        pytest.skip(f"film is made on the reference line, and not on one around the press at {press}")
    return with_query("emu://line", seed=session.options.seed, start="warm", product=PRODUCT)


@pytest.fixture(scope="module")
def line(request: pytest.FixtureRequest) -> Iterator[LineRun]:
    """A line that makes film, with four rolls measured: the noise of one sample is no disagreement."""
    session = hil_session(request.config)
    url = line_url(session)
    if not isinstance(make_controller(session.factory, session.recipe), ReferenceController):
        pytest.skip(f"{session.options.controller} drives a press alone; film takes a controller of the line")
    product = changed(load_product("standard-25um"), heat_treatment={"crosslinking": [CURE]})
    controller = replace(make_line_controller(product, hours=8.0), roll_length_m=ROLL_M)
    with open_press(url) as bench:
        run = LineRun(bench, controller, Runner(bench, controller, period_ns=SCAN_NS))
        run.runner.run_for(5.0)
        run.runner.request("start")
        run.runner.run_until_state("produce", within_s=FILM_WITHIN_S)
        run.run_until_measured(4, 0.0, FILM_WITHIN_S)
        yield run


def test_line_makes_film_that_its_gate_releases(line: LineRun) -> None:
    rolls = [roll for roll in line.controller.rolls() if roll.sample]
    assert any(roll.grade == "released" for roll in rolls), "; ".join(roll.reason for roll in rolls)


@pytest.mark.parametrize("claim", CLAIMS)
def test_claim_holds_on_the_line(claim: str, line: LineRun, hil: Hil) -> None:
    verdict = line.verdicts()[claim]
    hil.judge(verdict)
    assert verdict.passed, verdict.evidence
    assert verdict.agree is not False, f"sensors and truth disagree: {verdict.evidence}"


# -- one claim at a time ------------------------------------------------------------------------------


def make(**tables: dict[str, Any]) -> Callable[[LineRun], None]:
    """The line goes over to the product with other values."""

    def change(run: LineRun) -> None:
        controller = run.controller
        controller.product = product = changed(controller.product, **tables)
        controller.speed_m_min = product.press.speed_m_min
        controller.settings = settings(product, controller.roll_length_m)
        controller.press.set_for = None
        controller.press.recipe = product.press_recipe(controller.press.recipe.sheet.length_m)

    return change


def disturb(**changes: Any) -> Callable[[LineRun], None]:
    """Something goes wrong with the press."""
    return lambda run: run.bench.virtual.disturb(**changes)


def lift_cold_rollers(metres: float) -> Callable[[LineRun], None]:
    """The cold rollers stand higher than they are told."""
    return disturb(clearance_offset_m=(0.0, 0.0, 0.0, 0.0, metres, metres))


def released_hot(run: LineRun) -> None:
    """Rolled so hot and slowly that the sheet has forgotten its thickness, and let go before the cold section."""
    make(press={"heat_temperature_c": 124.0, "clearance_um": 1050.0, "speed_m_min": 0.8})(run)
    run.runner.run_for(600.0)
    lift_cold_rollers(0.25e-3)(run)


def no_elastomer(run: LineRun) -> None:
    """Its hopper is empty."""
    run.bench.virtual.world.line.kneader.disturbances.feeder_scale[1] = 0.0


def hydrogenated(run: LineRun) -> None:
    """The elastomer that was delivered has no double bonds."""
    tail = run.bench.virtual.world.line.tail
    tail.winder.elastomer = tail.heat_setter.elastomer = "saturated"


def dirty_extractant(run: LineRun) -> None:
    """Distillation leaves solvent in it."""
    run.bench.virtual.world.line.tail.desolvator.disturbances.fresh_solvent_fraction = 0.05


@dataclass(frozen=True)
class Variant:
    """A recipe or a plant that violates one claim.

    Attributes:
        claim: which.
        change: what is done to the line.
        sheet_s: sheet counts that the press has judged so long after the change.
        film_s: rolls count that were begun so long after the change.
    """

    claim: str
    change: Callable[[LineRun], None]
    sheet_s: float
    film_s: float


PRESS_S = 620.0
"""From the entry of the press past its last gauge, at 1 m/min."""
BEHIND_S = 1300.0
"""From there to the winder."""


def from_the_press(settled_s: float, speed: float = 1.0) -> tuple[float, float]:
    """`sheet_s` and `film_s` of sheet that came into the press so long after the change, at so many m/min."""
    return settled_s + PRESS_S / speed, settled_s + (PRESS_S + BEHIND_S) / speed


def belt_slips(run: LineRun) -> None:
    """Too little for the interlock at 2 %."""
    run.bench.virtual.inject("belt_slip", target="upper", amount=0.6)


VARIANTS = {
    "cold-rollers-worn": Variant("CLM-1", lift_cold_rollers(0.2e-3), *from_the_press(30)),
    "too-fast": Variant(
        "CLM-2",
        make(casting={"sheet_thickness_um": 1400.0}, press={"speed_m_min": 2.0}),
        *from_the_press(600, 2.0),
    ),
    "belts-apart": Variant("CLM-3", belt_slips, *from_the_press(30)),
    "released-hot": Variant("CLM-4", released_hot, *from_the_press(800, 0.8)),
    "rolled-too-cold": Variant(
        "CLM-5", make(press={"heat_temperature_c": 103.5, "clearance_um": 1000.0}), *from_the_press(400)
    ),
    "rolled-too-hot": Variant("CLM-5", make(press={"heat_temperature_c": 127.0}), *from_the_press(400)),
    "cold-zone-warm": Variant("CLM-5", disturb(coolant_supply_offset_k=40.0), *from_the_press(400)),
    "elastomer-feeder-empty": Variant("CLM-6", no_elastomer, *from_the_press(1080)),
    "elastomer-without-double-bonds": Variant("CLM-6", hydrogenated, 0, 300),
    "drawn-too-little": Variant("CLM-7", make(stretching={"ratio_md": 2.2, "ratio_td": 2.2}), 0, 1700),
    "set-too-hot": Variant("CLM-7", make(heat_treatment={"set_temperature_c": 134.0}), 0, 700),
    "extractant-dirty": Variant("CLM-7", dirty_extractant, 0, 1500),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_exactly_one_claim_is_violated(name: str, line: LineRun) -> None:
    variant = VARIANTS[name]
    run = line.fork()
    since_s = run.bench.clock.now_ns / SECOND_NS
    variant.change(run)
    film_s = since_s + variant.film_s
    run.run_until_measured(1, film_s, variant.film_s + MEASURED_S)
    verdicts = run.verdicts(all_since_s=film_s, sheet_since_s=since_s + variant.sheet_s)
    evidence = "\n".join(f"{verdict.requirement} {verdict.status}: {verdict.evidence}" for verdict in verdicts.values())
    assert [claim for claim, verdict in verdicts.items() if not verdict.passed] == [variant.claim], evidence
    red = verdicts[variant.claim]
    assert [seen and seen.passed for seen in (red.sensor, red.truth)] == [False, False], evidence
